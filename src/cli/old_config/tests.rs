use serde_json::json;

use super::*;
use crate::model::Platform;

/// Invented files of an older program, each with what it can hold.
fn old_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: Value| {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    };
    write(
        "creators.json",
        json!({"creators": [
            {"creator_id": "Qz4RtB", "display_name": "Mira Plays", "enabled": true, "tier": "gold", "is_admin": true,
             "discord_user_id": "123456789012345678",
             "platforms": {"twitch": {"enabled": true, "channel": "MiraPlays"}, "rumble": {"enabled": true}, "kick": true,
                           "youtube": {"enabled": false, "handle": "@MiraPlays"}, "carrier-pigeon": true},
             "limits": {"jobs_per_minute": 5, "youtube_daily_units_max": 5000, "horses": 2},
             "rumble_channel_url": "https://rumble.com/c/MiraPlays",
             "rumble_livestream_api_env_key": "RUMBLE_LIVESTREAM_KEY_MIRA", "rumble_chat_channel_id": "4711",
             "rumble_manual_watch_url": "https://rumble.com/v1abcd-x.html?key=s3cret", "rumble_dom_chat_enabled": true},
            {"creator_id": "Bo0001", "enabled": false, "platforms": ["twitch", "discord"]},
            {"display_name": "nobody"},
        ], "discord_admins": ["1", "2"]}),
    );
    write(
        "system.json",
        json!({
            "system": {"platform_polling_enabled": true, "platforms": {"pilled": {"enabled": false}},
                       "jobs": {"polls": {"enabled": false}}, "hot_reload": {"enabled": true}},
            "chat": {"api": {"enabled": true, "host": "0.0.0.0", "port": 8210, "allow_origins": ["*", "https://mira.example"]},
                     "synthetic": {"enabled": true, "creator_token": "s3cret", "discord_bot_token": "s3cret", "rate_limit_per_minute": 12}},
            "clips": {"encoding": {"concurrency": 2}},
        }),
    );
    write(
        "platforms.json",
        json!({"platforms": [
            {"name": "twitch", "enabled": true, "status": "active"},
            {"name": "kick", "enabled": true, "status": "paused", "paused_reason": "a holiday"},
        ]}),
    );
    write("services.json", json!({"rumble": {"enabled": false}}));
    write("platform_overrides.json", json!({"platforms": {"youtube": true}}));
    write(
        "chat_behaviour.json",
        json!({"poll_seconds": 2, "startup_announcement": "hi",
            "triggers": [{"match": "!ping", "match_mode": "equals_icase", "response": "pong", "cooldown_seconds": 1.5}]}),
    );
    write(
        "triggers.json",
        json!({"meta": {}, "triggers": [
            {"triggerId": "hello", "creator_id": "Qz4RtB", "type": "command", "command": "!hello", "cooldown": 5,
             "actions": [{"actionType": "send_chat_message", "payload": {"text": "hello"}}]},
            {"trigger_id": "odd", "type": "command", "command": "odd", "actions": [{"action_type": "levitate"}]},
        ]}),
    );
    write("clip_rules.json", json!({"enabled": true}));
    write(
        "ratelimits.schema.json",
        json!({
            "global": {"chat_messages_per_minute": 20, "trigger_responses_per_minute": 10, "api_requests_per_minute": 60,
                       "jobs_per_minute": 30, "youtube_daily_units_max": 200_000, "youtube_daily_units_buffer": 50_000},
            "platforms": {"twitch": {"chat_messages_per_minute": 15}},
            "creators": {"Bo0001": {"overrides": {"chat_messages_per_minute": 1}}},
        }),
    );
    write(
        "tiers.json",
        json!({"tiers": {"gold": {"label": "Gold!", "features": {"triggers": 40, "wings": 2}}, "platinum": {}}}),
    );
    write("discord.json", json!({"discord": {"guilds": {"1": {}, "2": {}}}}));
    write("monetization.json", json!({}));
    write("holiday.json", json!({}));
    folder
}

