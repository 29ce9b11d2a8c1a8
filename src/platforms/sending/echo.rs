//! Recognises what we said when it comes back through the reading path.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::model::{CreatorId, Message, QualifiedId};

/// How long words are expected back.
const EXPECTED: Duration = Duration::from_secs(60);
/// Most ids remembered (count): the oldest is forgotten.
const MOST_IDS: usize = 4_096;

/// What was said lately. Cheap to clone.
#[derive(Clone, Default)]
pub struct Echoes(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    /// Words on their way: the platform often shows a message before it has answered the call.
    expected: VecDeque<Expected>,
    ids: HashSet<QualifiedId>,
    order: VecDeque<QualifiedId>,
}

struct Expected {
    room: CreatorId,
    account: QualifiedId,
    text: String,
    until: Instant,
}

impl Echoes {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `account` is about to say `text` in a room.
    pub(super) fn expect(&self, room: &CreatorId, account: QualifiedId, text: &str) {
        let mut held = self.held();
        let now = Instant::now();
        held.expected.retain(|it| it.until > now);
        held.expected.push_back(Expected {
            room: room.clone(),
            account,
            text: text.to_owned(),
            until: now + EXPECTED,
        });
    }

    /// `account` did not say it after all.
    pub(super) fn forget(&self, room: &CreatorId, account: &QualifiedId, text: &str) {
        let mut held = self.held();
        let same = |it: &Expected| it.room == *room && it.account == *account && it.text == text;
        if let Some(place) = held.expected.iter().position(same) {
            held.expected.remove(place);
        }
    }

    /// What `account` said has this id: by that it is known from now on, and no longer by its words.
    pub(super) fn know(
        &self,
        room: &CreatorId,
        account: Option<&QualifiedId>,
        text: &str,
        id: QualifiedId,
    ) {
        let mut held = self.held();
        let same =
            |it: &Expected| it.room == *room && Some(&it.account) == account && it.text == text;
        if let Some(place) = held.expected.iter().position(same) {
            held.expected.remove(place);
        }
        if held.ids.insert(id.clone()) {
            held.order.push_back(id);
        }
        if held.order.len() > MOST_IDS
            && let Some(oldest) = held.order.pop_front()
        {
            held.ids.remove(&oldest);
        }
    }

    /// Whether these are our own words.
    #[must_use]
    pub fn is_ours(&self, room: &CreatorId, message: &Message) -> bool {
        let mut held = self.held();
        if held.ids.contains(&message.id) {
            return true;
        }
        if held.expected.is_empty() {
            return false;
        }
        let now = Instant::now();
        let found = held.expected.iter().position(|it| {
            it.until > now
                && it.account == message.author.id
                && it.room == *room
                && is_said_in(&message.text, &it.text)
        });
        // Said once, expected once: the next with the same words is somebody's own.
        found.is_some_and(|it| held.expected.remove(it).is_some())
    }
}

/// Whether `shown` is what was said: a platform may put the mention of a reply in front.
fn is_said_in(shown: &str, said: &str) -> bool {
    let shown = shown.trim_end();
    shown == said
        || shown
            .strip_prefix('@')
            .and_then(|it| it.split_once(' '))
            .is_some_and(|(_, rest)| rest == said)
}
