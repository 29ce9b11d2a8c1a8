//! Small things kept over restarts: texts by name, one table per kind of thing.

use redb::{ReadableTable, TableDefinition, TableError};

use crate::storage::{Reading, StorageError, Writing};

/// What kind of thing a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// What a worker learnt of its channel: ids, page tokens, the newest refresh token.
    Platforms,
    /// What was spent of an allowance.
    Quotas,
    /// How a room looks, as far as it was set on a page.
    Looks,
    /// A theme of a room's own: `room/name`.
    Themes,
    /// Which overlay keys of a room are good, and as `room/seen` when they were used. No key.
    OverlayKeys,
    /// What is done about what is said in a room, as far as it was set on a page.
    Triggers,
    /// When triggers last acted: `room/trigger`, `room/trigger/viewer`, and `/trigger` for all rooms together.
    Cooldowns,
    /// What was decided in a room lately.
    Decisions,
    /// Work that waits, and what became of it.
    Jobs,
    /// Polls: `room/poll`.
    Polls,
    /// Who counts in an open poll: `room/p/poll/voter`; and in a tally where each counts once: `room/t/tally/voter`.
    Votes,
    /// Tallies: `room/tally`, and behind it their past periods.
    Tallies,
    /// Scoreboards: `room/scoreboard`, and behind it their entries and past periods.
    Scoreboards,
    /// People with several accounts: `room/identity`.
    Identities,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Platforms,
        Self::Quotas,
        Self::Looks,
        Self::Themes,
        Self::OverlayKeys,
        Self::Triggers,
        Self::Cooldowns,
        Self::Decisions,
        Self::Jobs,
        Self::Polls,
        Self::Votes,
        Self::Tallies,
        Self::Scoreboards,
        Self::Identities,
    ];

    /// Whether a copy of ours says what is right. Where the world goes on by itself, what is known now is: a refresh
    /// token that was used up, a quota that was spent, a key that was taken away and work that was done are not brought back.
    pub(in crate::storage) const fn is_ours(self) -> bool {
        match self {
            Self::Looks
            | Self::Themes
            | Self::Triggers
            | Self::Polls
            | Self::Votes
            | Self::Tallies
            | Self::Scoreboards
            | Self::Identities => true,
            Self::Platforms
            | Self::Quotas
            | Self::OverlayKeys
            | Self::Cooldowns
            | Self::Decisions
            | Self::Jobs => false,
        }
    }

    const fn table(self) -> TableDefinition<'static, &'static str, &'static str> {
        TableDefinition::new(match self {
            Self::Platforms => "platforms.v1",
            Self::Quotas => "quotas.v1",
            Self::Looks => "looks.v1",
            Self::Themes => "themes.v1",
            Self::OverlayKeys => "overlay_keys.v1",
            Self::Triggers => "triggers.v1",
            Self::Cooldowns => "cooldowns.v1",
            Self::Decisions => "decisions.v1",
            Self::Jobs => "jobs.v1",
            Self::Polls => "polls.v1",
            Self::Votes => "votes.v1",
            Self::Tallies => "tallies.v1",
            Self::Scoreboards => "scoreboards.v1",
            Self::Identities => "identities.v1",
        })
    }
}

/// All texts of a kind, by name.
///
/// # Errors
/// What the disk says.
pub fn list(tx: &Reading, kind: Kind) -> Result<Vec<(String, String)>, StorageError> {
    let table = match tx.open_table(kind.table()) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for row in table.iter()? {
        let (name, text) = row?;
        found.push((name.value().to_owned(), text.value().to_owned()));
    }
    Ok(found)
}

/// Sets texts, and removes those that are `None`.
///
/// # Errors
/// What the disk says.
pub fn set(
    tx: &Writing,
    kind: Kind,
    changes: &[(String, Option<String>)],
) -> Result<(), StorageError> {
    let mut table = tx.open_table(kind.table())?;
    for (name, text) in changes {
        match text {
            Some(text) => drop(table.insert(name.as_str(), text.as_str())?),
            None => drop(table.remove(name.as_str())?),
        }
    }
    Ok(())
}

/// Takes the table of a kind away.
///
/// # Errors
/// What the disk says.
pub(in crate::storage) fn remove(tx: &Writing, kind: Kind) -> Result<(), StorageError> {
    tx.delete_table(kind.table())?;
    Ok(())
}
