//! Triggers against a small model of their rules, hostile patterns, and rooms at work with hands that only note.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    cooldowns::{Around, Cooldowns, PatternTime},
    decision::{Outcome, Verdict},
    line::Line,
    set::{Judged, TriggerSet},
};
use crate::model::{
    Amount, Platform, QualifiedId, Timestamp,
    trigger::{Access, Trigger, TriggerKind},
};

fn trigger(value: Value) -> Trigger {
    let mut value = value;
    if value.get("actions").is_none() {
        value["actions"] = json!([{"action_type": "reply", "payload": {"text": "{user} {args}"}}]);
    }
    serde_json::from_value(value).unwrap()
}

fn set(triggers: &[Trigger]) -> TriggerSet {
    TriggerSet::new(triggers.iter().map(|it| (Arc::new(it.clone()), None)).collect())
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + ms).unwrap()
}

/// A look at a set, as the engine takes it.
fn judge<'a>(
    set: &TriggerSet,
    line: &Line<'a>,
    cooldowns: &Cooldowns,
    everywhere: &HashMap<String, i64>,
    now: Timestamp,
) -> Judged<'a> {
    let everywhere = |id: &str| everywhere.get(id).copied();
    let mut around = Around {
        cooldowns,
        everywhere: &everywhere,
        least_seconds: 0,
        now,
        patterns: None,
        began: None,
    };
    set.judge(line, &mut around)
}

const WORDS: [&str; 8] = ["hi", "Hey", "go", "clip", "ÉTÉ", "gg", "no", "x1"];
const PLATFORMS: [Platform; 3] = [Platform::Twitch, Platform::Youtube, Platform::Kick];
const KINDS: [&str; 3] = ["command", "keyword", "regex"];
const ACCESS: [Access; 5] =
    [Access::Everyone, Access::Subscribers, Access::Vips, Access::Moderators, Access::Broadcaster];

fn triggers() -> impl Strategy<Value = Vec<Trigger>> {
    let one = (
        0_usize..3,
        proptest::collection::vec(0..WORDS.len(), 1..3),
        proptest::option::of(0..PLATFORMS.len()),
        0..ACCESS.len(),
        proptest::option::of(1_i64..300),
        (0_u32..4, 0_u32..4, 0_u32..4),
        proptest::bool::weighted(0.9),
    );
    proptest::collection::vec(one, 0..8).prop_map(|all| {
        let each = all.into_iter().enumerate().map(|(at, it)| {
            let (kind, words, platform, access, least, (room, viewer, global), enabled) = it;
            let words: Vec<&str> = words.into_iter().map(|it| WORDS[it]).collect();
            let mut value = json!({
                "trigger_id": format!("t{at}"), "type": KINDS[kind],
                "enabled": enabled, "cooldown_seconds": room, "viewer_cooldown_seconds": viewer,
                "global_cooldown_seconds": global,
            });
            match kind {
                0 => (value["command"], value["aliases"]) = (json!(words[0]), json!(words[1..])),
                1 => value["keywords"] = json!(words),
                _ => value["pattern"] = json!(format!("^({})( |$)", words.join("|"))),
            }
            if let Some(it) = platform {
                value["platforms"] = json!([PLATFORMS[it]]);
            }
            value["access"] = serde_json::to_value(ACCESS[access % 3]).unwrap();
            if let Some(least) = least {
                value["least_amount"] = json!({"value": least, "currency": "bits"});
            }
            trigger(value)
        });
        each.collect()
    })
}

#[derive(Debug, Clone)]
struct Chat {
    words: Vec<(bool, usize, bool)>,
    platform: usize,
    access: usize,
    bits: Option<i64>,
    viewer: u8,
    pause_ms: i64,
}

impl Chat {
    fn text(&self) -> String {
        let each = self.words.iter().map(|(is_command, word, upper)| {
            let word = WORDS[*word];
            let word = if *upper { word.to_uppercase() } else { word.to_owned() };
            format!("{}{word}", if *is_command { "!" } else { "" })
        });
        each.collect::<Vec<_>>().join(" ")
    }
}

fn chat() -> impl Strategy<Value = Vec<Chat>> {
    let one = (
        proptest::collection::vec((any::<bool>(), 0..WORDS.len(), any::<bool>()), 0..4),
        0..PLATFORMS.len(),
        0..ACCESS.len(),
        proptest::option::of(1_i64..300),
        0_u8..3,
        0_i64..1500,
    )
        .prop_map(|(words, platform, access, bits, viewer, pause_ms)| Chat {
            words,
            platform,
            access,
            bits,
            viewer,
            pause_ms,
        });
    proptest::collection::vec(one, 0..40)
}

/// The rules, said as plainly as can be: every trigger in turn, word by word.
#[derive(Default)]
struct Model {
    acted: HashMap<(String, Option<u8>), i64>,
    passed: Vec<(usize, Outcome)>,
}

