//! A day of streaming in a moment: the clock is paused, so pauses pass at once and add up all the same.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    config::quotas::{AllowanceConfig, PlatformAllowances, QuotasConfig},
    model::Platform,
    platforms::{Inlet, Sink, Source},
    quotas::Quotas,
    storage::State,
};

/// One message is written in this time.
const MESSAGE_EVERY: Duration = Duration::from_secs(2);

/// A stream whose viewers write a message every two seconds, numbered.
struct World {
    began: Instant,
    wall: Timestamp,
    site_blocked: AtomicBool,
    api_refuses_key: AtomicBool,
    api_refuses_access: AtomicBool,
    stalled: AtomicBool,
    /// The Data API is not well, or cannot be connected to; its door stays open.
    api_busy: AtomicBool,
    api_unconnected: AtomicBool,
    ended: AtomicBool,
    site_looks: AtomicU64,
    api_looks: AtomicU64,
}

impl World {
    fn new(wall: &str) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            wall: Timestamp::parse(wall).unwrap(),
            site_blocked: AtomicBool::new(false),
            api_refuses_key: AtomicBool::new(false),
            api_refuses_access: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            api_busy: AtomicBool::new(false),
            api_unconnected: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            site_looks: AtomicU64::new(0),
            api_looks: AtomicU64::new(0),
        })
    }

    fn clock(self: &Arc<Self>) -> Clock {
        let world = Arc::clone(self);
        Arc::new(move || world.now())
    }

    fn now(&self) -> Timestamp {
        self.wall.plus_ms(self.began.elapsed().as_millis() as i64)
    }

    /// How many messages were written so far.
    fn written(&self) -> u64 {
        self.began.elapsed().as_secs() / MESSAGE_EVERY.as_secs()
    }
}

/// What a reader of either kind has read up to.
struct FakeChat {
    world: Arc<World>,
    by_site: bool,
    place: Option<u64>,
}

impl FakeChat {
    fn items(&mut self) -> Vec<Item> {
        let written = self.world.written();
        // Begun anew, it tells the last minutes.
        let from = self.place.unwrap_or(written.saturating_sub(90));
        self.place = Some(written);
        (from..written).map(|it| Item::Resource { resource: json!(it) }).collect()
    }
}

impl Chat for FakeChat {
    async fn look(&mut self) -> Result<Looked, Trouble> {
        let world = Arc::clone(&self.world);
        let looks = if self.by_site { &world.site_looks } else { &world.api_looks };
        looks.fetch_add(1, Ordering::Relaxed);
        if world.stalled.load(Ordering::Relaxed) {
            sleep(Duration::from_secs(5)).await;
            return Err(Trouble::Unreachable("no answer in time".to_owned()));
        }
        sleep(Duration::from_millis(120)).await;
        if world.ended.load(Ordering::Relaxed) {
            return Err(Trouble::Ended);
        }
        if self.by_site && world.site_blocked.load(Ordering::Relaxed) {
            return Err(Trouble::Blocked("429".to_owned()));
        }
        if !self.by_site && world.api_refuses_key.load(Ordering::Relaxed) {
            return Err(Trouble::Key("keyInvalid".to_owned()));
        }
        if !self.by_site && world.api_refuses_access.load(Ordering::Relaxed) {
            return Err(Trouble::Key("authError".to_owned()));
        }
        if !self.by_site && world.api_busy.load(Ordering::Relaxed) {
            return Err(Trouble::Busy("503".to_owned()));
        }
        if !self.by_site && world.api_unconnected.load(Ordering::Relaxed) {
            return Err(Trouble::Unconnected("no route".to_owned()));
        }
        let pause = if self.by_site { 1 } else { 3 };
        let (items, pause) = (self.items(), Duration::from_secs(pause));
        Ok(Looked { items, pause, viewers: None, remark: "" })
    }

    async fn knock(&mut self) -> Result<(), Trouble> {
        if self.world.stalled.load(Ordering::Relaxed) {
            sleep(Duration::from_secs(4)).await;
            return Err(Trouble::Unreachable("no answer in time".to_owned()));
        }
        Ok(())
    }

