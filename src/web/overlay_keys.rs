//! The keys that open a room to whoever only reads it: one for each source, if wanted; rotated or taken away one by
//! one.
//!
//! Nothing of a key is stored. It is made of the server's secret, the room, its name and a serial, which is never given
//! twice in a room; what is kept is which serials are good, and until when. The key that every room begins with has the
//! serial 0 and is made of the room's name alone, as ever: links that were saved in OBS go on working.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{ApiError, looks::stylesheet_key};
use crate::{
    model::{CreatorId, Timestamp},
    storage::{Kind, State},
};

/// The key that every room begins with, and always has.
pub const DEFAULT: &str = "default";
/// Most keys of a room (count).
pub const MOST_KEYS: usize = 32;
/// Longest time for which a key works after it was rotated (s): thirty days.
pub const LONGEST_GRACE_SECONDS: u64 = 30 * 24 * 3600;
/// Most earlier ones of a key that still work; of one more, the oldest ends.
const MOST_OLD: usize = 4;
/// Longest name (letters).
const LONGEST_NAME: usize = 40;
/// As when a name is not there.
const KEY: &str = "key";

/// The overlay keys of all rooms: 128 bits each.
pub struct OverlayKeys {
    secret: Vec<u8>,
    state: State,
    /// Held over every change, the disk's part included.
    turn: Mutex<()>,
    /// What is kept, as read: nobody parses it again for every page.
    known: RwLock<HashMap<CreatorId, Arc<Known>>>,
    seen: Mutex<HashMap<CreatorId, Seen>>,
}

/// What is kept of a room's keys.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    last_serial: u32,
    /// The default first.
    keys: Vec<StoredKey>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredKey {
    name: String,
    serial: u32,
    created_at: Option<Timestamp>,
    rotated_at: Option<Timestamp>,
    /// Earlier ones that still work, oldest first.
    old: Vec<Old>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Old {
    serial: u32,
    until: Timestamp,
}

/// What is kept, and what opens: hashes, so that memory holds no keys either.
struct Known {
    /// `None` when what is kept cannot be read: then nothing opens, and nothing is changed.
    stored: Option<Stored>,
    opens: Vec<Opens>,
}

struct Opens {
    serial: u32,
    key: [u8; 32],
    sheet: String,
    until: Option<Timestamp>,
}

/// When keys of a room were last used, by serial.
#[derive(Default)]
struct Seen {
    at: BTreeMap<u32, Timestamp>,
    is_kept: bool,
}

/// How long a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Until somebody changes that.
    Good,
    /// Until then.
    Until(Timestamp),
    /// No longer.
    Ended,
}

/// A key as lists show it, without itself.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyCard {
    /// Its name in the room.
    pub name: String,
    /// When it was made; null for the one that a room begins with.
    pub created_at: Option<Timestamp>,
    /// When it was last rotated.
    pub rotated_at: Option<Timestamp>,
    /// Who uses it.
    #[serde(flatten)]
    pub usage: Usage,
    /// Earlier ones that still work, oldest first.
    pub old: Vec<OldCard>,
}

/// An earlier one of a key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OldCard {
    /// When it ends.
    pub until: Timestamp,
    /// Who uses it.
    #[serde(flatten)]
    pub usage: Usage,
}

/// Who uses a key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Usage {
    /// When it was last used; null when it never was.
    pub last_seen: Option<Timestamp>,
    /// Sockets and streams that are open with it (count).
    pub open: usize,
}

impl StoredKey {
    fn new(name: &str, serial: u32, created_at: Option<Timestamp>) -> Self {
        Self { name: name.to_owned(), serial, created_at, rotated_at: None, old: Vec::new() }
    }
}

impl Default for Stored {
    fn default() -> Self {
        Self { last_serial: 0, keys: vec![StoredKey::new(DEFAULT, 0, None)] }
    }
}

impl Stored {
    fn next_serial(&mut self) -> u32 {
        self.last_serial += 1;
        self.last_serial
    }

