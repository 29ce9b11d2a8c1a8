//! Youtube's chat, as the feed understands it.

use super::{NormalizeError, Reading};
use crate::{model::Timestamp, platforms::youtube::Item};

/// Reads one channel.
#[derive(Debug)]
pub struct YoutubeNormalizer;

impl YoutubeNormalizer {
    /// For the channel of this name.
    #[must_use]
    pub fn new(_channel: &str) -> Self {
        Self
    }

    /// Turns what came into what the feed carries.
    ///
    /// # Errors
    /// When it lacks what cannot be invented: count it and go on.
    pub fn normalize(
        &mut self,
        _raw: &Item,
        _received_at: Timestamp,
        _readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        Ok(())
    }
}
