//! What every theme looks like, against pictures in `tests/browser/snapshots/`, and that custom CSS has the last word.
//!
//! Fonts differ from machine to machine, so pictures are compared after they were made very small: what counts is
//! where there are boxes, and of which colour. No line is so long that another font would break it. How far a picture
//! may be from the stored one is measured by what its lines make of the page: much less than if half of them were
//! missing. When a theme or the lines of `?demo` change on purpose, make the pictures anew, and look at them:
//!
//! ```text
//! RENEW_SNAPSHOTS=1 cargo test --test browser themes
//! ```

use std::{env, fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chromiumoxide::{
    cdp::browser_protocol::{
        emulation::SetDeviceMetricsOverrideParams,
        page::{CaptureScreenshotFormat, SetBypassCspParams, Viewport},
    },
    page::ScreenshotParams,
};
use serde_json::json;

use crate::support::{
    TestServer,
    browser::{Browser, Page},
};

const THEMES: [&str; 8] = [
    "default",
    "midnight",
    "slate",
    "dark-purple",
    "bright-green",
    "broadcast",
    "comic",
    "youtube",
];
const WIDTH: u32 = 640;
const HEIGHT: u32 = 560;
/// A picture is the same below this part of its difference from a page without lines.
const SAME_BELOW: f64 = 0.25;
/// Mean difference of the small pictures (of 0 to 255), over all points and colours, above which a page shows something.
const LINES_ABOVE: f64 = 8.0;
/// Two themes are further apart than this.
const OTHER_ABOVE: f64 = 16.0;

/// The demo says a line when it is told to, not when its time has come.
const BY_HAND: &str = "{ const set = window.setInterval; window.setInterval = (run, ms, ...more) => \
    ms === 1600 ? (window.say = run, 0) : set.call(window, run, ms, ...more); }";

/// An overlay with the demo's lines up to number `last`, standing still.
async fn open_demo(browser: &Browser, server: &TestServer, theme: &str, last: u32) -> Page {
    // The page's colour makes pictures small, and text without cards is read on it.
    let query = format!("?demo&animate=0&avatars=1&limit=60&size=16&bg=34506b&theme={theme}");
    let page = browser.open_with(&server.overlay(&query), BY_HAND).await;
    let size = SetDeviceMetricsOverrideParams::new(WIDTH, HEIGHT, 1.0, false);
    page.tab.execute(size).await.unwrap();
    page.until("document.readyState === 'complete' && typeof say === 'function'").await;
    page.until_is("innerWidth", WIDTH).await;
    // The first five are said at once.
    page.eval(&format!("for (let line = 5; line < {last}; line += 1) say();")).await;
    let drawn = "document.fonts.ready.then(() => new Promise((done) => \
        requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))";
    page.eval(drawn).await;
    page.until(
        "[...document.images].filter((it) => it.checkVisibility() && it.loading !== 'lazy')\
        .every((it) => it.complete && it.naturalWidth > 0)",
    )
    .await;
    page.eval(drawn).await;
    page
}

/// Adds CSS as OBS does: in a style element at the end, in no layer.
async fn add_css(page: &Page, css: &str) {
    // The page's own policy does not bind OBS.
    page.tab.execute(SetBypassCspParams::new(true)).await.unwrap();
    let element = json!({ "textContent": css });
    let script =
        format!("document.head.append(Object.assign(document.createElement('style'), {element}))");
    page.eval(&format!("{script}; new Promise((done) => requestAnimationFrame(() => done()))"))
        .await;
}

async fn picture_of(page: &Page) -> Vec<u8> {
    let whole =
        Viewport { x: 0.0, y: 0.0, width: f64::from(WIDTH), height: f64::from(HEIGHT), scale: 0.5 };
    let params =
        ScreenshotParams::builder().format(CaptureScreenshotFormat::Png).clip(whole).build();
    page.tab.screenshot(params).await.unwrap()
}

/// How far two pictures are from each other. A browser can read and shrink them already.
async fn difference(page: &Page, one: &[u8], other: &[u8]) -> f64 {
    let script = format!(
        "(async () => {{ const small = async (data) => {{ \
            const image = new Image(); image.src = `data:image/png;base64,${{data}}`; await image.decode(); \
            const canvas = document.createElement('canvas'); \
            [canvas.width, canvas.height] = [Math.round(image.width / 8), Math.round(image.height / 8)]; \
            const context = canvas.getContext('2d'); context.imageSmoothingQuality = 'high'; \
            context.drawImage(image, 0, 0, canvas.width, canvas.height); \
            return context.getImageData(0, 0, canvas.width, canvas.height).data; }}; \
        const [a, b] = [await small('{}'), await small('{}')]; \
        if (a.length !== b.length) return 255; \
        let sum = 0; for (let at = 0; at < a.length; at += 1) sum += Math.abs(a[at] - b[at]); \
        return sum / (a.length * 3 / 4); }})()",
        BASE64.encode(one),
        BASE64.encode(other),
    );
    page.eval(&script).await.as_f64().unwrap()
}

fn stored(theme: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser/snapshots");
    folder.join(format!("{theme}.png"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_theme_looks_as_it_did_and_no_two_look_alike() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let judge = browser.open("about:blank").await;
    let renew = env::var_os("RENEW_SNAPSHOTS").is_some();
    let mut pictures = Vec::new();
    let mut faults = Vec::new();
    for theme in THEMES {
        let page = open_demo(&browser, &server, theme, 25).await;
        add_css(&page, ":root { --chat-width: 60em; }").await;
        let picture = picture_of(&page).await;
        page.assert_clean(&server.url("")).await;
        if renew {
            fs::create_dir_all(stored(theme).parent().unwrap()).unwrap();
            fs::write(stored(theme), &picture).unwrap();
        }
        let expected = fs::read(stored(theme)).unwrap();
        page.eval("for (const it of document.querySelectorAll('.line')) it.remove()").await;
        let empty = picture_of(&page).await;
        let far = difference(&judge, &picture, &expected).await;
        let lines = difference(&judge, &expected, &empty).await;
        println!("{theme}: {far:.2} from what it was, {lines:.2} of it lines");
        if lines <= LINES_ABOVE {
            faults.push(format!("{theme}: the stored picture has no lines ({lines:.2})"));
        }
        if far >= lines * SAME_BELOW {
            let seen = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{theme}.png"));
            fs::write(&seen, &picture).unwrap();
            faults.push(format!("{theme}: {far:.2} from what it was; seen: {}", seen.display()));
        }
        pictures.push((theme, picture));
    }
    for (at, (one, picture)) in pictures.iter().enumerate() {
        for (other, another) in &pictures[at + 1..] {
            let far = difference(&judge, picture, another).await;
            println!("{one}, {other}: {far:.2}");
            if far <= OTHER_ABOVE {
                faults.push(format!("{one} and {other} are {far:.2} from each other"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    browser.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_css_wins_over_every_theme_without_important() {
    const CUSTOM: &str = ":root { --font-size: 31px; } .line { background: rgb(1, 2, 3); } \
        .name { color: rgb(4, 5, 6); } .text { color: rgb(7, 8, 9); } .amount { color: rgb(10, 11, 12); }";
    const WRONG: &str = "[['.line', 'backgroundColor', 'rgb(1, 2, 3)'], ['.name', 'color', 'rgb(4, 5, 6)'], \
        ['.text', 'color', 'rgb(7, 8, 9)'], ['.amount', 'color', 'rgb(10, 11, 12)']]\
        .flatMap(([hook, property, wanted]) => { const all = [...document.querySelectorAll(hook)]; \
            if (all.length === 0) return [`no ${hook}`]; \
            return all.filter((it) => getComputedStyle(it)[property] !== wanted)\
                .map((it) => `${hook} in ${it.closest('.line').dataset.flags} ${it.closest('.line').dataset.kind}`); })";
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    for theme in THEMES {
        let page = open_demo(&browser, &server, theme, 44).await;
        add_css(&page, CUSTOM).await;
        assert_eq!(page.eval(WRONG).await, json!([]), "{theme}");
        let size = page.eval("getComputedStyle(document.body).fontSize").await;
        assert_eq!(size, "31px", "{theme}");
    }
    browser.close().await;
    server.stop().await;
}

/// What a style made for YouTube's chat selects, in the manner of the well-known generators: it hides YouTube's own
/// furniture, colours who speaks by `author-type`, and gives the cards a shape of its own.
const YOUTUBE_STYLE: &str = r#"
    body { overflow: hidden; background-color: rgba(0, 0, 0, 0); }
    #author-photo, yt-live-chat-header-renderer, #separator { display: none !important; }
    yt-live-chat-renderer { background-color: transparent !important; }
    yt-live-chat-item-list-renderer #items { padding: 0 12px !important; }
    yt-live-chat-text-message-renderer { padding: 7px 0 !important; }
    yt-live-chat-text-message-renderer #message, yt-live-chat-text-message-renderer #message * {
        color: rgb(11, 12, 13) !important; font-size: 19px !important; }
    yt-live-chat-text-message-renderer #author-name { color: rgb(200, 200, 200) !important; }
    yt-live-chat-text-message-renderer #author-name[type="owner"],
    yt-live-chat-text-message-renderer yt-live-chat-author-badge-renderer[type="owner"] { color: rgb(255, 214, 0) !important; }
    yt-live-chat-text-message-renderer #author-name[type="moderator"] { color: rgb(94, 132, 241) !important; }
    yt-live-chat-text-message-renderer #author-name[type="member"] { color: rgb(15, 157, 88) !important; }
    yt-live-chat-text-message-renderer[author-type="moderator"] #content { outline: rgb(1, 1, 1) solid 2px; }
    yt-live-chat-paid-message-renderer #author-name { color: rgb(21, 22, 23) !important; }
    yt-live-chat-paid-message-renderer #purchase-amount { font-size: 33px !important; }
    yt-live-chat-paid-message-renderer #card { border-radius: 17px !important;
        background-color: var(--yt-live-chat-paid-message-primary-color) !important; }
    yt-live-chat-paid-message-renderer[show-only-header] #content { display: none; }
    yt-live-chat-membership-item-renderer #header { background-color: rgb(31, 32, 33) !important; }
    yt-live-chat-membership-item-renderer #header-subtext { color: rgb(41, 42, 43) !important; }
    yt-live-chat-paid-sticker-renderer #purchase-amount-chip { color: rgb(51, 52, 53) !important; }
    yt-live-chat-paid-sticker-renderer #sticker { width: 61px !important; }
    ytd-sponsorships-live-chat-gift-purchase-announcement-renderer #header #primary-text { color: rgb(71, 72, 73) !important; }
    yt-live-chat-text-message-renderer #message img.emoji { height: 44px !important; }
    yt-live-chat-item-list-renderer #items > :last-child { outline: rgb(2, 2, 2) solid 3px; }
"#;

/// Goal: styles written for YouTube's chat run in the theme `youtube`, whatever platform a line is from.
#[tokio::test(flavor = "multi_thread")]
async fn styles_written_for_youtubes_chat_run_in_the_theme_youtube() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = open_demo(&browser, &server, "youtube", 43).await;
    add_css(&page, YOUTUBE_STYLE).await;
    // The first that the selector finds: the computed value of the property.
    let checks = json!([
        ["yt-live-chat-app yt-live-chat-renderer", "backgroundColor", "rgba(0, 0, 0, 0)"],
        ["#items.yt-live-chat-item-list-renderer", "paddingLeft", "12px"],
        ["yt-live-chat-text-message-renderer #author-photo", "display", "none"],
        ["yt-live-chat-text-message-renderer", "paddingTop", "7px"],
        [
            "yt-live-chat-text-message-renderer[author-type=''] #author-name",
            "color",
            "rgb(200, 200, 200)"
        ],
        ["[author-type=owner][author-is-owner] #author-name.owner", "color", "rgb(255, 214, 0)"],
        ["[author-type=moderator] #author-name.moderator", "color", "rgb(94, 132, 241)"],
        ["[author-type=member] #author-name.member", "color", "rgb(15, 157, 88)"],
        ["[author-type=moderator] #content", "outlineColor", "rgb(1, 1, 1)"],
        ["[author-type=owner] #message", "color", "rgb(11, 12, 13)"],
        ["[author-type=owner] #message img.emoji", "height", "44px"],
        [
            "[author-type=member] #chat-badges yt-live-chat-author-badge-renderer[type=member]",
            "display",
            "block"
        ],
        ["yt-live-chat-paid-message-renderer #author-name", "color", "rgb(21, 22, 23)"],
        ["yt-live-chat-paid-message-renderer #purchase-amount", "fontSize", "33px"],
        [
            "yt-live-chat-paid-message-renderer[data-paid='3'] #card",
            "backgroundColor",
            "rgb(29, 233, 182)"
        ],
        [
            "yt-live-chat-paid-message-renderer[data-paid='7'] #card",
            "backgroundColor",
            "rgb(230, 33, 23)"
        ],
        ["yt-live-chat-paid-message-renderer[data-paid='7'] #card", "borderRadius", "17px"],
        ["yt-live-chat-membership-item-renderer #header", "backgroundColor", "rgb(31, 32, 33)"],
        ["yt-live-chat-membership-item-renderer #header-subtext", "color", "rgb(41, 42, 43)"],
        ["yt-live-chat-paid-sticker-renderer #purchase-amount-chip", "color", "rgb(51, 52, 53)"],
        ["yt-live-chat-paid-sticker-renderer #sticker", "width", "61px"],
        [
            "ytd-sponsorships-live-chat-gift-purchase-announcement-renderer #header #primary-text",
            "color",
            "rgb(71, 72, 73)"
        ],
    ]);
    let wrong = format!(
        "{checks}.map(([selector, property, wanted]) => {{ const it = document.querySelector(selector); \
        const seen = it ? getComputedStyle(it)[property] : 'nothing'; \
        return seen === wanted ? null : `${{selector}}: ${{property}} is ${{seen}}`; }}).filter(Boolean)"
    );
    assert_eq!(page.eval(&wrong).await, json!([]));

    // The newest is the last, also for `:last-child`, and our own hooks stand on YouTube's elements.
    page.eval("say()").await;
    let last = "(() => { const all = [...document.querySelectorAll('#items > .line')]; const it = all.at(-1); \
        const ids = all.map((it) => Number(it.dataset.messageId.split('-').pop())); \
        return [getComputedStyle(it).outlineColor, ids.every((id, at) => at === 0 || id > ids[at - 1]), \
            Boolean(it.dataset.platform && it.dataset.userId)]; })()";
    page.until_is(last, json!(["rgb(2, 2, 2)", true, true])).await;
    browser.close().await;
    server.stop().await;
}
