//! The events of the socket, kind by kind.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    KickNormalizer, activity, author, counted, message, name_of, qualified, rules, text_at, told,
    with_words,
};
use crate::{
    chat::normalize::{NormalizeError, Reading, clean},
    model::{
        ActivityKind, Amount, ChatClear, ChatClearUser, ChatDelete, EventBody, Platform, Timestamp,
    },
    platforms::kick::{
        Frame,
        wire::{Id, Person, When, lenient},
    },
};

/// Longest part of an unknown kind's name that is shown (characters).
const MAX_KIND: usize = 100;

/// A poll that runs.
#[derive(Debug)]
pub(super) struct Poll {
    title: String,
    options: Vec<(String, u64)>,
}

fn read<T: DeserializeOwned>(frame: &Frame) -> Result<T, NormalizeError> {
    T::deserialize(&frame.data).map_err(|_| NormalizeError::unparsed(frame.name(), "data"))
}

fn plain(body: EventBody, sent_at: Option<Timestamp>) -> Reading {
    Reading { body, sent_at, key: None }
}

impl KickNormalizer {
    pub(super) fn read_event(
        &mut self,
        frame: &Frame,
        received_at: Timestamp,
        readings: &mut Vec<Reading>,
    ) -> Result<(), NormalizeError> {
        let data = &frame.data;
        match frame.name() {
            "ChatMessageEvent" => readings.push(self.read_chat(data, received_at)?),
            "MessageDeletedEvent" => readings.push(deletion(frame)?),
            "UserBannedEvent" => readings.push(ban(frame, received_at)?),
            "UserUnbannedEvent" => readings.push(self.unban(frame)?),
            "ChatroomClearEvent" => {
                let at = data["created_at"].as_str().and_then(When::parse).map(|it| it.0);
                let clear = ChatClear { platform: Some(Platform::Kick) };
                readings.push(plain(EventBody::ChatClear(clear), at));
            }
            "ChatroomUpdatedEvent" => {
                let found = rules::of_chatroom(data);
                let found = found.ok_or_else(|| NormalizeError::unparsed(frame.name(), "modes"))?;
                readings.extend(self.tell_rules(found));
            }
            "ChatSettingsChanged" => {
                let found = rules::of_settings(data);
                let found = found.ok_or_else(|| NormalizeError::unparsed(frame.name(), "modes"))?;
                readings.extend(self.tell_rules(found));
            }
            "PinnedMessageCreatedEvent" => readings.push(self.pin(frame)?),
            "PinnedMessageDeletedEvent" => {
                readings.push(other(frame, None, "The pinned message was taken down"));
            }
            "PollUpdateEvent" => readings.extend(self.poll(frame)?),
            "PollDeleteEvent" => readings.push(self.poll_ends(frame)),
            "StreamHostEvent" | "StreamHostedEvent" => readings.push(self.raid(frame)?),
            "ChatMoveToSupportedChannelEvent" => readings.push(host_out(frame)),
            "RewardRedeemedEvent" => readings.push(self.redemption(frame)?),
            "KicksGifted" => readings.push(self.kicks(frame)?),
            "FollowersUpdated" => readings.extend(self.follow(frame)),
            name if name.starts_with("Goal") => readings.push(goal(frame)),
            // Boards, which say nothing that is not said elsewhere.
            "KicksLeaderboardUpdated" | "GiftsLeaderboardUpdated" => {}
            // Live or not, title and viewers: told by the worker.
            "StreamerIsLive" | "StopStreamBroadcast" | "LivestreamUpdated" => {}
            // Folded by the worker; what comes here all the same is a copy, or cannot be read.
            "ChannelSubscriptionEvent"
            | "NewSubscriberUpdatedEvent"
            | "LuckyUsersWhoGotGiftSubscriptionsEvent" => {}
            "GiftedSubscriptionsEvent" | "SubscriptionGifted" | "SubscriptionEvent" => {
                return Err(NormalizeError::unparsed(frame.name(), "names"));
            }
            // The socket's own words.
            name if name.starts_with("pusher:") || name.starts_with("pusher_internal:") => {}
            name => {
                let name: String = clean(name).chars().take(MAX_KIND).collect();
                let id = text_at(data, "/id").map(|it| format!("{name}-{it}"));
                let words = format!("Kick sent something new: {name}");
                readings.push(other(frame, id.as_deref(), &words));
            }
        }
        Ok(())
    }

