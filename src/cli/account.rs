//! `streamsuites account`: what must be possible when nobody can sign in.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Failure,
    folders::Folders,
    offline::Offline,
    password::{self, PasswordArgs},
    print,
};
use crate::{
    accounts::{Account, AccountStatus, Act, By, Email, NewApiToken, readable_name},
    model::{AccountRole, Tier},
};

/// What can be done to accounts while no server runs.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an admin of whoever has a mail address; the account is made when there is none.
    #[command(
        after_help = "Examples:\n  streamsuites account create-admin you@example.com\n  streamsuites account create-admin you@example.com --link"
    )]
    CreateAdmin {
        /// The mail address
        email: String,
        /// Where the password comes from
        #[command(flatten)]
        password: PasswordArgs,
        /// Where the accounts are
        #[command(flatten)]
        folders: Folders,
    },
    /// Give an account another password, and end all its sign-ins.
    #[command(
        after_help = "Example:\n  streamsuites account reset-password ana@example.com --link"
    )]
    ResetPassword {
        /// Its mail address, code or id
        account: String,
        /// Where the password comes from
        #[command(flatten)]
        password: PasswordArgs,
        /// Where the accounts are
        #[command(flatten)]
        folders: Folders,
    },
    /// List all accounts, the oldest first.
    #[command(after_help = "Example:\n  streamsuites account list --json")]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Where the accounts are
        #[command(flatten)]
        folders: Folders,
    },
    /// Give an account a role: viewer, creator, moderator or admin.
    #[command(after_help = "Example:\n  streamsuites account set-role ana@example.com creator")]
    SetRole {
        /// Its mail address, code or id
        account: String,
        /// The role
        role: AccountRole,
        /// Where the accounts are
        #[command(flatten)]
        folders: Folders,
    },
    /// Give an account a tier: core, gold or pro.
    #[command(after_help = "Example:\n  streamsuites account set-tier ana@example.com pro")]
    SetTier {
        /// Its mail address, code or id
        account: String,
        /// The tier
        tier: Tier,
        /// Where the accounts are
        #[command(flatten)]
        folders: Folders,
    },
}

/// Does it.
///
/// # Errors
/// One sentence: why not.
pub fn run(command: AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::CreateAdmin { email, password, folders } => {
            create_admin(&email, password, &folders)
        }
        AccountCommand::ResetPassword { account, password, folders } => {
            reset_password(&account, password, &folders)
        }
        AccountCommand::List { json, folders } => list(json, &folders),
        AccountCommand::SetRole { account, role, folders } => {
            let offline = Offline::open(folders.load()?, false)?;
            let account = offline.find(&account)?;
            let account = act(&offline, &account, Act::SetRole(role))?;
            print(&format!("{} is now {role}\n", name(&account)))
        }
        AccountCommand::SetTier { account, tier, folders } => {
            let offline = Offline::open(folders.load()?, false)?;
            let account = offline.find(&account)?;
            let account = act(&offline, &account, Act::SetTier(tier))?;
            print(&format!("{} now has the tier {tier}\n", name(&account)))
        }
    }
}

fn act(offline: &Offline, account: &Account, act: Act) -> Result<Arc<Account>, Failure> {
    let acted = offline.run(offline.accounts.act(account.id, act, By::operator()))?;
    Ok(acted.account)
}

fn create_admin(email: &str, how: PasswordArgs, folders: &Folders) -> Result<(), Failure> {
    let email: Email = email.parse().map_err(|it| Failure::new(format!("`{email}`: {it}")))?;
    let offline = Offline::open(folders.load()?, true)?;
    let known = offline.accounts.book().find_by_email(&email).cloned();
    // Whoever has an account already keeps the password, unless another one is sent.
    let keeps = known.is_some_and(|it| it.email_verified) && !how.stdin;
    let password = if how.link || keeps { None } else { Some(password::read(how)?) };
    let admitted = offline.accounts.admit_admin(email, password.as_deref());
    let (account, made) = offline.run(admitted)?;
    let (name, what) = (name(&account), if made { "was made, and is" } else { "is now" });
    print(&format!("{name} {what} an admin\n"))?;
    if how.link { print_link(&offline, &account) } else { Ok(()) }
}

