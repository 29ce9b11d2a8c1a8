//! Subscriptions and gifts, put together from their frames.

use super::{KickNormalizer, activity, author, counted, name_of, qualified, told, with_words};
use crate::{
    chat::normalize::{NormalizeError, Reading},
    model::{ActivityKind, Timestamp},
    platforms::kick::{Gift, Subscription},
};

impl KickNormalizer {
    pub(super) fn read_subscription(
        &self,
        it: &Subscription,
        received_at: Timestamp,
    ) -> Result<Reading, NormalizeError> {
        // A webhook of somebody unnamed is a subscription all the same; without any name it is none.
        let words = it.words.as_deref();
        let person = words.and_then(|it| it.sender.as_ref()).unwrap_or(&it.person);
        let author = author::read(person, &self.facts)
            .ok_or_else(|| NormalizeError::unparsed("SubscriptionEvent", "username"))?;
        let text = match it.months {
            Some(months) if months > 1 => {
                format!("{} subscribed for {months} months", author.name)
            }
            _ => format!("{} subscribed", author.name),
        };
        let mut activity = activity(
            ActivityKind::Subscription,
            it.id.as_deref(),
            &it.raw_kind,
            Some(author),
            text,
        );
        activity.months = it.months.filter(|it| *it > 0);
        activity.tier.clone_from(&it.tier);
        activity.sent_at = Some(it.sent_at.unwrap_or(received_at));
        let activity = with_words(activity, words.and_then(|it| it.content.as_deref()));
        Ok(Reading { sent_at: it.sent_at, ..told(activity) })
    }

    pub(super) fn read_gift(&self, it: &Gift, received_at: Timestamp) -> Reading {
        let author = it.giver.as_ref().and_then(|it| author::read(it, &self.facts));
        let receivers: Vec<_> =
            it.receivers.iter().filter_map(|it| author::read(it, &self.facts)).collect();
        let count = it.total.unwrap_or(0).max(receivers.len() as u64);
        let gave = format!("{} gave {}", name_of(author.as_ref()), counted(count, "subscription"));
        let text = match receivers.as_slice() {
            [one] if count == 1 => {
                format!("{} gave a subscription to {}", name_of(author.as_ref()), one.name)
            }
            _ => gave,
        };
        let id = it.id.as_deref().or(it.correlation.as_deref()).filter(|_| !it.rest);
        let mut activity = activity(ActivityKind::Gift, id, &it.raw_kind, author, text);
        // Those of the rest were counted with the first part: a sum over all gifts stays right.
        activity.count = Some(if it.rest { 0 } else { count });
        activity.part_of = it.correlation.as_deref().filter(|_| it.rest).map(qualified);
        activity.tier.clone_from(&it.tier);
        activity.recipients = (!receivers.is_empty()).then_some(receivers);
        activity.sent_at = Some(it.sent_at.unwrap_or(received_at));
        Reading { sent_at: it.sent_at, ..told(activity) }
    }
}
