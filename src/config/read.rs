//! From the text of a file to a checked value: all that is wrong with it, each with its place.

use jsonschema::{ValidationError, error::ValidationErrorKind};
use serde_json::Value;

use crate::model::CreatorId;

use super::schema::{self, Section};

/// Longest value that a message repeats (characters).
const QUOTED_CHARS: usize = 80;

/// What is wrong at one place: JSON pointer and message.
pub(super) type Found = (String, String);

/// Parses the text of a file. Its `$schema` stays in.
///
/// # Errors
/// One sentence with line and column.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    // Windows editors may put a byte order mark first.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        format!("not valid JSON at line {line}, column {column}: {reason}")
    })
}

/// Everything in `value` that the section's schema does not allow.
pub(super) fn check(section: &Section, value: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    for error in section.validator.iter_errors(value) {
        explain(section, &error, &mut found);
    }
    found
}

fn explain(section: &Section, error: &ValidationError<'_>, found: &mut Vec<Found>) {
    let path = error.instance_path().as_str();
    let parts = schema::parts_at(&section.schema, &split_pointer(path));
    let value: &Value = error.instance();
    let message = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let keys = schema::list_keys(&parts);
            for key in unexpected {
                found.push((format!("{path}/{}", escape(key)), unknown_key(key, &keys)));
            }
            return;
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let choices = schema::list_choices(&parts);
            if choices.is_empty() {
                // The branch of the right type knows what is wrong; the others only that it is.
                let wrong_type = |it: &ValidationError<'_>| {
                    matches!(it.kind(), ValidationErrorKind::Type { .. })
                        && it.instance_path().as_str() == path
                };
                let right_type = context.iter().find(|it| !it.iter().any(wrong_type));
                for inner in right_type.or(context.first()).into_iter().flatten() {
                    explain(section, inner, found);
                }
                return;
            }
            not_a_choice(value, &choices)
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            not_a_choice(value, &schema::list_choices(&parts))
        }
        ValidationErrorKind::Format { format } => value
            .as_str()
            .and_then(|text| schema::find_format_problem(format, text))
            .unwrap_or_else(|| error.to_string()),
        ValidationErrorKind::Pattern { pattern } => {
            let id = value.as_str().map(str::parse::<CreatorId>);
            match id {
                Some(Err(bad)) if pattern.starts_with("^[A-Za-z0-9][A-Za-z0-9_-]") => {
                    bad.to_string()
                }
                _ => error.masked_with(quoted(value)).to_string(),
            }
        }
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            format!("the key `{property}` is missing")
        }
        _ => error.masked_with(quoted(value)).to_string(),
    };
    found.push((path.to_owned(), message));
}

/// `value` as a message repeats it: what is long or has parts is only named.
fn quoted(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > QUOTED_CHARS => "this text".to_owned(),
        other => other.to_string(),
    }
}

fn not_a_choice(value: &Value, choices: &[&str]) -> String {
    let list = choices.join(", ");
    let near = value.as_str().and_then(|text| find_nearest(text, choices));
    match near {
        Some(near) => format!("{} is not one of {list}; did you mean `{near}`?", quoted(value)),
        None => format!("{} is not one of {list}", quoted(value)),
    }
}

/// What to say about a key that is not among `known`.
pub(super) fn unknown_key(key: &str, known: &[&str]) -> String {
    if let Some(near) = find_nearest(key, known) {
        return format!("unknown key `{key}`, did you mean `{near}`?");
    }
    let lower = key.to_ascii_lowercase();
    let secret = ["token", "secret", "password"].iter().any(|it| lower.contains(it));
    if secret || lower.ends_with("key") {
        return format!(
            "unknown key `{key}`: secrets belong in the environment or in `.env`, never in JSON"
        );
    }
    if known.is_empty() {
        return format!("unknown key `{key}`");
    }
    format!("unknown key `{key}`: the keys here are {}", known.join(", "))
}

/// The candidate that `word` is most likely a misspelling of.
pub(super) fn find_nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // `ringEvents` and `ring-events` are `ring_events` in another dress.
    let bare = |it: &str| it.to_ascii_lowercase().replace(['_', '-'], "");
    let likeness = |it: &str| strsim::normalized_damerau_levenshtein(&bare(word), &bare(it));
    let rated = candidates.iter().map(|it| (likeness(it), *it));
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.6).then_some(best.1)
}

