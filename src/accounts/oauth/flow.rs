//! One attempt to sign in: what is kept here while the person is at the provider.

use std::{fmt, net::IpAddr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Provider;
use crate::accounts::AccountId;

/// One attempt to sign in with a provider, kept behind the `state` that travels. Shown, it tells no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// With whom.
    pub provider: Provider,
    /// What for.
    pub aim: Aim,
    /// Ask to use the provider's platform in the creator's name, too.
    pub with_platform: bool,
    /// The network that it was begun in, as far as that is known: those under way there make room for each other. Of
    /// an IPv6 address the first 48 bits, of which one customer can have all.
    #[serde(default)]
    network: Option<IpAddr>,
    /// The hash of the cookie of the browser that began it (Base64).
    browser: String,
    /// The secret of PKCE (RFC 7636).
    verifier: String,
    /// What the id_token must repeat.
    nonce: String,
}

/// What an attempt is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aim {
    /// To sign in, or up.
    SignIn,
    /// To add a way in to this account.
    Link(AccountId),
}

impl Flow {
    /// Begins one in the browser whose cookie is `browser`.
    #[must_use]
    pub fn new(provider: Provider, aim: Aim, with_platform: bool, browser: &str) -> Self {
        let (browser, verifier, nonce) = (hash(browser), random(), random());
        Self { provider, aim, with_platform, network: None, browser, verifier, nonce }
    }

    /// The same, begun at this address.
    #[must_use]
    pub fn begun_at(mut self, address: Option<IpAddr>) -> Self {
        self.network = address.map(site);
        self
    }

    /// The network that it was begun in.
    #[must_use]
    pub fn network(&self) -> Option<IpAddr> {
        self.network
    }

    /// Whether this is the browser it was begun in: anybody can be sent to a callback of somebody else's.
    #[must_use]
    pub fn is_of(&self, browser: &str) -> bool {
        self.browser.as_bytes().ct_eq(hash(browser).as_bytes()).into()
    }

    /// The hash of the verifier, as it travels through the browser (S256).
    pub(super) fn challenge(&self) -> String {
        hash(&self.verifier)
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("provider", &self.provider)
            .field("aim", &self.aim)
            .finish_non_exhaustive()
    }
}

/// The most of an address that one customer of a provider can have to himself: a /48 of IPv6, with 65,536 networks in
/// it.
fn site(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => {
            let [a, b, c, ..] = it.segments();
            IpAddr::V6([a, b, c, 0, 0, 0, 0, 0].into())
        }
        v4 => v4,
    }
}

/// 256 random bits, in Base64 for URLs.
fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// SHA-256, in Base64 for URLs.
fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_survives_being_kept_and_shows_no_secret() {
        let aim = Aim::Link(AccountId::random());
        let flow = Flow::new(Provider::Twitch, aim, true, "cookie");
        let kept = serde_json::to_string(&flow).unwrap();
        assert_eq!(serde_json::from_str::<Flow>(&kept).unwrap(), flow);
        let shown = format!("{flow:?}");
        assert!(!shown.contains(&flow.verifier) && !shown.contains(&flow.nonce), "{shown}");
        assert!(!kept.contains("cookie"));
    }

    #[test]
    fn only_the_browser_that_began_it_may_end_it() {
        let flow = Flow::new(Provider::Google, Aim::SignIn, false, "cookie");
        assert!(flow.is_of("cookie"));
        assert!(!flow.is_of("") && !flow.is_of("cooki") && !flow.is_of("cookie2"));
    }

    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        let mut flow = Flow::new(Provider::Google, Aim::SignIn, false, "cookie");
        assert!((43..=128).contains(&flow.verifier.len()));
        // RFC 7636, appendix B.
        flow.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert_eq!(flow.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
