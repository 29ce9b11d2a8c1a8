//! Google, GitHub, Discord and Twitch, as far as signing in goes: each in its own dialect, and what goes wrong there.
//!
//! Whoever sits at the browser agrees at once: what a person would click is set from outside.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write as _,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Form, Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use streamsuites::{accounts::oauth::Provider, model::Timestamp};
use tokio::{net::TcpListener, sync::watch};

use super::{Setup, soon};

/// Somebody at the browser.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) verified: bool,
    pub(crate) name: String,
}

impl Person {
    /// With a verified address.
    pub(crate) fn new(subject: &str, email: &str) -> Self {
        let name = format!("Person {subject}");
        let email = Some(email.to_owned());
        Self { subject: subject.to_owned(), email, verified: true, name }
    }

    /// Whose address nobody made sure of.
    pub(crate) fn unverified(self) -> Self {
        Self { verified: false, ..self }
    }

    /// Without an address.
    pub(crate) fn without_address(self) -> Self {
        Self { email: None, verified: false, ..self }
    }
}

/// What goes wrong at a provider until it is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The person says no.
    Denied,
    /// Everything but the page to agree on answers 500.
    Down,
    /// The token endpoint takes the call and never answers.
    Slow,
    /// The token endpoint's answer ends in the middle.
    Cut,
    /// The id_token repeats another nonce.
    WrongNonce,
    /// The id_token is for another application.
    WrongAudience,
    /// The id_token comes from somebody else.
    WrongIssuer,
    /// The id_token ended an hour ago.
    Expired,
    /// The id_token says neither address nor name.
    Terse,
    /// The token endpoint does not accept what it is asked for, in the provider's own words.
    TokenError,
    /// Refresh tokens are no longer good.
    RefreshRefused,
    /// The person takes out what was asked for beside who it is.
    Unticked,
}

/// What came in.
#[derive(Default)]
pub(crate) struct Seen {
    /// Queries of the page to agree on, in order.
    pub(crate) asked: Vec<(Provider, HashMap<String, String>)>,
    /// Codes that became tokens.
    pub(crate) redeemed: Vec<Provider>,
    /// Refresh tokens that were used, good or not.
    pub(crate) refreshed: Vec<(Provider, String)>,
    /// Tokens that were given back.
    pub(crate) revoked: Vec<(Provider, String)>,
    /// The newest good tokens of each kind: access, refresh.
    pub(crate) newest: HashMap<Provider, (String, Option<String>)>,
}

struct Code {
    provider: Provider,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scopes: Vec<String>,
    offline: bool,
    person: Person,
}

#[derive(Clone)]
struct Grant {
    provider: Provider,
    scopes: Vec<String>,
    person: Person,
}

#[derive(Default)]
struct Book {
    seen: Seen,
    /// Where the application may be come back to.
    base: String,
    people: HashMap<Provider, Person>,
    faults: HashMap<Provider, Fault>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Grant>,
    refresh: HashMap<String, Grant>,
    /// Life of access tokens (s).
    life: u64,
    made: u64,
}

struct Shared {
    book: Mutex<Book>,
    changed: watch::Sender<()>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

/// The four of them, on one address.
pub(crate) struct Providers {
    shared: Arc<Shared>,
    address: String,
}

/// The application's id at each.
pub(crate) fn client_id(provider: Provider) -> String {
    format!("{provider}-client")
}

/// The application's secret at each.
pub(crate) fn client_secret(provider: Provider) -> String {
    format!("{provider}-secret-hunter2")
}

impl Providers {
    /// Nobody may come back anywhere yet; at each sits somebody with an address of their own.
    pub(crate) async fn start() -> Self {
        let person = |it: Provider| (it, Person::new("42", &format!("{it}@example.org")));
        let people = Provider::ALL.map(person).into();
        let book = Book { people, life: 14_000, ..Book::default() };
        let shared = Arc::new(Shared { book: Mutex::new(book), changed: watch::Sender::new(()) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/{provider}/authorize", get(authorize))
            .route("/{provider}/token", post(token))
            .route("/{provider}/user", get(user))
            .route("/github/user/emails", get(github_emails))
            .route("/discord/users/@me", get(discord_user))
            .route("/{provider}/revoke", post(revoke))
            .route("/github/applications/{client_id}/token", delete(revoke_github))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { shared, address }
    }

    /// What leads a server here, and makes it known.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for it in Provider::ALL {
            let name = it.as_str().to_ascii_uppercase();
            let url = |place: &str| format!("{}/{it}/{place}", self.address);
            let (user, revoke) = match it {
                Provider::Discord => ("users", "revoke"),
                Provider::Github => ("user", "applications"),
                _ => ("user", "revoke"),
            };
            let mut set = |key: &str, value: String| {
                let section = "STREAMSUITES__SYSTEM__AUTH__PROVIDERS";
                all.push((format!("{section}__{name}__{key}"), value));
            };
            set("AUTHORIZE_URL", url("authorize"));
            set("TOKEN_URL", url("token"));
            set("USER_URL", url(user));
            set("REVOKE_URL", url(revoke));
            if it == Provider::Github {
                set("EMAILS_URL", url("user/emails"));
            }
            all.push((format!("{name}_CLIENT_ID"), client_id(it)));
            all.push((format!("{name}_CLIENT_SECRET"), client_secret(it)));
        }
        all
    }

