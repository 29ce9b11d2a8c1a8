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

/// By mouse on the start page, by keys on the dashboard; nothing goes at the first click.
#[tokio::test(flavor = "multi_thread")]
async fn a_typed_channel_and_a_typed_room_are_taken_away_by_a_second_click() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until("document.querySelector('#server').dataset.state === 'live'").await;

    // The room's name stands in a field of its own, or before the channel.
    let card = "[...document.querySelectorAll('.card')].find((it) => it.querySelector('.url').textContent.endsWith('/den'))";
    page.type_into("#channel", "one").await;
    page.type_into("#room", "den").await;
    page.click("#add-button").await;
    page.until(&format!("{card}?.querySelectorAll('.statuses li').length === 1")).await;
    page.until_is("document.querySelector('#room').value", "").await;
    page.until(
        "[...document.querySelectorAll('#room-names option')].some((it) => it.value === 'den')",
    )
    .await;
    for channel in ["den=two", "den=twitch:three"] {
        page.type_into("#channel", channel).await;
        page.click("#add-button").await;
        page.until("document.querySelector('#channel').value === ''").await;
    }
    page.until(&format!("{card}.querySelectorAll('.statuses li').length === 3")).await;

    // Asked, taken back, asked again, answered.
    let line = |channel: &str| {
        format!(
            "[...{card}.querySelectorAll('.statuses li')].find((it) => it.querySelector('.channel').textContent === '{channel}')"
        )
    };
    page.eval(&format!("{}.querySelector('.removal').id = 'first'", line("two"))).await;
    page.click("#first").await;
    page.until_is("document.querySelector('#first').textContent", "Really?").await;
    page.eval("document.querySelector('#first').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))").await;
    page.until_is("document.querySelector('#first').textContent", "Remove").await;
    let room = server.server.hub.find_room("den").unwrap();
    assert_eq!(room.summary().status.len(), 3);
    page.click("#first").await;
    page.click("#first").await;
    page.until(&format!("{card}.querySelectorAll('.statuses li').length === 2")).await;
    assert_eq!(room.summary().status.len(), 2);

    // On the dashboard, by the keyboard alone.
    let dashboard = browser.open(&server.url("/dashboard?room=den")).await;
    dashboard.until("document.querySelectorAll('#channels .removal').length === 2").await;
    let press_enter = async |selector: &str| {
        let button = dashboard.tab.find_element(selector).await.unwrap();
        button.focus().await.unwrap().press_key("Enter").await.unwrap();
    };
    press_enter("#channels .removal").await;
    dashboard.until("document.activeElement.textContent === 'Really?'").await;
    press_enter("#channels .removal").await;
    dashboard.until("document.querySelectorAll('#channels li').length === 1").await;
    // With its last channel the room goes, and is said to.
    press_enter("#channels .removal").await;
    dashboard.until("document.activeElement.textContent === 'Room too?'").await;
    press_enter("#remove-room button").await;
    dashboard.until("document.activeElement.textContent.startsWith('Remove the room?')").await;
    assert!(server.server.hub.find_room("den").is_some());
    press_enter("#remove-room button").await;
    dashboard.until("location.pathname === '/'").await;
    assert!(server.server.hub.find_room("den").is_none());
    page.until(&format!("{card} === undefined")).await;
    page.assert_clean(&server.url("")).await;
    dashboard.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
