//! The old limits, quotas and tiers.

use serde_json::{Map, Value, json};

use super::New;
use crate::{config::Limited, model::Platform};

/// What the older program gave every creator of YouTube's units a day.
const MOST_UNITS: u64 = 1_000_000_000;

pub(super) fn read(value: &Value, new: &mut New) {
    let Some(object) = value.as_object() else { return new.note("/", "is no object") };
    // Some wrote the values below what a schema has for them.
    let object = object.get("ratelimits").and_then(Value::as_object).unwrap_or(object);
    if let Some(global) = object.get("global").and_then(Value::as_object) {
        read_limits("/global", global, &["global"], new);
    }
    for (word, limits) in object.get("platforms").and_then(Value::as_object).into_iter().flatten() {
        let place = format!("/platforms/{word}");
        match (word.to_lowercase().parse::<Platform>(), limits.as_object()) {
            (Ok(platform), Some(limits)) => {
                read_limits(&place, limits, &["platforms", platform.as_str()], new);
            }
            _ => new.note(&place, "is no platform that is known, or holds no limits"),
        }
    }
    for (id, about) in object.get("creators").and_then(Value::as_object).into_iter().flatten() {
        let place = format!("/creators/{id}");
        let limits = about["overrides"].as_object().or_else(|| about.as_object());
        match (id.parse::<crate::model::CreatorId>(), limits) {
            (Ok(_), Some(limits)) => read_limits(&place, limits, &["creators", id], new),
            _ => new.note(&place, "is no creator's id, or holds no limits"),
        }
    }
    new.note_others("", object, &["global", "platforms", "creators"]);
}

/// Limits of one place, into the same place of ours.
pub(super) fn read_limits(place: &str, limits: &Map<String, Value>, ours: &[&str], new: &mut New) {
    let of_creator = (ours[0] == "creators").then(|| ours[1]);
    for (key, value) in limits {
        let at = format!("{place}/{key}");
        let number = value.as_u64().or_else(|| {
            let it = value.as_f64().filter(|it| *it >= 0.0 && *it < 1e12)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Just looked at.
            Some(it.ceil() as u64)
        });
        let Some(number) = number else {
            new.note(&at, "is no number");
            continue;
        };
        if let Some(what) = Limited::ALL.iter().find(|it| it.as_str() == key) {
            let path: Vec<&str> = ours.iter().copied().chain([what.as_str()]).collect();
            set_unless_own("ratelimits.json", &path, json!(number.min(1_000_000)), &at, new);
            continue;
        }
        let unit = match key.as_str() {
            "youtube_daily_units_max" | "daily_units_max" => "daily_units",
            "youtube_daily_units_buffer" | "daily_units_buffer" => "buffer_units",
            "api_requests_per_minute" => {
                new.note(&at, "tiers say it: features.api_requests_per_minute in tiers.json");
                continue;
            }
            _ => {
                new.note(&at, "has no place here");
                continue;
            }
        };
        let number = json!(number.min(MOST_UNITS));
        match of_creator {
            Some(id) => {
                let path = ["creators", id, "youtube", unit];
                set_unless_own("quotas.json", &path, number, &at, new);
            }
            None => new.set("quotas.json", &["default", "youtube", unit], number),
        }
    }
}

/// A `quotas.json` that is ours already is taken as it is, as far as it is understood.
pub(super) fn read_quotas(value: &Value, new: &mut New) {
    for (key, about) in value.as_object().into_iter().flatten() {
        match (key.as_str(), about.as_object()) {
            ("default", Some(_)) => new.set("quotas.json", &["default"], about.clone()),
            ("creators", Some(_)) => new.set("quotas.json", &["creators"], about.clone()),
            ("meta" | "$schema" | "schema_version" | "generated_at", _) => {}
            _ => new.note(&format!("/{key}"), "has no place here"),
        }
    }
}

pub(super) fn read_tiers(value: &Value, new: &mut New) {
    let tiers = value["tiers"].as_object().or_else(|| value.as_object());
    let schema = crate::config::schemas().into_iter().find(|it| it.0 == "tiers.schema.json");
    let features = schema.map(|it| it.1["$defs"]["FeaturesConfig"]["properties"].clone());
    let features = features.unwrap_or_default();
    for (word, tier) in tiers.into_iter().flatten() {
        let id = match word.to_lowercase().as_str() {
            "core" | "open" | "free" => "core",
            "gold" => "gold",
            "pro" => "pro",
            "meta" | "$schema" | "version" | "generated_at" => continue,
            _ => {
                new.note(&format!("/tiers/{word}"), "there are the tiers core, gold and pro");
                continue;
            }
        };
        let Some(tier) = tier.as_object() else {
            new.note(&format!("/tiers/{word}"), "is no tier");
            continue;
        };
        for (key, value) in tier {
            match key.as_str() {
                "label" | "description" | "rank" | "visibility" => {
                    new.set("tiers.json", &[id, key], value.clone());
                }
                "id" => {}
                "features" | "limits" => {
                    for (feature, value) in value.as_object().into_iter().flatten() {
                        if features.get(feature).is_some() {
                            new.set("tiers.json", &[id, "features", feature], value.clone());
                        } else {
                            new.note(
                                &format!("/tiers/{word}/{key}/{feature}"),
                                "has no place here",
                            );
                        }
                    }
                }
                _ => new.note(&format!("/tiers/{word}/{key}"), "has no place here"),
            }
        }
    }
}

/// Sets a limit, unless `creators.json`, which is read first and lay over all others, says another.
fn set_unless_own(file: &'static str, path: &[&str], value: Value, at: &str, new: &mut New) {
    let whole = new.files.get(file);
    let said = whole.and_then(|it| path.iter().try_fold(it, |it, key| it.get(key)));
    if let Some(own) = said.filter(|it| path[0] == "creators" && **it != value) {
        let why = format!("the creator's own limits in creators.json say {own}, and go first");
        return new.note(at, why);
    }
    new.set(file, path, value);
}
