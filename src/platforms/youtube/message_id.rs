//! The id of a chat item: the site and the Data API write one and the same in two ways.
//!
//! Both are a small protobuf message in Base64:
//!
//! - the site: `{1: inner}`;
//! - the Data API: `LCC.` and `{1: the chat, 2: inner}`, where the chat is what a `liveChatId` holds;
//! - `inner` is `{1: the server's id, 2: the client's id}`; the second is of before 2023 only.
//!
//! So the server's id alone names an item wherever it was read, and is what the feed carries:
//! `youtube:CLuTzpn0tuUCFQqwwQodSN8Aqw`. From it and the `liveChatId` the Data API's own id can be written
//! again, for moderation: [`MessageId::for_data_api`].

use std::borrow::Cow;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// What the Data API puts in front.
const DATA_API_PREFIX: &str = "LCC.";
/// Longest id that is looked into (bytes).
const MAX_BYTES: usize = 512;

/// With or without padding; URL-safe as both APIs write it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId {
    /// Given by YouTube: unique.
    pub server: String,
    /// Given by the program it was written with, on older items.
    pub client: Option<String>,
}

impl MessageId {
    /// Takes apart what the site or the Data API sent; `None` for what has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = unescaped(text);
        let (field, encoded) = match text.strip_prefix(DATA_API_PREFIX) {
            Some(rest) => (2, rest),
            None => (1, &*text),
        };
        if encoded.len() > MAX_BYTES {
            return None;
        }
        let standard_form = encoded.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let bytes = BASE64.decode(standard_form).ok()?;
        let inner = texts(&bytes)?.into_iter().find(|it| it.0 == field)?.1;
        let parts = texts(inner)?;
        let part = |number| {
            let bytes = parts.iter().find(|it| it.0 == number)?.1;
            let text = std::str::from_utf8(bytes).ok()?;
            (!text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic()))
                .then(|| text.to_owned())
        };
        Some(Self { server: part(1)?, client: part(2) })
    }

    /// From the id of an event of the feed, without its `youtube:`.
    #[must_use]
    pub fn of_feed(own_id: &str) -> Self {
        Self { server: own_id.to_owned(), client: None }
    }

    /// The id as the Data API writes it, for an item of the chat `live_chat_id`; `None` when that is none.
    #[must_use]
    pub fn for_data_api(&self, live_chat_id: &str) -> Option<String> {
        let chat = BASE64.decode(live_chat_id).ok()?;
        texts(&chat)?;
        let mut inner = Vec::new();
        push(&mut inner, 1, self.server.as_bytes());
        if let Some(client) = &self.client {
            push(&mut inner, 2, client.as_bytes());
        }
        let mut message = Vec::new();
        push(&mut message, 1, &chat);
        push(&mut message, 2, &inner);
        Some(format!("{DATA_API_PREFIX}{}", BASE64.encode(message)))
    }
}

/// The one spelling of an id, whichever API it came from: the server's part, or, where the form is another,
/// the text as sent.
#[must_use]
pub fn canonical(text: &str) -> Cow<'_, str> {
    match MessageId::parse(text) {
        Some(id) => Cow::Owned(id.server),
        None => unescaped(text),
    }
}

/// Ids of before 2022 come with `%3D` for `=`.
fn unescaped(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        Cow::Owned(text.replace("%3D", "=").replace("%3d", "="))
    } else {
        Cow::Borrowed(text)
    }
}

/// The fields of a protobuf message that holds nothing but texts and messages; `None` for any other.
fn texts(mut bytes: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        if tag & 7 != 2 || tag >> 3 == 0 {
            return None;
        }
        let length = usize::try_from(varint(&mut bytes)?).ok()?;
        if length > bytes.len() {
            return None;
        }
        let (text, rest) = bytes.split_at(length);
        found.push((tag >> 3, text));
        bytes = rest;
    }
    (!found.is_empty()).then_some(found)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..=63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn push(to: &mut Vec<u8>, field: u8, text: &[u8]) {
    to.push(field << 3 | 2);
    let mut length = text.len();
    while length >= 0x80 {
        to.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    to.push(length as u8);
    to.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "CAaaaaaaaaaaFQaaaaaaaaaaaa";
    const CLIENT: &str = "CBbbbbbbbbbbFQbbbbbbbbbbbb-7";

    fn id(client: Option<&str>) -> MessageId {
        MessageId { server: SERVER.to_owned(), client: client.map(str::to_owned) }
    }

    fn of_site(id: &MessageId) -> String {
        let mut inner = Vec::new();
        push(&mut inner, 1, id.server.as_bytes());
        if let Some(client) = &id.client {
            push(&mut inner, 2, client.as_bytes());
        }
        let mut message = Vec::new();
        push(&mut message, 1, &inner);
        BASE64.encode(message)
    }

    #[test]
    fn both_apis_name_one_message_alike() {
        // `{5: {1: a channel, 2: a video}}`, as a `liveChatId` of today is.
        let mut of = Vec::new();
        push(&mut of, 1, b"UCaaaaaaaaaaaaaaaaaaaaaa");
        push(&mut of, 2, b"aaaaaaaaaaa");
        let mut chat = Vec::new();
        push(&mut chat, 5, &of);
        let live_chat_id = BASE64.encode(chat);
        for client in [None, Some(CLIENT)] {
            let id = id(client);
            let (site, api) = (of_site(&id), id.for_data_api(&live_chat_id).unwrap());
            assert_ne!(site, api);
            assert_eq!(MessageId::parse(&site).as_ref(), Some(&id));
            assert_eq!(MessageId::parse(&api).as_ref(), Some(&id));
            assert_eq!(canonical(&site), SERVER);
            assert_eq!(canonical(&api), SERVER);
            assert_eq!(canonical(&format!("{site}%3D%3D")), SERVER);
        }
        // What the feed carries is enough to write the Data API's id of an item of today.
        let api = id(None).for_data_api(&live_chat_id).unwrap();
        assert_eq!(MessageId::of_feed(&canonical(&api)).for_data_api(&live_chat_id), Some(api));
    }

    #[test]
    fn an_id_of_another_form_is_kept_as_it_is() {
        for text in ["", "text-1", "LCC.", "LCC.text", "AAAA", "=", "CgA=", "____", "日本"] {
            assert_eq!(MessageId::parse(text), None, "{text}");
            assert_eq!(canonical(text), text);
        }
        assert_eq!(MessageId::parse(&"Cg".repeat(10_000)), None);
        assert_eq!(id(None).for_data_api("no chat"), None);
    }
}
