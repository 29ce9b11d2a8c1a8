//! Who: id, login and display name are three things, and only the id is stable.

use std::borrow::Cow;

use twitch_irc::message::{IRCMessage, IRCPrefix};

use super::{badges, tags::Tags};
use crate::{
    chat::normalize::text,
    model::{Author, Badge, Platform, QualifiedId, Role},
};

/// The line's author as seen in the channel `room_id`; `None` when it names nobody.
pub(super) fn read(line: &IRCMessage, tags: Tags<'_>, room_id: Option<&str>) -> Option<Author> {
    let login = tags.find("login").or_else(|| nick(line));
    let mut author = named(tags.find("user-id"), login, tags.find("display-name"))?;
    author.color = tags.find("color").filter(|it| is_color(it)).map(str::to_owned);
    author.badges = badges::read(tags, room_id);
    author.roles = roles(tags, &author.badges);
    Some(author)
}

/// Somebody of whom only the names are known; `None` when none is.
///
/// A missing id is replaced by the login, a missing login by the display name or the id.
pub(super) fn named(id: Option<&str>, login: Option<&str>, name: Option<&str>) -> Option<Author> {
    // A name of nothing but spaces would leave nobody to click on.
    let name = name.map(text::clean).filter(|it| !it.trim().is_empty());
    let login = match (login, &name, id) {
        (Some(login), _, _) => lower(login),
        (None, Some(name), None) => lower(name),
        (None, Some(name), Some(_)) if name.is_ascii() => lower(name.trim()),
        (None, _, Some(id)) => id.to_owned(),
        (None, None, None) => return None,
    };
    Some(Author {
        id: QualifiedId::new(Platform::Twitch, id.unwrap_or(&login)),
        name: name.map_or_else(|| login.clone(), Cow::into_owned),
        login,
        color: None,
        badges: Vec::new(),
        roles: Vec::new(),
        avatar: None,
        identity: None,
    })
}

fn lower(text: &str) -> String {
    let mut text = text.to_owned();
    text.make_ascii_lowercase();
    text
}

fn nick(line: &IRCMessage) -> Option<&str> {
    match line.prefix.as_ref()? {
        IRCPrefix::Full { nick, .. } => Some(nick.as_str()).filter(|it| !it.is_empty()),
        // Without `!user@host` a nick looks like a host; only servers have dots.
        IRCPrefix::HostOnly { host } => Some(host.as_str()).filter(|it| !it.contains('.')),
    }
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit())
}

fn roles(tags: Tags<'_>, badges: &[Badge]) -> Vec<Role> {
    let has = |sets: &[&str]| badges.iter().any(|it| sets.contains(&it.set.as_str()));
    let user_type = tags.find("user-type");
    let moderates = has(&["moderator", "lead_moderator"]) || tags.is_set("mod");
    let works_for_twitch = has(&["staff", "admin", "global_mod"])
        || matches!(user_type, Some("staff" | "admin" | "global_mod"));
    [
        (Role::Broadcaster, has(&["broadcaster"])),
        (Role::Moderator, moderates),
        (Role::Vip, has(&["vip"]) || tags.is_set("vip")),
        // A founder has `subscriber=0` and no subscriber badge.
        (Role::Subscriber, has(&["subscriber", "founder"]) || tags.is_set("subscriber")),
        (Role::Verified, has(&["partner"])),
        (Role::Staff, works_for_twitch),
        (Role::Bot, has(&["bot-badge"])),
    ]
    .into_iter()
    .filter_map(|(role, holds)| holds.then_some(role))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_spaces_gives_way_to_the_login_and_others_are_kept_whole() {
        let name = |name| named(Some("1"), Some("Ana"), Some(name)).unwrap().name;
        assert_eq!(name("   "), "ana");
        assert_eq!(name("Ana "), "Ana ");
    }

    #[test]
    fn whatever_is_missing_is_taken_from_what_is_there() {
        assert_eq!(named(None, Some("ana"), None).unwrap().id.as_str(), "twitch:ana");
        assert_eq!(named(Some("1"), None, Some("Ana")).unwrap().login, "ana");
        assert_eq!(named(Some("1"), None, Some("安娜")).unwrap().login, "1");
        assert_eq!(named(None, None, None), None);
    }

    #[test]
    fn only_six_hexadecimal_digits_are_a_color() {
        assert!(is_color("#19aEf0"));
        for bad in ["", "#", "19AEF0", "#19AEF", "#19AEF0;", "#19AEFG", "red"] {
            assert!(!is_color(bad), "{bad}");
        }
    }
}
