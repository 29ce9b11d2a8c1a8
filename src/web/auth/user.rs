//! What an account is told of itself, as existing pages read it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    accounts::{Account, AccountId, Book, Moderator, Onboarding, PRESETS, Right, Rights, UserCode},
    model::{AccountRole, CreatorId, Tier, Timestamp},
};

/// `user` in `GET /auth/session`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct User {
    /// Of the account.
    pub id: AccountId,
    /// The short name.
    pub user_code: UserCode,
    /// Where mails go.
    pub email: Option<String>,
    /// Whether that is verified.
    pub email_verified: bool,
    /// What others call them.
    pub display_name: String,
    /// The picture a provider gave.
    pub avatar_url: Option<String>,
    /// What they may be.
    pub role: AccountRole,
    /// What they pay for.
    pub tier: Tier,
    /// The same, as it is in force.
    pub effective_tier: EffectiveTier,
    /// What that includes.
    pub features: Map<String, Value>,
    /// Ways in besides the password and links.
    pub providers: Vec<String>,
    /// The first of them.
    pub primary_provider: Option<String>,
    /// Whether there is a password.
    pub has_password: bool,
    /// Signs beside the name.
    pub badges: Vec<UserBadge>,
    /// Whether the owner has not yet said what the account is for.
    pub onboarding_required: bool,
    /// Whether it may have rooms.
    pub creator_capable: bool,
    /// Whether it may see the admins' pages.
    pub admin_access: AdminAccess,
    /// Where it moderates.
    pub moderator_access: ModeratorAccess,
    /// Which rooms it may work in.
    pub creator_workspace_access: WorkspaceAccess,
    /// What was paid.
    pub payment_summary: Map<String, Value>,
    /// Since when.
    pub created_at: Timestamp,
    /// When somebody last signed in.
    pub last_login_at: Option<Timestamp>,
}

/// A tier as it is in force.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EffectiveTier {
    /// `core`, `gold` or `pro`.
    pub tier_id: String,
    /// As people read it.
    pub tier_label: String,
    /// `public`, `soft_locked` or `hidden`.
    pub visibility: String,
}

/// A sign beside a name.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UserBadge {
    /// `role` or `tier`.
    pub kind: String,
    /// The word.
    pub value: String,
    /// As people read it.
    pub label: String,
}

/// Whether an account may see the admins' pages.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AdminAccess {
    /// That.
    pub allowed: bool,
    /// `full` or `none`.
    pub level: String,
}

/// Where an account moderates.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModeratorAccess {
    /// Whether anywhere.
    pub active: bool,
    /// In how many rooms.
    pub assignment_count: usize,
    /// In which, and what it may do there.
    pub contexts: Vec<Workspace>,
}

/// Which rooms an account may work in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkspaceAccess {
    /// Whether any.
    pub allowed: bool,
    /// Which.
    pub contexts: Vec<Workspace>,
}

/// A room that an account may work in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Workspace {
    /// The room.
    pub room: String,
    /// Whose it is.
    pub creator_account_id: Option<AccountId>,
    /// What they are called; empty for a room that no account owns.
    pub creator_display_name: String,
    /// Whether it is the account's own.
    pub owner: bool,
    /// The name of the rights it was given; `owner` for its own room, `custom` for rights that go by no name.
    pub permission_preset: String,
    /// Each right by its name, and whether the account has it there.
    pub capabilities: Map<String, Value>,
}

impl Workspace {
    /// A room of the account itself.
    fn own(room: &CreatorId, account: &Account) -> Self {
        Self {
            room: room.to_string(),
            creator_account_id: Some(account.id),
            creator_display_name: account.display_name.clone(),
            owner: true,
            permission_preset: "owner".to_owned(),
            capabilities: capabilities(&Right::ALL.into()),
        }
    }

    /// A room that it moderates.
    fn moderated(it: &Moderator, book: &Book) -> Self {
        let creator = book.find_by_room(&it.room);
        let preset = PRESETS.iter().find(|preset| it.rights.iter().eq(preset.1));
        Self {
            room: it.room.to_string(),
            creator_account_id: creator.map(|it| it.id),
            creator_display_name: creator.map(|it| it.display_name.clone()).unwrap_or_default(),
            owner: false,
            permission_preset: preset.map_or("custom", |it| it.0).to_owned(),
            capabilities: capabilities(&it.rights),
        }
    }
}

fn capabilities(rights: &Rights) -> Map<String, Value> {
    let each = Right::ALL.into_iter();
    each.map(|it| (it.as_str().to_owned(), rights.contains(&it).into())).collect()
}

impl User {
    /// What an account is told of itself.
    #[must_use]
    pub fn of(account: &Account, book: &Book) -> Self {
        let terms = book.terms_of(account);
        let features = serde_json::to_value(terms.features).unwrap_or_default();
        let visibility = serde_json::to_value(terms.visibility).unwrap_or_default();
        let admin = account.role == AccountRole::Admin;
        let label = |text: &str| {
            let mut letters = text.chars();
            let first = letters.next().map(|it| it.to_ascii_uppercase());
            first.into_iter().chain(letters.map(|it| it.to_ascii_lowercase())).collect::<String>()
        };
        let badge = |kind: &str, value: &str| UserBadge {
            kind: kind.to_owned(),
            value: value.to_owned(),
            label: label(value),
        };
        let mut badges = Vec::new();
        if account.role != AccountRole::Viewer {
            badges.push(badge("role", account.role.as_str()));
        }
        if account.tier != Tier::Core {
            badges.push(badge("tier", account.tier.id()));
        }
        let rooms: Vec<_> = account.list_rooms().map(|it| Workspace::own(it, account)).collect();
        let moderated = book.list_moderated(account.id).into_iter();
        let moderated: Vec<_> = moderated.map(|it| Workspace::moderated(&it, book)).collect();
        let providers: Vec<_> = account.providers.iter().map(|it| it.provider.clone()).collect();
        Self {
            id: account.id,
            user_code: account.user_code.clone(),
            email: account.email.as_ref().map(|it| it.as_str().to_owned()),
            email_verified: account.email_verified,
            display_name: account.display_name.clone(),
            avatar_url: account.avatar_url.clone(),
            role: account.role,
            tier: account.tier,
            effective_tier: EffectiveTier {
                tier_id: terms.id.clone(),
                tier_label: terms.label.clone(),
                visibility: visibility.as_str().unwrap_or("public").to_owned(),
            },
            features: features.as_object().cloned().unwrap_or_default(),
            primary_provider: providers.first().cloned(),
            providers,
            has_password: account.password.is_some(),
            badges,
            onboarding_required: account.onboarding == Onboarding::Pending,
            creator_capable: account.role != AccountRole::Viewer || !rooms.is_empty(),
            admin_access: AdminAccess {
                allowed: admin,
                level: if admin { "full" } else { "none" }.to_owned(),
            },
            moderator_access: ModeratorAccess {
                active: !moderated.is_empty(),
                assignment_count: moderated.len(),
                contexts: moderated,
            },
            creator_workspace_access: WorkspaceAccess {
                allowed: !rooms.is_empty(),
                contexts: rooms,
            },
            payment_summary: Map::new(),
            created_at: account.created_at,
            last_login_at: account.last_login_at,
        }
    }
}
