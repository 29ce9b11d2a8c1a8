//! Who moderates which room, with which rights, and who was asked to.

use std::{collections::BTreeSet, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Account, AccountError, AccountId, Accounts, Actor, AuditEntry, Book, Change, Email, Letter,
    Origin, Purpose, PurposeKind, Record, Surface, Ticket, UserCode,
};
use crate::model::{CreatorId, Timestamp};

/// Most moderators of a room, those who were asked included.
pub const MOST_MODERATORS: usize = 50;
/// How long an invitation waits (days).
const INVITATION_DAYS: u32 = 7;

/// Something that a moderator may do in a room.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Mark messages for discussion, and order them.
    Queue,
    /// Put a message on the stage.
    Feature,
    /// Take a message away, and a viewer off the overlays.
    Hide,
    /// Silence a viewer for a while.
    Timeout,
    /// Ban a viewer, and let them in again.
    Ban,
    /// Say something in the creator's chats.
    Send,
    /// Begin and end polls.
    Polls,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Queue, Self::Feature, Self::Hide, Self::Timeout, Self::Ban, Self::Send, Self::Polls];

    /// The word in bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Feature => "feature",
            Self::Hide => "hide",
            Self::Timeout => "timeout",
            Self::Ban => "ban",
            Self::Send => "send",
            Self::Polls => "polls",
        }
    }
}

/// What somebody may do in a room.
pub type Rights = BTreeSet<Right>;

/// Rights that often go together, by name.
pub const PRESETS: [(&str, &[Right]); 3] = [
    ("helper", &[Right::Queue]),
    ("moderator", &[Right::Queue, Right::Hide, Right::Timeout, Right::Ban, Right::Polls]),
    ("producer", &Right::ALL),
];

/// An account that moderates a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moderator {
    /// The room.
    pub room: CreatorId,
    /// Who.
    pub account: AccountId,
    /// What they may do.
    pub rights: Rights,
    /// Since when.
    pub since: Timestamp,
}

fn rows_of(room: &CreatorId) -> String {
    format!("{}/", room.as_str().to_ascii_lowercase())
}

fn row_of(room: &CreatorId, account: AccountId) -> String {
    format!("{}{account}", rows_of(room))
}

impl Record for Moderator {
    const KIND: &'static str = "moderator";

    fn key(&self) -> String {
        row_of(&self.room, self.account)
    }
}

impl Moderator {
    /// The account that the key of a row in the file names; `None` where the row is of another kind.
    pub(super) fn account_of(key: &str) -> Option<AccountId> {
        let (kind, key) = key.split_once('/')?;
        let (_, account) = key.rsplit_once('/').filter(|_| kind == Self::KIND)?;
        AccountId::parse(account)
    }

    /// The row of a copy with no right that the row here has not; the row here, where that cannot be read.
    pub(super) fn narrowed(here: &[u8], copy: &[u8]) -> Vec<u8> {
        let read = |row: &[u8]| serde_json::from_slice::<Self>(row).ok();
        match (read(here), read(copy)) {
            (Some(here), Some(mut copy)) => {
                copy.rights.retain(|it| here.rights.contains(it));
                serde_json::to_vec(&copy).expect("plain values always serialise")
            }
            (Some(_), None) => copy.to_vec(),
            (None, _) => here.to_vec(),
        }
    }
}

/// What an invitation holds, in its ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id in lists.
    pub id: Uuid,
    /// The room.
    pub room: CreatorId,
    /// Where it was sent.
    pub to: Email,
    /// What its holder will be able to do.
    pub rights: Rights,
    /// Whoever asks, as others call them.
    pub from: String,
}

impl Invitation {
    fn of(ticket: &Ticket) -> Option<Self> {
        match &ticket.purpose {
            Purpose::Moderate(it) => serde_json::from_value(it.clone()).ok(),
            _ => None,
        }
    }
}

/// Whom somebody wants as a moderator.
#[derive(Debug, Clone)]
pub enum Invitee {
    /// Whoever reads this address: asked by mail.
    Email(Email),
    /// The account of this code, which its owner gave away for that: a moderator at once.
    Code(UserCode),
}

/// What came of asking.
#[derive(Debug)]
pub enum Invited {
    /// They moderate now.
    Moderates(Moderator),
    /// They were asked.
    Asked(Invitation, Timestamp),
}

