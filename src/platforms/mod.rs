//! Reading the platforms: one supervised worker per channel, started while somebody needs it.

pub mod absence;
pub mod backoff;
pub mod emotes;
pub mod gate;
pub mod ingest;
pub mod kick;
pub mod listeners;
pub mod liveness;
pub mod memory;
pub mod moderating;
pub mod pilled;
mod plan;
pub mod pronouns;
pub mod readers;
pub mod recording;
pub mod rumble;
pub mod secret;
pub mod sending;
pub mod socket;
pub mod supervise;
pub mod twitch;
pub mod voices;
pub mod youtube;

use std::{borrow::Cow, future::Future};

use tokio_util::sync::CancellationToken;

use crate::http::HttpError;

pub use emotes::Emotes;
pub use ingest::{Ingest, Inlet, Raw, Sink, Source};
pub use listeners::{Demand, Listeners};
pub use liveness::Liveness;
pub use memory::Memory;
pub use pronouns::Pronouns;
pub use readers::Readers;
pub use secret::Secret;
pub use voices::Voices;

/// Reads one channel of one platform for one creator. Used once: a retry makes a fresh one.
pub trait PlatformWorker: Send {
    /// Connects and feeds `ingest` until the chat ends, something fails, or `stop` fires.
    fn run(
        self,
        ingest: &mut Ingest,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send;
}

/// Why a worker ended before it was told to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Worth another try after a pause.
    #[error("{0}")]
    Transient(Cow<'static, str>),
    /// Wrong until the configuration or the platform's mind changes: not tried again.
    #[error("{0}")]
    Permanent(Cow<'static, str>),
    /// A defect of ours, confined to this worker.
    #[error("the worker failed inside and was restarted")]
    Panicked,
}

impl WorkerError {
    /// Worth another try.
    pub fn transient(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Transient(detail.into())
    }

    /// Not worth another try.
    pub fn permanent(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Permanent(detail.into())
    }

    /// Whether trying again is pointless.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent(_))
    }

    /// A stable word for the kind, for telemetry.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Transient(_) => "transient",
            Self::Permanent(_) => "permanent",
            Self::Panicked => "panicked",
        }
    }
}

/// A call that brought no answer is worth another try, whatever the reason: a file of authorities may be
/// put right while the worker waits.
impl From<HttpError> for WorkerError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Way(words) | HttpError::Unreached(words) | HttpError::Unanswered(words) => {
                Self::Transient(words)
            }
        }
    }
}
