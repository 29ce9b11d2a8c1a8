//! What the Live Stream API tells.

use super::{
    NormalizeError, Reading, RumbleNormalizer,
    author::named,
    line::gift_sentence,
    push_activity, text,
    twins::{Telling, Way},
};
use crate::{
    model::{
        ActivityKind, Amount, Author, EventBody, Flag, Message, Platform, QualifiedId, Timestamp,
    },
    platforms::rumble::{News, Said, What},
};

impl RumbleNormalizer {
    pub(super) fn read_news(
        &mut self,
        news: &News,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let author =
            named(&news.name).ok_or_else(|| NormalizeError::unparsed("news", "username"))?;
        let id = QualifiedId::new(Platform::Rumble, &news.id);
        let (kind, text) = match &news.what {
            What::Follow => ("follow", ""),
            What::Subscribe(_) => ("subscribe", ""),
            What::Gift(..) => ("gift", ""),
            What::Say(it) => ("say", it.text.as_str()),
        };
        let telling = Telling {
            way: Way::Api,
            kind,
            name: &author.login,
            text,
            sent_at: news.at,
            received_at,
            listing: None,
        };
        if self.twins.find_or_note(telling, &id).is_some() {
            return Ok(());
        }
        let name = author.name.clone();
        let (kind, sentence) = match &news.what {
            What::Say(said) => {
                self.push_said(news, said, author, id, received_at, readings);
                return Ok(());
            }
            What::Follow => (ActivityKind::Follow, format!("{name} follows")),
            What::Subscribe(_) => (ActivityKind::Subscription, format!("{name} subscribed")),
            What::Gift(total, _) => (ActivityKind::Gift, gift_sentence(&name, *total)),
        };
        let mut activity = self.activity(kind, news.id.clone(), Some(author), sentence);
        match &news.what {
            What::Subscribe(cents) => {
                activity.amount = cents.map(|it| Amount::money(it, "USD", 2));
            }
            What::Gift(total, tier) => {
                activity.count = Some(total.unwrap_or(1));
                activity.tier.clone_from(tier);
            }
            What::Follow | What::Say(_) => {}
        }
        activity.sent_at = news.at;
        push_activity(readings, activity, None);
        Ok(())
    }

    fn push_said(
        &self,
        news: &News,
        said: &Said,
        mut author: Author,
        id: QualifiedId,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) {
        self.add_badges(&mut author, &said.badges);
        let text = text::clean(&said.text);
        let mut flags = self.flags(news.at);
        flags.extend(said.rant_cents.is_some().then_some(Flag::Highlighted));
        let message = Message {
            id,
            platform: Platform::Rumble,
            channel: self.channel.clone(),
            author,
            fragments: self.fragments(&text, &[]),
            text: text.into_owned(),
            flags,
            reply_to: None,
            source_channel: None,
            amount: said.rant_cents.map(|it| Amount::money(it, "USD", 2)),
            sent_at: news.at.unwrap_or(received_at),
            received_at,
        };
        let body = EventBody::ChatMessage(Box::new(message));
        readings.push(Reading { body, sent_at: news.at, key: None });
    }
}
