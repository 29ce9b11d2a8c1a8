//! The one sentence that says what happened.

use super::tags::Tags;
use crate::{
    chat::normalize::text,
    model::{ActivityKind, Amount, Author},
};

/// What a sentence may mention.
pub(super) struct Facts<'a> {
    pub(super) amount: Option<&'a Amount>,
    pub(super) count: Option<u64>,
}

/// What Twitch says in `system-msg`, or a sentence of our own where that is empty, generic or lacks the name.
pub(super) fn compose(
    word: &str,
    kind: ActivityKind,
    tags: Tags<'_>,
    author: Option<&Author>,
    facts: &Facts<'_>,
) -> String {
    let said = text::clean(tags.find("system-msg").unwrap_or_default());
    let said = said.trim();
    let name = author.map(|it| it.name.trim());
    match (said, name) {
        ("" | "bits badge tier notification", _) => own_words(word, kind, name, facts),
        ("Unlocked a social sharing badge", Some(name)) => {
            format!("{name} unlocked a social sharing badge")
        }
        // `has been a moderator for …`
        (_, Some(name)) if said.starts_with(char::is_lowercase) && !names(said, author) => {
            format!("{name} {said}")
        }
        _ => said.to_owned(),
    }
}

/// Whether `said` begins with the author's name or login.
fn names(said: &str, author: Option<&Author>) -> bool {
    author.is_some_and(|it| {
        [it.name.trim(), it.login.as_str()].iter().any(|name| {
            said.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        })
    })
}

fn own_words(word: &str, kind: ActivityKind, name: Option<&str>, facts: &Facts<'_>) -> String {
    let who = name.filter(|it| !it.is_empty()).unwrap_or(match kind {
        ActivityKind::Gift => "An anonymous viewer",
        _ => "Somebody",
    });
    match (kind, facts) {
        (ActivityKind::Announcement, _) => format!("Announcement from {who}"),
        (ActivityKind::Subscription, _) => format!("{who} subscribed"),
        (ActivityKind::Gift, Facts { count: Some(count @ 2..), .. }) => {
            format!("{who} gave {count} gifts")
        }
        (ActivityKind::Gift, _) => format!("{who} gave a gift"),
        (ActivityKind::Raid, Facts { count: Some(1), .. }) => format!("{who} raids with 1 viewer"),
        (ActivityKind::Raid, Facts { count: Some(count), .. }) => {
            format!("{who} raids with {count} viewers")
        }
        (ActivityKind::Raid, _) => format!("{who} raids"),
        (ActivityKind::WatchStreak, Facts { count: Some(count), .. }) => {
            format!("{who} watched {count} streams in a row")
        }
        (ActivityKind::Milestone, Facts { count: Some(count), .. }) if word == "bitsbadgetier" => {
            format!("{who} earned the {count} bits badge")
        }
        (ActivityKind::Milestone | ActivityKind::WatchStreak, _) => {
            format!("{who} reached a milestone")
        }
        (ActivityKind::Donation, Facts { amount: Some(amount), .. }) => {
            format!("{who} donated {}", amount.display)
        }
        (ActivityKind::Paid, Facts { amount: Some(amount), .. }) => {
            format!("{who} paid {}", amount.display)
        }
        (ActivityKind::Donation, _) => format!("{who} donated"),
        _ if word.is_empty() => "Something happened".to_owned(),
        _ => format!("{who}: {word}"),
    }
}
