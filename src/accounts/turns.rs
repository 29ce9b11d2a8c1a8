//! Whose turn it is: people who wait for what only a few can have at a time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::AccountError;

/// Turns at something, and a queue of limited length before it. They wait here and not on a thread: those are needed
/// for chat, too.
pub(super) struct Turns {
    turns: Arc<Semaphore>,
    /// Those who wait, and those whose turn it is.
    inside: AtomicUsize,
    most_inside: usize,
}

/// A turn.
pub(super) struct Turn<'a> {
    pub(super) place: Place<'a>,
    /// It may go along into a task: whoever hangs up does not free it while the work goes on.
    pub(super) permit: OwnedSemaphorePermit,
}

/// The place of somebody who waits, or whose turn it is.
pub(super) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turns {
    /// So many at a time, and at most so many inside in all.
    pub(super) fn new(parallel: usize, most_inside: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(parallel)), inside: AtomicUsize::new(0), most_inside }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`AccountError::Busy`] when too many are inside.
    pub(super) async fn wait(&self) -> Result<Turn<'_>, AccountError> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let place = Place(&self.inside);
        if before >= self.most_inside {
            return Err(AccountError::Busy);
        }
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        Ok(Turn { permit: permit.map_err(|_| AccountError::Busy)?, place })
    }

    #[cfg(test)]
    pub(super) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_goes_along_with_the_work_and_a_place_is_free_again_whoever_hangs_up() {
        let turns = Turns::new(1, 2);
        let held = turns.wait().await.unwrap().permit;
        assert_eq!(turns.inside(), 0);
        {
            let mut first = Box::pin(turns.wait());
            let mut second = Box::pin(turns.wait());
            assert!(futures_util::poll!(&mut first).is_pending());
            assert!(futures_util::poll!(&mut second).is_pending());
            assert!(matches!(turns.wait().await, Err(AccountError::Busy)));
            assert_eq!(turns.inside(), 2);
        }
        assert_eq!(turns.inside(), 0);
        drop(held);
        assert!(turns.wait().await.is_ok());
    }
}
