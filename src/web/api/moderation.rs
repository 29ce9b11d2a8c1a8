//! `/api/rooms/{room}/moderation`: takes messages and viewers away, here and on their platforms.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::JsonBody;
use crate::{
    accounts::{Actor, AuditEntry, Right},
    chat::{Room, room::Arrival},
    model::{ChatClearUser, ChatDelete, EventBody, Platform, QualifiedId, Timestamp},
    platforms::{
        moderating::{Act, ActError},
        sending::Voice,
    },
    web::{ApiError, AppState, access::RoomActor, caller::From},
};

/// Length of a timeout when nothing is said (s).
const USUAL_TIMEOUT_SECONDS: u32 = 600;
/// Longest timeout (s): two weeks.
const LONGEST_TIMEOUT_SECONDS: u32 = 1_209_600;
/// How often a viewer is put among the hidden while somebody else changes how the room looks.
const MOST_TRIES: usize = 5;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Takes a message away, or a viewer off the overlays.
    Hide,
    /// Puts a viewer back on the overlays.
    Unhide,
    /// Silences a viewer for a while, and takes away what they said.
    Timeout,
    /// Bans a viewer, and takes away what they said.
    Ban,
    /// Takes a ban or a timeout back.
    Unban,
}

impl Action {
    const fn right(self) -> Right {
        match self {
            Self::Hide | Self::Unhide => Right::Hide,
            Self::Timeout => Right::Timeout,
            Self::Ban | Self::Unban => Right::Ban,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Unhide => "unhide",
            Self::Timeout => "timeout",
            Self::Ban => "ban",
            Self::Unban => "unban",
        }
    }
}

/// What a moderator wants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewModeration {
    /// What is to be done.
    action: Action,
    /// To which message …
    #[serde(default)]
    message_id: Option<QualifiedId>,
    /// … or to which viewer.
    #[serde(default)]
    user_id: Option<QualifiedId>,
    /// Length of a timeout (s).
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_209_600))]
    seconds: Option<u32>,
    /// On which platforms besides here; absent is on that of the message or viewer, none is here alone. Each counts
    /// once.
    #[serde(default)]
    #[schemars(length(max = 8))]
    platforms: Option<Vec<Platform>>,
}

/// How it ended in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It is done.
    Done,
    /// It was tried, and is not done.
    Refused,
    /// There is no way to do it there.
    Impossible,
}

/// What came of it in one place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// `feed`, which is here, or a platform.
    place: String,
    /// The channel there.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    state: Ending,
    /// Why, for people; may be empty.
    detail: String,
    /// When.
    at: Timestamp,
}

impl Outcome {
    fn new(place: &str, channel: Option<&str>, state: Ending, detail: impl Into<String>) -> Self {
        let channel = channel.map(str::to_owned);
        let (place, detail) = (place.to_owned(), detail.into());
        Self { place, channel, state, detail, at: Timestamp::now() }
    }

    fn here(state: Ending, detail: &str) -> Self {
        Self::new("feed", None, state, detail)
    }
}

/// What is sent to take it back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Undo {
    action: Action,
    user_id: QualifiedId,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Moderated {
    action: Action,
    /// One for each place.
    results: Vec<Outcome>,
    /// What takes it back, where anything does.
    undo: Option<Undo>,
}

/// To what it is done.
#[derive(Debug, Clone)]
enum Target {
    Message { id: QualifiedId, author: QualifiedId, channel: String },
    Viewer(QualifiedId),
}

impl Target {
    const fn id(&self) -> &QualifiedId {
        match self {
            Self::Message { id, .. } | Self::Viewer(id) => id,
        }
    }
}

/// `POST /api/rooms/{room}/moderation {action, message_id | user_id, seconds?, platforms?}`: here at once, and on the platform
/// where a token of the creator's allows it.
///
/// 200 with what came of it in each place: `done`, `refused` or `impossible`, and when.
///
/// # Errors
/// 400 naming what is wrong, 401 and 403 for others and without that right, 404 for an unknown room or message, 503
/// while the log cannot be read.
pub async fn moderate(
    State(state): State<AppState>,
    actor: RoomActor,
    From(origin): From,
    body: JsonBody<NewModeration>,
) -> Result<Json<Moderated>, ApiError> {
    // Whoever may do nothing of the kind is not told what is wrong with the body.
    if ![Right::Hide, Right::Timeout, Right::Ban].iter().any(|it| actor.may(*it).is_ok()) {
        return Err(actor.may(Right::Hide).err().unwrap_or(ApiError::Unauthorized));
    }
    let Json(new) = body?;
    actor.may(new.action.right())?;
    let target = find_target(&actor.room, &new).await?;
    let (by, room) = (actor.caller.actor(), Arc::clone(&actor.room));
    let shared = Arc::clone(&state);
    // A task of its own: whoever asked may be gone before the platforms have answered.
    let work = async move {
        let moderated = carry_out(&shared, &room, &new, &target).await?;
        note(&shared, &room, by, origin, &target, &moderated).await;
        Ok(moderated)
    };
    let moderated = state.life.spawn(work).await;
    moderated.map_err(|it| ApiError::Internal(std::io::Error::other(it)))?.map(Json)
}

