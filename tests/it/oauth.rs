//! Signing in with a provider as a browser sees it: cookies, redirects, and who is signed in in the end.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use streamsuites::{
    accounts::{Accounts, Parts, oauth::Provider, system_clock},
    config::Config,
    lifecycle::Lifecycle,
};
use tokio::sync::watch;

use crate::support::{
    Clock, Setup, TOKEN, TestServer,
    providers::{Fault, Person, Providers},
    soon,
    twitch_api::{self, TwitchApi},
};

/// A server that is registered at all four providers.
async fn start() -> (Providers, TestServer) {
    start_with(|it| it).await
}

async fn start_with(more: impl FnOnce(Setup) -> Setup) -> (Providers, TestServer) {
    let providers = Providers::start().await;
    let setup = providers.lead(Setup::new());
    let setup = setup.set("SYSTEM__AUTH__PROVIDER_TIMEOUT_SECONDS", 1);
    let setup = setup.set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 10_000);
    let server = more(setup).start().await;
    providers.register(&server.url(""));
    (providers, server)
}

/// A browser: it keeps cookies, and goes where it is sent when it is told to.
struct Browser<'a> {
    server: &'a TestServer,
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// Where a browser was sent.
struct Sent {
    status: u16,
    to: String,
    cookies: Vec<String>,
    cached: String,
}

impl<'a> Browser<'a> {
    fn new(server: &'a TestServer) -> Self {
        let none = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        Self { server, http, cookies: BTreeMap::new() }
    }

    fn dress(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let pairs: Vec<_> = self.cookies.iter().map(|it| format!("{}={}", it.0, it.1)).collect();
        if pairs.is_empty() { request } else { request.header("cookie", pairs.join("; ")) }
    }

