//! Accounts, as admins see them, and what they do to them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::by;
use crate::{
    accounts::{Account, AccountId, AccountRecord, AccountStatus, Act, Acted, Book, Onboarding},
    model::{AccountRole, CreatorId, Tier},
    web::{
        ApiError, AppState,
        caller::{From, OperatorOnly},
        json_body::JsonOf,
        query::Query,
    },
};

/// Accounts of one answer, at most, and where nothing is said.
const MOST: usize = 200;
const USUAL: usize = 50;
/// Longest text that is searched for (characters).
const MOST_SEARCHED: usize = 254;

/// Which accounts.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// Part of an address, a name, a code, an id or a room.
    pub q: Option<String>,
    /// With this role.
    pub role: Option<String>,
    /// With this tier.
    pub tier: Option<String>,
    /// `active` or `suspended`.
    pub status: Option<String>,
    /// Those behind this one.
    pub cursor: Option<String>,
    /// How many.
    pub limit: Option<String>,
}

/// Some accounts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountList {
    /// Always true.
    pub success: bool,
    /// The newest first.
    pub items: Vec<AccountRecord>,
    /// How many there are of this kind.
    pub total: usize,
    /// Asks for those behind these; null at the end.
    pub next_cursor: Option<String>,
}

/// What a query asks for, read.
#[derive(Debug, Default)]
pub(super) struct Filter {
    text: Option<String>,
    role: Option<AccountRole>,
    tier: Option<Tier>,
    status: Option<AccountStatus>,
}

impl Filter {
    pub(super) fn read(wanted: &Wanted) -> Result<Self, ApiError> {
        let bad = |it: String| ApiError::BadRequest(it);
        let said = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
        let status = match said(&wanted.status).as_deref() {
            None => None,
            Some("active") => Some(AccountStatus::Active),
            Some("suspended") => Some(AccountStatus::Suspended),
            Some(other) => {
                return Err(bad(format!("`{other}` is not a status: use active or suspended")));
            }
        };
        let text = said(&wanted.q).map(|it| it.trim().to_lowercase());
        if text.as_ref().is_some_and(|it| it.chars().count() > MOST_SEARCHED) {
            return Err(bad(format!("`q` has at most {MOST_SEARCHED} characters")));
        }
        let role = said(&wanted.role).map(|it| it.parse()).transpose();
        let tier = said(&wanted.tier).map(|it| it.parse()).transpose();
        Ok(Self {
            text,
            role: role
                .map_err(|it: crate::model::account_role::UnknownRole| bad(it.to_string()))?,
            tier: tier.map_err(|it: crate::model::tier::UnknownTier| bad(it.to_string()))?,
            status,
        })
    }

    fn takes(&self, account: &Account) -> bool {
        self.role.is_none_or(|it| it == account.role)
            && self.tier.is_none_or(|it| it == account.tier)
            && self.status.is_none_or(|it| it == account.status)
            && self.text.as_ref().is_none_or(|it| mentions(account, it))
    }

    /// Accounts it takes, the newest first.
    pub(super) fn list(&self, book: &Book) -> Vec<Arc<Account>> {
        book.accounts().rev().filter(|it| self.takes(it)).cloned().collect()
    }
}

/// Whether an account has a text, in lower case, in any of its names.
fn mentions(account: &Account, text: &str) -> bool {
    account.email.as_ref().is_some_and(|it| it.as_str().contains(text))
        || account.display_name.to_lowercase().contains(text)
        || account.user_code.as_str().to_lowercase().contains(text)
        || account.id.to_string().starts_with(text)
        || account.list_rooms().any(|it| it.as_str().to_lowercase().contains(text))
}

/// How many somebody asks for.
pub(super) fn limit(text: Option<&str>, usual: usize, most: usize) -> Result<usize, ApiError> {
    let Some(text) = text.filter(|it| !it.is_empty()) else { return Ok(usual) };
    let number: usize = text
        .parse()
        .ok()
        .filter(|it| *it > 0)
        .ok_or_else(|| ApiError::BadRequest("`limit` is a number from 1 on".to_owned()))?;
    Ok(number.min(most))
}

