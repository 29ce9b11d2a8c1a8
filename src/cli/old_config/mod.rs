//! `streamsuites config import`: reads the configuration of the older program, and writes ours.
//!
//! What has no place here is said line by line, and secrets are named and never copied. All files are written or none,
//! and only where our own checks find nothing wrong with them.

mod creators;
mod limits;
mod switches;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use crate::{
    config::{self, Sources},
    exports::replace_file,
    model::Timestamp,
    triggers::import::{Read, read},
};

/// The files that are read, in this order: later ones lie over earlier ones.
const FILES: [&str; 13] = [
    "creators.json",
    "system.json",
    "platforms.json",
    "platform_overrides.json",
    "services.json",
    "chat_behaviour.json",
    "triggers.json",
    "clip_rules.json",
    "ratelimits.schema.json",
    "ratelimits.json",
    "tiers.json",
    "discord.json",
    "quotas.json",
];
/// Files that the older program had and never used.
const NEVER_USED: [&str; 3] = ["monetization.json", "logging.json", "posting_rules.json"];

/// What became of a folder.
#[derive(Debug, Default)]
pub(super) struct Imported {
    /// The files that were written.
    pub written: Vec<PathBuf>,
    /// What could not be placed: file, place in it, and why.
    pub notes: Vec<String>,
}

/// What is gathered from the old files.
#[derive(Default)]
struct New {
    /// Ours, by name.
    files: BTreeMap<&'static str, Value>,
    notes: Vec<String>,
    /// The old file that is read now.
    file: String,
}

impl New {
    /// Says that something has no place here.
    fn note(&mut self, place: &str, why: impl std::fmt::Display) {
        self.notes.push(format!("{}: {place}: {why}", self.file));
    }

    /// Says it of everything in an object that is not in `known`.
    fn note_others(&mut self, place: &str, object: &Map<String, Value>, known: &[&str]) {
        for key in object.keys().filter(|it| !known.contains(&it.as_str())) {
            if matches!(key.as_str(), "meta" | "$schema" | "schema_version" | "version") {
                continue;
            }
            self.note(&format!("{place}/{key}"), "has no place here");
        }
    }

    /// Sets a value of one of our files.
    fn set(&mut self, file: &'static str, path: &[&str], value: Value) {
        let mut place = self.files.entry(file).or_insert_with(|| json!({}));
        for key in path {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[*key];
        }
        *place = value;
    }

    /// Adds to a list of one of our files.
    fn add(&mut self, file: &'static str, key: &str, value: Value) {
        let place = self.files.entry(file).or_insert_with(|| json!({}));
        if !place[key].is_array() {
            place[key] = json!([]);
        }
        if let Some(list) = place[key].as_array_mut() {
            list.push(value);
        }
    }
}

