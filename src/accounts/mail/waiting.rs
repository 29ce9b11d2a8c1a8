//! What waits to be sent, wherever it is kept.

use std::future::Future;

use crate::{accounts::Mail, model::Timestamp};

/// What became of a mail could not be kept; in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WaitingError(pub String);

/// Mails that wait, kept over restarts.
pub trait Waiting: Send + Sync + 'static {
    /// The clock that mails are written by.
    fn now(&self) -> Timestamp;

    /// All of them, the oldest first.
    fn list(&self) -> Vec<Mail>;

    /// Returns once there may be another one, since this was last asked.
    fn changed(&self) -> impl Future<Output = ()> + Send;

    /// It was taken: it is forgotten, and what Resend calls it is audited.
    ///
    /// # Errors
    /// When that cannot be kept.
    fn done(
        &self,
        mail: &Mail,
        message_id: Option<&str>,
    ) -> impl Future<Output = Result<(), WaitingError>> + Send;

    /// It was not taken, and is to be tried again, not before `at`.
    ///
    /// # Errors
    /// When that cannot be kept.
    fn again(
        &self,
        mail: &Mail,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), WaitingError>> + Send;

    /// It will not be sent: it is forgotten, and the reason is audited.
    ///
    /// # Errors
    /// When that cannot be kept.
    fn gave_up(
        &self,
        mail: &Mail,
        reason: &str,
    ) -> impl Future<Output = Result<(), WaitingError>> + Send;
}
