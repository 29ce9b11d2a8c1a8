//! Badges: what Twitch shows in front of a name.

use super::{media, tags::Tags};
use crate::model::Badge;

/// The badges of the line's author in the channel `room_id`, in Twitch's order.
///
/// Source: the `badges` and `badge-info` tags at <https://dev.twitch.tv/docs/chat/irc/>. A badge that
/// is not `set/version` costs only itself.
pub(super) fn read(tags: Tags<'_>, room_id: Option<&str>) -> Vec<Badge> {
    let Some(list) = tags.find("badges") else { return Vec::new() };
    let info = tags.find("badge-info").unwrap_or_default();
    let badges = list.split(',').filter_map(|it| it.split_once('/'));
    badges
        .filter(|(set, _)| !set.is_empty())
        .map(|(set, version)| Badge {
            set: set.to_owned(),
            version: version.to_owned(),
            title: title(set, version, info),
            url: room_id.and_then(|room_id| media::badge_url(room_id, set, version)),
        })
        .collect()
}

/// The well-known sets in words; `None` for one that only Twitch's catalogue can name.
pub(super) fn title(set: &str, version: &str, info: &str) -> Option<String> {
    let fixed = match set {
        "broadcaster" => "Broadcaster",
        "moderator" => "Moderator",
        "lead_moderator" => "Lead Moderator",
        "vip" => "VIP",
        "founder" => "Founder",
        "premium" => "Prime Gaming",
        "turbo" => "Turbo",
        "partner" => "Verified",
        "staff" => "Staff",
        "admin" => "Admin",
        "global_mod" => "Global Moderator",
        "bot-badge" => "Chat Bot",
        "artist-badge" => "Artist",
        "anonymous-cheerer" => "Anonymous Cheerer",
        "no_audio" => "Watching without audio",
        "no_video" => "Listening only",
        "hype-train" => "Hype Train",
        "subscriber" => {
            // The version is the picture: 3012 is the one-year badge of tier 3. The months are here.
            let months = find_info(info, set).and_then(|it| it.parse::<u32>().ok());
            return Some(match months {
                Some(months) if months > 0 => format!("{months}-Month Subscriber"),
                _ => "Subscriber".to_owned(),
            });
        }
        "bits" => return Some(format!("Cheer {version}")),
        "bits-leader" => return Some(format!("Bits Leader {version}")),
        "sub-gifter" => return Some(format!("Sub Gifter {version}")),
        "sub-gift-leader" => return Some(format!("Gifter Leader {version}")),
        // The viewer's bet in the streamer's words, where U+2E1D stands for the list's own comma.
        "predictions" => {
            return Some(match find_info(info, set) {
                Some(bet) => format!("Predicted {}", bet.replace('\u{2e1d}', ",")),
                None => "Prediction".to_owned(),
            });
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// What `badge-info` says about `set`. Only the first slash separates: the rest may be free text.
fn find_info<'a>(info: &'a str, set: &str) -> Option<&'a str> {
    info.split(',').filter_map(|it| it.split_once('/')).find(|(key, _)| *key == set).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_come_from_badge_info_and_not_from_the_version() {
        let info = "predictions/yes\u{2e1d} 1/2,subscriber/14";
        assert_eq!(title("subscriber", "3012", info).unwrap(), "14-Month Subscriber");
        assert_eq!(title("subscriber", "0", "").unwrap(), "Subscriber");
        assert_eq!(title("predictions", "blue-1", info).unwrap(), "Predicted yes, 1/2");
        assert_eq!(title("bits", "1000", "").unwrap(), "Cheer 1000");
        assert_eq!(title("glitchcon2020", "1", ""), None);
    }
}
