//! Pilled: who is live is told, and that the chat is not read.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::Path, routing::get};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Setup, soon};

/// A stand-in for Pilled's API, and for its socket.
struct Pilled {
    live: Arc<Mutex<bool>>,
    http: String,
    socket: String,
    texts: watch::Receiver<Vec<String>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Pilled {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Pilled {
    async fn start() -> Self {
        let live = Arc::new(Mutex::new(false));
        let of_list = Arc::clone(&live);
        let list = async move || {
            let topic = json!({"topicID": 5, "topicName": "Evening", "isLive": true,
                               "isLiveNow": *of_list.lock().unwrap(), "topicFacts": {"liveViews": 3}});
            Json(json!([{"userID": 1, "userName": "SomeName", "topic": topic}]))
        };
        let user = async |Path(name): Path<String>| {
            Json(if name == "SomeName" {
                json!({"userID": 1, "userName": name})
            } else {
                Value::Null
            })
        };
        let routes = Router::new()
            .route("/user/getFoxholeStreamersPorted/", get(list))
            .route("/user/getUserByUsername/{name}", get(user))
            .route("/topic/getUserTopics/{user}/{page}", get(async || Json(json!([]))));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = format!("http://{}", listener.local_addr().unwrap());
        let serve = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = format!("ws://{}", sockets.local_addr().unwrap());
        let (told, texts) = watch::channel(Vec::new());
        let told = Arc::new(told);
        let accept = tokio::spawn(async move {
            while let Ok((stream, _)) = sockets.accept().await {
                let told = Arc::clone(&told);
                tokio::spawn(async move {
                    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                    let open =
                        r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
                    for text in
                        [open, "2", r#"42["said",{"text":"a secret of somebody"}]"#, "nonsense"]
                    {
                        socket.send(Message::text(text)).await.unwrap();
                    }
                    while let Some(Ok(Message::Text(text))) = socket.next().await {
                        told.send_modify(|it| it.push(text.to_string()));
                    }
                });
            }
        });
        Self { live, http, socket, texts, tasks: vec![serve, accept] }
    }

    fn setup(&self) -> Setup {
        Setup::new()
            .set("PLATFORMS__PILLED__API_URL", &self.http)
            .set("PLATFORMS__PILLED__SOCKET_URL", &self.socket)
            .set("PLATFORMS__PILLED__OFFLINE_SECONDS", 1)
    }
}

#[tokio::test]
async fn who_is_live_is_told_and_that_the_chat_is_not_read() {
    let pilled = Pilled::start().await;
    let server = pilled.setup().channel("ana=pilled:SomeName").start().await;
    let mut socket = server.socket("/ws/ana").await;
    if socket.hello["status"][0]["state"] != "offline" {
        assert_eq!(socket.next_status("offline").await["detail"], "not live");
    }
    *pilled.live.lock().unwrap() = true;
    let start = socket.next_of("session.start").await;
    assert_eq!(start["data"], json!({"session_id": "pilled-5", "title": "Evening"}));
    let detail = socket.next_status("degraded").await["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("3 viewers") && detail.contains("not read"), "{detail}");
    *pilled.live.lock().unwrap() = false;
    assert_eq!(socket.next_status("offline").await["detail"], "not live");
    assert!(pilled.texts.borrow().is_empty(), "no socket unless asked for");
    server.stop().await;
}

#[tokio::test]
async fn the_experimental_socket_counts_and_shows_nothing() {
    let mut pilled = Pilled::start().await;
    *pilled.live.lock().unwrap() = true;
    let setup = pilled.setup().set("PLATFORMS__PILLED__EXPERIMENTAL_SOCKET", true);
    let server = setup.channel("ana=pilled:somename").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let answered = |it: &Vec<String>| it.starts_with(&["40".to_owned(), "3".to_owned()]);
    soon("join and pong", pilled.texts.wait_for(answered)).await.unwrap();
    loop {
        let status = socket.next_status("degraded").await;
        if status["detail"].as_str().unwrap().contains("events were counted") {
            break;
        }
    }
    let metrics = server.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line =
        metrics.lines().find(|it| it.contains("lines_total") && it.contains("pilled")).unwrap();
    assert!(!line.ends_with(" 0"), "{line}");
    let everything = format!("{:?}", server.history("ana").await);
    assert!(!everything.contains("secret") && !everything.contains("chat.message"), "{everything}");
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_name_is_switched_off() {
    let pilled = Pilled::start().await;
    let server = pilled.setup().channel("ana=pilled:nobody").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let status = socket.next_status("disabled").await;
    assert!(status["detail"].as_str().unwrap().contains("no channel `nobody`"), "{status}");
    server.stop().await;
}
