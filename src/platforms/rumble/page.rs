//! What a page of the site says: whether the channel is live, and where its chat is.
//!
//! Pages weigh up to 2 MB. What is needed stands in their first part, so one is read until it is found.

use std::collections::BTreeSet;

/// Longest part of a page that is read (bytes).
pub(super) const MAX_BYTES: usize = 650_000;
/// Longest tag (bytes).
const MAX_TAG_BYTES: usize = 2_048;

/// Whether a channel is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live {
    Yes,
    No,
    /// The page does not say.
    Unknown,
}

/// What was found on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) live: Live,
    /// The embed id of the stream: `v` and base 36.
    pub(super) embed: Option<String>,
    /// The chat's number, where the page itself tells it.
    pub(super) chat_id: Option<String>,
    /// The chat's server, as the page names it.
    pub(super) chat_url: Option<String>,
    pub(super) title: Option<String>,
}

impl Page {
    /// Reads a page, or its first part. `site` is the address of the site: a chat's server elsewhere is
    /// not believed.
    pub(super) fn read(html: &str, site: &str) -> Self {
        let (chat_url, chat_id) = chat_server(html, site);
        let mut page =
            Self { live: Live::Unknown, embed: None, chat_id, chat_url, title: title(html) };
        if let Some(embed) = own_embed(html) {
            // The page of one stream: cards on it are of others.
            page.embed = Some(embed);
        } else if let Some((card, inside)) = first_card(html) {
            page.live = card_state(card, inside);
            page.embed = only_embed(inside);
        }
        // A page without cards is that of one stream; more than one embed would be a guess.
        if page.embed.is_none() {
            page.embed = only_embed(html);
        }
        page
    }
}

/// The first card of a video: its tag, and everything up to the next card.
fn first_card(html: &str) -> Option<(&str, &str)> {
    let mut cards = tags(html).filter(|(_, tag)| has_class(tag, "videostream"));
    let (start, tag) = cards.next()?;
    let end = cards.next().map_or(html.len(), |it| it.0);
    Some((tag, &html[start..end]))
}

fn card_state(card: &str, inside: &str) -> Live {
    let duration = attribute(card, "duration").or_else(|| attribute(card, "data-duration"));
    match duration.and_then(|it| it.trim().parse::<f64>().ok()) {
        Some(it) if it > 0.0 => return Live::No,
        Some(_) => return Live::Yes,
        None => {}
    }
    let marked = |class: &str| tags(inside).any(|(_, tag)| has_class(tag, class));
    if marked("videostream__status--live") {
        Live::Yes
    } else if marked("videostream__status--duration") || marked("videostream__status--upcoming") {
        Live::No
    } else {
        Live::Unknown
    }
}

/// The embed id of the stream that the page is about.
fn own_embed(html: &str) -> Option<String> {
    let rest = &html[html.find("\"embedUrl\"")?..];
    let line = rest.split(['\n', ',', '}']).next()?.replace("\\/", "/");
    only_embed(&line)
}

/// The embed id in `html`, if there is exactly one.
fn only_embed(html: &str) -> Option<String> {
    let mut found = BTreeSet::new();
    for marker in ["/embed/", "%2Fembed%2F"] {
        for (at, _) in html.match_indices(marker) {
            let rest = &html[at + marker.len()..];
            let id: String =
                rest.chars().take_while(char::is_ascii_alphanumeric).take(33).collect();
            if is_embed(&id) {
                found.insert(id);
            }
        }
    }
    if found.len() == 1 { found.pop_first() } else { None }
}

/// Whether `id` can be an embed id.
pub(super) fn is_embed(id: &str) -> bool {
    let base_36 = |it: u8| it.is_ascii_digit() || it.is_ascii_lowercase();
    (2..=32).contains(&id.len()) && id.starts_with('v') && id.bytes().all(base_36)
}

/// Whether `id` can be the number of a chat.
pub(super) fn is_chat_id(id: &str) -> bool {
    (1..=19).contains(&id.len()) && !id.starts_with('0') && id.bytes().all(|it| it.is_ascii_digit())
}

