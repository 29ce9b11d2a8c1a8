//! Accounts on disks that fail, and among people who want what is not theirs.

mod acts;
mod clocks;
mod copies;
mod crowds;
mod moderated;
mod power;
mod strangers;
mod upkeep;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use tokio::sync::watch;

use super::*;
use crate::{
    config::Config,
    lifecycle::Lifecycle,
    model::{AccountRole, CreatorId, Tier, Timestamp},
    storage::{Database, disk::Disk},
};

const PASSWORD: &str = "tender violet anvils";
const OTHER_PASSWORD: &str = "seven distant lanterns";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A server's accounts on a disk, and their clock.
struct World {
    disk: Disk,
    now: Arc<AtomicI64>,
    accounts: Accounts,
}

/// Cheap hashes, and nobody is slowed down but by the lockout.
fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    let auth = &mut config.system.auth;
    (auth.password_memory_kib, auth.password_iterations) = (64, 1);
    (auth.attempts_per_minute, auth.mails_per_hour) = (100_000, 1_000);
    change(&mut config);
    config
}

fn open(disk: &Disk, now: &Arc<AtomicI64>, config: Config) -> Result<Accounts, AccountError> {
    let (disk, now) = (disk.clone(), Arc::clone(now));
    let parts = Parts {
        life: Lifecycle::new(),
        config: watch::channel(Arc::new(config)).1,
        clock: Arc::new(move || Timestamp::from_unix_ms(now.load(Ordering::SeqCst)).unwrap()),
        base_url: "https://suite.example".to_owned(),
    };
    Ok(Accounts::on(Box::new(move || Database::open_on(disk.clone())), parts)?)
}

impl Accounts {
    /// Nobody's yet, on no disk: for tests of what is made of accounts.
    pub(crate) fn in_memory() -> Self {
        let now = Arc::new(AtomicI64::new(1_790_000_000_000));
        open(&Disk::default(), &now, config(|_| {})).unwrap()
    }
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let disk = Disk::default();
        let now = Arc::new(AtomicI64::new(1_790_000_000_000));
        let accounts = open(&disk, &now, config(change)).unwrap();
        Self { disk, now, accounts }
    }

    /// The same server after the power went and came back.
    fn after_power_cut(&self, luck: u64) -> Self {
        let (disk, now) = (self.disk.after_power_cut(luck), Arc::clone(&self.now));
        let accounts = open(&disk, &now, config(|_| {})).unwrap();
        Self { disk, now, accounts }
    }

    /// What the disk holds, as a server that starts now would see it.
    fn on_disk(&self) -> Vec<String> {
        let disk = self.disk.after_power_cut(0);
        contents(&open(&disk, &self.now, config(|_| {})).unwrap().book())
    }

    fn advance(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    async fn sign_up(&self, email: &str, password: &str) -> Result<(), AccountError> {
        self.accounts.sign_up(sign_up(email), password).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, AccountError> {
        self.accounts.sign_in(address(email), password, Surface::Public, origin(1)).await
    }

    async fn send_link(&self, email: &str) {
        self.accounts.send_magic_link(sign_up(email)).await.unwrap();
    }

    async fn use_link(&self, secret: &str) -> Result<SignedIn, AccountError> {
        self.accounts.use_magic_link(secret, origin(1)).await
    }

    async fn verify(&self, secret: &str) -> Result<GoOn, AccountError> {
        self.accounts.verify_email(secret, origin(1)).await
    }

    /// An account that its owner signed up for and verified.
    async fn member(&self, email: &str) -> Arc<Account> {
        self.sign_up(email, PASSWORD).await.unwrap();
        let secret = self.last_mail(email).secret;
        self.verify(&secret).await.unwrap();
        self.find(email).unwrap()
    }

    fn find(&self, email: &str) -> Option<Arc<Account>> {
        self.accounts.book().find_by_email(&address(email)).cloned()
    }

    /// Mails to an address, the first first: what each is, and the secret of its link.
    fn mails(&self, email: &str) -> Vec<Received> {
        let mut mails: Vec<Mail> = self.accounts.book().list("");
        mails.retain(|it| it.to == address(email));
        mails.sort_by_key(|it| it.id);
        mails.iter().map(Received::of).collect()
    }

    fn last_mail(&self, email: &str) -> Received {
        self.mails(email).pop().expect("a mail was sent")
    }

    /// What was audited, the first first: action and result.
    async fn audited(&self) -> Vec<(String, String)> {
        let entries = self.accounts.list_audit(None, 100_000).await.unwrap().entries;
        entries.into_iter().rev().map(|it| (it.action, it.result)).collect()
    }

    async fn count_audited(&self, action: &str) -> usize {
        self.audited().await.iter().filter(|it| it.0 == action).count()
    }
}

#[derive(Debug, Clone)]
struct Received {
    kind: &'static str,
    secret: String,
}

impl Received {
    fn of(mail: &Mail) -> Self {
        let secret = match &mail.letter {
            Letter::Verify { link, .. }
            | Letter::MagicLink { link, .. }
            | Letter::ResetPassword { link, .. } => link.split_once("token=").unwrap().1.to_owned(),
            _ => String::new(),
        };
        Self { kind: mail.letter.kind(), secret }
    }
}

fn address(text: &str) -> Email {
    text.parse().unwrap()
}

fn origin(last: u8) -> Origin {
    Origin { address: Some([192, 0, 2, last].into()), user_agent: "a browser".to_owned() }
}

fn sign_up(email: &str) -> SignUp {
    SignUp {
        email: address(email),
        display_name: "Ana".to_owned(),
        surface: Surface::Public,
        return_to: None,
        origin: origin(1),
    }
}

/// Everything of a book as lines, without what only memory counts.
fn contents(book: &Book) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut put = |kind: &str, row: serde_json::Value| lines.push(format!("{kind} {row}"));
    let value = |it: serde_json::Result<serde_json::Value>| it.unwrap();
    for it in book.accounts() {
        put("account", value(serde_json::to_value(&**it)));
    }
    for it in book.sessions() {
        let mut row = value(serde_json::to_value(&**it));
        row.as_object_mut().unwrap().remove("seen");
        put("session", row);
    }
    for it in book.tokens() {
        let mut row = value(serde_json::to_value(&**it));
        row.as_object_mut().unwrap().remove("used");
        put("token", row);
    }
    for it in book.tickets() {
        put("ticket", value(serde_json::to_value(&**it)));
    }
    for it in book.list::<Mail>("") {
        put("mail", value(serde_json::to_value(&it)));
    }
    for it in book.list::<ticket::Spent>("") {
        put("spent", value(serde_json::to_value(&it)));
    }
    put("controls", value(serde_json::to_value(book.controls())));
    lines.sort();
    lines
}
