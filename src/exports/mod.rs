//! Files for static sites, dashboards and the operator console: what the runtime decided, written down.
//!
//! Each file is replaced whole or not at all. [`EXPORTS`] lists them, with who may see each: that table
//! decides what is served and what is published, never what happens to lie in a folder.

pub mod about;
pub mod audit;
pub mod auth_controls;
pub mod boards;
pub mod chat_events;
pub mod chat_triggers;
pub mod clips;
pub mod creators;
pub mod discord_runtime;
pub mod document;
pub mod donations;
pub mod exporter;
pub mod integrations;
pub mod jobs;
pub mod manifest;
pub mod permissions;
pub mod platforms;
pub mod quotas;
pub mod rate_limits;
pub mod replace_file;
pub mod runtime_snapshot;
pub mod signals;
pub mod target;
pub mod telemetry_auth_events;
pub mod telemetry_errors;
pub mod telemetry_events;
pub mod telemetry_rates;
pub mod tiers;
pub mod users;
pub mod version;
pub mod writer;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

pub use chat_events::Newest;
pub use document::{Document, Export, Sources, Visibility};
pub use exporter::Exporter;
pub use replace_file::{remove_leftovers, replace_file};
pub use target::ExportError;
pub use writer::{has_fresh_heartbeat as is_kept_up_to_date, write_once};

/// Every exported file, in the order they are written. The manifest is last, because it describes the
/// others.
pub static EXPORTS: [Export; 35] = [
    version::EXPORT,
    runtime_snapshot::EXPORT,
    platforms::EXPORT,
    clips::PUBLIC,
    boards::POLLS,
    boards::TALLIES,
    boards::SCOREBOARDS,
    about::CHANGELOG,
    about::CHANGELOG_RUNTIME,
    about::ROADMAP,
    about::ABOUT_PUBLIC,
    about::ABOUT_ADMIN,
    telemetry_events::EXPORT,
    telemetry_rates::EXPORT,
    telemetry_errors::EXPORT,
    chat_events::EXPORT,
    signals::POLL_VOTES,
    signals::TALLY_EVENTS,
    signals::SCORE_EVENTS,
    creators::EXPORT,
    chat_triggers::EXPORT,
    clips::STATE,
    jobs::EXPORT,
    rate_limits::EXPORT,
    integrations::EXPORT,
    discord_runtime::EXPORT,
    donations::EXPORT,
    quotas::EXPORT,
    telemetry_auth_events::EXPORT,
    auth_controls::EXPORT,
    tiers::EXPORT,
    permissions::EXPORT,
    users::EXPORT,
    audit::EXPORT,
    manifest::EXPORT,
];

/// The JSON Schema of every exported file, with the name it is published under below
/// `/schemas/exports/`, e.g. `telemetry/rates.schema.json`.
#[must_use]
pub fn schemas() -> Vec<(String, Value)> {
    EXPORTS.iter().map(|it| (it.schema_name(), it.schema())).collect()
}

/// Writes every schema into `folder`, which is made if it is missing; returns the paths.
///
/// # Errors
/// What the file system says.
pub fn write_schemas(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (name, schema) in schemas() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, format!("{schema:#}\n"))?;
        written.push(path);
    }
    Ok(written)
}

/// The file in `dir` that a request for `/exports/…` means, when the public may have it.
///
/// Only the names of public exports are ever found, spelled exactly, so no request reaches outside
/// `dir`. The file itself may not have been written yet.
#[must_use]
pub fn find_public(dir: &Path, requested_path: &str) -> Option<PathBuf> {
    let name = requested_path.strip_prefix("/exports/").unwrap_or(requested_path);
    EXPORTS
        .iter()
        .find(|it| it.visibility == Visibility::Public && it.path == name)
        .map(|it| it.path_in(dir))
}

#[cfg(test)]
mod tests;
