//! `meta.json`: what is exported, with the hash and the size of every file that may be published.

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
    /// Of the file's bytes, lower-case hex, as `sha256sum` says it; so it is another one whenever the moment in the file
    /// is. Null for files that are never published: this list is public, and what such a file says could be guessed
    /// and compared.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    sha256: Option<String>,
    /// Its size (bytes); null as above.
    bytes: Option<usize>,
}

/// Lists `documents`; the manifest among them is passed over.
pub(super) fn render<'a>(
    documents: impl Iterator<Item = &'a Document>,
    now: Timestamp,
) -> Document {
    let mut exports: Vec<_> = documents
        .filter(|it| it.path() != EXPORT.path)
        .map(|it| {
            let may_be_published = it.export.visibility.is_published(true);
            Entry {
                file: it.path(),
                visibility: it.export.visibility,
                description: it.export.description,
                sha256: may_be_published.then(|| hex(it.sha256())),
                bytes: may_be_published.then_some(it.bytes().len()),
            }
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
