//! `GET /api/rooms/{room}/events`: the feed for those who can hold neither a socket nor a stream.

use crate::web::query::Query;
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    feed::{Filter, Span},
    model::Timestamp,
    web::{
        ApiError, AppState,
        access::{self, Visitor},
    },
};

/// Most events of one answer, and as many as nothing is said.
const MOST_EVENTS: usize = 500;

/// The query.
#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    after: Option<String>,
    before: Option<String>,
    limit: Option<String>,
    from: Option<String>,
    to: Option<String>,
    types: Option<String>,
    platforms: Option<String>,
    key: Option<String>,
}

/// Most bytes of one answer, but for its first event.
const MOST_BYTES: usize = 4 << 20;

/// `GET /api/rooms/{room}/events?after=SEQ&limit=500&from=&to=&types=&platforms=`: events behind `after`
/// in order, `from` (inclusive) to `to` (exclusive) in RFC 3339.
///
/// `{"epoch","events":[…],"next":SEQ|null}`: ask again with `after=next` until it is null. With `before=SEQ`
/// the newest events before that place, in order as well: `{"epoch","events":[…],"prev":SEQ|null}`, to be
/// asked again with `before=prev`. An answer may hold fewer events than `limit`, even none, and not be the last.
///
/// # Errors
/// 400 naming the parameter, 404 for an unknown room, 403 for a bad key, 503 while the log cannot be read.
pub async fn list_events(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<EventsQuery>,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let room = access::find_readable(&state, &visitor, &room, query.key.as_deref())?;
    let after = number("after", query.after.as_deref())?.unwrap_or(0);
    let before = number("before", query.before.as_deref())?;
    let limit = number("limit", query.limit.as_deref())?;
    let limit = limit.map_or(MOST_EVENTS, |it| usize::try_from(it).unwrap_or(usize::MAX));
    if limit == 0 {
        return Err(ApiError::BadRequest("`limit` is at least 1".to_owned()));
    }
    let filter = Filter::parse(query.types.as_deref(), query.platforms.as_deref())
        .map_err(|it| ApiError::BadRequest(it.to_string()))?;
    let span = Span {
        after,
        before: before.unwrap_or(u64::MAX),
        from: moment("from", query.from.as_deref())?,
        to: moment("to", query.to.as_deref())?,
        filter,
        most_events: limit.min(MOST_EVENTS),
        most_bytes: MOST_BYTES,
        newest: before.is_some(),
        originals: false,
    };
    let page = room.history(span).await.map_err(|_| ApiError::LogUnavailable)?;
    let (events, next) = (page.events, page.more.then_some(page.reached));

    let mut body =
        Vec::with_capacity(64 + events.iter().map(|it| it.json.len() + 1).sum::<usize>());
    body.extend_from_slice(format!(r#"{{"epoch":"{}","events":["#, room.epoch()).as_bytes());
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&event.json);
    }
    let next = next.map_or_else(|| "null".to_owned(), |it| it.to_string());
    let word = if before.is_some() { "prev" } else { "next" };
    body.extend_from_slice(format!(r#"],"{word}":{next}}}"#).as_bytes());
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

fn number(name: &str, text: Option<&str>) -> Result<Option<u64>, ApiError> {
    let text = text.filter(|it| !it.is_empty());
    text.map(|it| it.parse().map_err(|_| ApiError::BadRequest(format!("`{name}` is not a number"))))
        .transpose()
}

fn moment(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let text = text.filter(|it| !it.is_empty());
    text.map(|it| {
        Timestamp::parse(it).map_err(|_| {
            ApiError::BadRequest(format!("`{name}` is not a time such as 2026-11-20T18:00:00Z"))
        })
    })
    .transpose()
}
