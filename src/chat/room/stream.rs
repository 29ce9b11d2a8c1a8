//! Which stream session a room is in: from the first thing said after a silence to the next silence.

use serde::Serialize;

use super::CLOCK_DISORDER_MS;
use crate::{
    feed::OpenSession,
    model::{EventBody, Platform, SessionEnd, SessionStart, Timestamp},
};

/// The session a room is in, if it is in one.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    open: Option<OpenSession>,
    idle_ms: i64,
    /// The newest id that was given here: the next one differs.
    last_id: String,
}

/// The open session, as readers are told of it.
#[derive(Debug, Serialize)]
pub(super) struct Greeting<'a> {
    session_id: &'a str,
    title: Option<&'a str>,
    started_at: Timestamp,
}

impl Stream {
    /// Goes on with the session that was open.
    pub(super) fn new(open: Option<OpenSession>, idle_minutes: u32) -> Self {
        let last_id = open.as_ref().map_or_else(String::new, |it| it.session_id.clone());
        Self { open, idle_ms: i64::from(idle_minutes) * 60_000, last_id }
    }

    pub(super) fn greeting(&self) -> Option<Greeting<'_>> {
        self.open.as_ref().map(|it| Greeting {
            session_id: &it.session_id,
            title: it.title.as_deref(),
            started_at: it.started_at,
        })
    }

    /// What has to be said before `body`, which comes at `now`.
    pub(super) fn before(&mut self, body: &EventBody, now: Timestamp) -> Vec<EventBody> {
        let mut said = Vec::new();
        match body {
            EventBody::SessionStart(_) => said.extend(self.end()),
            body if body.is_content() => {
                said.extend(self.end_if_idle(now));
                if self.open.is_none() || !said.is_empty() {
                    let session_id = self.next_id(now);
                    said.push(EventBody::SessionStart(SessionStart { session_id, title: None }));
                }
            }
            _ => {}
        }
        said
    }

    /// Takes in what was published.
    pub(super) fn note(&mut self, body: &EventBody, now: Timestamp) {
        match body {
            EventBody::SessionStart(it) => {
                self.last_id.clone_from(&it.session_id);
                self.open = Some(OpenSession {
                    session_id: it.session_id.clone(),
                    title: it.title.clone(),
                    started_at: now,
                    last_at: now,
                });
            }
            EventBody::SessionEnd(_) => self.open = None,
            body if body.is_content() => {
                if let Some(open) = &mut self.open {
                    open.last_at = open.last_at.max(now);
                }
            }
            _ => {}
        }
    }

    /// Whether `body` starts the session that is open already: again, or on one more platform. Who goes live on
    /// several at once has one stream; its first platform's next stream begins another.
    pub(super) fn is_repeat(&self, body: &EventBody) -> bool {
        match (body, &self.open) {
            (EventBody::SessionStart(it), Some(open)) => {
                let one_more = match (platform_of(&it.session_id), platform_of(&open.session_id)) {
                    (Some(new), Some(first)) => new != first,
                    _ => false,
                };
                one_more || it.session_id == open.session_id
            }
            _ => false,
        }
    }

    /// The end of the session, once nothing has happened for as long as it takes.
    pub(super) fn end_if_idle(&self, now: Timestamp) -> Option<EventBody> {
        let open = self.open.as_ref()?;
        let since = now.ms_since(open.last_at);
        // A clock that was set back begins another session: in one, time never goes back.
        (since >= self.idle_ms || since <= -CLOCK_DISORDER_MS).then(|| self.end()).flatten()
    }

    fn end(&self) -> Option<EventBody> {
        let open = self.open.as_ref()?;
        let (session_id, title) = (open.session_id.clone(), open.title.clone());
        Some(EventBody::SessionEnd(SessionEnd { session_id, title }))
    }

    fn next_id(&self, now: Timestamp) -> String {
        let id = now.compact();
        // Two in one second: the clock went back, or a platform was in a hurry.
        if self.last_id.starts_with(&id) { format!("{}-2", self.last_id) } else { id }
    }
}

