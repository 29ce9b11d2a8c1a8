//! The pictures kept on disk: one file each, a line of JSON and then the picture.
//!
//! Nothing is served unless it is whole: every file carries the hash of its picture. That is also why
//! none is forced to disk: one that a power cut leaves half written is dropped like any other broken one.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{hash::hash_of, index::Index, kind::find_kind};
use crate::{lifecycle::Lifecycle, model::Timestamp};

/// Longest first line of a file (bytes).
const MAX_HEADER_BYTES: usize = 8_192;
/// A file's time of last use is written at most this often, for the order after a restart.
const TOUCH_EVERY: Duration = Duration::from_secs(3_600);

/// A picture as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Content type.
    pub(super) kind: &'static str,
    pub(super) bytes: Bytes,
    /// SHA-256 of the bytes, in hexadecimal.
    pub(super) sha256: String,
    /// Where it came from, and the platform's name for this state of it.
    pub(super) origin: Origin,
    /// When the platform was last asked for it.
    pub(super) checked_at: Timestamp,
}

/// Where a picture came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The address it was fetched from.
    pub(super) url: String,
    /// The `ETag` it was fetched with.
    pub(super) etag: Option<String>,
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Header {
    key: String,
    checked_at: Timestamp,
    origin: Origin,
    sha256: String,
}

/// The pictures on disk. Cheap to clone.
#[derive(Clone)]
pub(super) struct Cache {
    shared: Arc<Shared>,
    /// True once the folder has been looked through.
    ready: watch::Receiver<bool>,
    life: Lifecycle,
}

struct Shared {
    folder: PathBuf,
    index: Mutex<Index>,
    /// Whether the last write failed: an endless row of failures is logged once.
    failing: AtomicBool,
}

impl Cache {
    /// The pictures in `folder`, which is made when it is missing and looked through off the runtime.
    pub(super) fn open(folder: PathBuf, max_bytes: u64, life: Lifecycle) -> Self {
        let index = Mutex::new(Index::default());
        let shared = Arc::new(Shared { folder, index, failing: AtomicBool::new(false) });
        let (looked_through, ready) = watch::channel(false);
        let (of_scan, stop) = (shared.clone(), life.stop.clone());
        life.spawn_blocking(move || {
            if let Err(error) = of_scan.scan(max_bytes, || stop.is_cancelled()) {
                tracing::warn!(%error, "the kept pictures cannot be read");
            }
            looked_through.send_replace(true);
        });
        Self { shared, ready, life }
    }

    /// The picture kept for `key`, if it is whole.
    pub(super) async fn find(&self, key: &str) -> Option<Kept> {
        // An error means that the look through the folder panicked: then what it found has to do.
        let _ = self.ready.clone().wait_for(|it| *it).await;
        if !self.shared.index().touch(&name_of(key)) {
            return None;
        }
        let (shared, key) = (self.shared.clone(), key.to_owned());
        self.life.spawn_blocking(move || shared.read_or_drop(&key)).await.ok().flatten()
    }

    /// Keeps a picture for `key`, and evicts others until all take at most `max_bytes`.
    pub(super) async fn store(&self, key: &str, kept: Kept, max_bytes: u64) {
        let (shared, key) = (self.shared.clone(), key.to_owned());
        let work = move || match shared.write(&key, &kept, max_bytes) {
            Ok(()) => shared.failing.store(false, Ordering::Relaxed),
            Err(error) => {
                if !shared.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "pictures cannot be kept");
                }
            }
        };
        // An error means that the runtime ends, and then nobody asks for the picture again.
        let _ = self.life.spawn_blocking(work).await;
    }

    /// Forgets the picture of `key`.
    pub(super) async fn remove(&self, key: &str) {
        let (shared, name) = (self.shared.clone(), name_of(key));
        let _ = self.life.spawn_blocking(move || shared.drop_file(&name)).await; // As above.
    }
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists what an earlier run left, and removes what it left unfinished.
    fn scan(&self, max_bytes: u64, is_stopping: impl Fn() -> bool) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            if is_stopping() {
                return Ok(());
            }
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.strip_suffix(".part").is_some_and(is_ours) {
                let _ = fs::remove_file(entry.path()); // If it stays, the next start tries again.
            } else if is_ours(name)
                && let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push((used, name.to_owned(), metadata.len()));
            }
        }
        found.sort();
        let evicted = {
            let mut index = self.index();
            for (_, name, bytes) in found {
                index.insert(name, bytes);
            }
            index.evict(max_bytes)
        };
        self.remove_files(&evicted);
        Ok(())
    }

    fn read_or_drop(&self, key: &str) -> Option<Kept> {
        let name = name_of(key);
        let path = self.folder.join(&name);
        let kept = read(&path, key);
        if kept.is_none() {
            tracing::debug!(file = %path.display(), "a kept picture is broken and was dropped");
            self.drop_file(&name);
        }
        kept
    }

    fn write(&self, key: &str, kept: &Kept, max_bytes: u64) -> io::Result<()> {
        let header = Header {
            key: key.to_owned(),
            checked_at: kept.checked_at,
            origin: kept.origin.clone(),
            sha256: kept.sha256.clone(),
        };
        let mut header = serde_json::to_vec(&header)?;
        header.push(b'\n');
        let size = header.len() as u64 + kept.bytes.len() as u64;
        if size > max_bytes || header.len() > MAX_HEADER_BYTES {
            return Ok(()); // It would push out everything, itself included; or could not be read.
        }
        let name = name_of(key);
        let part = self.folder.join(format!("{name}.part"));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(&header)?;
            file.write_all(&kept.bytes)
        });
        if let Err(error) = written.and_then(|()| fs::rename(&part, self.folder.join(&name))) {
            let _ = fs::remove_file(&part); // If it stays, the next start removes it.
            return Err(error);
        }
        let evicted = {
            let mut index = self.index();
            index.insert(name, size);
            index.evict(max_bytes)
        };
        self.remove_files(&evicted);
        Ok(())
    }

    fn drop_file(&self, name: &str) {
        self.index().remove(name);
        self.remove_files(&[name.to_owned()]);
    }

    fn remove_files(&self, names: &[String]) {
        for name in names {
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file = name, %error, "a kept picture cannot be removed");
                }
                _ => {}
            }
        }
    }
}