impl Model {
    fn fits(trigger: &Trigger, text: &str) -> bool {
        let words: Vec<String> = text.split(' ').map(str::to_lowercase).collect();
        match trigger.kind {
            TriggerKind::Command => {
                let all = trigger.command.iter().chain(&trigger.aliases);
                all.clone().any(|it| words[0] == format!("!{}", it.to_lowercase()))
            }
            TriggerKind::Keyword => {
                let is_there = |keyword: &String| {
                    words.iter().any(|it| it.trim_start_matches('!') == keyword.to_lowercase())
                };
                trigger.keywords.iter().any(is_there)
            }
            TriggerKind::Regex => {
                let inside = trigger.pattern.as_ref().unwrap().strip_prefix("^(").unwrap();
                let inside = inside.split(')').next().unwrap().to_lowercase();
                inside.split('|').any(|it| it == words[0])
            }
            TriggerKind::Timer => false,
        }
    }

    fn rests(&self, trigger: &Trigger, viewer: u8, now: i64) -> bool {
        let within = |viewer, seconds: u32| {
            let acted = self.acted.get(&(trigger.trigger_id.clone(), viewer));
            acted.is_some_and(|it| now - it < i64::from(seconds) * 1000)
        };
        within(None, trigger.cooldown_seconds)
            || within(None, trigger.global_cooldown_seconds)
            || within(Some(viewer), trigger.viewer_cooldown_seconds)
    }

