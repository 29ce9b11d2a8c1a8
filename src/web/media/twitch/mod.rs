//! Where Twitch keeps its pictures.

pub(super) mod badges;
mod helix;
mod token;

use url::Url;

use super::MediaError;
use crate::config::{Config, HttpUrl};

/// Sizes of an emote, largest first.
pub(super) const EMOTE_SIZES: [&str; 3] = ["3.0", "2.0", "1.0"];

/// The address of an emote in one of [`EMOTE_SIZES`].
pub(super) fn emote_url(
    cdn_url: &HttpUrl,
    id: &str,
    still: bool,
    size: &str,
) -> Result<Url, MediaError> {
    let format = if still { "static" } else { "default" };
    let id = id.replace('/', "%2F"); // The one character of an id that would end a segment.
    address(cdn_url, &format!("/emoticons/v2/{id}/{format}/dark/{size}"))
}

/// `path` under a configured address.
fn address(base: &HttpUrl, path: &str) -> Result<Url, MediaError> {
    // Cannot fail: the base was checked when it was read. If it does, nothing can be fetched.
    Url::parse(&format!("{base}{path}")).map_err(|_| MediaError::Unavailable)
}

/// Twitch's API, as one application reaches it.
pub(super) struct Access<'a> {
    helix_url: &'a HttpUrl,
    id_url: &'a HttpUrl,
    client_id: &'a str,
    client_secret: &'a str,
}

impl<'a> Access<'a> {
    /// The server's application, else that of the first creator who has one; badges are public, so any
    /// will do. `None` when nobody has one.
    pub(super) fn find(config: &'a Config) -> Option<Self> {
        let secrets = &config.secrets;
        let of_creators = config.creators.creators.iter().map(|it| it.env_suffix());
        let mut suffixes = std::iter::once(String::new()).chain(of_creators);
        let (client_id, client_secret) = suffixes.find_map(|it| {
            Some((secrets.twitch_client_id(&it)?, secrets.twitch_client_secret(&it)?))
        })?;
        let twitch = &config.platforms.twitch;
        let (helix_url, id_url) = (&twitch.helix_url, &twitch.id_url);
        Some(Self { helix_url, id_url, client_id, client_secret })
    }
}
