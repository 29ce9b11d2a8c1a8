//! Polls, predictions, redemptions, hype trains, charity.

use serde_json::Value;

use super::{Facts, Happening};
use crate::{
    chat::normalize::text,
    model::{ActivityKind, Amount, EventBody},
};

/// `{value, decimal_places, currency}`
pub(super) fn money(amount: &Value) -> Option<Amount> {
    let value = amount["value"].as_i64().filter(|it| *it > 0)?;
    let currency = amount["currency"].as_str().filter(|it| it.len() == 3)?;
    let places = amount["decimal_places"].as_u64().or_else(|| amount["decimal_place"].as_u64());
    Some(Amount::money(value, currency, u32::try_from(places.unwrap_or(2)).unwrap_or(2)))
}

/// A reward that was redeemed, and later fulfilled or taken back.
///
/// What the viewer wrote with it comes as a chat message that is flagged so: said here, it would be said twice.
pub(super) fn redemption(it: &Happening<'_>) -> Option<EventBody> {
    let author = it.author("user")?;
    let reward = &it.event["reward"];
    let title = reward["title"].as_str().map(|it| text::clean(it).into_owned());
    let title = title.or_else(|| reward["type"].as_str().map(|it| it.replace('_', " ")));
    let title = title.unwrap_or_else(|| "a reward".to_owned());
    let status = it.text("status").unwrap_or_default();
    let system_text = match status {
        "fulfilled" => format!("{}'s “{title}” was fulfilled", author.name),
        "canceled" => format!("{}'s “{title}” was taken back", author.name),
        _ => format!("{} redeemed “{title}”", author.name),
    };
    let kind = match it.kind.ends_with(".update") {
        true => ActivityKind::Other,
        false => ActivityKind::Redemption,
    };
    let id = it.text("id").map(|id| match kind {
        ActivityKind::Redemption => format!("redemption-{id}"),
        _ => format!("redemption-{id}-{status}"),
    });
    Some(it.activity(kind, system_text, Facts { id, author: Some(author), ..Facts::default() }))
}

/// A poll begins, is voted in, or ends.
pub(super) fn poll(it: &Happening<'_>) -> Option<EventBody> {
    let title = text::clean(it.text("title")?).into_owned();
    let choices = it.event["choices"].as_array().map_or(&[][..], Vec::as_slice);
    let list: Vec<String> = choices
        .iter()
        .filter_map(|it| {
            let title = text::clean(it["title"].as_str()?).into_owned();
            Some(match it["votes"].as_u64() {
                Some(votes) => format!("{title} {votes}"),
                None => title,
            })
        })
        .collect();
    let list = list.join(", ");
    let system_text = match it.kind {
        "channel.poll.begin" => format!("Poll: {title} ({list})"),
        "channel.poll.end" => format!("The poll ended: {title} ({list})"),
        _ => format!("Votes: {title} ({list})"),
    };
    let votes = choices.iter().filter_map(|it| it["votes"].as_u64()).sum();
    let count = choices.iter().any(|it| it["votes"].is_u64()).then_some(votes);
    Some(it.activity(ActivityKind::Other, system_text, Facts { count, ..Facts::default() }))
}

/// A prediction begins, is locked, or ends.
pub(super) fn prediction(it: &Happening<'_>) -> Option<EventBody> {
    let title = text::clean(it.text("title")?).into_owned();
    let outcomes = it.event["outcomes"].as_array().map_or(&[][..], Vec::as_slice);
    let winner = it.text("winning_outcome_id").and_then(|id| {
        let outcome = outcomes.iter().find(|it| it["id"].as_str() == Some(id))?;
        outcome["title"].as_str().map(|it| text::clean(it).into_owned())
    });
    let names: Vec<_> = outcomes
        .iter()
        .filter_map(|it| it["title"].as_str())
        .map(|it| text::clean(it).into_owned())
        .collect();
    let names = names.join(", ");
    let system_text = match (it.kind, winner) {
        (_, Some(winner)) => format!("The prediction ended: {title} ({winner})"),
        ("channel.prediction.begin", _) => format!("Prediction: {title} ({names})"),
        ("channel.prediction.lock", _) => format!("No more predictions: {title}"),
        ("channel.prediction.end", _) => format!("The prediction was called off: {title}"),
        _ => format!("Predictions: {title} ({names})"),
    };
    Some(it.activity(ActivityKind::Other, system_text, Facts::default()))
}

pub(super) fn hype_train(it: &Happening<'_>) -> EventBody {
    let level = it.event["level"].as_u64();
    let at = level.map(|it| format!(" at level {it}")).unwrap_or_default();
    let system_text = match it.kind {
        "channel.hype_train.begin" => format!("A hype train departs{at}"),
        "channel.hype_train.end" => format!("The hype train arrived{at}"),
        _ => format!("The hype train rolls{at}"),
    };
    it.activity(ActivityKind::Other, system_text, Facts { count: level, ..Facts::default() })
}

/// Somebody gives to a campaign, or it begins, comes on, ends.
pub(super) fn charity(it: &Happening<'_>) -> Option<EventBody> {
    let event = it.event;
    let charity = it
        .text("charity_name")
        .map_or_else(|| "charity".to_owned(), |it| text::clean(it).into_owned());
    if it.kind.ends_with(".donate") {
        let author = it.author("user");
        let amount = money(&event["amount"]);
        let who = author.as_ref().map_or("Somebody", |it| it.name.as_str());
        let system_text = match &amount {
            Some(amount) => format!("{who} donated {} to {charity}", amount.display),
            None => format!("{who} donated to {charity}"),
        };
        let id = it.text("id").map(|it| format!("charity-{it}"));
        let facts = Facts { id, author, amount, ..Facts::default() };
        return Some(it.activity(ActivityKind::Donation, system_text, facts));
    }
    let so_far = money(&event["current_amount"]);
    let system_text = match (it.kind.rsplit('.').next(), &so_far) {
        (Some("start"), _) => format!("A charity campaign begins: {charity}"),
        (Some("stop"), Some(sum)) => {
            format!("The charity campaign ended: {} for {charity}", sum.display)
        }
        (_, Some(sum)) => format!("{} for {charity} so far", sum.display),
        _ => format!("Charity: {charity}"),
    };
    Some(it.activity(ActivityKind::Other, system_text, Facts { amount: None, ..Facts::default() }))
}
