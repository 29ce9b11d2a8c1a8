//! The addresses of boards.

use serde_json::json;

use super::{identities, polls, scoreboards, tallies};
use crate::{
    boards::{
        Identity, Import, NewIdentity, NewPoll, NewScoreboard, NewTally, PollChange, PollView,
        ScoreboardChange, ScoreboardView, TallyChange, TallyView, Voted,
    },
    model::{
        QualifiedId,
        snapshot::{ScoreboardSnapshot, TallySnapshot},
    },
    web::{
        operation::{
            Access::{Moderator, Reader},
            Doc, Shape,
            Verb::{Delete, Get, Patch, Post},
        },
        routes::Routes,
    },
};

const TAG: &str = "boards";

/// Adds them.
pub(in crate::web) fn add(routes: Routes) -> Routes {
    identity_routes(scoreboard_routes(tally_routes(poll_routes(routes))))
}

fn board_id() -> Shape {
    Shape::literal(json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"}))
}

fn poll_routes(routes: Routes) -> Routes {
    let one = || Shape::of::<PollView>();
    routes
        .on(
            Get,
            "/api/rooms/{room}/polls",
            polls::list_polls,
            Doc::api(Reader, TAG, "Polls, the newest first; drafts for those who may open them")
                .answers(200, Shape::member("polls", Shape::of::<Vec<PollView>>())),
        )
        .on(
            Post,
            "/api/rooms/{room}/polls",
            polls::add_poll,
            Doc::api(Moderator, TAG, "Asks a poll, or writes a draft of one")
                .takes(Shape::of::<NewPoll>())
                .answers(201, one())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/polls/{id}",
            polls::find_poll,
            Doc::api(Reader, TAG, "One poll").path("id", board_id()).answers(200, one()),
        )
        .on(
            Patch,
            "/api/rooms/{room}/polls/{id}",
            polls::change_poll,
            Doc::api(Moderator, TAG, "Opens, closes or archives a poll, or writes a draft anew")
                .path("id", board_id())
                .takes(Shape::of::<PollChange>())
                .answers(200, one())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/polls/{id}",
            polls::remove_poll,
            Doc::api(Moderator, TAG, "Deletes a poll and its votes")
                .path("id", board_id())
                .done(204),
        )
        .on(
            Post,
            "/api/rooms/{room}/polls/{id}/votes",
            polls::add_vote,
            Doc::api(Moderator, TAG, "Counts a vote, in place of what this person wanted before")
                .path("id", board_id())
                .takes(Shape::of::<polls::NewVote>())
                .answers(200, Shape::of::<Voted>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/polls/{id}/votes/{voter}",
            polls::remove_vote,
            Doc::api(Moderator, TAG, "Takes the vote of a person out of an open poll")
                .path("id", board_id())
                .path("voter", Shape::of::<QualifiedId>())
                .done(204)
                .fails(&[409]),
        )
}

fn tally_routes(routes: Routes) -> Routes {
    let one = || Shape::of::<TallyView>();
    routes
        .on(
            Get,
            "/api/rooms/{room}/tallies",
            tallies::list_tallies,
            Doc::api(Reader, TAG, "Tallies and goals")
                .answers(200, Shape::member("tallies", Shape::of::<Vec<TallyView>>())),
        )
        .on(
            Post,
            "/api/rooms/{room}/tallies",
            tallies::add_tally,
            Doc::api(Moderator, TAG, "Keeps a tally; with a target it is a goal")
                .takes(Shape::of::<NewTally>())
                .answers(201, one())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/tallies/{id}",
            tallies::find_tally,
            Doc::api(Reader, TAG, "One tally, with the periods that are over")
                .path("id", board_id())
                .answers(200, one()),
        )
        .on(
            Patch,
            "/api/rooms/{room}/tallies/{id}",
            tallies::change_tally,
            Doc::api(Moderator, TAG, "Changes a tally")
                .path("id", board_id())
                .takes(Shape::of::<TallyChange>())
                .answers(200, one()),
        )
        .on(
            Delete,
            "/api/rooms/{room}/tallies/{id}",
            tallies::remove_tally,
            Doc::api(Moderator, TAG, "Deletes a tally and its periods")
                .path("id", board_id())
                .done(204),
        )
        .on(
            Post,
            "/api/rooms/{room}/tallies/{id}/count",
            tallies::count_tally,
            Doc::api(Moderator, TAG, "Counts, up or down")
                .path("id", board_id())
                .takes(Shape::of::<tallies::Count>())
                .answers(200, Shape::of::<TallySnapshot>())
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/rooms/{room}/tallies/{id}/reset",
            tallies::reset_tally,
            Doc::api(Moderator, TAG, "Sets a tally to 0")
                .path("id", board_id())
                .answers(200, one()),
        )
}

fn scoreboard_routes(routes: Routes) -> Routes {
    let one = || Shape::of::<ScoreboardView>();
    routes
        .on(
            Get,
            "/api/rooms/{room}/scoreboards",
            scoreboards::list_scoreboards,
            Doc::api(Reader, TAG, "Scoreboards, with the best of each")
                .answers(200, Shape::member("scoreboards", Shape::of::<Vec<ScoreboardView>>())),
        )
        .on(
            Post,
            "/api/rooms/{room}/scoreboards",
            scoreboards::add_scoreboard,
            Doc::api(Moderator, TAG, "Keeps a scoreboard")
                .takes(Shape::of::<NewScoreboard>())
                .answers(201, one())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/scoreboards/{id}",
            scoreboards::find_scoreboard,
            Doc::api(Reader, TAG, "One scoreboard, with the periods that are over")
                .path("id", board_id())
                .answers(200, one()),
        )
        .on(
            Get,
            "/api/rooms/{room}/scoreboards/{id}/export",
            scoreboards::export_scoreboard,
            Doc::api(Reader, TAG, "The same as a file, which can be imported again")
                .path("id", board_id())
                .answers(200, one()),
        )
        .on(
            Patch,
            "/api/rooms/{room}/scoreboards/{id}",
            scoreboards::change_scoreboard,
            Doc::api(Moderator, TAG, "Changes a scoreboard, or opens a final one again")
                .path("id", board_id())
                .takes(Shape::of::<ScoreboardChange>())
                .answers(200, one()),
        )
        .on(
            Delete,
            "/api/rooms/{room}/scoreboards/{id}",
            scoreboards::remove_scoreboard,
            Doc::api(Moderator, TAG, "Deletes a scoreboard, its entries and its periods")
                .path("id", board_id())
                .done(204),
        )
        .on(
            Post,
            "/api/rooms/{room}/scoreboards/{id}/scores",
            scoreboards::give_points,
            Doc::api(Moderator, TAG, "Gives somebody points, or takes them")
                .path("id", board_id())
                .takes(new_score())
                .answers(200, Shape::of::<ScoreboardSnapshot>())
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/rooms/{room}/scoreboards/{id}/import",
            scoreboards::import_scores,
            Doc::api(Moderator, TAG, "Takes entries in, such as those of an export")
                .path("id", board_id())
                .most_bytes(scoreboards::MOST_BYTES)
                .takes(Shape::of::<Import>())
                .answers(200, one())
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/rooms/{room}/scoreboards/{id}/finalize",
            scoreboards::finalize_scoreboard,
            Doc::api(Moderator, TAG, "Closes a scoreboard")
                .path("id", board_id())
                .answers(200, one())
                .fails(&[409]),
        )
}

/// Either how many more points, or how many there are to be.
fn new_score() -> Shape {
    let (number, absent) = (json!({"type": "integer"}), json!({"type": "null"}));
    Shape::of::<scoreboards::NewScore>().and(Shape::literal(json!({"oneOf": [
        {"required": ["by"], "properties": {"by": number, "set": absent}},
        {"required": ["set"], "properties": {"set": number, "by": absent}},
    ]})))
}

fn identity_routes(routes: Routes) -> Routes {
    routes
        .on(
            Get,
            "/api/rooms/{room}/identities",
            identities::list_identities,
            Doc::api(Moderator, TAG, "Which accounts are one person's")
                .answers(200, Shape::member("identities", Shape::of::<Vec<Identity>>())),
        )
        .on(
            Post,
            "/api/rooms/{room}/identities",
            identities::add_identity,
            Doc::api(Moderator, TAG, "Says that accounts are one person's, who counts once")
                .takes(Shape::of::<NewIdentity>())
                .answers(201, Shape::of::<Identity>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/identities/{id}",
            identities::remove_identity,
            Doc::api(Moderator, TAG, "Takes a link back").path("id", board_id()).done(204),
        )
}
