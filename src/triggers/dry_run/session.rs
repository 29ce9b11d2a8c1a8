//! A recorded session goes through the triggers, by the clock of then.

use std::{borrow::Cow, sync::Arc, time::Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::find_reply;
use crate::{
    chat::Room,
    feed::{Filter, ReadError, Span, StreamSession},
    model::{
        Amount, Flag, Platform, QualifiedId, Role, Timestamp,
        message::{is_of_a_viewer, spoken},
        template::Facts,
        trigger::{Access, Trigger},
    },
    triggers::{
        cooldowns::{Around, Cooldowns},
        engine::Triggers,
        line::{Line, bounded},
        set::{Judged, TriggerSet},
    },
};

/// Hits of a session that are listed (count); all are counted.
const MOST_LISTED: usize = 100;
/// Longest that a session is tried (s): hostile patterns would take for ever.
const LONGEST_SECONDS: u64 = 20;
/// Events read at once (count).
const CHUNK_EVENTS: usize = 20_000;
/// And what they may take (bytes).
const CHUNK_BYTES: usize = 32 << 20;

/// What would become of a session.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TriedSession {
    /// Chat messages that were looked at (count).
    pub messages: u64,
    /// Those that a trigger acts upon (count).
    pub matched: u64,
    /// How often each, most often first.
    pub by_trigger: Vec<TriggerCount>,
    /// The first of them.
    pub first: Vec<Hit>,
    /// It took too long, and was ended there: what comes later was not looked at.
    pub cut: bool,
    /// How long it took (ms).
    pub took_ms: u64,
}

/// How often a trigger acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TriggerCount {
    /// Which.
    pub trigger_id: String,
    /// How often (count).
    pub count: u64,
}

/// A message of a session that a trigger acts upon.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Hit {
    /// When it was said.
    pub at: Timestamp,
    /// Its place in the feed.
    pub seq: u64,
    /// Where.
    pub platform: Platform,
    /// By whom, as shown.
    pub viewer: String,
    /// What.
    pub text: String,
    /// Which trigger acts.
    pub trigger_id: String,
    /// What would be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

/// A message of the log, as much of it as triggers look at.
#[derive(Deserialize)]
struct Logged<'a> {
    seq: u64,
    ts: Timestamp,
    #[serde(borrow)]
    data: LoggedMessage<'a>,
}

#[derive(Deserialize)]
struct LoggedMessage<'a> {
    platform: Platform,
    #[serde(borrow)]
    author: LoggedAuthor<'a>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    flags: Vec<Flag>,
    #[serde(default)]
    reply_to: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    amount: Option<Amount>,
    channel: LoggedChannel<'a>,
}

#[derive(Deserialize)]
struct LoggedChannel<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct LoggedAuthor<'a> {
    id: QualifiedId,
    #[serde(borrow)]
    login: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    roles: Vec<Role>,
}

impl Triggers {
    /// What would have become of a recorded session, by the clock of then. `drafts` take the place of the room's.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn try_session(
        &self,
        room: &Arc<Room>,
        session: &StreamSession,
        drafts: Option<Vec<Trigger>>,
    ) -> Result<TriedSession, ReadError> {
        let _turn = self.take_trial().await;
        // Others' trials are not time of this one.
        let began = Instant::now();
        let in_force = self.room(room.id()).in_force.load_full();
        let set = match drafts {
            None => Arc::clone(&in_force.set),
            Some(it) => {
                let each = it.into_iter().map(|it| (Arc::new(it), None)).collect();
                // Patterns take time to be made ready.
                let made = room.life().spawn_blocking(move || TriggerSet::new(each)).await;
                Arc::new(made.map_err(|_| ReadError::Unavailable)?)
            }
        };
        let mut trial = Trial {
            set,
            cooldowns: Cooldowns::default(),
            least_seconds: in_force.terms.least_seconds,
            room: room.id().to_string(),
            tried: TriedSession {
                messages: 0,
                matched: 0,
                by_trigger: Vec::new(),
                first: Vec::new(),
                cut: false,
                took_ms: 0,
            },
        };
        let filter = Filter::parse(Some("chat.message"), None).unwrap_or_default();
        let mut after = session.first_seq.saturating_sub(1);
        while after < session.last_seq && !trial.tried.cut {
            let span = Span {
                after,
                before: session.last_seq + 1,
                filter: filter.clone(),
                most_events: CHUNK_EVENTS,
                most_bytes: CHUNK_BYTES,
                ..Span::default()
            };
            let page = room.log().page(span).await?;
            (after, trial) = {
                let reached = if page.more { page.reached } else { session.last_seq };
                // Much to read: not on a thread that chats wait for.
                let work = room.life().spawn_blocking(move || {
                    for event in &page.events {
                        if began.elapsed().as_secs() >= LONGEST_SECONDS {
                            trial.tried.cut = true;
                            break;
                        }
                        trial.look(&event.json);
                    }
                    trial
                });
                (reached, work.await.map_err(|_| ReadError::Unavailable)?)
            };
        }
        let mut tried = trial.tried;
        tried
            .by_trigger
            .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.trigger_id.cmp(&b.trigger_id)));
        tried.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(tried)
    }
}

/// A session on its way through the triggers.
struct Trial {
    set: Arc<TriggerSet>,
    cooldowns: Cooldowns,
    least_seconds: u32,
    room: String,
    tried: TriedSession,
}

impl Trial {
    fn look(&mut self, json: &[u8]) {
        // What cannot be read is none of ours; the log's own tests see to that.
        let Ok(Logged { seq, ts, data }) = serde_json::from_slice::<Logged<'_>>(json) else {
            return;
        };
        self.tried.messages += 1;
        let is_late = data.flags.contains(&Flag::Historical);
        if is_late || !is_of_a_viewer(&data.author.roles, &data.flags) {
            return;
        }
        let line = Line {
            text: bounded(spoken(&data.text, data.reply_to.is_some())),
            platform: data.platform,
            access: Access::of(&data.author.roles),
            amount: data.amount.as_ref(),
            viewer: &data.author.id,
        };
        let everywhere = |_: &str| None;
        let mut around = Around {
            cooldowns: &self.cooldowns,
            everywhere: &everywhere,
            least_seconds: self.least_seconds,
            now: ts,
            patterns: None,
            began: None,
        };
        let Judged { fires, .. } = self.set.judge(&line, &mut around);
        drop(around);
        let Some((index, args)) = fires else { return };
        let trigger = &self.set.find(index).trigger;
        let count = self.cooldowns.note(trigger, Some(line.viewer), ts);
        self.tried.matched += 1;
        let id = &trigger.trigger_id;
        match self.tried.by_trigger.iter_mut().find(|it| it.trigger_id == *id) {
            Some(it) => it.count += 1,
            None => {
                self.tried.by_trigger.push(TriggerCount { trigger_id: id.clone(), count: 1 });
            }
        }
        if self.tried.first.len() < MOST_LISTED {
            let moment = ts.to_string();
            let facts = Facts {
                user: &data.author.name,
                login: &data.author.login,
                platform: data.platform.title(),
                channel: &data.channel.name,
                room: &self.room,
                args,
                message: line.text,
                amount: data.amount.as_ref().map_or("", |it| it.display.as_str()),
                count,
                time: &moment[11..16],
                date: &moment[..10],
                chance: seq,
            };
            self.tried.first.push(Hit {
                at: ts,
                seq,
                platform: data.platform,
                viewer: data.author.name.to_string(),
                text: data.text.to_string(),
                trigger_id: id.clone(),
                reply: find_reply(trigger, &facts),
            });
        }
    }
}
