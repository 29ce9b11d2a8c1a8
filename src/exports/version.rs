//! `version.json`: which program this is.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, SOURCE, Sources, Visibility, schema_of, to_bytes};
use crate::model::Timestamp;

/// The file.
pub const EXPORT: Export = Export {
    path: "version.json",
    visibility: Visibility::Public,
    description: "Version and build of the runtime.",
    json_schema: schema_of::<VersionFile>,
    content: Content::OnChange { render, revision: |_| 0 },
};

/// The whole of `version.json`. It has no `meta`: clients refuse it unless `version` is semantic and
/// `source` is `runtime`, and expect nothing else.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VersionFile {
    /// The product.
    project: &'static str,
    /// Semantic version.
    #[schemars(regex(pattern = r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"))]
    version: &'static str,
    /// `YYYY.MM.DD+NNN`
    #[schemars(regex(pattern = r"^\d{4}\.\d{2}\.\d{2}\+\d{3,}$"))]
    build: &'static str,
    /// When the file was made.
    generated_at: Timestamp,
    /// Who made it.
    #[schemars(extend("const" = "runtime"))]
    source: &'static str,
}

fn render(_: &Sources, now: Timestamp) -> Vec<u8> {
    to_bytes(&VersionFile {
        project: PROJECT,
        version: crate::VERSION,
        build: crate::BUILD,
        generated_at: now,
        source: SOURCE,
    })
}

/// The product's name.
pub const PROJECT: &str = "StreamSuites";
