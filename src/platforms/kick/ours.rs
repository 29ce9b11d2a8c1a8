//! Which deliveries are ours: Kick signs for everybody's application with one key, and the kind of a delivery is not
//! signed at all. What nobody else can know is the id of a subscription: Kick tells it to its application alone.

use std::collections::{HashMap, HashSet};

/// The subscriptions that Kick told us, by the channel's user and the application.
#[derive(Debug, Default)]
pub(super) struct Ours {
    known: HashMap<(u64, String), Known>,
}

#[derive(Debug, Default)]
struct Known {
    ids: HashSet<String>,
    /// Kick was asked for more, and has not answered which.
    asking: bool,
}

/// Whose a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    /// Kick has not told yet.
    Unknown,
    Foreign,
}

impl Ours {
    /// Kick told these, and that is all of them.
    pub(super) fn know(&mut self, user_id: u64, client_id: &str, ids: Vec<String>) {
        let known = self.known.entry((user_id, client_id.to_owned())).or_default();
        // Those known before stay: two readers of one channel ask at the same time.
        known.ids.extend(ids);
        known.asking = false;
    }

    /// Kick told these, and is asked for more.
    pub(super) fn ask(&mut self, user_id: u64, client_id: &str, ids: Vec<String>) {
        let known = self.known.entry((user_id, client_id.to_owned())).or_default();
        known.ids.extend(ids);
        known.asking = true;
    }

    /// Nobody reads the channel for that application any more.
    pub(super) fn forget(&mut self, user_id: u64, client_id: &str) {
        self.known.remove(&(user_id, client_id.to_owned()));
    }

    pub(super) fn whose(&self, user_id: u64, client_id: &str, subscription: &str) -> Whose {
        match self.known.get(&(user_id, client_id.to_owned())) {
            Some(it) if it.ids.contains(subscription) => Whose::Ours,
            Some(it) if !it.asking => Whose::Foreign,
            _ => Whose::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_foreign_only_once_kick_told_which_are_ours() {
        let mut ours = Ours::default();
        let ids = |it: &str| vec![it.to_owned()];
        assert_eq!(ours.whose(7, "app", "a"), Whose::Unknown, "nothing is listed yet");
        ours.ask(7, "app", ids("a"));
        assert_eq!(ours.whose(7, "app", "a"), Whose::Ours);
        assert_eq!(ours.whose(7, "app", "b"), Whose::Unknown, "made, and not answered yet");
        ours.know(7, "app", ids("b"));
        assert_eq!(ours.whose(7, "app", "b"), Whose::Ours);
        assert_eq!(ours.whose(7, "app", "c"), Whose::Foreign);
        assert_eq!(ours.whose(7, "other", "a"), Whose::Unknown, "another application's");
        assert_eq!(ours.whose(8, "app", "a"), Whose::Unknown, "another channel's");
        // A second reader listed before the first one's were made.
        ours.know(7, "app", ids("a"));
        assert_eq!(ours.whose(7, "app", "b"), Whose::Ours);
        ours.forget(7, "app");
        assert_eq!(ours.whose(7, "app", "a"), Whose::Unknown);
    }
}
