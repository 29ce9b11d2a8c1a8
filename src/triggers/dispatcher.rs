//! Carries actions out: says it in the chats, puts it on the boards and on the stage, or makes a job of it.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::{
    decision::{Done, DoneState},
    hands::{Hands, Task},
};
use crate::{
    accounts::Accounts,
    boards::{BoardError, Boards, Contestant, Most, NewPoll},
    chat::{Room, room::Queued},
    config::{Config, Limited},
    jobs::{Job, JobError, JobKind, Jobs, NewJob},
    model::{
        CreatorId, Message, Platform, Timestamp,
        action::{Action, PollOpen},
        template::Filled,
    },
    platforms::{
        Voices,
        sending::{LaneKey, NewMessage, Outbox, SendState, Speaker, Voice, count_message},
    },
    quotas::RateLimits,
};

/// The hands of a server that runs.
pub struct Dispatcher {
    /// The configuration in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// What a tier allows in a room.
    pub accounts: Accounts,
    /// Where this server may speak.
    pub voices: Arc<Voices>,
    /// What is said.
    pub outbox: Outbox,
    /// Polls, tallies and scoreboards.
    pub boards: Boards,
    /// What takes time.
    pub jobs: Jobs,
    /// How much may be done within a minute.
    pub limits: RateLimits,
}

impl Hands for Dispatcher {
    fn may_act(
        &self,
        room: &Arc<Room>,
        message: Option<&Message>,
        now: Timestamp,
    ) -> Result<(), String> {
        let platform = message.map(|it| it.platform);
        let taken = self.limits.take(Limited::TriggerResponses, room.id(), platform, now);
        taken.map_err(|wait_ms| {
            format!("too many answers within a minute: again in {} s", wait_ms.div_ceil(1_000))
        })
    }

    fn find_voice(&self, room: &CreatorId, platform: Platform) -> Result<usize, String> {
        let voices = self.list_voices(room);
        let there: Vec<_> = voices.into_iter().filter(|it| it.0.platform == platform).collect();
        let none = || Err(format!("the room has no channel on {}", platform.title()));
        let best = there.into_iter().map(|it| it.1.map(|it| it.max_chars()));
        // One channel that can be spoken in is enough.
        best.reduce(|a, b| if a.is_ok() { a } else { b }).unwrap_or_else(none)
    }

    fn act(&self, task: &Task<'_>) -> Done {
        if task.action.is_outside() && !task.automation {
            let why = "the tier of this room's owner does not allow it";
            return task.done(DoneState::Blocked, why);
        }
        match task.action {
            Action::Reply(it) => self.reply(task, &it.text),
            Action::SendChatMessage(it) => {
                let platforms = (!it.platforms.is_empty()).then(|| it.platforms.clone());
                self.say(task, task.fill(&it.text), platforms, None)
            }
            Action::Feature(_) => feature(task),
            Action::Queue(_) => queue(task),
            Action::PollVote(it) => self.vote(task, it.poll_id.as_deref(), it.choice.as_deref()),
            Action::PollOpen(it) => self.open_poll(task, it),
            Action::PollClose(it) => {
                let closed =
                    self.boards.close_poll(task.room.id(), it.poll_id.as_deref(), task.now);
                of_board(task, closed.map(|it| format!("closed `{}`", it.question)))
            }
            Action::Tally(it) => {
                let item = it.item.as_deref().map(|it| task.fill(it));
                let voter = task.message.map(|it| &it.author.id);
                let (room, item) = (task.room.id(), item.as_deref());
                let counted = self.boards.count(room, &it.tally_id, item, it.by, voter, task.now);
                of_board(task, counted.map(|it| format!("{} is {}", it.label, it.count)))
            }
            Action::Score(it) => {
                let who = match (it.who.as_deref().map(|it| task.fill(it)), task.message) {
                    (Some(label), _) => Contestant {
                        label: label.trim_start_matches('@').to_owned(),
                        user_id: None,
                    },
                    (None, Some(message)) => Contestant {
                        label: message.author.name.clone(),
                        user_id: Some(message.author.id.clone()),
                    },
                    (None, None) => return task.done(DoneState::Blocked, "nobody is named"),
                };
                let (room, board) = (task.room.id(), &it.scoreboard_id);
                let scored = self.boards.score(room, board, &who, it.points, task.now);
                of_board(task, scored.map(|_| format!("{} points for {}", it.points, who.label)))
            }
            Action::Clip(it) => {
                let message = task.message;
                let payload = json!({
                    "seconds": it.seconds,
                    "title": it.title.as_deref().map(|it| task.fill(it)),
                    "requested_by": message.map(|it| it.author.login.as_str()),
                    "requested_at": task.now,
                });
                self.start(task, JobKind::Clip, payload)
            }
            Action::Notify(it) => {
                let payload = json!({"channel_id": it.channel_id, "text": task.fill(&it.text)});
                self.start(task, JobKind::Discord, payload)
            }
            Action::Webhook(it) => {
                let payload = json!({"url": it.url, "body": told(task)});
                self.start(task, JobKind::Webhook, payload)
            }
            Action::Http(it) => {
                let body = match it.body.as_deref().map(|it| task.fill_body(it)).transpose() {
                    Ok(None) => serde_json::Value::Null,
                    Ok(Some(Filled::Text(it))) => it.into(),
                    Ok(Some(Filled::Json(it))) => it,
                    Err(error) => return task.done(DoneState::Blocked, error.to_string()),
                };
                let payload = json!({"method": it.method.as_str(), "url": it.url, "body": body});
                self.start(task, JobKind::Http, payload)
            }
        }
    }
}