/// Server and number of the chat, where a page names them.
fn chat_server(html: &str, site: &str) -> (Option<String>, Option<String>) {
    let mut server = None;
    for marker in ["/chat/api/chat/", "/chat/popup/", "/chat/"] {
        for (at, _) in html.match_indices(marker) {
            let Some(start) = html[..at].rfind("http").filter(|it| at - it <= 100) else {
                continue;
            };
            let Some(origin) = origin_on(&html[start..at], site) else { continue };
            let digits: String =
                html[at + marker.len()..].chars().take_while(char::is_ascii_digit).collect();
            if marker == "/chat/api/chat/" && is_chat_id(&digits) {
                return (Some(origin), Some(digits));
            }
            // The site itself shows chats, yet has no stream of them.
            if origin != site {
                server.get_or_insert(origin);
            }
        }
    }
    (server, None)
}

/// `text` when it is the address of a server of this site: the same host on any port, or one below it.
pub(super) fn origin_on(text: &str, site: &str) -> Option<String> {
    let url = url::Url::parse(&text.replace("\\/", "/")).ok()?;
    let site = url::Url::parse(site).ok()?;
    let (host, own) = (url.host_str()?, site.host_str()?);
    let own = own.strip_prefix("www.").unwrap_or(own);
    let below = host.strip_suffix(own).is_some_and(|it| it.is_empty() || it.ends_with('.'));
    let safe = url.scheme() == site.scheme() || url.scheme() == "https";
    let bare = matches!(url.path(), "" | "/") && url.username().is_empty();
    (below && safe && bare).then(|| url.origin().ascii_serialization())
}

fn title(html: &str) -> Option<String> {
    let open_graph = tags(html).find(|(_, tag)| {
        tag.starts_with("<meta") && attribute(tag, "property") == Some("og:title")
    });
    let title = open_graph.and_then(|(_, tag)| attribute(tag, "content"))?;
    let title = unescape(title.trim());
    (!title.is_empty()).then_some(title)
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#039;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Opening tags, each with its place: from `<` to `>`, quotes minded.
fn tags(html: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = html.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + memchr::memchr(b'<', &bytes[from..])?;
            if !bytes.get(start + 1).is_some_and(u8::is_ascii_alphabetic) {
                from = start + 1;
                continue;
            }
            let mut quote = None;
            let end = bytes[start..].iter().take(MAX_TAG_BYTES).position(|&it| {
                match quote {
                    Some(open) if it == open => quote = None,
                    Some(_) => {}
                    None if it == b'>' => return true,
                    None if it == b'"' || it == b'\'' => quote = Some(it),
                    None => {}
                }
                false
            });
            let Some(end) = end else {
                // Cut off, or no tag: a script compares with `<` too.
                from = start + 1;
                continue;
            };
            from = start + end + 1;
            return Some((start, &html[start..from]));
        }
    })
}

/// The value of an attribute of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(at) = tag[from..].find(name).map(|it| from + it) {
        from = at + name.len();
        let before = tag.as_bytes()[at.checked_sub(1)?];
        if !before.is_ascii_whitespace() {
            continue;
        }
        let Some(rest) = tag[from..].trim_start().strip_prefix('=') else { continue };
        let rest = rest.trim_start();
        return match rest.chars().next()? {
            quote @ ('"' | '\'') => rest[1..].split(quote).next(),
            _ => rest.split(|it: char| it.is_whitespace() || it == '>').next(),
        };
    }
    None
}

