//! The stage: the message that is featured, and the queue of those that may be next.

use std::sync::MutexGuard;

use super::{Room, State};
use crate::{
    chat::{moderation::Reach, ring::About},
    feed::ReadError,
    model::{
        Event, EventBody, FeatureClear, Message, QualifiedId, QueueUpdate, Timestamp,
        redaction::Words,
    },
    telemetry::Severity,
};

/// Most messages in a queue (count): each change tells it whole, and nobody discusses more in one stream.
pub const MOST_QUEUED: usize = 200;

/// A message as it was found, and when: a deletion may come before it is used.
#[derive(Debug)]
pub struct Found {
    /// As viewers may read it.
    pub message: Box<Message>,
    /// The last place taken when it was looked for.
    at: u64,
}

/// What became of a message that was to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// It is the last now.
    Added,
    /// It was there already.
    There,
    /// There is no room for it.
    Full,
    /// It was deleted meanwhile.
    Gone,
}

impl State {
    /// Whether a message that was found when `at` was the last place may no longer be read.
    pub(super) fn is_gone(&self, message: &Message, at: u64) -> bool {
        let words = Words::of(message);
        // Purges that carry no time of the platform's are known by their place only: in a ring that has gone on so
        // far that one may have passed through, nobody knows.
        self.moderation.hides(words)
            || at < self.ring.floor()
            || self.ring.behind(at).any(|entry| {
                let About::Deletion { .. } = &entry.about else { return false };
                let event = serde_json::from_slice(&entry.frame.json()).map(|it: Event| it.body);
                event.is_ok_and(|it| Reach::of(&it).is_some_and(|it| it.covers(words)))
            })
    }

    fn find_message(&self, id: &QualifiedId) -> Option<Found> {
        let at = self.ring.head();
        let mut on_stage = self.queue.iter().chain(self.featured.as_deref());
        if let Some(it) = on_stage.find(|it| it.id == *id) {
            return Some(Found { message: Box::new(it.clone()), at });
        }
        let entry = self.ring.behind(self.ring.floor()).rev().find(|it| {
            matches!(it.kind, "chat.message" | "feature.show")
                && matches!(&it.about, About::Words(it) if it.id == *id)
        })?;
        match serde_json::from_slice(&entry.frame.json()).map(|it: Event| it.body) {
            Ok(EventBody::ChatMessage(message) | EventBody::FeatureShow(message)) => {
                Some(Found { message, at })
            }
            _ => None,
        }
    }

    fn place_of(&self, id: &QualifiedId) -> Option<usize> {
        self.queue.iter().position(|it| it.id == *id)
    }
}

impl Room {
    /// The queue, next first.
    #[must_use]
    pub fn queue(&self) -> Vec<Message> {
        self.state().queue.to_vec()
    }

    /// The message that is featured.
    #[must_use]
    pub fn featured(&self) -> Option<Box<Message>> {
        self.state().featured.clone()
    }

    /// The message of that id, as viewers may read it, where it is in memory: on the stage, or among the newest.
    #[must_use]
    pub fn find_recent_message(&self, id: &QualifiedId) -> Option<Found> {
        self.state().find_message(id)
    }

    /// The message of that id, as viewers may read it: from the stage, the ring, or the log.
    ///
    /// # Errors
    /// When it is in none of the first, and the log cannot be read.
    pub async fn find_message(&self, id: &QualifiedId) -> Result<Option<Found>, ReadError> {
        let (at, floor) = {
            let state = self.state();
            let found = state.find_message(id);
            if found.is_some() {
                return Ok(found);
            }
            (state.ring.head(), state.ring.floor())
        };
        if !self.log.is_kept() || floor == 0 {
            return Ok(None);
        }
        // What has just left the ring may be on its way to the disk.
        if self.log.reaches(floor) {
            self.log.settled().await;
        }
        let message = self.log.message(id, floor + 1).await?;
        Ok(message.map(|message| Found { message, at }))
    }

