//! Rows of the chat as the page shows them: what the script in the page reports.

use serde::Deserialize;

/// The script: runs in a world of its own in every frame of the page, before the page's own scripts.
pub(super) const SCRIPT: &str = include_str!("observer.js");
/// The name of that world. Only there is the binding.
pub(super) const WORLD: &str = "streamsuites";
/// The binding by which the script reports.
pub(super) const BINDING: &str = "streamsuitesReport";
/// Where the list of messages is looked for, for people.
pub(super) const LISTS: &str = "[data-test-selector=\"chat-messages\"], [data-testid=\"chat-messages\"], \
                                #chat-messages, .chat-messages, #chat-history-list";
/// What a row must have, for people.
pub(super) const PARTS: &str = ".chat--username, .chat--message";
/// Longest report that is read (bytes).
const MAX_BYTES: usize = 1024 * 1024;

/// What the script reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Report {
    /// The list of messages was found.
    List,
    /// Rows that are new.
    Rows {
        /// The list is read for the first time: they may have been there for long.
        first: bool,
        rows: Vec<Row>,
        /// Rows in the list (count).
        shown: u32,
        /// Those of them in which name and text were found (count).
        readable: u32,
    },
    /// Messages that were taken away, by their ids.
    Gone { ids: Vec<String> },
}

impl Report {
    pub(super) fn parse(json: &str) -> Option<Self> {
        if json.len() > MAX_BYTES {
            return None;
        }
        serde_json::from_str(json).ok()
    }
}

/// A message as the page shows it. What is not shown is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Row {
    /// The site's own id.
    pub id: String,
    /// The writer's id.
    pub user_id: String,
    /// The writer's name.
    pub name: String,
    /// With names in the place of pictures.
    pub text: String,
    /// RFC 3339.
    pub time: String,
    /// `rgb(…)` or `#…`.
    pub color: String,
    /// Address of the writer's picture.
    pub avatar: String,
    /// What was paid, as shown: `$5`.
    pub price: String,
    /// Addresses of the badges' pictures, or their titles.
    pub badges: Vec<String>,
    /// Stood there already when the list was first read; the number of that reading. Else `None`.
    #[serde(skip)]
    pub listing: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_and_what_is_none_is_nothing() {
        assert_eq!(Report::parse(r#"{"kind":"list"}"#), Some(Report::List));
        let rows = r#"{"kind":"rows","first":true,"rows":[{"name":"Ana","text":"hi"}],"shown":1,"readable":1}"#;
        let Some(Report::Rows { rows, first: true, .. }) = Report::parse(rows) else { panic!() };
        assert_eq!((rows[0].name.as_str(), rows[0].id.as_str()), ("Ana", ""));
        assert_eq!(Report::parse("{"), None);
        assert_eq!(Report::parse(r#"{"kind":"other"}"#), None);
    }
}
