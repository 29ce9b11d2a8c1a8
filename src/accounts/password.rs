//! Passwords: what is asked of them, and their hashes, worked out off the async threads.

use std::sync::{LazyLock, Mutex, PoisonError};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use super::{
    AccountError,
    turns::{Turn, Turns},
};
use crate::{config::AuthConfig, lifecycle::Lifecycle};

/// Fewest characters.
const FEWEST_CHARS: usize = 10;
/// Most bytes: more is no better, and costs.
const MOST_BYTES: usize = 512;
/// As many characters as are looked at for whether a password is common; that takes time.
const JUDGED_CHARS: usize = 64;
/// Most passwords that wait for their turn; further people are asked to try again.
const MOST_WAITING: usize = 128;

/// Hashes and compares passwords, a few at a time: each takes its memory and a core.
pub struct Passwords {
    life: Lifecycle,
    turns: Turns,
    /// What a password is compared with where there is no account, so that it takes as long.
    nobody: Mutex<Option<(Params, String)>>,
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password.
    Wrong,
    /// It is that password.
    Right,
    /// It is, and its hash was made with other costs than today's.
    RightButOld,
}

fn params(config: &AuthConfig) -> Params {
    Params::new(config.password_memory_kib, config.password_iterations, 1, None)
        .expect("the configuration allows no costs that Argon2 refuses")
}

fn hasher(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl Passwords {
    /// So many at a time.
    #[must_use]
    pub fn new(life: Lifecycle, parallel: usize) -> Self {
        Self { life, turns: Turns::new(parallel, MOST_WAITING), nobody: Mutex::default() }
    }

    /// Does `work` when it is its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let Turn { permit, place: _place } = self.turns.wait().await?;
        let task = self.life.spawn_background("passwords", move || {
            let done = work();
            drop(permit);
            done
        });
        // None when the thread could not be started, or panicked.
        task.await.ok().flatten().ok_or(AccountError::Busy)
    }

    /// The hash of a password that its owner chose, in PHC's form.
    ///
    /// # Errors
    /// [`AccountError::Invalid`] for one that is too short or common; [`AccountError::Busy`].
    pub async fn hash(
        &self,
        config: &AuthConfig,
        password: &str,
        about: &[&str],
    ) -> Result<String, AccountError> {
        judge_length(password)?;
        let params = params(config);
        let password = password.to_owned();
        let about: Vec<String> = about.iter().map(|it| (*it).to_owned()).collect();
        self.in_turn(move || {
            judge(&password, &about)?;
            Ok(hash_now(params, &password))
        })
        .await?
    }

    /// The hash of a password that was chosen before.
    ///
    /// # Errors
    /// [`AccountError::Busy`].
    pub async fn hash_known(
        &self,
        config: &AuthConfig,
        password: &str,
    ) -> Result<String, AccountError> {
        let (params, password) = (params(config), password.to_owned());
        self.in_turn(move || hash_now(params, &password)).await
    }

    /// Compares a password with a hash, or with nobody's, which takes as long and is never right.
    ///
    /// # Errors
    /// [`AccountError::Busy`].
    pub async fn verify(
        &self,
        config: &AuthConfig,
        hash: Option<&str>,
        password: &str,
    ) -> Result<Verdict, AccountError> {
        let params = params(config);
        let known = hash.is_some();
        // None that long was ever set. It is wrong, and takes as long to be.
        let fits = password.len() <= MOST_BYTES;
        let password = if fits { password.to_owned() } else { String::new() };
        // Also where it is not needed: whoever is first would wait longer for an address that is not known.
        let nobodys = self.nobodys(&params).await?;
        let hash = hash.map_or(nobodys, str::to_owned);
        let verdict = self
            .in_turn(move || {
                let Ok(parsed) = PasswordHash::new(&hash) else { return Verdict::Wrong };
                if hasher(params.clone()).verify_password(password.as_bytes(), &parsed).is_err() {
                    return Verdict::Wrong;
                }
                let same = Params::try_from(&parsed).is_ok_and(|it| {
                    (it.m_cost(), it.t_cost(), it.p_cost())
                        == (params.m_cost(), params.t_cost(), params.p_cost())
                });
                if same { Verdict::Right } else { Verdict::RightButOld }
            })
            .await?;
        Ok(if known && fits { verdict } else { Verdict::Wrong })
    }

    /// The hash of a password that nobody knows.
    async fn nobodys(&self, params: &Params) -> Result<String, AccountError> {
        let known = self.nobody.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, hash)) = known.filter(|it| it.0 == *params) {
            return Ok(hash);
        }
        let params = params.clone();
        let (params, hash) = self
            .in_turn(move || {
                let hash = hash_now(params.clone(), super::Secret::random().expose());
                (params, hash)
            })
            .await?;
        let made = Some((params, hash.clone()));
        *self.nobody.lock().unwrap_or_else(PoisonError::into_inner) = made;
        Ok(hash)
    }
}

