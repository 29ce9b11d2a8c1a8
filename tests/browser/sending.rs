//! The pop-out's send box: what leaves it, and what it tells about what became of it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    ROWS,
    support::{
        TestServer,
        browser::{Browser, Page},
        said::said,
    },
};

const SENT: &str = "[...document.querySelectorAll('#outgoing .out')].map((it) => \
    [it.querySelector('.out-text').textContent, it.querySelector('.out-state').dataset.state])";
const WORDS: &str = "document.querySelector('#words').value";

#[derive(Default)]
struct Seen {
    messages: Mutex<Vec<Value>>,
    answers: Mutex<VecDeque<Value>>,
}

/// Twitch's API, as far as saying something asks it.
async fn stand_in() -> (Arc<Seen>, String) {
    let seen = Arc::new(Seen::default());
    let validate = || async {
        Json(
            json!({ "client_id": "client9", "login": "anabot", "user_id": "7", "expires_in": 5_000_000,
            "scopes": ["user:write:chat"] }),
        )
    };
    let users = || async { Json(json!({ "data": [{ "id": "8", "login": "ana" }] })) };
    let say = |State(seen): State<Arc<Seen>>, Json(body): Json<Value>| async move {
        seen.messages.lock().unwrap().push(body);
        let next = seen.answers.lock().unwrap().pop_front();
        let good = || json!({ "data": [{ "message_id": "api-1", "is_sent": true }] });
        Json(next.unwrap_or_else(good))
    };
    let router = Router::new()
        .route("/oauth2/validate", get(validate))
        .route("/helix/users", get(users))
        .route("/helix/chat/messages", post(say))
        .with_state(Arc::clone(&seen));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (seen, address)
}

async fn start(address: &str) -> TestServer {
    let variable = |name, value: &str| (name, value.to_owned());
    let variables = [
        variable("TWITCH_OAUTH_TOKEN_ANA", "oauth:goodtoken123"),
        variable("TWITCH_BOT_NICK_ANA", "anabot"),
        ("STREAMSUITES__PLATFORMS__TWITCH__HELIX_URL", format!("{address}/helix")),
        ("STREAMSUITES__PLATFORMS__TWITCH__ID_URL", format!("{address}/oauth2")),
        variable("STREAMSUITES__PLATFORMS__TWITCH__EVENTSUB_URL", "ws://127.0.0.1:1/ws"),
    ];
    let channels = json!([{ "platform": "twitch", "name": "ana" }]);
    TestServer::start_with_channels(channels, &variables).await
}

impl Page {
    /// A key at the words, as an input method sends it or as a hand does.
    async fn press_enter(&self, more: &str) {
        let event = format!("{{ key: 'Enter', bubbles: true, cancelable: true, {more} }}");
        self.eval(&format!(
            "document.querySelector('#words').dispatchEvent(new KeyboardEvent('keydown', {event}))"
        ))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_says_something_and_sees_what_became_of_it() {
    let (seen, address) = stand_in().await;
    let server = start(&address).await;
    server.say([said("1", "Bo", "what is your rank?")]);
    let browser = Browser::launch().await;
    // Whoever is not signed in is shown nothing of it.
    let page = browser.open(&server.popout()).await;
    page.until_is(ROWS, json!(["what is your rank?"])).await;
    page.until_is("document.querySelector('#send').hidden", true).await;
    page.assert_clean(&server.url("")).await;

    page.go(&server.url(&server.server.sign_in)).await;
    page.go(&server.popout()).await;
    page.until_is("document.querySelector('#send').hidden", false).await;
    page.until_is(ROWS, json!(["what is your rank?"])).await;
    page.type_into("#words", "hello chat").await;
    page.press_enter("isComposing: true").await;
    page.press_enter("shiftKey: true").await;
    page.until_is(WORDS, "hello chat").await;
    page.press_enter("").await;
    page.until_is(SENT, json!([["hello chat", "sent"]])).await;
    page.until_is(WORDS, "").await;

    // What Twitch drops is told with its reason, and stays until it is dismissed.
    seen.answers.lock().unwrap().push_back(json!({ "data": [{ "message_id": "", "is_sent": false,
        "drop_reason": { "code": "followers_only_mode", "message": "only followers may speak" } }] }));
    page.type_into("#words", "again").await;
    page.press_enter("").await;
    page.until(&format!("{SENT}.some((it) => it[0] === 'again' && it[1] === 'blocked')")).await;
    page.until(
        "document.querySelector('#outgoing').innerText.includes('only followers may speak')",
    )
    .await;
    page.eval("[...document.querySelectorAll('#outgoing .out-close')].at(-1).click()").await;
    page.until("!document.querySelector('#outgoing').innerText.includes('again')").await;

    // An answer goes to the message it answers; a draft outlives the page.
    page.eval("document.querySelector('#log .line .name').focus()").await;
    page.eval("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'r', bubbles: true }))").await;
    page.until("document.querySelector('#replying').innerText.includes('what is your rank?')")
        .await;
    page.type_into("#words", "gold").await;
    page.press_enter("").await;
    page.until(&format!("{SENT}.some((it) => it[0] === 'gold' && it[1] === 'sent')")).await;
    page.type_into("#words", "half a th").await;
    page.go(&server.popout()).await;
    page.until_is(WORDS, "half a th").await;
    {
        let messages = seen.messages.lock().unwrap();
        let texts: Vec<_> = messages.iter().map(|it| it["message"].as_str().unwrap()).collect();
        assert_eq!(texts, ["hello chat", "again", "gold"]);
        assert_eq!(messages[2]["reply_parent_message_id"], "1");
    }
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
