//! Pronouns of viewers on Twitch, as they told them to a public service (pronouns.alejo.io).
//!
//! Nobody is asked for until an open page wants to show somebody. What the service said is kept for an hour, in
//! memory alone. It is asked once for each, a few at a time, within a budget for every room and one for all, and
//! not at all for a while after it failed: whoever is not known by then is missing in the answer, and may be asked
//! for again.

mod ask;
mod book;
mod budget;
mod words;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OnceCell, Semaphore, watch},
    time::{Instant, timeout_at},
};

use self::{ask::Table, book::Book};
use crate::{
    config::Config,
    http::{Clients, Way},
    lifecycle::Lifecycle,
    model::CreatorId,
    telemetry::{Severity, Telemetry},
};

/// How long an answer is waited for. What comes later is there for who asks again.
const WAIT: Duration = Duration::from_secs(2);
/// Most calls at the same time.
const MOST_CALLS: usize = 4;

/// The name of an account on Twitch, as its addresses have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Login(String);

impl Login {
    /// Reads one; `None` when no account can have that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
        let good = (1..=25).contains(&text.len()) && text.bytes().all(plain);
        good.then(|| Self(text.to_ascii_lowercase()))
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of somebody: their pronouns as they are shown, or that they told none.
pub type Known = Option<Arc<str>>;

/// What the service said. Cheap to clone.
#[derive(Clone)]
pub struct Pronouns(Arc<Shared>);

struct Shared {
    config: watch::Receiver<Arc<Config>>,
    life: Lifecycle,
    telemetry: Telemetry,
    clients: Arc<Clients>,
    book: Mutex<Book>,
    turns: Semaphore,
    /// An ask has come to its end.
    ended: watch::Sender<()>,
}

impl Pronouns {
    /// Nobody is known yet.
    #[must_use]
    pub fn new(
        config: watch::Receiver<Arc<Config>>,
        life: Lifecycle,
        telemetry: Telemetry,
        clients: Arc<Clients>,
    ) -> Self {
        Self(Arc::new(Shared {
            config,
            life,
            telemetry,
            clients,
            book: Mutex::default(),
            turns: Semaphore::new(MOST_CALLS),
            ended: watch::Sender::new(()),
        }))
    }

    /// What is known of these viewers, for a page of that room; the service is asked for those who are not, and
    /// waited for a moment. Whoever is missing may be asked for again.
    pub async fn find(&self, room: &CreatorId, logins: &[Login]) -> BTreeMap<Login, Known> {
        let deadline = Instant::now() + WAIT;
        // Before it is begun, so that no end is missed.
        let mut ended = self.0.ended.subscribe();
        if !self.begin(room, logins) {
            return BTreeMap::new();
        }
        loop {
            let (found, waiting) = self.book().look(logins, Instant::now());
            if !waiting || !matches!(timeout_at(deadline, ended.changed()).await, Ok(Ok(()))) {
                return found;
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to ask for whoever is not known, as far as the budgets go; `false` when that is switched off.
    fn begin(&self, room: &CreatorId, logins: &[Login]) -> bool {
        let config = self.0.config.borrow().platforms.pronouns.clone();
        if !config.enabled {
            return false;
        }
        let begun = self.book().begin(room, logins, &config, Instant::now());
        for login in begun {
            let under_way = UnderWay { pronouns: self.clone(), login };
            self.0.life.spawn(async move {
                let stop = under_way.pronouns.0.life.stop.clone();
                stop.run_until_cancelled(under_way.ask()).await;
            });
        }
        true
    }

    /// The table of pronouns, asked for when it is first needed, and again when it is old.
    async fn table(&self, cell: &OnceCell<Table>) -> Option<Table> {
        let asked = cell.get_or_try_init(async || {
            if self.book().is_paused(Instant::now()) {
                return Err(()); // Who waited for this cell as well had no luck a moment ago.
            }
            let asked = self.service().table().await;
            asked.map_err(|it| self.note_failure(&it))
        });
        asked.await.ok().cloned()
    }

    fn service(&self) -> ask::Service<'_> {
        let config = self.0.config.borrow();
        let way = Way { ca_file: config.platforms.tls_ca_file.clone(), proxy: None };
        let url = config.platforms.pronouns.url.clone();
        ask::Service { clients: &self.0.clients, way, url }
    }

    /// Nobody is asked for a while: told once, until it works again.
    fn note_failure(&self, failure: &ask::Failure) {
        let backoff = self.0.config.borrow().platforms.backoff.clone();
        if !self.book().fail(failure.retry_after, &backoff, Instant::now()) {
            return;
        }
        let error = &failure.error;
        tracing::warn!(%error, "pronouns cannot be read; they are tried again later");
        let message = format!("they cannot be read: {error}");
        self.0.telemetry.recent.event(Severity::Warning, "pronouns", message);
    }
}

/// Somebody who is being asked for, until this is dropped, however that ends.
struct UnderWay {
    pronouns: Pronouns,
    login: Login,
}

impl UnderWay {
    async fn ask(&self) {
        let Self { pronouns, login } = self;
        let turn = pronouns.0.turns.acquire().await;
        let _turn = turn.expect("this semaphore is never closed");
        let (cell, paused) = {
            let mut book = pronouns.book();
            (book.table(Instant::now()), book.is_paused(Instant::now()))
        };
        if paused {
            return;
        }
        let Some(table) = pronouns.table(&cell).await else { return };
        match pronouns.service().viewer(login).await {
            Ok(told) => {
                let words = told.and_then(|it| it.words(&table));
                if pronouns.book().learn(login, words, Instant::now()) {
                    tracing::info!("pronouns can be read again");
                }
            }
            Err(failure) => pronouns.note_failure(&failure),
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pronouns.book().end(&self.login);
        self.pronouns.0.ended.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_what_an_address_of_twitch_can_hold() {
        assert_eq!(Login::parse("Ana_1").unwrap().as_str(), "ana_1");
        for bad in ["", "a/b", "a b", "ana?x", "..", "ünal", &"a".repeat(26)] {
            assert_eq!(Login::parse(bad), None, "{bad}");
        }
    }
}
