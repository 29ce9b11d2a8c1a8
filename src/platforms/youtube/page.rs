//! The site's pages: what is written into their scripts.
//!
//! A page says what it shows in JSON that is assigned to a name. It is found by reading it as JSON, for a
//! text in it may hold anything, `};</script>` included.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{broadcast::Broadcast, trouble::Trouble};
use crate::model::Timestamp;

/// What a channel's `/live`, or a video's own page, says.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// This stream is live.
    Live(Broadcast),
    /// The page shows a video and does not say whether it is live: its chat knows.
    Unclear(Broadcast),
    /// A stream that begins then, if that is known.
    Scheduled(Option<Timestamp>),
    /// Nothing is live.
    NotLive,
}

/// The player's part of a page; everything else in it is passed over without being built.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Player {
    #[serde(default)]
    video_details: Value,
    #[serde(default)]
    playability_status: Value,
    #[serde(default)]
    microformat: Value,
}

/// Reads a channel's `/live` page or a video's page.
///
/// # Errors
/// What stands in the page's place: a question for consent, a block, or a page of another shape.
pub fn read_look(html: &str) -> Result<Look, Trouble> {
    let player: Option<Player> = read_json(html, "ytInitialPlayerResponse");
    let linked = linked_video(html);
    let Some(player) = player else {
        // Some other page of the site: that of a channel, or of a video without its player.
        return match (html.contains("ytInitialData"), linked) {
            (true, Some(video)) => Ok(Look::Unclear(Broadcast::of_video(video))),
            (true, None) => Ok(Look::NotLive),
            (false, _) => Err(instead(html)
                .unwrap_or_else(|| Trouble::Shape("a page without ytInitialData".to_owned()))),
        };
    };
    let details = &player.video_details;
    let text = |name: &str| details[name].as_str().unwrap_or_default().to_owned();
    let about = &player.microformat["playerMicroformatRenderer"]["liveBroadcastDetails"];
    let Some(video) = details["videoId"].as_str().filter(|it| is_video(it)) else {
        return match linked {
            None => Ok(Look::NotLive),
            // A robot's player is empty; the chat may be shown to it all the same.
            Some(video) => Ok(Look::Unclear(Broadcast::of_video(video))),
        };
    };
    let starts_at = about["startTimestamp"].as_str().and_then(|it| Timestamp::parse(it).ok());
    if details["isUpcoming"] == true {
        return Ok(Look::Scheduled(starts_at));
    }
    let live = details["isLive"] == true || about["isLiveNow"] == true;
    if !live || player.playability_status["status"] == "LIVE_STREAM_OFFLINE" {
        return Ok(Look::NotLive);
    }
    Ok(Look::Live(Broadcast {
        video: video.to_owned(),
        channel_id: Some(text("channelId")).filter(|it| !it.is_empty()),
        channel_name: Some(text("author")).filter(|it| !it.is_empty()),
        title: Some(text("title")).filter(|it| !it.is_empty()),
        viewers: viewers(html),
        sure: true,
    }))
}

/// What the chat's own page says.
#[derive(Debug, Clone, PartialEq)]
pub struct Popout {
    /// Where to begin.
    pub continuation: String,
    /// Whether that is the whole chat, not the selection that the site shows first.
    pub whole: bool,
    /// What the site calls its own program, to be said with each call.
    pub client_version: Option<String>,
    /// What the site calls this visitor.
    pub visitor: Option<String>,
}

