//! The audit in the file of accounts: noted, written, listed, forgotten.

use super::Accounts;
use crate::{
    accounts::{AccountError, AuditEntry, Record},
    storage::{Reading, StorageError, tables::records},
};

/// Some entries of the audit.
#[derive(Debug)]
pub struct AuditPage {
    /// The last first; without those that nobody can read any more.
    pub entries: Vec<AuditEntry>,
    /// The key of the last row that was read, whether it is one of the entries or not: where to go on. `None` where no
    /// row was left.
    pub read_to: Option<String>,
}

impl Accounts {
    /// Notes something that waits for the disk: it is written with the next change, or within a second. For what
    /// strangers can do as often as they like; of many at once only the first are kept, and how many more there were.
    pub fn note(&self, entry: AuditEntry) {
        if self.0.noted.put(entry.clone()) {
            // Nobody may look.
            let _ = self.0.audited.send(entry);
        }
    }

    /// Whether something waits to be written.
    pub(in crate::accounts) fn has_noted(&self) -> bool {
        !self.0.noted.is_empty()
    }

    /// Writes down what was noted. Blocking.
    ///
    /// # Errors
    /// What the disk says; it is kept then.
    pub(in crate::accounts) fn write_noted(&self) -> Result<(), AccountError> {
        if self.0.noted.is_empty() { Ok(()) } else { self.change_now(|_| Ok(())) }
    }

    /// Writes down what was noted while the server's tasks ended. For when nobody is left who notes anything.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn close(&self) -> Result<(), AccountError> {
        let this = self.clone();
        // Not `change`: at the stop, no task may be started any more.
        let written = tokio::task::spawn_blocking(move || this.write_noted()).await;
        written.unwrap_or_else(|it| Err(StorageError::Io(std::io::Error::other(it)).into()))
    }

    /// Entries of the audit before `before`, or the latest, of so many rows.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn list_audit(
        &self,
        before: Option<String>,
        limit: usize,
    ) -> Result<AuditPage, AccountError> {
        let this = self.clone();
        let task = self.0.parts.life.spawn_blocking(move || this.write_noted());
        // What cannot be written now is told by who tried; what is there can be shown all the same.
        let _ = task.await;
        self.read(move |tx| entries_before(tx, before.as_deref(), limit)).await
    }

    /// The same on this thread, without what waits for the disk. Blocking.
    ///
    /// # Errors
    /// What the disk says.
    pub fn list_audit_now(
        &self,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, AccountError> {
        Ok(self.with_database(|it| it.read(|tx| entries_before(tx, before, limit)))?.entries)
    }

    /// Takes entries of the audit away that are older than `before`, and the oldest of those beyond `most`; at most
    /// `limit` of them. Answers how many. Blocking.
    ///
    /// # Errors
    /// What the disk says.
    pub(in crate::accounts) fn forget_audit(
        &self,
        before: &str,
        most: usize,
        limit: usize,
    ) -> Result<usize, StorageError> {
        let changing = self.changing();
        self.mend(&changing)?;
        let others = self.book().count_rows();
        let forgotten = self.with_database(|database| {
            let rows = database.read(records::count)?;
            let beyond = usize::try_from(rows).unwrap_or(usize::MAX).saturating_sub(others + most);
            let is_due = beyond > 0
                || database.read(|tx| {
                    let oldest = records::find_first(tx, AuditEntry::KIND)?;
                    Ok(oldest.is_some_and(|it| it.as_str() < before))
                })?;
            if !is_due {
                return Ok(0);
            }
            database.write(|tx| {
                let old = records::remove_before(tx, AuditEntry::KIND, before, limit)?;
                let beyond = beyond.saturating_sub(old).min(limit - old);
                // Behind every ULID.
                let more = records::remove_before(tx, AuditEntry::KIND, "~", beyond)?;
                Ok(old + more)
            })
        });
        if forgotten.is_err() {
            self.refused();
        }
        forgotten
    }
}

/// An entry of a shape that is no longer known is left out, and told: the others must be seen.
fn entries_before(
    tx: &Reading,
    before: Option<&str>,
    limit: usize,
) -> Result<AuditPage, StorageError> {
    let rows = records::list_before(tx, AuditEntry::KIND, before, limit)?;
    let entries: Vec<AuditEntry> =
        rows.iter().filter_map(|(_, json)| serde_json::from_slice(json).ok()).collect();
    let left_out = rows.len() - entries.len();
    if left_out > 0 {
        tracing::warn!(
            left_out,
            "entries of the audit cannot be read: they are kept, and not shown"
        );
    }
    Ok(AuditPage { entries, read_to: rows.into_iter().next_back().map(|it| it.0) })
}
