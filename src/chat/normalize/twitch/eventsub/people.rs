//! Who, by the members that begin with a word: `user_id`, `user_login`, `user_name`.

use serde_json::Value;

use super::super::author;
use crate::model::Author;

/// The person under `prefix`; `None` when nobody is named.
pub(super) fn find(event: &Value, prefix: &str) -> Option<Author> {
    let member =
        |name: &str| event[format!("{prefix}_{name}")].as_str().filter(|it| !it.is_empty());
    author::named(member("id"), member("login"), member("name"))
}
