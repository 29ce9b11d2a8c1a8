//! What somebody told, in the words that stand beside their name.

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;

/// Longest word that is shown (characters): what is longer is no pronoun.
const MOST_CHARACTERS: usize = 16;

/// A row of the service's table.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pronoun {
    /// `She`.
    subject: String,
    /// `Her`.
    object: String,
    /// It stands alone: `Any`, not `Any/Any`.
    #[serde(default)]
    singular: bool,
}

/// What a viewer chose.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Told {
    pronoun_id: String,
    #[serde(default)]
    alt_pronoun_id: Option<String>,
}

impl Told {
    /// `She/Her`, `She/They` for two, `Any`; `None` when the table does not know them.
    pub(super) fn words(&self, table: &HashMap<String, Pronoun>) -> Option<Arc<str>> {
        let first = table.get(&self.pronoun_id)?;
        let other = self.alt_pronoun_id.as_ref().filter(|it| **it != self.pronoun_id);
        let second = match other.and_then(|it| table.get(it)) {
            Some(other) => Some(&other.subject),
            None if first.singular => None,
            None => Some(&first.object),
        };
        let subject = word(&first.subject)?;
        match second {
            Some(second) => Some(format!("{subject}/{}", word(second)?).into()),
            None => Some(subject.into()),
        }
    }
}

fn word(text: &str) -> Option<&str> {
    let text = text.trim();
    let shown = |it: char| it.is_alphabetic() || matches!(it, '\'' | '’' | '-' | ' ');
    let short = (1..=MOST_CHARACTERS).contains(&text.chars().count());
    (short && text.chars().all(shown)).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(told: serde_json::Value) -> Option<String> {
        let row = |subject: &str, object: &str, singular: bool| json!({"name": "x", "subject": subject, "object": object, "singular": singular});
        let table: HashMap<String, Pronoun> = serde_json::from_value(json!({
            "sheher": row("She", "Her", false), "theythem": row("They", "Them", false),
            "any": row("Any", "Any", true), "odd": row("<b>", "x", false), "long": row("Abcdefghijklmnopq", "x", false),
        }))
        .unwrap();
        serde_json::from_value::<Told>(told).unwrap().words(&table).map(|it| it.to_string())
    }

    #[test]
    fn two_stand_by_their_subjects_one_by_both_its_cases_and_a_singular_one_alone() {
        let told = |first: &str, second: Option<&str>| {
            words(
                json!({"channel_id": "1", "channel_login": "ana", "pronoun_id": first, "alt_pronoun_id": second}),
            )
        };
        assert_eq!(told("sheher", None).as_deref(), Some("She/Her"));
        assert_eq!(told("sheher", Some("theythem")).as_deref(), Some("She/They"));
        assert_eq!(told("sheher", Some("any")).as_deref(), Some("She/Any"));
        assert_eq!(told("any", None).as_deref(), Some("Any"));
        assert_eq!(told("any", Some("theythem")).as_deref(), Some("Any/They"));
        assert_eq!(told("sheher", Some("sheher")).as_deref(), Some("She/Her"));
        assert_eq!(told("sheher", Some("new")).as_deref(), Some("She/Her"));
        assert_eq!(words(json!({"pronoun_id": "theythem"})).as_deref(), Some("They/Them"));
    }

    #[test]
    fn what_is_not_in_the_table_or_no_word_is_not_shown() {
        for id in ["new", "odd", "long"] {
            assert_eq!(words(json!({"pronoun_id": id})), None, "{id}");
        }
    }
}
