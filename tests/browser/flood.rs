//! An overlay under fire: chat that comes faster than anybody can read.

use std::time::Duration;

use serde_json::json;
use tokio::time::MissedTickBehavior;

use crate::{
    LINES, ROWS,
    support::{
        TestServer,
        browser::{Browser, Page},
        said::{Said, said},
    },
};

/// The step, as themes and panels see it.
const STEP: &str = "document.documentElement.dataset.flood";
/// How many messages the lines on screen stand for.
const STANDING_FOR: &str = "[...document.querySelectorAll('#chat .line')].reduce((sum, it) => \
    sum + Number(it.querySelector('.repeats')?.textContent.slice(1) ?? 1), 0)";
/// Watches how many lines and elements there are at a time, and which steps are taken.
const WATCH: &str = "window.most = { lines: 0, elements: 0 }; window.steps = new Set(); \
    new MutationObserver(() => { \
        most.lines = Math.max(most.lines, document.querySelectorAll('#chat .line').length); \
        most.elements = Math.max(most.elements, document.getElementsByTagName('*').length); \
        steps.add(document.documentElement.dataset.flood); \
    }).observe(document, { childList: true, subtree: true, attributes: true })";

/// Says so many messages a second: lines of many viewers, every fifth of them "gg", and once a second somebody who
/// is always shown, in turn. Answers the ids of those.
async fn rush(server: &TestServer, name: &str, per_second: usize, seconds: usize) -> Vec<String> {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut kept = Vec::new();
    for number in 0..per_second * seconds {
        if number % (per_second / 50) == 0 {
            tick.tick().await;
        }
        let id = format!("{name}-{number}");
        let viewer = format!("Viewer{}", number % 900);
        let message = match number % per_second {
            50 => said(&id, "Mod", "stay calm").with("/author/roles", json!(["moderator"])),
            100 => {
                said(&id, &format!("New{number}"), "hello").with("/flags", json!(["first_message"]))
            }
            150 => said(&id, &viewer, "take this")
                .with("/amount", json!({ "value": 500, "currency": "USD", "display": "$5.00" })),
            _ if number % 5 == 0 => said(&id, &viewer, ["gg", "GG"][number / 5 % 2]),
            _ => said(&id, &viewer, &format!("{name} line {number}")),
        };
        if matches!(number % per_second, 50 | 100 | 150) {
            kept.push(format!("twitch:{id}"));
        }
        server.say([message]);
    }
    kept
}

async fn open(server: &TestServer, browser: &Browser, query: &str) -> Page {
    let page = browser.open(&server.overlay(query)).await;
    server.say([said("calm", "Bo", "calm")]);
    page.until_is(LINES, json!(["calm"])).await;
    assert_eq!(page.eval(STEP).await, "calm");
    page.until("window.beacon !== undefined").await;
    page.eval(WATCH).await;
    page
}

