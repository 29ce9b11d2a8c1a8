//! Channels that the operator typed on the start page.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::StartError;
use crate::{
    config::{
        Config, channel_flag, channel_name,
        creators::{ChannelConfig, CreatorConfig},
    },
    model::{CreatorId, Platform},
    web::api::channels::TypedChannel,
};

/// The file in the data folder.
pub(super) const FILE: &str = "channels.json";

/// Channels that the operator typed: kept in `<data>/channels.json`, so that an overlay that was pasted
/// into OBS works after a restart.
pub(super) struct TypedChannels {
    path: PathBuf,
    channels: Mutex<Vec<channel_flag::FlagChannel>>,
}

impl TypedChannels {
    pub(super) fn open(data: &Path) -> Result<Self, StartError> {
        let path = data.join(FILE);
        let problem = |reason| StartError::Stored { path: path.clone(), reason };
        let channels = match fs::read_to_string(&path) {
            Ok(text) => parse(&text).map_err(problem)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(problem(error.to_string())),
        };
        Ok(Self { path, channels: Mutex::new(channels) })
    }

    /// What stands in the file, or would.
    pub(super) fn text(&self) -> String {
        written(&self.channels.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps those of another such file in the place of these. Blocking, as below.
    pub(super) fn replace(&self, text: &str) -> io::Result<()> {
        let others = match parse(text) {
            Ok(it) => it,
            // Of a version that knew other channels: no reason to do without the rest of a copy.
            Err(reason) => {
                tracing::error!(reason, "the typed channels of the copy cannot be read");
                return Ok(());
            }
        };
        self.change(|channels| *channels = others)?;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// `config` with these channels; a creator that only they make is read all the time.
    pub(super) fn merged(&self, mut config: Config) -> Config {
        let creators = &mut config.creators.creators;
        for typed in self.channels.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let channel = ChannelConfig::named(typed.platform, typed.name.clone());
            match creators.iter_mut().find(|it| it.id == typed.room) {
                Some(creator) => {
                    if !creator.has_channel(channel.platform, &channel.name) {
                        creator.channels.push(channel);
                    }
                }
                None => creators.push(CreatorConfig {
                    always_on: true,
                    channels: vec![channel],
                    ..CreatorConfig::named(typed.room.clone())
                }),
            }
        }
        config
    }

    /// Those of a room that its creator does not have anyway.
    pub(super) fn list(
        &self,
        room: &CreatorId,
        creator: Option<&CreatorConfig>,
    ) -> Vec<TypedChannel> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |it: &channel_flag::FlagChannel| {
            creator.is_some_and(|creator| creator.has_channel(it.platform, &it.name))
        };
        channels
            .iter()
            .filter(|it| it.room == *room && !is_known(it))
            .map(|it| TypedChannel { platform: it.platform, channel: it.name.clone() })
            .collect()
    }

    /// Keeps one more. Blocking, for a moment: a small file, written when an operator types.
    pub(super) fn add(&self, channel: channel_flag::FlagChannel) -> io::Result<()> {
        self.change(|channels| {
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        })?;
        Ok(())
    }

    /// Forgets those of a room; `false` when there are none. Blocking, as above.
    pub(super) fn remove(&self, room: &CreatorId) -> io::Result<bool> {
        self.change(|channels| channels.retain(|it| it.room != *room))
    }

    /// Forgets one of a room; `false` when it was not typed. Blocking, as above.
    pub(super) fn remove_channel(
        &self,
        room: &CreatorId,
        platform: Platform,
        name: &str,
    ) -> io::Result<bool> {
        self.change(|channels| {
            channels.retain(|it| {
                it.room != *room
                    || it.platform != platform
                    || !channel_name::is_same(platform, &it.name, name)
            });
        })
    }

    /// Changes them on the disk first; whether anything is different now.
    fn change(&self, change: impl FnOnce(&mut Vec<channel_flag::FlagChannel>)) -> io::Result<bool> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = channels.clone();
        change(&mut next);
        if next == *channels {
            return Ok(false);
        }
        self.keep(&next)?;
        *channels = next;
        Ok(true)
    }

    fn keep(&self, channels: &[channel_flag::FlagChannel]) -> io::Result<()> {
        crate::exports::replace_file(&self.path, written(channels).as_bytes())
    }
}

fn parse(text: &str) -> Result<Vec<channel_flag::FlagChannel>, String> {
    let flags: Vec<String> = serde_json::from_str(text).map_err(|it| it.to_string())?;
    channel_flag::parse_all(&flags).map_err(|it| it.join("; "))
}

fn written(channels: &[channel_flag::FlagChannel]) -> String {
    let flags: Vec<String> =
        channels.iter().map(|it| format!("{}={}:{}", it.room, it.platform, it.name)).collect();
    serde_json::to_string_pretty(&flags).expect("a list of texts always serialises")
}
