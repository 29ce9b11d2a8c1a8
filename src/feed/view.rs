//! What viewers may read of a row: the one way out of the file for anybody but the audit.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    envelope::Envelope,
    filter::Filter,
    index::{Index, PendingMark, Room},
    record::Deletion,
};
use crate::{
    model::{
        CreatorId, Event, EventBody, Platform, QualifiedId, Timestamp,
        redaction::{self, Words},
    },
    storage::{
        Reading, StorageError,
        tables::{
            RoomNumber,
            events::{EventRow, HIDDEN, QUOTE_HIDDEN},
            marks::RoomMarks,
        },
    },
};

/// Deletions that are on their way to the disk. Asked for before the moment of the file that is looked at: what is no
/// longer on its way then is among the marks of that moment.
#[derive(Default)]
pub(super) struct Pending {
    messages: HashSet<Box<str>>,
    authors: HashMap<Box<str>, u64>,
    chats: Vec<(Option<Platform>, u64)>,
}

impl Pending {
    pub(super) fn of(room: &Room) -> Self {
        let mut all = Self::default();
        for PendingMark { deletion, mark, .. } in room.pending().iter() {
            match deletion {
                Deletion::Message(id) => drop(all.messages.insert(id.as_str().into())),
                Deletion::Author(id) => {
                    let known = all.authors.entry(id.as_str().into()).or_default();
                    *known = mark.seq.max(*known);
                }
                Deletion::Chat(platform) => all.chats.push((*platform, mark.seq)),
            }
        }
        all
    }

    fn hide(&self, seq: u64, id: &str, author: &str, platform: Option<Platform>) -> bool {
        self.messages.contains(id)
            || self.authors.get(author).is_some_and(|it| *it > seq)
            || self.chats.iter().any(|it| it.1 > seq && (it.0.is_none() || it.0 == platform))
    }
}

const REDACTED: &str = "chat.redacted";

