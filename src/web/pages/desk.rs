//! `/mod/{creator}`: what moderators work with.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};

use super::{chat::show_chat_page, missing::error_page};
use crate::{
    model::CreatorId,
    web::{ApiError, AppState, access::RoomActor},
};

/// `GET /mod/{creator}`: the chat with the queue and the polls open beside it, for whoever may do something in the room.
///
/// Whoever is not signed in is sent to the way in, and comes back from there.
pub async fn show_desk(
    State(state): State<AppState>,
    Path(room): Path<String>,
    actor: Result<RoomActor, ApiError>,
) -> Response {
    match actor {
        Ok(actor) => show_chat_page(&state, &actor.room, &actor.caller, None, true),
        Err(ApiError::Unauthorized) => {
            // What is no name of a room does not come into an address.
            let name = room.parse::<CreatorId>().map(|it| format!("?return_to=/mod/{it}"));
            Redirect::to(&format!("/login{}", name.unwrap_or_default())).into_response()
        }
        Err(error) => error_page(&error),
    }
}
