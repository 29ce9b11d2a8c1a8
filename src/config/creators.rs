//! `config/creators.json`: whose chats are read, and into which rooms.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{CreatorId, Email, OverlaySettings, Platform};

use super::{channel_flag::FlagChannel, channel_name};

/// `config/creators.json`: the creators and their channels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CreatorsConfig {
    /// The creators, each with a room of the same id.
    pub creators: Vec<CreatorConfig>,
}

/// A creator: one room, and the channels that flow into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatorConfig {
    /// The creator's id, and the name of the room. Unique, upper and lower case alike.
    pub id: CreatorId,
    /// The name shown on pages; null is the id.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub display_name: Option<String>,
    /// The mail address of the account that the room belongs to, once that is verified; null is the operator's own.
    #[serde(default)]
    pub owner: Option<Email>,
    /// Whether the room exists.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether the channels are read even when nobody watches.
    #[serde(default)]
    pub always_on: bool,
    /// The end of the names of this creator's secrets; null is the id in capitals, `-` as `_`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Z0-9_]{1,64}$"))]
    pub env_suffix: Option<String>,
    /// The channels that flow into the room.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub channels: Vec<ChannelConfig>,
    /// Whether the room is recorded; without, it has no replay, and a restart begins it anew.
    #[serde(default = "yes")]
    pub record: bool,
    /// Age at which its recorded events are deleted (days); null is as in `system.json`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3_650))]
    pub retention_days: Option<u32>,
    /// What its recorded events may take (bytes); null is as in `system.json`.
    #[serde(default)]
    #[schemars(range(min = 65_536, max = 1_099_511_627_776_u64))]
    pub retention_bytes: Option<u64>,
    /// How the room's overlays look, until changed on the settings page.
    #[serde(default)]
    pub overlay: OverlaySettings,
    /// Which of those the file names.
    #[serde(skip)]
    pub overlay_keys: BTreeSet<String>,
}

impl CreatorConfig {
    /// One of which nothing more is said: a room without channels.
    #[must_use]
    pub fn named(id: CreatorId) -> Self {
        Self {
            id,
            display_name: None,
            owner: None,
            enabled: true,
            always_on: false,
            env_suffix: None,
            channels: Vec::new(),
            record: true,
            retention_days: None,
            retention_bytes: None,
            overlay: OverlaySettings::default(),
            overlay_keys: BTreeSet::new(),
        }
    }

    /// Whether it has a channel, in whatever spelling.
    #[must_use]
    pub fn has_channel(&self, platform: Platform, name: &str) -> bool {
        let same = |it: &ChannelConfig| {
            it.platform == platform && channel_name::is_same(platform, &it.name, name)
        };
        self.channels.iter().any(same)
    }

    /// The end of the names of this creator's secrets: `ANA` in `TWITCH_OAUTH_TOKEN_ANA`.
    #[must_use]
    pub fn env_suffix(&self) -> String {
        self.env_suffix.clone().unwrap_or_else(|| default_suffix(self.id.as_str()))
    }

    /// The name shown on pages.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(self.id.as_str())
    }
}

/// A channel of a creator on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// Where the channel is.
    pub platform: Platform,
    /// Its login, handle or address; once loaded, in the platform's one spelling.
    #[schemars(length(min = 1, max = 500))]
    pub name: String,
    /// Whether it is read.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The platform's number of the channel, for when it cannot be asked (Kick).
    #[serde(default)]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub channel_id: Option<u64>,
    /// The platform's number of its chat, for when it cannot be asked (Kick, Rumble).
    #[serde(default)]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub chat_id: Option<u64>,
}

impl ChannelConfig {
    /// A channel that is read, of which only the name is known.
    #[must_use]
    pub fn named(platform: Platform, name: String) -> Self {
        Self { platform, name, enabled: true, channel_id: None, chat_id: None }
    }
}

fn yes() -> bool {
    true
}

fn default_suffix(id: &str) -> String {
    id.to_ascii_uppercase().replace('-', "_")
}