    fn unban(&self, frame: &Frame) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default, deserialize_with = "lenient")]
            id: Option<Id>,
            user: Person,
        }
        let data: Data = read(frame)?;
        let author = author::read(&data.user, &self.facts);
        let author = author.ok_or_else(|| NormalizeError::unparsed(frame.name(), "user"))?;
        let text = format!("{} may chat again", author.name);
        let id = data.id.as_ref().map(Id::as_str);
        Ok(told(activity(ActivityKind::Other, id, &frame.event, Some(author), text)))
    }

    fn pin(&self, frame: &Frame) -> Result<Reading, NormalizeError> {
        let pinned = message::decode(&frame.data["message"])?;
        let missing = |what| NormalizeError::unparsed(frame.name(), what);
        let id = pinned.id.as_ref().ok_or_else(|| missing("message.id"))?;
        let pinner = frame.data.get("pinnedBy").or_else(|| frame.data.get("pinned_by"));
        let pinner = pinner.and_then(|it| Person::deserialize(it).ok());
        let pinner = pinner.and_then(|it| author::read(&it, &self.facts));
        let author = pinned.sender.as_ref().and_then(|it| author::read(it, &self.facts));
        let text = match (&author, &pinner) {
            (Some(author), Some(pinner)) if author.id != pinner.id => {
                format!("{} pinned a message of {}", pinner.name, author.name)
            }
            (Some(author), _) => format!("A message of {} was pinned", author.name),
            (None, _) => "A message was pinned".to_owned(),
        };
        // The message's own id: what deletes the message takes these words away as well.
        let pin =
            activity(ActivityKind::Announcement, Some(id.as_str()), &frame.event, author, text);
        let mut pin = with_words(pin, pinned.content.as_deref());
        pin.sent_at = pinned.created_at.map(|it| it.0);
        // The message may be old; that it is pinned is news.
        Ok(Reading { sent_at: None, ..told(pin) })
    }

    /// A poll is told when it begins; its votes, which come one by one, are not.
    fn poll(&mut self, frame: &Frame) -> Result<Option<Reading>, NormalizeError> {
        #[derive(Deserialize)]
        struct Data {
            poll: Sent,
        }
        #[derive(Deserialize)]
        struct Sent {
            title: String,
            #[serde(default, deserialize_with = "lenient")]
            options: Option<Vec<Choice>>,
        }
        #[derive(Deserialize)]
        struct Choice {
            label: String,
            #[serde(default, deserialize_with = "lenient")]
            votes: Option<u64>,
        }
        let Data { poll } = read(frame)?;
        let title = clean(&poll.title).into_owned();
        let options = poll.options.unwrap_or_default();
        let options: Vec<(String, u64)> = options
            .into_iter()
            .map(|it| (clean(&it.label).into_owned(), it.votes.unwrap_or(0)))
            .collect();
        let labels: Vec<&str> = options.iter().map(|it| it.0.as_str()).collect();
        let is_known = self.poll.as_ref().is_some_and(|known| {
            known.title == title
                && known.options.iter().map(|it| it.0.as_str()).eq(labels.iter().copied())
        });
        let text = format!("Poll: {title} ({})", labels.join(" / "));
        self.poll = Some(Poll { title, options });
        Ok((!is_known).then(|| other(frame, None, &text)))
    }

    fn poll_ends(&mut self, frame: &Frame) -> Reading {
        let text = match self.poll.take() {
            Some(Poll { title, options }) => {
                let votes: Vec<String> =
                    options.iter().map(|(label, votes)| format!("{label} {votes}")).collect();
                format!("The poll ended: {title} ({})", votes.join(", "))
            }
            None => "The poll ended".to_owned(),
        };
        other(frame, None, &text)
    }

    /// Viewers of another channel arrive. Comes in two shapes.
    fn raid(&self, frame: &Frame) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default, deserialize_with = "lenient")]
            host_username: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            number_viewers: Option<u64>,
            #[serde(default, deserialize_with = "lenient")]
            optional_message: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            user: Option<Person>,
            #[serde(default, deserialize_with = "lenient")]
            message: Option<Hosted>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Hosted {
            #[serde(default, deserialize_with = "lenient")]
            id: Option<Id>,
            #[serde(default, deserialize_with = "lenient")]
            number_of_viewers: Option<u64>,
            #[serde(default, deserialize_with = "lenient")]
            optional_message: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            created_at: Option<When>,
        }
        let data: Data = read(frame)?;
        let person = data.host_username.as_deref().map(Person::named).or(data.user);
        let author = person.and_then(|it| author::read(&it, &self.facts));
        let author = author.ok_or_else(|| NormalizeError::unparsed(frame.name(), "host"))?;
        let (id, viewers, words, at) = match data.message {
            Some(it) => (it.id, it.number_of_viewers, it.optional_message, it.created_at),
            None => (None, data.number_viewers, data.optional_message, None),
        };
        let text = match viewers {
            Some(count) => format!("{} raids with {}", author.name, counted(count, "viewer")),
            None => format!("{} raids", author.name),
        };
        let id = id.as_ref().map(Id::as_str);
        let raid = activity(ActivityKind::Raid, id, &frame.event, Some(author), text);
        let mut raid = with_words(raid, words.as_deref());
        raid.count = viewers;
        raid.sent_at = at.map(|it| it.0);
        Ok(told(raid))
    }

    fn redemption(&self, frame: &Frame) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Data {
            reward_title: String,
            #[serde(default, deserialize_with = "lenient")]
            username: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            user_id: Option<Id>,
            #[serde(default, deserialize_with = "lenient")]
            user_input: Option<String>,
        }
        let data: Data = read(frame)?;
        let person = Person { id: data.user_id, username: data.username, ..Person::default() };
        let author = author::read(&person, &self.facts);
        let title = clean(&data.reward_title);
        let text = format!("{} redeemed {title}", name_of(author.as_ref()));
        let it = activity(ActivityKind::Redemption, None, &frame.event, author, text);
        Ok(told(with_words(it, data.user_input.as_deref())))
    }

    fn kicks(&self, frame: &Frame) -> Result<Reading, NormalizeError> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default, deserialize_with = "lenient")]
            gift_transaction_id: Option<Id>,
            #[serde(default, deserialize_with = "lenient")]
            message: Option<String>,
            #[serde(default, deserialize_with = "lenient")]
            sender: Option<Person>,
            gift: Given,
            #[serde(default, deserialize_with = "lenient")]
            created_at: Option<When>,
        }
        let data: Data = read(frame)?;
        let id = data.gift_transaction_id.as_ref().map(Id::as_str);
        let mut it = self.kicks_activity(id, &frame.event, data.sender.as_ref(), &data.gift);
        it = with_words(it, data.message.as_deref());
        it.sent_at = data.created_at.map(|it| it.0);
        Ok(told(it))
    }

    pub(super) fn kicks_activity(
        &self,
        id: Option<&str>,
        raw_kind: &str,
        sender: Option<&Person>,
        gift: &Given,
    ) -> crate::model::Activity {
        let author = sender.and_then(|it| author::read(it, &self.facts));
        let amount = Amount::kicks(gift.amount);
        let name = gift.name.as_deref().map(clean).filter(|it| !it.is_empty());
        let text = match name {
            Some(name) => format!("{} sent {name} ({})", name_of(author.as_ref()), amount.display),
            None => format!("{} sent {}", name_of(author.as_ref()), amount.display),
        };
        let mut it = activity(ActivityKind::Paid, id, raw_kind, author, text);
        it.amount = Some(amount);
        it.tier = gift.tier.as_deref().filter(|it| !it.is_empty()).map(str::to_owned);
        it
    }

    /// Names nobody since some time; when it does, it is a follow.
    fn follow(&self, frame: &Frame) -> Option<Reading> {
        if frame.data["followed"] != true {
            return None;
        }
        let author = author::read(&Person::named(text_at(&frame.data, "/username")?), &self.facts)?;
        let text = format!("{} follows", author.name);
        let mut it = activity(ActivityKind::Follow, None, &frame.event, Some(author), text);
        it.sent_at = When::deserialize(&frame.data["created_at"]).ok().map(|it| it.0);
        Some(told(it))
    }
}

