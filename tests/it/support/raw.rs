//! A WebSocket client that breaks rules: plain TCP, frames by hand.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::soon;

/// A connection on which an upgrade was asked for.
pub(crate) struct RawSocket {
    stream: TcpStream,
    unread: Vec<u8>,
    /// The answer's head.
    pub(crate) head: String,
}

impl RawSocket {
    /// Asks for an upgrade. A small `receive_buffer` (bytes) makes a client that holds little unread.
    pub(crate) async fn open(address: SocketAddr, path: &str, receive_buffer: Option<u32>) -> Self {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        Self::request(address, &request, receive_buffer).await
    }

    /// Sends any request and reads the answer's head.
    pub(crate) async fn request(
        address: SocketAddr,
        request: &str,
        receive_buffer: Option<u32>,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let mut stream = soon("a connection", socket.connect(address)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut unread = Vec::new();
        let end = loop {
            if let Some(at) = unread.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
            let count = soon("an answer", stream.read_buf(&mut unread)).await.unwrap();
            assert_ne!(count, 0, "no answer: {:?}", String::from_utf8_lossy(&unread));
        };
        let head = String::from_utf8(unread.drain(..end).collect()).unwrap();
        Self { stream, unread, head }
    }

    /// The answer's status.
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame: opcode and payload. `None` once the connection has ended.
    pub(crate) async fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((opcode, start, end)) = self.whole_frame() {
                let payload = self.unread[start..end].to_vec();
                self.unread.drain(..end);
                return Some((opcode, payload));
            }
            match soon("bytes", self.stream.read_buf(&mut self.unread)).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn whole_frame(&self) -> Option<(u8, usize, usize)> {
        let bytes = &self.unread;
        let (opcode, short) = (*bytes.first()? & 0x0F, *bytes.get(1)?);
        assert_eq!(short & 0x80, 0, "a server never masks");
        let (start, len) = match short {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap()))),
            127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()) as usize),
            len => (2, usize::from(len)),
        };
        (bytes.len() >= start + len).then_some((opcode, start, start + len))
    }

    /// Reads until the answer's body holds `end`, frames or not: all of it.
    pub(crate) async fn text_until(&mut self, end: &str) -> String {
        let mut looked = 0;
        while memchr::memmem::find(&self.unread[looked..], end.as_bytes()).is_none() {
            looked = self.unread.len().saturating_sub(end.len());
            let count = soon(end, self.stream.read_buf(&mut self.unread)).await.unwrap();
            assert_ne!(count, 0, "the answer ended before `{end}`");
        }
        String::from_utf8_lossy(&self.unread).into_owned()
    }

    /// Reads to the end: the close code, if one came.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some((opcode, payload)) = self.next_frame().await {
            if opcode == 0x8 {
                code = Some(u16::from_be_bytes([payload[0], payload[1]]));
                // The answer that the standard asks for; then the server ends the connection.
                let _ = self.stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await;
            }
        }
        code
    }
}

/// A masked frame of a client.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
    }
    // A mask of zeros is a mask.
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