impl Book {
    /// Whoever moderates a room, of those who may use their accounts, by account.
    #[must_use]
    pub fn list_moderators(&self, room: &CreatorId) -> Vec<(Moderator, Arc<Account>)> {
        let rows = self.list::<Moderator>(&rows_of(room));
        rows.into_iter()
            .filter_map(|it| Some((self.account(it.account)?.clone(), it)))
            .map(|(account, it)| (it, account))
            .collect()
    }

    /// What an account may do in a room that is somebody else's; nothing while it is suspended.
    #[must_use]
    pub fn rights_in(&self, room: &CreatorId, account: AccountId) -> Rights {
        let is_active = self.account(account).is_some_and(|it| it.is_active());
        let found = is_active.then(|| self.find::<Moderator>(&row_of(room, account))).flatten();
        found.map(|it| it.rights).unwrap_or_default()
    }

    /// The rooms that an account moderates, by name.
    #[must_use]
    pub fn list_moderated(&self, account: AccountId) -> Vec<Moderator> {
        let rows = self.list_moderator_rows(account);
        let read = rows.filter_map(|it| serde_json::from_slice::<Moderator>(it).ok());
        read.filter(|it| it.account == account).collect()
    }

    /// Who was asked to moderate a room and has not answered, with the end of it, by address.
    #[must_use]
    pub fn list_invitations(
        &self,
        room: &CreatorId,
        at: Timestamp,
    ) -> Vec<(Invitation, Timestamp)> {
        let waiting = self.tickets().filter(|it| at < it.expires_at);
        let all = waiting.filter_map(|it| Some((Invitation::of(it)?, it.expires_at)));
        let mut found: Vec<_> = all.filter(|it| it.0.room == *room).collect();
        found.sort_by(|a, b| (&a.0.to, a.0.id).cmp(&(&b.0.to, b.0.id)));
        found
    }

    /// The invitation of a link, while it waits.
    #[must_use]
    pub fn find_invitation(&self, secret: &str, at: Timestamp) -> Option<Invitation> {
        let ticket = self.ticket(&super::Digest::of(secret))?;
        (at < ticket.expires_at).then(|| Invitation::of(ticket)).flatten()
    }
}

impl Accounts {
    /// Asks somebody to moderate a room, or changes what they may do there.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] for a code that nobody has, [`AccountError::Refused`] for the room's owner and when
    /// there are as many as there may be.
    pub async fn invite_moderator(
        &self,
        room: CreatorId,
        invitee: Invitee,
        rights: Rights,
        by: Actor,
        origin: Origin,
    ) -> Result<Invited, AccountError> {
        let base = self.base_url().to_owned();
        self.change(move |change| {
            let from = match &by {
                Actor::Account { id, .. } => change.find_account(*id)?.display_name,
                _ => room.to_string(),
            };
            let entry = AuditEntry::new(change.at(), by, "moderator_invited")
                .from(&origin)
                .with("room", room.as_str())
                .with("rights", words(&rights));
            match invitee {
                Invitee::Code(code) => {
                    let account = change
                        .find_by_code(&code)
                        .cloned()
                        .ok_or(AccountError::Unknown("account"))?;
                    let it = appoint(change, room, &account, rights)?;
                    change.audit(entry.to(&account).ended("appointed"));
                    Ok(Invited::Moderates(it))
                }
                Invitee::Email(to) => {
                    has_room(change, &room)?;
                    // One invitation for one address: the newest holds.
                    drop_invitations(change, |it| it.room == room && it.to == to);
                    let invitation = Invitation { id: Uuid::new_v4(), room, to, rights, from };
                    let value = serde_json::to_value(&invitation).expect("plain values are JSON");
                    let minutes = INVITATION_DAYS * 24 * 60;
                    let secret = change.open_ticket(
                        Purpose::Moderate(value),
                        None,
                        minutes,
                        Surface::Creator,
                        None,
                    );
                    let letter = Letter::Invitation {
                        link: format!("{base}/invitation?token={}", secret.expose()),
                        room: invitation.room.to_string(),
                        from: invitation.from.clone(),
                        days: INVITATION_DAYS,
                    };
                    change.mail(&invitation.to, None, letter);
                    change.audit(entry.about(&invitation.to).ended("sent"));
                    let until = change.at().plus_ms(i64::from(minutes) * 60_000);
                    Ok(Invited::Asked(invitation, until))
                }
            }
        })
        .await
    }