/// An answer that nobody keeps.
pub(super) fn unkept(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// `GET /admin/users?q=&role=&tier=&status=&cursor=&limit=`: accounts, the newest first.
///
/// # Errors
/// 400 for a word that is none, 401 and 403 for others.
pub async fn list_accounts(
    State(state): State<AppState>,
    _operator: OperatorOnly,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let filter = Filter::read(&wanted)?;
    let limit = limit(wanted.limit.as_deref(), USUAL, MOST)?;
    let cursor = wanted.cursor.as_deref().filter(|it| !it.is_empty());
    let cursor = cursor.map(|it| {
        AccountId::parse(it).ok_or_else(|| ApiError::BadRequest("`cursor` is none".to_owned()))
    });
    let cursor = cursor.transpose()?;
    let book = state.accounts.book();
    // Among very many, a search is no moment's work.
    let found = state.life.spawn_blocking(move || {
        let found = filter.list(&book);
        let total = found.len();
        let behind = |it: &Arc<Account>| cursor.is_none_or(|cursor| it.id < cursor);
        let mut items: Vec<_> = found.into_iter().filter(behind).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|it| it.id.to_string());
        let items = items.iter().map(|it| AccountRecord::of(it)).collect();
        AccountList { success: true, items, total, next_cursor }
    });
    Ok(unkept(found.await.map_err(|it| ApiError::Internal(it.into()))?))
}

/// One account, with what only this page needs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountDetail {
    /// Always true.
    pub success: bool,
    /// The account.
    pub account: AccountRecord,
    /// Whether there is a password.
    pub has_password: bool,
    /// Sign-ins that are open (count).
    pub sessions: usize,
    /// API tokens (count).
    pub tokens: usize,
}

fn parse(id: &str) -> Result<AccountId, ApiError> {
    AccountId::parse(id).ok_or(ApiError::NotFound("account"))
}

/// `GET /admin/accounts/{uuid}`: one account.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown one.
pub async fn find_account(
    State(state): State<AppState>,
    Path(id): Path<String>,
    _operator: OperatorOnly,
) -> Result<Response, ApiError> {
    let book = state.accounts.book();
    let account = book.account(parse(&id)?).ok_or(ApiError::NotFound("account"))?;
    let idle = state.config.borrow().system.auth.session_idle_hours;
    let at = state.accounts.now();
    let sessions = book.list_sessions(account.id);
    Ok(unkept(AccountDetail {
        success: true,
        account: AccountRecord::of(account),
        has_password: account.password.is_some(),
        sessions: sessions.iter().filter(|it| it.is_open(idle, at)).count(),
        tokens: book.list_tokens(account.id).len(),
    }))
}

/// What was done to an account.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ActAnswer {
    /// Always true.
    pub success: bool,
    /// Whether anything is different now.
    pub changed: bool,
    /// The account as it is now; null when it is gone.
    pub account: Option<AccountRecord>,
    /// `active`, `suspended` or `deleted`.
    pub account_status: String,
    /// Whether its owner has said what it is for.
    pub onboarding_status: Onboarding,
    /// Sign-ins that were ended (count).
    pub sessions_invalidated: usize,
    /// Whether it had a password that nobody vouched for, and has none now: its owner got a link to set one, unless
    /// the account is suspended.
    pub password_removed: bool,
}

impl ActAnswer {
    fn of(acted: &Acted) -> Self {
        let status = match acted.account.status {
            _ if acted.deleted => "deleted",
            AccountStatus::Active => "active",
            AccountStatus::Suspended => "suspended",
        };
        Self {
            success: true,
            changed: acted.changed,
            account: (!acted.deleted).then(|| AccountRecord::of(&acted.account)),
            account_status: status.to_owned(),
            onboarding_status: acted.account.onboarding,
            sessions_invalidated: acted.sessions_invalidated,
            password_removed: acted.password_removed,
        }
    }
}

async fn act(
    state: &AppState,
    operator: &OperatorOnly,
    From(origin): From,
    id: &str,
    act: Act,
) -> Result<Response, ApiError> {
    let acted = state.accounts.act(parse(id)?, act, by(&operator.0, origin)).await?;
    Ok(unkept(ActAnswer::of(&acted)))
}

