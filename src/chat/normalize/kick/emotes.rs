//! Emotes: `[emote:ID:name]` inside a text.

use memchr::memmem;

use crate::{
    chat::normalize::{
        clean,
        fragments::{self, Piece, Placed},
    },
    model::{Emote, EmoteProvider, Fragment, HostedPicture},
};

const OPENS: &str = "[emote:";
/// Longest id of an emote (digits).
const MAX_ID: usize = 20;

/// A text and its pieces. An emote's piece is the whole token, as it was sent.
pub(super) fn read(sent: &str) -> (String, Vec<Fragment>) {
    let text = clean(sent).into_owned();
    let mut placed = Vec::new();
    let mut from = 0;
    while let Some(at) = memmem::find(&text.as_bytes()[from..], OPENS.as_bytes()) {
        let start = from + at;
        match token(&text[start..]) {
            Some((id, length)) => {
                if let Some(emote) = emote(id) {
                    placed.push(Placed { start, end: start + length, piece: Piece::Emote(emote) });
                }
                from = start + length;
            }
            None => from = start + OPENS.len(),
        }
    }
    let fragments = fragments::split(&text, placed);
    (text, fragments)
}

/// The id, and the length (bytes) of the token at the start of `text`. The name may be empty, or hold spaces.
fn token(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix(OPENS)?;
    let end = inside.find(']')?;
    let inside = &inside[..end];
    let (id, name) = inside.split_once(':').unwrap_or((inside, ""));
    let is_id = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|it| it.is_ascii_digit());
    // Another one begins inside: this one was never closed.
    (is_id && !name.contains(['[', '\n'])).then_some((id, OPENS.len() + end + 1))
}

fn emote(id: &str) -> Option<Emote> {
    let picture = HostedPicture::find(&format!("https://files.kick.com/emotes/{id}/fullsize"))?;
    Some(Emote {
        provider: EmoteProvider::Kick,
        id: id.to_owned(),
        url: picture.media_path(),
        animated: false,
        zero_width: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        let (whole, fragments) = read(text);
        assert_eq!(fragments.iter().map(Fragment::text).collect::<String>(), whole);
        fragments
            .iter()
            .map(|it| match it {
                Fragment::Emote { text, emote } => format!("{}={text}", emote.id),
                other => other.text().to_owned(),
            })
            .collect()
    }

    #[test]
    fn tokens_become_emotes_and_everything_else_stays() {
        assert_eq!(
            pieces("a [emote:1:A]b[emote:22:] c"),
            ["a ", "1=[emote:1:A]", "b", "22=[emote:22:]", " c"]
        );
        assert_eq!(pieces("[emote:3:two words]"), ["3=[emote:3:two words]"]);
        assert_eq!(pieces("[emote:4][emote:5:é]"), ["4=[emote:4]", "5=[emote:5:é]"]);
        for plain in
            ["[emote:]", "[emote:x:y]", "[emote:1:a", "[emote:-1:a]", "[emote", "[EMOTE:1:a]"]
        {
            assert_eq!(pieces(plain), [plain]);
        }
        assert_eq!(pieces("[emote:1:[emote:2:b]"), ["[emote:1:", "2=[emote:2:b]"]);
    }
}
