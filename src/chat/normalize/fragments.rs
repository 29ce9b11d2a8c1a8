//! Splits a message's text into fragments whose texts, joined, are exactly that text.
//!
//! What the platform itself points at (emotes, cheers) comes in as [`Placed`]; mentions and links are
//! found here, alike on every platform.

use linkify::{LinkFinder, LinkKind};
use memchr::{memchr, memchr_iter, memmem};

use crate::model::{Amount, Emote, Fragment};

/// Something at a known place of a text.
#[derive(Debug)]
pub(super) struct Placed {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// What is there.
    pub(super) piece: Piece,
}

/// What stands at a place of a text.
#[derive(Debug)]
pub(super) enum Piece {
    Emote(Emote),
    Cheermote(Amount),
    Mention,
    Link { url: String },
}

/// Splits `text` at `placed` (in order, apart, on character boundaries), and at mentions and links
/// between those.
pub(super) fn split(text: &str, mut placed: Vec<Placed>) -> Vec<Fragment> {
    let given = placed.len();
    if memchr(b'.', text.as_bytes()).is_some() || memmem::find(text.as_bytes(), b"://").is_some() {
        add_links(text, &mut placed, given);
    }
    if memchr(b'@', text.as_bytes()).is_some() {
        add_mentions(text, &mut placed, given);
    }
    if placed.len() > given {
        placed.sort_unstable_by_key(|it| it.start);
    }
    cut(text, placed)
}

fn cut(text: &str, placed: Vec<Placed>) -> Vec<Fragment> {
    let mut fragments = Vec::with_capacity(2 * placed.len() + 1);
    let mut done = 0;
    for Placed { start, end, piece } in placed {
        if done < start {
            fragments.push(Fragment::Text { text: text[done..start].to_owned() });
        }
        let text = text[start..end].to_owned();
        fragments.push(match piece {
            Piece::Emote(emote) => Fragment::Emote { text, emote },
            Piece::Cheermote(amount) => Fragment::Cheermote { text, amount, emote: None },
            Piece::Mention => Fragment::Mention { text },
            Piece::Link { url } => Fragment::Link { text, url },
        });
        done = end;
    }
    if done < text.len() {
        fragments.push(Fragment::Text { text: text[done..].to_owned() });
    }
    fragments
}

/// Whether anything of `placed`, which is in order and apart, shares a byte with `start..end`.
fn is_taken(placed: &[Placed], start: usize, end: usize) -> bool {
    let next = placed.partition_point(|it| it.end <= start);
    placed.get(next).is_some_and(|it| it.start < end)
}

fn add_links(text: &str, placed: &mut Vec<Placed>, given: usize) {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false);
    for link in finder.links(text) {
        let (start, end) = (link.start(), link.end());
        // `@somebody.tv` is a mention with something behind it.
        if text[..start].ends_with('@') || is_taken(&placed[..given], start, end) {
            continue;
        }
        if let Some(url) = complete_url(link.as_str()) {
            placed.push(Placed { start, end, piece: Piece::Link { url } });
        }
    }
}

/// A page may put this into `href`, so nothing but `http` and `https` gets through.
fn complete_url(typed: &str) -> Option<String> {
    match typed.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
            Some(format!("https://{rest}"))
        }
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            Some(format!("http://{rest}"))
        }
        // A `://` further on, as in `site.tv/?to=ftp://x`, is not a scheme.
        Some((before, _)) if !before.contains(['/', '?', '#']) => None,
        _ => Some(format!("https://{typed}")),
    }
}

fn add_mentions(text: &str, placed: &mut Vec<Placed>, given: usize) {
    let with_links = placed.len();
    for start in memchr_iter(b'@', text.as_bytes()) {
        let before = text[..start].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '@')) {
            continue;
        }
        let end = start + 1 + name_bytes(&text[start + 1..]);
        if end > start + 1
            && !is_taken(&placed[..given], start, end)
            && !is_taken(&placed[given..with_links], start, end)
        {
            placed.push(Placed { start, end, piece: Piece::Mention });
        }
    }
}

/// Length of the name at the start of `text` (bytes; 0 when there is none).
///
/// A name may be in any script; but one that begins in Latin letters ends where another script begins,
/// since Japanese and others write a title right behind the name.
fn name_bytes(text: &str) -> usize {
    const LAST_LATIN: char = '\u{24f}';
    let latin = text.chars().next().is_some_and(|c| c <= LAST_LATIN);
    text.find(|c: char| !(c.is_alphanumeric() || c == '_') || (latin && c > LAST_LATIN))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fragments as `kind:text`, and for links `→ url`.
    fn pieces(text: &str) -> Vec<String> {
        split(text, Vec::new())
            .into_iter()
            .map(|it| match it {
                Fragment::Text { text } => format!("text:{text}"),
                Fragment::Mention { text } => format!("mention:{text}"),
                Fragment::Link { text, url } => format!("link:{text} → {url}"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn mentions_start_at_a_word_and_may_be_in_any_script() {
        assert_eq!(pieces("@ana hi"), ["mention:@ana", "text: hi"]);
        assert_eq!(pieces("hi (@Bo_1)!"), ["text:hi (", "mention:@Bo_1", "text:)!"]);
        assert_eq!(pieces("@테스트42 hi"), ["mention:@테스트42", "text: hi"]);
        assert_eq!(pieces("@anaさん"), ["mention:@ana", "text:さん"]);
        assert_eq!(pieces("@José"), ["mention:@José"]);
        assert_eq!(pieces("me@home @ @@"), ["text:me@home @ @@"]);
    }

    #[test]
    fn links_are_completed_and_only_web_addresses() {
        assert_eq!(
            pieces("see example.org/a?b=1, ok"),
            ["text:see ", "link:example.org/a?b=1 → https://example.org/a?b=1", "text:, ok"]
        );
        assert_eq!(pieces("HTTP://EXAMPLE.ORG"), ["link:HTTP://EXAMPLE.ORG → http://EXAMPLE.ORG"]);
        assert_eq!(pieces("ftp://example.org"), ["text:ftp://example.org"]);
        assert_eq!(pieces("javascript://a.example/%0a"), ["text:javascript://a.example/%0a"]);
        assert_eq!(pieces("wait... what? 3.50"), ["text:wait... what? 3.50"]);
    }

    #[test]
    fn an_at_sign_in_a_link_is_no_mention_and_a_mention_with_a_dot_is_no_link() {
        assert_eq!(
            pieces("https://example.org/@ana"),
            ["link:https://example.org/@ana → https://example.org/@ana"]
        );
        assert_eq!(pieces("@ana.tv"), ["mention:@ana", "text:.tv"]);
    }
}
