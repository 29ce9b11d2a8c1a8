//! A folder that receives exported files, and what of them it already holds.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    EXPORTS,
    document::{Document, Visibility, is_file_of},
    manifest,
    replace_file::{remove_leftovers, replace_file},
};

/// Why an exported file was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file system refused; `path` is the file or its folder.
    #[error("`{path}` cannot be written: {error}")]
    Write {
        /// What could not be written.
        path: PathBuf,
        /// What the file system says.
        error: io::Error,
    },
    /// Everything below the publish root is public, and the exports folder is there.
    #[error(
        "the publish root `{0}` holds the exports folder, where files stand that are not public: \
         name another one"
    )]
    PublishesEverything(PathBuf),
}

impl ExportError {
    /// A stable word for the kind, for telemetry.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Write { .. } => "unwritable",
            Self::PublishesEverything(_) => "publish_root",
        }
    }

    /// One sentence for telemetry, which is public: without the paths of this machine.
    #[must_use]
    pub fn public_message(&self) -> String {
        match self {
            Self::Write { error, .. } => format!("exported files cannot be written: {error}"),
            Self::PublishesEverything(_) => {
                "the publish root holds the exports folder and is not written to".to_owned()
            }
        }
    }
}

/// Who may have what is written to a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Audience {
    /// The folder is ours: every file.
    Everything,
    /// The folder is published.
    Published {
        /// Files for the dashboards are published too.
        dashboard_only_too: bool,
        /// Our own folder, which must not be published by accident.
        exports_dir: PathBuf,
    },
}

/// A folder that receives exported files.
#[derive(Debug)]
pub(super) struct Target {
    root: PathBuf,
    audience: Audience,
    /// Hashes of the files as they were last written here.
    holds: BTreeMap<&'static str, [u8; 32]>,
    /// Whether another process may be writing here at this moment: what it has not finished is left alone.
    is_shared: bool,
    /// Whether what earlier processes left here was looked for.
    is_clean: bool,
    /// Whether the last round failed and that has been told.
    pub is_failing: bool,
}

impl Target {
    pub(super) fn new(root: PathBuf, audience: Audience) -> Self {
        Self {
            root,
            audience,
            holds: BTreeMap::new(),
            is_shared: false,
            is_clean: false,
            is_failing: false,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What it is, in a word that may be read by everyone.
    pub(super) fn name(&self) -> &'static str {
        match self.audience {
            Audience::Everything => "exports_dir",
            Audience::Published { .. } => "publish_root",
        }
    }

    /// Goes on with another audience: files written here that are no longer for it are removed at the
    /// next [`Target::write`].
    pub(super) fn set_audience(&mut self, audience: Audience) {
        self.is_clean &= self.audience == audience;
        self.audience = audience;
    }

    /// Another process writes here too.
    pub(super) fn share(&mut self) {
        self.is_shared = true;
    }

    fn takes(&self, visibility: Visibility) -> bool {
        match self.audience {
            Audience::Everything => true,
            Audience::Published { dashboard_only_too, .. } => {
                visibility.is_published(dashboard_only_too)
            }
        }
    }

    /// Writes those of `documents` that this folder should hold and does not, the manifest last; true
    /// when there were any. A failure keeps none of the others back; failed ones are tried again the
    /// next time.
    ///
    /// # Errors
    /// The first failure.
    pub(super) fn write(&mut self, documents: &[&Document]) -> Result<bool, ExportError> {
        let mut outdated: Vec<_> = documents
            .iter()
            .filter(|it| {
                let is_outdated = self.holds.get(it.path()) != Some(it.sha256());
                is_outdated && self.takes(it.export.visibility)
            })
            .collect();
        outdated.sort_by_key(|it| it.path() == manifest::EXPORT.path);
        if outdated.is_empty() && self.is_clean {
            return Ok(false);
        }

        self.prepare()?;
        let mut outcome = Ok(true);
        for document in outdated {
            let path = document.export.path_in(&self.root);
            let folder = path.parent().unwrap_or(&self.root);
            match fs::create_dir_all(folder).and_then(|()| replace_file(&path, document.bytes())) {
                Ok(()) => drop(self.holds.insert(document.path(), *document.sha256())),
                Err(error) => outcome = outcome.and(Err(ExportError::Write { path, error })),
            }
        }
        outcome
    }

    /// Makes the folder, sees that it may be published, and removes what killed writings left and what is no longer
    /// for its audience.
    fn prepare(&mut self) -> Result<(), ExportError> {
        let refused = |error| ExportError::Write { path: self.root.clone(), error };
        fs::create_dir_all(&self.root).map_err(refused)?;
        if let Audience::Published { exports_dir, .. } = &self.audience {
            // The exports folder may be missing; then nothing of it can be published.
            let root = self.root.canonicalize().map_err(refused)?;
            if exports_dir.canonicalize().is_ok_and(|it| it.starts_with(root)) {
                return Err(ExportError::PublishesEverything(self.root.clone()));
            }
        }
        if !self.is_clean {
            if !self.is_shared {
                remove_leftovers(&self.root).map_err(refused)?;
            }
            self.take_back()?;
            self.is_clean = true;
        }
        Ok(())
    }

    /// Removes the files that were for this folder's audience once and are no more, also those that an earlier process
    /// wrote. What somebody else put there under such a name is theirs.
    fn take_back(&mut self) -> Result<(), ExportError> {
        let others: Vec<_> = EXPORTS.iter().filter(|it| !self.takes(it.visibility)).collect();
        for export in others {
            let path = export.path_in(&self.root);
            let removed = match fs::read(&path) {
                Ok(bytes) if is_file_of(export, &bytes) => fs::remove_file(&path),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            self.holds.remove(export.path);
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ExportError::Write { path, error });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
