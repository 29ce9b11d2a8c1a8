//! What is sent, and in which order and how often, over a server in miniature.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use uuid::Uuid;

use super::*;
use crate::{
    accounts::{Alert, Email, Letter, Mail},
    config::{self, Config, Environment, Sources},
    http::Clients,
    lifecycle::Lifecycle,
    model::Timestamp,
    telemetry::Telemetry,
};

fn mail(to: &str, letter: Letter, at: Timestamp) -> Mail {
    let to: Email = to.parse().unwrap();
    Mail {
        id: Uuid::now_v7(),
        to,
        account: None,
        letter,
        created_at: at,
        attempts: 0,
        next_attempt_at: at,
    }
}

/// A mail without a link that opens anything.
pub(super) fn alert() -> Mail {
    let at = Timestamp::now();
    let letter = Letter::Alert {
        what: Alert::PasswordChanged,
        at,
        user_agent: String::new(),
        account_page: "https://example.com/account".to_owned(),
    };
    mail("ana@example.com", letter, at)
}

fn all_letters() -> Vec<Letter> {
    let link = || "https://example.com/auth/verify?token=AbC_-9&a=b".to_owned();
    let to = || "be***@example.org".to_owned();
    let alerts = [
        Alert::NewSignIn,
        Alert::PasswordChanged,
        Alert::AddressChanging { to: to() },
        Alert::AddressChanged { to: to() },
        Alert::ProviderLinked { provider: "google".to_owned() },
        Alert::ProviderUnlinked { provider: "github".to_owned() },
        Alert::TokenCreated { name: "<b>bot</b> \u{202e}txt".to_owned() },
        Alert::SessionsEnded,
        Alert::Suspended,
        Alert::Deleted,
    ];
    let at = Timestamp::parse("2026-11-20T18:03:11.412Z").unwrap();
    let alerts = alerts.map(|what| Letter::Alert {
        what,
        at,
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
            .to_owned(),
        account_page: "https://example.com/account".to_owned(),
    });
    let asks = [
        Letter::Verify { link: link(), minutes: 15 },
        Letter::MagicLink { link: link(), minutes: 1 },
        Letter::ResetPassword { link: link(), minutes: 60 },
        Letter::ConfirmAddress { link: link(), minutes: 120 },
        Letter::Invitation {
            link: link(),
            room: "<script>alert(1)</script>".to_owned(),
            from: "שלום \"Ana\"\r\nBcc: x".to_owned(),
            days: 7,
        },
        Letter::HaveAccount { login: "https://example.com/login".to_owned() },
    ];
    asks.into_iter().chain(alerts).collect()
}

#[test]
fn every_letter_has_both_parts_and_its_link_in_each() {
    for letter in all_letters() {
        let written = Written::new(&mail("ana@example.com", letter.clone(), Timestamp::now()));
        let kind = letter.kind();
        let Written { html, text, .. } = &written;
        assert!(html.contains("</html>") && text.ends_with("StreamSuites"), "{kind}: {text}");
        assert!(!html.contains("<script") && !html.contains("<b>bot"), "{kind}: names are escaped");
        assert!(!html.contains("src=") && !html.contains("url("), "{kind}: nothing is loaded");
        assert!(!text.contains("&#") && !text.contains("\n\n\n"), "{kind}: {text}");
        assert!(text.lines().all(|it| !it.starts_with("Bcc:")), "{kind}: {text}");
        assert!(!written.subject().is_empty() && written.subject().ends_with("StreamSuites"));
        let link = match &letter {
            Letter::Verify { link, .. }
            | Letter::MagicLink { link, .. }
            | Letter::ResetPassword { link, .. }
            | Letter::ConfirmAddress { link, .. }
            | Letter::Invitation { link, .. } => link,
            Letter::HaveAccount { login } => login,
            Letter::Alert {
                what: Alert::AddressChanged { .. } | Alert::Suspended | Alert::Deleted,
                ..
            } => continue,
            Letter::Alert { account_page, .. } => account_page,
        };
        assert!(text.lines().any(|it| it == link), "{kind}: {text}");
        let escaped = link.replace('&', "&#38;");
        assert_eq!(html.matches(&format!("href=\"{escaped}\"")).count(), 2, "{kind}: {html}");
        assert!(html.contains(&format!(">{escaped}</a>")), "{kind}: as plain text too");
    }
}

#[test]
fn what_a_link_is_good_for_is_told() {
    let text = |letter| Written::new(&mail("ana@example.com", letter, Timestamp::now())).text;
    let link = || "https://example.com/x".to_owned();
    assert!(text(Letter::MagicLink { link: link(), minutes: 1 }).contains("for 1 minute."));
    assert!(text(Letter::Verify { link: link(), minutes: 15 }).contains("for 15 minutes."));
    assert!(text(Letter::ResetPassword { link: link(), minutes: 120 }).contains("for 2 hours."));
    let told = text(all_letters().into_iter().nth(6).unwrap());
    assert!(told.contains("When: 2026-11-20, 18:03 UTC\nWith: Firefox on Linux\n"), "{told}");
}

