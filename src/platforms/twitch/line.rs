//! Bytes to lines to IRC messages, whatever the bytes are.

use twitch_irc::message::IRCMessage;

/// Longest line (bytes); Twitch's own stay under 16 KiB. A longer one is skipped whole.
const MAX_LINE: usize = 64 * 1024;

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub struct LineReader {
    /// The beginning of a line whose end has not come.
    pending: Vec<u8>,
    /// Inside a line that is too long: everything up to its end is skipped.
    skipping: bool,
    /// Lines that were too long or not IRC, since last asked.
    unreadable: u64,
}

impl LineReader {
    /// Takes the next bytes and gives each complete line, parsed, to `take`. Lines end with LF or CRLF;
    /// bytes that are not UTF-8 become U+FFFD; what is not IRC is counted and skipped.
    pub fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(IRCMessage)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (head, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            if self.skipping {
                self.skipping = false;
            } else if self.pending.is_empty() {
                self.line(head, &mut take);
            } else {
                self.pending.extend_from_slice(head);
                let line = std::mem::take(&mut self.pending);
                self.line(&line, &mut take);
                // The buffer is kept for the next cut line.
                self.pending = line;
                self.pending.clear();
            }
        }
        if self.skipping {
            return;
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > MAX_LINE {
            self.pending = Vec::new();
            self.skipping = true;
            self.unreadable += 1;
        }
    }

    fn line(&mut self, line: &[u8], take: &mut impl FnMut(IRCMessage)) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        if line.len() > MAX_LINE {
            self.unreadable += 1;
            return;
        }
        match IRCMessage::parse(&String::from_utf8_lossy(line)) {
            Ok(message) => take(message),
            // Never logged: it may hold what a viewer wrote.
            Err(_) => self.unreadable += 1,
        }
    }

    /// How many lines could not be read since this was last asked.
    pub fn take_unreadable(&mut self) -> u64 {
        std::mem::take(&mut self.unreadable)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commands(chunks: &[&[u8]]) -> (Vec<String>, u64) {
        let mut reader = LineReader::default();
        let mut found = Vec::new();
        for chunk in chunks {
            reader.feed(chunk, |it| found.push(it.command));
        }
        (found, reader.take_unreadable())
    }

    #[test]
    fn lines_may_be_cut_and_joined_anywhere() {
        let text = b"PING :a\r\nPONG :b\n\r\n:x PRIVMSG #c :d\r\n";
        for cut in 0..text.len() {
            let (found, bad) = commands(&[&text[..cut], &text[cut..]]);
            assert_eq!(found, ["PING", "PONG", "PRIVMSG"]);
            assert_eq!(bad, 0);
        }
    }

    #[test]
    fn what_is_no_irc_costs_only_itself() {
        let (found, bad) = commands(&[b"PING\n@\n \xff\xfe\n:a  b\nPONG\n"]);
        assert_eq!(found, ["PING", "PONG"]);
        assert_eq!(bad, 3);
    }

    #[test]
    fn an_endless_line_is_skipped_without_keeping_it() {
        let mut reader = LineReader::default();
        let mut found = 0;
        for _ in 0..1_000 {
            reader.feed(&[b'x'; 1024], |_| found += 1);
            assert!(reader.pending.capacity() <= 4 * MAX_LINE);
        }
        reader.feed(b"\nPING\n", |_| found += 1);
        assert_eq!((found, reader.take_unreadable()), (1, 1));
    }

    proptest! {
        #[test]
        fn any_byte_soup_leaves_the_reader_alive(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let mut reader = LineReader::default();
            for chunk in &chunks {
                reader.feed(chunk, |_| ());
            }
            let mut alive = false;
            reader.feed(b"\nPING\n", |it| alive = it.command == "PING");
            prop_assert!(alive);
        }
    }
}
