//! The old `creators.json`, in all its shapes.

use serde_json::{Map, Value, json};

use super::{New, limits};
use crate::{
    config::channel_name,
    model::{CreatorId, Platform},
};

/// Reads a list of creators, an object with one, or an object of creators by id.
pub(super) fn read(value: &Value, new: &mut New) {
    let (place, creators): (&str, Vec<(String, Value)>) = match value {
        Value::Array(list) => ("", numbered(list)),
        Value::Object(object) => match object.get("creators") {
            Some(Value::Array(list)) => ("/creators", numbered(list)),
            Some(Value::Object(by_id)) => ("/creators", named(by_id)),
            _ => ("", named(object)),
        },
        _ => return new.note("/", "is no list of creators"),
    };
    for (at, creator) in creators {
        read_creator(&format!("{place}/{at}"), &creator, new);
    }
    if let Some(admins) = value["discord_admins"].as_array().filter(|it| !it.is_empty()) {
        let count = admins.len();
        new.note(
            "/discord_admins",
            format!("this build has no control plane on Discord: {count} ids wait for it"),
        );
    }
}

fn numbered(list: &[Value]) -> Vec<(String, Value)> {
    list.iter().enumerate().map(|(at, it)| (at.to_string(), it.clone())).collect()
}

/// Creators by id: the id stands in each, as in a list.
fn named(by_id: &Map<String, Value>) -> Vec<(String, Value)> {
    let creators = by_id.iter().filter(|it| it.1.is_object() && *it.0 != "meta");
    creators
        .map(|(id, creator)| {
            let mut creator = creator.clone();
            if creator.get("creator_id").is_none() {
                creator["creator_id"] = json!(id);
            }
            (id.clone(), creator)
        })
        .collect()
}

const KNOWN: [&str; 18] = [
    "creator_id",
    "id",
    "display_name",
    "name",
    "enabled",
    "platforms",
    "limits",
    "tier",
    "is_admin",
    "discord_user_id",
    "rumble_channel_url",
    "rumble_manual_watch_url",
    "rumble_livestream_api_env_key",
    "rumble_chat_channel_id",
    "rumble_dom_chat_enabled",
    "created_at",
    "updated_at",
    "public_slug",
];

fn read_creator(place: &str, value: &Value, new: &mut New) {
    let Some(object) = value.as_object() else { return new.note(place, "is no creator") };
    let text = |key: &str| {
        object.get(key).and_then(Value::as_str).map(str::trim).filter(|it| !it.is_empty())
    };
    let Some(id) = text("creator_id").or_else(|| text("id")) else {
        return new.note(place, "has no creator_id: left out");
    };
    let id = match id.parse::<CreatorId>() {
        Ok(it) => it,
        Err(why) => {
            return new.note(&format!("{place}/creator_id"), format!("left out: {why}"));
        }
    };
    let mut creator = json!({ "id": id });
    if let Some(name) = text("display_name").or_else(|| text("name")) {
        creator["display_name"] = json!(name.chars().take(64).collect::<String>());
    }
    if object.get("enabled") == Some(&json!(false)) {
        creator["enabled"] = json!(false);
    }
    // The end of the names of the creator's secrets: a person's name in capitals, not the id.
    if let Some(suffix) = text("rumble_livestream_api_env_key").and_then(find_suffix) {
        creator["env_suffix"] = json!(suffix);
    } else if object.contains_key("rumble_livestream_api_env_key") {
        let why = "names no secret that is known: set env_suffix to what the names of the secrets end with";
        new.note(&format!("{place}/rumble_livestream_api_env_key"), why);
    }
    let channels = read_channels(place, object, new);
    if !channels.is_empty() {
        creator["channels"] = json!(channels);
    }
    new.add("creators.json", "creators", creator);

    for (key, why) in [
        ("tier", "tiers belong to accounts: `streamsuites account set-tier`"),
        ("is_admin", "roles belong to accounts: `streamsuites account create-admin`"),
        ("discord_user_id", "an account is linked with Discord on its own page"),
        ("rumble_manual_watch_url", "the stream is found by itself"),
        ("rumble_dom_chat_enabled", "how Rumble is read is decided by itself"),
        ("public_slug", "rooms have no second name"),
    ] {
        if object.get(key).is_some_and(|it| !it.is_null() && *it != json!(false)) {
            new.note(&format!("{place}/{key}"), why);
        }
    }
    if let Some(limits) = object.get("limits").and_then(Value::as_object) {
        limits::read_limits(&format!("{place}/limits"), limits, &["creators", id.as_str()], new);
    }
    new.note_others(place, object, &KNOWN);
}

/// `DANIEL` of `RUMBLE_LIVESTREAM_KEY_DANIEL`.
fn find_suffix(name: &str) -> Option<String> {
    let suffix =
        ["RUMBLE_LIVESTREAM_KEY_", "RUMBLE_KEY_"].iter().find_map(|it| name.strip_prefix(it))?;
    let plain = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_';
    (!suffix.is_empty() && suffix.bytes().all(plain)).then(|| suffix.to_owned())
}

/// A list of platforms, or a map to a switch or to more about it.
fn read_channels(place: &str, object: &Map<String, Value>, new: &mut New) -> Vec<Value> {
    let platforms: Vec<(String, Value)> = match object.get("platforms") {
        Some(Value::Array(list)) => list
            .iter()
            .map(|it| match it {
                Value::String(name) => (name.clone(), json!(true)),
                other => (other["platform"].as_str().unwrap_or_default().to_owned(), other.clone()),
            })
            .collect(),
        Some(Value::Object(map)) => map.iter().map(|it| (it.0.clone(), it.1.clone())).collect(),
        _ => Vec::new(),
    };
    let mut channels = Vec::new();
    for (word, about) in platforms {
        let place = format!("{place}/platforms/{word}");
        let Ok(platform) = word.trim().to_lowercase().parse::<Platform>() else {
            new.note(&place, "is no platform that is known");
            continue;
        };
        let enabled = about.as_bool().or_else(|| about["enabled"].as_bool()).unwrap_or(true);
        let keys = ["channel", "channel_name", "channel_url", "name", "login", "handle", "url"];
        let mut name = keys.iter().find_map(|it| about[*it].as_str());
        if platform == Platform::Rumble {
            name = name.or_else(|| object.get("rumble_channel_url").and_then(Value::as_str));
        }
        let Some(name) = name else {
            if enabled {
                let why = format!(
                    "the old files do not say which channel: add {{\"platform\": \"{platform}\", \"name\": \"…\"}} to its channels"
                );
                new.note(&place, why);
            }
            continue;
        };
        let Ok(name) = channel_name::normalize(platform, name) else {
            new.note(&place, "what it names is no channel there");
            continue;
        };
        let mut channel = json!({ "platform": platform, "name": name });
        if !enabled {
            channel["enabled"] = json!(false);
        }
        if platform == Platform::Rumble {
            let told = object.get("rumble_chat_channel_id");
            let number = told.and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
            match (told.filter(|it| !it.is_null()), number.filter(|it| *it > 0)) {
                (Some(_), Some(number)) => channel["chat_id"] = json!(number),
                (Some(_), None) => {
                    let why = "rumble_chat_channel_id is no number of a chat";
                    new.note(&place, why);
                }
                (None, _) => {}
            }
        }
        if about.get("telemetry_enabled") == Some(&json!(false)) {
            new.note(&format!("{place}/telemetry_enabled"), "what is read is counted");
        }
        channels.push(channel);
    }
    channels
}
