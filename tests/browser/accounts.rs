//! Getting an account, getting in, and putting others out.

use serde_json::json;

use crate::support::{
    TestServer,
    browser::{Browser, Page},
};

pub(crate) const ANA: &str = "ana@example.com";
pub(crate) const PASSWORD: &str = "a long walk home";
/// Which of the forms of the login page can be seen.
pub(crate) const PANEL: &str =
    "document.querySelector('[data-panel]:not([hidden])')?.dataset.panel";
/// Nothing is wider than the window.
pub(crate) const FITS: &str = "document.documentElement.scrollWidth <= innerWidth";

/// Whether a text can be seen on the page.
pub(crate) fn says(words: &str) -> String {
    format!("document.body.innerText.includes({words:?})")
}

impl Page {
    /// Signs in on the login page, which is open, and waits for the page behind it.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) {
        self.until_is(PANEL, "sign-in").await;
        self.type_into("#sign-in-email", email).await;
        self.type_into("#sign-in-password", password).await;
        self.hit("Enter").await;
        self.until("location.pathname === '/account' && document.querySelector('#name')?.textContent !== ''").await;
        self.until_is("document.readyState", "complete").await;
    }
}

/// Follows the link that verifies an address, up to its button.
async fn open_verification(server: &TestServer, page: &Page, email: &str) {
    page.go(&server.mailed(email, "/auth/verify/email?token=").await).await;
    page.until("document.activeElement.matches('[action=\"/auth/verify/email\"] .primary')").await;
}

/// Waits for what follows the click, with its scripts.
async fn until_verified(page: &Page) {
    page.until(&says("Your address is verified")).await;
    page.until("document.readyState === 'complete'").await;
}

/// Makes an account, verified, in no browser.
pub(crate) async fn sign_up(server: &TestServer, page: &Page, email: &str) {
    let body = json!({ "email": email, "password": PASSWORD, "display_name": "Ana" });
    page.eval(&format!(
        "fetch('/auth/signup/password', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
        body: JSON.stringify({body}) }}).then((it) => it.status)"
    ))
    .await;
    open_verification(server, page, email).await;
    page.click(".primary").await;
    until_verified(page).await;
}

/// Goal: with a keyboard alone somebody gets an account and gets in, sees where they are signed in, and a browser that
/// they end is out.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_up_by_keys_alone_and_a_browser_that_is_ended_is_out() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    page.until_is(PANEL, "sign-in").await;
    page.tab_to("a[href='#create']").await;
    page.hit("Enter").await;
    page.until_is(PANEL, "create").await;
    page.tab_to("#create-name").await;
    page.write("Ana").await;
    page.tab_to("#create-email").await;
    page.write(ANA).await;
    page.tab_to("#create-password").await;
    page.write(&PASSWORD[..4]).await;
    page.until_is(
        "document.querySelector('#create-form .strength-words').textContent",
        "6 more characters.",
    )
    .await;
    page.write(&PASSWORD[4..]).await;
    page.tab_to("#create-form .reveal").await;
    page.hit(" ").await;
    page.until_is("document.querySelector('#create-password').type", "text").await;
    page.tab_to("#create-form .primary").await;
    page.hit("Enter").await;
    page.until_is(PANEL, "mailbox").await;
    page.until(&says(&format!("We sent a link to {ANA}"))).await;
    page.until("document.activeElement.id === 'h-mailbox'").await;
    page.until("document.querySelector('#resend').textContent.startsWith('Send it again in')")
        .await;
    // What was typed is nowhere any more.
    page.until_is("document.querySelector('#create-password').value", "").await;

    open_verification(&server, &page, ANA).await;
    page.hit("Enter").await;
    until_verified(&page).await;
    page.tab_to("#sign-in-email").await;
    page.write(ANA).await;
    page.tab_to("#sign-in-password").await;
    page.write(PASSWORD).await;
    page.hit("Enter").await;
    page.until_is("location.pathname", "/account").await;
    page.until_is("document.querySelector('#name').textContent", "Ana").await;
    let sessions = "document.querySelectorAll('#session-list .row-item').length";
    page.until_is(sessions, 1).await;
    page.until(&says("this browser")).await;

    let elsewhere = Browser::launch().await;
    let other = elsewhere.open(&server.url("/login")).await;
    other.sign_in(ANA, PASSWORD).await;
    page.go(&server.url("/account")).await;
    page.until_is(sessions, 2).await;
    page.tab_to("#session-list .removal").await;
    page.hit("Enter").await;
    page.until("document.querySelector('#session-list .removal')?.dataset.armed === ''").await;
    page.hit("Enter").await;
    page.until_is(sessions, 1).await;
    page.assert_clean(&server.url("")).await;
    other.go(&server.url("/account")).await;
    other.until_is("location.pathname + location.search", "/login?return_to=/account").await;

    // And by itself.
    page.tab_to("#sign-out").await;
    page.hit("Enter").await;
    page.until(&says("You are signed out")).await;
    page.go(&server.url("/account")).await;
    page.until_is("location.pathname", "/login").await;
    elsewhere.close().await;
    browser.close().await;
    server.stop().await;
}

