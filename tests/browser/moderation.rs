//! What is taken away from chat is taken away from the screen.

use serde_json::json;

use crate::{
    LINES,
    support::{TestServer, browser::Browser, said::said},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_vanishes_from_the_overlay_and_from_the_replies_that_quote_it() {
    let server = TestServer::start().await;
    server.say([
        said("1", "Bo", "an awful secret"),
        said("2", "Cleo", "why").quoting("1", "Bo", "an awful secret"),
        said("3", "Dan", "from dan"),
        said("4", "Cleo", "no").quoting("3", "Dan", "from dan"),
        said("5", "Dan", "dan again"),
        said("6", "Eli", "elsewhere").on("kick"),
    ]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("")).await;
    let all = json!(["an awful secret", "why", "from dan", "no", "dan again", "elsewhere"]);
    page.until_is(LINES, all).await;
    let quotes =
        "[...document.querySelectorAll('#chat .reply-text')].map((it) => it.textContent).reverse()";
    page.until_is(quotes, json!(["an awful secret", "from dan"])).await;

    server.publish("chat.delete", json!({ "message_id": "twitch:1", "platform": "twitch" }));
    page.until_is(LINES, json!(["why", "from dan", "no", "dan again", "elsewhere"])).await;
    page.until_is(quotes, json!(["", "from dan"])).await;
    page.until("!document.documentElement.outerHTML.includes('secret')").await;

    let purge = json!({ "platform": "twitch", "author_id": "twitch:dan-id", "seconds": 600 });
    server.publish("chat.clear_user", purge);
    page.until_is(LINES, json!(["why", "no", "elsewhere"])).await;
    page.until_is(quotes, json!(["", ""])).await;

    server.publish("chat.clear", json!({ "platform": "twitch" }));
    page.until_is(LINES, json!(["elsewhere"])).await;
    server.say([said("7", "Dan", "back again")]);
    page.until_is(LINES, json!(["elsewhere", "back again"])).await;
    server.publish("chat.clear", json!({ "platform": null }));
    page.until_is(LINES, json!([])).await;
    page.assert_clean(&server.url("")).await;

    // Whoever comes now never hears of it.
    let late = browser.open(&server.overlay("")).await;
    server.say([said("8", "Cleo", "hello")]);
    late.until_is(LINES, json!(["hello"])).await;
    browser.close().await;
    server.stop().await;
}
