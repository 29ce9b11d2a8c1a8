//! Pages outlive the server.

use serde_json::json;

use crate::{
    LINES, ROWS,
    support::{TestServer, browser::Browser, said::said},
};

#[tokio::test(flavor = "multi_thread")]
async fn pages_survive_a_restart_of_the_server_without_being_reloaded() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let overlay = browser.open(&server.overlay("")).await;
    let popout = browser.open(&server.popout()).await;
    server.say([said("1", "Bo", "before")]);
    overlay.until_is(LINES, json!(["before"])).await;
    popout.until_is(ROWS, json!(["before"])).await;
    let state = "document.querySelector('#state-text').textContent";
    popout.until_is(state, "Live").await;
    overlay.eval("window.same_page = true").await;
    popout.eval("window.same_page = true").await;

    let stopped = server.stop().await;
    popout.until_is(state, "Reconnecting…").await;
    assert_eq!(overlay.eval(LINES).await, json!(["before"]), "on air, nothing is seen of it");
    let server = stopped.start().await;
    server.say([said("2", "Bo", "after")]);
    overlay.until_is(LINES, json!(["before", "after"])).await;
    popout.until_is(ROWS, json!(["before", "after"])).await;
    popout.until_is(state, "Live").await;
    server.say([said("3", "Bo", "and on")]);
    overlay.until_is(LINES, json!(["before", "after", "and on"])).await;
    popout.until_is(ROWS, json!(["before", "after", "and on"])).await;
    assert_eq!(overlay.eval("window.same_page").await, true);
    assert_eq!(popout.eval("window.same_page").await, true);
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_looks_as_the_greeting_says_not_as_the_log_remembers() {
    let server = TestServer::start().await;
    let mut old = serde_json::to_value(&*server.room().settings()).unwrap();
    old["font_size"] = json!(41);
    server.publish("settings.update", old);
    assert_eq!(server.room().settings().font_size, 41);
    server.say([said("1", "Bo", "before")]);
    // Nobody kept that look: the next server begins with its own.
    let server = server.stop().await.start().await;
    assert_eq!(server.room().settings().font_size, 0);
    let browser = Browser::launch().await;
    let overlay = browser.open(&server.overlay("")).await;
    server.say([said("2", "Bo", "after")]);
    overlay.until_is(LINES, json!(["before", "after"])).await;
    let size =
        overlay.eval("getComputedStyle(document.querySelector('.line .text')).fontSize").await;
    assert_ne!(size, "41px");
    browser.close().await;
    server.stop().await;
}
