//! The same thing told in two ways: by the chat's stream, by the rows of the page, by the Live Stream API.
//!
//! Only the stream has ids for everything. What else tells is recognised by who said what when, and counted:
//! two honest repeats that both ways tell are two.

use std::collections::{HashMap, VecDeque};

use crate::model::{QualifiedId, Timestamp};

/// Newest things remembered (count).
const MAX_THINGS: usize = 2_048;
/// How far the clocks of two ways may be apart, when both tell the site's clock (ms): whole seconds, and
/// the moment it takes.
const SITE_MS: i64 = 5_000;
/// The same when one is told without a time (ms).
const RECEIVED_MS: i64 = 120_000;

/// A way by which things are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Stream = 1,
    Page = 2,
    Api = 4,
}

/// Something as one way tells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling<'a> {
    pub(super) way: Way,
    /// What kind of thing.
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// The site's clock.
    pub(super) sent_at: Option<Timestamp>,
    pub(super) received_at: Timestamp,
    /// It was there already, in the reading of this number of everything that is shown. Then it may be any
    /// that was told before, the same way too; each of them once for each reading.
    pub(super) listing: Option<u32>,
}

#[derive(Debug)]
struct Thing {
    number: u64,
    ways: u8,
    sent_at: Option<Timestamp>,
    received_at: Timestamp,
    listing: Option<u32>,
    id: QualifiedId,
}

/// What was told lately, and by which ways.
#[derive(Debug, Default)]
pub(super) struct Twins {
    things: HashMap<(&'static str, String, String), Vec<Thing>>,
    order: VecDeque<((&'static str, String, String), u64)>,
    next: u64,
}

impl Twins {
    /// The id under which it was told another way; `None` when it is new, and then remembered as `id`.
    pub(super) fn find_or_note(
        &mut self,
        it: Telling<'_>,
        id: &QualifiedId,
    ) -> Option<QualifiedId> {
        let key = (it.kind, it.name.trim().to_lowercase(), normal(it.text));
        if let Some(things) = self.things.get_mut(&key) {
            let twin = things.iter_mut().find(|thing| match it.listing {
                Some(listing) => thing.listing != Some(listing) && is_near(thing, &it, true),
                None => thing.ways & it.way as u8 == 0 && is_near(thing, &it, false),
            });
            if let Some(twin) = twin {
                twin.ways |= it.way as u8;
                twin.listing = it.listing.or(twin.listing);
                twin.sent_at = twin.sent_at.or(it.sent_at);
                return Some(twin.id.clone());
            }
        }
        self.next += 1;
        self.order.push_back((key.clone(), self.next));
        self.things.entry(key).or_default().push(Thing {
            number: self.next,
            ways: it.way as u8,
            sent_at: it.sent_at,
            received_at: it.received_at,
            listing: it.listing,
            id: id.clone(),
        });
        if self.order.len() > MAX_THINGS
            && let Some((key, number)) = self.order.pop_front()
            && let Some(things) = self.things.get_mut(&key)
        {
            things.retain(|it| it.number != number);
            if things.is_empty() {
                self.things.remove(&key);
            }
        }
        None
    }
}

fn is_near(thing: &Thing, it: &Telling<'_>, listed: bool) -> bool {
    match (thing.sent_at, it.sent_at) {
        (Some(one), Some(other)) => one.ms_since(other).abs() <= SITE_MS,
        // It may stand there for as long as anything.
        _ if listed => true,
        _ => {
            let one = thing.sent_at.unwrap_or(thing.received_at);
            one.ms_since(it.sent_at.unwrap_or(it.received_at)).abs() <= RECEIVED_MS
        }
    }
}

/// A page breaks lines and drops spaces as it likes.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Platform;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_772_366_400_000 + second * 1_000).unwrap()
    }

    fn tell(way: Way, text: &str, second: i64) -> Telling<'_> {
        let (sent_at, received_at) = (Some(at(second)), at(second));
        Telling { way, kind: "say", name: "Ana", text, sent_at, received_at, listing: None }
    }

    fn id(text: &str) -> QualifiedId {
        QualifiedId::new(Platform::Rumble, text)
    }

    #[test]
    fn what_two_ways_tell_is_one_and_what_one_way_tells_twice_is_two() {
        let mut twins = Twins::default();
        assert_eq!(twins.find_or_note(tell(Way::Stream, "gg", 0), &id("1")), None);
        assert_eq!(twins.find_or_note(tell(Way::Stream, "gg", 1), &id("2")), None);
        assert_eq!(twins.find_or_note(tell(Way::Api, " gg\n", 0), &id("a")), Some(id("1")));
        assert_eq!(twins.find_or_note(tell(Way::Api, "gg", 1), &id("b")), Some(id("2")));
        assert_eq!(twins.find_or_note(tell(Way::Api, "gg", 2), &id("c")), None, "a third");
        assert_eq!(twins.find_or_note(tell(Way::Stream, "gg", 2), &id("3")), Some(id("c")));
        assert_eq!(twins.find_or_note(tell(Way::Page, "gg", 60), &id("4")), None, "a minute later");
    }

    #[test]
    fn rows_that_are_listed_again_are_those_of_before_each_once() {
        let mut twins = Twins::default();
        let row = |listing, text| Telling { sent_at: None, listing, ..tell(Way::Page, text, 0) };
        assert_eq!(twins.find_or_note(row(None, "gg"), &id("1")), None);
        assert_eq!(twins.find_or_note(row(None, "gg"), &id("2")), None);
        assert_eq!(twins.find_or_note(row(Some(2), "gg"), &id("x")), Some(id("1")));
        assert_eq!(twins.find_or_note(row(Some(2), "gg"), &id("x")), Some(id("2")));
        assert_eq!(twins.find_or_note(row(Some(2), "gg"), &id("3")), None, "said meanwhile");
        assert_eq!(twins.find_or_note(row(Some(3), "gg"), &id("x")), Some(id("1")));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut twins = Twins::default();
        for number in 0..MAX_THINGS + 10 {
            twins.find_or_note(tell(Way::Stream, &number.to_string(), 0), &id("1"));
        }
        assert_eq!((twins.order.len(), twins.things.len()), (MAX_THINGS, MAX_THINGS));
    }
}
