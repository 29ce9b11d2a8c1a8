//! How an overlay looks: what the room says, and what its address says.

use serde_json::{Value, json};
use streamsuites::model::OverlaySettings;

use crate::{
    LINES, ROWS,
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

/// Puts a stylesheet's question into words: a computed property of the first element.
fn style(selector: &str, property: &str) -> String {
    format!("getComputedStyle(document.querySelector('{selector}'))['{property}']")
}

/// Goal: a link with the names that people have saved in OBS gives what each of them says.
/// Method: twenty parameters at once, each asked for in the page as it is drawn.
#[tokio::test(flavor = "multi_thread")]
async fn a_saved_link_with_twenty_parameters_gives_what_each_says() {
    let server = TestServer::start().await;
    let badges = json!([{ "set": "vip", "version": "1", "title": "VIP" }]);
    let paid = json!({ "value": 300, "currency": "USD", "display": "$3.00" });
    let emote = |provider: &str| {
        json!([{ "type": "emote", "text": "bunBun", "emote": {
            "provider": provider, "id": "bunBun", "url": "/static/demo/emotes/bunBun.svg",
            "animated": true, "zero_width": false,
        } }])
    };
    server.say([
        said("1", "Bo", "too old"),
        said("2", "Bo", "!join"),
        said("3", "Nightbot", "follow me"),
        said("4", "Troll", "hidden"),
        said("5", "Bo", "a rude word"),
        said("6", "Bo", "elsewhere").on("kick"),
        said("7", "Bo", "paid little").with("/amount", paid),
        said("8", "Bo", "bunBun").fragments(emote("7tv")),
        said("9", "Cleo", "bunBun").fragments(emote("bttv")).on("youtube"),
        said("10", "Bo", "last").with("/author/badges", badges),
    ]);
    let query = "?theme=slate&limit=4&fade=600&size=31&font=monospace&scale=1.5&align=right&direction=down\
        &animate=pop&only=twitch,youtube&badges=0&avatars&time=1&show_platform=false&emotes=7tv&hidecommands\
        &hidebots=true&hideusers=troll&blocked_words=rude&min_paid=500&static&lang=de&bg=00ff00&nonsense=1&max_messages=x";
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay(query)).await;
    page.until_is(LINES, json!(["paid little", "", "bunBun", "last"])).await;
    for (question, answer) in [
        (
            "document.querySelector('#theme').href.includes('/themes/slate/theme.css')".to_owned(),
            json!(true),
        ),
        (style(".line .text", "fontSize"), json!("46.5px")),
        (style(".line .text", "fontFamily"), json!("monospace")),
        (style("#chat", "alignItems"), json!("flex-end")),
        (style("#chat", "flexDirection"), json!("column")),
        (style("html", "backgroundColor"), json!("rgb(0, 255, 0)")),
        ("document.documentElement.lang".to_owned(), json!("de")),
        (
            "document.querySelectorAll('#chat .badge, #chat .platform, #chat [data-paid]').length"
                .to_owned(),
            json!(0),
        ),
        ("document.querySelectorAll('#chat .avatar').length".to_owned(), json!(4)),
        ("document.querySelectorAll('#chat time').length".to_owned(), json!(4)),
        ("document.querySelectorAll('#chat img.emote').length".to_owned(), json!(1)),
        (
            "document.querySelector('#chat img.emote').src.endsWith('?static=1')".to_owned(),
            json!(true),
        ),
        ("document.documentElement.dataset.animation".to_owned(), json!("pop")),
    ] {
        assert_eq!(page.eval(&question).await, answer, "{question}");
    }
    // How a line comes in is seen on one that does.
    let watch = "window.moves = new Promise((done) => document.addEventListener('animationstart', (it) => done(it.animationName)))";
    page.eval(&format!("{watch}; 0")).await;
    server.say([said("11", "Bo", "comes in")]);
    assert_eq!(page.eval("moves").await, "line-pop");
    for (query, question, answer) in [
        ("?focus", style("#chat", "display"), json!("none")),
        ("?max=1", "document.querySelectorAll('#chat .line').length".to_owned(), json!(1)),
        ("?without=platform,7tv", "document.querySelectorAll('#chat .platform, #chat img[data-provider=\"7tv\"]').length".to_owned(), json!(0)),
        ("?animate=0", "document.documentElement.dataset.animation".to_owned(), json!("none")),
        ("?custom_css=.name%7Bcolor%3Argb(1,2,3)%7D", style(".name", "color"), json!("rgb(1, 2, 3)")),
        ("?custom_css=.name%7Bcolor%3Argb(1,2,3)%3Bbackground%3Aurl(https%3A%2F%2Fx.example)%7D", format!("{} !== 'rgb(1, 2, 3)'", style(".name", "color")), json!(true)),
        ("?demo", "document.querySelectorAll('#chat .line').length >= 4 && !document.body.innerText.includes('comes in')".to_owned(), json!(true)),
    ] {
        page.go(&server.overlay(query)).await;
        // An answer of a page that has not drawn yet says nothing.
        if query != "?focus" {
            page.until("document.querySelectorAll('#chat .line .text').length > 0").await;
        }
        page.until_is(&question, answer).await;
    }
    let follow = json!({ "kind": "follow", "platform": "twitch", "id": "twitch:f1", "system_text": "Bo followed" });
    server.publish("activity", follow);
    page.go(&server.overlay("")).await;
    page.until("document.querySelectorAll('#chat .activity').length === 1").await;
    page.go(&server.overlay("?show_activities=0")).await;
    page.until_is("document.querySelectorAll('#chat .line').length > 3 && document.querySelectorAll('#chat .activity').length", 0).await;
    // Held back: of what comes at once, one line is shown at a time.
    page.go(&server.overlay("?speed=1&max=500")).await;
    page.until("document.body.innerText.includes('comes in')").await;
    server.say((20..25).map(|it| said(&it.to_string(), "Bo", &format!("held {it}"))));
    page.until("document.body.innerText.includes('held 20')").await;
    assert_eq!(page.eval("document.body.innerText.includes('held 24')").await, false);
    page.go(&server.overlay("?fade=5")).await;
    server.say([said("30", "Bo", "fades")]);
    page.until("document.querySelector('#chat').innerText.includes('fades')").await;
    page.until("document.querySelectorAll('#chat .line').length === 0").await;
    browser.close().await;
    server.stop().await;
}

