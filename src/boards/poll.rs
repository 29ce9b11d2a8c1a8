//! A poll: what is asked, how viewers answer in chat, and how it stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BoardError,
    limits::{DESCRIPTION_CHARS, LABEL_CHARS, MOST_SECONDS, QUESTION_CHARS},
    votes::Votes,
    words::{self, bare, clean, folded},
};
use crate::model::{
    CreatorId, Platform, Timestamp,
    snapshot::{PollOption, PollSnapshot},
};

/// The word that a vote begins with where nobody says another.
pub const VOTE_TRIGGER: &str = "!vote";
/// Characters of such a word (count).
const TRIGGER_CHARS: usize = 32;

/// How far a poll is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PollState {
    /// Written, and not asked yet.
    Draft,
    /// Viewers vote.
    Open,
    /// The outcome is known.
    Closed,
    /// Put away.
    Archived,
}

impl PollState {
    /// The word in bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Archived => "archived",
        }
    }
}

/// A poll to be asked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPoll {
    /// What is asked.
    #[schemars(length(min = 1, max = 200))]
    pub question: String,
    /// The answers, in the order shown; no two are the same.
    #[schemars(length(min = 2, max = 100))]
    pub options: Vec<String>,
    /// More about it.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub description: Option<String>,
    /// The word that a vote begins with; `!vote`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 32))]
    pub vote_trigger: Option<String>,
    /// Whether a message that is only a number is a vote.
    #[serde(default)]
    pub bare_numbers: bool,
    /// Where votes count; everywhere if it names none.
    #[serde(default)]
    pub platforms: Vec<Platform>,
    /// How long it is open, from its opening on (s).
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_678_400))]
    pub seconds: Option<u32>,
    /// When voting ends; in place of `seconds`.
    #[serde(default)]
    pub closes_at: Option<Timestamp>,
    /// Not asked yet.
    #[serde(default)]
    pub draft: bool,
}

/// What is changed of a poll; all but `state` only while it is a draft.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollChange {
    /// `open`, `closed` or `archived`.
    pub state: Option<PollState>,
    /// As for a new one.
    pub question: Option<String>,
    /// As for a new one.
    pub options: Option<Vec<String>>,
    /// As for a new one; empty takes it away.
    pub description: Option<String>,
    /// As for a new one.
    pub vote_trigger: Option<String>,
    /// As for a new one.
    pub bare_numbers: Option<bool>,
    /// As for a new one.
    pub platforms: Option<Vec<Platform>>,
    /// As for a new one; 0 takes it away.
    pub seconds: Option<u32>,
    /// As for a new one.
    pub closes_at: Option<Timestamp>,
}

impl PollChange {
    /// Whether it is about more than the state.
    pub(super) const fn is_of_text(&self) -> bool {
        self.question.is_some()
            || self.options.is_some()
            || self.description.is_some()
            || self.vote_trigger.is_some()
            || self.bare_numbers.is_some()
            || self.platforms.is_some()
            || self.seconds.is_some()
            || self.closes_at.is_some()
    }
}

/// A poll as those see it who run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PollView {
    /// Unique in the room.
    pub poll_id: String,
    /// Whose poll.
    pub creator: CreatorId,
    /// What is asked.
    pub question: String,
    /// More about it.
    pub description: Option<String>,
    /// In the order shown.
    pub options: Vec<PollOption>,
    /// Persons who voted (count).
    pub votes: u64,
    /// How far it is.
    pub state: PollState,
    /// The word that a vote begins with.
    pub vote_trigger: String,
    /// Whether a message that is only a number is a vote.
    pub bare_numbers: bool,
    /// Where votes count; everywhere if it names none.
    pub platforms: Vec<Platform>,
    /// How long it is open, if that was said (s).
    pub seconds: Option<u32>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When voting began.
    pub opened_at: Option<Timestamp>,
    /// When voting will end by itself.
    pub closes_at: Option<Timestamp>,
    /// When voting ended.
    pub closed_at: Option<Timestamp>,
}