/// What is sent as Kicks.
#[derive(Deserialize)]
pub(super) struct Given {
    amount: i64,
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    tier: Option<String>,
}

fn deletion(frame: &Frame) -> Result<Reading, NormalizeError> {
    #[derive(Deserialize)]
    struct Data {
        message: Deleted,
    }
    #[derive(Deserialize)]
    struct Deleted {
        id: Id,
    }
    let data: Data = read(frame)?;
    let delete = ChatDelete {
        message_id: qualified(data.message.id.as_str()),
        platform: Platform::Kick,
        author_id: None,
    };
    Ok(plain(EventBody::ChatDelete(delete), None))
}

/// A ban or a time-out. Old frames tell neither: the length is unknown then, the messages vanish anyway.
fn ban(frame: &Frame, received_at: Timestamp) -> Result<Reading, NormalizeError> {
    #[derive(Deserialize)]
    struct Data {
        user: Person,
        #[serde(default, deserialize_with = "lenient")]
        id: Option<Id>,
        #[serde(default, deserialize_with = "lenient")]
        permanent: Option<bool>,
        #[serde(default, deserialize_with = "lenient")]
        duration: Option<u64>,
        #[serde(default, deserialize_with = "lenient")]
        expires_at: Option<When>,
    }
    let data: Data = read(frame)?;
    let id = data.user.id.ok_or_else(|| NormalizeError::unparsed(frame.name(), "user.id"))?;
    let minutes = data.duration.filter(|_| data.permanent != Some(true));
    let seconds = minutes.map(|it| it.saturating_mul(60));
    // When it began is told by its end, and otherwise is now: what was sent before must not appear later.
    let began = data.expires_at.zip(seconds).and_then(|(end, seconds)| {
        Some(end.0.plus_ms(-i64::try_from(seconds.checked_mul(1000)?).ok()?))
    });
    let clear =
        ChatClearUser { platform: Platform::Kick, author_id: qualified(id.as_str()), seconds };
    // The event's own id tells a repeat from a second ban.
    let key = data
        .id
        .map(|it| BuildHasherDefault::<DefaultHasher>::default().hash_one(("ban", it.as_str())));
    Ok(Reading {
        body: EventBody::ChatClearUser(clear),
        sent_at: Some(began.unwrap_or(received_at)),
        key,
    })
}