/// The platform that began a session: its workers name theirs `youtube-…`.
fn platform_of(session_id: &str) -> Option<Platform> {
    session_id.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Activity, ActivityKind, Flag};

    fn activity(flags: Vec<Flag>) -> EventBody {
        let mut activity: Activity = serde_json::from_value(serde_json::json!({
            "kind": "follow", "platform": "twitch", "id": "twitch:1", "system_text": "hi", "flags": [],
        }))
        .unwrap();
        assert_eq!(activity.kind, ActivityKind::Follow);
        activity.flags = flags;
        EventBody::Activity(Box::new(activity))
    }

    fn kinds(said: &[EventBody]) -> Vec<&'static str> {
        said.iter().map(EventBody::kind).collect()
    }

    fn publish(stream: &mut Stream, body: &EventBody, at: Timestamp) -> Vec<&'static str> {
        let before = stream.before(body, at);
        before.iter().for_each(|it| stream.note(it, at));
        stream.note(body, at);
        kinds(&before)
    }

    #[test]
    fn a_session_begins_with_the_first_thing_said_after_a_silence() {
        let start = Timestamp::parse("2026-11-24T18:03:11.412Z").unwrap();
        let minutes = |it: i64| start.plus_ms(it * 60_000);
        let mut stream = Stream::new(None, 30);
        assert_eq!(publish(&mut stream, &activity(vec![Flag::Historical]), start), [""; 0]);
        assert_eq!(publish(&mut stream, &activity(vec![]), start), ["session.start"]);
        assert_eq!(stream.open.as_ref().unwrap().session_id, "20261124T180311Z");
        assert_eq!(publish(&mut stream, &activity(vec![]), minutes(29)), [""; 0]);
        assert_eq!(stream.end_if_idle(minutes(58)), None);
        assert!(stream.end_if_idle(minutes(59)).is_some());
        let again = publish(&mut stream, &activity(vec![]), minutes(90));
        assert_eq!(again, ["session.end", "session.start"]);
        assert_eq!(publish(&mut stream, &activity(vec![]), minutes(90).plus_ms(-10)), [""; 0]);
        let set_back = publish(&mut stream, &activity(vec![]), minutes(60));
        assert_eq!(set_back, ["session.end", "session.start"]);
    }

    #[test]
    fn a_platform_that_says_live_ends_the_session_before_and_an_id_is_never_given_twice() {
        let start = Timestamp::parse("2026-11-24T18:03:11.412Z").unwrap();
        let mut stream = Stream::new(None, 30);
        publish(&mut stream, &activity(vec![]), start);
        let live = SessionStart { session_id: "live-1".to_owned(), title: Some("Hi".to_owned()) };
        let live = EventBody::SessionStart(live);
        assert_eq!(publish(&mut stream, &live, start), ["session.end"]);
        assert!(stream.is_repeat(&live));
        stream.note(&stream.end().unwrap(), start);
        stream.last_id = "20261124T180311Z".to_owned();
        assert_eq!(publish(&mut stream, &activity(vec![]), start), ["session.start"]);
        assert_eq!(stream.open.as_ref().unwrap().session_id, "20261124T180311Z-2");
    }

    #[test]
    fn one_stream_on_several_platforms_is_one_session() {
        let start = |id: &str| {
            EventBody::SessionStart(SessionStart { session_id: id.to_owned(), title: None })
        };
        let now = Timestamp::now();
        let mut stream = Stream::new(None, 30);
        assert!(!stream.is_repeat(&start("youtube-a")));
        stream.note(&start("youtube-a"), now);
        assert!(stream.is_repeat(&start("youtube-a")), "told again");
        assert!(stream.is_repeat(&start("kick-1")), "the same stream on one more platform");
        assert!(!stream.is_repeat(&start("youtube-b")), "the next stream");
        // What chat alone began gives way to a platform that says live.
        let mut stream = Stream::new(None, 30);
        stream.note(&start("20261120T180311Z"), now);
        assert!(!stream.is_repeat(&start("kick-1")));
    }
}
