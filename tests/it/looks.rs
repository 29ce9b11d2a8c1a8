//! How rooms look: settings in layers, custom CSS, themes of one's own.

use std::fs;

use serde_json::{Value, json};
use streamsuites::storage::{Kind, State};

use crate::support::{Setup, TOKEN, TestServer, soon};

const SETTINGS: &str = "/api/settings?room=ana";

/// Asks as the operator: status and JSON.
async fn ask(server: &TestServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = server.request(method, path, body).bearer_auth(TOKEN);
    let answer = soon(path, request.send()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn look(server: &TestServer) -> Value {
    let (status, look) = ask(server, "GET", SETTINGS, Value::Null).await;
    assert_eq!(status, 200, "{look}");
    look
}

async fn change(server: &TestServer, body: Value) -> Value {
    let (status, look) = ask(server, "PUT", SETTINGS, body).await;
    assert_eq!(status, 200, "{look}");
    look
}

fn places(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|it| it["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_set_lies_above_the_configuration_reaches_open_overlays_and_outlives_a_restart() {
    let creators =
        json!({"creators": [{"id": "ana", "overlay": {"max_messages": 12, "align": "right"}}]});
    let server = Setup::new().creators(&creators).start().await;
    let before = look(&server).await;
    assert_eq!(before["room"], "ana");
    assert_eq!(before["settings"]["max_messages"], 12);
    assert_eq!(before["layers"]["max_messages"], "config");
    assert_eq!(before["layers"]["direction"], "default");
    assert_eq!(before["layers"].as_object().unwrap().len(), 27, "every setting but theme_version");
    assert_eq!(before["settings"]["theme_version"], before["theme_version"]);

    let mut socket = server.socket("/ws/ana?backlog=0").await;
    assert_eq!(socket.hello["settings"], before["settings"]);
    let now = change(
        &server,
        json!({
            "max_messages": 5, "theme": "slate", "scale": 2.0, "blocked_words": ["rude"],
            "custom_css": ".name { color: gold }",
        }),
    )
    .await;
    assert_eq!(now["layers"]["max_messages"], "stored");
    assert_eq!(now["layers"]["align"], "config");
    assert_eq!(now["below"]["max_messages"], 12);
    let event = socket.next_of("settings.update").await;
    assert_eq!(event["data"], now["settings"]);
    assert_eq!(event["data"]["max_messages"], 5);
    assert_eq!(event["data"]["custom_css"], ".name { color: gold }");
    assert_eq!(server.json("/api/rooms/ana").await["settings"], now["settings"]);

    // What the configuration says is seen where nothing lies above it.
    let creators =
        json!({"creators": [{"id": "ana", "overlay": {"max_messages": 20, "font_size": 30}}]});
    server.write_creators(&creators);
    let event = socket.next_of("settings.update").await;
    assert_eq!(
        (&event["data"]["max_messages"], &event["data"]["font_size"]),
        (&json!(5), &json!(30))
    );
    assert_eq!(event["data"]["align"], "left");

    let server = server.stop_for_now().await.start().await;
    let again = look(&server).await;
    assert_eq!(again["settings"], event["data"]);
    assert_eq!(again["stored"]["theme"], "slate");

    let mut socket = server.socket("/ws/ana?backlog=0").await;
    let back = change(&server, json!({"max_messages": null, "theme": null})).await;
    assert_eq!(back["settings"]["max_messages"], 20);
    assert_eq!(back["layers"]["max_messages"], "config");
    assert_eq!(back["layers"]["theme"], "default");
    assert_eq!(socket.next_of("settings.update").await["data"], back["settings"]);
    // The same in another case is the same room, and POST is PUT.
    let (status, _) = ask(&server, "POST", "/api/settings?room=ANA", json!({"focus": true})).await;
    assert_eq!(status, 200);
    assert_eq!(look(&server).await["settings"]["focus"], true);
    server.stop().await;
}

#[tokio::test]
async fn every_mistake_is_told_at_once_and_nothing_is_changed() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let before = look(&server).await;
    let body = json!({
        "max_messages": 0, "direction": "sideways", "directon": "up", "theme": "slaet", "platforms": ["twich"],
        "custom_css": ".line {\n  colour red;\n}\n@import url(https://example.com/a.css);\n\
            .a { background: url(http://example.com/a.png) }",
        "align": "right",
    });
    let (status, problem) = ask(&server, "PUT", SETTINGS, body).await;
    assert_eq!(status, 400);
    assert_eq!(problem["type"], "/problems/invalid");
    let expected = [
        "/custom_css",
        "/custom_css",
        "/custom_css",
        "/direction",
        "/directon",
        "/max_messages",
        "/platforms/0",
        "/theme",
    ];
    assert_eq!(places(&problem), expected, "{problem}");
    let at = |index: usize| {
        (problem["errors"][index]["line"].as_u64(), problem["errors"][index]["column"].as_u64())
    };
    assert_eq!(at(0), (Some(2), Some(3)));
    assert_eq!(at(1), (Some(4), Some(1)));
    assert_eq!(at(2), (Some(5), Some(18)));
    assert!(problem["errors"][7]["detail"].as_str().unwrap().contains("`slate`"), "{problem}");
    for body in [json!([]), json!("x"), json!({"theme_version": "1"}), json!({"nothing": null})] {
        assert_eq!(ask(&server, "PUT", SETTINGS, body).await.0, 400);
    }
    assert_eq!(look(&server).await, before);
    assert!(server.history("ana").await.is_empty());

    assert_eq!(ask(&server, "PUT", "/api/settings", json!({})).await.0, 400);
    assert_eq!(ask(&server, "PUT", "/api/settings?room=nobody", json!({})).await.0, 404);
    assert_eq!(ask(&server, "GET", "/api/settings?room=nobody", json!({})).await.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_change_can_be_tried_and_is_refused_to_whoever_has_not_seen_the_last_one() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let check = format!("{SETTINGS}&check");
    let (status, tried) = ask(&server, "PUT", &check, json!({"theme": "midnight"})).await;
    assert_eq!((status, &tried["settings"]["theme"]), (200, &json!("midnight")));
    assert_eq!(ask(&server, "PUT", &check, json!({"theme": "none"})).await.0, 400);
    assert_eq!(look(&server).await["settings"]["theme"], "default");

    let put = |tag: &str, body: Value| {
        server.request("PUT", SETTINGS, body).bearer_auth(TOKEN).header("if-match", tag).send()
    };
    let seen = server.get(SETTINGS).bearer_auth(TOKEN).send().await.unwrap();
    let tag = seen.headers()["etag"].to_str().unwrap().to_owned();
    let first = put(&tag, json!({"focus": true})).await.unwrap();
    assert_eq!(first.status(), 200);
    let newer = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_ne!(newer, tag);
    assert_eq!(put(&tag, json!({"focus": false})).await.unwrap().status(), 412);
    assert_eq!(look(&server).await["settings"]["focus"], true);
    assert_eq!(put(&newer, json!({"focus": false})).await.unwrap().status(), 200);
    assert_eq!(put("*", json!({"focus": true})).await.unwrap().status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_theme_of_a_rooms_own_is_used_there_changed_live_and_nowhere_else() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    let themes = "/api/themes?room=ana";
    let body = json!({"title": "Neon Night!", "css": ".line { color: #0ff }", "surface": "dark"});
    let (status, made) = ask(&server, "POST", themes, body.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["name"], "neon-night");
    assert_eq!(made["origin"], "own");
    let (_, listed) = ask(&server, "GET", themes, Value::Null).await;
    let names = |it: &Value| {
        let themes = it["themes"].as_array().unwrap().iter();
        themes.map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let names_of_ana = names(&listed);
    assert_eq!(names_of_ana[..2], ["neon-night", "default"]);
    assert!(["midnight", "slate"].iter().all(|it| names_of_ana.iter().any(|name| name == it)));
    let (_, of_ben) = ask(&server, "GET", "/api/themes?room=ben", Value::Null).await;
    assert_eq!(names(&of_ben), names_of_ana[1..]);

    // Taken, built in, or wrong.
    assert_eq!(ask(&server, "POST", themes, body).await.0, 409);
    assert_eq!(ask(&server, "POST", themes, json!({"name": "slate", "css": ""})).await.0, 409);
    let wrong = json!({"name": "A b", "css": "a {", "surface": "pink", "colour": 1, "title": "t".repeat(61)});
    let (status, problem) = ask(&server, "POST", themes, wrong).await;
    assert_eq!(status, 400);
    let mut found = places(&problem);
    found.sort_unstable();
    assert_eq!(found, ["/colour", "/name", "/surface", "/title"]);
    let (status, problem) = ask(&server, "POST", themes, json!({"title": "x", "css": "a {"})).await;
    assert_eq!((status, places(&problem)), (400, vec!["/css"]));
    assert_eq!(ask(&server, "PUT", "/api/themes/slate?room=ana", json!({})).await.0, 409);
    assert_eq!(ask(&server, "PUT", "/api/themes/none?room=ana", json!({})).await.0, 404);
    assert_eq!(ask(&server, "PUT", "/api/themes/neon-night?room=ben", json!({})).await.0, 404);

    change(&server, json!({"theme": "neon-night"})).await;
    let refused =
        ask(&server, "PUT", "/api/settings?room=ben", json!({"theme": "neon-night"})).await;
    assert_eq!(refused.0, 400);
    let page = server.get("/overlay/ana").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("/themes/neon-night/theme.css?"), "{page}");
    let page = server.get("/overlay/ben?theme=neon-night").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("/themes/default/theme.css?"));
    let css = server.get("/themes/neon-night/theme.css?room=ana").send().await.unwrap();
    assert_eq!(css.headers()["content-type"], "text/css; charset=utf-8");
    let css = css.text().await.unwrap();
    assert_eq!(css, "@layer theme {\n.line { color: #0ff }\n}\n");
    for other in ["/themes/neon-night/theme.css", "/themes/neon-night/theme.css?room=ben"] {
        assert_eq!(server.get(other).send().await.unwrap().status(), 404, "{other}");
    }

    let mut socket = server.socket("/ws/ana?backlog=0").await;
    let before = socket.hello["settings"]["theme_version"].clone();
    let path = "/api/themes/neon-night?room=ana";
    let (status, _) = ask(&server, "PUT", path, json!({"css": ".line { color: #f0f }"})).await;
    assert_eq!(status, 200);
    let event = socket.next_of("settings.update").await;
    assert_ne!(event["data"]["theme_version"], before);
    let (_, one) = ask(&server, "GET", path, Value::Null).await;
    assert_eq!(
        (&one["css"], &one["title"]),
        (&json!(".line { color: #f0f }"), &json!("Neon Night!"))
    );

    assert_eq!(ask(&server, "DELETE", path, Value::Null).await.0, 409, "while it is worn");
    let server = server.stop_for_now().await.start().await;
    assert_eq!(look(&server).await["settings"]["theme_version"], event["data"]["theme_version"]);
    change(&server, json!({"theme": null})).await;
    assert_eq!(ask(&server, "DELETE", path, Value::Null).await.0, 204);
    assert_eq!(ask(&server, "DELETE", path, Value::Null).await.0, 404);
    server.stop().await;
}

/// Goal: an older version that finds what a newer one has stored takes nothing of it away.
#[tokio::test]
async fn what_another_version_stored_is_neither_shown_nor_lost() {
    let server = Setup::new().rooms(&["ana", "ben"]).start().await;
    let file = server.folder().join("data/state.redb");
    let setup = server.stop_for_now().await;
    let state = State::open(&file).unwrap();
    let layer = json!({"max_messages": 9999, "sparkles": true, "align": "right"}).to_string();
    let theme =
        json!({"title": "Future", "css": ".line { color: red }", "surface": "neon", "glow": 3});
    let text = |kind, name: &str, text: &str| (kind, name.to_owned(), Some(text.to_owned()));
    state
        .save(&[
            text(Kind::Looks, "ana", &layer),
            text(Kind::Looks, "ben", "{half"),
            text(Kind::Themes, "ana/future", &theme.to_string()),
            text(Kind::Themes, "ana/broken", "{half"),
        ])
        .unwrap();
    drop(state);

    let server = setup.start().await;
    let shown = look(&server).await;
    assert_eq!(shown["stored"], json!({"align": "right"}));
    let changed = change(&server, json!({"scale": 1.5})).await;
    assert_eq!(changed["settings"]["scale"], 1.5);
    assert_eq!(changed["settings"]["max_messages"], 30, "the default: {changed}");
    let ben = "/api/settings?room=ben";
    assert_eq!(ask(&server, "GET", ben, Value::Null).await.0, 200);
    assert_eq!(ask(&server, "PUT", ben, json!({"scale": 2.0})).await.0, 503);

    let path = "/api/themes/future?room=ana";
    let (status, it) = ask(&server, "GET", path, Value::Null).await;
    assert_eq!((status, &it["title"], &it["surface"]), (200, &json!("Future"), &json!("any")));
    assert_eq!(ask(&server, "PUT", path, json!({"title": "Now"})).await.0, 200);
    let broken = "/api/themes/broken?room=ana";
    assert_eq!(ask(&server, "GET", broken, Value::Null).await.0, 404);
    assert_eq!(ask(&server, "PUT", broken, json!({"title": "x"})).await.0, 503);
    let body = json!({"name": "broken", "css": ""});
    assert_eq!(ask(&server, "POST", "/api/themes?room=ana", body).await.0, 409);
    let page = server.get("/overlay/ana?theme=broken").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("/themes/default/theme.css?"), "{page}");
    let page = server.get("/overlay/ana?theme=future").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("/themes/future/theme.css?"), "{page}");

    let _folder = server.stop_for_now().await;
    let state = State::open(&file).unwrap();
    let stored = |kind, name: &str| state.find(kind, name).unwrap();
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    assert_eq!(
        read(stored(Kind::Looks, "ana")),
        json!({"max_messages": 9999, "sparkles": true, "align": "right", "scale": 1.5})
    );
    assert_eq!(
        read(stored(Kind::Themes, "ana/future")),
        json!({"title": "Now", "css": ".line { color: red }", "surface": "neon", "glow": 3})
    );
    assert_eq!(stored(Kind::Looks, "ben"), "{half");
    assert_eq!(stored(Kind::Themes, "ana/broken"), "{half");
}

#[tokio::test]
async fn titles_that_make_the_same_name_are_numbered_and_the_answer_leads_to_the_theme() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let post = |body: Value| server.post("/api/themes?room=ana", body).bearer_auth(TOKEN).send();
    for (title, name) in [("砂", "theme"), ("水", "theme-2"), ("Slate?", "slate-2")] {
        let answer = post(json!({"title": title, "css": ""})).await.unwrap();
        assert_eq!(answer.status(), 201, "{title}");
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let (status, it) = ask(&server, "GET", &location, Value::Null).await;
        assert_eq!((status, &it["name"], &it["title"]), (200, &json!(name), &json!(title)));
    }
    assert_eq!(post(json!({"title": "水", "css": ""})).await.unwrap().status(), 409);
    let long = "long ".repeat(11);
    for name in ["long-long-long-long-long-long-lo", "long-long-long-long-long-long-2"] {
        let title = if name.ends_with('2') { format!("{long}!") } else { long.clone() };
        let answer = post(json!({"title": title.trim(), "css": ""})).await.unwrap();
        assert!(answer.text().await.unwrap().contains(&format!("\"{name}\"")), "{name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_that_may_read_a_look_is_told_its_etag() {
    let origin = "https://site.example";
    let server = Setup::new()
        .rooms(&["ana"])
        .set("SYSTEM__WEB__CORS_ORIGINS", json!([origin]))
        .start()
        .await;
    let request = server.get(SETTINGS).bearer_auth(TOKEN).header("origin", origin);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("etag"));
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.split(',').any(|it| it == "etag"), "{exposed}");
    server.stop().await;
}

