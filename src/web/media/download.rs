//! The only way out: who may be asked, how much is read, and what an answer means.

use std::{error::Error, path::Path};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect};
use url::Url;

use super::{MediaError, cache::Origin, kind::find_kind};

/// Hosts of Twitch's pictures, besides the configured one.
const TWITCH_HOSTS: [&str; 2] = [".jtvnw.net", ".twitchcdn.net"];
/// Longest `ETag` that is kept (bytes).
const MAX_ETAG_BYTES: usize = 256;

/// Fetches pictures and answers of APIs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Download(Client);

/// What came of asking for a picture.
pub(super) enum Fetched {
    /// The picture.
    New { kind: &'static str, bytes: Bytes, origin: Origin },
    /// The copy that was named is still right.
    Unchanged,
}

impl Download {
    /// Trusts the authorities that browsers trust, and those in the PEM file `ca_file`.
    pub(super) fn new(ca_file: Option<&Path>) -> Self {
        let mut builder = Client::builder()
            .user_agent(concat!("StreamSuites/", env!("CARGO_PKG_VERSION")))
            // An allowed host must not be able to send us to one that is not.
            .redirect(redirect::Policy::none())
            // Pictures do not shrink, and what is not packed cannot swell.
            .no_gzip();
        #[cfg(test)] // The stand-in is on this machine, whatever proxy the environment names.
        {
            builder = builder.no_proxy();
        }
        if let Some(path) = ca_file {
            let found = std::fs::read(path).map_err(Box::<dyn Error>::from);
            match found.and_then(|it| Ok(reqwest::Certificate::from_pem_bundle(&it)?)) {
                Ok(found) => {
                    for certificate in found {
                        builder = builder.add_root_certificate(certificate);
                    }
                }
                Err(error) => {
                    tracing::warn!(file = %path.display(), error, "tls_ca_file cannot be used");
                }
            }
        }
        Self(builder.build().expect("everything it needs is compiled in"))
    }

    /// Starts a request to an API.
    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.0.get(url)
    }

    /// Starts a request to an API.
    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.0.post(url)
    }

    /// Fetches the picture at `url`, at most `max_bytes` of it, unless `known` is still right.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Refused` when it is no picture, too large, elsewhere or on a
    /// host that is not allowed, `Unavailable` otherwise.
    pub(super) async fn get_picture(
        &self,
        url: Url,
        cdn_url: &Url,
        known: Option<&Origin>,
        max_bytes: u64,
    ) -> Result<Fetched, MediaError> {
        if !is_allowed(&url, cdn_url) {
            tracing::warn!(host = url.host_str(), "a picture is on a host that is not allowed");
            return Err(MediaError::Refused);
        }
        let mut request = self.0.get(url.clone()).header(header::ACCEPT, "image/*");
        let known = known.filter(|it| it.url == url.as_str()).and_then(|it| it.etag.as_deref());
        if let Some(etag) = known {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = send(request).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Fetched::Unchanged),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::BAD_REQUEST => {
                return Err(MediaError::NotFound);
            }
            status if status.is_success() || status.is_redirection() => {
                return Err(MediaError::Refused);
            }
            _ => return Err(MediaError::Unavailable),
        }
        let etag = response.headers().get(header::ETAG).and_then(|it| it.to_str().ok());
        let etag = etag.filter(|it| it.len() <= MAX_ETAG_BYTES).map(str::to_owned);
        let bytes = read_body(response, max_bytes).await?;
        let kind = find_kind(&bytes).ok_or(MediaError::Refused)?;
        Ok(Fetched::New { kind, bytes, origin: Origin { url: url.into(), etag } })
    }
}

/// Sends a request; the cause of a failure is logged here, without the address.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, MediaError> {
    request.send().await.map_err(unavailable)
}

/// Reads a body of at most `max_bytes`; `Refused` for a larger one, which is not read to its end.
pub(super) async fn read_body(mut response: Response, max_bytes: u64) -> Result<Bytes, MediaError> {
    if response.content_length().is_some_and(|it| it > max_bytes) {
        return Err(MediaError::Refused);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(MediaError::Refused);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn unavailable(error: reqwest::Error) -> MediaError {
    let host = error.url().and_then(Url::host_str).unwrap_or_default().to_owned();
    let error = error.without_url();
    tracing::debug!(host, error = &error as &dyn Error, "a fetch failed");
    MediaError::Unavailable
}

/// Whether a picture may be fetched from `url`: from the configured origin, or over TLS from Twitch.
fn is_allowed(url: &Url, cdn_url: &Url) -> bool {
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let of_twitch = |host: &str| {
        Some(host) == cdn_url.host_str() || TWITCH_HOSTS.iter().any(|it| host.ends_with(it))
    };
    let on_twitch =
        url.scheme() == "https" && url.port().is_none() && url.domain().is_some_and(of_twitch);
    on_twitch || url.origin() == cdn_url.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platforms_hosts_are_asked_for_pictures() {
        let allowed =
            |url: &str, cdn: &str| is_allowed(&url.parse().unwrap(), &cdn.parse().unwrap());
        let (real, stand_in) = ("https://static-cdn.jtvnw.net", "http://127.0.0.1:4000/cdn");
        assert!(allowed("https://static-cdn.jtvnw.net/badges/v1/1", real));
        assert!(allowed("https://assets.twitchcdn.net/1", real));
        assert!(allowed("http://127.0.0.1:4000/1", stand_in));
        assert!(allowed("https://static-cdn.jtvnw.net/1", stand_in));
        for url in [
            "http://static-cdn.jtvnw.net/1",
            "https://static-cdn.jtvnw.net:8443/1",
            "https://user@static-cdn.jtvnw.net/1",
            "https://jtvnw.net.example.org/1",
            "https://eviljtvnw.net/1",
            "https://example.org/.jtvnw.net",
            "https://127.0.0.1/1",
            "http://127.0.0.1:4000/1",
            "http://[::1]/1",
            "file:///etc/passwd",
            "data:image/gif;base64,R0lGODlh",
        ] {
            assert!(!allowed(url, real), "{url}");
        }
        assert!(!allowed("http://127.0.0.1:4001/1", stand_in));
    }
}
