//! Mails of accounts: they arrive once, whatever happens on the way, and nobody else reads them.

use std::{fs, path::PathBuf, time::Duration};

use streamsuites::accounts::{Accounts, Alert, AuditEntry, Letter, Mail};
use tokio::sync::broadcast::Receiver;

use crate::support::{
    Clock, Setup, TestServer,
    resend::{MailFault, Resend, link},
    soon,
};

const LINK: &str = "https://example.com/auth/verify/email?token=s3cr3t-AbC_9&from=mail";

fn magic_link() -> Letter {
    Letter::MagicLink { link: LINK.to_owned(), minutes: 15 }
}

/// Lets letters be sent, all in one change.
async fn send(accounts: &Accounts, letters: Vec<(&str, Letter)>) {
    let letters: Vec<_> =
        letters.into_iter().map(|(to, letter)| (to.parse().unwrap(), letter)).collect();
    let work = move |change: &mut streamsuites::accounts::Change| {
        for (to, letter) in letters {
            change.mail(&to, None, letter);
        }
        Ok(())
    };
    accounts.change(work).await.unwrap();
}

/// The next entry of the audit about a mail.
async fn told(audited: &mut Receiver<AuditEntry>) -> AuditEntry {
    soon("an entry of the audit", async {
        loop {
            let entry = audited.recv().await.unwrap();
            if entry.action.starts_with("mail_") {
                return entry;
            }
        }
    })
    .await
}

fn waiting(server: &TestServer) -> usize {
    server.server.accounts.book().list::<Mail>("").len()
}

async fn metric(server: &TestServer, name: &str) -> String {
    let text = server.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|it| it.starts_with(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit(' ').next().unwrap().to_owned()
}

/// Goal: a mail whose answer is lost arrives once, and the audit knows what Resend calls it.
/// Method: the answers break off, and do not come at all, after the mails were taken.
#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_delivered_once() {
    let resend = Resend::start().await;
    let server = Setup::new().resend(&resend).start().await;
    let mut audited = server.server.accounts.audited();
    resend.fail([MailFault::Cut, MailFault::Silent]);

    send(
        &server.server.accounts,
        vec![("ana@example.com", magic_link()), ("ben@example.com", magic_link())],
    )
    .await;

    for _ in 0..2 {
        let entry = told(&mut audited).await;
        assert_eq!((&*entry.action, &*entry.result), ("mail_sent", "sent"));
        let id = entry.metadata["resend_message_id"].as_str().unwrap();
        let whose = entry.email_redacted.as_deref().unwrap();
        let taken = resend.taken().into_iter().find(|it| it.id == id).unwrap();
        let to = taken.body["to"][0].as_str().unwrap();
        assert!(whose.ends_with("***@example.com") && to[..1] == whose[..1], "{whose} {to}");
        assert!(!serde_json::to_string(&entry).unwrap().contains("s3cr3t"));
    }
    assert_eq!((resend.taken().len(), resend.asked()), (2, 4));
    assert_eq!(waiting(&server), 0, "what is sent is forgotten");
    assert_eq!(resend.mail_link("Ana@Example.com").await, LINK);
    server.stop().await;
}

/// Goal: what Resend refuses for good is told and not tried again, without the address or the link.
#[tokio::test]
async fn a_mail_that_is_refused_is_told_and_not_sent_again() {
    let resend = Resend::start().await;
    let server = Setup::new().resend(&resend).start().await;
    let mut audited = server.server.accounts.audited();
    for (status, name) in [(422, "validation_error"), (403, "invalid_api_key")] {
        resend.fail([MailFault::Refused(status, name, None)]);
        send(&server.server.accounts, vec![("ana@example.com", magic_link())]).await;
        let entry = told(&mut audited).await;
        assert_eq!((&*entry.action, &*entry.result), ("mail_failed", "failed"));
        assert_eq!(entry.metadata["reason"], format!("Resend answers {status} {name}"));
        assert_eq!(entry.metadata["email_type"], "magic_link");
        assert!(!serde_json::to_string(&entry).unwrap().contains("ana@"));
    }
    assert_eq!(metric(&server, "streamsuites_mails_failed_total").await, "2");
    // Another mail goes through, and the refused ones did not come back before it.
    send(&server.server.accounts, vec![("ben@example.com", magic_link())]).await;
    assert_eq!(told(&mut audited).await.action, "mail_sent");
    assert_eq!((resend.taken().len(), resend.asked(), waiting(&server)), (1, 3, 0));
    server.stop().await;
}

/// Goal: a link that has ended is not sent any more, and the audit says so.
/// Method: Resend fails, and the clock moves past the link's end before the next attempt.
#[tokio::test]
async fn a_mail_whose_link_has_ended_is_given_up() {
    let (resend, clock) = (Resend::start().await, Clock::new());
    let server = Setup::new().resend(&resend).clock(&clock).start().await;
    let mut audited = server.server.accounts.audited();
    resend.fail([MailFault::Refused(500, "application_error", None)]);
    send(&server.server.accounts, vec![("ana@example.com", magic_link())]).await;
    resend.asked_times(1).await;
    clock.advance_ms(15 * 60_000);

    let entry = told(&mut audited).await;
    assert_eq!((&*entry.action, &*entry.result), ("mail_failed", "failed"));
    assert_eq!(entry.metadata["reason"], "it was too late to be of use");
    assert_eq!((resend.taken().len(), resend.asked(), waiting(&server)), (0, 1, 0));
    server.stop().await;
}

