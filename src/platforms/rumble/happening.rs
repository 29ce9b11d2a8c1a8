//! What the worker gives to its room.

use std::collections::HashMap;

use super::{api::News, observer::Row, record::Record};
use crate::model::Timestamp;

/// Something of a Rumble channel, by whichever way it was learnt.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A chat is read from here on. What was said before `cut_off` is history.
    Began {
        /// The chat's number: another one for each stream.
        chat_id: String,
        /// This server's clock, or the site's where that is known.
        cut_off: Timestamp,
    },
    /// A record of the chat's stream.
    Record(Box<Record>),
    /// The chat's emotes: name without colons, and address of the picture.
    Emotes(HashMap<String, String>),
    /// A row of the chat as the page shows it.
    Row(Box<Row>),
    /// Messages that the page no longer shows, by their ids.
    Gone(Vec<String>),
    /// Something the Live Stream API tells.
    News(Box<News>),
    /// Something that could not be read; which, never its text.
    Unreadable(&'static str),
}
