//! People with accounts: signed up over the network, with mails that a stand-in for Resend takes.

use serde_json::{Value, json};
use streamsuites::{
    accounts::{Account, AccountId, NewSession, Surface},
    model::{AccountRole, Timestamp},
};

use super::{Setup, TestServer, resend::Resend, socket::Socket, soon};

/// The password of everybody, as long as they do not change it.
pub(crate) const PASSWORD: &str = "tender violet anvils";

impl Setup {
    /// Accounts that are made fast, and mails that go to the stand-in.
    pub(crate) fn people(self, resend: &Resend) -> Self {
        self.resend(resend)
            .set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 100_000)
            .set("SYSTEM__AUTH__MAILS_PER_HOUR", 1_000)
            .set("SYSTEM__AUTH__PASSWORD_MEMORY_KIB", 8_192)
            .set("SYSTEM__AUTH__PASSWORD_ITERATIONS", 1)
    }
}

/// Somebody who is signed in, in a browser.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: AccountId,
    /// The short name: `U-…`.
    pub(crate) code: String,
    pub(crate) email: String,
    /// `streamsuites_session=…`
    pub(crate) cookie: String,
}

impl Person {
    /// Puts somebody there, verified and without a password, who owns these rooms: no mail is sent, nothing is asked.
    pub(crate) async fn put(server: &TestServer, name: &str, rooms: &[&str]) -> Self {
        let (email, name) = (format!("{name}@example.com"), name.to_owned());
        let address = email.parse().unwrap();
        let names = rooms;
        let rooms = rooms.iter().map(|it| it.parse().unwrap()).collect();
        let made = server.server.accounts.change(move |change| {
            let mut account = Account::new(Some(address), &name, Timestamp::now());
            (account.email_verified, account.rooms) = (true, rooms);
            account.role = AccountRole::Creator;
            let account = change.put_account(account)?;
            let new = NewSession {
                surface: Surface::Public,
                method: "password".to_owned(),
                address: None,
                user_agent: "a test".to_owned(),
                days: 7,
            };
            let (secret, _) = change.open_session(account.id, new);
            let cookie = format!("streamsuites_session={}", secret.expose());
            Ok(Self { id: account.id, code: account.user_code.to_string(), email, cookie })
        });
        let made = made.await.unwrap();
        // The rooms follow in a moment.
        soon("the rooms of an account are there", async {
            while names.iter().any(|it| server.server.hub.find_room(it).is_none()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        made
    }

    /// Gets an account, verifies its address, and signs in.
    pub(crate) async fn sign_up(server: &TestServer, resend: &Resend, email: &str) -> Self {
        let new = json!({"email": email, "password": PASSWORD});
        let answer = ask(server, None, "POST", "/auth/signup/password", &new).await;
        assert_eq!(answer.0, 202, "{answer:?}");
        verify(server, &letter(resend, email, "verification", 1).await).await;
        Self::sign_in(server, email, PASSWORD).await.unwrap()
    }

    /// Signs in; the status and the answer when that is refused.
    pub(crate) async fn sign_in(
        server: &TestServer,
        email: &str,
        password: &str,
    ) -> Result<Self, (u16, Value)> {
        let sent = json!({"email": email, "password": password});
        let request = server.post("/auth/login/password", sent);
        let answer = soon("the sign-in", request.header("origin", server.url("")).send()).await;
        let answer = answer.unwrap();
        let cookie = answer.headers().get("set-cookie").map(|it| it.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        if status != 200 {
            return Err((status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()));
        }
        let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
        Ok(Self::with_cookie(server, email, cookie).await)
    }

    /// Whoever this cookie signs in.
    pub(crate) async fn with_cookie(server: &TestServer, email: &str, cookie: String) -> Self {
        let (status, me) = ask(server, Some(&cookie), "GET", "/account/me", &Value::Null).await;
        assert_eq!((status, &me["email"]), (200, &json!(email)), "{me}");
        let text = |name: &str| me[name].as_str().unwrap().to_owned();
        let id = AccountId::parse(&text("id")).unwrap();
        Self { id, code: text("user_code"), email: email.to_owned(), cookie }
    }

    /// Asks as a page of the server does.
    pub(crate) async fn ask(
        &self,
        server: &TestServer,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        ask(server, Some(&self.cookie), method, path, &body).await
    }

    /// A room's socket, as a page of the server opens it.
    pub(crate) async fn socket(&self, server: &TestServer, room: &str) -> Socket {
        let url = format!("ws://{}/ws/{room}", server.server.address);
        Socket::open_as(&url, &self.cookie, &server.url("")).await
    }

    /// Whether the sign-in still opens the account.
    pub(crate) async fn is_in(&self, server: &TestServer) -> bool {
        match self.ask(server, "GET", "/account/me", Value::Null).await {
            (200, user) => {
                assert_eq!(user["email"], self.email);
                true
            }
            (401, _) => false,
            other => panic!("{other:?}"),
        }
    }
}

/// Asks as a page of the server does; `null` is no body.
pub(crate) async fn ask(
    server: &TestServer,
    cookie: Option<&str>,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut request = server.request(method, path, body).header("origin", server.url(""));
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let answer = soon(path, request.send()).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// Sends a form as a page of the server does: the status and the page.
pub(crate) async fn send_form(
    server: &TestServer,
    path: &str,
    fields: &[(&str, &str)],
) -> reqwest::Response {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let request = as_kind(server.post(path, body.finish()), "application/x-www-form-urlencoded");
    let request = request.header("origin", server.url(""));
    soon(path, request.send()).await.unwrap()
}

/// With another content type than JSON's.
pub(crate) fn as_kind(
    request: reqwest::RequestBuilder,
    kind: &'static str,
) -> reqwest::RequestBuilder {
    let kind = reqwest::header::HeaderValue::from_static(kind);
    request.headers([(reqwest::header::CONTENT_TYPE, kind)].into_iter().collect())
}

/// Follows a link that verifies an address, and clicks: where that leads.
pub(crate) async fn verify(server: &TestServer, link: &str) -> String {
    assert_eq!(visit(server, link).await.status(), 200);
    let sent = send_form(server, "/auth/verify/email", &[("token", &secret_of(link))]).await;
    assert_eq!(sent.status(), 303);
    sent.headers()["location"].to_str().unwrap().to_owned()
}

/// Follows a link from a mail.
pub(crate) async fn visit(server: &TestServer, link: &str) -> reqwest::Response {
    let path = link.strip_prefix(&server.url("")).unwrap_or_else(|| panic!("{link}"));
    soon(path, server.get(path).send()).await.unwrap()
}

/// The text of the mail of a kind to an address, the `count`th of them.
pub(crate) async fn letter_text(resend: &Resend, email: &str, kind: &str, count: usize) -> String {
    let mut seen = 1;
    loop {
        let mails = resend.mails_to(email, seen).await;
        seen = mails.len() + 1;
        let of_kind = |it: &&super::resend::Taken| it.body["tags"][0]["value"] == kind;
        if let Some(it) = mails.iter().filter(of_kind).nth(count - 1) {
            return it.body["text"].as_str().unwrap().to_owned();
        }
    }
}

/// The link of the mail of a kind to an address, the `count`th of them.
pub(crate) async fn letter(resend: &Resend, email: &str, kind: &str, count: usize) -> String {
    super::resend::link(&letter_text(resend, email, kind, count).await)
}

/// The secret of a link.
pub(crate) fn secret_of(link: &str) -> String {
    link.split_once("token=").unwrap_or_else(|| panic!("{link}")).1.to_owned()
}
