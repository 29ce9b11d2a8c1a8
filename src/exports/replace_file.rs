//! The one place that puts a file in another's place.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::EXPORTS;

/// Replaces `path` with `bytes` whole or not at all, and durably once it returns `Ok`.
///
/// A reader (a static site, a backup) sees the old file or the new one, never half of each. The folder
/// must exist. What a failure leaves is removed here, and what a crash leaves by
/// [`remove_leftovers`]. Blocking.
///
/// # Errors
/// What the file system says; the old file is untouched then, except that after a failed sync of the
/// folder the new one may already stand there.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|it| it.is_dir()).ok_or(io::ErrorKind::NotFound)?;
    // Beside the target: a rename is atomic only within one file system. The process in the name keeps
    // a server and an `export` by hand from writing into each other's file.
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));

    let written = write_durably(part.as_ref(), bytes).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part); // It may not be there; the error that matters is the first.
    }
    written?;
    sync_folder(folder)
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all() // The bytes reach the disk before the name points at them.
}

/// Unix: makes the rename itself survive a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A relative path of one name has an empty parent.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be synced, and need not be.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what killed writings of our own files left below `dir`, and nothing else; returns how many.
///
/// To be called before the first writing. A folder that is not there holds nothing. Blocking.
///
/// # Errors
/// The first thing the file system refused; the rest was removed all the same.
pub fn remove_leftovers(dir: &Path) -> io::Result<usize> {
    let mut removed = 0;
    let mut refused = Ok(());
    let mut folders: Vec<_> =
        EXPORTS.iter().filter_map(|it| it.path_in(dir).parent().map(Path::to_owned)).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        match remove_leftovers_in(&folder, dir) {
            Ok(count) => removed += count,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => refused = refused.and(Err(error)),
        }
    }
    refused.map(|()| removed)
}

fn remove_leftovers_in(folder: &Path, dir: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = EXPORTS.iter().map(|it| it.path_in(dir)).any(|export| {
            export.parent() == path.parent() && is_part_of(path.file_name(), export.file_name())
        });
        if ours {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether `name` is `version.json.part` or `version.json.123.part`, for `export` as `version.json`.
fn is_part_of(name: Option<&OsStr>, export: Option<&OsStr>) -> bool {
    let text = |it: Option<&OsStr>| it.and_then(|it| it.to_str().map(str::to_owned));
    let (Some(name), Some(export)) = (text(name), text(export)) else { return false };
    let middle = name.strip_prefix(&export).and_then(|it| it.strip_suffix(".part"));
    middle.is_some_and(|it| {
        let number = it.strip_prefix('.').unwrap_or(it);
        number.bytes().all(|it| it.is_ascii_digit()) && (it.is_empty() || !number.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;

    fn list(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_reader_never_sees_half_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("version.json");
        let version = |it: u8| vec![b'a' + it % 26; 50_000 + usize::from(it) * 100];
        replace_file(&path, &version(0)).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !done.load(Ordering::Relaxed) || reads == 0 {
                    let bytes = fs::read(&path).unwrap();
                    assert_eq!(bytes, version(bytes[0] - b'a' + 26 * round_of(bytes.len())));
                    reads += 1;
                }
            });
            for it in 0..200 {
                replace_file(&path, &version(it)).unwrap();
            }
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
        });
        assert_eq!(list(folder.path()), ["version.json"]);
    }

    /// How often the alphabet was gone through in the version of that length.
    fn round_of(len: usize) -> u8 {
        u8::try_from((len - 50_000) / 100 / 26).unwrap()
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("version.json");
        fs::create_dir(&path).unwrap(); // A folder cannot be replaced by a file.
        assert!(replace_file(&path, b"{}").is_err());
        assert!(path.is_dir());
        assert_eq!(list(folder.path()), ["version.json"]);
        let missing = folder.path().join("missing").join("version.json");
        assert_eq!(replace_file(&missing, b"{}").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn only_our_own_leftovers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let telemetry = folder.path().join("telemetry");
        fs::create_dir(&telemetry).unwrap();
        let ours = ["version.json.part", "meta.json.4711.part"];
        let theirs = ["version.json", "film.part", "version.json.old.part", "version.json..part"];
        for name in ours.iter().chain(&theirs) {
            fs::write(folder.path().join(name), "{").unwrap();
        }
        fs::write(telemetry.join("rates.json.7.part"), "{").unwrap();
        fs::write(telemetry.join("version.json.part"), "{").unwrap();

        assert_eq!(remove_leftovers(folder.path()).unwrap(), 3);
        let mut left = theirs.to_vec();
        left.push("telemetry");
        left.sort_unstable();
        assert_eq!(list(folder.path()), left);
        assert_eq!(list(&telemetry), ["version.json.part"]);
        assert_eq!(remove_leftovers(&folder.path().join("missing")).unwrap(), 0);
    }
}
