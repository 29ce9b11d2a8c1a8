//! One change of the book: worked out whole, then written whole.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use uuid::Uuid;

use super::{
    Account, AccountError, AccountId, Actor, Alert, ApiToken, AuditEntry, Book, Controls, Digest,
    Email, Letter, Mail, NewApiToken, NewSession, Purpose, PurposeKind, Record, Secret, Session,
    Surface, Ticket, TierChanges, Tiers, record::row_key,
};
use crate::{config::TiersConfig, model::Timestamp};

/// Most sign-ins of one account; the oldest makes room.
const MOST_SESSIONS: usize = 50;
/// Most API tokens of one account.
const MOST_TOKENS: usize = 50;
/// Most mails that wait to be sent: behind these, a link would end before it is read.
const MOST_MAILS: usize = 5_000;
/// Most tickets of one kind for one account; the oldest makes room. Mails overtake each other, but not so many.
const MOST_TICKETS_OF_A_KIND: usize = 8;
/// Most tickets in all; the one that ends first makes room.
const MOST_TICKETS: usize = 20_000;
/// Longest page that somebody goes on to (bytes); a longer one is left out.
const MOST_RETURN_TO: usize = 2_048;

/// A change that is being worked out. It reads as the [`Book`] with all that was put in so far.
pub struct Change {
    book: Book,
    at: Timestamp,
    rows: BTreeMap<String, Option<Vec<u8>>>,
    audited: Vec<AuditEntry>,
    ended: Vec<AccountId>,
    /// Who owns which room may be otherwise than before, or what flows into it.
    rooms: bool,
    /// Which addresses are verified may be otherwise than before.
    addresses: bool,
}

/// What a change comes to.
pub(super) struct Outcome {
    pub book: Book,
    pub rows: BTreeMap<String, Option<Vec<u8>>>,
    pub audited: Vec<AuditEntry>,
    pub ended: Vec<AccountId>,
    pub rooms: bool,
}

impl Deref for Change {
    type Target = Book;

    fn deref(&self) -> &Book {
        &self.book
    }
}

impl Change {
    pub(super) fn new(book: Book, at: Timestamp) -> Self {
        Self {
            book,
            at,
            rows: BTreeMap::new(),
            audited: Vec::new(),
            ended: Vec::new(),
            rooms: false,
            addresses: false,
        }
    }

    pub(super) fn finish(self) -> Outcome {
        let Self { book, rows, audited, ended, rooms, .. } = self;
        Outcome { book, rows, audited, ended, rooms }
    }

    /// Whether it concerns which addresses are verified.
    pub(super) fn concerns_addresses(&self) -> bool {
        self.addresses
    }

    /// Says that what flows into a room of an account is otherwise than before.
    pub(super) fn note_rooms(&mut self) {
        self.rooms = true;
    }

    /// Puts in force what was changed of the tiers, or of what files say of them.
    pub(super) fn renew_tiers(&mut self, files: &TiersConfig) {
        let kinds = [TierChanges::KIND, Controls::KIND];
        let touched = |it: &String| kinds.iter().any(|kind| it.starts_with(&row_key(kind, "")));
        if self.rows.keys().any(touched) {
            let tiers = Tiers::of(files, &self.book);
            self.book.set_tiers(tiers);
        }
    }