async fn find_target(room: &Room, new: &NewModeration) -> Result<Target, ApiError> {
    let bad = |words: &str| Err(ApiError::BadRequest(words.to_owned()));
    if new.seconds.is_some_and(|it| !(1..=LONGEST_TIMEOUT_SECONDS).contains(&it)) {
        return bad("`seconds` is 1 to 1209600: two weeks");
    }
    if new.seconds.is_some() && new.action != Action::Timeout {
        return bad("`seconds` is for a timeout");
    }
    if new.platforms.as_ref().is_some_and(|it| it.len() > Platform::ALL.len()) {
        return bad("`platforms` names more than there are");
    }
    match (&new.message_id, &new.user_id) {
        (None, Some(id)) => Ok(Target::Viewer(id.clone())),
        (Some(id), None) => {
            let found = room.find_message(id).await.map_err(|_| ApiError::LogUnavailable)?;
            let message = found.ok_or(ApiError::NotFound("message in this room"))?.message;
            if new.action == Action::Hide {
                let (author, channel) = (message.author.id, message.channel.name);
                return Ok(Target::Message { id: id.clone(), author, channel });
            }
            // Whoever wrote it is meant.
            Ok(Target::Viewer(message.author.id))
        }
        _ => bad("say either `message_id` or `user_id`"),
    }
}

async fn carry_out(
    state: &AppState,
    room: &Arc<Room>,
    new: &NewModeration,
    target: &Target,
) -> Result<Moderated, ApiError> {
    let seconds = new.seconds.unwrap_or(USUAL_TIMEOUT_SECONDS);
    let mut results = Vec::new();
    let act = match (new.action, target) {
        (Action::Hide, Target::Message { id, author, .. }) => {
            let deletion = ChatDelete {
                message_id: id.clone(),
                platform: id.platform().unwrap_or(Platform::Streamsuites),
                author_id: Some(author.clone()),
            };
            room.publish(&EventBody::ChatDelete(deletion), &Arrival::now());
            results.push(Outcome::here(Ending::Done, ""));
            Some(Act::Delete(id.clone()))
        }
        (Action::Hide, Target::Viewer(id)) => {
            results.push(set_hidden(state, room, id, true).await?);
            None
        }
        (Action::Unhide, it) => {
            results.push(set_hidden(state, room, it.id(), false).await?);
            None
        }
        (Action::Timeout, it) => {
            results.push(clear_user(room, it.id(), Some(u64::from(seconds))));
            Some(Act::Timeout(it.id().clone(), seconds))
        }
        (Action::Ban, it) => {
            results.push(clear_user(room, it.id(), None));
            Some(Act::Ban(it.id().clone()))
        }
        (Action::Unban, it) => Some(Act::Unban(it.id().clone())),
    };
    let mut on_platform = false;
    if let Some(act) = act {
        for it in on_platforms(state, room, new, target, &act).await {
            on_platform |= it.state == Ending::Done;
            results.push(it);
        }
    }
    let back = match new.action {
        Action::Hide if matches!(target, Target::Viewer(_)) => Some(Action::Unhide),
        Action::Timeout | Action::Ban if on_platform => Some(Action::Unban),
        _ => None,
    };
    let undo = back.map(|action| Undo { action, user_id: target.id().clone() });
    Ok(Moderated { action: new.action, results, undo })
}

fn clear_user(room: &Room, id: &QualifiedId, seconds: Option<u64>) -> Outcome {
    let Some(platform) = id.platform() else {
        return Outcome::here(Ending::Impossible, "that is a viewer of no platform");
    };
    let purge = ChatClearUser { platform, author_id: id.clone(), seconds };
    let now = Timestamp::now();
    // Of what they said until now.
    let arrival = Arrival { sent_at: Some(now), ..Arrival::now() };
    room.publish(&EventBody::ChatClearUser(purge), &arrival);
    Outcome::here(Ending::Done, "")
}