    /// Takes an invitation up: whoever has the link and is signed in moderates the room.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] for a link that no longer works, [`AccountError::Refused`] for the room's owner.
    pub async fn accept_invitation(
        &self,
        secret: String,
        account: AccountId,
        origin: Origin,
    ) -> Result<Moderator, AccountError> {
        self.change(move |change| {
            let ticket = change.take_ticket(&secret, PurposeKind::Moderate)?;
            let invitation = Invitation::of(&ticket).ok_or(AccountError::BadTicket)?;
            let account = Arc::new(change.find_account(account)?);
            let it = appoint(change, invitation.room, &account, invitation.rights)?;
            let entry = AuditEntry::new(change.at(), Actor::of(&account), "moderator_accepted");
            change.audit(entry.to(&account).from(&origin).with("room", it.room.as_str()));
            Ok(it)
        })
        .await
    }

    /// Takes a moderator's rights away, or an invitation back; what is open by them is closed.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when nobody of that id moderates the room or was asked to.
    pub async fn remove_moderator(
        &self,
        room: CreatorId,
        id: String,
        by: Actor,
        origin: Origin,
    ) -> Result<(), AccountError> {
        self.change(move |change| {
            let unknown = AccountError::Unknown("moderator of this room");
            let entry = AuditEntry::new(change.at(), by, "moderator_removed")
                .from(&origin)
                .with("room", room.as_str());
            let invitation = change.list_invitations(&room, change.at());
            if let Some((it, _)) = invitation.iter().find(|it| it.0.id.to_string() == id) {
                drop_invitations(change, |other| other.id == it.id);
                change.audit(entry.about(&it.to).ended("invitation_withdrawn"));
                return Ok(());
            }
            let code = UserCode::parse(&id).and_then(|it| change.find_by_code(&it).map(|it| it.id));
            let account = AccountId::parse(&id).or(code).ok_or(unknown)?;
            let row = row_of(&room, account);
            if change.find::<Moderator>(&row).is_none() {
                return Err(AccountError::Unknown("moderator of this room"));
            }
            change.remove::<Moderator>(&row);
            change.cut_off(account);
            change.audit(match change.account(account) {
                Some(it) => entry.to(&it.clone()),
                None => entry,
            });
            Ok(())
        })
        .await
    }
}

fn words(rights: &Rights) -> String {
    rights.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ")
}

fn drop_invitations(change: &mut Change, which: impl Fn(&Invitation) -> bool) {
    change.drop_tickets(|it| Invitation::of(it).is_some_and(|it| which(&it)));
}

fn has_room(change: &Change, room: &CreatorId) -> Result<(), AccountError> {
    let there = change.count::<Moderator>(&rows_of(room));
    if there + change.list_invitations(room, change.at()).len() >= MOST_MODERATORS {
        return Err(AccountError::Refused("this room has as many moderators as it may"));
    }
    Ok(())
}

fn appoint(
    change: &mut Change,
    room: CreatorId,
    account: &Account,
    rights: Rights,
) -> Result<Moderator, AccountError> {
    if account.owns(&room) {
        return Err(AccountError::Refused("that account owns the room, and may do everything"));
    }
    let known = change.find::<Moderator>(&row_of(&room, account.id));
    if known.is_none() {
        has_room(change, &room)?;
    }
    let since = known.as_ref().map_or(change.at(), |it| it.since);
    // More rights, too, make other pages.
    if known.is_some_and(|it| it.rights != rights) {
        change.cut_off(account.id);
    }
    let it = Moderator { room, account: account.id, rights, since };
    change.put(&it);
    Ok(it)
}

/// What goes with an account that goes.
pub(super) fn forget_account(change: &mut Change, account: AccountId) {
    for it in change.list_moderated(account) {
        change.remove::<Moderator>(&it.key());
    }
}

/// A room has another owner, or none: whom the last one asked has nothing to do there any more.
pub(super) fn forget_room(change: &mut Change, room: &CreatorId) {
    for it in change.list::<Moderator>(&rows_of(room)) {
        change.remove::<Moderator>(&it.key());
        change.cut_off(it.account);
    }
    drop_invitations(change, |it| it.room == *room);
}
