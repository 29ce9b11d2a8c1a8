//! The configuration in force: what the files say, rooms of accounts, and what was typed; and the rooms that follow it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{account_rooms, feed_log, typed_channels::TypedChannels};
use crate::{
    accounts::{Accounts, Actor, NewChannel, Origin, RoomChannel},
    boards::Boards,
    chat::Hub,
    config::{Config, channel_flag},
    jobs::Jobs,
    model::{CreatorId, Platform},
    platforms::recording::demo,
    triggers::Triggers,
    web::{
        ApiError,
        api::channels::{Typed, TypedChannel, TypedPart},
        looks::Looks,
    },
};

/// Puts configurations in force, one at a time: what the files say, rooms of accounts, and what was typed.
pub(super) struct Applier {
    pub(super) files: watch::Receiver<Arc<Config>>,
    pub(super) accounts: Accounts,
    pub(super) typed: TypedChannels,
    pub(super) effective: watch::Sender<Arc<Config>>,
    pub(super) hub: Arc<Hub>,
    pub(super) looks: Looks,
    pub(super) boards: Boards,
    pub(super) one_at_a_time: Mutex<()>,
}

impl Applier {
    pub(super) fn apply(&self) {
        let _turn = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let with_rooms =
            account_rooms::merged((**self.files.borrow()).clone(), &self.accounts.book());
        let config = self.typed.merged(with_rooms);
        let before = Arc::clone(&self.effective.borrow());
        follow_rooms(&self.hub, &self.looks, &self.boards, Some(&before), &config);
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
        let is_there = creator.has_channel(platform, name);
        (!is_there && creator.channels.len() >= most)
            .then(|| format!("the tier of this room's owner allows at most {most} channels"))
    }
}

