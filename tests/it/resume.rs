//! Coming back: no hole, no repeat.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use streamsuites::chat::room::Arrival;
use tokio::sync::Notify;

use crate::support::{Setup, message, socket::Socket, soon};

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_and_nothing_else() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let room = server.room("ana");
    let publish = |id: u64| {
        room.publish(&message(&id.to_string(), "2002", "hi"), &Arrival::now());
    };
    let mut socket = server.socket("/ws/ana").await;
    (1..=5).for_each(publish);
    for _ in 1..=3 {
        socket.next_event().await;
    }
    let since = socket.since();
    drop(socket);
    (6..=80).for_each(publish);

    let mut socket = server.socket(&format!("/ws/ana?since={since}&backlog=2")).await;
    assert_eq!(socket.hello["recovered"], true);
    for seq in 4..=80 {
        assert_eq!(socket.next_event().await["seq"], seq);
    }
    // Nothing missed: nothing sent but what is new.
    let mut socket = server.socket(&format!("/ws/ana?since={}", socket.since())).await;
    assert_eq!(socket.hello["recovered"], true);
    publish(81);
    assert_eq!(socket.next_event().await["seq"], 81);
    server.stop().await;
}

#[tokio::test]
async fn a_place_that_is_not_ours_begins_anew() {
    // Nothing is recorded: what the ring has forgotten is gone.
    let server = Setup::new()
        .rooms(&["ana"])
        .set("SYSTEM__FEED__RING_EVENTS", 64)
        .set("SYSTEM__FEED__RECORD", false)
        .start()
        .await;
    let room = server.room("ana");
    for number in 1..=100 {
        room.publish(&message(&number.to_string(), "2002", "hi"), &Arrival::now());
    }
    let epoch = room.epoch();
    for (since, why) in [
        ("01JD0000000000000000000000.90".to_owned(), "another epoch"),
        (format!("{epoch}.102"), "a place that was never taken"),
        (format!("{epoch}.7"), "a place that is no longer held"),
        ("nonsense".to_owned(), "no place at all"),
    ] {
        let mut socket = server.socket(&format!("/ws/ana?since={since}&backlog=2")).await;
        assert_eq!(socket.hello["recovered"], false, "{why}");
        assert_eq!(socket.next_event().await["seq"], 100, "{why}");
        assert_eq!(socket.next_event().await["seq"], 101, "{why}");
    }
    server.stop().await;
}

/// Goal: any client that is cut anywhere, any number of times, sees every event once and in order.
/// Method: five clients drop their connections at random points while 5,000 events are published at the
/// pace of the slowest; each comes back with what it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_cut_hundreds_of_times_see_every_event_exactly_once() {
    const EVENTS: u64 = 5_000;
    const CLIENTS: usize = 5;
    let server = Setup::new().rooms(&["ana"]).start().await;
    let room = server.room("ana");
    let progress: Arc<[AtomicU64; CLIENTS]> = Arc::default();
    let moved = Arc::new(Notify::new());

    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let (progress, moved) = (Arc::clone(&progress), Arc::clone(&moved));
        let base = format!("ws://{}/ws/ana", server.server.address);
        let mut socket = server.socket("/ws/ana?backlog=0").await;
        clients.push(tokio::spawn(async move {
            let mut reconnects = 0;
            let mut last = 0;
            // The start of the stream has the first place.
            while last < EVENTS + 1 {
                for _ in 0..rand::random_range(0..45) {
                    let event = socket.next_event().await;
                    assert_eq!(event["seq"], last + 1, "client {client}, {reconnects} reconnects");
                    if last > 0 {
                        assert_eq!(event["data"]["text"], last.to_string());
                    }
                    last += 1;
                    progress[client].store(last, Ordering::Release);
                    moved.notify_one();
                    if last == EVENTS + 1 {
                        break;
                    }
                }
                let since = format!("{}.{last}", socket.hello["epoch"].as_str().unwrap());
                // Cut without a word, in the middle of whatever is on its way.
                drop(socket);
                socket = Socket::open(&format!("{base}?since={since}")).await;
                assert_eq!(socket.hello["recovered"], true);
                reconnects += 1;
            }
            reconnects
        }));
    }
    for number in 1..=EVENTS {
        room.publish(&message(&number.to_string(), "2002", &number.to_string()), &Arrival::now());
        let slowest = || progress.iter().map(|it| it.load(Ordering::Acquire)).min().unwrap();
        while slowest() + 400 < number {
            soon("progress of the clients", moved.notified()).await;
        }
    }
    for client in clients {
        let reconnects = soon("a client", client).await.unwrap();
        assert!(reconnects > 150, "only {reconnects} reconnects");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_event_stream_goes_on_where_it_was_cut() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let room = server.room("ana");
    for number in 1..=20 {
        room.publish(&message(&number.to_string(), "2002", "hi"), &Arrival::now());
    }
    let last = format!("{}.12", room.epoch());
    let mut answer = server.get("/sse/ana").header("last-event-id", last).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut text = String::new();
    while !text.contains(".21\n") {
        let chunk = soon("events", answer.chunk()).await.unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let places: Vec<_> = text
        .lines()
        .filter_map(|it| it.strip_prefix("id: ")?.rsplit_once('.')?.1.parse::<u64>().ok())
        .collect();
    assert_eq!(places, (13..=21).collect::<Vec<_>>());
    assert!(text.contains(r#""recovered":true"#));
    drop(answer);
    server.stop().await;
}
