//! One provider's list of emotes: read from its answer.
//!
//! Source: the providers' answers as recorded; none of them promises its shape, so what cannot be read of one
//! emote costs that emote alone.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Emote, EmoteProvider, HostedPicture};

/// Longest name (bytes): what is longer was not made to be typed.
const MAX_NAME_BYTES: usize = 100;
/// 7TV: the picture is laid over the one before it (flag of the emote, and of its place in a set).
const SEVENTV_ZERO_WIDTH: u64 = 1 << 8;
const SEVENTV_ACTIVE_ZERO_WIDTH: u64 = 1;
/// BetterTTV says nowhere which of its emotes are laid over the one before; this is the list all clients keep.
const BTTV_ZERO_WIDTH: [&str; 9] = [
    "SoSnowy",
    "IceCold",
    "SantaHat",
    "TopHat",
    "ReinDeer",
    "CandyCane",
    "cvMask",
    "cvHazmat",
    "cvL",
];

/// An emote, under the name people type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) emote: Arc<Emote>,
}

/// A list, and what 7TV calls it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct List {
    pub(super) emotes: Vec<Named>,
    /// 7TV: the set it is.
    pub(super) set_id: Option<String>,
    /// 7TV: whose set it is.
    pub(super) user_id: Option<String>,
}

fn named(
    name: &str,
    provider: EmoteProvider,
    id: &str,
    url: &str,
    animated: bool,
    zero_width: bool,
) -> Option<Named> {
    let valid = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && !name.contains(|it: char| it.is_whitespace() || it.is_control());
    let picture = HostedPicture::find(url).filter(|_| valid)?;
    let emote =
        Emote { provider, id: id.to_owned(), url: picture.media_path(), animated, zero_width };
    Some(Named { name: name.to_owned(), emote: Arc::new(emote) })
}

/// Reads each element that has the shape of `T`, and passes over the others.
fn elements<T: for<'de> Deserialize<'de>>(list: &Value) -> Vec<T> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|it| T::deserialize(it).ok()).collect()
}

#[derive(Deserialize)]
pub(super) struct SeventvActive {
    pub(super) id: String,
    /// What people type here; `data.name` is what its maker called it.
    pub(super) name: String,
    #[serde(default)]
    flags: u64,
    data: Option<SeventvData>,
}

#[derive(Deserialize)]
struct SeventvData {
    #[serde(default)]
    flags: u64,
    #[serde(default)]
    animated: bool,
    host: Option<SeventvHost>,
}

#[derive(Deserialize)]
struct SeventvHost {
    url: String,
    #[serde(default)]
    files: Vec<SeventvFile>,
}

#[derive(Deserialize)]
struct SeventvFile {
    name: String,
}

impl SeventvActive {
    /// The emote, under its name.
    pub(super) fn named(&self) -> Option<Named> {
        let data = self.data.as_ref()?;
        let host = data.host.as_ref()?;
        let has = |name: &str| host.files.iter().any(|it| it.name.eq_ignore_ascii_case(name));
        let file = if has("3x.webp") { "3x.webp" } else { "2x.webp" };
        let zero_width =
            self.flags & SEVENTV_ACTIVE_ZERO_WIDTH != 0 || data.flags & SEVENTV_ZERO_WIDTH != 0;
        let url = format!("{}/{file}", host.url);
        named(&self.name, EmoteProvider::SevenTv, &self.id, &url, data.animated, zero_width)
    }
}

fn seventv_set(set: &Value) -> Vec<Named> {
    elements::<SeventvActive>(&set["emotes"]).iter().filter_map(SeventvActive::named).collect()
}

/// 7TV's answer for a set, or for a channel. `None` when it is neither.
pub(super) fn seventv(answer: &Value) -> Option<List> {
    let id = |it: &Value| it.as_str().map(str::to_owned);
    let object = answer.as_object()?;
    if !["platform", "emote_set", "user"].iter().any(|it| object.contains_key(*it)) {
        // A set by itself. Without `emotes` it is one only if it says how many it has.
        object
            .get("emotes")
            .or_else(|| object.get("emote_count"))
            .or_else(|| object.get("capacity"))?;
        return Some(List {
            emotes: seventv_set(answer),
            set_id: id(&answer["id"]),
            user_id: None,
        });
    }
    let set = &answer["emote_set"];
    let set_id = id(&set["id"]).or_else(|| id(&answer["emote_set_id"]));
    Some(List { emotes: seventv_set(set), set_id, user_id: id(&answer["user"]["id"]) })
}

