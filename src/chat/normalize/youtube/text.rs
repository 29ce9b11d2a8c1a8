//! Texts of the site: runs of text and emoji become one text and its fragments.

use serde_json::Value;

use crate::{
    chat::normalize::{
        fragments::{self, Piece, Placed},
        text::clean,
    },
    model::{Emote, EmoteProvider, Fragment, HostedPicture},
};

/// A text, and the same in pieces.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Body {
    pub(super) text: String,
    pub(super) fragments: Vec<Fragment>,
}

/// Reads `{runs: […]}`, `{simpleText: …}` or `{content: …}`.
pub(super) fn read(text: &Value) -> Body {
    let mut whole = String::new();
    let mut placed = Vec::new();
    match text["runs"].as_array() {
        Some(runs) => runs.iter().for_each(|it| push_run(it, &mut whole, &mut placed)),
        None => whole.push_str(&clean(simple(text))),
    }
    let fragments = fragments::split(&whole, placed);
    Body { text: whole, fragments }
}

/// Reads a text that came without runs.
pub(super) fn of_plain(text: &str) -> Body {
    let text = clean(text).into_owned();
    let fragments = fragments::split(&text, Vec::new());
    Body { text, fragments }
}

/// The text alone.
pub(super) fn plain(text: &Value) -> String {
    read(text).text
}

fn simple(text: &Value) -> &str {
    text["simpleText"].as_str().or_else(|| text["content"].as_str()).unwrap_or_default()
}

fn push_run(run: &Value, whole: &mut String, placed: &mut Vec<Placed>) {
    let start = whole.len();
    if let Some(emoji) = run.get("emoji") {
        whole.push_str(&clean(&emoji_text(emoji)));
        let end = whole.len();
        if end > start
            && let Some(emote) = custom_emoji(emoji)
        {
            placed.push(Placed { start, end, piece: Piece::Emote(emote) });
        }
        return;
    }
    whole.push_str(&clean(run["text"].as_str().unwrap_or_default()));
    let end = whole.len();
    // The text of a long link is cut short; where it leads is beside it.
    let url = &run["navigationEndpoint"]["urlEndpoint"]["url"];
    if end > start
        && let Some(url) = url.as_str().and_then(target)
    {
        placed.push(Placed { start, end, piece: Piece::Link { url } });
    }
}

/// A Unicode emoji is itself; another one is written by its name.
fn emoji_text(emoji: &Value) -> String {
    let id = emoji["emojiId"].as_str().unwrap_or_default();
    let first = |name: &str| emoji[name].get(0).and_then(Value::as_str);
    if !is_custom(emoji) && !id.is_empty() && !id.is_ascii() {
        return id.to_owned();
    }
    first("shortcuts")
        .map(str::to_owned)
        .or_else(|| first("searchTerms").map(|it| format!(":{it}:")))
        .or_else(|| label(&emoji["image"]).map(|it| format!(":{it}:")))
        .unwrap_or_else(|| id.to_owned())
}

fn is_custom(emoji: &Value) -> bool {
    emoji["isCustomEmoji"] == true
        || emoji["emojiId"].as_str().is_some_and(|it| it.starts_with("UC") && it.contains('/'))
}

fn custom_emoji(emoji: &Value) -> Option<Emote> {
    if !is_custom(emoji) {
        return None;
    }
    Some(Emote {
        provider: EmoteProvider::Youtube,
        id: emoji["emojiId"].as_str().filter(|it| !it.is_empty())?.to_owned(),
        url: picture(&emoji["image"])?,
        animated: false,
        zero_width: false,
    })
}

/// What a picture shows, in words.
pub(super) fn label(picture: &Value) -> Option<&str> {
    picture["accessibility"]["accessibilityData"]["label"].as_str().filter(|it| !it.is_empty())
}

/// Where this server serves the largest form of a picture.
pub(super) fn picture(picture: &Value) -> Option<String> {
    let forms = picture["thumbnails"].as_array().or_else(|| picture["sources"].as_array())?;
    forms.iter().rev().find_map(|it| hosted(it["url"].as_str()?))
}

/// Where this server serves the picture at an address of YouTube's.
pub(super) fn hosted(url: &str) -> Option<String> {
    HostedPicture::find(url).map(|it| it.media_path())
}

/// Where a link leads: the site sends its readers over a page of its own.
fn target(url: &str) -> Option<String> {
    let absolute = match url.strip_prefix('/') {
        Some(path) => format!("https://www.youtube.com/{}", path.trim_start_matches('/')),
        None => url.to_owned(),
    };
    let parsed = url::Url::parse(&absolute).ok()?;
    let is_site = parsed.host_str().is_some_and(|it| it.ends_with("youtube.com"));
    let led = (is_site && parsed.path() == "/redirect")
        .then(|| parsed.query_pairs().find(|it| it.0 == "q").map(|it| it.1.into_owned()))
        .flatten();
    let led = led.unwrap_or(absolute);
    // A page may put this into `href`.
    (led.starts_with("https://") || led.starts_with("http://")).then_some(led)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn runs_become_one_text_with_emotes_links_and_plain_emoji() {
        let body = read(&json!({"runs": [
            {"text": "hi @bo "},
            {"emoji": {"emojiId": "😀", "shortcuts": [":grinning:"]}},
            {"emoji": {"emojiId": "UCaaa/x", "isCustomEmoji": true, "shortcuts": [":wave:"],
                       "image": {"thumbnails": [{"url": "https://yt3.ggpht.com/a=w24"},
                                                {"url": "https://yt3.ggpht.com/a=w48"}]}}},
            {"text": "https://example.org/lon…", "navigationEndpoint": {"urlEndpoint": {"url":
                "https://www.youtube.com/redirect?event=live_chat&q=https%3A%2F%2Fexample.org%2Flong"}}},
            {"text": "\u{1}bye"},
        ]}));
        assert_eq!(body.text, "hi @bo 😀:wave:https://example.org/lon…bye");
        assert_eq!(body.fragments.iter().map(Fragment::text).collect::<String>(), body.text);
        assert!(matches!(&body.fragments[1], Fragment::Mention { text } if text == "@bo"));
        let emote = body.fragments.iter().find_map(|it| match it {
            Fragment::Emote { emote, .. } => Some(emote),
            _ => None,
        });
        assert_eq!(emote.unwrap().url, "/media/at/yt3.ggpht.com/a=w48");
        assert_eq!(emote.unwrap().provider, EmoteProvider::Youtube);
        let link = body.fragments.iter().any(
            |it| matches!(it, Fragment::Link { url, .. } if url == "https://example.org/long"),
        );
        assert!(link, "{:?}", body.fragments);
    }

    #[test]
    fn an_emoji_whose_picture_is_hosted_elsewhere_is_text() {
        let body = read(&json!({"runs": [{"emoji": {"emojiId": "x", "isCustomEmoji": true,
            "shortcuts": [":x:"], "image": {"thumbnails": [{"url": "https://example.org/x"}]}}}]}));
        assert_eq!(body.fragments, [Fragment::Text { text: ":x:".to_owned() }]);
        assert_eq!(read(&json!({"simpleText": "a"})).text, "a");
        assert_eq!(read(&json!(null)), Body::default());
    }
}
