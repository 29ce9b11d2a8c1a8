//! Rumble's chat, as the feed understands it.
//!
//! One channel may be read in several ways, one after another or beside each other: the chat's stream, the
//! rows of the page, the Live Stream API. Whatever they tell twice is told once.

mod author;
mod bounded;
mod line;
mod news;
mod people;
mod row;
#[cfg(test)]
mod tests;
mod twins;

use std::collections::HashMap;

use self::{
    bounded::{Bounded, Seen},
    people::People,
    twins::Twins,
};
use super::{NormalizeError, Reading, fragments, text};
use crate::{
    model::{
        Activity, ActivityKind, Author, Channel, ChatClear, ChatClearUser, ChatDelete, Emote,
        EmoteProvider, EventBody, Flag, Fragment, HostedPicture, Platform, QualifiedId, RoomState,
        Timestamp,
    },
    platforms::rumble::{Batch, Happening, Init, Record},
};

/// Newest messages whose writer and price are remembered, for deletions that name neither (count).
const MAX_KEPT: usize = 2_048;

/// Reads one channel.
#[derive(Debug)]
pub struct RumbleNormalizer {
    channel: Channel,
    chat_id: String,
    /// What was said before is history.
    cut_off: Option<Timestamp>,
    people: People,
    /// Addresses of pictures by name, without colons.
    emotes: HashMap<String, String>,
    twins: Twins,
    /// Ids of messages of the stream that were read.
    seen: Seen,
    /// Which told message a message of the stream is, where another way told it first.
    aliases: Bounded<String, QualifiedId>,
    /// Messages of the stream: whether they were paid for.
    told: Bounded<String, bool>,
    rows: row::Counts,
    /// The first reading of everything a page shows of this chat.
    first_listing: Option<u32>,
    subscribers_only: Option<bool>,
    /// For activities that have no id of their own.
    counter: u64,
}

impl RumbleNormalizer {
    /// For the channel of this name.
    #[must_use]
    pub fn new(channel: &str) -> Self {
        let name = channel.rsplit('/').next().unwrap_or(channel);
        Self {
            channel: Channel {
                id: QualifiedId::new(Platform::Rumble, channel),
                name: name.to_owned(),
            },
            chat_id: String::new(),
            cut_off: None,
            people: People::default(),
            emotes: HashMap::new(),
            twins: Twins::default(),
            seen: Seen::default(),
            aliases: Bounded::new(MAX_KEPT),
            told: Bounded::new(MAX_KEPT),
            rows: row::Counts::default(),
            first_listing: None,
            subscribers_only: None,
            counter: 0,
        }
    }

    /// Turns what came into what the feed carries.
    ///
    /// # Errors
    /// When it lacks what cannot be invented: count it and go on.
    pub fn normalize(
        &mut self,
        raw: &Happening,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        match raw {
            Happening::Began { chat_id, cut_off } => {
                // Read again after a failure: what came meanwhile is no history.
                if self.chat_id != *chat_id || self.cut_off.is_none() {
                    self.chat_id.clone_from(chat_id);
                    self.cut_off = Some(*cut_off);
                    self.first_listing = None;
                }
                Ok(())
            }
            Happening::Record(record) => self.read_record(record, received_at, readings),
            Happening::Emotes(emotes) => {
                self.emotes.clone_from(emotes);
                Ok(())
            }
            Happening::Row(row) => self.read_row(row, received_at, readings),
            Happening::Gone(ids) => {
                self.delete(ids, readings);
                Ok(())
            }
            Happening::News(news) => self.read_news(news, received_at, readings),
            Happening::Unreadable(what) => Err(NormalizeError::unparsed(what, "shape")),
        }
    }

