//! The tiers in force: what files say, and on top of them what an admin changed. Whoever asks what an account or a room
//! may, asks the book.

use serde::{Deserialize, Serialize};

use super::{Account, Book, Record};
use crate::{
    config::{
        TiersConfig,
        tiers::{TierTerms, lifted},
    },
    model::{CreatorId, Tier, Timestamp},
};

/// What an admin changed of the tiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TierChanges {
    /// What differs from the files.
    pub changed: TiersConfig,
    /// Since when.
    pub updated_at: Timestamp,
}

/// The one row there is.
const KEY: &str = "all";

impl Record for TierChanges {
    const KIND: &'static str = "tier_config";

    fn key(&self) -> String {
        KEY.to_owned()
    }
}

/// The tiers in force, the least first. A higher one allows at least what a lower one does, whatever is written, unless
/// an admin switched that rule off.
#[derive(Debug, Clone, PartialEq)]
pub struct Tiers([TierTerms; 3]);

impl Default for Tiers {
    fn default() -> Self {
        Self(TiersConfig::default().terms(&TiersConfig::default()))
    }
}

impl Tiers {
    /// Those of the files and of a book.
    pub(super) fn of(files: &TiersConfig, book: &Book) -> Self {
        let changes = book.find_tier_changes().map(|it| it.changed).unwrap_or_default();
        let terms = files.terms(&changes);
        if book.controls().admin_tier_config_bypass { Self(terms) } else { Self(lifted(terms)) }
    }

    /// What a tier allows.
    #[must_use]
    pub const fn terms(&self, tier: Tier) -> &TierTerms {
        &self.0[tier as usize]
    }

    /// All of them, the least first.
    #[must_use]
    pub const fn all(&self) -> &[TierTerms; 3] {
        &self.0
    }
}

impl Book {
    /// What an admin changed of the tiers.
    #[must_use]
    pub fn find_tier_changes(&self) -> Option<TierChanges> {
        self.find(KEY)
    }

    /// What an account may.
    #[must_use]
    pub fn terms_of(&self, account: &Account) -> &TierTerms {
        self.tiers().terms(account.tier)
    }

    /// What may be had in a room, by the tier of the account that made it; `None` for rooms of the operator, also for
    /// those that were given to an account: nothing limits them.
    #[must_use]
    pub fn terms_of_room(&self, room: &CreatorId) -> Option<&TierTerms> {
        let owner = self.find_by_room(room).filter(|it| it.rooms.contains(room))?;
        Some(self.terms_of(owner))
    }
}
