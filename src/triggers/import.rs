//! Reads trigger files of older programs, in whatever spelling their keys have, and says what it cannot place.

use serde_json::{Map, Value, json};

use crate::model::trigger::Trigger;

/// What became of a file.
#[derive(Debug, Default)]
pub struct Read {
    /// Whole triggers, checked.
    pub triggers: Vec<Trigger>,
    /// What could not be placed: where, and why.
    pub problems: Vec<(String, String)>,
}

/// Other spellings of the keys, each behind the one that is ours.
const KEYS: [(&str, &[&str]); 16] = [
    ("trigger_id", &["id", "name"]),
    ("creator_id", &["creator", "owner", "room"]),
    ("type", &["kind", "trigger_type", "match_type"]),
    ("command", &["trigger", "word", "cmd"]),
    ("prefix", &["command_prefix"]),
    ("aliases", &["alias", "alternatives"]),
    ("pattern", &["regex", "expression", "match_pattern"]),
    ("keywords", &["keyword", "words", "phrases"]),
    ("minutes", &["interval_minutes", "every_minutes", "interval"]),
    ("least_lines", &["min_lines", "chat_lines", "minimum_lines"]),
    ("platforms", &["eligible_platforms", "platform"]),
    ("access", &["role", "permission", "userlevel", "user_level", "min_role"]),
    ("cooldown_seconds", &["cooldown", "cooldown_s", "room_cooldown", "creator_cooldown"]),
    ("viewer_cooldown_seconds", &["user_cooldown", "user_cooldown_seconds", "viewer_cooldown"]),
    ("global_cooldown_seconds", &["global_cooldown"]),
    ("description", &["notes", "note", "comment"]),
];
/// Spellings of a text that is answered, where a trigger has no list of actions.
const ANSWERS: [&str; 6] = ["response_template", "response", "reply", "text", "message", "answer"];
/// What says nothing that is not said elsewhere.
const SILENT: [&str; 9] = [
    "meta",
    "$schema",
    "version",
    "created_at",
    "updated_at",
    "schema_version",
    "protected",
    "built_in",
    "remaining",
];

/// `coolDownSeconds`, `Cooldown-Seconds` and `cooldown_seconds` are one.
fn folded(key: &str) -> String {
    key.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Reads what `text` holds: a list of triggers, or an object with one.
///
/// # Errors
/// When it is no JSON, or holds nothing that looks like triggers.
pub fn read(text: &str) -> Result<Read, String> {
    let value: Value = serde_json::from_str(text).map_err(|it| format!("this is no JSON: {it}"))?;
    let none = "there are no triggers in it: an object with a list `triggers` was expected";
    let (place, list) = match &value {
        Value::Array(list) => ("", list),
        Value::Object(object) => {
            let is_list = |key: &&String| {
                matches!(folded(key).as_str(), "triggers" | "commands" | "items" | "chattriggers")
            };
            let key = object.keys().find(is_list).ok_or(none)?;
            (key.as_str(), object[key].as_array().ok_or(none)?)
        }
        _ => return Err(none.to_owned()),
    };
    let mut read = Read::default();
    for (at, entry) in list.iter().enumerate() {
        let place = if place.is_empty() { format!("/{at}") } else { format!("/{place}/{at}") };
        match entry.as_object() {
            None => read.problems.push((place, "is no trigger: an object was expected".to_owned())),
            Some(entry) => read_one(entry, at, &place, &mut read),
        }
    }
    // Names that came twice: nothing is lost, the later one is called otherwise.
    let mut taken = std::collections::HashSet::new();
    for trigger in &mut read.triggers {
        let wanted = trigger.trigger_id.clone();
        let mut number = 2;
        while !taken.insert((trigger.trigger_id.clone(), trigger.creator_id.clone())) {
            trigger.trigger_id = format!("{wanted}-{number}");
            number += 1;
        }
    }
    Ok(read)
}

fn read_one(entry: &Map<String, Value>, at: usize, place: &str, read: &mut Read) {
    let mut new = Map::new();
    let mut answer = None;
    let mut actions = None;
    let mut mode = None;
    let mut lost = Vec::new();
    for (key, value) in entry {
        let name = folded(key);
        let is = |it: &&str| folded(it) == name;
        if value.is_null() || SILENT.iter().any(is) {
            continue;
        }
        let known = KEYS.iter().find(|it| is(&it.0) || it.1.iter().any(is));
        match name.as_str() {
            "actions" | "action" => actions = Some((key, value)),
            "matchmode" => mode = value.as_str().map(str::to_lowercase),
            // `match` of the oldest files is a word or a phrase, as `match_mode` says.
            "match" => drop(new.insert("match".to_owned(), value.clone())),
            "enabled" | "active" => drop(new.insert("enabled".to_owned(), json!(truth(value)))),
            "disabled" => drop(new.insert("enabled".to_owned(), json!(!truth(value)))),
            _ if ANSWERS.iter().any(is) && value.is_string() => {
                answer = value.as_str().map(str::to_owned);
            }
            _ => match known {
                Some((ours, _)) => drop(new.insert((*ours).to_owned(), value.clone())),
                None => lost.push(key.clone()),
            },
        }
    }
    normalize(&mut new, mode.as_deref(), at);
    let mut list = Vec::new();
    if let Some((key, value)) = actions {
        let entries = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        for (at, entry) in entries.iter().enumerate() {
            match read_action(entry) {
                Ok(it) => list.push(it),
                Err(why) => read.problems.push((format!("{place}/{key}/{at}"), why)),
            }
        }
    }
    list.extend(
        answer.map(|it| json!({"action_type": "reply", "payload": {"text": with_our_gaps(&it)}})),
    );
    new.insert("actions".to_owned(), Value::Array(list));
    for key in lost {
        let why = "has no place here and was left out".to_owned();
        read.problems.push((format!("{place}/{key}"), why));
    }
    match serde_json::from_value::<Trigger>(Value::Object(new)) {
        Err(error) => read.problems.push((place.to_owned(), format!("was left out: {error}"))),
        Ok(trigger) => {
            let found = trigger.check();
            if found.is_empty() {
                read.triggers.push(trigger);
            } else {
                let why = |(pointer, why): (String, String)| {
                    (format!("{place}{pointer}"), format!("was left out: {why}"))
                };
                read.problems.extend(found.into_iter().map(why));
            }
        }
    }
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(it) => *it,
        Value::Number(it) => it.as_f64() != Some(0.0),
        Value::String(it) => {
            !matches!(it.to_lowercase().as_str(), "false" | "no" | "off" | "0" | "")
        }
        _ => false,
    }
}

