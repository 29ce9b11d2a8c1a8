//! A mail with everything that its reader sees.

use std::fmt;

use askama::Template;
use uuid::Uuid;

use super::{
    one_line,
    words::{Words, words},
};
use crate::{
    accounts::{Email, Letter, Mail},
    model::Timestamp,
};

/// Time after which a mail that nobody took is given up: well within the day for which Resend knows it again (ms).
const GIVE_UP_AFTER_MS: i64 = 20 * 3_600_000;
/// Longest subject (characters).
const MOST_SUBJECT_CHARS: usize = 150;

/// A mail as it is sent. It may hold a link that signs in: it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is known by, however often it is sent.
    pub id: Uuid,
    /// A word for what it is about.
    pub kind: &'static str,
    /// To whom.
    pub to: Email,
    /// When it was written.
    pub created_at: Timestamp,
    /// One line.
    subject: String,
    /// The whole page.
    pub html: String,
    /// The same in plain text.
    pub text: String,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Page<'a> {
    words: &'a Words,
    subject: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Plain<'a> {
    words: &'a Words,
}

impl Written {
    /// Writes a mail.
    #[must_use]
    pub fn new(mail: &Mail) -> Self {
        let words = words(&mail.letter);
        let subject = format!("{} – StreamSuites", words.title);
        let page = Page { words: &words, subject: &subject };
        let written = Self {
            id: mail.id,
            kind: mail.letter.kind(),
            to: mail.to.clone(),
            created_at: mail.created_at,
            subject: String::new(),
            html: page.render().expect("a template of plain values renders into memory"),
            text: Plain { words: &words }
                .render()
                .expect("a template of plain values renders into memory"),
        };
        written.with_subject(&subject)
    }

    /// The same with another subject: of whatever is given, one line.
    #[must_use]
    pub fn with_subject(mut self, subject: &str) -> Self {
        self.subject = one_line(subject, MOST_SUBJECT_CHARS);
        self
    }

    /// One line, in which nothing is hidden.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// From when on a mail helps nobody: its link has ended, or it is too old.
#[must_use]
pub(super) fn give_up_at(mail: &Mail) -> Timestamp {
    let lasts = match &mail.letter {
        Letter::Verify { minutes, .. }
        | Letter::MagicLink { minutes, .. }
        | Letter::ResetPassword { minutes, .. }
        | Letter::ConfirmAddress { minutes, .. } => i64::from(*minutes) * 60_000,
        Letter::Invitation { .. } | Letter::HaveAccount { .. } | Letter::Alert { .. } => {
            GIVE_UP_AFTER_MS
        }
    };
    mail.created_at.plus_ms(lasts.min(GIVE_UP_AFTER_MS))
}
