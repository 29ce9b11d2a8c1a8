//! Whose account a provider leads into, and what is kept of its platform: joined, renewed, given back.

use std::{sync::Arc, time::Duration};

use streamsuites::{
    accounts::{
        Account, AccountError, AccountStatus, Accounts, Controls, Email, Origin, Parts, SignUp,
        Surface,
        oauth::{Aim, OAuth, PlatformTokens, Provider},
        providers::{Back, Begin, Finished, PlatformToken, ProviderError, Providers as Ways},
        sealed::Sealer,
    },
    config::{self, Config, Sources},
    http::Clients,
    lifecycle::Lifecycle,
    model::Timestamp,
};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::{
    providers::{Fault, Person, Providers},
    soon,
};

const BASE: &str = "https://stream.example";
const BROWSER: &str = "the browser's cookie";

/// Accounts and providers without a web server, and a browser that goes where it is sent.
struct House {
    life: Lifecycle,
    accounts: Accounts,
    ways: Ways,
    providers: Arc<Providers>,
    browser: reqwest::Client,
    folder: Arc<TempDir>,
    _config: watch::Sender<Arc<Config>>,
}

impl House {
    async fn open() -> Self {
        let providers = Arc::new(Providers::start().await);
        providers.register(BASE);
        Self::build(Arc::new(tempfile::tempdir().unwrap()), providers, Sealer::new("key one", []))
    }

