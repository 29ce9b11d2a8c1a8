//! What is spoken with Google, GitHub, Discord and Twitch: each one's dialect, and what becomes of its faults.

use std::{collections::HashMap, sync::Arc, time::Duration};

use streamsuites::{
    accounts::{
        Email,
        oauth::{Aim, Flow, Identity, OAuth, OAuthError, Provider},
    },
    config::{self, Config, Sources},
    http::Clients,
    model::Timestamp,
};
use tokio::sync::watch;

use crate::support::{
    providers::{Fault, Person, Providers},
    soon,
};

const BASE: &str = "https://stream.example";
const BROWSER: &str = "the browser's cookie";

/// What a server is made of that signs people in, and a browser that goes where it is sent.
struct Desk {
    providers: Providers,
    oauth: OAuth,
    browser: reqwest::Client,
    _config: watch::Sender<Arc<Config>>,
}

/// What a provider sent back with.
struct Back {
    flow: Flow,
    query: HashMap<String, String>,
}

impl Desk {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    async fn open_with(more: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let providers = Providers::start().await;
        providers.register(BASE);
        let patience = ("STREAMSUITES__SYSTEM__AUTH__PROVIDER_TIMEOUT_SECONDS", "1");
        let more = more.iter().chain([&patience]).map(|it| (it.0.to_owned(), it.1.to_owned()));
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources {
            folder: folder.path().to_owned(),
            environment: providers.variables().into_iter().chain(more).collect(),
            ..Sources::default()
        };
        let config = watch::Sender::new(Arc::new(config::load(&sources).unwrap()));
        let oauth = OAuth::new(Arc::new(Clients::default()), config.subscribe(), BASE);
        let none = reqwest::redirect::Policy::none();
        let browser = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        Self { providers, oauth, browser, _config: config }
    }

    fn flow(provider: Provider) -> Flow {
        Flow::new(provider, Aim::SignIn, false, BROWSER)
    }

    fn creators_flow(provider: Provider) -> Flow {
        Flow::new(provider, Aim::SignIn, true, BROWSER)
    }

    /// Sends the person there and reads what they come back with.
    async fn visit(&self, flow: Flow) -> Back {
        let url = self.oauth.authorize_url(&flow, "the-state").unwrap();
        let answer = self.browser.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        let to = answer.headers()["location"].to_str().unwrap();
        let to = url::Url::parse(to).unwrap();
        assert!(to.as_str().starts_with(&format!("{BASE}{}?", flow.provider.callback_path())));
        let query: HashMap<_, _> = to.query_pairs().into_owned().collect();
        assert_eq!(query["state"], "the-state");
        Back { flow, query }
    }

    async fn exchange(&self, flow: &Flow, code: &str) -> Result<Identity, OAuthError> {
        soon("the exchange", self.oauth.exchange(flow, code, Timestamp::now())).await
    }

    /// The whole way.
    async fn sign_in(&self, flow: Flow) -> Result<Identity, OAuthError> {
        let back = self.visit(flow).await;
        if let Some(error) = back.query.get("error") {
            return Err(OAuthError::told(back.flow.provider, error));
        }
        self.exchange(&back.flow, &back.query["code"]).await
    }