/// The file's picture; `None` unless it is whole and of `key`.
fn read(path: &Path, key: &str) -> Option<Kept> {
    let mut file = File::open(path).ok()?;
    let mut content = Vec::new();
    file.read_to_end(&mut content).ok()?;
    let end = content.iter().take(MAX_HEADER_BYTES).position(|it| *it == b'\n')?;
    let header: Header = serde_json::from_slice(&content[..end]).ok()?;
    let bytes = Bytes::from(content).slice(end + 1..);
    if header.key != key || header.sha256 != hash_of(&bytes) {
        return None;
    }
    let metadata = file.metadata().ok();
    let used = metadata.and_then(|it| it.modified().ok()?.elapsed().ok());
    if used.is_some_and(|it| it > TOUCH_EVERY)
        && let Ok(file) = File::options().append(true).open(path)
    {
        let _ = file.set_modified(SystemTime::now()); // Only the order of eviction suffers.
    }
    let kind = find_kind(&bytes)?;
    let Header { checked_at, origin, sha256, .. } = header;
    Some(Kept { kind, bytes, sha256, origin, checked_at })
}

/// The file name of a key: nothing of a platform's text reaches the file system.
fn name_of(key: &str) -> String {
    hash_of(key.as_bytes())
}

/// Whether a file of the folder can be one of these: others are left alone.
fn is_ours(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 1_000_000;

    fn kept(body: &str) -> Kept {
        let origin = Origin { url: "http://cdn/1".into(), etag: Some("\"a\"".into()) };
        let bytes = Bytes::from([b"GIF89a", body.as_bytes()].concat());
        let checked_at = Timestamp::parse("2026-11-20T18:03:11.412Z").unwrap();
        Kept { kind: "image/gif", sha256: hash_of(&bytes), bytes, origin, checked_at }
    }

    fn open(folder: &Path) -> Cache {
        Cache::open(folder.to_owned(), MAX, Lifecycle::new())
    }

    #[tokio::test]
    async fn a_broken_file_is_dropped_and_never_served() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name_of("a"));
        open(folder.path()).store("a", kept("whole"), MAX).await;
        let whole = fs::read(&path).unwrap();
        assert_eq!(open(folder.path()).find("a").await, Some(kept("whole")));

        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        let cut = &whole[..whole.len() - 1];
        for broken in [&changed[..], cut, b"", b"{}\n", b"GIF89a"] {
            fs::write(&path, broken).unwrap();
            assert_eq!(open(folder.path()).find("a").await, None);
            assert!(!path.exists());
        }
    }

    #[tokio::test]
    async fn a_file_of_another_picture_is_not_served() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).store("a", kept("a"), MAX).await;
        let name = |key| folder.path().join(name_of(key));
        fs::rename(name("a"), name("b")).unwrap();
        assert_eq!(open(folder.path()).find("b").await, None);
    }

    #[tokio::test]
    async fn a_start_removes_what_was_left_unfinished_and_nothing_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join(format!("{}.part", name_of("a")));
        let others = ["notes.txt", "notes.part"].map(|it| folder.path().join(it));
        for path in others.iter().chain([&part]) {
            fs::write(path, "x").unwrap();
        }
        assert_eq!(open(folder.path()).find("a").await, None);
        assert!(!part.exists() && others.iter().all(|it| it.exists()));
    }

    #[tokio::test]
    async fn a_start_evicts_what_was_used_longest_ago() {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path());
        let mut bytes = 0;
        for (hour, key) in ["a", "b", "c"].into_iter().enumerate() {
            cache.store(key, kept(key), MAX).await;
            let file = File::options().append(true).open(folder.path().join(name_of(key))).unwrap();
            bytes = file.metadata().unwrap().len();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * hour as u64);
            file.set_modified(at).unwrap();
        }
        assert!(cache.find("a").await.is_some()); // And its file now says so.

        let cache = Cache::open(folder.path().to_owned(), 2 * bytes, Lifecycle::new());
        assert!(cache.find("b").await.is_none());
        assert!(cache.find("a").await.is_some() && cache.find("c").await.is_some());
        assert!(!folder.path().join(name_of("b")).exists());
    }
}
