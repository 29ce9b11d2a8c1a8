//! Who is who: most events name a viewer without the id, and the chat has told it before.

use std::collections::{HashMap, VecDeque};

use super::wire::{Id, Person};

/// Most viewers remembered; the oldest are forgotten.
const MOST_REMEMBERED: usize = 4_096;

/// The ids of the viewers who were heard of, by their names.
#[derive(Debug, Default)]
pub(super) struct People {
    known: HashMap<String, Known>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Known {
    id: Id,
    slug: Option<String>,
    color: Option<String>,
}

/// The same for every spelling of a name.
pub(super) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

impl People {
    /// Remembers a viewer, if both name and id are told.
    pub(super) fn note(&mut self, person: &Person) {
        let (Some(name), Some(id)) = (person.known_name(), &person.id) else { return };
        let color = person.identity.as_ref().and_then(|it| it.color.clone());
        let known = Known { id: id.clone(), slug: person.slug.clone(), color };
        let name = key(name);
        if self.known.insert(name.clone(), known).is_some() {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > MOST_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Adds to a viewer what is known of the name.
    pub(super) fn complete(&self, person: &mut Person) {
        let Some(known) = person.known_name().and_then(|it| self.known.get(&key(it))) else {
            return;
        };
        if person.id.as_ref().is_some_and(|it| *it != known.id) {
            return;
        }
        person.complete(Person {
            id: Some(known.id.clone()),
            slug: known.slug.clone(),
            username_color: known.color.clone(),
            ..Person::default()
        });
    }
}
