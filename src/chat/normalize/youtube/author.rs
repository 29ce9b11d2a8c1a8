//! Who: the channel's id is stable, the handle is not, and some items name nobody but in words.

use serde_json::Value;

use super::text;
use crate::{
    chat::normalize::text::clean,
    model::{Author, Badge, Platform, QualifiedId, Role},
};

/// The author of a renderer of the site. Name, photo and badges of gifts stand in a header of their own.
pub(super) fn of_renderer(renderer: &Value) -> Option<Author> {
    let header = &renderer["header"]["liveChatSponsorshipsHeaderRenderer"];
    let at = |name: &str| match renderer.get(name) {
        Some(it) if !it.is_null() => it,
        _ => &header[name],
    };
    let mut author =
        named(renderer["authorExternalChannelId"].as_str(), &text::plain(at("authorName")))?;
    author.avatar = text::picture(at("authorPhoto"));
    if let Some(badges) = at("authorBadges").as_array() {
        for badge in badges.iter().map(|it| &it["liveChatAuthorBadgeRenderer"]) {
            add_badge(badge, &mut author);
        }
    }
    let buttons = renderer["beforeContentButtons"].as_array();
    for button in buttons.into_iter().flatten().map(|it| &it["buttonViewModel"]) {
        // The place on the list of this stream's most active viewers: `#1`.
        if button["iconName"] == "CROWN"
            && let Some(title) = button["title"].as_str()
        {
            let version = title.trim_start_matches('#').to_owned();
            author.badges.push(badge("leaderboard", &version, Some(title), None));
        }
    }
    Some(author)
}

fn add_badge(renderer: &Value, author: &mut Author) {
    let tooltip = renderer["tooltip"].as_str().or_else(|| text::label(renderer));
    let icon = renderer["icon"]["iconType"].as_str();
    let (set, role) = match icon {
        Some("OWNER") => ("owner", Some(Role::Broadcaster)),
        Some("MODERATOR") => ("moderator", Some(Role::Moderator)),
        Some("VERIFIED") => ("verified", Some(Role::Verified)),
        Some(_) => return,
        None if renderer.get("customThumbnail").is_some() => ("member", Some(Role::Member)),
        None => return,
    };
    let version = match (set, tooltip) {
        // `Member (6 months)`, `New member`
        ("member", Some(tooltip)) => {
            tooltip.split_once('(').map_or("new", |it| it.1.trim_end_matches(')'))
        }
        _ => "1",
    };
    let picture = text::picture(&renderer["customThumbnail"]);
    author.badges.push(badge(set, version, tooltip, picture));
    author.roles.extend(role.filter(|it| !author.roles.contains(it)));
}

/// `authorDetails` of the Data API; `None` when it names nobody.
pub(super) fn of_details(details: &Value, snippet: &Value) -> Option<Author> {
    let id = details["channelId"].as_str().or_else(|| snippet["authorChannelId"].as_str());
    let mut author = named(id, details["displayName"].as_str().unwrap_or_default())?;
    author.avatar = details["profileImageUrl"].as_str().and_then(text::hosted);
    for (field, set, title, role) in [
        ("isChatOwner", "owner", "Owner", Role::Broadcaster),
        ("isChatModerator", "moderator", "Moderator", Role::Moderator),
        ("isVerified", "verified", "Verified", Role::Verified),
        ("isChatSponsor", "member", "Member", Role::Member),
    ] {
        if details[field] == true {
            author.badges.push(badge(set, "1", Some(title), None));
            author.roles.push(role);
        }
    }
    Some(author)
}

/// Somebody of whom no more is known; `None` when nothing is.
pub(super) fn named(id: Option<&str>, name: &str) -> Option<Author> {
    let id = id.filter(|it| !it.is_empty());
    let name = clean(name.trim()).into_owned();
    let handle = name.strip_prefix('@').filter(|it| !it.is_empty()).map(str::to_lowercase);
    let id = match (id, &handle) {
        (Some(id), _) => id.to_owned(),
        // Only the handle is told: unique, as long as it is not changed.
        (None, Some(handle)) => format!("@{handle}"),
        (None, None) if name.is_empty() => return None,
        (None, None) => name.to_lowercase(),
    };
    Some(Author {
        login: handle.unwrap_or_else(|| id.clone()),
        name: if name.is_empty() { id.clone() } else { name },
        id: QualifiedId::new(Platform::Youtube, &id),
        color: None,
        badges: Vec::new(),
        roles: Vec::new(),
        avatar: None,
        identity: None,
    })
}

fn badge(set: &str, version: &str, title: Option<&str>, url: Option<String>) -> Badge {
    Badge {
        set: set.to_owned(),
        version: version.to_owned(),
        title: title.map(|it| clean(it).into_owned()),
        url,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn badges_tell_roles_and_a_picture_of_another_host_is_left_out() {
        let author = of_renderer(&json!({
            "authorName": {"simpleText": "@Ana.B"}, "authorExternalChannelId": "UCaaa",
            "authorPhoto": {"thumbnails": [{"url": "https://yt4.ggpht.com/ana=s64"}]},
            "authorBadges": [
                {"liveChatAuthorBadgeRenderer": {"icon": {"iconType": "OWNER"}, "tooltip": "Owner"}},
                {"liveChatAuthorBadgeRenderer": {"icon": {"iconType": "VERIFIED"}}},
                {"liveChatAuthorBadgeRenderer": {"customThumbnail": {"thumbnails": [
                    {"url": "https://example.org/a"}]}, "tooltip": "Member (6 months)"}},
            ],
            "beforeContentButtons": [{"buttonViewModel": {"iconName": "CROWN", "title": "#2"}}],
        }))
        .unwrap();
        assert_eq!(author.id.as_str(), "youtube:UCaaa");
        assert_eq!((author.login.as_str(), author.name.as_str()), ("ana.b", "@Ana.B"));
        assert_eq!(author.roles, [Role::Broadcaster, Role::Verified, Role::Member]);
        let badges: Vec<_> =
            author.badges.iter().map(|it| (it.set.as_str(), it.version.as_str())).collect();
        assert_eq!(
            badges,
            [("owner", "1"), ("verified", "1"), ("member", "6 months"), ("leaderboard", "2")]
        );
        assert_eq!(author.badges[2].url, None);
        assert_eq!(author.avatar.as_deref(), Some("/media/at/yt4.ggpht.com/ana=s64"));
    }

    #[test]
    fn nobody_is_nobody_and_a_handle_stands_in_for_an_id() {
        assert_eq!(of_renderer(&json!({})), None);
        assert_eq!(named(None, " @Bo ").unwrap().id.as_str(), "youtube:@bo");
        assert_eq!(named(Some("UCx"), "").unwrap().name, "UCx");
    }
}