fn hash_now(params: Params, password: &str) -> String {
    let hashed = hasher(params).hash_password(password.as_bytes());
    hashed.expect("costs and length are within Argon2's bounds").to_string()
}

fn judge_length(password: &str) -> Result<(), AccountError> {
    if password.chars().count() < FEWEST_CHARS {
        let text = format!("a password needs at least {FEWEST_CHARS} characters");
        return Err(AccountError::Invalid(text));
    }
    if password.len() > MOST_BYTES {
        return Err(AccountError::Invalid(format!("a password has at most {MOST_BYTES} bytes")));
    }
    Ok(())
}

/// Refuses what is tried first. No rule on which characters it is made of: length is what counts.
fn judge(password: &str, about: &[String]) -> Result<(), AccountError> {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| ["streamsuites", "overlay", "streamer"].map(str::to_owned).to_vec());
    let start: String = password.chars().take(JUDGED_CHARS).collect();
    let known: Vec<&str> = about.iter().chain(NAMES.iter()).map(String::as_str).collect();
    if zxcvbn::zxcvbn(&start, &known).guesses_log10() < 6.5 {
        return Err(AccountError::Invalid(
            "this password is among those that are tried first: take a few words that do not belong together"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn cheap() -> AuthConfig {
        AuthConfig { password_memory_kib: 8_192, password_iterations: 1, ..AuthConfig::default() }
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_its_hash_grows_old_with_the_costs() {
        let passwords = Passwords::new(Lifecycle::new(), 2);
        let hash = passwords.hash(&cheap(), "tender violet anvils", &[]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"), "{hash}");
        let verify = async |config: &AuthConfig, hash: Option<&str>, password: &str| {
            passwords.verify(config, hash, password).await.unwrap()
        };
        let dearer = AuthConfig { password_iterations: 2, ..cheap() };
        assert_eq!(verify(&cheap(), Some(&hash), "tender violet anvils").await, Verdict::Right);
        assert_eq!(
            verify(&dearer, Some(&hash), "tender violet anvils").await,
            Verdict::RightButOld
        );
        assert_eq!(verify(&cheap(), Some(&hash), "tender violet anvil").await, Verdict::Wrong);
        assert_eq!(verify(&cheap(), None, "tender violet anvils").await, Verdict::Wrong);
        assert_eq!(verify(&cheap(), Some("no hash"), "tender violet anvils").await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_password_longer_than_any_is_wrong_although_it_begins_right() {
        let passwords = Passwords::new(Lifecycle::new(), 2);
        let longest: String = "tender violet anvils ".repeat(40)[..MOST_BYTES].to_owned();
        let hash = passwords.hash(&cheap(), &longest, &[]).await.unwrap();
        let right = passwords.verify(&cheap(), Some(&hash), &longest).await.unwrap();
        assert_eq!(right, Verdict::Right);
        for longer in [format!("{longest}x"), longest.repeat(2)] {
            let verdict = passwords.verify(&cheap(), Some(&hash), &longer).await.unwrap();
            assert_eq!(verdict, Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn what_is_tried_first_is_refused_and_nothing_is_asked_of_the_letters() {
        let passwords = Passwords::new(Lifecycle::new(), 2);
        for bad in
            ["short", "passwordpassword", "1234567890", "qwertyuiop", "anastasia1", "aaaaaaaaaaaa"]
        {
            let hashed = passwords.hash(&cheap(), bad, &["anastasia"]).await;
            assert!(matches!(hashed, Err(AccountError::Invalid(_))), "{bad}");
        }
        for good in ["correct horse battery", "пароль из многих слов", "🦀🦀🦀 on a beach"]
        {
            passwords.hash(&cheap(), good, &[]).await.unwrap();
        }
        let long = "x y ".repeat(200);
        assert!(passwords.hash(&cheap(), &long, &[]).await.is_err());
    }

    #[tokio::test]
    async fn a_crowd_is_asked_to_try_again() {
        let passwords = Arc::new(Passwords::new(Lifecycle::new(), 1));
        let held = passwords.turns.wait().await.unwrap().permit;
        let tasks: Vec<_> = (0..MOST_WAITING)
            .map(|_| {
                let passwords = Arc::clone(&passwords);
                tokio::spawn(
                    async move { passwords.verify(&cheap(), Some("x"), "y").await.is_ok() },
                )
            })
            .collect();
        while passwords.turns.inside() < MOST_WAITING {
            tokio::task::yield_now().await;
        }
        let one_more = passwords.verify(&cheap(), Some("x"), "y").await;
        assert!(matches!(one_more, Err(AccountError::Busy)));
        drop(held);
        for task in tasks {
            assert!(task.await.unwrap());
        }
    }
}
