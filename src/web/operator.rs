//! Who operates this server: whoever holds its token, or came over the link printed at the start.

use std::{
    collections::HashMap,
    fs, io,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::overlay_keys::Standing;
use crate::{model::Timestamp, storage::open_private};

/// How long a sign-in holds.
const SESSION: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long one of the emergency admin holds.
const FALLBACK_SESSION: Duration = Duration::from_secs(3600);
/// Most sign-ins at once; the oldest makes room.
const MOST_SESSIONS: usize = 64;

/// Who may operate the server.
pub struct Operator {
    token: [u8; 32],
    /// The hash of the link's secret, until it is used.
    link: Mutex<Option<[u8; 32]>>,
    /// By the hashes of the cookies given out.
    sessions: Mutex<HashMap<[u8; 32], Opened>>,
}

/// A sign-in.
struct Opened {
    since: Instant,
    fallback: bool,
}

impl Opened {
    const fn lasts(&self) -> Duration {
        if self.fallback { FALLBACK_SESSION } else { SESSION }
    }

    fn is_open(&self) -> bool {
        self.since.elapsed() < self.lasts()
    }
}

impl Operator {
    /// With `token`, or without one that of `<data>/operator.token`, made when it is absent. Blocking.
    ///
    /// Only hashes are kept in memory.
    ///
    /// # Errors
    /// When the file can be neither read nor made.
    pub fn open(token: Option<&str>, data: &Path) -> io::Result<Self> {
        let token = match token {
            Some(it) => it.to_owned(),
            None => stored_secret(&data.join("operator.token"))?,
        };
        Ok(Self { token: hash(token.trim()), link: Mutex::default(), sessions: Mutex::default() })
    }

    /// A fresh secret for the sign-in link; an older one no longer works.
    pub fn new_link(&self) -> String {
        let secret = random_secret();
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash(&secret));
        secret
    }

    /// Uses the link's secret up: the cookie's value for the browser that brought it.
    pub fn use_link(&self, secret: &str) -> Option<String> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let known = (*link)?;
        if !bool::from(known.ct_eq(&hash(secret))) {
            return None;
        }
        *link = None;
        drop(link);
        Some(self.open_session(false))
    }

    /// Opens a sign-in of the emergency admin: the cookie's value.
    pub fn open_fallback(&self) -> String {
        self.open_session(true)
    }

    fn open_session(&self, fallback: bool) -> String {
        let cookie = random_secret();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, it| it.is_open());
        if sessions.len() >= MOST_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|it| it.1.since).map(|it| *it.0)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash(&cookie), Opened { since: Instant::now(), fallback });
        cookie
    }

    /// Whether it is the operator's token.
    #[must_use]
    pub fn is_token(&self, sent: &str) -> bool {
        self.token.ct_eq(&hash(sent)).into()
    }

    /// Whether a cookie is of a sign-in that is open: then whether it is the emergency admin's.
    #[must_use]
    pub fn find_session(&self, cookie: &str) -> Option<bool> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&hash(cookie)).filter(|it| it.is_open()).map(|it| it.fallback)
    }

    /// What is kept of a cookie, if it is of a sign-in that is open.
    #[must_use]
    pub fn find_hash(&self, cookie: &str) -> Option<[u8; 32]> {
        self.find_session(cookie).map(|_| hash(cookie))
    }

    /// How long a sign-in holds, by what is kept of its cookie.
    #[must_use]
    pub fn standing(&self, session: &[u8; 32], now: Timestamp) -> Standing {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        match sessions.get(session).filter(|it| it.is_open()) {
            Some(it) => {
                let left = it.lasts().saturating_sub(it.since.elapsed()).as_millis();
                Standing::Until(now.plus_ms(i64::try_from(left).unwrap_or(i64::MAX)))
            }
            None => Standing::Ended,
        }
    }

    /// Ends a sign-in; `false` when there was none.
    pub fn end_session(&self, cookie: &str) -> bool {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&hash(cookie)).is_some()
    }
}

/// 256 random bits for a URL.
fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// SHA-256.
fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The secret in `path`, made for the owner's eyes only when it is absent. Blocking.
///
/// # Errors
/// When the file can be neither read nor made.
pub fn stored_secret(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = random_secret();
    let mut file = open_private(path, true)?;
    io::Write::write_all(&mut file, secret.as_bytes())?;
    file.sync_all()?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_works_once_and_the_token_is_kept() {
        let data = tempfile::tempdir().unwrap();
        let operator = Operator::open(None, data.path()).unwrap();
        let link = operator.new_link();
        assert_eq!(operator.use_link("wrong"), None);
        let cookie = operator.use_link(&link).unwrap();
        assert_eq!(operator.use_link(&link), None);

        assert_eq!(operator.find_session("x"), None);
        assert_eq!(operator.find_session(&cookie), Some(false));
        assert_eq!(operator.find_session(&operator.open_fallback()), Some(true));
        assert!(operator.end_session(&cookie));
        assert_eq!(operator.find_session(&cookie), None);

        let token = fs::read_to_string(data.path().join("operator.token")).unwrap();
        let again = Operator::open(None, data.path()).unwrap();
        assert!(again.is_token(&token));
        assert!(!again.is_token("x"));
    }
}
