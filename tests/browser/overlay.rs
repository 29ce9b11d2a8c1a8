//! What an overlay draws, and when.

use chromiumoxide::cdp::browser_protocol::network::{BlockPattern, SetBlockedUrLsParams};
use serde_json::json;
use streamsuites::model::OverlaySettings;

use crate::{
    CUTTABLE, IN_OBS, LINES,
    support::{TestServer, browser::Browser, publish_in, said::said},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_shows_what_is_said_in_order_with_emotes_and_badges_on_nothing() {
    let server = TestServer::start().await;
    let badge = json!({
        "set": "subscriber", "version": "12", "title": "1-Year Subscriber",
        "url": "/media/twitch/badges/1001/subscriber/12",
    });
    let emote = json!({
        "provider": "streamsuites", "id": "bunBun", "url": "/static/demo/emotes/bunBun.svg",
        "animated": false, "zero_width": false,
    });
    server.say([
        said("1", "Bo", "first"),
        said("2", "Cleo", "look bunBun here").with("/author/badges", json!([badge])).fragments(
            json!([
                { "type": "text", "text": "look " },
                { "type": "emote", "text": "bunBun", "emote": emote },
                { "type": "text", "text": " here" },
            ]),
        ),
    ]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("")).await;
    page.until_is(LINES, json!(["first", "look  here"])).await;
    server.say([said("3", "Bo", "and live")]);
    page.until_is(LINES, json!(["first", "look  here", "and live"])).await;

    let names =
        "[...document.querySelectorAll('#chat .name')].map((it) => it.textContent).reverse()";
    page.until_is(names, json!(["Bo", "Cleo", "Bo"])).await;
    let loaded = |it: &str| {
        format!(
            "(({{complete, naturalWidth}}) => complete && naturalWidth > 0)(document.querySelector('{it}'))"
        )
    };
    page.until(&loaded("#chat .text img.emote[alt=bunBun]")).await;
    page.until(&loaded("#chat .badges img.badge[data-badge=subscriber]")).await;
    let seen =
        "document.elementFromPoint(20, innerHeight - 20)?.closest('.line')?.dataset.messageId";
    page.until_is(seen, "twitch:3").await;
    let background = "[document.documentElement, document.body, document.querySelector('#chat')]\
        .map((it) => getComputedStyle(it).background).every((it) => it.includes('rgba(0, 0, 0, 0)'))";
    assert_eq!(page.eval(background).await, true, "something is painted behind the chat");
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_obs_hides_draws_nothing_and_is_up_to_date_the_moment_it_is_shown() {
    let server = TestServer::start().await;
    // What the page's socket heard is noted before the page itself is told.
    let listen = "window.heard = []; window.WebSocket = class extends WebSocket { \
        constructor(...args) { super(...args); \
        this.addEventListener('message', ({ data }) => heard.push(data)); } };";
    let browser = Browser::launch().await;
    let page = browser.open_with(&server.overlay(""), &format!("{IN_OBS}{listen}")).await;
    server.say([said("1", "Bo", "seen"), said("2", "Bo", "deleted while hidden")]);
    page.until_is(LINES, json!(["seen", "deleted while hidden"])).await;

    let show = |visible: bool| {
        let detail = json!({ "detail": { "visible": visible } });
        format!("dispatchEvent(new CustomEvent('obsSourceVisibleChanged', {detail}));")
    };
    let watch = "window.changes = 0; new MutationObserver((it) => changes += it.length)\
        .observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });";
    page.eval(&format!("{watch}{}", show(false))).await;
    server.publish("chat.delete", json!({ "message_id": "twitch:2", "platform": "twitch" }));
    server.say([said("3", "Cleo", "while hidden"), said("4", "Cleo", "the last one")]);
    page.until("heard.some((it) => it.includes('the last one'))").await;
    let two_frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(changes))))";
    assert_eq!(page.eval(two_frames).await, 0, "the page changed while nobody saw it");

    // In one go: there is no frame in between.
    let shown = page.eval(&format!("{}{LINES}", show(true))).await;
    assert_eq!(shown, json!(["seen", "while hidden", "the last one"]));
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overlay_of_a_room_that_is_not_there_is_invisible_and_comes_alive_by_itself() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    // The first look after two seconds, not after some moment between two and five.
    let script = format!("{IN_OBS}Math.random = () => 0;");
    let page = browser.open_with(&server.url("/overlay/newcomer"), &script).await;
    page.until("document.readyState === 'complete' && document.querySelector('#detail').hidden")
        .await;
    let nothing = "document.body.innerText.trim() === '' && [document.documentElement, document.body]\
        .every((it) => getComputedStyle(it).backgroundColor === 'rgba(0, 0, 0, 0)')";
    assert_eq!(page.eval(nothing).await, true, "something is seen on air");

    let person = browser.open(&server.url("/overlay/newcomer")).await;
    person.until("document.body.innerText.includes('no such room')").await;

    let room =
        server.server.hub.open_room(&"newcomer".parse().unwrap(), OverlaySettings::default(), true);
    page.until("document.querySelector('#chat') !== null").await;
    publish_in(&room, "chat.message", said("1", "Bo", "hello"));
    page.until_is(LINES, json!(["hello"])).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_off_the_overlay_while_it_was_cut_off_is_gone_when_it_is_back() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "one"), said("2", "Cleo", "two")]);
    let browser = Browser::launch().await;
    let page = browser.open_with(&server.overlay("?focus"), CUTTABLE).await;
    let shown = "[...document.querySelectorAll('#feature .text')].map((it) => it.textContent)";
    page.until("document.readyState === 'complete'").await;
    server.publish("feature.show", said("1", "Bo", "one"));
    page.until_is(shown, json!(["one"])).await;
    // What is there already does not move in once more.
    page.eval("window.same = document.querySelector('#feature .line'); cut(true); cut(false)")
        .await;
    page.until("greeted === 2").await;
    assert_eq!(page.eval("same.isConnected").await, true);
    server.publish("feature.show", said("2", "Cleo", "two"));
    page.until_is(shown, json!(["two"])).await;
    page.eval("cut(true)").await;
    server.publish("feature.clear", json!({}));
    page.eval("cut(false)").await;
    page.until_is(shown, json!([])).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_speed_holds_back_keeps_its_order_and_its_time_over_a_new_connection() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open_with(&server.overlay("?speed=1&fade=3&max=500"), CUTTABLE).await;
    page.until("greeted === 1").await;
    let watch = "window.came = []; new MutationObserver((all) => { for (const it of all) \
        for (const line of it.addedNodes) came.push(line.querySelector('.text').textContent); })\
        .observe(document.querySelector('#chat'), { childList: true })";
    page.eval(&format!("{watch}; 0")).await;
    server.say((1..=7).map(|it| said(&it.to_string(), "Bo", &format!("held {it}"))));
    page.until("came.length > 0").await;
    page.eval("cut(true)").await;
    server.say([said("8", "Bo", "missed")]);
    page.eval("cut(false)").await;
    page.until("greeted === 2").await;
    server.say([said("9", "Bo", "live again")]);
    let all = json!([
        "held 1",
        "held 2",
        "held 3",
        "held 4",
        "held 5",
        "held 6",
        "held 7",
        "missed",
        "live again"
    ]);
    page.until_is("came", all).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_that_did_not_load_is_asked_for_again() {
    // Where the server was away, in place of the theme there was nothing: first the page's own, then two more times.
    let failing = "{ let failures = 2; const after = Element.prototype.after; \
        Element.prototype.after = function (it) { if (failures-- > 0) it.href = '/static/nothing.css'; after.call(this, it); }; \
        new MutationObserver((_, watch) => { const it = document.getElementById('theme'); if (!it) return; \
            watch.disconnect(); it.href = '/static/nothing.css'; }).observe(document, { childList: true, subtree: true }); }";
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open_with(&server.overlay("?theme=midnight"), failing).await;
    page.until(
        "document.querySelector('#theme').sheet?.href.includes('/themes/midnight/theme.css')",
    )
    .await;
    page.until_is("document.querySelectorAll('link.theme').length", 1).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_of_which_a_part_did_not_load_is_loaded_anew_and_lives() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let script = "Math.random = () => 0; console.warn = () => { window.has_failed = true; };";
    let page = browser.open_with("about:blank", script).await;
    for (part, query, alive) in [
        (
            "/static/js/widgets/frame.js",
            "?widget=poll&demo",
            "!document.querySelector('#widget').hidden",
        ),
        (
            "/static/css/widgets.css\\?*",
            "?widget=poll&demo",
            "!document.querySelector('#widget').hidden",
        ),
        ("/static/js/demo.js", "?demo", "document.querySelectorAll('#chat .line').length > 3"),
    ] {
        let block = |it: bool| {
            let pattern = BlockPattern::new(format!("*://*:*{part}"), it);
            SetBlockedUrLsParams::builder().url_pattern(pattern).build()
        };
        page.tab.execute(block(true)).await.unwrap();
        page.go(&server.overlay(query)).await;
        page.until("window.has_failed").await;
        page.tab.execute(block(false)).await.unwrap();
        page.until(&format!("window.has_failed === undefined && {alive}")).await;
    }
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_cannot_be_drawn_costs_the_others_nothing() {
    // The server sends nothing of the kind: in the page, two lines lose what they are drawn from.
    let script = "{ const parse = JSON.parse; JSON.parse = (text) => { const it = parse(text); \
        if (it?.data?.text?.startsWith('broken')) it.data.fragments = null; return it; }; } \
        window.warnings = 0; console.warn = () => { warnings += 1; };";
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    server.say([said("1", "Bo", "one"), said("2", "Bo", "broken"), said("3", "Bo", "three")]);
    let page = browser.open_with(&server.overlay(""), script).await;
    page.until_is(LINES, json!(["one", "three"])).await;
    server.say([said("4", "Bo", "four"), said("5", "Bo", "broken, too"), said("6", "Bo", "six")]);
    page.until_is(LINES, json!(["one", "three", "four", "six"])).await;
    assert_eq!(page.eval("warnings").await, 1);
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
