//! What accounts are made of: rows of JSON by kind and key, in one table, so that a change of several is one.

use std::ops::Bound;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition, TableError};

use crate::storage::{Reading, StorageError, Writing};

/// Key: kind, `/`, the key within it. Value: JSON.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records.v1");

/// A row that is set, or with `None` removed: `kind/key` and its JSON.
pub type RecordChange = (String, Option<Vec<u8>>);

/// Sets and removes rows.
///
/// # Errors
/// What the disk says.
pub fn set<'a>(
    tx: &Writing,
    changes: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<(), StorageError> {
    let mut table = tx.open_table(RECORDS)?;
    for (key, row) in changes {
        match row {
            Some(row) => drop(table.insert(key, row)?),
            None => drop(table.remove(key)?),
        }
    }
    Ok(())
}

/// Hands every row but those of one kind to `take`: `kind/key` and its JSON, in the order of keys.
///
/// # Errors
/// Those of `take`, and what the disk says.
pub fn each_but(
    tx: &Reading,
    kind: &str,
    mut take: impl FnMut(&str, &[u8]) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let table = match tx.open_table(RECORDS) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let (first, end) = bounds(kind);
    for row in table.range::<&str>(..&*first)?.chain(table.range::<&str>(&*end..)?) {
        let (key, json) = row?;
        take(key.value(), json.value())?;
    }
    Ok(())
}

/// Whether there is such a table.
///
/// # Errors
/// What the disk says.
pub fn is_there(tx: &Reading) -> Result<bool, StorageError> {
    match tx.open_table(RECORDS) {
        Ok(_) => Ok(true),
        Err(TableError::TableDoesNotExist(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes the table away.
///
/// # Errors
/// What the disk says.
pub fn remove(tx: &Writing) -> Result<(), StorageError> {
    tx.delete_table(RECORDS)?;
    Ok(())
}

/// Copies at most `limit` rows behind `after`, without some kinds; answers where to go on, or `None` at the end.
///
/// # Errors
/// What the disk says.
pub(in crate::storage) fn copy(
    from: &Reading,
    to: &Writing,
    after: Option<&str>,
    limit: usize,
    but: &[&str],
) -> Result<Option<String>, StorageError> {
    let mut to = to.open_table(RECORDS)?;
    let from = match from.open_table(RECORDS) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let first = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut last = None;
    for (count, row) in from.range::<&str>((first, Bound::Unbounded))?.enumerate() {
        if count == limit {
            return Ok(last);
        }
        let (key, json) = row?;
        let kind = key.value().split_once('/').map_or("", |it| it.0);
        if !but.contains(&kind) {
            to.insert(key.value(), json.value())?;
        }
        last = Some(key.value().to_owned());
    }
    Ok(None)
}

/// Copies the rows of one kind.
///
/// # Errors
/// What the disk says.
pub fn copy_kind(from: &Reading, to: &Writing, kind: &str) -> Result<(), StorageError> {
    let mut to = to.open_table(RECORDS)?;
    let from = match from.open_table(RECORDS) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let (first, end) = bounds(kind);
    for row in from.range::<&str>(&*first..&*end)? {
        let (key, json) = row?;
        to.insert(key.value(), json.value())?;
    }
    Ok(())
}

/// At most `limit` rows of a kind whose keys come before `before`, the last first: keys and JSON.
///
/// # Errors
/// What the disk says.
pub fn list_before(
    tx: &Reading,
    kind: &str,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
    let table = match tx.open_table(RECORDS) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let (first, mut end) = bounds(kind);
    if let Some(before) = before {
        end = format!("{first}{before}");
    }
    if end <= first {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let range = table.range::<&str>((Bound::Excluded(&*first), Bound::Excluded(&*end)))?;
    for row in range.rev().take(limit) {
        let (key, json) = row?;
        found.push((key.value()[first.len()..].to_owned(), json.value().to_vec()));
    }
    Ok(found)
}

/// How many rows there are, of all kinds.
///
/// # Errors
/// What the disk says.
pub fn count(tx: &Reading) -> Result<u64, StorageError> {
    match tx.open_table(RECORDS) {
        Ok(table) => Ok(table.len()?),
        Err(TableError::TableDoesNotExist(_)) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The first key of a kind.
///
/// # Errors
/// What the disk says.
pub fn find_first(tx: &Reading, kind: &str) -> Result<Option<String>, StorageError> {
    let table = match tx.open_table(RECORDS) {
        Ok(it) => it,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (first, end) = bounds(kind);
    let row = table.range::<&str>(&*first..&*end)?.next().transpose()?;
    Ok(row.map(|it| it.0.value()[first.len()..].to_owned()))
}

/// Removes rows of a kind whose keys come before `before`, at most `limit`, the first first; answers how many.
///
/// # Errors
/// What the disk says.
pub fn remove_before(
    tx: &Writing,
    kind: &str,
    before: &str,
    limit: usize,
) -> Result<usize, StorageError> {
    let mut table = tx.open_table(RECORDS)?;
    let (first, _) = bounds(kind);
    let end = format!("{first}{before}");
    let mut keys = Vec::new();
    if end > first {
        for row in
            table.range::<&str>((Bound::Excluded(&*first), Bound::Excluded(&*end)))?.take(limit)
        {
            keys.push(row?.0.value().to_owned());
        }
    }
    for key in &keys {
        table.remove(key.as_str())?;
    }
    Ok(keys.len())
}

/// What a kind's keys lie between; `0` is what follows `/`.
fn bounds(kind: &str) -> (String, String) {
    (format!("{kind}/"), format!("{kind}0"))
}
