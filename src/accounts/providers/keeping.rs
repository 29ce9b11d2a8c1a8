//! Renews what platforms allow before it ends, and gives back what nobody owns any more. One task for all.
//!
//! A provider that fails rests, and all that is to be renewed there with it. A permission that was taken back is noted
//! and left alone until its owner signs in again. Tokens that were renewed and that the disk did not take wait in
//! memory: where each use replaces the refresh token, they are the only good ones.

use std::{collections::HashMap, panic::AssertUnwindSafe, time::Duration};

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

/// What the task remembers from round to round.
#[derive(Default)]
struct Memory {
    /// Providers that failed: how often, and until when they rest.
    resting: HashMap<Provider, (u32, Instant)>,
    /// Rows that wait for the disk, by their names: what is there, and what it becomes.
    unsaved: HashMap<String, (PlatformToken, PlatformToken)>,
    /// Since when it is tried to give a row back.
    giving_back: HashMap<String, Instant>,
    /// Rows that no key opens, told once each.
    unreadable: HashMap<String, SealError>,
}

impl Memory {
    fn rests(&self, provider: Provider) -> bool {
        self.resting.get(&provider).is_some_and(|it| it.1 > Instant::now())
    }

    fn failed(&mut self, provider: Provider) {
        let rest = self.resting.entry(provider).or_insert((0, Instant::now()));
        let pause = FIRST_PAUSE.saturating_mul(1 << rest.0.min(16)).min(LONGEST_PAUSE);
        // Half of it by chance: many servers do not come back in the same moment.
        let pause = pause.mul_f64(0.5 + rand::random::<f64>() / 2.0);
        *rest = (rest.0.saturating_add(1), Instant::now() + pause);
    }

    fn went_well(&mut self, provider: Provider) {
        self.resting.remove(&provider);
    }
}

impl Providers {
    /// Renews and gives back until `stop`. A defect here is told, and costs no more than a minute.
    pub async fn run(self, stop: CancellationToken) {
        while AssertUnwindSafe(self.clone().keep_on(&stop)).catch_unwind().await.is_err() {
            tracing::error!("what renews permissions failed inside and begins again");
            if stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    async fn keep_on(self, stop: &CancellationToken) {
        let mut memory = Memory::default();
        let mut ended = self.0.accounts.ended();
        self.reseal_all().await;
        loop {
            let pause = self.round(&mut memory, stop).await;
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
        let rows: Vec<PlatformToken> = accounts.book().list("");
        memory.giving_back.retain(|key, _| rows.iter().any(|it| it.key() == *key));
        memory.unreadable.retain(|key, _| rows.iter().any(|it| it.key() == *key));
        for row in &rows {
            if stop.is_cancelled() {
                break;
            }
            if memory.rests(row.provider) || memory.unsaved.contains_key(&row.key()) {
                continue;
            }
            if !row.is_owned(&accounts.book()) {
                self.give_back(row, memory, stop).await;
            } else if row.refused_at.is_none() && accounts.now() >= due_at(row) {
                self.renew(row, memory, stop).await;
            }
        }
        self.pause(memory)
    }

    fn pause(&self, memory: &Memory) -> Duration {
        let (book, now) = (self.0.accounts.book(), self.0.accounts.now());
        let rows: Vec<PlatformToken> = book.list("");
        let open = rows.iter().filter(|it| !memory.unreadable.contains_key(&it.key()));
        let until_due = open.filter_map(|it| {
            let resting = memory.resting.get(&it.provider);
            let resting =
                resting.map_or(Duration::ZERO, |it| it.1.saturating_duration_since(Instant::now()));
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
                memory.went_well(provider);
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
            Err(OAuthError::NotOffered(_)) => memory.failed(provider),
            Err(error) => {
                tracing::warn!(%provider, %error, "permissions cannot be renewed now");
                memory.failed(provider);
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
                Ok(()) => memory.went_well(row.provider),
                Err(error) if since.elapsed() < GIVES_BACK_FOR => {
                    tracing::warn!(provider = %row.provider, %error, "a permission cannot be given back now");
                    memory.failed(row.provider);
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
            memory.failed(row.provider);
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
