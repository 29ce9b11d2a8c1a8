//! A moderator at work: asked on the dashboard, with what was granted on the page and no more.

use serde_json::json;

use crate::{
    LINES, ROWS,
    support::{TestServer, browser::Browser, said::said},
};

/// Goal: what a creator grants is on the moderator's open page within moments, and what is taken away is not.
/// Method: the operator's dashboard in one browser, a moderator's pop-out in another, an overlay beside.
#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_has_the_buttons_that_were_granted_and_loses_them_while_the_page_is_open() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "one"), said("2", "Cleo", "two")]);
    let mo = server.put_person("Mo", "mo@example.com").await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until("document.querySelector('#server').dataset.state === 'live'").await;
    page.go(&server.url("/dashboard?room=ana")).await;
    page.until("document.querySelector('#moderator-preset').value === 'moderator'").await;
    page.eval("document.querySelector('#moderator-preset').value = 'helper'").await;
    page.type_into("#moderator-to", &mo.code).await;
    page.click("#moderator-add").await;
    page.until_is("document.querySelector('#moderators-told').textContent", "Mo moderates now.")
        .await;
    page.until_is(
        "[...document.querySelectorAll('#moderators input:checked')].map((it) => it.value)",
        json!(["queue"]),
    )
    .await;

    let theirs = Browser::launch().await;
    let popout = theirs.open(&server.url("/livechat")).await;
    popout.become_person(&mo).await;
    popout.go(&server.popout()).await;
    popout.until_is(ROWS, json!(["one", "two"])).await;
    popout.until("document.querySelector('#queue-button').hidden === false").await;
    assert_eq!(popout.eval("document.querySelector('#queue-next').hidden").await, json!(true));

    // One more right: the page comes back with it.
    let tick =
        |right: &str| format!("document.querySelector('#moderators input[value={right}]').click()");
    page.eval(&tick("ban")).await;
    let has_ban = "(() => { document.querySelector('#log .name')?.click(); \
        return [...document.querySelectorAll('#card .card-desk button')].map((it) => it.textContent); })()";
    popout.until_is(has_ban, json!(["Ban", "Unban"])).await;
    let overlay = browser.open(&server.overlay("")).await;
    overlay.until_is(LINES, json!(["one", "two"])).await;
    popout.eval("document.querySelector('#card .card-desk button').click()").await;
    overlay.until_is(LINES, json!(["two"])).await;

    // All of it taken back: what stays is what everybody may.
    page.eval("document.querySelector('#moderators .removal').click()").await;
    page.eval("document.querySelector('#moderators .removal').click()").await;
    page.until("document.querySelectorAll('#moderators li').length === 0").await;
    popout.until("document.querySelector('#queue-button')?.hidden === true").await;
    popout.until_is(ROWS, json!(["two"])).await;
    theirs.close().await;
    browser.close().await;
    server.stop().await;
}
