//! What is kept as a row of JSON.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    AccessState, Account, ApiToken, Controls, Mail, Moderator, RoomChannels, Session, Ticket,
    TierChanges, providers::PlatformToken, rooms::RetiredRoom, ticket::Spent,
};

/// A kind of row: its name in the file, and what a row is found by.
pub trait Record: Serialize + DeserializeOwned {
    /// The name of the kind in the file, for good.
    const KIND: &'static str;

    /// What a row of the kind is found by.
    fn key(&self) -> String;
}

/// Names of one row in the file.
pub(super) fn row_key(kind: &str, key: &str) -> String {
    format!("{kind}/{key}")
}

/// Whether a row of a kind that only its own file knows can be read.
pub(super) fn is_readable(kind: &str, row: &[u8]) -> bool {
    fn reads<T: Record>(row: &[u8]) -> bool {
        serde_json::from_slice::<T>(row).is_ok()
    }
    match kind {
        AccessState::KIND => reads::<AccessState>(row),
        Mail::KIND => reads::<Mail>(row),
        Moderator::KIND => reads::<Moderator>(row),
        PlatformToken::KIND => reads::<PlatformToken>(row),
        RetiredRoom::KIND => reads::<RetiredRoom>(row),
        RoomChannels::KIND => reads::<RoomChannels>(row),
        Spent::KIND => reads::<Spent>(row),
        TierChanges::KIND => reads::<TierChanges>(row),
        _ => false,
    }
}

impl Record for Account {
    const KIND: &'static str = "account";

    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl Record for Session {
    const KIND: &'static str = "session";

    fn key(&self) -> String {
        self.digest.hex()
    }
}

impl Record for ApiToken {
    const KIND: &'static str = "api_token";

    fn key(&self) -> String {
        self.digest.hex()
    }
}

impl Record for Ticket {
    const KIND: &'static str = "ticket";

    fn key(&self) -> String {
        self.digest.hex()
    }
}

impl Record for Controls {
    const KIND: &'static str = "controls";

    fn key(&self) -> String {
        "all".to_owned()
    }
}
