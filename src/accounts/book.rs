//! Everything that is known of accounts at one moment.

use std::{collections::BTreeMap, fmt, sync::Arc};

use imbl::{HashMap, OrdMap, OrdSet};

use super::{
    Account, AccountError, AccountId, ApiToken, Controls, Digest, Email, Moderator, Record,
    Session, Ticket, Tiers, UserCode,
    record::{is_readable, row_key},
};
use crate::{
    model::{CreatorId, Timestamp},
    storage::StorageError,
};

/// Everything that is known of accounts. A copy shares what it does not change. Shown, it tells how much there is.
#[derive(Clone, Default)]
pub struct Book {
    accounts: OrdMap<AccountId, Arc<Account>>,
    by_email: HashMap<Email, AccountId>,
    by_code: HashMap<UserCode, AccountId>,
    by_provider: HashMap<(String, String), AccountId>,
    /// By the room's name in lower case.
    by_room: HashMap<String, AccountId>,
    /// Those that nobody has shown to be theirs, the oldest first.
    unclaimed: OrdSet<AccountId>,
    sessions: HashMap<Digest, Arc<Session>>,
    sessions_of: OrdSet<(AccountId, Digest)>,
    tokens: HashMap<Digest, Arc<ApiToken>>,
    tokens_of: OrdSet<(AccountId, Digest)>,
    tickets: HashMap<Digest, Arc<Ticket>>,
    tickets_of: OrdSet<(AccountId, Digest)>,
    /// By when they end.
    tickets_by_end: OrdSet<(Timestamp, Digest)>,
    controls: Arc<Controls>,
    /// Made of the files and of a row; not a row itself.
    tiers: Arc<Tiers>,
    /// Rows of kinds that only their own files know: `kind/key` and JSON.
    others: OrdMap<String, Arc<[u8]>>,
    /// Who moderates a room, and the row that says so, as it stands in `others`.
    moderated: OrdSet<(AccountId, String)>,
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("accounts", &self.accounts.len())
            .field("sessions", &self.sessions.len())
            .field("tokens", &self.tokens.len())
            .field("tickets", &self.tickets.len())
            .field("others", &self.others.len())
            .finish_non_exhaustive()
    }
}

impl Book {
    /// The account of an id.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// The account of a mail address.
    #[must_use]
    pub fn find_by_email(&self, email: &Email) -> Option<&Arc<Account>> {
        self.accounts.get(self.by_email.get(email)?)
    }

    /// The account of a short name.
    #[must_use]
    pub fn find_by_code(&self, code: &UserCode) -> Option<&Arc<Account>> {
        self.accounts.get(self.by_code.get(code)?)
    }

    /// The account that a sign-in elsewhere opens.
    #[must_use]
    pub fn find_by_provider(&self, provider: &str, subject: &str) -> Option<&Arc<Account>> {
        let id = self.by_provider.get(&(provider.to_owned(), subject.to_owned()))?;
        self.accounts.get(id)
    }

    /// The account that owns a room.
    #[must_use]
    pub fn find_by_room(&self, room: &CreatorId) -> Option<&Arc<Account>> {
        self.accounts.get(self.by_room.get(&room.as_str().to_ascii_lowercase())?)
    }

    /// How many rooms accounts own.
    #[must_use]
    pub fn count_rooms(&self) -> usize {
        self.by_room.len()
    }

    /// Accounts that own rooms, each as often as it owns one.
    pub(super) fn owners(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.by_room.values().filter_map(|it| self.accounts.get(it))
    }

    /// All accounts, the oldest first.
    pub fn accounts(&self) -> impl DoubleEndedIterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// How many accounts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Accounts that nobody has shown to be theirs, the oldest first.
    pub fn unclaimed(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.unclaimed.iter().filter_map(|it| self.accounts.get(it))
    }

    /// How many of them there are.
    #[must_use]
    pub fn count_unclaimed(&self) -> usize {
        self.unclaimed.len()
    }

