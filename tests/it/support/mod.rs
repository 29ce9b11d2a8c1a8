//! A server started for one test, and the clients that look at it.

pub(crate) mod emotes;
pub(crate) mod hooks;
pub(crate) mod kick;
pub(crate) mod people;
pub(crate) mod process;
pub(crate) mod pronouns;
pub(crate) mod providers;
pub(crate) mod raw;
pub(crate) mod resend;
pub(crate) mod rumble;
pub(crate) mod socket;
pub(crate) mod twitch;
pub(crate) mod twitch_api;
pub(crate) mod youtube;

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use streamsuites::{
    app::{self, Options, Playback, Server},
    chat::Room,
    config::{Flags, Sources},
    model::{EventBody, Platform, QualifiedId, Timestamp},
};
use tempfile::TempDir;

use self::{socket::Socket, twitch::Twitch};

/// The operator's token of every test server.
pub(crate) const TOKEN: &str = "operator-token-of-a-test";
/// Longest wait for anything that must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(25);

/// Waits for what must happen.
pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, event).await {
        Ok(it) => it,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// What a test server is started with.
pub(crate) struct Setup {
    folder: TempDir,
    environment: Vec<(String, String)>,
    channels: Vec<String>,
    playback: Option<Playback>,
    clock: Option<Clock>,
}

/// Asks the counters until one shows that a change was refused.
pub(crate) async fn config_is_refused(server: &TestServer) {
    soon("the refusal", async {
        loop {
            let metrics = server.get("/metrics").send().await.unwrap().text().await.unwrap();
            let count =
                metrics.lines().find(|it| it.contains("config_refused") && !it.starts_with('#'));
            if count.is_some_and(|it| !it.ends_with(" 0")) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A clock that a test sets.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    /// It shows what the system's does, and stands.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(Timestamp::now().unix_ms())))
    }

    /// Moves it, back if negative.
    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    fn reads(self) -> streamsuites::accounts::Clock {
        Arc::new(move || Timestamp::from_unix_ms(self.0.load(Ordering::SeqCst)).unwrap())
    }
}

impl Setup {
    /// No creators, an empty configuration folder, any free port.
    pub(crate) fn new() -> Self {
        // Every TLS client and server looks for it. It fails only when it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("config")).unwrap();
        let setup = Self {
            folder,
            environment: vec![("STREAMSUITES_OPERATOR_TOKEN".to_owned(), TOKEN.to_owned())],
            channels: Vec::new(),
            playback: None,
            clock: None,
        };
        // Retries at once, so that a test waits for the event and not for the pause.
        // And nobody outside is asked for anything.
        let setup = setup.set("PLATFORMS__EMOTES__ENABLED", false);
        let setup = setup.set("PLATFORMS__PRONOUNS__ENABLED", false);
        setup.set("PLATFORMS__BACKOFF__FIRST_MS", 50).set("PLATFORMS__BACKOFF__LONGEST_MS", 200)
    }

    /// Sets `STREAMSUITES__<key>`.
    pub(crate) fn set(self, key: &str, value: impl ToString) -> Self {
        self.variable(&format!("STREAMSUITES__{key}"), value)
    }

    /// Sets a variable of the environment.
    pub(crate) fn variable(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.to_owned(), value.to_string()));
        self
    }

    /// Reads chat from the stand-in.
    pub(crate) fn twitch(self, twitch: &Twitch) -> Self {
        let setup = self.set("PLATFORMS__TWITCH__IRC_URL", twitch.url());
        match twitch.ca_file() {
            Some(file) => setup.set("PLATFORMS__TWITCH__TLS_CA_FILE", file.display()),
            None => setup,
        }
    }

    /// As `--channel` does.
    pub(crate) fn channel(mut self, channel: &str) -> Self {
        self.channels.push(channel.to_owned());
        self
    }

    /// A room without channels for each name.
    pub(crate) fn rooms(self, names: &[&str]) -> Self {
        let creators: Vec<_> = names.iter().map(|it| json!({"id": it})).collect();
        self.creators(&json!({ "creators": creators }))
    }

    /// Writes `creators.json`.
    pub(crate) fn creators(self, creators: &Value) -> Self {
        write_creators(self.folder.path(), creators);
        self
    }

    /// The accounts' clock.
    pub(crate) fn clock(mut self, clock: &Clock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Plays a recording.
    pub(crate) fn playback(mut self, playback: Playback) -> Self {
        self.playback = Some(playback);
        self
    }

    /// Where the server keeps what it has.
    pub(crate) fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts the server.
    pub(crate) async fn start(self) -> TestServer {
        let again = (self.environment.clone(), self.channels.clone());
        let folder = self.folder.path();
        let sources = Sources {
            folder: folder.join("config"),
            folder_must_exist: true,
            environment: self.environment.into_iter().collect(),
            dotenv: None,
            flags: Flags {
                listen: Some("127.0.0.1:0".to_owned()),
                data: Some(folder.join("data")),
                exports: Some(folder.join("exports")),
                public_url: None,
                channels: self.channels,
            },
        };
        let mut options = Options { playback: self.playback, ..Options::new(sources) };
        if let Some(clock) = self.clock {
            options.clock = clock.reads();
        }
        let server = app::start(options).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        TestServer { server, folder: self.folder, http, again }
    }
}

fn write_creators(folder: &Path, creators: &Value) {
    // Written beside and renamed, as a careful editor does it: nobody ever reads half a file.
    let (part, file) = (folder.join("creators.part"), folder.join("config/creators.json"));
    fs::write(&part, creators.to_string()).unwrap();
    fs::rename(part, file).unwrap();
}

/// A server in this process.
pub(crate) struct TestServer {
    pub(crate) server: Server,
    folder: TempDir,
    http: reqwest::Client,
    /// Environment and channels it was started with.
    again: (Vec<(String, String)>, Vec<String>),
}

impl TestServer {
    /// Opens a socket and reads its hello.
    pub(crate) async fn socket(&self, path: &str) -> Socket {
        Socket::open(&format!("ws://{}{path}", self.server.address)).await
    }

    /// A room of this server.
    pub(crate) fn room(&self, name: &str) -> Arc<Room> {
        self.server.hub.find_room(name).unwrap()
    }

    /// The whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// A GET request, to be sent.
    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(self.url(path))
    }

    /// A POST request with a JSON body, to be sent.
    pub(crate) fn post(&self, path: &str, body: impl ToString) -> reqwest::RequestBuilder {
        self.http
            .post(self.url(path))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// A request with any method and a JSON body, to be sent.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: impl ToString,
    ) -> reqwest::RequestBuilder {
        self.http
            .request(method.parse().unwrap(), self.url(path))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// The folder that holds everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The JSON at a path that answers 200.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = soon(path, self.get(path).send()).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Every event of a room that the ring still holds.
    pub(crate) async fn history(&self, room: &str) -> Vec<Value> {
        let answer = self.json(&format!("/api/rooms/{room}/events?limit=500")).await;
        answer["events"].as_array().unwrap().clone()
    }

    /// Replaces `creators.json` while the server runs.
    pub(crate) fn write_creators(&self, creators: &Value) {
        write_creators(self.folder.path(), creators);
    }

    /// Replaces a file of the configuration with any text.
    pub(crate) fn write_config(&self, name: &str, text: &str) {
        fs::write(self.config_folder().join(name), text).unwrap();
    }

    pub(crate) fn config_folder(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// Stops the server, to start it again where it was.
    pub(crate) async fn stop_for_now(self) -> Setup {
        let Self { server, folder, again: (environment, channels), .. } = self;
        assert_eq!(server.shut_down().await, 0, "tasks that outlived the grace");
        Setup { folder, environment, channels, playback: None, clock: None }
    }

    /// Stops the server; fails the test if any task outlives the grace.
    pub(crate) async fn stop(self) {
        drop(self.http);
        assert_eq!(self.server.shut_down().await, 0, "tasks that outlived the grace");
    }
}

/// A chat message, as if a platform had sent it.
pub(crate) fn message(id: &str, author: &str, text: &str) -> EventBody {
    message_on(Platform::Twitch, id, author, text)
}

/// A chat message of the channel `ana` of a platform.
pub(crate) fn message_on(platform: Platform, id: &str, author: &str, text: &str) -> EventBody {
    let now = Timestamp::now().to_string();
    let author = QualifiedId::new(platform, author);
    serde_json::from_value(json!({"type": "chat.message", "data": {
        "id": QualifiedId::new(platform, id), "platform": platform,
        "channel": {"id": QualifiedId::new(platform, "1001"), "name": "ana"},
        "author": {"id": author, "login": "bo", "name": "Bo", "color": null, "badges": [], "roles": []},
        "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
        "sent_at": now, "received_at": now,
    }}))
    .unwrap()
}

/// The deletion of a chat message.
pub(crate) fn deletion(id: &str) -> EventBody {
    let id = QualifiedId::new(Platform::Twitch, id);
    let data = json!({"message_id": id, "platform": "twitch"});
    serde_json::from_value(json!({"type": "chat.delete", "data": data})).unwrap()
}
