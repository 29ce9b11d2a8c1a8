//! Providers' answers kept on disk: shown at once after a start, and while a provider is away.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// Longest first line of a file (bytes).
const MAX_HEADER_BYTES: usize = 1_024;

/// An answer as it is kept: a line of JSON, and then the body as it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) etag: Option<String>,
    /// When the provider was last asked.
    pub(super) checked_at: Timestamp,
    pub(super) body: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Header {
    etag: Option<String>,
    checked_at: Timestamp,
}

/// The folder of kept answers.
#[derive(Debug, Clone)]
pub(super) struct Store(PathBuf);

impl Store {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }

    /// What is kept under a name, if it is whole enough to be read.
    pub(super) async fn find(&self, name: &str) -> Option<Kept> {
        let content = Bytes::from(tokio::fs::read(self.path(name)).await.ok()?);
        let end = content.iter().take(MAX_HEADER_BYTES).position(|it| *it == b'\n')?;
        let Header { etag, checked_at } = serde_json::from_slice(&content[..end]).ok()?;
        Some(Kept { etag, checked_at, body: content.slice(end + 1..) })
    }

    /// Keeps an answer in the place of an earlier one, whole or not at all.
    pub(super) async fn keep(&self, name: &str, kept: &Kept) -> std::io::Result<()> {
        let header = Header { etag: kept.etag.clone(), checked_at: kept.checked_at };
        let mut content = serde_json::to_vec(&header)?;
        content.push(b'\n');
        content.extend_from_slice(&kept.body);
        tokio::fs::create_dir_all(&self.0).await?;
        let path = self.path(name);
        replace(&path, &content).await
    }
}

/// Not forced to disk: what a power cut leaves half written is not JSON, and is asked for again.
async fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("part");
    tokio::fs::write(&part, content).await?;
    tokio::fs::rename(&part, path).await
}
