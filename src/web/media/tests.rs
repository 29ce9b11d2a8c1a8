use std::{
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};

use axum::http::{StatusCode, header};
use serde_json::json;
use tempfile::TempDir;

use super::{
    stand_in::{Answer, StandIn},
    *,
};
use crate::config::{self, Environment, Sources};

const HOUR_MS: i64 = 3_600_000;
const GLOBAL: &str = "/helix/chat/badges/global";
const ROOM_7: &str = "/helix/chat/badges?broadcaster_id=7";

/// A server's media, its stand-in for Twitch, its folder and its clock.
struct Bench {
    media: Media,
    twitch: StandIn,
    folder: TempDir,
    config: watch::Sender<Arc<Config>>,
    clock_ms: Arc<AtomicI64>,
    telemetry: Telemetry,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with_credentials() -> Self {
        Self::start_with(&[("TWITCH_CLIENT_ID", "app"), ("TWITCH_CLIENT_SECRET", "hunter2")]).await
    }

    async fn start_with(environment: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // Another test did.
        let (twitch, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
        let environment = Environment::from_iter(environment.iter().copied());
        let files = folder.path().join("config");
        let sources = Sources { folder: files, environment, ..Sources::default() };
        let mut config = config::load(&sources).unwrap();
        let url = |path: &str| format!("{}{path}", twitch.origin).parse().unwrap();
        config.platforms.twitch.cdn_url = url("/cdn");
        config.platforms.twitch.helix_url = url("/helix");
        config.platforms.twitch.id_url = url("/oauth2");
        config.system.media.max_picture_bytes = 4096;
        let (config, follow) = watch::channel(Arc::new(config));
        let clock_ms = Arc::new(AtomicI64::new(1_800_000_000_000));
        let telemetry = Telemetry::new();
        let media = Self::open(follow, folder.path(), &telemetry, &clock_ms);
        Self { media, twitch, folder, config, clock_ms, telemetry }
    }

    fn open(
        config: watch::Receiver<Arc<Config>>,
        folder: &Path,
        telemetry: &Telemetry,
        clock_ms: &Arc<AtomicI64>,
    ) -> Media {
        let clock_ms = clock_ms.clone();
        let now = move || Timestamp::from_unix_ms(clock_ms.load(Ordering::Relaxed)).unwrap();
        let parts = Parts { now: Arc::new(now), built_in_badge: drawn };
        Media::with_parts(config, folder.join("media"), telemetry.clone(), Lifecycle::new(), parts)
    }

    /// The same server after a restart.
    fn restart(&mut self) {
        let config = self.config.subscribe();
        self.media = Self::open(config, self.folder.path(), &self.telemetry, &self.clock_ms);
    }

    fn pass_hours(&self, hours: i64) {
        self.clock_ms.fetch_add(hours * HOUR_MS, Ordering::Relaxed);
    }

    /// Answers with an emote of this text.
    fn draw(&self, id: &str, text: &str) {
        self.twitch.set(&emote_path(id), picture(text));
    }

    async fn find(&self, path: &str) -> Result<String, MediaError> {
        let found = self.media.find(&Picture::parse(path, false).unwrap()).await?;
        Ok(String::from_utf8_lossy(&found.bytes).into_owned())
    }

    async fn emote(&self, id: &str) -> Result<String, MediaError> {
        self.find(&format!("twitch/emotes/{id}")).await
    }

    async fn badge(&self, badge: &str) -> Result<String, MediaError> {
        self.find(&format!("twitch/badges/{badge}")).await
    }

    /// Answers with badges of these sets, each with a version 1 whose picture has this text.
    fn list_badges(&self, path: &str, token: &str, badges: &[(&str, &str)]) {
        let sets = badges.iter().map(|(set, text)| {
            let path = format!("/cdn/badges/{text}");
            self.twitch.set(&path, picture(text));
            let url = format!("{}{path}", self.twitch.origin);
            json!({"set_id": set, "versions": [{"id": "1", "image_url_4x": url}]})
        });
        let list = json!({"data": sets.collect::<Vec<_>>()});
        self.twitch.set(path, Answer::Json(list, token.to_owned()));
    }
}

fn emote_path(id: &str) -> String {
    format!("/cdn/emoticons/v2/{id}/default/dark/3.0")
}

fn bytes_of(text: &str) -> Bytes {
    Bytes::from(format!("GIF89a, {text}"))
}

fn picture(text: &str) -> Answer {
    Answer::Picture(bytes_of(text), "\"one\"")
}

fn shown(text: &str) -> Result<String, MediaError> {
    Ok(format!("GIF89a, {text}"))
}

/// Our own drawing of the one badge that has one.
fn drawn(set: &str) -> Option<Image> {
    (set == "vip").then(|| Image {
        kind: "image/svg+xml",
        bytes: Bytes::from_static(b"<svg/>"),
        etag: "\"drawn\"".into(),
        max_age_seconds: MAX_AGE_FOR_NOW_SECONDS,
    })
}

/// Moves the runtime's clock, and lets it run again: a stopped one would run ahead of the network.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_hundred_askers_cause_one_fetch() {
    let bench = Bench::start().await;
    bench.draw("25", "hello");
    let all = futures_util::future::join_all((0..100).map(|_| bench.emote("25"))).await;
    assert!(all.iter().all(|it| *it == shown("hello")));
    assert_eq!(bench.twitch.list().len(), 1);
    assert!(bench.telemetry.meters.render().contains("streamsuites_pictures_fetched_total 1"));
}

