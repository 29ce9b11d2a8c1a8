//! What admins see and do: accounts, the audit, switches, tiers, exports and the use of the API.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use streamsuites::{
    accounts::{AccountId, Change},
    storage::{Database, tables::records},
    web::{
        operation::{Access, Verb},
        routes,
    },
};
use ulid::Ulid;

use crate::support::{
    Clock, Setup, TOKEN, TestServer, config_is_refused,
    people::{Person as Somebody, send_form},
    soon,
};

const PASSWORD: &str = "seven violet kettles 42";

/// A server with cheap passwords, and the rooms `ana` and `ben`.
fn setup() -> Setup {
    Setup::new()
        .rooms(&["ana", "ben"])
        .set("SYSTEM__AUTH__PASSWORD_MEMORY_KIB", 8192)
        .set("SYSTEM__AUTH__PASSWORD_ITERATIONS", 1)
        .set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 10_000)
}

/// What the operator's token, an account's cookie or nobody asks.
#[derive(Clone, Copy)]
enum As<'a> {
    Operator,
    Account(&'a str),
    Nobody,
}

fn ask(server: &TestServer, who: As<'_>, method: &str, path: &str, body: &Value) -> RequestBuilder {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = server.request(method, path, body);
    match who {
        As::Operator => request.bearer_auth(TOKEN),
        As::Account(cookie) => request.header("cookie", cookie).header("origin", server.url("")),
        As::Nobody => request,
    }
}

async fn send(server: &TestServer, who: As<'_>, method: &str, path: &str, body: Value) -> Response {
    soon(path, ask(server, who, method, path, &body).send()).await.unwrap()
}

