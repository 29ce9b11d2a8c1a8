//! Who is linked with whom, for whoever moderates a room.

use super::{BoardError, Boards, Identity, NewIdentity};
use crate::model::{CreatorId, Timestamp};

impl Boards {
    /// Says that accounts are one person's. `by` is whoever says so, in words.
    ///
    /// # Errors
    /// What is wrong with it, or that they are linked already.
    pub fn link(
        &self,
        room: &CreatorId,
        new: &NewIdentity,
        by: &str,
        now: Timestamp,
    ) -> Result<Identity, BoardError> {
        self.change(room, |it| it.add_identity(new, by, now))
    }

    /// Takes a link back: each account counts for itself.
    ///
    /// # Errors
    /// When there is none.
    pub fn unlink(&self, room: &CreatorId, id: &str) -> Result<(), BoardError> {
        self.change(room, |it| it.unlink(id))
    }

    /// Everybody in a room who is linked, the newest first.
    #[must_use]
    pub fn list_identities(&self, room: &CreatorId) -> Vec<Identity> {
        self.read(room, |it| {
            let mut all: Vec<_> = it.people.list().cloned().collect();
            all.sort_by(|a, b| (b.linked_at, &b.identity_id).cmp(&(a.linked_at, &a.identity_id)));
            all
        })
    }
}
