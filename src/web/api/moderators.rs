//! `/api/rooms/{room}/moderators`: who moderates a room, and what each may do there.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::JsonBody;
use crate::{
    accounts::{
        Account, AccountId, Invitation, Invited, Invitee, Moderator, PRESETS, Right, Rights,
        UserCode,
    },
    model::{CreatorId, Timestamp},
    web::{
        ApiError, AppState,
        access::RoomManager,
        auth::{link::secret, sign_up::pace},
        caller::{AccountOnly, Caller, From},
        query::Query,
    },
};

/// A moderator, as a room's owner sees them.
#[derive(Serialize, JsonSchema)]
pub struct ModeratorCard {
    id: AccountId,
    user_code: UserCode,
    display_name: String,
    avatar_url: Option<String>,
    rights: Rights,
    since: Timestamp,
    /// Whether the account may be used; a suspended one does nothing here.
    active: bool,
}

impl ModeratorCard {
    fn new(it: Moderator, account: &Account) -> Self {
        Self {
            id: it.account,
            user_code: account.user_code.clone(),
            display_name: account.display_name.clone(),
            avatar_url: account.avatar_url.clone(),
            rights: it.rights,
            since: it.since,
            active: account.is_active(),
        }
    }
}

/// Somebody who was asked.
#[derive(Serialize, JsonSchema)]
pub struct InvitationCard {
    id: Uuid,
    /// Where the mail went.
    to: String,
    rights: Rights,
    expires_at: Timestamp,
}

impl InvitationCard {
    fn new(it: &Invitation, expires_at: Timestamp) -> Self {
        let to = it.to.as_str().to_owned();
        Self { id: it.id, to, rights: it.rights.clone(), expires_at }
    }
}

/// Rights that often go together.
#[derive(Serialize, JsonSchema)]
pub struct Preset {
    name: &'static str,
    rights: &'static [Right],
}

/// Everybody who moderates a room.
#[derive(Serialize, JsonSchema)]
pub struct ModeratorList {
    moderators: Vec<ModeratorCard>,
    invitations: Vec<InvitationCard>,
    presets: Vec<Preset>,
}

/// What came of asking: one of the two.
#[derive(Serialize, JsonSchema)]
pub struct InvitedAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    moderator: Option<ModeratorCard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<InvitationCard>,
}

fn answer(status: StatusCode, body: impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// `GET /api/rooms/{room}/moderators`: `{"moderators","invitations","presets"}`.
///
/// # Errors
/// 401 and 403 for others, 404 for an unknown room.
pub async fn list_moderators(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
) -> Response {
    let book = state.accounts.book();
    let moderators = book.list_moderators(room.id()).into_iter();
    let invitations = book.list_invitations(room.id(), state.accounts.now());
    let list = ModeratorList {
        moderators: moderators.map(|(it, account)| ModeratorCard::new(it, &account)).collect(),
        invitations: invitations.iter().map(|it| InvitationCard::new(&it.0, it.1)).collect(),
        presets: PRESETS.iter().map(|(name, rights)| Preset { name, rights }).collect(),
    };
    answer(StatusCode::OK, list)
}

/// Whom to ask, and for what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModerator {
    /// A mail address, which is asked by mail, or the code of an account, which moderates at once.
    #[schemars(length(max = 254))]
    to: String,
    /// What they may do.
    #[serde(default)]
    rights: Option<Rights>,
    /// The same by the name of a preset.
    #[serde(default)]
    preset: Option<String>,
}

impl NewModerator {
    fn read(self) -> Result<(Invitee, Rights), ApiError> {
        let bad = |words: &str| ApiError::BadRequest(words.to_owned());
        let rights = match (self.rights, self.preset) {
            (Some(rights), None) => rights,
            (None, Some(name)) => {
                let preset = PRESETS.iter().find(|it| it.0 == name);
                let preset = preset.ok_or_else(|| {
                    let names: Vec<_> = PRESETS.iter().map(|it| it.0).collect();
                    ApiError::BadRequest(format!("`preset` is one of {}", names.join(", ")))
                })?;
                preset.1.iter().copied().collect()
            }
            _ => return Err(bad("say either `rights` or a `preset`")),
        };
        if rights.is_empty() {
            return Err(bad("`rights` names none: to take all away, delete the moderator"));
        }
        let invitee = match UserCode::parse(&self.to) {
            Some(code) => Invitee::Code(code),
            None => Invitee::Email(self.to.parse().map_err(|_| {
                bad("`to` is a mail address, or the code of an account such as U-7K2M9QXD")
            })?),
        };
        Ok((invitee, rights))
    }
}

