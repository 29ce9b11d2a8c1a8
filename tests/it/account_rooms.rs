//! Rooms that accounts make, and those that the configuration gives them.

use serde_json::{Value, json};

use crate::support::{
    Setup, TOKEN, TestServer,
    people::{PASSWORD, Person, ask},
    resend::Resend,
    soon,
    twitch::Twitch,
};

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";

async fn complete(server: &TestServer, who: &Person, room: &str) -> (u16, Value) {
    let sent = json!({"display_name": "Ana", "room": room});
    who.ask(server, "POST", "/account/onboarding/complete", sent).await
}

async fn add(server: &TestServer, who: &Person, room: &str, channel: &str) -> (u16, Value) {
    let sent = json!({"room": room, "channel": channel});
    who.ask(server, "POST", "/api/rooms", sent).await
}

/// Goal: somebody who signs up gets a room, puts channels into it, and nobody else does; it outlives a restart, and
/// goes with the account.
/// Method: the real server with a scripted Twitch, two people, the operator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_an_account_lives_as_long_as_the_account() {
    let (twitch, resend) = (Twitch::plain().await, Resend::start().await);
    let setup = Setup::new().twitch(&twitch).rooms(&["den"]).people(&resend);
    let server = setup.set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let ben = Person::sign_up(&server, &resend, BEN).await;
    for taken in ["den", "DEN", "demo"] {
        let (status, problem) = complete(&server, &ana, taken).await;
        assert_eq!((status, &problem["reason"]), (409, &json!("taken")), "{taken}");
    }
    assert_eq!(complete(&server, &ana, "no room").await.0, 400);
    let (status, answer) = complete(&server, &ana, "Anas").await;
    assert_eq!(status, 200, "{answer}");
    let user = &answer["user"];
    assert_eq!((&user["role"], &user["onboarding_required"]), (&json!("creator"), &json!(false)));
    assert_eq!(user["creator_workspace_access"]["contexts"][0]["room"], "Anas");
    assert_eq!(complete(&server, &ana, "anas").await.0, 200, "it is hers already");
    assert_eq!(complete(&server, &ana, "second").await.1["reason"], "conflict");
    assert_eq!(complete(&server, &ben, "anas").await.1["reason"], "taken");

    // Its channels.
    let (status, card) = add(&server, &ana, "anas", "twitch:one").await;
    assert_eq!(status, 201, "{card}");
    assert_eq!(card["display_name"], "Ana");
    let one = json!({"platform": "twitch", "channel": "one"});
    assert_eq!(card["typed"], json!({"channels": [one], "room": false}));
    let overlay = card["overlay_url"].as_str().unwrap();
    let key = overlay.split_once("key=").unwrap().1;
    let mut socket = server.socket(&format!("/ws/anas?key={key}")).await;
    twitch.joined("one").await;
    twitch.say("one", "1", "hello").await;
    assert_eq!(socket.next_text().await, "hello");
    for (who, room) in [(&ben, "anas"), (&ana, "den"), (&ana, "nothing")] {
        assert_eq!(add(&server, who, room, "twitch:evil").await.0, 403, "{room}");
    }
    assert_eq!(add(&server, &ana, "anas", "twitch:not a name").await.0, 400);
    let unnamed = json!({"channel": "twitch:mine"});
    assert_eq!(ana.ask(&server, "POST", "/api/rooms", unnamed).await.0, 403);
    let (_, listed) = ana.ask(&server, "GET", "/api/rooms", Value::Null).await;
    let rooms = listed["rooms"].as_array().unwrap();
    assert_eq!((rooms.len(), &rooms[0]["room"]), (1, &json!("Anas")));
    let (status, none) = ben.ask(&server, "GET", "/api/rooms", Value::Null).await;
    assert_eq!((status, none), (200, json!({"rooms": []})));
    for number in 2..=4 {
        assert_eq!(add(&server, &ana, "anas", &format!("twitch:chan{number}")).await.0, 201);
    }
    assert_eq!(add(&server, &ana, "anas", "twitch:five").await.0, 409);
    assert_eq!(add(&server, &ana, "anas", "twitch:ONE").await.0, 201, "it is there already");
    let path = "/api/rooms/anas/channels/twitch/chan2";
    assert_eq!(ben.ask(&server, "DELETE", path, Value::Null).await.0, 403);
    assert_eq!(ana.ask(&server, "DELETE", path, Value::Null).await.0, 204);
    assert_eq!(ana.ask(&server, "DELETE", path, Value::Null).await.0, 404);
    // The operator may as well.
    let sent = json!({"room": "anas", "channel": "twitch:by-hand"});
    let bad = server.post("/api/rooms", sent).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(bad.status(), 400);
    let sent = json!({"room": "anas", "channel": "twitch:by_hand"});
    let done = server.post("/api/rooms", sent).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(done.status(), 201);
    drop(socket);

    let server = server.stop_for_now().await.start().await;
    assert_eq!(server.room("anas").id().as_str(), "Anas");
    let (_, room) = ana.ask(&server, "GET", "/api/rooms/anas", Value::Null).await;
    let channels = room["typed"]["channels"].as_array().unwrap();
    assert_eq!(channels.len(), 4, "{channels:?}");
    assert!(channels.contains(&json!({"platform": "twitch", "channel": "by_hand"})));
    let (status, _) = ben.ask(&server, "GET", "/api/rooms/anas", Value::Null).await;
    assert_eq!(status, 403);

    let socket = server.socket(&format!("/ws/anas?key={key}")).await;
    let gone = ana.ask(&server, "DELETE", "/account", json!({"password": PASSWORD})).await;
    assert_eq!(gone.0, 200);
    assert_eq!(soon("the close", socket.closed()).await, Some(4004));
    assert!(server.server.hub.find_room("anas").is_none());
    // What was recorded there is nobody else's, and no key of it opens a room of another.
    assert_eq!(complete(&server, &ben, "anas").await.1["reason"], "taken");
    let server = server.stop_for_now().await.start().await;
    assert!(server.server.hub.find_room("anas").is_none());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_want_one_room_at_once_one_gets_it() {
    let resend = Resend::start().await;
    let server = Setup::new().rooms(&["den"]).people(&resend).start().await;
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let ben = Person::sign_up(&server, &resend, BEN).await;
    let (one, other) =
        tokio::join!(complete(&server, &ana, "prize"), complete(&server, &ben, "PRIZE"));
    let mut statuses = [one.0, other.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);

    // Whoever got it may give it up, and nobody else takes it.
    let (winner, loser) = if one.0 == 200 { (&ana, &ben) } else { (&ben, &ana) };
    let remove =
        async |who: &Person| who.ask(&server, "DELETE", "/api/rooms/prize", Value::Null).await.0;
    assert_eq!(remove(loser).await, 403);
    assert_eq!(remove(winner).await, 204);
    assert!(server.server.hub.find_room("prize").is_none());
    assert_eq!(complete(&server, loser, "prize").await.0, 409);
    assert_eq!(complete(&server, winner, "prize").await.0, 200);
    assert!(server.server.hub.find_room("prize").is_some());
    server.stop().await;
}

