//! All layers together.

use std::{fs, path::Path};

use super::*;

fn sources(files: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let sources = Sources { folder: folder.path().to_owned(), ..Sources::default() };
    (folder, sources)
}

/// The problems as shown, the folder left out.
fn problems(sources: &Sources) -> Vec<String> {
    let errors = load(sources).unwrap_err();
    let lines: Vec<_> = errors.to_string().lines().map(str::to_owned).collect();
    let folder = format!("{}{}", sources.folder.display(), std::path::MAIN_SEPARATOR);
    lines.into_iter().map(|it| it.replace(&folder, "")).collect()
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

#[test]
fn without_files_the_defaults_hold() {
    let sources = Sources { folder: "no such folder".into(), ..Sources::default() };
    assert_eq!(load(&sources).unwrap(), Config::default());
    let (_folder, sources) = self::sources(&[("system.json", "{}"), ("creators.json", "{}")]);
    assert_eq!(load(&sources).unwrap(), Config::default());
}

#[test]
fn a_folder_asked_for_by_name_must_exist() {
    let folder = Path::new("no such folder").to_owned();
    let sources = Sources { folder, folder_must_exist: true, ..Sources::default() };
    let errors = load(&sources).unwrap_err();
    assert_eq!(errors.to_string(), "no such folder: there is no such folder");
}

#[test]
fn the_committed_files_are_valid_and_change_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let sources = Sources { folder, folder_must_exist: true, ..Sources::default() };
    assert_eq!(load(&sources).unwrap(), Config::default());
    let summary = check(&sources).unwrap();
    assert_eq!(summary.to_string(), "the configuration is valid: 7 files, 0 creators, 0 channels");
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once_in_order() {
    let (_folder, sources) = sources(&[
        (
            "system.json",
            r#"{"feed": {"ring_events": 0, "rings_events": 1}, "media": {"timeout_ms": "long"}}"#,
        ),
        ("platforms.json", "{\n  \"twitch\": {,}\n}"),
        (
            "creators.json",
            r#"{"creators": [
                {"id": "-a"},
                {"id": "b", "overlay": {"align": "centre"}},
                {"id": "B"},
                {"id": "c", "channels": [{"platform": "twitch", "name": "a b"}]}
            ]}"#,
        ),
    ]);
    let expected = [
        "creators.json: /creators/0/id: `-a` is not a creator id: 1 to 32 letters, digits, `_` or `-`, starting with a letter or digit",
        "creators.json: /creators/1/overlay/align: \"centre\" is not one of left, right, center; did you mean `center`?",
        "creators.json: /creators/2/id: `B` is already the id of /creators/1",
        "creators.json: /creators/3/channels/0/name: `a b` is not a Twitch channel: write its name (1 to 25 letters, digits or `_`) or its address, such as `https://www.twitch.tv/name`",
        "platforms.json: not valid JSON at line 2, column 14: key must be a string",
        "system.json: /feed/ring_events: 0 is less than the minimum of 64",
        "system.json: /feed/rings_events: unknown key `rings_events`, did you mean `ring_events`?",
        "system.json: /media/timeout_ms: \"long\" is not of type \"integer\"",
    ];
    assert_eq!(problems(&sources), expected);
}

