//! Small files of the data folder, as a copy carries them. The table is in no database that is in use but for the
//! moment between a copy taking the log's place and its being taken over.

use redb::{ReadableTable, TableDefinition, TableError};

use crate::storage::{Reading, StorageError, Writing};

/// Key: the file's name. Value: its text.
const FILES: TableDefinition<&str, &str> = TableDefinition::new("files.v1");

/// All of them by name; `None` when there is no such table.
///
/// # Errors
/// What the disk says.
pub fn list(tx: &Reading) -> Result<Option<Vec<(String, String)>>, StorageError> {
    let table = match tx.open_table(FILES) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let rows =
        table.iter()?.map(|row| row.map(|(name, it)| (name.value().into(), it.value().into())));
    Ok(Some(rows.collect::<Result<_, _>>()?))
}

/// Makes the table, with these in it.
///
/// # Errors
/// What the disk says.
pub fn set(tx: &Writing, files: &[(String, String)]) -> Result<(), StorageError> {
    let mut table = tx.open_table(FILES)?;
    for (name, text) in files {
        table.insert(name.as_str(), text.as_str())?;
    }
    Ok(())
}

/// Takes the table away.
///
/// # Errors
/// What the disk says.
pub fn remove(tx: &Writing) -> Result<(), StorageError> {
    tx.delete_table(FILES)?;
    Ok(())
}