/// Brings values to the shape that ours have.
fn normalize(new: &mut Map<String, Value>, mode: Option<&str>, at: usize) {
    if let Some(Value::String(text)) = new.remove("match") {
        let exact = mode.is_none_or(|it| it.starts_with("equals"));
        if exact && !text.trim().contains(char::is_whitespace) {
            new.insert("command".to_owned(), json!(text));
            new.insert("prefix".to_owned(), json!(""));
        } else {
            new.insert("keywords".to_owned(), json!([text]));
        }
    }
    for key in ["platforms", "keywords", "aliases"] {
        if let Some(Value::String(text)) = new.get(key) {
            let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
            let parts: Vec<&str> = parts.collect();
            new.insert(key.to_owned(), json!(parts));
        }
    }
    if let Some(Value::Array(list)) = new.get_mut("platforms") {
        list.iter_mut().for_each(|it| *it = json!(it.as_str().unwrap_or_default().to_lowercase()));
        list.retain(|it| !matches!(it.as_str(), Some("all" | "any" | "")));
    }
    if let Some(Value::Array(list)) = new.get_mut("aliases") {
        let bare = |it: &Value| it.as_str().map(|it| json!(it.trim_start_matches('!')));
        list.iter_mut().for_each(|it| *it = bare(it).unwrap_or_default());
    }
    for key in ["cooldown_seconds", "viewer_cooldown_seconds", "global_cooldown_seconds", "minutes"]
    {
        let number = match new.get(key) {
            Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
            Some(it) => it.as_f64(),
            None => continue,
        };
        // Parts of a second were allowed: a whole one is no shorter.
        let whole = number.filter(|it| *it >= 0.0 && *it < 1e9).map(|it| it.ceil() as u64);
        new.insert(key.to_owned(), whole.map_or(Value::Null, |it| json!(it)));
    }
    new.retain(|_, it| !it.is_null());
    if let Some(access) = new.get("access").and_then(Value::as_str).map(str::to_lowercase) {
        let ours = match access.as_str() {
            "mods" | "moderator" | "moderators" | "mod" => "moderators",
            "subs" | "subscriber" | "subscribers" | "members" | "member" => "subscribers",
            "vip" | "vips" => "vips",
            "owner" | "broadcaster" | "streamer" | "creator" | "admin" => "broadcaster",
            "all" | "everyone" | "any" | "viewer" | "viewers" => "everyone",
            _ => access.as_str(),
        };
        new.insert("access".to_owned(), json!(ours));
    }
    if let Some(command) = new.get("command").and_then(Value::as_str).map(str::trim) {
        // The prefix stood in the word.
        let (prefix, word) = match command.strip_prefix('!') {
            Some(word) if !new.contains_key("prefix") => (None, word.to_owned()),
            _ => match new.get("prefix").and_then(Value::as_str) {
                Some(it) if !it.is_empty() => {
                    (None, command.strip_prefix(it).unwrap_or(command).to_owned())
                }
                _ => match command.strip_prefix('!') {
                    Some(word) => (Some("!"), word.to_owned()),
                    None => (None, command.to_owned()),
                },
            },
        };
        new.insert("command".to_owned(), json!(word));
        if let Some(prefix) = prefix {
            new.insert("prefix".to_owned(), json!(prefix));
        }
    }
    if !new.contains_key("type") {
        let kind = [
            ("pattern", "regex"),
            ("keywords", "keyword"),
            ("minutes", "timer"),
            ("command", "command"),
        ];
        let kind = kind.iter().find(|it| new.contains_key(it.0)).map_or("command", |it| it.1);
        new.insert("type".to_owned(), json!(kind));
    }
    if let Some(kind) = new.get("type").and_then(Value::as_str).map(str::to_lowercase) {
        new.insert("type".to_owned(), json!(kind));
    }
    let id = new.get("trigger_id").and_then(Value::as_str).unwrap_or_default();
    let id = if id.is_empty() {
        new.get("command").and_then(Value::as_str).unwrap_or_default()
    } else {
        id
    };
    let id: String = id
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() || it == '-' || it == '_' { it } else { '-' })
        .take(60)
        .collect();
    let id = id.trim_matches(['-', '_']).to_owned();
    let id = if id.is_empty() { format!("trigger-{}", at + 1) } else { id };
    new.insert("trigger_id".to_owned(), json!(id));
}

