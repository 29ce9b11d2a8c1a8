//! Whatever viewers write is text.

use serde_json::{Value, json};
use streamsuites::model::OverlaySettings;

use crate::support::{TestServer, browser::Browser, said::said};

const PAYLOADS: [&str; 12] = [
    "<script>window.__xss=1</script>",
    "<img src=x onerror=\"window.__xss=1\">",
    "\"><svg onload=window.__xss=1>",
    "' onmouseover='window.__xss=1' x='",
    "</script><script>window.__xss=1</script>",
    "</title></style></textarea><script>window.__xss=1</script><!--",
    "<style>* { display: none !important }</style>",
    "<iframe srcdoc=\"<script>parent.__xss=1</script>\"></iframe>",
    "javascript:window.__xss=1",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "&lt;script&gt;window.__xss=1&lt;/script&gt; &#60;b&#62;",
    "<a href=\"javascript:window.__xss=1\">link</a>",
];

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_names_and_texts_is_shown_as_it_was_typed_and_runs_nothing() {
    let server = TestServer::start().await;
    // The room's settings and the address are written into the page itself.
    let evil = "</script><script>window.__xss=1</script>".to_owned();
    server.room().set_settings(OverlaySettings {
        font: evil.clone(),
        blocked_words: vec!["<!--".to_owned() + &evil + "<script>"],
        max_messages: 100,
        ..OverlaySettings::default()
    });
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let link = json!({ "type": "link", "text": payload, "url": "javascript:window.__xss=1" });
        let emote = json!({ "type": "emote", "text": payload, "emote": {
            "provider": "twitch", "id": payload, "url": payload, "animated": true, "zero_width": false,
        }});
        let badge = json!({ "set": payload, "version": payload, "title": payload, "url": payload });
        // Equal lines of others than moderators become one.
        let eve = |id: &str| {
            let roles = json!(["moderator"]);
            said(&format!("{id}{number}"), "Eve", payload).with("/author/roles", roles)
        };
        server.say([
            eve("t")
                .with("/author/name", *payload)
                .with("/author/color", "red;background:url(javascript:window.__xss=1)")
                .with("/author/avatar", *payload)
                .with("/author/badges", json!([badge]))
                .quoting("q", "Eve", payload),
            eve("l").fragments(json!([link])),
            eve("m").fragments(json!([{ "type": "mention", "text": payload }])),
            eve("e").fragments(json!([emote])),
        ]);
        server.publish(
            "activity",
            json!({
                "kind": "other", "platform": "twitch", "id": format!("twitch:a{number}"),
                "raw_kind": payload, "system_text": payload, "text": payload,
                "fragments": [{ "type": "text", "text": payload }],
            }),
        );
    }
    let browser = Browser::launch().await;
    let key = "%3C/script%3E%3Cscript%3Ewindow.__xss=1%3C/script%3E";
    let overlay = server.overlay(&format!("?avatars=1&theme={key}&font={key}&bg={key}&key={key}"));
    let popout = format!("{}?key={key}", server.popout());
    let lines = PAYLOADS.len() * 5;
    for (address, list) in [(overlay, "#chat"), (popout, "#log")] {
        // The page says that there is no such theme: that is text as well.
        let listen =
            "window.warned = []; console.warn = (...words) => warned.push(words.join(' '));";
        let page = browser.open_with(&address, listen).await;
        page.until_is(
            &format!("document.querySelectorAll('{list} .line[data-message-id]').length"),
            lines,
        )
        .await;
        for (number, payload) in PAYLOADS.iter().enumerate() {
            let texts = |id: String, what: &str| {
                format!(
                    "document.querySelector('{list} [data-message-id=\"twitch:{id}\"] {what}').textContent"
                )
            };
            for id in ["t", "l", "m", "e", "a"] {
                let shown = page.eval(&texts(format!("{id}{number}"), ".text")).await;
                assert_eq!(shown, *payload, "{id} in {list}");
            }
            for part in [".name", ".reply-text"] {
                assert_eq!(page.eval(&texts(format!("t{number}"), part)).await, *payload, "{part}");
            }
            assert_eq!(page.eval(&texts(format!("a{number}"), ".system-text")).await, *payload);
        }
        let foreign = "[...document.querySelectorAll('body *')].filter((it) => \
            ['IFRAME', 'STYLE', 'OBJECT'].includes(it.tagName) || (it.tagName === 'SCRIPT' && !it.src && it.id !== 'page') \
            || it.closest('svg[onload]') || [...it.attributes].some(({ name }) => name.startsWith('on')) \
            || /^javascript:/i.test(it.href ?? '') || /^javascript:/i.test(it.src ?? '')).map((it) => it.outerHTML)";
        assert_eq!(page.eval(foreign).await, json!([]), "markup came through in {list}");
        // Whoever clicks on a link or a name is safe as well.
        page.eval(&format!("document.querySelectorAll('{list} .link, {list} .name, {list} a').forEach((it) => it.click())")).await;
        page.assert_clean(&server.url("")).await;
        let warned = page.eval("warned").await;
        let said = format!("There is no theme \"{evil}\"");
        let expected = usize::from(list == "#chat");
        assert_eq!(warned.as_array().unwrap().len(), expected, "{warned}");
        assert!(warned[0].as_str().is_none_or(|it| it.starts_with(&said)), "{warned}");
        assert_eq!(page.eval("window.__xss ?? null").await, Value::Null, "a script ran in {list}");
    }
    browser.close().await;
    server.stop().await;
}
