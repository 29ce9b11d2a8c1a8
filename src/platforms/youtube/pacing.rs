//! Which way a chat is read, and how often: pure decisions from what is left and what works.

use std::time::Duration;

use super::{api_chat::SHORTEST_PAUSE, data_api::cost};
use crate::{
    config::platforms::YoutubeReading,
    model::Timestamp,
    quotas::{Snapshot, Standing},
};

/// Kept back for what is not foreseen: looking for the stream, its viewers (units).
const RESERVE_UNITS: u64 = 60;

/// A way to read a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primary {
    /// As the site does, without a key.
    Site,
    /// With the Data API.
    Api,
}

/// What is known when the way is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// What the configuration asks for.
    pub reading: YoutubeReading,
    /// Whether there is a key that is accepted.
    pub has_key: bool,
    /// What is left of its quota.
    pub standing: Standing,
    /// The site fails, and it is too early to try it again.
    pub site_down: bool,
    /// The same of the Data API.
    pub api_down: bool,
}

/// The way to read: the Data API while its quota is ample, then the site, and each for the other.
#[must_use]
pub fn choose(it: Situation) -> Primary {
    match it.reading {
        YoutubeReading::InnerTube => Primary::Site,
        YoutubeReading::DataApi => Primary::Api,
        YoutubeReading::Auto if !it.has_key => Primary::Site,
        YoutubeReading::Auto => match it.standing {
            Standing::Free if it.api_down && !it.site_down => Primary::Site,
            Standing::Free => Primary::Api,
            Standing::Buffer if it.site_down && !it.api_down => Primary::Api,
            Standing::Buffer | Standing::Spent => Primary::Site,
        },
    }
}

/// The pause before the next look with the Data API.
///
/// `asked` is the platform's. Where the site takes over once the quota is no longer ample (`relieved`), it is
/// taken as it is; else it grows so that what is left lasts until the reset, shared by `sharers`.
#[must_use]
pub fn api_pause(
    asked: Duration,
    snapshot: &Snapshot,
    now: Timestamp,
    sharers: usize,
    relieved: bool,
) -> Duration {
    let least = asked.max(SHORTEST_PAUSE);
    if relieved && snapshot.standing != Standing::Spent {
        return least;
    }
    least.max(lasting_pause(snapshot, now, sharers))
}

/// The pause at which what is left lasts until the reset.
#[must_use]
pub fn lasting_pause(snapshot: &Snapshot, now: Timestamp, sharers: usize) -> Duration {
    let until_reset = snapshot.resets_at.ms_since(now).max(0).unsigned_abs();
    let left = u64::from(snapshot.daily_units).saturating_sub(snapshot.used + RESERVE_UNITS);
    let calls = left / u64::from(cost::CHAT) / sharers.max(1) as u64;
    Duration::from_millis(until_reset / (calls + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CreatorId, Platform};

    fn snapshot(used: u64, standing: Standing) -> Snapshot {
        Snapshot {
            creator: "ana".parse::<CreatorId>().unwrap(),
            platform: Platform::Youtube,
            pool: None,
            day: "2026-11-24".to_owned(),
            used,
            daily_units: 10_000,
            buffer_units: 2_000,
            standing,
            resets_at: Timestamp::parse("2026-11-25T08:00:00Z").unwrap(),
            spent_until: None,
            lasts_until: None,
        }
    }

    #[test]
    fn the_quota_decides_and_each_way_stands_in_for_the_other() {
        let usual = Situation {
            reading: YoutubeReading::Auto,
            has_key: true,
            standing: Standing::Free,
            site_down: false,
            api_down: false,
        };
        assert_eq!(choose(usual), Primary::Api);
        assert_eq!(choose(Situation { has_key: false, ..usual }), Primary::Site);
        assert_eq!(choose(Situation { api_down: true, ..usual }), Primary::Site);
        assert_eq!(choose(Situation { api_down: true, site_down: true, ..usual }), Primary::Api);
        let low = Situation { standing: Standing::Buffer, ..usual };
        assert_eq!(choose(low), Primary::Site);
        assert_eq!(choose(Situation { site_down: true, ..low }), Primary::Api);
        assert_eq!(choose(Situation { site_down: true, api_down: true, ..low }), Primary::Site);
        let spent = Situation { standing: Standing::Spent, site_down: true, ..usual };
        assert_eq!(choose(spent), Primary::Site, "there is nothing to spend");
        let alone = Situation { reading: YoutubeReading::DataApi, ..spent };
        assert_eq!(choose(alone), Primary::Api);
    }

    #[test]
    fn what_is_left_lasts_until_the_reset_however_many_share_it() {
        let now = Timestamp::parse("2026-11-24T20:00:00Z").unwrap();
        let asked = Duration::from_secs(3);
        let ample = snapshot(0, Standing::Free);
        assert_eq!(api_pause(asked, &ample, now, 1, true), asked);
        assert_eq!(api_pause(Duration::ZERO, &ample, now, 1, true), SHORTEST_PAUSE);
        let alone = api_pause(asked, &ample, now, 1, false);
        assert!((21..=22).contains(&alone.as_secs()), "{alone:?}");
        let shared = api_pause(asked, &ample, now, 4, false);
        assert!((86..=88).contains(&shared.as_secs()), "{shared:?}");
        let end = Timestamp::parse("2026-11-25T07:59:00Z").unwrap();
        assert_eq!(api_pause(asked, &ample, end, 1, false), asked, "never faster than asked");
        let spent = snapshot(10_000, Standing::Spent);
        assert_eq!(lasting_pause(&spent, now, 1), Duration::from_secs(12 * 3_600));
    }
}