/// What a program of the creator's is told.
fn told(task: &Task<'_>) -> serde_json::Value {
    let message = task.message.map(|it| {
        json!({
            "id": it.id, "platform": it.platform, "channel": it.channel, "text": it.text,
            "author": {"id": it.author.id, "login": it.author.login, "name": it.author.name,
                "roles": it.author.roles},
            "amount": it.amount,
        })
    });
    json!({
        "type": "trigger", "room": task.room.id(), "trigger_id": task.trigger.trigger_id,
        "at": task.now, "args": task.facts.args, "count": task.facts.count, "message": message,
    })
}

fn feature(task: &Task<'_>) -> Done {
    let found = task.message.and_then(|it| task.room.find_recent_message(&it.id));
    match found.and_then(|it| task.room.feature(it)) {
        Some(_) => task.done(DoneState::Done, ""),
        None => task.done(DoneState::Failed, "the message is gone"),
    }
}

fn queue(task: &Task<'_>) -> Done {
    let found = task.message.and_then(|it| task.room.find_recent_message(&it.id));
    match found.map(|it| task.room.enqueue(it)) {
        Some(Queued::Added) => task.done(DoneState::Done, ""),
        Some(Queued::There) => task.done(DoneState::Done, "it was there already"),
        Some(Queued::Full) => task.done(DoneState::Blocked, "the queue is full"),
        Some(Queued::Gone) | None => task.done(DoneState::Failed, "the message is gone"),
    }
}

fn of_board(task: &Task<'_>, outcome: Result<String, BoardError>) -> Done {
    match outcome {
        Ok(detail) => task.done(DoneState::Done, detail),
        Err(error) => task.done(DoneState::Blocked, error.to_string()),
    }
}

impl Dispatcher {
    fn list_voices(&self, room: &CreatorId) -> Vec<(LaneKey, Voice)> {
        let config = Arc::clone(&self.config.borrow());
        let creator = config.creators.creators.iter().find(|it| it.id == *room);
        creator.map(|it| self.voices.list(&config, it)).unwrap_or_default()
    }

    fn reply(&self, task: &Task<'_>, text: &str) -> Done {
        let text = task.fill(text);
        match task.message {
            Some(it) => self.say(task, text, Some(vec![it.platform]), Some(it)),
            None => self.say(task, text, None, None),
        }
    }

