//! Channels are read while somebody needs them.

use serde_json::json;

use crate::support::{Setup, twitch::Twitch};

#[tokio::test]
async fn a_channel_is_joined_when_somebody_watches_and_left_when_nobody_does() {
    let twitch = Twitch::plain().await;
    let server = Setup::new()
        .twitch(&twitch)
        .set("PLATFORMS__LISTENER_GRACE_MINUTES", 0)
        .creators(&json!({"creators": [
            {"id": "ana", "channels": [{"platform": "twitch", "name": "ana"}]},
            {"id": "ben", "always_on": true, "channels": [{"platform": "twitch", "name": "ben"}]},
            {"id": "cy", "channels": [
                {"platform": "twitch", "name": "cy"},
                {"platform": "twitch", "name": "cyoff", "enabled": false}
            ]}
        ]}))
        .start()
        .await;
    twitch.joined("ben").await;
    assert_eq!(twitch.seen().joins.len(), 1, "nobody watches the others");
    assert_eq!(server.json("/api/rooms/ana").await["status"][0]["state"], "offline");

    let mut ana = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    ana.next_status("live").await;
    twitch.say("ana", "1", "somebody watches").await;
    assert_eq!(ana.next_text().await, "somebody watches");

    // Two watch, one leaves: still read.
    let second = server.socket("/ws/ana").await;
    drop(ana);
    twitch.say("ana", "2", "still").await;
    assert_eq!(twitch.seen().parts.len(), 0);
    drop(second);
    twitch.until("the PART", |it| it.parts.contains(&"ana".to_owned()).then_some(())).await;
    assert!(twitch.seen().carrier("ben").is_some(), "the others stay");

    // A stream of events is somebody, too, and so is the next socket.
    let stream = server.get("/sse/cy").send().await.unwrap();
    twitch.joined("cy").await;
    drop(stream);
    twitch.until("the PART", |it| it.parts.contains(&"cy".to_owned()).then_some(())).await;
    let mut ana = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    twitch.say("ana", "3", "again").await;
    while ana.next_text().await != "again" {}
    assert!(!twitch.seen().joins.iter().any(|it| it.1 == "cyoff"), "switched off is never read");
    server.stop().await;
}