    fn begin_anew(&mut self) {
        if self.by_site {
            self.place = None;
        }
    }
}

/// What came into the room: when each message came first, and every state.
#[derive(Default)]
struct Room {
    arrived: Mutex<BTreeMap<u64, Instant>>,
    states: Mutex<Vec<(Instant, PlatformState, String)>>,
}

impl Room {
    fn state(&self) -> (PlatformState, String) {
        let states = self.states.lock().unwrap();
        states.last().map(|it| (it.1, it.2.clone())).unwrap()
    }

    /// Waits for a state, and says how long that took.
    async fn until(&self, wanted: PlatformState) -> Duration {
        let from = Instant::now();
        let wait = async {
            while self.states.lock().unwrap().last().is_none_or(|it| it.1 != wanted) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(600), wait).await.expect("the state comes");
        from.elapsed()
    }
}

struct RoomInlet(Arc<Room>);

impl Inlet for RoomInlet {
    fn prepare(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    fn accept(&mut self, raw: Raw, _received_at: Timestamp) {
        let Raw::Youtube(item) = raw else { return };
        let Item::Resource { resource } = *item else { return };
        let mut arrived = self.0.arrived.lock().unwrap();
        // A repeat is dropped by its id, as the room does.
        arrived.entry(resource.as_u64().unwrap()).or_insert_with(Instant::now);
    }

    fn status(&mut self, state: PlatformState, detail: &str) {
        let mut states = self.0.states.lock().unwrap();
        if states.last().is_none_or(|it| (it.1, it.2.as_str()) != (state, detail)) {
            states.push((Instant::now(), state, detail.to_owned()));
        }
    }

    fn viewers(&mut self, _count: Option<u64>) {}

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    fn delay_ms(&self) -> Option<i64> {
        None
    }
}

struct OneRoom(Arc<Room>);

impl Sink for OneRoom {
    fn open(&self, _source: Source) -> Option<Box<dyn Inlet>> {
        Some(Box::new(RoomInlet(Arc::clone(&self.0))))
    }
}

struct Scene {
    world: Arc<World>,
    room: Arc<Room>,
    quota: Quota,
    running: tokio::task::JoinHandle<Result<Outcome, WorkerError>>,
}

impl Scene {
    fn start(world: Arc<World>, reading: YoutubeReading, key: bool) -> Self {
        Self::start_with(world, reading, key, 10_000)
    }

    fn start_with(world: Arc<World>, reading: YoutubeReading, key: bool, daily: u32) -> Self {
        let youtube = AllowanceConfig { daily_units: daily, buffer_units: daily / 5 };
        let config =
            QuotasConfig { default: PlatformAllowances { youtube }, ..QuotasConfig::default() };
        let quotas = Quotas::new(State::in_memory(), config);
        let quota = quotas.open(&"ana".parse().unwrap(), Platform::Youtube, Some(1));
        let room = Arc::new(Room::default());
        let source = Source {
            creator: "ana".parse().unwrap(),
            platform: Platform::Youtube,
            channel: "@ana".into(),
            recorded: false,
        };
        let mut ingest = Ingest::new(&OneRoom(Arc::clone(&room)), source).unwrap();
        let chat = |by_site| FakeChat { world: Arc::clone(&world), by_site, place: None };
        let site = (reading != YoutubeReading::DataApi).then(|| chat(true));
        let purse = Purse { quota: quota.clone(), sharers: Arc::new(|| 1) };
        let api = (key && reading != YoutubeReading::InnerTube).then(|| (chat(false), purse));
        let mut follow = Follow::new(reading, site, api, world.clock(), 300);
        let running = tokio::spawn(async move { follow.run(&mut ingest).await });
        Self { world, room, quota, running }
    }

    fn used(&self) -> u64 {
        self.quota.snapshot(self.world.now()).used
    }

