//! What chat does to boards: votes, goals that move by themselves, and accounts that name each other.

use std::sync::Arc;

use super::{Boards, identity::is_claim, lock, room::RoomBoards};
use crate::{
    chat::Room,
    model::{CreatorId, EventBody, Message, Timestamp},
};

impl Boards {
    /// Takes in what happened in a room just now, at this place of its feed. Each thing once: repeats, history and
    /// recordings are not for here.
    pub fn hear(&self, room: &Arc<Room>, body: &EventBody, seq: u64) {
        // Where there is no log, nothing is ever heard again.
        let place = room.log().is_kept().then_some(seq);
        self.hear_at(room.id(), body, place, Timestamp::now());
    }

    /// Notes that this is no vote (it was played from a recording, or deleted before it came), so that a start does not take
    /// it for one that is missing.
    pub fn pass_over(&self, room: &Arc<Room>, body: &EventBody, seq: u64) {
        let EventBody::ChatMessage(message) = body else { return };
        let Some(boards) = self.find(room.id()).filter(|_| room.log().is_kept()) else { return };
        let mut boards = lock(&boards);
        let votes = boards.find_votes(message.spoken(), &message.author.id, Timestamp::now());
        if !votes.is_empty() {
            boards.note_heard(&message.channel.id, seq);
        }
    }

    pub(super) fn hear_at(
        &self,
        id: &CreatorId,
        body: &EventBody,
        place: Option<u64>,
        now: Timestamp,
    ) {
        let message = match body {
            EventBody::ChatMessage(it) => Some(&**it).filter(|it| it.is_of_a_viewer()),
            EventBody::Activity(_) => None,
            _ => return,
        };
        let text = message.map(Message::spoken);
        // Whoever links accounts may be the first with anything to keep in this room.
        let room = match text.filter(|it| is_claim(it)) {
            Some(_) => self.room(id),
            None => match self.find(id) {
                Some(it) => it,
                None => return,
            },
        };
        let mut room = lock(&room);
        room.advance(now);
        if let (Some(message), Some(text)) = (message, text) {
            self.hear_message(&mut room, message, text, place, now);
        }
        self.feed(&mut room, body, message.is_some(), now);
        self.settle(&mut room);
    }

    fn hear_message(
        &self,
        room: &mut RoomBoards,
        message: &Message,
        text: &str,
        place: Option<u64>,
        now: Timestamp,
    ) {
        let voter = &message.author.id;
        let votes = room.find_votes(text, voter, now);
        if let (Some(place), false) = (place, votes.is_empty()) {
            room.note_heard(&message.channel.id, place);
        }
        for (poll, option) in votes {
            match room.cast(&poll, voter, option, now) {
                Ok(ballot) => self.note_vote(&room.id, voter, &ballot, now),
                // Said once where it can be seen: the chat of a poll that is full is full of these.
                Err(error) => {
                    tracing::debug!(creator.id = %room.id, %error, "a vote is not counted")
                }
            }
        }
        if is_claim(text)
            && let Some(link) = room.people.hear(&message.author, text, now)
        {
            room.link(&link);
        }
    }

    /// Moves the tallies that move by themselves.
    fn feed(&self, room: &mut RoomBoards, body: &EventBody, is_of_a_viewer: bool, now: Timestamp) {
        for (id, feed, currency) in room.list_fed() {
            if feed == super::Feed::Messages && !is_of_a_viewer {
                continue;
            }
            let Some(moved) = feed.find_move(body, currency.as_deref()) else { continue };
            let voter = match body {
                EventBody::ChatMessage(it) => Some(&it.author.id),
                EventBody::Activity(it) => it.author.as_ref().map(|it| &it.id),
                _ => None,
            };
            let by = room.take(&id, moved);
            if by == 0 {
                continue;
            }
            let voter = voter.cloned();
            if let Ok((_, delta)) = room.count(&id, None, by, voter.as_ref(), now) {
                self.note_count(&room.id, &id, delta, now);
            }
        }
    }
}