/// Status and body.
async fn call(
    server: &TestServer,
    who: As<'_>,
    method: &str,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let answer = send(server, who, method, path, body).await;
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// The operator does something that must work.
async fn operate(server: &TestServer, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = call(server, As::Operator, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

/// Somebody with an account, signed in.
struct Person {
    id: String,
    cookie: String,
}

impl Person {
    fn asks(&self) -> As<'_> {
        As::Account(&self.cookie)
    }

    fn at(&self, rest: &str) -> String {
        format!("/admin/accounts/{}{rest}", self.id)
    }
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

/// Signs somebody up; the address is not verified.
async fn sign_up(server: &TestServer, name: &str, display_name: &str) -> String {
    let body = json!({"email": address(name), "password": PASSWORD, "display_name": display_name});
    let (status, answer) = call(server, As::Nobody, "POST", "/auth/signup/password", body).await;
    assert_eq!(status, 202, "{answer}");
    let found = operate(server, "GET", &format!("/admin/users?q={name}@"), Value::Null).await;
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

async fn log_in(server: &TestServer, name: &str) -> Response {
    let body = json!({"email": address(name), "password": PASSWORD});
    send(server, As::Nobody, "POST", "/auth/login/password", body).await
}

/// Somebody with a verified address, signed in.
async fn join(server: &TestServer, name: &str) -> Person {
    let id = sign_up(server, name, name).await;
    // As if the link in the mail had been opened; the password stays, other than by an admin's word.
    let account = AccountId::parse(&id).unwrap();
    let verify = move |change: &mut Change| {
        let mut account = change.find_account(account)?;
        account.email_verified = true;
        change.put_account(account).map(drop)
    };
    server.server.accounts.change(verify).await.unwrap();
    Person { id, cookie: cookie_of(&log_in(server, name).await) }
}

fn cookie_of(answer: &Response) -> String {
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn is_signed_in(server: &TestServer, person: &Person) -> bool {
    let answer = send(server, person.asks(), "GET", "/auth/session", Value::Null).await;
    answer.status() == StatusCode::OK
}

/// Entries of the audit with this action, the latest first.
async fn audited(server: &TestServer, action: &str) -> Vec<Value> {
    let path = format!("/admin/audit?action={action}");
    operate(server, "GET", &path, Value::Null).await["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_account_is_out_at_once_and_comes_back() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;
    assert!(is_signed_in(&server, &ana).await);

    let done = operate(&server, "POST", &ana.at("/suspend"), Value::Null).await;
    assert_eq!(done["account_status"], "suspended");
    assert_eq!((&done["changed"], &done["sessions_invalidated"]), (&json!(true), &json!(1)));
    assert!(!is_signed_in(&server, &ana).await);
    assert_eq!(log_in(&server, "ana").await.status(), 403);
    let again = operate(&server, "POST", &ana.at("/suspend"), Value::Null).await;
    assert_eq!(again["changed"], false);

    let entries = audited(&server, "account_suspended").await;
    assert_eq!(entries.len(), 1, "what changes nothing is not audited");
    let entry = &entries[0];
    assert_eq!(
        entry["metadata"],
        json!({"before": "active", "after": "suspended", "sessions_invalidated": 1})
    );
    assert_eq!(
        (&entry["actor_role"], &entry["target_user_id"]),
        (&json!("operator"), &json!(ana.id))
    );
    assert_eq!((&entry["ip"], &entry["timestamp"]), (&json!("127.0.0.1"), &entry["ts"]));

    let done = operate(&server, "POST", &ana.at("/unsuspend"), Value::Null).await;
    assert_eq!(done["account_status"], "active");
    assert_eq!(log_in(&server, "ana").await.status(), 200);
    server.stop().await;
}

/// Goal: what is open with a sign-in closes when the account is suspended or loses the room.
/// Method: rooms that need keys; the owner reads with the cookie alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_open_stream_of_a_suspended_account_ends_within_a_second() {
    let server = setup().set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let ana = join(&server, "ana").await;
    let rooms = ana.at("/rooms");
    operate(&server, "PUT", &rooms, json!({"rooms": ["ana"]})).await;
    for act in ["suspend", "invalidate-sessions", "delete"] {
        operate(&server, "POST", &ana.at("/unsuspend"), Value::Null).await;
        let cookie = cookie_of(&log_in(&server, "ana").await);
        let mut stream = send(&server, As::Account(&cookie), "GET", "/sse/ana", Value::Null).await;
        assert_eq!(stream.status(), 200, "{act}");
        assert!(soon("the hello", stream.chunk()).await.unwrap().is_some());
        let began = Instant::now();
        operate(&server, "POST", &ana.at(&format!("/{act}")), Value::Null).await;
        while let Ok(Some(_)) = soon("the end", stream.chunk()).await {}
        assert!(began.elapsed() < Duration::from_secs(1), "{act}: {:?}", began.elapsed());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_act_does_what_it_says_and_is_audited() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;

    let done = operate(&server, "POST", &ana.at("/invalidate-sessions"), Value::Null).await;
    assert_eq!(done["sessions_invalidated"], 1);
    assert!(!is_signed_in(&server, &ana).await);
    assert_eq!(audited(&server, "sessions_invalidated").await.len(), 1);

    let done = operate(&server, "POST", &ana.at("/reset-onboarding"), Value::Null).await;
    assert_eq!(done["onboarding_status"], "pending");

    let cookie = cookie_of(&log_in(&server, "ana").await);
    let done = operate(&server, "POST", &ana.at("/force-email-reverify"), Value::Null).await;
    assert_eq!(done["account"]["email_verified"], false);
    let session = send(&server, As::Account(&cookie), "GET", "/auth/session", Value::Null).await;
    assert_eq!(session.status(), 401);
    assert_eq!(log_in(&server, "ana").await.status(), 403, "the address is to be proven first");
    let done = operate(&server, "POST", &ana.at("/mark-email-verified"), Value::Null).await;
    assert_eq!(
        (&done["account"]["email_verified"], &done["password_removed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(log_in(&server, "ana").await.status(), 200, "the password is the same");
    let ben = sign_up(&server, "ben", "Ben").await;
    let path = format!("/admin/accounts/{ben}/mark-email-verified");
    let done = operate(&server, "POST", &path, Value::Null).await;
    assert_eq!(done["password_removed"], true, "nobody knows who chose it");
    assert_eq!(log_in(&server, "ben").await.status(), 401);

    let done = operate(&server, "PATCH", &ana.at("/tier"), json!({"tier": "gold"})).await;
    assert_eq!(done["account"]["tier"], "GOLD");
    let entry = &audited(&server, "tier_changed").await[0];
    assert_eq!(entry["metadata"], json!({"before": "CORE", "after": "GOLD"}));
    let wrong = json!({"tier": "platinum"});
    let (status, told) = call(&server, As::Operator, "PATCH", &ana.at("/tier"), wrong).await;
    assert_eq!((status, &told["errors"][0]["pointer"]), (400, &json!("/tier")));
    let done = operate(&server, "PATCH", &ana.at("/tier"), json!({"tier": "open"})).await;
    assert_eq!(done["account"]["tier"], "CORE", "`open` is the old name of it");

    let done = operate(&server, "PATCH", &ana.at("/role"), json!({"role": "creator"})).await;
    assert_eq!(done["account"]["role"], "creator");
    let entry = &audited(&server, "role_changed").await[0];
    assert_eq!(entry["metadata"], json!({"before": "viewer", "after": "creator"}));

    let cookie = cookie_of(&log_in(&server, "ana").await);
    let session = send(&server, As::Account(&cookie), "GET", "/auth/session", Value::Null).await;
    let user: Value = serde_json::from_slice(&session.bytes().await.unwrap()).unwrap();
    assert_eq!(user["user"]["effective_tier"]["tier_label"], "Core");
    assert_eq!(user["user"]["features"]["triggers"], 10);

    let (status, done) = call(&server, As::Operator, "DELETE", &ana.at(""), Value::Null).await;
    assert_eq!((status, &done["account_status"]), (200, &json!("deleted")));
    let (status, told) = call(&server, As::Operator, "GET", &ana.at(""), Value::Null).await;
    assert_eq!((status, &told["reason"]), (404, &json!("not_found")));
    assert_eq!(log_in(&server, "ana").await.status(), 401);
    for path in ["/suspend", "/delete", "/invalidate-sessions", "/mark-email-verified"] {
        let (status, _) = call(&server, As::Operator, "POST", &ana.at(path), Value::Null).await;
        assert_eq!(status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_whose_address_is_to_be_proven_anew_is_nobody_elses_to_sign_up() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;
    operate(&server, "POST", &ana.at("/force-email-reverify"), Value::Null).await;
    // A stranger's password must not come in with the owner's click.
    let stranger = json!({"email": address("ana"), "password": "a stranger's kettle 99"});
    let (status, _) = call(&server, As::Nobody, "POST", "/auth/signup/password", stranger).await;
    assert_eq!(status, 202);
    assert_eq!(audited(&server, "signup_refused").await.len(), 1);
    operate(&server, "POST", &ana.at("/mark-email-verified"), Value::Null).await;
    assert_eq!(log_in(&server, "ana").await.status(), 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_admin_stays_and_nobody_shuts_themselves_out() {
    let server = setup().start().await;
    let (ana, ben) = (join(&server, "ana").await, join(&server, "ben").await);
    operate(&server, "PATCH", &ana.at("/role"), json!({"role": "admin"})).await;

    // An admin may do what the operator may.
    let (status, list) = call(&server, ana.asks(), "GET", "/admin/users", Value::Null).await;
    assert_eq!((status, &list["total"]), (200, &json!(2)));
    let acts = [
        ("POST", "/suspend", Value::Null),
        ("POST", "/delete", Value::Null),
        ("DELETE", "", Value::Null),
        ("POST", "/force-email-reverify", Value::Null),
        ("PATCH", "/role", json!({"role": "creator"})),
    ];
    for (method, path, body) in &acts {
        for who in [As::Operator, ana.asks()] {
            let (status, told) = call(&server, who, method, &ana.at(path), body.clone()).await;
            assert_eq!((status, &told["reason"]), (409, &json!("conflict")), "{method} {path}");
        }
    }
    assert!(is_signed_in(&server, &ana).await);

    // With another one there, the other one may; oneself never.
    let (status, _) =
        call(&server, ana.asks(), "PATCH", &ben.at("/role"), json!({"role": "admin"})).await;
    assert_eq!(status, 200);
    let entry = &audited(&server, "role_changed").await[0];
    assert_eq!((&entry["actor_user_id"], &entry["actor_role"]), (&json!(ana.id), &json!("admin")));
    let (status, _) = call(&server, ana.asks(), "POST", &ana.at("/suspend"), Value::Null).await;
    assert_eq!(status, 409);
    let (status, _) = call(&server, ben.asks(), "POST", &ana.at("/suspend"), Value::Null).await;
    assert_eq!(status, 200);
    assert!(!is_signed_in(&server, &ana).await);
    // One who is suspended counts for nothing.
    let (status, _) = call(&server, As::Operator, "POST", &ben.at("/suspend"), Value::Null).await;
    assert_eq!(status, 409);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_of_the_configuration_is_not_made_less_here() {
    let server = setup().variable("STREAMSUITES_ADMIN_EMAILS", address("ana")).start().await;
    let (ana, ben) = (join(&server, "ana").await, join(&server, "ben").await);
    operate(&server, "PATCH", &ben.at("/role"), json!({"role": "admin"})).await;
    let role = json!({"role": "viewer"});
    let (status, told) = call(&server, As::Operator, "PATCH", &ana.at("/role"), role).await;
    assert_eq!(status, 409);
    assert!(told["message"].as_str().unwrap().contains("STREAMSUITES_ADMIN_EMAILS"), "{told}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_and_creators_get_into_no_address_of_admins() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;
    let mut seen = 0;
    for role in ["viewer", "creator", "moderator"] {
        operate(&server, "PATCH", &ana.at("/role"), json!({"role": role})).await;
        let ours = routes::list();
        let ours = ours.iter().filter(|it| it.path.starts_with("/admin/"));
        for it in ours.filter(|it| it.access() == Access::Operator) {
            let path = it.path.replace("{uuid}", &ana.id);
            let body = if it.verb == Verb::Get { Value::Null } else { json!({}) };
            for (who, expected) in [(ana.asks(), 403), (As::Nobody, 401)] {
                let (status, told) =
                    call(&server, who, it.verb.as_str(), &path, body.clone()).await;
                assert_eq!(status, expected, "{role}: {} {path}", it.verb.as_str());
                assert_eq!(told["success"], false, "{path}");
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
    assert!(is_signed_in(&server, &ana).await, "nothing was done");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_come_in_pages_and_are_searched() {
    let clock = Clock::new();
    let server = setup().clock(&clock).start().await;
    for it in 0..5 {
        clock.advance_ms(1_000);
        sign_up(&server, &format!("person{it}"), &format!("Person {it}")).await;
    }
    for list in ["/admin/users", "/admin/accounts"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                operate(&server, "GET", &format!("{list}?limit=2&cursor={cursor}"), Value::Null)
                    .await;
            assert_eq!(page["total"], 5);
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            seen.extend(items.iter().map(|it| it["email"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(it) => cursor = it.to_owned(),
                None => break,
            }
        }
        let expected: Vec<_> = (0..5).rev().map(|it| address(&format!("person{it}"))).collect();
        assert_eq!(seen, expected, "the newest first, each once");
    }
    let found = operate(&server, "GET", "/admin/users?q=PERSON%203", Value::Null).await;
    assert_eq!(
        (&found["total"], &found["items"][0]["display_name"]),
        (&json!(1), &json!("Person 3"))
    );
    let id = found["items"][0]["id"].as_str().unwrap();
    operate(&server, "POST", &format!("/admin/accounts/{id}/suspend"), Value::Null).await;
    operate(&server, "PATCH", &format!("/admin/accounts/{id}/tier"), json!({"tier": "pro"})).await;
    for query in ["status=suspended", "tier=pro", "tier=PRO&status=suspended&role=viewer"] {
        let found = operate(&server, "GET", &format!("/admin/users?{query}"), Value::Null).await;
        assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &json!(id)), "{query}");
    }
    let found = operate(&server, "GET", "/admin/users?role=admin", Value::Null).await;
    assert_eq!((&found["total"], &found["next_cursor"]), (&json!(0), &Value::Null));
    for bad in ["role=king", "tier=lead", "status=gone", "limit=0", "limit=x", "cursor=x"] {
        let path = format!("/admin/users?{bad}");
        let (status, _) = call(&server, As::Operator, "GET", &path, Value::Null).await;
        assert_eq!(status, 400, "{bad}");
    }

    // The audit, by the same means.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/admin/audit?action=account_created&limit=2&cursor={cursor}");
        let page = operate(&server, "GET", &path, Value::Null).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["id"].to_string()));
        match page["next_cursor"].as_str() {
            Some(it) => cursor = it.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "the latest first, each once");
    let target = operate(&server, "GET", &format!("/admin/audit?target={id}"), Value::Null).await;
    let actions: Vec<&str> = target["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .filter(|it| !it.starts_with("mail_"))
        .collect();
    assert_eq!(actions, ["tier_changed", "account_suspended", "account_created"]);
    let by = operate(&server, "GET", "/admin/audit?actor=operator&limit=500", Value::Null).await;
    assert_eq!(by["items"].as_array().unwrap().len(), 2);
    clock.advance_ms(60_000);
    operate(&server, "PATCH", &format!("/admin/accounts/{id}/tier"), json!({"tier": "core"})).await;
    let since = target["items"][0]["ts"].as_str().unwrap().replace('+', "%2B");
    let path = format!("/admin/audit?action=tier_changed,nothing&since={since}");
    let later = operate(&server, "GET", &path, Value::Null).await;
    assert_eq!(later["items"].as_array().unwrap().len(), 2, "from then on");
    let (status, _) =
        call(&server, As::Operator, "GET", "/admin/audit?since=soon", Value::Null).await;
    assert_eq!(status, 400);
    server.stop().await;
}

/// The text of a download.
async fn download(server: &TestServer, method: &str, path: &str) -> (String, String) {
    let answer = send(server, As::Operator, method, path, Value::Null).await;
    assert_eq!(answer.status(), 200, "{path}");
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-disposition").starts_with("attachment; filename="), "{path}");
    assert_eq!(header("cache-control"), "no-store");
    let kind = header("content-type");
    (kind, String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_read_as_text_and_files_of_the_audit_lead_to_nobody() {
    let server = setup().start().await;
    let formula = "=HYPERLINK(\"https://evil.example\",\"click\")";
    sign_up(&server, "anastasia", formula).await;
    sign_up(&server, "ben", "Ben, \"the\" second").await;

    for path in ["/admin/export/users.csv", "/admin/accounts/export.csv"] {
        let (kind, text) = download(&server, "GET", path).await;
        assert_eq!(kind, "text/csv; charset=utf-8");
        assert!(text.starts_with("\u{feff}id,user_code,email,"), "{text}");
        assert!(
            text.contains("\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"click\"\")\""),
            "{text}"
        );
        assert!(text.contains("\"Ben, \"\"the\"\" second\""), "{text}");
        assert_eq!(text.matches("\r\n").count(), 3, "a head and two rows");
    }
    for path in ["/admin/export/users.json", "/admin/accounts/export.json?q=ben@"] {
        let (kind, text) = download(&server, "GET", path).await;
        assert_eq!(kind, "application/json");
        let file: Value = serde_json::from_str(&text).unwrap();
        let users = file["users"].as_array().unwrap();
        assert_eq!(users.len(), if path.contains('?') { 1 } else { 2 });
        assert_eq!(users[0]["email"], address("ben"), "the newest first");
        assert_eq!(users[0]["account_status"], "active");
        assert!(file["exported_at"].is_string() && file["schema_version"] == "v1");
    }

    let (_, text) = download(&server, "GET", "/admin/export/audit.json").await;
    let file: Value = serde_json::from_str(&text).unwrap();
    let created = file["audit"].as_array().unwrap();
    let created: Vec<_> = created.iter().filter(|it| it["action"] == "account_created").collect();
    assert_eq!(created.len(), 2);
    assert_eq!(created[1]["ip"], "127.0.0.0/24");
    assert_eq!(created[1]["email_redacted"], "an***@example.com");
    assert!(!text.contains("anastasia") && !text.contains("127.0.0.1"), "{text}");
    let (_, table) = download(&server, "GET", "/admin/export/audit.csv").await;
    let (kind, posted) = download(&server, "POST", "/admin/export/audit?format=csv").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    for text in [&table, &posted] {
        assert!(text.starts_with("\u{feff}id,ts,actor_user_id,"), "{text}");
        assert!(!text.contains("anastasia") && !text.contains("127.0.0.1"), "{text}");
    }
    let (kind, _) = download(&server, "POST", "/admin/export/audit").await;
    assert_eq!(kind, "application/json");
    let (status, _) =
        call(&server, As::Operator, "POST", "/admin/export/audit?format=xml", Value::Null).await;
    assert_eq!(status, 400);
    for (action, count) in [
        ("export_users_csv", 2),
        ("export_users_json", 2),
        ("export_audit_csv", 2),
        ("export_audit_json", 2),
    ] {
        let entries = audited(&server, action).await;
        assert_eq!(entries.len(), count, "{action}");
        assert_eq!(entries[0]["actor_role"], "operator");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_audit_is_exported_whole() {
    let server = setup().start().await;
    let id = sign_up(&server, "ana", "Ana").await;
    // Three pages of them.
    for it in 0..601 {
        let tier = if it % 2 == 0 { "gold" } else { "core" };
        let path = format!("/admin/accounts/{id}/tier");
        operate(&server, "PATCH", &path, json!({"tier": tier})).await;
    }
    let (_, text) = download(&server, "GET", "/admin/export/audit.json").await;
    let file: Value = serde_json::from_str(&text).unwrap();
    let audit = file["audit"].as_array().unwrap();
    assert_eq!(audit.iter().filter(|it| it["action"] == "tier_changed").count(), 601);
    assert!(audit.is_sorted_by(|a, b| a["id"].as_str() > b["id"].as_str()));
    server.stop().await;
}

/// Goal: entries that nobody can read any more end no list and no file, however many there are in a row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_behind_those_that_are_unreadable_are_listed() {
    let server = setup().start().await;
    let id = sign_up(&server, "ana", "Ana").await;
    for it in 0..20 {
        let tier = if it % 2 == 0 { "gold" } else { "core" };
        operate(&server, "PATCH", &format!("/admin/accounts/{id}/tier"), json!({"tier": tier}))
            .await;
    }
    let audit = server.server.accounts.list_audit(None, 10).await.unwrap().entries;
    // One by itself, and more than a page of them behind another entry.
    let alone = format!("audit/{}", audit[2].id);
    let ulid = audit[5].id;
    let many = (0..1_001).map(|it| format!("audit/{}", Ulid::from_parts(ulid.timestamp_ms(), it)));
    let stopped = server.stop_for_now().await;
    let database = Database::open(&stopped.data_folder().join("accounts.redb")).unwrap();
    let broken: Vec<_> = many.chain([alone]).collect();
    let broken = broken.iter().map(|it| (it.as_str(), Some(b"{}".as_slice())));
    database.write(|tx| records::set(tx, broken)).unwrap();
    drop(database);

    let server = stopped.start().await;
    for limit in [3, 500] {
        let start = format!("/admin/audit?action=tier_changed&limit={limit}");
        let mut path = start.clone();
        let mut found = 0;
        loop {
            let page = operate(&server, "GET", &path, Value::Null).await;
            found += page["items"].as_array().unwrap().len();
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("{start}&cursor={next}");
        }
        assert_eq!(found, 19, "{limit} at a time");
    }
    let (_, text) = download(&server, "GET", "/admin/export/audit.json").await;
    let file: Value = serde_json::from_str(&text).unwrap();
    let exported = file["audit"].as_array().unwrap();
    assert_eq!(exported.iter().filter(|it| it["action"] == "tier_changed").count(), 19);
    server.stop().await;
}

/// Goal: a link or a picture on another site's page has nothing exported, noted or copied in an admin's name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_sites_page_has_an_admin_download_anything() {
    let server = setup().start().await;
    let ben = join(&server, "ben").await;
    operate(&server, "PATCH", &ben.at("/role"), json!({"role": "admin"})).await;
    let from = |path: &str, site: &'static str| {
        server.get(path).header("cookie", &ben.cookie).header("sec-fetch-site", site)
    };
    for path in ["/admin/export/users.csv", "/admin/export/audit.json", "/api/backup"] {
        let foreign = soon(path, from(path, "cross-site").send()).await.unwrap();
        assert_eq!(foreign.status(), 403, "{path}");
        let evil = from(path, "cross-site").header("origin", "https://evil.example");
        assert_eq!(soon(path, evil.send()).await.unwrap().status(), 403, "{path}");
        let token = server.get(path).header("sec-fetch-site", "cross-site").bearer_auth(TOKEN);
        assert_eq!(soon(path, token.send()).await.unwrap().status(), 200, "{path}");
        for own in ["same-origin", "same-site", "none"] {
            let answer = soon(path, from(path, own).send()).await.unwrap();
            assert_eq!(answer.status(), 200, "{path} {own}");
        }
        // Pages of a site that is allowed to say where they are.
        let own = from(path, "cross-site").header("origin", server.url(""));
        assert_eq!(soon(path, own.send()).await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(audited(&server, "export_users_csv").await.len(), 5);
    // Links on other sites lead to pages all the same.
    for path in ["/admin", "/dashboard?room=ana", "/account"] {
        let answer = soon(path, from(path, "cross-site").send()).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    server.stop().await;
}

/// Goal: behind a proxy, it is the proxy that says who asks, and nobody else.
#[tokio::test]
async fn of_several_addresses_the_one_that_the_proxy_added_counts() {
    let server = setup().set("SYSTEM__WEB__CLIENT_ADDRESS_HEADER", "x-forwarded-for").start().await;
    let ana = Somebody::put(&server, "ana", &[]).await;
    for (lines, address) in [
        (&["203.0.113.1"][..], "203.0.113.1"),
        (&["203.0.113.1, 198.51.100.2"][..], "198.51.100.2"),
        (&["203.0.113.1", "198.51.100.3"][..], "198.51.100.3"),
        (&["203.0.113.1, 203.0.113.4", "192.0.2.9 , 198.51.100.5"][..], "198.51.100.5"),
        (&["203.0.113.1", "nonsense"][..], "127.0.0.1"),
    ] {
        let name = json!({"display_name": address});
        let mut request = server.request("PATCH", "/account/me", name);
        request = request.header("cookie", &ana.cookie).header("origin", server.url(""));
        for line in lines {
            request = request.header("x-forwarded-for", *line);
        }
        assert_eq!(soon("a change", request.send()).await.unwrap().status(), 200);
        let entry = &audited(&server, "account_renamed").await[0];
        assert_eq!(entry["ip"], address, "{lines:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_switched_off_is_off_and_comes_back() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;
    sign_up(&server, "ben", "Ben").await;
    let credentials = json!({"email": address("ana"), "password": PASSWORD});
    let new = json!({"email": address("carl"), "password": PASSWORD});
    let resend = json!({"email": address("ben")});

    let told = operate(&server, "GET", "/admin/auth/controls", Value::Null).await;
    assert_eq!(told["flags"]["disable_new_signups"], false);
    assert_eq!(
        told["providers"],
        json!({"google": true, "github": true, "discord": true, "twitch": true})
    );
    for (flag, path, body, works) in [
        ("disable_password_login", "/auth/login/password", &credentials, 200),
        ("disable_resend_verification", "/auth/verify/resend", &resend, 200),
        ("disable_new_signups", "/auth/signup/password", &new, 202),
    ] {
        let switch = |on: bool| json!({"flags": {(flag): on}});
        let told = operate(&server, "POST", "/admin/auth/controls", switch(true)).await;
        assert_eq!(told["flags"][flag], true);
        let (status, told) = call(&server, As::Nobody, "POST", path, body.clone()).await;
        assert_eq!((status, &told["reason"]), (403, &json!("switched_off")), "{flag}");
        operate(&server, "POST", "/admin/auth/controls", switch(false)).await;
        let (status, told) = call(&server, As::Nobody, "POST", path, body.clone()).await;
        assert_eq!(status, works, "{flag}: {told}");
    }
    assert!(is_signed_in(&server, &ana).await, "who is in stays in");

    operate(
        &server,
        "POST",
        "/admin/auth/controls",
        json!({"flags": {"disable_email_verification": true}}),
    )
    .await;
    let clicked = send_form(&server, "/auth/verify/email", &[("token", "x")]).await;
    let to = clicked.headers()["location"].to_str().unwrap();
    assert!(to.ends_with("reason=unavailable"), "{to}");
    let path = ana.at("/force-email-reverify");
    let (status, _) = call(&server, As::Operator, "POST", &path, Value::Null).await;
    assert_eq!(status, 403, "nobody could prove anything now");

    let told =
        operate(&server, "POST", "/admin/auth/controls", json!({"providers": {"github": false}}))
            .await;
    assert_eq!(
        (&told["providers"]["github"], &told["providers"]["google"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(told["flags"]["disable_email_verification"], true, "what is not named stays");
    for bad in [json!({"providers": {"myspace": true}}), json!({"flags": {"nothing": true}})] {
        let (status, _) = call(&server, As::Operator, "POST", "/admin/auth/controls", bad).await;
        assert!(status == 400 || status == 422, "{status}");
    }
    let entry = &audited(&server, "auth_controls_updated").await[0];
    assert_eq!(entry["metadata"]["after"]["disabled_providers"], json!(["github"]));
    assert_eq!(entry["metadata"]["before"]["disabled_providers"], json!([]));

    let told =
        operate(&server, "PUT", "/admin/policy/admin-bypass", json!({"enabled": true})).await;
    assert_eq!(told["flags"]["admin_tier_config_bypass"], true);
    assert_eq!(audited(&server, "admin_bypass_updated").await.len(), 1);

    // Switches outlive a restart.
    let server = server.stop_for_now().await.start().await;
    let told = operate(&server, "GET", "/admin/auth/controls", Value::Null).await;
    assert_eq!(
        (&told["providers"]["github"], &told["flags"]["admin_tier_config_bypass"]),
        (&json!(false), &json!(true))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_higher_tier_never_allows_less_and_changes_reach_plans_at_once() {
    let server = setup().start().await;
    let catalog = server.json("/admin/tier-catalog").await;
    let tiers = catalog["tiers"].as_object().unwrap();
    assert_eq!(tiers.keys().collect::<Vec<_>>(), ["core", "gold", "pro"]);
    assert_eq!(tiers["pro"]["features"]["clip_seconds"], 120);
    assert_eq!((&tiers["core"]["rank"], &tiers["pro"]["rank"]), (&json!(0), &json!(2)));

    let put = |body: Value| call(&server, As::Operator, "PUT", "/admin/tier-config", body);
    let less = json!({"tiers": {"core": {"features": {"triggers": 30}}}});
    let (status, told) = put(less.clone()).await;
    assert_eq!(status, 400);
    assert_eq!(told["errors"][0]["pointer"], "/tiers/gold/features/triggers");
    let (status, told) =
        put(json!({"tiers": {"gold": {"features": {"trigers": 30, "polls": -1}}}})).await;
    assert_eq!((status, told["errors"].as_array().unwrap().len()), (400, 2), "{told}");

    // As an admin's page does it: what was read, with one number changed.
    let (_, mut whole) =
        call(&server, As::Operator, "GET", "/admin/tier-config", Value::Null).await;
    assert_eq!(whole["updated_at"], Value::Null);
    whole["tiers"]["gold"]["features"]["polls"] = json!(5);
    whole["tiers"]["pro"]["visibility"] = json!("hidden");
    let (status, told) = put(whole.clone()).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        told["changed"],
        json!({"core": {"features": {}}, "gold": {"features": {"polls": 5}},
            "pro": {"visibility": "hidden", "features": {}}})
    );
    let catalog = server.json("/admin/tier-catalog").await;
    assert_eq!(catalog["tiers"]["gold"]["features"]["polls"], 5);
    assert_eq!(catalog["tiers"]["pro"], Value::Null, "hidden");
    put(whole).await;
    assert_eq!(
        audited(&server, "tier_config_updated").await.len(),
        1,
        "nothing new the second time"
    );

    // Files come below it, at once; what they say against the rule is refused as a whole.
    let rooms = catalog["tiers"]["gold"]["features"]["rooms"].clone();
    server.write_config(
        "tiers.json",
        r#"{"gold": {"features": {"rooms": 7}}, "pro": {"features": {"polls": 1}}}"#,
    );
    config_is_refused(&server).await;
    let catalog = server.json("/admin/tier-catalog").await;
    assert_eq!(catalog["tiers"]["gold"]["features"]["rooms"], rooms, "as a whole");
    server.write_config("tiers.json", r#"{"gold": {"features": {"rooms": 7}}}"#);
    let read = async {
        while server.json("/admin/tier-catalog").await["tiers"]["gold"]["features"]["rooms"] != 7 {
            tokio::task::yield_now().await;
        }
    };
    soon("the file is read", read).await;
    let catalog = server.json("/admin/tier-catalog").await;
    assert_eq!(catalog["tiers"]["gold"]["features"]["polls"], 5, "what the admin changed stays");

    operate(&server, "PUT", "/admin/policy/admin-bypass", json!({"enabled": true})).await;
    let (status, _) = put(less).await;
    assert_eq!(status, 200, "the rule is off");
    let catalog = server.json("/admin/tier-catalog").await;
    assert_eq!(
        (
            &catalog["tiers"]["core"]["features"]["triggers"],
            &catalog["tiers"]["gold"]["features"]["triggers"]
        ),
        (&json!(30), &json!(25))
    );
    operate(&server, "PUT", "/admin/policy/admin-bypass", json!({"enabled": false})).await;
    let catalog = server.json("/admin/tier-catalog").await;
    assert_eq!(catalog["tiers"]["gold"]["features"]["triggers"], 30, "lifted");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_for_rooms_of_accounts_and_not_for_the_operators() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;
    let rooms = ana.at("/rooms");
    let both = json!({"rooms": ["ana", "ben"]});
    let (status, _) = call(&server, As::Operator, "PUT", &rooms, both.clone()).await;
    assert_eq!(status, 409, "one room in this tier");
    operate(&server, "PUT", &rooms, json!({"rooms": ["ana"]})).await;

    let theme = |it: usize| json!({"name": format!("own-{it}"), "css": ".line{color:red}"});
    for it in 0..4 {
        let (status, told) =
            call(&server, ana.asks(), "POST", "/api/themes?room=ana", theme(it)).await;
        assert_eq!(status, if it < 3 { 201 } else { 409 }, "{told}");
        let (status, _) =
            call(&server, As::Operator, "POST", "/api/themes?room=ben", theme(it)).await;
        assert_eq!(status, 201, "the operator's room");
    }
    operate(&server, "PATCH", &ana.at("/tier"), json!({"tier": "gold"})).await;
    let (status, _) = call(&server, ana.asks(), "POST", "/api/themes?room=ana", theme(4)).await;
    assert_eq!(status, 201, "more in a higher tier");
    operate(&server, "PUT", &rooms, both).await;
    operate(&server, "PATCH", &ana.at("/tier"), json!({"tier": "core"})).await;
    let kept = operate(&server, "GET", &ana.at(""), Value::Null).await;
    assert_eq!(kept["account"]["rooms"], json!(["ana", "ben"]), "nothing is taken away");

    let channels = json!({"tiers": {"core": {"features": {"channels": 1}}}});
    operate(&server, "PUT", "/admin/tier-config", channels).await;
    for (channel, expected) in [("twitch:one", 201), ("twitch:two", 409), ("twitch:one", 201)] {
        let body = json!({"channel": channel, "room": "ana"});
        let (status, told) = call(&server, As::Operator, "POST", "/api/rooms", body).await;
        assert_eq!(status, expected, "{channel}: {told}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_counted_by_account_and_the_operators_are_not() {
    let server = setup().start().await;
    let ana = join(&server, "ana").await;
    let rate = json!({"tiers": {"core": {"features": {"api_requests_per_minute": 10}}}});
    operate(&server, "PUT", "/admin/tier-config", rate).await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(send(&server, ana.asks(), "GET", "/api/rooms", Value::Null).await);
    }
    let refused: Vec<_> = answers.iter().filter(|it| it.status() == 429).collect();
    assert!((1..=2).contains(&refused.len()), "{}", refused.len());
    let wait: u64 = refused[0].headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=7).contains(&wait), "{wait}");
    // Another sign-in is no way around it; others, pages and the operator are not held up.
    let other = cookie_of(&log_in(&server, "ana").await);
    let answer = send(&server, As::Account(&other), "GET", "/api/rooms", Value::Null).await;
    assert_eq!(answer.status(), 429);
    let ben = join(&server, "ben").await;
    let answer = send(&server, ben.asks(), "GET", "/api/rooms", Value::Null).await;
    assert_eq!(answer.status(), 200);
    for _ in 0..12 {
        assert_eq!(send(&server, ana.asks(), "GET", "/livechat", Value::Null).await.status(), 200);
        assert_eq!(
            send(&server, As::Operator, "GET", "/api/rooms", Value::Null).await.status(),
            200
        );
    }
    operate(&server, "PATCH", &ana.at("/tier"), json!({"tier": "gold"})).await;
    let answer = send(&server, ana.asks(), "GET", "/api/rooms", Value::Null).await;
    assert_eq!(answer.status(), 200, "more in a higher tier, at once");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_worked_on_admins_alone_change_things() {
    let server = setup().start().await;
    let (ana, ben) = (join(&server, "ana").await, join(&server, "ben").await);
    operate(&server, "PATCH", &ben.at("/role"), json!({"role": "admin"})).await;
    operate(&server, "PUT", &ana.at("/rooms"), json!({"rooms": ["ana"]})).await;
    let told = server.json("/auth/access-state").await;
    assert_eq!(told, json!({"mode": "normal", "message": "", "bypass_enabled": false}));

    let settings = "/api/settings?room=ana";
    let new = json!({"max_messages": 7});
    let put = |who| call(&server, who, "PUT", settings, new.clone());
    assert_eq!(put(ana.asks()).await.0, 200);
    let (status, _) =
        call(&server, ana.asks(), "PUT", "/admin/access-state", json!({"mode": "normal"})).await;
    assert_eq!(status, 403);
    let body = json!({"mode": "maintenance", "message": "Back at noon."});
    operate(&server, "PUT", "/admin/access-state", body).await;
    let told = server.json("/auth/access-state").await;
    assert_eq!((&told["mode"], &told["message"]), (&json!("maintenance"), &json!("Back at noon.")));

    let (status, told) = put(ana.asks()).await;
    assert_eq!((status, &told["type"]), (503, &json!("/problems/not-now")));
    assert_eq!(put(ben.asks()).await.0, 200);
    assert_eq!(put(As::Operator).await.0, 200);
    let (status, _) = call(&server, ana.asks(), "GET", settings, Value::Null).await;
    assert_eq!(status, 200, "reading goes on");
    let sign_up = json!({"email": address("carl"), "password": PASSWORD});
    let (status, told) = call(&server, As::Nobody, "POST", "/auth/signup/password", sign_up).await;
    assert_eq!((status, &told["reason"]), (503, &json!("not_now")));
    // Who has an account gets into it, and nothing about it changes.
    for (path, status) in [("/auth/verify/email", 303), ("/auth/email/change/confirm", 503)] {
        let answer = send_form(&server, path, &[("token", "x")]).await;
        assert_eq!(answer.status(), status, "{path}");
    }
    let moved = json!({"email": address("ana2")});
    let (status, told) =
        call(&server, ana.asks(), "POST", "/auth/email/change/request", moved).await;
    assert_eq!((status, &told["reason"]), (503, &json!("not_now")));
    assert_eq!(log_in(&server, "ben").await.status(), 200, "admins get in");
    // Reads its hello.
    drop(server.socket("/ws/ana").await);

    operate(&server, "PUT", "/admin/access-state", json!({"mode": "normal"})).await;
    assert_eq!(put(ana.asks()).await.0, 200);
    let entries = audited(&server, "access_mode_changed").await;
    assert_eq!(entries[0]["metadata"], json!({"before": "maintenance", "after": "normal"}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_use_of_the_api_is_told_by_route_and_never_by_what_was_asked_for() {
    let server = setup().start().await;
    for _ in 0..3 {
        server.json("/api/rooms/ana").await;
    }
    for path in ["/api/rooms/secret-name", "/wp-login.php?user=secret-name", "/secret-name"] {
        assert_eq!(send(&server, As::Nobody, "GET", path, Value::Null).await.status(), 404);
    }
    let told = operate(&server, "GET", "/admin/metrics/api?window=1m", Value::Null).await;
    let endpoints = told["endpoints"].as_array().unwrap();
    let find = |name: &str| endpoints.iter().find(|it| it["endpoint"] == name).unwrap();
    let rooms = find("GET /api/rooms/{room}");
    assert_eq!((&rooms["hits"], &rooms["errors"]), (&json!(4), &json!(0)));
    assert!(rooms["p95_latency_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(find("unmatched")["hits"], 2);
    assert!(!told.to_string().contains("secret-name"), "{told}");
    assert_eq!(told["live_summary"]["window_label"], "1m");
    let seconds = told["chart"]["requests_per_sec"].as_array().unwrap();
    assert_eq!(seconds.len(), 60);
    let sum: f64 = seconds.iter().map(|it| it["count"].as_f64().unwrap()).sum();
    assert!(sum >= 6.0, "{sum}");
    for window in ["5m", "15m", "1h", "24h"] {
        let path = format!("/admin/metrics/api?window={window}");
        let told = operate(&server, "GET", &path, Value::Null).await;
        assert_eq!(told["live_summary"]["window_label"], window);
        assert!(!told["endpoints"].as_array().unwrap().is_empty());
    }
    let (status, _) =
        call(&server, As::Operator, "GET", "/admin/metrics/api?window=2m", Value::Null).await;
    assert_eq!(status, 400);
    server.stop().await;
}
