//! Rumble through a real browser: every mode of the ladder, and sending.

#[allow(dead_code, reason = "shared with the tests without a browser")]
#[path = "../it/support/rumble.rs"]
mod site;
#[allow(dead_code, reason = "shared with the tests without a browser")]
#[path = "../it/support/socket.rs"]
mod socket;

use std::{fs, future::Future, path::Path, process::Command, sync::Arc, time::Duration};

use serde_json::{Value, json};
use streamsuites::{
    app::{self, Options, Server},
    config::{self, Flags, Sources},
    lifecycle::Lifecycle,
    platforms::{
        Memory,
        readers::Shared,
        rumble::{Profile, Rumble as Reader, RumblePlan, RumbleSender, SendError},
    },
    quotas::Quotas,
    storage::State,
    telemetry::Telemetry,
};
use tempfile::TempDir;
use tokio::time::Instant;

use self::{
    site::{Answer, Live, Rumble, message},
    socket::Socket,
};

/// Longest wait for anything that must happen.
const DEADLINE: Duration = Duration::from_secs(40);

async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, event).await {
        Ok(it) => it,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// A server that reads `c/ana` into the room `ana`, with a browser.
struct Reading {
    server: Server,
    folder: TempDir,
}

fn sources(folder: &TempDir, rumble: &Rumble, further: &[(&str, &str)]) -> Sources {
    // Every TLS client looks for it. It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = folder.path();
    fs::create_dir(folder.join("config")).unwrap();
    let creators = json!({ "creators": [{ "id": "ana", "always_on": true, "channels": [
        { "platform": "rumble", "name": "c/ana" },
    ]}]});
    let ben = json!({ "id": "ben", "always_on": true, "channels": [
        { "platform": "rumble", "name": "c/ben" },
    ]});
    let mut creators = creators;
    if rumble.seen().channels.contains_key("c/ben") {
        creators["creators"].as_array_mut().unwrap().push(ben);
    }
    fs::write(folder.join("config/creators.json"), creators.to_string()).unwrap();
    let browser = config::platforms::RumbleConfig::default().find_browser();
    let browser = browser.expect("Chromium: ./scripts/test installs what the tests need");
    let mut settings = rumble.settings();
    settings.push(("PLATFORMS__RUMBLE__BROWSER_PATH".to_owned(), browser.display().to_string()));
    settings
        .extend(further.iter().map(|it| (format!("PLATFORMS__RUMBLE__{}", it.0), it.1.to_owned())));
    Sources {
        folder: folder.join("config"),
        folder_must_exist: true,
        environment: settings
            .into_iter()
            .map(|(name, value)| (format!("STREAMSUITES__{name}"), value))
            .collect(),
        dotenv: None,
        flags: Flags {
            listen: Some("127.0.0.1:0".to_owned()),
            data: Some(folder.join("data")),
            exports: Some(folder.join("exports")),
            public_url: None,
            channels: Vec::new(),
        },
    }
}

impl Reading {
    async fn start(rumble: &Rumble, further: &[(&str, &str)]) -> (Self, Socket) {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(&folder, rumble, further);
        let options = Options::new(sources);
        let server = app::start(options).await.unwrap();
        let socket = Socket::open(&format!("ws://{}/ws/ana", server.address)).await;
        (Self { server, folder }, socket)
    }

    async fn stop(self) {
        assert_eq!(self.server.shut_down().await, 0, "tasks that outlived the grace");
        assert_eq!(find_browser(self.folder.path()), None, "the browser outlived the server");
    }
}

/// The process of the browser that has its profile in `folder`.
fn find_browser(folder: &Path) -> Option<u32> {
    browsers(folder).pop()
}

fn browsers(folder: &Path) -> Vec<u32> {
    let profile = fs::canonicalize(folder).unwrap().join("data/rumble-profile");
    let wanted = format!("--user-data-dir={}", profile.display());
    let processes = fs::read_dir("/proc").unwrap().filter_map(|it| {
        let name = it.ok()?.file_name().into_string().ok()?;
        name.parse::<u32>().ok()
    });
    let is_one = |process: &u32| {
        let line = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.split('\0').any(|it| it == wanted) && !line.contains("--type=")
    };
    processes.filter(is_one).collect()
}

/// The next status whose detail begins so.
async fn next_detail(socket: &mut Socket, start: &str) -> Value {
    loop {
        let status = socket.next_of("platform.status").await["data"].clone();
        if status["detail"].as_str().unwrap().starts_with(start) {
            return status;
        }
    }
}

async fn live_in(socket: &mut Socket, mode: &str) -> Value {
    loop {
        let status = next_detail(socket, mode).await;
        if status["state"] == "live" {
            return status;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_whose_stream_is_refused_is_read_from_the_pages_own_stream_and_later_directly() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(403));
    let (reading, mut socket) = Reading::start(&rumble, &[("TRY_BETTER_SECONDS", "4")]).await;
    rumble.keep(message("1", "said before", json!({})));
    let status = live_in(&mut socket, "PAGE_TAP").await;
    assert!(
        status["detail"].as_str().unwrap().contains("the chat's stream answers 403"),
        "{status}"
    );
    rumble.say("2", "tapped");
    while socket.next_text().await != "tapped" {}

    // It lets us in again: found out by a try, while the page is still read.
    rumble.set(|it| it.answer = Answer::Stream);
    let status = live_in(&mut socket, "SSE_BEST_EFFORT").await;
    assert_eq!(status["detail"], "SSE_BEST_EFFORT");
    let headers = rumble.seen().streams.last().unwrap().clone();
    assert_eq!(headers["cookie"], "u_s=of-the-profile", "signed in as the profile is");
    let user_agent = headers["user-agent"].to_str().unwrap();
    assert!(user_agent.contains(" Chrome/") && !user_agent.contains("140.0.0.0"), "{user_agent}");
    rumble.until("the page lets go", |it| (it.open == 1).then_some(())).await;
    rumble.say("3", "direct");
    assert_eq!(socket.next_text().await, "direct");
    let room = reading.server.hub.find_room("ana").unwrap();
    assert_eq!(room.summary().messages, 3, "each once, whichever way it came");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_lets_only_browsers_in_tells_the_chat_by_the_pages_own_request() {
    let rumble = Rumble::start().await;
    rumble.set(|it| {
        it.browsers_only = true;
        it.answer = Answer::Status(403);
        it.settings["modal"] = json!("stays");
    });
    let (reading, mut socket) = Reading::start(&rumble, &[]).await;
    let status = next_detail(&mut socket, "PAGE_TAP").await;
    let detail = status["detail"].as_str().unwrap();
    assert!(
        detail.contains("the channel page answers 403: Rumble blocks this address"),
        "{detail}"
    );
    // In a frame of another site than the page's.
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.say("1", "in the frame");
    assert_eq!(socket.next_text().await, "in the frame");
    // The page was idle and was loaded anew: nothing is doubled.
    rumble.say("2", "still");
    assert_eq!(socket.next_text().await, "still");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_page_is_loaded_anew_and_nothing_is_lost_or_doubled_over_it() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(403));
    let (reading, mut socket) = Reading::start(&rumble, &[("COMPARE_SECONDS", "1")]).await;
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.say("1", "one");
    assert_eq!(socket.next_text().await, "one");
    // A stream that listens no more brings nothing; the page that is loaded anew brings it.
    rumble.fall_silent(true);
    rumble.say("2", "two");
    assert_eq!(socket.next_text().await, "two");
    rumble.fall_silent(false);
    let room = reading.server.hub.find_room("ana").unwrap();
    assert_eq!(room.summary().messages, 2);
    let status = serde_json::to_value(&room.summary().status[0]).unwrap();
    assert_eq!(status["state"], "live", "a quiet chat is no fault");
    reading.stop().await;
}

fn row(id: &str, text: &str) -> Value {
    let time = chrono::Utc::now().to_rfc3339();
    json!({ "id": id, "user_id": "7", "name": "Bo", "text": text, "time": time })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_a_stream_is_read_by_what_it_shows_each_row_once() {
    for settings in [
        json!({ "source": "rows", "ids": true, "times": true }),
        json!({ "source": "rows", "virtual": true }),
    ] {
        let rumble = Rumble::start().await;
        rumble.set(|it| {
            it.answer = Answer::Status(403);
            it.settings = settings.clone();
        });
        let (reading, mut socket) = Reading::start(&rumble, &[("PAGE_SECONDS", "1")]).await;
        let status = live_in(&mut socket, "DOM_MUTATION").await;
        let detail = status["detail"].as_str().unwrap();
        assert!(detail.contains("the page does not ask for its chat"), "{detail}");
        // More than the five rows that a list holds which recycles them, honest repeats among them.
        let texts = ["one", "gg", "two", "gg", "three", "four", "gg", "gg", "five", "six"];
        for (number, text) in texts.iter().enumerate() {
            rumble.set(|it| it.rows.push(row(&number.to_string(), text)));
            assert_eq!(socket.next_text().await, *text, "{settings}");
        }
        let room = reading.server.hub.find_room("ana").unwrap();
        assert_eq!(room.summary().messages, texts.len() as u64, "{settings}");
        if settings["ids"] == true {
            // Taken away among others that stay.
            rumble.set(|it| it.rows.push(json!({ "gone": "2" })));
            assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "rumble:2");
            // The newest, with and without another behind it.
            for last in ["9", "10"] {
                rumble.set(|it| it.rows.push(json!({ "gone": last })));
                let deleted = socket.next_of("chat.delete").await["data"].clone();
                assert_eq!(deleted["message_id"], format!("rumble:{last}"));
                let next = if last == "9" { "10" } else { "11" };
                rumble.set(|it| it.rows.push(row(next, "behind")));
                assert_eq!(socket.next_text().await, "behind");
            }
            rumble.set(|it| {
                it.rows.push(json!({ "gone": "11" }));
                it.rows.push(row("12", "in its place"));
            });
            assert_eq!(socket.next_of("chat.delete").await["data"]["message_id"], "rumble:11");
        }
        reading.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_shows_more_than_its_stream_brings_is_read_by_what_it_shows() {
    let rumble = Rumble::start().await;
    rumble.set(|it| {
        it.answer = Answer::Status(403);
        it.settings = json!({ "source": "both", "ids": true, "times": true });
    });
    let (reading, mut socket) = Reading::start(&rumble, &[]).await;
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.say("1", "by the stream");
    assert_eq!(socket.next_text().await, "by the stream");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    rumble.set(|it| it.rows.push(row("2", "only shown")));
    let status = next_detail(&mut socket, "DOM_MUTATION").await;
    let detail = status["detail"].as_str().unwrap();
    assert!(detail.contains("the page shows what its stream does not bring"), "{detail}");
    assert_eq!(socket.next_text().await, "only shown");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_changed_disables_the_channel_and_names_what_is_missing() {
    let rumble = Rumble::start().await;
    rumble.set(|it| {
        it.answer = Answer::Status(403);
        it.settings = json!({ "source": "rows", "changed": true });
        it.rows.push(row("1", "unreadable"));
    });
    let (reading, mut socket) = Reading::start(&rumble, &[("PAGE_SECONDS", "1")]).await;
    let status = socket.next_status("disabled").await;
    let detail = status["detail"].as_str().unwrap();
    assert!(detail.starts_with("DISABLED") && detail.contains("#chat-messages"), "{detail}");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_killed_is_started_again_and_the_chat_goes_on() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(403));
    let (reading, mut socket) = Reading::start(&rumble, &[]).await;
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.say("1", "before");
    assert_eq!(socket.next_text().await, "before");
    let process = find_browser(reading.folder.path()).unwrap();
    let killed = Instant::now();
    let kill = Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    assert!(kill.success());
    rumble.keep(message("2", "meanwhile", json!({})));
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("the browser is gone"), "{status}");
    assert_eq!(socket.next_text().await, "meanwhile");
    // The promise itself.
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
    rumble.say("3", "after");
    assert_eq!(socket.next_text().await, "after");
    assert_ne!(find_browser(reading.folder.path()), Some(process));
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_lost_five_times_over_lead_to_the_page_and_all_creators_share_one_browser()
 {
    let rumble = Rumble::start().await;
    let live = Live { chat_id: 78, embed: "v5ben1", title: "" };
    rumble.set(|it| {
        it.answer = Answer::Bom;
        it.channels.insert("c/ben".to_owned(), Some(live));
    });
    let (reading, mut ana) = Reading::start(&rumble, &[]).await;
    let mut ben = Socket::open(&format!("ws://{}/ws/ben", reading.server.address)).await;
    for socket in [&mut ana, &mut ben] {
        let status = live_in(socket, "PAGE_TAP").await;
        assert!(status["detail"].as_str().unwrap().contains("byte-order mark"), "{status}");
    }
    assert_eq!(rumble.seen().streams.len(), 10, "five each");
    assert_eq!(browsers(reading.folder.path()).len(), 1);
    rumble.say("1", "to both");
    assert_eq!(ana.next_text().await, "to both");
    assert_eq!(ben.next_text().await, "to both");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_silent_is_compared_with_the_page_of_its_chat() {
    let rumble = Rumble::start().await;
    let live = Live { chat_id: 78, embed: "v5ben1", title: "" };
    rumble.set(|it| {
        // Ben's is read through the browser, which therefore runs.
        it.refused.push("78".to_owned());
        it.channels.insert("c/ben".to_owned(), Some(live));
    });
    let (reading, mut ana) = Reading::start(&rumble, &[("COMPARE_SECONDS", "2")]).await;
    let mut ben = Socket::open(&format!("ws://{}/ws/ben", reading.server.address)).await;
    live_in(&mut ben, "PAGE_TAP").await;
    live_in(&mut ana, "SSE_BEST_EFFORT").await;
    rumble.say("1", "before");
    assert_eq!(ana.next_text().await, "before");
    rumble.fall_silent(true);
    rumble.say("2", "kept back");
    let status = ana.next_status("degraded").await;
    let detail = status["detail"].as_str().unwrap();
    assert!(detail.contains("silent while the page shows messages"), "{detail}");
    assert_eq!(ana.next_text().await, "kept back");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_nobody_needs_is_closed_and_one_that_was_left_behind_is_ended() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(403));
    let further = [("TRY_BETTER_SECONDS", "1"), ("BROWSER_IDLE_SECONDS", "1")];
    let (reading, mut socket) = Reading::start(&rumble, &further).await;
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.set(|it| it.answer = Answer::Stream);
    live_in(&mut socket, "SSE_BEST_EFFORT").await;
    soon("the browser is closed", async {
        while find_browser(reading.folder.path()).is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    rumble.say("1", "still read");
    assert_eq!(socket.next_text().await, "still read");

    // As after a server that was killed.
    let profile = fs::canonicalize(reading.folder.path()).unwrap().join("data/rumble-profile");
    let path = config::platforms::RumbleConfig::default().find_browser().unwrap();
    let mut orphan = Command::new(path)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "about:blank"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    soon("its lock", async {
        while fs::read_link(profile.join("SingletonLock")).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let data = reading.folder.path().join("data");
    let ended = tokio::task::spawn_blocking(move || {
        let locked = Profile::lock(&data).is_ok();
        (locked, orphan.wait().unwrap())
    });
    let (locked, _) = soon("the orphan's end", ended).await.unwrap();
    assert!(locked);
    reading.stop().await;
}

/// The processes of pages that a browser started.
fn renderers(browser: u32) -> Vec<u32> {
    let parent = |process: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let descends = |process: u32| {
        std::iter::successors(Some(process), |it| parent(*it)).any(|it| it == browser)
    };
    let processes = fs::read_dir("/proc").unwrap();
    let processes =
        processes.filter_map(|it| it.ok()?.file_name().into_string().ok()?.parse().ok());
    let is_page = |process: &u32| {
        let line = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.contains("--type=renderer") && descends(*process)
    };
    processes.filter(is_page).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_crashes_is_opened_again() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(403));
    let (reading, mut socket) = Reading::start(&rumble, &[]).await;
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.say("1", "before");
    assert_eq!(socket.next_text().await, "before");
    let browser = find_browser(reading.folder.path()).unwrap();
    for process in renderers(browser) {
        Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    }
    rumble.keep(message("2", "meanwhile", json!({})));
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("the page crashed"), "{status}");
    assert_eq!(socket.next_text().await, "meanwhile");
    assert_eq!(find_browser(reading.folder.path()), Some(browser), "the browser itself lives on");
    reading.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_hangs_is_told_within_ten_seconds_and_another_takes_its_place() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.answer = Answer::Status(403));
    let (reading, mut socket) = Reading::start(&rumble, &[]).await;
    live_in(&mut socket, "PAGE_TAP").await;
    rumble.say("1", "before");
    assert_eq!(socket.next_text().await, "before");
    let browser = find_browser(reading.folder.path()).unwrap();
    let stalled = Instant::now();
    Command::new("kill").args(["-STOP", &browser.to_string()]).status().unwrap();
    rumble.keep(message("2", "meanwhile", json!({})));
    let status = socket.next_status("degraded").await;
    assert!(status["detail"].as_str().unwrap().contains("does not answer"), "{status}");
    // The promise itself.
    assert!(stalled.elapsed() < Duration::from_secs(10), "{:?}", stalled.elapsed());
    assert_eq!(socket.next_text().await, "meanwhile");
    assert_ne!(find_browser(reading.folder.path()), Some(browser));
    reading.stop().await;
}

/// What says things in the chat of `c/ana`.
struct Sending {
    life: Lifecycle,
    sender: RumbleSender,
    _reader: Arc<Reader>,
    folder: TempDir,
}

impl Sending {
    fn start(rumble: &Rumble) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(&folder, rumble, &[]);
        let config = config::load(&sources).unwrap();
        let data_dir = folder.path().join("data");
        fs::create_dir(&data_dir).unwrap();
        let (life, state) = (Lifecycle::new(), State::in_memory());
        let reader = Arc::new(Reader::new(Shared {
            life: life.clone(),
            telemetry: Telemetry::new(),
            memory: Memory::new(state.clone()),
            quotas: Quotas::new(state, config.quotas.clone()),
            clients: Arc::default(),
            emotes: Default::default(),
            starts_per_second: 100,
            data_dir,
        }));
        let creator = &config.creators.creators[0];
        let plan = RumblePlan::new(&config, creator, &creator.channels[0]).unwrap();
        let sender = reader.sender(&creator.id, &plan);
        Self { life, sender, _reader: reader, folder }
    }

    async fn send(&self, text: &str) -> Result<(), SendError> {
        soon("the sending", self.sender.send(text)).await
    }

    async fn stop(self, rumble: &Rumble) {
        assert_eq!(rumble.seen().keys, Vec::<String>::new(), "a key was pressed");
        let Self { life, sender, _reader, folder } = self;
        drop(sender);
        assert_eq!(life.shut_down(Duration::from_secs(5)).await, 0);
        assert_eq!(find_browser(folder.path()), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_typed_and_clicked_behind_a_modal_that_is_closed_and_no_key_is_pressed() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.settings["modal"] = json!("closes"));
    let sending = Sending::start(&rumble);
    let started = Instant::now();
    for text in ["hello from here 😀", "and\nagain"] {
        sending.send(text).await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(750), "one after another, with a pause");
    let said = rumble.until("both", |it| (it.said.len() == 2).then(|| it.said.clone())).await;
    assert_eq!(said, ["hello from here 😀", "and again"]);
    assert_eq!(rumble.seen().clicks, ["true", "true"], "the browser's own clicks");
    sending.stop(&rumble).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_is_a_success_and_a_message_that_is_not_taken_is_tried_twice() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.settings["send"] = json!("echo"));
    let sending = Sending::start(&rumble);
    sending.send("echoed").await.unwrap();
    sending.stop(&rumble).await;

    let rumble = Rumble::start().await;
    rumble.set(|it| it.settings["deaf"] = json!(1));
    let sending = Sending::start(&rumble);
    sending.send("at the second try").await.unwrap();
    let said = rumble.until("it", |it| it.said.first().cloned()).await;
    assert_eq!(said, "at the second try");
    assert_eq!(rumble.seen().clicks.len(), 2);
    sending.stop(&rumble).await;

    let rumble = Rumble::start().await;
    rumble.set(|it| it.settings["send"] = json!("never"));
    let sending = Sending::start(&rumble);
    let error = sending.send("never taken").await.unwrap_err();
    assert!(matches!(error, SendError::Failed(_)), "{error}");
    assert_eq!(rumble.seen().clicks.len(), 2);
    sending.stop(&rumble).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_fate_is_unclear_is_not_sent_again() {
    let rumble = Rumble::start().await;
    rumble.set(|it| it.settings["send"] = json!("unclear"));
    let sending = Sending::start(&rumble);
    let error = sending.send("perhaps").await.unwrap_err();
    assert!(
        matches!(&error, SendError::Failed(it) if it.contains("may have been said")),
        "{error}"
    );
    let said = rumble.until("it", |it| (!it.said.is_empty()).then(|| it.said.clone())).await;
    assert_eq!((said.len(), rumble.seen().clicks.len()), (1, 1));
    sending.stop(&rumble).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_of_a_message_is_named_and_nothing_is_sent() {
    for (setting, value, named) in [
        ("button", json!(false), "button.chat--send"),
        ("input", json!(false), "#chat-message-text-input"),
        ("modal", json!("stays"), "div.modal.show"),
    ] {
        let rumble = Rumble::start().await;
        rumble.set(|it| it.settings[setting] = value);
        let sending = Sending::start(&rumble);
        let error = sending.send("not sent").await.unwrap_err();
        assert!(matches!(&error, SendError::Blocked(it) if it.contains(named)), "{error}");
        let long = "x".repeat(201);
        let error = sending.send(&long).await.unwrap_err();
        assert!(matches!(&error, SendError::Blocked(it) if it.contains("201")), "{error}");
        assert_eq!(rumble.seen().said, Vec::<String>::new());
        sending.stop(&rumble).await;
    }
}