/// `POST /api/rooms/{room}/moderators {to, rights | preset}`: asks somebody by mail (202 with `invitation`, whether or not the
/// address has an account), or by their code (201 with `moderator`: at once). Of somebody who moderates already, it
/// changes the rights.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others, 404 for an unknown room or code, 409 for the room's owner and when
/// there are too many, 429 for too many attempts or mails, 503 when the disk refuses.
pub async fn invite_moderator(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    caller: Caller,
    From(origin): From,
    body: JsonBody<NewModerator>,
) -> Result<Response, ApiError> {
    let Json(new) = body?;
    pace(&state, &origin)?;
    let (invitee, rights) = new.read()?;
    if let Invitee::Email(to) = &invitee
        && !state.accounts.paces().mail(to)
    {
        return Err(ApiError::RateLimited(3600));
    }
    let (id, by) = (room.id().clone(), caller.actor());
    let invited = state.accounts.invite_moderator(id, invitee, rights, by, origin).await?;
    Ok(match invited {
        Invited::Moderates(it) => {
            let book = state.accounts.book();
            let account = book.account(it.account).ok_or(ApiError::NotFound("account"))?;
            let moderator = Some(ModeratorCard::new(it, account));
            answer(StatusCode::CREATED, InvitedAnswer { moderator, invitation: None })
        }
        Invited::Asked(it, until) => {
            let invitation = Some(InvitationCard::new(&it, until));
            answer(StatusCode::ACCEPTED, InvitedAnswer { moderator: None, invitation })
        }
    })
}

/// Whom to take the rights away from.
#[derive(Deserialize)]
pub struct WhichModerator {
    id: Option<String>,
}

/// `DELETE /api/rooms/{room}/moderators?id=ID`: takes a moderator's rights away, by the account's id or code, or an
/// invitation back, by its id. What they have open is closed. 204.
///
/// # Errors
/// 400 without an id, 401 and 403 for others, 404 for an unknown room or moderator, 503 when the disk refuses.
pub async fn remove_moderator(
    State(state): State<AppState>,
    RoomManager { room }: RoomManager,
    caller: Caller,
    From(origin): From,
    Query(which): Query<WhichModerator>,
) -> Result<StatusCode, ApiError> {
    let id = which
        .id
        .ok_or_else(|| ApiError::BadRequest("whom? add ?id=ID to the address".to_owned()))?;
    state.accounts.remove_moderator(room.id().clone(), id, caller.actor(), origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The secret of an invitation's link.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    #[serde(deserialize_with = "secret")]
    #[schemars(length(max = 128))]
    token: String,
}

/// What somebody may do now, and where.
#[derive(Serialize, JsonSchema)]
pub struct AcceptedAnswer {
    room: CreatorId,
    rights: Rights,
    /// The room's chat, where it is done.
    chat_url: String,
}

/// `POST /api/invitations {token}`: takes an invitation up, for the account that is signed in. 200 with `room` and `rights`.
///
/// # Errors
/// 400 for a link that no longer works, 401 and 403 for others, 409 for the room's owner, 429 for too many attempts, 503
/// when the disk refuses.
pub async fn accept_invitation(
    State(state): State<AppState>,
    AccountOnly { account, .. }: AccountOnly,
    From(origin): From,
    body: JsonBody<Acceptance>,
) -> Result<Response, ApiError> {
    let Json(Acceptance { token }) = body?;
    pace(&state, &origin)?;
    let it = state.accounts.accept_invitation(token, account.id, origin).await?;
    let chat_url = format!("{}/chat/{}", state.base_url, it.room);
    Ok(answer(StatusCode::OK, AcceptedAnswer { room: it.room, rights: it.rights, chat_url }))
}
