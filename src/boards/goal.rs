//! What moves a tally by itself: follows, subscriptions, payments, as they happen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BoardError;
use crate::model::{Activity, ActivityKind, Amount, EventBody};

/// What is counted as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Feed {
    /// New followers.
    Follows,
    /// Subscriptions and memberships, renewed and given ones included.
    Subscriptions,
    /// Those that were given.
    Gifts,
    /// Bits.
    Bits,
    /// Kicks.
    Kicks,
    /// Whole units of the tally's `currency` that were paid or donated.
    Donations,
    /// Those who came with raids.
    Raiders,
    /// Chat messages, those of bots left out.
    Messages,
}

/// `count` of what a feed counts; of money in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    By(i64),
    ByMinor(i64),
}

impl Feed {
    /// What an event adds, if it adds anything.
    pub(super) fn find_move(self, body: &EventBody, currency: Option<&str>) -> Option<Moved> {
        let amount = match body {
            EventBody::ChatMessage(it) => it.amount.as_ref(),
            EventBody::Activity(it) if it.kind != ActivityKind::Milestone => it.amount.as_ref(),
            _ => None,
        };
        let of = |currency: &str| amount.filter(|it| it.currency == currency).map(|it| it.value);
        match self {
            Self::Bits => of("bits").map(Moved::By),
            Self::Kicks => of("kicks").map(Moved::By),
            Self::Donations => paid(body, amount?, currency?),
            Self::Messages => matches!(body, EventBody::ChatMessage(_)).then_some(Moved::By(1)),
            Self::Follows | Self::Subscriptions | Self::Gifts | Self::Raiders => {
                let EventBody::Activity(activity) = body else { return None };
                self.find_count(activity).map(Moved::By)
            }
        }
    }

    fn find_count(self, activity: &Activity) -> Option<i64> {
        // Of a bundle, the bundle is counted: the gifts in it say 0.
        let many = || i64::try_from(activity.count.unwrap_or(1)).unwrap_or(i64::MAX);
        match (self, activity.kind) {
            (Self::Follows, ActivityKind::Follow)
            | (Self::Subscriptions, ActivityKind::Subscription | ActivityKind::Membership) => {
                Some(1)
            }
            (Self::Subscriptions | Self::Gifts, ActivityKind::Gift)
            | (Self::Raiders, ActivityKind::Raid) => Some(many()),
            _ => None,
        }
        .filter(|it| *it > 0)
    }
}

/// Money that came, not what somebody was told about money that came earlier.
fn paid(body: &EventBody, amount: &Amount, currency: &str) -> Option<Moved> {
    let is_payment = match body {
        EventBody::Activity(it) => matches!(it.kind, ActivityKind::Paid | ActivityKind::Donation),
        _ => true,
    };
    (is_payment && amount.currency == currency && amount.value > 0)
        .then_some(Moved::ByMinor(amount.value))
}

/// A currency as amounts name it.
pub(super) fn currency(said: &str) -> Result<String, BoardError> {
    let code = said.trim().to_ascii_uppercase();
    if code.len() != 3 || !code.bytes().all(|it| it.is_ascii_uppercase()) {
        return Err(BoardError::invalid("/currency", "three letters, such as EUR"));
    }
    Ok(code)
}

/// Minor units of one whole (count).
pub(super) fn minor_units(currency: &str) -> i64 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 1,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 1000,
        _ => 100,
    }
}