/// An action of older files: its type under several names, what it needs beside it or in `payload`.
fn read_action(entry: &Value) -> Result<Value, String> {
    let Some(entry) = entry.as_object() else {
        return Err("is no action: an object was expected".to_owned());
    };
    let (mut kind, mut payload, mut platform) = (None, Map::new(), None);
    for (key, value) in entry {
        match folded(key).as_str() {
            "actiontype" | "type" | "action" | "kind" => kind = value.as_str().map(folded),
            "payload" | "params" | "parameters" | "data" | "args" => {
                payload.extend(value.as_object().cloned().unwrap_or_default());
            }
            "platform" | "platforms" => platform = Some(value.clone()),
            _ => drop(payload.insert(key.clone(), value.clone())),
        }
    }
    let kind = kind.ok_or("has no `action_type`")?;
    let ours = match kind.as_str() {
        "sendchatmessage" | "sendmessage" | "chatmessage" | "say" | "send" => "send_chat_message",
        "reply" | "respond" => "reply",
        "enqueueclipjob" | "clip" | "createclip" => "clip",
        "httprequest" => "http",
        "discord" | "discordnotify" => "notify",
        "pollvote" | "vote" => "poll_vote",
        "pollopen" => "poll_open",
        "pollclose" => "poll_close",
        other => other,
    };
    let mut moved = Map::new();
    for (key, value) in payload {
        let name = match (ours, folded(&key).as_str()) {
            ("send_chat_message" | "reply" | "notify", "message" | "content" | "template") => {
                "text"
            }
            ("clip", "durationseconds" | "duration" | "length") => "seconds",
            ("notify", "channel") => "channel_id",
            _ => key.as_str(),
        }
        .to_owned();
        let value = match (&value, name.as_str()) {
            (Value::String(text), "text") => json!(with_our_gaps(text)),
            _ => value,
        };
        moved.insert(name, value);
    }
    if ours == "send_chat_message"
        && let Some(platform) = platform
    {
        let list = if platform.is_array() { platform } else { json!([platform]) };
        let is_all = list[0].as_str().is_none_or(|it| it == "all" || it.is_empty());
        if !is_all {
            moved.insert("platforms".to_owned(), list);
        }
    }
    let action = json!({"action_type": ours, "payload": moved});
    serde_json::from_value::<crate::model::action::Action>(action.clone())
        .map(|_| action)
        .map_err(|it| format!("was left out: {it}"))
}

