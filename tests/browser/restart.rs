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
