//! The pop-out's queue: filled with a click, reordered by keys and by hand, and on the stage.

use chromiumoxide::{
    cdp::browser_protocol::input::{
        DispatchMouseEventParams, DispatchMouseEventType as Mouse, MouseButton,
    },
    layout::Point,
};
use serde_json::json;

use crate::{
    ROWS,
    support::{
        TestServer,
        browser::{Browser, Page},
        said::said,
    },
};

const QUEUED: &str =
    "[...document.querySelectorAll('#queue-list .queued-text')].map((it) => it.textContent)";
const FEATURED: &str = "document.querySelector('#featured .queued-text')?.textContent ?? null";

impl Page {
    async fn click_line(&self, id: &str, more: &str) {
        self.eval(&format!(
            "document.querySelector('.line[data-message-id=\"twitch:{id}\"] .text').dispatchEvent( \
            new MouseEvent('click', {{ bubbles: true, detail: 1, {more} }}))"
        ))
        .await;
    }

    /// A key where the focus is.
    async fn press(&self, key: &str, more: &str) {
        self.eval(&format!(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, \
            cancelable: true, {more} }}))"
        ))
        .await;
    }

    /// A hand that takes something, moves it and lets go.
    async fn drag(&self, from: Point, to: Point) {
        for (kind, at) in
            [(Mouse::MousePressed, from), (Mouse::MouseMoved, to), (Mouse::MouseReleased, to)]
        {
            let event = DispatchMouseEventParams::builder()
                .x(at.x)
                .y(at.y)
                .button(MouseButton::Left)
                .click_count(1);
            self.tab.execute(event.r#type(kind).build().unwrap()).await.unwrap();
        }
    }

    async fn handle(&self, at: usize) -> Point {
        let place = self
            .eval(&format!(
                "(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])( \
                document.querySelectorAll('#queue-list .handle')[{at}].getBoundingClientRect())"
            ))
            .await;
        Point { x: place[0].as_f64().unwrap(), y: place[1].as_f64().unwrap() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_queued_reordered_and_featured_and_every_window_shows_it() {
    let server = TestServer::start().await;
    let texts = ["one", "two", "three", "four"];
    server.say(["1", "2", "3", "4"].into_iter().zip(texts).map(|(id, text)| said(id, "Bo", text)));
    let browser = Browser::launch().await;
    // A guest sees what is on the stage and can change nothing.
    let guest = browser.open(&server.popout()).await;
    guest.until_is(ROWS, json!(texts)).await;
    assert_eq!(guest.eval("document.querySelector('#queue-button').hidden").await, true);
    guest.click_line("1", "").await;
    // Not for want of a button only. A page of its own: what is refused, a browser reports as a fault.
    let stranger = browser.open(&server.popout()).await;
    for (method, path, body) in [
        ("POST", "feature", json!({ "message_id": "twitch:1" })),
        ("DELETE", "feature", json!({})),
        ("POST", "queue", json!({ "message_id": "twitch:1" })),
    ] {
        let answer = stranger
            .eval(&format!(
                "fetch('/api/rooms/ana/{path}', {{ method: '{method}', body: JSON.stringify({body}), \
                headers: {{ 'content-type': 'application/json' }} }}).then((it) => it.status)"
            ))
            .await;
        assert_eq!(answer, 401, "{method} {path}");
    }

    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.go(&server.popout()).await;
    page.until_is(ROWS, json!(texts)).await;
    page.until_is("document.querySelector('#queue-button').hidden", false).await;
    page.until_is(FEATURED, json!(null)).await;
    for id in ["1", "2", "3"] {
        page.click_line(id, "ctrlKey: true").await;
        page.until(&format!(
            "document.querySelector('#queue-list [data-id=\"twitch:{id}\"]') !== null"
        ))
        .await;
    }
    page.click("#queue-button").await;
    page.until_is(QUEUED, json!(["one", "two", "three"])).await;

    // Keys, and what the server has afterwards: another page is told the same.
    page.eval("document.querySelector('#queue-list li').focus()").await;
    page.press("ArrowDown", "altKey: true").await;
    page.until_is(QUEUED, json!(["two", "one", "three"])).await;
    page.press("ArrowDown", "altKey: true").await;
    page.until_is(QUEUED, json!(["two", "three", "one"])).await;
    let (from, to) = (page.handle(2).await, page.handle(0).await);
    page.tab.move_mouse(from).await.unwrap();
    page.drag(from, Point { x: to.x, y: to.y - 8.0 }).await;
    page.until_is(QUEUED, json!(["one", "two", "three"])).await;
    page.until(
        "fetch('/api/rooms/ana/queue').then((it) => it.json()) \
        .then((it) => it.items.map((item) => item.text).join() === 'one,two,three')",
    )
    .await;
    page.eval("document.querySelector('#queue-list [data-id=\"twitch:2\"]').focus()").await;
    page.press("Delete", "").await;
    page.until_is(QUEUED, json!(["one", "three"])).await;

    // On the stage: the next, a click, and what is deleted.
    page.click("#queue-next").await;
    page.until_is(FEATURED, "one").await;
    page.until_is(QUEUED, json!(["three"])).await;
    guest.until_is(FEATURED, "one").await;
    page.click_line("4", "").await;
    guest.until_is(FEATURED, "four").await;
    page.click_line("4", "").await;
    guest.until_is(FEATURED, json!(null)).await;
    page.until_is(FEATURED, json!(null)).await;
    page.click_line("4", "").await;
    guest.until_is(FEATURED, "four").await;
    for id in ["3", "4"] {
        server.publish(
            "chat.delete",
            json!({ "message_id": format!("twitch:{id}"), "platform": "twitch" }),
        );
    }
    for it in [&page, &guest] {
        it.until_is(FEATURED, json!(null)).await;
    }
    page.until_is(QUEUED, json!([])).await;

    // What a viewer says after a time-out is not taken away by it, however late a window comes.
    server.publish(
        "chat.clear_user",
        json!({ "author_id": "twitch:bo-id", "platform": "twitch", "seconds": 10 }),
    );
    server.say([said("5", "Bo", "sorry")]);
    page.until("document.querySelector('.line[data-message-id=\"twitch:5\"]') !== null").await;
    page.click_line("5", "ctrlKey: true").await;
    page.until_is(QUEUED, json!(["sorry"])).await;
    page.go(&server.popout()).await;
    page.until("document.querySelector('.line[data-message-id=\"twitch:5\"]') !== null").await;
    page.until_is(QUEUED, json!(["sorry"])).await;
    page.assert_clean(&server.url("")).await;
    guest.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