    /// Puts a message at the end of the queue.
    #[must_use]
    pub fn enqueue(&self, found: Found) -> Queued {
        let state = self.state();
        let Found { message, at } = found;
        if state.place_of(&message.id).is_some() {
            return Queued::There;
        }
        if state.is_gone(&message, at) {
            return Queued::Gone;
        }
        if state.queue.len() >= MOST_QUEUED {
            return Queued::Full;
        }
        let mut items = state.queue.to_vec();
        items.push(*message);
        self.tell(state, &[EventBody::QueueUpdate(QueueUpdate { items })]);
        Queued::Added
    }

    /// Queues a paid message that has just come, where the room's settings want that and there is room.
    pub(in crate::chat) fn enqueue_paid(&self, message: &Message) {
        let Some(amount) = &message.amount else { return };
        let state = self.state();
        let settings = &state.settings;
        let enough = u64::try_from(amount.value).is_ok_and(|it| it >= settings.min_paid);
        if !settings.auto_feature_paid || !enough || !state.queue_known {
            return;
        }
        // Nobody looks at it before the audience does.
        if !settings.admits(message) {
            return;
        }
        let at = state.ring.head();
        drop(state);
        match self.enqueue(Found { message: Box::new(message.clone()), at }) {
            Queued::Full => self.note_not_queued(),
            Queued::Added => self.state().queue_full_told = false,
            Queued::There | Queued::Gone => {}
        }
    }

    /// Counts a paid message that finds the queue full, and says so once until there is room again.
    fn note_not_queued(&self) {
        let telemetry = &self.parts.telemetry;
        telemetry.meters.paid_not_queued.increment(1);
        if !std::mem::replace(&mut self.state().queue_full_told, true) {
            tracing::warn!(creator.id = %self.id, "the queue is full: paid messages do not join it");
            let message = format!(
                "the queue of {} is full ({MOST_QUEUED}): paid messages do not join it",
                self.id
            );
            telemetry.recent.event(Severity::Warning, "queue", message);
        }
    }

    /// Takes a message out of the queue; `false` when it is not there.
    pub fn dequeue(&self, id: &QualifiedId) -> bool {
        let state = self.state();
        let Some(place) = state.place_of(id) else { return false };
        let mut items = state.queue.to_vec();
        items.remove(place);
        self.tell(state, &[EventBody::QueueUpdate(QueueUpdate { items })]);
        true
    }

    /// Moves a message to a place in the queue, 0 the next; beyond the end is the end. `None` when it is not there.
    pub fn move_queued(&self, id: &QualifiedId, position: usize) -> Option<Vec<Message>> {
        let state = self.state();
        let place = state.place_of(id)?;
        let mut items = state.queue.to_vec();
        let position = position.min(items.len() - 1);
        if position != place {
            let moved = items.remove(place);
            items.insert(position, moved);
            self.tell(state, &[EventBody::QueueUpdate(QueueUpdate { items: items.clone() })]);
        }
        Some(items)
    }

    /// Puts these messages in front, in this order; the others keep theirs behind them.
    ///
    /// # Errors
    /// The first that is not in the queue, or is named a second time; nothing is changed then.
    pub fn order_queue(&self, order: &[QualifiedId]) -> Result<Vec<Message>, QualifiedId> {
        let state = self.state();
        let mut left: Vec<_> = state.queue.iter().cloned().map(Some).collect();
        let mut items = Vec::with_capacity(left.len());
        for id in order {
            let slot = left.iter_mut().find(|it| it.as_ref().is_some_and(|it| it.id == *id));
            items.push(slot.and_then(Option::take).ok_or_else(|| id.clone())?);
        }
        items.extend(left.into_iter().flatten());
        if items != *state.queue {
            self.tell(state, &[EventBody::QueueUpdate(QueueUpdate { items: items.clone() })]);
        }
        Ok(items)
    }

    /// Puts a message on the stage, and takes it out of the queue. `None` when it was deleted meanwhile.
    pub fn feature(&self, found: Found) -> Option<Box<Message>> {
        let state = self.state();
        let Found { message, at } = found;
        if state.is_gone(&message, at) {
            return None;
        }
        self.put_on_stage(state, message.clone());
        Some(message)
    }

