//! Opening the file: the tables are there, the shape is ours, and the numbering is one that nobody has seen.

use std::sync::Arc;

use super::index::Index;
use crate::{
    model::Timestamp,
    storage::{
        Database, StorageError, migrate,
        tables::{epochs, events, meta, rooms},
    },
};

/// Makes an open database ready for writing, and reads what is kept in memory.
///
/// After anything but a stop in order, a new epoch begins: the one before may have given numbers to clients
/// that never reached the disk, and those numbers are given again. It is one epoch for the whole file, and it
/// is on the disk before the first number is given, so that no client ever comes with one that is not known.
pub(super) fn prepare(database: &Database, generation: u64) -> Result<(Index, u32), StorageError> {
    database.write(|tx| {
        migrate(tx)?;
        events::make_all(tx)?;
        let mut known = epochs::list(tx)?;
        let mut table = meta::open(tx)?;
        let clean = meta::find(&table, meta::CLEAN)?.as_deref() == Some("true");
        let current = meta::find(&table, meta::EPOCH)?.and_then(|it| it.parse::<u32>().ok());
        let current = current.filter(|it| clean && known.iter().any(|known| known.0 == *it));
        let epoch = match current {
            Some(it) => it,
            None => {
                let number = known.iter().map(|it| it.0).max().unwrap_or(0) + 1;
                let name = new_epoch();
                epochs::add(tx, number, &name)?;
                known.push((number, name));
                number
            }
        };
        meta::set(&mut table, meta::EPOCH, &epoch.to_string())?;
        meta::set(&mut table, meta::CLEAN, "false")?;

        let list = rooms::list(tx)?;
        let next_number = list.iter().map(|it| it.number).max().unwrap_or(0) + 1;
        let known = known.into_iter().map(|(number, name)| (number, Arc::from(name))).collect();
        Ok((Index::new(generation, epoch, known, list), next_number))
    })
}

/// A name that nobody ever gave: the time, and chance.
pub fn new_epoch() -> String {
    let now = Timestamp::now().unix_ms().unsigned_abs();
    let chance = u128::from(rand::random::<u64>()) << 16 | u128::from(rand::random::<u16>());
    ulid::Ulid::from_parts(now, chance).to_string()
}
