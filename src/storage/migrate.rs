//! The shape of the tables has a number. An older file is brought up to date when it is opened.

use super::{StorageError, Writing, tables::meta};

/// The shape this program writes.
pub const VERSION: u32 = 1;

/// One step: what it starts from, and how it gets to the next number, inside the caller's transaction.
pub struct Migration {
    /// The number it starts from.
    pub from: u32,
    /// What it changes.
    pub run: fn(&Writing) -> Result<(), StorageError>,
}

/// Every step there ever was, in order. A file that was written by the first release goes through all.
const MIGRATIONS: &[Migration] = &[];

/// Brings the file to [`VERSION`], all steps or none. A new file only gets its number.
///
/// # Errors
/// [`StorageError::Newer`] for a file of a later version, which is left as it is.
pub fn migrate(tx: &Writing) -> Result<(), StorageError> {
    migrate_with(tx, VERSION, MIGRATIONS)
}

fn migrate_with(tx: &Writing, known: u32, steps: &[Migration]) -> Result<(), StorageError> {
    let mut table = meta::open(tx)?;
    let found = match meta::find(&table, meta::VERSION)? {
        Some(it) => it.parse().map_err(|_| StorageError::damaged("its version is no number"))?,
        None => known,
    };
    if found > known {
        return Err(StorageError::Newer { found, known });
    }
    drop(table);
    for version in found..known {
        let step = steps.iter().find(|it| it.from == version);
        let step = step.ok_or_else(|| {
            StorageError::damaged(format!("there is no way up from its version {version}"))
        })?;
        (step.run)(tx)?;
    }
    table = meta::open(tx)?;
    meta::set(&mut table, meta::VERSION, &known.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Database;
    use redb::backends::InMemoryBackend;

    fn note(tx: &Writing, key: &str) -> Result<(), StorageError> {
        let mut table = meta::open(tx)?;
        let so_far = meta::find(&table, "steps")?.unwrap_or_default();
        meta::set(&mut table, "steps", &format!("{so_far}{key}"))
    }

    const STEPS: &[Migration] = &[
        Migration { from: 1, run: |tx| note(tx, "a") },
        Migration { from: 2, run: |tx| note(tx, "b") },
    ];

    fn read(database: &Database, key: &str) -> Option<String> {
        database.read(|tx| meta::find(&meta::look(tx)?, key)).unwrap()
    }

    #[test]
    fn an_older_file_goes_through_every_step_once_and_a_newer_one_is_left_alone() {
        let database = Database::open_on(InMemoryBackend::new()).unwrap();
        database.write(|tx| migrate_with(tx, 1, &[])).unwrap();
        for _ in 0..2 {
            database.write(|tx| migrate_with(tx, 3, STEPS)).unwrap();
            assert_eq!(read(&database, "steps").as_deref(), Some("ab"));
            assert_eq!(read(&database, meta::VERSION).as_deref(), Some("3"));
        }
        let refused = database.write(|tx| migrate_with(tx, 2, STEPS)).unwrap_err();
        assert!(matches!(refused, StorageError::Newer { found: 3, known: 2 }), "{refused}");
        assert_eq!(read(&database, meta::VERSION).as_deref(), Some("3"));
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let database = Database::open_on(InMemoryBackend::new()).unwrap();
        database.write(|tx| migrate_with(tx, 1, &[])).unwrap();
        let steps = [
            Migration { from: 1, run: |tx| note(tx, "a") },
            Migration { from: 2, run: |_| Err(StorageError::damaged("on purpose")) },
        ];
        assert!(database.write(|tx| migrate_with(tx, 3, &steps)).is_err());
        assert_eq!(read(&database, "steps"), None);
        assert_eq!(read(&database, meta::VERSION).as_deref(), Some("1"));
    }
}
