//! How sockets are refused, and how they end.

use crate::support::{
    Setup, message,
    raw::{RawSocket, masked},
    socket::Socket,
    soon,
};
use streamsuites::chat::room::Arrival;

#[tokio::test]
async fn small_text_is_ignored_and_over_4_kib_the_socket_is_closed() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let mut socket = server.socket("/ws/ana").await;
    socket.send("hello?".to_owned()).await;
    socket.send("x".repeat(4096)).await;
    server.room("ana").publish(&message("1", "2002", "still here"), &Arrival::now());
    assert_eq!(socket.next_text().await, "still here");
    socket.send("x".repeat(4097)).await;
    assert_eq!(socket.closed().await, Some(1009));
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_told_so() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    for (bytes, code, why) in [
        (b"\x81\x02hi".to_vec(), 1002, "not masked"),
        (masked(0x3, b"?"), 1002, "an opcode that is none"),
        (masked(0x1, &[0xC3, 0x28]), 1007, "not UTF-8"),
        (masked(0x9, &[0; 126]), 1002, "a long ping"),
        (masked(0x8, &1000_u16.to_be_bytes()), 1000, "its own close"),
    ] {
        let mut socket = RawSocket::open(server.server.address, "/ws/ana", None).await;
        assert_eq!(socket.status(), 101);
        assert!(socket.head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        socket.send(&bytes).await;
        assert_eq!(socket.close_code().await, Some(code), "{why}");
    }
    // A ping comes back with its own bytes.
    let mut socket = RawSocket::open(server.server.address, "/ws/ana", None).await;
    socket.send(&masked(0x9, b"still there?")).await;
    let pong = async {
        loop {
            if let (0xA, payload) = socket.next_frame().await.unwrap() {
                return payload;
            }
        }
    };
    assert_eq!(pong.await, b"still there?");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_handshake_for_a_room_that_is_there_is_refused_with_its_status() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let address = server.server.address;
    assert_eq!(Socket::refused(&format!("ws://{address}/ws/nobody")).await, 404);
    let answer = server.get("/ws/nobody").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let answer = server.get("/ws/ana").send().await.unwrap();
    assert_eq!(answer.status(), 426);
    assert_eq!(answer.headers()["upgrade"], "websocket");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (headers, why) in [
        (
            format!(
                "{upgrade}Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            ),
            "version",
        ),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n"), "key"),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\n"), "no key"),
        (
            "Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Version: 13\r\n".to_owned(),
            "another protocol",
        ),
    ] {
        let request = format!("GET /ws/ana HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        assert_eq!(RawSocket::request(address, &request, None).await.status(), 426, "{why}");
    }
    assert_eq!(server.room("ana").summary().watchers, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_to_its_sockets_and_lets_nobody_in() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let address = server.server.address;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(server.socket("/ws/ana").await);
    }
    // A connection that is kept open is answered once more.
    let mut kept = RawSocket::request(
        address,
        &format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        None,
    )
    .await;
    assert_eq!(kept.status(), 200);
    server.server.life.stop.cancel();
    for socket in sockets {
        assert_eq!(socket.closed().await, Some(1001));
    }
    match reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(server.url("/readyz"))
        .send()
        .await
    {
        Ok(answer) => {
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
        }
        Err(error) => assert!(error.is_connect() || error.is_request(), "{error}"),
    }
    assert_eq!(soon("the kept connection ends", kept.next_frame()).await.map(|_| ()), None);
    server.stop().await;
}

/// An overlay whose room was taken away must know: it would wait in silence for ever.
#[tokio::test]
async fn readers_of_a_room_that_is_taken_away_are_told_and_find_the_one_that_comes_back() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    let ana = server.socket("/ws/ana").await;
    let mut ben = server.socket("/ws/ben").await;
    let mut stream = server.get("/sse/ana").send().await.unwrap();
    server.write_creators(&serde_json::json!({"creators": [{"id": "ben"}]}));
    assert_eq!(ana.closed().await, Some(4004));
    soon("the end of the stream", async { while stream.chunk().await.unwrap().is_some() {} }).await;
    server.room("ben").publish(&message("1", "2002", "undisturbed"), &Arrival::now());
    assert_eq!(ben.next_text().await, "undisturbed");
    server.stop().await;
}
