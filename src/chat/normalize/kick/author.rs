//! Who did something.

use super::{badges, qualified};
use crate::{
    chat::normalize::clean,
    model::{Author, HostedPicture, Role},
    platforms::kick::{ChannelFacts, wire::Person},
};

/// Stands for those who wished not to be named.
const ANONYMOUS: &str = "Anonymous";

/// Somebody who is named; `None` when nobody is.
pub(super) fn read(person: &Person, facts: &ChannelFacts) -> Option<Author> {
    let name = person.known_name()?;
    let name = clean(name).replace('\n', " ");
    let login = match person.slug.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        Some(slug) => clean(slug).to_lowercase(),
        // What the slug of a name is usually: it cannot be told for certain.
        None => name.to_lowercase().replace('_', "-"),
    };
    let id = match &person.id {
        Some(id) => qualified(id.as_str()),
        // Nobody's id begins like this: some events tell a name alone.
        None => qualified(&format!("@{}", name.to_lowercase())),
    };
    let identity = person.identity.as_ref();
    let color = identity
        .and_then(|it| it.color.as_deref().or(it.username_color.as_deref()))
        .or(person.username_color.as_deref())
        .and_then(color);
    let badges = identity.map(|it| badges::read(it, facts)).unwrap_or_default();
    let mut roles: Vec<Role> = Vec::new();
    let is_owner = facts
        .user_id
        .is_some_and(|owner| person.id.as_ref().is_some_and(|it| it.as_str() == owner.to_string()));
    let verified = person.is_verified == Some(true);
    let sets = badges.iter().filter_map(|it| role(&it.set));
    let of_person = [(Role::Broadcaster, is_owner), (Role::Verified, verified)];
    for role in sets.chain(of_person.into_iter().filter_map(|(role, is)| is.then_some(role))) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    let avatar = person.profile_picture.as_deref().and_then(HostedPicture::find);
    let avatar = avatar.map(|it| it.media_path());
    Some(Author { id, login, name, color, badges, roles, avatar, identity: None })
}

/// Somebody, named or not: a message always has an author.
pub(super) fn read_or_anonymous(person: Option<&Person>, facts: &ChannelFacts) -> Author {
    person.and_then(|it| read(it, facts)).unwrap_or_else(|| Author {
        id: qualified("anonymous"),
        login: ANONYMOUS.to_lowercase(),
        name: ANONYMOUS.to_owned(),
        color: None,
        badges: Vec::new(),
        roles: Vec::new(),
        avatar: None,
        identity: None,
    })
}

fn role(set: &str) -> Option<Role> {
    Some(match set {
        "broadcaster" => Role::Broadcaster,
        "moderator" => Role::Moderator,
        "vip" => Role::Vip,
        "subscriber" | "founder" => Role::Subscriber,
        "verified" => Role::Verified,
        "staff" => Role::Staff,
        "bot" => Role::Bot,
        _ => return None,
    })
}

/// `#RRGGBB`; anything else is no colour.
fn color(text: &str) -> Option<String> {
    let digits = text.strip_prefix('#')?;
    let is_one = digits.len() == 6 && digits.bytes().all(|it| it.is_ascii_hexdigit());
    is_one.then(|| format!("#{}", digits.to_ascii_uppercase()))
}
