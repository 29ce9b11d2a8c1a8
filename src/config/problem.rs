//! What is wrong with a configuration, said so that it can be put right.

use std::fmt;

/// One mistake: where it stands and what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as opened, or `environment`, or the flag (`--listen`).
    pub file: String,
    /// The JSON pointer inside the file (`/feed/ring_events`) or the variable's name; empty for the whole.
    pub path: String,
    /// What is wrong there: lower-case, no full stop, never the value of a secret.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(
        file: impl Into<String>,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, path, message } = self;
        if path.is_empty() {
            write!(f, "{file}: {message}")
        } else {
            write!(f, "{file}: {path}: {message}")
        }
    }
}

/// Every problem of a configuration, sorted by file, then path. Never empty. One per line when shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<Problem>);

impl ConfigErrors {
    /// `Ok(value)` if there are no `problems`, else all of them, sorted and each once.
    pub(super) fn unless_empty<T>(value: T, mut problems: Vec<Problem>) -> Result<T, Self> {
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort();
        problems.dedup();
        Err(Self(problems))
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