#[tokio::test]
async fn a_theme_of_a_room_that_needs_its_key_needs_it_too() {
    let server = Setup::new().rooms(&["ana"]).set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
    let body = json!({"name": "mine", "css": ".line { color: red }"});
    assert_eq!(ask(&server, "POST", "/api/themes?room=ana", body).await.0, 201);
    let key = server.server.key_query(&"ana".parse().unwrap()).replace('?', "&");
    let path = "/themes/mine/theme.css?room=ana";
    assert_eq!(server.get(path).send().await.unwrap().status(), 403);
    assert_eq!(server.get(&format!("{path}{key}")).send().await.unwrap().status(), 200);
    let page = server.get(&format!("/overlay/ana?theme=mine{key}")).send().await.unwrap();
    let page = page.text().await.unwrap().replace("&#38;", "&").replace("&amp;", "&");
    // The page loads it with something that opens nothing else: CSS can read attributes.
    let (head, behind) = page.split_once("<script").unwrap();
    assert!(!head.contains("key="), "{head}");
    assert!(behind.contains(&key[5..]), "scripts have the key");
    let link = head.split("href=\"").find(|it| it.starts_with("/themes/")).unwrap();
    let link = link.split_once('"').unwrap().0;
    assert!(link.starts_with("/themes/mine/theme.css?"), "{link}");
    assert_eq!(server.get(link).send().await.unwrap().status(), 200);
    let sheet = link.split("sheet=").nth(1).unwrap();
    for closed in [
        format!("/overlay/ana?key={sheet}"),
        format!("/api/rooms/ana/events?key={sheet}"),
        format!("{path}&key={sheet}"),
        format!("{path}&sheet={}", &key[5..]),
        format!("{path}&sheet="),
    ] {
        assert_eq!(server.get(&closed).send().await.unwrap().status(), 403, "{closed}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_folder_that_comes_while_the_server_runs_is_a_theme_at_once_and_its_edits_reach_overlays()
{
    let server = Setup::new().rooms(&["ana"]).start().await;
    let mut socket = server.socket("/ws/ana?backlog=0").await;
    let folder = server.folder().join("themes/plum");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("theme.json"), r#"{"title": "Plum", "surface": "light"}"#).unwrap();
    fs::write(folder.join("theme.css"), "@layer theme { .line { color: purple } }").unwrap();
    let event = socket.next_of("settings.update").await;
    let (_, listed) = ask(&server, "GET", "/api/themes?room=ana", Value::Null).await;
    let plum = listed["themes"].as_array().unwrap().iter().find(|it| it["name"] == "plum").unwrap();
    assert_eq!(
        *plum,
        json!({"name": "plum", "title": "Plum", "description": "", "surface": "light", "origin": "folder"})
    );
    let worn = change(&server, json!({"theme": "plum"})).await;
    assert_eq!(worn["theme_version"], event["data"]["theme_version"]);
    assert_eq!(socket.next_of("settings.update").await["data"]["theme"], "plum");

    fs::write(folder.join("theme.css"), "@layer theme { .line { color: indigo } }").unwrap();
    let event = socket.next_of("settings.update").await;
    assert_ne!(event["data"]["theme_version"], worn["theme_version"]);
    let css = server.get("/themes/plum/theme.css?room=ana").send().await.unwrap();
    assert!(css.text().await.unwrap().contains("indigo"));
    server.stop().await;
}

/// Goal: what links saved in OBS and CSS written for the overlay rely on is there for years.
/// Method: a list that may only grow, against the pages that are served. What the parameters do is asked in
/// `tests/js/settings.test.mjs` and `tests/browser/settings.rs`.
#[tokio::test]
async fn what_saved_links_and_peoples_css_rely_on_is_there() {
    let list: Value = serde_json::from_str(include_str!("../fixtures/saved_links.json")).unwrap();
    let words = |key: &str| {
        let listed = list[key].as_array().unwrap().iter();
        listed.map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let server = Setup::new().rooms(&["ana"]).start().await;
    for route in words("routes") {
        assert_eq!(server.get(&route).send().await.unwrap().status(), 200, "{route}");
    }
    let text = async |path: &str| server.get(path).send().await.unwrap().text().await.unwrap();
    let page = text("/overlay/ana").await;
    let mut drawn = page.clone();
    for script in ["render", "stage"] {
        drawn.push_str(&text(&format!("/static/js/{script}.js")).await);
    }
    for id in words("ids") {
        assert!(page.contains(&format!("id=\"{id}\"")), "#{id}");
    }
    let is_word = |text: &str, word: &str| {
        let part = |it: char| it.is_alphanumeric() || it == '-' || it == '_';
        text.split(|it| !part(it)).any(|it| it == word)
    };
    for class in words("classes") {
        assert!(is_word(&drawn, &class), ".{class}");
    }
    for attribute in words("attributes") {
        assert!(drawn.contains(&format!("dataset.{attribute}")), "data-{attribute}");
    }
    let mut styles = text("/static/css/overlay.css").await;
    for theme in ["default", "midnight", "slate"] {
        styles.push_str(&text(&format!("/themes/{theme}/theme.css")).await);
    }
    for variable in words("variables") {
        let name = format!("--{variable}");
        let is_set = styles.contains(&format!("{name}:")) || drawn.contains(&format!("\"{name}\""));
        assert!(is_set && styles.contains(&format!("var({name}")), "{name}");
    }
    server.stop().await;
}