/// Reads the files of `old`, and writes ours into `new`. With `force`, over those that are there.
///
/// # Errors
/// One sentence or a line for each problem; nothing is written then.
pub(super) fn import(old: &Path, new: &Path, force: bool) -> Result<Imported, String> {
    if !old.is_dir() {
        return Err(format!("there is no folder {}", old.display()));
    }
    let mut gathered = New::default();
    let mut found_any = false;
    let mut names: Vec<String> = fs::read_dir(old)
        .map_err(|it| format!("cannot read {}: {it}", old.display()))?
        .filter_map(|it| it.ok()?.file_name().into_string().ok())
        .filter(|it| it.ends_with(".json"))
        .collect();
    names.sort_by_key(|name| (FILES.iter().position(|it| it == name), name.clone()));
    for name in names {
        gathered.file.clone_from(&name);
        if NEVER_USED.contains(&name.as_str()) {
            gathered.note("/", "was never used, and has no place here");
            continue;
        }
        if !FILES.contains(&name.as_str()) {
            gathered.note("/", "is no file that is known");
            continue;
        }
        found_any = true;
        let text = fs::read_to_string(old.join(&name));
        let text = text.map_err(|it| format!("cannot read {}: {it}", old.join(&name).display()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        match serde_json::from_str::<Value>(text) {
            Ok(value) => read_file(&name, text, &value, &mut gathered),
            Err(error) => gathered.note("/", format!("is left out: it is no JSON: {error}")),
        }
    }
    if !found_any {
        return Err(format!(
            "there is no file of the older program in {}: creators.json, system.json and others are looked for",
            old.display()
        ));
    }
    let New { files, notes, .. } = gathered;
    let written = write(&files, new, force)?;
    Ok(Imported { written, notes })
}

fn read_file(name: &str, text: &str, value: &Value, new: &mut New) {
    match name {
        "creators.json" => creators::read(value, new),
        "system.json" => switches::read_system(value, new),
        "platforms.json" => switches::read_platforms(value, new),
        "platform_overrides.json" | "services.json" => switches::read_overrides(value, new),
        "chat_behaviour.json" => read_chat_behaviour(value, new),
        "triggers.json" => read_triggers(text, new),
        "clip_rules.json" => new.note("/", "clips are not made by this server"),
        "ratelimits.json" | "ratelimits.schema.json" => limits::read(value, new),
        "tiers.json" => limits::read_tiers(value, new),
        "quotas.json" => limits::read_quotas(value, new),
        "discord.json" => read_discord(value, new),
        _ => {}
    }
}

/// Triggers in whatever spelling, by the reader that pages have too.
fn read_triggers(text: &str, new: &mut New) {
    match read(text) {
        Err(why) => new.note("/", why),
        Ok(Read { triggers, problems }) => {
            for (place, why) in problems {
                new.note(&place, why);
            }
            for trigger in triggers {
                let value = serde_json::to_value(&trigger).expect("plain values always serialise");
                new.add("triggers.json", "triggers", value);
            }
        }
    }
}

fn read_chat_behaviour(value: &Value, new: &mut New) {
    let Some(object) = value.as_object() else { return new.note("/", "is no object") };
    if object.get("triggers").is_some_and(Value::is_array) {
        read_triggers(&json!({ "triggers": object["triggers"] }).to_string(), new);
    }
    for (key, why) in [
        ("poll_seconds", "chats are no longer polled"),
        ("send_cooldown_seconds", "each platform has its own pace here"),
        ("startup_announcement", "nothing is said at the start"),
        ("startup_announcement_enabled", "nothing is said at the start"),
        ("baseline_mode", "what is older than stale_seconds of platforms.json sets nothing off"),
        ("baseline_grace_seconds", "stale_seconds of platforms.json says it for all"),
    ] {
        if object.contains_key(key) {
            new.note(&format!("/{key}"), why);
        }
    }
    let known = [
        "triggers",
        "poll_seconds",
        "send_cooldown_seconds",
        "startup_announcement",
        "startup_announcement_enabled",
        "baseline_mode",
        "baseline_grace_seconds",
    ];
    new.note_others("", object, &known);
}

fn read_discord(value: &Value, new: &mut New) {
    let guilds = value["discord"]["guilds"].as_object().or_else(|| value["guilds"].as_object());
    let count = guilds.map_or(0, Map::len);
    new.note(
        "/",
        format!("this build has no control plane on Discord: {count} guilds wait for it"),
    );
}

/// Writes all files or none.
fn write(
    files: &BTreeMap<&'static str, Value>,
    folder: &Path,
    force: bool,
) -> Result<Vec<PathBuf>, String> {
    let problem = |path: &Path, it: &io::Error| format!("cannot write {}: {it}", path.display());
    let there: Vec<_> = files.keys().map(|it| folder.join(it)).filter(|it| it.exists()).collect();
    if !there.is_empty() && !force {
        let names: Vec<_> = there.iter().map(|it| it.display().to_string()).collect();
        return Err(format!(
            "{} would be replaced: nothing was written; say --force to replace, or --config with another folder",
            names.join(", ")
        ));
    }
    let texts: Vec<(PathBuf, String)> = files
        .iter()
        .map(|(name, value)| {
            let mut whole = json!({ "$schema": format!("schemas/{}.schema.json", name.trim_end_matches(".json")) });
            if let (Some(whole), Some(value)) = (whole.as_object_mut(), value.as_object()) {
                whole.extend(value.clone());
            }
            (folder.join(name), format!("{whole:#}\n"))
        })
        .collect();
    check(&texts)?;

    fs::create_dir_all(folder).map_err(|it| problem(folder, &it))?;
    let mut before: Vec<(&Path, Option<Vec<u8>>)> = Vec::new();
    for (path, text) in &texts {
        before.push((path, fs::read(path).ok()));
        if let Err(error) = replace_file(path, text.as_bytes()) {
            // Back to what was there: half of a configuration is worse than none.
            for (path, bytes) in before {
                let _ = match bytes {
                    Some(bytes) => replace_file(path, &bytes),
                    None => fs::remove_file(path),
                };
            }
            return Err(problem(path, &error));
        }
    }
    Ok(texts.into_iter().map(|it| it.0).collect())
}

/// Whether our own checks take the files, as they would stand by themselves.
fn check(texts: &[(PathBuf, String)]) -> Result<(), String> {
    let number = Timestamp::now().unix_ms();
    let scratch = std::env::temp_dir();
    let scratch = scratch.join(format!("streamsuites-import-{}-{number}", std::process::id()));
    let look = || -> io::Result<Result<(), config::ConfigErrors>> {
        fs::create_dir_all(&scratch)?;
        for (path, text) in texts {
            fs::write(scratch.join(path.file_name().unwrap_or_default()), text)?;
        }
        let sources = Sources { folder: scratch.clone(), ..Sources::default() };
        Ok(config::load(&sources).map(drop))
    };
    let looked = look();
    // It holds no secret, and is of no use to anybody.
    let _ = fs::remove_dir_all(&scratch);
    match looked {
        Err(error) => Err(format!("the new files cannot be checked: {error}")),
        Ok(Err(problems)) => {
            let shown = problems.to_string().replace(&format!("{}/", scratch.display()), "");
            Err(format!("the new files would not be valid, so nothing was written:\n{shown}"))
        }
        Ok(Ok(())) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
