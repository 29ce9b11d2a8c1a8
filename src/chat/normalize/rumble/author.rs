//! Who: an id that stays, a name that is shown, and what they are in this channel.

use std::borrow::Cow;

use super::{NormalizeError, RumbleNormalizer, picture_path, text};
use crate::{
    model::{Author, Platform, QualifiedId, Role},
    platforms::rumble::Line,
};

/// The id of somebody of whom only the name is known.
pub(super) fn id_by_name(name: &str) -> QualifiedId {
    QualifiedId::new(Platform::Rumble, &format!("name-{}", name.to_lowercase()))
}

/// Somebody of whom only the name is known.
pub(super) fn named(name: &str) -> Option<Author> {
    let name = text::clean(name);
    let name = name.trim();
    (!name.is_empty()).then(|| Author {
        id: id_by_name(name),
        login: name.to_lowercase(),
        name: name.to_owned(),
        color: None,
        badges: Vec::new(),
        roles: Vec::new(),
        avatar: None,
        identity: None,
    })
}

impl RumbleNormalizer {
    /// The writer of a message.
    pub(super) fn author_of(&self, line: &Line) -> Result<Author, NormalizeError> {
        let unknown = || NormalizeError::unparsed("message", "user_id");
        let Some(user_id) = line.user_id.as_deref() else {
            let mut author =
                named(line.name.as_deref().ok_or_else(unknown)?).ok_or_else(unknown)?;
            self.add_badges(&mut author, line.badges.as_deref().unwrap_or_default());
            return Ok(author);
        };
        let user = self.people.user(user_id);
        // Some speak as a channel: it gives name and picture, and the id stays that of the viewer, by
        // which moderators act.
        let channel = line.channel_id.as_deref().and_then(|it| self.people.channel(it));
        let own_name = line.name.as_deref().or_else(|| user?.name.as_deref());
        let shown = channel.and_then(|it| it.name.as_deref()).or(own_name).unwrap_or(user_id);
        let name = text::clean(shown);
        let name = if name.trim().is_empty() { Cow::Borrowed(user_id) } else { name };
        let picture = channel.and_then(|it| it.picture.as_deref());
        let picture = picture.or_else(|| user?.picture.as_deref());
        let mut author = Author {
            id: QualifiedId::new(Platform::Rumble, user_id),
            login: own_name.unwrap_or(&name).trim().to_lowercase(),
            name: name.into_owned(),
            color: user.and_then(|it| it.color.clone()).filter(|it| is_color(it)),
            badges: Vec::new(),
            roles: Vec::new(),
            avatar: picture.and_then(picture_path),
            identity: None,
        };
        let badges = line.badges.as_deref().or_else(|| user?.badges.as_deref());
        self.add_badges(&mut author, badges.unwrap_or_default());
        Ok(author)
    }

    /// Adds badges, and the roles they stand for.
    pub(super) fn add_badges(&self, author: &mut Author, slugs: &[String]) {
        let has = |names: &[&str]| slugs.iter().any(|it| names.contains(&it.as_str()));
        author.badges = slugs.iter().map(|it| self.people.badge(it)).collect();
        author.roles = [
            // Rumble's word for the streamer: its own API documents it on the creator's messages, and two
            // independent clients of the site read it so.
            (Role::Broadcaster, has(&["admin"])),
            (Role::Moderator, has(&["moderator"])),
            (
                Role::Subscriber,
                has(&["recurring_subscription", "subscriber", "locals", "locals_supporter"]),
            ),
            (Role::Verified, has(&["verified"])),
        ]
        .into_iter()
        .filter_map(|(role, holds)| holds.then_some(role))
        .collect();
    }
}

pub(super) fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit())
}