    /// Puts the queue's first on the stage; `None` when there is none.
    pub fn feature_next(&self) -> Option<Box<Message>> {
        let state = self.state();
        let next = Box::new(state.queue.first()?.clone());
        self.put_on_stage(state, next.clone());
        Some(next)
    }

    /// Takes whatever is on the stage away.
    pub fn clear_stage(&self) {
        let state = self.state();
        if state.featured.is_some() {
            self.tell(state, &[EventBody::FeatureClear(FeatureClear::default())]);
        }
    }

    fn put_on_stage(&self, state: MutexGuard<'_, State>, message: Box<Message>) {
        let mut said = Vec::with_capacity(2);
        let place = state.place_of(&message.id);
        // Asked for twice is there once.
        if state.featured.as_ref().is_none_or(|it| it.id != message.id) {
            said.push(EventBody::FeatureShow(message));
        }
        if let Some(place) = place {
            let mut items = state.queue.to_vec();
            items.remove(place);
            said.push(EventBody::QueueUpdate(QueueUpdate { items }));
        }
        self.tell(state, &said);
    }

    /// Publishes what was decided under this lock, so that nothing comes between.
    fn tell(&self, mut state: MutexGuard<'_, State>, said: &[EventBody]) {
        let ts = state.time_of(Timestamp::now());
        for body in said {
            self.push(&mut state, body, body.data_json(), ts, None);
        }
        for shard in &state.shards {
            shard.wake();
        }
        drop(state);
        said.iter().for_each(|it| self.count(it));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        chat::room::{Arrival, RoomParts},
        feed::{FeedLog, Filter, RoomLog, Span},
        lifecycle::Lifecycle,
        model::OverlaySettings,
        platforms::Demand,
        telemetry::Telemetry,
    };

    fn room(ring_events: usize) -> Room {
        let parts = RoomParts {
            life: Lifecycle::new(),
            telemetry: Telemetry::new(),
            log: FeedLog::none(),
            demand: Arc::new(Demand::default()),
            ring_events,
            dedupe_ids: 64,
            idle_minutes: 30,
        };
        Room::new("ana".parse().unwrap(), OverlaySettings::default(), RoomLog::none(), parts)
    }

    fn id(id: &str) -> QualifiedId {
        QualifiedId::try_from(format!("twitch:{id}")).unwrap()
    }

    fn person(author: &str) -> Value {
        json!({"id": format!("twitch:{author}"), "login": author, "name": author, "color": null, "badges": [],
            "roles": []})
    }

    fn message(id: &str, author: &str) -> Message {
        let now = Timestamp::now();
        serde_json::from_value(json!({
            "id": format!("twitch:{id}"), "platform": "twitch", "channel": {"id": "twitch:1", "name": "ana"},
            "author": person(author), "text": format!("badword {id}"),
            "fragments": [{"type": "text", "text": format!("badword {id}")}], "flags": [],
            "sent_at": now, "received_at": now,
        }))
        .unwrap()
    }

    fn paid(id: &str, cents: i64) -> Message {
        let amount = crate::model::Amount::money(cents, "USD", 2);
        Message { amount: Some(amount), ..message(id, "bo") }
    }

    fn say(room: &Room, message: Message) {
        room.publish(&EventBody::ChatMessage(Box::new(message)), &Arrival::now());
    }

    async fn queue(room: &Room, name: &str) -> Queued {
        let found = room.find_message(&id(name)).await.unwrap().unwrap();
        room.enqueue(found)
    }

    fn body(kind: &str, data: Value) -> EventBody {
        serde_json::from_value(json!({"type": kind, "data": data})).unwrap()
    }

    fn delete(name: &str) -> EventBody {
        body("chat.delete", json!({"message_id": id(name), "platform": "twitch"}))
    }

    fn names(items: &[Message]) -> Vec<&str> {
        items.iter().map(|it| it.id.own_id()).collect()
    }

