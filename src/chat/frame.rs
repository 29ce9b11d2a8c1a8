//! An event as bytes: its JSON, and the WebSocket frame around it, encoded once and shared.

use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};

use crate::model::Timestamp;

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

/// What stands around every event of one room: made once, so that an event costs two copies.
#[derive(Debug)]
pub struct Envelope {
    /// `{"v":1,"room":"daniel","epoch":"01JD…"`
    head: Box<str>,
}

impl Envelope {
    /// For the room and the epoch given; neither holds a character that JSON would escape.
    #[must_use]
    pub fn new(room: &str, epoch: &str) -> Self {
        Self { head: format!(r#"{{"v":1,"room":"{room}","epoch":"{epoch}""#).into() }
    }

    /// Encodes an event around its serialised `data`. Without `seq` it is an early copy: to be applied
    /// at once, in no place.
    #[must_use]
    pub fn frame(&self, seq: Option<u64>, ts: Timestamp, kind: &str, data: &[u8]) -> Frame {
        // 24 for the timestamp, 20 for the number, 32 for the names and punctuation.
        let mut json = Vec::with_capacity(self.head.len() + kind.len() + data.len() + 80);
        json.extend_from_slice(self.head.as_bytes());
        // Writing to a vector cannot fail.
        let _ = match seq {
            Some(seq) => write!(json, r#","seq":{seq},"ts":"{ts}","type":"{kind}","data":"#),
            None => write!(json, r#","ts":"{ts}","type":"{kind}","data":"#),
        };
        json.extend_from_slice(data);
        json.push(b'}');
        Frame::text(&json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChatRedacted, CreatorId, Event, EventBody, Platform, QualifiedId};

    #[test]
    fn an_encoded_event_reads_back_as_itself() {
        let room: CreatorId = "daniel".parse().unwrap();
        let body = EventBody::ChatRedacted(ChatRedacted {
            message_id: QualifiedId::new(Platform::Twitch, "a\"b"),
        });
        let ts = Timestamp::parse("2026-11-20T18:03:11.412Z").unwrap();
        let value = serde_json::to_value(&body).unwrap();
        let data = serde_json::to_vec(&value["data"]).unwrap();
        let frame = Envelope::new("daniel", "01JD").frame(Some(7), ts, body.kind(), &data);
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