fn has_class(tag: &str, class: &str) -> bool {
    attribute(tag, "class").is_some_and(|it| it.split_ascii_whitespace().any(|it| it == class))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "https://rumble.com";

    fn card(attributes: &str, inside: &str) -> String {
        format!("<div class=\"videostream thumbnail\" {attributes}>{inside}</div>")
    }

    #[test]
    fn the_first_card_decides_whether_a_channel_is_live() {
        let embed = "<iframe src=\"https://rumble.com/embed/v5abc1/?pub=4\"></iframe>";
        let page = Page::read(&card("duration=\"0\"", embed), SITE);
        assert_eq!((page.live, page.embed.as_deref()), (Live::Yes, Some("v5abc1")));
        let page = Page::read(&card("duration='3600'", embed), SITE);
        assert_eq!((page.live, page.embed.as_deref()), (Live::No, Some("v5abc1")));
        let live = "<a class=\"videostream__status videostream__status--live\">";
        let page = Page::read(&(card("", live) + &card("duration=1", embed)), SITE);
        assert_eq!(page.live, Live::Yes);
        let old = "<a class=videostream__status--duration>";
        assert_eq!(Page::read(&(card("", old) + &card("", live)), SITE).live, Live::No);
    }

    #[test]
    fn a_page_without_cards_has_its_stream_if_only_one_is_embedded() {
        let one = "<link rel=alternate href=\"https://rumble.com/api/Media/oembed.json?url=https%3A%2F%2Frumble.com%2Fembed%2Fv5abc1%2F\"> <iframe src=\"https://rumble.com/embed/v5abc1/\">";
        assert_eq!(Page::read(one, SITE).embed.as_deref(), Some("v5abc1"));
        let two = format!("{one} https://rumble.com/embed/v9zzzz/");
        assert_eq!(Page::read(&two, SITE).embed, None);
        assert_eq!(Page::read(one, SITE).live, Live::Unknown);
    }

    #[test]
    fn the_page_of_a_stream_is_about_that_stream_and_not_about_its_neighbours() {
        let neighbour = card("duration=\"60\"", "<iframe src=\"https://rumble.com/embed/v9zzz/\">");
        let html = format!(
            "<script>{{\"embedUrl\":\"https:\\/\\/rumble.com\\/embed\\/v5abc1\\/\"}}</script>{neighbour}"
        );
        let page = Page::read(&html, SITE);
        assert_eq!((page.live, page.embed.as_deref()), (Live::Unknown, Some("v5abc1")));
    }

    #[test]
    fn the_chats_server_is_taken_from_the_page_if_it_is_one_of_the_site() {
        let script = |server: &str| format!("RumbleChat(\"{server}/chat/\", 5)");
        let server = |html: &str| Page::read(html, SITE).chat_url;
        assert_eq!(
            server(&script("https://web5.rumble.com")).as_deref(),
            Some("https://web5.rumble.com")
        );
        assert_eq!(
            server(&script("https:\\/\\/web5.rumble.com")),
            server(&script("https://web5.rumble.com"))
        );
        for bad in [
            "https://evilrumble.com",
            "https://rumble.com.example.org",
            "http://web5.rumble.com.x",
            "https://a@web5.rumble.com",
        ] {
            assert_eq!(server(&script(bad)), None, "{bad}");
        }
        let whole = "x \"https://web3.rumble.com/chat/api/chat/445201096/stream\"";
        let page = Page::read(whole, SITE);
        assert_eq!(page.chat_url.as_deref(), Some("https://web3.rumble.com"));
        assert_eq!(page.chat_id.as_deref(), Some("445201096"));
    }

    #[test]
    fn a_torn_page_is_read_as_far_as_it_goes() {
        for html in [
            "<",
            "<div class=\"videostream",
            "<div class='",
            "<a b=\"<c",
            "é<é",
            "<meta property=og:title>",
        ] {
            let page = Page::read(html, SITE);
            assert_eq!((page.live, page.embed), (Live::Unknown, None), "{html}");
        }
        let page = Page::read(
            "<meta property=\"og:title\" content=\"Tom &amp; Ana's &quot;show&quot;\">",
            SITE,
        );
        assert_eq!(page.title.as_deref(), Some("Tom & Ana's \"show\""));
    }

    #[test]
    fn only_numbers_are_chats_and_only_base_36_is_a_stream() {
        assert!(is_chat_id("445201096"));
        for bad in ["", "0", "012", "-1", "4a", "12345678901234567890"] {
            assert!(!is_chat_id(bad), "{bad}");
        }
        assert!(is_embed("vfixture") && is_embed("v7f8kam"));
        for bad in ["v", "x7f8", "v7f-8", "V7F8"] {
            assert!(!is_embed(bad), "{bad}");
        }
    }

    #[test]
    fn the_recorded_page_of_a_live_channel_leads_to_its_stream() {
        let folder = env!("CARGO_MANIFEST_DIR").to_owned() + "/../shared/captures/rumble/resolve";
        let Ok(files) = std::fs::read_dir(&folder) else {
            eprintln!("skipped: no captures at {folder}");
            return;
        };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with("channel-live") {
                let page = Page::read(&std::fs::read_to_string(&path).unwrap(), SITE);
                assert_eq!(page.live, Live::Yes, "{name}");
                assert!(page.embed.as_deref().is_some_and(is_embed), "{name}");
            }
        }
    }
}