/// A vote was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Voted {
    /// In which poll.
    pub poll_id: String,
    /// For what.
    pub option_id: String,
    /// The same, for people.
    pub label: String,
    /// What the voter wanted before; null for the first vote.
    pub before: Option<String>,
}

/// What is kept of a poll. The votes of an open one are kept one by one beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Poll {
    pub(super) poll_id: String,
    pub(super) question: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    pub(super) options: Vec<PollOption>,
    pub(super) vote_trigger: String,
    pub(super) bare_numbers: bool,
    pub(super) platforms: Vec<Platform>,
    pub(super) state: PollState,
    #[serde(default)]
    pub(super) seconds: Option<u32>,
    pub(super) created_at: Timestamp,
    /// In words.
    pub(super) created_by: String,
    #[serde(default)]
    pub(super) opened_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) closes_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) closed_at: Option<Timestamp>,
    /// While it is open.
    #[serde(skip)]
    pub(super) votes: Votes,
    /// It has to be told.
    #[serde(skip)]
    pub(super) is_news: bool,
    /// When it changed last, as far as this process knows.
    #[serde(skip)]
    pub(super) changed_at: Option<Timestamp>,
}

impl Clone for Votes {
    /// Votes stay where they are: a copy of a poll is one that nobody voted in.
    fn clone(&self) -> Self {
        Self::new(self.counts().len())
    }
}

fn options(said: &[String], most: u32) -> Result<Vec<PollOption>, BoardError> {
    if said.len() < 2 {
        return Err(BoardError::invalid("/options", "a poll has at least 2 options"));
    }
    if said.len() > most as usize {
        return Err(BoardError::invalid("/options", format!("at most {most} options here")));
    }
    let mut options: Vec<PollOption> = Vec::with_capacity(said.len());
    for (index, label) in said.iter().enumerate() {
        let at = format!("/options/{index}");
        let label = clean(label, LABEL_CHARS, &at)?;
        if options.iter().any(|it| folded(&it.label) == folded(&label)) {
            return Err(BoardError::invalid(at, "another option says the same"));
        }
        options.push(PollOption { option_id: (index + 1).to_string(), label, votes: 0 });
    }
    Ok(options)
}

fn trigger(said: &str) -> Result<String, BoardError> {
    let word = clean(said, TRIGGER_CHARS, "/vote_trigger")?;
    if word.contains(' ') {
        return Err(BoardError::invalid("/vote_trigger", "one word, without a blank"));
    }
    if word.bytes().all(|it| it.is_ascii_digit()) {
        return Err(BoardError::invalid("/vote_trigger", "a number is what is voted for"));
    }
    Ok(folded(&word).into_owned())
}

fn description(said: &str) -> Result<Option<String>, BoardError> {
    if bare(said).is_empty() {
        return Ok(None);
    }
    clean(said, DESCRIPTION_CHARS, "/description").map(Some)
}

fn platforms(said: &[Platform]) -> Vec<Platform> {
    let mut platforms = said.to_vec();
    platforms.sort_unstable();
    platforms.dedup();
    platforms
}

fn seconds(said: Option<u32>) -> Result<Option<u32>, BoardError> {
    match said.filter(|it| *it > 0) {
        Some(it) if it > MOST_SECONDS => {
            Err(BoardError::invalid("/seconds", format!("at most {MOST_SECONDS} (31 days)")))
        }
        it => Ok(it),
    }
}

