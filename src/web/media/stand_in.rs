//! A server on this machine that plays Twitch's CDN, API and sign-in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};

/// What is answered on a path.
#[derive(Clone)]
pub(super) enum Answer {
    /// 200 with these bytes, and 304 to who already has this `ETag`.
    Picture(Bytes, &'static str),
    /// 200 with these bytes, of unstated length.
    Unmeasured(Bytes),
    /// 200 with this JSON, to who bears this token; 401 to others.
    Json(serde_json::Value, String),
    /// This status alone.
    Status(StatusCode),
    /// 302 to this address.
    Redirect(String),
    /// 200, and the beginning of a picture, and then the connection breaks.
    Cut,
    /// Nothing, ever.
    Silence,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// The server. Its clones share everything.
#[derive(Clone)]
pub(super) struct StandIn {
    pub(super) origin: String,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    arrived: Arc<watch::Sender<Vec<Arrived>>>,
    /// How many tokens were granted; the newest is `token-N`.
    tokens: Arc<Mutex<u32>>,
}

impl StandIn {
    /// Serves until the test's runtime ends.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(watch::Sender::new(Vec::new()));
        let this = Self { origin, answers: Arc::default(), arrived, tokens: Arc::default() };
        let router = Router::new().fallback(answer).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Answers on `path`, with its query, from now on; other paths answer 404.
    pub(super) fn set(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// How often `path` was asked for.
    pub(super) fn count(&self, path: &str) -> usize {
        self.arrived.borrow().iter().filter(|it| it.path == path).count()
    }

    /// All requests so far.
    pub(super) fn list(&self) -> Vec<Arrived> {
        self.arrived.borrow().clone()
    }

    /// Waits until there have been this many requests.
    pub(super) async fn wait_for(&self, requests: usize) {
        self.arrived.subscribe().wait_for(|it| it.len() >= requests).await.unwrap();
    }
}

async fn answer(State(server): State<StandIn>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 65_536).await.unwrap();
    let path = head.uri.path_and_query().unwrap().to_string();
    let body = String::from_utf8(body.to_vec()).unwrap();
    server.arrived.send_modify(|it| {
        it.push(Arrived { path: path.clone(), headers: head.headers.clone(), body });
    });
    if path == "/oauth2/token" {
        let mut tokens = server.tokens.lock().unwrap();
        *tokens += 1;
        let token = format!("token-{tokens}");
        let answer = json!({"access_token": token, "expires_in": 5_000, "token_type": "bearer"});
        return answer.to_string().into_response();
    }
    let found = server.answers.lock().unwrap().get(&path).cloned();
    let says = |name, value: &str| head.headers.get(name).is_some_and(|it| it == value);
    match found {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(Answer::Picture(_, etag)) if says(header::IF_NONE_MATCH, etag) => {
            StatusCode::NOT_MODIFIED.into_response()
        }
        Some(Answer::Picture(bytes, etag)) => ([(header::ETAG, etag)], bytes).into_response(),
        Some(Answer::Unmeasured(bytes)) => {
            let parts = bytes.chunks(1000).map(|it| Ok::<_, String>(Bytes::copy_from_slice(it)));
            let parts: Vec<_> = parts.collect();
            Body::from_stream(futures_util::stream::iter(parts)).into_response()
        }
        Some(Answer::Json(_, token))
            if !says(header::AUTHORIZATION, &format!("Bearer {token}")) =>
        {
            StatusCode::UNAUTHORIZED.into_response()
        }
        Some(Answer::Json(value, _)) => value.to_string().into_response(),
        Some(Answer::Status(status)) => status.into_response(),
        Some(Answer::Redirect(to)) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Some(Answer::Cut) => {
            let parts = [Ok(Bytes::from_static(b"GIF89a, and then")), Err("it broke")];
            Body::from_stream(futures_util::stream::iter(parts)).into_response()
        }
        Some(Answer::Silence) => {
            Notify::new().notified().await;
            StatusCode::OK.into_response()
        }
    }
}
