//! What was said here: the lanes it goes through, and the list of what became of it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Delivery, Echoes, Outgoing, PlatformSender, SendState, Speaker, Words,
    lane::{self, Job, WAITING},
};
use crate::{
    lifecycle::Lifecycle,
    model::{CreatorId, Platform, QualifiedId, Timestamp},
};

/// Messages remembered per room, with their states (count): the oldest is forgotten.
const REMEMBERED: usize = 100;

/// What is to be said.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// The text.
    #[schemars(length(min = 1, max = 500))]
    pub text: String,
    /// On which platforms; absent is on all where this server may speak.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub platforms: Option<Vec<Platform>>,
    /// The message it answers: then it goes to that message's platform alone.
    #[serde(default)]
    pub reply_to: Option<QualifiedId>,
    /// Whose words they are.
    #[serde(default)]
    pub source: Speaker,
    /// Who said it here, as others call them; known from the sign-in, never from the body.
    #[serde(skip)]
    pub by: Option<String>,
}

/// Why nothing was said at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
    /// Nothing to say.
    #[error("the text is empty")]
    Empty,
    /// No platform takes so much.
    #[error("the text is longer than {0} characters")]
    TooLong(usize),
    /// An answer goes where the question was.
    #[error("{0} cannot answer a message of {1}")]
    OtherPlatform(Platform, Platform),
}

/// Where a channel can be spoken in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    /// For whom.
    pub creator: CreatorId,
    /// Where.
    pub platform: Platform,
    /// The channel.
    pub channel: String,
}

/// How a channel is spoken in, if it can be: its sender and what tells it from another; else why not.
pub type Voice = Result<Arc<dyn PlatformSender>, String>;

/// What was said here. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Shared>);

struct Shared {
    life: Lifecycle,
    echoes: Echoes,
    board: Board,
    lanes: Mutex<HashMap<LaneKey, Lane>>,
}

struct Lane {
    /// Who speaks in it.
    sender: Arc<dyn PlatformSender>,
    jobs: mpsc::Sender<Job>,
    stop: CancellationToken,
}

/// One message's place on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) room: CreatorId,
    message: String,
    index: usize,
}

/// The states of what was said, by room.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Mutex<HashMap<CreatorId, VecDeque<Outgoing>>>>);

impl Board {
    fn rooms(&self) -> MutexGuard<'_, HashMap<CreatorId, VecDeque<Outgoing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, outgoing: Outgoing) {
        let mut rooms = self.rooms();
        let room = rooms.entry(outgoing.room.clone()).or_default();
        if room.len() == REMEMBERED {
            room.pop_front();
        }
        room.push_back(outgoing);
    }

    /// Notes how far a message has come. One that was forgotten meanwhile is no longer noted.
    pub(super) fn set(
        &self,
        place: &Place,
        state: SendState,
        detail: &str,
        message_id: Option<QualifiedId>,
    ) {
        let mut rooms = self.rooms();
        let of_room = rooms.get_mut(&place.room).into_iter().flatten();
        let Some(outgoing) = of_room.into_iter().find(|it| it.id == place.message) else { return };
        if let Some(it) = outgoing.platforms.get_mut(place.index) {
            (it.state, it.detail, it.message_id) = (state, detail.to_owned(), message_id);
            it.changed_at = Timestamp::now();
        }
    }

    fn find(&self, room: &CreatorId, id: &str) -> Option<Outgoing> {
        self.rooms().get(room)?.iter().find(|it| it.id == id).cloned()
    }
}

impl Outbox {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(life: Lifecycle, echoes: Echoes) -> Self {
        let (board, lanes) = (Board::default(), Mutex::default());
        Self(Arc::new(Shared { life, echoes, board, lanes }))
    }

    /// What was said in a room lately, newest last.
    #[must_use]
    pub fn list(&self, room: &CreatorId) -> Vec<Outgoing> {
        self.0.board.rooms().get(room).map(|it| it.iter().cloned().collect()).unwrap_or_default()
    }