    fn read_record(
        &mut self,
        record: &Record,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        match record {
            Record::Init(init) => self.read_init(init, received_at, readings),
            Record::Messages(batch) => self.read_batch(batch, false, received_at, readings),
            Record::Deleted(ids) => {
                self.delete(ids, readings);
                Ok(())
            }
            Record::NonRantDeleted { ids, all } => {
                let unpaid: Vec<_> = ids
                    .iter()
                    .filter(|it| self.told.get(it.as_str()) != Some(&true))
                    .cloned()
                    .collect();
                self.delete(&unpaid, readings);
                if *all {
                    self.delete_unpaid(received_at, readings);
                }
                Ok(())
            }
            Record::Muted(users) => {
                for user in users {
                    self.clear_user(user, received_at, readings);
                }
                Ok(())
            }
            Record::Pinned(line) => {
                let who = self.author_of(line)?;
                let sentence = format!("{}'s message was pinned", who.name);
                let id = format!("pin-{}", line.id.as_deref().unwrap_or("unnamed"));
                // Without its words: should it be deleted, they would stay here.
                let mut pinned = self.activity(ActivityKind::Other, id, Some(who), sentence);
                pinned.raw_kind = Some("pin_message".to_owned());
                push_activity(readings, pinned, None);
                Ok(())
            }
            Record::Unpinned | Record::CanModerate => Ok(()),
            Record::Other(kind) => {
                self.counter += 1;
                // Unique over restarts: two that are alike are two.
                let id = format!("{kind}-{}-{}", received_at.unix_ms(), self.counter);
                let sentence = format!("Rumble: {}", kind.replace('_', " "));
                let mut other = self.activity(ActivityKind::Other, id, None, sentence);
                other.raw_kind = Some(kind.clone());
                push_activity(readings, other, None);
                Ok(())
            }
        }
    }

    fn read_init(
        &mut self,
        init: &Init,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        self.people.set_badges(&init.badges);
        if let Some(on) = init.subscribers_only
            && self.subscribers_only != Some(on)
        {
            self.subscribers_only = Some(on);
            let state = RoomState {
                platform: Platform::Rumble,
                slow_seconds: 0,
                followers_only_minutes: None,
                subscribers_only: on,
                emote_only: false,
                unique_chat: false,
            };
            readings.push(Reading { body: EventBody::RoomState(state), sent_at: None, key: None });
        }
        self.read_batch(&init.batch, true, received_at, readings)
    }

    /// Reads messages; those of the history by their time.
    fn read_batch(
        &mut self,
        batch: &Batch,
        history: bool,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        for user in &batch.users {
            self.people.learn_user(user);
        }
        for channel in &batch.channels {
            self.people.learn_channel(channel);
        }
        let mut lines: Vec<_> = batch.lines.iter().collect();
        if history {
            lines.sort_by_key(|it| it.time);
        }
        let mut outcome = match batch.unreadable {
            0 => Ok(()),
            _ => Err(NormalizeError::unparsed("message", "shape")),
        };
        for line in lines {
            // One that cannot be read costs only itself.
            let read = self.read_line(line, received_at, readings);
            outcome = outcome.and(read);
        }
        outcome
    }

    fn delete(&mut self, ids: &[String], readings: &mut Vec<Reading>) {
        for id in ids {
            let own = QualifiedId::new(Platform::Rumble, id);
            for message_id in std::iter::once(own).chain(self.aliases.get(id).cloned()) {
                let body = EventBody::ChatDelete(ChatDelete {
                    message_id,
                    platform: Platform::Rumble,
                    author_id: None,
                });
                readings.push(Reading { body, sent_at: None, key: None });
            }
        }
    }

    /// Everything that was not paid for must vanish. What is remembered goes one by one; with nothing paid
    /// among it, all at once.
    fn delete_unpaid(&mut self, received_at: Timestamp, readings: &mut Vec<Reading>) {
        if self.told.values().any(|paid| *paid) {
            let unpaid = self.told.iter().filter(|it| !it.1);
            let ids: Vec<_> = unpaid.map(|it| it.0.clone()).collect();
            self.delete(&ids, readings);
        } else {
            let body = EventBody::ChatClear(ChatClear { platform: Some(Platform::Rumble) });
            // The site does not say when: what was said before now, and comes late, is meant too.
            readings.push(Reading { body, sent_at: Some(received_at), key: None });
        }
    }