/// Our viewers are sent to another channel.
fn host_out(frame: &Frame) -> Reading {
    let hosted = &frame.data["hosted"];
    let name = hosted["username"].as_str().or(hosted["slug"].as_str());
    let text = match name.map(clean) {
        Some(name) => format!("The viewers go on to {name}"),
        None => "The viewers go on to another channel".to_owned(),
    };
    let mut it = activity(ActivityKind::Other, None, &frame.event, None, text);
    it.count = hosted["viewers_count"].as_u64();
    told(it)
}

fn goal(frame: &Frame) -> Reading {
    let data = &frame.data;
    let kind =
        data["type"].as_str().map_or_else(|| "goal".to_owned(), |it| format!("{} goal", clean(it)));
    let numbers = data["current_value"].as_u64().zip(data["target_value"].as_u64());
    let text = match (frame.name(), numbers) {
        ("GoalAchievedEvent", _) => format!("The {kind} is reached"),
        ("GoalCanceledEvent", _) => format!("The {kind} was given up"),
        (_, Some((now, target))) => format!("The {kind} stands at {now} of {target}"),
        (_, None) => format!("The {kind} changed"),
    };
    let mut it = activity(ActivityKind::Other, None, &frame.event, None, text);
    it.count = data["current_value"].as_u64();
    it.sent_at = data["updated_at"].as_str().and_then(When::parse).map(|it| it.0);
    told(it)
}

fn other(frame: &Frame, id: Option<&str>, text: &str) -> Reading {
    told(activity(ActivityKind::Other, id, &clean(&frame.event), None, text.to_owned()))
}
