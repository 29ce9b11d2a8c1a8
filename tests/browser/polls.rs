//! Polls, tallies and scoreboards at work: begun on a moderator's page, moved by chat, seen by everybody.

use serde_json::json;

use crate::support::{
    TestServer,
    browser::{Browser, Page},
    chat::Chat,
};

const MARKUP: &str = "<img src=x onerror=window.broken=1>";
const BARS: &str = "[...document.querySelectorAll('#boards .option')].map((it) => \
    [it.querySelector('.bar-label').textContent, it.querySelector('.bar-number').textContent])";
const STATE: &str = "document.querySelector('#boards .boards-polls .board')?.dataset.state ?? null";

async fn fill(page: &Page, selector: &str, text: &str) {
    page.eval(&format!(
        "(() => {{ const it = document.querySelector({selector:?}); it.value = {}; \
        it.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()",
        json!(text)
    ))
    .await;
}

/// Gives somebody rights in the room, as the operator does on the dashboard. The page is the operator's.
async fn grant(operator: &Page, code: &str, rights: &[&str]) {
    let status = operator
        .eval(&format!(
            "fetch('/api/rooms/ana/moderators', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, \
            body: JSON.stringify({}) }}).then((it) => it.ok)",
            json!({ "to": code, "rights": rights })
        ))
        .await;
    assert_eq!(status, true);
}