#[test]
fn no_log_shows_a_link_or_an_address() {
    let mail = mail("ana@example.com", all_letters().remove(0), Timestamp::now());
    let shown = format!("{:?} {:?}", Written::new(&mail), mail);
    assert!(!shown.contains("token=") && !shown.contains("ana@"), "{shown}");
}

#[test]
fn a_file_is_read_by_other_mail_programs_as_it_was_written() {
    let wild = "שלום 👩‍🚀\r\nBcc: b@example.com\u{2028}".repeat(4);
    let long = "x".repeat(2_000);
    for (subject, text) in
        [("plain", "lines\nand\n"), (&*wild, "ä 👩‍🚀\n.\nFrom ana\n"), ("=?UTF-8?Q?a?=", &*long)]
    {
        let mut mail = Written::new(&alert()).with_subject(subject);
        mail.text = text.to_owned();
        let file = eml::eml(&mail, "Aña, B. <a@example.com>", Some("help@example.com"));
        let lines: Vec<&[u8]> = file.split(|it| *it == b'\n').collect();
        assert!(lines.iter().all(|it| it.len() <= 999), "{subject}: a line is too long");
        assert!(lines.iter().rev().skip(1).all(|it| it.ends_with(b"\r")), "{subject}");
        let read = mail_parser::MessageParser::default().parse(&file).unwrap();
        assert_eq!(read.subject(), Some(mail.subject()), "{subject}");
        assert_eq!(read.bcc(), None);
        let address = |it: Option<&mail_parser::Address<'_>>| {
            let it = it.unwrap().first().unwrap();
            (it.name().unwrap_or_default().to_owned(), it.address().unwrap().to_owned())
        };
        assert_eq!(address(read.from()), ("Aña, B.".to_owned(), "a@example.com".to_owned()));
        assert_eq!(address(read.to()).1, "ana@example.com");
        assert_eq!(address(read.reply_to()).1, "help@example.com");
        assert_eq!(read.date().unwrap().to_timestamp(), mail.created_at.unix_ms() / 1_000);
        let body = |it: std::borrow::Cow<'_, str>| it.replace("\r\n", "\n").trim_end().to_owned();
        assert_eq!(body(read.body_text(0).unwrap()), text.trim_end(), "{subject}");
        assert_eq!(body(read.body_html(0).unwrap()), mail.html.trim_end(), "{subject}");
    }
}

/// Mails that wait in memory. Nothing is put in later.
#[derive(Clone)]
struct Heap {
    mails: Arc<Mutex<Vec<Mail>>>,
    became: Arc<Mutex<Vec<String>>>,
    left: watch::Sender<usize>,
}

impl Heap {
    fn new(mails: Vec<Mail>) -> Self {
        let left = watch::Sender::new(mails.len());
        Self { mails: Arc::new(Mutex::new(mails)), became: Arc::default(), left }
    }

    fn forget(&self, mail: &Mail, became: String) {
        let mut mails = self.mails.lock().unwrap();
        mails.retain(|it| it.id != mail.id);
        self.became.lock().unwrap().push(became);
        self.left.send_replace(mails.len());
    }

    async fn empty(&self) {
        let mut left = self.left.subscribe();
        let wait = left.wait_for(|it| *it == 0);
        tokio::time::timeout(Duration::from_secs(25), wait).await.expect("all are sent").unwrap();
    }
}

impl Waiting for Heap {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn list(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    async fn done(&self, mail: &Mail, message_id: Option<&str>) -> Result<(), WaitingError> {
        self.forget(mail, format!("done {}", message_id.unwrap_or("-")));
        Ok(())
    }

    async fn again(&self, mail: &Mail, at: Timestamp) -> Result<(), WaitingError> {
        let mut mails = self.mails.lock().unwrap();
        let kept = mails.iter_mut().find(|it| it.id == mail.id).unwrap();
        kept.attempts += 1;
        kept.next_attempt_at = at;
        Ok(())
    }

    async fn gave_up(&self, mail: &Mail, reason: &str) -> Result<(), WaitingError> {
        self.forget(mail, format!("gave up: {reason}"));
        Ok(())
    }
}

/// A status, and `Retry-After` in seconds.
type Answered = (u16, Option<u64>);

/// When, under which key, and what.
type Asked = (Instant, String, Value);

/// What answers, in order; 200 when nothing is left. And what was asked, with when.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<Answered>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn start(answers: &[Answered]) -> (Self, String) {
        let this = Self::default();
        this.answers.lock().unwrap().extend(answers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/emails", post(answer)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (this, url)
    }

    fn recipients(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|it| it.2["to"][0].as_str().unwrap().to_owned()).collect()
    }
}

async fn answer(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    server.asked.lock().unwrap().push((Instant::now(), key, body));
    match server.answers.lock().unwrap().pop_front() {
        None => Json(json!({"id": "message-1"})).into_response(),
        Some((status, retry_after)) => {
            let status = StatusCode::from_u16(status).unwrap();
            let mut response = (status, "{}").into_response();
            if let Some(it) = retry_after {
                response.headers_mut().insert("retry-after", it.into());
            }
            response
        }
    }
}