    /// Notes uses that the same sign-ins and tokens had in another book: those of a file may lie behind.
    pub(super) fn remember_uses(&self, of: &Self) {
        for (digest, session) in &of.sessions {
            if let Some(it) = self.sessions.get(digest) {
                it.touch(session.last_seen_at());
            }
        }
        for (digest, token) in &of.tokens {
            if let (Some(it), Some(at)) = (self.tokens.get(digest), token.last_used_at()) {
                it.touch(at);
            }
        }
    }

    /// Accounts that may do less by another book, or another thing.
    pub(super) fn list_ended(&self, by: &Self) -> Vec<AccountId> {
        let accounts = self.accounts.values().filter(|it| by.account(it.id) != Some(*it));
        let sessions = self.sessions.values().filter(|it| !by.sessions.contains_key(&it.digest));
        let tokens = self.tokens.values().filter(|it| !by.tokens.contains_key(&it.digest));
        let mut ended: Vec<_> = accounts.map(|it| it.id).collect();
        ended.extend(sessions.map(|it| it.account));
        ended.extend(tokens.map(|it| it.account));
        ended.sort_unstable();
        ended.dedup();
        ended
    }

    /// How many rows of the file this is.
    pub(super) fn count_rows(&self) -> usize {
        let controls = usize::from(*self.controls != Controls::default());
        self.accounts.len()
            + self.sessions.len()
            + self.tokens.len()
            + self.tickets.len()
            + self.others.len()
            + controls
    }

    /// The sign-in of a cookie's digest, whether it still opens anything or not.
    #[must_use]
    pub fn session(&self, digest: &Digest) -> Option<&Arc<Session>> {
        self.sessions.get(digest)
    }

    /// All sign-ins, in no order.
    pub fn sessions(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.sessions.values()
    }

    /// Sign-ins of an account, the latest first.
    #[must_use]
    pub fn list_sessions(&self, account: AccountId) -> Vec<Arc<Session>> {
        let of = self.sessions_of.range((account, Digest::least())..);
        let of = of.take_while(|it| it.0 == account).filter_map(|it| self.sessions.get(&it.1));
        let mut found: Vec<_> = of.cloned().collect();
        found.sort_by_key(|it| std::cmp::Reverse((it.created_at, it.id)));
        found
    }

    /// The token of a digest, whether it still opens anything or not.
    #[must_use]
    pub fn token(&self, digest: &Digest) -> Option<&Arc<ApiToken>> {
        self.tokens.get(digest)
    }

    /// All API tokens, in no order.
    pub fn tokens(&self) -> impl Iterator<Item = &Arc<ApiToken>> {
        self.tokens.values()
    }

    /// API tokens of an account, the oldest first.
    #[must_use]
    pub fn list_tokens(&self, account: AccountId) -> Vec<Arc<ApiToken>> {
        let of = self.tokens_of.range((account, Digest::least())..);
        let of = of.take_while(|it| it.0 == account).filter_map(|it| self.tokens.get(&it.1));
        let mut found: Vec<_> = of.cloned().collect();
        found.sort_by_key(|it| (it.created_at, it.id));
        found
    }

    /// The ticket of a digest, whether it still works or not.
    #[must_use]
    pub fn ticket(&self, digest: &Digest) -> Option<&Arc<Ticket>> {
        self.tickets.get(digest)
    }

    /// All tickets, those first that end first.
    pub fn tickets(&self) -> impl Iterator<Item = &Arc<Ticket>> {
        self.tickets_by_end.iter().filter_map(|it| self.tickets.get(&it.1))
    }

    /// How many tickets there are.
    #[must_use]
    pub fn count_tickets(&self) -> usize {
        self.tickets.len()
    }

    /// Tickets of an account, the oldest first.
    #[must_use]
    pub fn list_tickets(&self, account: AccountId) -> Vec<Arc<Ticket>> {
        let of = self.tickets_of.range((account, Digest::least())..);
        let of = of.take_while(|it| it.0 == account).filter_map(|it| self.tickets.get(&it.1));
        let mut found: Vec<_> = of.cloned().collect();
        found.sort_by_key(|it| (it.created_at, it.digest));
        found
    }

