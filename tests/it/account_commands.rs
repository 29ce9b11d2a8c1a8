//! `account` and `token create`: what must be possible when nobody can sign in.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::process::Process;

const ANA: &str = "ana@example.com";
const PASSWORD: &str = "tender violet anvils";
const OTHER_PASSWORD: &str = "seven distant lanterns";

/// Runs a command with something on its standard input; whether it went well, and what it said.
fn run(folder: &Path, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_streamsuites"))
        .args(arguments)
        .current_dir(folder)
        .env("STREAMSUITES__SYSTEM__LISTEN", "127.0.0.1:7999")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Whoever reads nothing may be gone already.
    let _ = std::io::Write::write_all(&mut stdin, input.as_bytes());
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    let text = [ended.stdout, ended.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
    assert!(!text.contains("panicked"), "{text}");
    if !ended.status.success() {
        assert_eq!(ended.status.code(), Some(2), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    (ended.status.success(), text)
}

fn does(folder: &Path, arguments: &[&str], input: &str) -> String {
    let (done, text) = run(folder, arguments, input);
    assert!(done, "{arguments:?}: {text}");
    text
}

fn fails(folder: &Path, arguments: &[&str], input: &str, words: &str) {
    let (done, text) = run(folder, arguments, input);
    assert!(!done && text.contains(words), "{arguments:?}: {text}");
}

fn list(folder: &Path) -> Vec<Value> {
    serde_json::from_str(&does(folder, &["account", "list", "--json"], "")).unwrap()
}

struct Served {
    process: Process,
    address: String,
    http: reqwest::Client,
}

impl Served {
    async fn start(folder: &Path) -> Self {
        let process = Process::start_at(folder, &["--listen", "127.0.0.1:0"], &[]);
        let address = process.address().await;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { process, address, http }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn sign_in(&self, email: &str, password: &str) -> (u16, Value) {
        let sent = json!({ "email": email, "password": password });
        let answer = self.http.post(self.url("/auth/login/password")).json(&sent).send().await;
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn who_is(&self, token: &str) -> (u16, Value) {
        let answer = self.http.get(self.url("/auth/session")).bearer_auth(token).send().await;
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn stop(self) {
        self.process.kill().await;
    }
}

#[tokio::test]
async fn an_admin_is_made_before_the_first_start_and_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fails(folder, &["account", "list"], "", "there is no data folder");
    fails(folder, &["account", "create-admin", "not an address", "--link"], "", "name@example.com");
    fails(folder, &["account", "create-admin", ANA, "--stdin"], "short\n", "at least 10");
    fails(folder, &["account", "create-admin", ANA, "--stdin"], "\n", "empty");
    fails(folder, &["account", "create-admin", ANA], PASSWORD, "--stdin");
    assert_eq!(does(folder, &["account", "list"], ""), "there is no account yet\n");
    let said = does(folder, &["account", "create-admin", ANA, "--stdin"], &format!("{PASSWORD}\n"));
    assert_eq!(said, "ana@example.com was made, and is an admin\n");
    let listed = &list(folder)[0];
    assert_eq!((&listed["role"], &listed["email_verified"]), (&json!("admin"), &json!(true)));
    let shown = does(folder, &["account", "list"], "");
    assert!(
        shown.contains("admin") && shown.contains(ANA) && shown.lines().count() == 1,
        "{shown}"
    );
    for secret in [&listed.to_string(), &shown] {
        assert!(!secret.contains("argon2"), "{secret}");
    }
    let server = Served::start(folder).await;
    let (status, answer) = server.sign_in("Ana@Example.com", PASSWORD).await;
    assert_eq!((status, &answer["user"]["role"]), (200, &json!("admin")), "{answer}");
    server.stop().await;
    // Again, it changes nothing and asks for nothing.
    let said = does(folder, &["account", "create-admin", ANA], "");
    assert_eq!(said, "ana@example.com is now an admin\n");
}

#[tokio::test]
async fn passwords_are_reset_by_hand_and_by_link() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    does(folder, &["account", "create-admin", ANA, "--stdin"], PASSWORD);
    fails(folder, &["account", "reset-password", "ben@example.com", "--link"], "", "no account");
    let code = list(folder)[0]["user_code"].as_str().unwrap().to_owned();
    let said = does(folder, &["account", "reset-password", &code, "--stdin"], OTHER_PASSWORD);
    assert!(said.contains("another password; nobody was signed in"), "{said}");
    let server = Served::start(folder).await;
    assert_eq!(server.sign_in(ANA, PASSWORD).await.0, 401);
    assert_eq!(server.sign_in(ANA, OTHER_PASSWORD).await.0, 200);
    server.stop().await;

    let said = does(folder, &["account", "reset-password", ANA, "--link"], "");
    let link = said.lines().last().unwrap();
    let token = link.strip_prefix("http://127.0.0.1:7999/auth/link?token=").unwrap().to_owned();
    let server = Served::start(folder).await;
    for status in [303, 303] {
        let form = [("token", &token)];
        let answer = server.http.post(server.url("/auth/link")).form(&form).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let cookie = answer.headers().contains_key("set-cookie");
        let page = answer.headers()["location"].to_str().unwrap().to_owned();
        // Once it signs in, and then never again.
        assert_eq!(cookie, !page.contains("reason="), "{page}");
        if page.contains("reason=") {
            server.stop().await;
            return;
        }
    }
    panic!("a link worked twice");
}

#[tokio::test]
async fn roles_tiers_and_tokens_are_given_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    does(folder, &["account", "create-admin", ANA, "--stdin"], PASSWORD);
    fails(folder, &["account", "set-role", ANA, "creator"], "", "this is the last admin");
    does(folder, &["account", "create-admin", "ben@example.com", "--stdin"], PASSWORD);
    does(folder, &["account", "set-role", ANA, "creator"], "");
    does(folder, &["account", "set-tier", ANA, "gold"], "");
    fails(folder, &["account", "set-role", "nobody@example.com", "creator"], "", "no account");
    let (done, text) = run_loosely(folder, &["account", "set-tier", ANA, "platinum"]);
    assert!(!done && text.contains("platinum"), "{text}");
    let token = ["token", "create", "--account", ANA, "--name", "bot", "--days", "30"];
    let token = does(folder, &token, "").trim().to_owned();
    assert!(token.starts_with("sst_"), "{token}");
    let kept = fs::read(folder.join("data/accounts.redb")).unwrap();
    assert!(!kept.windows(token.len()).any(|it| it == token.as_bytes()), "only its hash is kept");
    let server = Served::start(folder).await;
    let (status, answer) = server.who_is(&token).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["role"], &answer["email"]), (&json!("creator"), &json!(ANA)));
    assert_eq!(answer["tier"].as_str().map(str::to_lowercase).as_deref(), Some("gold"));
    // While a server has them, it is the one to ask.
    for command in [
        &["account", "list"][..],
        &["account", "set-role", ANA, "admin"],
        &["account", "create-admin", ANA, "--link"],
        &["account", "reset-password", ANA, "--link"],
        &["token", "create", "--account", ANA, "--name", "bot"],
    ] {
        fails(folder, command, "", "a server uses the data folder");
        fails(folder, command, "", "/admin");
    }
    // The operator's own token is printed as ever.
    assert!(!does(folder, &["token"], "").trim().is_empty());
    server.stop().await;
}

/// For what the command line's own reader says, in several lines.
fn run_loosely(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_streamsuites"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = [ended.stdout, ended.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
    (ended.status.success(), text)
}