/// Goal: what is too little to be shown as paid is shown as plain, whatever kind of line it is, in all elements.
#[tokio::test(flavor = "multi_thread")]
async fn a_least_sum_holds_for_activities_as_it_does_for_messages() {
    let server = TestServer::start().await;
    let usd = |cents: u64| json!({ "value": cents, "currency": "USD", "display": format!("{cents} cents") });
    server.say([
        said("1", "Bo", "little said").with("/amount", usd(499)),
        said("2", "Bo", "much said").with("/amount", usd(500)),
    ]);
    let sticker = json!([{ "type": "emote", "text": "bunBun", "emote": {
        "provider": "youtube", "id": "bunBun", "url": "/static/demo/emotes/bunBun.svg",
        "animated": false, "zero_width": false,
    } }]);
    for (number, kind) in ["donation", "gift", "paid"].into_iter().enumerate() {
        for (word, cents) in [("little", 499), ("much", 500)] {
            let author = Value::from(said("a", "Bo", ""))["author"].clone();
            let raw_kind = if kind == "paid" { "superStickerEvent" } else { "any" };
            server.publish(
                "activity",
                json!({
                    "kind": kind, "raw_kind": raw_kind, "platform": "twitch", "id": format!("twitch:{word}{number}"),
                    "author": author, "system_text": format!("Bo {word} {kind}"), "count": 3,
                    "text": "bunBun", "fragments": sticker, "amount": usd(cents),
                }),
            );
        }
    }
    let paid =
        "[...document.querySelectorAll('#chat .line')].filter((it) => it.dataset.paid).length";
    let sums = "document.querySelectorAll('#chat .amount').length";
    let cards = "document.querySelectorAll('yt-live-chat-paid-message-renderer, yt-live-chat-paid-sticker-renderer').length";
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("")).await;
    for (query, expected) in [("?min_paid=500", 4), ("?min_paid=0", 8), ("?min_paid=501", 0)] {
        page.go(&server.overlay(query)).await;
        page.until_is("document.querySelectorAll('#chat .line').length", 8).await;
        assert_eq!(page.eval(paid).await, expected, "{query}");
        assert_eq!(page.eval(sums).await, expected, "{query}");
        page.go(&server.overlay(&format!("{query}&theme=youtube"))).await;
        page.until_is("document.querySelectorAll('#chat #items > .line').length", 8).await;
        assert_eq!(page.eval(cards).await, expected, "{query}");
        assert_eq!(page.eval(sums).await, expected, "{query}");
    }
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

/// Whoever wrote an address with a slip in it finds out where: once, in the console.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_names_what_there_is_not_says_what_there_is() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "hello")]);
    let listen = "window.warned = []; console.warn = (...words) => warned.push(words.join(' '));";
    let browser = Browser::launch().await;
    let page = browser.open_with(&server.overlay("?theme=midnite&platforms=kik"), listen).await;
    page.until_is(LINES, json!(["hello"])).await;
    let warned = page.eval("warned").await;
    let [words] = &warned.as_array().unwrap()[..] else { panic!("not once: {warned}") };
    let words = words.as_str().unwrap();
    let themes = "There is no theme \"midnite\", only default, ";
    assert!(words.starts_with(themes) && words.contains("midnight"), "{words}");
    let platforms = "There is no platform \"kik\", only twitch, youtube, kick, rumble, pilled.";
    assert!(words.ends_with(platforms), "{words}");
    page.go(&server.overlay("?theme=midnight&platforms=twitch,x&nonsense=1")).await;
    page.until_is(LINES, json!(["hello"])).await;
    assert_eq!(page.eval("warned").await, json!([]));
    browser.close().await;
    server.stop().await;
}

