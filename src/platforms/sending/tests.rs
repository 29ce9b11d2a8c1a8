use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::lifecycle::Lifecycle;
use std::sync::Arc;

/// A platform that answers what it is told to.
struct Scripted {
    answers: Mutex<Vec<Result<Said, SendError>>>,
    said: Mutex<Vec<(Instant, String)>>,
    told: tokio::sync::Notify,
}

impl Scripted {
    fn new(mut answers: Vec<Result<Said, SendError>>) -> Arc<Self> {
        answers.reverse();
        let (answers, said) = (Mutex::new(answers), Mutex::default());
        Arc::new(Self { answers, said, told: tokio::sync::Notify::new() })
    }
}

impl PlatformSender for Scripted {
    fn send<'a>(
        &'a self,
        words: &'a Words,
    ) -> Pin<Box<dyn Future<Output = Result<Said, SendError>> + Send + 'a>> {
        self.said.lock().unwrap().push((Instant::now(), words.text.clone()));
        self.told.notify_one();
        let answer = self.answers.lock().unwrap().pop();
        Box::pin(async move { answer.unwrap_or(Ok(Said { message_id: None })) })
    }

    fn account(&self) -> Option<QualifiedId> {
        Some(QualifiedId::new(Platform::Twitch, "9"))
    }

    fn pace(&self) -> Pace {
        Pace { messages: 20, within: Duration::from_secs(30), apart: Duration::ZERO }
    }

    fn max_chars(&self) -> usize {
        20
    }
}

fn ana() -> CreatorId {
    "ana".parse().unwrap()
}

fn key(platform: Platform) -> LaneKey {
    LaneKey { creator: ana(), platform, channel: "ana".to_owned() }
}

fn new(text: &str, platforms: Option<Vec<Platform>>) -> NewMessage {
    NewMessage {
        text: text.to_owned(),
        platforms,
        reply_to: None,
        source: Speaker::Creator,
        by: None,
    }
}

fn outbox() -> (Outbox, Echoes) {
    let echoes = Echoes::default();
    (Outbox::new(Lifecycle::new(), echoes.clone()), echoes)
}

