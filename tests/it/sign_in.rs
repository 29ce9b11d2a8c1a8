//! Accounts from outside: signing up, verifying, signing in, staying in, being put out.

use std::time::Instant;

use serde_json::{Value, json};
use streamsuites::accounts::{Actor, AuditEntry};

use crate::support::{
    Clock, Setup, TOKEN, TestServer,
    people::{PASSWORD, Person, as_kind, letter, send_form, verify, visit},
    resend::Resend,
    soon,
};

/// A server whose passwords cost little, and whose mails go to a stand-in.
fn setup(resend: &Resend) -> Setup {
    Setup::new()
        .resend(resend)
        .set("SYSTEM__AUTH__PASSWORD_MEMORY_KIB", 8_192)
        .set("SYSTEM__AUTH__PASSWORD_ITERATIONS", 1)
        .set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 100_000)
        .set("SYSTEM__MAIL__PER_SECOND", 100)
}

/// Status, cookie and body of an answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    cookie: Option<String>,
    set_cookie: String,
    location: String,
    reason: String,
    body: Value,
}

async fn send(request: reqwest::RequestBuilder) -> Answer {
    let answer = soon("an answer", request.send()).await.unwrap();
    let header = |name: &str| {
        answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned()
    };
    let set_cookie = header("set-cookie");
    let cookie = set_cookie.split(';').next().filter(|it| it.len() > 21).map(str::to_owned);
    let (status, location, reason) =
        (answer.status().as_u16(), header("location"), header("x-auth-reason"));
    let bytes = answer.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status, cookie, set_cookie, location, reason, body }
}

async fn post(server: &TestServer, path: &str, body: Value) -> Answer {
    send(server.post(path, body).header("origin", server.url(""))).await
}

async fn with_cookie(server: &TestServer, method: &str, path: &str, cookie: &str) -> Answer {
    let request = server.request(method, path, Value::Null);
    send(request.header("origin", server.url("")).header("cookie", cookie)).await
}

async fn get(server: &TestServer, path: &str) -> Answer {
    send(server.get(path)).await
}

/// The path of a link in a mail.
fn path_of(server: &TestServer, link: &str) -> String {
    link.strip_prefix(&server.url(""))
        .unwrap_or_else(|| panic!("{link} is none of ours"))
        .to_owned()
}

/// Somebody with a verified account, and their cookie.
async fn sign_up(server: &TestServer, resend: &Resend, email: &str) -> String {
    Person::sign_up(server, resend, email).await.cookie
}

/// Goal: the whole way in and out, as a page goes it.
#[tokio::test]
async fn somebody_signs_up_verifies_signs_in_and_out() {
    let resend = Resend::start().await;
    let server = setup(&resend).start().await;
    let body = json!({"email": "Ana@Example.com", "password": PASSWORD, "surface": "creator"});
    let answer = post(&server, "/auth/signup/email", body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["verification_required"], true);
    assert!(answer.cookie.is_none());

    let credentials = json!({"email": "ana@example.com", "password": PASSWORD});
    let early = post(&server, "/auth/login/password", credentials.clone()).await;
    assert_eq!((early.status, &early.body["reason"]), (403, &json!("email_unverified")));
    assert_eq!(early.body["verification_required"], true);

    let link = resend.mail_link("ana@example.com").await;
    for _ in 0..2 {
        // The second time as well: people click twice.
        let location = verify(&server, &link).await;
        assert!(location.ends_with("/login?surface=creator&verified=1"), "{location}");
    }

    let answer = post(&server, "/auth/login/password", credentials).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let flags = &answer.set_cookie;
    assert!(flags.contains("; HttpOnly") && flags.contains("; SameSite=Lax"), "{flags}");
    assert!(!flags.contains("Secure") && !flags.contains("Domain"), "plain HTTP: {flags}");
    assert!(flags.contains("Max-Age=604800"), "{flags}");
    let cookie = answer.cookie.unwrap();
    let session = with_cookie(&server, "GET", "/auth/session", &cookie).await;
    assert_eq!(session.status, 200);
    assert_eq!(session.body["authenticated"], true);
    assert_eq!(session.body["email"], "ana@example.com");
    assert_eq!(session.body["role"], "viewer");
    assert_eq!(session.body["tier"], "CORE");
    assert_eq!(session.body["is_admin"], false);
    assert_eq!(session.body["user"]["onboarding_required"], true);
    assert_eq!(session.body["user"]["effective_tier"]["tier_id"], "core");

    let out = with_cookie(&server, "POST", "/auth/logout", &cookie).await;
    assert_eq!(out.status, 200);
    assert!(out.set_cookie.contains("Max-Age=0"), "{}", out.set_cookie);
    let stolen = with_cookie(&server, "GET", "/auth/session", &cookie).await;
    assert_eq!((stolen.status, &*stolen.reason), (401, "unauthorized"));
    let nobody = get(&server, "/auth/session").await;
    assert_eq!((nobody.status, &*nobody.reason), (401, "cookie_missing"));
    assert_eq!(nobody.body["reason_enum"], "COOKIE_MISSING");
    server.stop().await;
}