/// Goal: a moderator with the right runs a poll, chat votes in it, and those without the right only look.
/// Method: a chat of its own, two moderators in browsers of their own, and a guest.
#[tokio::test(flavor = "multi_thread")]
async fn a_moderator_runs_a_poll_that_chat_votes_in_and_others_only_watch() {
    let mut chat = Chat::start().await;
    let channels = json!([{ "platform": "twitch", "name": "ana" }]);
    let url = ("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", chat.url.clone());
    let server = TestServer::start_with_channels(channels, &[url]).await;
    let mo = server.put_person("Mo", "mo@example.com").await;
    let lu = server.put_person("Lu", "lu@example.com").await;
    let browser = Browser::launch().await;
    let operator = browser.open(&server.url(&server.server.sign_in)).await;
    operator.until("document.querySelector('#server').dataset.state === 'live'").await;
    grant(&operator, &mo.code, &["queue", "polls"]).await;
    grant(&operator, &lu.code, &["queue"]).await;

    // Whoever is not signed in is sent to the way in.
    let theirs = Browser::launch().await;
    let page = theirs.open(&server.url("/mod/ana")).await;
    page.until("location.pathname === '/login' && location.search === '?return_to=/mod/ana'").await;
    page.become_person(&mo).await;
    page.go(&server.url("/mod/ana")).await;
    page.until("document.querySelector('#polls').hidden === false").await;
    page.until("document.querySelector('#queue').hidden === false").await;
    chat.until_read().await;

    page.click("#boards .boards-polls .board-add").await;
    fill(&page, ".boards-polls .board-form .entry input", MARKUP).await;
    fill(&page, ".option-fields li:nth-child(1) input", "North").await;
    page.click(".boards-polls .board-form .primary").await;
    // Two answers are the least: what is wrong is told, and what was typed stays.
    page.until("document.querySelector('.boards-polls .board-form .fault:not(:empty)') !== null")
        .await;
    fill(&page, ".option-fields li:nth-child(2) input", &format!("South {MARKUP}")).await;
    page.click(".boards-polls .board-form .primary").await;
    let south = format!("2. South {MARKUP}");
    page.until_is(BARS, json!([["1. North", "0"], [south, "0"]])).await;
    page.until_is(STATE, "open").await;

    let watching = Browser::launch().await;
    let guest = watching.open(&server.popout()).await;
    guest.until("document.querySelector('#polls-button')?.hidden === false").await;
    guest.click("#polls-button").await;
    guest.until_is(BARS, json!([["1. North", "0"], [south, "0"]])).await;
    assert_eq!(guest.count("#boards button").await, 0, "who only looks has no buttons");
    assert_eq!(guest.eval("document.querySelector('#queue-button').hidden").await, json!(true));

    // One vote a viewer, the newest counts; every screen moves.
    chat.say("Bo", "!vote 1");
    chat.say("Cleo", "!vote 2");
    chat.say("Cleo", "!vote 1");
    chat.say("Dee", "!vote 2");
    for it in [&page, &guest] {
        it.until_is(BARS, json!([["1. North", "2"], [south, "1"]])).await;
    }
    let share =
        "getComputedStyle(document.querySelector('#boards .option')).getPropertyValue('--share')";
    page.until(&format!("Math.abs({share} - 2 / 3) < 0.01")).await;

    // The right is asked for, not only the button.
    let others = Browser::launch().await;
    let other = others.open(&server.url("/livechat")).await;
    other.become_person(&lu).await;
    other.go(&server.url("/mod/ana")).await;
    other.until("document.querySelector('#polls').hidden === false").await;
    other.until_is(BARS, json!([["1. North", "2"], [south, "1"]])).await;
    assert_eq!(other.count("#boards button").await, 0);
    let refused = "fetch('/api/rooms/ana/polls').then((it) => it.json()).then(({ polls: [it] }) => \
        fetch(`/api/rooms/ana/polls/${it.poll_id}`, { method: 'PATCH', body: JSON.stringify({ state: 'closed' }), \
        headers: { 'content-type': 'application/json' } })).then((it) => it.status)";
    assert_eq!(other.eval(refused).await, 403);

    page.click(".boards-polls .board .board-acts .tool:not([hidden])").await;
    for it in [&page, &guest, &other] {
        it.until_is(STATE, "closed").await;
        it.until_is("document.querySelectorAll('#boards [data-winner]').length", 1).await;
        assert_eq!(it.count("#boards img").await, 0);
        assert_eq!(it.eval("window.broken === undefined").await, json!(true));
    }
    guest.assert_clean(&server.url("")).await;
    for it in [browser, theirs, watching, others] {
        it.close().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_on_the_dashboard_is_on_the_overlay() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until("document.querySelector('#server').dataset.state === 'live'").await;
    page.go(&server.url("/dashboard?room=ana")).await;
    page.click(".parts a[data-part=polls]").await;
    page.click(".boards-tallies .board-add").await;
    fill(&page, ".boards-tallies .board-form .entry input", "Falls").await;
    fill(&page, ".boards-tallies .board-form input[type=number]", "2").await;
    page.click(".boards-tallies .board-form .primary").await;
    page.until_is("document.querySelector('.tally .board-title')?.textContent", "Falls").await;
    let goal = browser.open(&server.overlay("?widget=goal")).await;
    goal.until_is("document.querySelector('.widget-goal .widget-number')?.textContent", "0").await;
    page.click(".tally .counts .count:last-child").await;
    goal.until_is("document.querySelector('.widget-goal .widget-number').textContent", "1").await;
    page.until_is("document.querySelector('.tally .board-count').textContent", "1").await;
    page.click(".tally .counts .count:last-child").await;
    goal.until("document.querySelector('.widget-goal').hasAttribute('data-reached')").await;

    page.click(".boards-scores .board-add").await;
    fill(&page, ".boards-scores .board-form .entry input", "Quiz").await;
    page.click(".boards-scores .board-form .primary").await;
    let scores = browser.open(&server.overlay("?widget=scoreboard")).await;
    for (who, points) in [("Mira", "3"), ("Orin <b>", "5")] {
        page.until("document.querySelector('.giving') !== null").await;
        fill(&page, ".giving input", who).await;
        fill(&page, ".giving input[type=number]", points).await;
        page.click(".giving button").await;
        page.until_is("document.querySelector('.giving input').value", "").await;
    }
    let labels =
        "[...document.querySelectorAll('.widget-row .widget-label')].map((it) => it.textContent)";
    scores.until_is(labels, json!(["Orin <b>", "Mira"])).await;
    page.until_is(
        "[...document.querySelectorAll('.places .bar-label')].map((it) => it.textContent)",
        json!(["Orin <b>", "Mira"]),
    )
    .await;
    // What was deleted leaves screens that are open.
    for _ in 0..2 {
        page.eval("document.querySelector('.tally .board-acts .removal:last-child').click()").await;
    }
    page.until("document.querySelectorAll('.tally').length === 0").await;
    goal.until("document.querySelector('#widget').hidden").await;
    page.assert_clean(&server.url("")).await;
    goal.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
