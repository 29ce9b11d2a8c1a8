//! Accounts and the audit as existing clients read them, in answers and in files.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Account, AccountId, AccountStatus, Actor, AuditEntry, Onboarding, UserCode};
use crate::model::{AccountRole, Tier, Timestamp};

/// An account, as an admin sees it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccountRecord {
    /// Its id.
    pub id: AccountId,
    /// Its short name.
    pub user_code: UserCode,
    /// Where mails go.
    pub email: Option<String>,
    /// Whether that is verified.
    pub email_verified: bool,
    /// What others call its owner.
    pub display_name: String,
    /// The picture a provider gave.
    pub avatar_url: Option<String>,
    /// What it may be.
    pub role: AccountRole,
    /// What it pays for.
    pub tier: Tier,
    /// Signs beside the name.
    pub badges: Vec<String>,
    /// Whether its owner has said what it is for.
    pub onboarding_status: Onboarding,
    /// Whether it may be used.
    pub account_status: AccountStatus,
    /// Other ways in.
    pub providers: Vec<ProviderRecord>,
    /// Rooms of its own.
    pub rooms: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last signed in.
    pub last_login_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A way in through somebody else.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProviderRecord {
    /// `google`, `github`, `discord` or `twitch`.
    pub provider: String,
    /// What that calls the person.
    pub provider_user_id: String,
    /// Since when.
    pub linked_at: Timestamp,
}

impl AccountRecord {
    /// Of an account.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let role = (account.role != AccountRole::Viewer).then(|| account.role.as_str());
        let tier = (account.tier != Tier::Core).then(|| account.tier.id());
        let providers = account.providers.iter().map(|it| ProviderRecord {
            provider: it.provider.clone(),
            provider_user_id: it.subject.clone(),
            linked_at: it.linked_at,
        });
        Self {
            id: account.id,
            user_code: account.user_code.clone(),
            email: account.email.as_ref().map(|it| it.as_str().to_owned()),
            email_verified: account.email_verified,
            display_name: account.display_name.clone(),
            avatar_url: account.avatar_url.clone(),
            role: account.role,
            tier: account.tier,
            badges: role.into_iter().chain(tier).map(str::to_owned).collect(),
            onboarding_status: account.onboarding,
            account_status: account.status,
            providers: providers.collect(),
            rooms: account.list_rooms().map(ToString::to_string).collect(),
            created_at: account.created_at,
            last_login_at: account.last_login_at,
            updated_at: account.updated_at,
        }
    }
}

/// Something that was done.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditRecord {
    /// Its id; later ones sort later.
    pub id: String,
    /// When.
    pub ts: Timestamp,
    /// The same, as one client reads it.
    pub timestamp: Timestamp,
    /// The account that did it.
    pub actor_user_id: Option<AccountId>,
    /// Its short name.
    pub actor_user_code: Option<UserCode>,
    /// What it was then, or `operator`, `fallback`, `system`; null for nobody who is known.
    pub actor_role: Option<String>,
    /// The account it was done to.
    pub target_user_id: Option<AccountId>,
    /// Its short name.
    pub target_user_code: Option<UserCode>,
    /// What.
    pub action: String,
    /// How it ended.
    pub result: String,
    /// From where; in files, the network alone.
    pub ip: Option<String>,
    /// With which browser, as that says; not in files.
    pub user_agent: Option<String>,
    /// Whose address it was about, as far as others may see.
    pub email_redacted: Option<String>,
    /// Whatever else is worth knowing.
    pub metadata: Map<String, Value>,
}

impl AuditRecord {
    /// Of an entry, as an admin sees it.
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Self {
        let (actor_user_id, actor_user_code, actor_role) = match &entry.actor {
            Actor::Nobody => (None, None, None),
            Actor::System => (None, None, Some("system")),
            Actor::Operator => (None, None, Some("operator")),
            Actor::Fallback => (None, None, Some("fallback")),
            Actor::Account { id, user_code, role } => {
                (Some(*id), Some(user_code.clone()), Some(role.as_str()))
            }
        };
        let agent = &entry.origin.user_agent;
        Self {
            id: entry.id.to_string(),
            ts: entry.ts,
            timestamp: entry.ts,
            actor_user_id,
            actor_user_code,
            actor_role: actor_role.map(str::to_owned),
            target_user_id: entry.target.as_ref().map(|it| it.0),
            target_user_code: entry.target.as_ref().map(|it| it.1.clone()),
            action: entry.action.clone(),
            result: entry.result.clone(),
            ip: entry.origin.address.map(|it| it.to_string()),
            user_agent: (!agent.is_empty()).then(|| agent.clone()),
            email_redacted: entry.email_redacted.clone(),
            metadata: entry.metadata.clone(),
        }
    }

    /// The same for files, which travel: nobody is found by an address in it.
    #[must_use]
    pub fn redacted(entry: &AuditEntry) -> Self {
        let mut metadata = Value::Object(entry.metadata.clone());
        redact(&mut metadata);
        let Value::Object(metadata) = metadata else { unreachable!("it was an object") };
        Self {
            ip: entry.origin.address.map(network),
            user_agent: None,
            metadata,
            ..Self::of(entry)
        }
    }
}

