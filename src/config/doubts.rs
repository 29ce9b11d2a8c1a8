//! What looks like a mistake in the files, though it need not be one: JSON pointer and sentence.

use std::path::Path;

use super::{
    CreatorsConfig, PlatformsConfig, QuotasConfig,
    creators::ChannelConfig,
    read::{Found, find_nearest},
};
use crate::model::{CreatorId, Platform, overlay_settings::BUILT_IN_THEMES};

/// In `platforms.json`.
pub(super) fn of_platforms(platforms: &PlatformsConfig) -> Vec<Found> {
    let mut found = Vec::new();
    if let Some(url) = platforms.kick.webhook_url.as_ref().filter(|it| !it.is_private()) {
        let message =
            format!("`{url}` is not https: what is delivered there can be read on its way");
        found.push(("/kick/webhook_url".to_owned(), message));
    }
    if let Some(path) = platforms.rumble.browser_path.as_ref().filter(|it| !it.is_file()) {
        let message =
            format!("there is no file {}: Rumble is read without a browser", path.display());
        found.push(("/rumble/browser_path".to_owned(), message));
    }
    found
}

/// In `creators.json`, its names still as they were written. `beside` is the folder in which `themes/` may stand.
pub(super) fn of_creators(creators: &CreatorsConfig, beside: &Path) -> Vec<Found> {
    let themes = list_themes(beside);
    let themes: Vec<&str> = themes.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for (index, creator) in creators.creators.iter().enumerate() {
        let theme = creator.overlay.theme.as_str();
        if !themes.contains(&theme) {
            let known = match find_nearest(theme, &themes) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", themes.join(", ")),
            };
            let message =
                format!("there is no theme `{theme}`, unless the room has one of its own; {known}");
            found.push((format!("/creators/{index}/overlay/theme"), message));
        }
        for (at, channel) in creator.channels.iter().enumerate() {
            let of_channel = doubt_channel(channel);
            found.extend(
                of_channel.map(|(key, message)| {
                    (format!("/creators/{index}/channels/{at}/{key}"), message)
                }),
            );
        }
    }
    found
}

fn doubt_channel(channel: &ChannelConfig) -> impl Iterator<Item = (&'static str, String)> {
    let ChannelConfig { platform, channel_id, chat_id, .. } = channel;
    let half = |there, missing| {
        (there, format!("does nothing without {missing}: Kick's site is asked all the same"))
    };
    let unread = |key| (key, format!("is not read for {}", platform.title()));
    let ids = match (platform, channel_id, chat_id) {
        (Platform::Kick, Some(_), None) => [Some(half("channel_id", "chat_id")), None],
        (Platform::Kick, None, Some(_)) => [Some(half("chat_id", "channel_id")), None],
        (Platform::Kick, ..) => [None, None],
        (Platform::Rumble, channel_id, _) => [channel_id.map(|_| unread("channel_id")), None],
        _ => [channel_id.map(|_| unread("channel_id")), chat_id.map(|_| unread("chat_id"))],
    };
    let name = (*platform == Platform::Youtube).then(|| doubt_youtube(channel.name.trim()));
    ids.into_iter().flatten().chain(name.flatten().map(|it| ("name", it)))
}

/// A bare name on YouTube that is read as something else than it seems to be.
fn doubt_youtube(name: &str) -> Option<String> {
    use super::channel_name::YoutubeChannel::{Handle, Video};
    let bare = !name.starts_with('@') && !name.contains('/');
    match super::channel_name::YoutubeChannel::parse(name).filter(|_| bare)? {
        // Handles that begin so are short words.
        Handle(handle) if name.starts_with("UC") && name.len() > 15 => Some(format!(
            "`{name}` is read as the handle `@{handle}`: a channel id is `UC` and 22 characters more"
        )),
        // Ids of videos are random: one without a digit is rare, and a name with one is not.
        Video(id) if id.bytes().all(|it| it.is_ascii_alphabetic()) => {
            Some(format!("`{name}` is read as the id of a video: write `@{name}` for the channel"))
        }
        _ => None,
    }
}

/// In `quotas.json`.
pub(super) fn of_quotas(quotas: &QuotasConfig, creators: &CreatorsConfig) -> Vec<Found> {
    let known: Vec<&CreatorId> = creators.creators.iter().map(|it| &it.id).collect();
    let names: Vec<&str> = known.iter().map(|it| it.as_str()).collect();
    let unknown = quotas.creators.keys().filter(|it| !known.contains(it));
    unknown
        .map(|id| {
            let message = match find_nearest(id.as_str(), &names) {
                Some(near) => format!("there is no creator `{id}`, did you mean `{near}`?"),
                None => format!("there is no creator `{id}` in creators.json"),
            };
            (format!("/creators/{id}"), message)
        })
        .collect()
}

/// The names of the themes that every room may use. Blocking.
fn list_themes(beside: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(beside.join("themes")).into_iter().flatten().flatten();
    let folders = folders.filter(|it| it.path().join("theme.css").is_file());
    let names = folders.map(|it| it.file_name().to_string_lossy().into_owned());
    let built_in = BUILT_IN_THEMES.iter().map(|it| (*it).to_owned());
    let mut themes: Vec<String> = built_in.chain(names).collect();
    themes.sort();
    themes.dedup();
    themes
}