/// Goal: whatever goes wrong is said in words, beside its field where it has one, and what must wait counts down.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_in_words_where_it_belongs() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    page.until_is(PANEL, "sign-in").await;
    page.click("#sign-in-form .primary").await;
    page.until_is(
        "document.querySelector('#sign-in-email-fault').textContent",
        "Type your email address.",
    )
    .await;
    page.until("document.activeElement.id === 'sign-in-email'").await;
    page.write("nobody").await;
    page.until_is("document.querySelector('#sign-in-email').ariaInvalid", json!(null)).await;
    page.hit("Enter").await;
    page.until(&says("That does not look like an email address")).await;
    page.assert_clean(&server.url("")).await;

    let top = "document.querySelector('#sign-in-form .primary').getBoundingClientRect().top";
    let before = page.eval(top).await;
    page.write("@example.com").await;
    page.type_into("#sign-in-password", "not it at all").await;
    page.hit("Enter").await;
    page.until(&says("That address and password do not belong together.")).await;
    page.until("document.activeElement.id === 'sign-in-password'").await;
    assert_eq!(page.eval(top).await, before, "nothing moves when words come");
    assert_eq!(
        page.eval("location.search").await,
        "",
        "no form puts what was typed into an address"
    );
    for _ in 0..12 {
        page.hit("Enter").await;
        page.until("!document.querySelector('#sign-in-form [aria-busy]')").await;
    }
    page.until(
        "/Too many attempts\\. Try again in \\d+ s/.test(document.body.innerText) \
        && document.querySelector('#sign-in-form .primary').ariaDisabled === 'true'",
    )
    .await;

    // A password that everybody has; an address that nobody has verified.
    page.go(&server.url("/login?surface=public#create")).await;
    page.until_is(PANEL, "create").await;
    page.type_into("#create-email", "bo@example.com").await;
    page.type_into("#create-password", "password1234").await;
    page.hit("Enter").await;
    page.until(
        "document.querySelector('#create-password-fault').textContent.includes('tried first')",
    )
    .await;
    page.eval("document.querySelector('#create-password').value = ''").await;
    page.type_into("#create-password", PASSWORD).await;
    page.hit("Enter").await;
    page.until_is(PANEL, "mailbox").await;
    page.go(&server.url("/login")).await;
    page.until_is(PANEL, "sign-in").await;
    page.type_into("#sign-in-email", "bo@example.com").await;
    page.type_into("#sign-in-password", PASSWORD).await;
    page.hit("Enter").await;
    page.until(&says("is not verified yet")).await;
    page.click("#resend").await;
    page.until(&says("It is on its way.")).await;
    browser.close().await;
    server.stop().await;
}

/// Goal: a link from a mail signs in, at the page that was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_by_mail_leads_to_the_page_that_was_asked_for() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login?reason=expired&return_to=/livechat#link")).await;
    page.until(&says("Sign in again")).await;
    page.until_is(PANEL, "link").await;
    page.type_into("#link-email", ANA).await;
    page.hit("Enter").await;
    page.until_is(PANEL, "mailbox").await;
    page.go(&server.mailed(ANA, "/auth/link?token=").await).await;
    page.click(".primary").await;
    page.until_is("location.pathname", "/livechat").await;
    page.assert_clean(&server.url("")).await;

    browser.close().await;
    server.stop().await;
}

/// Goal: reasons are explained, words of strangers are not shown, and whoever is in goes on to a page of ours alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_explained_and_no_address_leads_to_a_page_of_strangers() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login?reason=expired#link")).await;
    page.until(&says("Sign in again")).await;
    page.until_is(PANEL, "link").await;
    page.go(&server.url("/login?reason=%3Cb%3Ecall+555%3C/b%3E")).await;
    page.until_is(PANEL, "sign-in").await;
    assert_eq!(page.eval(&says("555")).await, false);
    sign_up(&server, &page, ANA).await;
    page.sign_in(ANA, PASSWORD).await;
    page.go(&server.url("/login?return_to=/livechat")).await;
    page.until_is("location.pathname", "/livechat").await;
    page.go(&server.url("/login?return_to=https://evil.example/")).await;
    page.until_is("location.href", server.url("/account").as_str()).await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

/// Goal: the pages of accounts fit a phone, on which nothing has to be pushed aside.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_nothing_is_wider_than_the_screen() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    page.resize(360, 740).await;
    for panel in ["sign-in", "create", "link", "forgot"] {
        page.eval(&format!("location.hash = '{panel}'")).await;
        page.until_is(PANEL, panel).await;
        assert_eq!(page.eval(FITS).await, true, "{panel}");
    }
    sign_up(&server, &page, ANA).await;
    page.sign_in(ANA, PASSWORD).await;
    page.until("document.querySelector('#name').textContent === 'Ana'").await;
    page.eval("for (const it of document.querySelectorAll('details')) it.open = true").await;
    assert_eq!(page.eval(FITS).await, true, "the account");
    page.go(&server.url("/")).await;
    page.until(&says("Hello, Ana")).await;
    assert_eq!(page.eval(FITS).await, true, "the start page");
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
