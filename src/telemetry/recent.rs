//! The newest events and errors of the runtime itself, bounded.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use crate::model::Timestamp;

/// Most entries kept of each kind; older ones are forgotten.
pub const MOST_KEPT: usize = 200;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// For the record.
    Info,
    /// Should be looked at.
    Warning,
    /// Something does not work.
    Error,
}

impl Severity {
    /// The word used in exports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that happened in the runtime. Never chat text, tokens or addresses.
#[derive(Debug, Clone)]
pub struct RecentEvent {
    /// When.
    pub at: Timestamp,
    /// Which part of the runtime, e.g. `twitch` or `config`.
    pub source: String,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
}

/// Something that failed in the runtime. Never chat text, tokens or addresses.
#[derive(Debug, Clone)]
pub struct RecentError {
    /// When.
    pub at: Timestamp,
    /// Which module, e.g. `platforms`.
    pub subsystem: &'static str,
    /// A stable word for the kind, e.g. `unreachable`.
    pub error_type: &'static str,
    /// What it concerns, e.g. a channel or a file.
    pub source: String,
    /// One sentence.
    pub message: String,
}

/// The newest events and errors.
#[derive(Default)]
pub struct Recent {
    events: Mutex<VecDeque<RecentEvent>>,
    errors: Mutex<VecDeque<RecentError>>,
}

impl Recent {
    /// Notes that something happened.
    pub fn event(&self, severity: Severity, source: impl Into<String>, message: impl Into<String>) {
        let (source, message) = (source.into(), message.into());
        push(&self.events, RecentEvent { at: Timestamp::now(), source, severity, message });
    }

    /// Notes that something failed.
    pub fn error(
        &self,
        subsystem: &'static str,
        error_type: &'static str,
        source: impl Into<String>,
        message: impl Into<String>,
    ) {
        let (source, message) = (source.into(), message.into());
        let at = Timestamp::now();
        push(&self.errors, RecentError { at, subsystem, error_type, source, message });
    }

    /// Events, newest last.
    pub fn list_events(&self) -> Vec<RecentEvent> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Errors, newest last.
    pub fn list_errors(&self) -> Vec<RecentError> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn push<T>(list: &Mutex<VecDeque<T>>, item: T) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    if list.len() == MOST_KEPT {
        list.pop_front();
    }
    list.push_back(item);
}