#[test]
fn an_old_folder_becomes_a_configuration_that_our_checks_take() {
    let (old, new) = (old_folder(), tempfile::tempdir().unwrap());
    let folder = new.path().join("config");
    let imported = import(old.path(), &folder, false).unwrap();
    let config = config::load(&Sources { folder: folder.clone(), ..Sources::default() }).unwrap();
    let mira = &config.creators.creators[0];
    assert_eq!((mira.id.as_str(), mira.display_name()), ("Qz4RtB", "Mira Plays"));
    assert_eq!(mira.env_suffix(), "MIRA");
    let channels: Vec<_> =
        mira.channels.iter().map(|it| (it.platform, it.name.as_str(), it.enabled)).collect();
    assert!(channels.contains(&(Platform::Twitch, "miraplays", true)), "{channels:?}");
    assert!(channels.contains(&(Platform::Youtube, "@miraplays", false)), "{channels:?}");
    let rumble = mira.channels.iter().find(|it| it.platform == Platform::Rumble).unwrap();
    assert_eq!(rumble.chat_id, Some(4711));
    assert!(!config.creators.creators[1].enabled);
    let platforms = &config.platforms;
    assert!(platforms.twitch.enabled && platforms.youtube.enabled);
    assert!(!platforms.kick.enabled && !platforms.pilled.enabled && !platforms.rumble.enabled);
    assert_eq!(config.system.synthetic.per_minute, 12);
    assert_eq!(config.system.web.cors_origins.len(), 1);
    assert!(config.system.listen.is_loopback(), "nobody is let in from outside unasked");
    let limit =
        |what, id: &str, platform| config.ratelimits.limit(what, &id.parse().unwrap(), platform);
    use crate::config::Limited;
    assert_eq!(limit(Limited::ChatMessages, "x", None), 20);
    assert_eq!(limit(Limited::ChatMessages, "x", Some(Platform::Twitch)), 15);
    assert_eq!(limit(Limited::ChatMessages, "Bo0001", Some(Platform::Twitch)), 1);
    assert_eq!(limit(Limited::Jobs, "Qz4RtB", None), 5);
    assert_eq!(config.quotas.default.youtube.daily_units, 200_000);
    assert_eq!(config.quotas.creators[&"Qz4RtB".parse().unwrap()].youtube.daily_units, 5_000);
    assert_eq!(config.tiers.gold.features.triggers, Some(40));
    let triggers: Vec<_> =
        config.triggers.triggers.iter().map(|it| it.trigger_id.as_str()).collect();
    assert_eq!(triggers.len(), 2, "{triggers:?}");
    assert!(triggers.contains(&"hello") && triggers.contains(&"ping"));

    let notes = imported.notes.join("\n");
    for place in [
        "creators.json: /creators/0/tier:",
        "creators.json: /creators/0/is_admin:",
        "creators.json: /creators/0/platforms/kick: the old files do not say which channel",
        "creators.json: /creators/0/platforms/carrier-pigeon:",
        "creators.json: /creators/0/limits/horses:",
        "creators.json: /creators/0/rumble_manual_watch_url:",
        "creators.json: /creators/2:",
        "creators.json: /discord_admins:",
        "system.json: /chat/api:",
        "system.json: /chat/api/allow_origins:",
        "system.json: /chat/synthetic/creator_token: a secret stood in a file",
        "system.json: /chat/synthetic/discord_bot_token:",
        "system.json: /system/jobs/polls:",
        "system.json: /clips:",
        "platforms.json: /platforms/1/paused_reason:",
        "chat_behaviour.json: /poll_seconds:",
        "triggers.json: /triggers/1",
        "clip_rules.json: /:",
        "ratelimits.schema.json: /global/api_requests_per_minute:",
        "tiers.json: /tiers/gold/features/wings:",
        "tiers.json: /tiers/platinum:",
        "discord.json: /: this build has no control plane on Discord: 2 guilds",
        "monetization.json: /: was never used",
        "holiday.json: /: is no file that is known",
    ] {
        assert!(notes.contains(place), "{place}\n{notes}");
    }
    // No secret goes anywhere.
    assert!(!notes.contains("s3cret"), "{notes}");
    for file in &imported.written {
        assert!(!fs::read_to_string(file).unwrap().contains("s3cret"), "{}", file.display());
    }
}