/// Opens a room per creator, closes those that are gone, and passes settings on.
pub(super) fn follow_rooms(
    hub: &Hub,
    looks: &Looks,
    boards: &Boards,
    before: Option<&Config>,
    config: &Config,
) {
    let most = config.system.feed.max_rooms as usize;
    let enabled = config.creators.creators.iter().filter(|it| it.enabled);
    if enabled.clone().count() > most {
        tracing::error!("feed.max_rooms: only the first {most} creators have a room");
    }
    for creator in enabled.take(most) {
        let settings = looks.note(creator);
        let room = hub.find_room(creator.id.as_str()).unwrap_or_else(|| {
            let room = hub.open_room(&creator.id, settings, creator.record);
            boards.greet(&room);
            room
        });
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

/// For whoever types a channel: the operator on the start page, owners for their rooms.
pub(super) fn add_channel(applier: Arc<Applier>) -> crate::web::state::AddChannel {
    Box::new(move |new: NewChannel| {
        let (platform, name) = (new.platform, &new.name);
        let flags = [match &new.room {
            Some(room) => format!("{room}={platform}:{name}"),
            None => format!("{platform}:{name}"),
        }];
        let parsed = channel_flag::parse_all(&flags);
        let channel = parsed.map_err(|it| ApiError::BadRequest(it.join("; ")))?.pop();
        let channel = channel.ok_or_else(|| ApiError::BadRequest("no channel".to_owned()))?;
        let room = channel.room.clone();
        if room.as_str().eq_ignore_ascii_case(demo::ROOM) {
            return Err(ApiError::BadRequest(
                "`demo` is the demo's own room: start with --channel ROOM=twitch:demo".to_owned(),
            ));
        }
        if let Some(fault) = applier.find_channel_fault(&room, platform, &channel.name) {
            return Err(ApiError::Conflict(fault));
        }
        let most = applier.effective.borrow().system.feed.max_rooms as usize;
        if applier.hub.find_room(room.as_str()).is_none() && applier.hub.list_rooms().len() >= most
        {
            let words = format!("this server keeps at most {most} rooms");
            return Err(ApiError::BadRequest(words));
        }
        tokio::task::block_in_place(|| {
            if applier.accounts.book().is_made_room(&room) {
                let new = NewChannel { name: channel.name, ..new };
                return applier.accounts.add_channel(&room, new).map_err(ApiError::Account);
            }
            let noted = RoomChannel { platform: channel.platform, name: channel.name.clone() };
            applier.accounts.note_channel("channel_added", &room, &noted, new.by, &new.origin)?;
            Ok(applier.typed.add(channel)?)
        })?;
        applier.apply();
        Ok(room)
    })
}

/// For whoever takes a room away again that was typed, or that an account made.
pub(super) fn remove_room(
    applier: Arc<Applier>,
    triggers: Triggers,
    jobs: Jobs,
) -> crate::web::state::RemoveRoom {
    Box::new(move |room: &CreatorId, by: Actor, origin: &Origin| {
        let removed = tokio::task::block_in_place(|| {
            // One that the configuration has as well stays, whoever owns it.
            let files = Arc::clone(&applier.files.borrow());
            let configured = files.creators.creators.iter().any(|it| it.id == *room);
            let made = !configured && applier.accounts.remove_room(room, by, origin)?;
            // Both, where a channel was typed before there was such a room of an account.
            Ok::<_, ApiError>(applier.typed.remove(room)? || made)
        })?;
        if removed {
            applier.apply();
        }
        // Unless somebody else has a room of that name, as the configuration may.
        if removed && applier.hub.find_room(room.as_str()).is_none() {
            applier.boards.forget_room(room);
            triggers.forget_room(room);
            jobs.forget_room(room);
        }
        Ok(removed)
    })
}

/// Forgets what rooms had that accounts took with them: at the start, and whenever there is another configuration.
pub(super) async fn forget_retired(
    applier: Arc<Applier>,
    triggers: Triggers,
    jobs: Jobs,
    stop: CancellationToken,
) {
    let mut effective = applier.effective.subscribe();
    loop {
        let config = Arc::clone(&effective.borrow_and_update());
        for room in applier.accounts.book().list_retired_rooms() {
            // Unless somebody has a room of that name, as the configuration may.
            let is_there = config.creators.creators.iter().any(|it| it.id == room);
            if !is_there && applier.hub.find_room(room.as_str()).is_none() {
                applier.boards.forget_room(&room);
                triggers.forget_room(&room);
                jobs.forget_room(&room);
            }
        }
        match stop.run_until_cancelled(effective.changed()).await {
            Some(Ok(())) => {}
            _ => break,
        }
    }
    stop.cancelled().await;
}

/// For whoever takes a single channel out again, and for pages that show which could be.
pub(super) fn typed(applier: Arc<Applier>) -> Typed {
    let of_removing = Arc::clone(&applier);
    Typed {
        find: Box::new(move |room: &CreatorId| {
            let files = applier.files.borrow();
            let creator = files.creators.creators.iter().find(|it| it.id == *room);
            let mut channels = applier.typed.list(room, creator);
            let book = applier.accounts.book();
            let is_made = book.is_made_room(room);
            for it in book.list_channels(room).into_iter().filter(|_| is_made) {
                let listed = channels.iter().any(|other| it.is(other.platform, &other.channel));
                let known = creator.is_some_and(|other| other.has_channel(it.platform, &it.name));
                if !listed && !known {
                    channels.push(TypedChannel { platform: it.platform, channel: it.name });
                }
            }
            let room = creator.is_none() && !is_made && !channels.is_empty();
            TypedPart { room, channels }
        }),
        remove: Box::new(
            move |room: &CreatorId, platform: Platform, name: &str, by: Actor, origin: &Origin| {
                let it = &of_removing;
                let removed = tokio::task::block_in_place(|| {
                    let made =
                        it.accounts.remove_channel(room, platform, name, by.clone(), origin)?;
                    let typed = it.typed.remove_channel(room, platform, name)?;
                    if typed && !made {
                        let channel = RoomChannel { platform, name: name.to_owned() };
                        let action = "channel_removed";
                        it.accounts.note_channel(action, room, &channel, by, origin)?;
                    }
                    Ok::<_, ApiError>(typed || made)
                })?;
                if removed {
                    it.apply();
                }
                Ok(removed)
            },
        ),
    }
}
