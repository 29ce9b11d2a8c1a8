//! The dashboard's automation: triggers made in the editor, tried, and what is wrong with them told where it is.

use serde_json::json;

use crate::support::{
    TestServer,
    browser::{Browser, Page},
};

const LIST: &str =
    "[...document.querySelectorAll('#triggers .trigger-call')].map((it) => it.textContent)";
const TOLD: &str = "document.querySelector('#trigger-told').textContent";
const VERDICT: &str = "document.querySelector('#dry-run .verdict')?.textContent ?? ''";
const MARKUP: &str = "<img src=x onerror=window.broken=1>";

impl Page {
    /// Puts a text into a field, as a hand does that pastes.
    async fn fill(&self, selector: &str, text: &str) {
        self.eval(&format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.value = {}; \
            it.dispatchEvent(new Event('input', {{ bubbles: true }})); \
            it.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()",
            json!(text)
        ))
        .await;
    }

    /// The dashboard of `ana` at its automation, for the operator.
    async fn at_automation(server: &TestServer, browser: &Browser) -> Self {
        let page = browser.open(&server.url(&server.server.sign_in)).await;
        page.until("document.querySelector('#server').dataset.state === 'live'").await;
        page.go(&server.url("/dashboard?room=ana")).await;
        // A mouse does not look what stands before what it aims at: here nothing does.
        page.resize(1300, 1500).await;
        page.click(".parts a[data-part=automation]").await;
        page.until("document.querySelector('#trigger-count')?.textContent !== ''").await;
        page
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_is_written_tried_saved_moved_and_switched_off() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = Page::at_automation(&server, &browser).await;
    page.type_into("#trigger-command", "!hello").await;
    page.type_into(".action textarea", "Welcome, ").await;
    page.click(".variable[aria-label^='{user}']").await;
    page.write("!").await;
    page.until_is("document.querySelector('.action textarea').value", "Welcome, {user}!").await;

    // Tried before it is saved: the answer as it would stand in chat, and who was asked.
    page.type_into("#dry-message", "!hello there").await;
    page.hit("Enter").await;
    page.until_is("document.querySelector('#dry-run .dry-text')?.textContent", "Welcome, Wren!")
        .await;
    page.until_is("document.querySelector('#dry-run .considered li').dataset.outcome", "matched")
        .await;
    // What changes in the editor is tried again by itself.
    page.fill(".action textarea", "Hi {user}").await;
    page.until_is("document.querySelector('#dry-run .dry-text')?.textContent", "Hi Wren").await;
    assert_eq!(page.eval(LIST).await, json!([]), "nothing was saved yet");

    page.click("#trigger-save").await;
    page.until(&format!("{TOLD}.startsWith('Saved')")).await;
    page.until_is(LIST, json!(["!hello"])).await;
    page.click("#trigger-add").await;
    page.click("#trigger-fields .segments label:nth-child(2) input").await;
    page.fill("#trigger-keywords", MARKUP).await;
    page.fill(".action textarea", MARKUP).await;
    page.click("#trigger-save").await;
    page.until(&format!("{TOLD}.startsWith('Saved')")).await;
    let marked = format!("“{MARKUP}”");
    page.until_is(LIST, json!(["!hello", marked])).await;

    // The first that matches acts: the order is the creator's.
    page.eval("document.querySelectorAll('#triggers .trigger-open')[1].focus()").await;
    page.eval(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', \
        { key: 'ArrowUp', altKey: true, bubbles: true, cancelable: true }))",
    )
    .await;
    page.until_is(LIST, json!([marked, "!hello"])).await;
    page.eval("document.querySelectorAll('#triggers [role=switch]')[1].click()").await;
    page.until("document.querySelectorAll('#triggers .trigger')[1].hasAttribute('data-off')").await;
    page.fill("#dry-message", "!hello").await;
    page.eval("document.querySelector('.dry-form').requestSubmit()").await;
    page.until_is(VERDICT, "Nothing would happen.").await;
    page.fill("#dry-message", &format!("see {MARKUP} here")).await;
    page.eval("document.querySelector('.dry-form').requestSubmit()").await;
    page.until_is("document.querySelector('#dry-run .dry-text')?.textContent", MARKUP).await;

    // As it was left, also after a reload, and nothing a viewer or an owner wrote is markup.
    page.eval("void location.reload()").await;
    page.until_is(LIST, json!([marked, "!hello"])).await;
    page.until("document.querySelectorAll('#triggers .trigger')[1].hasAttribute('data-off')").await;
    assert_eq!(page.count(".automation img[src=x]").await, 0);
    assert_eq!(page.eval("window.broken === undefined").await, json!(true));
    page.assert_clean(&server.url("")).await;

    page.eval("document.querySelectorAll('#triggers .trigger-open')[0].click()").await;
    page.until("!document.querySelector('#trigger-removal button').hidden").await;
    for _ in 0..2 {
        page.eval("document.querySelector('#trigger-removal button').click()").await;
    }
    page.until_is(LIST, json!(["!hello"])).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = Page::at_automation(&server, &browser).await;
    page.click("#trigger-fields .segments label:nth-child(3) input").await;
    page.fill("#trigger-pattern", "(gg").await;
    page.click("#trigger-save").await;
    // An answer without words is seen here.
    page.until("document.querySelector('.action [aria-invalid=true]') === document.activeElement")
        .await;
    page.fill(".action textarea", "Well played, {usr}").await;
    page.click("#trigger-save").await;
    page.until(
        "document.querySelector('#trigger-pattern').getAttribute('aria-invalid') === 'true'",
    )
    .await;
    page.until(
        "document.querySelector('#trigger-pattern-fault').textContent.includes('regular expression')",
    )
    .await;
    page.until_is("document.activeElement.id", "trigger-pattern").await;
    page.until("document.querySelector('.action .fault').textContent.includes('{usr}')").await;
    assert_eq!(page.eval("document.querySelector('#trigger-pattern').value").await, "(gg");

    page.fill("#trigger-pattern", "^gg$").await;
    page.until("!document.querySelector('#trigger-pattern').hasAttribute('aria-invalid')").await;
    page.fill(".action textarea", "Well played, {user}").await;
    page.click("#trigger-save").await;
    page.until_is(LIST, json!(["/^gg$/"])).await;
    browser.close().await;
    server.stop().await;
}
