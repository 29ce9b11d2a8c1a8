use std::{path::Path, process::Command};

use super::*;

fn watch(player: &str) -> String {
    format!(
        r#"<html><head><link rel="canonical" href="https://www.youtube.com/watch?v=aaaaaaaaaaa"></head>
        <script>var ytInitialPlayerResponse = {player};var meta = 1;</script>
        <script>var ytInitialData = {{"a":1}};</script></html>"#
    )
}

fn player(details: &str) -> String {
    format!(
        r#"{{"videoDetails":{{"videoId":"aaaaaaaaaaa","title":"a }};</script> b","author":"Ana","channelId":"UCana",{details}}}}}"#
    )
}

#[test]
fn a_stream_is_live_only_when_it_is_said_so() {
    let live = read_look(&watch(&player(r#""isLive":true,"isLiveContent":true"#))).unwrap();
    let Look::Live(broadcast) = live else { panic!("{live:?}") };
    assert_eq!(broadcast.video, "aaaaaaaaaaa");
    assert_eq!(broadcast.title.as_deref(), Some("a };</script> b"), "any text in the JSON");
    assert_eq!(broadcast.channel_id.as_deref(), Some("UCana"));
    let upcoming = watch(&player(r#""isUpcoming":true,"isLiveContent":true"#));
    assert_eq!(read_look(&upcoming), Ok(Look::Scheduled(None)));
    let over = watch(&player(r#""isLiveContent":true"#));
    assert_eq!(read_look(&over), Ok(Look::NotLive));
    let channel = r#"<link rel="canonical" href="https://www.youtube.com/channel/UCana">
        <script>var ytInitialData = {};</script>"#;
    assert_eq!(read_look(channel), Ok(Look::NotLive));
    // To a robot the player says nothing, and the page still names the video.
    let robot = watch(r#"{"playabilityStatus":{"status":"LOGIN_REQUIRED"}}"#);
    assert!(matches!(read_look(&robot), Ok(Look::Unclear(_))));
}

#[test]
fn what_stands_in_a_pages_place_is_named() {
    let consent = r#"<form action="https://consent.youtube.com/save" method="POST">"#;
    assert_eq!(read_look(consent), Err(Trouble::Consent));
    assert_eq!(read_popout(consent), Err(Trouble::Consent));
    let sorry = "Our systems have detected unusual traffic from your computer network.";
    assert!(matches!(read_look(sorry), Err(Trouble::Blocked(_))));
    let strange = read_look("<html>hello</html>").unwrap_err();
    assert_eq!(
        strange.to_string(),
        "YouTube's chat page changed its shape: a page without ytInitialData"
    );
}

fn popout(chat: &str) -> String {
    format!(
        r#"<script>ytcfg.set({{"INNERTUBE_CLIENT_VERSION":"2.20260101.00.00","VISITOR_DATA":"visitor"}});</script>
        <script>window["ytInitialData"] = {{"contents":{chat}}};</script>"#
    )
}

#[test]
fn the_whole_chat_is_chosen_not_the_selection() {
    let chat = r#"{"liveChatRenderer":{"continuations":[{"invalidationContinuationData":{"continuation":"top"}}],
        "header":{"liveChatHeaderRenderer":{"viewSelector":{"sortFilterSubMenuRenderer":{"subMenuItems":[
            {"title":"Top chat","continuation":{"reloadContinuationData":{"continuation":"top"}}},
            {"title":"Live chat","continuation":{"reloadContinuationData":{"continuation":"all"}}}]}}}}}}"#;
    let found = read_popout(&popout(chat)).unwrap();
    assert_eq!((found.continuation.as_str(), found.whole), ("all", true));
    assert_eq!(found.client_version.as_deref(), Some("2.20260101.00.00"));
    assert_eq!(found.visitor.as_deref(), Some("visitor"));
    let bare = r#"{"liveChatRenderer":{"continuations":[{"timedContinuationData":{"continuation":"top"}}]}}"#;
    let found = read_popout(&popout(bare)).unwrap();
    assert_eq!((found.continuation.as_str(), found.whole), ("top", false));
}

#[test]
fn a_chat_that_is_none_says_why() {
    let read = |chat: &str| read_popout(&popout(chat)).unwrap_err();
    let replay = r#"{"liveChatRenderer":{"isReplay":true,"continuations":[]}}"#;
    assert_eq!(read(replay), Trouble::Ended);
    let disabled = r#"{"messageRenderer":{"text":{"runs":[{"text":"Chat is disabled for this live stream."}]}}}"#;
    assert_eq!(
        read(disabled),
        Trouble::NoChat(
            "YouTube says of the chat: Chat is disabled for this live stream.".to_owned()
        )
    );
    assert_eq!(read("{}"), Trouble::Shape("no liveChatRenderer".to_owned()));
    let empty = r#"{"liveChatRenderer":{"continuations":[]}}"#;
    assert_eq!(read(empty), Trouble::Shape("no continuation".to_owned()));
}

/// Goal: real pages are understood: who is live, who is not, and what begins later.
#[test]
fn recorded_pages_are_what_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/youtube/innertube");
    if !folder.is_dir() {
        eprintln!("skipped: no captures at {}", folder.display());
        return;
    }
    let mut seen = 0;
    for path in std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".html.gz") {
            continue;
        }
        seen += 1;
        let unpacked = Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
        let html = String::from_utf8_lossy(&unpacked.stdout);
        let look = read_look(&html).unwrap();
        let short = name.split("--").next().unwrap();
        let good = match short {
            "page-live-url-aki-2026-02-17" | "page-live-url-iofi-2026-02-17" => {
                matches!(look, Look::Scheduled(Some(_)))
            }
            // Live, and its chat for members only.
            "page-members-only-live-aki-2026-02-17" => {
                matches!(&look, Look::Live(it) if it.video == "qS50yDHZOx4" && it.viewers.is_none())
            }
            "page-replay-2021" => look == Look::NotLive,
            "page-streams-tab-aki-2026-02-17" | "page-streams-tab-hakos-2026-04-23" => {
                look == Look::NotLive
            }
            // Its JSON was written anew as a script by whoever kept it, and is none any more.
            "page-live-2021" => matches!(&look, Look::Unclear(it) if it.video == "dchqdFOW8EI"),
            _ => panic!("{name} is expected to be nothing"),
        };
        assert!(good, "{name}: {look:?}");
    }
    assert!(seen > 0);
}