    /// When the change happens.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    fn write<T: Record>(&mut self, row: &T) {
        let json = serde_json::to_vec(row).expect("plain values always serialise");
        self.rows.insert(row_key(T::KIND, &row.key()), Some(json));
    }

    fn erase<T: Record>(&mut self, key: &str) {
        self.rows.insert(row_key(T::KIND, key), None);
    }

    /// The account of an id, for changing.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when it is gone.
    pub fn find_account(&self, id: AccountId) -> Result<Account, AccountError> {
        self.book.account(id).map(|it| (**it).clone()).ok_or(AccountError::Unknown("account"))
    }

    /// Puts an account in, or in place of what it was.
    ///
    /// # Errors
    /// [`AccountError::Taken`] when another one has its address, room or sign-in elsewhere.
    pub fn put_account(&mut self, mut account: Account) -> Result<Arc<Account>, AccountError> {
        account.updated_at = self.at;
        let account = Arc::new(account);
        let before = self.book.account(account.id).cloned();
        self.book.put_account(Arc::clone(&account))?;
        let rooms = |it: &Account| it.list_rooms().cloned().collect::<Vec<_>>();
        let address = |it: &Account| it.email.clone().filter(|_| it.email_verified);
        self.addresses |= before.as_deref().and_then(address) != address(&account);
        self.rooms |= before.as_deref().map(rooms).unwrap_or_default() != rooms(&account)
            || before.is_some_and(|it| {
                it.status != account.status || it.display_name != account.display_name
            });
        self.write(&*account);
        Ok(account)
    }

    /// Takes an account away, with its sign-ins, tokens, tickets and the rooms that its owner made.
    pub fn remove_account(&mut self, id: AccountId) {
        if let Some(account) = self.book.account(id).cloned() {
            for room in &account.rooms {
                self.retire_room(room, id);
            }
            // The configuration may give these to somebody else, who asked nobody to moderate them.
            for room in &account.given {
                super::moderator::forget_room(self, room);
            }
            self.rooms |= account.list_rooms().next().is_some();
        }
        self.end_sessions(id, None);
        for it in self.book.list_tokens(id) {
            self.remove_token(&it.digest);
        }
        self.drop_tickets_of(id, |_| true);
        super::moderator::forget_account(self, id);
        self.book.remove_account(id);
        self.erase::<Account>(&id.to_string());
        self.ended.push(id);
    }

    /// Signs an account in: what its cookie holds, and the sign-in.
    pub fn open_session(&mut self, account: AccountId, new: NewSession) -> (Secret, Arc<Session>) {
        let mut older = self.book.list_sessions(account);
        while older.len() >= MOST_SESSIONS
            && let Some(oldest) = older.pop()
        {
            self.remove_session(&oldest.digest);
        }
        let secret = Secret::random();
        let session = Arc::new(Session::new(account, secret.digest(), new, self.at));
        self.write(&*session);
        self.book.put_session(Arc::clone(&session));
        (secret, session)
    }

    /// Writes down when a sign-in was last used.
    pub fn note_seen(&mut self, session: &Session) {
        self.write(session);
    }

    /// Writes down when a token was last used.
    pub fn note_used(&mut self, token: &ApiToken) {
        self.write(token);
    }

    /// Ends a sign-in.
    pub fn remove_session(&mut self, digest: &Digest) {
        if let Some(session) = self.book.session(digest).cloned() {
            self.ended.push(session.account);
            self.book.remove_session(digest);
            self.erase::<Session>(&digest.hex());
        }
    }

    /// Ends all sign-ins of an account but one; answers how many.
    pub fn end_sessions(&mut self, account: AccountId, but: Option<&Digest>) -> usize {
        let ending = self.book.list_sessions(account);
        let ending: Vec<_> = ending.iter().filter(|it| Some(&it.digest) != but).collect();
        for it in &ending {
            self.remove_session(&it.digest);
        }
        ending.len()
    }

    /// Says that what the account may do has become less: open sockets of its are looked at anew.
    pub fn cut_off(&mut self, account: AccountId) {
        self.ended.push(account);
    }

    /// Gives an account an API token: what its programs send, and the token.
    ///
    /// # Errors
    /// When it has as many as it may.
    pub fn open_token(
        &mut self,
        account: AccountId,
        new: NewApiToken,
    ) -> Result<(String, Arc<ApiToken>), AccountError> {
        if self.book.list_tokens(account).len() >= MOST_TOKENS {
            return Err(AccountError::Refused("this account has as many tokens as it may"));
        }
        let text = format!("{}{}", super::API_TOKEN_PREFIX, Secret::random().expose());
        let token = Arc::new(ApiToken::new(account, Digest::of(&text), new, self.at));
        self.write(&*token);
        self.book.put_token(Arc::clone(&token));
        Ok((text, token))
    }

    /// Takes a token away.
    pub fn remove_token(&mut self, digest: &Digest) {
        if let Some(token) = self.book.token(digest).cloned() {
            self.ended.push(token.account);
            self.book.remove_token(digest);
            self.erase::<ApiToken>(&digest.hex());
        }
    }

    /// Makes a ticket that works for so many minutes: what its link holds.
    ///
    /// Others of its kind for the same account stay, up to a few: mails overtake each other.
    pub fn open_ticket(
        &mut self,
        purpose: Purpose,
        account: Option<AccountId>,
        minutes: u32,
        surface: Surface,
        return_to: Option<String>,
    ) -> Secret {
        if let Some(account) = account {
            let older = self.book.list_tickets(account);
            let mut older: Vec<_> =
                older.iter().filter(|it| it.purpose.kind() == purpose.kind()).collect();
            older.truncate((older.len() + 1).saturating_sub(MOST_TICKETS_OF_A_KIND));
            for it in older {
                self.remove_ticket(&it.digest);
            }
        }
        while self.book.count_tickets() >= MOST_TICKETS {
            let first = self.book.tickets().next().map(|it| it.digest);
            let Some(first) = first else { break };
            self.remove_ticket(&first);
        }
        let return_to = return_to.filter(|it| it.len() <= MOST_RETURN_TO);
        let secret = Secret::random();
        let ticket = Arc::new(Ticket {
            digest: secret.digest(),
            purpose,
            account,
            created_at: self.at,
            expires_at: self.at.plus_ms(i64::from(minutes) * 60_000),
            surface,
            return_to,
        });
        self.write(&*ticket);
        self.book.put_ticket(ticket);
        secret
    }

    /// Takes the ticket of a secret away, if it still works and is of this kind.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] when it does not.
    pub fn take_ticket(
        &mut self,
        secret: &str,
        kind: PurposeKind,
    ) -> Result<Arc<Ticket>, AccountError> {
        let digest = Digest::of(secret);
        let ticket = self.book.ticket(&digest).filter(|it| it.purpose.kind() == kind).cloned();
        let ticket = ticket.ok_or(AccountError::BadTicket)?;
        if !ticket.is_open(self.at) {
            return Err(AccountError::BadTicket);
        }
        self.remove_ticket(&digest);
        Ok(ticket)
    }

    /// Takes a ticket away.
    pub fn remove_ticket(&mut self, digest: &Digest) {
        if self.book.remove_ticket(digest).is_some() {
            self.erase::<Ticket>(&digest.hex());
        }
    }

    /// Takes those tickets of an account away that `which` says.
    pub fn drop_tickets_of(&mut self, account: AccountId, which: impl Fn(&Ticket) -> bool) {
        for it in self.book.list_tickets(account).iter().filter(|it| which(it)) {
            self.remove_ticket(&it.digest);
        }
    }

    /// Takes all tickets away that `which` says. It looks at every ticket there is.
    pub fn drop_tickets(&mut self, which: impl Fn(&Ticket) -> bool) {
        let digests: Vec<_> =
            self.book.tickets().filter(|it| which(it)).map(|it| it.digest).collect();
        for digest in digests {
            self.remove_ticket(&digest);
        }
    }

    /// Takes all links away that were mailed to an account: whoever could read its mail, or chose its password,
    /// before now has nothing left.
    pub(super) fn drop_mailed_links(&mut self, account: &Account) {
        self.drop_tickets(|it| match &it.purpose {
            Purpose::MagicLink { email } => account.email.as_ref() == Some(email),
            Purpose::VerifyEmail { .. } | Purpose::ResetPassword | Purpose::ChangeEmail { .. } => {
                it.account == Some(account.id)
            }
            Purpose::OAuth(_) | Purpose::Moderate(_) => false,
        });
    }

    /// Sets what is switched off.
    pub fn set_controls(&mut self, controls: Controls) {
        self.write(&controls);
        self.book.set_controls(controls);
    }

    /// Puts in a row of a kind that only its own file knows.
    pub fn put<T: Record>(&mut self, row: &T) {
        self.write(row);
        let key = row_key(T::KIND, &row.key());
        let json = self.rows.get(&key).and_then(Option::as_deref).map(Arc::from);
        self.book.set_other(key, json);
    }

    /// Takes such a row away.
    pub fn remove<T: Record>(&mut self, key: &str) {
        self.erase::<T>(key);
        self.book.set_other(row_key(T::KIND, key), None);
    }

    /// Lets a mail be sent. When too many wait already it is audited instead: whoever asked is told the same.
    pub fn mail(&mut self, to: &Email, account: Option<AccountId>, letter: Letter) {
        if self.book.count::<Mail>("") >= MOST_MAILS {
            let entry = AuditEntry::new(self.at, Actor::System, "mail_failed").about(to);
            let entry = entry.ended("failed").with("email_type", letter.kind());
            self.audit(entry.with("reason", "too many mails wait already"));
            return;
        }
        let mail = Mail {
            id: Uuid::now_v7(),
            to: to.clone(),
            account,
            letter,
            created_at: self.at,
            attempts: 0,
            next_attempt_at: self.at,
        };
        self.put(&mail);
    }

    /// Tells the owner of an account what happened, where its address is known to be theirs.
    pub fn alert(&mut self, account: &Account, what: Alert, user_agent: &str, account_page: &str) {
        let Some(email) = account.email.as_ref().filter(|_| account.email_verified) else { return };
        let letter = Letter::Alert {
            what,
            at: self.at,
            user_agent: user_agent.to_owned(),
            account_page: account_page.to_owned(),
        };
        self.mail(email, Some(account.id), letter);
    }

    /// Writes down what was noted before, and told already.
    pub(super) fn write_noted(&mut self, entry: &AuditEntry) {
        self.write(entry);
    }

    /// Notes what was done.
    pub fn audit(&mut self, entry: AuditEntry) {
        self.write(&entry);
        self.audited.push(entry);
    }
}