/// Goal: what looks through mails, and opens every link in them, vouches for nobody's account.
#[tokio::test]
async fn only_a_click_verifies_an_address_and_the_page_that_was_asked_for_is_next() {
    let resend = Resend::start().await;
    let server = setup(&resend).start().await;
    let credentials = json!({"email": "ana@example.com", "password": PASSWORD});
    let mut new = credentials.clone();
    new["return_to"] = "/chat/ana?x=1".into();
    assert_eq!(post(&server, "/auth/signup/password", new).await.status, 202);
    let link = resend.mail_link("ana@example.com").await;
    for _ in 0..2 {
        assert_eq!(visit(&server, &link).await.status(), 200);
    }
    let early = post(&server, "/auth/login/password", credentials.clone()).await;
    assert_eq!((early.status, &early.body["reason"]), (403, &json!("email_unverified")));

    let secret = link.split_once("token=").unwrap().1;
    let foreign = as_kind(
        server.post("/auth/verify/email", format!("token={secret}")),
        "application/x-www-form-urlencoded",
    );
    assert_eq!(send(foreign.header("origin", "https://evil.example")).await.status, 403);
    let next = |location: &str| {
        let url = url::Url::parse(&server.url("")).unwrap().join(location).unwrap();
        url.query_pairs().find(|it| it.0 == "return_to").map(|it| it.1.into_owned())
    };
    let location = verify(&server, &link).await;
    assert!(location.contains("/login?verified=1"), "{location}");
    assert_eq!(next(&location), Some(server.url("/chat/ana?x=1")));
    assert_eq!(post(&server, "/auth/login/password", credentials).await.status, 200);

    // Of a mail that was sent again.
    for (number, (wanted, expected)) in
        [("/livechat", Some("/livechat")), ("https://evil.example/", None)].into_iter().enumerate()
    {
        let email = format!("ben{number}@example.com");
        let new = json!({"email": email, "password": PASSWORD});
        assert_eq!(post(&server, "/auth/signup/password", new).await.status, 202);
        let again = json!({"email": email, "return_to": wanted});
        assert_eq!(post(&server, "/auth/verify/resend", again).await.status, 200);
        let location = verify(&server, &letter(&resend, &email, "verification", 2).await).await;
        assert_eq!(next(&location), expected.map(|it| server.url(it)), "{location}");
    }
    server.stop().await;
}