/// Something that was done about signing in, redacted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuthEvent {
    /// When.
    pub timestamp_utc: Timestamp,
    /// `auth`, `email` or `admin`.
    pub event_type: String,
    /// What.
    pub event_name: String,
    /// The same.
    pub action: String,
    /// Which mail, where one was sent.
    pub email_type: Option<String>,
    /// The account it is about.
    pub account_id: Option<AccountId>,
    /// Its short name.
    pub user_identifier: Option<String>,
    /// As much of the address as others may see.
    pub email_redacted: Option<String>,
    /// `success`, `failed`, `sent`, `login_backoff`, …
    pub result: String,
    /// What Resend calls the mail.
    pub resend_message_id: Option<String>,
    /// The network it came from.
    pub ip: Option<String>,
    /// Always null: what a browser calls itself finds people.
    pub user_agent: Option<String>,
}

impl AuthEvent {
    /// Of an entry.
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Self {
        let text = |name: &str| entry.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
        let (email_type, by_account) = (text("email_type"), entry.actor != Actor::Nobody);
        let about_another = match (&entry.actor, &entry.target) {
            (Actor::Account { id, .. }, Some(target)) => *id != target.0,
            (Actor::Operator | Actor::Fallback, Some(_)) => true,
            _ => false,
        };
        let event_type = match () {
            () if email_type.is_some() => "email",
            () if by_account && about_another => "admin",
            () => "auth",
        };
        let actor = match &entry.actor {
            Actor::Account { id, user_code, .. } => Some((*id, user_code.clone())),
            _ => None,
        };
        let about = entry.target.clone().or(actor);
        Self {
            timestamp_utc: entry.ts,
            event_type: event_type.to_owned(),
            event_name: entry.action.clone(),
            action: entry.action.clone(),
            email_type,
            account_id: about.as_ref().map(|it| it.0),
            user_identifier: about.map(|it| it.1.to_string()),
            email_redacted: entry.email_redacted.clone(),
            result: entry.result.clone(),
            resend_message_id: text("resend_message_id"),
            ip: entry.origin.address.map(network),
            user_agent: None,
        }
    }
}

/// The network of an address: the first 24 bits of it, or 48.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(it) => {
            let [a, b, c, _] = it.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(it) => {
            let [a, b, c, ..] = it.segments();
            format!("{}/48", IpAddr::V6([a, b, c, 0, 0, 0, 0, 0].into()))
        }
    }
}

/// Takes whatever looks like a way to somebody out of texts: addresses of mail and of machines.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Ok(address) = text.parse::<IpAddr>() {
                *text = network(address);
            } else if let Ok(email) = text.parse::<super::Email>() {
                *text = email.redacted();
            } else if text.contains('@') && !text.contains("***@") {
                "(redacted)".clone_into(text);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        Value::Object(members) => members.values_mut().for_each(redact),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::accounts::Origin;

    fn entry() -> AuditEntry {
        let at = Timestamp::from_unix_ms(1_700_000_000_000).unwrap();
        let email: super::super::Email = "anastasia@example.com".parse().unwrap();
        let account = Account::new(Some(email), "Ana", at);
        let origin = Origin {
            address: Some("203.0.113.77".parse().unwrap()),
            user_agent: "Mozilla/5.0 (one of a kind)".to_owned(),
        };
        AuditEntry::new(at, Actor::of(&account), "mail_sent")
            .to(&account)
            .from(&origin)
            .with("email_type", "verification")
            .with("resend_message_id", "re_1")
            .with("from", "bea@example.com")
            .with(
                "seen",
                json!(["198.51.100.9", "2001:db8:1:2:3::4", "write to <bea@example.com>"]),
            )
    }

    #[test]
    fn files_lead_to_nobody() {
        let entry = entry();
        let whole = json!(AuditRecord::of(&entry));
        assert_eq!(whole["ip"], "203.0.113.77");
        for told in [json!(AuditRecord::redacted(&entry)), json!(AuthEvent::of(&entry))] {
            let text = told.to_string();
            for secret in ["anastasia", "bea@", "113.77", "100.9", ":3::4", "one of a kind"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
            assert_eq!(told["ip"], "203.0.113.0/24");
            assert_eq!(told["email_redacted"], "an***@example.com");
        }
        let record = json!(AuditRecord::redacted(&entry));
        assert_eq!(
            record["metadata"]["seen"],
            json!(["198.51.100.0/24", "2001:db8:1::/48", "(redacted)"])
        );
    }

    #[test]
    fn a_mail_is_told_with_its_id() {
        let event = json!(AuthEvent::of(&entry()));
        assert_eq!(event["event_type"], "email");
        assert_eq!(event["email_type"], "verification");
        assert_eq!(event["resend_message_id"], "re_1");
    }
}
