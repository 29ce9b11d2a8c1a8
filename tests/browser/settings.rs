//! How an overlay looks: what the room says, and what its address says.

use serde_json::json;
use streamsuites::model::OverlaySettings;

use crate::{
    LINES,
    support::{TestServer, browser::Browser, said::said},
};

#[tokio::test(flavor = "multi_thread")]
async fn new_settings_are_applied_at_once_and_the_address_of_a_source_wins_over_them() {
    let server = TestServer::start().await;
    server.say((1..=5).map(|it| said(&it.to_string(), "Bo", &format!("line {it}"))));
    let browser = Browser::launch().await;
    let plain = browser.open(&server.overlay("")).await;
    let own = browser.open(&server.overlay("?theme=slate&max_messages=4")).await;
    plain.until_is(LINES, json!(["line 1", "line 2", "line 3", "line 4", "line 5"])).await;
    own.until_is(LINES, json!(["line 2", "line 3", "line 4", "line 5"])).await;
    plain.eval("window.same_page = true").await;

    server.room().set_settings(OverlaySettings {
        theme: "midnight".to_owned(),
        max_messages: 2,
        font_size: 40,
        show_platform: false,
        ..OverlaySettings::default()
    });
    let sheets = "[...document.styleSheets].map((it) => it.href).filter((it) => it?.includes('/themes/'))\
        .map((it) => new URL(it).pathname)";
    plain.until_is("document.documentElement.dataset.theme", "midnight").await;
    plain.until_is(sheets, json!(["/themes/midnight/theme.css"])).await;
    plain.until_is(LINES, json!(["line 4", "line 5"])).await;
    plain
        .until_is("getComputedStyle(document.querySelector('.line .text')).fontSize", "40px")
        .await;
    plain.until_is("document.querySelectorAll('#chat .platform').length", 0).await;
    own.until_is("document.querySelectorAll('#chat .platform').length", 0).await;
    own.until_is(sheets, json!(["/themes/slate/theme.css"])).await;
    assert_eq!(own.eval("document.documentElement.dataset.theme").await, "slate");
    assert_eq!(own.eval(LINES).await, json!(["line 2", "line 3", "line 4", "line 5"]));
    assert_eq!(plain.eval("window.same_page").await, true);
    plain.assert_clean(&server.url("")).await;
    own.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_short_names_that_links_in_obs_use_are_understood() {
    let server = TestServer::start().await;
    let badges = json!([{ "set": "vip", "version": "1", "title": "VIP" }]);
    server.say([
        said("1", "Bo", "one").with("/author/badges", badges.clone()),
        said("2", "Bo", "!join").with("/author/badges", badges.clone()),
        said("3", "Bo", "three").with("/author/badges", badges.clone()),
        said("4", "Nightbot", "four").with("/author/badges", badges),
    ]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("")).await;
    for (query, lines, badges) in [
        ("", json!(["one", "!join", "three", "four"]), 4),
        ("?limit=3", json!(["!join", "three", "four"]), 3),
        ("?max=3", json!(["!join", "three", "four"]), 3),
        ("?hidecommands", json!(["one", "three", "four"]), 3),
        ("?hidecommands=0&limit=2", json!(["three", "four"]), 2),
        ("?without=badges", json!(["one", "!join", "three", "four"]), 0),
        ("?without=badges,commands,bots", json!(["one", "three"]), 0),
        ("?limit=nonsense&unknown=1", json!(["one", "!join", "three", "four"]), 4),
    ] {
        page.go(&server.overlay(query)).await;
        page.until_is(LINES, lines).await;
        assert_eq!(page.count("#chat img.badge").await, badges, "{query}");
    }
    browser.close().await;
    server.stop().await;
}
