//! The numberings of the file. Rows of events say the number, clients the name.

use redb::{ReadableTable, TableDefinition, TableError};

use crate::storage::{Reading, StorageError, Writing};

/// Key: the epoch's number, from 1. Value: its name, as clients see it.
const EPOCHS: TableDefinition<u32, &str> = TableDefinition::new("feed.epochs.v1");

/// All of them, in the order they were made.
///
/// # Errors
/// What the disk says.
pub fn list(tx: &Writing) -> Result<Vec<(u32, String)>, StorageError> {
    let table = tx.open_table(EPOCHS)?;
    let rows =
        table.iter()?.map(|row| row.map(|(key, name)| (key.value(), name.value().to_owned())));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds one.
///
/// # Errors
/// What the disk says.
pub fn add(tx: &Writing, number: u32, name: &str) -> Result<(), StorageError> {
    tx.open_table(EPOCHS)?.insert(number, name)?;
    Ok(())
}

/// Whether a file has this table at all: every feed log does, and nothing else.
///
/// # Errors
/// What the disk says.
pub fn is_there(tx: &Reading) -> Result<bool, StorageError> {
    match tx.open_table(EPOCHS) {
        Ok(_) => Ok(true),
        Err(TableError::TableDoesNotExist(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(in crate::storage) fn copy(from: &Reading, to: &Writing) -> Result<(), StorageError> {
    super::copy_rows(EPOCHS, from, to)
}