fn reset_password(who: &str, how: PasswordArgs, folders: &Folders) -> Result<(), Failure> {
    let offline = Offline::open(folders.load()?, false)?;
    let account = offline.find(who)?;
    if how.link {
        return print_link(&offline, &account);
    }
    let password = password::read(how)?;
    let ended = offline.run(offline.accounts.replace_password(account.id, &password))?;
    let ended = match ended {
        0 => "nobody was signed in".to_owned(),
        1 => "one sign-in was ended".to_owned(),
        it => format!("{it} sign-ins were ended"),
    };
    print(&format!("{} has another password; {ended}\n", name(&account)))
}

fn print_link(offline: &Offline, account: &Account) -> Result<(), Failure> {
    let link = offline.run(offline.accounts.open_link(account.id))?;
    let minutes = offline.accounts.config().system.auth.mail_link_minutes;
    print(&format!(
        "start the server, and open this within {minutes} minutes; it signs in once, and a password can be chosen then:\n\
         {link}\n"
    ))
}

fn list(as_json: bool, folders: &Folders) -> Result<(), Failure> {
    let offline = Offline::open(folders.load()?, false)?;
    let book = offline.accounts.book();
    if as_json {
        let rows: Vec<_> = book
            .accounts()
            .map(|it| {
                json!({
                    "id": it.id, "user_code": it.user_code, "email": it.email,
                    "email_verified": it.email_verified, "display_name": it.display_name,
                    "role": it.role, "tier": it.tier, "status": it.status,
                    "has_password": it.password.is_some(),
                    "providers": it.providers.iter().map(|it| &it.provider).collect::<Vec<_>>(),
                    "rooms": it.rooms, "created_at": it.created_at,
                    "last_login_at": it.last_login_at,
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&rows).map_err(Failure::new)?;
        return print(&format!("{text}\n"));
    }
    let mut text = String::new();
    for it in book.accounts() {
        let verified = if it.email_verified { "verified" } else { "unverified" };
        let status = if it.status == AccountStatus::Suspended { "  suspended" } else { "" };
        let email = it.email.as_ref().map_or("-", Email::as_str);
        let (code, role, tier) = (it.user_code.as_str(), it.role.as_str(), it.tier.as_str());
        text.push_str(&format!("{code}  {role:<9}  {tier:<4}  {verified:<10}  {email}{status}\n"));
    }
    if text.is_empty() {
        text.push_str("there is no account yet\n");
    }
    print(&text)
}

/// What an account is called on the command line.
fn name(account: &Account) -> String {
    account.email.as_ref().map_or(account.user_code.as_str(), Email::as_str).to_owned()
}

/// The flags of `token create`.
#[derive(Debug, Args)]
pub struct NewTokenArgs {
    /// Whose programs send it: a mail address, code or id
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// What it is called in lists
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Days it works; without it, until it is taken away
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: Option<u32>,
    #[command(flatten)]
    folders: Folders,
}

/// Prints a fresh token of an account, the only time that it is shown.
///
/// # Errors
/// One sentence: why not.
pub fn create_token(arguments: NewTokenArgs) -> Result<(), Failure> {
    let NewTokenArgs { account, name, days, folders } = arguments;
    let name = readable_name(&name)
        .ok_or_else(|| Failure::new("--name: the token needs a name that can be read"))?;
    let offline = Offline::open(folders.load()?, false)?;
    let account = offline.find(&account)?;
    let token = offline.accounts.give_token(account.id, NewApiToken { name, days });
    print(&format!("{}\n", offline.run(token)?))
}