impl Poll {
    /// A draft of what was said.
    pub(super) fn new(
        said: &NewPoll,
        by: &str,
        most_options: u32,
        now: Timestamp,
    ) -> Result<Self, BoardError> {
        if said.seconds.is_some() && said.closes_at.is_some() {
            return Err(BoardError::invalid("/closes_at", "say `seconds` or this, not both"));
        }
        let poll = Self {
            poll_id: words::new_id(),
            question: clean(&said.question, QUESTION_CHARS, "/question")?,
            description: description(said.description.as_deref().unwrap_or_default())?,
            options: options(&said.options, most_options)?,
            vote_trigger: trigger(said.vote_trigger.as_deref().unwrap_or(VOTE_TRIGGER))?,
            bare_numbers: said.bare_numbers,
            platforms: platforms(&said.platforms),
            state: PollState::Draft,
            seconds: seconds(said.seconds)?,
            created_at: now,
            created_by: by.to_owned(),
            opened_at: None,
            closes_at: said.closes_at,
            closed_at: None,
            votes: Votes::default(),
            is_news: false,
            changed_at: Some(now),
        };
        poll.check_end(now)?;
        Ok(poll)
    }

    fn check_end(&self, now: Timestamp) -> Result<(), BoardError> {
        let ms = self.closes_at.map(|it| it.ms_since(now));
        if ms.is_some_and(|it| !(1..=i64::from(MOST_SECONDS) * 1000).contains(&it)) {
            let why = "in the future, and at most 31 days ahead";
            return Err(BoardError::invalid("/closes_at", why));
        }
        Ok(())
    }

    /// This draft with what is changed of it.
    pub(super) fn changed(
        &self,
        change: &PollChange,
        most_options: u32,
        now: Timestamp,
    ) -> Result<Self, BoardError> {
        let mut poll = self.clone();
        if let Some(it) = &change.question {
            poll.question = clean(it, QUESTION_CHARS, "/question")?;
        }
        if let Some(it) = &change.options {
            poll.options = options(it, most_options)?;
        }
        if let Some(it) = &change.description {
            poll.description = description(it)?;
        }
        if let Some(it) = &change.vote_trigger {
            poll.vote_trigger = trigger(it)?;
        }
        if let Some(it) = change.bare_numbers {
            poll.bare_numbers = it;
        }
        if let Some(it) = &change.platforms {
            poll.platforms = platforms(it);
        }
        if change.seconds.is_some() && change.closes_at.is_some() {
            return Err(BoardError::invalid("/closes_at", "say `seconds` or this, not both"));
        }
        if change.seconds.is_some() {
            (poll.seconds, poll.closes_at) = (seconds(change.seconds)?, None);
        }
        if change.closes_at.is_some() {
            (poll.seconds, poll.closes_at) = (None, change.closes_at);
            poll.check_end(now)?;
        }
        poll.changed_at = Some(now);
        Ok(poll)
    }

    /// Begins. A time to end that passed while it was a draft is none.
    pub(super) fn open(&mut self, now: Timestamp) {
        self.state = PollState::Open;
        self.opened_at = Some(now);
        if let Some(seconds) = self.seconds {
            self.closes_at = Some(now.plus_ms(i64::from(seconds) * 1000));
        }
        self.closes_at = self.closes_at.filter(|it| *it > now);
        self.votes = Votes::new(self.options.len());
        self.changed_at = Some(now);
    }

    /// Ends: what was counted stands.
    pub(super) fn close(&mut self, now: Timestamp) {
        self.state = PollState::Closed;
        // Whoever looks at the clock late closes it no later.
        self.closed_at = Some(self.closes_at.map_or(now, |it| it.min(now)));
        let votes = std::mem::take(&mut self.votes);
        for (option, count) in self.options.iter_mut().zip(votes.counts()) {
            option.votes = *count;
        }
        self.changed_at = Some(now);
    }

