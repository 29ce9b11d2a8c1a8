//! Rooms that accounts made, as part of the configuration in force.

use std::collections::HashMap;

use crate::{
    accounts::{AccountId, Book},
    config::{ChannelConfig, Config, CreatorConfig},
    model::CreatorId,
};

/// `config` with the rooms that accounts made. One that the configuration has as well is that one, with the channels
/// of both.
pub(super) fn merged(mut config: Config, book: &Book) -> Config {
    let creators = &mut config.creators.creators;
    let places = creators.iter().enumerate().map(|(place, it)| (it.id.clone(), place));
    let places: HashMap<CreatorId, usize> = places.collect();
    for account in book.accounts() {
        for room in &account.rooms {
            let channels = book.list_channels(room).into_iter();
            let channels = channels.map(|it| ChannelConfig::named(it.platform, it.name));
            if let Some(creator) = places.get(room).map(|it| &mut creators[*it]) {
                for channel in channels {
                    if !creator.has_channel(channel.platform, &channel.name) {
                        creator.channels.push(channel);
                    }
                }
                continue;
            }
            creators.push(CreatorConfig {
                display_name: Some(account.display_name.clone()),
                enabled: account.is_active(),
                env_suffix: Some(suffix(account.id)),
                channels: channels.collect(),
                ..CreatorConfig::named(room.clone())
            });
        }
    }
    config
}

/// The end of names of secrets that nobody sets: `a-b` must not speak with the tokens of the operator's `a_b`.
fn suffix(account: AccountId) -> String {
    format!("ACCOUNT_{account}").to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_room_leads_to_secrets_of_another() {
        let (one, other) = (AccountId::random(), AccountId::random());
        assert_ne!(suffix(one), suffix(other));
        let fits = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_';
        assert!(suffix(one).chars().all(fits) && suffix(one).len() <= 64, "{}", suffix(one));
    }
}
