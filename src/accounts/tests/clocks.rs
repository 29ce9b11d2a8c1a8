//! Time passes, and clocks are set forward and back.

use super::*;

const ANA: &str = "ana@example.com";

async fn signed_in(world: &World) -> Arc<Session> {
    world.member(ANA).await;
    world.sign_in(ANA, PASSWORD).await.unwrap().session
}

#[tokio::test]
async fn a_sign_in_ends_when_it_rests_and_whatever_happens_after_a_week() {
    let world = World::new();
    let session = signed_in(&world).await;
    let idle = world.accounts.config().system.auth.session_idle_hours;
    let begun = world.accounts.now();
    assert!(session.is_open(idle, begun.plus_ms(72 * HOUR - 1)));
    assert!(!session.is_open(idle, begun.plus_ms(72 * HOUR)));
    // Used every day, it lasts a week and not a moment longer.
    for day in 1..7 {
        assert!(session.is_open(idle, begun.plus_ms(day * DAY)));
        session.touch(begun.plus_ms(day * DAY));
    }
    assert!(session.is_open(idle, begun.plus_ms(7 * DAY - 1)));
    session.touch(begun.plus_ms(7 * DAY - 1));
    assert!(!session.is_open(idle, begun.plus_ms(7 * DAY)));
}

#[tokio::test]
async fn a_clock_that_is_set_back_ends_no_sign_in_and_makes_none_longer_by_use() {
    let world = World::new();
    let session = signed_in(&world).await;
    let (idle, begun) = (72, world.accounts.now());
    assert!(session.is_open(idle, begun.plus_ms(-30 * DAY)));
    session.touch(begun.plus_ms(-30 * DAY));
    assert_eq!(session.last_seen_at(), begun);
    assert!(!session.is_open(idle, begun.plus_ms(7 * DAY)));
    world.advance(-30 * DAY);
    world.accounts.tidy().unwrap();
    assert_eq!(world.accounts.book().sessions().count(), 1);
}

#[tokio::test]
async fn when_somebody_was_last_there_outlives_a_restart() {
    let world = World::new();
    let session = signed_in(&world).await;
    let idle = world.accounts.config().system.auth.session_idle_hours;
    for _ in 0..5 {
        world.advance(DAY);
        session.touch(world.accounts.now());
        world.accounts.tidy().unwrap();
    }
    let again = world.after_power_cut(1);
    let session = again.accounts.book().session(&session.digest).unwrap().clone();
    assert!(session.is_open(idle, again.accounts.now()));
    assert_eq!(session.last_seen_at(), again.accounts.now());
}

#[tokio::test]
async fn a_link_works_for_its_minutes_by_a_clock_that_goes_right() {
    let world = World::new();
    for (moved, works) in [
        (0, true),
        (15 * 60_000 - 1, true),
        (15 * 60_000, false),
        (HOUR, false),
        (-5 * 60_000, true),
        (-2 * DAY, false),
    ] {
        world.send_link(ANA).await;
        let secret = world.last_mail(ANA).secret;
        world.advance(moved);
        assert_eq!(world.use_link(&secret).await.is_ok(), works, "{moved} ms later");
        world.advance(-moved);
        assert!(!works || world.use_link(&secret).await.is_err(), "twice");
    }
}

#[tokio::test]
async fn a_verification_link_says_that_all_is_well_for_as_long_as_it_would_have_worked() {
    let world = World::new();
    world.sign_up(ANA, PASSWORD).await.unwrap();
    let secret = world.last_mail(ANA).secret;
    world.verify(&secret).await.unwrap();
    world.advance(15 * 60_000 - 1);
    world.verify(&secret).await.unwrap();
    world.advance(1);
    assert!(matches!(world.verify(&secret).await, Err(AccountError::BadTicket)));
    world.accounts.tidy().unwrap();
    assert_eq!(world.accounts.book().count::<ticket::Spent>(""), 0);
}

#[tokio::test]
async fn the_lockout_outlasts_no_clock() {
    let world = World::new();
    world.member(ANA).await;
    let guess = async || world.sign_in(ANA, OTHER_PASSWORD).await.unwrap_err();
    for _ in 0..6 {
        assert!(matches!(guess().await, AccountError::WrongPassword));
    }
    assert!(matches!(guess().await, AccountError::TooMany(2)));
    // Set back by a year, it still ends in a quarter of an hour.
    world.advance(-365 * DAY);
    assert!(matches!(guess().await, AccountError::TooMany(900)));
    world.advance(15 * 60_000);
    world.sign_in(ANA, PASSWORD).await.unwrap();
    // Set forward, what was guessed is forgotten; that gives nobody more than a fresh start.
    for _ in 0..6 {
        assert!(matches!(guess().await, AccountError::WrongPassword));
    }
    world.advance(365 * DAY);
    for _ in 0..6 {
        assert!(matches!(guess().await, AccountError::WrongPassword));
    }
    assert!(matches!(guess().await, AccountError::TooMany(2)));
}

#[tokio::test]
async fn the_fifty_first_sign_in_pushes_out_the_oldest() {
    let world = World::new();
    world.member(ANA).await;
    let mut sessions = Vec::new();
    for _ in 0..51 {
        world.advance(1_000);
        sessions.push(world.sign_in(ANA, PASSWORD).await.unwrap());
    }
    let book = world.accounts.book();
    assert!(book.session(&sessions[0].session.digest).is_none());
    assert_eq!(book.list_sessions(sessions[0].account.id).len(), 50);
    assert!(sessions[1..].iter().all(|it| book.session(&it.secret.digest()).is_some()));
}
