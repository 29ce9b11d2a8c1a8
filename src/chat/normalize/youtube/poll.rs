//! Polls: opened, counted now and then, and their result. Shares are told, votes only in all.

use serde_json::Value;

use super::{Context, author, id_or_invented, push_activity, qualified, sent_at, text};
use crate::{
    chat::normalize::Reading,
    model::{Activity, ActivityKind, Platform, QualifiedId, Timestamp},
};

/// Least time between two counts of a poll that are worth an event (ms): the site tells each change.
const COUNT_EVERY_MS: i64 = 15_000;
/// The Data API's word for it.
const RAW_KIND: &str = "pollEvent";

/// The poll that runs.
#[derive(Debug, Default)]
pub(super) struct Polls {
    id: Option<QualifiedId>,
    counted_at: Option<Timestamp>,
}

impl Polls {
    pub(super) fn open(
        &mut self,
        poll: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) {
        let id = id_or_invented(&poll["liveChatPollId"]);
        self.id = Some(id.clone());
        self.counted_at = Some(context.received_at);
        push_activity(read(poll, id, "Poll", context), readings);
    }

    pub(super) fn update(
        &mut self,
        poll: &Value,
        context: &Context<'_>,
        readings: &mut Vec<Reading>,
    ) {
        let Some(id) = poll["liveChatPollId"].as_str().map(qualified) else { return };
        let now = context.received_at;
        let due = self.id.as_ref() != Some(&id)
            || self.counted_at.is_none_or(|it| now.ms_since(it) >= COUNT_EVERY_MS);
        if !due {
            return;
        }
        self.id = Some(id.clone());
        self.counted_at = Some(now);
        let count =
            QualifiedId::new(Platform::Youtube, &format!("{}-{}", id.own_id(), now.unix_ms()));
        let mut activity = read(poll, count, "Poll so far", context);
        activity.part_of = Some(id);
        push_activity(activity, readings);
    }
}

fn read(poll: &Value, id: QualifiedId, word: &str, context: &Context<'_>) -> Activity {
    let header = &poll["header"]["pollHeaderRenderer"];
    let question = text::plain(&header["pollQuestion"]);
    let about = text::plain(&header["metadataText"]);
    let choices = poll["choices"].as_array().into_iter().flatten();
    let choices: Vec<String> = choices
        .map(|it| {
            let (choice, share) = (text::plain(&it["text"]), text::plain(&it["votePercentage"]));
            if share.is_empty() { choice } else { format!("{choice} {share}") }
        })
        .collect();
    // "@ana • 5m ago • 13,869 votes"
    let asker = about.split(" • ").next().filter(|it| it.starts_with('@'));
    let author = asker.and_then(|it| author::named(None, it));
    let mut activity = context.activity(ActivityKind::Other, RAW_KIND, id, author, None);
    activity.count = votes(&about);
    let question =
        if question.is_empty() { word.to_owned() } else { format!("{word}: {question}") };
    activity.system_text = format!("{question} ({})", choices.join(", "));
    activity
}

/// The result, which the site tells in a message of its own.
pub(super) fn result(it: &Value, said: &str, context: &Context<'_>) -> Activity {
    let id = id_or_invented(&it["id"]);
    let mut activity = context.activity(ActivityKind::Other, RAW_KIND, id, None, sent_at(it));
    activity.count = votes(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    activity.system_text = lines.join(" · ");
    activity
}

/// `pollEvent` of the Data API.
pub(super) fn of_api(
    details: &Value,
    id: QualifiedId,
    sent_at: Option<Timestamp>,
    context: &Context<'_>,
) -> Activity {
    let poll = &details["metadata"];
    let question = text::of_plain(poll["questionText"].as_str().unwrap_or_default()).text;
    let options = poll["options"].as_array().into_iter().flatten();
    let mut all = 0_u64;
    let choices: Vec<String> = options
        .map(|it| {
            let text = text::of_plain(it["optionText"].as_str().unwrap_or_default()).text;
            let tally = &it["tally"];
            let tally = tally.as_str().and_then(|it| it.parse().ok()).or_else(|| tally.as_u64());
            match tally {
                Some(votes) => {
                    all = all.saturating_add(votes);
                    format!("{text} {votes}")
                }
                None => text,
            }
        })
        .collect();
    let closed = details["status"] == "closed";
    let word = if closed { "Poll complete" } else { "Poll" };
    // One poll is told twice: each has its own place.
    let id = if closed {
        QualifiedId::new(Platform::Youtube, &format!("{}-closed", id.own_id()))
    } else {
        id
    };
    let mut activity = context.activity(ActivityKind::Other, RAW_KIND, id, None, sent_at);
    activity.count = (all > 0).then_some(all);
    activity.system_text = format!("{word}: {question} ({})", choices.join(", "));
    activity
}

/// "… 13,869 votes", "1.9K votes", "1 vote"
fn votes(text: &str) -> Option<u64> {
    let before = text.rsplit_once(" vote")?.0;
    let number = before.rsplit(|it: char| it.is_whitespace()).next()?;
    let (number, times) = match number.strip_suffix('K') {
        Some(number) => (number, 1_000.0),
        None => match number.strip_suffix('M') {
            Some(number) => (number, 1_000_000.0),
            None => (number, 1.0),
        },
    };
    let number: f64 = number.replace(',', "").parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * times).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_read_from_words() {
        assert_eq!(votes("@ana • 12h ago • 13,869 votes"), Some(13_869));
        assert_eq!(votes("Poll complete: 1.9K votes"), Some(1_900));
        assert_eq!(votes("• 1 vote"), Some(1));
        assert_eq!(votes("@ana • just now"), None);
        assert_eq!(votes("many votes"), None);
    }
}
