//! What is done to accounts by itself: old things go, and what was counted in memory is written down.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{AccountError, Accounts, Actor, ApiToken, AuditEntry, Change, Session, ticket::Spent};
use crate::model::Timestamp;

/// Time between two looks at what waits to be written.
const EVERY: Duration = Duration::from_secs(1);
/// Looks for one round.
const LOOKS_A_ROUND: u32 = 60;
/// A use of a sign-in that lies this far behind what is written is written (ms).
const NOTED_AFTER_MS: i64 = 10 * 60_000;
/// Time after which an account whose address nobody verified goes (ms).
const UNVERIFIED_MS: i64 = 7 * 86_400_000;
/// Time after which what was audited goes (ms).
const AUDIT_MS: i64 = 365 * 86_400_000;
/// Most entries of the audit; the oldest go.
const MOST_AUDITED: usize = 2_000_000;
/// Most entries of the audit that go at a time.
const AUDIT_AT_A_TIME: usize = 2_000;

impl Accounts {
    /// Does a round every minute until `stop`, and one more at the end. What was noted is written each second.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0;
        loop {
            let going_on = stop.run_until_cancelled(tick.tick()).await.is_some();
            let is_round = looks % LOOKS_A_ROUND == 0 || !going_on;
            looks = (looks + 1) % LOOKS_A_ROUND;
            if !is_round && !self.has_noted() {
                continue;
            }
            let this = self.clone();
            // Not `change`: at the stop, no task may be started any more.
            let round = tokio::task::spawn_blocking(move || {
                this.write_noted()?;
                if is_round { this.tidy() } else { Ok(()) }
            });
            match round.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "accounts were not tidied"),
                Err(error) => tracing::error!(%error, "accounts were not tidied"),
            }
            if !going_on {
                return;
            }
        }
    }

    /// One round. Blocking.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn tidy(&self) -> Result<(), AccountError> {
        let (at, idle) = (self.now(), self.config().system.auth.session_idle_hours);
        let book = self.book();
        let due = |written: Timestamp, seen: Timestamp| seen.ms_since(written) > NOTED_AFTER_MS;
        let noted: Vec<Arc<Session>> =
            book.sessions().filter(|it| due(it.written_at(), it.last_seen_at())).cloned().collect();
        let used: Vec<Arc<ApiToken>> =
            book.tokens().filter(|it| it.is_due(NOTED_AFTER_MS)).cloned().collect();
        let something = !noted.is_empty()
            || !used.is_empty()
            || book.sessions().any(|it| !it.is_open(idle, at))
            || book.tokens().any(|it| !it.is_open(at))
            || book.tickets().next().is_some_and(|it| at >= it.expires_at)
            || book.list::<Spent>("").iter().any(|it| at >= it.expires_at)
            || book.unclaimed().any(|it| is_abandoned(it, at));
        if something {
            self.change_now(|change| {
                tidy(change, idle);
                // What ended meanwhile must not come back.
                for it in &noted {
                    if change.session(&it.digest).is_some() {
                        change.note_seen(it);
                    }
                }
                for it in &used {
                    if change.token(&it.digest).is_some() {
                        change.note_used(it);
                    }
                }
                Ok(())
            })?;
            for it in &noted {
                it.note_written();
            }
            for it in &used {
                it.note_written();
            }
        }
        let oldest = u64::try_from(at.plus_ms(-AUDIT_MS).unix_ms()).unwrap_or(0);
        let before = ulid::Ulid::from_parts(oldest, 0).to_string();
        self.forget_audit(&before, MOST_AUDITED, AUDIT_AT_A_TIME)?;
        Ok(())
    }
}

fn is_abandoned(account: &super::Account, at: Timestamp) -> bool {
    account.is_unclaimed() && at.ms_since(account.created_at) > UNVERIFIED_MS
}

fn tidy(change: &mut Change, idle_hours: u32) {
    let at = change.at();
    let sessions: Vec<_> =
        change.sessions().filter(|it| !it.is_open(idle_hours, at)).map(|it| it.digest).collect();
    for it in sessions {
        change.remove_session(&it);
    }
    let tokens: Vec<_> = change.tokens().filter(|it| !it.is_open(at)).map(|it| it.digest).collect();
    for it in tokens {
        change.remove_token(&it);
    }
    let ended = change.tickets().take_while(|it| at >= it.expires_at).map(|it| it.digest);
    for digest in ended.collect::<Vec<_>>() {
        change.remove_ticket(&digest);
    }
    for it in change.list::<Spent>("").iter().filter(|it| at >= it.expires_at) {
        change.remove::<Spent>(&it.digest.hex());
    }
    let abandoned: Vec<_> = change.unclaimed().filter(|it| is_abandoned(it, at)).cloned().collect();
    for it in abandoned {
        let entry = AuditEntry::new(at, Actor::System, "account_abandoned");
        change.audit(entry.to(&it));
        change.remove_account(it.id);
    }
}