async fn settled(outbox: &Outbox) -> Outgoing {
    loop {
        let all = outbox.list(&ana());
        let open = |it: &Delivery| matches!(it.state, SendState::Queued | SendState::Sending);
        if !all.iter().flat_map(|it| &it.platforms).any(open) {
            return all.last().unwrap().clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_platform_has_a_state_of_its_own() {
    let (outbox, echoes) = outbox();
    let id = QualifiedId::new(Platform::Twitch, "m1");
    let twitch = Scripted::new(vec![Ok(Said { message_id: Some(id.clone()) })]);
    let kick = Scripted::new(vec![Err(SendError::Blocked("followers only".to_owned()))]);
    let voices: Vec<(LaneKey, Voice)> = vec![
        (key(Platform::Twitch), Ok(twitch.clone())),
        (key(Platform::Kick), Ok(kick)),
        (key(Platform::Youtube), Err("no token".to_owned())),
    ];
    let all = vec![Platform::Twitch, Platform::Kick, Platform::Youtube, Platform::Rumble];
    let first = outbox.send(&ana(), new(" hello ", Some(all)), voices.clone()).unwrap();
    assert_eq!(first.text, "hello");
    let states: Vec<_> =
        settled(&outbox).await.platforms.into_iter().map(|it| (it.state, it.detail)).collect();
    assert_eq!(
        states,
        [
            (SendState::Sent, String::new()),
            (SendState::Blocked, "followers only".to_owned()),
            (SendState::Blocked, "no token".to_owned()),
            (SendState::Blocked, "the room has no channel on Rumble".to_owned()),
        ]
    );
    // To all: only where it is possible.
    let to_all = outbox.send(&ana(), new("hello", None), voices).unwrap();
    let platforms: Vec<_> = to_all.platforms.iter().map(|it| it.platform).collect();
    assert_eq!(platforms, [Platform::Twitch, Platform::Kick]);
    let mut message = message_of("9", "other words");
    message.id = id;
    assert!(echoes.is_ours(&ana(), &message), "by its id");
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_asks_to_wait_is_asked_again_and_one_that_is_unclear_is_not() {
    let (outbox, _) = outbox();
    let later = Err(SendError::Later(Duration::from_secs(7)));
    let unclear = Err(SendError::Failed("the answer broke off".to_owned()));
    let twitch = Scripted::new(vec![later, unclear]);
    let voice = || vec![(key(Platform::Twitch), Ok(twitch.clone() as Arc<dyn PlatformSender>))];
    outbox.send(&ana(), new("hi", None), voice()).unwrap();
    let last = settled(&outbox).await;
    assert_eq!(last.platforms[0].state, SendState::Failed);
    let said = twitch.said.lock().unwrap().clone();
    assert_eq!(said.len(), 2);
    assert_eq!((said[1].0 - said[0].0).as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn more_than_the_platform_allows_waits_and_more_than_that_is_blocked() {
    let (outbox, _) = outbox();
    let twitch = Scripted::new(Vec::new());
    let start = Instant::now();
    for number in 0..80 {
        let voice = vec![(key(Platform::Twitch), Ok(twitch.clone() as Arc<dyn PlatformSender>))];
        outbox.send(&ana(), new(&format!("{number}"), None), voice).unwrap();
    }
    settled(&outbox).await;
    let blocked = outbox
        .list(&ana())
        .iter()
        .filter(|it| it.platforms[0].detail == "too many messages wait")
        .count();
    assert!(blocked > 0);
    let said = twitch.said.lock().unwrap().clone();
    assert_eq!(said.len() + blocked, 80);
    let times: Vec<_> = said.iter().map(|it| (it.0 - start).as_secs()).collect();
    assert!(times[19] == 0 && times[20] == 30, "{times:?}");
    let order: Vec<u32> = said.iter().map(|it| it.1.parse().unwrap()).collect();
    assert!(order.is_sorted(), "in the order they were said");
}

#[tokio::test(start_paused = true)]
async fn a_lane_is_spoken_in_by_the_sender_that_was_given_last() {
    let (outbox, _) = outbox();
    let (old, new_one) = (Scripted::new(Vec::new()), Scripted::new(Vec::new()));
    let say = |sender: &Arc<Scripted>| {
        let voice = vec![(key(Platform::Twitch), Ok(sender.clone() as Arc<dyn PlatformSender>))];
        outbox.send(&ana(), new("hi", None), voice).unwrap();
    };
    // A request that began before another token came.
    say(&old);
    settled(&outbox).await;
    for _ in 0..2 {
        say(&new_one);
        settled(&outbox).await;
    }
    let count = |it: &Scripted| it.said.lock().unwrap().len();
    assert_eq!((count(&old), count(&new_one)), (1, 2));
}

#[tokio::test]
async fn what_cannot_be_said_anywhere_is_refused_whole() {
    let (outbox, _) = outbox();
    let twitch = Scripted::new(Vec::new());
    let voice = || vec![(key(Platform::Twitch), Ok(twitch.clone() as Arc<dyn PlatformSender>))];
    assert_eq!(outbox.send(&ana(), new("  ", None), voice()), Err(OutboxError::Empty));
    let long = "a".repeat(21);
    assert_eq!(outbox.send(&ana(), new(&long, None), voice()), Err(OutboxError::TooLong(20)));
    let mut answer = new("hi", Some(vec![Platform::Kick]));
    answer.reply_to = Some(QualifiedId::new(Platform::Twitch, "m"));
    assert_eq!(
        outbox.send(&ana(), answer, voice()),
        Err(OutboxError::OtherPlatform(Platform::Kick, Platform::Twitch))
    );
    assert!(outbox.list(&ana()).is_empty());
}

#[test]
fn our_words_are_recognised_once_and_only_from_our_account() {
    let echoes = Echoes::default();
    echoes.expect(&ana(), QualifiedId::new(Platform::Twitch, "9"), "hello");
    assert!(!echoes.is_ours(&ana(), &message_of("8", "hello")), "somebody else");
    assert!(!echoes.is_ours(&"ben".parse().unwrap(), &message_of("9", "hello")), "elsewhere");
    assert!(!echoes.is_ours(&ana(), &message_of("9", "oh hello")), "other words");
    assert!(echoes.is_ours(&ana(), &message_of("9", "@bo hello")), "a reply's mention in front");
    assert!(!echoes.is_ours(&ana(), &message_of("9", "hello")), "typed by hand afterwards");
    echoes.expect(&ana(), QualifiedId::new(Platform::Twitch, "9"), "hello");
    echoes.forget(&ana(), &QualifiedId::new(Platform::Twitch, "9"), "hello");
    assert!(!echoes.is_ours(&ana(), &message_of("9", "hello")), "was not said after all");
}

fn message_of(author: &str, text: &str) -> crate::model::Message {
    let author = QualifiedId::new(Platform::Twitch, author);
    serde_json::from_value(serde_json::json!({
        "id": "twitch:other", "platform": "twitch", "channel": {"id": "twitch:1", "name": "ana"},
        "author": {"id": author, "login": "a", "name": "A", "color": null, "badges": [], "roles": []},
        "text": text, "fragments": [{"type": "text", "text": text}], "flags": [],
        "sent_at": "2026-11-20T18:03:11.412Z", "received_at": "2026-11-20T18:03:11.412Z",
    }))
    .unwrap()
}
