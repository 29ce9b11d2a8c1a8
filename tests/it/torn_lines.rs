//! Bytes as no server should send them: whatever comes between them, valid lines arrive.

use crate::support::{
    Setup,
    socket::Socket,
    twitch::{Twitch, privmsg},
};

async fn texts(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        texts.push(socket.next_text().await);
    }
    texts
}

#[tokio::test]
async fn lines_cut_anywhere_and_lines_joined_arrive_whole_and_once() {
    for twitch in [Twitch::plain().await, Twitch::tls().await] {
        let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
        let mut socket = server.socket("/ws/ana").await;
        let connection = twitch.joined("ana").await;

        let line = privmsg("ana", "cut-0", "bo", "ünïcode 🎉");
        let mut expected = Vec::new();
        // Each cut falls at another byte, inside characters too.
        for at in (1..line.len()).step_by(3) {
            let line = privmsg("ana", &format!("cut-{at}"), "bo", &format!("ünïcode 🎉 {at}"));
            let (head, tail) = line.as_bytes().split_at(at.min(line.len() - 1));
            twitch.send_on(connection, head);
            tokio::task::yield_now().await;
            twitch.send_on(connection, tail);
            expected.push(format!("ünïcode 🎉 {at}"));
        }
        let many: String = (0..200)
            .map(|it| privmsg("ana", &format!("joined-{it}"), "bo", &format!("joined {it}")))
            .collect();
        twitch.send_on(connection, many);
        expected.extend((0..200).map(|it| format!("joined {it}")));

        assert_eq!(texts(&mut socket, expected.len()).await, expected);
        assert_eq!(server.room("ana").summary().messages, expected.len() as u64);
        server.stop().await;
    }
}

#[tokio::test]
async fn valid_lines_arrive_between_bytes_that_mean_nothing() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let connection = twitch.joined("ana").await;

    let soups: Vec<Vec<u8>> = vec![
        b"\r\n\r\n\n\r\n".to_vec(),
        (0..=255).chain([b'\n']).collect(),
        b"@ :\r\n@;;;=;= : :\r\n: PRIVMSG\r\nPRIVMSG\r\n".to_vec(),
        b"@id=x :bo PRIVMSG #ana\r\n:bo!bo@bo PRIVMSG # :nowhere\r\n".to_vec(),
        b"@id=y :tmi.twitch.tv CLEARMSG #ana\r\n@msg-id=sub :tmi.twitch.tv USERNOTICE\r\n".to_vec(),
        b"@ban-duration=99999999999999999999 :tmi.twitch.tv CLEARCHAT #elsewhere :bo\r\n".to_vec(),
        "x".repeat(300_000).into_bytes().into_iter().chain(*b"\r\n").collect(),
        vec![0; 5000].into_iter().chain(*b"\n").collect(),
        (0..20_000_u32)
            .map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8)
            .chain(*b"\r\n")
            .collect(),
    ];
    let count = soups.len();
    for (index, soup) in soups.into_iter().enumerate() {
        twitch.send_on(connection, soup);
        twitch.send_on(
            connection,
            privmsg("ana", &format!("v{index}"), "bo", &format!("valid {index}")),
        );
    }
    let mut expected: Vec<_> = (0..count).map(|it| format!("valid {it}")).collect();
    assert_eq!(texts(&mut socket, count).await, expected);

    // A line of 100 KB is skipped whole; bytes that are not UTF-8 cost only themselves.
    twitch.send_on(connection, privmsg("ana", "long", "bo", &"y".repeat(100_000)));
    let mut broken = privmsg("ana", "broken", "bo", "a?b").into_bytes();
    let at = broken.iter().rposition(|it| *it == b'?').unwrap();
    broken[at] = 0xFF;
    twitch.send_on(connection, broken);
    expected = vec!["a\u{FFFD}b".to_owned()];
    assert_eq!(texts(&mut socket, 1).await, expected);

    assert_eq!(twitch.seen().connections.len(), 1, "the connection survived all of it");
    let status = server.room("ana").summary().status;
    assert_eq!(serde_json::to_value(status[0].state).unwrap(), "live");
    server.stop().await;
}

#[tokio::test]
async fn half_a_line_before_a_cut_is_forgotten() {
    let twitch = Twitch::plain().await;
    let server = Setup::new().twitch(&twitch).channel("twitch:ana").start().await;
    let mut socket = server.socket("/ws/ana").await;
    let first = twitch.joined("ana").await;
    let line = privmsg("ana", "half", "bo", "half a line");
    twitch.send_on(first, &line.as_bytes()[..line.len() - 8]);
    twitch.cut(first);
    twitch.until("another connection", |it| it.carrier("ana").filter(|it| *it > first)).await;
    twitch.say("ana", "whole", "a whole line").await;
    assert_eq!(socket.next_text().await, "a whole line");
    server.stop().await;
}