/// Goal: what a link's page sends is read as strictly as JSON.
#[tokio::test]
async fn a_form_that_is_none_and_a_secret_that_is_too_long_are_problems() {
    let resend = Resend::start().await;
    let server = setup(&resend).start().await;
    let long = "x".repeat(129);
    for path in ["/auth/link", "/auth/verify/email", "/auth/email/change/confirm"] {
        let answer = send_form(&server, path, &[("token", &long)]).await;
        assert_eq!(answer.status(), 400, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        let answer = send_form(&server, path, &[("tokens", "x")]).await;
        assert_eq!(answer.status(), 400, "{path}");
    }
    for path in ["/auth/link", "/auth/verify/email"] {
        let answer = post(&server, path, json!({"token": "x"})).await;
        assert_eq!((answer.status, &answer.body["reason"]), (400, &json!("bad_request")), "{path}");
        let huge = "x".repeat(2 << 20);
        let answer = send_form(&server, path, &[("token", &huge)]).await;
        assert_eq!(answer.status(), 413, "{path}");
    }
    server.stop().await;
}

/// Goal: a stranger learns nothing about who has an account.
#[tokio::test]
async fn an_address_that_is_taken_is_answered_like_any_other_and_its_owner_is_told() {
    let resend = Resend::start().await;
    let server = setup(&resend).start().await;
    sign_up(&server, &resend, "ana@example.com").await;
    for (path, body) in [
        ("/auth/signup/password", json!({"password": "another good password"})),
        ("/auth/signup/email", json!({})),
        ("/auth/verify/resend", json!({})),
    ] {
        let mut answers = Vec::new();
        for email in ["ana@example.com", "nobody@example.com"] {
            let mut body = body.clone();
            body["email"] = email.into();
            let answer = post(&server, path, body).await;
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
    let told = resend.mails_to("ana@example.com", 2).await;
    assert!(
        told.iter().all(|it| !it.body["text"].as_str().unwrap().contains("verify/email"))
            || told.len() > 1
    );

    let wrong = |email: &str| json!({"email": email, "password": "not that one at all"});
    let known = post(&server, "/auth/login/password", wrong("ana@example.com")).await;
    let unknown = post(&server, "/auth/login/password", wrong("who@example.com")).await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    assert_eq!(known.body["reason"], "invalid_credentials");
    // The stranger's password was never taken.
    let stranger = json!({"email": "ana@example.com", "password": "another good password"});
    assert_eq!(post(&server, "/auth/login/password", stranger).await.status, 401);
    server.stop().await;
}

/// Goal: guessing gets slower and slower, and the right password waits as well.
#[tokio::test]
async fn guessing_is_held_up_and_the_owner_gets_in_afterwards() {
    let (resend, clock) = (Resend::start().await, Clock::new());
    let server = setup(&resend).clock(&clock).start().await;
    sign_up(&server, &resend, "ana@example.com").await;
    let attempt = async |password: &str| {
        post(
            &server,
            "/auth/login/password",
            json!({"email": "ana@example.com", "password": password}),
        )
        .await
    };
    for _ in 0..6 {
        assert_eq!(attempt("not that one at all").await.status, 401);
    }
    let held = attempt(PASSWORD).await;
    assert_eq!((held.status, &held.body["reason"]), (429, &json!("rate_limited")));
    clock.advance_ms(2_000);
    assert_eq!(attempt(PASSWORD).await.status, 200);
    server.stop().await;
}

/// Goal: a sign-in ends when its time is over or nobody uses it, and not when a clock is set back.
#[tokio::test]
async fn a_sign_in_ends_by_itself() {
    let (resend, clock) = (Resend::start().await, Clock::new());
    let server = setup(&resend).clock(&clock).start().await;
    let cookie = sign_up(&server, &resend, "ana@example.com").await;
    let status = async || with_cookie(&server, "GET", "/auth/session", &cookie).await.status;
    const HOUR: i64 = 3_600_000;
    clock.advance_ms(-48 * HOUR);
    assert_eq!(status().await, 200, "a clock that was set back ends nothing");
    clock.advance_ms(48 * HOUR);
    for _ in 0..2 {
        clock.advance_ms(71 * HOUR);
        assert_eq!(status().await, 200, "it is used");
    }
    clock.advance_ms(27 * HOUR);
    assert_eq!(status().await, 401, "seven days are over");

    let body = json!({"email": "ana@example.com", "password": PASSWORD});
    let cookie = post(&server, "/auth/login/password", body).await.cookie.unwrap();
    clock.advance_ms(73 * HOUR);
    assert_eq!(with_cookie(&server, "GET", "/auth/session", &cookie).await.status, 401);
    server.stop().await;
}

/// Goal: a link from a mail signs in once, after a click, and makes the account when there is none.
#[tokio::test]
async fn a_link_signs_in_once() {
    let (resend, clock) = (Resend::start().await, Clock::new());
    let server = setup(&resend).clock(&clock).start().await;
    let ask = json!({"email": "ana@example.com", "return_to": "/livechat"});
    assert_eq!(post(&server, "/auth/signup/email", ask.clone()).await.status, 202);
    let link = path_of(&server, &resend.mail_link("ana@example.com").await);
    let (path, token) = link.split_once("?token=").unwrap();
    for _ in 0..3 {
        assert_eq!(get(&server, &link).await.status, 200, "looking uses nothing up");
    }
    let form = |token: &str, origin: &str| {
        let request = server.post(path, format!("token={token}"));
        let request = as_kind(request, "application/x-www-form-urlencoded");
        send(request.header("origin", origin.to_owned()))
    };
    assert_eq!(form(token, "https://evil.example").await.status, 403);
    let own = server.url("");
    let mut opened = Vec::new();
    for it in futures_util::future::join_all((0..8).map(|_| form(token, &own))).await {
        assert_eq!(it.status, 303, "{it:?}");
        match it.cookie {
            Some(cookie) => opened.push((cookie, it.location)),
            None => assert!(it.location.ends_with("?reason=verification-expired"), "{it:?}"),
        }
    }
    let [(cookie, location)] = &*opened else { panic!("one wins, not {}", opened.len()) };
    assert!(location.ends_with("/livechat"), "{location}");
    let session = with_cookie(&server, "GET", "/auth/session", cookie).await;
    assert_eq!(session.body["user"]["email_verified"], true);
    assert_eq!(session.body["user"]["has_password"], false);

    assert_eq!(post(&server, "/auth/signup/email", ask).await.status, 202);
    let mails = resend.mails_to("ana@example.com", 2).await;
    let late = crate::support::resend::link(mails[1].body["text"].as_str().unwrap());
    clock.advance_ms(15 * 60_000);
    let late = path_of(&server, &late);
    let late = form(late.split_once("?token=").unwrap().1, &own).await;
    assert!(late.cookie.is_none() && late.location.contains("reason="), "{late:?}");
    server.stop().await;
}

/// Goal: nobody is sent anywhere else than to pages of ours, and no other page's request counts.
#[tokio::test]
async fn other_sites_get_nobody_and_nothing() {
    let resend = Resend::start().await;
    let server = setup(&resend)
        .set(
            "SYSTEM__AUTH__SURFACES__CREATOR__SUCCESS_URL",
            "https://creator.example/auth/success.html",
        )
        .start()
        .await;
    let cookie = sign_up(&server, &resend, "ana@example.com").await;
    let login = async |return_to: &str, surface: &str| {
        let body = json!({
            "email": "ana@example.com", "password": PASSWORD, "return_to": return_to, "surface": surface,
        });
        let answer = post(&server, "/auth/login/password", body).await;
        answer.body["redirect_to"].as_str().unwrap().to_owned()
    };
    for foreign in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "https://creator.example.evil.example/",
        "http://creator.example/",
        "https://user@creator.example/",
        "/\t/evil.example",
        "data:text/html,x",
    ] {
        let went = login(foreign, "public").await;
        assert_eq!(went, server.url("/account"), "{foreign}");
    }
    assert_eq!(login("/chat/ana?x=1", "public").await, server.url("/chat/ana?x=1"));
    assert_eq!(login("https://creator.example/a", "public").await, "https://creator.example/a");
    assert_eq!(login("", "creator").await, "https://creator.example/auth/success.html");
    assert_eq!(login("", "admin").await, server.url("/account"), "no admin, no admins' page");

    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let body = json!({"email": "ana@example.com", "password": PASSWORD});
        let request = server.post("/auth/login/password", body).header("origin", origin);
        assert_eq!(send(request).await.status, 403, "{origin}");
        let request = server.request("POST", "/auth/logout", Value::Null);
        let request = request.header("origin", origin).header("cookie", &cookie);
        assert_eq!(send(request).await.status, 403, "{origin}");
    }
    assert_eq!(with_cookie(&server, "GET", "/auth/session", &cookie).await.status, 200);
    // Neither a form nor a text passes for JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let body = json!({"email": "ana@example.com", "password": PASSWORD}).to_string();
        let request = as_kind(server.post("/auth/login/password", body), kind);
        assert_eq!(send(request).await.status, 400, "{kind}");
    }
    for forged in ["streamsuites_session=", "streamsuites_session=x", &format!("{cookie}x")] {
        assert_eq!(with_cookie(&server, "GET", "/auth/session", forged).await.status, 401);
    }
    server.stop().await;
}

