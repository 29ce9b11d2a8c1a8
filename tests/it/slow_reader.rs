//! A reader that does not read costs little and delays nobody.

use std::collections::VecDeque;

use crate::support::{
    process::Process,
    raw::RawSocket,
    socket::Socket,
    twitch::{Twitch, privmsg},
};

/// Goal: the others get everything, the memory stays, and the slow one is told to come back.
/// Method: the binary, so that its memory is its own; 20,000 long lines at the pace of the good reader, past
/// a client with a tiny buffer that never reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_never_reads_is_let_go_and_costs_little() {
    const LINES: usize = 20_000;
    const AHEAD: usize = 200;
    let twitch = Twitch::plain().await;
    let variables = [("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", twitch.url())];
    let process =
        Process::start(&["--listen", "127.0.0.1:0", "--channel", "twitch:ana"], &variables);
    let address = process.address().await;
    let mut good = Socket::open(&format!("ws://{address}/ws/ana?types=chat")).await;
    let mut slow =
        RawSocket::open(address.parse().unwrap(), "/ws/ana?types=chat", Some(4096)).await;
    assert_eq!(slow.status(), 101);
    let connection = twitch.joined("ana").await;
    let text = "x".repeat(1_500);

    let mut before = 0;
    let mut expected = VecDeque::new();
    for number in 0..LINES {
        let id = format!("m{number}");
        twitch.send_on(connection, privmsg("ana", &id, "bo", &text));
        expected.push_back(format!("twitch:{id}"));
        while expected.len() > if number + 1 == LINES { 0 } else { AHEAD } {
            let event = good.next_event().await;
            assert_eq!(event["data"]["id"], expected.pop_front().unwrap());
        }
        if number == LINES / 10 {
            // The ring is full: from here on nothing more should be needed.
            before = process.resident_bytes();
        }
    }
    let grown = process.resident_bytes().saturating_sub(before);
    assert!(grown < 30 << 20, "{} MiB more than when the ring was full", grown >> 20);

    // What had left before it fell behind is still there; behind it the server says why it ends.
    assert_eq!(slow.close_code().await, Some(4008));
    let metrics =
        reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let counted = metrics.lines().find(|it| it.contains("too_slow") && !it.starts_with('#'));
    assert!(counted.is_some_and(|it| it.ends_with(" 1")), "{counted:?}");
}
