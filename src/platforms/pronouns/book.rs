//! What is known of whom, who is being asked for, and whether anybody may be asked for at all.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use rand::RngExt;
use tokio::{sync::OnceCell, time::Instant};

use super::{Known, Login, ask::Table, budget::Budget};
use crate::{
    config::{
        HttpUrl,
        platforms::{BackoffConfig, PronounsConfig},
    },
    model::CreatorId,
};

/// Most viewers remembered; whoever was shown longest ago is forgotten.
const MOST_KNOWN: usize = 20_000;
/// Most viewers asked for at the same time, those that wait for a turn included.
const MOST_UNDER_WAY: usize = 100;
/// How long what somebody told is taken for true: as long as the service's own answers say.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// The same of those who told nothing: who does so now is seen to have done it.
const NOTHING_FRESH: Duration = Duration::from_secs(10 * 60);
/// The same of the table.
const TABLE_FRESH: Duration = Duration::from_secs(6 * 60 * 60);
/// Rooms whose budgets are remembered before full ones are forgotten.
const MANY_ROOMS: usize = 256;

#[derive(Default)]
pub(super) struct Book {
    /// Whose words these are: another address knows other people.
    url: Option<HttpUrl>,
    known: HashMap<Login, Entry>,
    /// When each was last shown, the longest ago first.
    shown: BTreeMap<u64, Login>,
    shows: u64,
    under_way: HashSet<Login>,
    table: Arc<OnceCell<Table>>,
    table_until: Option<Instant>,
    all: Option<Budget>,
    rooms: HashMap<CreatorId, Budget>,
    failures: u32,
    paused_until: Option<Instant>,
}

struct Entry {
    known: Known,
    until: Instant,
    shown: u64,
}

impl Book {
    /// Who of these is known, and whether others are still being asked for.
    pub(super) fn look(
        &mut self,
        logins: &[Login],
        now: Instant,
    ) -> (BTreeMap<Login, Known>, bool) {
        let mut found = BTreeMap::new();
        let mut waiting = false;
        for login in logins {
            let Some(entry) = self.known.get_mut(login).filter(|it| it.until > now) else {
                waiting |= self.under_way.contains(login);
                continue;
            };
            self.shown.remove(&entry.shown);
            self.shows += 1;
            entry.shown = self.shows;
            self.shown.insert(self.shows, login.clone());
            found.insert(login.clone(), entry.known.clone());
        }
        (found, waiting)
    }

    /// Notes as under way, and answers, who of these is to be asked for now.
    pub(super) fn begin(
        &mut self,
        room: &CreatorId,
        logins: &[Login],
        config: &PronounsConfig,
        now: Instant,
    ) -> Vec<Login> {
        if self.url.as_ref() != Some(&config.url) {
            let under_way = std::mem::take(&mut self.under_way);
            *self = Self { url: Some(config.url.clone()), under_way, ..Self::default() };
        }
        if self.is_paused(now) {
            return Vec::new();
        }
        let (of_all, of_room) = (config.asks_per_minute, config.asks_per_room_and_minute);
        if self.rooms.len() >= MANY_ROOMS {
            self.rooms.retain(|_, it| {
                it.refill(of_room, now);
                !it.is_full(of_room)
            });
        }
        let all = self.all.get_or_insert_with(|| Budget::new(of_all, now));
        let room = self.rooms.entry(room.clone()).or_insert_with(|| Budget::new(of_room, now));
        all.refill(of_all, now);
        room.refill(of_room, now);
        let mut begun = Vec::new();
        for login in logins {
            if self.known.get(login).is_some_and(|it| it.until > now)
                || self.under_way.contains(login)
            {
                continue;
            }
            if self.under_way.len() >= MOST_UNDER_WAY || !all.is_left() || !room.is_left() {
                break;
            }
            all.take();
            room.take();
            self.under_way.insert(login.clone());
            begun.push(login.clone());
        }
        begun
    }

    /// Where the table is, or will be.
    pub(super) fn table(&mut self, now: Instant) -> Arc<OnceCell<Table>> {
        if self.table_until.is_none_or(|it| it <= now) {
            self.table = Arc::default();
            self.table_until = Some(now + TABLE_FRESH);
        }
        Arc::clone(&self.table)
    }

    /// Notes what the service said; `true` when it had failed before.
    pub(super) fn learn(&mut self, login: &Login, known: Known, now: Instant) -> bool {
        let until = now + if known.is_some() { FRESH } else { NOTHING_FRESH };
        self.shows += 1;
        let entry = Entry { known, until, shown: self.shows };
        if let Some(old) = self.known.insert(login.clone(), entry) {
            self.shown.remove(&old.shown);
        }
        self.shown.insert(self.shows, login.clone());
        while self.known.len() > MOST_KNOWN
            && let Some((_, oldest)) = self.shown.pop_first()
        {
            self.known.remove(&oldest);
        }
        self.paused_until = None;
        std::mem::take(&mut self.failures) > 0
    }

