//! Polls, tallies, scoreboards and identities of a room. Whoever may read the room reads them; whoever may begin and end
//! polls changes them.

pub mod identities;
pub mod polls;
pub mod routes;
pub mod scoreboards;
pub mod tallies;

use crate::{
    boards::{BoardError, Most},
    model::CreatorId,
    web::{ApiError, AppState, access::RoomActor},
};

impl From<BoardError> for ApiError {
    fn from(error: BoardError) -> Self {
        match error {
            BoardError::Unknown(what) => Self::NotFound(what),
            BoardError::Invalid { at, why } => Self::bad_member(&at, why),
            BoardError::Conflict(why) => Self::Conflict(why),
        }
    }
}

/// How much there may be in a room, by the tier of the account that made it.
fn most(state: &AppState, room: &CreatorId) -> Most {
    Most::of(state.accounts.book().terms_of_room(room))
}

/// Who does it, in words.
fn name_of(actor: &RoomActor) -> String {
    match actor.caller.account() {
        Some(it) => it.user_code.as_str().to_owned(),
        None => "operator".to_owned(),
    }
}
