//! `admin/donations/donations.json`: who gave what. A bare list, because that is what its readers take; it is empty while
//! this build takes no donations.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Visibility, schema_of, to_bytes};

/// The file.
pub const EXPORT: Export = Export {
    path: "admin/donations/donations.json",
    visibility: Visibility::AdminOnly,
    description: "Donations, a bare list: none yet, because this build takes none.",
    json_schema: schema_of::<Vec<Donation>>,
    content: Content::OnChange {
        render: |_, _| to_bytes(&Vec::<Donation>::new()),
        revision: |_| 0,
    },
};

/// A donation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Donation {
    /// Of the payment.
    session_id: String,
    /// In the smallest unit of the currency.
    amount_total: u64,
    /// ISO 4217, lower case.
    currency: String,
    /// Who gave it.
    customer_email: Option<String>,
    /// Seconds since 1970.
    created: i64,
    /// `donation_type` and `source`.
    metadata: BTreeMap<String, String>,
}
