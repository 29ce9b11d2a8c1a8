//! What was kept, read again: at the start, and when a copy took its place.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::{
    PollState, Rooms,
    kept::{Everything, Kept},
    room::RoomBoards,
};
use crate::{
    model::{CreatorId, Timestamp},
    storage::State,
};

/// Everything that is kept, by room; and what of it nobody needs: votes of polls that are closed, left by a kill.
pub(super) fn recall(state: &State) -> (Rooms, Vec<String>) {
    let all = Everything::read(state);
    let mut rooms: BTreeMap<CreatorId, RoomBoards> = BTreeMap::new();
    // Names are in lower case; one that is no name of a room is nobody's.
    let of = |rooms: &mut BTreeMap<CreatorId, RoomBoards>, name: &str| {
        let id: CreatorId = name.parse().ok()?;
        let fresh = || RoomBoards::new(id.clone(), Kept::new(state.clone(), &id));
        rooms.entry(id.clone()).or_insert_with(fresh);
        Some(id)
    };
    for (name, mut poll) in all.polls {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            RoomBoards::ready(&mut poll);
            room.polls.insert(poll.poll_id.clone(), poll);
        }
    }
    for (name, tally) in all.tallies {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            room.tallies.insert(tally.tally_id.clone(), tally);
        }
    }
    for (name, scoreboard) in all.scoreboards {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            room.scoreboards.insert(scoreboard.scoreboard_id.clone(), scoreboard);
        }
    }
    for (name, identity) in all.identities {
        if let Some(room) = of(&mut rooms, &name).and_then(|it| rooms.get_mut(&it)) {
            room.people.recall(identity);
        }
    }
    let room_of = |name: &str| name.parse::<CreatorId>().ok();
    let mut leftovers = Vec::new();
    let mut leave = |start: String| {
        if leftovers.last() != Some(&start) {
            leftovers.push(start);
        }
    };
    for (name, poll, account, vote) in all.votes {
        let room = room_of(&name).and_then(|it| rooms.get_mut(&it));
        let poll_of = room.and_then(|it| it.polls.get_mut(&poll));
        match poll_of.filter(|it| it.state == PollState::Open) {
            Some(it) => it.votes.recall(&account, vote),
            None => leave(format!("{name}/p/{poll}/")),
        }
    }
    for (name, tally, round, account) in all.counted {
        let room = room_of(&name).and_then(|it| rooms.get_mut(&it));
        let tally_of = room.and_then(|it| it.tallies.get_mut(&tally));
        match tally_of.filter(|it| it.round == round) {
            Some(it) => drop(it.counted.insert(account.into())),
            None => leave(format!("{name}/t/{tally}/{round}/")),
        }
    }
    for (name, scoreboard, entry) in all.entries {
        let room = room_of(&name).and_then(|it| rooms.get_mut(&it));
        if let Some(it) = room.and_then(|it| it.scoreboards.get_mut(&scoreboard)) {
            it.entries.insert(entry.key(), entry);
        }
    }
    for (name, channel, place) in all.heard {
        if let Some(room) = room_of(&name).and_then(|it| rooms.get_mut(&it)) {
            room.recall_heard(channel, place);
        }
    }
    let now = Timestamp::now();
    let ready = |(id, mut room): (CreatorId, RoomBoards)| {
        room.recall_votes();
        room.note_due(now);
        (id, Arc::new(Mutex::new(room)))
    };
    (rooms.into_iter().map(ready).collect(), leftovers)
}