    /// Every message that was written until a while ago is there; how late they were at the most.
    fn assert_complete(&self, grace: Duration) -> Duration {
        let arrived = self.room.arrived.lock().unwrap();
        let due = self.world.written() - grace.as_secs() / MESSAGE_EVERY.as_secs();
        let missing: Vec<u64> = (0..due).filter(|it| !arrived.contains_key(it)).collect();
        assert!(missing.is_empty(), "{} of {due} never came: {:?}", missing.len(), missing.first());
        let late = arrived.iter().map(|(number, at)| {
            let written = self.world.began + MESSAGE_EVERY * (*number as u32 + 1);
            at.saturating_duration_since(written)
        });
        late.max().unwrap()
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
/// Twelve hours before the reset.
const EVENING: &str = "2026-11-24T20:00:00Z";

#[tokio::test(start_paused = true)]
async fn twelve_hours_stay_within_the_quota_while_the_site_takes_over() {
    let scene = Scene::start(World::new(EVENING), YoutubeReading::Auto, true);
    sleep(12 * HOUR - Duration::from_secs(60)).await;
    let used = scene.used();
    let late = scene.assert_complete(Duration::from_secs(15));
    println!("site available: {used} units, at most {late:?} late");
    assert!((7_990..=8_100).contains(&used), "the buffer is saved: {used}");
    assert!(late < Duration::from_secs(10), "{late:?}");
    assert_eq!(scene.room.state(), (PlatformState::Live, String::new()));
    let states = scene.room.states.lock().unwrap();
    assert!(states.iter().all(|it| it.1 == PlatformState::Live), "nobody noticed: {states:?}");
    assert!(states.iter().any(|it| it.2.starts_with("quota lasts until ")), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn twelve_hours_stay_within_the_quota_while_the_site_is_blocked_all_the_time() {
    let world = World::new(EVENING);
    world.site_blocked.store(true, Ordering::Relaxed);
    let scene = Scene::start(world, YoutubeReading::Auto, true);
    sleep(12 * HOUR - Duration::from_secs(60)).await;
    let used = scene.used();
    let late = scene.assert_complete(Duration::from_secs(60));
    println!("site blocked: {used} units, at most {late:?} late");
    assert!(used <= 10_000, "{used}");
    assert!(used > 9_500, "and they are used: {used}");
    assert!(late < Duration::from_secs(40), "{late:?}");
    let (state, detail) = scene.room.state();
    assert_eq!(state, PlatformState::Degraded);
    assert!(detail.contains("blocks this address (429)"), "{detail}");
    assert!(detail.contains("so that the quota lasts until 08:00 UTC"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn twelve_hours_with_the_data_api_alone_never_end() {
    let scene = Scene::start(World::new(EVENING), YoutubeReading::DataApi, true);
    sleep(12 * HOUR - Duration::from_secs(60)).await;
    let used = scene.used();
    let late = scene.assert_complete(Duration::from_secs(60));
    println!("Data API alone: {used} units, at most {late:?} late");
    assert!((9_500..=10_000).contains(&used), "{used}");
    assert!(late < Duration::from_secs(30), "{late:?}");
    let (state, detail) = scene.room.state();
    assert_eq!(state, PlatformState::Live, "as it was asked for");
    assert!(detail.starts_with("read every "), "{detail}");
    // Another day, another allowance.
    sleep(Duration::from_secs(300)).await;
    assert!(scene.used() < 500);
    scene.assert_complete(Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn the_site_that_is_blocked_when_it_is_needed_is_stood_in_for() {
    let scene = Scene::start_with(World::new(EVENING), YoutubeReading::Auto, true, 1_000);
    sleep(Duration::from_secs(60)).await;
    scene.world.site_blocked.store(true, Ordering::Relaxed);
    sleep(4 * HOUR).await;
    assert!(scene.used() < 1_000, "{}", scene.used());
    assert_eq!(scene.room.state().0, PlatformState::Degraded);
    scene.world.site_blocked.store(false, Ordering::Relaxed);
    // The next try of the site takes over; what it tells of before fills the gap.
    let took = scene.room.until(PlatformState::Live).await;
    assert!(took < Duration::from_secs(400), "{took:?}");
    sleep(Duration::from_secs(60)).await;
    let before = scene.used();
    sleep(HOUR).await;
    assert!(scene.used() - before < 10, "the site reads now");
}

#[tokio::test(start_paused = true)]
async fn a_spent_quota_leaves_the_site_alone_or_says_until_when() {
    let scene = Scene::start(World::new(EVENING), YoutubeReading::Auto, true);
    sleep(Duration::from_secs(30)).await;
    scene.quota.note_refusal(scene.world.now());
    sleep(Duration::from_secs(30)).await;
    let looks = scene.world.api_looks.load(Ordering::Relaxed);
    sleep(Duration::from_secs(900)).await;
    assert_eq!(scene.world.api_looks.load(Ordering::Relaxed), looks, "no storm against a no");
    assert_eq!(scene.room.state().0, PlatformState::Live);
    scene.quota.note_refusal(scene.world.now());
    scene.world.site_blocked.store(true, Ordering::Relaxed);
    let took = scene.room.until(PlatformState::Degraded).await;
    assert!(took <= Duration::from_secs(10), "{took:?}");
    let (_, detail) = scene.room.state();
    assert!(detail.contains("quota") && detail.contains("until 20:36 UTC"), "{detail}");
    // Little was spent: it is asked again, and goes on.
    timeout(Duration::from_secs(1_500), async {
        while scene.room.state().1.contains("quota spent") {
            sleep(Duration::from_secs(1)).await;
        }
    })
    .await
    .expect("it is asked again");
}

#[tokio::test(start_paused = true)]
async fn looks_that_fail_are_paced_as_those_that_are_answered() {
    for (began_busy, reading) in [
        (false, YoutubeReading::DataApi),
        (true, YoutubeReading::DataApi),
        (false, YoutubeReading::Auto),
    ] {
        let world = World::new(EVENING);
        world.site_blocked.store(true, Ordering::Relaxed);
        world.api_busy.store(began_busy, Ordering::Relaxed);
        let scene = Scene::start(world, reading, true);
        sleep(Duration::from_secs(300)).await;
        scene.world.api_busy.store(true, Ordering::Relaxed);
        scene.room.until(PlatformState::Degraded).await;
        sleep(Duration::from_secs(30)).await;
        let (used, states) = (scene.used(), scene.room.states.lock().unwrap().len());
        sleep(HOUR).await;
        let spent = scene.used() - used;
        // 10,000 units in 12 hours are 833 in one.
        assert!((100..900).contains(&spent), "{spent} units in an hour");
        let told: Vec<_> = scene.room.states.lock().unwrap().split_off(states);
        assert!(told.iter().all(|it| it.1 == PlatformState::Degraded), "no flicker: {told:?}");
        scene.world.api_busy.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(120)).await;
        assert!(!scene.room.state().1.contains("503"), "{:?}", scene.room.state());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_left_costs_nothing() {
    let world = World::new(EVENING);
    world.api_unconnected.store(true, Ordering::Relaxed);
    let scene = Scene::start(world, YoutubeReading::DataApi, true);
    scene.room.until(PlatformState::Degraded).await;
    sleep(HOUR).await;
    assert!(scene.world.api_looks.load(Ordering::Relaxed) > 10);
    // A call that is under way counts until it is known to have failed.
    let begun = Instant::now();
    while scene.used() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} units counted", scene.used());
        sleep(Duration::from_millis(100)).await;
    }
    scene.world.api_unconnected.store(false, Ordering::Relaxed);
    scene.room.until(PlatformState::Live).await;
}

#[tokio::test(start_paused = true)]
async fn one_refusal_of_the_key_is_not_the_end_of_it() {
    for reading in [YoutubeReading::DataApi, YoutubeReading::Auto] {
        let world = World::new(EVENING);
        world.api_refuses_access.store(true, Ordering::Relaxed);
        let scene = Scene::start(world, reading, true);
        sleep(Duration::from_secs(10)).await;
        assert!(scene.room.state().1.contains("key is not accepted"), "{:?}", scene.room.state());
        scene.world.api_refuses_access.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(scene.room.state().0, PlatformState::Live, "{reading:?}");
        assert!(!scene.room.state().1.contains("key"), "{:?}", scene.room.state());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_tried_seldom_and_the_site_goes_on() {
    let scene = Scene::start(World::new(EVENING), YoutubeReading::Auto, true);
    sleep(Duration::from_secs(60)).await;
    scene.world.api_refuses_key.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(60)).await;
    let looks = scene.world.api_looks.load(Ordering::Relaxed);
    sleep(HOUR).await;
    let more = scene.world.api_looks.load(Ordering::Relaxed) - looks;
    assert!((4..=12).contains(&more), "now and then: {more}");
    scene.assert_complete(Duration::from_secs(10));
    let (state, detail) = scene.room.state();
    assert_eq!(state, PlatformState::Live);
    assert!(detail.contains("key is not accepted (keyInvalid)"), "{detail}");

    let world = World::new(EVENING);
    world.api_refuses_key.store(true, Ordering::Relaxed);
    let scene = Scene::start(world, YoutubeReading::DataApi, true);
    let outcome = scene.running.await.unwrap();
    assert!(outcome.unwrap_err().is_permanent(), "there is no other way");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_stays_refused_where_there_is_no_other_way_is_disabled_and_still_tried() {
    for (reading, wanted) in [
        (YoutubeReading::DataApi, PlatformState::Disabled),
        (YoutubeReading::Auto, PlatformState::Degraded),
    ] {
        let world = World::new(EVENING);
        world.api_refuses_access.store(true, Ordering::Relaxed);
        world.site_blocked.store(true, Ordering::Relaxed);
        let scene = Scene::start(world, reading, true);
        sleep(Duration::from_secs(5)).await;
        assert_eq!(scene.room.state().0, PlatformState::Degraded, "once is nothing");
        sleep(Duration::from_secs(300)).await;
        let (state, detail) = scene.room.state();
        assert_eq!(state, wanted, "{reading:?}: {detail}");
        assert!(detail.contains("key is not accepted (authError)"), "{detail}");
        let looks = scene.world.api_looks.load(Ordering::Relaxed);
        let states = scene.room.states.lock().unwrap().len();
        sleep(HOUR).await;
        let more = scene.world.api_looks.load(Ordering::Relaxed) - looks;
        assert!((4..=12).contains(&more), "now and then: {more}");
        let since = scene.room.states.lock().unwrap().split_off(states);
        assert!(since.iter().all(|it| it.1 == wanted), "it stays said");
        scene.world.api_refuses_access.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(900)).await;
        let (state, detail) = scene.room.state();
        assert_ne!(state, PlatformState::Disabled, "{reading:?}: {detail}");
        assert!(!detail.contains("key"), "{detail}");
    }
}

/// The promise: the right state within ten seconds, whichever way is in use.
#[tokio::test(start_paused = true)]
async fn a_platform_that_hangs_is_seen_within_ten_seconds_and_so_is_its_return() {
    for (reading, key) in [
        (YoutubeReading::InnerTube, false),
        (YoutubeReading::Auto, true),
        // At its slowest: one look in more than twenty seconds.
        (YoutubeReading::DataApi, true),
    ] {
        let scene = Scene::start(World::new(EVENING), reading, key);
        for offset in [0_u64, 1_700, 3_300, 6_100, 12_900] {
            sleep(Duration::from_secs(120) + Duration::from_millis(offset)).await;
            assert_eq!(scene.room.state().0, PlatformState::Live);
            scene.world.stalled.store(true, Ordering::Relaxed);
            let took = scene.room.until(PlatformState::Degraded).await;
            assert!(took <= Duration::from_secs(10), "{reading:?}: {took:?}");
            sleep(Duration::from_secs(45)).await;
            scene.world.stalled.store(false, Ordering::Relaxed);
            let took = scene.room.until(PlatformState::Live).await;
            assert!(took <= Duration::from_secs(15), "{reading:?}: back after {took:?}");
        }
        scene.assert_complete(Duration::from_secs(60));
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_chat_ends_its_following() {
    for reading in [YoutubeReading::InnerTube, YoutubeReading::Auto, YoutubeReading::DataApi] {
        let scene = Scene::start(World::new(EVENING), reading, true);
        sleep(Duration::from_secs(60)).await;
        scene.world.ended.store(true, Ordering::Relaxed);
        let outcome = timeout(Duration::from_secs(40), scene.running).await.unwrap().unwrap();
        assert_eq!(outcome, Ok(Outcome::Ended { delivered: true }));
    }
}