    fn say(
        &self,
        task: &Task<'_>,
        text: String,
        platforms: Option<Vec<Platform>>,
        answers: Option<&Message>,
    ) -> Done {
        if text.is_empty() {
            return task
                .done(DoneState::Blocked, "there is nothing to say: the text came out empty");
        }
        let mut new = NewMessage {
            text,
            platforms,
            reply_to: answers.map(|it| it.id.clone()),
            source: Speaker::Automatic,
            by: None,
        };
        let mut voices = self.list_voices(task.room.id());
        if let Some(it) = answers {
            // Of several channels on one platform, the one that was written in.
            let is_there = |key: &LaneKey| key.channel.eq_ignore_ascii_case(&it.channel.name);
            if voices.iter().any(|(key, _)| key.platform == it.platform && is_there(key)) {
                voices.retain(|(key, _)| key.platform != it.platform || is_there(key));
            }
            let mut there = voices.iter().filter(|(key, _)| key.platform == it.platform);
            if !there.any(|it| it.1.as_ref().is_ok_and(|it| it.has_answers())) {
                // Where nothing can be answered, whom it is for stands in front.
                new.reply_to = None;
                new.text = format!("@{} {}", it.author.name.trim_start_matches('@'), new.text);
            }
        }
        if let Err(wait_ms) = count_message(&self.limits, &new, &mut voices, task.now) {
            let seconds = wait_ms.div_ceil(1_000);
            let why = format!("too many messages within a minute: again in {seconds} s");
            return task.done(DoneState::Blocked, why);
        }
        let outgoing = match self.outbox.send(task.room.id(), new, voices) {
            Ok(it) => it,
            Err(error) => return task.done(DoneState::Blocked, error.to_string()),
        };
        let is_open =
            |state| matches!(state, SendState::Queued | SendState::Sending | SendState::Sent);
        if outgoing.platforms.iter().any(|it| is_open(it.state)) {
            return task.done(DoneState::Queued, "");
        }
        let why = outgoing.platforms.into_iter().map(|it| it.detail).find(|it| !it.is_empty());
        let none = || "this server may speak in none of the room's chats".to_owned();
        task.done(DoneState::Blocked, why.unwrap_or_else(none))
    }

    fn vote(&self, task: &Task<'_>, poll: Option<&str>, choice: Option<&str>) -> Done {
        let Some(message) = task.message else {
            return task.done(DoneState::Blocked, "nobody votes here");
        };
        let choice = choice.map_or_else(|| task.facts.args.to_owned(), |it| task.fill(it));
        let voter = &message.author.id;
        let voted = self.boards.vote(task.room.id(), poll, voter, choice.trim(), task.now);
        of_board(task, voted.map(|_| String::new()))
    }

    fn open_poll(&self, task: &Task<'_>, open: &PollOpen) -> Done {
        let mut said: Vec<String> =
            task.facts.args.split('|').map(|it| it.trim().to_owned()).collect();
        said.retain(|it| !it.is_empty());
        let question = match &open.question {
            Some(it) => task.fill(it),
            None if said.is_empty() => {
                let why = "say it as: question | first answer | second answer";
                return task.done(DoneState::Blocked, why);
            }
            None => said.remove(0),
        };
        let options = if open.options.is_empty() {
            said
        } else {
            open.options.iter().map(|it| task.fill(it)).collect()
        };
        let seconds = open.minutes.map(|it| it.saturating_mul(60));
        let new = NewPoll { question, options, seconds, ..NewPoll::default() };
        let by = format!("trigger {}", task.trigger.trigger_id);
        let most = Most::of(self.accounts.book().terms_of_room(task.room.id()));
        let opened = self.boards.open_poll(task.room.id(), &new, &by, most, task.now);
        of_board(task, opened.map(|it| format!("asked `{}`", it.question)))
    }

    /// Makes a job of it, once for this message.
    fn start(&self, task: &Task<'_>, kind: JobKind, payload: serde_json::Value) -> Done {
        let creator = task.room.id().clone();
        let id = &task.trigger.trigger_id;
        let key = match task.message {
            Some(it) => format!("{id}/{}/{}", it.id.as_str(), task.place),
            None => format!("{id}/{}/{}", task.now.unix_ms(), task.place),
        };
        let by = format!("trigger {id}");
        let new = NewJob { kind, creator, payload, key: Some(key), by };
        let added: Result<Job, JobError> = self.jobs.add(new);
        match added {
            Ok(job) => task.done(DoneState::Queued, format!("job {}", job.job_id)),
            Err(error) => task.done(DoneState::Blocked, error.to_string()),
        }
    }
}
