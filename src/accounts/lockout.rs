//! Whoever guesses waits, longer each time: per account, and per address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Account, AccountId, Digest, Email};
use crate::model::Timestamp;

/// Wrong guesses at one account that cost nothing.
const FREE_OF_ACCOUNT: u32 = 5;
/// Wrong guesses from one address that cost nothing: behind one there may be a school.
const FREE_OF_ADDRESS: u32 = 20;
/// The first wait (ms); each further wrong guess doubles it.
const FIRST_WAIT_MS: i64 = 2_000;
/// The longest wait (ms).
const LONGEST_WAIT_MS: i64 = 15 * 60_000;
/// Time without a wrong guess after which all is forgotten (ms).
const FORGOTTEN_AFTER_MS: i64 = 60 * 60_000;
/// Most accounts and addresses that are remembered; those that rest for the longest go first.
const MOST_REMEMBERED: usize = 20_000;

/// Whose secret is guessed. Each is a kind of its own: nobody signs up with the name of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockoutKey {
    /// The account of a mail address, there or not: nothing is learnt from the wait. Only its hash is kept.
    Email(Digest),
    /// An account that has no mail address.
    Account(AccountId),
    /// The emergency admin, whatever name is sent.
    EmergencyAdmin,
}

impl From<&Email> for LockoutKey {
    fn from(email: &Email) -> Self {
        Self::Email(Digest::of(email.as_str()))
    }
}

