//! What viewers may read of a row: the one way out of the file for anybody but the audit.

use std::cell::RefCell;

use super::{envelope::Envelope, filter::Filter, index::Index};
use crate::{
    model::{CreatorId, Event, EventBody, QualifiedId, Timestamp, redaction},
    storage::{
        Reading, StorageError,
        tables::{
            RoomNumber,
            events::{EventRow, HIDDEN, QUOTE_HIDDEN},
            marks::RoomMarks,
        },
    },
};

const REDACTED: &str = "chat.redacted";

/// Reads rows of one room as somebody may.
pub(super) struct View<'a> {
    room: &'a CreatorId,
    index: &'a Index,
    marks: RoomMarks,
    /// The audit's: words that were moderated as well.
    originals: bool,
    envelopes: RefCell<Vec<(u32, Envelope)>>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        tx: &Reading,
        index: &'a Index,
        room: &'a CreatorId,
        number: RoomNumber,
        originals: bool,
    ) -> Result<Self, StorageError> {
        let marks = RoomMarks::look(tx, number)?;
        Ok(Self { room, index, marks, originals, envelopes: RefCell::default() })
    }

    /// Whether what a row holds was moderated.
    fn is_hidden(&self, seq: u64, row: &EventRow<'_>) -> Result<bool, StorageError> {
        if self.originals || row.id.is_empty() {
            return Ok(false);
        }
        Ok(row.flags & HIDDEN != 0 || self.marks.hide(seq, row.id, row.author, row.platform)?)
    }

    /// Whether what it quotes was.
    fn is_quote_hidden(&self, seq: u64, row: &EventRow<'_>) -> Result<bool, StorageError> {
        if self.originals || row.quoted.is_empty() {
            return Ok(false);
        }
        Ok(row.flags & QUOTE_HIDDEN != 0
            || self.marks.hide(seq, row.quoted, row.quoted_author, row.platform)?)
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
        let queue = row.kind == "queue.update" && !self.originals && !self.marks.is_empty();
        if hidden || quote_hidden || queue {
            let failed = RefCell::new(Ok(()));
            let event: Event = serde_json::from_slice(&self.write(seq, row, row.kind, row.data)?)
                .map_err(|it| StorageError::damaged(it.to_string()))?;
            let shown = redaction::censor(
                &event.body,
                |it| match event.body {
                    EventBody::QueueUpdate(_) => {
                        let author = it.author.map_or("", QualifiedId::as_str);
                        let hide = self.marks.hide(seq, it.id.as_str(), author, it.platform);
                        hide.unwrap_or_else(|error| {
                            *failed.borrow_mut() = Err(error);
                            true
                        })
                    }
                    _ => hidden,
                },
                |_| quote_hidden,
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
        let mut envelopes = self.envelopes.borrow_mut();
        let at = match envelopes.iter().position(|it| it.0 == row.epoch) {
            Some(at) => at,
            None => {
                let epoch = self.index.epoch_name(row.epoch);
                let epoch = epoch.ok_or_else(|| {
                    StorageError::damaged(format!("feed.events: an unknown epoch {}", row.epoch))
                })?;
                envelopes.push((row.epoch, Envelope::new(self.room.as_str(), &epoch)));
                envelopes.len() - 1
            }
        };
        Ok(envelopes[at].1.json(Some(seq), ts, kind, data))
    }

    /// What a row's author was purged by, for those who go on from here.
    pub(super) fn marks(&self) -> &RoomMarks {
        &self.marks
    }

    pub(super) fn hides(&self, seq: u64, row: &EventRow<'_>) -> Result<bool, StorageError> {
        self.is_hidden(seq, row)
    }
}