    fn events(room: &Room) -> Vec<Value> {
        let page = room.recent(&Span::default());
        page.events.iter().map(|it| serde_json::from_slice(&it.json).unwrap()).collect()
    }

    /// Every queue that was told, by the ids of its messages.
    fn told(room: &Room) -> Vec<Vec<String>> {
        let of = |it: &Value| {
            let items = it["data"]["items"].as_array().unwrap().iter();
            items.map(|it| it["id"].as_str().unwrap()[7..].to_owned()).collect()
        };
        events(room).iter().filter(|it| it["type"] == "queue.update").map(of).collect()
    }

    #[tokio::test]
    async fn each_change_tells_the_whole_queue_in_its_order_and_no_change_tells_nothing() {
        let room = room(64);
        for name in ["a", "b", "c"] {
            say(&room, message(name, "bo"));
            assert_eq!(queue(&room, name).await, Queued::Added);
        }
        assert_eq!(queue(&room, "a").await, Queued::There);
        assert!(room.find_message(&id("z")).await.unwrap().is_none());
        assert_eq!(names(&room.move_queued(&id("c"), 0).unwrap()), ["c", "a", "b"]);
        assert_eq!(names(&room.move_queued(&id("c"), 0).unwrap()), ["c", "a", "b"]);
        assert_eq!(names(&room.move_queued(&id("c"), 99).unwrap()), ["a", "b", "c"]);
        assert!(room.move_queued(&id("z"), 0).is_none());
        assert_eq!(names(&room.order_queue(&[id("c"), id("b")]).unwrap()), ["c", "b", "a"]);
        assert_eq!(names(&room.order_queue(&[id("c")]).unwrap()), ["c", "b", "a"]);
        assert_eq!(room.order_queue(&[id("a"), id("z")]).unwrap_err(), id("z"));
        assert_eq!(room.order_queue(&[id("a"), id("a")]).unwrap_err(), id("a"));
        assert!(room.dequeue(&id("b")) && !room.dequeue(&id("b")));
        assert_eq!(room.feature_next().unwrap().id, id("c"));
        assert_eq!(
            told(&room),
            ["a", "ab", "abc", "cab", "abc", "cba", "ca", "a"]
                .map(|it| it.chars().map(String::from).collect::<Vec<_>>())
        );
        // What is featured by name leaves the queue as well, and asked for twice is shown once.
        for _ in 0..2 {
            let found = room.find_message(&id("a")).await.unwrap().unwrap();
            assert_eq!(room.feature(found).unwrap().id, id("a"));
        }
        assert!(room.queue().is_empty() && room.feature_next().is_none());
        room.clear_stage();
        room.clear_stage();
        let kinds: Vec<_> = events(&room).into_iter().map(|it| it["type"].clone()).collect();
        assert_eq!(
            kinds[kinds.len() - 5..],
            ["feature.show", "queue.update", "feature.show", "queue.update", "feature.clear"]
        );
    }

    #[tokio::test]
    async fn what_is_moderated_leaves_the_queue_and_what_was_told_of_it() {
        let room = room(64);
        for (name, author) in [("a", "bo"), ("b", "cy"), ("c", "bo"), ("d", "dee")] {
            say(&room, message(name, author));
            queue(&room, name).await;
        }
        let mut reply = serde_json::to_value(message("r", "dee")).unwrap();
        reply["text"] = json!("fine");
        reply["fragments"] = json!([]);
        reply["reply_to"] = json!({"id": id("b"), "author": person("cy"), "text": "badword b"});
        say(&room, serde_json::from_value(reply).unwrap());
        queue(&room, "r").await;

        room.publish(&delete("b"), &Arrival::now());
        assert_eq!(names(&room.queue()), ["a", "c", "d", "r"]);
        assert_eq!(room.queue()[3].reply_to.as_ref().unwrap().text, "", "nor is it quoted");
        let purge = json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": null});
        room.publish(&body("chat.clear_user", purge), &Arrival::now());
        assert_eq!(names(&room.queue()), ["d", "r"]);
        let last = events(&room).pop().unwrap();
        assert_eq!(last["type"], "queue.update", "said right behind the deletion");
        assert_eq!(last["data"]["items"].as_array().unwrap().len(), 2);
        let all = Value::Array(events(&room)).to_string();
        for gone in ["badword a", "badword b", "badword c"] {
            assert!(!all.contains(gone), "{gone}");
        }
        // What concerns nothing in it says nothing.
        let before = told(&room).len();
        room.publish(&delete("elsewhere"), &Arrival::now());
        assert_eq!(told(&room).len(), before);
        room.publish(&body("chat.clear", json!({"platform": null})), &Arrival::now());
        assert!(room.queue().is_empty());
        assert!(!Value::Array(events(&room)).to_string().contains("badword"));
    }

