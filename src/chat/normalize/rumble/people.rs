//! Who is who in a chat: the stream tells it once, and later refers to it.

use std::collections::HashMap;

use super::{bounded::Bounded, picture_path};
use crate::{
    model::Badge,
    platforms::rumble::{BadgeKind, Person},
};

/// Viewers that are remembered, and as many channels (count).
const MAX_PEOPLE: usize = 8_192;

/// Viewers, channels and badges of a chat.
#[derive(Debug)]
pub(super) struct People {
    users: Bounded<String, Person>,
    channels: Bounded<String, Person>,
    badges: HashMap<String, BadgeKind>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            users: Bounded::new(MAX_PEOPLE),
            channels: Bounded::new(MAX_PEOPLE),
            badges: HashMap::new(),
        }
    }
}

impl People {
    pub(super) fn set_badges(&mut self, badges: &[BadgeKind]) {
        // Newer streams may lack the catalogue: then the known one stays.
        self.badges.extend(badges.iter().map(|it| (it.slug.clone(), it.clone())));
    }

    pub(super) fn learn_user(&mut self, person: &Person) {
        learn(&mut self.users, person);
    }

    pub(super) fn learn_channel(&mut self, person: &Person) {
        learn(&mut self.channels, person);
    }

    pub(super) fn user(&self, id: &str) -> Option<&Person> {
        self.users.get(id)
    }

    pub(super) fn channel(&self, id: &str) -> Option<&Person> {
        self.channels.get(id)
    }

    pub(super) fn name_of(&self, id: &str) -> Option<&str> {
        self.user(id)?.name.as_deref()
    }

    /// The badge of a name.
    pub(super) fn badge(&self, slug: &str) -> Badge {
        let kind = self.badges.get(slug);
        let title = kind.and_then(|it| it.label.clone()).or_else(|| title(slug).map(str::to_owned));
        let url = kind.and_then(|it| it.icon.as_deref()).and_then(picture_path);
        Badge { set: slug.to_owned(), version: "1".to_owned(), title, url }
    }
}

/// Takes in what is told; what is not told stays as it was.
fn learn(known: &mut Bounded<String, Person>, person: &Person) {
    let entry =
        known.entry(person.id.clone(), || Person { id: person.id.clone(), ..Person::default() });
    let Person { id: _, name, color, picture, badges } = person;
    for (new, old) in
        [(name, &mut entry.name), (color, &mut entry.color), (picture, &mut entry.picture)]
    {
        if new.is_some() {
            old.clone_from(new);
        }
    }
    if badges.is_some() {
        entry.badges.clone_from(badges);
    }
}

/// The well-known badges in words, for a stream that does not describe them.
fn title(slug: &str) -> Option<&'static str> {
    Some(match slug {
        // The site's word; it is the streamer's badge.
        "admin" => "Admin",
        "moderator" => "Moderator",
        "premium" => "Rumble Premium User",
        "verified" => "Verified",
        "recurring_subscription" | "locals" => "Sub",
        "locals_supporter" => "Supporter",
        "whale-gray" | "whale-blue" | "whale-yellow" => "Supporter+",
        _ => return None,
    })
}