#[derive(Deserialize)]
pub(super) struct BttvEmote {
    id: String,
    code: String,
    #[serde(default)]
    animated: bool,
    #[serde(default, rename = "imageType")]
    image_type: String,
}

impl BttvEmote {
    fn named(&self) -> Option<Named> {
        let url = format!("https://cdn.betterttv.net/emote/{}/3x", self.id);
        let animated = self.animated || self.image_type == "gif";
        let zero_width = BTTV_ZERO_WIDTH.contains(&self.code.as_str());
        named(&self.code, EmoteProvider::Bttv, &self.id, &url, animated, zero_width)
    }
}

/// BetterTTV's answer for everybody, or for a channel. `None` when it is neither.
pub(super) fn bttv(answer: &Value) -> Option<List> {
    let lists = match answer {
        Value::Array(_) => vec![answer],
        Value::Object(it) => vec![it.get("sharedEmotes")?, it.get("channelEmotes")?],
        _ => return None,
    };
    let emotes = lists.into_iter().flat_map(elements::<BttvEmote>);
    // A channel's own come last: they win over shared ones of the same name.
    let emotes = emotes.filter_map(|it| it.named()).collect();
    Some(List { emotes, ..List::default() })
}

#[derive(Deserialize)]
struct FfzEmote {
    id: u64,
    name: String,
    #[serde(default)]
    urls: Value,
    #[serde(default)]
    animated: Value,
    #[serde(default)]
    modifier: bool,
    #[serde(default)]
    modifier_flags: u64,
    #[serde(default)]
    hidden: bool,
}

impl FfzEmote {
    fn named(&self) -> Option<Named> {
        // An effect on the emote before it has flags and often no picture of its own.
        if self.hidden || (self.modifier && self.modifier_flags != 0) {
            return None;
        }
        let largest = |it: &Value| {
            ["4", "2", "1"].iter().find_map(|size| it[*size].as_str().map(str::to_owned))
        };
        let moving = largest(&self.animated);
        let animated = moving.is_some();
        let url = moving.or_else(|| largest(&self.urls))?;
        let id = self.id.to_string();
        named(&self.name, EmoteProvider::Ffz, &id, &url, animated, self.modifier)
    }
}