    /// Says `new` in the channels of `room`, each of which has a `voice` or a reason for none.
    ///
    /// Answers at once, with the state of each channel: the first ones are `queued` or `blocked`.
    ///
    /// # Errors
    /// When nothing can be said anywhere: the request is wrong.
    pub fn send(
        &self,
        room: &CreatorId,
        new: NewMessage,
        voices: Vec<(LaneKey, Voice)>,
    ) -> Result<Outgoing, OutboxError> {
        let text = new.text.trim().to_owned();
        if text.is_empty() {
            return Err(OutboxError::Empty);
        }
        let most = voices.iter().filter_map(|it| it.1.as_ref().ok()).map(|it| it.max_chars()).max();
        let most = most.unwrap_or(500);
        if text.chars().count() > most {
            return Err(OutboxError::TooLong(most));
        }
        let answered = new.reply_to.as_ref().and_then(QualifiedId::platform);
        if let (Some(answered), Some(platforms)) = (answered, &new.platforms)
            && let Some(other) = platforms.iter().find(|it| **it != answered)
        {
            return Err(OutboxError::OtherPlatform(*other, answered));
        }
        let wanted = |platform: Platform| {
            let named = new.platforms.as_ref().is_none_or(|it| it.contains(&platform));
            named && answered.is_none_or(|it| it == platform)
        };
        // Asked for all, only where it is possible; asked for by name, each has a state.
        let by_name = new.platforms.is_some() || answered.is_some();
        let now = Timestamp::now();
        let id = Uuid::now_v7().to_string();
        let mut platforms = Vec::new();
        let mut jobs = Vec::new();
        let blocked = |platform, channel: &str, detail: &str| Delivery {
            platform,
            channel: channel.to_owned(),
            state: SendState::Blocked,
            detail: detail.to_owned(),
            message_id: None,
            changed_at: now,
        };
        for (key, voice) in voices.into_iter().filter(|it| wanted(it.0.platform)) {
            match voice {
                Ok(sender) if text.chars().count() <= sender.max_chars() => {
                    let index = platforms.len();
                    let place = Place { room: room.clone(), message: id.clone(), index };
                    platforms.push(Delivery {
                        state: SendState::Queued,
                        ..blocked(key.platform, &key.channel, "")
                    });
                    jobs.push((key, sender, place));
                }
                Ok(sender) => {
                    let detail = format!("longer than {} characters", sender.max_chars());
                    platforms.push(blocked(key.platform, &key.channel, &detail));
                }
                Err(reason) if by_name => {
                    platforms.push(blocked(key.platform, &key.channel, &reason));
                }
                Err(_) => {}
            }
        }
        for platform in new.platforms.iter().flatten() {
            if !platforms.iter().any(|it| it.platform == *platform) {
                let detail = format!("the room has no channel on {}", platform.title());
                platforms.push(blocked(*platform, "", &detail));
            }
        }
        let outgoing = Outgoing {
            id: id.clone(),
            room: room.clone(),
            text: text.clone(),
            source: new.source,
            by: new.by,
            created_at: now,
            platforms,
        };
        self.0.board.add(outgoing.clone());
        for (key, sender, place) in jobs {
            let words = Words { text: text.clone(), reply_to: new.reply_to.clone() };
            self.give(key, sender, Job { words, place });
        }
        Ok(self.0.board.find(room, &id).unwrap_or(outgoing))
    }

    /// Puts a job into its lane, which is opened if need be.
    fn give(&self, key: LaneKey, sender: Arc<dyn PlatformSender>, job: Job) {
        let mut lanes = self.lanes();
        // One that ended by itself makes room for another, and so does one that another sender speaks in.
        lanes.retain(|it, lane| {
            let stays =
                *it != key || (!lane.jobs.is_closed() && Arc::ptr_eq(&lane.sender, &sender));
            if !stays {
                lane.stop.cancel();
            }
            stays
        });
        let lane = lanes.entry(key).or_insert_with(|| {
            let (jobs, inbox) = mpsc::channel(WAITING);
            let stop = self.0.life.stop.child_token();
            let (board, echoes) = (self.0.board.clone(), self.0.echoes.clone());
            let speaker = Arc::clone(&sender);
            self.0.life.spawn(lane::run(speaker, inbox, board, echoes, stop.clone()));
            Lane { sender, jobs, stop }
        });
        let place = job.place.clone();
        let refused = lane.jobs.try_send(job);
        drop(lanes);
        if let Err(error) = refused {
            let detail = match error {
                mpsc::error::TrySendError::Full(_) => "too many messages wait",
                mpsc::error::TrySendError::Closed(_) => "the server is stopping",
            };
            self.0.board.set(&place, SendState::Blocked, detail, None);
        }
    }

    /// Ends the lanes of channels whose sender changed; what waits in them is said to have failed.
    pub fn end_lanes(&self, gone: impl Fn(&LaneKey) -> bool) {
        self.lanes().retain(|key, lane| {
            let ends = gone(key);
            if ends {
                lane.stop.cancel();
            }
            !ends
        });
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<LaneKey, Lane>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
