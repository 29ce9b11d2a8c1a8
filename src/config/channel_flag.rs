//! `--channel PLATFORM:NAME` and `--channel ROOM=PLATFORM:NAME`.

use crate::model::{CreatorId, Platform};

use super::channel_name;

/// A channel given on the command line, and the room that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagChannel {
    /// The room, named or derived.
    pub room: CreatorId,
    /// Where the channel is.
    pub platform: Platform,
    /// The channel's name in its one spelling.
    pub name: String,
}

/// Reads every `--channel`, in the order given.
///
/// Those without a room of their own share the room of the first; if that has none either, it is
/// named after the channel.
///
/// # Errors
/// One sentence for each flag that cannot be understood or read.
pub fn parse_all<T: AsRef<str>>(flags: &[T]) -> Result<Vec<FlagChannel>, Vec<String>> {
    let mut channels = Vec::new();
    let mut errors = Vec::new();
    let mut shared_room = None;
    for flag in flags {
        match parse(flag.as_ref(), shared_room.as_ref()) {
            Ok(channel) => {
                shared_room.get_or_insert_with(|| channel.room.clone());
                channels.push(channel);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(channels) } else { Err(errors) }
}

fn parse(flag: &str, shared: Option<&CreatorId>) -> Result<FlagChannel, String> {
    let example = "write `twitch:NAME` or `ROOM=twitch:NAME`";
    let flag = flag.trim();
    if let Some(platform) = channel_name::platform_of(flag) {
        return read(None, platform, flag, flag, shared);
    }
    let (head, name) =
        flag.split_once(':').ok_or_else(|| format!("`{flag}` names no platform: {example}"))?;
    // Only what stands before the colon: an address after it may hold a `=` of its own.
    let (room, platform) = match head.split_once('=') {
        Some((room, platform)) => {
            let room = room.trim().parse::<CreatorId>().map_err(|error| error.to_string())?;
            (Some(room), platform)
        }
        None => (None, head),
    };
    // `ROOM=https://…`
    if let Some((_, address)) = flag.split_once('=')
        && let Some(found) = channel_name::platform_of(address)
    {
        return read(room, found, address, flag, shared);
    }
    let platform = platform.trim().parse::<Platform>().map_err(|error| error.to_string())?;
    read(room, platform, name, flag, shared)
}

fn read(
    room: Option<CreatorId>,
    platform: Platform,
    name: &str,
    flag: &str,
    shared: Option<&CreatorId>,
) -> Result<FlagChannel, String> {
    let bare = channel_name::find_name(platform, name).map_err(|error| error.to_string())?;
    let room = match (room, shared) {
        (Some(room), _) => room,
        (None, Some(shared)) => shared.clone(),
        (None, None) => room_named_after(bare)
            .ok_or_else(|| format!("no room can be named after `{bare}`: write `ROOM={flag}`"))?,
    };
    let name = channel_name::normalize(platform, name).map_err(|error| error.to_string())?;
    Ok(FlagChannel { room, platform, name })
}

/// `name` without what an id cannot hold; `None` if nothing is left.
fn room_named_after(name: &str) -> Option<CreatorId> {
    let good = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    let kept: String = name
        .chars()
        .filter(good)
        .skip_while(|it| !it.is_ascii_alphanumeric())
        .take(CreatorId::MAX_BYTES)
        .collect();
    kept.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(flags: &[&str]) -> Vec<(String, String)> {
        let channels = parse_all(flags).unwrap();
        channels.into_iter().map(|it| (it.room.as_str().to_owned(), it.name)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(room, name)| ((*room).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn a_channel_names_its_room_and_keeps_the_case_there() {
        assert_eq!(parsed(&["twitch:NeonLynx"]), pairs(&[("NeonLynx", "neonlynx")]));
        assert_eq!(
            parsed(&["Twitch:https://www.twitch.tv/NeonLynx?a=b"]),
            pairs(&[("NeonLynx", "neonlynx")])
        );
    }

    #[test]
    fn an_address_needs_no_platform_before_it() {
        assert_eq!(
            parsed(&[
                "https://kick.com/Neon",
                "den=https://www.youtube.com/@lynx?a=b",
                "rumble.com/c/Lynx"
            ]),
            pairs(&[("Neon", "neon"), ("den", "@lynx"), ("Neon", "c/Lynx")])
        );
    }

    #[test]
    fn channels_without_a_room_go_to_the_room_of_the_first() {
        assert_eq!(parsed(&["twitch:a1", "twitch:b1"]), pairs(&[("a1", "a1"), ("a1", "b1")]));
        assert_eq!(
            parsed(&["den=twitch:a1", "twitch:b1", "x=twitch:c1", "twitch:#D1"]),
            pairs(&[("den", "a1"), ("den", "b1"), ("x", "c1"), ("den", "d1")])
        );
    }

    #[test]
    fn a_room_is_named_after_a_channel_without_what_an_id_cannot_hold() {
        let named = |name: &str| room_named_after(name).map(String::from);
        assert_eq!(named("@b").as_deref(), Some("b"));
        assert_eq!(named("__a.b c").as_deref(), Some("abc"));
        assert_eq!(named(&"a".repeat(40)).as_deref(), Some("a".repeat(32).as_str()));
        assert_eq!(named("@__-"), None);
        assert_eq!(
            parsed(&["youtube:@Lynx.TV", "kick:Lynx", "rumble:https://rumble.com/c/Lynx"]),
            pairs(&[("LynxTV", "@lynx.tv"), ("LynxTV", "lynx"), ("LynxTV", "c/Lynx")])
        );
        assert_eq!(parsed(&["twitch:_lynx_"]), pairs(&[("lynx_", "_lynx_")]));
        let errors = parse_all(&["twitch:___"]).unwrap_err();
        assert_eq!(errors, ["no room can be named after `___`: write `ROOM=twitch:___`"]);
    }

    #[test]
    fn every_flag_that_cannot_be_understood_is_told() {
        let flags = ["lynx", "twich:a", "discord:b", "a b=twitch:c", "twitch:d e", "twitch:f"];
        let errors = parse_all(&flags).unwrap_err();
        let starts = [
            "`lynx` names no platform",
            "`twich` is not a platform",
            "discord cannot be read; twitch",
            "`a b` is not a creator id",
            "`d e` is not a Twitch channel",
        ];
        assert_eq!(errors.len(), starts.len(), "{errors:?}");
        for (error, start) in errors.iter().zip(starts) {
            assert!(error.starts_with(start), "{error}");
        }
    }
}