/// Puts a viewer among those that the room's overlays do not show, or takes them out.
async fn set_hidden(
    state: &AppState,
    room: &Arc<Room>,
    id: &QualifiedId,
    hidden: bool,
) -> Result<Outcome, ApiError> {
    let (looks, room, id) = (state.looks.clone(), Arc::clone(room), id.clone());
    let work = move || {
        for _ in 0..MOST_TRIES {
            let look = looks.find(room.id());
            let mut users = look.settings.hidden_users.clone();
            let before = users.len();
            users.retain(|it| !it.eq_ignore_ascii_case(id.as_str()));
            if hidden {
                users.push(id.as_str().to_owned());
            } else if users.len() == before {
                return Ok(Outcome::here(Ending::Refused, "that viewer is not hidden by id"));
            }
            let change = json!({ "hidden_users": users });
            match looks.change(room.id(), &change, Some(&look.version), false) {
                Ok(_) => return Ok(Outcome::here(Ending::Done, "")),
                Err(ApiError::Changed) => {}
                Err(error @ ApiError::Invalid(_)) => {
                    return Ok(Outcome::here(Ending::Refused, &error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        Err(ApiError::NotNow("how the room looks is being changed: try again"))
    };
    state.life.spawn_blocking(work).await.map_err(|it| ApiError::Internal(it.into()))?
}

/// Does it on the platforms that are asked for: only its own knows the message or viewer.
async fn on_platforms(
    state: &AppState,
    room: &Room,
    new: &NewModeration,
    target: &Target,
    act: &Act,
) -> Vec<Outcome> {
    let Some(own) = target.id().platform() else { return Vec::new() };
    let mut asked = new.platforms.clone().unwrap_or_else(|| vec![own]);
    let mut seen = BTreeSet::new();
    asked.retain(|it| seen.insert(*it));
    let mut results = Vec::new();
    for platform in asked {
        if platform != own {
            let detail =
                format!("{} knows nothing of it: it is {}'s", platform.title(), own.title());
            results.push(Outcome::new(platform.as_str(), None, Ending::Impossible, detail));
            continue;
        }
        let mut channels = list_channels(state, room, own);
        if let Target::Message { channel, .. } = target
            && channels.iter().any(|it| it.0.eq_ignore_ascii_case(channel))
        {
            channels.retain(|it| it.0.eq_ignore_ascii_case(channel));
        }
        if channels.is_empty() {
            let detail = "the room has no channel there";
            results.push(Outcome::new(own.as_str(), None, Ending::Impossible, detail));
        }
        let acts = channels.into_iter().map(|(channel, voice)| async move {
            let (state, detail) = match voice {
                Err(reason) => (Ending::Impossible, reason),
                Ok(voice) => match voice.moderate(act).await {
                    Ok(()) => (Ending::Done, String::new()),
                    Err(ActError::Refused(reason)) => (Ending::Refused, reason),
                    Err(ActError::Impossible(reason)) => (Ending::Impossible, reason),
                },
            };
            Outcome::new(own.as_str(), Some(&channel), state, detail)
        });
        results.extend(futures_util::future::join_all(acts).await);
    }
    results
}

fn list_channels(state: &AppState, room: &Room, platform: Platform) -> Vec<(String, Voice)> {
    let config = state.config.borrow().clone();
    let creator = config.creators.creators.iter().find(|it| it.id == *room.id());
    let voices = creator.map(|it| state.voices.list(&config, it)).unwrap_or_default();
    let there = voices.into_iter().filter(|it| it.0.platform == platform);
    there.map(|(key, voice)| (key.channel, voice)).collect()
}

/// Under the name of whoever did it.
async fn note(
    state: &AppState,
    room: &Room,
    by: Actor,
    origin: crate::accounts::Origin,
    target: &Target,
    moderated: &Moderated,
) {
    let action = format!("moderation_{}", moderated.action.as_str());
    let endings: Vec<String> = moderated
        .results
        .iter()
        .map(|it| format!("{}: {}", it.place, format!("{:?}", it.state).to_lowercase()))
        .collect();
    let (room, target) = (room.id().to_string(), target.id().as_str().to_owned());
    let noted = state.accounts.change(move |change| {
        let entry = AuditEntry::new(change.at(), by, &action)
            .from(&origin)
            .with("room", room)
            .with("target", target)
            .with("results", endings.join(", "));
        change.audit(entry);
        Ok(())
    });
    if let Err(error) = noted.await {
        tracing::error!(%error, "what a moderator did cannot be audited");
    }
}
