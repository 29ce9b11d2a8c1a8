//! Pronouns beside names: where the setting is on, and nowhere else.

#[allow(dead_code, reason = "shared with the tests without a browser")]
#[path = "../it/support/pronouns.rs"]
mod service;

use serde_json::json;
use streamsuites::model::OverlaySettings;

use self::service::{Answer, Pronouns, chose, viewer};
use crate::{
    LINES,
    support::{TestServer, browser::Browser, said::said},
};

/// Of every line, oldest first, the name and what is painted beside it.
const PAINTED: &str = "[...document.querySelectorAll('.line:not(.featured)')].map((line) => { \
    const pill = line.querySelector('.pronouns'); \
    const is_seen = pill && pill.getBoundingClientRect().width > 10 && pill.textContent === line.dataset.pronouns; \
    return [line.querySelector('.name bdi').textContent, is_seen ? pill.textContent : '']; })\
    .sort((a, b) => a[0] < b[0] ? -1 : 1)";
/// How often the page asked.
const ASKED: &str = "performance.getEntriesByType('resource').filter((it) => it.name.includes('/pronouns?')).length";

async fn start(service: &Pronouns) -> TestServer {
    let variables = [
        ("STREAMSUITES__PLATFORMS__PRONOUNS__ENABLED", "true".to_owned()),
        ("STREAMSUITES__PLATFORMS__PRONOUNS__URL", service.url().to_owned()),
        ("STREAMSUITES__PLATFORMS__BACKOFF__FIRST_MS", "10".to_owned()),
        ("STREAMSUITES__PLATFORMS__BACKOFF__LONGEST_MS", "10".to_owned()),
    ];
    TestServer::start_with_channels(json!([]), &variables).await
}