/// FrankerFaceZ's answer for everybody, or for a channel. `None` when it is neither.
pub(super) fn ffz(answer: &Value) -> Option<List> {
    let sets = answer["sets"].as_object()?;
    let number = |it: &Value| it.as_u64().map(|it| it.to_string());
    let mut wanted = match (answer["default_sets"].as_array(), answer["room"].as_object()) {
        // Only these are for everyone: the others belong to single users.
        (Some(default), _) => default.iter().filter_map(number).collect::<Vec<_>>(),
        (None, Some(room)) => room.get("set").and_then(number).into_iter().collect(),
        (None, None) => return None,
    };
    wanted.retain(|it| sets.contains_key(it));
    let emotes = wanted
        .iter()
        .flat_map(|it| elements::<FfzEmote>(&sets[it]["emoticons"]))
        .filter_map(|it| it.named())
        .collect();
    Some(List { emotes, ..List::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(list: Option<List>) -> Vec<String> {
        list.unwrap().emotes.into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn a_7tv_emote_has_the_name_people_type_and_the_flags_of_its_place() {
        let active = |name: &str, flags: u64, data_flags: u64| {
            json!({"id": "e1", "name": name, "flags": flags, "data": {"name": "Original", "flags": data_flags,
                "animated": true, "host": {"url": "//cdn.7tv.app/emote/e1", "files": [{"name": "3x.webp"}]}}})
        };
        let broken = json!({"id": 5});
        let answer = json!({"id": "conn", "platform": "TWITCH", "user": {"id": "u1"},
            "emote_set": {"id": "s1", "emotes": [active("Renamed", 0, 0), broken, active("Over", 1, 0), active("Over2", 0, 256)]}});
        let list = seventv(&answer).unwrap();
        assert_eq!((list.set_id.as_deref(), list.user_id.as_deref()), (Some("s1"), Some("u1")));
        let widths: Vec<_> =
            list.emotes.iter().map(|it| (it.name.as_str(), it.emote.zero_width)).collect();
        assert_eq!(widths, [("Renamed", false), ("Over", true), ("Over2", true)]);
        let emote = &list.emotes[0].emote;
        assert_eq!(emote.url, "/media/at/cdn.7tv.app/emote%2Fe1%2F3x.webp");
        assert!(emote.animated);
    }

    #[test]
    fn a_channel_without_a_7tv_set_has_no_emotes_and_another_answer_is_none() {
        let none = json!({"id": "c", "platform": "TWITCH", "emote_set_id": null, "emote_set": null, "user": {"id": "u1"}});
        assert_eq!(seventv(&none).unwrap().emotes, []);
        let empty = json!({"id": "s1", "name": "set", "capacity": 5});
        assert_eq!(seventv(&empty).unwrap().set_id.as_deref(), Some("s1"));
        for other in [json!({"error": "unknown user"}), json!([]), json!("x")] {
            assert_eq!(seventv(&other), None, "{other}");
            assert_eq!(ffz(&other), None, "{other}");
        }
        assert_eq!(bttv(&json!({"message": "user not found"})), None);
    }

    #[test]
    fn ffz_gives_everyone_only_its_default_sets_and_skips_effects() {
        let emote = |name: &str| json!({"id": 1, "name": name, "urls": {"1": "//cdn.frankerfacez.com/emote/1/1"}});
        let mut effect = emote("ffzHyper");
        effect["modifier"] = json!(true);
        effect["modifier_flags"] = json!(12289);
        let answer = json!({"default_sets": [3], "sets": {
            "3": {"emoticons": [emote("LULW"), effect]}, "4": {"emoticons": [emote("Secret")]}}});
        assert_eq!(names(ffz(&answer)), ["LULW"]);
        let room = json!({"room": {"set": 4}, "sets": answer["sets"]});
        assert_eq!(names(ffz(&room)), ["Secret"]);
    }

    #[test]
    fn a_channels_own_bttv_emotes_come_behind_the_shared_ones() {
        let emote = |code: &str, kind: &str| json!({"id": "a", "code": code, "imageType": kind});
        let answer = json!({"sharedEmotes": [emote("one", "gif")], "channelEmotes": [emote("(ditto)", "png")]});
        assert_eq!(names(bttv(&answer)), ["one", "(ditto)"]);
        assert!(bttv(&answer).unwrap().emotes[0].emote.animated);
    }

    #[test]
    #[allow(clippy::print_stderr)] // Says that it was skipped.
    fn the_recorded_answers_are_understood() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/emotes");
        let Ok(folders) = std::fs::read_dir(&folder) else {
            eprintln!("skipped: no {}", folder.display());
            return;
        };
        let mut read = 0;
        for file in folders.flatten().filter(|it| it.path().is_dir()) {
            for file in std::fs::read_dir(file.path()).unwrap().flatten() {
                let path = file.path();
                let provider =
                    path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let answer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let (list, expected) = match provider.as_str() {
                    "7tv" => (
                        seventv(&answer),
                        answer["emote_set"]["emotes"]
                            .as_array()
                            .or(answer["emotes"].as_array())
                            .map(Vec::len),
                    ),
                    "bttv" => (
                        bttv(&answer),
                        answer["sharedEmotes"].as_array().map(|it| {
                            it.len() + answer["channelEmotes"].as_array().map_or(0, Vec::len)
                        }),
                    ),
                    "ffz" => (
                        ffz(&answer),
                        answer["room"]["set"].as_u64().and_then(|it| {
                            answer["sets"][it.to_string()]["emoticons"].as_array().map(Vec::len)
                        }),
                    ),
                    _ => continue,
                };
                read += 1;
                if name.starts_with("error") {
                    assert_eq!(list, None, "{name}");
                } else {
                    let expected = expected.unwrap_or_else(|| panic!("{name} has a list"));
                    assert_eq!(list.map(|it| it.emotes.len()), Some(expected), "{name}");
                    assert!(expected > 0, "{name}");
                }
            }
        }
        assert!(read >= 6, "{read}");
    }
}
