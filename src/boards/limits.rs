//! How much a room keeps. What happens at each limit stands beside it, and in `ARCHITECTURE.md`.

/// Polls of a room (count). Another takes the place of the oldest that is put away; without one it is refused.
pub const MOST_POLLS: usize = 500;
/// Open polls of a room that no tier limits (count): every message is held against each of them.
pub const MOST_OPEN: u32 = 50;
/// Options of a poll that no tier limits (count).
pub const MOST_OPTIONS: u32 = 100;
/// Accounts that voted in one open poll (count). A further one is not counted, and told so.
pub const MOST_VOTERS: usize = 500_000;
/// Tallies of a room (count). Another is refused.
pub const MOST_TALLIES: usize = 100;
/// Things that one tally counts (count). Another is refused.
pub const MOST_ITEMS: usize = 100;
/// Accounts that are remembered of a tally in which each counts once (count). A further one is not counted.
pub const MOST_COUNTED: usize = 500_000;
/// Scoreboards of a room (count). Another is refused.
pub const MOST_SCOREBOARDS: usize = 50;
/// Entries of a scoreboard (count). Another is refused.
pub const MOST_ENTRIES: usize = 10_000;
/// Entries that screens are told of, best first (count).
pub const MOST_SHOWN: usize = 50;
/// Entries that are kept of a scoreboard's past period, best first (count). The others are forgotten when it ends.
pub const MOST_PAST_ENTRIES: usize = 200;
/// Past periods that are kept of a board (count). The oldest goes.
pub const MOST_PERIODS: usize = 60;
/// Identities of a room (count). Another is refused.
pub const MOST_IDENTITIES: usize = 10_000;
/// Accounts of one identity (count). Another is refused.
pub const MOST_ACCOUNTS: usize = 16;
/// Half proofs of a room that wait for their other half (count). The oldest goes.
pub const MOST_CLAIMS: usize = 1_000;
/// How long such a half proof waits (ms).
pub const CLAIM_MS: i64 = 10 * 60_000;
/// Newest votes, counts and scores that are remembered of all rooms, of each (count).
pub const MOST_SIGNALS: usize = 200;
/// Largest number of a count or a score, either way: what JavaScript can tell apart.
pub const MOST_COUNT: i64 = (1 << 53) - 1;
/// Characters of a question or a description, a label, a unit, and a reason (count).
pub const QUESTION_CHARS: usize = 200;
/// See above.
pub const DESCRIPTION_CHARS: usize = 500;
/// See above.
pub const LABEL_CHARS: usize = 80;
/// See above.
pub const UNIT_CHARS: usize = 20;
/// See above.
pub const REASON_CHARS: usize = 300;
/// Longest time a poll may be open by itself (s): 31 days.
pub const MOST_SECONDS: u32 = 31 * 86_400;

/// A number that every reader can tell from its neighbours.
#[must_use]
pub fn bounded(count: i64) -> i64 {
    count.clamp(-MOST_COUNT, MOST_COUNT)
}
