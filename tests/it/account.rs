//! What people do with their own accounts, and what others cannot do with them.

use serde_json::{Value, json};

use crate::support::{
    Clock, Setup, TOKEN, TestServer,
    people::{PASSWORD, Person, as_kind, ask, letter, letter_text, secret_of, send_form, visit},
    resend::Resend,
};

const ANA: &str = "ana@example.com";
const NEW: &str = "seven copper lanterns";

async fn start() -> (TestServer, Resend) {
    let resend = Resend::start().await;
    (Setup::new().rooms(&["den"]).people(&resend).start().await, resend)
}

async fn forget(server: &TestServer, email: &str) -> (u16, Value) {
    ask(server, None, "POST", "/auth/password/forgot", &json!({"email": email})).await
}

async fn reset(server: &TestServer, token: &str, password: &str) -> (u16, Value) {
    let sent = json!({"token": token, "password": password});
    ask(server, None, "POST", "/auth/password/reset", &sent).await
}

fn actions(server: &TestServer) -> impl Future<Output = Vec<(String, String)>> {
    let accounts = server.server.accounts.clone();
    async move {
        let audit = accounts.list_audit(None, 500).await.unwrap().entries;
        audit.into_iter().rev().map(|it| (it.action, it.result)).collect()
    }
}

async fn assert_audited(server: &TestServer, expected: &[(&str, &str)]) {
    let found = actions(server).await;
    for (action, result) in expected {
        let is_there = found.iter().any(|it| it.0 == *action && it.1 == *result);
        assert!(is_there, "{action} {result} is not in {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_set_anew_once_and_everything_else_ends() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let magic = json!({"email": ANA});
    assert_eq!(ask(&server, None, "POST", "/auth/signup/email", &magic).await.0, 202);
    let magic = letter(&resend, ANA, "magic_link", 1).await;

    // The same answer for whoever is unknown, and no mail.
    let known = forget(&server, ANA).await;
    assert_eq!(known.0, 200);
    assert_eq!(forget(&server, "nobody@example.com").await, known);
    assert_eq!(forget(&server, "no address").await.0, 400);
    let older = secret_of(&letter(&resend, ANA, "reset_password", 1).await);
    assert_eq!(forget(&server, "ANA@example.com").await, known);
    let link = letter(&resend, ANA, "reset_password", 2).await;
    assert!(resend.taken().iter().all(|it| it.body["to"] != json!(["nobody@example.com"])));

    // Programs that look through mails open it, as often as they like.
    for _ in 0..3 {
        let page = visit(&server, &link).await;
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["referrer-policy"], "same-origin");
        let page = page.text().await.unwrap();
        assert!(page.contains(r#"autocomplete="new-password""#), "{page}");
        assert!(page.contains(r#"autocomplete="username""#) && page.contains(ANA), "{page}");
    }
    let secret = secret_of(&link);
    // A password that is refused does not use it up.
    let (status, problem) = reset(&server, &secret, "short").await;
    assert_eq!((status, &problem["reason"]), (400, &json!("bad_request")));
    let fields = [("token", secret.as_str()), ("username", ANA), ("password", "passwordpassword")];
    let page = send_form(&server, "/auth/password/reset", &fields).await;
    assert_eq!(page.status(), 400);
    assert!(page.text().await.unwrap().contains("tried first"));
    assert!(ana.is_in(&server).await);

    let fields = [("token", secret.as_str()), ("username", ANA), ("password", NEW)];
    let done = send_form(&server, "/auth/password/reset", &fields).await;
    assert_eq!(done.status(), 303);
    let to = done.headers()["location"].to_str().unwrap();
    assert_eq!(to, "/login?reason=password-changed");
    assert!(!ana.is_in(&server).await, "all sign-ins ended");
    for it in [&secret, &older] {
        let (status, problem) = reset(&server, it, "nine paper dragons").await;
        assert_eq!((status, &problem["reason"]), (400, &json!("link_expired")));
    }
    let used = visit(&server, &link).await;
    assert_eq!(used.status(), 400);
    assert!(used.text().await.unwrap().contains("This link does not work"));
    let used = send_form(&server, "/auth/link", &[("token", &secret_of(&magic))]).await;
    assert!(used.headers()["location"].to_str().unwrap().contains("reason="));
    assert!(used.headers().get("set-cookie").is_none(), "the magic link went with it");
    assert_eq!(Person::sign_in(&server, ANA, PASSWORD).await.unwrap_err().0, 401);
    assert!(Person::sign_in(&server, ANA, NEW).await.unwrap().is_in(&server).await);
    let alert = letter_text(&resend, ANA, "security_alert", 1).await;
    assert!(alert.contains("was changed"), "{alert}");
    let all = [
        ("password_reset_requested", "sent"),
        ("password_reset_requested", "no_account"),
        ("password_reset", "success"),
    ];
    assert_audited(&server, &all).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_use_one_reset_link_at_once_one_wins() {
    let (server, resend) = start().await;
    Person::sign_up(&server, &resend, ANA).await;
    forget(&server, ANA).await;
    let secret = secret_of(&letter(&resend, ANA, "reset_password", 1).await);
    let passwords = ["one copper lantern", "two copper lanterns", "three copper lanterns"];
    let tries = passwords.map(|it| reset(&server, &secret, it));
    let answers = futures_util::future::join_all(tries).await;
    let won: Vec<_> = (0..3).filter(|it| answers[*it].0 == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|it| matches!(it.0, 200 | 400)), "{answers:?}");
    for (index, password) in passwords.iter().enumerate() {
        let signed_in = Person::sign_in(&server, ANA, password).await;
        assert_eq!(signed_in.is_ok(), index == won[0], "{password}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_link_grows_old_and_verifies_the_address_of_whoever_prepared_an_account() {
    let (clock, resend) = (Clock::new(), Resend::start().await);
    let server = Setup::new().people(&resend).clock(&clock).start().await;
    // Somebody else signs up with the address of another, and cannot verify it.
    let prepared = json!({"email": ANA, "password": PASSWORD});
    assert_eq!(ask(&server, None, "POST", "/auth/signup/password", &prepared).await.0, 202);
    let verification = letter(&resend, ANA, "verification", 1).await;
    forget(&server, ANA).await;
    let old = secret_of(&letter(&resend, ANA, "reset_password", 1).await);
    clock.advance_ms(15 * 60_000);
    assert_eq!(reset(&server, &old, NEW).await.1["reason"], "link_expired");

    forget(&server, ANA).await;
    let secret = secret_of(&letter(&resend, ANA, "reset_password", 2).await);
    assert_eq!(reset(&server, &secret, NEW).await.0, 200);
    let ana = Person::sign_in(&server, ANA, NEW).await.unwrap();
    let (_, user) = ana.ask(&server, "GET", "/account/me", Value::Null).await;
    assert_eq!(user["email_verified"], true);
    visit(&server, &verification).await;
    assert_eq!(Person::sign_in(&server, ANA, PASSWORD).await.unwrap_err().0, 401);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_changed_by_whoever_knows_it_and_guesses_are_held_up() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let thief = Person::sign_in(&server, ANA, PASSWORD).await.unwrap();
    let change = async |who: &Person, body: Value| {
        who.ask(&server, "PATCH", "/account/password", body).await
    };
    let (status, problem) = change(&thief, json!({"new_password": NEW})).await;
    assert_eq!((status, &problem["reason"]), (403, &json!("password_needed")));
    let short = json!({"current_password": PASSWORD, "new_password": "short"});
    assert_eq!(change(&ana, short).await.0, 400);

    let sent = json!({"current_password": PASSWORD, "new_password": NEW});
    assert_eq!(change(&ana, sent).await.0, 200);
    assert!(ana.is_in(&server).await);
    assert!(!thief.is_in(&server).await, "other sign-ins ended");
    assert_eq!(change(&thief, json!({"new_password": NEW})).await.0, 401);
    let alert = letter_text(&resend, ANA, "security_alert", 1).await;
    assert!(alert.contains("was changed"), "{alert}");

    let guess = json!({"current_password": "a wrong guess", "new_password": PASSWORD});
    for _ in 0..6 {
        let (status, problem) = change(&ana, guess.clone()).await;
        assert_eq!((status, &problem["reason"]), (403, &json!("wrong_password")));
    }
    assert_eq!(change(&ana, guess).await.0, 429);
    // They are counted together with those of the login page.
    assert_eq!(Person::sign_in(&server, ANA, NEW).await.unwrap_err().0, 429);
    let all = [
        ("password_changed", "success"),
        ("password_check_failed", "failed"),
        ("password_check_failed", "login_backoff"),
    ];
    assert_audited(&server, &all).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_password_only_a_recent_sign_in_may_set_one() {
    let (clock, resend) = (Clock::new(), Resend::start().await);
    let server = Setup::new().people(&resend).clock(&clock).start().await;
    let magic = async |count: usize| {
        ask(&server, None, "POST", "/auth/signup/email", &json!({"email": ANA})).await;
        let secret = secret_of(&letter(&resend, ANA, "magic_link", count).await);
        let used = send_form(&server, "/auth/link", &[("token", &secret)]).await;
        let cookie = used.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Person::with_cookie(&server, ANA, cookie).await
    };
    let old = magic(1).await;
    clock.advance_ms(16 * 60_000);
    for (method, path, body) in [
        ("PATCH", "/account/password", json!({"new_password": NEW})),
        ("PATCH", "/account/email", json!({"email": "other@example.com"})),
        ("DELETE", "/account", json!({})),
    ] {
        let (status, problem) = old.ask(&server, method, path, body).await;
        assert_eq!((status, &problem["reason"]), (403, &json!("sign_in_again")), "{path}");
    }
    let fresh = magic(2).await;
    let sent = json!({"new_password": NEW});
    assert_eq!(fresh.ask(&server, "PATCH", "/account/password", sent).await.0, 200);
    assert!(Person::sign_in(&server, ANA, NEW).await.is_ok());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_moves_to_another_address_once_its_owner_reads_it() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let move_to = async |email: &str, password: &str| {
        let sent = json!({"email": email, "password": password});
        ana.ask(&server, "POST", "/auth/email/change/request", sent).await
    };
    assert_eq!(move_to("new@example.com", "a wrong guess").await.0, 403);
    assert_eq!(move_to(ANA, PASSWORD).await.0, 409);
    assert_eq!(move_to("no address", PASSWORD).await.0, 400);
    let asked = move_to("new@example.com", PASSWORD).await;
    assert_eq!(asked.0, 202);
    let first = letter(&resend, "new@example.com", "confirm_address", 1).await;
    let alert = letter_text(&resend, ANA, "security_alert", 1).await;
    assert!(alert.contains("ne***@example.com") && !alert.contains("new@example.com"), "{alert}");

    // By the older address of the same, and the first link goes.
    let sent = json!({"email": "new@example.com", "password": PASSWORD});
    assert_eq!(ana.ask(&server, "PATCH", "/account/email", sent).await, asked);
    let link = letter(&resend, "new@example.com", "confirm_address", 2).await;
    assert_eq!(visit(&server, &first).await.status(), 400);
    for _ in 0..2 {
        let page = visit(&server, &link).await;
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["referrer-policy"], "same-origin");
        assert!(page.text().await.unwrap().contains("new@example.com"));
    }
    assert!(ana.is_in(&server).await, "nothing has happened yet");
    forget(&server, ANA).await;
    let forgotten = secret_of(&letter(&resend, ANA, "reset_password", 1).await);

    let secret = secret_of(&link);
    let done = send_form(&server, "/auth/email/change/confirm", &[("token", &secret)]).await;
    assert_eq!(done.status(), 200);
    assert!(done.text().await.unwrap().contains("Your address is changed"));
    let moved = Person { email: "new@example.com".to_owned(), ..ana.clone() };
    assert!(moved.is_in(&server).await);
    assert!(Person::sign_in(&server, ANA, PASSWORD).await.is_err());
    assert!(Person::sign_in(&server, "new@example.com", PASSWORD).await.is_ok());
    assert_eq!(reset(&server, &forgotten, NEW).await.1["reason"], "link_expired");
    let alert = letter_text(&resend, ANA, "security_alert", 3).await;
    assert!(alert.contains("was moved"), "{alert}");
    let sent = json!({ "token": secret });
    let used = ask(&server, None, "POST", "/auth/email/change/confirm", &sent).await;
    assert_eq!(used.1["reason"], "link_expired");
    let all = [("email_change_requested", "sent"), ("email_changed", "success")];
    assert_audited(&server, &all).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken_is_told_to_its_owner_alone() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    Person::sign_up(&server, &resend, "ben@example.com").await;
    let ask_for = async |email: &str| {
        let sent = json!({"email": email, "password": PASSWORD});
        ana.ask(&server, "PATCH", "/account/email", sent).await
    };
    let free = ask_for("free@example.com").await;
    let link = letter(&resend, "free@example.com", "confirm_address", 1).await;
    // In the meantime, whoever reads that address gets an account of their own.
    Person::sign_up(&server, &resend, "free@example.com").await;
    let secret = secret_of(&link);
    let page = send_form(&server, "/auth/email/change/confirm", &[("token", &secret)]).await;
    assert_eq!(page.status(), 409);
    let page = page.text().await.unwrap();
    assert!(page.contains("Nothing was changed") && page.contains("is taken"), "{page}");
    assert!(ana.is_in(&server).await);

    assert_eq!(ask_for("ben@example.com").await, free);
    letter_text(&resend, "ben@example.com", "have_account", 1).await;
    let mails = resend.mails_to("ben@example.com", 1).await;
    assert!(mails.iter().all(|it| it.body["tags"][0]["value"] != "confirm_address"));

    // An account that never showed that the address is its own does not keep it from whoever does.
    let squat = json!({"email": "squat@example.com", "password": PASSWORD});
    assert_eq!(ask(&server, None, "POST", "/auth/signup/password", &squat).await.0, 202);
    assert_eq!(ask_for("squat@example.com").await, free);
    let secret = secret_of(&letter(&resend, "squat@example.com", "confirm_address", 1).await);
    let sent = json!({ "token": secret });
    let done = ask(&server, None, "POST", "/auth/email/change/confirm", &sent).await;
    assert_eq!(done, (200, json!({"success": true})));
    assert!(Person::sign_in(&server, "squat@example.com", PASSWORD).await.is_ok());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_are_seen_and_ended() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let ben = Person::sign_up(&server, &resend, "ben@example.com").await;
    let stolen = Person::sign_in(&server, ANA, PASSWORD).await.unwrap();
    let third = Person::sign_in(&server, ANA, PASSWORD).await.unwrap();
    let list = async |who: &Person| {
        let (status, body) = who.ask(&server, "GET", "/account/sessions", Value::Null).await;
        assert_eq!(status, 200);
        body["sessions"].as_array().unwrap().clone()
    };
    let sessions = list(&ana).await;
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|it| it["current"] == true).count(), 1);
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    assert_eq!(sessions[0]["method"], "password");
    assert!(!json!(sessions).to_string().contains(ana.cookie.split_once('=').unwrap().1));
    let of_stolen = list(&stolen).await.into_iter().find(|it| it["current"] == true).unwrap();
    let path = format!("/account/sessions/{}", of_stolen["id"].as_str().unwrap());

    assert_eq!(ben.ask(&server, "DELETE", &path, Value::Null).await.0, 404, "none of theirs");
    assert!(stolen.is_in(&server).await);
    assert_eq!(ana.ask(&server, "DELETE", &path, Value::Null).await.0, 200);
    assert!(!stolen.is_in(&server).await);
    assert_eq!(ana.ask(&server, "DELETE", &path, Value::Null).await.0, 404);
    let (_, ended) = ana.ask(&server, "DELETE", "/account/sessions", Value::Null).await;
    assert_eq!(ended, json!({"success": true, "ended": 1}));
    assert!(!third.is_in(&server).await && ana.is_in(&server).await && ben.is_in(&server).await);
    assert_eq!(list(&ana).await.len(), 1);
    assert_audited(&server, &[("session_ended", "success"), ("sessions_ended", "success")]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_and_touches_no_account() {
    let (clock, resend) = (Clock::new(), Resend::start().await);
    let server = Setup::new().people(&resend).clock(&clock).start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    for bad in [json!({"name": " \u{200b} "}), json!({"name": "x", "days": 0}), json!({})] {
        assert_eq!(ana.ask(&server, "POST", "/account/tokens", bad).await.0, 400);
    }
    let new = json!({"name": "stream deck", "days": 1});
    let (status, made) = ana.ask(&server, "POST", "/account/tokens", new).await;
    assert_eq!(status, 201);
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("sst_"));
    let alert = letter_text(&resend, ANA, "security_alert", 1).await;
    assert!(alert.contains("stream deck"), "{alert}");
    let use_it = async |method: &str, path: &str, body: Value| {
        let request = server.request(method, path, body).bearer_auth(&token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(use_it("GET", "/auth/session", json!({})).await, 200);
    // The account itself is none of a program's business, nor is anything of the operator's.
    for (method, path, body) in [
        ("GET", "/account/me", json!({})),
        ("PATCH", "/account/me", json!({"display_name": "x"})),
        ("DELETE", "/account", json!({"password": PASSWORD})),
        ("GET", "/account/tokens", json!({})),
        ("POST", "/account/tokens", json!({"name": "another"})),
        ("GET", "/account/sessions", json!({})),
        ("DELETE", "/account/sessions", json!({})),
        ("PATCH", "/account/password", json!({"current_password": PASSWORD, "new_password": NEW})),
        ("PATCH", "/account/email", json!({"email": "x@example.com", "password": PASSWORD})),
        ("POST", "/account/onboarding/complete", json!({"room": "ana"})),
        ("GET", "/api/backup", json!({})),
    ] {
        assert_eq!(use_it(method, path, body).await, 403, "{method} {path}");
    }
    let (_, listed) = ana.ask(&server, "GET", "/account/tokens", Value::Null).await;
    assert!(!listed.to_string().contains(&token));
    let card = &listed["tokens"][0];
    assert_eq!(card["name"], "stream deck");
    assert!(card["last_used_at"].is_string(), "{card}");
    clock.advance_ms(86_400_000);
    assert_eq!(use_it("GET", "/auth/session", json!({})).await, 401, "it has ended");

    let ana = Person::sign_in(&server, ANA, PASSWORD).await.unwrap();
    let (_, made) = ana.ask(&server, "POST", "/account/tokens", json!({"name": "two"})).await;
    let bearer = made["token"].as_str().unwrap();
    let path = format!("/account/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(ana.ask(&server, "DELETE", &path, Value::Null).await.0, 200);
    let gone = server.get("/auth/session").bearer_auth(bearer).send().await.unwrap();
    assert_eq!(gone.status(), 401);
    assert_eq!(ana.ask(&server, "DELETE", &path, Value::Null).await.0, 404);
    assert_audited(&server, &[("token_created", "success"), ("token_removed", "success")]).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_site_and_no_flood_of_bytes_changes_an_account() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let change = |origin: Option<&str>| {
        let sent = json!({"display_name": "Mallory"});
        let request = server.request("PATCH", "/account/me", sent).header("cookie", &ana.cookie);
        match origin {
            Some(it) => request.header("origin", it.to_owned()),
            None => request,
        }
    };
    for origin in [Some("https://evil.example"), Some("null"), None] {
        assert_eq!(change(origin).send().await.unwrap().status(), 403, "{origin:?}");
    }
    // A form of another site has no JSON's type, and a form of its own is from there.
    for path in ["/auth/password/reset", "/auth/password/forgot", "/auth/email/change/confirm"] {
        let request = server.post(path, json!({"token": "x", "password": NEW, "email": ANA}));
        let answer = request.header("origin", "https://evil.example").send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
        let request = as_kind(server.request("POST", path, "{}"), "text/plain");
        assert_eq!(request.send().await.unwrap().status(), 400, "{path}");
    }
    let large = "x".repeat(300 * 1024);
    for (method, path) in [
        ("PATCH", "/account/me"),
        ("PATCH", "/account/password"),
        ("DELETE", "/account"),
        ("POST", "/account/tokens"),
        ("POST", "/auth/password/reset"),
    ] {
        let body = json!({"display_name": large, "new_password": large, "password": large});
        assert_eq!(ana.ask(&server, method, path, body).await.0, 413, "{path}");
    }
    // As long as a body may be: simply wrong.
    let long = "x".repeat(200 * 1024);
    let sent = json!({"current_password": PASSWORD, "new_password": long});
    assert_eq!(ana.ask(&server, "PATCH", "/account/password", sent).await.0, 400);
    let sent = json!({"current_password": long, "new_password": NEW});
    assert_eq!(ana.ask(&server, "PATCH", "/account/password", sent).await.0, 403);
    let sent = json!({ "display_name": long });
    let (_, renamed) = ana.ask(&server, "PATCH", "/account/me", sent).await;
    assert_eq!(renamed["user"]["display_name"], "x".repeat(64));
    let sent = json!({"display_name": "  Ana\nthe \u{202e}First "});
    let (_, renamed) = ana.ask(&server, "PATCH", "/account/me", sent).await;
    assert_eq!(renamed["user"]["display_name"], "Ana the First");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_deleted_leaves_its_code_in_the_audit_and_nothing_else() {
    let (server, resend) = start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let other = Person::sign_in(&server, ANA, PASSWORD).await.unwrap();
    let (_, user) = ana.ask(&server, "GET", "/account/me", Value::Null).await;
    let (_, made) = ana.ask(&server, "POST", "/account/tokens", json!({"name": "deck"})).await;
    forget(&server, ANA).await;
    let secret = secret_of(&letter(&resend, ANA, "reset_password", 1).await);
    for (body, reason) in [
        (json!({}), "password_needed"),
        (Value::Null, "bad_request"),
        (json!({"password": "a wrong guess"}), "wrong_password"),
    ] {
        let (status, problem) = ana.ask(&server, "DELETE", "/account", body).await;
        assert!(matches!(status, 400 | 403), "{status}");
        assert_eq!(problem["reason"], reason);
    }
    let bare = server.request("DELETE", "/account", "").header("cookie", &ana.cookie);
    assert_eq!(bare.send().await.unwrap().status(), 403, "it does not say where from");
    let done = ana.ask(&server, "DELETE", "/account", json!({"password": PASSWORD})).await;
    assert_eq!(done, (200, json!({"success": true})));
    assert!(!ana.is_in(&server).await && !other.is_in(&server).await);
    let gone = server.get("/auth/session").bearer_auth(made["token"].as_str().unwrap());
    assert_eq!(gone.send().await.unwrap().status(), 401);
    assert_eq!(reset(&server, &secret, NEW).await.1["reason"], "link_expired");
    assert_eq!(Person::sign_in(&server, ANA, PASSWORD).await.unwrap_err().0, 401);
    let alert = letter_text(&resend, ANA, "security_alert", 2).await;
    assert!(alert.contains("deleted"), "{alert}");

    let book = server.server.accounts.book();
    assert!(book.is_empty() && book.sessions().count() == 0 && book.tokens().count() == 0);
    assert_eq!(book.tickets().count(), 0);
    let audit = server.server.accounts.list_audit(None, 500).await.unwrap().entries;
    let entry = audit.iter().find(|it| it.action == "account_deleted").unwrap();
    let (_, code) = entry.target.clone().unwrap();
    assert_eq!(json!(code), user["user_code"]);
    assert_eq!(entry.email_redacted, None);
    // The address is free again.
    let again = Person::sign_up(&server, &resend, "ana+2@example.com").await;
    assert!(again.is_in(&server).await);
    let operator = server.request("DELETE", "/account", "{}").bearer_auth(TOKEN);
    assert_eq!(operator.send().await.unwrap().status(), 403, "the operator has none");
    server.stop().await;
}
