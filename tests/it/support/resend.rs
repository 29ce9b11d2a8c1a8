//! Resend, standing in for api.resend.com: one route, its faults, and what it keeps of idempotency keys.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::stream;
use serde_json::{Value, json};
use streamsuites::accounts::Email;
use tokio::{net::TcpListener, sync::watch};

use super::{Setup, soon};

/// The key that is accepted.
pub(crate) const KEY: &str = "re_of_a_test";

/// How the next request is answered, instead of being taken.
#[derive(Debug, Clone)]
pub(crate) enum MailFault {
    /// This status, with a problem of this name, and `Retry-After` in seconds.
    Refused(u16, &'static str, Option<u32>),
    /// The mail is taken, and the answer breaks off in its middle.
    Cut,
    /// The mail is taken, and the answer never comes.
    Silent,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// What it is called.
    pub(crate) id: String,
    /// What was sent.
    pub(crate) body: Value,
    /// When.
    pub(crate) at: Instant,
}

#[derive(Default)]
struct Shared {
    faults: Mutex<VecDeque<MailFault>>,
    /// By idempotency key: what was sent under it, and what it was called.
    known: Mutex<HashMap<String, (Value, String)>>,
    taken: Mutex<Vec<Taken>>,
    /// Requests, whatever became of them.
    asked: watch::Sender<usize>,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Resend {
    shared: Arc<Shared>,
    url: String,
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap()
}

impl Resend {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = Self { shared: Arc::default(), url };
        let router =
            Router::new().route("/emails", post(take)).with_state(Arc::clone(&this.shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Answers the next requests so, one after another.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = MailFault>) {
        lock(&self.shared.faults).extend(faults);
    }

    /// Requests so far, whatever became of them.
    pub(crate) fn asked(&self) -> usize {
        *self.shared.asked.borrow()
    }

    /// Waits for so many requests.
    pub(crate) async fn asked_times(&self, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        soon("requests to Resend", asked.wait_for(|it| *it >= count)).await.unwrap();
    }

    /// Mails that were taken, each once, the oldest first.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        lock(&self.shared.taken).clone()
    }

    /// Waits until so many mails to an address were taken.
    pub(crate) async fn mails_to(&self, email: &str, count: usize) -> Vec<Taken> {
        let mut asked = self.shared.asked.subscribe();
        soon("a mail", async {
            loop {
                asked.borrow_and_update();
                let to = |it: &Taken| it.body["to"] == json!([email]);
                let mails: Vec<_> = self.taken().into_iter().filter(to).collect();
                if mails.len() >= count {
                    return mails;
                }
                asked.changed().await.unwrap();
            }
        })
        .await
    }

    /// Waits for a mail to an address, and takes the link out of the latest: as its reader sees it in plain text, with
    /// the server's name as it stands there.
    pub(crate) async fn mail_link(&self, email: &str) -> String {
        let email: Email = email.parse().unwrap();
        let mails = self.mails_to(email.as_str(), 1).await;
        link(mails.last().unwrap().body["text"].as_str().unwrap())
    }
}

/// The first link in a plain text.
pub(crate) fn link(text: &str) -> String {
    let line = text.lines().find(|it| it.starts_with("http"));
    line.unwrap_or_else(|| panic!("no link in {text}")).to_owned()
}

impl Setup {
    /// Sends mails to the stand-in.
    pub(crate) fn resend(self, resend: &Resend) -> Self {
        self.set("SYSTEM__MAIL__RESEND_URL", &resend.url)
            .set("SYSTEM__MAIL__PER_SECOND", 50)
            .set("SYSTEM__MAIL__TIMEOUT_MS", 2_000)
            .variable("RESEND_API_KEY", KEY)
            .variable("MAIL_FROM", "StreamSuites <no-reply@example.com>")
    }
}

fn problem(status: u16, name: &str, message: &str) -> Response {
    let body = json!({"statusCode": status, "name": name, "message": message}).to_string();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = lock(&shared.faults).pop_front();
    let answer = match &fault {
        Some(MailFault::Refused(status, name, retry_after)) => {
            // It repeats the address, as the real one does.
            let text = String::from_utf8_lossy(&body);
            let sent: Value = serde_json::from_str(&text).unwrap_or_default();
            let mut answer = problem(*status, name, &format!("not to {}", sent["to"][0]));
            if let Some(it) = retry_after {
                answer.headers_mut().insert("retry-after", (*it).into());
            }
            answer
        }
        _ => accept(&shared, &headers, &body),
    };
    shared.asked.send_modify(|it| *it += 1);
    match fault {
        Some(MailFault::Cut) => {
            let half = Ok::<_, std::io::Error>(Bytes::from_static(b"{\"id\":\""));
            let cut = Err(std::io::Error::other("cut"));
            let body = Body::from_stream(stream::iter([half, cut]));
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Some(MailFault::Silent) => std::future::pending().await,
        _ => answer,
    }
}

fn accept(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Response {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    if header("authorization") != Some(&format!("Bearer {KEY}")) {
        return problem(401, "missing_api_key", "Missing API key");
    }
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return problem(400, "validation_error", "the body is no JSON");
    };
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    if body["to"].as_array().is_none_or(Vec::is_empty) || !text("from").contains('@') {
        return problem(422, "missing_required_field", "Missing `to` or `from` field");
    }
    if text("html").is_empty() || text("text").is_empty() || text("subject").contains(['\r', '\n'])
    {
        return problem(422, "validation_error", "a part is missing, or the subject has lines");
    }
    let fits = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-".contains(&it));
    let tags = body["tags"].as_array().cloned().unwrap_or_default();
    if !tags.iter().all(|it| fits(it["value"].as_str().unwrap_or("?"))) {
        return problem(422, "validation_error", "Tags should only contain ASCII letters");
    }
    let key = header("idempotency-key").unwrap_or_default();
    if key.is_empty() || key.len() > 256 {
        return problem(400, "invalid_idempotency_key", "1 to 256 characters");
    }
    let mut known = lock(&shared.known);
    if let Some((before, id)) = known.get(key) {
        return if *before == body {
            axum::Json(json!({"id": id})).into_response()
        } else {
            problem(409, "invalid_idempotent_request", "another payload under the same key")
        };
    }
    let id = uuid::Uuid::new_v4().to_string();
    known.insert(key.to_owned(), (body.clone(), id.clone()));
    lock(&shared.taken).push(Taken { id: id.clone(), body, at: Instant::now() });
    axum::Json(json!({"id": id})).into_response()
}