    /// Whether its time is over.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.state == PollState::Open && self.closes_at.is_some_and(|it| it <= now)
    }

    /// Whether votes of that platform count.
    pub(super) fn hears(&self, platform: Option<Platform>) -> bool {
        self.platforms.is_empty() || platform.is_some_and(|it| self.platforms.contains(&it))
    }

    /// Why viewers could not tell which of two open polls a vote is for.
    pub(super) fn find_clash(&self, other: &Self) -> Option<String> {
        let meet = self.platforms.is_empty()
            || other.platforms.is_empty()
            || self.platforms.iter().any(|it| other.platforms.contains(it));
        if !meet {
            return None;
        }
        let Self { question, poll_id, .. } = other;
        if self.vote_trigger == other.vote_trigger {
            let word = &self.vote_trigger;
            return Some(format!(
                "`{word}` already votes in “{question}” ({poll_id}): give this poll another `vote_trigger`, or close that one"
            ));
        }
        (self.bare_numbers && other.bare_numbers).then(|| {
            format!("numbers alone already vote in “{question}” ({poll_id}): one poll at a time can have them")
        })
    }

    /// What a message asks for, if it is a vote at all.
    pub(super) fn find_choice<'a>(&self, message: &'a str) -> Option<&'a str> {
        let text = bare(message);
        if self.bare_numbers
            && (1..=3).contains(&text.len())
            && text.bytes().all(|it| it.is_ascii_digit())
        {
            return Some(text);
        }
        let end = text.find(char::is_whitespace)?;
        let (word, rest) = text.split_at(end);
        (folded(word) == self.vote_trigger.as_str()).then(|| bare(rest))
    }

    /// The place of the option that a viewer means: by its words, its id, or its number. Words go first, so that of the
    /// options `2` and `1` each is what it says.
    pub(super) fn find_option(&self, choice: &str) -> Option<u16> {
        let choice = words::cut(choice, LABEL_CHARS + 1);
        let folded_choice = folded(&choice);
        let by_words = self.options.iter().position(|it| folded(&it.label) == folded_choice);
        let by_number = || {
            let digits = choice.trim_start_matches(['#', '(']).trim_end_matches(['.', ')', ':']);
            let number = digits.parse::<usize>().ok()?;
            number.checked_sub(1).filter(|it| *it < self.options.len())
        };
        by_words.or_else(by_number).and_then(|it| u16::try_from(it).ok())
    }

    fn counted(&self) -> Vec<PollOption> {
        let mut options = self.options.clone();
        if self.state == PollState::Open {
            for (option, count) in options.iter_mut().zip(self.votes.counts()) {
                option.votes = *count;
            }
        }
        options
    }

    /// As viewers see it.
    pub(super) fn snapshot(&self, creator: &CreatorId) -> PollSnapshot {
        PollSnapshot {
            poll_id: self.poll_id.clone(),
            creator: creator.clone(),
            question: self.question.clone(),
            options: self.counted(),
            state: self.state.as_str().to_owned(),
            opened_at: self.opened_at,
            closes_at: self.closes_at,
            closed_at: self.closed_at,
            description: self.description.clone(),
            vote_trigger: Some(self.vote_trigger.clone()),
            bare_numbers: self.bare_numbers,
            platforms: self.platforms.clone(),
        }
    }

    /// As those see it who run it.
    pub(super) fn view(&self, creator: &CreatorId) -> PollView {
        let options = self.counted();
        PollView {
            poll_id: self.poll_id.clone(),
            creator: creator.clone(),
            question: self.question.clone(),
            description: self.description.clone(),
            votes: options.iter().map(|it| it.votes).sum(),
            options,
            state: self.state,
            vote_trigger: self.vote_trigger.clone(),
            bare_numbers: self.bare_numbers,
            platforms: self.platforms.clone(),
            seconds: self.seconds,
            created_at: self.created_at,
            opened_at: self.opened_at,
            closes_at: self.closes_at,
            closed_at: self.closed_at,
        }
    }

    /// Which of two was last of interest.
    pub(super) fn moved_at(&self) -> Timestamp {
        let known = [self.changed_at, self.closed_at, self.opened_at];
        known.into_iter().flatten().max().unwrap_or(self.created_at)
    }
}
