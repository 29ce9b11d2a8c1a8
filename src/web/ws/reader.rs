//! Reads what clients send: control frames matter, text is checked and ignored.

use super::CloseCode;

/// Most bytes of one message from a client.
const MAX_MESSAGE: usize = 4 * 1024;

/// What a client's bytes ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Answer with a pong that carries the same bytes.
    Ping(Vec<u8>),
    /// The client closes.
    Close,
    /// The client broke a rule: close with this.
    Refuse(CloseCode),
}

/// Takes a client's bytes as they come, cut anywhere. Holds memory only inside a frame.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// An unfinished frame, header included.
    pending: Vec<u8>,
    /// The text of an unfinished message.
    message: Vec<u8>,
    /// Inside a fragmented message: whether it is text.
    fragmented: Option<bool>,
    /// A rule was broken or the client closed: nothing more is read.
    finished: bool,
}

impl FrameReader {
    /// Takes the next bytes and gives each request to `take`.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(Request)) {
        if self.finished {
            return;
        }
        let held = !self.pending.is_empty();
        let mut buffer = std::mem::take(&mut self.pending);
        let mut input = if held {
            buffer.extend_from_slice(bytes);
            buffer.as_slice()
        } else {
            bytes
        };
        loop {
            match self.frame(input) {
                Ok(None) => break,
                Ok(Some((used, request))) => {
                    input = &input[used..];
                    if let Some(request) = request {
                        self.finished = request == Request::Close;
                        take(request);
                    }
                    if self.finished {
                        return;
                    }
                }
                Err(code) => {
                    self.finished = true;
                    take(Request::Refuse(code));
                    return;
                }
            }
        }
        self.pending = input.to_vec();
    }

    /// Reads one frame from the front: how many bytes it took and what it asks; `None` while it is not whole.
    fn frame(&mut self, input: &[u8]) -> Result<Option<(usize, Option<Request>)>, CloseCode> {
        let [first, second, ..] = *input else { return Ok(None) };
        let (last, opcode) = (first & 0x80 != 0, first & 0x0F);
        if first & 0x70 != 0 || second & 0x80 == 0 {
            // Reserved bits without an extension, or a frame that is not masked.
            return Err(CloseCode::Protocol);
        }
        let control = opcode >= 0x8;
        let (len, header) = match second & 0x7F {
            126 => match input.get(2..4) {
                Some(it) => (usize::from(u16::from_be_bytes([it[0], it[1]])), 4),
                None if control => return Err(CloseCode::Protocol),
                None => return Ok(None),
            },
            // No message may be that long; the exact length does not matter.
            127 => (usize::MAX, 10),
            len => (usize::from(len), 2),
        };
        if control && (len > 125 || !last) {
            return Err(CloseCode::Protocol);
        }
        if !control && len.saturating_add(self.message.len()) > MAX_MESSAGE {
            return Err(CloseCode::TooBig);
        }
        let total = header + 4 + len;
        let Some(frame) = input.get(..total) else { return Ok(None) };
        let (mask, payload) = frame[header..].split_at(4);
        let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        let request = match opcode {
            0x0..=0x2 => {
                match (opcode, self.fragmented) {
                    (0x0, None) | (0x1 | 0x2, Some(_)) => return Err(CloseCode::Protocol),
                    (0x0, Some(_)) => {}
                    _ => self.fragmented = Some(opcode == 0x1),
                }
                self.message.extend(payload);
                if last {
                    let message = std::mem::take(&mut self.message);
                    if self.fragmented.take() == Some(true) && str::from_utf8(&message).is_err() {
                        return Err(CloseCode::NotUtf8);
                    }
                }
                None
            }
            0x8 => {
                let payload: Vec<u8> = payload.collect();
                match payload.split_at_checked(2) {
                    None if payload.is_empty() => {}
                    None => return Err(CloseCode::Protocol),
                    Some((code, reason)) => {
                        let code = u16::from_be_bytes([code[0], code[1]]);
                        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                            return Err(CloseCode::Protocol);
                        }
                        if str::from_utf8(reason).is_err() {
                            return Err(CloseCode::NotUtf8);
                        }
                    }
                }
                Some(Request::Close)
            }
            0x9 => Some(Request::Ping(payload.collect())),
            0xA => None,
            _ => return Err(CloseCode::Protocol),
        };
        Ok(Some((total, request)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..=125 => frame.push(0x80 | len as u8),
            len @ 126..=0xFFFF => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        let mask = [0x12, 0x34, 0x56, 0x78];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn read(bytes: &[u8]) -> Vec<Request> {
        let mut found = Vec::new();
        FrameReader::default().feed(bytes, |it| found.push(it));
        found
    }

    #[test]
    fn a_ping_is_answered_with_its_own_bytes_even_inside_a_fragmented_message() {
        let bytes = [
            masked(0x01, b"hal"),
            masked(0x89, b"are you there"),
            masked(0x80, b"lo"),
            masked(0x88, &[0x03, 0xE8]),
        ]
        .concat();
        assert_eq!(read(&bytes), [Request::Ping(b"are you there".to_vec()), Request::Close]);
        for cut in 0..bytes.len() {
            let mut reader = FrameReader::default();
            let mut found = Vec::new();
            reader.feed(&bytes[..cut], |it| found.push(it));
            reader.feed(&bytes[cut..], |it| found.push(it));
            assert_eq!(found.len(), 2, "cut at {cut}");
        }
    }

    #[test]
    fn small_text_is_ignored_and_long_text_refused() {
        assert_eq!(read(&masked(0x81, &[b'a'; 4096])), []);
        assert_eq!(read(&masked(0x81, &[b'a'; 4097])), [Request::Refuse(CloseCode::TooBig)]);
        assert_eq!(read(&masked(0x81, &[b'a'; 70_000])), [Request::Refuse(CloseCode::TooBig)]);
        let fragments = [masked(0x01, &[b'a'; 4000]), masked(0x80, &[b'a'; 97])].concat();
        assert_eq!(read(&fragments), [Request::Refuse(CloseCode::TooBig)]);
    }

    #[test]
    fn every_broken_rule_has_its_code() {
        let protocol = [Request::Refuse(CloseCode::Protocol)];
        assert_eq!(read(&[0x81, 0x01, b'a']), protocol, "not masked");
        assert_eq!(read(&masked(0xC1, b"a")), protocol, "reserved bit");
        assert_eq!(read(&masked(0x83, b"a")), protocol, "reserved opcode");
        assert_eq!(read(&masked(0x8B, b"a")), protocol, "reserved control opcode");
        assert_eq!(read(&masked(0x09, b"a")), protocol, "fragmented ping");
        assert_eq!(read(&masked(0x89, &[b'a'; 126])), protocol, "long ping");
        assert_eq!(read(&masked(0x80, b"a")), protocol, "continues nothing");
        assert_eq!(
            read(&[masked(0x01, b"a"), masked(0x81, b"b")].concat()),
            protocol,
            "new in old"
        );
        assert_eq!(read(&masked(0x88, &[3])), protocol, "half a close code");
        assert_eq!(read(&masked(0x88, &[0x03, 0xED])), protocol, "1005 is never sent");
        assert_eq!(read(&masked(0x81, &[0xC3, 0x28])), [Request::Refuse(CloseCode::NotUtf8)]);
        assert_eq!(read(&masked(0x82, &[0xC3, 0x28])), [], "binary may be anything");
        assert_eq!(
            read(&masked(0x88, &[0x03, 0xE8, 0xC3, 0x28])),
            [Request::Refuse(CloseCode::NotUtf8)]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_survived_in_bounded_memory(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..40)) {
            let mut reader = FrameReader::default();
            for chunk in &chunks {
                reader.feed(chunk, |_| ());
                prop_assert!(reader.pending.len() + reader.message.len() <= 2 * MAX_MESSAGE + 14);
            }
        }
    }
}