    fn build(folder: Arc<TempDir>, providers: Arc<Providers>, sealer: Sealer) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let patience = ("STREAMSUITES__SYSTEM__AUTH__PROVIDER_TIMEOUT_SECONDS", "1");
        let more = [patience].map(|it| (it.0.to_owned(), it.1.to_owned()));
        let sources = Sources {
            folder: folder.path().join("config"),
            environment: providers.variables().into_iter().chain(more).collect(),
            ..Sources::default()
        };
        let config = watch::Sender::new(Arc::new(config::load(&sources).unwrap()));
        let life = Lifecycle::new();
        let parts = Parts {
            life: life.clone(),
            config: config.subscribe(),
            clock: Arc::new(Timestamp::now),
            base_url: BASE.to_owned(),
        };
        let accounts = Accounts::open(folder.path(), parts).unwrap();
        let oauth = OAuth::new(Arc::new(Clients::default()), config.subscribe(), BASE);
        let ways = Ways::new(accounts.clone(), oauth, sealer);
        let none = reqwest::redirect::Policy::none();
        let browser = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        Self { life, accounts, ways, providers, browser, folder, _config: config }
    }

    /// Renews and gives back from now on.
    fn keep(&self) {
        self.life.spawn(self.ways.clone().run(self.life.stop.clone()));
    }

    /// Stops, to be opened again with other keys.
    async fn reopen(self, sealer: Sealer) -> Self {
        let Self { life, accounts, ways, providers, folder, .. } = self;
        assert_eq!(life.shut_down(Duration::from_secs(10)).await, 0);
        drop((accounts, ways));
        Self::build(folder, providers, sealer)
    }

    async fn visit(&self, begin: Begin) -> (String, Result<String, String>) {
        let url = self.ways.begin(begin, BROWSER).await.unwrap();
        let answer = self.browser.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        let to = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let find =
            |name: &str| to.query_pairs().find(|it| it.0 == name).map(|it| it.1.into_owned());
        let answer = find("code").ok_or_else(|| find("error").unwrap());
        (find("state").unwrap(), answer)
    }

    async fn travel(&self, begin: Begin, signed_in: Option<&Account>) -> Back {
        let provider = begin.provider;
        let (state, answer) = self.visit(begin).await;
        let answer = answer.as_deref().map_err(String::as_str);
        let signed_in = signed_in.map(|it| it.id);
        let finished =
            self.ways.finish(provider, &state, answer, Some(BROWSER), signed_in, Origin::default());
        soon("the way back", finished).await.unwrap()
    }

    async fn sign_in(&self, provider: Provider) -> Result<Arc<Account>, ProviderError> {
        let back = self.travel(begin(provider, Surface::Public), None).await;
        back.result.map(|it| match it {
            Finished::SignedIn(it) => it.account,
            Finished::Linked(_) => panic!("nothing was to be linked"),
        })
    }

    /// A creator's sign-in, and what came with it.
    async fn creator(&self, provider: Provider) -> (Arc<Account>, PlatformTokens) {
        let back = self.travel(begin(provider, Surface::Creator), None).await;
        let Ok(Finished::SignedIn(it)) = back.result else { panic!("{:?}", back.result) };
        let tokens = self.ways.find_tokens(it.account.id, provider).expect("they are kept");
        (it.account, tokens)
    }

    async fn link(&self, account: &Account, provider: Provider) -> Result<(), ProviderError> {
        let aim = Aim::Link(account.id);
        let begin = Begin { aim, ..begin(provider, Surface::Public) };
        self.travel(begin, Some(account)).await.result.map(drop)
    }

    fn row(&self, account: &Account, provider: Provider) -> Option<PlatformToken> {
        self.accounts.book().find(&format!("{}/{provider}", account.id))
    }

    /// Waits until the book is so: a moment after what was waited for before.
    async fn until<T>(&self, what: &str, find: impl Fn() -> Option<T>) -> T {
        soon(what, async {
            loop {
                if let Some(found) = find() {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// What was audited, the last first: the action and its result.
    async fn audited(&self) -> Vec<(String, String)> {
        // What strangers did is written with the next change.
        self.accounts.change(|_| Ok(())).await.unwrap();
        let entries = self.accounts.list_audit(None, 100).await.unwrap().entries;
        let shown = serde_json::to_string(&entries).unwrap();
        assert!(!shown.contains("hunter2") && !shown.contains("-code-"), "{shown}");
        entries.into_iter().map(|it| (it.action, it.result)).collect()
    }

    /// Whether a text is anywhere in the file of accounts.
    fn disk_holds(&self, text: &str) -> bool {
        let bytes = std::fs::read(self.folder.path().join("accounts.redb")).unwrap();
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    }

    async fn close(self) {
        assert_eq!(self.life.shut_down(Duration::from_secs(10)).await, 0);
    }
}

fn begin(provider: Provider, surface: Surface) -> Begin {
    let (aim, return_to) = (Aim::SignIn, None);
    Begin { provider, aim, surface, return_to, origin: Origin::default() }
}

fn email(text: &str) -> Email {
    text.parse().unwrap()
}

#[tokio::test]
async fn whoever_comes_twice_gets_into_the_same_account() {
    let house = House::open().await;
    for it in Provider::ALL {
        let first = house.sign_in(it).await.unwrap();
        assert_eq!(first.email, Some(email(&format!("{it}@example.org"))));
        assert!(first.email_verified && first.password.is_none(), "{it}");
        assert_eq!(first.display_name, "Person 42");
        assert_eq!((first.providers.len(), first.ways_in()), (1, 1));
        // A new address there changes nothing here.
        house.providers.seat(it, Person::new("42", "moved@example.org"));
        let again = house.sign_in(it).await.unwrap();
        assert_eq!((again.id, &again.email), (first.id, &first.email), "{it}");
    }
    assert_eq!(house.accounts.book().len(), 4);
    let audited = house.audited().await;
    let count = |action: &str| audited.iter().filter(|it| it.0 == action).count();
    assert_eq!((count("account_created"), count("login_success")), (4, 8));
    house.close().await;
}

#[tokio::test]
async fn two_ways_to_one_verified_address_lead_into_one_account() {
    let house = House::open().await;
    let ana = house.sign_in(Provider::Google).await.unwrap();
    for it in [Provider::Github, Provider::Discord, Provider::Twitch] {
        house.providers.seat(it, Person::new("7", "Google@Example.org"));
        assert_eq!(house.sign_in(it).await.unwrap().id, ana.id, "{it}");
    }
    let ana = Arc::clone(house.accounts.book().account(ana.id).unwrap());
    assert_eq!((house.accounts.book().len(), ana.providers.len()), (1, 4));
    let linked = house.audited().await.iter().filter(|it| it.0 == "provider_linked").count();
    assert_eq!(linked, 3);
    house.close().await;
}

#[tokio::test]
async fn an_address_that_the_provider_did_not_verify_opens_nobodys_account_and_is_not_kept() {
    let house = House::open().await;
    let ana = house.sign_in(Provider::Google).await.unwrap();
    for it in [Provider::Github, Provider::Discord, Provider::Twitch] {
        house.providers.seat(it, Person::new("7", "google@example.org").unverified());
        let other = house.sign_in(it).await.unwrap();
        assert_ne!(other.id, ana.id, "{it}");
        assert_eq!((&other.email, other.email_verified), (&None, false), "{it}");
        // The same with an address that nobody has: its owner may come yet.
        house.providers.seat(it, Person::new("8", "victim@example.org").unverified());
        assert_eq!(house.sign_in(it).await.unwrap().email, None, "{it}");
    }
    assert!(house.accounts.book().find_by_email(&email("victim@example.org")).is_none());
    // Once the provider vouches for it, it counts.
    house.providers.seat(Provider::Discord, Person::new("8", "victim@example.org"));
    let seen = house.sign_in(Provider::Discord).await.unwrap();
    assert_eq!((&seen.email, seen.email_verified), (&Some(email("victim@example.org")), true));
    house.close().await;
}

#[tokio::test]
async fn an_account_that_a_stranger_prepared_is_handed_over_without_what_they_left_in_it() {
    let house = House::open().await;
    let address = email("google@example.org");
    let prepared = SignUp {
        email: address.clone(),
        display_name: "Stranger".to_owned(),
        surface: Surface::Public,
        return_to: None,
        origin: Origin::default(),
    };
    house.accounts.sign_up(prepared, "correct horse battery 7").await.unwrap();
    let before = Arc::clone(house.accounts.book().find_by_email(&address).unwrap());
    assert!(before.password.is_some() && !before.email_verified);
    let ana = house.sign_in(Provider::Google).await.unwrap();
    assert_eq!(ana.id, before.id);
    assert!(ana.password.is_none() && ana.email_verified);
    let tickets = house.accounts.book().tickets().count();
    assert_eq!(tickets, 0, "the link in the stranger's mail is worth nothing");
    house.close().await;
}

#[tokio::test]
async fn nobody_new_comes_in_while_sign_ups_are_off_and_nobody_at_all_by_a_provider_that_is_off() {
    let house = House::open().await;
    house.sign_in(Provider::Google).await.unwrap();
    let controls = Controls {
        disable_new_signups: true,
        disabled_providers: ["twitch".to_owned()].into(),
        ..Controls::default()
    };
    house
        .accounts
        .change(|change| {
            change.set_controls(controls);
            Ok(())
        })
        .await
        .unwrap();
    assert!(house.sign_in(Provider::Google).await.is_ok());
    let refused = house.sign_in(Provider::Github).await.unwrap_err();
    assert_eq!(refused.reason(), "unavailable");
    assert!(matches!(refused, ProviderError::Account(AccountError::SwitchedOff(_))));
    let refused = house.ways.begin(begin(Provider::Twitch, Surface::Public), BROWSER).await;
    assert!(matches!(refused, Err(ProviderError::Account(AccountError::SwitchedOff(_)))));
    assert!(!house.ways.list_offered().contains(&Provider::Twitch));
    assert_eq!(house.accounts.book().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_suspended_account_is_not_got_into_by_any_way() {
    let house = House::open().await;
    let ana = house.sign_in(Provider::Google).await.unwrap();
    let id = ana.id;
    house
        .accounts
        .change(move |change| {
            let mut ana = change.find_account(id)?;
            ana.status = AccountStatus::Suspended;
            change.put_account(ana).map(drop)
        })
        .await
        .unwrap();
    house.providers.seat(Provider::Github, Person::new("7", "google@example.org"));
    for it in [Provider::Google, Provider::Github] {
        let refused = house.sign_in(it).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Account(AccountError::Suspended)), "{refused:?}");
        assert_eq!(refused.reason(), "inactive_account");
    }
    assert_eq!(house.accounts.book().account(id).unwrap().providers.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn the_way_back_is_good_once_in_the_browser_it_began_in_and_from_the_provider_it_led_to() {
    let house = House::open().await;
    let (provider, other) = (Provider::Google, Provider::Twitch);
    for (provider, browser) in
        [(provider, None), (provider, Some("another browser's cookie")), (other, Some(BROWSER))]
    {
        let (state, code) = house.visit(begin(Provider::Google, Surface::Public)).await;
        let code = code.unwrap();
        for _ in 0..2 {
            let finished = house
                .ways
                .finish(provider, &state, Ok(&code), browser, None, Origin::default())
                .await;
            assert!(matches!(finished, Err(AccountError::BadTicket)), "{finished:?}");
        }
        // A stranger who brought it has spent it.
        let finished = house
            .ways
            .finish(Provider::Google, &state, Ok(&code), Some(BROWSER), None, Origin::default())
            .await;
        assert!(matches!(finished, Err(AccountError::BadTicket)), "{finished:?}");
    }
    let (state, code) = house.visit(begin(provider, Surface::Public)).await;
    let code = code.unwrap();
    let finish =
        || house.ways.finish(provider, &state, Ok(&code), Some(BROWSER), None, Origin::default());
    assert!(finish().await.unwrap().result.is_ok());
    assert!(matches!(finish().await, Err(AccountError::BadTicket)));
    assert_eq!(house.accounts.book().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_way_that_fails_says_why_and_leaves_nothing_behind() {
    let house = House::open().await;
    for (fault, reason) in [
        (Fault::Denied, "denied"),
        (Fault::Down, "unavailable"),
        (Fault::Slow, "unavailable"),
        (Fault::Cut, "unavailable"),
        (Fault::TokenError, "unavailable"),
        (Fault::WrongNonce, "expired"),
        (Fault::WrongAudience, "expired"),
    ] {
        house.providers.fail(Provider::Twitch, fault);
        let refused = house.sign_in(Provider::Twitch).await.unwrap_err();
        assert_eq!(refused.reason(), reason, "{fault:?}");
    }
    assert_eq!((house.accounts.book().len(), house.accounts.book().tickets().count()), (0, 0));
    let failed = ("login_failed".to_owned(), "failed".to_owned());
    assert_eq!(house.audited().await, vec![failed; 7]);
    house.close().await;
}

#[tokio::test]
async fn a_way_in_is_added_for_its_owner_alone_and_belongs_to_one_account() {
    let house = House::open().await;
    let ana = house.sign_in(Provider::Google).await.unwrap();
    house.providers.seat(Provider::Google, Person::new("43", "ben@example.org"));
    let ben = house.sign_in(Provider::Google).await.unwrap();
    // Its address need not be the account's.
    house.link(&ana, Provider::Github).await.unwrap();
    house.link(&ana, Provider::Github).await.unwrap();
    assert_eq!(house.sign_in(Provider::Github).await.unwrap().id, ana.id);
    let taken = house.link(&ben, Provider::Github).await.unwrap_err();
    assert!(matches!(taken, ProviderError::Account(AccountError::Taken(_))), "{taken:?}");
    // Begun by one, ended by another or by nobody.
    for signed_in in [None, Some(&*ben)] {
        let aim = Aim::Link(ana.id);
        let begin = Begin { aim, ..begin(Provider::Twitch, Surface::Public) };
        let refused = house.travel(begin, signed_in).await.result.unwrap_err();
        assert!(matches!(refused, ProviderError::Account(AccountError::Refused(_))));
    }
    let providers = |account: &Account| {
        let book = house.accounts.book();
        let linked = &book.account(account.id).unwrap().providers;
        linked.iter().map(|it| it.provider.clone()).collect::<Vec<_>>()
    };
    assert_eq!(providers(&ana), ["google", "github"]);
    assert_eq!(providers(&ben), ["google"]);
    house.close().await;
}

#[tokio::test]
async fn a_way_in_is_taken_away_unless_it_is_the_last() {
    let house = House::open().await;
    let ana = house.sign_in(Provider::Google).await.unwrap();
    let unlink = |provider| house.ways.unlink(ana.id, provider, Origin::default());
    assert!(matches!(unlink(Provider::Google).await, Err(AccountError::Refused(_))));
    assert!(matches!(unlink(Provider::Github).await, Err(AccountError::Unknown(_))));
    house.link(&ana, Provider::Github).await.unwrap();
    assert_eq!(unlink(Provider::Google).await.unwrap().ways_in(), 1);
    assert!(matches!(unlink(Provider::Github).await, Err(AccountError::Refused(_))));
    assert!(house.accounts.book().find_by_provider("google", "42").is_none());
    assert!(house.audited().await.iter().any(|it| it.0 == "provider_unlinked"));
    house.close().await;
}

#[tokio::test]
async fn what_a_platform_allows_is_kept_for_creators_alone_and_never_in_the_clear() {
    let house = House::open().await;
    house.providers.set_life(2);
    for it in [Provider::Google, Provider::Twitch] {
        let viewer = house.sign_in(it).await.unwrap();
        assert!(house.row(&viewer, it).is_none(), "{it}");
        let (creator, tokens) = house.creator(it).await;
        let (access, refresh) = house.providers.seen(|seen| seen.newest[&it].clone());
        assert_eq!((tokens.access.clone(), Some(tokens.refresh)), (access, refresh));
        assert!(house.disk_holds(&format!("platform_token/{}", creator.id)));
        assert!(!house.disk_holds("hunter2"));
        let other = house.ways.find_tokens(creator.id, Provider::Discord);
        assert_eq!(other, None);
    }
    for it in [Provider::Github, Provider::Discord] {
        let back = house.travel(begin(it, Surface::Creator), None).await;
        let Ok(Finished::SignedIn(signed_in)) = back.result else { panic!("{:?}", back.result) };
        assert!(house.row(&signed_in.account, it).is_none());
    }
    house.close().await;
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let house = House::open().await;
    house.providers.set_life(2);
    let (ana, first) = house.creator(Provider::Twitch).await;
    house.providers.set_life(14_000);
    house.keep();
    house.providers.until("renewed", |it| (it.refreshed.len() == 1).then_some(())).await;
    let find = || house.ways.find_tokens(ana.id, Provider::Twitch);
    let second =
        house.until("the next one is kept", || find().filter(|it| it.access != first.access)).await;
    assert!(Timestamp::now() < first.expires_at, "before the old one ended");
    assert!(second.refresh != first.refresh && second.expires_at > first.expires_at);
    house.providers.seen(|it| assert_eq!(it.refreshed[0].1, first.refresh));
    house.close().await;
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_again_until_it_is_back() {
    let house = House::open().await;
    house.providers.set_life(1);
    let (ana, first) = house.creator(Provider::Twitch).await;
    let google = house.creator(Provider::Google).await.1;
    house.providers.fail(Provider::Twitch, Fault::Down);
    house.providers.set_life(14_000);
    house.keep();
    let tries = |provider: Provider, count: usize| {
        move |seen: &crate::support::providers::Seen| {
            (seen.refreshed.iter().filter(|it| it.0 == provider).count() >= count).then_some(())
        }
    };
    house.providers.until("two tries", tries(Provider::Twitch, 2)).await;
    assert_eq!(house.ways.find_tokens(ana.id, Provider::Twitch), None, "it has ended");
    house.providers.until("the other goes on", tries(Provider::Google, 1)).await;
    house.providers.heal(Provider::Twitch);
    house.providers.until("a third try", tries(Provider::Twitch, 3)).await;
    let find = || house.ways.find_tokens(ana.id, Provider::Twitch);
    let second = house.until("it is back", find).await;
    assert!(second.access != first.access && google.refresh != second.refresh);
    house.close().await;
}

#[tokio::test]
async fn a_permission_that_was_taken_back_is_left_alone_until_its_owner_comes_again() {
    let house = House::open().await;
    house.providers.set_life(1);
    let (ana, _) = house.creator(Provider::Twitch).await;
    house.providers.fail(Provider::Twitch, Fault::RefreshRefused);
    house.keep();
    let refused = || house.row(&ana, Provider::Twitch)?.refused_at;
    house.providers.until("refused", |it| it.refreshed.first().map(drop)).await;
    house.until("noted", refused).await;
    let audited = house.audited().await;
    assert!(audited.iter().any(|it| it.0 == "platform_token_refused"), "{audited:?}");
    assert_eq!(house.ways.find_tokens(ana.id, Provider::Twitch), None);
    house.providers.heal(Provider::Twitch);
    house.providers.set_life(14_000);
    let (again, _) = house.creator(Provider::Twitch).await;
    assert_eq!(again.id, ana.id);
    house.providers.seen(|it| assert_eq!(it.refreshed.len(), 1, "asked once"));
    house.close().await;
}

#[tokio::test]
async fn what_nobody_owns_any_more_is_given_back_even_if_the_provider_is_down_at_first() {
    let house = House::open().await;
    let (ana, twitch) = house.creator(Provider::Twitch).await;
    house.link(&ana, Provider::Google).await.unwrap();
    house.keep();
    house.ways.unlink(ana.id, Provider::Twitch, Origin::default()).await.unwrap();
    assert_eq!(house.ways.find_tokens(ana.id, Provider::Twitch), None, "at once");
    let given_back = |access: String| {
        move |seen: &crate::support::providers::Seen| {
            seen.revoked.iter().any(|it| it.1 == access).then_some(())
        }
    };
    house.providers.until("given back", given_back(twitch.access)).await;
    house.until("forgotten", || house.row(&ana, Provider::Twitch).is_none().then_some(())).await;

    house.providers.seat(Provider::Google, Person::new("43", "ben@example.org"));
    let (ben, google) = house.creator(Provider::Google).await;
    house.providers.fail(Provider::Google, Fault::Down);
    let id = ben.id;
    house
        .accounts
        .change(move |change| {
            change.remove_account(id);
            Ok(())
        })
        .await
        .unwrap();
    assert!(house.row(&ben, Provider::Google).is_some(), "until it is given back");
    house.providers.heal(Provider::Google);
    house.providers.until("given back", given_back(google.access)).await;
    house.until("forgotten", || house.row(&ben, Provider::Google).is_none().then_some(())).await;
    let audited = house.audited().await;
    let revoked = audited.iter().filter(|it| it.0 == "platform_token_revoked").count();
    assert_eq!(revoked, 2);
    house.close().await;
}

#[tokio::test]
async fn another_secret_key_opens_what_the_old_one_sealed_and_seals_it_anew() {
    let house = House::open().await;
    let (ana, tokens) = house.creator(Provider::Twitch).await;
    let old = house.row(&ana, Provider::Twitch).unwrap();
    let house = house.reopen(Sealer::new("key two", ["key one"])).await;
    let find = |house: &House| house.ways.find_tokens(ana.id, Provider::Twitch);
    assert_eq!(find(&house), Some(tokens.clone()));
    house.keep();
    let fresh = || house.row(&ana, Provider::Twitch).filter(|it| *it != old);
    house.until("sealed anew", fresh).await;
    let house = house.reopen(Sealer::new("key three", [])).await;
    house.keep();
    assert_eq!(find(&house), None, "no key opens it");
    let house = house.reopen(Sealer::new("key two", [])).await;
    assert_eq!(find(&house), Some(tokens), "and it was left as it is");
    house.close().await;
}