impl CreatorsConfig {
    /// Notes which overlay settings are said and which are defaults, as `raw` has them.
    pub(super) fn note_overlay_keys(&mut self, raw: Vec<BTreeSet<String>>) {
        for (creator, keys) in self.creators.iter_mut().zip(raw) {
            creator.overlay_keys = keys;
        }
    }

    /// Brings the names of all channels to their one spelling. [`check`] said that each has one.
    pub(super) fn normalize(&mut self) {
        for creator in &mut self.creators {
            creator.overlay.theme_version.clear(); // The server's to say.
        }
        for channel in self.creators.iter_mut().flat_map(|it| &mut it.channels) {
            if let Ok(name) = channel_name::normalize(channel.platform, &channel.name) {
                channel.name = name;
            }
        }
    }
}

/// The overlay settings that each creator of a raw value names.
pub(super) fn list_overlay_keys(creators: &Value) -> Vec<BTreeSet<String>> {
    let keys = |it: &Value| {
        it["overlay"].as_object().into_iter().flat_map(|it| it.keys().cloned()).collect()
    };
    elements(creators, "creators").iter().map(keys).collect()
}

/// What is wrong between the values of `creators.json`: JSON pointer and message.
///
/// Takes the raw value and passes over what cannot be read, so that a mistake in one creator does
/// not hide those of another.
pub(super) fn check(creators: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut ids: HashMap<CreatorId, usize> = HashMap::new();
    let mut suffixes: HashMap<String, CreatorId> = HashMap::new();
    for (index, creator) in elements(creators, "creators").iter().enumerate() {
        check_channels(creator, index, &mut found);
        let Some(id) = creator["id"].as_str().and_then(|it| it.parse::<CreatorId>().ok()) else {
            continue;
        };
        if let Some(first) = ids.get(&id) {
            let message = format!("`{id}` is already the id of /creators/{first}");
            found.push((format!("/creators/{index}/id"), message));
            continue; // Its suffix collides as well, which says nothing new.
        }
        ids.insert(id.clone(), index);
        let (key, suffix) = match creator["env_suffix"].as_str() {
            Some(written) => ("env_suffix", written.to_owned()),
            None => ("id", default_suffix(id.as_str())),
        };
        if let Some(other) = suffixes.get(&suffix) {
            let message = format!(
                "the secrets of `{id}` and `{other}` would both end in `_{suffix}`: \
                 give one of them another env_suffix"
            );
            found.push((format!("/creators/{index}/{key}"), message));
        } else {
            suffixes.insert(suffix, id);
        }
    }
    found
}

fn check_channels(creator: &Value, creator_index: usize, found: &mut Vec<(String, String)>) {
    let mut seen = Vec::new();
    for (index, channel) in elements(creator, "channels").iter().enumerate() {
        let path = format!("/creators/{creator_index}/channels/{index}");
        let Ok(channel) = serde_json::from_value::<ChannelConfig>(channel.clone()) else {
            continue;
        };
        match channel_name::normalize(channel.platform, &channel.name) {
            Ok(name) => {
                let platform = channel.platform;
                let same = |(other, known): &(Platform, String)| {
                    *other == platform && channel_name::is_same(platform, known, &name)
                };
                if seen.iter().any(same) {
                    let message = format!("{platform} channel `{name}` is listed twice");
                    found.push((format!("{path}/name"), message));
                } else {
                    seen.push((platform, name));
                }
            }
            Err(error @ channel_name::BadChannel::NotReadable(_)) => {
                // One that is switched off may wait for its worker.
                if channel.enabled {
                    found.push((format!("{path}/platform"), error.to_string()));
                }
            }
            Err(error) => found.push((format!("{path}/name"), error.to_string())),
        }
    }
}

