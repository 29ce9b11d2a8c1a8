//! A server started for one test, and the browser that looks at it.

pub(crate) mod browser;
pub(crate) mod chat;
pub(crate) mod people;
pub(crate) mod said;

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use streamsuites::{
    app::{self, Options, Server},
    chat::room::{Arrival, Published, Room},
    config::{self, Flags, Sources},
    model::EventBody,
};
use tempfile::TempDir;

/// Longest wait for anything that must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// The room of most tests.
pub(crate) const ROOM: &str = "ana";

/// A server in this process, with a folder that outlives it.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    folder: TempDir,
}

impl TestServer {
    /// One with the room `ana`, which has no channels, on any free port.
    pub(crate) async fn start() -> Self {
        Self::start_in(prepared(), "127.0.0.1:0").await
    }

    /// One whose room `ana` holds a recording.
    pub(crate) async fn start_with(recording: &Path) -> Self {
        let folder = prepared();
        let config = config::load(&sources(&folder, "127.0.0.1:0")).unwrap();
        app::import(&config, ROOM.parse().unwrap(), recording).await.unwrap();
        Self::start_in(folder, "127.0.0.1:0").await
    }

    /// One whose room `ana` has these channels, and these variables in its environment.
    pub(crate) async fn start_with_channels(channels: Value, variables: &[(&str, String)]) -> Self {
        let folder = prepared();
        let creators = json!({ "creators": [{ "id": ROOM, "channels": channels }] });
        fs::write(folder.path().join("config/creators.json"), creators.to_string()).unwrap();
        let sources = sources_with(&folder, "127.0.0.1:0", variables);
        Self::start_from(folder, sources).await
    }

    async fn start_in(folder: TempDir, listen: &str) -> Self {
        let sources = sources(&folder, listen);
        Self::start_from(folder, sources).await
    }

    async fn start_from(folder: TempDir, sources: Sources) -> Self {
        let options = Options::new(sources);
        Self { server: app::start(options).await.unwrap(), folder }
    }

    /// Stops it and keeps the port and the folder.
    pub(crate) async fn stop(self) -> Stopped {
        let listen = self.server.address.to_string();
        assert_eq!(self.server.shut_down().await, 0, "tasks that outlived the grace");
        Stopped { folder: self.folder, listen }
    }

    /// The whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// The link in the newest mail to somebody that leads to `path`. Without a key of Resend's, mails are files.
    pub(crate) async fn mailed(&self, to: &str, path: &str) -> String {
        let (to, link) = (format!("To: {to}\r\n"), self.url(path));
        let start = Instant::now();
        loop {
            let files = fs::read_dir(self.folder.path().join("data/outbox"));
            let files = files.into_iter().flatten().map(|it| it.unwrap().path());
            let mut files: Vec<_> =
                files.filter(|it| it.extension().is_some_and(|it| it == "eml")).collect();
            files.sort();
            let mails = files.iter().rev().map(|it| fs::read_to_string(it).unwrap());
            let found = mails.filter(|it| it.contains(&to)).find_map(|it| {
                let at = it.find(&link)?;
                it[at..].split_whitespace().next().map(str::to_owned)
            });
            if let Some(found) = found {
                return found;
            }
            assert!(start.elapsed() < DEADLINE, "no mail to {to} with {link}: {files:?}");
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// The address of the overlay of `ana`.
    pub(crate) fn overlay(&self, query: &str) -> String {
        self.url(&format!("/overlay/{ROOM}{query}"))
    }

    /// The address of the pop-out of `ana`.
    pub(crate) fn popout(&self) -> String {
        self.url(&format!("/chat/{ROOM}"))
    }

    /// The room `ana`.
    pub(crate) fn room(&self) -> Arc<Room> {
        self.server.hub.find_room(ROOM).unwrap()
    }

    /// Puts an event into the room `ana`, as a platform would.
    pub(crate) fn publish(&self, kind: &str, data: impl Into<Value>) {
        publish_in(&self.room(), kind, data);
    }

    /// Puts chat messages into the room `ana`.
    pub(crate) fn say(&self, messages: impl IntoIterator<Item = said::Said>) {
        for message in messages {
            self.publish("chat.message", message);
        }
    }
}

/// A folder with the room `ana`, which has no channels.
fn prepared() -> TempDir {
    // Every TLS client looks for it. It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let creators = json!({ "creators": [{ "id": ROOM }] });
    fs::write(folder.path().join("config/creators.json"), creators.to_string()).unwrap();
    folder
}

fn sources(folder: &TempDir, listen: &str) -> Sources {
    sources_with(folder, listen, &[])
}

fn sources_with(folder: &TempDir, listen: &str, variables: &[(&str, String)]) -> Sources {
    // Nobody listens on port 1: a channel that is typed is tried and never reached.
    let irc = "STREAMSUITES__PLATFORMS__TWITCH__IRC_URL";
    let mut environment = vec![(irc.to_owned(), "irc://127.0.0.1:1".to_owned())];
    let asks = "STREAMSUITES__PLATFORMS__PRONOUNS__ENABLED";
    environment.push((asks.to_owned(), "false".to_owned()));
    environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Sources {
        folder: folder.path().join("config"),
        folder_must_exist: true,
        environment: environment.into_iter().collect(),
        dotenv: None,
        flags: Flags {
            listen: Some(listen.to_owned()),
            data: Some(folder.path().join("data")),
            exports: Some(folder.path().join("exports")),
            public_url: None,
            channels: Vec::new(),
        },
    }
}

/// Puts an event into a room, as a platform would.
pub(crate) fn publish_in(room: &Room, kind: &str, data: impl Into<Value>) {
    let event = json!({ "type": kind, "data": data.into() });
    let body: EventBody = serde_json::from_value(event).unwrap();
    let published = room.publish(&body, &Arrival::now());
    assert!(matches!(published, Published::At(_)), "{kind} was taken for a repeat");
}

/// A server that was stopped and can come back.
pub(crate) struct Stopped {
    folder: TempDir,
    listen: String,
}

impl Stopped {
    /// Starts another on the same port: what it remembers is in the folder.
    pub(crate) async fn start(self) -> TestServer {
        TestServer::start_in(self.folder, &self.listen).await
    }
}