/// Goal: overloads and errors of Resend lose nothing and reorder nothing.
#[tokio::test]
async fn errors_and_pauses_lose_no_mail_and_keep_the_order_of_each_reader() {
    let resend = Resend::start().await;
    let server = Setup::new().resend(&resend).start().await;
    resend.fail([
        MailFault::Refused(429, "rate_limit_exceeded", Some(1)),
        MailFault::Refused(500, "application_error", None),
        MailFault::Refused(409, "concurrent_idempotent_requests", None),
    ]);
    let minutes = [1, 2, 3];
    let letter = |minutes| Letter::MagicLink { link: LINK.to_owned(), minutes };
    send(&server.server.accounts, minutes.map(|it| ("ana@example.com", letter(it))).to_vec()).await;

    let mails = resend.mails_to("ana@example.com", 3).await;
    for (mail, minutes) in mails.iter().zip(["1 minute.", "2 minutes.", "3 minutes."]) {
        let text = mail.body["text"].as_str().unwrap();
        assert!(text.contains(minutes), "{text}");
    }
    assert_eq!(resend.asked(), 6);
    server.stop().await;
}

/// The files of the outbox, in the order of time.
fn outbox(server: &TestServer) -> Vec<PathBuf> {
    let entries = fs::read_dir(server.folder().join("data/outbox")).unwrap();
    let mut files: Vec<_> = entries.map(|it| it.unwrap().path()).collect();
    files.sort();
    files
}

/// Goal: without a key, mails lie in a folder where other mail programs can open them, and nobody else.
#[tokio::test]
async fn without_a_key_mails_land_in_the_outbox() {
    let server = Setup::new().start().await;
    let mut audited = server.server.accounts.audited();
    let wild = "שלום 👩‍🚀\r\nBcc: x@example.com".to_owned();
    let invitation =
        Letter::Invitation { link: LINK.to_owned(), room: wild.clone(), from: wild, days: 7 };
    send(&server.server.accounts, vec![("jose\u{301}@example.com", invitation)]).await;

    let entry = told(&mut audited).await;
    assert_eq!((&*entry.action, entry.metadata.get("resend_message_id")), ("mail_sent", None));
    let files = outbox(&server);
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!(file.extension().unwrap(), "eml");
    let bytes = fs::read(file).unwrap();
    let read = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(read.to().unwrap().first().unwrap().address(), Some("josé@example.com"));
    assert_eq!(read.bcc(), None);
    assert_eq!(read.subject(), Some("You are invited to moderate – StreamSuites"));
    let text = read.body_text(0).unwrap();
    assert!(text.contains("שלום 👩‍🚀 Bcc: x@example.com"), "{text}");
    assert_eq!(link(&text), LINK);
    let html = read.body_html(0).unwrap();
    assert!(html.contains(&format!("href=\"{}\"", LINK.replace('&', "&#38;"))), "{html}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    server.stop().await;
}

/// Goal: mails that wait survive a restart and arrive once, those too whose answer was lost before it.
#[tokio::test]
async fn a_restart_sends_what_waits_once() {
    let resend = Resend::start().await;
    let server = Setup::new().resend(&resend).set("SYSTEM__MAIL__TIMEOUT_MS", 60_000).start().await;
    let error = || MailFault::Refused(500, "application_error", None);
    resend.fail([MailFault::Silent, error(), error(), error()]);
    let alert = Letter::HaveAccount { login: "https://example.com/login".to_owned() };
    send(
        &server.server.accounts,
        vec![
            ("ana@example.com", magic_link()),
            ("ana@example.com", alert),
            ("ben@example.com", magic_link()),
        ],
    )
    .await;
    resend.asked_times(2).await;
    assert_eq!(waiting(&server), 3, "none is known to be sent");

    let server = server.stop_for_now().await.start().await;
    resend.mails_to("ana@example.com", 2).await;
    resend.mails_to("ben@example.com", 1).await;
    soon("nothing waits", async {
        let mut audited = server.server.accounts.audited();
        while waiting(&server) > 0 {
            audited.recv().await.unwrap();
        }
    })
    .await;
    assert_eq!(resend.taken().len(), 3);
    server.stop().await;
}

/// Goal: a flood of mails keeps to what Resend allows.
#[tokio::test]
async fn a_flood_of_mails_keeps_the_rate() {
    let resend = Resend::start().await;
    let server = Setup::new().resend(&resend).set("SYSTEM__MAIL__PER_SECOND", 10).start().await;
    let people: Vec<_> = (0..15).map(|it| format!("u{it}@example.com")).collect();
    let alert = |to| {
        let account_page = "https://example.com/account".to_owned();
        let (what, at) = (Alert::PasswordChanged, streamsuites::model::Timestamp::now());
        (to, Letter::Alert { what, at, user_agent: String::new(), account_page })
    };
    send(&server.server.accounts, people.iter().map(|it| alert(it.as_str())).collect()).await;
    resend.asked_times(people.len()).await;
    let taken = resend.taken();
    let took = taken[14].at.duration_since(taken[0].at);
    // What leaves with a tenth of a second between may arrive a little closer.
    assert!(took >= Duration::from_millis(1_200), "{took:?}");
    server.stop().await;
}