#[tokio::test]
async fn a_picture_is_kept_across_a_restart() {
    let mut bench = Bench::start().await;
    bench.draw("25", "hello");
    let picture = Picture::parse("twitch/emotes/25", false).unwrap();
    let first = bench.media.find(&picture).await.unwrap();
    assert_eq!(first.kind, "image/gif");
    assert_eq!(first.max_age_seconds, 86_400);
    assert!(first.etag.starts_with('"') && first.etag.ends_with('"') && first.etag.len() == 34);
    bench.restart();
    assert_eq!(bench.media.find(&picture).await.unwrap(), first);
    assert_eq!(bench.twitch.list().len(), 1);
}

#[tokio::test]
async fn an_emote_comes_in_the_largest_size_there_is() {
    let bench = Bench::start().await;
    bench.twitch.set("/cdn/emoticons/v2/25/default/dark/1.0", picture("small"));
    assert_eq!(bench.emote("25").await, shown("small"));
    assert_eq!(bench.twitch.list().len(), 3);
}

#[tokio::test]
async fn an_id_with_a_slash_stays_one_segment_and_the_still_picture_is_another() {
    let bench = Bench::start().await;
    bench.draw("80481_%2F3", "moves");
    bench.twitch.set("/cdn/emoticons/v2/80481_%2F3/static/dark/3.0", picture("still"));
    assert_eq!(bench.emote("80481_%2F3").await, shown("moves"));
    let still = Picture::parse("twitch/emotes/80481_%2F3", true).unwrap();
    assert_eq!(bench.media.find(&still).await.unwrap().bytes, bytes_of("still"));
}

