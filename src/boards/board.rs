//! Which board it is.

/// One of a room's boards, by its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Board {
    Poll(String),
    Tally(String),
    Scoreboard(String),
}