#[test]
fn values_that_contradict_each_other_are_told() {
    let (_folder, sources) = sources(&[
        ("system.json", r#"{"media": {"cache_max_bytes": 5000, "max_picture_bytes": 6000}}"#),
        ("platforms.json", r#"{"backoff": {"first_ms": 70000}}"#),
    ]);
    let expected = [
        "platforms.json: /backoff/first_ms: 70000 is more than longest_ms (60000)",
        "system.json: /media/max_picture_bytes: 6000 is more than cache_max_bytes (5000)",
    ];
    assert_eq!(problems(&sources), expected);
}

#[test]
fn the_environment_wins_over_a_file_and_a_flag_over_both() {
    let (_folder, mut sources) = sources(&[
        (
            "system.json",
            r#"{"listen": "127.0.0.1:1", "data_dir": "file", "exports_dir": "file", "public_url": "https://file.example",
                "feed": {"ring_events": 100, "max_rooms": 100.0}}"#,
        ),
        ("creators.json", r#"{"creators": [{"id": "ana"}]}"#),
    ]);
    sources.environment = environment(&[
        ("STREAMSUITES__SYSTEM__LISTEN", "127.0.0.1:2"),
        ("STREAMSUITES__SYSTEM__DATA_DIR", "env"),
        ("STREAMSUITES__SYSTEM__PUBLIC_URL", ""),
        ("STREAMSUITES__SYSTEM__FEED__RING_EVENTS", "200"),
        ("STREAMSUITES__SYSTEM__WEB__CORS_ORIGINS", r#"["https://a.example"]"#),
        ("STREAMSUITES__PLATFORMS__TWITCH__IRC_URL", "irc://127.0.0.1:9"),
        ("STREAMSUITES__PLATFORMS__TWITCH__ENABLED", "false"),
        ("STREAMSUITES__CREATORS__CREATORS__0__DISPLAY_NAME", "123"),
        ("STREAMSUITES_STATE_PUBLISH_ROOT", "new"),
        ("DASHBOARD_STATE_PUBLISH_ROOT", "old"),
    ]);
    sources.flags = Flags {
        listen: Some("[::1]:3".to_owned()),
        data: Some("flag".into()),
        channels: vec!["twitch:Ben".to_owned()],
        ..Flags::default()
    };
    let Config { system, platforms, creators, .. } = load(&sources).unwrap();
    assert_eq!(system.listen.to_string(), "[::1]:3");
    assert_eq!(system.data_dir, Path::new("flag"));
    assert_eq!(system.exports_dir, Path::new("file"));
    assert_eq!(system.public_url, None);
    assert_eq!((system.feed.ring_events, system.feed.max_rooms), (200, 100));
    assert_eq!(system.feed.dedupe_ids, 8192);
    assert_eq!(system.web.cors_origins[0].as_str(), "https://a.example");
    assert_eq!(system.exports.publish_root.as_deref(), Some(Path::new("new")));
    assert_eq!(platforms.twitch.irc_url.to_string(), "irc://127.0.0.1:9");
    assert!(!platforms.twitch.enabled);
    let [ana, ben] = creators.creators.as_slice() else { panic!("{creators:?}") };
    assert_eq!((ana.display_name(), ana.always_on), ("123", false));
    assert_eq!((ben.display_name(), ben.always_on), ("Ben", true));
    assert_eq!(ben.channels[0].name, "ben");
}

#[test]
fn a_bad_variable_or_flag_is_told_by_its_name() {
    let (_folder, mut sources) = sources(&[("creators.json", r#"{"creators": [{"id": "a-b"}]}"#)]);
    sources.environment = environment(&[
        ("STREAMSUITES__SYSTEM__FEED__RINGS_EVENTS", "200"),
        ("STREAMSUITES__SYSTEM__FEED__RING_EVENTS", "1"),
        ("STREAMSUITES__SYSTEM__FEED__MAX_ROOMS", "many"),
        ("STREAMSUITES__SYSTM__LISTEN", "1"),
        ("STREAMSUITES__SYSTEM__WEB__CORS_ORIGINS__0", "https://a.example"),
        ("STREAMSUITES__SYSTEM", "{}"),
        ("STREAMSUITES__SYSTEM__LISTEN__PORT", "1"),
        ("STREAMSUITES__CREATORS__CREATORS__1__ENABLED", "true"),
        (
            "STREAMSUITES__CREATORS__CREATORS__0__CHANNELS",
            r#"[{"platform": "twitch", "name": "?"}]"#,
        ),
    ]);
    sources.flags = Flags {
        listen: Some("8080".to_owned()),
        channels: vec!["a_b=twitch:x".to_owned()],
        ..Flags::default()
    };
    let expected = [
        "--channel: the secrets of `a_b` and `a-b` would both end in `_A_B`: give one of them another env_suffix",
        "--listen: `8080` is not HOST:PORT: write `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`",
        "environment: STREAMSUITES__CREATORS__CREATORS__0__CHANNELS: /0/name: `?` is not a Twitch channel: write its name (1 to 25 letters, digits or `_`) or its address, such as `https://www.twitch.tv/name`",
        "environment: STREAMSUITES__CREATORS__CREATORS__1__ENABLED: there is no element 1: there are 1",
        "environment: STREAMSUITES__SYSTEM: names a section and no key: write `STREAMSUITES__SYSTEM__KEY`",
        "environment: STREAMSUITES__SYSTEM__FEED__MAX_ROOMS: \"many\" is not of type \"integer\"",
        "environment: STREAMSUITES__SYSTEM__FEED__RINGS_EVENTS: unknown key `RINGS_EVENTS`, did you mean `STREAMSUITES__SYSTEM__FEED__RING_EVENTS`?",
        "environment: STREAMSUITES__SYSTEM__FEED__RING_EVENTS: 1 is less than the minimum of 64",
        "environment: STREAMSUITES__SYSTEM__LISTEN__PORT: unknown key `PORT`",
        "environment: STREAMSUITES__SYSTEM__WEB__CORS_ORIGINS__0: there is no element 0: there are 0",
        "environment: STREAMSUITES__SYSTM__LISTEN: unknown section `SYSTM`, did you mean `STREAMSUITES__SYSTEM`?",
    ];
    assert_eq!(problems(&sources), expected);
}

#[test]
fn the_dotenv_file_sets_values_and_secrets_and_the_process_wins() {
    let (folder, mut sources) = sources(&[]);
    let dotenv = folder.path().join(".env");
    let text = "STREAMSUITES__SYSTEM__DATA_DIR=file\nSTREAMSUITES_SECRET_KEY=file\nTWITCH_BOT_NICK_ANA=bot\n";
    fs::write(&dotenv, text).unwrap();
    sources.dotenv = Some(dotenv);
    sources.environment = environment(&[("STREAMSUITES_SECRET_KEY", "process")]);
    let config = load(&sources).unwrap();
    assert_eq!(config.system.data_dir, Path::new("file"));
    assert_eq!(config.secrets.secret_key(), Some("process"));
    assert_eq!(config.secrets.twitch_bot_nick("ANA"), Some("bot"));
}

#[test]
fn what_is_shown_holds_every_key_and_no_secret() {
    let (_folder, mut sources) = sources(&[("creators.json", r#"{"creators": [{"id": "ana"}]}"#)]);
    sources.environment = environment(&[("TWITCH_OAUTH_TOKEN_ANA", "hunter2")]);
    let config = load(&sources).unwrap();
    let shown = show(&config);
    assert!(!shown.contains("hunter2") && !format!("{config:?} {sources:?}").contains("hunter2"));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["system"]["listen"], "127.0.0.1:8080");
    assert_eq!(shown["platforms"]["twitch"]["irc_url"], "ircs://irc.chat.twitch.tv:6697");
    assert_eq!(shown["creators"][0]["overlay"]["theme"], "default");
    assert_eq!(shown["secrets"]["TWITCH_OAUTH_TOKEN_ANA"], "set");
    assert_eq!(shown["secrets"]["TWITCH_BOT_NICK_ANA"], "not set");
    assert_eq!(shown["secrets"]["STREAMSUITES_SECRET_KEY"], "not set");
}

#[test]
fn what_looks_like_a_mistake_is_told_and_keeps_nobody_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let (config, theme) = (folder.path().join("config"), folder.path().join("themes/mine"));
    fs::create_dir_all(&config).unwrap();
    fs::create_dir_all(&theme).unwrap();
    fs::write(theme.join("theme.css"), "").unwrap();
    let creators = r#"{"creators": [
        {"id": "ana", "overlay": {"theme": "midnite"}, "channels": [
            {"platform": "kick", "name": "a", "channel_id": 5},
            {"platform": "kick", "name": "b", "chat_id": 5},
            {"platform": "kick", "name": "c", "channel_id": 5, "chat_id": 6},
            {"platform": "rumble", "name": "c", "chat_id": 6},
            {"platform": "twitch", "name": "c", "channel_id": 6}
        ]},
        {"id": "ben", "overlay": {"theme": "mine"}, "channels": [
            {"platform": "youtube", "name": "UCabcdefghijklmnopqrst"},
            {"platform": "youtube", "name": "UCabcdefghijklmnopqrstuv"},
            {"platform": "youtube", "name": "SomeChannel"},
            {"platform": "youtube", "name": "dQw4w9WgXcQ"},
            {"platform": "youtube", "name": "@UCLAbruinsfootball"},
            {"platform": "youtube", "name": "https://youtu.be/SomeChannes"}
        ]},
        {"id": "cy", "overlay": {"theme": "zzz"}}
    ]}"#;
    let platforms = r#"{"kick": {"webhook_url": "http://hooks.example"}}"#;
    let quotas = r#"{"creators": {"anna": {}, "BEN": {}, "someone": {}}}"#;
    for (name, text) in
        [("creators.json", creators), ("platforms.json", platforms), ("quotas.json", quotas)]
    {
        fs::write(config.join(name), text).unwrap();
    }
    let browser = "STREAMSUITES__PLATFORMS__RUMBLE__BROWSER_PATH";
    let sources = Sources {
        folder: config.clone(),
        environment: environment(&[(browser, "/no/such/browser")]),
        ..Sources::default()
    };
    let summary = check(&sources).unwrap().to_string();
    let within = format!("but look at {}{}", config.display(), std::path::MAIN_SEPARATOR);
    let told: Vec<_> = summary
        .lines()
        .skip(1)
        .map(|it| it.strip_prefix(&within).or(it.strip_prefix("but look at ")).unwrap())
        .collect();
    let half = |missing: &str| {
        format!("does nothing without {missing}: Kick's site is asked all the same")
    };
    let expected = [
        "platforms.json: /kick/webhook_url: `http://hooks.example` is not https: what is delivered there can be read on its way",
        &format!(
            "environment: {browser}: there is no file /no/such/browser: Rumble is read without a browser"
        ),
        "creators.json: /creators/0/overlay/theme: there is no theme `midnite`, unless the room has one of its own; did you mean `midnight`?",
        &format!("creators.json: /creators/0/channels/0/channel_id: {}", half("chat_id")),
        &format!("creators.json: /creators/0/channels/1/chat_id: {}", half("channel_id")),
        "creators.json: /creators/0/channels/4/channel_id: is not read for Twitch",
        "creators.json: /creators/1/channels/0/name: `UCabcdefghijklmnopqrst` is read as the handle `@ucabcdefghijklmnopqrst`: a channel id is `UC` and 22 characters more",
        "creators.json: /creators/1/channels/2/name: `SomeChannel` is read as the id of a video: write `@SomeChannel` for the channel",
        "creators.json: /creators/2/overlay/theme: there is no theme `zzz`, unless the room has one of its own; there are bright-green, broadcast, comic, dark-purple, default, midnight, mine, slate, youtube",
        "quotas.json: /creators/anna: there is no creator `anna`, did you mean `ana`?",
        "quotas.json: /creators/someone: there is no creator `someone` in creators.json",
    ];
    assert_eq!(told, expected);
    for here in
        ["http://127.0.0.1:9", "http://localhost", "http://[::1]:9", "https://hooks.example"]
    {
        let platforms = format!(r#"{{"kick": {{"webhook_url": "{here}"}}}}"#);
        fs::write(config.join("platforms.json"), platforms).unwrap();
        assert!(!check(&sources).unwrap().to_string().contains("webhook_url"), "{here}");
    }
}
