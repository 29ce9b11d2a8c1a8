//! Parts of the site's JSON, by any of the names they have had.

use serde_json::Value;

use crate::model::Timestamp;

/// Number from which a time is in milliseconds and no longer in seconds.
const FIRST_MS: i64 = 100_000_000_000;

/// The first of `names` that is there and not null.
pub(super) fn find<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().filter_map(|it| value.get(*it)).find(|it| !it.is_null())
}

/// A text that is not empty.
pub(super) fn text<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().filter_map(|it| value.get(*it)?.as_str()).find(|it| !it.is_empty())
}

/// A whole number; as a text too.
pub(super) fn number(value: &Value, names: &[&str]) -> Option<i64> {
    let found = find(value, names)?;
    found.as_i64().or_else(|| found.as_str()?.trim().parse().ok())
}

/// An id: a text, or a whole number of any size, which never goes through a float.
pub(super) fn id(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().filter_map(|it| value.get(*it)).find_map(own_id)
}

/// The ids in a list, or in the first of `names` that is one.
pub(super) fn list_ids(value: &Value, names: &[&str]) -> Vec<String> {
    let list = value.as_array().or_else(|| find(value, names)?.as_array());
    list.into_iter().flatten().filter_map(own_id).collect()
}

fn own_id(value: &Value) -> Option<String> {
    match value {
        Value::String(it) if !it.is_empty() && it.len() <= 200 => Some(it.clone()),
        Value::Number(it) if it.is_u64() => Some(it.to_string()),
        _ => None,
    }
}

/// A time: RFC 3339, or seconds or milliseconds since 1970.
pub(super) fn time(value: &Value, names: &[&str]) -> Option<Timestamp> {
    names.iter().filter_map(|it| value.get(*it)).find_map(|it| match it {
        Value::String(text) => parse_time(text),
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "a time, not an id; saturates")]
            let whole = number.as_i64().or_else(|| number.as_f64().map(|it| it as i64))?;
            from_number(whole)
        }
        _ => None,
    })
}

/// A time in a text.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    Timestamp::parse(text).ok().or_else(|| from_number(text.parse().ok()?))
}

fn from_number(number: i64) -> Option<Timestamp> {
    let ms = if number.saturating_abs() < FIRST_MS { number.checked_mul(1_000)? } else { number };
    Timestamp::from_unix_ms(ms)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_beyond_all_numbers_is_none() {
        for number in [json!(-3.2e247), json!(3.2e247), json!(i64::MIN)] {
            assert_eq!(time(&json!({ "time": number }), &["time"]), None);
        }
    }
}
