//! The JSON Schema of every file, made from its Rust type: for editors, and to check a file against.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use jsonschema::Validator;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{
    CreatorsConfig, HttpUrl, IrcUrl, ListenAddress, LogFilter, PlatformsConfig, QuotasConfig,
    RateLimitsConfig, SystemConfig, TiersConfig, TriggersConfig, WsUrl, automation::AllowedHost,
};
use crate::model::Email;

/// Gives a type that parses from a string its place in a schema: a string of a named format.
macro_rules! string_with_format {
    ($type:ident, $error:ty, $format:literal) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}
pub(super) use string_with_format;

/// Says what is wrong with a text of a format.
type FormatCheck = fn(&str) -> Result<(), String>;

/// The formats of [`string_with_format`], which say what is wrong in words of their own.
const FORMATS: [(&str, FormatCheck); 8] = [
    ("custom-css", crate::model::stylesheet::check_in_a_sentence),
    ("listen-address", parses::<ListenAddress>),
    ("http-url", parses::<HttpUrl>),
    ("irc-url", parses::<IrcUrl>),
    ("ws-url", parses::<WsUrl>),
    ("log-filter", parses::<LogFilter>),
    ("mail-address", parses::<Email>),
    ("allowed-host", parses::<AllowedHost>),
];

fn parses<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(drop).map_err(|error| error.to_string())
}

/// What is wrong with `text` as a `format`, in that format's own words.
pub(super) fn find_format_problem(format: &str, text: &str) -> Option<String> {
    let (_, check) = FORMATS.iter().find(|(name, _)| *name == format)?;
    check(text).err()
}

/// One file of the configuration, and the section of the same name in the environment.
pub(super) struct Section {
    /// `system`
    pub name: &'static str,
    /// `system.json`
    pub file: &'static str,
    /// What the file may hold.
    pub schema: Value,
    /// The same, ready to check a value.
    pub validator: Validator,
}

impl Section {
    fn of<T: JsonSchema>(name: &'static str, file: &'static str) -> Self {
        let mut schema = schemars::schema_for!(T).to_value();
        // An editor finds the schema through this key, so the schema must allow it.
        schema["properties"]["$schema"] = json!({
            "type": "string",
            "description": "Where this file's schema is, for editors."
        });
        Self::with_schema(name, file, schema)
    }

    /// What is no file: the body of a request.
    pub(super) fn of_body<T: JsonSchema>() -> Self {
        Self::with_schema("", "", schemars::schema_for!(T).to_value())
    }

    fn with_schema(name: &'static str, file: &'static str, schema: Value) -> Self {
        let mut options = jsonschema::options().should_validate_formats(true);
        for (format, check) in FORMATS {
            options = options.with_format(format, move |text| check(text).is_ok());
        }
        let validator = options.build(&schema).expect("a generated schema is valid");
        Self { name, file, schema, validator }
    }
}

/// Every file, in the order of [`super::Config`]'s fields.
pub(super) static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| {
    vec![
        Section::of::<SystemConfig>("system", "system.json"),
        Section::of::<PlatformsConfig>("platforms", "platforms.json"),
        Section::of::<CreatorsConfig>("creators", "creators.json"),
        Section::of::<QuotasConfig>("quotas", "quotas.json"),
        Section::of::<TiersConfig>("tiers", "tiers.json"),
        Section::of::<TriggersConfig>("triggers", "triggers.json"),
        Section::of::<RateLimitsConfig>("ratelimits", "ratelimits.json"),
    ]
});

/// Every schema with its file name (`system.schema.json`), as committed in `config/schemas/`.
#[must_use]
pub fn schemas() -> Vec<(String, Value)> {
    let of_file = |it: &Section| (format!("{}.schema.json", it.name), it.schema.clone());
    SECTIONS.iter().map(of_file).collect()
}

/// Writes every schema into `folder`, which is made if it is missing; returns the paths.
///
/// # Errors
/// What the file system says.
pub fn write_schemas(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    for (name, schema) in schemas() {
        let path = folder.join(name);
        fs::write(&path, text(&schema))?;
        written.push(path);
    }
    Ok(written)
}

