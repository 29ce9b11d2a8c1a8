//! From a channel's name to an overlay.

use serde_json::json;

use crate::{
    LINES,
    support::{TestServer, browser::Browser, publish_in, said::said},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_types_a_channel_and_gets_an_overlay() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let stranger = browser.open(&server.url("/")).await;
    stranger.until("document.querySelector('#add') === null && document.body.innerText.includes('Sign in')").await;

    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until_is("location.pathname + location.search", "/").await;
    page.until("document.querySelector('#server').dataset.state === 'live'").await;
    // On a page of its own: the browser notes every refusal of the server as an error.
    let refused = browser.open(&server.url("/")).await;
    refused.type_into("#channel", "not a channel!").await;
    refused.click("#add-button").await;
    refused
        .until("document.querySelector('#add-error').textContent.includes('letters, digits')")
        .await;
    page.type_into("#channel", "https://www.twitch.tv/SomeBody").await;
    page.click("#add-button").await;
    let made = "document.querySelector('#made:not([hidden]) .url')?.textContent";
    let overlay = server.url("/overlay/SomeBody");
    page.until_is(made, overlay.as_str()).await;
    page.until_is("document.querySelector('#add-error').textContent", "").await;
    page.until("[...document.querySelectorAll('#rooms .url')].some((it) => it.textContent.endsWith('/SomeBody'))").await;
    // Another channel, into the same room.
    let card = "[...document.querySelectorAll('.card')].find((it) => it.querySelector('.url').textContent.endsWith('/SomeBody'))";
    page.eval(&format!("{card}.querySelector('summary').click()")).await;
    page.eval(&format!("{card}.querySelector('.another input').id = 'more'")).await;
    page.eval(&format!("{card}.querySelector('.another button').id = 'more-button'")).await;
    page.type_into("#more", "twitch.tv/another").await;
    page.click("#more-button").await;
    page.until(&format!("{card}.querySelectorAll('.statuses li').length === 2")).await;
    page.assert_clean(&server.url("")).await;

    let shown = browser.open(&overlay).await;
    let room = server.server.hub.find_room("somebody").unwrap();
    publish_in(&room, "chat.message", said("1", "Bo", "it works"));
    shown.until_is(LINES, json!(["it works"])).await;
    browser.close().await;
    server.stop().await;
}
