//! What is kept for others so that a stolen disk does not give it away: encrypted, and tied to its owner.
//!
//! A sealed text is `v1.<key id>.<nonce and words>`, both in URL-safe Base64. The key is made from the server's
//! secret key with HKDF-SHA256; its id tells which secret that was, so that one can be replaced while the old one
//! still opens what it closed. Words moved to another owner do not open: the owner is part of what is checked.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The form of a sealed text.
const VERSION: &str = "v1";
/// Length of a nonce (bytes): long enough to be random each time.
const NONCE_BYTES: usize = 24;
/// Length of a key's id (bytes).
const KEY_ID_BYTES: usize = 8;

/// A text that only this server reads. Shown, it is three dots.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Why a sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was closed under a secret key that is not set any more.
    #[error("it was sealed with another secret key: set that one as STREAMSUITES_SECRET_KEY_OLD")]
    UnknownKey,
    /// It was changed, cut, or belongs to somebody else.
    #[error("it is damaged, or was sealed for somebody else")]
    Damaged,
}

/// Seals with the newest secret key, and opens what older ones sealed.
pub struct Sealer {
    newest: Key,
    old: Vec<Key>,
}

struct Key {
    id: [u8; KEY_ID_BYTES],
    cipher: XChaCha20Poly1305,
}

impl Key {
    fn new(secret: &str) -> Self {
        let root = hmac(b"streamsuites", &[secret.trim().as_bytes()]);
        let key = hmac(&root, &[b"sealed v1 key", &[1]]);
        let id = hmac(&root, &[b"sealed v1 key id", &[1]]);
        let id = id[..KEY_ID_BYTES].try_into().expect("a hash is longer than an id");
        Self { id, cipher: XChaCha20Poly1305::new(&key.into()) }
    }
}

/// HMAC-SHA256; with the right parts, one step of HKDF (RFC 5869).
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any key is long enough");
    parts.iter().for_each(|it| mac.update(it));
    mac.finalize().into_bytes().into()
}

impl Sealer {
    /// With the server's secret key, and those it had before. Empty ones are passed over.
    pub fn new<'a>(secret: &str, old: impl IntoIterator<Item = &'a str>) -> Self {
        let newest = Key::new(secret);
        let old = old.into_iter().map(str::trim).filter(|it| !it.is_empty()).map(Key::new);
        let old = old.filter(|it| it.id != newest.id).collect();
        Self { newest, old }
    }

    /// Seals `words` for an owner, told in parts: an account and what of it, say.
    #[must_use]
    pub fn seal(&self, words: &[u8], owner: &[&str]) -> Sealed {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: words, aad: &bound(owner) };
        let sealed = self.newest.cipher.encrypt(&XNonce::from(nonce), payload);
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.expect("words in memory are shorter than the cipher's limit"));
        let (id, text) = (URL_SAFE_NO_PAD.encode(self.newest.id), URL_SAFE_NO_PAD.encode(bytes));
        Sealed(format!("{VERSION}.{id}.{text}"))
    }

    /// What was sealed for this owner.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, sealed: &Sealed, owner: &[&str]) -> Result<Vec<u8>, SealError> {
        let (id, bytes) = parts(sealed)?;
        let key = self.find_key(&id).ok_or(SealError::UnknownKey)?;
        let (nonce, words) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealError::Damaged)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::Damaged)?;
        let payload = Payload { msg: words, aad: &bound(owner) };
        key.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Damaged)
    }

    /// The same under the newest key; `None` when it is under that already.
    ///
    /// # Errors
    /// [`SealError`], when it does not open.
    pub fn reseal(&self, sealed: &Sealed, owner: &[&str]) -> Result<Option<Sealed>, SealError> {
        if parts(sealed)?.0 == self.newest.id {
            return Ok(None);
        }
        Ok(Some(self.seal(&self.open(sealed, owner)?, owner)))
    }

    fn find_key(&self, id: &[u8]) -> Option<&Key> {
        std::iter::once(&self.newest).chain(&self.old).find(|it| it.id == id)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

/// The id of a sealed text's key, and what it closes.
fn parts(sealed: &Sealed) -> Result<(Vec<u8>, Vec<u8>), SealError> {
    let decode = |it: &str| URL_SAFE_NO_PAD.decode(it).map_err(|_| SealError::Damaged);
    let mut parts = sealed.0.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(VERSION), Some(id), Some(text), None) => Ok((decode(id)?, decode(text)?)),
        _ => Err(SealError::Damaged),
    }
}

