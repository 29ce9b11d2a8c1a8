//! `meta.json`: what is exported, with the hash and the size of every file.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Document, Export, Meta, Visibility, WithMeta, schema_of, to_bytes};
use crate::model::Timestamp;

/// The file.
pub const EXPORT: Export = Export {
    path: "meta.json",
    visibility: Visibility::Public,
    description: "This list of the exported files.",
    json_schema: schema_of::<WithMeta<Manifest>>,
    content: Content::Manifest,
};

/// Every exported file but this one, which cannot hold its own hash.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Manifest {
    /// In the order of their names.
    exports: Vec<Entry>,
}

/// One exported file. Between its writing and that of the list, the list is a moment old.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// Below the folder of the list.
    file: &'static str,
    /// Who may see it; a published folder does not hold all of them.
    visibility: Visibility,
    /// One sentence.
    description: &'static str,
    /// Of the file's bytes, lower-case hex.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    sha256: String,
    /// Its size (bytes).
    bytes: usize,
}

/// Lists `documents`; the manifest among them is passed over.
pub(super) fn render<'a>(
    documents: impl Iterator<Item = &'a Document>,
    now: Timestamp,
) -> Document {
    let mut exports: Vec<_> = documents
        .filter(|it| it.path() != EXPORT.path)
        .map(|it| Entry {
            file: it.path(),
            visibility: it.export.visibility,
            description: it.export.description,
            sha256: hex(it.sha256()),
            bytes: it.bytes().len(),
        })
        .collect();
    exports.sort_unstable_by_key(|it| it.file);
    let meta = Meta::new(EXPORT.path, EXPORT.visibility, now).with_scope("exports");
    let bytes = to_bytes(&WithMeta { meta, fields: Manifest { exports } });
    Document::new(&EXPORT, bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}
