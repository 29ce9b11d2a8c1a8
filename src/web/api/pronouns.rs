//! `GET /api/rooms/{room}/pronouns`: the pronouns of viewers who wrote in a room.

use std::{borrow::Cow, collections::BTreeMap};

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::{
    chat::Room,
    feed::Span,
    model::Platform,
    platforms::{
        pronouns::{Known, Login},
        recording::demo,
    },
    web::{
        ApiError, AppState,
        access::{self, Visitor},
    },
};

/// Most events that one call names.
const MOST_EVENTS: usize = 25;
/// Events that stand so near to each other are read at once.
const NEAR: u64 = 200;
/// Most times that one call looks into the log; what lies further apart is asked for again.
const MOST_LOOKS: usize = 4;

/// What a page asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// Places in the feed, in order, each once.
    events: Vec<u64>,
    /// Who wrote the featured message, too.
    featured: bool,
    key: Option<String>,
}

impl Wanted {
    fn parse(query: &str) -> Result<Self, ApiError> {
        let mut wanted = Self::default();
        for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "event" => {
                    let seq = text.parse().ok().filter(|it| *it > 0);
                    let problem = || "`event` is the number of an event of the room".to_owned();
                    wanted.events.push(seq.ok_or_else(|| ApiError::BadRequest(problem()))?);
                }
                "featured" => wanted.featured = text != "0",
                "key" => wanted.key = Some(text.into_owned()),
                _ => {}
            }
        }
        if wanted.events.len() > MOST_EVENTS {
            return Err(ApiError::BadRequest(format!(
                "`event` may stand there {MOST_EVENTS} times"
            )));
        }
        wanted.events.sort_unstable();
        wanted.events.dedup();
        Ok(wanted)
    }

    /// Spans of the feed that hold its events up to `head`: as many as one call may look for.
    fn spans(&self, head: u64) -> Vec<Span> {
        let mut ends: Vec<(u64, u64)> = Vec::new();
        for seq in self.events.iter().copied().take_while(|it| *it <= head) {
            match ends.last_mut() {
                Some((first, last)) if seq - *first < NEAR => *last = seq,
                _ => ends.push((seq, seq)),
            }
        }
        ends.truncate(MOST_LOOKS);
        let span = |(first, last)| Span { after: first - 1, before: last + 1, ..Span::default() };
        ends.into_iter().map(span).collect()
    }
}

/// Who wrote something, as events tell it.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    platform: Option<Platform>,
    #[serde(borrow)]
    author: Option<Author<'a>>,
}

#[derive(Deserialize)]
struct Author<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    login: Cow<'a, str>,
}

/// `GET /api/rooms/{room}/pronouns?event=SEQ&event=…&featured`: the pronouns of those who wrote these events, and
/// of whoever is featured.
///
/// `{"pronouns": {"twitch:1": "She/Her", "twitch:2": null}}` by the viewers' ids: null for those who told none.
/// Whoever is missing is not on Twitch, or not known now, and may be asked for again. Viewers are named by what
/// they wrote, so that nobody can make this server ask for anybody else.
///
/// # Errors
/// 400 naming the parameter, 403 for a bad key, 404 for an unknown room, 503 while the log cannot be read.
pub async fn list_pronouns(
    State(state): State<AppState>,
    Path(room): Path<String>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, ApiError> {
    let wanted = Wanted::parse(query.as_deref().unwrap_or_default())?;
    let room = access::find_readable(&state, &visitor, &room, wanted.key.as_deref())?;
    // The demo's viewers are invented: their names may be those of others.
    let invented = room.id().as_str() == demo::ROOM
        && !state.config.borrow().creators.creators.iter().any(|it| it.id == *room.id());
    let authors = if invented { BTreeMap::new() } else { list_authors(&room, &wanted).await? };
    let logins: Vec<Login> = authors.values().cloned().collect();
    let known = state.pronouns.find(room.id(), &logins).await;
    let pronouns: BTreeMap<&String, &Known> =
        authors.iter().filter_map(|(id, login)| Some((id, known.get(login)?))).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({ "pronouns": pronouns })))
        .into_response())
}

/// Who of Twitch wrote these events, as viewers may still read them: by id, under which name.
async fn list_authors(room: &Room, wanted: &Wanted) -> Result<BTreeMap<String, Login>, ApiError> {
    let mut authors = BTreeMap::new();
    for span in wanted.spans(room.head()) {
        let page = room.history(span).await.map_err(|_| ApiError::LogUnavailable)?;
        let events = page.events.iter().filter(|it| wanted.events.binary_search(&it.seq).is_ok());
        authors.extend(events.filter_map(|it| author_of(&it.json)));
    }
    if wanted.featured
        && let Some(message) = room.featured()
        && message.platform == Platform::Twitch
        && let Some(login) = Login::parse(&message.author.login)
    {
        authors.insert(message.author.id.as_str().to_owned(), login);
    }
    Ok(authors)
}

/// `None` for events without one, and for other platforms.
fn author_of(event: &Bytes) -> Option<(String, Login)> {
    let Said { data } = serde_json::from_slice(event).ok()?;
    let author = data.author.filter(|_| data.platform == Some(Platform::Twitch))?;
    Some((author.id.into_owned(), Login::parse(&author.login)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(query: &str, head: u64) -> Vec<(u64, u64)> {
        let wanted = Wanted::parse(query).unwrap();
        wanted.spans(head).iter().map(|it| (it.after, it.before)).collect()
    }

    #[test]
    fn events_that_stand_near_are_looked_for_at_once_and_only_so_far() {
        assert_eq!(spans("event=7&event=5&event=7&featured&x=1", 9), [(4, 8)]);
        assert_eq!(spans("event=1&event=200&event=201", 999), [(0, 201), (200, 202)]);
        let far = "event=1&event=1001&event=2001&event=3001&event=4001&event=5001";
        assert_eq!(spans(far, 9_999).len(), MOST_LOOKS);
        assert_eq!(spans(&format!("event={}&event=3", u64::MAX), 9), [(2, 4)]);
        assert!(spans("", 9).is_empty());
    }

    #[test]
    fn what_is_no_number_or_too_much_is_refused() {
        let many = "event=1&".repeat(MOST_EVENTS + 1);
        for bad in ["event=0", "event=", "event=-1", "event=ana", &many] {
            assert!(matches!(Wanted::parse(bad), Err(ApiError::BadRequest(_))), "{bad}");
        }
        let wanted = Wanted::parse("event=1&key=a%2Fb&featured").unwrap();
        assert_eq!((wanted.key.as_deref(), wanted.featured), (Some("a/b"), true));
    }

    #[test]
    fn an_author_is_one_of_twitch_with_a_name_that_can_be_asked_for() {
        let event = |platform: &str, login: &str| {
            let author = json!({"id": format!("{platform}:1"), "login": login, "name": "N"});
            let data = json!({"platform": platform, "author": author});
            Bytes::from(json!({"seq": 1, "type": "chat.message", "data": data}).to_string())
        };
        let found = author_of(&event("twitch", "ana_b"));
        assert_eq!(found, Some(("twitch:1".to_owned(), Login::parse("ana_b").unwrap())));
        assert_eq!(author_of(&event("kick", "ana_b")), None);
        assert_eq!(author_of(&event("twitch", "../admin")), None);
        let gone = json!({"type": "chat.redacted", "data": {"message_id": "twitch:1"}});
        assert_eq!(author_of(&Bytes::from(gone.to_string())), None);
    }
}