/// Reads rows of one room as somebody may.
pub(super) struct View<'a> {
    room: &'a CreatorId,
    index: &'a Index,
    marks: RoomMarks,
    pending: &'a Pending,
    /// The audit's: words that were moderated as well.
    originals: bool,
    /// The number of an epoch, its name, and what stands around its events.
    envelopes: RefCell<Vec<(u32, Arc<str>, Envelope)>>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        tx: &Reading,
        index: &'a Index,
        room: &'a CreatorId,
        pending: &'a Pending,
        number: RoomNumber,
        originals: bool,
    ) -> Result<Self, StorageError> {
        let marks = RoomMarks::look(tx, number)?;
        let envelopes = RefCell::default();
        Ok(Self { room, index, marks, pending, originals, envelopes })
    }

    /// Whether something that stands at `seq` was moderated.
    fn hide(
        &self,
        seq: u64,
        id: &str,
        author: &str,
        platform: Option<Platform>,
    ) -> Result<bool, StorageError> {
        Ok(self.pending.hide(seq, id, author, platform)
            || self.marks.hide(seq, id, author, platform)?)
    }

    /// Whether what a row holds was moderated.
    fn is_hidden(&self, seq: u64, row: &EventRow<'_>) -> Result<bool, StorageError> {
        if self.originals || row.id.is_empty() {
            return Ok(false);
        }
        Ok(row.flags & HIDDEN != 0 || self.hide(seq, row.id, row.author, row.platform)?)
    }

    /// Whether what it quotes was.
    fn is_quote_hidden(&self, seq: u64, row: &EventRow<'_>) -> Result<bool, StorageError> {
        if self.originals || row.quoted.is_empty() {
            return Ok(false);
        }
        Ok(row.flags & QUOTE_HIDDEN != 0
            || self.hide(seq, row.quoted, row.quoted_author, row.platform)?)
    }

    /// The event's type as it is shown, and whether `filter` wants it.
    pub(super) fn wants(
        &self,
        filter: &Filter,
        seq: u64,
        row: &EventRow<'_>,
    ) -> Result<bool, StorageError> {
        let as_is = filter.wants(row.kind, row.platform);
        let words = matches!(row.kind, "chat.message" | "feature.show");
        if !words || as_is == filter.wants(REDACTED, row.platform) {
            return Ok(as_is);
        }
        Ok(if self.is_hidden(seq, row)? { !as_is } else { as_is })
    }

    /// The event as JSON: the same bytes that sockets get.
    pub(super) fn json(&self, seq: u64, row: &EventRow<'_>) -> Result<Vec<u8>, StorageError> {
        let hidden = self.is_hidden(seq, row)?;
        let quote_hidden = !hidden && self.is_quote_hidden(seq, row)?;
        if hidden && row.kind != "activity" {
            let id = QualifiedId::try_from(row.id.to_owned())
                .map_err(|it| StorageError::damaged(it.to_string()))?;
            let body = redaction::redacted(&id);
            return self.write(seq, row, body.kind(), &body.data_json());
        }
        let queue = row.kind == "queue.update" && !self.originals;
        if hidden || quote_hidden || queue {
            let failed = RefCell::new(Ok(()));
            let event: Event = serde_json::from_slice(&self.write(seq, row, row.kind, row.data)?)
                .map_err(|it| StorageError::damaged(it.to_string()))?;
            // What stands in a queue is asked one by one; of anything else it is known already.
            let is_hidden = |it: Words<'_>, known: bool| match event.body {
                EventBody::QueueUpdate(_) => {
                    let author = it.author.map_or("", QualifiedId::as_str);
                    let hide = self.hide(seq, it.id.as_str(), author, it.platform);
                    hide.unwrap_or_else(|error| {
                        *failed.borrow_mut() = Err(error);
                        true
                    })
                }
                _ => known,
            };
            let shown = redaction::censor(
                &event.body,
                |it| is_hidden(it, hidden),
                |it| is_hidden(it, quote_hidden),
            );
            failed.into_inner()?;
            if let Some(body) = shown {
                return self.write(seq, row, body.kind(), &body.data_json());
            }
        }
        self.write(seq, row, row.kind, row.data)
    }

    fn write(
        &self,
        seq: u64,
        row: &EventRow<'_>,
        kind: &str,
        data: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let ts = Timestamp::from_unix_ms(row.ts_ms)
            .ok_or_else(|| StorageError::damaged("feed.events: a time beyond the calendar"))?;
        self.with_epoch(row, |_, envelope| envelope.json(Some(seq), ts, kind, data))
    }

    /// The name of the epoch that a row was numbered under.
    pub(super) fn epoch(&self, row: &EventRow<'_>) -> Result<Arc<str>, StorageError> {
        self.with_epoch(row, |name, _| Arc::clone(name))
    }

    fn with_epoch<T>(
        &self,
        row: &EventRow<'_>,
        show: impl FnOnce(&Arc<str>, &Envelope) -> T,
    ) -> Result<T, StorageError> {
        let mut known = self.envelopes.borrow_mut();
        let at = match known.iter().position(|it| it.0 == row.epoch) {
            Some(at) => at,
            None => {
                let name = self.index.epoch_name(row.epoch).ok_or_else(|| {
                    StorageError::damaged(format!("feed.events: an unknown epoch {}", row.epoch))
                })?;
                let envelope = Envelope::new(self.room.as_str(), &name);
                known.push((row.epoch, name, envelope));
                known.len() - 1
            }
        };
        let (_, name, envelope) = &known[at];
        Ok(show(name, envelope))
    }

    /// What a row's author was purged by, for those who go on from here.
    pub(super) fn marks(&self) -> &RoomMarks {
        &self.marks
    }

    pub(super) fn hides(&self, seq: u64, row: &EventRow<'_>) -> Result<bool, StorageError> {
        self.is_hidden(seq, row)
    }
}