/// Reads `/live_chat`.
///
/// # Errors
/// [`Trouble::NoChat`] with the page's own words when the stream has none, [`Trouble::Ended`] when only a
/// replay is left, and what stands in the page's place.
pub fn read_popout(html: &str) -> Result<Popout, Trouble> {
    let data: Value = read_json(html, "ytInitialData").ok_or_else(|| {
        instead(html).unwrap_or_else(|| Trouble::Shape("a page without ytInitialData".to_owned()))
    })?;
    let contents = &data["contents"];
    if let Some(text) = contents.get("messageRenderer").map(|it| plain_text(&it["text"])) {
        return Err(match text.to_ascii_lowercase() {
            it if it.contains("not live") || it.contains("has ended") => Trouble::Ended,
            it if it.is_empty() => Trouble::NoChat("the chat is not available".to_owned()),
            _ => Trouble::NoChat(format!("YouTube says of the chat: {text}")),
        });
    }
    let Some(chat) = contents.get("liveChatRenderer") else {
        return Err(Trouble::Shape("no liveChatRenderer".to_owned()));
    };
    if chat["isReplay"] == true {
        return Err(Trouble::Ended);
    }
    let menu = "/header/liveChatHeaderRenderer/viewSelector/sortFilterSubMenuRenderer/subMenuItems";
    // The first is "Top chat", from which messages are left out; the second is everything.
    let whole =
        chat.pointer(menu).and_then(|it| it.get(1)).and_then(|it| token(&it["continuation"]));
    let first = chat["continuations"].as_array().and_then(|it| it.iter().find_map(token));
    let visitor = find_quoted(html, r#""visitorData":""#)
        .or_else(|| find_quoted(html, r#""VISITOR_DATA":""#));
    Ok(Popout {
        whole: whole.is_some(),
        continuation: whole
            .or(first)
            .ok_or_else(|| Trouble::Shape("no continuation".to_owned()))?,
        client_version: find_quoted(html, r#""INNERTUBE_CLIENT_VERSION":""#)
            .or_else(|| find_quoted(html, r#""clientVersion":""#)),
        visitor,
    })
}

/// The token of a continuation of any kind.
fn token(continuation: &Value) -> Option<String> {
    let mut kinds = continuation.as_object()?.values();
    kinds.find_map(|it| it.get("continuation")?.as_str()).map(str::to_owned)
}

/// The first JSON value that is assigned to `name`, `window["name"]` included, and has the shape asked for.
fn read_json<T: DeserializeOwned>(html: &str, name: &str) -> Option<T> {
    html.match_indices(name).find_map(|(at, _)| {
        let rest = html[at + name.len()..].trim_start_matches(['"', '\'', ']', ' ', '\n', '\t']);
        let value = rest.strip_prefix('=')?.trim_start();
        // Whatever stands behind the value is left alone.
        let starts = value.starts_with('{');
        let read = || serde_json::Deserializer::from_str(value).into_iter::<T>().next()?.ok();
        starts.then(read).flatten()
    })
}

/// The text between `before` and the next quotation mark, if it is plain.
fn find_quoted(html: &str, before: &str) -> Option<String> {
    let start = html.find(before)? + before.len();
    let text = &html[start..start + html[start..].find('"')?];
    (!text.is_empty()
        && text.len() <= 300
        && text.bytes().all(|it| it.is_ascii_graphic() && it != b'\\'))
    .then(|| text.to_owned())
}

/// The video that the page names as itself in its head.
fn linked_video(html: &str) -> Option<String> {
    let after = |marker: &str| {
        let start = html.find(marker)? + marker.len();
        let id: String = html[start..].chars().take(11).collect();
        is_video(&id).then_some(id)
    };
    let canonical = html
        .find(r#"rel="canonical""#)
        .and_then(|at| html[at..].split('>').next())
        .and_then(|tag| tag.split("watch?v=").nth(1))
        .map(|rest| rest.chars().take(11).collect::<String>())
        .filter(|it| is_video(it));
    canonical.or_else(|| after(r#"shortlinkUrl" href="https://youtu.be/"#))
}

fn is_video(id: &str) -> bool {
    id.len() == 11 && id.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'))
}

/// How many watch, as the page of a live stream says.
fn viewers(html: &str) -> Option<u64> {
    let at = html.find(r#""videoViewCountRenderer":"#)?;
    let part = html[at..].get(..600).unwrap_or(&html[at..]);
    let count = find_quoted(part, r#""originalViewCount":""#)?.parse().ok()?;
    // Where the count is hidden it is said to be 0.
    (count > 0 && part.contains(r#""isLive":true"#)).then_some(count)
}

/// What a page that is none of the site's usual ones is.
pub fn instead(html: &str) -> Option<Trouble> {
    let has = |words: &[&str]| words.iter().any(|it| html.contains(it));
    if has(&["consent.youtube.com", "consent.google.", "Before you continue to YouTube"]) {
        Some(Trouble::Consent)
    } else if has(&["unusual traffic", "/sorry/", "g-recaptcha", "not a bot"]) {
        Some(Trouble::Blocked("it asks whether this is a robot".to_owned()))
    } else {
        None
    }
}

/// A text in either of the two forms that the site writes: `simpleText`, or `runs`.
pub fn plain_text(text: &Value) -> String {
    if let Some(simple) = text["simpleText"].as_str().or_else(|| text["content"].as_str()) {
        return simple.to_owned();
    }
    let runs = text["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    runs.iter().filter_map(|it| it["text"].as_str()).collect()
}

#[cfg(test)]
mod tests;
