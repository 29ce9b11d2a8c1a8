//! What each tier allows: as plans show it, and as admins change it.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{extract::State, response::Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{accounts::unkept, by};
use crate::{
    accounts::{AccountError, Book, TierChanges},
    config::{
        TiersConfig,
        body::{Body, make_whole},
        tiers::{TierTerms, TierVisibility, list_contradictions},
    },
    model::{Tier, Timestamp},
    web::{
        ApiError, AppState,
        caller::{From, OperatorOnly},
        error::Fault,
        json_body::JsonOf,
    },
};

/// The version of the shape.
const VERSION: &str = "v1";
/// What a tier has in answers and nobody changes.
const READ_ONLY: [&str; 1] = ["id"];

static BODY: LazyLock<Body> = LazyLock::new(Body::of::<TiersConfig>);

/// The tiers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Catalog {
    /// Of this shape.
    pub version: String,
    /// When it was asked for.
    pub generated_at: Timestamp,
    /// By id.
    pub tiers: BTreeMap<String, TierTerms>,
}

impl Catalog {
    fn of(terms: impl Iterator<Item = TierTerms>, now: Timestamp) -> Self {
        let tiers = terms.map(|it| (it.id.clone(), it)).collect();
        Self { version: VERSION.to_owned(), generated_at: now, tiers }
    }
}

/// `GET /admin/tier-catalog`: what plans show; without tiers that are hidden. Anybody may ask.
pub async fn show_catalog(State(state): State<AppState>) -> Response {
    let book = state.accounts.book();
    let shown = book.tiers().all().iter().filter(|it| it.visibility != TierVisibility::Hidden);
    unkept(Catalog::of(shown.cloned(), state.accounts.now()))
}

/// The tiers, with what an admin changed of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TierConfigAnswer {
    /// Always true.
    pub success: bool,
    /// The tiers in force.
    #[serde(flatten)]
    pub catalog: Catalog,
    /// What an admin changed: what differs from the files.
    pub changed: TiersConfig,
    /// Since when; null when nothing was.
    pub updated_at: Option<Timestamp>,
}

impl TierConfigAnswer {
    fn of(book: &Book, now: Timestamp) -> Self {
        let changes = book.find_tier_changes();
        Self {
            success: true,
            catalog: Catalog::of(book.tiers().all().iter().cloned(), now),
            updated_at: changes.as_ref().map(|it| it.updated_at),
            changed: changes.map(|it| it.changed).unwrap_or_default(),
        }
    }
}

/// `GET /admin/tier-config`: the tiers in force, and what an admin changed of them.
///
/// # Errors
/// 401 and 403 for others.
pub async fn show_tier_config(State(state): State<AppState>, _operator: OperatorOnly) -> Response {
    unkept(TierConfigAnswer::of(&state.accounts.book(), state.accounts.now()))
}

/// What a body says of the tiers: `{tiers:{core?,gold?,pro?}}`. What the answer of the same address has besides may
/// stand in it.
fn read(body: &Value) -> Result<TiersConfig, ApiError> {
    let tiers = body.get("tiers").cloned();
    let mut tiers = tiers.ok_or_else(|| ApiError::bad_member("/tiers", "it must be there"))?;
    for tier in Tier::ALL {
        if let Some(said) = tiers.get_mut(tier.id()).and_then(Value::as_object_mut) {
            said.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        }
    }
    make_whole(&mut tiers);
    let at = |path: &str| format!("/tiers{path}");
    let found = BODY.check(&tiers);
    let faults: Vec<_> = found.into_iter().map(|it| Fault::new(at(&it.0), it.1)).collect();
    if !faults.is_empty() {
        return Err(ApiError::Invalid(faults));
    }
    serde_json::from_value(tiers).map_err(|it| ApiError::bad_member("/tiers", it))
}

/// `PUT /admin/tier-config {tiers}`: changes what tiers allow, on top of what `tiers.json` says. What is not named, or
/// is as the files have it, follows the files.
///
/// # Errors
/// 400 with everything that is wrong, also where a higher tier allows less than a lower one, unless that rule is off;
/// 401 and 403 for others; 503 when the disk refuses.
pub async fn set_tier_config(
    State(state): State<AppState>,
    operator: OperatorOnly,
    From(origin): From,
    JsonOf(body): JsonOf<Value>,
) -> Result<Response, ApiError> {
    let said = read(&body)?;
    let files = state.accounts.config().tiers.clone();
    let changed = said.without(&files);
    let contradictions = list_contradictions(&files.terms(&changed));
    if !contradictions.is_empty() && !state.accounts.book().controls().admin_tier_config_bypass {
        let faults = contradictions.into_iter();
        return Err(ApiError::Invalid(
            faults.map(|it| Fault::new(format!("/tiers{}", it.0), it.1)).collect(),
        ));
    }
    let by = by(&operator.0, origin);
    let done = state.accounts.change(move |change| {
        let before = change.find_tier_changes().map(|it| it.changed).unwrap_or_default();
        if before != changed {
            let json = |it: &TiersConfig| serde_json::to_value(it).unwrap_or_default();
            let entry = by.entry(change, "tier_config_updated");
            let entry = entry.with("before", json(&before)).with("after", json(&changed));
            change.put(&TierChanges { changed, updated_at: change.at() });
            change.audit(entry);
        }
        Ok::<_, AccountError>(())
    });
    done.await?;
    Ok(unkept(TierConfigAnswer::of(&state.accounts.book(), state.accounts.now())))
}
