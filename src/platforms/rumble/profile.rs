//! The browser's profile: one folder, one browser at a time.
//!
//! The sign-in that a person made by hand is in it, so it is kept, and never shared with another program.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// The name of the folder, in the data folder.
const FOLDER: &str = "rumble-profile";
/// How often it is looked whether a browser has ended, before it is told so with force (count).
const ORPHAN_LOOKS: u32 = 60;
const ORPHAN_LOOK_EVERY: Duration = Duration::from_millis(50);
/// What Chromium leaves behind when it is killed. Once the host's name has changed, every start fails over
/// it.
const LEFT_BEHIND: [&str; 3] = ["SingletonLock", "SingletonCookie", "SingletonSocket"];

/// The profile, locked for this process until dropped.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    _lock: File,
}

/// Why the profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Another program has it.
    #[error("the browser's profile {} is in use: by a server, or by `streamsuites rumble login`", .0.display())]
    InUse(PathBuf),
    /// The disk.
    #[error("the browser's profile {} cannot be used: {reason}", .0.display(), reason = .1)]
    Unusable(PathBuf, io::Error),
}

impl Profile {
    /// Where it is in a data folder.
    #[must_use]
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(FOLDER)
    }

    /// Whether there is one: somebody signed in, or a browser was started before.
    #[must_use]
    pub fn exists(data_dir: &Path) -> bool {
        Self::path(data_dir).join("Default").is_dir()
    }

    /// Locks it, and makes it when there is none. Blocking.
    ///
    /// # Errors
    /// When another program has it, or the disk refuses.
    pub fn lock(data_dir: &Path) -> Result<Self, ProfileError> {
        fs::create_dir_all(data_dir)
            .map_err(|it| ProfileError::Unusable(Self::path(data_dir), it))?;
        // Chromium runs in a folder of its own.
        let data_dir = fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        let folder = Self::path(&data_dir);
        let unusable = |error| ProfileError::Unusable(folder.clone(), error);
        make_private(&folder).map_err(unusable)?;
        let lock = File::create(data_dir.join(format!("{FOLDER}.lock"))).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ProfileError::InUse(folder)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        end_orphan(&folder);
        for name in LEFT_BEHIND {
            match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unusable(error));
                }
                _ => {}
            }
        }
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Ends the browser of a server that was killed: it still runs, and nobody else may have this profile.
fn end_orphan(folder: &Path) {
    // The lock is a link to `HOST-PROCESS`.
    let Ok(link) = fs::read_link(folder.join(LEFT_BEHIND[0])) else { return };
    let link = link.to_string_lossy().into_owned();
    let Some(process) = link.rsplit('-').next().and_then(|it| it.parse::<u32>().ok()) else {
        return;
    };
    let argument = format!("--user-data-dir={}", folder.display());
    // On systems without this folder nothing can be told, and nothing is ended.
    let runs = || {
        fs::read_to_string(format!("/proc/{process}/cmdline"))
            .is_ok_and(|it| it.split('\0').any(|it| it == argument))
    };
    for signal in ["-TERM", "-KILL"] {
        if !runs() {
            return;
        }
        tracing::warn!(process, "a browser that a killed server left behind is ended");
        let kill = Command::new("kill").args([signal, &process.to_string()]).status();
        if let Err(error) = kill {
            tracing::error!(%error, "it cannot be ended");
            return;
        }
        for _ in 0..ORPHAN_LOOKS {
            if !runs() {
                return;
            }
            std::thread::sleep(ORPHAN_LOOK_EVERY);
        }
    }
}

/// Whether this process runs as root: then Chromium has no sandbox to offer.
#[must_use]
pub fn is_root() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// Cookies are in it.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_one_user_at_a_time_and_loses_what_a_kill_left_behind() {
        let data = tempfile::tempdir().unwrap();
        assert!(!Profile::exists(data.path()));
        let profile = Profile::lock(data.path()).unwrap();
        let stale = profile.folder().join("SingletonLock");
        fs::write(&stale, "").unwrap();
        let error = Profile::lock(data.path()).unwrap_err();
        assert!(matches!(error, ProfileError::InUse(_)), "{error}");
        assert!(stale.exists(), "whoever has no lock touches nothing");
        drop(profile);
        Profile::lock(data.path()).unwrap();
        assert!(!stale.exists());
    }
}
