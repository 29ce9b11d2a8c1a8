//! Who voted for what in one open poll: each person counts once, with the newest vote of their accounts.

use std::collections::HashMap;

use crate::model::QualifiedId;

/// A vote of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Vote {
    /// Place of the option in the poll.
    pub(super) option: u16,
    /// Which of two votes is newer.
    pub(super) order: u64,
}

impl Vote {
    /// As it is kept.
    pub(super) fn text(self) -> String {
        format!("{} {}", self.option, self.order)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (option, order) = text.split_once(' ')?;
        Some(Self { option: option.parse().ok()?, order: order.parse().ok()? })
    }
}

/// The votes of a poll.
#[derive(Debug, Default)]
pub(super) struct Votes {
    by_account: HashMap<Box<str>, Vote>,
    /// Persons per option.
    counts: Vec<u64>,
    next_order: u64,
}

impl Votes {
    /// None yet.
    pub(super) fn new(options: usize) -> Self {
        Self { counts: vec![0; options], ..Self::default() }
    }

    /// Persons per option.
    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Accounts that voted.
    pub(super) fn len(&self) -> usize {
        self.by_account.len()
    }

    /// The vote of an account.
    pub(super) fn of(&self, account: &str) -> Option<Vote> {
        self.by_account.get(account).copied()
    }

    /// What a person wants now, with these accounts.
    pub(super) fn find(&self, accounts: &[QualifiedId]) -> Option<Vote> {
        accounts.iter().filter_map(|it| self.of(it.as_str())).max_by_key(|it| it.order)
    }

    /// Counts the vote of a person's account in place of what they wanted before; answers both.
    pub(super) fn cast(
        &mut self,
        account: &QualifiedId,
        person: &[QualifiedId],
        option: u16,
    ) -> (Option<Vote>, Vote) {
        let before = self.find(person);
        let vote = Vote { option, order: self.next_order };
        self.next_order += 1;
        if let Some(before) = before {
            self.take(before);
        }
        self.by_account.insert(account.as_str().into(), vote);
        self.give(vote);
        (before, vote)
    }

    /// Takes what was kept of an account; to be counted by [`Votes::count_person`].
    pub(super) fn recall(&mut self, account: &str, vote: Vote) {
        if usize::from(vote.option) < self.counts.len() {
            self.next_order = self.next_order.max(vote.order + 1);
            self.by_account.insert(account.into(), vote);
        }
    }

    /// Counts everybody anew: `leads` says whose accounts belong to whom, by the whole person of an account.
    pub(super) fn recount<'a>(&mut self, person: impl Fn(&str) -> Option<&'a [QualifiedId]>) {
        self.counts.fill(0);
        let mut counts = std::mem::take(&mut self.counts);
        for (account, vote) in &self.by_account {
            let newest = person(account).and_then(|it| self.find(it)).unwrap_or(*vote);
            // Each person once: by the account that voted last.
            if newest.order == vote.order {
                counts[usize::from(vote.option)] += 1;
            }
        }
        self.counts = counts;
    }

    /// A person is no longer one: to be called before their accounts change.
    pub(super) fn uncount_person(&mut self, accounts: &[QualifiedId]) {
        if let Some(it) = self.find(accounts) {
            self.take(it);
        }
    }

    /// A person is one now: to be called after their accounts changed.
    pub(super) fn count_person(&mut self, accounts: &[QualifiedId]) {
        if let Some(it) = self.find(accounts) {
            self.give(it);
        }
    }

    /// Forgets the votes of a person; answers which accounts had one.
    pub(super) fn remove<'a>(&mut self, person: &'a [QualifiedId]) -> Vec<&'a QualifiedId> {
        self.uncount_person(person);
        person.iter().filter(|it| self.by_account.remove(it.as_str()).is_some()).collect()
    }

    fn take(&mut self, vote: Vote) {
        let count = &mut self.counts[usize::from(vote.option)];
        *count = count.saturating_sub(1);
    }

    fn give(&mut self, vote: Vote) {
        self.counts[usize::from(vote.option)] += 1;
    }
}