    fn say(&mut self, triggers: &[Trigger], chat: &Chat, now: i64) -> Option<usize> {
        self.passed.clear();
        let text = chat.text();
        if text.is_empty() {
            return None;
        }
        for (index, trigger) in triggers.iter().enumerate() {
            if !Self::fits(trigger, &text) {
                continue;
            }
            let is_pattern = trigger.kind == TriggerKind::Regex;
            let outcome = if !trigger.enabled {
                if is_pattern {
                    continue; // A pattern that is off is not even tried.
                }
                Outcome::Disabled
            } else if !trigger.platforms.is_empty()
                && !trigger.platforms.contains(&PLATFORMS[chat.platform])
            {
                Outcome::Platform
            } else if ACCESS[chat.access] < trigger.access {
                Outcome::Role
            } else if trigger
                .least_amount
                .as_ref()
                .is_some_and(|it| chat.bits.unwrap_or(0) < it.value)
            {
                Outcome::Amount
            } else if self.rests(trigger, chat.viewer, now) {
                self.passed.push((index, Outcome::Cooldown));
                return None;
            } else {
                let id = &trigger.trigger_id;
                self.acted.insert((id.clone(), None), now);
                self.acted.insert((id.clone(), Some(chat.viewer)), now);
                return Some(index);
            };
            self.passed.push((index, outcome));
        }
        None
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_chat_sets_off_what_the_rules_say(triggers in triggers(), chats in chat()) {
        let set = set(&triggers);
        let (mut model, mut cooldowns) = (Model::default(), Cooldowns::default());
        let mut everywhere = HashMap::new();
        let mut now = 0;
        for chat in chats {
            now += chat.pause_ms;
            let text = chat.text();
            let viewer = QualifiedId::new(Platform::Twitch, &chat.viewer.to_string());
            let amount = chat.bits.map(Amount::bits);
            let line = Line {
                text: &text,
                platform: PLATFORMS[chat.platform],
                access: ACCESS[chat.access],
                amount: amount.as_ref(),
                viewer: &viewer,
            };
            let judged = judge(&set, &line, &cooldowns, &everywhere, at(now));
            let expected = model.say(&triggers, &chat, now);
            let fires = judged.fires.map(|it| it.0 as usize);
            prop_assert_eq!(fires, expected, "{}", text);
            let passed: Vec<_> =
                judged.passed.iter().map(|it| (it.0 as usize, it.1.outcome())).collect();
            prop_assert_eq!(&passed, &model.passed, "{}", text);
            if let Some((index, _)) = judged.fires {
                let trigger = &set.find(index).trigger;
                cooldowns.note(trigger, Some(&viewer), at(now));
                everywhere.insert(trigger.trigger_id.clone(), at(now).unix_ms());
            }
        }
    }
}

fn line<'a>(text: &'a str, viewer: &'a QualifiedId) -> Line<'a> {
    let (platform, access) = (Platform::Twitch, Access::Everyone);
    Line { text, platform, access, amount: None, viewer }
}

#[test]
fn what_stands_behind_a_command_is_kept_and_keywords_are_whole_words() {
    let set = set(&[
        trigger(
            json!({"trigger_id": "so", "type": "command", "command": "so", "aliases": ["Shoutout"]}),
        ),
        trigger(
            json!({"trigger_id": "gg", "type": "keyword", "keywords": ["gg", "well played", "c++", "ñandú"]}),
        ),
    ]);
    let viewer = QualifiedId::new(Platform::Twitch, "1");
    let fires = |text: &str| {
        let judged =
            judge(&set, &line(text, &viewer), &Cooldowns::default(), &HashMap::new(), at(0));
        judged.fires.map(|it| (it.0, it.1.to_owned()))
    };
    assert_eq!(fires("!SO  @bo  now"), Some((0, "@bo  now".to_owned())));
    assert_eq!(fires("!shoutout"), Some((0, String::new())));
    for text in ["that was Well Played!", "GG", "(gg)", "I write C++.", "un ÑANDÚ"] {
        assert_eq!(fires(text).map(|it| it.0), Some(1), "{text}");
    }
    for text in ["!sofa", "so", "egg", "gg2", "ggs", "well  played", "c+", "ñandúes", ""] {
        assert_eq!(fires(text), None, "{text}");
    }
}

#[test]
fn a_cooldown_says_how_long_and_for_whom_and_holds_on_the_wall_clock() {
    let trigger = trigger(json!({"trigger_id": "a", "type": "command", "command": "a",
        "cooldown_seconds": 5, "viewer_cooldown_seconds": 60}));
    let (ana, bo) =
        (QualifiedId::new(Platform::Twitch, "ana"), QualifiedId::new(Platform::Kick, "bo"));
    let mut cooldowns = Cooldowns::default();
    assert_eq!(cooldowns.note(&trigger, Some(&ana), at(0)), 1);
    let rest = |viewer, now| {
        cooldowns
            .find_rest(&trigger, Some(viewer), None, 0, at(now))
            .map(|(left_ms, whose)| Verdict::Cooldown { left_ms, whose }.detail())
    };
    assert_eq!(rest(&bo, 1_800).as_deref(), Some("cooldown 3.2 s left"));
    assert_eq!(rest(&bo, 5_000), None);
    assert_eq!(rest(&ana, 5_000).as_deref(), Some("cooldown 55.0 s left for this viewer"));
    assert_eq!(rest(&ana, 60_000), None);
    // Two chats are not read in one order; a clock that was set back an hour does not make it rest for an hour.
    assert_eq!(rest(&bo, -5_000).as_deref(), Some("cooldown 5.0 s left"));
    assert_eq!(rest(&bo, -5_001), None);
    assert_eq!(rest(&ana, -3_600_000), None);
}

#[test]
fn viewers_that_are_too_many_are_forgotten_where_they_are_kept_as_well() {
    let trigger = trigger(json!({"trigger_id": "a", "type": "command", "command": "a",
        "viewer_cooldown_seconds": 600_000}));
    let mut cooldowns = Cooldowns::default();
    let viewer = |it: i64| QualifiedId::new(Platform::Twitch, &it.to_string());
    for it in 0..20_003 {
        cooldowns.note(&trigger, Some(&viewer(it)), at(it));
    }
    // One of them is back meanwhile, which costs another one its place.
    cooldowns.note(&trigger, Some(&viewer(1)), at(20_003));
    let gone: Vec<_> =
        cooldowns.forget_before(at(0).unix_ms()).into_iter().map(|it| it.1).collect();
    assert_eq!(gone, [viewer(0), viewer(2), viewer(3)]);
    assert_eq!(cooldowns.forget_before(at(0).unix_ms()), []);
}

#[test]
fn hostile_patterns_stay_within_a_fixed_time() {
    let evil = [
        r"(a+)+c",
        r"(a|a)*[cd]$",
        r"(.*a){12}[yz]",
        r"(x+x+)+y",
        r"[ab]*a[ab]{12}[cq]",
        r"(.*)(.*)(.*)(.*)(.*)#",
        r"\w{1,60}\d{1,60}!",
        r"(?:a?){60}a{60}",
        r"([a-z]+)*[0-9]$",
        r"(\S+\s+){10}\S+q$",
    ];
    let usable: Vec<Trigger> = (0..100)
        .filter_map(|at: usize| {
            let pattern = evil[at % evil.len()];
            let it = trigger(
                json!({"trigger_id": format!("t{at}"), "type": "regex", "pattern": pattern}),
            );
            it.check().is_empty().then_some(it)
        })
        .collect();
    assert!(usable.len() >= 80, "{}", usable.len());
    let set = set(&usable);
    let viewer = QualifiedId::new(Platform::Twitch, "1");
    let (cooldowns, none) = (Cooldowns::default(), |_: &str| None);
    // None of them fits, and each finds the letters that it ends with.
    let text = format!("z9cqy {}!", "ab".repeat(450));
    let mut patterns = PatternTime::default();
    let (began, mut limited) = (Instant::now(), 0);
    // A flood of the worst lines: the room's patterns get their part of each second, and no more.
    while began.elapsed() < Duration::from_millis(900) {
        let mut around = Around {
            cooldowns: &cooldowns,
            everywhere: &none,
            least_seconds: 0,
            now: at(0),
            patterns: Some(&mut patterns),
            began: None,
        };
        let line_began = Instant::now();
        let judged = set.judge(&line(&text, &viewer), &mut around);
        drop(around);
        // Debug builds are some twenty times as slow; what counts is that it does not grow with the pattern.
        assert!(line_began.elapsed() < Duration::from_secs(2), "{:?}", line_began.elapsed());
        assert_eq!(judged.fires, None);
        limited += u64::from(matches!(judged.passed.last(), Some((_, Verdict::Limited(_)))));
    }
    assert!(limited > 1_000, "the others were let go at once: {limited}");
}
