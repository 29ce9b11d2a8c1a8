//! The way to a provider and back: the ticket that is kept meanwhile, and what becomes of who brings it.

use std::{cmp::Reverse, collections::HashMap, net::IpAddr, sync::Arc};

use super::{ProviderError, Providers};
use crate::accounts::{
    Account, AccountError, AccountId, Actor, AuditEntry, Change, Digest, Origin, Purpose,
    PurposeKind, SignedIn, Surface, Ticket,
    oauth::{Aim, Flow, Identity, OAuthError, Provider},
};

/// Most ways that are under way at a time; the network that has most of them makes room for further ones, and of
/// several that have as many, that which has the oldest. So who floods this from few networks shuts out nobody else;
/// from as many networks as this, each way still lasts until so many others were begun. Well below the room for all
/// tickets: who floods this does not push out the links in people's mails.
const MOST_UNDER_WAY: usize = 5_000;
/// Most ways that are under way from one network, which is an IPv4 address or a /48 of IPv6; the oldest of them makes
/// room. Behind one there may be a school.
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
        let flow = Flow::new(provider, aim, surface == Surface::Creator, browser);
        let flow = flow.begun_at(origin.address);
        // Looked at first, so that nothing is kept of a way that leads nowhere.
        self.0.oauth.authorize_url(&flow, "")?;
        let kept = serde_json::to_value(&flow).expect("plain values always serialise");
        let from = flow.network();
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

/// Makes room for one more way from a network: the oldest of that network when it has as many as it may, else, when
/// there are as many as there may be, the oldest of the network that has most.
fn make_room(change: &mut Change, from: Option<IpAddr>, most_of_one: usize, most: usize) {
    /// What one network has under way.
    struct Held {
        count: usize,
        /// Its oldest, and where that comes among all.
        oldest: (usize, Digest),
    }
    // Those that were begun first come first: all live equally long.
    let under_way = change.tickets().filter_map(|it| Some((network_of(it)?, it.digest)));
    let mut networks: HashMap<Option<IpAddr>, Held> = HashMap::new();
    let mut total = 0;
    for (network, digest) in under_way {
        let first = Held { count: 0, oldest: (total, digest) };
        networks.entry(network).or_insert(first).count += 1;
        total += 1;
    }
    let full = networks.get(&from).filter(|it| it.count >= most_of_one);
    let largest = || networks.values().max_by_key(|it| (it.count, Reverse(it.oldest.0)));
    let crowded = full.or_else(|| if total >= most { largest() } else { None });
    if let Some(digest) = crowded.map(|it| it.oldest.1) {
        change.remove_ticket(&digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Accounts;

    /// Most ways of one network here, and in all.
    const MOST_OF_ONE: usize = 3;
    const MOST: usize = 6;

    fn v4(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    /// An address in a /64 of a /48.
    fn v6(site: u16, network: u16) -> Option<IpAddr> {
        Some([0x2001, 0xdb8, site, network, 0, 0, 0, 1].into())
    }

    /// A server where each way is begun after the one before it.
    struct House {
        accounts: Accounts,
        begun: u32,
    }

    impl House {
        fn new() -> Self {
            Self { accounts: Accounts::in_memory(), begun: 0 }
        }

        fn begin(&mut self, at: Option<IpAddr>) -> Digest {
            let flow = Flow::new(Provider::Google, Aim::SignIn, false, "cookie").begun_at(at);
            let kept = serde_json::to_value(&flow).unwrap();
            // The clock stands still: later ones end later all the same.
            self.begun += 1;
            let minutes = self.begun;
            let work = |change: &mut Change| {
                make_room(change, flow.network(), MOST_OF_ONE, MOST);
                Ok(change.open_ticket(Purpose::OAuth(kept), None, minutes, Surface::Public, None))
            };
            self.accounts.change_now(work).unwrap().digest()
        }

        fn has(&self, way: Digest) -> bool {
            self.accounts.book().ticket(&way).is_some()
        }

        fn count(&self) -> usize {
            self.accounts.book().count_tickets()
        }
    }

    /// Goal: a stranger who begins and begins shuts out nobody else, however many networks their provider gave them.
    #[test]
    fn whoever_begins_too_many_ways_makes_room_themselves() {
        let mut house = House::new();
        let ana = house.begin(v4(1));
        for _ in 0..20 {
            house.begin(v4(2));
        }
        assert!(house.has(ana));
        assert_eq!(house.count(), 1 + MOST_OF_ONE);
        for network in 0..50 {
            let way = house.begin(v6(7, network));
            assert!(house.has(way), "nobody is turned away");
        }
        assert!(house.has(ana));
        assert_eq!(house.count(), MOST);
        let ben = house.begin(None);
        assert!(house.has(ana) && house.has(ben));
    }

    /// Goal: against a flood from many networks a way lasts until as many others were begun as there may be.
    #[test]
    fn of_networks_with_as_many_ways_the_oldest_makes_room() {
        let mut house = House::new();
        let [first, second] = [house.begin(v4(1)), house.begin(v4(1))];
        let flood = |house: &mut House, network: u16| {
            for site in 1..u16::try_from(MOST).unwrap() {
                house.begin(v6(site, network));
            }
        };
        flood(&mut house, 0);
        assert!(!house.has(first), "of the network with two, the older one");
        assert!(house.has(second));
        let ana = house.begin(v4(2));
        assert!(!house.has(second), "now it is the oldest of all");
        flood(&mut house, 1);
        assert!(house.has(ana));
        assert_eq!(house.count(), MOST);
    }
}
