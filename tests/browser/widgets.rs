//! Polls, tallies, scoreboards and goals on a stream.

use serde_json::{Value, json};

use crate::support::{ROOM, TestServer, browser::Browser, said::said};

const LABELS: &str =
    "[...document.querySelectorAll('.widget-row .widget-label')].map((it) => it.textContent)";
const TEXT: &str = "document.querySelector('#widget').innerText";
const SHOWN: &str = "!document.querySelector('#widget').hidden";
const MARKUP: &str = "<img src=x onerror=window.broken=1><script>window.broken=1</script>";

fn poll(id: &str, question: &str, votes: &[(&str, u64)], state: &str) -> Value {
    let options: Vec<Value> = votes
        .iter()
        .enumerate()
        .map(|(at, it)| json!({ "option_id": at.to_string(), "label": it.0, "votes": it.1 }))
        .collect();
    let closed_at = (state == "closed")
        .then(|| serde_json::to_value(streamsuites::model::Timestamp::now()).unwrap());
    json!({
        "poll_id": id, "creator": ROOM, "question": question, "options": options, "state": state,
        "opened_at": null, "closed_at": closed_at,
    })
}

fn tally(id: &str, count: i64, more: Value) -> Value {
    let mut tally = json!({
        "tally_id": id, "creator": ROOM, "label": id, "count": count,
        "last_updated_at": "2026-11-20T18:03:11.412Z",
    });
    tally.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tally
}