    #[tokio::test]
    async fn a_message_that_is_deleted_between_finding_and_using_it_is_not_used() {
        let room = room(64);
        let purge = json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": 600});
        let clear = json!({"platform": "twitch"});
        for (name, deletion) in [
            ("a", delete("a")),
            ("b", body("chat.clear_user", purge)),
            ("c", body("chat.clear", clear)),
        ] {
            say(&room, message(name, "bo"));
            let find = async || room.find_message(&id(name)).await.unwrap();
            let (one, other) = (find().await.unwrap(), find().await.unwrap());
            room.publish(&deletion, &Arrival::now());
            assert_eq!(room.enqueue(one), Queued::Gone, "{name}");
            assert!(room.feature(other).is_none(), "{name}");
            assert!(find().await.is_none(), "{name}");
        }
        assert!(told(&room).is_empty() && room.featured().is_none());
        // A ring that has gone on past the moment it was found in may have lost a purge.
        let room = self::room(4);
        say(&room, message("d", "bo"));
        let found = room.find_message(&id("d")).await.unwrap().unwrap();
        for number in 0..9 {
            say(&room, message(&format!("x{number}"), "cy"));
        }
        assert_eq!(room.enqueue(found), Queued::Gone);
    }

    #[tokio::test]
    async fn a_purge_that_comes_late_reaches_the_stage_even_where_the_ring_has_gone_on() {
        let room = room(4);
        let long_ago = Timestamp::now().plus_ms(-300_000);
        let old = |name: &str| Message { sent_at: long_ago, ..message(name, "bo") };
        say(&room, old("a"));
        queue(&room, "a").await;
        say(&room, old("b"));
        room.feature(room.find_message(&id("b")).await.unwrap().unwrap()).unwrap();
        for number in 0..5 {
            say(&room, message(&format!("x{number}"), "cy"));
        }
        say(&room, message("since", "bo"));
        queue(&room, "since").await;
        let purge = json!({"platform": "twitch", "author_id": "twitch:bo", "seconds": null});
        let arrival = Arrival { sent_at: Some(long_ago.plus_ms(1000)), ..Arrival::now() };
        room.publish(&body("chat.clear_user", purge), &arrival);
        assert_eq!(names(&room.queue()), ["since"]);
        assert!(room.featured().is_none());
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_and_paid_messages_go_there_when_that_is_wanted() {
        let room = room(4096);
        let wanted = OverlaySettings {
            auto_feature_paid: true,
            min_paid: 500,
            ..OverlaySettings::default()
        };
        let offer = |message: Message| {
            say(&room, message.clone());
            room.enqueue_paid(&message);
        };
        room.set_settings(wanted.clone());
        offer(paid("unknown", 900));
        assert!(room.queue().is_empty(), "what was in it before is not known yet");
        room.recall_stage().await.unwrap();
        for (name, cents) in [("a", 499), ("b", 500), ("c", 90_000), ("refund", -700)] {
            offer(paid(name, cents));
        }
        offer(message("free", "bo"));
        assert_eq!(names(&room.queue()), ["b", "c"]);
        room.set_settings(OverlaySettings { auto_feature_paid: false, ..wanted.clone() });
        offer(paid("d", 700));
        assert_eq!(names(&room.queue()), ["b", "c"]);

        for number in 2..MOST_QUEUED {
            let name = number.to_string();
            say(&room, message(&name, "cy"));
            assert_eq!(queue(&room, &name).await, Queued::Added);
        }
        say(&room, message("more", "cy"));
        assert_eq!(queue(&room, "more").await, Queued::Full);
        assert_eq!(queue(&room, "b").await, Queued::There);
        room.set_settings(wanted);
        offer(paid("e", 700));
        offer(paid("f", 700));
        assert_eq!(room.queue().len(), MOST_QUEUED);
        let told = || {
            let events = room.telemetry().recent.list_events();
            events.iter().filter(|it| it.message.contains("is full")).count()
        };
        let counted = || {
            let metrics = room.telemetry().meters.render();
            let line =
                metrics.lines().find(|it| it.starts_with("streamsuites_paid_not_queued_total"));
            line.unwrap().rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!((told(), counted()), (1, "2".to_owned()), "each is counted, and all told once");
        assert!(room.dequeue(&id("b")));
        assert_eq!(queue(&room, "more").await, Queued::Added);
        for number in ["2", "3"] {
            assert!(room.dequeue(&id(number)));
        }
        for name in ["g", "h", "i"] {
            offer(paid(name, 700));
        }
        assert_eq!((told(), counted()), (2, "3".to_owned()), "full anew, it is told anew");
    }

    #[tokio::test]
    async fn nothing_that_the_overlays_hide_goes_to_the_queue_by_itself() {
        let room = room(64);
        room.recall_stage().await.unwrap();
        room.set_settings(OverlaySettings {
            auto_feature_paid: true,
            blocked_words: vec!["badword".to_owned()],
            hidden_users: vec!["cy".to_owned()],
            ..OverlaySettings::default()
        });
        let clean = |id: &str, author: &str| Message {
            text: "well done".to_owned(),
            author: serde_json::from_value(person(author)).unwrap(),
            ..paid(id, 500)
        };
        for message in [paid("a", 500), clean("b", "cy"), clean("c", "bo")] {
            say(&room, message.clone());
            room.enqueue_paid(&message);
        }
        assert_eq!(names(&room.queue()), ["c"]);
    }

    #[tokio::test]
    async fn a_hello_tells_the_queue_as_it_is_and_only_to_those_who_want_it() {
        let room = room(64);
        room.recall_stage().await.unwrap();
        let hello = async |types: Option<&str>| -> Value {
            let filter = Filter::parse(types, None).unwrap();
            serde_json::from_slice(&room.enter(None, 0, &filter).await.hello.json()).unwrap()
        };
        let ids = |hello: &Value| -> Vec<String> {
            let items = hello["queue"].as_array().unwrap().iter();
            items.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
        };
        for name in ["a", "b", "c"] {
            say(&room, message(name, "bo"));
            queue(&room, name).await;
        }
        assert_eq!(ids(&hello(None).await), ["twitch:a", "twitch:b", "twitch:c"]);
        room.feature_next();
        assert_eq!(ids(&hello(None).await), ["twitch:b", "twitch:c"]);
        room.publish(&delete("b"), &Arrival::now());
        let now = hello(Some("queue,feature")).await;
        assert_eq!(
            (ids(&now), &now["featured"]["id"]),
            (vec!["twitch:c".to_owned()], &json!("twitch:a"))
        );
        let chat = hello(Some("chat")).await;
        assert_eq!((chat.get("queue"), &chat["featured"]), (None, &Value::Null));
    }

    #[tokio::test]
    async fn a_room_that_takes_anothers_place_goes_on_with_its_stage() {
        let before = room(64);
        before.recall_stage().await.unwrap();
        for name in ["a", "b"] {
            say(&before, message(name, "bo"));
            queue(&before, name).await;
        }
        before.feature_next();
        let after = room(64);
        after.take_over(&before);
        after.recall_stage().await.unwrap();
        assert_eq!(names(&after.queue()), ["b"]);
        assert_eq!(after.featured().unwrap().id, id("a"));
    }
}
