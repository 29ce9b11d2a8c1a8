//! An event as bytes: its JSON, and the WebSocket frame around it, encoded once and shared.

use bytes::{BufMut, Bytes, BytesMut};

/// A WebSocket text frame as a server sends it (RFC 6455: final, unmasked), and the JSON inside.
#[derive(Debug, Clone)]
pub struct Frame {
    bytes: Bytes,
    header_len: u8,
}

/// Longest header of a server's frame (bytes).
const MAX_HEADER: usize = 10;

impl Frame {
    /// Wraps a whole JSON object.
    #[must_use]
    pub fn text(json: &[u8]) -> Self {
        let mut buffer = BytesMut::with_capacity(MAX_HEADER + json.len());
        put_header(&mut buffer, 0x1, json.len());
        let header_len = buffer.len();
        buffer.put_slice(json);
        Self { bytes: buffer.freeze(), header_len: header_len as u8 }
    }

    /// The frame, header included: what a socket is sent.
    #[must_use]
    pub fn wire(&self) -> &Bytes {
        &self.bytes
    }

    /// The JSON object alone, sharing the frame's memory.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.bytes.slice(self.header_len as usize..)
    }
}

/// Writes the header of a final, unmasked frame.
pub fn put_header(buffer: &mut BytesMut, opcode: u8, payload_len: usize) {
    buffer.put_u8(0x80 | opcode);
    match payload_len {
        0..=125 => buffer.put_u8(payload_len as u8),
        126..=0xFFFF => {
            buffer.put_u8(126);
            buffer.put_u16(payload_len as u16);
        }
        _ => {
            buffer.put_u8(127);
            buffer.put_u64(payload_len as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        feed::envelope::Envelope,
        model::{ChatRedacted, CreatorId, Event, EventBody, Platform, QualifiedId, Timestamp},
    };

    #[test]
    fn an_encoded_event_reads_back_as_itself() {
        let room: CreatorId = "daniel".parse().unwrap();
        let body = EventBody::ChatRedacted(ChatRedacted {
            message_id: QualifiedId::new(Platform::Twitch, "a\"b"),
        });
        let ts = Timestamp::parse("2026-11-20T18:03:11.412Z").unwrap();
        let json =
            Envelope::new("daniel", "01JD").json(Some(7), ts, body.kind(), &body.data_json());
        let frame = Frame::text(&json);
        let event: Event = serde_json::from_slice(&frame.json()).unwrap();
        assert_eq!(event, Event { v: 1, room, epoch: "01JD".into(), seq: 7, ts, body });
    }

    #[test]
    fn the_header_grows_with_the_payload() {
        for (len, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = Frame::text(&vec![b'x'; len]);
            assert_eq!(frame.wire().len(), len + header);
            assert_eq!(frame.json().len(), len);
        }
    }
}