/// The schemas in `folder` that are missing or not what the types say now.
#[must_use]
pub fn list_stale_schemas(folder: &Path) -> Vec<PathBuf> {
    let stale = |(name, schema): (String, Value)| {
        let path = folder.join(name);
        // Git may have given the file the line ends of Windows.
        let found = fs::read_to_string(&path).map(|it| it.replace("\r\n", "\n"));
        (found.ok() != Some(text(&schema))).then_some(path)
    };
    schemas().into_iter().filter_map(stale).collect()
}

fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// The parts of `root` that describe the value at `path` (keys and array indexes), `$ref` and the
/// branches of `anyOf`, `oneOf` and `allOf` followed. Empty if nothing may stand there.
pub(super) fn parts_at<'a>(root: &'a Value, path: &[String]) -> Vec<&'a Value> {
    let mut parts = expand(root, root);
    for key in path {
        let step = |part: &&'a Value| {
            let property = part.get("properties").and_then(|it| it.get(key));
            let is_index = || key.bytes().all(|it| it.is_ascii_digit());
            property.or_else(|| part.get("items").filter(|_| is_index()))
        };
        parts = parts.iter().filter_map(step).flat_map(|it| expand(root, it)).collect();
    }
    parts
}

fn expand<'a>(root: &'a Value, part: &'a Value) -> Vec<&'a Value> {
    let mut parts = vec![part];
    if let Some(target) = part.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|it| root.pointer(it));
        parts.extend(target.into_iter().flat_map(|it| expand(root, it)));
    }
    for branches in ["anyOf", "oneOf", "allOf"] {
        let branches = part.get(branches).and_then(Value::as_array);
        parts.extend(branches.into_iter().flatten().flat_map(|it| expand(root, it)));
    }
    parts
}

/// The keys that an object described by `parts` may have, in order.
pub(super) fn list_keys<'a>(parts: &[&'a Value]) -> Vec<&'a str> {
    let objects = parts.iter().filter_map(|it| it.get("properties")?.as_object());
    objects.flat_map(|it| it.keys().map(String::as_str)).filter(|it| *it != "$schema").collect()
}

/// The words that `parts` allow, if they name all of them.
pub(super) fn list_choices<'a>(parts: &[&'a Value]) -> Vec<&'a str> {
    let words = |part: &&'a Value| {
        let listed = part.get("enum").and_then(Value::as_array);
        let listed = listed.into_iter().flatten().chain(part.get("const"));
        listed.filter_map(Value::as_str).collect::<Vec<_>>()
    };
    parts.iter().flat_map(words).collect()
}

/// Whether a value of the JSON type of `value` may stand where `parts` say.
pub(super) fn accepts_type(parts: &[&Value], value: &Value) -> bool {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |wanted: &Value| {
        wanted.as_str() == Some(name) || (name == "number" && wanted.as_str() == Some("integer"))
    };
    parts.iter().filter_map(|it| it.get("type")).any(|wanted| match wanted {
        Value::Array(several) => several.iter().any(is),
        one => is(one),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join("schemas");
        let stale = list_stale_schemas(&folder);
        assert!(stale.is_empty(), "run `cargo run -- config schema --write`: {stale:?} are stale");
    }

    #[test]
    fn written_schemas_are_not_stale_and_changed_ones_are() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("schemas");
        assert_eq!(list_stale_schemas(&folder).len(), SECTIONS.len());
        let written = write_schemas(&folder).unwrap();
        assert!(list_stale_schemas(&folder).is_empty());
        fs::write(&written[1], "{}").unwrap();
        assert_eq!(list_stale_schemas(&folder), [written[1].clone()]);
    }

    #[test]
    fn every_number_has_limits_every_key_a_description_and_no_object_takes_unknown_keys() {
        fn visit(part: &Value, path: &str) {
            let Some(object) = part.as_object() else { return };
            if object.get("type").is_some_and(|it| it == "integer") {
                assert!(object.contains_key("minimum"), "{path}");
                if !path.ends_with("/min_paid") {
                    assert!(object.contains_key("maximum"), "{path}");
                }
            }
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                assert_eq!(object.get("additionalProperties"), Some(&json!(false)), "{path}");
                for (key, property) in properties {
                    assert!(property.get("description").is_some(), "{path}/{key}");
                }
            }
            for (key, value) in object {
                if key != "default" {
                    visit(value, &format!("{path}/{key}"));
                }
            }
        }
        for (name, schema) in schemas() {
            visit(&schema, &name);
        }
    }
}