    /// Leads a server here.
    pub(crate) fn lead(&self, setup: Setup) -> Setup {
        self.variables().into_iter().fold(setup, |it, (name, value)| it.variable(&name, value))
    }

    /// Registers where people may come back to: this address with the paths of the contract.
    pub(crate) fn register(&self, base: &str) {
        self.shared.book().base = base.trim_end_matches('/').to_owned();
    }

    /// Who sits at the browser.
    pub(crate) fn seat(&self, provider: Provider, person: Person) {
        self.shared.book().people.insert(provider, person);
    }

    /// Goes wrong from now on.
    pub(crate) fn fail(&self, provider: Provider, fault: Fault) {
        self.shared.book().faults.insert(provider, fault);
    }

    /// Everything is well again.
    pub(crate) fn heal(&self, provider: Provider) {
        self.shared.book().faults.remove(&provider);
    }

    /// Access tokens last so long from now on (s).
    pub(crate) fn set_life(&self, seconds: u64) {
        self.shared.book().life = seconds;
    }

    /// Looks at what came in.
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.shared.book().seen)
    }

    /// Waits until something came in.
    pub(crate) async fn until<T>(&self, what: &str, find: impl Fn(&Seen) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        soon(what, async {
            loop {
                if let Some(found) = self.seen(&find) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        })
        .await
    }
}

type Site = State<Arc<Shared>>;
type Pairs = HashMap<String, String>;

fn redirect(to: &str, pairs: &[(&str, &str)]) -> Response {
    let mut url = url::Url::parse(to).unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    (StatusCode::FOUND, [(header::LOCATION, url.to_string())]).into_response()
}

/// The page to agree on. What is wrong with the application is told here, never to where it says it lives.
async fn authorize(
    State(shared): Site,
    Path(provider): Path<String>,
    Query(query): Query<Pairs>,
) -> Response {
    let Ok(provider) = Provider::from_str(&provider) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut book = shared.book();
    book.seen.asked.push((provider, query.clone()));
    shared.changed.send_replace(());
    let given = |name: &str| query.get(name).map_or("", String::as_str);
    let back = given("redirect_uri");
    if given("client_id") != client_id(provider) {
        return (StatusCode::BAD_REQUEST, "invalid client").into_response();
    }
    if book.base.is_empty() || back != format!("{}{}", book.base, provider.callback_path()) {
        return (StatusCode::BAD_REQUEST, "redirect_uri mismatch").into_response();
    }
    let state = given("state");
    let refuse = |error: &str| redirect(back, &[("error", error), ("state", state)]);
    if given("response_type") != "code" {
        return refuse("unsupported_response_type");
    }
    let scopes: Vec<String> = given("scope").split(' ').map(str::to_owned).collect();
    let known: BTreeSet<&str> = provider.scopes(true).into_iter().collect();
    let needed = provider.scopes(false);
    if !scopes.iter().all(|it| known.contains(it.as_str()))
        || !needed.iter().all(|it| scopes.iter().any(|scope| scope == it))
    {
        return refuse("invalid_scope");
    }
    let challenge = given("code_challenge");
    if given("code_challenge_method") != "S256" || challenge.len() != 43 || state.is_empty() {
        return refuse("invalid_request");
    }
    let openid = scopes.iter().any(|it| it == "openid");
    if openid && given("nonce").len() < 16 {
        return refuse("invalid_request");
    }
    if provider == Provider::Twitch && !given("claims").contains("email_verified") {
        return refuse("invalid_request");
    }
    let fault = book.faults.get(&provider).copied();
    if fault == Some(Fault::Denied) {
        return refuse("access_denied");
    }
    let scopes = if fault == Some(Fault::Unticked) {
        needed.into_iter().map(str::to_owned).collect()
    } else {
        scopes
    };
    book.made += 1;
    let code = format!("{provider}-code-{}", book.made);
    let kept = Code {
        provider,
        redirect_uri: back.to_owned(),
        challenge: challenge.to_owned(),
        nonce: query.get("nonce").cloned(),
        offline: given("access_type") == "offline" && given("prompt") == "consent",
        person: book.people[&provider].clone(),
        scopes,
    };
    let scope = kept.scopes.join(" ");
    book.codes.insert(code.clone(), kept);
    match provider {
        Provider::Google => redirect(
            back,
            &[
                ("state", state),
                ("iss", "https://accounts.google.com"),
                ("code", &code),
                ("scope", &scope),
                ("authuser", "0"),
            ],
        ),
        Provider::Twitch => redirect(back, &[("code", &code), ("scope", &scope), ("state", state)]),
        _ => redirect(back, &[("code", &code), ("state", state)]),
    }
}

