//! Rooms of accounts: made by their owners, or given to them by the configuration.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{
    Account, AccountError, AccountId, Accounts, Actor, AuditEntry, Book, Change, Origin, Record,
    moderator::forget_room,
};
use crate::{
    config::{Config, CreatorsConfig, channel_name},
    model::{CreatorId, Platform, Timestamp},
};

/// A channel that flows into a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomChannel {
    /// Where it is.
    pub platform: Platform,
    /// Its name in its one spelling.
    pub name: String,
}

impl RoomChannel {
    /// Whether it is that one, in whatever spelling.
    #[must_use]
    pub fn is(&self, platform: Platform, name: &str) -> bool {
        self.platform == platform && channel_name::is_same(platform, &self.name, name)
    }
}

/// The channels of a room that an account made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoomChannels {
    /// The room.
    pub room: CreatorId,
    /// In the order they were added.
    pub channels: Vec<RoomChannel>,
}

impl Record for RoomChannels {
    const KIND: &'static str = "room_channels";

    fn key(&self) -> String {
        row_of(&self.room)
    }
}

/// A room that its owner gave up, or that went with its account. Nobody else takes its name: links to it, and what was
/// recorded in it, are still about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RetiredRoom {
    room: CreatorId,
    account: AccountId,
    at: Timestamp,
}

impl Record for RetiredRoom {
    const KIND: &'static str = "retired_room";

    fn key(&self) -> String {
        row_of(&self.room)
    }
}

fn row_of(room: &CreatorId) -> String {
    room.as_str().to_ascii_lowercase()
}

/// A channel to be added to a room, and by whom.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// The room, where one is named.
    pub room: Option<CreatorId>,
    /// Where it is.
    pub platform: Platform,
    /// Its name, in any spelling.
    pub name: String,
    /// By whom.
    pub by: Actor,
    /// From where.
    pub origin: Origin,
}

impl Book {
    /// The channels of a room that an account made.
    #[must_use]
    pub fn list_channels(&self, room: &CreatorId) -> Vec<RoomChannel> {
        let row: Option<RoomChannels> = self.find(&row_of(room));
        row.map(|it| it.channels).unwrap_or_default()
    }

    /// Whether the account had this room before, and gave it up.
    #[must_use]
    pub fn was_room_of(&self, room: &CreatorId, account: AccountId) -> bool {
        self.find::<RetiredRoom>(&row_of(room)).is_some_and(|it| it.account == account)
    }

    /// Rooms that accounts gave up, or took with them.
    #[must_use]
    pub fn list_retired_rooms(&self) -> Vec<CreatorId> {
        self.list::<RetiredRoom>("").into_iter().map(|it| it.room).collect()
    }

    /// Whether an account made this room.
    #[must_use]
    pub fn is_made_room(&self, room: &CreatorId) -> bool {
        self.find_by_room(room).is_some_and(|it| it.rooms.contains(room))
    }
}

impl Change {
    fn put_channels(&mut self, room: &CreatorId, channels: Vec<RoomChannel>) {
        if channels.is_empty() {
            self.remove::<RoomChannels>(&row_of(room));
        } else {
            self.put(&RoomChannels { room: room.clone(), channels });
        }
        self.note_rooms();
    }

    /// Takes a room's channels and moderators away, and its name out of use.
    pub(super) fn retire_room(&mut self, room: &CreatorId, account: AccountId) {
        forget_room(self, room);
        self.put_channels(room, Vec::new());
        let at = self.at();
        self.put(&RetiredRoom { room: room.clone(), account, at });
    }
}

