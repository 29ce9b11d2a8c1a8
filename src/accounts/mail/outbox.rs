//! The folder that mails go to while nothing is there to send them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Written, eml::eml};

/// Its name in the data folder.
pub const FOLDER: &str = "outbox";
/// Most mails in it; the oldest make room.
const MOST_KEPT: usize = 1_000;

/// Puts a mail into the folder, whole or not at all; answers where. The same mail again replaces itself.
/// One at a time. Blocking.
///
/// # Errors
/// What the file system says.
pub(super) fn put(
    data: &Path,
    mail: &Written,
    from: &str,
    reply_to: Option<&str>,
) -> io::Result<PathBuf> {
    let folder = data.join(FOLDER);
    private_folder(&folder)?;
    // In the order of time. The id keeps two of one moment apart.
    let (when, kind) = (mail.created_at.compact(), mail.kind);
    let path = folder.join(format!("{when}-{kind}-{}.eml", mail.id.simple()));
    let part = path.with_extension("eml.part");
    let written =
        write_privately(&part, &eml(mail, from, reply_to)).and_then(|()| fs::rename(&part, &path));
    if written.is_err() {
        let _ = fs::remove_file(&part); // It may not be there; the error that matters is the first.
    }
    written?;
    make_room(&folder)?;
    Ok(path)
}

/// Makes the folder, for this user alone.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file that this user alone may read: it holds links that sign in.
fn write_privately(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes what a crash left, and the oldest mails beyond the limit.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut mails = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.extension().and_then(|it| it.to_str()) {
            Some("part") => fs::remove_file(&path)?,
            Some("eml") => mails.push(path),
            _ => {}
        }
    }
    mails.sort_unstable();
    for path in mails.iter().take(mails.len().saturating_sub(MOST_KEPT)) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::mail::tests::alert;

    fn list(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_make_room_and_leftovers_go() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join(FOLDER);
        fs::create_dir(&folder).unwrap();
        for it in 0..MOST_KEPT {
            fs::write(folder.join(format!("20200101T{it:06}Z-x-1.eml")), "").unwrap();
        }
        fs::write(folder.join("20200101T000000Z-x-1.eml.part"), "half").unwrap();
        fs::write(folder.join("notes.txt"), "of somebody").unwrap();
        let mail = Written::new(&alert());
        let path = put(data.path(), &mail, "a@example.com", None).unwrap();
        assert_eq!(put(data.path(), &mail, "a@example.com", None).unwrap(), path, "the same again");
        let left = list(&folder);
        assert_eq!(left.len(), MOST_KEPT + 1, "a thousand mails and the notes");
        assert!(path.is_file() && !left.contains(&"20200101T000000Z-x-1.eml".to_owned()));
        assert!(!left.iter().any(|it| it.ends_with(".part")));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let data = tempfile::tempdir().unwrap();
        let mail = Written::new(&alert());
        let path = put(data.path(), &mail, "a@example.com", None).unwrap();
        let mode = |it: &Path| fs::metadata(it).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&data.path().join(FOLDER))), (0o600, 0o700));
    }
}