/// Gaps of other programs, as ours: `$(user)`, `${user}`, `{username}`, `$user`.
fn with_our_gaps(text: &str) -> String {
    const NAMES: [(&str, &str); 12] = [
        ("username", "user"),
        ("display_name", "user"),
        ("displayname", "user"),
        ("sender", "user"),
        ("author", "user"),
        ("touser", "target"),
        ("query", "args"),
        ("arguments", "args"),
        ("arg1", "1"),
        ("uses", "count"),
        ("streamer", "room"),
        ("creator", "room"),
    ];
    let text = text.replace("$(", "{").replace("${", "{");
    // A bracket that was opened so is closed by the first one behind it.
    let mut ours = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('{') {
        let (before, inside) = (&rest[..at], &rest[at + 1..]);
        ours.push_str(before);
        let end = inside.find(['}', ')']);
        let Some(end) = end else {
            ours.push_str("{{");
            rest = inside;
            continue;
        };
        let name = inside[..end].trim().to_lowercase();
        let name = NAMES.iter().find(|it| it.0 == name).map_or(name.as_str(), |it| it.1).to_owned();
        if crate::model::template::Template::parse(&format!("{{{name}}}")).is_ok() {
            ours.push_str(&format!("{{{name}}}"));
        } else {
            ours.push_str(&format!("{{{{{}}}", &inside[..end]));
        }
        rest = &inside[end + 1..];
    }
    ours.push_str(rest);
    ours
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(entry: Value) -> Value {
        let read = read(&json!({ "triggers": [entry] }).to_string()).unwrap();
        assert_eq!(read.problems, []);
        serde_json::to_value(&read.triggers[0]).unwrap()
    }

    #[test]
    fn the_old_file_s_own_shape_is_read_as_it_is() {
        let trigger = one(json!({
            "trigger_id": "clip-it", "creator_id": "Qx7RtB", "type": "command", "command": "!clip",
            "keywords": [], "pattern": null, "platforms": ["twitch"], "cooldown_seconds": 1.5,
            "description": "clips", "enabled": true,
            "actions": [{"action_type": "send_chat_message", "platform": "twitch", "payload": {"text": "ok {username}"}},
                {"action_type": "enqueue_clip_job", "payload": {"duration_seconds": 30}}],
        }));
        assert_eq!(
            trigger,
            json!({
                "trigger_id": "clip-it", "creator_id": "Qx7RtB", "type": "command", "command": "clip",
                "platforms": ["twitch"], "cooldown_seconds": 2, "description": "clips",
                "actions": [
                    {"action_type": "send_chat_message", "payload": {"text": "ok {user}", "platforms": ["twitch"]}},
                    {"action_type": "clip", "payload": {"seconds": 30}}],
            })
        );
    }

    #[test]
    fn other_spellings_of_keys_lose_nothing() {
        let ours = json!({
            "trigger_id": "hi", "type": "command", "command": "hi", "aliases": ["hey"],
            "platforms": ["youtube"], "access": "moderators", "cooldown_seconds": 7, "description": "x",
            "enabled": false,
            "actions": [{"action_type": "reply", "payload": {"text": "hello {user} {1}"}}],
        });
        for entry in [
            json!({"triggerId": "hi", "Trigger": "!hi", "alias": "!hey", "eligiblePlatforms": "YouTube",
                "userLevel": "mods", "cooldown": "7", "notes": "x", "active": 0,
                "response_template": "hello $(user) ${arg1}"}),
            json!({"id": "hi", "kind": "COMMAND", "command": "hi", "prefix": "!", "aliases": ["hey"],
                "platform": ["youtube"], "permission": "moderator", "coolDownSeconds": 6.2, "comment": "x",
                "disabled": true, "actions": [{"type": "respond", "message": "hello {sender} {1}"}]}),
        ] {
            assert_eq!(one(entry), ours);
        }
    }

    #[test]
    fn the_oldest_file_matched_whole_messages_or_phrases() {
        let ping = one(json!({"match": "!ping", "match_mode": "equals_icase", "response": "pong"}));
        assert_eq!(
            (&ping["command"], &ping["type"], ping.get("prefix")),
            (&json!("ping"), &json!("command"), None)
        );
        let phrase =
            one(json!({"match": "good night", "match_mode": "contains_icase", "response": "bye"}));
        assert_eq!(
            (&phrase["type"], &phrase["keywords"]),
            (&json!("keyword"), &json!(["good night"]))
        );
    }

    #[test]
    fn what_has_no_place_is_said_and_the_rest_is_kept() {
        let read = read(
            &json!([
                {"command": "a", "reply": "x", "sound": "horn.mp3"},
                {"command": "b"},
                7,
                {"command": "c", "actions": [{"action_type": "dance"}, {"action_type": "feature"}]},
                {"pattern": "(", "reply": "x"},
                {"command": "a", "reply": "second"},
            ])
            .to_string(),
        )
        .unwrap();
        let ids: Vec<_> = read.triggers.iter().map(|it| it.trigger_id.as_str()).collect();
        assert_eq!(ids, ["a", "c", "a-2"]);
        let places: Vec<_> = read.problems.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(places, ["/0/sound", "/1/actions", "/2", "/3/actions/0", "/4/pattern"]);
        assert!(super::read("{}").is_err() && super::read("[").is_err());
    }
}
