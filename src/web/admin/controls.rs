//! What an admin switches off for all.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{accounts::unkept, by};
use crate::{
    accounts::{By, Change, ControlFlags, Controls},
    web::{
        ApiError, AppState,
        caller::{From, OperatorOnly},
        error::Fault,
        json_body::{JsonOf, object},
    },
};

/// What is switched off.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ControlsAnswer {
    /// Always true.
    pub success: bool,
    /// Switches.
    pub flags: ControlFlags,
    /// By provider: whether people may sign in there.
    pub providers: BTreeMap<String, bool>,
}

impl ControlsAnswer {
    /// Of the switches.
    fn of(controls: &Controls) -> Self {
        let (flags, providers) = (ControlFlags::of(controls), controls.list_providers());
        Self { success: true, flags, providers }
    }
}

/// `GET /admin/auth/controls`: what is switched off.
///
/// # Errors
/// 401 and 403 for others.
pub async fn show_controls(State(state): State<AppState>, _operator: OperatorOnly) -> Response {
    unkept(ControlsAnswer::of(state.accounts.book().controls()))
}

/// Switches to change; what is not named stays.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewControls {
    /// Switches.
    #[serde(deserialize_with = "object")]
    pub flags: NewFlags,
    /// By provider: whether people may sign in there.
    pub providers: BTreeMap<String, bool>,
}

/// Switches to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewFlags {
    /// Nobody gets an account who has none.
    pub disable_new_signups: Option<bool>,
    /// Nobody signs in with a password.
    pub disable_password_login: Option<bool>,
    /// No address is verified.
    pub disable_email_verification: Option<bool>,
    /// No verification mail is sent again.
    pub disable_resend_verification: Option<bool>,
    /// Admins change tiers and give rooms beyond their rules.
    pub admin_tier_config_bypass: Option<bool>,
}

/// `POST /admin/auth/controls {flags?, providers?}`: switches things off and on, at once.
///
/// # Errors
/// 400 for a provider that is none, 401 and 403 for others, 503 when the disk refuses.
pub async fn set_controls(
    State(state): State<AppState>,
    operator: OperatorOnly,
    From(origin): From,
    JsonOf(new): JsonOf<NewControls>,
) -> Result<Response, ApiError> {
    let known = Controls::default().list_providers();
    let unknown = new.providers.keys().filter(|it| !known.contains_key(*it));
    let faults: Vec<Fault> = unknown
        .map(|it| Fault::new(format!("/providers/{it}"), "there is no such provider"))
        .collect();
    if !faults.is_empty() {
        return Err(ApiError::Invalid(faults));
    }
    let by = by(&operator.0, origin);
    let changed = state.accounts.change(move |change| {
        let mut controls = change.controls().clone();
        let NewFlags {
            disable_new_signups,
            disable_password_login,
            disable_email_verification,
            disable_resend_verification,
            admin_tier_config_bypass,
        } = new.flags;
        for (flag, said) in [
            (&mut controls.disable_new_signups, disable_new_signups),
            (&mut controls.disable_password_login, disable_password_login),
            (&mut controls.disable_email_verification, disable_email_verification),
            (&mut controls.disable_resend_verification, disable_resend_verification),
            (&mut controls.admin_tier_config_bypass, admin_tier_config_bypass),
        ] {
            *flag = said.unwrap_or(*flag);
        }
        for (provider, enabled) in new.providers {
            controls.set_provider(&provider, enabled);
        }
        set(change, controls, &by, "auth_controls_updated");
        Ok(change.controls().clone())
    });
    Ok(unkept(ControlsAnswer::of(&changed.await?)))
}

/// Puts switches in force, and notes what is different.
fn set(change: &mut Change, controls: Controls, by: &By, action: &str) {
    let before = change.controls().clone();
    if before == controls {
        return;
    }
    let json = |it: &Controls| serde_json::to_value(it).unwrap_or_default();
    let entry = by.entry(change, action);
    let entry = entry.with("before", json(&before)).with("after", json(&controls));
    change.set_controls(controls);
    change.audit(entry);
}

/// Whether admins change tiers beyond their rules.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Bypass {
    /// That.
    pub enabled: bool,
}

/// `PUT /admin/policy/admin-bypass {enabled}`: lets admins change tiers and give rooms beyond their rules, or not.
///
/// # Errors
/// 401 and 403 for others, 503 when the disk refuses.
pub async fn set_admin_bypass(
    State(state): State<AppState>,
    operator: OperatorOnly,
    From(origin): From,
    JsonOf(Bypass { enabled }): JsonOf<Bypass>,
) -> Result<Response, ApiError> {
    let by = by(&operator.0, origin);
    let changed = state.accounts.change(move |change| {
        let controls = Controls { admin_tier_config_bypass: enabled, ..change.controls().clone() };
        set(change, controls, &by, "admin_bypass_updated");
        Ok(change.controls().clone())
    });
    Ok(unkept(ControlsAnswer::of(&changed.await?)))
}
