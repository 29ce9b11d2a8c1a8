//! The dashboard: what is tried there is seen there, and what is saved reaches open overlays.

use serde_json::json;

use crate::{
    LINES,
    support::{TestServer, browser::Browser, said::said},
};

const SCALE: &str = "getComputedStyle(document.querySelector('#frame').contentDocument.querySelector('.line .text')).fontSize";
const STATE: &str = "document.querySelector('#state').textContent";

/// Sets a field as a hand does.
fn fill(selector: &str, value: &str) -> String {
    format!(
        "(() => {{ const it = document.querySelector({selector:?}); it.value = {value:?}; \
        it.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_tried_corrected_undone_and_saved_and_overlays_have_it_at_once() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "hello")]);
    let browser = Browser::launch().await;
    let overlay = browser.open(&server.overlay("")).await;
    overlay.until_is(LINES, json!(["hello"])).await;
    let page = browser.open(&server.url("/dashboard?room=ana")).await;
    page.until_is("location.pathname", "/").await;
    page.go(&server.url(&server.server.sign_in)).await;
    page.go(&server.url("/dashboard?room=ana")).await;
    page.until(
        "document.querySelector('#frame')?.contentDocument?.querySelectorAll('.line').length > 3",
    )
    .await;
    page.until("document.querySelectorAll('#themes .theme').length >= 3").await;

    // Tried: the preview has it, the stream does not.
    page.eval(&fill("#font_size", "37")).await;
    page.until_is(SCALE, "37px").await;
    page.until_is(STATE, "Not saved yet").await;
    page.eval("document.querySelector('#undo').click()").await;
    page.until(&format!("{SCALE} !== '37px' && document.querySelector('#save').disabled")).await;
    page.eval(&fill("#font_size", "37")).await;

    // What is wrong in CSS is told with its place, and is not worn.
    page.eval(&fill("#css", ".line { color: rgb(1, 2, 3) }\n.name { color: ")).await;
    page.until("document.querySelector('.css-fault')?.textContent.startsWith('Line 2, column 7')")
        .await;
    page.eval("document.querySelector('#save').click()").await;
    page.until_is(STATE, "Not saved: something is not right yet.").await;
    assert_eq!(server.room().settings().font_size, 0);
    page.eval(&fill("#css", ".line { color: rgb(1, 2, 3) }")).await;
    page.until("document.querySelectorAll('.css-fault').length === 0").await;
    page.eval("document.querySelector('#save').click()").await;
    page.until(&format!("{STATE}.startsWith('Saved')")).await;
    overlay
        .until_is("getComputedStyle(document.querySelector('.line')).color", "rgb(1, 2, 3)")
        .await;
    overlay
        .until_is("getComputedStyle(document.querySelector('.line .text')).fontSize", "37px")
        .await;

    // A theme of one's own, chosen and worn.
    page.eval(&fill("#css", ".line { border-top: 5px solid }")).await;
    page.eval(&fill("#theme-title", "Mine")).await;
    page.eval("document.querySelector('#theme-add').click()").await;
    page.until("document.querySelector('#themes input[value=mine]') !== null").await;
    page.eval("document.querySelector('#themes input[value=mine]').click()").await;
    // The theme is still in the editor: one press keeps both.
    page.eval(&fill("#css", ".line { border-top: 6px solid }")).await;
    page.until("!document.querySelector('#save').disabled").await;
    page.eval("document.querySelector('#save').click()").await;
    overlay
        .until_is("getComputedStyle(document.querySelector('.line')).borderTopWidth", "6px")
        .await;
    assert_eq!(server.room().settings().custom_css, ".line { color: rgb(1, 2, 3) }");
    overlay.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

/// Goal: of two open dashboards, neither overwrites what the other saved without a word.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_elsewhere_is_told_before_it_is_overwritten() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let first = browser.open(&server.url(&server.server.sign_in)).await;
    first.until("document.querySelector('#server').dataset.state === 'live'").await;
    let url = server.url("/dashboard?room=ana");
    first.go(&url).await;
    let second = browser.open(&url).await;
    let save = "document.querySelector('#save').click()";
    let value = |selector: &str| format!("document.querySelector('{selector}').value");
    for page in [&first, &second] {
        page.until("document.querySelectorAll('#themes .theme').length >= 3").await;
    }
    first.eval(&fill("#max_messages", "7")).await;
    first.eval(save).await;
    first.until(&format!("{STATE}.startsWith('Saved')")).await;

    // The second one has seen none of that: it is told, and shows it under its own draft.
    second.eval(&fill("#fade_seconds", "9")).await;
    second.eval(save).await;
    second.until(&format!("{STATE}.startsWith('Changed elsewhere')")).await;
    second.until_is(&value("#max_messages"), "7").await;
    second.until_is(&value("#fade_seconds"), "9").await;
    let settings = server.room().settings();
    assert_eq!((settings.max_messages, settings.fade_seconds), (7, 0), "nothing was saved yet");
    second.eval(save).await;
    second.until(&format!("{STATE}.startsWith('Saved')")).await;
    let settings = server.room().settings();
    assert_eq!((settings.max_messages, settings.fade_seconds), (7, 9));

    // A theme's CSS alike.
    second.eval(&fill("#css", ".line { border-top: 5px solid }")).await;
    second.eval(&fill("#theme-title", "Mine")).await;
    second.eval("document.querySelector('#theme-add').click()").await;
    second.until("document.querySelector('#css-target').value === 'mine'").await;
    first.go(&url).await;
    let choose = "(() => { const it = document.querySelector('#css-target'); it.value = 'mine'; it.dispatchEvent(new Event('change')); })()";
    first.until("document.querySelectorAll('#css-target option').length === 2").await;
    first.eval(choose).await;
    first.until_is(&value("#css"), ".line { border-top: 5px solid }").await;
    first.eval(&fill("#css", ".line { border-top: 6px solid }")).await;
    first.eval(save).await;
    first.until(&format!("{STATE}.startsWith('Saved')")).await;
    second.eval(&fill("#css", ".line { border-top: 7px solid }")).await;
    second.eval(save).await;
    second.until(&format!("{STATE}.startsWith('The theme was changed elsewhere')")).await;
    second.until_is(&value("#css"), ".line { border-top: 7px solid }").await;
    second.eval(save).await;
    second.until(&format!("{STATE}.startsWith('Saved')")).await;
    first.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
