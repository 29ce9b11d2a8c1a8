//! One fetch per picture, however many ask for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::{Image, MediaError};

/// Most pictures that are fetched or wait to be fetched (count).
const MAX_FLIGHTS: usize = 1024;

/// How a fetch ended.
pub(super) type Outcome = Result<Image, MediaError>;

/// The fetches under way, by key.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, Ticket>>);

/// Waits for the end of a fetch.
#[derive(Clone)]
pub(super) struct Ticket(watch::Receiver<Option<Outcome>>);

/// The duty of the first asker: to fetch, and to tell all others.
pub(super) struct Flight {
    flights: Arc<Flights>,
    key: String,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Flights {
    /// A ticket for `key`, and the flight itself for who asks first.
    ///
    /// # Errors
    /// `Unavailable` when too many are under way.
    pub(super) fn join(
        self: &Arc<Self>,
        key: &str,
    ) -> Result<(Ticket, Option<Flight>), MediaError> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ticket) = under_way.get(key) {
            return Ok((ticket.clone(), None));
        }
        if under_way.len() >= MAX_FLIGHTS {
            return Err(MediaError::Unavailable);
        }
        let (outcome, ticket) = watch::channel(None);
        let ticket = Ticket(ticket);
        under_way.insert(key.to_owned(), ticket.clone());
        Ok((ticket, Some(Flight { flights: self.clone(), key: key.to_owned(), outcome })))
    }

    /// Returns once all that is under way now has ended.
    #[cfg(test)]
    pub(super) async fn settle(&self) {
        let tickets: Vec<Ticket> = self.0.lock().unwrap().values().cloned().collect();
        for ticket in tickets {
            let _ = ticket.outcome().await; // Only its end matters here.
        }
    }
}

impl Ticket {
    /// How the fetch ended; `Unavailable` when it was given up.
    pub(super) async fn outcome(mut self) -> Outcome {
        let ended = self.0.wait_for(Option::is_some).await;
        ended.ok().and_then(|it| it.clone()).unwrap_or(Err(MediaError::Unavailable))
    }
}

impl Flight {
    /// Tells everyone who waits.
    pub(super) fn land(self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Also after a panic: the next asker tries anew instead of waiting for nobody.
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flight_that_is_given_up_leaves_nobody_waiting() {
        let flights = Arc::new(Flights::default());
        let (first, flight) = flights.join("a").unwrap();
        let (second, none) = flights.join("a").unwrap();
        assert!(none.is_none());
        drop(flight);
        assert_eq!(first.outcome().await, Err(MediaError::Unavailable));
        assert_eq!(second.outcome().await, Err(MediaError::Unavailable));
        assert!(flights.join("a").unwrap().1.is_some());
    }

    #[test]
    fn the_number_of_flights_is_bounded() {
        let flights = Arc::new(Flights::default());
        let held: Vec<_> =
            (0..MAX_FLIGHTS).map(|it| flights.join(&it.to_string()).unwrap()).collect();
        assert!(matches!(flights.join("one more"), Err(MediaError::Unavailable)));
        assert!(flights.join("0").unwrap().1.is_none());
        drop(held);
        assert!(flights.join("one more").unwrap().1.is_some());
    }
}