    /// Opens an address, of our own server or another one.
    async fn open(&mut self, address: &str) -> Sent {
        let whole = match address.strip_prefix('/') {
            Some(_) => self.server.url(address),
            None => address.to_owned(),
        };
        let ours = whole.starts_with(&self.server.url("/"));
        let request = self.http.get(&whole);
        let request = if ours { self.dress(request) } else { request };
        let answer = soon(address, request.send()).await.unwrap();
        let header = |name: &str| {
            let found = answer.headers().get(name).and_then(|it| it.to_str().ok());
            found.unwrap_or_default().to_owned()
        };
        let set = answer.headers().get_all("set-cookie").iter();
        let cookies: Vec<_> = set.map(|it| it.to_str().unwrap().to_owned()).collect();
        for it in cookies.iter().filter(|_| ours) {
            let (name, value) = it.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let (to, cached) = (header("location"), header("cache-control"));
        Sent { status: answer.status().as_u16(), to, cookies, cached }
    }

    /// Goes to a provider and agrees: the address it sends back to.
    async fn agree(&mut self, start: &str) -> String {
        let sent = self.open(start).await;
        assert_eq!((sent.status, sent.cached.as_str()), (303, "no-store"), "{start}");
        let back = self.open(&sent.to).await;
        assert_eq!(back.status, 302, "{}", sent.to);
        back.to
    }

    /// The whole way: where it ends.
    async fn sign_in(&mut self, start: &str) -> Sent {
        let back = self.agree(start).await;
        let end = self.open(&back).await;
        assert_eq!((end.status, end.cached.as_str()), (303, "no-store"), "{back}");
        end
    }

    fn is_signed_in(&self) -> bool {
        self.cookies.contains_key("streamsuites_session")
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.server.request(method, path, body);
        let request = self.dress(request).header("origin", self.server.url(""));
        let answer = soon(path, request.send()).await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn user(&self) -> Value {
        let (status, session) = self.call("GET", "/auth/session", Value::Null).await;
        assert_eq!(status, 200, "{session}");
        session["user"].clone()
    }

    /// A way in, as the account's page is told.
    async fn method(&self, provider: Provider) -> Value {
        let (status, told) = self.call("GET", "/api/account/auth-methods", Value::Null).await;
        assert_eq!(status, 200, "{told}");
        let all = told["methods"].as_array().unwrap();
        all.iter().find(|it| it["provider"] == provider.as_str()).unwrap().clone()
    }
}

fn start_of(provider: Provider) -> String {
    format!("/auth/login/{provider}")
}

#[tokio::test]
async fn all_four_lead_to_the_account_page_signed_in() {
    let (providers, server) = start().await;
    for it in Provider::ALL {
        let mut browser = Browser::new(&server);
        let end = browser.sign_in(&start_of(it)).await;
        assert_eq!(end.to, "/account", "{it}");
        let cookie = end.cookies.iter().find(|it| it.starts_with("streamsuites_session="));
        let cookie = cookie.expect("the sign-in");
        assert!(cookie.contains("HttpOnly") && !cookie.contains("Domain"), "{cookie}");
        let user = browser.user().await;
        assert_eq!(user["providers"], json!([it.as_str()]));
        assert_eq!(user["email"], format!("{it}@example.org"));
        assert_eq!(user["email_verified"], true);
        assert!(browser.method(it).await["platform"].is_null());
    }
    providers.seen(|it| assert_eq!(it.redeemed, Provider::ALL));
    server.stop().await;
}

#[tokio::test]
async fn older_addresses_lead_to_the_same_providers() {
    let (_providers, server) = start().await;
    for (start, provider) in [
        ("/auth/google", Provider::Google),
        ("/auth/github", Provider::Github),
        ("/auth/discord", Provider::Discord),
        ("/oauth/twitch/start", Provider::Twitch),
    ] {
        let mut browser = Browser::new(&server);
        browser.sign_in(start).await;
        assert_eq!(browser.user().await["primary_provider"], provider.as_str());
    }
    let mut browser = Browser::new(&server);
    assert_eq!(browser.open("/auth/login/nobody").await.status, 404);
    assert_eq!(browser.open("/auth/callback/discord?state=x&code=y").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn the_way_back_is_worth_nothing_to_another_browser_and_nothing_the_second_time() {
    let (_providers, server) = start().await;
    for it in Provider::ALL {
        let mut mine = Browser::new(&server);
        let back = mine.agree(&start_of(it)).await;
        // Sent to somebody who never set out, or whose own way leads elsewhere.
        let mut victim = Browser::new(&server);
        let mut another = Browser::new(&server);
        another.agree(&start_of(it)).await;
        for stranger in [&mut victim, &mut another] {
            let end = stranger.open(&back).await;
            assert_eq!(end.to, "/login?reason=expired", "{it}");
            assert!(!stranger.is_signed_in(), "{it}");
        }
        let end = mine.open(&back).await;
        assert_eq!(end.to, "/login?reason=expired", "a stranger has seen it");

        let back = mine.agree(&start_of(it)).await;
        assert_eq!(mine.open(&back).await.to, "/account");
        mine.cookies.remove("streamsuites_session");
        assert_eq!(mine.open(&back).await.to, "/login?reason=expired");
        assert!(!mine.is_signed_in());
    }
    server.stop().await;
}

#[tokio::test]
async fn a_code_of_another_way_signs_nobody_in() {
    let (_providers, server) = start().await;
    for it in Provider::ALL {
        let code = |back: &str| {
            let back = url::Url::parse(back).unwrap();
            back.query_pairs().find(|it| it.0 == "code").unwrap().1.into_owned()
        };
        let mut attacker = Browser::new(&server);
        let theirs = code(&attacker.agree(&start_of(it)).await);
        let mut victim = Browser::new(&server);
        let back = victim.agree(&start_of(it)).await;
        let swapped = back.replace(&code(&back), &theirs);
        assert_ne!(swapped, back);
        let end = victim.open(&swapped).await;
        assert_eq!(end.to, "/login?reason=expired", "{it}");
        assert!(!victim.is_signed_in());
    }
    server.stop().await;
}

#[tokio::test]
async fn two_tabs_of_one_browser_do_not_get_into_each_others_way() {
    let (_providers, server) = start().await;
    let mut browser = Browser::new(&server);
    let first = browser.agree("/auth/login/google?return_to=/account/one").await;
    let second = browser.agree("/auth/login/google?return_to=/account/two").await;
    assert_eq!(browser.open(&second).await.to, "/account/two");
    assert_eq!(browser.open(&first).await.to, "/account/one");
    server.stop().await;
}

#[tokio::test]
async fn people_go_on_to_pages_of_ours_and_nowhere_else() {
    let success = "https://creator.streamsuites.app/auth/success.html";
    let login = "https://creator.streamsuites.app/login";
    let (providers, server) = start_with(|it| {
        it.set("SYSTEM__AUTH__SURFACES__CREATOR__SUCCESS_URL", success)
            .set("SYSTEM__AUTH__SURFACES__CREATOR__LOGIN_URL", login)
    })
    .await;
    let own = "/account?tab=2";
    for (query, end) in [
        ("surface=creator", success),
        ("surface=nonsense", "/account"),
        ("return_to=/account?tab=2", own),
        ("redirect_to=/account?tab=2", own),
        ("next=/account?tab=2&next=/account?tab=2", own),
        (
            "surface=creator&return_to=https://creator.streamsuites.app/x",
            "https://creator.streamsuites.app/x",
        ),
        ("return_to=https://evil.example/", "/account"),
        ("return_to=//evil.example/", "/account"),
        ("return_to=/%5Cevil.example/", "/account"),
        ("return_to=javascript:alert(1)", "/account"),
        ("return_to=https://creator.streamsuites.app.evil.example/", "/account"),
        // Whoever is no admin is not sent to the admins' page.
        ("surface=admin", "/account"),
    ] {
        let mut browser = Browser::new(&server);
        let sent = browser.sign_in(&format!("/auth/login/github?{query}")).await;
        assert_eq!(sent.to, end, "{query}");
    }
    providers.fail(Provider::Github, Fault::Denied);
    let mut browser = Browser::new(&server);
    let sent = browser.sign_in("/auth/login/github?surface=creator").await;
    assert_eq!(sent.to, format!("{login}?reason=denied"));
    server.stop().await;
}

#[tokio::test]
async fn what_goes_wrong_is_said_on_the_login_page() {
    let off = |it: Setup| it.set("SYSTEM__AUTH__PROVIDERS__DISCORD__ENABLED", false);
    let (providers, server) = start_with(off).await;
    for (fault, reason) in [
        (Fault::Denied, "denied"),
        (Fault::Down, "unavailable"),
        (Fault::Slow, "unavailable"),
        (Fault::Cut, "unavailable"),
        (Fault::TokenError, "unavailable"),
        (Fault::WrongNonce, "expired"),
    ] {
        providers.fail(Provider::Google, fault);
        let mut browser = Browser::new(&server);
        let end = browser.sign_in("/auth/login/google").await;
        assert_eq!(end.to, format!("/login?reason={reason}"), "{fault:?}");
        assert!(!browser.is_signed_in());
    }
    let mut browser = Browser::new(&server);
    let end = browser.open("/auth/login/discord").await;
    assert_eq!((end.status, end.to), (303, "/login?reason=unavailable".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn an_application_that_was_registered_for_another_address_is_not_sent_anywhere() {
    let (providers, server) = start().await;
    providers.register("https://elsewhere.example");
    let mut browser = Browser::new(&server);
    let sent = browser.open("/auth/login/google").await;
    assert_eq!(browser.open(&sent.to).await.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn attempts_from_one_address_have_a_pace() {
    let slow = |it: Setup| it.set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 2);
    let (_providers, server) = start_with(slow).await;
    let mut browser = Browser::new(&server);
    let mut reasons = Vec::new();
    for _ in 0..4 {
        reasons.push(browser.open("/auth/login/google").await.to);
    }
    assert_eq!(reasons[3], "/login?reason=rate_limited");
    assert!(!reasons[0].starts_with(&server.url("")));
    server.stop().await;
}

/// Goal: whoever stole a cookie adds no way in that outlasts it.
#[tokio::test]
async fn a_way_in_is_added_over_a_recent_sign_in_alone() {
    let clock = Clock::new();
    let (_providers, server) = start_with(|it| it.clock(&clock)).await;
    let mut ana = Browser::new(&server);
    ana.sign_in("/auth/login/google").await;
    clock.advance_ms(15 * 60_000 + 1);
    let end = ana.open("/auth/login/github?mode=link&return_to=/account").await;
    assert_eq!(end.to, "/account?reason=sign_in_again");
    let link = ana.call("POST", "/account/providers/github/link", Value::Null).await;
    assert_eq!((link.0, &link.1["reason"]), (403, &json!("sign_in_again")), "{}", link.1);
    let new = json!({"name": "bot"});
    let token = ana.call("POST", "/account/tokens", new).await;
    assert_eq!((token.0, &token.1["reason"]), (403, &json!("sign_in_again")), "{}", token.1);
    server.stop().await;
}

#[tokio::test]
async fn a_way_in_is_added_and_taken_away_by_whoever_is_signed_in() {
    let (providers, server) = start().await;
    let mut ana = Browser::new(&server);
    let nobody = ana.open("/auth/login/google?mode=link").await;
    assert_eq!(nobody.to, "/login?reason=unauthorized");
    ana.sign_in("/auth/login/google").await;
    let id = ana.user().await["id"].clone();
    assert_eq!(ana.method(Provider::Google).await["can_unlink"], false);

    // The last way in stays.
    let (status, problem) = ana.call("DELETE", "/account/providers/google", Value::Null).await;
    assert_eq!((status, &problem["success"]), (409, &json!(false)), "{problem}");

    let end = ana.sign_in("/auth/login/github?mode=link&return_to=/account").await;
    assert_eq!(end.to, "/account?linked=github");
    let (status, told) = ana.call("POST", "/account/providers/twitch/link", Value::Null).await;
    assert_eq!((status, &told["success"]), (200, &json!(true)), "{told}");
    assert!(told["url"].as_str().unwrap().contains("/twitch/authorize?"), "{told}");
    assert_eq!(ana.user().await["providers"], json!(["google", "github"]));
    assert_eq!(ana.method(Provider::Github).await["identities"][0]["name"], "Person 42");

    // The same sign-in opens no second account, and is no other's to link.
    let mut ben = Browser::new(&server);
    providers.seat(Provider::Google, Person::new("43", "ben@example.org"));
    ben.sign_in("/auth/login/google").await;
    let end = ben.sign_in("/auth/login/github?mode=link").await;
    assert_eq!(end.to, "/account?reason=taken");
    let mut again = Browser::new(&server);
    again.sign_in("/auth/login/github").await;
    assert_eq!(again.user().await["id"], id);

    let (status, told) = ana.call("DELETE", "/account/providers/google", Value::Null).await;
    assert_eq!(status, 200, "{told}");
    let (status, _) = ana.call("DELETE", "/account/providers/google", Value::Null).await;
    assert_eq!(status, 404);
    assert_eq!(ana.user().await["providers"], json!(["github"]));
    ana.sign_in("/auth/login/discord?mode=link").await;
    let body = json!({"provider": "discord"});
    let (status, told) = ana.call("POST", "/api/account/auth-methods/unlink", body).await;
    assert_eq!(status, 200, "{told}");
    server.stop().await;
}

#[tokio::test]
async fn another_sites_page_adds_and_takes_nothing_away() {
    let (_providers, server) = start().await;
    let mut ana = Browser::new(&server);
    ana.sign_in("/auth/login/google").await;
    ana.sign_in("/auth/login/github?mode=link").await;
    for (method, path) in [
        ("DELETE", "/account/providers/github"),
        ("POST", "/account/providers/twitch/link"),
        ("POST", "/api/account/auth-methods/unlink"),
    ] {
        let request = || ana.dress(server.request(method, path, json!({"provider": "github"})));
        for request in [request(), request().header("origin", "https://evil.example")] {
            assert_eq!(request.send().await.unwrap().status(), 403, "{method} {path}");
        }
        let stranger = server.request(method, path, json!({"provider": "github"}));
        assert_eq!(stranger.send().await.unwrap().status(), 401, "{method} {path}");
        let operator = server.request(method, path, json!({"provider": "github"}));
        let operator = operator.bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(operator.status(), 403, "{method} {path}");
    }
    let link = ana.dress(server.get("/auth/login/twitch?mode=link"));
    let answer = link.header("sec-fetch-site", "cross-site").send().await.unwrap();
    let to = answer.headers()["location"].to_str().unwrap();
    assert_eq!(to, "/login?reason=unauthorized");
    assert_eq!(ana.user().await["providers"], json!(["google", "github"]));
    server.stop().await;
}

/// Begun while signed in, ended after signing out or as somebody else: the account gets nothing.
#[tokio::test]
async fn a_way_in_is_not_added_to_an_account_that_is_no_longer_signed_in() {
    let (_providers, server) = start().await;
    let mut ana = Browser::new(&server);
    ana.sign_in("/auth/login/google").await;
    let back = ana.agree("/auth/login/github?mode=link").await;
    let session = ana.cookies.remove("streamsuites_session").unwrap();
    let end = ana.open(&back).await;
    assert_eq!(end.to, "/account?reason=unauthorized");
    ana.cookies.insert("streamsuites_session".to_owned(), session);
    assert_eq!(ana.user().await["providers"], json!(["google"]));
    server.stop().await;
}

/// Goal: a creator's room speaks with what the creator granted at the sign-in, also after a restart with another secret
/// key, and no longer once the way in is taken away.
#[tokio::test]
async fn a_creators_room_speaks_with_what_the_creator_granted() {
    let api = TwitchApi::start(&["user:write:chat"]).await;
    let (providers, server) = start_with(|it| {
        let it = it.creators(&json!({"creators": [{"id": "ana", "channels": [
            {"platform": "twitch", "name": "ana"}]}]}));
        let it = it.set("PLATFORMS__TWITCH__IRC_URL", "irc://127.0.0.1:9");
        api.variables().into_iter().fold(it, |it, (key, value)| it.set(&key, value))
    })
    .await;
    let mut ana = Browser::new(&server);
    ana.sign_in("/auth/login/twitch?surface=creator").await;
    ana.sign_in("/auth/login/google?mode=link").await;
    let platform = ana.method(Provider::Twitch).await["platform"].clone();
    assert_eq!(platform["active"], true, "{platform}");
    assert!(platform["scopes"].as_array().unwrap().contains(&json!("user:write:chat")));
    let cookies = ana.cookies.clone();
    let access = providers.seen(|it| it.newest[&Provider::Twitch].0.clone());
    assert_eq!(say(&server).await, 409, "the room has no owner yet");

    let setup = server.stop_for_now().await;
    own_room(&setup.data_folder(), "ana").await;
    let server = setup.variable("STREAMSUITES_SECRET_KEY", "another key").start().await;
    providers.register(&server.url(""));
    assert_eq!(say(&server).await, 202);
    let header = api.until("the message", |it| it.tokens.first().cloned()).await;
    assert_eq!(header, format!("OAuth {access}"));
    assert_ne!(access, twitch_api::TOKEN);

    let ana = Browser { cookies, ..Browser::new(&server) };
    let (status, told) = ana.call("DELETE", "/account/providers/twitch", Value::Null).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(say(&server).await, 409);
    let revoked = |it: &crate::support::providers::Seen| {
        it.revoked.iter().any(|it| it.1 == access).then_some(())
    };
    providers.until("it is given back", revoked).await;
    server.stop().await;
}

async fn say(server: &TestServer) -> u16 {
    let post = server.post("/api/rooms/ana/messages", json!({"text": "hello"}));
    post.bearer_auth(TOKEN).send().await.unwrap().status().as_u16()
}

/// Gives the only account a room, while no server runs.
async fn own_room(data: &std::path::Path, room: &str) {
    let life = Lifecycle::new();
    let config = watch::Sender::new(std::sync::Arc::new(Config::default()));
    let parts = Parts {
        life: life.clone(),
        config: config.subscribe(),
        clock: system_clock(),
        base_url: String::new(),
    };
    let accounts = Accounts::open(data, parts).unwrap();
    let room = room.parse().unwrap();
    accounts
        .change(move |change| {
            let mut account = (**change.accounts().next().unwrap()).clone();
            account.rooms.push(room);
            change.put_account(account).map(drop)
        })
        .await
        .unwrap();
    drop(accounts);
    assert_eq!(life.shut_down(std::time::Duration::from_secs(5)).await, 0);
}