fn deletion(id: &str) -> serde_json::Value {
    json!({ "message_id": id, "platform": "twitch" })
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_flood_every_message_is_shown_or_counted_and_whom_it_matters_most_is_always_seen() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    // So many lines that none makes room: what is on screen at the end is all that ever was.
    let page = open(&server, &browser, "?beacon=1&max_messages=500").await;
    let mut sent = 1;
    let mut kept = Vec::new();
    for per_second in [200, 500, 2000] {
        kept.extend(rush(&server, &format!("at{per_second}"), per_second, 2).await);
        sent += 2 * per_second;
    }
    // The first was said as a part of what was there before, or as the first of what came: both are right.
    let received = format!("[{}, {sent}].includes(beacon.summary().received)", sent - 1);
    page.until(&received).await;
    page.until_is(STEP, "sample").await;
    let frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
    page.until(frames).await;

    let standing = page.eval(STANDING_FOR).await.as_u64().unwrap();
    let skipped = page.eval("beacon.summary().skipped").await.as_u64().unwrap();
    assert_eq!(standing + skipped, sent as u64, "{standing} stood for and {skipped} skipped");
    assert!(skipped > 1000, "only {skipped} skipped: this is no flood");
    let collapsed = "[...document.querySelectorAll('#chat .repeats')].map((it) => Number(it.textContent.slice(1)))";
    assert!(page.eval(&format!("Math.max(...{collapsed})")).await.as_u64().unwrap() > 20);
    let shown = "[...document.querySelectorAll('#chat .line')].map((it) => it.dataset.messageId)";
    for id in kept {
        assert_eq!(page.eval(&format!("{shown}.includes({id:?})")).await, true, "{id} is missing");
    }

    // The one whose words stand for many is deleted: one less, under the next viewer's name.
    let most = "[...document.querySelectorAll('#chat .repeats')].map((it) => it.closest('.line'))\
        .sort((a, b) => a.querySelector('.repeats').textContent.length - b.querySelector('.repeats').textContent.length).at(-1)";
    let id = page.eval(&format!("{most}.dataset.messageId")).await;
    server.publish("chat.delete", deletion(id.as_str().unwrap()));
    page.until_is(STANDING_FOR, standing - 1).await;
    page.until(&format!("!{shown}.includes({id})")).await;

    page.until_is(STEP, "calm").await;
    let steps = page.eval("[...steps].sort()").await;
    assert!(steps.as_array().unwrap().contains(&json!("sample")), "{steps}");
    server.say([said("after", "Bo", "calm again")]);
    page.until(&format!("{LINES}.at(-1) === 'calm again'")).await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_flood_the_page_stays_small_and_a_deletion_holds() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = open(&server, &browser, "?beacon=1&max_messages=20").await;
    let before = page.eval("document.getElementsByTagName('*').length").await.as_u64().unwrap();
    for per_second in [200, 500, 2000] {
        let name = format!("at{per_second}");
        let (mod_id, words) = (format!("{name}-secret"), format!("{name} secret words"));
        let secret = |id: &str| -> Said {
            said(id, "Mod", &words).with("/author/roles", json!(["moderator"]))
        };
        let look = async {
            // Seen in the midst of it, and gone in the midst of it.
            server.say([secret(&mod_id)]);
            page.until(&format!("{LINES}.includes({words:?})")).await;
            server.publish("chat.delete", deletion(&format!("twitch:{mod_id}")));
            page.until(&format!("!document.documentElement.outerHTML.includes({words:?})")).await;
        };
        tokio::join!(rush(&server, &name, per_second, 3), look);
    }
    server.say([said("last", "Mod", "the last").with("/author/roles", json!(["moderator"]))]);
    page.until(&format!("{LINES}.at(-1) === 'the last'")).await;
    page.until_is(STEP, "calm").await;
    let lines = page.eval("most.lines").await.as_u64().unwrap();
    assert!((2..=20).contains(&lines), "{lines} lines at a time");
    let elements = page.eval("most.elements").await.as_u64().unwrap();
    assert!(elements <= before + 20 * 20, "{elements} elements, from {before}");
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pop_out_shows_everything_and_says_that_it_is_much() {
    let server = TestServer::start().await;
    server.say((0..60).map(|it| said(&format!("earlier{it}"), "Bo", &format!("earlier {it}"))));
    let browser = Browser::launch().await;
    let page = browser.open(&server.popout()).await;
    let state = "document.querySelector('#state-text').textContent";
    page.until(&format!("{ROWS}.length === 60")).await;
    assert_eq!(page.eval(state).await, "Live", "what was said before is no flood");
    rush(&server, "now", 200, 2).await;
    page.until_is(state, "Live · flooded").await;
    assert_eq!(page.eval(STEP).await, "sample");
    page.until(&format!("{ROWS}.length === 460")).await;
    page.until_is(state, "Live").await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_the_background_does_nothing_in_a_flood_and_shows_the_newest_when_it_is_seen() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = open(&server, &browser, "?beacon=1&max_messages=20").await;
    let turn = |state: &str| {
        format!(
            "Object.defineProperty(document, 'visibilityState', {{ get: () => {state:?}, configurable: true }}); \
             document.dispatchEvent(new Event('visibilitychange'));"
        )
    };
    let watch = "window.changes = 0; new MutationObserver((it) => changes += it.length)\
        .observe(document, { childList: true, subtree: true, attributes: true, characterData: true });";
    page.eval(&format!("{}{watch}", turn("hidden"))).await;
    rush(&server, "hidden", 500, 2).await;
    server.say([said("last", "Mod", "the last").with("/author/roles", json!(["moderator"]))]);
    page.until("[1001, 1002].includes(beacon.summary().received)").await;
    assert_eq!(page.eval("changes").await, 0, "the page changed while nobody saw it");
    // In one go: there is no frame in between.
    let shown = page.eval(&format!("{}[{LINES}.at(-1), {STEP}]", turn("visible"))).await;
    assert_eq!(shown, json!(["the last", "sample"]));
    page.until("most.lines <= 20").await;
    page.until_is(STEP, "calm").await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
