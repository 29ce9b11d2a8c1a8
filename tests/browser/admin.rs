//! The admins' page.

use serde_json::json;

use crate::{
    accounts::{ANA, FITS, PASSWORD, says, sign_up},
    support::{TestServer, browser::Browser},
};

/// Goal: by keys alone an account is found and suspended, its owner is out at once, the audit tells it, and it is let in
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_suspended_and_let_in_again() {
    let server = TestServer::start().await;
    let elsewhere = Browser::launch().await;
    let ana = elsewhere.open(&server.url("/login")).await;
    sign_up(&server, &ana, ANA).await;
    ana.sign_in(ANA, PASSWORD).await;

    let browser = Browser::launch().await;
    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until_is("location.pathname", "/").await;
    page.go(&server.url("/admin")).await;
    let names =
        "[...document.querySelectorAll('#accounts .name-button')].map((it) => it.textContent)";
    page.until_is(names, json!(["Ana"])).await;
    page.tab_to("#accounts-filter [name='q']").await;
    page.write("nobody of that name").await;
    page.until(&says("Nobody fits.")).await;
    page.eval("document.querySelector('#accounts-filter [name=q]').select()").await;
    page.write("ana@").await;
    page.until_is(names, json!(["Ana"])).await;
    page.tab_to(".name-button").await;
    page.hit("Enter").await;
    page.until("document.querySelector('#drawer').open && document.body.innerText.includes('in one browser')").await;
    page.tab_to("#drawer .acts .tool-button").await;
    page.hit("Enter").await;
    page.until_is("document.activeElement.textContent", "Out at once. Really?").await;
    // Asked, and taken back: the drawer stays.
    page.hit("Escape").await;
    page.until_is("document.activeElement.textContent", "Suspend").await;
    assert_eq!(page.eval("document.querySelector('#drawer').open").await, true);
    page.hit("Enter").await;
    page.hit("Enter").await;
    page.until(&says("Suspended.")).await;
    page.until("document.querySelector('#accounts tbody').innerText.includes('suspended')").await;
    ana.go(&server.url("/account")).await;
    ana.until_is("location.pathname", "/login").await;

    page.tab_to("#drawer a[href^='#audit']").await;
    page.hit("Enter").await;
    page.until("document.querySelector('#audit tbody').innerText.includes('Account suspended')")
        .await;
    page.until("document.querySelector('#audit tbody').innerText.includes('Operator')").await;
    page.eval("history.back()").await;
    page.until_is(names, json!(["Ana"])).await;
    page.click(".name-button").await;
    page.until(
        "document.querySelector('#drawer .acts')?.innerText.includes('Lift the suspension')",
    )
    .await;
    for _ in 0..2 {
        page.eval("[...document.querySelectorAll('#drawer .acts button')].find((it) => it.ariaLabel.includes('Lift')).click()").await;
    }
    page.until(&says("They may come in again.")).await;
    page.assert_clean(&server.url("")).await;
    ana.go(&server.url("/login")).await;
    ana.sign_in(ANA, PASSWORD).await;
    elsewhere.close().await;
    browser.close().await;
    server.stop().await;
}

/// Goal: an admin who takes an address as proven reads that its owner must set a new password.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_goes_with_an_address_taken_as_proven_is_told() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    let body = json!({ "email": ANA, "password": PASSWORD, "display_name": "Ana" });
    page.eval(&format!(
        "fetch('/auth/signup/password', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
        body: JSON.stringify({body}) }}).then((it) => it.status)"
    ))
    .await;
    page.go(&server.url(&server.server.sign_in)).await;
    page.until_is("location.pathname", "/").await;
    page.go(&server.url("/admin")).await;
    page.until("document.querySelector('.name-button')?.textContent === 'Ana'").await;
    page.click(".name-button").await;
    page.until("document.querySelector('#drawer .acts')?.innerText.includes('as proven')").await;
    for _ in 0..2 {
        page.eval("[...document.querySelectorAll('#drawer .acts button')].find((it) => it.ariaLabel.includes('as proven')).click()").await;
    }
    page.until(&says(
        "The address counts as proven. They must set a new password: a link is in their mail.",
    ))
    .await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

/// Goal: what is switched off for all is off at once; tiers say what is wrong with them; and all parts fit a phone.
#[tokio::test(flavor = "multi_thread")]
async fn switches_tiers_and_numbers_work_on_a_phone_too() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until_is("location.pathname", "/").await;
    page.go(&server.url("/admin#controls")).await;
    page.resize(360, 740).await;
    let button = "[...document.querySelectorAll('#controls button')].find((it) => it.ariaLabel.includes('New accounts'))";
    page.until(&format!("{button}?.textContent === 'Switch off'")).await;
    page.eval(&format!("{button}.click()")).await;
    page.until_is(&format!("{button}.textContent"), "For everybody. Really?").await;
    page.eval(&format!("{button}.click()")).await;
    page.until_is(&format!("{button}.textContent"), "Switch on").await;
    let stranger = Browser::launch().await;
    let login = stranger.open(&server.url("/login#create")).await;
    login
        .until_is("document.querySelector('[data-panel]:not([hidden])')?.dataset.panel", "sign-in")
        .await;
    stranger.close().await;

    for panel in ["accounts", "audit", "controls", "tiers", "metrics"] {
        page.eval(&format!("location.hash = '{panel}'")).await;
        page.until_is("document.querySelector('[data-panel]:not([hidden])')?.dataset.panel", panel)
            .await;
        assert_eq!(page.eval(FITS).await, true, "{panel}");
    }
    page.until("document.querySelector('#chart path.line')?.getAttribute('d').startsWith('M')")
        .await;
    page.until(
        "document.querySelector('#endpoints tbody').innerText.includes('/admin/auth/controls')",
    )
    .await;
    page.eval("location.hash = 'tiers'").await;
    page.until("document.querySelector('#pro-rooms')?.value === '10'").await;
    page.eval("document.querySelector('#gold-rooms').value = 5").await;
    page.click("#tiers-form .primary").await;
    page.until(&says("Saved, and in force.")).await;
    page.until(
        "document.querySelector('#gold-rooms').closest('td').classList.contains('is-changed')",
    )
    .await;
    page.assert_clean(&server.url("")).await;
    // Less than a lower tier: said where it is.
    page.eval("document.querySelector('#pro-rooms').value = 1").await;
    page.click("#tiers-form .primary").await;
    page.until("document.querySelector('#pro-rooms').ariaInvalid === 'true'").await;
    page.until(&says("Pro, rooms:")).await;
    browser.close().await;
    server.stop().await;
}
