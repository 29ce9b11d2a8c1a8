//! What every exported file has in common: a name, who may see it, a schema, and `meta`.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::Arc,
};

use memchr::memmem;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::chat_events::Newest;
use crate::{
    accounts::Accounts, boards::Boards, chat::Hub, config::Config, jobs::Jobs, model::Timestamp,
    quotas::Quotas, telemetry::Telemetry, triggers::Triggers,
};

/// What all files say they are from.
pub const SOURCE: &str = "runtime";
/// The version of the shapes that name one.
pub const SCHEMA_VERSION: &str = "v1";
/// Where the schemas are published.
const SCHEMAS: &str = "/schemas/exports/";

/// Who may see an exported file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Everyone.
    Public,
    /// The dashboards.
    DashboardOnly,
    /// The parts of this product.
    InternalOnly,
    /// Administrators.
    AdminOnly,
}

impl Visibility {
    /// Whether such files go to the publish root: public ones always, those of dashboards when that was
    /// asked for too, the others never.
    #[must_use]
    pub const fn is_published(self, dashboard_only_too: bool) -> bool {
        match self {
            Self::Public => true,
            Self::DashboardOnly => dashboard_only_too,
            Self::InternalOnly | Self::AdminOnly => false,
        }
    }
}

/// One exported file, as the table knows it.
pub struct Export {
    /// Below the exports folder, with `/` between folders.
    pub path: &'static str,
    /// Who may see it.
    pub visibility: Visibility,
    /// One sentence, for the manifest.
    pub description: &'static str,
    pub(super) json_schema: fn() -> Value,
    pub(super) content: Content,
}

/// Where the content of a file comes from.
pub(super) enum Content {
    /// Differs at every look; written on a short cadence.
    Live(fn(&Sources, Timestamp) -> Vec<u8>),
    /// Written when it changes.
    OnChange {
        render: fn(&Sources, Timestamp) -> Vec<u8>,
        /// A number that is another one whenever the content may have changed; cheap to ask for.
        revision: fn(&Sources) -> u64,
    },
    /// The same, of what only the runtime knows: left to a server that runs.
    OfRooms {
        render: fn(&Sources, Timestamp) -> Vec<u8>,
        /// As of [`Content::OnChange`].
        revision: fn(&Sources) -> u64,
    },
    /// Made of accounts, and written when they change; left as it is where they are not known, or while the disk
    /// refuses.
    OfAccounts(fn(&Accounts, Timestamp) -> Option<Vec<u8>>),
    /// Made from all the other files.
    Manifest,
}

impl Export {
    /// The file of this export in `dir`.
    #[must_use]
    pub fn path_in(&self, dir: &Path) -> PathBuf {
        let mut path = dir.to_owned();
        path.extend(self.path.split('/'));
        path
    }

    /// The name of its schema, e.g. `telemetry/rates.schema.json`.
    #[must_use]
    pub fn schema_name(&self) -> String {
        schema_name(self.path)
    }

    /// Its JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        (self.json_schema)()
    }
}

fn schema_name(path: &str) -> String {
    format!("{}.schema.json", path.strip_suffix(".json").unwrap_or(path))
}

/// An exported file at one moment.
#[derive(Clone)]
pub struct Document {
    /// Which file.
    pub export: &'static Export,
    bytes: Vec<u8>,
    sha256: [u8; 32],
}

impl Document {
    /// The file of `export` with `bytes` as its whole content.
    #[must_use]
    pub fn new(export: &'static Export, bytes: Vec<u8>) -> Self {
        let sha256 = Sha256::digest(&bytes).into();
        Self { export, bytes, sha256 }
    }

    /// The whole content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Of the content.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Below the exports folder, with `/` between folders.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.export.path
    }
}