fn with_pronouns(pronouns: bool) -> OverlaySettings {
    OverlaySettings { pronouns, ..OverlaySettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn pronouns_stand_beside_names_that_were_there_before_and_nobody_is_asked_without_the_setting()
 {
    let service = Pronouns::start().await;
    service.answer(&viewer("bo"), chose("hehim", None));
    service.answer(&viewer("cleo"), chose("sheher", Some("theythem")));
    let server = start(&service).await;
    server.say([said("1", "Bo", "one"), said("2", "Cleo", "two"), said("3", "Dee", "three")]);
    server.say([said("4", "Kai", "four").on("kick")]);
    let browser = Browser::launch().await;
    let without = browser.open(&server.overlay("")).await;
    without.until_is(LINES, json!(["one", "two", "three", "four"])).await;

    // Another source that wants them has asked, waited and painted: the first has asked for nobody meanwhile.
    let with = browser.open(&server.overlay("?pronouns&platforms=twitch")).await;
    with.until_is(PAINTED, json!([["Bo", "He/Him"], ["Cleo", "She/They"], ["Dee", ""]])).await;
    assert_eq!(without.eval(ASKED).await, 0);
    assert_eq!(without.count(".pronouns").await, 0);
    assert_eq!(service.count(&viewer("kai")), 0);

    // Switched on for the room: the cards that are there get theirs without being drawn anew.
    without.eval("document.querySelectorAll('.line').forEach((it) => it.was_there = true)").await;
    server.room().set_settings(with_pronouns(true));
    let all = json!([["Bo", "He/Him"], ["Cleo", "She/They"], ["Dee", ""], ["Kai", ""]]);
    without.until_is(PAINTED, all).await;
    assert_eq!(service.count(&viewer("bo")), 1, "asked for once, for every page");

    // A new viewer whose answer is late: the line is there at once.
    service.answer(&viewer("eve"), Answer::Slow);
    server.say([said("5", "Eve", "five")]);
    without.until("document.querySelector('#chat').textContent.includes('five')").await;
    service.until_asked(&viewer("eve"), 1).await;
    assert_eq!(without.count("[data-user-login=eve] .pronouns").await, 0);
    let keep = "globalThis.kept = document.querySelector('[data-user-login=eve]'); kept !== null";
    assert_eq!(without.eval(keep).await, true);
    service.answer(&viewer("eve"), chose("any", None));
    without.until_is("globalThis.kept.querySelector('.pronouns')?.textContent", "Any").await;
    let order = "[...kept.querySelector('.head').children].map((it) => it.className).join(' ')";
    assert_eq!(without.eval(order).await, "platform pronouns name");

    // In YouTube's elements as well, and gone when they are switched off.
    server
        .room()
        .set_settings(OverlaySettings { theme: "youtube".to_owned(), ..with_pronouns(true) });
    without
        .until("document.querySelector('yt-live-chat-author-chip > .pronouns + #author-name') !== null")
        .await;
    server.room().set_settings(with_pronouns(false));
    without.until_is("document.querySelectorAll('.pronouns, [data-pronouns]').length", 0).await;
    without.assert_clean(&server.url("")).await;
    with.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_and_a_viewers_card_show_them_and_a_chat_that_is_only_watched_asks_for_nobody() {
    let service = Pronouns::start().await;
    service.answer(&viewer("bo"), chose("theythem", None));
    let server = start(&service).await;
    server.say([said("1", "Bo", "one"), said("2", "Cleo", "two")]);
    let browser = Browser::launch().await;

    let popout = browser.open(&server.popout()).await;
    popout.until("document.querySelectorAll('#log .line.message').length === 2").await;
    popout.click("#log [data-user-login=bo] .name").await;
    popout.until("!document.querySelector('#card').hidden").await;

    let replay = browser.open(&server.overlay("?replay=latest&pronouns")).await;
    replay.until_is(PAINTED, json!([["Bo", "They/Them"], ["Cleo", ""]])).await;
    assert_eq!(popout.eval(ASKED).await, 0, "the room's setting is off");
    assert_eq!(popout.count("#card .pronouns").await, 0);

    // The card that is open gets them when the room's setting is switched on.
    server.room().set_settings(with_pronouns(true));
    popout
        .until_is(
            "document.querySelector('#card .card-name + .pronouns')?.textContent",
            "They/Them",
        )
        .await;
    assert_eq!(popout.eval(ASKED).await, 1, "for whom the card shows alone");
    popout.assert_clean(&server.url("")).await;
    replay.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_featured_message_has_them_and_invented_viewers_have_invented_ones() {
    let service = Pronouns::start().await;
    service.answer(&viewer("bo"), chose("sheher", None));
    let server = start(&service).await;
    server.publish("feature.show", said("1", "Bo", "on stage"));
    let browser = Browser::launch().await;
    // A source that begins when the message stands there already knows no place of it in the feed.
    let page = browser.open(&server.overlay("?focus&pronouns")).await;
    page.until_is("document.querySelector('.featured .pronouns')?.textContent", "She/Her").await;

    let demo = browser.open(&server.overlay("?demo&pronouns")).await;
    demo.until("document.querySelectorAll('#chat .pronouns').length > 0").await;
    assert_eq!(demo.eval(ASKED).await, 0);
    assert_eq!(service.asked().len(), 2, "the table, and one viewer");
    browser.close().await;
    server.stop().await;
}

/// Goal: settings that held once are none: a page that begins asks for nobody because they said so then.
/// Method: a recording in whose time pronouns were shown, in a room that does not show them.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_an_earlier_time_do_not_make_a_page_ask() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("earlier.jsonl");
    let event = |seq: u64, kind: &str, data: serde_json::Value| {
        let ts = format!("2026-01-01T00:00:0{seq}.000Z");
        json!({"v": 1, "room": "ana", "epoch": "E", "seq": seq, "ts": ts, "type": kind, "data": data}).to_string()
    };
    let lines = [
        event(1, "session.start", json!({"session_id": "earlier"})),
        event(2, "settings.update", serde_json::to_value(with_pronouns(true)).unwrap()),
        event(3, "chat.message", said("1", "Bo", "earlier").into()),
    ];
    std::fs::write(&recording, lines.join("\n") + "\n").unwrap();
    let server = TestServer::start_with(&recording).await;
    let browser = Browser::launch().await;
    let overlay = browser.open(&server.overlay("?max=2")).await;
    let popout = browser.open(&server.popout()).await;
    popout.until("document.querySelectorAll('#log .line.message').length === 1").await;
    server.say([said("2", "Bo", "now")]);
    overlay.until("document.querySelector('#chat').textContent.includes('now')").await;
    popout.click("#log [data-user-login=bo] .name").await;
    popout.until("!document.querySelector('#card').hidden").await;
    // By the time that another has asked, these would have.
    let asks = browser.open(&server.overlay("?pronouns")).await;
    asks.until(&format!("{ASKED} > 0")).await;
    for (name, page) in [("overlay", overlay), ("pop-out", popout)] {
        assert_eq!(page.eval(ASKED).await, 0, "{name}");
    }
    browser.close().await;
    server.stop().await;
}
