//! What a room's settings may be, and how their layers are joined.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{
    config::body::{Body, make_whole},
    model::{OverlaySettings, stylesheet},
    web::error::Fault,
};

/// Most characters of a stylesheet among the settings; the schema says the same.
const MOST_CSS: usize = 20_000;
/// The one that only the server sets.
const NOT_SET: &str = "theme_version";
const CSS: &str = "custom_css";

static BODY: LazyLock<Body> = LazyLock::new(Body::of::<OverlaySettings>);

/// The settings that can be set.
pub(super) fn names() -> impl Iterator<Item = String> {
    BODY.keys().into_iter().filter(|it| *it != NOT_SET).map(str::to_owned)
}

/// A sparse layer on whole settings.
pub(super) fn stack(below: &OverlaySettings, layer: &Map<String, Value>) -> OverlaySettings {
    let mut whole = serde_json::to_value(below).unwrap_or_default();
    if let Some(whole) = whole.as_object_mut() {
        whole.extend(layer.clone());
    }
    serde_json::from_value(whole).unwrap_or_else(|error| {
        // Checked when it was stored, and when it was read.
        tracing::error!(%error, "a layer of settings does not fit");
        below.clone()
    })
}

/// The changes of a body, or everything that is wrong with it. `find_theme_fault` knows the themes.
pub(super) fn check(
    body: &Value,
    find_theme_fault: impl Fn(&str) -> Option<String>,
) -> Result<Map<String, Value>, Vec<Fault>> {
    let Some(changes) = body.as_object() else {
        return Err(vec![Fault::new("", "the body is a JSON object of settings to change")]);
    };
    let mut faults = Vec::new();
    let known: Vec<String> = names().collect();
    let (mut set, mut changed) = (Map::new(), Map::new());
    for (name, value) in changes {
        let mut value = value.clone();
        make_whole(&mut value);
        if name == NOT_SET {
            faults
                .push(Fault::new(format!("/{name}"), "this is the server's to say: leave it out"));
            continue;
        }
        match &value {
            // An unknown name is a mistake in any case.
            Value::Null if known.contains(name) => {}
            Value::String(css) if name == CSS => check_css(css, &mut faults),
            _ => drop(set.insert(name.clone(), value.clone())),
        }
        changed.insert(name.clone(), value);
    }
    let found = BODY.check(&Value::Object(set.clone()));
    faults.extend(found.into_iter().map(|(pointer, detail)| Fault::new(pointer, detail)));
    let is_faulty = |pointer: &str| faults.iter().any(|it| it.pointer == pointer);
    if let Some(theme) = set.get("theme").and_then(Value::as_str)
        && !is_faulty("/theme")
        && let Some(fault) = find_theme_fault(theme)
    {
        faults.push(Fault::new("/theme", fault));
    }
    if faults.is_empty() {
        return Ok(changed);
    }
    faults.sort_by(|a, b| (&a.pointer, a.line, a.column).cmp(&(&b.pointer, b.line, b.column)));
    Err(faults)
}

fn check_css(css: &str, faults: &mut Vec<Fault>) {
    faults.extend(find_css_faults(&format!("/{CSS}"), css, MOST_CSS));
}

/// What is wrong with CSS that stands at `pointer`, each with line and column.
pub(super) fn find_css_faults(pointer: &str, css: &str, most: usize) -> Vec<Fault> {
    if css.chars().count() > most {
        return vec![Fault::new(pointer, format!("is longer than {most} characters"))];
    }
    let faults = stylesheet::check(css).err().unwrap_or_default();
    faults.into_iter().map(|it| Fault::of_css(pointer, it)).collect()
}

/// A layer that was read, without what this version does not take: another version may have written it.
pub(super) fn without_faults(mut layer: Map<String, Value>) -> Map<String, Value> {
    // A theme that has gone is not wrong: the page shows the default one until it is back.
    let faults = check(&Value::Object(layer.clone()), |_| None).err().unwrap_or_default();
    for fault in faults {
        let name = fault.pointer.split('/').nth(1).unwrap_or_default();
        if layer.remove(name).is_some() {
            tracing::warn!(setting = name, "a stored setting is passed over: {}", fault.detail);
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(body: &Value) -> Vec<String> {
        let find = |name: &str| (name == "gone").then(|| "there is no such theme".to_owned());
        check(body, find).unwrap_err().iter().map(Fault::to_string).collect()
    }

    #[test]
    fn every_mistake_is_named_at_once_with_its_place() {
        let body = json!({
            "theme": "gone", "max_messages": 0, "directon": "up", "align": "middle", "nothing": null,
            "custom_css": ".a { color: red; }\n@import 'x';\n.b {", "theme_version": "x", "scale": "big",
            "blocked_words": ["fine", 3],
        });
        let found = problems(&body);
        let starts = [
            "/align: \"middle\" is not one of left, right, center",
            "/blocked_words/1: 3 is not of type",
            "/custom_css: line 2, column 1: `@import` is not allowed here",
            "/custom_css: line 3, column 4: this `{` is never closed",
            "/directon: unknown key `directon`, did you mean `direction`?",
            "/max_messages: 0 is less than the minimum of 1",
            "/nothing: unknown key `nothing`",
            "/scale: \"big\" is not of type",
            "/theme: there is no such theme",
            "/theme_version: this is the server's to say",
        ];
        assert_eq!(found.len(), starts.len(), "{found:#?}");
        for (found, start) in found.iter().zip(starts) {
            assert!(found.starts_with(start), "{found}");
        }
        assert_eq!(problems(&json!([])).len(), 1);
    }

    #[test]
    fn a_layer_changes_only_what_it_names() {
        let below = OverlaySettings { max_messages: 9, ..OverlaySettings::default() };
        let layer = check(&json!({"scale": 2.0, "hidden_users": ["a"]}), |_| None).unwrap();
        let whole = stack(&below, &layer);
        assert_eq!((whole.max_messages, whole.scale), (9, 2.0));
        assert_eq!(whole.hidden_users, ["a"]);
    }

    #[test]
    fn what_another_version_stored_is_passed_over_and_the_rest_holds() {
        let read = json!({"max_messages": 9999, "sparkles": true, "align": "right"});
        let kept = without_faults(read.as_object().unwrap().clone());
        assert_eq!(Value::Object(kept), json!({"align": "right"}));
    }
}