/// Goal: the emergency admin is off unless it is set, guesses at it are held up, and its use is told.
#[tokio::test]
async fn the_emergency_admin_gets_in_and_nobody_else_that_way() {
    let resend = Resend::start().await;
    let body = json!({"email": "root", "password": "an emergency secret, long enough"});
    let server = setup(&resend).start().await;
    assert_eq!(post(&server, "/auth/login", body.clone()).await.status, 404);
    server.stop().await;

    let (resend, clock) = (Resend::start().await, Clock::new());
    let server = setup(&resend)
        .clock(&clock)
        .variable("ADMIN_FALLBACK_USER", "root")
        .variable("ADMIN_FALLBACK_SECRET", "an emergency secret, long enough")
        .start()
        .await;
    let answer = post(&server, "/auth/login", body.clone()).await;
    assert_eq!(answer.status, 200);
    let cookie = answer.cookie.unwrap();
    let session = with_cookie(&server, "GET", "/auth/session", &cookie).await;
    assert_eq!((session.status, &session.body["is_admin"]), (200, &json!(true)));
    for it in 0..6 {
        let wrong = json!({"user": format!("root{it}"), "secret": "x"});
        assert_eq!(post(&server, "/auth/login/fallback", wrong).await.status, 401);
    }
    assert_eq!(post(&server, "/auth/login/fallback", body).await.status, 429);
    let audit = server.server.accounts.list_audit(None, 10).await.unwrap().entries;
    assert!(audit.iter().all(|it| it.action == "fallback_login"));
    assert_eq!(audit.iter().filter(|it| it.result == "failed").count(), 6);
    server.stop().await;
}

