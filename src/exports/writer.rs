//! Decides which exported files are due, makes them, and has them written. Blocking.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    EXPORTS,
    document::{Content, Document, Export, Sources, UNKNOWN_MOMENT, at_moment},
    manifest, runtime_snapshot,
    target::{Audience, ExportError, Target},
};
use crate::{
    model::Timestamp,
    telemetry::{Severity, Telemetry},
};

/// Age of a heartbeat from which nobody believes that the runtime lives (ms).
pub const STALE_AFTER_MS: i64 = 15_000;

/// A file that changes all the time takes one part in this many of a core, however many rooms it is of.
const SHARE: u32 = 10;
/// The longest that a file that changed waits for its turn.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How much of the exports a round makes anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// What changed.
    Changed,
    /// What changed, and what differs at every look.
    Live,
    /// Everything.
    All,
}

/// Keeps the exported files as they should be.
pub(super) struct Writer {
    exports: Target,
    published: Option<Target>,
    /// Every file as it was last made, in the order of [`EXPORTS`].
    pub(super) documents: BTreeMap<usize, Made>,
}

/// A file as it was last made, and how to tell whether it has changed since.
pub(super) struct Made {
    document: Document,
    revision: u64,
    at: Timestamp,
    /// Until when a change waits, because making it takes long.
    pub(super) rests_until: Instant,
}

impl Made {
    fn new(document: Document, revision: u64, at: Timestamp) -> Self {
        Self { document, revision, at, rests_until: Instant::now() }
    }
}

impl Writer {
    /// For the exports folder `dir`. Nothing is written yet.
    pub(super) fn new(dir: PathBuf) -> Self {
        let exports = Target::new(dir, Audience::Everything);
        Self { exports, published: None, documents: BTreeMap::new() }
    }

    /// Makes what is due and writes what is missing, also from earlier rounds. A failure is told to
    /// telemetry and the log, once for as long as it lasts.
    pub(super) fn round(&mut self, sources: &Sources, due: Due, now: Timestamp) {
        let config = &sources.config.system.exports;
        self.publish_to(config.publish_root.as_deref(), config.publish_dashboard_too);
        self.make(sources, due, now);
        let documents: Vec<_> = self.documents.values().map(|it| &it.document).collect();
        for target in [Some(&mut self.exports), self.published.as_mut()].into_iter().flatten() {
            let outcome = target.write(&documents);
            report(target, outcome, &sources.telemetry);
        }
    }

    /// Mirrors to `root` from now on, or to no folder at all.
    fn publish_to(&mut self, root: Option<&Path>, dashboard_only_too: bool) {
        let exports_dir = self.exports.root().to_owned();
        let audience = Audience::Published { dashboard_only_too, exports_dir };
        match (root, &mut self.published) {
            (None, published) => *published = None,
            (Some(root), Some(target)) if target.root() == root => target.set_audience(audience),
            (Some(root), published) => *published = Some(Target::new(root.to_owned(), audience)),
        }
    }

    /// Makes the files that are due, and the manifest when that made any other.
    fn make(&mut self, sources: &Sources, due: Due, now: Timestamp) {
        let mut made_any = false;
        for (index, export) in EXPORTS.iter().enumerate() {
            if let Some(made) = self.make_one(index, export, sources, due, now) {
                self.documents.insert(index, made);
                made_any = true;
            }
        }
        if made_any {
            let document = manifest::render(self.documents.values().map(|it| &it.document), now);
            self.documents.insert(EXPORTS.len() - 1, Made::new(document, 0, now));
        }
    }

    fn make_one(
        &mut self,
        index: usize,
        export: &'static Export,
        sources: &Sources,
        due: Due,
        now: Timestamp,
    ) -> Option<Made> {
        match export.content {
            Content::Manifest => None,
            Content::Live(render) => (due != Due::Changed)
                .then(|| Made::new(Document::new(export, render(sources, now)), 0, now)),
            Content::OfAccounts(render) => {
                let accounts = sources.accounts.as_ref()?;
                let render = |at| render(accounts, at);
                self.make_changed(index, export, due, accounts.revision(), render, now)
            }
            Content::OnChange { render, revision } | Content::OfRooms { render, revision } => {
                let render = |at| Some(render(sources, at));
                self.make_changed(index, export, due, revision(sources), render, now)
            }
        }
    }

    /// Makes a file whose content is another one than before; `None` when it is the same, or cannot be had now.
    fn make_changed(
        &mut self,
        index: usize,
        export: &'static Export,
        due: Due,
        revision: u64,
        render: impl Fn(Timestamp) -> Option<Vec<u8>>,
        now: Timestamp,
    ) -> Option<Made> {
        let began = Instant::now();
        let before = self.documents.get_mut(&index).filter(|_| due != Due::All);
        if before.as_ref().is_some_and(|it| it.revision == revision || began < it.rests_until) {
            return None;
        }
        // Made once, whether it turns out to be another or not.
        let timeless = render(UNKNOWN_MOMENT)?;
        let rests_until = |began: Instant| {
            let rest = (began.elapsed() * SHARE).min(LONGEST_REST);
            began + rest
        };
        if let Some(before) = before
            && at_moment(&timeless, before.at) == before.document.bytes()
        {
            (before.revision, before.rests_until) = (revision, rests_until(began));
            return None;
        }
        let made = Made::new(Document::new(export, at_moment(&timeless, now)), revision, now);
        Some(Made { rests_until: rests_until(began), ..made })
    }
}

