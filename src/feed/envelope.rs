//! What stands around every event's data: written once, the same for sockets, files and whoever reads later.

use std::io::Write;

use crate::model::Timestamp;

/// The head of every event of one room under one epoch: made once, so that an event costs one copy.
#[derive(Debug, Clone)]
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

    /// The event around its serialised `data`. Without `seq` it is an early copy: to be applied at once,
    /// in no place.
    #[must_use]
    pub fn json(&self, seq: Option<u64>, ts: Timestamp, kind: &str, data: &[u8]) -> Vec<u8> {
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
        json
    }
}