/// Goal: what is audited while the server drains is there when it starts again.
#[tokio::test]
async fn what_is_audited_last_is_not_lost() {
    let server = Setup::new().start().await;
    let accounts = server.server.accounts.clone();
    server.server.life.stop.cancel();
    let left = server.server.life.shut_down(std::time::Duration::from_secs(10)).await;
    assert_eq!(left, 0, "all that writes on its own has ended");
    accounts.note(AuditEntry::new(accounts.now(), Actor::Nobody, "login_failed"));
    drop(accounts);
    let server = server.stop_for_now().await.start().await;
    let audit = server.server.accounts.list_audit(None, 10).await.unwrap().entries;
    assert!(audit.iter().any(|it| it.action == "login_failed"), "{audit:?}");
    server.stop().await;
}

/// Goal: ten thousand guesses cost the server little, open nothing, and fill neither memory nor the disk.
#[tokio::test]
async fn ten_thousand_guesses_are_soon_over() {
    let resend = Resend::start().await;
    let server = setup(&resend).start().await;
    sign_up(&server, &resend, "ana@example.com").await;
    let (mut open, mut held) = (0, 0);
    let started = Instant::now();
    for round in 0..200 {
        let guesses = (0..50).map(|it| {
            let body =
                json!({"email": "ana@example.com", "password": format!("a guess {round} {it}")});
            post(&server, "/auth/login/password", body)
        });
        for it in futures_util::future::join_all(guesses).await {
            match it.status {
                401 => open += 1,
                429 | 503 => held += 1,
                other => panic!("{other}: {it:?}"),
            }
        }
    }
    println!("10,000 guesses: {open} compared, {held} held up, {:?}", started.elapsed());
    assert!(open < 500, "{open} of 10,000 guesses were compared");
    let audit = server.server.accounts.list_audit(None, 10_000).await.unwrap().entries;
    assert!(audit.len() < 600, "{} entries", audit.len());
    server.stop().await;
}

/// Goal: what a program may is none of a browser's business, and the operator is no account.
#[tokio::test]
async fn the_operator_has_no_account() {
    let resend = Resend::start().await;
    let server = setup(&resend).start().await;
    let session = send(server.get("/auth/session").bearer_auth(TOKEN)).await;
    assert_eq!((session.status, &session.body["is_admin"]), (200, &json!(true)));
    assert_eq!(session.body["user"], Value::Null);
    assert_eq!(send(server.get("/account/me").bearer_auth(TOKEN)).await.status, 403);
    server.stop().await;
}
