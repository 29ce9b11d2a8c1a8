//! Events of the official API.

use serde::{Deserialize, de::DeserializeOwned};

use super::{KickNormalizer, activity, author, event::Given, name_of, qualified, told, with_words};
use crate::{
    chat::normalize::{NormalizeError, Reading, clean},
    model::{ActivityKind, ChatClearUser, EventBody, Platform, Timestamp},
    platforms::kick::{
        Notice,
        wire::{ChatMessage, Id, Person, When, lenient},
    },
};

fn read<T: DeserializeOwned>(notice: &Notice) -> Result<T, NormalizeError> {
    T::deserialize(&notice.body).map_err(|_| NormalizeError::unparsed(&notice.kind, "body"))
}

impl KickNormalizer {
    pub(super) fn read_webhook(
        &self,
        notice: &Notice,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        match notice.kind.as_str() {
            "chat.message.sent" => {
                let mut message: ChatMessage = read(notice)?;
                message.created_at = message.created_at.or(Some(When(notice.sent_at)));
                readings.push(self.read_message(&message, None, received_at)?);
            }
            "channel.followed" => readings.push(self.followed(notice)?),
            "channel.reward.redemption.updated" => readings.push(self.redeemed(notice)?),
            "kicks.gifted" => readings.push(self.kicks_gifted(notice)?),
            "moderation.banned" => readings.push(banned(notice)?),
            // Live or not, and the title: told by the worker.
            "livestream.status.updated" | "livestream.metadata.updated" => {}
            // Folded by the worker; what comes here all the same names nobody.
            "channel.subscription.new"
            | "channel.subscription.renewal"
            | "channel.subscription.gifts" => {
                return Err(NormalizeError::unparsed(&notice.kind, "names"));
            }
            // The web server takes no other kind.
            kind => return Err(NormalizeError::unparsed(kind, "a known kind")),
        }
        Ok(())
    }

    fn followed(&self, notice: &Notice) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Body {
            follower: Person,
        }
        let body: Body = read(notice)?;
        let author = author::read(&body.follower, &self.facts);
        let text = format!("{} follows", name_of(author.as_ref()));
        let mut it = activity(ActivityKind::Follow, Some(&notice.id), &notice.kind, author, text);
        it.sent_at = Some(notice.sent_at);
        Ok(told(it))
    }

    fn redeemed(&self, notice: &Notice) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "lenient")]
            id: Option<Id>,
            reward: Reward,
            #[serde(default, deserialize_with = "lenient")]
            redeemer: Option<Person>,
            #[serde(default, deserialize_with = "lenient")]
            user_input: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            redeemed_at: Option<When>,
        }
        #[derive(Deserialize)]
        struct Reward {
            title: String,
        }
        let body: Body = read(notice)?;
        let author = body.redeemer.as_ref().and_then(|it| author::read(it, &self.facts));
        let text = format!("{} redeemed {}", name_of(author.as_ref()), clean(&body.reward.title));
        // The redemption's own id: it is told again at each change of its state.
        let id = body.id.as_ref().map_or(notice.id.as_str(), Id::as_str);
        let it = activity(ActivityKind::Redemption, Some(id), &notice.kind, author, text);
        let mut it = with_words(it, body.user_input.as_deref());
        it.sent_at = Some(body.redeemed_at.map_or(notice.sent_at, |it| it.0));
        Ok(told(it))
    }

    fn kicks_gifted(&self, notice: &Notice) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "lenient")]
            sender: Option<Person>,
            gift: Given,
            #[serde(default, deserialize_with = "lenient")]
            created_at: Option<When>,
        }
        let body: Body = read(notice)?;
        let it =
            self.kicks_activity(Some(&notice.id), &notice.kind, body.sender.as_ref(), &body.gift);
        let words = notice.body.pointer("/gift/message").and_then(|it| it.as_str());
        let mut it = with_words(it, words);
        it.sent_at = Some(body.created_at.map_or(notice.sent_at, |it| it.0));
        Ok(told(it))
    }
}

fn banned(notice: &Notice) -> Result<Reading, NormalizeError> {
    #[derive(Deserialize)]
    struct Body {
        banned_user: Person,
        #[serde(default, deserialize_with = "lenient")]
        metadata: Option<Metadata>,
    }
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default, deserialize_with = "lenient")]
        created_at: Option<When>,
        #[serde(default, deserialize_with = "lenient")]
        expires_at: Option<When>,
    }
    let body: Body = read(notice)?;
    let missing = || NormalizeError::unparsed(&notice.kind, "banned_user.user_id");
    let id = body.banned_user.id.ok_or_else(missing)?;
    let (created_at, expires_at) =
        body.metadata.map_or((None, None), |it| (it.created_at, it.expires_at));
    let began = created_at.map_or(notice.sent_at, |it| it.0);
    let seconds = expires_at.map(|end| u64::try_from(end.0.ms_since(began)).unwrap_or(0) / 1000);
    let clear =
        ChatClearUser { platform: Platform::Kick, author_id: qualified(id.as_str()), seconds };
    Ok(Reading { body: EventBody::ChatClearUser(clear), sent_at: Some(began), key: None })
}