#[tokio::test]
async fn what_is_too_large_or_no_picture_or_elsewhere_is_refused() {
    let bench = Bench::start().await;
    let elsewhere = StandIn::start().await;
    elsewhere.set("/evil", picture("evil"));
    let large = bytes_of(&"x".repeat(5000));
    let script = Bytes::from_static(b"<svg onload='alert(1)'/>");
    let cases = [
        ("1", Answer::Picture(large.clone(), "\"one\"")),
        ("2", Answer::Unmeasured(large)),
        ("3", Answer::Picture(script, "\"one\"")),
        ("4", Answer::Picture(Bytes::new(), "\"one\"")),
        ("5", Answer::Redirect(format!("{}/evil", elsewhere.origin))),
        ("6", Answer::Status(StatusCode::NO_CONTENT)),
    ];
    for (id, answer) in cases {
        bench.twitch.set(&emote_path(id), answer);
        assert_eq!(bench.emote(id).await, Err(MediaError::Refused), "{id}");
    }
    assert!(elsewhere.list().is_empty());
    assert_eq!(std::fs::read_dir(bench.folder.path().join("media")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_platform_that_fails_is_left_alone_for_a_minute() {
    let bench = Bench::start().await;
    for (id, answer) in [("1", Answer::Status(StatusCode::BAD_GATEWAY)), ("2", Answer::Cut)] {
        bench.twitch.set(&emote_path(id), answer);
        assert_eq!(bench.emote(id).await, Err(MediaError::Unavailable));
        bench.draw(id, "back");
        assert_eq!(bench.emote(id).await, Err(MediaError::Unavailable));
        assert_eq!(bench.twitch.count(&emote_path(id)), 1);
        pass(61).await;
        assert_eq!(bench.emote(id).await, shown("back"));
    }
}

#[tokio::test]
async fn a_missing_emote_is_not_asked_for_again_for_ten_minutes() {
    let bench = Bench::start().await;
    assert_eq!(bench.emote("25").await, Err(MediaError::NotFound));
    bench.draw("25", "new");
    pass(590).await;
    assert_eq!(bench.emote("25").await, Err(MediaError::NotFound));
    pass(11).await;
    assert_eq!(bench.emote("25").await, shown("new"));
}

#[tokio::test]
async fn a_silent_platform_is_given_up_after_the_configured_time() {
    let bench = Bench::start().await;
    bench.twitch.set(&emote_path("25"), Answer::Silence);
    let asked = async {
        bench.twitch.wait_for(1).await;
        pass(9).await;
    };
    let (found, ()) = tokio::join!(bench.emote("25"), asked);
    assert_eq!(found, Err(MediaError::Unavailable));
}

#[tokio::test]
async fn no_more_than_sixteen_pictures_are_fetched_at_once() {
    let bench = Bench::start().await;
    for id in 0..40 {
        bench.twitch.set(&emote_path(&id.to_string()), Answer::Silence);
    }
    let ids: Vec<String> = (0..40).map(|it| it.to_string()).collect();
    let all = futures_util::future::join_all(ids.iter().map(|id| bench.emote(id)));
    let asked = async {
        bench.twitch.wait_for(MAX_FETCHES).await;
        for _ in 0..1000 {
            tokio::task::yield_now().await; // Whoever could also ask has the time to do so.
        }
        assert_eq!(bench.twitch.list().len(), MAX_FETCHES);
    };
    tokio::select! {
        _ = all => panic!("nobody was answered"),
        () = asked => {}
    }
}

#[tokio::test]
async fn an_old_copy_is_served_while_the_platform_is_down() {
    let bench = Bench::start().await;
    bench.draw("25", "old");
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.pass_hours(8 * 24);
    bench.twitch.set(&emote_path("25"), Answer::Status(StatusCode::SERVICE_UNAVAILABLE));
    for _ in 0..3 {
        assert_eq!(bench.emote("25").await, shown("old"));
        bench.media.flights.settle().await;
    }
    assert_eq!(bench.twitch.list().len(), 2); // Once for it, once in vain.
    let picture = Picture::parse("twitch/emotes/25", false).unwrap();
    let found = bench.media.find(&picture).await.unwrap();
    assert_eq!(found.max_age_seconds, MAX_AGE_FOR_NOW_SECONDS);
}

#[tokio::test]
async fn an_old_copy_is_compared_with_the_platforms_and_replaced_when_that_changed() {
    let bench = Bench::start().await;
    bench.draw("25", "old");
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.pass_hours(8 * 24);
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.media.flights.settle().await;
    let asked = bench.twitch.list();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].headers[header::IF_NONE_MATCH], "\"one\"");

    // It was the same, so it is fresh again.
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.media.flights.settle().await;
    assert_eq!(bench.twitch.list().len(), 2);

    bench.pass_hours(8 * 24);
    bench.twitch.set(&emote_path("25"), Answer::Picture(bytes_of("new"), "\"two\""));
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.media.flights.settle().await;
    assert_eq!(bench.emote("25").await, shown("new"));
}

#[tokio::test]
async fn what_the_platform_takes_back_is_shown_no_longer() {
    let bench = Bench::start().await;
    bench.draw("25", "old");
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.pass_hours(8 * 24);
    bench.twitch.set(&emote_path("25"), Answer::Status(StatusCode::NOT_FOUND));
    assert_eq!(bench.emote("25").await, shown("old"));
    bench.media.flights.settle().await;
    assert_eq!(bench.emote("25").await, Err(MediaError::NotFound));
}

#[tokio::test]
async fn the_pictures_used_longest_ago_make_room() {
    let bench = Bench::start().await;
    for id in ["1", "2", "3"] {
        bench.draw(id, &"x".repeat(3000));
    }
    // Room for two of them, with what is written about them.
    bench.config.send_modify(|it| Arc::make_mut(it).system.media.cache_max_bytes = 8192);
    for id in ["1", "2", "1", "3", "1", "2"] {
        assert!(bench.emote(id).await.is_ok());
    }
    assert_eq!(bench.twitch.count(&emote_path("1")), 1);
    assert_eq!(bench.twitch.count(&emote_path("2")), 2);
    assert_eq!(bench.twitch.count(&emote_path("3")), 1);
    assert_eq!(std::fs::read_dir(bench.folder.path().join("media")).unwrap().count(), 2);
}

#[tokio::test]
async fn without_an_application_badges_are_drawn_by_us() {
    let bench = Bench::start().await;
    let vip = Picture::parse("twitch/badges/7/vip/3", false).unwrap();
    assert_eq!(bench.media.find(&vip).await, Ok(drawn("vip").unwrap()));
    assert_eq!(bench.badge("7/unknown/1").await, Err(MediaError::NotFound));
    assert!(bench.twitch.list().is_empty());
}

#[tokio::test]
async fn the_application_of_a_creator_will_do() {
    let bench = Bench::start_with(&[
        ("TWITCH_CLIENT_ID_ANA", "app"),
        ("TWITCH_CLIENT_SECRET_ANA", "hunter2"),
    ])
    .await;
    bench.config.send_modify(|it| {
        let ana = serde_json::from_value(json!({"id": "ana"})).unwrap();
        Arc::make_mut(it).creators.creators.push(ana);
    });
    bench.list_badges(ROOM_7, "token-1", &[("vip", "of-room")]);
    assert_eq!(bench.badge("7/vip/1").await, shown("of-room"));
}

#[tokio::test]
async fn a_channels_own_badge_wins_over_that_of_all_channels() {
    let bench = Bench::start_with_credentials().await;
    let of_all = [("subscriber", "of-all"), ("partner", "partner")];
    bench.list_badges(GLOBAL, "token-1", &of_all);
    bench.list_badges(ROOM_7, "token-1", &[("subscriber", "of-room")]);
    assert_eq!(bench.badge("7/subscriber/1").await, shown("of-room"));
    assert_eq!(bench.badge("7/partner/1").await, shown("partner"));
    assert_eq!(bench.badge("7/vip/1").await, Ok("<svg/>".into()));
    assert_eq!(bench.badge("7/unknown/1").await, Err(MediaError::NotFound));

    let asked = bench.twitch.list();
    assert_eq!(asked[0].body, "client_id=app&client_secret=hunter2&grant_type=client_credentials");
    assert_eq!(asked[1].headers["client-id"], "app");
    for path in ["/oauth2/token", GLOBAL, ROOM_7] {
        assert_eq!(bench.twitch.count(path), 1, "{path}");
    }
    // The secret and the token stay with Twitch's sign-in and API.
    let to_cdn = asked.iter().filter(|it| it.path.starts_with("/cdn"));
    assert!(to_cdn.clone().count() == 2);
    assert!(to_cdn.clone().all(|it| !it.headers.contains_key(header::AUTHORIZATION)));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let bench = Bench::start_with_credentials().await;
    bench.list_badges(ROOM_7, "token-2", &[("vip", "of-room")]);
    assert_eq!(bench.badge("7/vip/1").await, shown("of-room"));
    assert_eq!(bench.twitch.count("/oauth2/token"), 2);

    bench.list_badges("/helix/chat/badges?broadcaster_id=8", "never", &[]);
    assert_eq!(bench.badge("8/vip/1").await, Ok("<svg/>".into()));
    assert_eq!(bench.twitch.count("/oauth2/token"), 3);
}

#[tokio::test]
async fn a_badge_is_never_blank_because_the_api_is_down() {
    let bench = Bench::start_with_credentials().await;
    bench.twitch.set(ROOM_7, Answer::Status(StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(bench.badge("7/vip/1").await, Ok("<svg/>".into()));
    assert_eq!(bench.badge("8/vip/1").await, Ok("<svg/>".into()));
    assert_eq!(bench.badge("7/unknown/1").await, Err(MediaError::Unavailable));
    assert_eq!(bench.twitch.list().len(), 2); // The token and one list: then it rests.

    bench.list_badges(ROOM_7, "token-1", &[("vip", "of-room")]);
    pass(61).await;
    assert_eq!(bench.badge("7/vip/1").await, shown("of-room"));
}

#[tokio::test]
async fn an_old_list_of_badges_is_used_while_the_api_is_down() {
    let bench = Bench::start_with_credentials().await;
    bench.list_badges(ROOM_7, "token-1", &[("vip", "vip"), ("founder", "founder")]);
    assert_eq!(bench.badge("7/vip/1").await, shown("vip"));
    bench.twitch.set(ROOM_7, Answer::Status(StatusCode::INTERNAL_SERVER_ERROR));
    pass(3_601).await;
    assert_eq!(bench.badge("7/founder/1").await, shown("founder"));
    assert_eq!(bench.twitch.count(ROOM_7), 2);
}

#[tokio::test]
async fn a_badge_on_a_foreign_host_is_not_fetched() {
    let bench = Bench::start_with_credentials().await;
    let elsewhere = StandIn::start().await;
    let url = format!("{}/vip", elsewhere.origin);
    let list = |set: &str| json!({"data": [{"set_id": set, "versions": [{"id": "1", "image_url_4x": url}]}]});
    bench.twitch.set(ROOM_7, Answer::Json(list("founder"), "token-1".into()));
    assert_eq!(bench.badge("7/founder/1").await, Err(MediaError::Refused));
    assert!(elsewhere.list().is_empty());
}

#[tokio::test]
async fn a_stop_leaves_nobody_waiting() {
    let bench = Bench::start().await;
    bench.twitch.set(&emote_path("25"), Answer::Silence);
    let stop = async {
        bench.twitch.wait_for(1).await;
        assert_eq!(bench.media.life.shut_down(Duration::from_secs(5)).await, 0);
    };
    let (found, ()) = tokio::join!(bench.emote("25"), stop);
    assert_eq!(found, Err(MediaError::Unavailable));
}
