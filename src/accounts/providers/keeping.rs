//! Renews what platforms allow before it ends, and gives back what nobody owns any more. One task for all.
//!
//! A provider that fails rests, and all that is to be renewed there with it; where it only does not take one token, that
//! one rests. A permission that was taken back is noted and left alone until its owner signs in again. Tokens that were renewed and that the disk did not take wait in
//! memory: where each use replaces the refresh token, they are the only good ones.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{PlatformToken, Providers};
use crate::{
    accounts::{
        AccountError, AccountId, Actor, AuditEntry, Record,
        oauth::{OAuthError, PlatformTokens, Provider},
        sealed::SealError,
    },
    model::Timestamp,
};

/// Longest time before its end that a token is renewed (ms).
const AHEAD_MS: i64 = 10 * 60_000;
/// Longest time between two looks at all that is kept.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Time that a call under way is given when the server stops: the answer may hold the only good tokens.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Time for which it is tried to give back what nobody owns any more.
const GIVES_BACK_FOR: Duration = Duration::from_secs(24 * 3_600);

/// What is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Resting {
    /// All that is kept of it.
    Provider(Provider),
    /// A row, by its name.
    Row(String),
}

/// What the task remembers from round to round, whatever goes wrong in one.
#[derive(Default)]
struct Memory {
    /// What failed: how often, and until when it rests.
    resting: HashMap<Resting, (u32, Instant)>,
    /// Rows that wait for the disk, by their names: what is there, and what it becomes.
    unsaved: HashMap<String, (PlatformToken, PlatformToken)>,
    /// Since when it is tried to give a row back.
    giving_back: HashMap<String, Instant>,
    /// Rows that no key opens, told once each.
    unreadable: HashMap<String, SealError>,
}

impl Memory {
    /// Until when a row is left alone, by itself or with all of its provider.
    fn rests_until(&self, row: &PlatformToken) -> Option<Instant> {
        let all = self.resting.get(&Resting::Provider(row.provider));
        let own = self.resting.get(&Resting::Row(row.key()));
        all.into_iter().chain(own).map(|it| it.1).max()
    }

    fn rests(&self, row: &PlatformToken) -> bool {
        self.rests_until(row).is_some_and(|it| it > Instant::now())
    }

    /// How often a row failed since it last went well.
    fn failures(&self, row: &PlatformToken) -> u32 {
        self.resting.get(&Resting::Row(row.key())).map_or(0, |it| it.0)
    }

    /// A call for a row failed: it rests, and its provider where that fails for all.
    fn failed(&mut self, row: &PlatformToken, error: &OAuthError) {
        self.rest(Resting::Row(row.key()));
        if error.is_for_all() {
            self.rest(Resting::Provider(row.provider));
        }
    }

    fn rest(&mut self, what: Resting) {
        let rest = self.resting.entry(what).or_insert((0, Instant::now()));
        let pause = FIRST_PAUSE.saturating_mul(1 << rest.0.min(16)).min(LONGEST_PAUSE);
        // Half of it by chance: many servers do not come back in the same moment.
        let pause = pause.mul_f64(0.5 + rand::random::<f64>() / 2.0);
        *rest = (rest.0.saturating_add(1), Instant::now() + pause);
    }

    fn went_well(&mut self, row: &PlatformToken) {
        self.resting.remove(&Resting::Provider(row.provider));
        self.resting.remove(&Resting::Row(row.key()));
    }

    /// Forgets what is no longer kept.
    fn forget_others(&mut self, rows: &[PlatformToken]) {
        let keys: HashSet<String> = rows.iter().map(Record::key).collect();
        self.giving_back.retain(|key, _| keys.contains(key));
        self.unreadable.retain(|key, _| keys.contains(key));
        self.resting.retain(|it, _| match it {
            Resting::Provider(_) => true,
            Resting::Row(key) => keys.contains(key),
        });
    }
}