/// `owner` in `creators.json` gives a room to whoever has that address verified, and takes it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_says_whose_a_room_is() {
    let resend = Resend::start().await;
    let owned_by = |email: &str| json!({"creators": [{"id": "den", "owner": email}]});
    let setup = Setup::new().creators(&owned_by("Ana@Example.com")).people(&resend);
    let server = setup.set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let ben = Person::sign_up(&server, &resend, BEN).await;
    // Not before the address is verified.
    let new = json!({"email": ANA, "password": PASSWORD});
    assert_eq!(ask(&server, None, "POST", "/auth/signup/password", &new).await.0, 202);
    assert_eq!(server.server.accounts.book().count_rooms(), 0);
    let ana = Person::sign_up(&server, &resend, ANA).await;
    let settings =
        async |who: &Person| who.ask(&server, "GET", "/api/settings?room=den", Value::Null).await.0;
    assert_eq!((settings(&ana).await, settings(&ben).await), (200, 403));
    let (_, user) = ana.ask(&server, "GET", "/account/me", Value::Null).await;
    assert_eq!(user["creator_workspace_access"]["contexts"][0]["room"], "den");
    assert_eq!(add(&server, &ana, "den", "twitch:one").await.0, 201);
    assert_eq!(add(&server, &ben, "den", "twitch:two").await.0, 403);
    let (status, _) = ana.ask(&server, "DELETE", "/api/rooms/den", Value::Null).await;
    assert_eq!(status, 204, "what was typed goes");
    assert!(server.server.hub.find_room("den").is_some(), "the configuration's room stays");

    let mut rooms = server.server.accounts.rooms_changed();
    server.write_creators(&owned_by(BEN));
    let book = || server.server.accounts.book();
    let den = "den".parse().unwrap();
    soon("the other owner", async {
        while book().find_by_room(&den).is_none_or(|it| it.email.as_ref().unwrap().as_str() != BEN)
        {
            rooms.changed().await.unwrap();
        }
    })
    .await;
    assert_eq!((settings(&ana).await, settings(&ben).await), (403, 200));
    let gone = ben.ask(&server, "DELETE", "/account", json!({"password": PASSWORD})).await;
    assert_eq!(gone.0, 200);
    assert!(server.server.hub.find_room("den").is_some(), "it is the configuration's");
    server.stop().await;
}