/// A postman at work, until this is dropped.
struct Bench {
    heap: Heap,
    telemetry: Telemetry,
    life: Lifecycle,
    _folder: tempfile::TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.life.stop.cancel();
    }
}

fn config(environment: &[(&str, &str)], folder: &std::path::Path, per_second: u32) -> Config {
    let environment = Environment::from_iter(environment.iter().copied());
    let sources = Sources { folder: folder.join("config"), environment, ..Sources::default() };
    let mut config = config::load(&sources).unwrap();
    config.system.mail.per_second = per_second;
    config
}

fn start(mails: Vec<Mail>, url: &str, per_second: u32) -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default(); // Another test did.
    let folder = tempfile::tempdir().unwrap();
    let secrets = [("RESEND_API_KEY", "re_1"), ("MAIL_FROM", "A <a@example.com>")];
    let mut config = config(&secrets, folder.path(), per_second);
    config.system.mail.resend_url = url.parse().unwrap();
    let (life, telemetry, heap) = (Lifecycle::new(), Telemetry::new(), Heap::new(mails));
    let (_, config) = watch::channel(Arc::new(config));
    let postman = Postman {
        waiting: heap.clone(),
        delivery: Delivery::new(
            Arc::new(Clients::default()),
            life.clone(),
            folder.path().to_owned(),
        ),
        config,
        telemetry: telemetry.clone(),
    };
    life.spawn(postman.run(life.stop.clone()));
    Bench { heap, telemetry, life, _folder: folder }
}

fn alert_to(to: &str) -> Mail {
    Mail { to: to.parse().unwrap(), ..alert() }
}

#[tokio::test]
async fn what_fails_is_sent_again_as_the_same_mail_and_nothing_to_its_reader_overtakes_it() {
    let (server, url) = Server::start(&[(500, None)]).await;
    let (first, second) = (alert_to("ana@example.com"), alert_to("ana@example.com"));
    let (one, two) = (first.id.to_string(), second.id.to_string());
    let bench = start(vec![first, second, alert_to("ben@example.com")], &url, 100);
    bench.heap.empty().await;
    let keys: Vec<_> = server.asked.lock().unwrap().iter().map(|it| it.1.clone()).collect();
    assert_eq!(server.recipients()[1], "ben@example.com", "others are not held up");
    assert_eq!((&keys[0], &keys[2], &keys[3]), (&one, &one, &two));
    assert_eq!(*bench.heap.became.lock().unwrap(), ["done message-1"; 3]);
}

#[tokio::test]
async fn what_is_refused_is_told_and_not_sent_again() {
    let (server, url) = Server::start(&[(422, None)]).await;
    let bench = start(vec![alert()], &url, 100);
    bench.heap.empty().await;
    assert_eq!(*bench.heap.became.lock().unwrap(), ["gave up: Resend answers 422"]);
    assert_eq!(server.recipients().len(), 1);
    let told = bench.telemetry.recent.list_errors();
    assert_eq!(told[0].message, "a mail was given up: Resend answers 422");
}

#[tokio::test]
async fn what_is_too_old_is_not_sent_at_all() {
    let (server, url) = Server::start(&[]).await;
    let letter = Letter::MagicLink { link: "https://example.com".to_owned(), minutes: 15 };
    let old = mail("ana@example.com", letter, Timestamp::now().plus_ms(-15 * 60_000));
    let bench = start(vec![old], &url, 100);
    bench.heap.empty().await;
    assert_eq!(*bench.heap.became.lock().unwrap(), ["gave up: it was too late to be of use"]);
    assert!(server.recipients().is_empty());
}

#[tokio::test]
async fn when_resend_asks_for_a_pause_nothing_is_sent_meanwhile() {
    let (server, url) = Server::start(&[(429, Some(1))]).await;
    let mails = ["a", "b", "c"].map(|it| alert_to(&format!("{it}@example.com"))).to_vec();
    // One at a time here, so that none is under way while the first is answered.
    let bench = start(mails, &url, 5);
    bench.heap.empty().await;
    let asked = server.asked.lock().unwrap();
    let after = |it: usize| asked[it].0.duration_since(asked[0].0);
    assert_eq!(asked.len(), 4);
    assert!(after(1) >= Duration::from_secs(1), "{:?}", after(1));
    drop(asked);
    assert_eq!(server.recipients()[..2], ["a@example.com"; 2]);
    drop(bench);
}

#[tokio::test]
async fn a_flood_keeps_the_pace() {
    let (server, url) = Server::start(&[]).await;
    let mails = (0..12).map(|it| alert_to(&format!("u{it}@example.com"))).collect();
    let bench = start(mails, &url, 10);
    bench.heap.empty().await;
    let asked = server.asked.lock().unwrap();
    let took = asked[11].0.duration_since(asked[0].0);
    // Arrivals may be closer together than departures, by as long as a request takes.
    assert!(took >= Duration::from_millis(1_000), "{took:?}");
    drop(asked);
    drop(bench);
}
