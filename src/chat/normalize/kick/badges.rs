//! Badges: the plain ones have no pictures, but for subscribers the channel has its own.

use crate::{
    chat::normalize::clean,
    model::{Badge, HostedPicture},
    platforms::kick::{
        ChannelFacts,
        wire::{Identity, PictureBadge, PlainBadge},
    },
};

/// The badges of a viewer, in the platform's order: those of the channel, then those that the viewer chose.
pub(super) fn read(identity: &Identity, facts: &ChannelFacts) -> Vec<Badge> {
    let plain = identity.badges.iter().filter(|it| it.active != Some(false));
    let mut badges: Vec<Badge> = plain.map(|it| plain_badge(it, facts)).collect();
    for it in identity.badges_v2.iter().filter(|it| it.selected != Some(false)) {
        let badge = picture_badge(it);
        match badges.iter_mut().find(|known| known.set == badge.set) {
            Some(known) => known.url = known.url.take().or(badge.url),
            None => badges.push(badge),
        }
    }
    badges
}

fn plain_badge(badge: &PlainBadge, facts: &ChannelFacts) -> Badge {
    let PlainBadge { kind, text, count, .. } = badge;
    let text = text.as_deref().map(clean).filter(|it| !it.is_empty());
    let title = match (kind.as_str(), count) {
        ("subscriber", Some(months)) if *months > 0 => Some(format!("{months}-Month Subscriber")),
        ("sub_gifter", Some(count)) if *count > 0 => Some(format!("Sub Gifter ({count})")),
        _ => text.map(|it| it.into_owned()),
    };
    let url = match kind.as_str() {
        "subscriber" => subscriber_picture(count.unwrap_or(1), facts),
        _ => None,
    };
    let version = count.map_or_else(|| "1".to_owned(), |it| it.to_string());
    Badge { set: kind.clone(), version, title, url }
}

/// The channel's picture for so many months: that of the most months which are reached.
fn subscriber_picture(months: u64, facts: &ChannelFacts) -> Option<String> {
    let reached = facts.badges.iter().rev().find(|it| it.0 <= months)?;
    hosted(&reached.1)
}

fn picture_badge(badge: &PictureBadge) -> Badge {
    let level = badge.metadata.as_ref().and_then(|it| it.level);
    let name = clean(&badge.name).into_owned();
    let title = match level {
        Some(level) if name == "level" => format!("Level {level}"),
        _ => name.replace('_', " "),
    };
    let version = level.map_or_else(|| "1".to_owned(), |it| it.to_string());
    let url = badge.image_url.as_deref().and_then(hosted);
    Badge { set: name, version, title: Some(title), url }
}

fn hosted(url: &str) -> Option<String> {
    HostedPicture::find(url).map(|it| it.media_path())
}