    /// What is switched off.
    #[must_use]
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// What each tier allows.
    #[must_use]
    pub fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// A row of a kind that only its own file knows; `None` also when it is of another shape.
    #[must_use]
    pub fn find<T: Record>(&self, key: &str) -> Option<T> {
        serde_json::from_slice(self.others.get(&row_key(T::KIND, key))?).ok()
    }

    /// A row of such a kind, as it is written; `key` with its kind.
    pub(super) fn find_row(&self, key: &str) -> Option<&[u8]> {
        self.others.get(key).map(|it| &**it)
    }

    /// How many rows there are that nothing here can read, by kind. They are kept: another version may.
    pub(super) fn count_unreadable(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (key, row) in &self.others {
            let kind = key.split_once('/').map_or("", |it| it.0);
            if !is_readable(kind, row) {
                *counts.entry(kind).or_default() += 1;
            }
        }
        counts
    }

    /// All rows of such a kind whose keys begin with `start`, in the order of keys.
    pub fn list<T: Record>(&self, start: &str) -> Vec<T> {
        let first = row_key(T::KIND, start);
        let rows = self.others.range(first.clone()..).take_while(|it| it.0.starts_with(&first));
        rows.filter_map(|(_, row)| serde_json::from_slice(row).ok()).collect()
    }

    /// The rows of those who moderate that are of this account, in the order of rooms. No other row is looked at.
    pub(super) fn list_moderator_rows(&self, account: AccountId) -> impl Iterator<Item = &[u8]> {
        let of = self.moderated.range((account, String::new())..);
        of.take_while(move |it| it.0 == account).filter_map(|it| self.find_row(&it.1))
    }

    /// How many rows of such a kind there are whose keys begin with `start`.
    #[must_use]
    pub fn count<T: Record>(&self, start: &str) -> usize {
        let first = row_key(T::KIND, start);
        self.others.range(first.clone()..).take_while(|it| it.0.starts_with(&first)).count()
    }

    /// Puts an account in, or in place of what it was.
    ///
    /// # Errors
    /// When another account has its address, code, room or sign-in elsewhere; then nothing has changed.
    pub(super) fn put_account(&mut self, account: Arc<Account>) -> Result<(), AccountError> {
        let id = account.id;
        let free = |held: Option<&AccountId>| held.is_none_or(|it| *it == id);
        if !account.email.as_ref().is_none_or(|it| free(self.by_email.get(it))) {
            return Err(AccountError::Taken("that address"));
        }
        if !free(self.by_code.get(&account.user_code)) {
            return Err(AccountError::Taken("that code"));
        }
        let provider = |it: &super::Linked| (it.provider.clone(), it.subject.clone());
        if !account.providers.iter().all(|it| free(self.by_provider.get(&provider(it)))) {
            return Err(AccountError::Taken("that sign-in"));
        }
        let room = |it: &CreatorId| it.as_str().to_ascii_lowercase();
        if !account.list_rooms().all(|it| free(self.by_room.get(&room(it)))) {
            return Err(AccountError::Taken("that room"));
        }
        self.forget_names(id);
        if let Some(email) = &account.email {
            self.by_email.insert(email.clone(), id);
        }
        self.by_code.insert(account.user_code.clone(), id);
        for it in &account.providers {
            self.by_provider.insert(provider(it), id);
        }
        for it in account.list_rooms() {
            self.by_room.insert(room(it), id);
        }
        if account.is_unclaimed() {
            self.unclaimed.insert(id);
        }
        self.accounts.insert(id, account);
        Ok(())
    }

