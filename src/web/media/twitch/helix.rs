//! Twitch's API, as far as badges need it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{StatusCode, header};
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Access, address,
    token::{Token, Tokens},
};
use crate::web::media::{
    MediaError,
    download::{Download, read_body, send},
};

/// Largest list of badges that is read (bytes).
const MAX_LIST_BYTES: u64 = 4_194_304;
/// After a failure, nothing is asked for this long.
const REST: Duration = Duration::from_secs(60);

/// The pictures of all versions of all badges of a channel, or of those all channels have.
#[derive(Debug, Default, PartialEq)]
pub(super) struct BadgeUrls(HashMap<String, HashMap<String, String>>);

impl BadgeUrls {
    /// The address of the largest picture, as Twitch told it.
    pub(super) fn find(&self, set: &str, version: &str) -> Option<&str> {
        self.0.get(set)?.get(version).map(String::as_str)
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<BadgeSet>,
}

#[derive(Deserialize)]
struct BadgeSet {
    set_id: String,
    versions: Vec<BadgeVersion>,
}

#[derive(Deserialize)]
struct BadgeVersion {
    id: String,
    image_url_4x: Option<String>,
    image_url_2x: Option<String>,
    image_url_1x: Option<String>,
}

impl From<Answer> for BadgeUrls {
    fn from(answer: Answer) -> Self {
        let version = |it: BadgeVersion| {
            Some((it.id, it.image_url_4x.or(it.image_url_2x).or(it.image_url_1x)?))
        };
        let set = |it: BadgeSet| (it.set_id, it.versions.into_iter().filter_map(version).collect());
        Self(answer.data.into_iter().map(set).collect())
    }
}

/// Twitch's API, which is left alone for a while after it failed.
#[derive(Default)]
pub(super) struct Helix {
    tokens: Tokens,
    rests_until: Mutex<Option<Instant>>,
}

impl Helix {
    /// The badges of the channel `room_id`, or those that all channels have.
    ///
    /// A channel that Twitch does not know has none.
    ///
    /// # Errors
    /// `Unavailable` when Twitch fails, or has failed lately.
    pub(super) async fn list_badges(
        &self,
        download: &Download,
        access: &Access<'_>,
        room_id: Option<&str>,
    ) -> Result<BadgeUrls, MediaError> {
        let rests_until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests_until.is_some_and(|it| it > Instant::now()) {
            return Err(MediaError::Unavailable);
        }
        // Counted as failed until it has an answer: who gives up waiting has also seen a failure.
        let mut attempt = Attempt { helix: self, succeeded: false };
        let answer = self.request_badges(download, access, room_id).await;
        attempt.succeeded = answer.is_ok();
        answer.map_err(|_| MediaError::Unavailable)
    }

    async fn request_badges(
        &self,
        download: &Download,
        access: &Access<'_>,
        room_id: Option<&str>,
    ) -> Result<BadgeUrls, MediaError> {
        let url = match room_id {
            Some(id) => {
                let mut url = address(access.helix_url, "/chat/badges")?;
                url.query_pairs_mut().append_pair("broadcaster_id", id);
                url
            }
            None => address(access.helix_url, "/chat/badges/global")?,
        };
        let request = |token: &Token| {
            download
                .get(url.clone())
                .header("client-id", access.client_id)
                .header(header::AUTHORIZATION, token.bearer())
        };
        let token = self.tokens.find(download, access, None).await?;
        let mut response = send(request(&token)).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // Tokens end early when their application's secret changes.
            let token = self.tokens.find(download, access, Some(&token)).await?;
            response = send(request(&token)).await?;
        }
        match response.status() {
            StatusCode::OK => {
                let body = read_body(response, MAX_LIST_BYTES).await?;
                let answer = serde_json::from_slice::<Answer>(&body);
                answer.map(BadgeUrls::from).map_err(|_| MediaError::Unavailable)
            }
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND if room_id.is_some() => {
                Ok(BadgeUrls::default())
            }
            status => {
                tracing::warn!(status = status.as_u16(), "Twitch does not list its badges");
                Err(MediaError::Unavailable)
            }
        }
    }
}

/// Starts a rest when it ends without success.
struct Attempt<'a> {
    helix: &'a Helix,
    succeeded: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.succeeded {
            let mut rests_until =
                self.helix.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
            *rests_until = Some(Instant::now() + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_picture_of_every_version_is_taken() {
        let text = r#"{"data": [{"set_id": "vip", "extra": 1, "versions": [
            {"id": "1", "image_url_1x": "one", "image_url_2x": "two", "image_url_4x": "four"},
            {"id": "2", "image_url_2x": "two", "image_url_4x": null},
            {"id": "3"}
        ]}]}"#;
        let urls = BadgeUrls::from(serde_json::from_str::<Answer>(text).unwrap());
        assert_eq!(urls.find("vip", "1"), Some("four"));
        assert_eq!(urls.find("vip", "2"), Some("two"));
        assert_eq!(urls.find("vip", "3"), None);
        assert_eq!(urls.find("mod", "1"), None);
    }

    #[test]
    #[allow(clippy::print_stderr)] // Says that it was skipped.
    fn the_documented_answers_are_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/captures/twitch-helix");
        for (name, set) in [("global", "vip"), ("channel", "subscriber")] {
            let path = folder.join(format!("get-{name}-chat-badges--twitch-api-crate.json"));
            let Ok(text) = std::fs::read(&path) else {
                eprintln!("skipped: no {}", path.display());
                return;
            };
            let urls = BadgeUrls::from(serde_json::from_slice::<Answer>(&text).unwrap());
            assert!(!urls.0[set].is_empty());
        }
    }
}
