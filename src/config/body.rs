//! The body of a request that says what a file could say: checked as files are.

use schemars::JsonSchema;
use serde_json::Value;

use super::{read, schema, schema::Section};

/// What a JSON body may hold.
pub struct Body(Section);

impl Body {
    /// What the type says.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        Self(Section::of_body::<T>())
    }

    /// Everything that is wrong with a value: JSON pointer and message, in the order of places.
    #[must_use]
    pub fn check(&self, value: &Value) -> Vec<(String, String)> {
        let mut found = read::check(&self.0, value);
        found.sort();
        found.dedup();
        found
    }

    /// The keys it may have.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        schema::list_keys(&[&self.0.schema])
    }
}

/// The candidate that `word` is most likely a misspelling of.
#[must_use]
pub fn find_nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    read::find_nearest(word, candidates)
}

/// Writes `30.0` as `30`: to a JSON Schema both are integers.
pub fn make_whole(value: &mut Value) {
    super::make_whole(value);
}