/// Tells about the first failure of a row, and about its end.
fn report(target: &mut Target, outcome: Result<bool, ExportError>, telemetry: &Telemetry) {
    let folder = target.root().display().to_string();
    match outcome {
        Err(error) if !target.is_failing => {
            target.is_failing = true;
            tracing::error!(%error, folder, "exports cannot be written, trying again every second");
            let (kind, message) = (error.kind(), error.public_message());
            telemetry.recent.error("exports", kind, target.name(), message);
        }
        Ok(true) if target.is_failing => {
            target.is_failing = false;
            tracing::info!(folder, "exports are written again");
            let message = format!("files are written to {} again", target.name());
            telemetry.recent.event(Severity::Info, "exports", message);
        }
        _ => {}
    }
}

/// Writes every export to `dir` once, and the published ones to `publish_root` too; for a server that
/// does not run. Returns the names of the files written to `dir`. Blocking.
///
/// Where the files in `dir` are those of a server that runs now (its heartbeat is fresh), what only that
/// server knows stays as it is, and is published as it is.
///
/// # Errors
/// The first failure; everything else was written all the same.
pub fn write_once(
    sources: &Sources,
    dir: &Path,
    publish_root: Option<&Path>,
    publish_dashboard_too: bool,
    now: Timestamp,
) -> Result<Vec<&'static str>, ExportError> {
    let mut writer = Writer::new(dir.to_owned());
    writer.publish_to(publish_root, publish_dashboard_too);
    writer.make(sources, Due::All, now);
    let made = std::mem::take(&mut writer.documents);
    let mut documents: Vec<Document> = made.into_values().map(|it| it.document).collect();

    let beside_a_server = sources.hub.is_none() && has_fresh_heartbeat(dir, now);
    if beside_a_server {
        let targets = [Some(&mut writer.exports), writer.published.as_mut()];
        targets.into_iter().flatten().for_each(Target::share);
    }
    let kept = if beside_a_server {
        keep_what_the_server_knows(&mut documents, dir, now)
    } else {
        Vec::new()
    };
    // What is said of accounts by a server that ran before stands, and is still listed.
    let mut kept = kept;
    if sources.accounts.is_none() {
        let mut found = Vec::new();
        for export in EXPORTS.iter().filter(|it| matches!(it.content, Content::OfAccounts(_))) {
            if let Ok(bytes) = fs::read(export.path_in(dir)) {
                found.push(Document::new(export, bytes));
                kept.push(export.path);
            }
        }
        if !found.is_empty() {
            // The manifest stays the last.
            let at = documents.len().saturating_sub(1);
            documents.splice(at..at, found);
            list_anew(&mut documents, now);
        }
    }
    let all: Vec<_> = documents.iter().collect();
    let ours: Vec<_> = all.iter().copied().filter(|it| !kept.contains(&it.path())).collect();
    let exported = writer.exports.write(&ours);
    let published = writer.published.map_or(Ok(false), |mut it| it.write(&all));
    exported.and(published)?;
    Ok(ours.iter().map(|it| it.path()).collect())
}

/// Puts the running server's own files in the place of ours; returns their names.
fn keep_what_the_server_knows(
    documents: &mut [Document],
    dir: &Path,
    now: Timestamp,
) -> Vec<&'static str> {
    let mut kept = Vec::new();
    for document in &mut *documents {
        let export = document.export;
        let needs_rooms = matches!(export.content, Content::Live(_) | Content::OfRooms { .. });
        if needs_rooms && let Ok(bytes) = fs::read(export.path_in(dir)) {
            *document = Document::new(export, bytes);
            kept.push(export.path);
        }
    }
    list_anew(documents, now);
    kept
}

/// Puts a manifest of `documents` in the place of the one among them.
fn list_anew(documents: &mut [Document], now: Timestamp) {
    let list = manifest::render(documents.iter(), now);
    if let Some(document) = documents.iter_mut().find(|it| it.path() == list.path()) {
        *document = list;
    }
}

/// Whether a runtime has lately written to `dir`.
#[must_use]
pub fn has_fresh_heartbeat(dir: &Path, now: Timestamp) -> bool {
    let bytes = fs::read(runtime_snapshot::EXPORT.path_in(dir)).ok();
    let snapshot: Option<Value> = bytes.and_then(|it| serde_json::from_slice(&it).ok());
    let heartbeat = snapshot.as_ref().and_then(|it| it["heartbeat"].as_str());
    heartbeat
        .and_then(|it| Timestamp::parse(it).ok())
        .is_some_and(|it| now.ms_since(it).abs() < STALE_AFTER_MS)
}
