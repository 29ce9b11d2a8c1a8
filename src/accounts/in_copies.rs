//! What of accounts goes into a copy, and what becomes of them when one is put in place.
//!
//! A copy says who has an account, what they may and which password they have. It has no sign-ins, no links and no
//! mails: what opens an account for a while is not kept elsewhere, and everybody signs in anew. What was done stays
//! done: what was audited since stays beside what the copy has; a token and a moderator's rights that were taken away
//! since stay away, also one right among several; names of rooms that were given up stay out of use; and what platforms granted is as it is here,
//! because they exchanged it since.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    AccountId, Accounts, Actor, ApiToken, AuditEntry, Book, Mail, Record, Session, Ticket,
    moderator::Moderator, providers::PlatformToken, record::row_key, rooms::RetiredRoom,
    ticket::Spent,
};
use crate::storage::{
    Database, Reading, Records, StorageError,
    tables::records::{self, each_but},
};

/// What no copy has.
const NOT_COPIED: &[&str] = &[Session::KIND, Ticket::KIND, Spent::KIND, Mail::KIND];
/// What is as it is here, where it is here.
const KEPT: &[&str] = &[PlatformToken::KIND, RetiredRoom::KIND];
/// What comes back only with an account that is gone here, or when it is here still: else it was taken away.
const TAKEN_AWAY: &[&str] = &[ApiToken::KIND, Moderator::KIND];

fn kind(key: &str) -> &str {
    key.split_once('/').map_or("", |it| it.0)
}

/// What goes into a copy of a file that no server uses.
///
/// # Errors
/// What the disk says.
pub fn records_of(database: Database) -> Result<Records, StorageError> {
    Records::of(database, NOT_COPIED)
}

/// The same of what another copy carries, for as long as that is open.
#[must_use]
pub fn records_in(copy: Reading) -> Records {
    Records::new(copy, NOT_COPIED)
}

impl Accounts {
    /// What goes into a copy that is made now.
    ///
    /// # Errors
    /// What the disk says.
    pub fn records(&self) -> Result<Records, StorageError> {
        self.with_database(|it| Ok(Records::new(it.moment()?, NOT_COPIED)))
    }

    /// Puts the accounts of a copy in the place of those here, all of them or none. Blocking.
    ///
    /// # Errors
    /// When the copy contradicts itself, and what the disk says; then nothing has changed.
    pub fn bring(&self, copy: &Reading) -> Result<(), StorageError> {
        let changing = self.changing();
        self.mend(&changing)?;
        let here = self.book();
        let mut rows: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
        let mut kept = Vec::new();
        self.with_database(|database| {
            database.read(|tx| {
                each_but(tx, AuditEntry::KIND, |key, json| {
                    if KEPT.contains(&kind(key)) {
                        kept.push((key.to_owned(), json.to_vec()));
                    } else {
                        rows.insert(key.to_owned(), None);
                    }
                    Ok(())
                })
            })
        })?;
        each_but(copy, AuditEntry::KIND, |key, json| {
            let comes = match kind(key) {
                it if NOT_COPIED.contains(&it) => false,
                it if KEPT.contains(&it) => !kept.iter().any(|it| it.0 == key),
                it if TAKEN_AWAY.contains(&it) => {
                    rows.contains_key(key) || here.account(owner(json)?).is_none()
                }
                _ => true,
            };
            if comes {
                let row = match here.find_row(key).filter(|_| kind(key) == Moderator::KIND) {
                    Some(here) => Moderator::narrowed(here, json),
                    None => json.to_vec(),
                };
                rows.insert(key.to_owned(), Some(row));
            }
            Ok(())
        })?;
        let mut book = Book::default();
        for (key, json) in &kept {
            book.take_row(key, json)?;
        }
        for (key, json) in rows.iter().filter_map(|(key, row)| Some((key, row.as_ref()?))) {
            book.take_row(key, json)?;
        }
        let entry = AuditEntry::new(self.now(), Actor::Operator, "accounts_restored");
        let entry = entry.with("before", here.len()).with("after", book.len());
        let audited = serde_json::to_vec(&entry).expect("plain values always serialise");
        rows.insert(row_key(AuditEntry::KIND, &entry.key()), Some(audited));

        let rows = rows.iter().map(|(key, row)| (key.as_str(), row.as_deref()));
        let written = self.with_database(|database| {
            database.write(|tx| {
                records::set(tx, rows)?;
                records::copy_kind(copy, tx, AuditEntry::KIND)
            })
        });
        if written.is_err() {
            self.refused();
            return written;
        }
        book.remember_uses(&here);
        let mut ended: Vec<AccountId> = here.accounts().map(|it| it.id).collect();
        ended.extend(book.accounts().map(|it| it.id));
        self.put_in_force(book, ended, vec![entry]);
        Ok(())
    }
}

/// Whose a row is.
fn owner(json: &[u8]) -> Result<AccountId, StorageError> {
    #[derive(Deserialize)]
    struct Owned {
        account: AccountId,
    }
    let owned: Result<Owned, _> = serde_json::from_slice(json);
    owned.map(|it| it.account).map_err(|_| StorageError::damaged("a row is nobody's"))
}
