//! `admin/audit/audit.json`: what was done to accounts lately, redacted.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{
    Content, Export, Meta, SCHEMA_VERSION, Visibility, WithMeta, schema_of, to_bytes,
};
use crate::{
    accounts::{Accounts, AuditEntry, AuditRecord},
    model::Timestamp,
};

/// Entries in the file, at most.
const MOST_ENTRIES: usize = 1_000;

/// The file.
pub const EXPORT: Export = Export {
    path: "admin/audit/audit.json",
    visibility: Visibility::AdminOnly,
    description: "What was done to accounts lately, without addresses of mail and machines.",
    json_schema: schema_of::<WithMeta<Audit>>,
    content: Content::OfAccounts(render),
};

/// What was done lately.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Audit {
    /// Of the shape.
    schema_version: &'static str,
    /// When the file was made.
    exported_at: Timestamp,
    /// The newest 1,000, the newest first.
    #[schemars(length(max = 1_000))]
    audit: Vec<AuditRecord>,
}

/// The latest entries of the audit, the latest first; `None` while the disk refuses.
pub(super) fn list_latest(accounts: &Accounts) -> Option<Vec<AuditEntry>> {
    let read = accounts.list_audit_now(None, MOST_ENTRIES);
    read.inspect_err(|error| tracing::warn!(%error, "the audit cannot be exported now")).ok()
}

fn render(accounts: &Accounts, now: Timestamp) -> Option<Vec<u8>> {
    let audit = list_latest(accounts)?.iter().map(AuditRecord::redacted).collect();
    let fields = Audit { schema_version: SCHEMA_VERSION, exported_at: now, audit };
    Some(to_bytes(&WithMeta { meta: Meta::new(EXPORT.path, EXPORT.visibility, now), fields }))
}
