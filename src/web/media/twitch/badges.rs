//! Which picture a badge has in a channel: the channel's own, else the one of all channels.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    Access,
    helix::{BadgeUrls, Helix},
};
use crate::web::media::{MediaError, download::Download};

/// Most channels whose badges are known (count).
const MAX_ROOMS: usize = 512;
/// How long a list of badges is used.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// The badges of channels, as Twitch told them.
#[derive(Default)]
pub(in crate::web::media) struct Badges {
    helix: Helix,
    of_all: Arc<Slot>,
    of_rooms: std::sync::Mutex<Rooms>,
}

/// One list. Held across the request for it, so that many askers cause one request.
#[derive(Default)]
struct Slot(Mutex<Option<Known>>);

struct Known {
    urls: Arc<BadgeUrls>,
    since: Instant,
}

/// The lists of channels, with the turn of their last use.
#[derive(Default)]
struct Rooms {
    slots: HashMap<String, (u64, Arc<Slot>)>,
    turn: u64,
}

impl Rooms {
    /// The list of a channel; when there are too many, the one used longest ago is forgotten.
    fn slot(&mut self, room_id: &str) -> Arc<Slot> {
        self.turn += 1;
        if let Some((turn, slot)) = self.slots.get_mut(room_id) {
            *turn = self.turn;
            return slot.clone();
        }
        if self.slots.len() >= MAX_ROOMS {
            let oldest = self.slots.iter().min_by_key(|(_, (turn, _))| *turn);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.slots.remove(&oldest);
            }
        }
        let slot = Arc::<Slot>::default();
        self.slots.insert(room_id.to_owned(), (self.turn, slot.clone()));
        slot
    }
}

impl Badges {
    /// Where the picture of a badge is; not yet checked against the hosts that are allowed.
    ///
    /// # Errors
    /// `NotFound` when neither the channel nor Twitch has such a badge, `Unavailable` when Twitch does
    /// not tell.
    pub(in crate::web::media) async fn find_url(
        &self,
        download: &Download,
        access: &Access<'_>,
        (room_id, set, version): (&str, &str, &str),
    ) -> Result<Url, MediaError> {
        let of_room = {
            let mut rooms = self.of_rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.slot(room_id)
        };
        // Unless the channel's list is known to lack it, the one of all channels may be the wrong one.
        let urls = self.list(&of_room, download, access, Some(room_id)).await?;
        if let Some(url) = urls.find(set, version) {
            return Url::parse(url).map_err(|_| MediaError::Refused);
        }
        let urls = self.list(&self.of_all, download, access, None).await?;
        let url = urls.find(set, version).ok_or(MediaError::NotFound)?;
        Url::parse(url).map_err(|_| MediaError::Refused)
    }

    async fn list(
        &self,
        slot: &Slot,
        download: &Download,
        access: &Access<'_>,
        room_id: Option<&str>,
    ) -> Result<Arc<BadgeUrls>, MediaError> {
        let mut known = slot.0.lock().await;
        if let Some(known) = known.as_ref().filter(|it| it.since.elapsed() < KNOWN_FOR) {
            return Ok(known.urls.clone());
        }
        match (self.helix.list_badges(download, access, room_id).await, known.as_ref()) {
            (Ok(urls), _) => {
                let urls = Arc::new(urls);
                *known = Some(Known { urls: urls.clone(), since: Instant::now() });
                Ok(urls)
            }
            // Badges change rarely: an old list is better than none.
            (Err(_), Some(old)) => Ok(old.urls.clone()),
            (Err(error), None) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_channels_is_bounded_and_the_ones_in_use_stay() {
        let mut rooms = Rooms::default();
        let first = rooms.slot("first");
        for number in 0..MAX_ROOMS {
            rooms.slot(&number.to_string());
            assert!(Arc::ptr_eq(&rooms.slot("first"), &first));
        }
        assert_eq!(rooms.slots.len(), MAX_ROOMS);
        assert!(!rooms.slots.contains_key("0"));
    }
}
