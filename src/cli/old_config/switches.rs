//! The old `system.json`, `platforms.json` and the two further files that switched the same things.

use serde_json::{Map, Value, json};

use super::New;
use crate::{config::HttpUrl, model::Platform};

/// The platforms that can be switched here.
const SWITCHED: [Platform; 5] =
    [Platform::Twitch, Platform::Youtube, Platform::Kick, Platform::Rumble, Platform::Pilled];

/// Switches a platform; one that is off in any of the files is off.
fn switch(new: &mut New, place: &str, word: &str, on: bool) {
    let platform = word.trim().to_lowercase().parse::<Platform>().ok();
    match platform.filter(|it| SWITCHED.contains(it)) {
        Some(platform) if !on => {
            new.set("platforms.json", &[platform.as_str(), "enabled"], json!(false));
        }
        Some(_) => {}
        None if on => new.note(place, "is not read by this server"),
        None => {}
    }
}

pub(super) fn read_system(value: &Value, new: &mut New) {
    let Some(object) = value.as_object() else { return new.note("/", "is no object") };
    if let Some(system) = object.get("system").and_then(Value::as_object) {
        if system.get("platform_polling_enabled") == Some(&json!(false)) {
            for platform in SWITCHED {
                switch(new, "/system/platform_polling_enabled", platform.as_str(), false);
            }
        }
        for (word, about) in object_of(system, "platforms") {
            let on = about["enabled"].as_bool().unwrap_or(true);
            switch(new, &format!("/system/platforms/{word}"), word, on);
        }
        for (word, about) in object_of(system, "jobs") {
            if about["enabled"] == json!(false) {
                let why = "what nobody uses costs nothing: there is no switch for it";
                new.note(&format!("/system/jobs/{word}"), why);
            }
        }
        if system.contains_key("hot_reload") {
            new.note("/system/hot_reload", "changed files are always noticed");
        }
        new.note_others(
            "/system",
            system,
            &["platform_polling_enabled", "platforms", "jobs", "hot_reload"],
        );
    }
    if let Some(chat) = object.get("chat").and_then(Value::as_object) {
        read_chat(chat, new);
    }
    if object.contains_key("clips") {
        new.note("/clips", "clips are not made by this server");
    }
    new.note_others("", object, &["system", "chat", "clips"]);
}

fn object_of<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    object.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn read_chat(chat: &Map<String, Value>, new: &mut New) {
    if let Some(api) = chat.get("api").and_then(Value::as_object) {
        if api.contains_key("host") || api.contains_key("port") {
            new.note("/chat/api", "pages and the API have one address: listen in system.json, 127.0.0.1:8080 unless said");
        }
        for origin in api.get("allow_origins").and_then(Value::as_array).into_iter().flatten() {
            let origin = origin.as_str().unwrap_or_default();
            if origin.parse::<HttpUrl>().is_ok() {
                let list = new.files.get("system.json").map(|it| it["web"]["cors_origins"].clone());
                let mut list = list.and_then(|it| it.as_array().cloned()).unwrap_or_default();
                list.push(json!(origin));
                new.set("system.json", &["web", "cors_origins"], json!(list));
            } else {
                let why =
                    "is no single origin: pages of everybody may not act with a visitor's session";
                new.note("/chat/api/allow_origins", why);
            }
        }
        new.note_others("/chat/api", api, &["enabled", "host", "port", "allow_origins"]);
    }
    if let Some(synthetic) = chat.get("synthetic").and_then(Value::as_object) {
        if let Some(on) = synthetic.get("enabled").and_then(Value::as_bool) {
            new.set("system.json", &["synthetic", "enabled"], json!(on));
        }
        if let Some(rate) = synthetic.get("rate_limit_per_minute").and_then(Value::as_u64) {
            new.set("system.json", &["synthetic", "per_minute"], json!(rate.clamp(1, 10_000)));
        }
        for (key, instead) in [
            ("creator_token", "the operator's token is in the data folder: `streamsuites token`"),
            ("discord_bot_token", "put a new one into .env as DISCORD_BOT_TOKEN"),
        ] {
            if synthetic.get(key).and_then(Value::as_str).is_some_and(|it| !it.is_empty()) {
                let why = format!(
                    "a secret stood in a file: it was not copied, and should be replaced; {instead}"
                );
                new.note(&format!("/chat/synthetic/{key}"), why);
            }
        }
        new.note_others(
            "/chat/synthetic",
            synthetic,
            &["enabled", "rate_limit_per_minute", "creator_token", "discord_bot_token"],
        );
    }
    new.note_others("/chat", chat, &["api", "synthetic"]);
}

pub(super) fn read_platforms(value: &Value, new: &mut New) {
    let Some(list) = value["platforms"].as_array().or_else(|| value.as_array()) else {
        return read_overrides(value, new);
    };
    for (at, entry) in list.iter().enumerate() {
        let place = format!("/platforms/{at}");
        let Some(object) = entry.as_object() else {
            new.note(&place, "is no platform");
            continue;
        };
        let word =
            entry["name"].as_str().or_else(|| entry["platform"].as_str()).unwrap_or_default();
        let status = entry["status"].as_str().unwrap_or("active");
        let on = entry["enabled"].as_bool().unwrap_or(true) && status != "paused";
        // One that was never more than planned has nothing to lose.
        if matches!(status, "active" | "paused") || word.parse::<Platform>().is_ok() {
            switch(new, &place, word, on);
        } else {
            new.note(&place, "is no platform that is known");
        }
        if let Some(why) = entry["paused_reason"].as_str().filter(|it| !it.is_empty() && !on) {
            let why = format!(
                "it is switched off; why is not kept: {}",
                why.chars().take(200).collect::<String>()
            );
            new.note(&format!("{place}/paused_reason"), why);
        }
        let known = [
            "name",
            "platform",
            "enabled",
            "status",
            "mode",
            "notes",
            "paused_reason",
            "telemetry_enabled",
        ];
        new.note_others(&place, object, &known);
    }
}

/// `{twitch: false}`, `{twitch: {enabled: false}}`, or either below `platforms` or `services`.
pub(super) fn read_overrides(value: &Value, new: &mut New) {
    let inner = ["platforms", "services", "platform_overrides", "overrides"];
    let inner = inner.iter().find_map(|it| Some((*it, value[*it].as_object()?)));
    let (place, object) = match (inner, value.as_object()) {
        (Some((key, object)), _) => (format!("/{key}"), object),
        (None, Some(object)) => (String::new(), object),
        (None, None) => return new.note("/", "is no object"),
    };
    for (word, about) in object.iter().filter(|it| !matches!(it.0.as_str(), "meta" | "$schema")) {
        let on = about.as_bool().or_else(|| about["enabled"].as_bool());
        match on {
            Some(on) => switch(new, &format!("{place}/{word}"), word, on),
            None => new.note(&format!("{place}/{word}"), "says neither on nor off"),
        }
    }
}