    fn find(&mut self, name: &str) -> Result<&mut StoredKey, ApiError> {
        self.keys.iter_mut().find(|it| is_same(&it.name, name)).ok_or(ApiError::NotFound(KEY))
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A name for a key: 1 to 40 letters of any script, without breaks.
fn named(text: &str) -> Result<&str, ApiError> {
    let name = text.trim();
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(ApiError::BadRequest(format!("`name` is 1 to {LONGEST_NAME} letters, without line breaks")))
}

/// Under which a room's keys are kept.
fn row(room: &CreatorId) -> String {
    room.as_str().to_ascii_lowercase()
}

/// Under which it is kept when they were used.
fn seen_row(room: &CreatorId) -> String {
    format!("{}/seen", row(room))
}

impl OverlayKeys {
    /// From the server's secret key, and what is kept in `state`.
    #[must_use]
    pub fn new(secret: &str, state: State) -> Self {
        Self {
            secret: secret.trim().as_bytes().to_vec(),
            state,
            turn: Mutex::default(),
            known: RwLock::default(),
            seen: Mutex::default(),
        }
    }

    fn make(&self, room: &CreatorId, name: &str, serial: u32) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes secrets of any length");
        if serial == 0 {
            mac.update(b"overlay-key/1/");
            mac.update(row(room).as_bytes());
        } else {
            // No room has a slash in its name, and no serial.
            mac.update(b"overlay-key/2/");
            mac.update(format!("{}/{serial}/{}", row(room), name.to_lowercase()).as_bytes());
        }
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
    }

    fn known(&self, room: &CreatorId) -> Arc<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(room).cloned();
        known.unwrap_or_else(|| self.read(room))
    }

