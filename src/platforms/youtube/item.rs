//! What YouTube says in a chat, as it came: the normalizer reads it.

use serde_json::Value;

/// Something that YouTube sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Which channel the chat belongs to. Before everything else, and whenever that is learnt.
    Channel {
        /// `UC…`
        id: String,
        /// Its title.
        name: Option<String>,
    },
    /// An action of the site's chat.
    Action {
        /// As sent.
        action: Value,
        /// From the first answer behind a fresh page, which tells what was said before.
        backlog: bool,
    },
    /// An item of `liveChatMessages.list`.
    Resource {
        /// As sent.
        resource: Value,
    },
}
