//! `polls.json`, `tallies.json` and `scoreboards.json`: what viewers vote on, what is counted, and who leads.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes};
use crate::{
    boards::Boards,
    chat::{Room, boards::Snapshots},
    model::{
        CreatorId, Timestamp,
        snapshot::{PollSnapshot, ScoreboardSnapshot, TallySnapshot},
    },
};

/// The polls.
pub const POLLS: Export = Export {
    path: "polls.json",
    visibility: Visibility::Public,
    description: "Polls that viewers see or saw, with their votes.",
    json_schema: schema_of::<WithMeta<Polls>>,
    content: Content::OfRooms { render: render_polls, revision },
};

/// The tallies.
pub const TALLIES: Export = Export {
    path: "tallies.json",
    visibility: Visibility::Public,
    description: "What is counted, goals included.",
    json_schema: schema_of::<WithMeta<Tallies>>,
    content: Content::OfRooms { render: render_tallies, revision },
};

/// The scoreboards.
pub const SCOREBOARDS: Export = Export {
    path: "scoreboards.json",
    visibility: Visibility::Public,
    description: "Rankings of viewers.",
    json_schema: schema_of::<WithMeta<Scoreboards>>,
    content: Content::OfRooms { render: render_scoreboards, revision },
};

/// The polls of all rooms.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Polls {
    /// By room, then by id: those that are open or closed.
    polls: Vec<PollSnapshot>,
}

/// The tallies of all rooms.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tallies {
    /// By room, then by id.
    tallies: Vec<TallySnapshot>,
}

/// The scoreboards of all rooms.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Scoreboards {
    /// By room, then by id.
    scoreboards: Vec<ScoreboardSnapshot>,
}

/// Those of all rooms by room and id: what rooms were told of, and what stands on their boards, which knows better.
fn list<T>(
    sources: &Sources,
    of_room: impl Fn(Snapshots) -> Vec<T>,
    of_boards: impl Fn(&Boards) -> Vec<T>,
    name: impl Fn(&T) -> (&CreatorId, &str),
) -> Vec<T> {
    let mut found: BTreeMap<(CreatorId, String), T> = BTreeMap::new();
    for room in sources.hub.iter().flat_map(|it| it.list_rooms()) {
        recalled(&room);
        for it in of_room(room.board_snapshots()) {
            found.insert((room.id().clone(), name(&it).1.to_owned()), it);
        }
    }
    for it in sources.boards.iter().flat_map(of_boards) {
        let (room, id) = name(&it);
        found.insert((room.clone(), id.to_owned()), it);
    }
    found.into_values().collect()
}

/// After a restart a room asks the log for them when its first reader comes. Here, that is us.
fn recalled(room: &Arc<Room>) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        // Logged where it fails; what is known is told all the same.
        let _ = runtime.block_on(room.recall_stage());
    }
}

fn revision(sources: &Sources) -> u64 {
    let mut hasher = DefaultHasher::new();
    for room in sources.hub.iter().flat_map(|it| it.list_rooms()) {
        (room.id(), room.boards_revision()).hash(&mut hasher);
    }
    sources.boards.as_ref().map(Boards::revision).hash(&mut hasher);
    hasher.finish()
}

fn render_polls(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let polls = list(sources, |it| it.polls, Boards::polls, |it| (&it.creator, &it.poll_id));
    let meta = Meta::new(POLLS.path, POLLS.visibility, now);
    to_bytes(&WithMeta { meta, fields: Polls { polls } })
}

fn render_tallies(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let tallies = list(sources, |it| it.tallies, Boards::tallies, |it| (&it.creator, &it.tally_id));
    let meta = Meta::new(TALLIES.path, TALLIES.visibility, now);
    to_bytes(&WithMeta { meta, fields: Tallies { tallies } })
}

fn render_scoreboards(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let scoreboards = list(
        sources,
        |it| it.scoreboards,
        Boards::scoreboards,
        |it| (&it.creator, &it.scoreboard_id),
    );
    let meta = Meta::new(SCOREBOARDS.path, SCOREBOARDS.visibility, now);
    to_bytes(&WithMeta { meta, fields: Scoreboards { scoreboards } })
}
