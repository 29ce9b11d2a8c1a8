//! The way to a provider and back: the ticket that is kept meanwhile, and what becomes of who brings it.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::{ProviderError, Providers};
use crate::accounts::{
    Account, AccountError, AccountId, Actor, AuditEntry, Change, Digest, Origin, Purpose,
    PurposeKind, SignedIn, Surface, Ticket,
    lockout::network,
    oauth::{Aim, Flow, Identity, OAuthError, Provider},
};

/// Most ways that are under way at a time; the network that has most of them makes room for further ones. Well below
/// the room for all tickets: who floods this does not push out the links in people's mails.
const MOST_UNDER_WAY: usize = 5_000;
/// Most ways that are under way from one network; the oldest of them makes room. Behind one there may be a school.
const MOST_OF_A_NETWORK: usize = 100;

/// What somebody sets out with.
#[derive(Debug, Clone)]
pub struct Begin {
    /// To whom.
    pub provider: Provider,
    /// What for.
    pub aim: Aim,
    /// From which surface. A creator's also asks for the platform.
    pub surface: Surface,
    /// The page they go on to.
    pub return_to: Option<String>,
    /// From where.
    pub origin: Origin,
}

/// Somebody who came back.
#[derive(Debug)]
pub struct Back {
    /// The surface they set out from.
    pub surface: Surface,
    /// The page they asked for.
    pub return_to: Option<String>,
    /// What for.
    pub aim: Aim,
    /// How it ended.
    pub result: Result<Finished, ProviderError>,
}

/// What a way led to.
#[derive(Debug)]
pub enum Finished {
    /// They are signed in.
    SignedIn(SignedIn),
    /// Their account has one more way in.
    Linked(Arc<Account>),
}

impl Providers {
    /// Sends somebody to a provider; `browser` is the secret in the cookie of theirs. The address to send them to.
    ///
    /// # Errors
    /// When the provider is not offered, its address makes too many attempts, or the disk refuses.
    pub async fn begin(&self, begin: Begin, browser: &str) -> Result<String, ProviderError> {
        let Begin { provider, aim, surface, return_to, origin } = begin;
        let accounts = &self.0.accounts;
        self.check_offered(provider)?;
        accounts.paces().attempt(origin.address).map_err(AccountError::TooMany)?;
        let account = match &aim {
            Aim::Link(id) => Some(*id),
            Aim::SignIn => None,
        };
        let mut flow = Flow::new(provider, aim, surface == Surface::Creator, browser);
        flow.network = origin.address.map(network);
        // Looked at first, so that nothing is kept of a way that leads nowhere.
        self.0.oauth.authorize_url(&flow, "")?;
        let kept = serde_json::to_value(&flow).expect("plain values always serialise");
        let from = flow.network;
        let minutes = accounts.config().system.auth.oauth_state_minutes;
        let state = accounts
            .change(move |change| {
                make_room(change, from, MOST_OF_A_NETWORK, MOST_UNDER_WAY);
                Ok(change.open_ticket(Purpose::OAuth(kept), account, minutes, surface, return_to))
            })
            .await?;
        Ok(self.0.oauth.authorize_url(&flow, state.expose())?)
    }

    /// Takes somebody in who came back from `provider` with `state` and a code, or the provider's word for what went
    /// wrong. `signed_in` is whose session they bring: only its own account gets another way in.
    ///
    /// # Errors
    /// [`AccountError::BadTicket`] when nobody set out like that in this browser. How a known way ended is told in
    /// [`Back::result`].
    pub async fn finish(
        &self,
        provider: Provider,
        state: &str,
        answer: Result<&str, &str>,
        browser: Option<&str>,
        signed_in: Option<AccountId>,
        origin: Origin,
    ) -> Result<Back, AccountError> {
        let secret = state.to_owned();
        // Taken away whoever brings it: what a stranger saw is worth nothing any more.
        let ticket =
            self.0.accounts.change(move |it| it.take_ticket(&secret, PurposeKind::OAuth)).await?;
        let Purpose::OAuth(kept) = &ticket.purpose else { return Err(AccountError::BadTicket) };
        // One that another version of this server kept is too old.
        let flow: Flow =
            serde_json::from_value(kept.clone()).map_err(|_| AccountError::BadTicket)?;
        if flow.provider != provider || !browser.is_some_and(|it| flow.is_of(it)) {
            return Err(AccountError::BadTicket);
        }
        let result = self.arrive(&flow, answer, ticket.surface, signed_in, &origin).await;
        if let Err(error) = &result {
            self.note_failure(provider, error, &origin);
        }
        let (surface, return_to) = (ticket.surface, ticket.return_to.clone());
        Ok(Back { surface, return_to, aim: flow.aim, result })
    }