    /// Everything a user said must vanish: by their id, and by their name where only that was known.
    fn clear_user(&self, user: &str, received_at: Timestamp, readings: &mut Vec<Reading>) {
        let named = self.people.name_of(user).map(author::id_by_name);
        let own = QualifiedId::new(Platform::Rumble, user);
        for author_id in std::iter::once(own).chain(named) {
            let body = EventBody::ChatClearUser(ChatClearUser {
                platform: Platform::Rumble,
                author_id,
                seconds: None,
            });
            readings.push(Reading { body, sent_at: Some(received_at), key: None });
        }
    }

    fn activity(
        &self,
        kind: ActivityKind,
        id: String,
        author: Option<Author>,
        system_text: String,
    ) -> Activity {
        Activity {
            kind,
            platform: Platform::Rumble,
            id: QualifiedId::new(Platform::Rumble, &id),
            author,
            text: None,
            fragments: None,
            amount: None,
            count: None,
            months: None,
            tier: None,
            recipients: None,
            system_text,
            raw_kind: None,
            part_of: None,
            flags: Vec::new(),
            source_channel: None,
            sent_at: None,
        }
    }

    fn add_words(&self, activity: &mut Activity, text: &str, pictures: &[(String, String)]) {
        let text = text::clean(text);
        if !text.trim().is_empty() {
            activity.fragments = Some(self.fragments(&text, pictures));
            activity.text = Some(text.into_owned());
        }
    }

    /// Splits a text; words between colons are emotes when the catalogue or the message itself has them.
    fn fragments(&self, text: &str, pictures: &[(String, String)]) -> Vec<Fragment> {
        let mut placed = Vec::new();
        if text.contains(':') {
            let mut from = 0;
            while let Some(start) = text[from..].find(':').map(|it| from + it) {
                let rest = &text[start + 1..];
                let length = rest.find(|it: char| !is_name(it)).unwrap_or(rest.len());
                let closed = rest[length..].starts_with(':') && length > 0;
                let emote = closed.then(|| self.emote(&rest[..length], pictures)).flatten();
                let Some(emote) = emote else {
                    from = start + 1;
                    continue;
                };
                let end = start + length + 2;
                placed.push(fragments::Placed {
                    start,
                    end,
                    piece: fragments::Piece::Emote(emote),
                });
                from = end;
            }
        }
        fragments::split(text, placed)
    }

    fn emote(&self, name: &str, pictures: &[(String, String)]) -> Option<Emote> {
        let own = pictures.iter().find(|it| it.0 == name).map(|it| &it.1);
        let file = own.or_else(|| self.emotes.get(name))?;
        Some(Emote {
            provider: EmoteProvider::Rumble,
            id: name.to_owned(),
            url: picture_path(file)?,
            animated: file.ends_with(".gif"),
            zero_width: false,
        })
    }

    /// Whether it was said before the channel was read.
    fn is_history(&self, sent_at: Option<Timestamp>) -> bool {
        matches!((sent_at, self.cut_off), (Some(sent), Some(cut)) if sent < cut)
    }

    fn flags(&self, sent_at: Option<Timestamp>) -> Vec<Flag> {
        if self.is_history(sent_at) { vec![Flag::Historical] } else { Vec::new() }
    }
}

fn is_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '+' | '-')
}

/// Where this server has a picture of the site; the site's own are written without the host.
fn picture_path(address: &str) -> Option<String> {
    let whole = match address.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => format!("https://rumble.com{address}"),
        _ if address.starts_with("i/") => format!("https://rumble.com/{address}"),
        _ => address.to_owned(),
    };
    Some(HostedPicture::find(&whole)?.media_path())
}

fn push_activity(readings: &mut Vec<Reading>, activity: Activity, sent_at: Option<Timestamp>) {
    let sent_at = sent_at.or(activity.sent_at);
    readings.push(Reading { body: EventBody::Activity(Box::new(activity)), sent_at, key: None });
}