/// What the files are made from, as of one moment.
#[derive(Clone)]
pub struct Sources {
    /// The rooms; `None` when only the configuration is known.
    pub hub: Option<Arc<Hub>>,
    /// Counters, rates, recent events and errors.
    pub telemetry: Telemetry,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// Keys of `system.json` that wait for a restart.
    pub restart: Vec<&'static str>,
    /// What was spent; `None` when only the configuration is known.
    pub quotas: Option<Quotas>,
    /// Whoever has an account; `None` when only the configuration is known.
    pub accounts: Option<Accounts>,
    /// Work that waits; `None` when only the configuration is known.
    pub jobs: Option<Jobs>,
    /// Polls, tallies and scoreboards; `None` when only the configuration is known.
    pub boards: Option<Boards>,
    /// What rooms react to; `None` when only the configuration is known.
    pub triggers: Option<Triggers>,
    /// What was read of the log for the newest messages: rounds share it.
    pub newest: Newest,
    /// When the server started; `None` when none runs.
    pub started_at: Option<Timestamp>,
}

/// Where a file comes from and what it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Meta {
    /// When the file was made.
    generated_at: Timestamp,
    /// Who made it.
    #[schemars(extend("const" = "runtime"))]
    source: &'static str,
    /// Who may see it.
    visibility: Visibility,
    /// Of the program.
    version: &'static str,
    /// Of the program, `YYYY.MM.DD+NNN`.
    build: &'static str,
    /// Where the server publishes the JSON Schema of the file.
    schema: String,
    /// What the file describes, in a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    /// When the newest thing in the file was captured, in a record of signals.
    #[serde(skip_serializing_if = "Option::is_none")]
    captured_at: Option<Timestamp>,
}

impl Meta {
    /// For the file at `path`.
    pub(super) fn new(path: &str, visibility: Visibility, generated_at: Timestamp) -> Self {
        Self {
            generated_at,
            source: SOURCE,
            visibility,
            version: crate::VERSION,
            build: crate::BUILD,
            schema: format!("{SCHEMAS}{}", schema_name(path)),
            scope: None,
            captured_at: None,
        }
    }

    pub(super) fn with_scope(self, scope: &'static str) -> Self {
        Self { scope: Some(scope), ..self }
    }

    pub(super) fn captured_at(self, captured_at: Option<Timestamp>) -> Self {
        Self { captured_at, ..self }
    }
}

/// `meta` beside the fields of a file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}File")]
pub(super) struct WithMeta<T> {
    /// Where the file comes from and what it is.
    pub meta: Meta,
    #[serde(flatten)]
    pub fields: T,
}

/// The bytes of a file: indented, because people read these files and keep them in git.
pub(super) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain values always serialise");
    bytes.push(b'\n');
    bytes
}

/// The moment of a file whose moment is still to be set.
pub(super) const UNKNOWN_MOMENT: Timestamp = Timestamp::EPOCH;

/// A file that was made for [`UNKNOWN_MOMENT`] as if it had been made at `moment`.
///
/// Only names of members are looked for, and no text that somebody wrote looks like one: its quotation marks are escaped.
pub(super) fn at_moment(file: &[u8], moment: Timestamp) -> Vec<u8> {
    let mut dated = Vec::with_capacity(file.len());
    let (unknown, moment) = (format!("\"{UNKNOWN_MOMENT}\""), format!("\"{moment}\""));
    let mut rest = file;
    while let Some(at) = memmem::find(rest, unknown.as_bytes()) {
        let (before, after) = (&rest[..at], &rest[at + unknown.len()..]);
        dated.extend_from_slice(before);
        let is_moment = MOMENTS.iter().any(|it| before.ends_with(it));
        dated.extend_from_slice(if is_moment { moment.as_bytes() } else { unknown.as_bytes() });
        rest = after;
    }
    dated.extend_from_slice(rest);
    dated
}

/// What stands before the moment at which a file was made.
const MOMENTS: [&[u8]; 2] = [b"\"generated_at\": ", b"\"exported_at\": "];

/// Whether `bytes` are a file of `export` that some runtime wrote: its `meta` says so.
pub(super) fn is_file_of(export: &Export, bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct File {
        meta: Said,
    }
    #[derive(Deserialize)]
    struct Said {
        source: String,
        schema: String,
    }
    serde_json::from_slice::<File>(bytes).is_ok_and(|File { meta }| {
        meta.source == SOURCE && meta.schema == format!("{SCHEMAS}{}", export.schema_name())
    })
}

/// A number that is another one for another value, as far as that is written.
pub(super) fn fingerprint(value: &impl Serialize) -> u64 {
    let text = serde_json::to_vec(value).expect("plain values always serialise");
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The schema of a file as it is written: what is always there is required.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::default()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
