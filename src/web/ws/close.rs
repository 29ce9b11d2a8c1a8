//! Why the server closes a socket: one table for code, documentation and clients.

/// A close code of RFC 6455, or one of ours (4000 and above).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// 1000: answers the client's own close.
    Normal,
    /// 1001: the server is stopping. Come back soon and resume.
    GoingAway,
    /// 1002: the client broke the protocol.
    Protocol,
    /// 1007: text that is not UTF-8.
    NotUtf8,
    /// 1009: a message over 4 KiB; clients only read.
    TooBig,
    /// 4003: the key or session no longer gives access to the room.
    AccessRevoked,
    /// 4004: the room is gone.
    RoomClosed,
    /// 4005: another history of the room is in place. Come back at once and resume.
    RoomReopened,
    /// 4008: fell behind what is kept. Come back at once and resume.
    TooSlow,
}

impl CloseCode {
    /// Every code, for the documentation.
    pub const ALL: [Self; 9] = [
        Self::Normal,
        Self::GoingAway,
        Self::Protocol,
        Self::NotUtf8,
        Self::TooBig,
        Self::AccessRevoked,
        Self::RoomClosed,
        Self::RoomReopened,
        Self::TooSlow,
    ];

    /// The number, the reason sent with it, and what a client should do.
    #[must_use]
    pub const fn line(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Normal => (1000, "", "nothing: you asked for it"),
            Self::GoingAway => (1001, "the server is stopping", "reconnect soon, with `since`"),
            Self::Protocol => (1002, "not a valid frame", "fix the client"),
            Self::NotUtf8 => (1007, "not UTF-8", "fix the client"),
            Self::TooBig => (1009, "over 4 KiB", "send nothing: the feed goes one way"),
            Self::AccessRevoked => (4003, "access revoked", "ask for a new key; try again slowly"),
            Self::RoomClosed => (4004, "room closed", "try again slowly"),
            Self::RoomReopened => (4005, "room reopened", "reconnect soon, with `since`"),
            Self::TooSlow => (4008, "too slow", "reconnect at once, with `since`"),
        }
    }

    /// The close frame.
    #[must_use]
    pub fn frame(self) -> Vec<u8> {
        let (number, reason, _) = self.line();
        let mut frame = vec![0x88, 2 + reason.len() as u8];
        frame.extend_from_slice(&number.to_be_bytes());
        frame.extend_from_slice(reason.as_bytes());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documentation_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/socket.md");
        let documented = std::fs::read_to_string(path).unwrap();
        for code in CloseCode::ALL {
            let (number, reason, advice) = code.line();
            let row = format!("| {number} | {reason} | {advice} |");
            assert!(documented.contains(&row), "docs/socket.md lacks: {row}");
            assert!(code.frame().len() <= 127);
        }
    }
}