    async fn arrive(
        &self,
        flow: &Flow,
        answer: Result<&str, &str>,
        surface: Surface,
        signed_in: Option<AccountId>,
        origin: &Origin,
    ) -> Result<Finished, ProviderError> {
        self.check_offered(flow.provider)?;
        let code = answer.map_err(|it| OAuthError::told(flow.provider, it))?;
        if let Aim::Link(id) = &flow.aim
            && signed_in != Some(*id)
        {
            return Err(AccountError::Refused("sign in to the account that gets the way in").into());
        }
        let at = self.0.accounts.now();
        let identity: Identity = self.0.oauth.exchange(flow, code, at).await?;
        let allows = identity.tokens.is_some();
        let finished = match &flow.aim {
            Aim::SignIn => {
                Finished::SignedIn(self.sign_in(identity, surface, origin.clone()).await?)
            }
            Aim::Link(id) => Finished::Linked(self.link(*id, identity, origin.clone()).await?),
        };
        if allows {
            self.0.changed.notify_one();
        }
        Ok(finished)
    }

    fn note_failure(&self, provider: Provider, error: &ProviderError, origin: &Origin) {
        match error {
            ProviderError::OAuth(OAuthError::Misconfigured { .. }) => {
                tracing::error!(%provider, %error, "nobody can sign in there");
            }
            ProviderError::OAuth(_) => tracing::info!(%provider, %error, "a sign-in failed"),
            ProviderError::Account(AccountError::Storage(_)) => return,
            ProviderError::Account(_) => {}
        }
        let at = self.0.accounts.now();
        let entry = AuditEntry::new(at, Actor::Nobody, "login_failed").from(origin);
        let entry = entry.with("method", provider.as_str()).with("reason", error.reason());
        self.0.accounts.note(entry.ended("failed"));
    }
}

/// The network that a way was begun in; `None` for a ticket that is no way.
fn network_of(ticket: &Ticket) -> Option<Option<IpAddr>> {
    match &ticket.purpose {
        Purpose::OAuth(flow) => Some(flow.get("network").and_then(|it| it.as_str()?.parse().ok())),
        _ => None,
    }
}

/// Makes room for one more way from a network: whoever floods this shuts out nobody but their own network.
fn make_room(change: &mut Change, from: Option<IpAddr>, most_of_one: usize, most: usize) {
    // Those that were begun first come first: all live equally long.
    let under_way: Vec<(Option<IpAddr>, Digest)> =
        change.tickets().filter_map(|it| Some((network_of(it)?, it.digest))).collect();
    let mut counts: HashMap<Option<IpAddr>, usize> = HashMap::new();
    for (network, _) in &under_way {
        *counts.entry(*network).or_default() += 1;
    }
    let full = counts.get(&from).is_some_and(|it| *it >= most_of_one).then_some(from);
    let largest = || counts.iter().max_by_key(|it| it.1).map(|it| *it.0);
    let crowded = full.or_else(|| if under_way.len() >= most { largest() } else { None });
    let oldest = crowded.and_then(|crowded| under_way.iter().find(|it| it.0 == crowded));
    if let Some((_, digest)) = oldest {
        change.remove_ticket(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Accounts;

    fn at(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    /// Goal: a stranger who begins and begins shuts out nobody else.
    #[test]
    fn whoever_begins_too_many_ways_makes_room_themselves() {
        let accounts = Accounts::in_memory();
        let begin = |from: Option<IpAddr>| {
            let mut flow = Flow::new(Provider::Google, Aim::SignIn, false, "cookie");
            flow.network = from;
            let kept = serde_json::to_value(&flow).unwrap();
            let work = |change: &mut Change| {
                make_room(change, from, 3, 6);
                Ok(change.open_ticket(Purpose::OAuth(kept), None, 10, Surface::Public, None))
            };
            accounts.change_now(work).unwrap().digest()
        };
        let count = |from: Option<IpAddr>| {
            let book = accounts.book();
            book.tickets().filter(|it| network_of(it) == Some(from)).count()
        };
        begin(at(1));
        for _ in 0..20 {
            begin(at(2));
        }
        assert_eq!((count(at(1)), count(at(2))), (1, 3));
        for last in 3..9 {
            begin(at(last));
        }
        assert_eq!(accounts.book().count_tickets(), 6);
        assert!(count(at(2)) <= 1, "the largest makes room first");
        let ben = begin(None);
        assert!(accounts.book().ticket(&ben).is_some(), "nobody is turned away");
    }
}