impl Accounts {
    /// Puts a channel into a room that an account made; one that is there already stays. Blocking.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when no account made the room, [`AccountError::Refused`] when it is full.
    pub fn add_channel(&self, room: &CreatorId, new: NewChannel) -> Result<(), AccountError> {
        self.change_now(|change| {
            let owner = change.find_by_room(room).filter(|it| it.rooms.contains(room)).cloned();
            let owner = owner.ok_or(AccountError::Unknown("room"))?;
            let mut channels = change.list_channels(room);
            if channels.iter().any(|it| it.is(new.platform, &new.name)) {
                return Ok(());
            }
            if channels.len() >= change.terms_of(&owner).features.channels as usize {
                return Err(AccountError::Refused("this room has as many channels as it may"));
            }
            channels.push(RoomChannel { platform: new.platform, name: new.name.clone() });
            change.put_channels(room, channels);
            let entry = AuditEntry::new(change.at(), new.by, "channel_added");
            let entry = entry.to(&owner).from(&new.origin).with("room", room.as_str());
            change.audit(entry.with("channel", format!("{}:{}", new.platform, new.name)));
            Ok(())
        })
    }

    /// Takes a channel out of a room that an account made; `false` when it is not there. Blocking.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove_channel(
        &self,
        room: &CreatorId,
        platform: Platform,
        name: &str,
        by: Actor,
        origin: &Origin,
    ) -> Result<bool, AccountError> {
        if !self.book().list_channels(room).iter().any(|it| it.is(platform, name)) {
            return Ok(false);
        }
        self.change_now(|change| {
            let mut channels = change.list_channels(room);
            channels.retain(|it| !it.is(platform, name));
            change.put_channels(room, channels);
            let entry = AuditEntry::new(change.at(), by, "channel_removed").from(origin);
            let entry = entry.with("room", room.as_str());
            change.audit(entry.with("channel", format!("{platform}:{name}")));
            Ok(true)
        })
    }

    /// Takes a room away that an account made; `false` when none did. Blocking.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove_room(
        &self,
        room: &CreatorId,
        by: Actor,
        origin: &Origin,
    ) -> Result<bool, AccountError> {
        if !self.book().is_made_room(room) {
            return Ok(false);
        }
        self.change_now(|change| {
            let Some(owner) = change.find_by_room(room).filter(|it| it.rooms.contains(room)) else {
                return Ok(false);
            };
            let mut owner = (**owner).clone();
            owner.rooms.retain(|it| it != room);
            change.retire_room(room, owner.id);
            let owner = change.put_account(owner)?;
            change.cut_off(owner.id);
            let entry = AuditEntry::new(change.at(), by, "room_removed").to(&owner).from(origin);
            change.audit(entry.with("room", room.as_str()));
            Ok(true)
        })
    }

    /// Notes that a channel was added to a room, or removed, that is not kept here. Blocking.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note_channel(
        &self,
        action: &str,
        room: &CreatorId,
        channel: &RoomChannel,
        by: Actor,
        origin: &Origin,
    ) -> Result<(), AccountError> {
        self.change_now(|change| {
            let entry = AuditEntry::new(change.at(), by, action).from(origin);
            let entry = entry.with("room", room.as_str());
            change.audit(entry.with("channel", format!("{}:{}", channel.platform, channel.name)));
            Ok(())
        })
    }

    /// Gives rooms to those whom the configuration names, and takes them from whom it no longer does.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn give_rooms(&self) -> Result<(), AccountError> {
        let config = self.config();
        self.change(move |change| give_rooms(change, &config.creators)).await
    }

    /// The same. Blocking.
    ///
    /// # Errors
    /// As [`Accounts::give_rooms`].
    pub fn give_rooms_now(&self) -> Result<(), AccountError> {
        let config = self.config();
        self.change_now(|change| give_rooms(change, &config.creators))
    }
}

