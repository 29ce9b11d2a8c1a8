//! Recorded streams, played again.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::json;

use crate::{
    LINES,
    support::{
        TestServer,
        browser::{Browser, Page},
        said::said,
    },
};

/// Moments of the recording that are compared (ms).
const CHECKPOINTS: [u64; 4] = [15_000, 64_500, 120_000, 190_000];

/// Everything that is drawn, as one number.
async fn state(page: &Page) -> u64 {
    let drawn = page
        .eval("document.querySelector('#chat').innerHTML + document.querySelector('#feature').innerHTML")
        .await;
    let mut hasher = DefaultHasher::new();
    drawn.as_str().unwrap().hash(&mut hasher);
    hasher.finish()
}

/// Goal: the same log gives the same sequence of rendered states.
/// Method: a recording with every kind of event is played twice and sought in another order, on the replay page and in
/// an overlay; what stands in the document at each checkpoint is compared as a hash.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_log_gives_the_same_rendered_states_however_a_moment_is_reached() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/static/demo/demo.jsonl");
    let server = TestServer::start_with(recording.as_ref()).await;
    let browser = Browser::launch().await;
    let replay = server.url("/replay/ana?paused&animation=none");
    let overlay = server.overlay("?replay=latest&paused&animation=none");
    let mut runs: Vec<Vec<u64>> = Vec::new();
    for address in [&replay, &replay, &overlay] {
        let page = browser.open(address).await;
        page.until("globalThis.replay !== undefined").await;
        page.eval("replay.rate = 16").await;
        let mut states = Vec::new();
        for ms in CHECKPOINTS {
            page.eval(&format!("replay.play_to({ms})")).await;
            assert_eq!(page.eval("replay.position_ms").await, json!(ms));
            states.push(state(&page).await);
        }
        let distinct: std::collections::HashSet<_> = states.iter().collect();
        assert_eq!(distinct.len(), CHECKPOINTS.len(), "something happens between them");
        runs.push(states);
    }
    let page = browser.open(&replay).await;
    page.until("globalThis.replay !== undefined").await;
    let mut sought = vec![0; CHECKPOINTS.len()];
    for place in [2, 0, 3, 1] {
        page.eval(&format!("replay.seek({})", CHECKPOINTS[place])).await;
        sought[place] = state(&page).await;
    }
    runs.push(sought);
    println!("played twice, in an overlay, and sought: {runs:x?}");
    assert!(page.count("#chat .line").await > 5);
    assert!(runs.iter().all(|it| *it == runs[0]), "{runs:x?}");
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_obeys_the_keyboard_and_its_address() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/static/demo/demo.jsonl");
    let server = TestServer::start_with(recording.as_ref()).await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/replay/ana?t=60&paused")).await;
    page.until_is("Math.round(globalThis.replay?.position_ms)", 60_000).await;
    let press = async |key: &str| {
        let event = json!({ "key": key, "bubbles": true });
        page.eval(&format!("document.body.dispatchEvent(new KeyboardEvent('keydown', {event}))"))
            .await;
    };
    press("ArrowRight").await;
    page.until_is("replay.position_ms", 65_000).await;
    press("Home").await;
    page.until_is("replay.position_ms", 0).await;
    press("5").await;
    page.until(
        "replay.position_ms === Math.round(replay.duration_ms / 2) || \
        Math.abs(replay.position_ms - replay.duration_ms / 2) <= 1",
    )
    .await;
    press(" ").await;
    let before = page.eval("replay.position_ms").await;
    page.until(&format!("replay.position_ms > {before}")).await;
    press("k").await;
    let slider = "document.querySelector('[role=slider]').getAttribute('aria-valuetext')";
    page.until(&format!("/\\d+:\\d\\d/.test({slider})")).await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

/// What is moderated while a replay is watched goes from it as well, and is not there when it is opened again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_message_is_not_played_again() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "stays"), said("2", "Bo", "goes")]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/replay/ana")).await;
    page.until_is(LINES, json!(["stays", "goes"])).await;
    server.publish("chat.delete", json!({ "message_id": "twitch:2", "platform": "twitch" }));
    page.until_is(LINES, json!(["stays"])).await;
    let again = browser.open(&server.url("/replay/ana")).await;
    again.until_is(LINES, json!(["stays"])).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_with_nothing_recorded_says_so_and_a_new_stream_appears_by_itself() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/replay/ana")).await;
    page.until("document.body.innerText.includes('Nothing recorded yet')").await;
    server.say([said("1", "Bo", "the first")]);
    page.until_is(LINES, json!(["the first"])).await;
    browser.close().await;
    server.stop().await;
}
