//! The emotes of a room, by the names people type.

use std::{collections::HashMap, sync::Arc};

use super::list::Named;
use crate::model::{Emote, EventBody, Fragment};

/// Emotes by name. Case counts, and a name is a whole word.
pub(super) type ByName = HashMap<Box<str>, Arc<Emote>>;

/// What a room's words are looked up in: the emotes of its channels, then those of everybody.
#[derive(Debug, Clone, Default)]
pub struct EmoteSet {
    channel: ByName,
    everybody: Arc<ByName>,
}

impl EmoteSet {
    pub(super) fn new(channel: ByName, everybody: Arc<ByName>) -> Self {
        Self { channel, everybody }
    }

    /// The emote of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Emote> {
        self.channel.get(name).or_else(|| self.everybody.get(name)).map(Arc::as_ref)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.channel.len() + self.everybody.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes emotes of the words that are names of some; what the platform itself pointed at stays.
    pub fn place(&self, body: &mut EventBody) {
        if self.is_empty() {
            return;
        }
        let fragments = match body {
            EventBody::ChatMessage(it) => &mut it.fragments,
            EventBody::Activity(it) => match &mut it.fragments {
                Some(fragments) => fragments,
                None => return,
            },
            _ => return,
        };
        let is_name = |word: &str| self.find(word).is_some();
        let any = fragments.iter().any(|it| match it {
            Fragment::Text { text } => words(text).any(|(_, word)| is_name(word)),
            _ => false,
        });
        if !any {
            return;
        }
        let mut placed = Vec::with_capacity(fragments.len() + 2);
        for fragment in fragments.drain(..) {
            match fragment {
                Fragment::Text { text } => self.split(&text, &mut placed),
                other => placed.push(other),
            }
        }
        *fragments = placed;
    }

    fn split(&self, text: &str, into: &mut Vec<Fragment>) {
        let mut done = 0;
        for (start, word) in words(text) {
            let Some(emote) = self.find(word) else { continue };
            if done < start {
                into.push(Fragment::Text { text: text[done..start].to_owned() });
            }
            into.push(Fragment::Emote { text: word.to_owned(), emote: emote.clone() });
            done = start + word.len();
        }
        if done < text.len() {
            into.push(Fragment::Text { text: text[done..].to_owned() });
        }
    }
}

/// The words of a text, each with the byte it starts at.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let base = text.as_ptr() as usize;
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - base, word))
}

/// Puts lists over one another; a later one wins over an earlier one.
pub(super) fn merged<'a>(lists: impl IntoIterator<Item = &'a [Named]>) -> ByName {
    let mut by_name = ByName::new();
    for it in lists.into_iter().flatten() {
        by_name.insert(it.name.as_str().into(), Arc::clone(&it.emote));
    }
    by_name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EmoteProvider;

    fn named(name: &str, provider: EmoteProvider) -> Named {
        let emote = Emote {
            provider,
            id: name.to_owned(),
            url: String::new(),
            animated: false,
            zero_width: false,
        };
        Named { name: name.to_owned(), emote: Arc::new(emote) }
    }

    fn pieces(set: &EmoteSet, text: &str) -> Vec<String> {
        let mut fragments = Vec::new();
        set.split(text, &mut fragments);
        let joined: String = fragments.iter().map(Fragment::text).collect();
        assert_eq!(joined, text, "the pieces make up the text");
        fragments
            .iter()
            .map(|it| match it {
                Fragment::Emote { text, emote } => format!("{:?}:{text}", emote.provider),
                other => other.text().to_owned(),
            })
            .collect()
    }

    #[test]
    fn whole_words_of_the_right_case_are_emotes_and_a_channels_win_over_everybodys() {
        let everybody = [named("LULW", EmoteProvider::Ffz), named("(ditto)", EmoteProvider::Bttv)];
        let channel = [named("LULW", EmoteProvider::SevenTv)];
        let set = EmoteSet::new(merged([&channel[..]]), Arc::new(merged([&everybody[..]])));
        assert_eq!(pieces(&set, "LULW"), ["SevenTv:LULW"]);
        assert_eq!(
            pieces(&set, "a  LULW\n(ditto) lulw LULWx"),
            ["a  ", "SevenTv:LULW", "\n", "Bttv:(ditto)", " lulw LULWx"]
        );
        assert_eq!(pieces(&set, ""), Vec::<String>::new());
    }

    #[test]
    fn a_later_list_wins() {
        let (ffz, seventv) =
            ([named("a", EmoteProvider::Ffz)], [named("a", EmoteProvider::SevenTv)]);
        let merged = merged([&ffz[..], &seventv[..]]);
        assert_eq!(merged["a"].provider, EmoteProvider::SevenTv);
    }
}
