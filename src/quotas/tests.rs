use super::*;
use crate::config::quotas::PlatformAllowances;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn ana() -> CreatorId {
    "ana".parse().unwrap()
}

fn config(daily_units: u32, buffer_units: u32) -> QuotasConfig {
    let youtube = AllowanceConfig { daily_units, buffer_units };
    QuotasConfig { default: PlatformAllowances { youtube }, ..QuotasConfig::default() }
}

#[test]
fn an_allowance_goes_from_free_over_its_buffer_to_spent_and_never_beyond() {
    let quotas = Quotas::new(State::in_memory(), config(20, 10));
    let quota = quotas.open(&ana(), Platform::Youtube, None);
    let now = at("2026-11-24T20:00:00Z");
    let standings: Vec<_> = (0..5).map(|_| quota.spend(5, now)).collect();
    let spent = QuotaSpent { until: at("2026-11-25T08:00:00Z") };
    assert_eq!(
        standings,
        [
            Ok(Standing::Free),
            Ok(Standing::Buffer),
            Ok(Standing::Buffer),
            Ok(Standing::Spent),
            Err(spent)
        ]
    );
    assert_eq!(quota.snapshot(now).used, 20, "what was refused was not spent");
    assert_eq!(quota.spend(5, at("2026-11-25T08:00:00Z")), Ok(Standing::Free), "another day");
}

#[tokio::test]
async fn what_was_spent_stays_spent_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.redb");
    let now = at("2026-11-24T20:00:00Z");
    {
        let state = State::open(&path).unwrap();
        let quotas = Quotas::new(state.clone(), config(20, 10));
        quotas.open(&ana(), Platform::Youtube, None).spend(15, now).unwrap();
        state.close().await;
    }
    let quotas = Quotas::new(State::open(&path).unwrap(), config(20, 10));
    assert_eq!(quotas.list(now)[0].used, 15);
    assert!(quotas.open(&ana(), Platform::Youtube, None).spend(6, now).is_err());
}

#[test]
fn those_who_share_a_key_share_its_allowance_and_its_refusal() {
    let quotas = Quotas::new(State::in_memory(), config(20, 0));
    let now = at("2026-11-24T20:00:00Z");
    let ana = quotas.open(&ana(), Platform::Youtube, Some(7));
    let ben = quotas.open(&"ben".parse().unwrap(), Platform::Youtube, Some(7));
    let cy = quotas.open(&"cy".parse().unwrap(), Platform::Youtube, Some(8));
    ana.spend(15, now).unwrap();
    assert!(ben.spend(10, now).is_err());
    assert_eq!(cy.spend(10, now), Ok(Standing::Free));
    assert_eq!(ana.note_refusal(now), at("2026-11-25T08:00:00Z"));
    assert_eq!(ben.snapshot(now).standing, Standing::Spent);
    assert!(ben.spend(1, now).is_err());
    assert_eq!(cy.snapshot(now).standing, Standing::Free);
    assert!(ben.spend(1, at("2026-11-25T08:00:00Z")).is_ok(), "believed until the reset");
}

#[test]
fn the_forecast_says_until_when_it_lasts_at_the_pace_of_the_last_minutes() {
    let quotas = Quotas::new(State::in_memory(), config(10_000, 2_000));
    let quota = quotas.open(&ana(), Platform::Youtube, None);
    let start = at("2026-11-24T18:00:00Z");
    // Every 3 s for 30 minutes: 600 calls, 6000 units an hour.
    for call in 0..600 {
        quota.spend(5, start.plus_ms(call * 3_000)).unwrap();
    }
    let now = start.plus_ms(1_800_000);
    let lasts_until = quota.snapshot(now).lasts_until.unwrap();
    let minutes = lasts_until.ms_since(now) / 60_000;
    assert!((65..=75).contains(&minutes), "7,000 units left at 6,000 an hour: {minutes} min");
    let later = now.plus_ms(20 * 60_000);
    assert_eq!(quota.snapshot(later).lasts_until, None, "at rest it lasts");
}

#[test]
fn another_key_begins_with_an_allowance_of_its_own() {
    let quotas = Quotas::new(State::in_memory(), config(20, 0));
    let now = at("2026-11-24T20:00:00Z");
    let old = quotas.open(&ana(), Platform::Youtube, Some(7));
    old.spend(15, now).unwrap();
    old.note_refusal(now);
    let new = quotas.open(&ana(), Platform::Youtube, Some(8));
    assert_eq!(new.spend(15, now), Ok(Standing::Free));
    // And the old one is as it was.
    let before = quotas.open(&ana(), Platform::Youtube, Some(7));
    assert_eq!(before.snapshot(now).used, 15);
    assert!(before.spend(1, now).is_err());
    // The same again is no other.
    let again = quotas.open(&ana(), Platform::Youtube, Some(8));
    assert!(again.spend(15, now).is_err());
}

#[test]
fn a_pool_is_whole_after_a_restart_before_all_of_it_is_opened() {
    let state = State::in_memory();
    let now = at("2026-11-24T20:00:00Z");
    {
        let quotas = Quotas::new(state.clone(), config(20, 0));
        for (name, units) in [("ana", 5), ("ben", 10)] {
            let quota = quotas.open(&name.parse().unwrap(), Platform::Youtube, Some(7));
            quota.spend(units, now).unwrap();
        }
    }
    let quotas = Quotas::new(state, config(20, 0));
    let quota = quotas.open(&ana(), Platform::Youtube, Some(7));
    assert_eq!(quota.snapshot(now).used, 15);
}

#[test]
fn a_refusal_while_little_is_spent_is_doubted_by_one_of_those_who_share_it() {
    let quotas = Quotas::new(State::in_memory(), config(10_000, 0));
    let midnight = at("2026-11-25T08:00:00Z");
    let ana = quotas.open(&ana(), Platform::Youtube, Some(7));
    let ben = quotas.open(&"ben".parse().unwrap(), Platform::Youtube, Some(7));
    ana.spend(5, midnight).unwrap();
    let until = ana.note_refusal(midnight);
    assert_eq!(until.ms_since(midnight), DOUBT_MS);
    assert_eq!(ben.snapshot(midnight).spent_until, Some(until));
    assert_eq!(ben.spend(5, until.plus_ms(-1)), Err(QuotaSpent { until }));
    // One asks, the other waits for the answer.
    assert!(ben.spend(5, until).is_ok());
    assert!(ana.spend(5, until).is_err());
    let until = ben.note_refusal(until.plus_ms(200));
    assert!(ben.spend(5, until.plus_ms(-1)).is_err());
    assert!(ana.spend(5, until).is_ok());
    ana.note_answer(until.plus_ms(200));
    assert!(ben.spend(5, until.plus_ms(300)).is_ok(), "all is well again");
    assert_eq!(ben.snapshot(until).used, 20, "a few units an hour");
}

#[test]
fn what_is_given_back_was_never_spent() {
    let quotas = Quotas::new(State::in_memory(), config(20, 0));
    let now = at("2026-11-24T20:00:00Z");
    let quota = quotas.open(&ana(), Platform::Youtube, Some(7));
    quota.spend(15, now).unwrap();
    quota.give_back(5, now);
    assert_eq!(quota.snapshot(now).used, 10);
    quota.give_back(5, at("2026-11-25T08:00:00Z"));
    assert_eq!(quota.snapshot(at("2026-11-25T08:00:00Z")).used, 0, "of another day");
}
