//! How much may be said within a minute.

use super::{LaneKey, NewMessage, Voice};
use crate::{
    config::Limited,
    model::{Platform, QualifiedId, Timestamp},
    quotas::RateLimits,
};

/// Counts a message on every platform where it is to be said; one that had too many within this minute has no voice.
///
/// # Errors
/// When none has one left: how long until one has again (ms).
pub fn count_message(
    limits: &RateLimits,
    new: &NewMessage,
    voices: &mut [(LaneKey, Voice)],
    now: Timestamp,
) -> Result<(), u64> {
    let answered = new.reply_to.as_ref().and_then(QualifiedId::platform);
    let is_wanted = |it: Platform| {
        let named = new.platforms.as_ref().is_none_or(|named| named.contains(&it));
        named && answered.is_none_or(|answered| answered == it)
    };
    let (mut said, mut longest_ms) = (false, None);
    for (key, voice) in voices.iter_mut().filter(|it| is_wanted(it.0.platform) && it.1.is_ok()) {
        match limits.take(Limited::ChatMessages, &key.creator, Some(key.platform), now) {
            Ok(()) => said = true,
            Err(wait_ms) => {
                longest_ms = longest_ms.max(Some(wait_ms));
                let seconds = wait_ms.div_ceil(1_000);
                *voice = Err(format!("too many messages within a minute: again in {seconds} s"));
            }
        }
    }
    longest_ms.filter(|_| !said).map_or(Ok(()), Err)
}