fn scoreboard(entries: &[(&str, i64)]) -> Value {
    let entries: Vec<Value> = entries
        .iter()
        .enumerate()
        .map(|(at, it)| json!({ "position": at + 1, "label": it.0, "score": it.1 }))
        .collect();
    json!({
        "scoreboard_id": "quiz", "creator": ROOM, "title": "Quiz", "entries": entries,
        "finalized_at": null,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_shows_its_votes_from_the_first_to_the_winner() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("?widget=poll")).await;
    page.until("document.querySelector('#widget')?.hidden").await;
    server.publish("poll.update", poll("p1", "Where?", &[("North", 0), ("South", 0)], "open"));
    page.until(SHOWN).await;
    let percents = "[...document.querySelectorAll('.widget-percent')].map((it) => it.textContent)";
    page.until_is(percents, json!(["0%", "0%"])).await;
    let winners = "document.querySelectorAll('[data-winner]').length";
    assert_eq!(page.eval(winners).await, 0);

    server.publish("poll.update", poll("p1", "Where?", &[("North", 1), ("South", 2)], "open"));
    page.until_is(percents, json!(["33%", "67%"])).await;
    page.until("document.querySelector('.widget-foot .widget-number').textContent === '3'").await;
    // What the bars show, once they have grown.
    let bars = "[...document.querySelectorAll('.widget-row .widget-bar')].map((it) => \
        { const [bar, row] = [it, it.parentNode].map((it) => it.getBoundingClientRect()); \
          return Math.round(100 * (bar.right - row.left) / row.width); })";
    page.until_is(bars, json!([33, 67])).await;

    server.publish("poll.update", poll("p1", "Where?", &[("North", 1), ("South", 3)], "closed"));
    page.until("document.querySelector('.widget-sparks') !== null").await;
    let winner = "document.querySelector('[data-winner] .widget-label').textContent";
    page.until_is(winner, "South").await;
    page.until("!document.querySelector('.widget-sparks')").await;

    // One that comes after it is over is told at once, and does not celebrate again.
    let late = browser.open(&server.overlay("?widget=poll")).await;
    late.until_is(winner, "South").await;
    assert_eq!(late.count(".widget-sparks").await, 0);
    assert_eq!(late.count(".line").await, 0);
    server.publish("poll.update", poll("p1", "Where?", &[("North", 1), ("South", 3)], "archived"));
    for page in [&page, &late] {
        page.until("document.querySelector('#widget').hidden").await;
        page.assert_clean(&server.url("")).await;
    }
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_slide_to_their_new_place_and_stay_who_they_are() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    server.publish("score.update", scoreboard(&[("Bo", 30), ("Cleo", 20), ("Dan", 10)]));
    let page = browser.open(&server.overlay("?widget=scoreboard")).await;
    page.until_is(LABELS, json!(["Bo", "Cleo", "Dan"])).await;
    page.eval(
        "window.dan = document.querySelectorAll('.widget-row')[2]; window.slides = []; \
        const animate = Element.prototype.animate; \
        Element.prototype.animate = function (frames, options) { \
            if (options.id === 'slide') slides.push([this.querySelector('.widget-label').textContent, frames[0].transform]); \
            return animate.call(this, frames, options); \
        }; true",
    )
    .await;
    server.publish("score.update", scoreboard(&[("Dan", 45), ("Bo", 30), ("Cleo", 20)]));
    page.until_is(LABELS, json!(["Dan", "Bo", "Cleo"])).await;
    page.until("slides.length === 3").await;
    assert_eq!(page.eval("document.querySelector('.widget-row') === dan").await, true);
    assert_eq!(page.eval("dan.dataset.moved").await, "up");
    // Each begins where it stood: who climbs, below; the others, above.
    let from = page
        .eval("slides.map(([who, from]) => [who, Math.sign(parseFloat(from.split(',')[1]))])")
        .await;
    assert_eq!(from, json!([["Bo", -1], ["Cleo", -1], ["Dan", 1]]));
    page.until("document.querySelector('.widget-count').textContent === '45'").await;
    let tops =
        "[...document.querySelectorAll('.widget-row')].map((it) => it.getBoundingClientRect().top)";
    page.until(&format!("document.getAnimations().every((it) => it.id !== 'slide') && {tops}.every((it, at, all) => !at || it > all[at - 1])")).await;

    let still = browser.open(&server.overlay("?widget=scoreboard&animation=none")).await;
    still.until_is(LABELS, json!(["Dan", "Bo", "Cleo"])).await;
    server.publish("score.update", scoreboard(&[("Cleo", 1_234_567_890), ("Dan", 45), ("Bo", 30)]));
    still.until_is("document.querySelector('.widget-count').textContent", "1.23B").await;
    assert_eq!(still.eval("document.getAnimations().length").await, 0);
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_a_tally_with_a_target_and_a_tally_ranks_what_it_counts() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    server.publish("tally.update", tally("lamps", 9, json!({ "target": 10, "unit": "lamps" })));
    let items = json!([{ "label": "fog", "count": 2 }, { "label": "sea", "count": 5 }]);
    server.publish("tally.update", tally("words", 7, json!({ "items": items })));
    let goal = browser.open(&server.overlay("?widget=goal")).await;
    // The newest tally is no goal.
    goal.until_is("document.querySelector('.widget-title').textContent", "lamps").await;
    goal.until_is("document.querySelector('.widget-percent').textContent", "90%").await;
    goal.until_is("document.querySelector('.widget-of').textContent", "/ 10").await;
    server.publish("tally.update", tally("lamps", 12, json!({ "target": 10 })));
    goal.until("document.querySelector('[data-reached] .widget-sparks') !== null").await;
    goal.until_is("document.querySelector('.widget-percent').textContent", "120%").await;

    let ranks = browser.open(&server.overlay("?widget=tally&id=words")).await;
    ranks.until_is(LABELS, json!(["sea", "fog"])).await;
    let single = browser.open(&server.overlay("?widget=tally")).await;
    single.until_is("document.querySelector('.widget-big').textContent", "12").await;
    let own = browser.open(&server.overlay("?widget=goal&id=words&target=70")).await;
    own.until_is("document.querySelector('.widget-percent').textContent", "10%").await;
    own.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_written_on_a_board_is_text_and_stays_inside_the_window() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let long = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz".repeat(40);
    let mut options: Vec<(String, u64)> =
        (0..18).map(|it| (format!("Option {it}"), u64::from(it == 3) * 5_000_000_000)).collect();
    options.extend([(MARKUP.to_owned(), 9), (long.clone(), u64::MAX)]);
    let options: Vec<(&str, u64)> = options.iter().map(|it| (it.0.as_str(), it.1)).collect();
    server.publish("poll.update", poll("<b>", &format!("{MARKUP}{long}"), &options, "open"));
    server.publish(
        "score.update",
        scoreboard(&[(MARKUP, i64::MAX), (MARKUP, i64::MIN), ("مرحبا", 0)]),
    );
    server.publish(
        "tally.update",
        tally(MARKUP, i64::MIN, json!({ "target": i64::MAX, "unit": MARKUP })),
    );
    for widget in ["poll", "scoreboard", "tally", "goal"] {
        let page = browser.open(&server.overlay(&format!("?widget={widget}"))).await;
        page.until(&format!("document.querySelector('#widget') && {SHOWN}")).await;
        assert!(page.eval(TEXT).await.as_str().unwrap().contains("<img"), "{widget}");
        let strange = "document.querySelectorAll('#widget img, #widget script, #widget b').length";
        assert_eq!(page.eval(strange).await, 0, "{widget}");
        assert_eq!(page.eval("window.broken === undefined").await, true, "{widget}");
        let inside = "[...document.querySelectorAll('.widget-card, .widget-row:not([hidden]), .widget-row:not([hidden]) .widget-count')]\
            .every((it) => { const box = it.getBoundingClientRect(); \
                return box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight; })";
        page.until(inside).await;
        // Nothing is left out while smaller type would do.
        let left_out =
            "[...document.querySelectorAll('.widget-row')].filter((it) => it.hidden).length";
        let fit = "Number(document.querySelector('.widget-card').style.getPropertyValue('--fit'))";
        page.until(&format!("{left_out} === 0 || {fit} === 0.62")).await;
        let numbers =
            "!/NaN|Infinity|undefined|null/.test(document.querySelector('#widget').innerText)";
        assert_eq!(page.eval(numbers).await, true, "{widget}");
        page.assert_clean(&server.url("")).await;
    }
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widget_comes_back_after_a_restart_and_knows_what_it_missed() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("?widget=tally&id=deaths")).await;
    page.until("document.querySelector('#widget') !== null").await;
    server.publish("tally.update", tally("deaths", 3, json!({})));
    let number = "document.querySelector('.widget-big')?.textContent";
    page.until_is(number, "3").await;
    let server = server.stop().await.start().await;
    server.publish("tally.update", tally("deaths", 4, json!({})));
    page.until_is(number, "4").await;
    // What a page is told that was never here before.
    let late = browser.open(&server.overlay("?widget=tally&id=deaths")).await;
    late.until_is(number, "4").await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_shows_who_is_next_and_nothing_that_was_moderated() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("?widget=queue")).await;
    page.until("document.querySelector('#widget')?.hidden").await;
    let messages: Vec<Value> = ["one", MARKUP, "three"]
        .iter()
        .enumerate()
        .map(|(at, it)| said(&at.to_string(), "Bo", it).into())
        .collect();
    let texts =
        "[...document.querySelectorAll('.widget-row .widget-text')].map((it) => it.textContent)";
    // What is said before the greeting is not told: it is said until it is heard.
    let said_first = json!({ "items": messages });
    for _ in 0..100 {
        if page.eval(texts).await != json!([]) {
            break;
        }
        server.publish("queue.update", said_first.clone());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    page.until_is(texts, json!(["one", MARKUP, "three"])).await;
    server.publish("queue.update", json!({ "items": [messages[1], messages[0]] }));
    page.until_is(texts, json!([MARKUP, "one"])).await;
    server.publish("chat.delete", json!({ "message_id": "twitch:1", "platform": "twitch" }));
    page.until_is(texts, json!(["one"])).await;
    server.publish("queue.update", json!({ "items": [] }));
    page.until("document.querySelector('#widget').hidden").await;
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widget_that_there_is_not_is_the_chat() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let script = "window.warnings = []; console.warn = (it) => warnings.push(it);";
    let page = browser.open_with(&server.overlay("?widget=constructor"), script).await;
    server.say([said("1", "Bo", "hello")]);
    page.until_is(crate::LINES, json!(["hello"])).await;
    page.until("warnings.length === 1 && warnings[0].includes('constructor')").await;
    assert_eq!(page.count("#widget").await, 0);
    for widget in ["poll", "tally", "scoreboard", "goal", "queue"] {
        let demo = browser.open(&server.overlay(&format!("?widget={widget}&demo"))).await;
        demo.until(&format!("document.querySelector('#widget') && {SHOWN}")).await;
        demo.assert_clean(&server.url("")).await;
    }
    browser.close().await;
    server.stop().await;
}
