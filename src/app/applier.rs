//! The configuration in force: what the files say and what the operator typed, and the rooms that follow it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{feed_log, typed_channels::TypedChannels};
use crate::{
    accounts::Accounts,
    chat::Hub,
    config::{Config, channel_flag, channel_name},
    model::{CreatorId, Platform},
    platforms::recording::demo,
    web::{
        api::channels::{Typed, TypedPart},
        looks::Looks,
    },
};

/// Puts configurations in force, one at a time: what the files say, and what the operator typed.
pub(super) struct Applier {
    pub(super) files: watch::Receiver<Arc<Config>>,
    pub(super) typed: TypedChannels,
    pub(super) effective: watch::Sender<Arc<Config>>,
    pub(super) hub: Arc<Hub>,
    pub(super) looks: Looks,
    pub(super) accounts: Accounts,
    pub(super) one_at_a_time: Mutex<()>,
}

impl Applier {
    pub(super) fn apply(&self) {
        let _turn = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let config = self.typed.merged(&self.files.borrow());
        let before = Arc::clone(&self.effective.borrow());
        follow_rooms(&self.hub, &self.looks, Some(&before), &config);
        self.hub.log().set_policies(feed_log::policies(&config, &self.accounts.book()));
        self.effective.send_replace(Arc::new(config));
    }
}

impl Applier {
    /// Puts in force what the tiers now allow.
    pub(super) fn apply_tiers(&self) {
        self.accounts.renew_tiers();
        let _turn = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let config = Arc::clone(&self.effective.borrow());
        self.hub.log().set_policies(feed_log::policies(&config, &self.accounts.book()));
    }

    /// Why a room takes no further channel, where its owner's tier allows no more.
    fn find_channel_fault(
        &self,
        room: &CreatorId,
        platform: Platform,
        name: &str,
    ) -> Option<String> {
        let book = self.accounts.book();
        let most = book.terms_of_room(room)?.features.channels as usize;
        let config = self.effective.borrow();
        let creator = config.creators.creators.iter().find(|it| it.id == *room)?;
        let is_there = creator
            .channels
            .iter()
            .any(|it| it.platform == platform && channel_name::is_same(platform, &it.name, name));
        (!is_there && creator.channels.len() >= most)
            .then(|| format!("the tier of this room's owner allows at most {most} channels"))
    }
}

/// Opens a room per creator, closes those that are gone, and passes settings on.
pub(super) fn follow_rooms(hub: &Hub, looks: &Looks, before: Option<&Config>, config: &Config) {
    let most = config.system.feed.max_rooms as usize;
    let enabled = config.creators.creators.iter().filter(|it| it.enabled);
    if enabled.clone().count() > most {
        tracing::error!("feed.max_rooms: only the first {most} creators have a room");
    }
    for creator in enabled.take(most) {
        let room = hub.open_room(&creator.id, looks.note(creator), creator.record);
        // Before anything more is said in it.
        if hub.log().is_kept() && room.log().is_kept() != creator.record {
            hub.reopen_room(&creator.id, creator.record);
        }
        looks.apply(&creator.id);
    }
    for gone in before.iter().flat_map(|it| &it.creators.creators) {
        if !config.creators.creators.iter().any(|it| it.enabled && it.id == gone.id) {
            hub.close_room(&gone.id);
            continue;
        }
        let now = config.creators.creators.iter().find(|it| it.id == gone.id);
        let room = hub.find_room(gone.id.as_str());
        for channel in &gone.channels {
            let kept = now.is_some_and(|it| {
                it.channels
                    .iter()
                    .any(|it| it.platform == channel.platform && it.name == channel.name)
            });
            if let Some(room) = room.as_ref().filter(|_| !kept) {
                room.forget_status(channel.platform, &channel.name);
            }
        }
    }
}

/// For the operator who types a channel on the start page.
pub(super) fn add_channel(applier: Arc<Applier>) -> crate::web::state::AddChannel {
    Box::new(move |room: Option<&CreatorId>, platform: Platform, name: &str| {
        let flags = [match room {
            Some(room) => format!("{room}={platform}:{name}"),
            None => format!("{platform}:{name}"),
        }];
        let mut channels = channel_flag::parse_all(&flags).map_err(|it| it.join("; "))?;
        let channel = channels.pop().ok_or("no channel")?;
        let room = channel.room.clone();
        if room.as_str().eq_ignore_ascii_case(demo::ROOM) {
            return Err(
                "`demo` is the demo's own room: start with --channel ROOM=twitch:demo".to_owned()
            );
        }
        if let Some(fault) = applier.find_channel_fault(&room, platform, &channel.name) {
            return Err(fault);
        }
        let most = applier.effective.borrow().system.feed.max_rooms as usize;
        if applier.hub.find_room(room.as_str()).is_none() && applier.hub.list_rooms().len() >= most
        {
            return Err(format!("this server keeps at most {most} rooms"));
        }
        tokio::task::block_in_place(|| applier.typed.add(channel))
            .map_err(|it| format!("the channel cannot be kept: {it}"))?;
        applier.apply();
        Ok(room)
    })
}

/// For the operator who takes a typed room away again.
pub(super) fn remove_room(applier: Arc<Applier>) -> crate::web::state::RemoveRoom {
    Box::new(move |room: &CreatorId| {
        let removed = tokio::task::block_in_place(|| applier.typed.remove(room))?;
        if removed {
            applier.apply();
        }
        Ok(removed)
    })
}

/// For the operator who takes a single channel out again, and for pages that show which could be.
pub(super) fn typed(applier: Arc<Applier>) -> Typed {
    let of_removing = Arc::clone(&applier);
    Typed {
        find: Box::new(move |room: &CreatorId| {
            let files = applier.files.borrow();
            let creator = files.creators.creators.iter().find(|it| it.id == *room);
            let channels = applier.typed.list(room, creator);
            TypedPart { room: creator.is_none() && !channels.is_empty(), channels }
        }),
        remove: Box::new(move |room: &CreatorId, platform: Platform, name: &str| {
            let removed = tokio::task::block_in_place(|| {
                of_removing.typed.remove_channel(room, platform, name)
            })?;
            if removed {
                of_removing.apply();
            }
            Ok(removed)
        }),
    }
}
