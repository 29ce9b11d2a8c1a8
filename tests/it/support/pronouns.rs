//! The pronouns service, standing in for pronouns.alejo.io.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::timeout};

/// Longest wait for a call that must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// How a path is answered.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with this.
    Told(Value),
    /// This status, and `Retry-After` in seconds.
    Failure(u16, Option<u32>),
    /// 200 with half a JSON object.
    Broken,
    /// Nothing, until another answer is set.
    Slow,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<String>>,
    changed: watch::Sender<()>,
}

/// The service. It knows five pronouns, and nobody: to the rest it answers 404.
pub(crate) struct Pronouns {
    shared: Arc<Shared>,
    url: String,
}

/// The path of a viewer.
pub(crate) fn viewer(login: &str) -> String {
    format!("/v1/users/{login}")
}

/// What somebody chose, as the service words it.
pub(crate) fn chose(first: &str, second: Option<&str>) -> Answer {
    Answer::Told(json!({
        "channel_id": "1", "channel_login": "any", "pronoun_id": first, "alt_pronoun_id": second,
    }))
}

impl Pronouns {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = Self { shared: Arc::default(), url };
        let row = |name: &str, subject: &str, object: &str, singular: bool| json!({"name": name, "subject": subject, "object": object, "singular": singular});
        let table = json!({
            "hehim": row("hehim", "He", "Him", false), "sheher": row("sheher", "She", "Her", false),
            "theythem": row("theythem", "They", "Them", false), "any": row("any", "Any", "Any", true),
            "other": row("other", "Other", "Other", true),
        });
        this.answer("/v1/pronouns", Answer::Told(table));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&this.shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.shared.answers.lock().unwrap()
    }

    /// Sets how a path is answered.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.answers().insert(path.to_owned(), answer);
        self.shared.changed.send_replace(());
    }

    /// Every path that was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|it| *it == path).count()
    }

    /// Waits until a path was asked for so often.
    pub(crate) async fn until_asked(&self, path: &str, times: usize) {
        let mut changed = self.shared.changed.subscribe();
        let asked = timeout(DEADLINE, async {
            while self.count(path) < times {
                changed.changed().await.unwrap();
            }
        });
        assert!(asked.await.is_ok(), "{path} was never asked for {times} times");
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let path = uri.path().to_owned();
    shared.asked.lock().unwrap().push(path.clone());
    let mut changed = shared.changed.subscribe();
    shared.changed.send_replace(());
    loop {
        let answer = shared.answers.lock().unwrap().get(&path).cloned();
        return match answer {
            None => {
                (StatusCode::NOT_FOUND, json!({"error": "not_found"}).to_string()).into_response()
            }
            Some(Answer::Told(told)) => told.to_string().into_response(),
            Some(Answer::Broken) => "{\"pronoun_id\": \"sheh".into_response(),
            Some(Answer::Failure(status, retry_after)) => {
                let mut response = StatusCode::from_u16(status).unwrap().into_response();
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert("retry-after", seconds.into());
                }
                response
            }
            Some(Answer::Slow) => {
                if changed.changed().await.is_err() {
                    return StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
                continue;
            }
        };
    }
}
