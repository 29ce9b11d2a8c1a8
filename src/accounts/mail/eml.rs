//! A mail as a file that mail programs open: RFC 5322, with the plain text and the page as alternatives.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::DateTime;

use super::{Written, address_line};

/// Longest line of a mail (bytes, without its end; RFC 5322).
const MOST_LINE_BYTES: usize = 998;
/// Bytes in one encoded word: with `=?UTF-8?B?` and `?=` it is at most 75 long (RFC 2047).
const MOST_WORD_BYTES: usize = 45;

/// The whole file. `from` and `reply_to` are as the configuration says them.
pub(super) fn eml(mail: &Written, from: &str, reply_to: Option<&str>) -> Vec<u8> {
    // The id is random, and in neither part.
    let boundary = format!("=_{}", mail.id.simple());
    let date = DateTime::from_timestamp_millis(mail.created_at.unix_ms()).unwrap_or_default();
    let mut headers = vec![
        format!("From: {}", address_line::as_header(from)),
        format!("To: {}", mail.to.as_str()),
        format!("Subject: {}", text_header(mail.subject())),
        format!("Date: {}", date.to_rfc2822()),
        format!("Message-ID: <{}@{}>", mail.id, address_line::domain(from)),
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        format!("Content-Type: multipart/alternative; boundary=\"{boundary}\""),
    ];
    if let Some(it) = reply_to {
        headers.insert(2, format!("Reply-To: {}", address_line::as_header(it)));
    }
    let mut file = headers.join("\r\n");
    file.push_str("\r\n");
    // What can be shown last is preferred.
    for (kind, body) in [("plain", &mail.text), ("html", &mail.html)] {
        let (encoding, body) = part(body);
        file.push_str(&format!(
            "\r\n--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
        ));
    }
    file.push_str(&format!("\r\n--{boundary}--\r\n"));
    file.into_bytes()
}

/// A body and its encoding: readable in any editor whenever its lines may stand as they are.
fn part(body: &str) -> (&'static str, String) {
    let lines: Vec<&str> = body.split('\n').map(|it| it.strip_suffix('\r').unwrap_or(it)).collect();
    let plain = |it: &str| it.len() <= MOST_LINE_BYTES && !it.contains(['\r', '\0']);
    if lines.iter().all(|it| plain(it)) {
        let encoding = if body.is_ascii() { "7bit" } else { "8bit" };
        return (encoding, lines.join("\r\n"));
    }
    let letters = STANDARD.encode(lines.join("\r\n"));
    let rows: Vec<&str> =
        letters.as_bytes().chunks(76).filter_map(|it| std::str::from_utf8(it).ok()).collect();
    ("base64", rows.join("\r\n"))
}

/// A text as a header's value.
fn text_header(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|it| matches!(it, b' '..=b'~')) && !text.contains("=?");
    if plain && text.len() <= 68 && text.trim() == text {
        return text.into();
    }
    encoded(text).into()
}

/// A text as encoded words of RFC 2047, one a line: nothing of it can end a header.
pub(super) fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for it in text.chars() {
        if words.last().is_some_and(|word| word.len() + it.len_utf8() > MOST_WORD_BYTES) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(it);
        }
    }
    let words: Vec<_> =
        words.iter().map(|it| format!("=?UTF-8?B?{}?=", STANDARD.encode(it))).collect();
    words.join("\r\n ")
}
