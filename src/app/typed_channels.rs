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
    model::{CreatorId, OverlaySettings},
};

/// Channels that the operator typed: kept in `<data>/channels.json`, so that an overlay that was pasted
/// into OBS works after a restart.
pub(super) struct TypedChannels {
    path: PathBuf,
    channels: Mutex<Vec<channel_flag::FlagChannel>>,
}

impl TypedChannels {
    pub(super) fn open(data: &Path) -> Result<Self, StartError> {
        let path = data.join("channels.json");
        let problem = |reason| StartError::Stored { path: path.clone(), reason };
        let flags: Vec<String> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|it| problem(it.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(problem(error.to_string())),
        };
        let channels = channel_flag::parse_all(&flags).map_err(|it| problem(it.join("; ")))?;
        Ok(Self { path, channels: Mutex::new(channels) })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// `config` with these channels; a creator that only they make is read all the time.
    pub(super) fn merged(&self, config: &Config) -> Config {
        let mut config = config.clone();
        let creators = &mut config.creators.creators;
        for typed in self.channels.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let channel = ChannelConfig::named(typed.platform, typed.name.clone());
            match creators.iter_mut().find(|it| it.id == typed.room) {
                Some(creator) => {
                    let known = |it: &ChannelConfig| {
                        it.platform == channel.platform
                            && channel_name::is_same(it.platform, &it.name, &channel.name)
                    };
                    if !creator.channels.iter().any(known) {
                        creator.channels.push(channel);
                    }
                }
                None => creators.push(CreatorConfig {
                    id: typed.room.clone(),
                    display_name: None,
                    enabled: true,
                    always_on: true,
                    env_suffix: None,
                    channels: vec![channel],
                    record: true,
                    retention_days: None,
                    retention_bytes: None,
                    overlay: OverlaySettings::default(),
                    overlay_keys: Default::default(),
                }),
            }
        }
        config
    }

    /// Keeps one more. Blocking, for a moment: a small file, written when an operator types.
    pub(super) fn add(&self, channel: channel_flag::FlagChannel) -> io::Result<()> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if channels.contains(&channel) {
            return Ok(());
        }
        channels.push(channel);
        self.keep(&channels)
    }

    /// Forgets those of a room; `false` when there are none. Blocking, as above.
    pub(super) fn remove(&self, room: &CreatorId) -> io::Result<bool> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let before = channels.len();
        channels.retain(|it| it.room != *room);
        let removed = channels.len() < before;
        if removed {
            self.keep(&channels)?;
        }
        Ok(removed)
    }

    fn keep(&self, channels: &[channel_flag::FlagChannel]) -> io::Result<()> {
        let flags: Vec<String> =
            channels.iter().map(|it| format!("{}={}:{}", it.room, it.platform, it.name)).collect();
        let text = serde_json::to_vec_pretty(&flags)?;
        crate::exports::replace_file(&self.path, &text)
    }
}