/// An owner as bytes: each part with its length before it, so that no two owners look alike.
fn bound(owner: &[&str]) -> Vec<u8> {
    let mut bytes = VERSION.as_bytes().to_vec();
    for part in owner {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: [&str; 2] = ["ana", "twitch"];

    #[test]
    fn what_was_sealed_opens_for_its_owner_alone() {
        let sealer = Sealer::new("key", []);
        let sealed = sealer.seal(b"hunter2", &ANA);
        assert_eq!(sealer.open(&sealed, &ANA).unwrap(), b"hunter2");
        for other in [["ben", "twitch"], ["ana", "google"], ["anat", "witch"], ["", "anatwitch"]] {
            assert_eq!(sealer.open(&sealed, &other), Err(SealError::Damaged), "{other:?}");
        }
        assert_eq!(sealer.open(&sealed, &["ana"]), Err(SealError::Damaged));
    }

    #[test]
    fn the_same_words_never_look_the_same_and_are_never_shown() {
        let sealer = Sealer::new("key", []);
        let (one, two) = (sealer.seal(b"hunter2", &ANA), sealer.seal(b"hunter2", &ANA));
        assert_ne!(one, two);
        let shown = format!("{one:?} {sealer:?} {}", serde_json::to_string(&one).unwrap());
        assert!(!shown.contains("hunter2") && !shown.contains("key"), "{shown}");
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let sealer = Sealer::new("key", []);
        let sealed = sealer.seal(b"hunter2", &ANA);
        let mut flipped = 0;
        for (at, byte) in sealed.0.bytes().enumerate() {
            for bit in 0..7 {
                let mut bytes = sealed.0.clone().into_bytes();
                bytes[at] = byte ^ (1 << bit);
                let changed = Sealed(String::from_utf8(bytes).unwrap());
                assert!(sealer.open(&changed, &ANA).is_err(), "byte {at}, bit {bit}");
                flipped += 1;
            }
        }
        assert_eq!(flipped, sealed.0.len() * 7);
    }

    #[test]
    fn a_text_cut_anywhere_does_not_open() {
        let sealer = Sealer::new("key", []);
        let sealed = sealer.seal(b"hunter2", &ANA);
        for end in 0..sealed.0.len() {
            assert!(sealer.open(&Sealed(sealed.0[..end].to_owned()), &ANA).is_err(), "{end}");
        }
    }

    #[test]
    fn a_replaced_key_opens_what_it_sealed_until_that_is_sealed_anew() {
        let (before, stranger) = (Sealer::new("first", []), Sealer::new("third", []));
        let old = before.seal(b"hunter2", &ANA);
        assert_eq!(before.reseal(&old, &ANA), Ok(None));
        assert_eq!(stranger.open(&old, &ANA), Err(SealError::UnknownKey));
        assert_eq!(stranger.reseal(&old, &ANA), Err(SealError::UnknownKey));

        let after = Sealer::new("second", ["", "first", "zeroth"]);
        assert_eq!(after.open(&old, &ANA).unwrap(), b"hunter2");
        let new = after.reseal(&old, &ANA).unwrap().expect("the key is another");
        assert_eq!(after.reseal(&new, &ANA), Ok(None));
        assert_eq!(Sealer::new("second", []).open(&new, &ANA).unwrap(), b"hunter2");
        assert_eq!(after.reseal(&old, &["ben", "twitch"]), Err(SealError::Damaged));
    }
}
