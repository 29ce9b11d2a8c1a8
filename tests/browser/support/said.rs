//! Invented chat messages.

use serde_json::{Value, json};
use streamsuites::model::Timestamp;

/// A chat message in the making.
pub(crate) struct Said(Value);

/// What a viewer, whose login is the name in lower case, says on Twitch.
pub(crate) fn said(id: &str, name: &str, text: &str) -> Said {
    let now = Timestamp::now().to_string();
    Said(json!({
        "id": format!("twitch:{id}"), "platform": "twitch",
        "channel": { "id": "twitch:1001", "name": "ana" },
        "author": author("twitch", name),
        "text": text, "fragments": [{ "type": "text", "text": text }], "flags": [],
        "sent_at": now, "received_at": now,
    }))
}

fn author(platform: &str, name: &str) -> Value {
    let login = name.to_lowercase();
    json!({
        "id": format!("{platform}:{login}-id"), "login": login, "name": name,
        "color": null, "badges": [], "roles": [],
    })
}

impl Said {
    /// Sets a field.
    pub(crate) fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        self.0.pointer_mut(parent).unwrap()[field] = value.into();
        self
    }

    /// Said on another platform.
    pub(crate) fn on(self, platform: &str) -> Self {
        let moved = |it: &Value| it.as_str().unwrap().replacen("twitch", platform, 1);
        let (id, author) = (moved(&self.0["id"]), moved(&self.0["author"]["id"]));
        self.with("/platform", platform).with("/id", id).with("/author/id", author)
    }

    /// As an answer that quotes what somebody said.
    pub(crate) fn quoting(self, id: &str, name: &str, text: &str) -> Self {
        let author = author("twitch", name);
        let quote = json!({ "id": format!("twitch:{id}"), "author": author, "text": text });
        self.with("/reply_to", quote)
    }

    /// In these pieces.
    pub(crate) fn fragments(self, fragments: Value) -> Self {
        self.with("/fragments", fragments)
    }
}

impl From<Said> for Value {
    fn from(said: Said) -> Self {
        said.0
    }
}