/// Puts a channel of the command line among the creators; returns the JSON pointer of what is new.
///
/// The room it names is read from then on: its creator is made if there is none, and switched on.
pub(super) fn add_channel(creators: &mut Value, channel: &FlagChannel) -> Option<String> {
    let list = creators.as_object_mut()?.entry("creators").or_insert_with(|| json!([]));
    let list = list.as_array_mut()?;
    let same_id = |it: &Value| {
        it["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(channel.room.as_str()))
    };
    let known = list.iter().position(same_id);
    let index = known.unwrap_or_else(|| {
        list.push(json!({ "id": channel.room }));
        list.len() - 1
    });
    let creator = list[index].as_object_mut()?;
    creator.insert("enabled".to_owned(), json!(true));
    creator.insert("always_on".to_owned(), json!(true));
    let channels = creator.entry("channels").or_insert_with(|| json!([]));
    let channels = channels.as_array_mut()?;
    let same_channel = |it: &&mut Value| {
        it["platform"].as_str() == Some(channel.platform.as_str())
            && it["name"].as_str().is_some_and(|name| {
                channel_name::normalize(channel.platform, name).as_ref() == Ok(&channel.name)
            })
    };
    if let Some(channel) = channels.iter_mut().find(same_channel).and_then(Value::as_object_mut) {
        channel.insert("enabled".to_owned(), json!(true));
        return None;
    }
    channels.push(json!({ "platform": channel.platform, "name": channel.name }));
    let last = channels.len() - 1;
    Some(match known {
        Some(_) => format!("/creators/{index}/channels/{last}"),
        None => format!("/creators/{index}"),
    })
}

fn elements<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_only_in_case_are_the_same_and_the_second_is_told() {
        let found = check(&json!({"creators": [{"id": "Ana"}, {"id": "ben"}, {"id": "aNA"}]}));
        assert_eq!(
            found,
            [("/creators/2/id".to_owned(), "`aNA` is already the id of /creators/0".to_owned())]
        );
    }

    #[test]
    fn two_creators_never_share_the_names_of_their_secrets() {
        let found = check(&json!({"creators": [
            {"id": "a-b"}, {"id": "a_b"}, {"id": "c", "env_suffix": "A_B"}, {"id": "d"}
        ]}));
        let paths: Vec<_> = found.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(paths, ["/creators/1/id", "/creators/2/env_suffix"]);
    }

    #[test]
    fn a_mistake_in_one_creator_does_not_hide_those_of_another() {
        let found = check(&json!({"creators": [
            {"id": 5, "channels": [{"platform": "twitch", "name": "a b"}]},
            {"id": "x", "channels": [
                {"platform": "twitch", "name": "Lynx"},
                {"platform": "twitch", "name": "https://twitch.tv/lynx"},
                {"platform": "discord", "name": "b"},
                {"platform": "x", "name": "b", "enabled": false},
                {"platform": "nowhere", "name": "b"}
            ]}
        ]}));
        let paths: Vec<_> = found.iter().map(|it| it.0.as_str()).collect();
        let expected = [
            "/creators/0/channels/0/name",
            "/creators/1/channels/1/name",
            "/creators/1/channels/2/platform",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_channel_of_the_command_line_joins_the_room_of_its_name() {
        let mut creators = json!({"creators": [
            {"id": "Ana", "enabled": false, "channels": [{"platform": "twitch", "name": "#Ana", "enabled": false}]}
        ]});
        let flag = |room: &str, name: &str| FlagChannel {
            room: room.parse().unwrap(),
            platform: Platform::Twitch,
            name: name.to_owned(),
        };
        let mut add = |room, name| add_channel(&mut creators, &flag(room, name));
        assert_eq!(add("ana", "ana"), None);
        assert_eq!(add("ANA", "other").as_deref(), Some("/creators/0/channels/1"));
        assert_eq!(add("new", "other").as_deref(), Some("/creators/1"));

        let mut creators: CreatorsConfig = serde_json::from_value(creators).unwrap();
        creators.normalize();
        let rooms: Vec<_> = creators.creators.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(rooms, ["Ana", "new"]);
        assert!(creators.creators.iter().all(|it| it.enabled && it.always_on));
        let ana = &creators.creators[0].channels;
        assert_eq!(ana.len(), 2);
        assert_eq!((ana[0].name.as_str(), ana[0].enabled), ("ana", true));
        assert_eq!((ana[1].name.as_str(), ana[1].enabled), ("other", true));
    }
}