/// The acts that need no word more, each with an address of its own.
macro_rules! acts {
    ($($(#[$about:meta])+ $name:ident = $act:ident;)+) => {$(
        $(#[$about])+
        ///
        /// # Errors
        /// 401 and 403 for others, 404 for an unknown account, 409 for what would leave no admin, 503 when the disk
        /// refuses.
        pub async fn $name(
            State(state): State<AppState>,
            Path(id): Path<String>,
            operator: OperatorOnly,
            from: From,
        ) -> Result<Response, ApiError> {
            act(&state, &operator, from, &id, Act::$act).await
        }
    )+};
}

acts! {
    /// `POST /admin/accounts/{uuid}/suspend`: takes it out of use; who is signed in is out at once.
    suspend_account = Suspend;
    /// `POST /admin/accounts/{uuid}/unsuspend`: lets it be used again.
    unsuspend_account = Unsuspend;
    /// `POST /admin/accounts/{uuid}/delete`, `DELETE /admin/accounts/{uuid}`: removes it, for good.
    delete_account = Delete;
    /// `POST /admin/accounts/{uuid}/invalidate-sessions`: ends all its sign-ins.
    invalidate_sessions = InvalidateSessions;
    /// `POST /admin/accounts/{uuid}/reset-onboarding`: has its owner say anew what it is for.
    reset_onboarding = ResetOnboarding;
    /// `POST /admin/accounts/{uuid}/force-email-reverify`: has its owner prove the address anew.
    force_email_reverify = ForceEmailReverify;
    /// `POST /admin/accounts/{uuid}/mark-email-verified`: takes the address as proven.
    mark_email_verified = MarkEmailVerified;
}

/// A tier to give.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewTier {
    /// `core`, `gold` or `pro`, in any case.
    #[schemars(length(max = 20))]
    pub tier: String,
}

/// `PATCH /admin/accounts/{uuid}/tier {tier}`: gives it a tier.
///
/// # Errors
/// 400 for a word that is no tier; otherwise as the others.
pub async fn set_tier(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: OperatorOnly,
    from: From,
    JsonOf(new): JsonOf<NewTier>,
) -> Result<Response, ApiError> {
    // What is stored and unknown counts as the first; what somebody types and is unknown is a slip.
    let tier = new
        .tier
        .parse()
        .map_err(|it: crate::model::tier::UnknownTier| ApiError::bad_member("/tier", it))?;
    act(&state, &operator, from, &id, Act::SetTier(tier)).await
}

/// A role to give.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewRole {
    /// `viewer`, `creator`, `moderator` or `admin`, in any case.
    #[schemars(length(max = 20))]
    pub role: String,
}

/// `PATCH /admin/accounts/{uuid}/role {role}`: gives it a role.
///
/// # Errors
/// 400 for a word that is no role; otherwise as the others.
pub async fn set_role(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: OperatorOnly,
    from: From,
    JsonOf(new): JsonOf<NewRole>,
) -> Result<Response, ApiError> {
    let role = new
        .role
        .parse()
        .map_err(|it: crate::model::account_role::UnknownRole| ApiError::bad_member("/role", it))?;
    act(&state, &operator, from, &id, Act::SetRole(role)).await
}

/// Rooms to give.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewRooms {
    /// All that are its own from now on.
    #[schemars(length(max = 1_000))]
    pub rooms: Vec<CreatorId>,
}

/// `PUT /admin/accounts/{uuid}/rooms {rooms}`: says which rooms are its own, as many as its tier allows.
///
/// # Errors
/// 409 for a room of another account and for more than the tier allows; otherwise as the others.
pub async fn set_rooms(
    State(state): State<AppState>,
    Path(id): Path<String>,
    operator: OperatorOnly,
    from: From,
    JsonOf(new): JsonOf<NewRooms>,
) -> Result<Response, ApiError> {
    if new.rooms.len() > 1_000 {
        return Err(ApiError::bad_member("/rooms", "1000 rooms at most"));
    }
    act(&state, &operator, from, &id, Act::SetRooms(new.rooms)).await
}