    fn forget_names(&mut self, id: AccountId) {
        let Some(old) = self.accounts.get(&id).cloned() else { return };
        if let Some(email) = &old.email {
            self.by_email.remove(email);
        }
        self.by_code.remove(&old.user_code);
        self.unclaimed.remove(&id);
        for it in &old.providers {
            self.by_provider.remove(&(it.provider.clone(), it.subject.clone()));
        }
        for it in old.list_rooms() {
            self.by_room.remove(&it.as_str().to_ascii_lowercase());
        }
    }

    pub(super) fn remove_account(&mut self, id: AccountId) {
        self.forget_names(id);
        self.accounts.remove(&id);
    }

    pub(super) fn put_session(&mut self, session: Arc<Session>) {
        self.sessions_of.insert((session.account, session.digest));
        self.sessions.insert(session.digest, session);
    }

    pub(super) fn remove_session(&mut self, digest: &Digest) {
        if let Some(it) = self.sessions.remove(digest) {
            self.sessions_of.remove(&(it.account, it.digest));
        }
    }

    pub(super) fn put_token(&mut self, token: Arc<ApiToken>) {
        self.tokens_of.insert((token.account, token.digest));
        self.tokens.insert(token.digest, token);
    }

    pub(super) fn remove_token(&mut self, digest: &Digest) {
        if let Some(it) = self.tokens.remove(digest) {
            self.tokens_of.remove(&(it.account, it.digest));
        }
    }

    pub(super) fn put_ticket(&mut self, ticket: Arc<Ticket>) {
        if let Some(account) = ticket.account {
            self.tickets_of.insert((account, ticket.digest));
        }
        self.tickets_by_end.insert((ticket.expires_at, ticket.digest));
        self.tickets.insert(ticket.digest, ticket);
    }

    pub(super) fn remove_ticket(&mut self, digest: &Digest) -> Option<Arc<Ticket>> {
        let ticket = self.tickets.remove(digest)?;
        if let Some(account) = ticket.account {
            self.tickets_of.remove(&(account, ticket.digest));
        }
        self.tickets_by_end.remove(&(ticket.expires_at, ticket.digest));
        Some(ticket)
    }

    pub(super) fn set_controls(&mut self, controls: Controls) {
        self.controls = Arc::new(controls);
    }

    pub(super) fn set_tiers(&mut self, tiers: Tiers) {
        self.tiers = Arc::new(tiers);
    }

    pub(super) fn set_other(&mut self, key: String, row: Option<Arc<[u8]>>) {
        if let Some(account) = Moderator::account_of(&key) {
            let of = (account, key.clone());
            match &row {
                Some(_) => drop(self.moderated.insert(of)),
                None => drop(self.moderated.remove(&of)),
            }
        }
        match row {
            Some(row) => drop(self.others.insert(key, row)),
            None => drop(self.others.remove(&key)),
        }
    }

    /// A row as it was found in the file.
    ///
    /// # Errors
    /// When it is of another shape than its kind, or contradicts another row.
    pub(super) fn take_row(&mut self, key: &str, json: &[u8]) -> Result<(), StorageError> {
        fn read<T: Record>(json: &[u8]) -> Result<T, StorageError> {
            // The row itself is never told: it may hold what is secret.
            serde_json::from_slice(json).map_err(|_| {
                StorageError::damaged(format!("a row of {} has another shape", T::KIND))
            })
        }
        match key.split_once('/').map_or("", |it| it.0) {
            Account::KIND => self
                .put_account(Arc::new(read(json)?))
                .map_err(|_| StorageError::damaged("two accounts have one name"))?,
            Session::KIND => {
                let session: Session = read(json)?;
                session.note_written();
                self.put_session(Arc::new(session));
            }
            ApiToken::KIND => {
                let token: ApiToken = read(json)?;
                token.note_written();
                self.put_token(Arc::new(token));
            }
            Ticket::KIND => self.put_ticket(Arc::new(read(json)?)),
            Controls::KIND => self.set_controls(read(json)?),
            _ => self.set_other(key.to_owned(), Some(json.into())),
        }
        Ok(())
    }
}