/// The keys of a JSON pointer.
pub(super) fn split_pointer(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|it| it.replace("~1", "/").replace("~0", "~")).collect()
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::SECTIONS;

    fn problems(section: usize, text: &str) -> Vec<String> {
        let found = check(&SECTIONS[section], &parse(text).unwrap());
        let mut lines: Vec<_> =
            found.into_iter().map(|(path, it)| format!("{path}: {it}")).collect();
        lines.sort();
        lines
    }

    #[test]
    fn text_that_is_not_json_is_told_with_line_and_column() {
        assert_eq!(
            parse("{\n  \"a\": 1\n  \"b\": 2\n}").unwrap_err(),
            "not valid JSON at line 3, column 3: expected `,` or `}`"
        );
        assert_eq!(parse("\u{feff}{}"), Ok(serde_json::json!({})));
    }

    #[test]
    fn every_bad_value_is_told_in_words() {
        let text = r#"{
            "$schema": "x",
            "listen": "8080",
            "public_url": "example.org",
            "overlay_access": "opne",
            "data_dir": "",
            "feed": {"ring_events": 0, "dedupe_ids": 1e9, "rings_events": 1, "maxRooms": 1},
            "log": {"level": "inof", "format": "jsn"},
            "web": {"request_timeout_seconds": "long", "cors_origins": ["*"]},
            "exports": {"publish_root": 5},
            "synthetic": [],
            "media/x": {},
            "operator_token": "hunter2",
            "zzz": "hunter2"
        }"#;
        let lines = problems(0, text);
        let expected = [
            r#"/data_dir: "" is shorter than 1 character"#,
            "/exports/publish_root: 5 is not of types \"null\", \"string\"",
            "/feed/dedupe_ids: 1000000000.0 is greater than the maximum of 1000000",
            "/feed/maxRooms: unknown key `maxRooms`, did you mean `max_rooms`?",
            "/feed/ring_events: 0 is less than the minimum of 64",
            "/feed/rings_events: unknown key `rings_events`, did you mean `ring_events`?",
            "/listen: `8080` is not HOST:PORT: write `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`",
            "/log/format: \"jsn\" is not one of auto, human, json; did you mean `json`?",
            "/log/level: `inof` is not a level: write off, error, warn, info, debug, trace, or `info,streamsuites=debug`",
            "/media~1x: unknown key `media/x`, did you mean `media`?",
            "/operator_token: unknown key `operator_token`: secrets belong in the environment or in `.env`, never in JSON",
            "/overlay_access: \"opne\" is not one of open, key; did you mean `open`?",
            "/public_url: `example.org` is not an address: write `https://example.org`",
            "/synthetic: an array is not of type \"object\"",
            "/web/cors_origins/0: `*` is not an address: write `https://example.org`",
            "/web/request_timeout_seconds: \"long\" is not of type \"integer\"",
            "/zzz: unknown key `zzz`: the keys here are auth, automation, data_dir, exports, exports_dir, feed, listen, log, mail, media, overlay_access, public_url, synthetic, web",
        ];
        assert_eq!(lines, expected);
        assert!(!lines.concat().contains("hunter2"));
    }

    #[test]
    fn a_bad_creator_is_told_in_words() {
        let text = r#"{"creators": [
            {"id": "-x", "env_suffix": "a", "overlay": {"direction": "sideways", "scale": 9}},
            {"channels": [{"platform": "twich", "name": ""}]}
        ]}"#;
        let expected = [
            "/creators/0/env_suffix: \"a\" does not match \"^[A-Z0-9_]{1,64}$\"",
            "/creators/0/id: `-x` is not a creator id: 1 to 32 letters, digits, `_` or `-`, starting with a letter or digit",
            "/creators/0/overlay/direction: \"sideways\" is not one of up, down",
            "/creators/0/overlay/scale: 9 is greater than the maximum of 4.0",
            "/creators/1/channels/0/name: \"\" is shorter than 1 character",
            "/creators/1/channels/0/platform: \"twich\" is not one of twitch, youtube, kick, rumble, pilled, discord, x, streamsuites; did you mean `twitch`?",
            "/creators/1: the key `id` is missing",
        ];
        assert_eq!(problems(2, text), expected);
    }
}