/// Brings `given` of all accounts to what `owner` in `creators.json` says: it counts for whoever has the address
/// verified, and the operator's word counts before that of whoever made a room of the name.
pub(super) fn give_rooms(
    change: &mut Change,
    creators: &CreatorsConfig,
) -> Result<(), AccountError> {
    let mut due: HashMap<CreatorId, AccountId> = HashMap::new();
    let mut said: Vec<&CreatorId> = Vec::new();
    for creator in &creators.creators {
        let Some(email) = &creator.owner else { continue };
        said.push(&creator.id);
        if let Some(owner) = change.find_by_email(email).filter(|it| it.email_verified) {
            due.insert(creator.id.clone(), owner.id);
        }
    }
    // First taken, then given: a room has one owner at a time.
    let is_wrong = |account: &Account| {
        account.given.iter().any(|it| due.get(it) != Some(&account.id))
            || account.rooms.iter().any(|it| said.contains(&it))
    };
    let wrong: BTreeMap<AccountId, Account> =
        change.owners().filter(|it| is_wrong(it)).map(|it| (it.id, (**it).clone())).collect();
    for (id, mut account) in wrong {
        for room in account.given.extract_if(.., |it| due.get(it) != Some(&id)) {
            forget_room(change, &room);
        }
        for room in account.rooms.extract_if(.., |it| said.contains(&&*it)) {
            change.put_channels(&room, Vec::new());
            forget_room(change, &room);
        }
        put_noted(change, account, "room_taken")?;
    }
    for (room, id) in due {
        let mut account = change.find_account(id)?;
        if !account.given.contains(&room) {
            account.given.push(room);
            put_noted(change, account, "room_given")?;
        }
    }
    Ok(())
}

fn put_noted(change: &mut Change, account: Account, action: &str) -> Result<(), AccountError> {
    let account = change.put_account(account)?;
    change.cut_off(account.id);
    let rooms: Vec<_> = account.list_rooms().map(ToString::to_string).collect();
    let entry = AuditEntry::new(change.at(), Actor::System, action).to(&account);
    change.audit(entry.with("rooms", rooms));
    Ok(())
}

/// Makes a room the account's own; `false` when it is already.
///
/// # Errors
/// [`AccountError::Taken`] when there is such a room, or was one of an account that is gone.
pub(super) fn claim_room(
    change: &Change,
    account: &mut Account,
    room: &CreatorId,
    config: &Config,
) -> Result<bool, AccountError> {
    if account.owns(room) {
        return Ok(false);
    }
    let creators = &config.creators.creators;
    let retired: Option<RetiredRoom> = change.find(&row_of(room));
    let is_taken = creators.iter().any(|it| it.id == *room)
        || change.find_by_room(room).is_some()
        || retired.is_some_and(|it| it.account != account.id);
    if is_taken {
        return Err(AccountError::Taken("a room of that name"));
    }
    if account.rooms.len() >= change.terms_of(account).features.rooms as usize {
        return Err(AccountError::Refused("this account has as many rooms as it may"));
    }
    check_room_left(change, std::slice::from_ref(room), config)?;
    account.rooms.push(room.clone());
    Ok(true)
}

/// Refuses rooms that an admin gives which are not theirs to give: those of which the configuration says whose they
/// are, and more than the server may have. A room of the configuration that is nobody's, or one that another account
/// gave up, is an admin's to give.
pub(super) fn check_given(
    change: &Change,
    rooms: &[CreatorId],
    config: &Config,
) -> Result<(), AccountError> {
    let creators = &config.creators.creators;
    if creators.iter().any(|it| it.owner.is_some() && rooms.contains(&it.id)) {
        return Err(AccountError::Refused("creators.json says whose room that is"));
    }
    check_room_left(change, rooms, config)
}

fn check_room_left(
    change: &Change,
    more: &[CreatorId],
    config: &Config,
) -> Result<(), AccountError> {
    let creators = &config.creators.creators;
    // Those that accounts made this very moment may not be in force yet.
    let others = creators.iter().filter(|it| change.find_by_room(&it.id).is_none()).count();
    let is_there = |it: &&CreatorId| {
        change.find_by_room(it).is_some() || creators.iter().any(|o| o.id == **it)
    };
    let fresh = more.iter().filter(|it| !is_there(it)).count();
    if fresh > 0 && others + change.count_rooms() + fresh > config.system.feed.max_rooms as usize {
        return Err(AccountError::Refused("this server has as many rooms as it may"));
    }
    Ok(())
}
