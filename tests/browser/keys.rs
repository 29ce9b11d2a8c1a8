//! Overlay keys on the dashboard, and what becomes of the pages that are open with one.

use serde_json::json;

use crate::{
    LINES,
    support::{
        TestServer,
        browser::{Browser, Page},
        said::said,
    },
};

/// What is copied goes here instead of the clipboard, which a browser without a window has not.
const COPIED: &str = "Object.defineProperty(navigator, 'clipboard', \
    { value: { writeText: async (text) => { window.copied = text; } } });";
const TOLD: &str = "document.querySelector('#keys-told').textContent";

/// In the card of the key of that place, the text of an element.
fn text(place: usize, selector: &str) -> String {
    format!("document.querySelectorAll('.key')[{place}]?.querySelector('{selector}')?.textContent")
}

impl Page {
    /// Presses a button in the card of the key of that place.
    async fn push(&self, place: usize, words: &str) {
        let card = format!("document.querySelectorAll('.key')[{place}]");
        let words = json!(words);
        let find = format!(
            "[...{card}.querySelectorAll('button')].find((it) => it.textContent === {words})"
        );
        self.until(&format!("Boolean({find})")).await;
        self.eval(&format!("{find}.click()")).await;
    }

    /// Copies the link of the key of that place.
    async fn copied(&self, place: usize) -> String {
        self.eval("window.copied = null").await;
        self.push(place, "Copy link").await;
        self.until("typeof window.copied === 'string'").await;
        self.eval("window.copied").await.as_str().unwrap().to_owned()
    }
}

/// Goal: a streamer gives a source a key of its own, shows it to nobody, and ends it without touching the others.
/// Method: the dashboard as hands use it, with overlays and a pop-out open over its links.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_copied_unseen_rotated_and_ended_and_open_pages_follow() {
    let access = ("STREAMSUITES__SYSTEM__OVERLAY_ACCESS", "key".to_owned());
    let server = TestServer::start_with_channels(json!([]), &[access]).await;
    server.say([said("1", "Bo", "hello")]);
    let browser = Browser::launch().await;
    let page = browser.open_with(&server.url(&server.server.sign_in), COPIED).await;
    page.until("document.querySelector('#server').dataset.state === 'live'").await;
    page.go(&server.url("/dashboard?room=ana")).await;
    page.until_is(&text(0, ".key-name"), "Default").await;
    page.type_into("#key-name", "Gaming scene").await;
    page.tab.find_element("#key-name").await.unwrap().press_key("Enter").await.unwrap();
    page.until_is(&text(1, ".key-name"), "Gaming scene").await;
    page.until_is(TOLD, "“Gaming scene” is ready: copy its link into OBS.").await;
    page.until(&format!("{}.endsWith('not used yet')", text(1, ".facts"))).await;

    // Copied and not shown; shown only when asked.
    let link = page.copied(1).await;
    let key = link.split("?key=").nth(1).unwrap().to_owned();
    assert_eq!(key.len(), 22, "{link}");
    let is_seen = format!("document.documentElement.outerHTML.includes('{key}')");
    assert_eq!(page.eval(&is_seen).await, json!(false));
    page.push(1, "Show").await;
    page.until_is(&text(1, ".url"), link.as_str()).await;
    page.push(1, "Hide").await;
    page.until(&format!("!{is_seen}")).await;

    // In another browser, which is not signed in: as OBS is.
    let obs = Browser::launch().await;
    let overlay = obs.open(&link).await;
    overlay.until_is(LINES, json!(["hello"])).await;
    let default = page.copied(0).await;
    let other = obs.open(&default).await;
    other.until_is(LINES, json!(["hello"])).await;
    let popout = obs.open(&default.replace("/overlay/", "/chat/")).await;
    popout.until("document.documentElement.dataset.connection === 'live'").await;
    let look = "document.dispatchEvent(new Event('visibilitychange'))";
    page.eval(look).await;
    page.until(&format!("{}.endsWith('in use: 1 open')", text(1, ".facts"))).await;
    page.until(&format!("{}.endsWith('in use: 2 open')", text(0, ".facts"))).await;

    // One ends: its source shows nothing any more and says why where nobody streams it; the others go on.
    page.push(1, "Delete").await;
    page.push(1, "Sources with it stop. Delete?").await;
    page.until_is("document.querySelectorAll('.key').length", 1).await;
    overlay.until("document.querySelector('#detail')?.hidden === false").await;
    overlay.until("document.body.innerText.includes('opens the overlay no longer')").await;
    server.say([said("2", "Bo", "still here")]);
    other.until_is(LINES, json!(["hello", "still here"])).await;

    // Rotated with grace, the old link goes on, and the page offers the new one; ended, it does not.
    page.push(0, "Rotate…").await;
    page.eval(
        "(() => { const it = document.querySelector('.turning select'); it.value = '600'; })()",
    )
    .await;
    page.push(0, "Rotate now").await;
    page.until(&format!(
        "{TOLD}.startsWith('A new link is ready: copy it into OBS. The old one works until')"
    ))
    .await;
    let newer = page.copied(0).await;
    assert_ne!(newer, default);
    page.eval("document.querySelector('#copy').click()").await;
    page.until_is("window.copied", newer.as_str()).await;
    page.until(&format!("{}?.endsWith('in use: 2 open')", text(0, ".old-keys li"))).await;
    server.say([said("3", "Bo", "in grace")]);
    other.until_is(LINES, json!(["hello", "still here", "in grace"])).await;
    page.push(0, "End the old one now").await;
    other.until("document.body.innerText.includes('opens the overlay no longer')").await;
    popout.until("document.body.innerText.includes('opens the room no longer')").await;
    page.until("document.querySelectorAll('.old-keys li').length === 0").await;
    page.assert_clean(&server.url("")).await;
    obs.close().await;
    browser.close().await;
    server.stop().await;
}
