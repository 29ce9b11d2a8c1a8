//! What carries actions out, as the engine sees it.

use std::sync::Arc;

use super::decision::{Done, DoneState};
use crate::{
    chat::Room,
    model::{
        CreatorId, Message, Platform, Timestamp,
        action::Action,
        template::{Facts, Filled, NoJson, Template},
        trigger::Trigger,
    },
};

/// One action of a trigger that acts now.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// In which room.
    pub room: &'a Arc<Room>,
    /// Of which trigger.
    pub trigger: &'a Trigger,
    /// What is to be done.
    pub action: &'a Action,
    /// The place of the action in the trigger.
    pub place: usize,
    /// What set it off; `None` for a timer.
    pub message: Option<&'a Message>,
    /// What fills the gaps of texts.
    pub facts: Facts<'a>,
    /// Whether the tier lets things be done by themselves outside the chats.
    pub automation: bool,
    /// Now.
    pub now: Timestamp,
}

impl Task<'_> {
    /// A text with its gaps filled. One that cannot be is said as it is written: it was checked when it came in.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        Template::parse(text).map_or_else(|_| text.to_owned(), |it| it.fill(&self.facts))
    }

    /// The same of what a program is sent.
    ///
    /// # Errors
    /// As [`Template::fill_body`] says.
    pub fn fill_body(&self, text: &str) -> Result<Filled, NoJson> {
        let plain = || Ok(Filled::Text(text.to_owned()));
        Template::parse(text).map_or_else(|_| plain(), |it| it.fill_body(&self.facts))
    }

    /// What became of it.
    #[must_use]
    pub fn done(&self, state: DoneState, detail: impl Into<String>) -> Done {
        Done { action_type: self.action.as_str().to_owned(), state, detail: detail.into() }
    }
}

/// Carries actions out. Called on an ingest's own task: never waits.
pub trait Hands: Send + Sync {
    /// Whether a trigger may act in a room now; else why not.
    ///
    /// # Errors
    /// The limit that holds it up, in a sentence.
    fn may_act(
        &self,
        room: &Arc<Room>,
        message: Option<&Message>,
        now: Timestamp,
    ) -> Result<(), String>;

    /// The longest text that can be said in a room on a platform (characters); else why nothing can.
    ///
    /// # Errors
    /// Why this server does not speak there, in a sentence.
    fn find_voice(&self, room: &CreatorId, platform: Platform) -> Result<usize, String>;

    /// Does it, or puts it on its way.
    fn act(&self, task: &Task<'_>) -> Done;
}

/// Carries nothing out: for looking at triggers while no server runs.
pub struct NoHands;

impl Hands for NoHands {
    fn may_act(&self, _: &Arc<Room>, _: Option<&Message>, _: Timestamp) -> Result<(), String> {
        Err("no server runs".to_owned())
    }

    fn find_voice(&self, _: &CreatorId, _: Platform) -> Result<usize, String> {
        Err("no server runs".to_owned())
    }

    fn act(&self, task: &Task<'_>) -> Done {
        task.done(DoneState::Blocked, "no server runs")
    }
}
