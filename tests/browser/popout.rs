//! The chat in a window of its own.

use chromiumoxide::layout::Point;
use serde_json::json;

use crate::{
    ROWS,
    support::{
        TestServer,
        browser::{Browser, Page},
        said::said,
    },
};

const PILL: &str =
    "(({hidden, textContent}) => hidden ? null : textContent)(document.querySelector('#pill'))";

impl Page {
    /// Moves the mouse over the chat, or away from it.
    async fn hover(&self, over_chat: bool) {
        let y = if over_chat { 300.0 } else { 5.0 };
        self.tab.move_mouse(Point { x: 200.0, y }).await.unwrap();
    }

    /// Waits until a text is nowhere in the page, seen or not.
    async fn until_gone(&self, text: &str) {
        let text = json!(text);
        self.until(&format!(
            "!document.documentElement.outerHTML.includes({text}) && !document.body.innerText.includes({text})"
        ))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_popout_stands_still_under_the_pointer_and_counts_what_waits() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "one"), said("2", "Cleo", "two")]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.popout()).await;
    page.until_is(ROWS, json!(["one", "two"])).await;
    page.hover(true).await;
    server.say([said("3", "Bo", "three"), said("4", "Bo", "never seen"), said("5", "Bo", "five")]);
    page.until_is(PILL, "3 new ↓").await;
    assert_eq!(page.eval(ROWS).await, json!(["one", "two"]));
    server.publish("chat.delete", json!({ "message_id": "twitch:4", "platform": "twitch" }));
    page.until_is(PILL, "2 new ↓").await;
    page.hover(false).await;
    page.until_is(ROWS, json!(["one", "two", "three", "five"])).await;
    page.until_is(PILL, json!(null)).await;
    page.hover(true).await;
    server.say([said("6", "Bo", "six")]);
    page.until_is(PILL, "1 new ↓").await;
    page.click("#pill").await;
    page.until("document.querySelector('#log').innerText.includes('six')").await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_popout_finds_words_and_leaves_platforms_out() {
    let server = TestServer::start().await;
    server.say([
        said("1", "Bo", "a needle here"),
        said("2", "Cleo", "hay"),
        said("3", "Needleman", "hello").on("youtube"),
        said("4", "Dan", "more hay").on("youtube"),
    ]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.popout()).await;
    let all = json!(["a needle here", "hay", "hello", "more hay"]);
    page.until_is(ROWS, all.clone()).await;
    page.click("#search-button").await;
    page.type_into("#search", "Needle").await;
    page.until_is(ROWS, json!(["a needle here", "hello"])).await;
    page.until_is("document.querySelector('#found').textContent", "2 found").await;
    server.say([said("5", "Bo", "another needle"), said("6", "Bo", "another straw")]);
    page.until_is(ROWS, json!(["a needle here", "hello", "another needle"])).await;
    page.click("#search-close").await;
    page.until_is("document.querySelector('#search-bar').hidden", true).await;
    page.until_is(&format!("{ROWS}.length"), 6).await;

    page.click("#chips [data-platform=youtube]").await;
    page.until_is(ROWS, json!(["a needle here", "hay", "another needle", "another straw"])).await;
    page.until_is(
        "document.querySelector('#chips button[data-platform=youtube]').ariaPressed",
        "false",
    )
    .await;
    page.click("#chips [data-platform=youtube]").await;
    page.until_is(&format!("{ROWS}.length"), 6).await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_words_are_nowhere_in_the_popout_any_more() {
    let server = TestServer::start().await;
    server.say([
        said("1", "Bo", "first secret"),
        said("2", "Cleo", "why").quoting("1", "Bo", "first secret"),
        said("3", "Bo", "second secret"),
        said("4", "Dan", "third secret"),
        said("5", "Dan", "fourth secret"),
    ]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.popout()).await;
    page.until_is(&format!("{ROWS}.length"), 5).await;
    // The card of a viewer quotes what they said, and so does one that was closed again.
    page.click("#log .line[data-user-login=bo] .name").await;
    page.until("document.querySelector('#card:not([hidden])').innerText.includes('first secret')")
        .await;
    server.publish("chat.delete", json!({ "message_id": "twitch:1", "platform": "twitch" }));
    page.until_gone("first secret").await;
    assert_eq!(
        page.eval(ROWS).await,
        json!(["message deleted", "why", "second secret", "third secret", "fourth secret"])
    );
    assert_eq!(
        page.eval("document.querySelector('#card').innerText.includes('second secret')").await,
        true
    );
    page.tab.find_element("body").await.unwrap().press_key("Escape").await.unwrap();
    page.until("document.querySelector('#card').hidden").await;
    server.publish("chat.delete", json!({ "message_id": "twitch:3", "platform": "twitch" }));
    page.until_gone("second secret").await;

    page.click("#log .line[data-user-login=dan] .name").await;
    page.until("document.querySelector('#card:not([hidden])').innerText.includes('third secret')")
        .await;
    let purge = json!({ "platform": "twitch", "author_id": "twitch:dan-id", "seconds": null });
    server.publish("chat.clear_user", purge);
    page.until_gone("third secret").await;
    page.until_gone("fourth secret").await;

    // Said while the chat stands still, under the open card.
    server.say([said("6", "Dan", "fifth secret")]);
    page.until_is(PILL, "1 new ↓").await;
    server.publish("chat.clear", json!({ "platform": "twitch" }));
    page.until_gone("fifth secret").await;
    page.until_is(ROWS, json!([])).await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