/// Goal: custom CSS wins over the theme, OBS's own box over both, and none of it needs a reload.
#[tokio::test(flavor = "multi_thread")]
async fn custom_css_stands_above_the_theme_and_below_the_box_of_obs_and_changes_live() {
    let server = TestServer::start().await;
    server.say([said("1", "Bo", "hello")]);
    let browser = Browser::launch().await;
    let page = browser.open(&server.overlay("?theme=midnight&size=20")).await;
    page.until_is(LINES, json!(["hello"])).await;
    page.eval("window.same_page = true").await;
    let look =
        |css: &str| OverlaySettings { custom_css: css.to_owned(), ..OverlaySettings::default() };
    server.room().set_settings(look(
        ":root { --font-size: 33px } .line { border-radius: 3px; color: rgb(9, 8, 7) } .name { color: rgb(1, 1, 1) }",
    ));
    page.until_is(&style(".line", "borderRadius"), "3px").await;
    assert_eq!(page.eval(&style(".line .text", "fontSize")).await, "33px");
    assert_eq!(page.eval(&style(".line", "color")).await, "rgb(9, 8, 7)");
    // As OBS does it: a `<style>` in no layer.
    let obs = "document.head.append(Object.assign(document.createElement('style'), { textContent: '.line { color: rgb(5, 5, 5) }' }))";
    page.eval(&format!("{obs}; 0")).await;
    assert_eq!(page.eval(&style(".line", "color")).await, "rgb(5, 5, 5)");
    // Nothing in it is ever markup.
    server.room().set_settings(look(
        ".line::after { content: '</style><script>window.broken = 1</script>' }",
    ));
    page.until(&format!("{} !== '3px'", style(".line", "borderRadius"))).await;
    assert_eq!(
        page.eval("window.broken === undefined && document.querySelectorAll('script').length")
            .await,
        1
    );
    assert_eq!(page.eval("window.same_page").await, true);
    page.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}

/// Goal: CSS that somebody pasted never learns the room's key: it can read attributes, and show and measure text.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_room_stands_in_nothing_that_css_can_read() {
    let access = ("STREAMSUITES__SYSTEM__OVERLAY_ACCESS", "key".to_owned());
    let server = TestServer::start_with_channels(json!([]), &[access]).await;
    server.say([said("1", "Bo", "hello")]);
    let query = server.server.key_query(server.room().id());
    let key = query.strip_prefix("?key=").unwrap();
    let readable = format!(
        "[...document.querySelectorAll('*')].filter((it) => it.textContent.includes('{key}') || \
            [...it.attributes].some(({{ value }}) => value.includes('{key}'))).map((it) => it.outerHTML)"
    );
    let browser = Browser::launch().await;
    let overlay = browser.open(&server.overlay(&query)).await;
    overlay.until_is(LINES, json!(["hello"])).await;
    let chat = browser.open(&format!("{}{query}", server.popout())).await;
    chat.until_is(ROWS, json!(["hello"])).await;
    let replay = browser.open(&server.url(&format!("/replay/ana{query}"))).await;
    replay.until("document.querySelector('#sessions a') !== null").await;
    replay.until("document.querySelector('#download').href !== ''").await;

    let theme = OverlaySettings { theme: "midnight".to_owned(), ..OverlaySettings::default() };
    server.room().set_settings(theme);
    let loaded = "[...document.styleSheets].some((it) => it.href?.includes('/themes/midnight/'))";
    overlay.until(loaded).await;
    for page in [&overlay, &chat, &replay] {
        assert_eq!(page.eval(&readable).await, json!([]));
        page.eval("window.open = (address) => { window.opened = address; }").await;
    }
    // Links that need it lead where they should all the same.
    chat.click("#replay-link").await;
    chat.until_is("window.opened", format!("/replay/ana{query}")).await;
    replay.eval(
        "document.querySelector('#sessions a').dispatchEvent(new MouseEvent('click', { ctrlKey: true, bubbles: true, cancelable: true }))",
    )
    .await;
    replay.until(&format!("window.opened?.includes('{key}')")).await;
    let saved = "HTMLAnchorElement.prototype.click = function () { window.saved = this.href; }; \
        document.querySelector('#download').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))";
    replay.eval(saved).await;
    replay.until(&format!("window.saved?.includes('.jsonl{query}')")).await;
    overlay.assert_clean(&server.url("")).await;
    browser.close().await;
    server.stop().await;
}
