//! What is asked for, and what a token must allow for it.
//!
//! Votes while a poll runs come by the second and say nothing that its end does not. Chat itself, subscriptions, cheers and incoming raids come over IRC: asked for here, they would come twice.
//!
//! Source: <https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/>.

use serde_json::{Value, json};

use crate::platforms::twitch::helix::Validated;

/// Whom a subscription is about.
#[derive(Clone, Copy)]
enum About {
    /// The channel.
    Channel,
    /// The channel, as its moderator sees it.
    Moderated,
    /// The channel, when it sends its viewers elsewhere.
    RaidFrom,
}

struct Kind {
    name: &'static str,
    version: &'static str,
    about: About,
    /// One of these is needed; none for what everybody may know.
    scopes: &'static [&'static str],
    /// What people call it.
    words: &'static str,
}

const fn kind(
    name: &'static str,
    version: &'static str,
    about: About,
    scopes: &'static [&'static str],
    words: &'static str,
) -> Kind {
    Kind { name, version, about, scopes, words }
}

const POLLS: &[&str] = &["channel:read:polls", "channel:manage:polls"];
const PREDICTIONS: &[&str] = &["channel:read:predictions", "channel:manage:predictions"];
const REDEMPTIONS: &[&str] = &["channel:read:redemptions", "channel:manage:redemptions"];
const HYPE: &[&str] = &["channel:read:hype_train"];

const KINDS: [Kind; 17] = [
    kind("channel.follow", "2", About::Moderated, &["moderator:read:followers"], "follows"),
    kind("channel.poll.begin", "1", About::Channel, POLLS, "polls"),
    kind("channel.poll.end", "1", About::Channel, POLLS, "polls"),
    kind("channel.prediction.begin", "1", About::Channel, PREDICTIONS, "predictions"),
    kind("channel.prediction.lock", "1", About::Channel, PREDICTIONS, "predictions"),
    kind("channel.prediction.end", "1", About::Channel, PREDICTIONS, "predictions"),
    kind(
        "channel.channel_points_custom_reward_redemption.add",
        "1",
        About::Channel,
        REDEMPTIONS,
        "redemptions",
    ),
    kind(
        "channel.channel_points_automatic_reward_redemption.add",
        "2",
        About::Channel,
        REDEMPTIONS,
        "redemptions",
    ),
    kind("channel.hype_train.begin", "2", About::Channel, HYPE, "hype trains"),
    kind("channel.hype_train.end", "2", About::Channel, HYPE, "hype trains"),
    kind(
        "channel.charity_campaign.donate",
        "1",
        About::Channel,
        &["channel:read:charity"],
        "charity donations",
    ),
    kind("channel.ad_break.begin", "1", About::Channel, &["channel:read:ads"], "ad breaks"),
    kind("channel.unban", "1", About::Channel, &["channel:moderate"], "moderation"),
    kind("channel.raid", "1", About::RaidFrom, &[], "raids"),
    kind("stream.online", "1", About::Channel, &[], "the stream's state"),
    kind("stream.offline", "1", About::Channel, &[], "the stream's state"),
    kind("channel.update", "2", About::Channel, &[], "the stream's title"),
];

/// One subscription to be made.
pub(super) struct Subscription {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) condition: Value,
    pub(super) words: &'static str,
}

/// What can be asked for with this token, and what people call the things that cannot.
pub(super) fn list(
    account: &Validated,
    broadcaster_id: &str,
) -> (Vec<Subscription>, Vec<&'static str>) {
    let mut missing: Vec<&'static str> = Vec::new();
    let mut wanted = Vec::new();
    for it in &KINDS {
        if !it.scopes.is_empty() && !it.scopes.iter().any(|scope| account.allows(scope)) {
            // The usual ones are worth a word; few streamers miss the others.
            if matches!(it.words, "follows" | "polls" | "redemptions")
                && !missing.contains(&it.words)
            {
                missing.push(it.words);
            }
            continue;
        }
        let condition = match it.about {
            About::Channel => json!({"broadcaster_user_id": broadcaster_id}),
            About::Moderated => json!({"broadcaster_user_id": broadcaster_id,
                "moderator_user_id": account.user_id}),
            About::RaidFrom => json!({"from_broadcaster_user_id": broadcaster_id}),
        };
        let (name, version, words) = (it.name, it.version, it.words);
        wanted.push(Subscription { name, version, condition, words });
    }
    (wanted, missing)
}
