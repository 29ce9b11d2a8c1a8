//! The configuration changes while the server runs.

use serde_json::{Value, json};

use crate::support::{Setup, config_is_refused, socket::Socket, soon, twitch::Twitch};

fn creators(names: &[&str]) -> Value {
    let creator = |it: &&str| json!({"id": it, "always_on": true, "channels": [{"platform": "twitch", "name": it}]});
    json!({"creators": names.iter().map(creator).collect::<Vec<_>>()})
}

#[tokio::test]
async fn a_creator_that_is_added_is_read_and_one_that_is_removed_is_left_and_the_others_notice_nothing()
 {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).creators(&creators(&["ana", "ben"])).start().await;
    let mut ana = server.socket("/ws/ana").await;
    let ben = server.socket("/ws/ben").await;
    let connection = twitch.joined("ana").await;
    twitch.joined("ben").await;

    server.write_creators(&creators(&["ana", "ben", "cy"]));
    twitch.joined("cy").await;
    {
        let seen = twitch.seen();
        let joined: Vec<_> = seen.joins.iter().map(|it| it.1.as_str()).collect();
        assert_eq!(joined.iter().filter(|it| **it == "cy").count(), 1);
        assert_eq!(joined.len(), 3, "only the new one: {joined:?}");
        assert!(seen.parts.is_empty());
    }
    let mut cy = server.socket("/ws/cy").await;
    twitch.say("cy", "1", "new here").await;
    assert_eq!(cy.next_text().await, "new here");

    server.write_creators(&creators(&["ana", "cy"]));
    twitch.until("the PART", |it| it.parts.contains(&"ben".to_owned()).then_some(())).await;
    assert_eq!(twitch.seen().parts, ["ben"]);
    let address = server.server.address;
    assert_eq!(Socket::refused(&format!("ws://{address}/ws/ben")).await, 404);
    drop(ben);
    twitch.say("ana", "2", "undisturbed").await;
    assert_eq!(ana.next_text().await, "undisturbed");
    assert_eq!(twitch.joined("ana").await, connection, "over the same connection");
    server.stop().await;
}

#[tokio::test]
async fn an_invalid_change_is_refused_and_everything_goes_on() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).creators(&creators(&["ana"])).start().await;
    let mut ana = server.socket("/ws/ana").await;
    twitch.joined("ana").await;
    server.write_config("creators.json", r#"{"creators": [{"id": "no good id", "#);
    config_is_refused(&server).await;
    twitch.say("ana", "1", "still here").await;
    assert_eq!(ana.next_text().await, "still here");
    // The mistake put right: the change counts.
    server.write_creators(&creators(&["ana", "ben"]));
    twitch.joined("ben").await;
    assert!(twitch.seen().parts.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn overlay_settings_that_change_reach_open_sockets() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let mut socket = server.socket("/ws/ana").await;
    let mut settings = socket.hello["settings"].clone();
    let (key, value) = settings
        .as_object()
        .unwrap()
        .iter()
        .find_map(|(key, value)| Some((key.clone(), value.as_bool()?)))
        .expect("a switch among the settings");
    settings[&key] = (!value).into();
    server.write_creators(&json!({"creators": [{"id": "ana", "overlay": {key.clone(): !value}}]}));
    let event = socket.next_of("settings.update").await;
    assert_eq!(event["data"], settings);
    assert_eq!(server.socket("/ws/ana").await.hello["settings"], settings);
    server.stop().await;
}

/// Goal: a site that is allowed while the server runs may call it at once, and reads why it is refused.
#[tokio::test]
async fn origins_that_may_call_are_those_of_the_configuration_in_force() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let asks = async |origin: &'static str| {
        let sent = server.get("/auth/session").header("origin", origin).send();
        let answer = soon("an answer", sent).await.unwrap();
        let header =
            |name: &str| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        (header("access-control-allow-origin"), header("access-control-expose-headers"))
    };
    let (site, other) = ("https://site.example", "https://site.example.evil.example");
    assert_eq!(asks(site).await.0, None);
    server.write_config("system.json", r#"{"web": {"cors_origins": ["https://site.example"]}}"#);
    soon("the configuration", async {
        while asks(site).await.0.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (allowed, exposed) = asks(site).await;
    assert_eq!(allowed.as_deref(), Some(site));
    let exposed = exposed.unwrap();
    for name in ["etag", "retry-after", "x-request-id", "x-auth-reason", "x-auth-reason-enum"] {
        assert!(exposed.split(',').any(|it| it == name), "{name} in {exposed}");
    }
    assert_eq!(asks(other).await.0, None);
    server.stop().await;
}
