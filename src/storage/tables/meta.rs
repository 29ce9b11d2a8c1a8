//! What concerns the file as a whole.

use redb::{ReadableTable, Table, TableDefinition};

use crate::storage::{Reading, StorageError, Writing};

/// Key: a name. Value: text.
const META: TableDefinition<&str, &str> = TableDefinition::new("meta.v1");

/// The shape of the tables (a number).
pub const VERSION: &str = "version";
/// Of the numbering that is in force: its number in the table of epochs.
pub const EPOCH: &str = "epoch";
/// `true` while nobody writes: the last one stopped in order.
pub const CLEAN: &str = "clean";

/// For writing.
///
/// # Errors
/// What the disk says.
pub fn open<'tx>(tx: &'tx Writing) -> Result<Table<'tx, &'static str, &'static str>, StorageError> {
    Ok(tx.open_table(META)?)
}

/// For reading.
///
/// # Errors
/// What the disk says; a file without the table is damaged.
pub fn look(tx: &Reading) -> Result<redb::ReadOnlyTable<&'static str, &'static str>, StorageError> {
    Ok(tx.open_table(META)?)
}

/// The text of a name.
///
/// # Errors
/// What the disk says.
pub fn find(
    table: &impl ReadableTable<&'static str, &'static str>,
    name: &str,
) -> Result<Option<String>, StorageError> {
    Ok(table.get(name)?.map(|it| it.value().to_owned()))
}

/// Sets the text of a name.
///
/// # Errors
/// What the disk says.
pub fn set(
    table: &mut Table<'_, &'static str, &'static str>,
    name: &str,
    text: &str,
) -> Result<(), StorageError> {
    table.insert(name, text)?;
    Ok(())
}

pub(in crate::storage) fn copy(from: &Reading, to: &Writing) -> Result<(), StorageError> {
    super::copy_rows(META, from, to)
}