    /// Nobody is asked for until a pause is over, which grows with every failure; `true` for the first.
    pub(super) fn fail(
        &mut self,
        retry_after: Option<Duration>,
        backoff: &BackoffConfig,
        now: Instant,
    ) -> bool {
        let told = retry_after.map(|it| now + it);
        // Calls that were under way together fail together: that is one failure.
        if self.is_paused(now) {
            self.paused_until = self.paused_until.max(told);
            return false;
        }
        let [first, longest] =
            [backoff.first_ms, backoff.longest_ms].map(|it| Duration::from_millis(it.into()));
        let bound = first.saturating_mul(1 << self.failures.min(16)).min(longest);
        let pause = bound.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.paused_until = Some(now + pause).max(told);
        self.failures = self.failures.saturating_add(1);
        self.failures == 1
    }

    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|it| it > now)
    }

    /// Nobody waits for this one any more.
    pub(super) fn end(&mut self, login: &Login) {
        self.under_way.remove(login);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str) -> Login {
        Login::parse(name).unwrap()
    }

    fn room(name: &str) -> CreatorId {
        name.parse().unwrap()
    }

    fn words(text: &str) -> Known {
        Some(text.into())
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_is_asked_for_once_and_again_when_what_is_known_is_old() {
        let (mut book, config) = (Book::default(), PronounsConfig::default());
        let (ana, ben) = (login("ana"), login("ben"));
        let both = [ana.clone(), ben.clone()];
        assert_eq!(book.begin(&room("r"), &both, &config, Instant::now()), both);
        assert!(book.begin(&room("r"), &both, &config, Instant::now()).is_empty(), "under way");
        assert_eq!(book.look(&both, Instant::now()), (BTreeMap::new(), true));
        book.learn(&ana, words("She/Her"), Instant::now());
        book.learn(&ben, None, Instant::now());
        both.iter().for_each(|it| book.end(it));
        let known: BTreeMap<_, _> = [(ana.clone(), words("She/Her")), (ben.clone(), None)].into();
        assert_eq!(book.look(&both, Instant::now()), (known, false));
        tokio::time::advance(NOTHING_FRESH).await;
        assert_eq!(
            book.begin(&room("r"), &both, &config, Instant::now()),
            std::slice::from_ref(&ben)
        );
        book.end(&ben);
        tokio::time::advance(FRESH).await;
        assert_eq!(book.begin(&room("r"), &both, &config, Instant::now()), both);
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_spends_its_own_budget_and_all_rooms_together_theirs() {
        let config = PronounsConfig {
            asks_per_minute: 5,
            asks_per_room_and_minute: 3,
            ..PronounsConfig::default()
        };
        let mut book = Book::default();
        let many =
            |prefix: &str| (0..9).map(|it| login(&format!("{prefix}{it}"))).collect::<Vec<_>>();
        let now = Instant::now();
        assert_eq!(book.begin(&room("one"), &many("a"), &config, now).len(), 3);
        assert_eq!(book.begin(&room("two"), &many("b"), &config, now).len(), 2);
        assert_eq!(book.begin(&room("one"), &many("a"), &config, now).len(), 0);
        tokio::time::advance(Duration::from_secs(24)).await;
        let now = Instant::now();
        assert_eq!(book.begin(&room("one"), &many("a"), &config, now).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_fails_is_left_alone_for_longer_and_longer() {
        let (mut book, config) = (Book::default(), PronounsConfig::default());
        let backoff = BackoffConfig::default();
        let ana = [login("ana")];
        book.begin(&room("r"), &[], &config, Instant::now());
        assert!(book.fail(None, &backoff, Instant::now()), "told");
        assert!(!book.fail(None, &backoff, Instant::now()), "the same failure, not told again");
        assert_eq!(book.failures, 1);
        assert!(book.begin(&room("r"), &ana, &config, Instant::now()).is_empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(book.begin(&room("r"), &ana, &config, Instant::now()), ana);
        book.end(&ana[0]);
        book.fail(Some(Duration::from_secs(600)), &backoff, Instant::now());
        tokio::time::advance(Duration::from_secs(599)).await;
        assert!(book.is_paused(Instant::now()), "as long as it asked for");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!book.is_paused(Instant::now()));
        assert!(book.learn(&ana[0], None, Instant::now()), "it works again: told");
        assert!(book.fail(None, &backoff, Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_viewers_known_is_bounded_and_who_is_shown_stays() {
        let mut book = Book::default();
        let (now, first, second) = (Instant::now(), login("first"), login("second"));
        book.learn(&first, words("She/Her"), now);
        book.learn(&second, None, now);
        book.look(std::slice::from_ref(&first), now);
        for number in 0..MOST_KNOWN - 1 {
            book.learn(&login(&format!("n{number}")), None, now);
        }
        assert_eq!((book.known.len(), book.shown.len()), (MOST_KNOWN, MOST_KNOWN));
        let (found, _) = book.look(&[first.clone(), second], now);
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [first]);
    }

    #[tokio::test(start_paused = true)]
    async fn another_address_knows_nobody_yet() {
        let (mut book, config) = (Book::default(), PronounsConfig::default());
        let ana = [login("ana")];
        book.begin(&room("r"), &ana, &config, Instant::now());
        book.learn(&ana[0], words("She/Her"), Instant::now());
        book.end(&ana[0]);
        let other = PronounsConfig { url: "https://other.example".parse().unwrap(), ..config };
        assert_eq!(book.begin(&room("r"), &ana, &other, Instant::now()), ana);
    }
}