    async fn fails(&self, provider: Provider, fault: Fault) -> OAuthError {
        self.providers.fail(provider, fault);
        let found = self.sign_in(Self::flow(provider)).await.unwrap_err();
        self.providers.heal(provider);
        let shown = format!("{found} {found:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("code-"), "{shown}");
        assert!(!shown.contains("127.0.0.1"), "{shown}");
        found
    }
}

const OPENID: [Provider; 2] = [Provider::Google, Provider::Twitch];

#[tokio::test]
async fn all_four_tell_who_somebody_is() {
    let desk = Desk::open().await;
    assert_eq!(desk.oauth.list_offered(), Provider::ALL);
    for it in Provider::ALL {
        let found = desk.sign_in(Desk::flow(it)).await.unwrap();
        assert_eq!((found.provider, found.subject.as_str()), (it, "42"));
        assert_eq!(found.email.as_ref().map(Email::as_str), Some(&*format!("{it}@example.org")));
        assert!(found.email_verified, "{it}");
        assert_eq!(found.name, "Person 42");
        assert!(found.avatar_url.unwrap().starts_with("https://"), "{it}");
        assert_eq!(found.tokens, None, "nothing is kept of who only signs in");
    }
    desk.providers.seen(|it| assert_eq!(it.redeemed, Provider::ALL));
}

#[tokio::test]
async fn an_address_counts_as_verified_only_when_the_provider_says_so() {
    let desk = Desk::open().await;
    for it in Provider::ALL {
        desk.providers.seat(it, Person::new("7", "who@example.org").unverified());
        let found = desk.sign_in(Desk::flow(it)).await.unwrap();
        assert_eq!(found.email.as_ref().map(Email::as_str), Some("who@example.org"), "{it}");
        assert!(!found.email_verified, "{it}");
        desk.providers.seat(it, Person::new("7", "").without_address());
        let found = desk.sign_in(Desk::flow(it)).await.unwrap();
        assert_eq!((found.email, found.email_verified), (None, false), "{it}");
    }
}

#[tokio::test]
async fn what_the_id_token_does_not_say_is_asked_for() {
    let desk = Desk::open().await;
    for it in OPENID {
        desk.providers.fail(it, Fault::Terse);
        let found = desk.sign_in(Desk::flow(it)).await.unwrap();
        assert_eq!(found.email.as_ref().map(Email::as_str), Some(&*format!("{it}@example.org")));
        assert!(found.email_verified && found.name == "Person 42" && found.avatar_url.is_some());
    }
}

#[tokio::test]
async fn a_creators_sign_in_brings_what_their_platform_allows() {
    let desk = Desk::open().await;
    for it in Provider::ALL {
        let begun = Timestamp::now();
        let found = desk.sign_in(Desk::creators_flow(it)).await.unwrap();
        let Some(tokens) = found.tokens else {
            assert!(!OPENID.contains(&it), "{it}");
            continue;
        };
        assert!(OPENID.contains(&it), "{it}");
        assert!(tokens.expires_at.ms_since(begun) >= 14_000_000, "{tokens:?}");
        assert_eq!(tokens.scopes, it.scopes(true));
        let newest = desk.providers.seen(|seen| seen.newest[&it].clone());
        assert_eq!((tokens.access.clone(), Some(tokens.refresh.clone())), newest);
        assert!(!format!("{tokens:?}").contains("hunter2"), "{tokens:?}");
    }
}

#[tokio::test]
async fn who_unticks_the_platform_is_signed_in_without_it() {
    let desk = Desk::open().await;
    for it in OPENID {
        desk.providers.fail(it, Fault::Unticked);
        assert_eq!(desk.sign_in(Desk::creators_flow(it)).await.unwrap().tokens, None, "{it}");
    }
}

#[tokio::test]
async fn saying_no_is_no_fault_of_anybodys() {
    let desk = Desk::open().await;
    for it in Provider::ALL {
        assert_eq!(desk.fails(it, Fault::Denied).await, OAuthError::Denied(it));
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_the_attempt_it_was_made_in() {
    let desk = Desk::open().await;
    for it in Provider::ALL {
        let mine = desk.visit(Desk::flow(it)).await;
        let theirs = desk.visit(Desk::flow(it)).await;
        let swapped = desk.exchange(&mine.flow, &theirs.query["code"]).await;
        assert!(matches!(swapped, Err(OAuthError::Refused { .. })), "{it}: {swapped:?}");
        assert!(desk.exchange(&mine.flow, &mine.query["code"]).await.is_ok(), "{it}");
        let again = desk.exchange(&mine.flow, &mine.query["code"]).await;
        assert!(matches!(again, Err(OAuthError::Refused { .. })), "{it}: {again:?}");
        for none in ["", &"c".repeat(5_000)] {
            let refused = desk.exchange(&mine.flow, none).await;
            assert!(matches!(refused, Err(OAuthError::Refused { .. })), "{it}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn an_id_token_for_others_of_others_or_of_another_time_is_refused() {
    let desk = Desk::open().await;
    let faults = [Fault::WrongNonce, Fault::WrongAudience, Fault::WrongIssuer, Fault::Expired];
    for it in OPENID {
        let mut reasons = Vec::new();
        for fault in faults {
            match desk.fails(it, fault).await {
                OAuthError::Refused { reason, .. } => reasons.push(reason),
                other => panic!("{it}: {fault:?}: {other:?}"),
            }
        }
        reasons.dedup();
        assert_eq!(reasons.len(), faults.len(), "each says what it is: {reasons:?}");
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_told_from_an_application_that_is_wrong() {
    let desk = Desk::open().await;
    for it in Provider::ALL {
        for fault in [Fault::Down, Fault::Slow, Fault::Cut] {
            let found = desk.fails(it, fault).await;
            assert!(matches!(found, OAuthError::Unavailable { .. }), "{it}: {fault:?}: {found:?}");
        }
        let found = desk.fails(it, Fault::TokenError).await;
        assert!(matches!(found, OAuthError::Misconfigured { .. }), "{it}: {found:?}");
        assert!(desk.sign_in(Desk::flow(it)).await.is_ok(), "{it} is well again");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_at_all_is_unavailable() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let token_url = format!("http://{nobody}/token");
    let name = "STREAMSUITES__SYSTEM__AUTH__PROVIDERS__DISCORD__TOKEN_URL";
    let desk = Desk::open_with(&[(name, &token_url)]).await;
    let found = desk.sign_in(Desk::flow(Provider::Discord)).await;
    assert!(matches!(found, Err(OAuthError::Unavailable { .. })), "{found:?}");
}

#[tokio::test]
async fn another_way_back_than_the_registered_one_is_not_gone() {
    let desk = Desk::open().await;
    desk.providers.register("https://evil.example");
    for it in Provider::ALL {
        let url = desk.oauth.authorize_url(&Desk::flow(it), "s").unwrap();
        assert_eq!(desk.browser.get(&url).send().await.unwrap().status(), 400, "{it}");
    }
}

#[tokio::test]
async fn a_provider_without_its_secret_or_switched_off_is_not_offered() {
    let off = ("STREAMSUITES__SYSTEM__AUTH__PROVIDERS__GOOGLE__ENABLED", "false");
    let desk = Desk::open_with(&[off, ("GITHUB_CLIENT_SECRET", "")]).await;
    assert_eq!(desk.oauth.list_offered(), [Provider::Discord, Provider::Twitch]);
    for it in [Provider::Google, Provider::Github] {
        let flow = Desk::flow(it);
        assert_eq!(desk.oauth.authorize_url(&flow, "s"), Err(OAuthError::NotOffered(it)));
        assert_eq!(desk.exchange(&flow, "code").await, Err(OAuthError::NotOffered(it)));
    }
}

#[tokio::test]
async fn a_refresh_brings_the_next_tokens_whether_they_rotate_or_not() {
    let desk = Desk::open().await;
    for it in OPENID {
        let first = desk.sign_in(Desk::creators_flow(it)).await.unwrap().tokens.unwrap();
        let at = Timestamp::now();
        let second = desk.oauth.refresh(it, &first, at).await.unwrap();
        assert_ne!(second.access, first.access);
        assert_eq!(second.refresh == first.refresh, it == Provider::Google);
        assert_eq!(second.scopes, first.scopes);
        let third = desk.oauth.refresh(it, &second, at).await.unwrap();

        desk.providers.fail(it, Fault::RefreshRefused);
        let refused = desk.oauth.refresh(it, &third, at).await;
        assert!(matches!(refused, Err(OAuthError::Refused { .. })), "{it}: {refused:?}");
        for fault in [Fault::Down, Fault::Slow, Fault::Cut] {
            desk.providers.fail(it, fault);
            let failed = desk.oauth.refresh(it, &third, at).await;
            assert!(matches!(failed, Err(OAuthError::Unavailable { .. })), "{it}: {failed:?}");
        }
        desk.providers.fail(it, Fault::TokenError);
        let failed = desk.oauth.refresh(it, &third, at).await;
        assert!(matches!(failed, Err(OAuthError::Misconfigured { .. })), "{it}: {failed:?}");
        desk.providers.heal(it);
    }
}

#[tokio::test]
async fn what_was_allowed_is_given_back_and_giving_it_back_twice_does_no_harm() {
    let desk = Desk::open().await;
    for it in Provider::ALL {
        desk.sign_in(Desk::creators_flow(it)).await.unwrap();
        let (access, refresh) = desk.providers.seen(|seen| seen.newest[&it].clone());
        let tokens = streamsuites::accounts::oauth::PlatformTokens {
            access: access.clone(),
            refresh: refresh.unwrap_or_default(),
            expires_at: Timestamp::now(),
            scopes: Vec::new(),
        };
        assert_eq!(desk.oauth.revoke(it, &tokens).await, Ok(()), "{it}");
        desk.providers.seen(|seen| assert_eq!(seen.revoked.last(), Some(&(it, access))));
        assert_eq!(desk.oauth.revoke(it, &tokens).await, Ok(()), "{it}");
        desk.providers.fail(it, Fault::Down);
        let failed = desk.oauth.revoke(it, &tokens).await;
        assert!(matches!(failed, Err(OAuthError::Unavailable { .. })), "{it}: {failed:?}");
    }
}

#[tokio::test]
async fn a_slow_provider_costs_no_more_than_the_configured_patience() {
    let desk = Desk::open().await;
    desk.providers.fail(Provider::Twitch, Fault::Slow);
    let back = desk.visit(Desk::flow(Provider::Twitch)).await;
    let attempt = desk.oauth.exchange(&back.flow, &back.query["code"], Timestamp::now());
    let found = tokio::time::timeout(Duration::from_secs(8), attempt).await;
    assert!(matches!(found, Ok(Err(OAuthError::Unavailable { .. }))), "{found:?}");
}