impl Providers {
    /// Renews and gives back until `stop`. A defect here is told, and costs no more than a minute.
    pub async fn run(self, stop: CancellationToken) {
        let mut memory = Memory::default();
        loop {
            let kept = AssertUnwindSafe(self.keep_on(&mut memory, &stop)).catch_unwind();
            if kept.await.is_ok() {
                return;
            }
            tracing::error!("what renews permissions failed inside and begins again");
            if stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    async fn keep_on(&self, memory: &mut Memory, stop: &CancellationToken) {
        let mut ended = self.0.accounts.ended();
        self.reseal_all().await;
        loop {
            let pause = self.round(memory, stop).await;
            if stop.run_until_cancelled(self.wait(pause, &mut ended)).await.is_none() {
                return;
            }
        }
    }

    /// Waits until something is due, kept, or has lost its owner.
    async fn wait(&self, pause: Duration, ended: &mut Receiver<AccountId>) {
        let due = sleep(pause);
        tokio::pin!(due);
        loop {
            tokio::select! {
                () = &mut due => return,
                () = self.0.changed.notified() => return,
                heard = ended.recv() => match heard {
                    // Most of them only signed out.
                    Ok(account) if !self.has_lost(account) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => return due.await,
                },
            }
        }
    }

    /// Whether something is kept for an account that it no longer owns.
    fn has_lost(&self, account: AccountId) -> bool {
        let book = self.0.accounts.book();
        book.list::<PlatformToken>(&format!("{account}/")).iter().any(|it| !it.is_owned(&book))
    }

    /// Seals anew what an older secret key sealed.
    async fn reseal_all(&self) {
        let rows: Vec<PlatformToken> = self.0.accounts.book().list("");
        let fresh: Vec<_> =
            rows.into_iter().filter_map(|row| Some((self.resealed(&row).ok()??, row))).collect();
        if fresh.is_empty() {
            return;
        }
        let count = fresh.len();
        let sealed = self
            .0
            .accounts
            .change(move |change| {
                for (fresh, old) in fresh {
                    if change.find::<PlatformToken>(&old.key()).as_ref() == Some(&old) {
                        change.put(&fresh);
                    }
                }
                Ok(())
            })
            .await;
        match sealed {
            Ok(()) => tracing::info!(count, "permissions were sealed anew with the new secret key"),
            Err(error) => {
                tracing::warn!(%error, "permissions are still sealed with the old secret key")
            }
        }
    }

    /// Does what is due; how long there is nothing to do then.
    async fn round(&self, memory: &mut Memory, stop: &CancellationToken) -> Duration {
        self.save_waiting(memory).await;
        let accounts = &self.0.accounts;
        let mut rows: Vec<PlatformToken> = accounts.book().list("");
        memory.forget_others(&rows);
        // One that fails each time must not be asked for before all others each time its provider has rested.
        rows.sort_by_cached_key(|it| memory.failures(it));
        for row in &rows {
            if stop.is_cancelled() {
                break;
            }
            if memory.rests(row) || memory.unsaved.contains_key(&row.key()) {
                continue;
            }
            let turn = AssertUnwindSafe(self.turn(row, memory, stop)).catch_unwind();
            if turn.await.is_err() {
                tracing::error!(account.id = %row.account, provider = %row.provider,
                    "a permission is left alone for a while: what renews it failed inside");
                memory.rest(Resting::Row(row.key()));
            }
        }
        self.pause(memory)
    }

    /// Does what is due for a row.
    async fn turn(&self, row: &PlatformToken, memory: &mut Memory, stop: &CancellationToken) {
        let accounts = &self.0.accounts;
        if !row.is_owned(&accounts.book()) {
            self.give_back(row, memory, stop).await;
        } else if row.refused_at.is_none() && accounts.now() >= due_at(row) {
            self.renew(row, memory, stop).await;
        }
    }

    fn pause(&self, memory: &Memory) -> Duration {
        let (book, now) = (self.0.accounts.book(), self.0.accounts.now());
        let rows: Vec<PlatformToken> = book.list("");
        let open = rows.iter().filter(|it| !memory.unreadable.contains_key(&it.key()));
        let until_due = open.filter_map(|it| {
            let until = memory.rests_until(it);
            let resting =
                until.map_or(Duration::ZERO, |it| it.saturating_duration_since(Instant::now()));
            let due = match it.is_owned(&book) {
                false => now,
                true if it.refused_at.is_none() => due_at(it),
                true => return None,
            };
            let due =
                u64::try_from(due.ms_since(now)).map_or(Duration::ZERO, Duration::from_millis);
            Some(due.max(resting))
        });
        let retry = (!memory.unsaved.is_empty()).then_some(FIRST_PAUSE);
        let soonest = until_due.chain(retry).min().unwrap_or(LOOK_EVERY);
        // Never at once: what cannot be done must not be tried in a circle.
        soonest.clamp(Duration::from_millis(100), LOOK_EVERY)
    }

    async fn renew(&self, row: &PlatformToken, memory: &mut Memory, stop: &CancellationToken) {
        let Some(tokens) = self.read(row, memory) else { return };
        let (provider, accounts) = (row.provider, &self.0.accounts);
        let at = accounts.now();
        let renewed = self.0.oauth.refresh(provider, &tokens, at);
        let Some(renewed) = until_stopped(renewed, stop).await else { return };
        match renewed {
            Ok(tokens) => {
                memory.went_well(row);
                let fresh = self.sealed(row.account, provider, &row.subject, &tokens, at);
                memory.unsaved.insert(row.key(), (row.clone(), fresh));
                self.save_waiting(memory).await;
            }
            Err(error @ OAuthError::Refused { .. }) => {
                tracing::warn!(account.id = %row.account, %provider, %error,
                    "a permission was taken back: its owner must sign in there again");
                let refused = PlatformToken { refused_at: Some(at), ..row.clone() };
                memory.unsaved.insert(row.key(), (row.clone(), refused));
                self.save_waiting(memory).await;
            }
            // Nothing to ask with: looked at again when it is offered again.
            Err(error @ OAuthError::NotOffered(_)) => memory.failed(row, &error),
            Err(error) => {
                tracing::warn!(%provider, %error, "permissions cannot be renewed now");
                memory.failed(row, &error);
            }
        }
    }

    async fn give_back(&self, row: &PlatformToken, memory: &mut Memory, stop: &CancellationToken) {
        let key = row.key();
        let since = *memory.giving_back.entry(key.clone()).or_insert_with(Instant::now);
        if let Ok(tokens) = self.unsealed(row) {
            let revoked = self.0.oauth.revoke(row.provider, &tokens);
            let Some(revoked) = until_stopped(revoked, stop).await else { return };
            match revoked {
                Ok(()) => memory.went_well(row),
                Err(error) if since.elapsed() < GIVES_BACK_FOR => {
                    tracing::warn!(provider = %row.provider, %error, "a permission cannot be given back now");
                    memory.failed(row, &error);
                    return;
                }
                Err(error) => {
                    tracing::error!(provider = %row.provider, %error, "a permission was not given back and is forgotten");
                }
            }
        }
        // What no key opens cannot be given back.
        let old = row.clone();
        let removed = self
            .0
            .accounts
            .change(move |change| {
                if change.find::<PlatformToken>(&key).as_ref() == Some(&old) {
                    change.remove::<PlatformToken>(&key);
                    let entry =
                        AuditEntry::new(change.at(), Actor::System, "platform_token_revoked");
                    change.audit(entry.with("provider", old.provider.as_str()));
                }
                Ok(())
            })
            .await;
        if let Err(error) = removed {
            tracing::warn!(%error, "a permission that was given back is still kept");
            memory.rest(Resting::Row(row.key()));
        }
    }

    fn read(&self, row: &PlatformToken, memory: &mut Memory) -> Option<PlatformTokens> {
        match self.unsealed(row) {
            Ok(tokens) => {
                memory.unreadable.remove(&row.key());
                Some(tokens)
            }
            Err(error) => {
                if memory.unreadable.insert(row.key(), error) != Some(error) {
                    tracing::error!(account.id = %row.account, provider = %row.provider, %error,
                        "a permission that is kept cannot be read");
                }
                None
            }
        }
    }

    /// Writes what waits for the disk, where nothing newer came meanwhile.
    async fn save_waiting(&self, memory: &mut Memory) {
        if memory.unsaved.is_empty() {
            return;
        }
        let waiting: Vec<_> = memory.unsaved.values().cloned().collect();
        let saved = self
            .0
            .accounts
            .change(move |change| {
                for (old, fresh) in waiting {
                    // Its owner may have signed in again since.
                    if change.find::<PlatformToken>(&old.key()).as_ref() != Some(&old) {
                        continue;
                    }
                    change.put(&fresh);
                    if fresh.refused_at.is_some() {
                        let entry =
                            AuditEntry::new(change.at(), Actor::System, "platform_token_refused");
                        let entry = entry.with("provider", fresh.provider.as_str());
                        change.audit(match change.account(fresh.account) {
                            Some(account) => entry.to(account),
                            None => entry,
                        });
                    }
                }
                Ok::<(), AccountError>(())
            })
            .await;
        match saved {
            Ok(()) => memory.unsaved.clear(),
            Err(error) => tracing::warn!(%error, "permissions that were renewed wait for the disk"),
        }
    }
}

/// What a call brings; `None` when the server stops and it takes too long.
async fn until_stopped<T>(call: impl Future<Output = T>, stop: &CancellationToken) -> Option<T> {
    let late = async {
        stop.cancelled().await;
        sleep(LAST_WORDS).await;
    };
    tokio::select! {
        brought = call => Some(brought),
        () = late => None,
    }
}

/// When it is renewed: some minutes before its end, or in the last quarter of a short life.
fn due_at(row: &PlatformToken) -> Timestamp {
    let life = row.expires_at.ms_since(row.given_at).max(0);
    row.expires_at.plus_ms(-AHEAD_MS.min(life / 4))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use tokio::sync::watch;

    use super::*;
    use crate::{
        accounts::{Account, Accounts, Email, Linked, Parts, oauth::OAuth, sealed::Sealer},
        config::Config,
        http::Clients,
        lifecycle::Lifecycle,
        storage::{Database, disk::Disk},
    };

    const AT: i64 = 1_790_000_000_000;

    /// A server at which nobody can sign in with a provider any more, and whose clock fails once when it is told to.
    fn providers(fails: &Arc<AtomicBool>) -> Providers {
        let (disk, fails) = (Disk::default(), Arc::clone(fails));
        let config = watch::channel(Arc::new(Config::default())).1;
        let parts = Parts {
            life: Lifecycle::new(),
            config: config.clone(),
            clock: Arc::new(move || {
                assert!(!fails.swap(false, Ordering::SeqCst), "the clock fails");
                Timestamp::from_unix_ms(AT).unwrap()
            }),
            base_url: "https://suite.example".to_owned(),
        };
        let accounts =
            Accounts::on(Box::new(move || Database::open_on(disk.clone())), parts).unwrap();
        let oauth = OAuth::new(Arc::new(Clients::default()), config, "https://suite.example");
        Providers::new(accounts, oauth, Sealer::new("key", []))
    }

    /// An account, and what Twitch allows in its name, that has ended.
    fn keep(providers: &Providers, name: &str) -> PlatformToken {
        let at = Timestamp::from_unix_ms(AT).unwrap();
        let email: Email = format!("{name}@example.com").parse().unwrap();
        let mut account = Account::new(Some(email), name, at);
        account.providers.push(Linked {
            provider: Provider::Twitch.as_str().to_owned(),
            subject: name.to_owned(),
            email: None,
            name: None,
            linked_at: at,
        });
        let tokens = PlatformTokens {
            access: "access".to_owned(),
            refresh: "refresh".to_owned(),
            expires_at: at,
            scopes: Vec::new(),
        };
        let row = providers.sealed(account.id, Provider::Twitch, name, &tokens, at);
        let put = |change: &mut crate::accounts::Change| {
            change.put_account(account)?;
            change.put(&row);
            Ok(())
        };
        providers.0.accounts.change_now(put).unwrap();
        row
    }

    #[tokio::test]
    async fn a_token_that_a_provider_does_not_take_keeps_no_other_waiting() {
        let providers = providers(&Arc::default());
        let (ana, ben) = (keep(&providers, "ana"), keep(&providers, "ben"));
        let mut memory = Memory::default();
        for error in ["invalid_grant", "whatever"] {
            memory.failed(&ana, &OAuthError::told(Provider::Twitch, error));
            assert!(memory.rests(&ana) && !memory.rests(&ben), "{error}");
        }
        for error in ["server_error", "slow_down", "invalid_client"] {
            memory.failed(&ana, &OAuthError::told(Provider::Twitch, error));
            assert!(memory.rests(&ana) && memory.rests(&ben), "{error}");
            memory.went_well(&ben);
            assert!(memory.rests(&ana) && !memory.rests(&ben), "{error}");
        }
        assert!(memory.failures(&ana) > memory.failures(&ben), "ben is asked for first");
        memory.forget_others(&[ben]);
        assert!(memory.resting.is_empty());
    }

    #[tokio::test]
    async fn a_turn_that_fails_inside_costs_that_row_a_rest_and_nothing_is_forgotten() {
        let fails = Arc::new(AtomicBool::new(false));
        let providers = providers(&fails);
        let (ana, ben) = (keep(&providers, "ana"), keep(&providers, "ben"));
        let (mut memory, stop) = (Memory::default(), CancellationToken::new());
        fails.store(true, Ordering::SeqCst);
        providers.round(&mut memory, &stop).await;
        let rested = [&ana, &ben].map(|it| memory.failures(it));
        assert_eq!(rested, [1, 1], "one failed inside, the other was asked for all the same");
        assert!(memory.resting.contains_key(&Resting::Provider(Provider::Twitch)));
    }
}
