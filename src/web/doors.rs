//! What let readers in, for as long as they are in: when a key is rotated away or a sign-in ends, what is open with it
//! is cut off at once.
//!
//! All that came in over the same credential share one door, so that an open socket costs a reference more and no
//! task. One task looks whether each door's credential still holds, by the same function that lets readers in: after
//! everything that may change it, and when its time is over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{Notify, broadcast::error::RecvError},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{AppState, access, overlay_keys::Standing};
use crate::{
    accounts::{Digest, Rights},
    model::{CreatorId, Timestamp},
};

/// Longest time without a look: who uses what is noted that often, and a clock that was set is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Doors that nobody stands in any more are forgotten once there are this many more than at the last time.
const SWEEP_AFTER: usize = 64;

/// What lets somebody in to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credential {
    /// Nothing: rooms are open.
    Open,
    /// The operator's token.
    Token,
    /// The operator's session, by the hash of its cookie.
    OperatorSession([u8; 32]),
    /// An overlay key of a room, by its serial.
    Key(CreatorId, u32),
    /// The sign-in of an account that may do so much in the room. With other rights its pages are others.
    SignIn(Digest, CreatorId, Rights),
    /// The token of such an account's program.
    Program(Digest, CreatorId, Rights),
}

/// Every credential that something is open with.
#[derive(Default)]
pub struct Doors {
    held: Mutex<Held>,
    asked: Notify,
}

#[derive(Default)]
struct Held {
    doors: HashMap<Credential, Weak<CancellationToken>>,
    /// How many there were when the unused were last forgotten.
    swept: usize,
}

/// Lets its holder stay for as long as the credential holds. Shared by all that came in over the same.
#[derive(Clone)]
pub struct Pass(Arc<CancellationToken>);

impl Pass {
    /// Whether its holder has to go.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until its holder has to go.
    pub async fn ended(&self) {
        self.0.cancelled().await;
    }
}

impl Doors {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass over this credential. Whether it still holds is to be asked behind this: what changes later is noticed.
    #[must_use]
    pub fn enter(&self, credential: Credential) -> Pass {
        let mut held = self.held();
        let open = held.doors.get(&credential).and_then(Weak::upgrade);
        if let Some(open) = open.filter(|it| !it.is_cancelled()) {
            return Pass(open);
        }
        if held.doors.len() > held.swept + SWEEP_AFTER {
            held.doors.retain(|_, it| it.strong_count() > 0);
            held.swept = held.doors.len();
        }
        let door = Arc::default();
        held.doors.insert(credential, Arc::downgrade(&door));
        drop(held);
        // It may end by itself.
        self.look_again();
        Pass(door)
    }

    /// How many hold a pass over this credential.
    #[must_use]
    pub fn count(&self, credential: &Credential) -> usize {
        self.held().doors.get(credential).map_or(0, Weak::strong_count)
    }

    /// To be said behind everything that may end a credential.
    pub fn look_again(&self) {
        self.asked.notify_one();
    }

    /// Shuts the doors whose credentials have ended. Whether there were any, and when the next one ends.
    fn look(&self, standing: impl Fn(&Credential) -> Standing) -> (bool, Option<Timestamp>) {
        let (mut shut, mut next) = (Vec::new(), None::<Timestamp>);
        self.held().doors.retain(|credential, door| {
            let Some(door) = door.upgrade() else { return false };
            match standing(credential) {
                Standing::Good => true,
                Standing::Until(end) => {
                    next = Some(next.map_or(end, |it| it.min(end)));
                    true
                }
                Standing::Ended => {
                    shut.push(door);
                    false
                }
            }
        });
        // Behind the lock: whoever waits for it may want to come in over something else.
        shut.iter().for_each(|it| it.cancel());
        (!shut.is_empty(), next)
    }

    /// What is in use.
    fn list(&self) -> Vec<Credential> {
        let held = self.held();
        let used = held.doors.iter().filter(|it| it.1.strong_count() > 0);
        used.map(|it| it.0.clone()).collect()
    }
}

/// Looks after the doors until the server stops.
pub async fn keep(state: AppState) {
    let (doors, stop) = (&state.doors, state.life.stop.clone());
    let (mut config, mut ended) = (state.config.clone(), state.accounts.ended());
    let mut noted = Instant::now();
    while !stop.is_cancelled() {
        let now = Timestamp::now();
        let (any, next) = doors.look(|it| access::standing(&state, it, now));
        if any {
            state.heartbeat.close_ended();
        }
        if noted.elapsed() >= LOOK_EVERY {
            note_uses(&state, now);
            noted = Instant::now();
        }
        let wait = next.map_or(LOOK_EVERY, |it| {
            let ms = u64::try_from(it.ms_since(Timestamp::now())).unwrap_or(0);
            LOOK_EVERY.min(Duration::from_millis(ms.max(1)))
        });
        let changed = async {
            if config.changed().await.is_err() {
                // Nobody changes it any more.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = doors.asked.notified() => {}
            () = changed => {}
            // Which, or that some were missed: all are looked at.
            told = ended.recv() => if told == Err(RecvError::Closed) { return },
            () = sleep(wait) => {}
        }
    }
    note_uses(&state, Timestamp::now());
}

/// Whoever has a page open uses what opened it, also without touching it.
fn note_uses(state: &AppState, now: Timestamp) {
    for credential in state.doors.list() {
        match credential {
            Credential::Key(room, serial) => state.keys.note_seen(&room, serial, now),
            Credential::SignIn(digest, ..) => {
                if let Some(session) = state.accounts.book().session(&digest) {
                    session.touch(state.accounts.now());
                }
            }
            Credential::Program(digest, ..) => {
                if let Some(token) = state.accounts.book().token(&digest) {
                    token.touch(state.accounts.now());
                }
            }
            Credential::Open | Credential::Token | Credential::OperatorSession(_) => {}
        }
    }
    state.keys.keep_seen();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_that_is_shut_is_shut_for_all_in_it_and_for_nobody_else() {
        let doors = Doors::default();
        let key = |serial| Credential::Key("ana".parse().unwrap(), serial);
        let (one, two, other) = (doors.enter(key(1)), doors.enter(key(1)), doors.enter(key(2)));
        assert_eq!(doors.count(&key(1)), 2);
        let end = Timestamp::now();
        let look = doors.look(|it| match it {
            Credential::Key(_, 1) => Standing::Ended,
            _ => Standing::Until(end),
        });
        assert_eq!(look, (true, Some(end)));
        assert!(one.has_ended() && two.has_ended() && !other.has_ended());
        assert_eq!(doors.count(&key(1)), 0);
        // Whoever comes later comes in over a door of its own.
        assert!(!doors.enter(key(1)).has_ended());
        drop(other);
        assert_eq!(doors.look(|_| Standing::Ended), (false, None), "nobody is in");
    }

    #[test]
    fn doors_that_nobody_uses_are_forgotten() {
        let doors = Doors::default();
        for serial in 0..10_000 {
            drop(doors.enter(Credential::Key("ana".parse().unwrap(), serial)));
        }
        assert!(doors.held().doors.len() <= 2 * SWEEP_AFTER);
    }
}