/// What a token endpoint does not accept.
#[derive(Clone, Copy)]
enum Refusal {
    Client,
    Redirect,
    Code,
    Refresh,
}

/// The refusal in the provider's own words.
fn refusal(provider: Provider, it: Refusal) -> Response {
    let (status, body) = match (provider, it) {
        (Provider::Twitch, Refusal::Client) => {
            (403, json!({"status": 403, "message": "invalid client secret"}))
        }
        (Provider::Twitch, Refusal::Redirect) => (
            400,
            json!({"status": 400, "message": "Parameter redirect_uri does not match registered URI"}),
        ),
        (Provider::Twitch, Refusal::Code) => {
            (400, json!({"status": 400, "message": "Invalid authorization code"}))
        }
        (Provider::Twitch, Refusal::Refresh) => (
            400,
            json!({"error": "Bad Request", "status": 400, "message": "Invalid refresh token"}),
        ),
        // Every answer of GitHub's is a success.
        (Provider::Github, Refusal::Client) => {
            (200, json!({"error": "incorrect_client_credentials"}))
        }
        (Provider::Github, Refusal::Redirect) => (200, json!({"error": "redirect_uri_mismatch"})),
        (Provider::Github, _) => (
            200,
            json!({"error": "bad_verification_code",
                "error_description": "The code passed is incorrect or expired."}),
        ),
        (_, Refusal::Client) => (401, json!({"error": "invalid_client"})),
        (Provider::Google, Refusal::Redirect) => (400, json!({"error": "redirect_uri_mismatch"})),
        (Provider::Discord, Refusal::Redirect) => (
            400,
            json!({"error": "invalid_request",
                "error_description": "Invalid \"redirect_uri\" in request."}),
        ),
        (_, Refusal::Code | Refusal::Refresh) => {
            (400, json!({"error": "invalid_grant", "error_description": "Bad Request"}))
        }
    };
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

async fn token(
    State(shared): Site,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Pairs>,
) -> Response {
    let Ok(provider) = Provider::from_str(&provider) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let fault = shared.book().faults.get(&provider).copied();
    let given = |name: &str| form.get(name).map_or("", String::as_str).to_owned();
    if given("grant_type") == "refresh_token" {
        shared.book().seen.refreshed.push((provider, given("refresh_token")));
        shared.changed.send_replace(());
    }
    match fault {
        Some(Fault::Down) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, "<html>Oops</html>").into_response();
        }
        Some(Fault::Slow) => std::future::pending().await,
        Some(Fault::TokenError) => return refusal(provider, Refusal::Client),
        _ => {}
    }
    if given("client_id") != client_id(provider)
        || given("client_secret") != client_secret(provider)
    {
        return refusal(provider, Refusal::Client);
    }
    let granted = match given("grant_type").as_str() {
        "authorization_code" => redeem(&shared, provider, &form, fault),
        "refresh_token" => renew(&shared, provider, &given("refresh_token"), fault),
        _ => Err(Refusal::Code),
    };
    shared.changed.send_replace(());
    let body = match granted {
        Ok(body) => body,
        Err(refused) => return refusal(provider, refused),
    };
    if fault == Some(Fault::Cut) {
        let text = body.to_string();
        let half = text[..text.len() / 2].to_owned();
        let cut = Err(std::io::Error::other("cut off"));
        let stream = futures_util::stream::iter([Ok(half), cut]);
        return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream))
            .into_response();
    }
    let wants_json = headers
        .get(header::ACCEPT)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.contains("application/json"));
    if provider == Provider::Github && !wants_json {
        return "access_token=x&scope=y&token_type=bearer".into_response();
    }
    Json(body).into_response()
}

