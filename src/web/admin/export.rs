//! Accounts and the audit as files to download: written while they are sent, never held whole.

use std::{io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;

use super::{
    accounts::{Filter, Wanted},
    by, csv,
};
use crate::{
    accounts::{Account, AccountError, AccountRecord, AuditPage, AuditRecord},
    model::Timestamp,
    web::{
        ApiError, AppState,
        caller::{From, OperatorOnly},
        query::Query,
    },
};

/// Rows that are written at a time.
const PAGE: usize = 500;
/// Most entries of the audit in one file; the latest.
const MOST_ENTRIES: usize = 200_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

impl Format {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

const USER_COLUMNS: [&str; 15] = [
    "id",
    "user_code",
    "email",
    "email_verified",
    "display_name",
    "avatar_url",
    "role",
    "tier",
    "account_status",
    "onboarding_status",
    "providers",
    "rooms",
    "created_at",
    "last_login_at",
    "updated_at",
];

const AUDIT_COLUMNS: [&str; 12] = [
    "id",
    "ts",
    "actor_user_id",
    "actor_user_code",
    "actor_role",
    "target_user_id",
    "target_user_code",
    "action",
    "result",
    "ip",
    "email_redacted",
    "metadata",
];

/// A value as a cell: texts as they are, lists with a space between, the rest as JSON.
fn cell(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list
            .iter()
            .map(|it| match (it, it.get("provider"), it.get("provider_user_id")) {
                (_, Some(provider), Some(id)) => format!("{}:{}", cell(provider), cell(id)),
                (other, ..) => cell(other),
            })
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

/// Some records as part of a file; `first` when none came before.
fn part(
    records: impl Iterator<Item = serde_json::Value>,
    columns: &[&str],
    format: Format,
    first: bool,
) -> Bytes {
    let mut text = String::new();
    for (index, record) in records.enumerate() {
        match format {
            Format::Json => {
                text.push_str(if first && index == 0 { "\n" } else { ",\n" });
                text.push_str(&record.to_string());
            }
            Format::Csv => {
                let cells: Vec<String> = columns.iter().map(|it| cell(&record[*it])).collect();
                csv::add_row(&mut text, cells.iter().map(String::as_str));
            }
        }
    }
    text.into()
}

/// A file whose middle is still being written.
fn download(
    name: &str,
    member: &str,
    columns: &[&str],
    format: Format,
    at: Timestamp,
    middle: impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response {
    let (start, end, kind) = match format {
        Format::Json => {
            let start =
                format!("{{\"schema_version\":\"v1\",\"exported_at\":\"{at}\",\"{member}\":[");
            (start, "\n]}\n", "application/json")
        }
        Format::Csv => {
            let mut start = csv::BOM.to_owned();
            csv::add_row(&mut start, columns.iter().copied());
            (start, "", "text/csv; charset=utf-8")
        }
    };
    let whole = stream::iter([Ok(Bytes::from(start))])
        .chain(middle)
        .chain(stream::iter([Ok(Bytes::from_static(end.as_bytes()))]));
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.as_str());
    let disposition = HeaderValue::try_from(disposition).expect("plain letters");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Body::from_stream(whole)).into_response()
}

/// Notes that somebody takes a file away, before they have it.
async fn note(
    state: &AppState,
    operator: &OperatorOnly,
    From(origin): From,
    what: &str,
    format: Format,
) -> Result<(), ApiError> {
    let by = by(&operator.0, origin);
    let action = format!("export_{what}_{}", format.as_str());
    let noted = state.accounts.change(move |change| {
        let entry = by.entry(change, &action);
        change.audit(entry);
        Ok(())
    });
    Ok(noted.await?)
}

async fn export_users(
    state: AppState,
    operator: OperatorOnly,
    from: From,
    wanted: Wanted,
    format: Format,
) -> Result<Response, ApiError> {
    let filter = Filter::read(&wanted)?;
    note(&state, &operator, from, "users", format).await?;
    let book = state.accounts.book();
    let found = state.life.spawn_blocking(move || filter.list(&book)).await;
    let found = found.map_err(|it| ApiError::Internal(it.into()))?;
    let pages = (0..found.len()).step_by(PAGE);
    let middle = stream::iter(pages).map(move |start| {
        let page: &[Arc<Account>] = &found[start..(start + PAGE).min(found.len())];
        let records = page.iter().map(|it| json!(AccountRecord::of(it)));
        Ok(part(records, &USER_COLUMNS, format, start == 0))
    });
    Ok(download("users", "users", &USER_COLUMNS, format, state.accounts.now(), middle))
}

async fn export_audit(
    state: AppState,
    operator: OperatorOnly,
    from: From,
    format: Format,
) -> Result<Response, ApiError> {
    note(&state, &operator, from, "audit", format).await?;
    let accounts = state.accounts.clone();
    let at = accounts.now();
    // Each page is asked for once the one before it is on its way.
    let next = move |(before, sent): (Option<String>, usize)| {
        let accounts = accounts.clone();
        async move {
            if sent >= MOST_ENTRIES {
                return Ok::<_, AccountError>(None);
            }
            let AuditPage { entries, read_to } = accounts.list_audit(before, PAGE).await?;
            // Rows that nobody can read any more end no file.
            let Some(read_to) = read_to else { return Ok(None) };
            let state = (Some(read_to), sent + entries.len());
            let records = entries.iter().map(|it| json!(AuditRecord::redacted(it)));
            Ok(Some((part(records, &AUDIT_COLUMNS, format, sent == 0), state)))
        }
    };
    // A file that cannot be read to its end is cut off: whoever downloads it sees that it is not whole.
    let middle = stream::try_unfold((None, 0), next).map_err(io::Error::other);
    Ok(download("audit", "audit", &AUDIT_COLUMNS, format, at, middle))
}

/// `GET /admin/export/users.json`, `GET /admin/accounts/export.json`: all accounts, or those of a query as
/// `/admin/users` takes it.
///
/// # Errors
/// 400 for a word that is none, 401 and 403 for others, 503 when the disk refuses.
pub async fn export_users_json(
    State(state): State<AppState>,
    operator: OperatorOnly,
    from: From,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    export_users(state, operator, from, wanted, Format::Json).await
}

/// `GET /admin/export/users.csv`, `GET /admin/accounts/export.csv`: the same as a table.
///
/// # Errors
/// As [`export_users_json`].
pub async fn export_users_csv(
    State(state): State<AppState>,
    operator: OperatorOnly,
    from: From,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    export_users(state, operator, from, wanted, Format::Csv).await
}

/// `GET /admin/export/audit.json`: the audit, redacted, the latest first.
///
/// # Errors
/// 401 and 403 for others, 503 when the disk refuses.
pub async fn export_audit_json(
    State(state): State<AppState>,
    operator: OperatorOnly,
    from: From,
) -> Result<Response, ApiError> {
    export_audit(state, operator, from, Format::Json).await
}

/// `GET /admin/export/audit.csv`: the same as a table.
///
/// # Errors
/// As [`export_audit_json`].
pub async fn export_audit_csv(
    State(state): State<AppState>,
    operator: OperatorOnly,
    from: From,
) -> Result<Response, ApiError> {
    export_audit(state, operator, from, Format::Csv).await
}

/// Which form.
#[derive(Debug, Deserialize)]
pub struct WantedFormat {
    /// `json` or `csv`.
    pub format: Option<String>,
}

/// `POST /admin/export/audit?format=json|csv`: the audit, redacted, as an older page asks for it.
///
/// # Errors
/// 400 for another format; otherwise as [`export_audit_json`].
pub async fn export_audit_as(
    State(state): State<AppState>,
    operator: OperatorOnly,
    from: From,
    Query(wanted): Query<WantedFormat>,
) -> Result<Response, ApiError> {
    let format = match wanted.format.as_deref() {
        None | Some("" | "json") => Format::Json,
        Some("csv") => Format::Csv,
        Some(_) => return Err(ApiError::BadRequest("`format` is json or csv".to_owned())),
    };
    export_audit(state, operator, from, format).await
}