#[test]
fn nothing_is_replaced_unasked_and_all_is_written_or_none() {
    let (old, new) = (old_folder(), tempfile::tempdir().unwrap());
    fs::write(new.path().join("tiers.json"), "{\"core\": {}}").unwrap();
    let error = import(old.path(), new.path(), false).unwrap_err();
    assert!(error.contains("tiers.json") && error.contains("--force"), "{error}");
    assert_eq!(fs::read_dir(new.path()).unwrap().count(), 1, "nothing was written");
    import(old.path(), new.path(), true).unwrap();
    assert!(fs::read_to_string(new.path().join("tiers.json")).unwrap().contains("Gold!"));

    // A file that our checks do not take keeps all others back.
    let other = tempfile::tempdir().unwrap();
    let tiers = json!({"tiers": {"gold": {"label": "x".repeat(400)}}});
    fs::write(old.path().join("tiers.json"), tiers.to_string()).unwrap();
    let error = import(old.path(), other.path(), false).unwrap_err();
    assert!(error.contains("tiers.json: /gold/label"), "{error}");
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    // And so does a place that takes no file.
    fs::write(old.path().join("tiers.json"), "{}").unwrap();
    fs::create_dir_all(other.path().join("triggers.json")).unwrap();
    import(old.path(), other.path(), true).unwrap_err();
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
}

#[test]
fn a_list_and_a_map_of_creators_are_read_too() {
    for value in [
        json!([{"id": "Ab12Cd", "platforms": []}]),
        json!({"creators": {"Ab12Cd": {"platforms": ["kick"]}}}),
        json!({"Ab12Cd": {"display_name": "A"}}),
    ] {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(old.path().join("creators.json"), format!("\u{feff}{value}")).unwrap();
        import(old.path(), new.path(), false).unwrap();
        let folder = new.path().to_owned();
        let config = config::load(&Sources { folder, ..Sources::default() }).unwrap();
        assert_eq!(config.creators.creators[0].id.as_str(), "Ab12Cd", "{value}");
    }
}

#[test]
fn a_folder_without_such_files_is_said_to_be_one() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(import(old.path(), new.path(), false).unwrap_err().contains("no file of the older"));
    let missing = old.path().join("missing");
    assert!(import(&missing, new.path(), false).unwrap_err().contains("there is no folder"));
    fs::write(old.path().join("system.json"), "{ not json").unwrap();
    let imported = import(old.path(), new.path(), false).unwrap();
    assert!(imported.notes[0].contains("is no JSON") && imported.written.is_empty());
}

/// The older program laid them over each other in this order: everybody's, the platform's, the creator's, and what
/// `creators.json` says.
#[test]
fn a_creators_own_limits_go_before_those_of_the_limits_file() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let creators = json!({"creators": [
        {"creator_id": "ana", "limits": {"chat_messages_per_minute": 10, "youtube_daily_units_max": 7_000}},
        {"creator_id": "Mira S"},
    ]});
    let limits = json!({"creators": {
        "ana": {"overrides": {"chat_messages_per_minute": 5, "jobs_per_minute": 3, "youtube_daily_units_max": 6_000}},
    }});
    fs::write(old.path().join("creators.json"), creators.to_string()).unwrap();
    fs::write(old.path().join("ratelimits.json"), limits.to_string()).unwrap();
    let imported = import(old.path(), new.path(), false).unwrap();
    let sources = Sources { folder: new.path().to_owned(), ..Sources::default() };
    let config = config::load(&sources).unwrap();
    let ana = "ana".parse().unwrap();
    let limit = |what| config.ratelimits.limit(what, &ana, None);
    use crate::config::Limited;
    assert_eq!((limit(Limited::ChatMessages), limit(Limited::Jobs)), (10, 3));
    assert_eq!(config.quotas.creators[&ana].youtube.daily_units, 7_000);
    let notes = imported.notes.join("\n");
    let at = "ratelimits.json: /creators/ana/chat_messages_per_minute: the creator's own limits";
    assert!(notes.contains(at), "{notes}");
    assert!(notes.contains("/creators/1/creator_id: left out: `Mira S`"), "{notes}");
}