fn redeem(
    shared: &Shared,
    provider: Provider,
    form: &Pairs,
    fault: Option<Fault>,
) -> Result<Value, Refusal> {
    let given = |name: &str| form.get(name).map_or("", String::as_str);
    let mut book = shared.book();
    // Once, whether it is right or not.
    let code = book.codes.remove(given("code"));
    let Some(code) = code.filter(|it| it.provider == provider) else {
        return Err(Refusal::Code);
    };
    if code.redirect_uri != given("redirect_uri") {
        return Err(Refusal::Redirect);
    }
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier").as_bytes()));
    // Twitch does not know PKCE.
    if provider != Provider::Twitch && challenge != code.challenge {
        return Err(Refusal::Code);
    }
    book.seen.redeemed.push(provider);
    let grant = Grant { provider, scopes: code.scopes, person: code.person };
    let refreshable = match provider {
        Provider::Google => code.offline,
        Provider::Github => false,
        Provider::Discord | Provider::Twitch => true,
    };
    let mut body = grant_tokens(&mut book, &grant, refreshable);
    if grant.scopes.iter().any(|it| it == "openid") {
        body["id_token"] = id_token(&grant, code.nonce, fault).into();
    }
    Ok(body)
}

fn renew(
    shared: &Shared,
    provider: Provider,
    refresh: &str,
    fault: Option<Fault>,
) -> Result<Value, Refusal> {
    let mut book = shared.book();
    let known = book.refresh.get(refresh).filter(|it| it.provider == provider).cloned();
    let Some(grant) = known.filter(|_| fault != Some(Fault::RefreshRefused)) else {
        return Err(Refusal::Refresh);
    };
    // Google's stays the same; the others' are good once.
    let rotates = provider != Provider::Google;
    if rotates {
        book.refresh.remove(refresh);
    }
    let body = grant_tokens(&mut book, &grant, rotates);
    if !rotates {
        book.seen.newest.get_mut(&provider).unwrap().1 = Some(refresh.to_owned());
    }
    Ok(body)
}

fn grant_tokens(book: &mut Book, grant: &Grant, refreshable: bool) -> Value {
    let provider = grant.provider;
    book.made += 1;
    let access = format!("{provider}-access-{}-hunter2", book.made);
    book.access.insert(access.clone(), grant.clone());
    let refresh = refreshable.then(|| format!("{provider}-refresh-{}-hunter2", book.made));
    if let Some(refresh) = &refresh {
        book.refresh.insert(refresh.clone(), grant.clone());
    }
    book.seen.newest.insert(provider, (access.clone(), refresh.clone()));
    let mut body = json!({"access_token": access, "token_type": "bearer"});
    body["scope"] = match provider {
        Provider::Twitch => json!(grant.scopes),
        Provider::Github => grant.scopes.join(",").into(),
        _ => grant.scopes.join(" ").into(),
    };
    if provider != Provider::Github {
        body["expires_in"] = book.life.into();
    }
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh.into();
    }
    body
}

