//! What comes over two ways with no id in common: told by whichever came first.

use std::collections::VecDeque;

use super::{MOST, RECENT_MS, REMEMBER_MS};
use crate::model::Timestamp;

/// Something that another way may tell as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twin {
    /// What it is about: the same over every way.
    pub(super) key: String,
    /// The way it came.
    pub(super) way: &'static str,
    /// The platform's clock, where told.
    pub(super) sent_at: Option<Timestamp>,
    /// An id that this way gives it, and repeats whenever it tells of it again.
    pub(super) id: Option<String>,
}

/// What was told, and which ways told it.
#[derive(Debug, Default)]
pub(super) struct Twins {
    known: VecDeque<Known>,
}

#[derive(Debug)]
struct Known {
    key: String,
    at: Timestamp,
    ways: Vec<&'static str>,
    ids: Vec<String>,
}

impl Twins {
    /// Whether another way told it before. Two honest repeats over one way are two, and each has one twin.
    pub(super) fn is_repeat(&mut self, twin: Twin, now: Timestamp) -> bool {
        let Twin { key, way, sent_at, id } = twin;
        let at = sent_at.unwrap_or(now);
        self.known.retain(|it| at.ms_since(it.at) <= REMEMBER_MS);
        if id.as_ref().is_some_and(|id| self.known.iter().any(|it| it.ids.contains(id))) {
            return true;
        }
        let found = self.known.iter_mut().find(|it| {
            it.key == key && it.at.ms_since(at).abs() <= RECENT_MS && !it.ways.contains(&way)
        });
        if let Some(known) = found {
            known.ways.push(way);
            known.ids.extend(id);
            return true;
        }
        if self.known.len() == MOST {
            self.known.pop_front();
        }
        self.known.push_back(Known { key, at, ways: vec![way], ids: id.into_iter().collect() });
        false
    }
}
