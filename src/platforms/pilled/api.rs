//! The public part of Pilled's API: who is live.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    http::{Answer, CALL_TIMEOUT, failure},
    platforms::WorkerError,
};

/// Largest answer (bytes). A page of topics has some 150 KiB.
const MAX_BYTES: usize = 4 << 20;
/// For how long the list of those who are live is not asked for again, whoever asks.
const FRESH: Duration = Duration::from_secs(5);

/// What is on at a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Show {
    /// The topic's number.
    pub(super) topic: u64,
    pub(super) title: Option<String>,
    pub(super) viewers: Option<u64>,
}

/// What is known of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Live(Show),
    NotLive,
    /// Nobody has that name.
    Nobody,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Streamer {
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    topic: Option<Value>,
}

/// The list of those who are live: one question for all channels.
#[derive(Debug, Default)]
pub(super) struct Streamers {
    /// Held over the question, so that those who come meanwhile wait for its answer instead of asking too.
    /// A failure is kept as well: a hundred that wait must not wait for it one after another.
    newest: Mutex<Option<Newest>>,
}

#[derive(Debug)]
struct Newest {
    at: Instant,
    api_url: String,
    list: Result<Vec<Streamer>, WorkerError>,
}

impl Streamers {
    /// Looks whether a channel is live.
    pub(super) async fn find(
        &self,
        client: &Client,
        api_url: &str,
        channel: &str,
    ) -> Result<Found, WorkerError> {
        let mut newest = self.newest.lock().await;
        let is_fresh = |it: &Newest| it.api_url == api_url && it.at.elapsed() < FRESH;
        if !newest.as_ref().is_some_and(is_fresh) {
            let list = ask_streamers(client, api_url).await;
            *newest = Some(Newest { at: Instant::now(), api_url: api_url.to_owned(), list });
        }
        match newest.as_ref().map(|it| &it.list) {
            Some(Ok(list)) => Ok(find_show(list, channel).map_or(Found::NotLive, Found::Live)),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(Found::NotLive),
        }
    }
}

async fn ask_streamers(client: &Client, api_url: &str) -> Result<Vec<Streamer>, WorkerError> {
    let list = get(client, &format!("{api_url}/user/getFoxholeStreamersPorted/")).await?;
    let other = || WorkerError::transient("Pilled lists streamers in another shape");
    streamers(&list).ok_or_else(other)
}

/// What is known of a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum User {
    Known(u64),
    Nobody,
    /// The answer is of a shape that nobody has published.
    Unclear,
}

/// Looks whether anybody has that name.
pub(super) async fn find_user(
    client: &Client,
    api_url: &str,
    channel: &str,
) -> Result<User, WorkerError> {
    let value = get(client, &format!("{api_url}/user/getUserByUsername/{channel}")).await?;
    Ok(user(&value))
}

fn user(value: &Value) -> User {
    let is_empty = match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    // An object, perhaps in a list.
    let user = value.as_array().and_then(|it| it.first()).unwrap_or(value);
    match user["userID"].as_u64() {
        Some(id) => User::Known(id),
        None if is_empty => User::Nobody,
        None => User::Unclear,
    }
}

/// Looks among a user's own topics, for when the list of streamers is not to be had.
pub(super) async fn find_topic(
    client: &Client,
    api_url: &str,
    user: u64,
) -> Result<Found, WorkerError> {
    let value = get(client, &format!("{api_url}/topic/getUserTopics/{user}/0")).await?;
    let topics = value.as_array().map_or(&[][..], Vec::as_slice);
    Ok(topics.iter().find_map(show).map_or(Found::NotLive, Found::Live))
}

fn streamers(value: &Value) -> Option<Vec<Streamer>> {
    let list = value.as_array()?;
    Some(list.iter().filter_map(|it| Streamer::deserialize(it).ok()).collect())
}

fn find_show(list: &[Streamer], channel: &str) -> Option<Show> {
    let named = list
        .iter()
        .filter(|it| it.user_name.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(channel)));
    named.filter_map(|it| it.topic.as_ref()).find_map(show)
}

/// A topic that is a running show: `isLive` alone marks the kind, and may be set hours before.
fn show(topic: &Value) -> Option<Show> {
    let is_live = topic["isLiveNow"] == true;
    is_live.then(|| Show {
        topic: topic["topicID"].as_u64().unwrap_or(0),
        title: topic["topicName"]
            .as_str()
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(str::to_owned),
        viewers: topic["topicFacts"]["liveViews"].as_u64(),
    })
}

async fn get(client: &Client, url: &str) -> Result<Value, WorkerError> {
    let response =
        client.get(url).timeout(CALL_TIMEOUT).send().await.map_err(|it| failure("Pilled", &it))?;
    let answer = Answer::read(response, MAX_BYTES).await?;
    match answer.status.as_u16() {
        200..=299 => answer.json().ok_or_else(|| {
            WorkerError::transient("Pilled answered with something that is no JSON")
        }),
        404 => Ok(Value::Null),
        status => Err(WorkerError::transient(format!("Pilled answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_running_show_is_live() {
        let list = json!([
            {"userID": 1, "userName": "Ana", "topic": {"topicID": 5, "isLive": true, "isLiveNow": false}},
            {"userID": 2, "userName": "Bo", "topic": {"topicID": 6, "isLiveNow": true, "topicName": " Hi ",
                                                     "topicFacts": {"liveViews": 3}}},
            {"userID": 3}, 7,
        ]);
        let list = streamers(&list).unwrap();
        assert_eq!(find_show(&list, "ana"), None);
        assert_eq!(find_show(&list, "nobody"), None);
        let expected = Show { topic: 6, title: Some("Hi".to_owned()), viewers: Some(3) };
        assert_eq!(find_show(&list, "bo"), Some(expected));
        assert!(streamers(&json!({})).is_none());
    }

    #[test]
    fn a_name_is_wrong_only_when_the_answer_is_empty() {
        assert_eq!(user(&json!({"userID": 5})), User::Known(5));
        assert_eq!(user(&json!([{"userID": 5}])), User::Known(5));
        for nobody in [json!(null), json!([]), json!({})] {
            assert_eq!(user(&nobody), User::Nobody);
        }
        assert_eq!(user(&json!({"user": {"id": 5}})), User::Unclear);
    }

    /// What is recorded of Pilled, where it is present: other people's names are not part of this repository.
    fn captured(file: &str) -> Option<Value> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/pilled").join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            eprintln!("skipped: there is no {}", path.display());
            return None;
        };
        Some(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn recorded_answers_tell_who_is_live() {
        let Some(value) = captured("foxhole-streamer-live-now--quite-frankly.json") else { return };
        let list = streamers(&value).unwrap();
        let name = list[0].user_name.clone().unwrap();
        let show = find_show(&list, &name).unwrap();
        assert_eq!((show.topic > 0, show.viewers), (true, Some(3)));
        let finished = captured("topic-finished-show--quite-frankly.json").unwrap();
        assert_eq!(super::show(&finished), None);
        for page in ["page-0", "page-1"] {
            let topics = captured(&format!("topic-get-user-topics-{page}--nicar26.json")).unwrap();
            let topics = topics.as_array().unwrap();
            assert_eq!(topics.len(), 24);
            assert!(topics.iter().all(|it| super::show(it).is_none() && it["topicID"].is_u64()));
        }
    }
}