fn id_token(grant: &Grant, nonce: Option<String>, fault: Option<Fault>) -> String {
    let now = Timestamp::now().unix_ms() / 1_000;
    let provider = grant.provider;
    let issuer = match (fault, provider) {
        (Some(Fault::WrongIssuer), _) => "https://evil.example",
        (_, Provider::Twitch) => "https://id.twitch.tv/oauth2",
        _ => "https://accounts.google.com",
    };
    let audience = match fault {
        Some(Fault::WrongAudience) => "somebody-else".to_owned(),
        _ => client_id(provider),
    };
    let ends = if fault == Some(Fault::Expired) { now - 3_600 } else { now + 900 };
    let mut claims = json!({"iss": issuer, "sub": grant.person.subject, "aud": audience,
        "azp": audience, "iat": now, "exp": ends});
    claims["nonce"] = match fault {
        Some(Fault::WrongNonce) => "another attempt's".into(),
        _ => json!(nonce),
    };
    if fault != Some(Fault::Terse) {
        add_person(&mut claims, grant);
    }
    let part = |it: &str| URL_SAFE_NO_PAD.encode(it);
    let head = part(r#"{"alg":"RS256","typ":"JWT","kid":"1"}"#);
    format!("{head}.{}.{}", part(&claims.to_string()), part("not looked at"))
}

/// What Google and Twitch tell of somebody.
fn add_person(claims: &mut Value, grant: &Grant) {
    let person = &grant.person;
    if let Some(email) = &person.email {
        claims["email"] = email.as_str().into();
        claims["email_verified"] = person.verified.into();
    }
    let name = if grant.provider == Provider::Twitch { "preferred_username" } else { "name" };
    claims[name] = person.name.as_str().into();
    claims["picture"] = format!("https://pictures.example/{}.png", person.subject).into();
}

/// Whose token a call carries; a status when it is nobody's, or the provider is down.
fn caller(shared: &Shared, provider: Provider, headers: &HeaderMap) -> Result<Grant, StatusCode> {
    let book = shared.book();
    if book.faults.get(&provider) == Some(&Fault::Down) {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if headers.get(header::USER_AGENT).is_none() {
        return Err(StatusCode::FORBIDDEN);
    }
    let sent = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token = sent.and_then(|it| it.strip_prefix("Bearer ")).unwrap_or_default();
    let grant = book.access.get(token).filter(|it| it.provider == provider).cloned();
    grant.ok_or(StatusCode::UNAUTHORIZED)
}

async fn user(State(shared): Site, Path(provider): Path<String>, headers: HeaderMap) -> Response {
    let Ok(provider) = Provider::from_str(&provider) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let grant = match caller(&shared, provider, &headers) {
        Ok(grant) => grant,
        Err(status) => return status.into_response(),
    };
    let person = &grant.person;
    Json(match provider {
        Provider::Github => json!({
            "id": person.subject.parse::<u64>().unwrap(), "login": format!("p{}", person.subject),
            "name": person.name, "email": null,
            "avatar_url": format!("https://pictures.example/{}.png", person.subject),
        }),
        _ => {
            let mut claims = json!({ "sub": person.subject });
            add_person(&mut claims, &grant);
            claims
        }
    })
    .into_response()
}

async fn github_emails(State(shared): Site, headers: HeaderMap) -> Response {
    let grant = match caller(&shared, Provider::Github, &headers) {
        Ok(grant) => grant,
        Err(status) => return status.into_response(),
    };
    let mut all = vec![json!({"email": "old@example.org", "primary": false, "verified": true,
        "visibility": null})];
    if let Some(email) = &grant.person.email {
        all.push(json!({"email": email, "primary": true, "verified": grant.person.verified,
            "visibility": "private"}));
    }
    Json(all).into_response()
}

async fn discord_user(State(shared): Site, headers: HeaderMap) -> Response {
    let grant = match caller(&shared, Provider::Discord, &headers) {
        Ok(grant) => grant,
        Err(status) => return status.into_response(),
    };
    let person = grant.person;
    Json(json!({"id": person.subject, "username": format!("p{}", person.subject),
        "global_name": person.name, "avatar": "a1b2", "email": person.email,
        "verified": person.verified, "discriminator": "0"}))
    .into_response()
}

async fn revoke(
    State(shared): Site,
    Path(provider): Path<String>,
    Form(form): Form<Pairs>,
) -> Response {
    let Ok(provider) = Provider::from_str(&provider) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let given = |name: &str| form.get(name).map_or("", String::as_str);
    let knows_us = match provider {
        Provider::Google => true,
        Provider::Twitch => given("client_id") == client_id(provider),
        _ => {
            given("client_id") == client_id(provider)
                && given("client_secret") == client_secret(provider)
        }
    };
    if !knows_us {
        return refusal(provider, Refusal::Client);
    }
    take_back(&shared, provider, given("token"))
}

async fn revoke_github(
    State(shared): Site,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let pair = format!("{}:{}", client_id(Provider::Github), client_secret(Provider::Github));
    let mut expected = "Basic ".to_owned();
    write!(expected, "{}", base64::engine::general_purpose::STANDARD.encode(pair)).unwrap();
    let sent = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    if sent != Some(&expected) || id != client_id(Provider::Github) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    take_back(&shared, Provider::Github, body["access_token"].as_str().unwrap_or_default())
}

fn take_back(shared: &Shared, provider: Provider, token: &str) -> Response {
    let mut book = shared.book();
    if book.faults.get(&provider) == Some(&Fault::Down) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    book.seen.revoked.push((provider, token.to_owned()));
    shared.changed.send_replace(());
    let known = book.access.remove(token).or_else(|| book.refresh.remove(token));
    match (known, provider) {
        (Some(_), Provider::Github) => StatusCode::NO_CONTENT.into_response(),
        (Some(_), _) => StatusCode::OK.into_response(),
        (None, Provider::Github) => StatusCode::NOT_FOUND.into_response(),
        (None, Provider::Twitch) => {
            let body = json!({"status": 400, "message": "Invalid token"});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
        (None, _) => {
            (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_token"}))).into_response()
        }
    }
}
