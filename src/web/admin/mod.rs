//! `/admin`: accounts, the audit, tiers and switches, for the operator and for admins.

pub mod access_state;
pub mod accounts;
pub mod audit;
pub mod controls;
pub mod csv;
pub mod export;
pub mod metrics;
pub mod routes;
pub mod tiers;

use crate::{
    accounts::{By, Origin},
    web::caller::Caller,
};

/// Who does something, as the audit keeps it.
fn by(caller: &Caller, origin: Origin) -> By {
    By { actor: caller.actor(), origin }
}