    /// Reads what is kept of a room. The lock is held over it, so that nothing older comes behind something newer.
    fn read(&self, room: &CreatorId) -> Arc<Known> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let text = self.state.find(Kind::OverlayKeys, &row(room));
        let stored = match text.map(|it| serde_json::from_str::<Stored>(&it)).transpose() {
            Ok(stored) => Some(stored.unwrap_or_default()),
            Err(error) => {
                tracing::error!(creator.id = %room, %error, "what is kept of the room's keys cannot be read: none opens");
                None
            }
        };
        let keys = stored.iter().flat_map(|it| &it.keys);
        let serials = keys.flat_map(|it| {
            let old = it.old.iter().map(move |old| (it, old.serial, Some(old.until)));
            old.chain([(it, it.serial, None)])
        });
        let opens = serials.map(|(it, serial, until)| {
            let key = self.make(room, &it.name, serial);
            Opens { serial, sheet: stylesheet_key(&key), key: Sha256::digest(key).into(), until }
        });
        let read = Arc::new(Known { opens: opens.collect(), stored });
        known.insert(room.clone(), Arc::clone(&read));
        read
    }

    /// Forgets what was read: something else is kept now.
    pub fn read_again(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The default key of a room, as links carry it.
    #[must_use]
    pub fn key(&self, room: &CreatorId) -> String {
        // Of one that cannot be read nothing opens, so any will do.
        self.reveal(room, DEFAULT).unwrap_or_else(|_| self.make(room, DEFAULT, 0))
    }

    /// The key of that name.
    ///
    /// # Errors
    /// 404; 503 when what is kept cannot be read.
    pub fn reveal(&self, room: &CreatorId, name: &str) -> Result<String, ApiError> {
        let mut stored = self.stored(room)?;
        let it = stored.find(name)?;
        Ok(self.make(room, &it.name, it.serial))
    }

    fn stored(&self, room: &CreatorId) -> Result<Stored, ApiError> {
        let unreadable = "what is kept of the room's keys cannot be read, and is left as it is";
        self.known(room).stored.clone().ok_or(ApiError::NotNow(unreadable))
    }

    /// The serial of a key that opens the room now.
    #[must_use]
    pub fn find(&self, room: &CreatorId, key: &str, now: Timestamp) -> Option<u32> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        let known = self.known(room);
        let mut opens = known.opens.iter().filter(|it| it.until.is_none_or(|it| now < it));
        opens.find(|it| bool::from(it.key.ct_eq(&hash))).map(|it| it.serial)
    }

    /// Whether `sheet` is made of a key that opens the room now.
    #[must_use]
    pub fn opens_stylesheets(&self, room: &CreatorId, sheet: &str, now: Timestamp) -> bool {
        let known = self.known(room);
        let mut opens = known.opens.iter().filter(|it| it.until.is_none_or(|it| now < it));
        opens.any(|it| bool::from(it.sheet.as_bytes().ct_eq(sheet.as_bytes())))
    }

    /// How long the key of a serial works.
    #[must_use]
    pub fn standing(&self, room: &CreatorId, serial: u32, now: Timestamp) -> Standing {
        let known = self.known(room);
        match known.opens.iter().find(|it| it.serial == serial).map(|it| it.until) {
            Some(None) => Standing::Good,
            Some(Some(until)) if now < until => Standing::Until(until),
            _ => Standing::Ended,
        }
    }

    /// Notes that a key is used.
    pub fn note_seen(&self, room: &CreatorId, serial: u32, now: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(room.clone()).or_insert_with(|| self.read_seen(room));
        seen.at.insert(serial, now);
        seen.is_kept = false;
    }

    fn read_seen(&self, room: &CreatorId) -> Seen {
        let text = self.state.find(Kind::OverlayKeys, &seen_row(room));
        // When it was used is no harm to forget.
        let at = text.and_then(|it| serde_json::from_str(&it).ok()).unwrap_or_default();
        Seen { at, is_kept: true }
    }

    /// Keeps what was noted, behind the answers.
    pub fn keep_seen(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (room, it) in seen.iter_mut().filter(|it| !it.1.is_kept) {
            let known = self.known(room);
            it.at.retain(|serial, _| known.opens.iter().any(|it| it.serial == *serial));
            let text = serde_json::to_string(&it.at).expect("numbers and times are JSON");
            self.state.set(Kind::OverlayKeys, &seen_row(room), Some(text));
            it.is_kept = true;
        }
    }

    /// A room's keys, the default first. `open` counts who uses the one of a serial.
    ///
    /// # Errors
    /// 503 when what is kept cannot be read.
    pub fn list(
        &self,
        room: &CreatorId,
        now: Timestamp,
        open: impl Fn(u32) -> usize,
    ) -> Result<Vec<KeyCard>, ApiError> {
        let stored = self.stored(room)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(room.clone()).or_insert_with(|| self.read_seen(room));
        let usage = |serial| {
            let open = open(serial);
            let last_seen = if open > 0 { Some(now) } else { seen.at.get(&serial).copied() };
            Usage { last_seen, open }
        };
        let card = |it: StoredKey| {
            let old = it.old.iter().filter(|it| now < it.until);
            let old = old.map(|it| OldCard { until: it.until, usage: usage(it.serial) });
            KeyCard {
                old: old.collect(),
                usage: usage(it.serial),
                name: it.name,
                created_at: it.created_at,
                rotated_at: it.rotated_at,
            }
        };
        Ok(stored.keys.into_iter().map(card).collect())
    }

    /// Makes a key of a new name. On the disk once this returns. Blocking.
    ///
    /// # Errors
    /// 400 for what is no name, 409 when it is taken or there are too many, 503 when the disk refuses.
    pub fn add(&self, room: &CreatorId, name: &str, now: Timestamp) -> Result<String, ApiError> {
        let name = named(name)?;
        self.change(room, |stored| {
            if stored.find(name).is_ok() {
                let problem = format!("there is a key `{name}`: rotate it with `rotate`");
                return Err(ApiError::Conflict(problem));
            }
            if stored.keys.len() >= MOST_KEYS {
                let problem = format!("a room has {MOST_KEYS} keys at most: delete one first");
                return Err(ApiError::Conflict(problem));
            }
            let serial = stored.next_serial();
            stored.keys.push(StoredKey::new(name, serial, Some(now)));
            Ok(())
        })?;
        self.reveal(room, name)
    }

    /// Puts a new key in the place of the one of that name, which works until `until`, as all before it do at most.
    /// On the disk once this returns. Blocking.
    ///
    /// # Errors
    /// 404, 503 when the disk refuses.
    pub fn rotate(
        &self,
        room: &CreatorId,
        name: &str,
        now: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<String, ApiError> {
        self.change(room, |stored| {
            stored.find(name)?;
            let serial = stored.next_serial();
            let it = stored.find(name)?;
            let before = std::mem::replace(&mut it.serial, serial);
            it.rotated_at = Some(now);
            match until {
                Some(until) => {
                    it.old.iter_mut().for_each(|it| it.until = it.until.min(until));
                    it.old.push(Old { serial: before, until });
                    it.old.retain(|it| now < it.until);
                    let over = it.old.len().saturating_sub(MOST_OLD);
                    it.old.drain(..over);
                }
                None => it.old.clear(),
            }
            Ok(())
        })?;
        self.reveal(room, name)
    }

    /// Ends what still works of keys before the one of that name. On the disk once this returns. Blocking.
    ///
    /// # Errors
    /// 404, 503 when the disk refuses.
    pub fn end_old(&self, room: &CreatorId, name: &str) -> Result<(), ApiError> {
        self.change(room, |stored| {
            stored.find(name)?.old.clear();
            Ok(())
        })
    }

    /// Takes a key away, and all before it. On the disk once this returns. Blocking.
    ///
    /// # Errors
    /// 404, 409 for the default, 503 when the disk refuses.
    pub fn remove(&self, room: &CreatorId, name: &str) -> Result<(), ApiError> {
        if is_same(name, DEFAULT) {
            let problem = "a room always has its default key: rotate it instead";
            return Err(ApiError::Conflict(problem.to_owned()));
        }
        self.change(room, |stored| {
            stored.find(name)?;
            stored.keys.retain(|it| !is_same(&it.name, name));
            Ok(())
        })
    }

    fn change(
        &self,
        room: &CreatorId,
        work: impl FnOnce(&mut Stored) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stored = self.stored(room)?;
        work(&mut stored)?;
        let text = serde_json::to_string(&stored).expect("names, numbers and times are JSON");
        self.state.save(&[(Kind::OverlayKeys, row(room), Some(text))]).map_err(|error| {
            tracing::error!(%error, "a room's keys cannot be kept");
            ApiError::NotNow("the disk does not take it now: nothing was changed")
        })?;
        self.read(room);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(NOW + seconds * 1000).unwrap()
    }

    fn keys(folder: &tempfile::TempDir, secret: &str) -> OverlayKeys {
        OverlayKeys::new(secret, State::open(&folder.path().join("state.redb")).unwrap())
    }

    #[test]
    fn a_key_opens_its_own_room_only_and_the_first_one_is_as_ever() {
        let keys = OverlayKeys::new("secret", State::in_memory());
        let (ana, ben) = ("Ana".parse().unwrap(), "ben".parse().unwrap());
        let key = keys.key(&ana);
        assert_eq!(key.len(), 22, "128 bits");
        assert_eq!(key, "CHkikz2z2QkvXCV0mgUd9g", "links saved in OBS go on working");
        assert_eq!(keys.find(&"ana".parse().unwrap(), &key, at(0)), Some(0));
        assert_eq!(keys.find(&ben, &key, at(0)), None);
        assert_eq!(keys.find(&ana, "", at(0)), None);
        assert_ne!(OverlayKeys::new("other", State::in_memory()).key(&ana), key);
        assert!(keys.opens_stylesheets(&ana, &stylesheet_key(&key), at(0)));
        assert!(!keys.opens_stylesheets(&ben, &stylesheet_key(&key), at(0)));
        assert!(keys.add(&ana, "x", at(0)).is_err(), "nothing is kept in memory alone");
    }

    #[test]
    fn what_was_rotated_works_until_its_end_and_no_serial_comes_twice_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let ana = "ana".parse().unwrap();
        let (first, second, named);
        {
            let keys = keys(&folder, "secret");
            first = keys.key(&ana);
            second = keys.rotate(&ana, DEFAULT, at(0), Some(at(60))).unwrap();
            assert_eq!(keys.key(&ana), second);
            assert_eq!(keys.standing(&ana, 0, at(59)), Standing::Until(at(60)));
            assert_eq!(keys.find(&ana, &first, at(59)), Some(0));
            assert_eq!(keys.find(&ana, &first, at(60)), None);
            assert_eq!(keys.standing(&ana, 0, at(60)), Standing::Ended);
            named = keys.add(&ana, " Main scene ", at(1)).unwrap();
            keys.note_seen(&ana, 2, at(5));
            keys.keep_seen();
            assert!(matches!(keys.add(&ana, "MAIN SCENE", at(1)), Err(ApiError::Conflict(_))));
        }
        let keys = keys(&folder, "secret");
        assert_eq!(keys.key(&ana), second);
        assert_eq!(keys.find(&ana, &first, at(59)), Some(0));
        assert_eq!(keys.reveal(&ana, "main scene").unwrap(), named);
        keys.remove(&ana, "Main Scene").unwrap();
        assert_eq!(keys.find(&ana, &named, at(2)), None);
        let again = keys.add(&ana, "Main scene", at(2)).unwrap();
        assert_ne!(again, named, "what was taken away stays away");
        assert!(matches!(keys.remove(&ana, DEFAULT), Err(ApiError::Conflict(_))));
        // A rotation without grace ends everything before it.
        let third = keys.rotate(&ana, DEFAULT, at(3), None).unwrap();
        assert_eq!(keys.find(&ana, &first, at(4)), None);
        assert_eq!(keys.find(&ana, &second, at(4)), None);
        assert!(keys.find(&ana, &third, at(4)).is_some());
    }

    #[tokio::test]
    async fn it_is_told_when_a_key_was_used_and_by_how_many() {
        let folder = tempfile::tempdir().unwrap();
        let ana = "ana".parse().unwrap();
        let list = |keys: &OverlayKeys| {
            let cards = keys.list(&ana, at(9), |serial| usize::from(serial == 1)).unwrap();
            let card = |it: KeyCard| (it.name, it.usage.last_seen, it.usage.open);
            cards.into_iter().map(card).collect::<Vec<_>>()
        };
        {
            let keys = keys(&folder, "secret");
            keys.add(&ana, "dock", at(0)).unwrap();
            keys.add(&ana, "spare", at(0)).unwrap();
            keys.note_seen(&ana, 0, at(3));
            keys.keep_seen();
            keys.state.close().await;
        }
        let card = |name: &str, seen, open| (name.to_owned(), seen, open);
        let others = [card("dock", Some(at(9)), 1), card("spare", None, 0)];
        let keys = keys(&folder, "secret");
        assert_eq!(list(&keys), [&[card(DEFAULT, Some(at(3)), 0)], &others[..]].concat());
        keys.note_seen(&ana, 0, at(4));
        assert_eq!(list(&keys), [&[card(DEFAULT, Some(at(4)), 0)], &others[..]].concat());
    }

    #[test]
    fn names_and_numbers_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder, "secret");
        let ana = "ana".parse().unwrap();
        for bad in ["", "  ", "a\nb", &"x".repeat(41)] {
            assert!(matches!(keys.add(&ana, bad, at(0)), Err(ApiError::BadRequest(_))), "{bad:?}");
        }
        for number in 1..MOST_KEYS {
            keys.add(&ana, &format!("ключ {number}"), at(0)).unwrap();
        }
        assert!(matches!(keys.add(&ana, "more", at(0)), Err(ApiError::Conflict(_))));
        for second in 0..10 {
            keys.rotate(&ana, DEFAULT, at(second), Some(at(100))).unwrap();
        }
        let cards = keys.list(&ana, at(11), |_| 0).unwrap();
        assert_eq!((cards.len(), cards[0].old.len()), (MOST_KEYS, MOST_OLD));
    }

    #[test]
    fn what_cannot_be_read_opens_nothing_and_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder, "secret");
        let ana = "ana".parse().unwrap();
        let first = keys.key(&ana);
        let row = (Kind::OverlayKeys, "ana".to_owned(), Some("{".to_owned()));
        keys.state.save(&[row]).unwrap();
        keys.read_again();
        assert_eq!(keys.find(&ana, &first, at(0)), None);
        assert!(matches!(keys.rotate(&ana, DEFAULT, at(0), None), Err(ApiError::NotNow(_))));
        assert_eq!(keys.state.find(Kind::OverlayKeys, "ana").as_deref(), Some("{"));
    }
}