impl From<&Account> for LockoutKey {
    fn from(account: &Account) -> Self {
        account.email.as_ref().map_or(Self::Account(account.id), Self::from)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Guessed {
    Secret(LockoutKey),
    Address(IpAddr),
}

impl Guessed {
    const fn free(self) -> u32 {
        match self {
            Self::Secret(_) => FREE_OF_ACCOUNT,
            Self::Address(_) => FREE_OF_ADDRESS,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Guesses {
    wrong: u32,
    last_at: Timestamp,
    until: Timestamp,
}

/// A guess that was begun. It counts as a wrong one, also when it is dropped, until [`Lockout::right`] or
/// [`Lockout::unjudged`] takes it.
#[derive(Debug)]
#[must_use = "a guess of which nothing is told was wrong"]
pub struct Attempt {
    key: LockoutKey,
    counted: Vec<Counted>,
}

/// A guess under one of the keys that it counts for.
#[derive(Debug, Clone, Copy)]
struct Counted {
    key: Guessed,
    /// As it was; `None` where nothing was remembered.
    before: Option<Guesses>,
    /// As the guess left it.
    after: Guesses,
}

/// What was guessed wrong lately. Forgotten at a restart.
#[derive(Debug, Default)]
pub struct Lockout {
    guesses: Mutex<HashMap<Guessed, Guesses>>,
}

/// The part of an address that one customer of a provider has to himself at least: a /64 of IPv6. Many have more.
#[must_use]
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
        v4 => v4,
    }
}

impl Lockout {
    fn keys(key: LockoutKey, address: Option<IpAddr>) -> impl Iterator<Item = Guessed> {
        let address = address.map(|it| Guessed::Address(network(it)));
        std::iter::once(Guessed::Secret(key)).chain(address)
    }

    fn guesses(&self) -> MutexGuard<'_, HashMap<Guessed, Guesses>> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long whoever guesses at this, and this address, must wait (s); `None` is not at all.
    #[must_use]
    pub fn wait(
        &self,
        key: impl Into<LockoutKey>,
        address: Option<IpAddr>,
        at: Timestamp,
    ) -> Option<u64> {
        wait(&mut self.guesses(), Self::keys(key.into(), address), at)
    }

    /// Begins a guess. It counts as a wrong one until [`Lockout::right`] or [`Lockout::unjudged`] says otherwise: of
    /// many at the same moment none gets in between the look and the count.
    ///
    /// # Errors
    /// The time to wait (s); then nothing is counted.
    pub fn attempt(
        &self,
        key: impl Into<LockoutKey>,
        address: Option<IpAddr>,
        at: Timestamp,
    ) -> Result<Attempt, u64> {
        let key = key.into();
        let mut guesses = self.guesses();
        if let Some(seconds) = wait(&mut guesses, Self::keys(key, address), at) {
            return Err(seconds);
        }
        let counted = Self::keys(key, address).map(|it| wrong(&mut guesses, it, at)).collect();
        Ok(Attempt { key, counted })
    }

    /// Notes that a guess led in: the account starts anew. The address only gets this one back, lest an own account
    /// resets it.
    pub fn right(&self, attempt: Attempt) {
        let mut guesses = self.guesses();
        take_back(&mut guesses, &attempt);
        guesses.remove(&Guessed::Secret(attempt.key));
    }

    /// Notes that nobody looked whether a guess was right, or that it was and led nowhere.
    pub fn unjudged(&self, attempt: Attempt) {
        take_back(&mut self.guesses(), &attempt);
    }

    /// Forgets the wrong guesses at an account: its owner came by another way.
    pub fn forget(&self, key: impl Into<LockoutKey>) {
        self.guesses().remove(&Guessed::Secret(key.into()));
    }
}

fn wait(
    guesses: &mut HashMap<Guessed, Guesses>,
    keys: impl Iterator<Item = Guessed>,
    at: Timestamp,
) -> Option<u64> {
    let mut longest = 0;
    for key in keys {
        let Some(it) = guesses.get_mut(&key) else { continue };
        // A clock that was set back makes nobody wait longer than the longest.
        it.until = it.until.min(at.plus_ms(LONGEST_WAIT_MS));
        it.last_at = it.last_at.min(at);
        longest = longest.max(it.until.ms_since(at));
    }
    u64::try_from(longest).ok().filter(|it| *it > 0).map(|it| it.div_ceil(1000))
}

/// Counts a guess as a wrong one.
fn wrong(guesses: &mut HashMap<Guessed, Guesses>, key: Guessed, at: Timestamp) -> Counted {
    if guesses.len() >= MOST_REMEMBERED && !guesses.contains_key(&key) {
        make_room(guesses, at);
    }
    let before = guesses.get(&key).copied();
    let fresh = Guesses { wrong: 0, last_at: at, until: at };
    let it = guesses.entry(key).or_insert(fresh);
    if at.ms_since(it.last_at) > FORGOTTEN_AFTER_MS {
        *it = fresh;
    }
    it.wrong = it.wrong.saturating_add(1);
    it.last_at = at;
    if let Some(beyond) = it.wrong.checked_sub(key.free()).filter(|it| *it > 0) {
        let wait = FIRST_WAIT_MS.checked_shl(beyond - 1).unwrap_or(LONGEST_WAIT_MS);
        let wait = if beyond > 20 { LONGEST_WAIT_MS } else { wait.min(LONGEST_WAIT_MS) };
        it.until = at.plus_ms(wait);
    }
    Counted { key, before, after: *it }
}

/// Makes a guess uncounted. The wait that it alone caused goes with it; one that others caused since stays.
fn take_back(guesses: &mut HashMap<Guessed, Guesses>, attempt: &Attempt) {
    for Counted { key, before, after } in &attempt.counted {
        let Some(it) = guesses.get_mut(key) else { continue };
        if it == after {
            match before {
                Some(before) => *it = *before,
                None => {
                    guesses.remove(key);
                }
            }
            continue;
        }
        it.wrong = it.wrong.saturating_sub(1);
        if it.wrong <= key.free() {
            it.until = it.last_at;
        }
        if it.wrong == 0 {
            guesses.remove(key);
        }
    }
}

fn make_room(guesses: &mut HashMap<Guessed, Guesses>, at: Timestamp) {
    guesses.retain(|_, it| at.ms_since(it.last_at) <= FORGOTTEN_AFTER_MS);
    if guesses.len() < MOST_REMEMBERED {
        return;
    }
    // Whoever waits longest stays longest: nobody floods their own wait away.
    let mut all: Vec<_> = guesses.iter().map(|(key, it)| (it.until, it.last_at, *key)).collect();
    all.select_nth_unstable_by_key(MOST_REMEMBERED / 10, |it| (it.0, it.1));
    for (_, _, key) in &all[..MOST_REMEMBERED / 10] {
        guesses.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        text.parse().unwrap()
    }

    impl Lockout {
        /// Notes a wrong guess, however long its key must wait.
        fn wrong(&self, key: impl Into<LockoutKey>, address: Option<IpAddr>, at: Timestamp) {
            let mut guesses = self.guesses();
            for it in Self::keys(key.into(), address) {
                wrong(&mut guesses, it, at);
            }
        }
    }

    #[test]
    fn each_wrong_guess_beyond_the_free_ones_doubles_the_wait() {
        let (lockout, ana) = (Lockout::default(), email("ana@example.com"));
        let mut at = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        for _ in 0..FREE_OF_ACCOUNT {
            assert_eq!(lockout.wait(&ana, None, at), None);
            lockout.wrong(&ana, None, at);
        }
        for expected in [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            lockout.wrong(&ana, None, at);
            assert_eq!(lockout.wait(&ana, None, at), Some(expected));
            at = at.plus_ms(i64::try_from(expected).unwrap() * 1000);
            assert_eq!(lockout.wait(&ana, None, at), None);
        }
        assert_eq!(lockout.wait(&email("ben@example.com"), None, at), None);
        lockout.right(lockout.attempt(&ana, None, at).unwrap());
        lockout.wrong(&ana, None, at);
        assert_eq!(lockout.wait(&ana, None, at), None);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_too_and_so_does_its_whole_network() {
        let lockout = Lockout::default();
        let at = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        let from = |it: &str| Some(it.parse::<IpAddr>().unwrap());
        for it in 0..=FREE_OF_ADDRESS {
            lockout.wrong(&email(&format!("u{it}@example.com")), from("2001:db8:1:2::5"), at);
        }
        let fresh = email("fresh@example.com");
        assert!(lockout.wait(&fresh, from("2001:db8:1:2:9::1"), at).is_some());
        assert_eq!(lockout.wait(&fresh, from("2001:db8:1:3::1"), at), None);
    }

    #[test]
    fn nobody_resets_the_emergency_admins_wait_under_a_name_of_their_own() {
        let lockout = Lockout::default();
        let at = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        for _ in 0..=FREE_OF_ACCOUNT {
            lockout.wrong(LockoutKey::EmergencyAdmin, None, at);
        }
        for name in ["emergency-admin@localhost", "EmergencyAdmin@localhost"] {
            lockout.right(lockout.attempt(&email(name), None, at).unwrap());
            lockout.forget(&email(name));
        }
        assert_eq!(lockout.wait(LockoutKey::EmergencyAdmin, None, at), Some(2));
    }

    #[test]
    fn a_right_guess_makes_nobody_else_of_its_network_wait() {
        let lockout = Lockout::default();
        let mut at = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        let school = Some("192.0.2.1".parse().unwrap());
        for it in 0..FREE_OF_ADDRESS + 5 {
            lockout.wrong(&email(&format!("u{it}@example.com")), school, at);
        }
        let (ana, ben) = (email("ana@example.com"), email("ben@example.com"));
        assert_eq!(lockout.wait(&ben, school, at), Some(32));
        at = at.plus_ms(32_000);
        lockout.right(lockout.attempt(&ana, school, at).unwrap());
        assert_eq!(lockout.wait(&ben, school, at), None, "ana's guess was right");
        lockout.unjudged(lockout.attempt(&ana, school, at).unwrap());
        assert_eq!(lockout.wait(&ben, school, at), None, "nobody looked");
        drop(lockout.attempt(&ana, school, at).unwrap());
        assert_eq!(lockout.wait(&ben, school, at), Some(64), "the wrong ones are remembered");
    }

    #[test]
    fn what_is_taken_back_late_leaves_the_waits_of_others() {
        let lockout = Lockout::default();
        let mut at = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        let ana = email("ana@example.com");
        for _ in 0..=FREE_OF_ACCOUNT {
            lockout.wrong(&ana, None, at);
        }
        at = at.plus_ms(2_000);
        let slow = lockout.attempt(&ana, None, at).unwrap();
        at = at.plus_ms(4_000);
        drop(lockout.attempt(&ana, None, at).unwrap());
        lockout.unjudged(slow);
        assert_eq!(lockout.wait(&ana, None, at), Some(8));
    }

    #[test]
    fn what_is_remembered_has_an_end_and_a_clock_set_back_locks_nobody_out() {
        let lockout = Lockout::default();
        let mut at = Timestamp::from_unix_ms(1_000_000_000_000).unwrap();
        for it in 0..MOST_REMEMBERED + 500 {
            at = at.plus_ms(1);
            lockout.wrong(&email(&format!("u{it}@example.com")), None, at);
        }
        assert!(lockout.guesses.lock().unwrap().len() <= MOST_REMEMBERED);
        let ana = email("ana@example.com");
        for _ in 0..30 {
            lockout.wrong(&ana, None, at);
        }
        let earlier = at.plus_ms(-86_400_000);
        assert_eq!(lockout.wait(&ana, None, earlier), Some(900));
        assert_eq!(lockout.wait(&ana, None, earlier.plus_ms(LONGEST_WAIT_MS)), None);
        assert_eq!(lockout.wait(&ana, None, at.plus_ms(LONGEST_WAIT_MS)), None);
    }
}
