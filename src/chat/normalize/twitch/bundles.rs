//! Which gifts are part of a bundle that was counted already.

use std::collections::VecDeque;

use super::tags::Tags;

/// Bundles remembered (count). The gifts of a bundle follow it within seconds.
const MAX_BUNDLES: usize = 32;

/// SHA-1 of nothing, which Twitch sent for years as the origin of gifts that belong to no bundle.
const NO_ORIGIN: &str = "da 39 a3 ee 5e 6b 4b 0d 32 55 bf ef 95 60 18 90 af d8 07 09";

/// Bundles announced lately, oldest first.
///
/// A gift with a `community-gift-id` is part of a bundle. Older lines have only an `origin-id`, and so have
/// gifts that stand alone: there, the bundle must have been seen.
#[derive(Debug, Default)]
pub(super) struct Bundles(VecDeque<Box<str>>);

impl Bundles {
    /// Remembers the bundle that the line announces; gives its id.
    pub(super) fn announce<'a>(&mut self, tags: Tags<'a>) -> Option<&'a str> {
        let origin = find_origin(tags);
        if let Some(origin) = origin {
            if self.0.len() == MAX_BUNDLES {
                self.0.pop_front();
            }
            self.0.push_back(origin.into());
        }
        tags.find("msg-param-community-gift-id").or(origin)
    }

    /// The bundle that the line's gift is part of.
    pub(super) fn find<'a>(&self, tags: Tags<'a>) -> Option<&'a str> {
        tags.find("msg-param-community-gift-id").or_else(|| {
            find_origin(tags).filter(|origin| self.0.iter().any(|it| it.as_ref() == *origin))
        })
    }
}

fn find_origin(tags: Tags<'_>) -> Option<&str> {
    tags.find("msg-param-origin-id").filter(|it| *it != NO_ORIGIN)
}
