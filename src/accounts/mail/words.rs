//! What the mails say: once, for the page and for the plain text of each.

use super::{browser_name, one_line};
use crate::{
    accounts::{Alert, Letter},
    model::Timestamp,
};

/// Longest name that somebody else chose (characters).
const MOST_NAME_CHARS: usize = 60;
/// What to do when somebody else is in the account.
const SECURE: &str = "If this was not you, somebody else is in your account: open it, change your password, and end \
                      all other sign-ins.";
/// The same when nothing can be done any more.
const WRITE: &str =
    "If this was not you, write to whoever runs this server at once: you cannot undo it yourself.";
/// The same when it was nobody's harm.
const ASK: &str = "If you do not know why, write to whoever runs this server.";

/// The words of a letter. All but the links and what went through [`name`] are ours.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) says: Vec<String>,
    /// What it says, and where it leads.
    pub(super) button: Option<(&'static str, String)>,
    /// How long the link works.
    pub(super) valid: Option<String>,
    /// What to do if it was somebody else.
    pub(super) otherwise: &'static str,
    /// When and how it happened.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// The words of a letter.
pub(super) fn words(letter: &Letter) -> Words {
    let asks = |title, says: String, button, link: &str, lasts, otherwise| Words {
        title,
        says: vec![says],
        button: Some((button, link.to_owned())),
        valid: Some(format!("The link works once, for {lasts}.")),
        otherwise,
        facts: Vec::new(),
    };
    match letter {
        Letter::Verify { link, minutes } => asks(
            "Confirm your mail address",
            "Somebody, hopefully you, is signing up for StreamSuites with this address. Confirm that it is yours."
                .to_owned(),
            "Confirm address",
            link,
            in_words(*minutes, "minute"),
            "If this was not you, ignore this mail: without the link, nobody can use your address.",
        ),
        Letter::MagicLink { link, minutes } => asks(
            "Your sign-in link",
            "Here is the link that signs you in to StreamSuites. Open it in the browser you want to use.".to_owned(),
            "Sign in",
            link,
            in_words(*minutes, "minute"),
            "If you did not ask for it, ignore this mail, and give the link to nobody: it opens your account.",
        ),
        Letter::ResetPassword { link, minutes } => asks(
            "Set a new password",
            "Somebody, hopefully you, has forgotten the password of your StreamSuites account.".to_owned(),
            "Set a new password",
            link,
            in_words(*minutes, "minute"),
            "If this was not you, ignore this mail: your password stays as it is.",
        ),
        Letter::ConfirmAddress { link, minutes } => asks(
            "Confirm your new mail address",
            "A StreamSuites account is to be moved to this address. Confirm that it is yours.".to_owned(),
            "Confirm new address",
            link,
            in_words(*minutes, "minute"),
            "If this was not you, ignore this mail: the account stays where it is.",
        ),
        Letter::Invitation { link, room, from, days } => asks(
            "You are invited to moderate",
            format!("{} asks you to moderate the room {} on StreamSuites.", name(from), name(room)),
            "Accept",
            link,
            in_words(*days, "day"),
            "If you do not know them, ignore this mail: nothing happens without you.",
        ),
        Letter::HaveAccount { login } => Words {
            title: "You already have an account",
            says: vec![
                "Somebody tried to sign up for StreamSuites with your address. It has an account already, so nothing \
                 was made and nothing was changed."
                    .to_owned(),
                "If you have forgotten your password, you can set a new one on the page you sign in on."
                    .to_owned(),
            ],
            button: Some(("Sign in", login.clone())),
            valid: None,
            otherwise: "If this was not you, there is nothing you need to do.",
            facts: Vec::new(),
        },
        Letter::Alert { what, at, user_agent, account_page } => {
            let (title, says, otherwise) = alert(what);
            let mut facts = vec![("When", when(*at))];
            if !user_agent.is_empty() {
                facts.push(("With", browser_name(user_agent)));
            }
            // There is nothing left to look at.
            let gone =
                matches!(what, Alert::AddressChanged { .. } | Alert::Suspended | Alert::Deleted);
            let button = (!gone).then(|| ("Look at your account", account_page.clone()));
            Words { title, says, button, valid: None, otherwise, facts }
        }
    }
}

fn alert(what: &Alert) -> (&'static str, Vec<String>, &'static str) {
    let says = |it: &str| vec![it.to_owned()];
    match what {
        Alert::NewSignIn => (
            "New sign-in to your account",
            says(
                "Somebody signed in to your StreamSuites account from where nobody did before. If it was you, all is well.",
            ),
            SECURE,
        ),
        Alert::PasswordChanged => (
            "Your password was changed",
            says("The password of your StreamSuites account was changed."),
            "If this was not you, somebody else is in your account: set a new password with “Forgot password?” on \
             the page you sign in on. That ends all other sign-ins. Then delete API tokens that you do not know: they \
             go on working.",
        ),
        Alert::AddressChanging { to } => (
            "Your mail address is about to change",
            vec![
                format!("Your StreamSuites account is to be moved to the address {}.", name(to)),
                "Nothing changes until the link in the mail to that address is opened.".to_owned(),
            ],
            SECURE,
        ),
        Alert::AddressChanged { to } => (
            "Your mail address was changed",
            vec![
                format!("Your StreamSuites account was moved to the address {}.", name(to)),
                "From now on its mails go there. This is the last one to you.".to_owned(),
            ],
            WRITE,
        ),
        Alert::ProviderLinked { provider } => (
            "A way to sign in was added",
            vec![format!(
                "From now on, your StreamSuites account can be signed in to with {}.",
                name(&capital(provider))
            )],
            SECURE,
        ),
        Alert::ProviderUnlinked { provider } => (
            "A way to sign in was removed",
            vec![format!(
                "Your StreamSuites account can no longer be signed in to with {}.",
                name(&capital(provider))
            )],
            SECURE,
        ),
        Alert::TokenCreated { name: of } => (
            "A token was made for your account",
            vec![format!(
                "An API token named {} was made. Whoever has it may use your StreamSuites account from programs.",
                name(of)
            )],
            "If this was not you, somebody else is in your account: open it, revoke the token, change your password, \
             and end all other sign-ins.",
        ),
        Alert::SessionsEnded => (
            "You were signed out everywhere",
            vec![
                "All sign-ins to your StreamSuites account were ended, on every device.".to_owned(),
                "Sign in again wherever you need it.".to_owned(),
            ],
            "If you do not know why, change your password once you are signed in.",
        ),
        Alert::Suspended => (
            "Your account was suspended",
            says(
                "Your StreamSuites account was suspended. Nobody can sign in to it, and nothing of it is lost.",
            ),
            ASK,
        ),
        Alert::Deleted => (
            "Your account was deleted",
            vec![
                "Your StreamSuites account was deleted, with everything that belonged to it."
                    .to_owned(),
                "This is the last mail to you.".to_owned(),
            ],
            WRITE,
        ),
    }
}

/// What somebody chose, in one line, between marks that keep its direction to itself.
fn name(text: &str) -> String {
    format!("\u{2068}{}\u{2069}", one_line(text, MOST_NAME_CHARS))
}

fn capital(provider: &str) -> String {
    match provider {
        "github" => "GitHub".to_owned(),
        it => it.chars().take(1).flat_map(char::to_uppercase).chain(it.chars().skip(1)).collect(),
    }
}

fn in_words(count: u32, unit: &str) -> String {
    match (count, unit) {
        (1, unit) => format!("1 {unit}"),
        (60, "minute") => "1 hour".to_owned(),
        (it, "minute") if it % 60 == 0 => format!("{} hours", it / 60),
        (it, unit) => format!("{it} {unit}s"),
    }
}

fn when(at: Timestamp) -> String {
    // `2026-11-20T18:03:11.412Z`: nobody needs to know the seconds.
    let text = at.to_string();
    format!("{} UTC", text.get(..16).unwrap_or(&text).replace('T', ", "))
}
