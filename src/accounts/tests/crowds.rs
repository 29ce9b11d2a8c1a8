//! Many at once, and one who tries very often.

use std::sync::Barrier;

use super::*;

/// Lets all of them go at the same moment, each on a thread of its own.
fn together<T: Send>(count: u8, work: impl Fn(u8) -> T + Sync) -> Vec<T> {
    let gate = Barrier::new(count.into());
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..count)
            .map(|it| {
                let (gate, work) = (&gate, &work);
                scope.spawn(move || {
                    gate.wait();
                    work(it)
                })
            })
            .collect();
        started.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_who_use_one_link_at_once_one_gets_in() {
    let world = Arc::new(World::new());
    for prepared in [false, true] {
        let email = if prepared { "prepared@example.com" } else { "nobody@example.com" };
        if prepared {
            world.sign_up(email, OTHER_PASSWORD).await.unwrap();
        }
        world.send_link(email).await;
        let secret = world.last_mail(email).secret;
        let handle = tokio::runtime::Handle::current();
        let won = {
            let world = Arc::clone(&world);
            let all = move || together(32, |_| handle.block_on(world.use_link(&secret)).is_ok());
            tokio::task::spawn_blocking(all).await.unwrap()
        };
        assert_eq!(won.iter().filter(|it| **it).count(), 1);
        let account = world.find(email).unwrap();
        assert_eq!(world.accounts.book().list_sessions(account.id).len(), 1);
    }
    assert_eq!(world.on_disk(), contents(&world.accounts.book()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_who_sign_up_at_once_with_one_address_one_account_is_made() {
    let world = Arc::new(World::new());
    let handle = tokio::runtime::Handle::current();
    let done = {
        let world = Arc::clone(&world);
        let all = move || {
            together(32, |it| {
                let password = format!("{PASSWORD} {it}");
                handle.block_on(world.sign_up("ana@example.com", &password))
            })
        };
        tokio::task::spawn_blocking(all).await.unwrap()
    };
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(world.accounts.book().len(), 1);
    assert_eq!(world.count_audited("account_created").await, 1);
    // Mails are sent, links are few.
    let ana = world.find("ana@example.com").unwrap();
    assert_eq!(world.accounts.book().list_tickets(ana.id).len(), 8);
    assert_eq!(world.on_disk(), contents(&world.accounts.book()));
}

/// Guesses that are made at the same moment count one by one: nobody gets more of them by hurrying.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hurrying_gives_nobody_more_guesses() {
    let world = Arc::new(World::new());
    world.member("ana@example.com").await;
    let handle = tokio::runtime::Handle::current();
    let tried = {
        let world = Arc::clone(&world);
        let all = move || {
            together(32, |it| {
                let (email, from) = (address("ana@example.com"), origin(100 + it));
                let tried = world.accounts.sign_in(email, OTHER_PASSWORD, Surface::Public, from);
                handle.block_on(tried).unwrap_err()
            })
        };
        tokio::task::spawn_blocking(all).await.unwrap()
    };
    let judged = tried.iter().filter(|it| matches!(it, AccountError::WrongPassword)).count();
    assert_eq!(judged, 6, "five that cost nothing, and the one that begins the wait");
    assert!(matches!(
        world.sign_in("ana@example.com", PASSWORD).await,
        Err(AccountError::TooMany(_))
    ));
}

#[tokio::test]
async fn ten_thousand_guesses_are_held_up_and_leave_little_behind() {
    let world = World::new();
    world.member("ana@example.com").await;
    let (mut judged, begun) = (0, world.disk.operations());
    // A day of it: one guess every few seconds.
    for _ in 0..10_000 {
        world.advance(8_640);
        match world.sign_in("ana@example.com", OTHER_PASSWORD).await {
            Err(AccountError::WrongPassword) => judged += 1,
            Err(AccountError::TooMany(seconds)) => assert!(seconds <= 900),
            other => panic!("{other:?}"),
        }
    }
    assert!(judged < 5 + 10 + 97, "{judged} were looked at");
    assert_eq!(world.disk.operations(), begun, "none of them waited for the disk");
    world.accounts.write_noted().unwrap();
    assert_eq!(world.count_audited("login_failed").await, judged);
    // Its owner gets in after the wait, and all begins anew.
    world.advance(15 * 60_000);
    world.sign_in("ana@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn ten_thousand_guesses_at_as_many_accounts_do_not_flood_the_audit() {
    let world = World::new();
    for it in 0..10_000_u32 {
        let [_, _, high, low] = it.to_be_bytes();
        let from = Origin { address: Some([198, 18, high, low].into()), ..origin(1) };
        let email = address(&format!("user{it}@example.com"));
        let tried = world.accounts.sign_in(email, OTHER_PASSWORD, Surface::Public, from).await;
        assert!(matches!(tried, Err(AccountError::WrongPassword)), "{tried:?}");
    }
    world.advance(60_000);
    world.accounts.write_noted().unwrap();
    let entries = world.accounts.list_audit(None, 20_000).await.unwrap().entries;
    assert_eq!(entries.len(), 61);
    assert_eq!(entries[0].action, "audit_condensed");
    assert_eq!(entries[0].metadata["left_out"], 9_940);
}

#[tokio::test]
async fn mails_that_strangers_ask_for_have_an_end_and_leave_nothing_behind() {
    let world = World::with(|config| config.system.auth.mails_per_hour = 3);
    world.member("ana@example.com").await;
    for _ in 0..10 {
        world.send_link("ana@example.com").await;
        world.send_link("nobody@example.com").await;
        world.sign_up("new@example.com", PASSWORD).await.unwrap();
    }
    let count = |email| world.mails(email).len();
    assert_eq!(
        (count("ana@example.com"), count("nobody@example.com"), count("new@example.com")),
        (3, 3, 3)
    );
    // Once there are enough, nothing is written for any of them.
    let before = world.disk.operations();
    world.send_link("ana@example.com").await;
    world.send_link("nobody@example.com").await;
    world.sign_up("new@example.com", PASSWORD).await.unwrap();
    assert_eq!(world.disk.operations(), before);
}

#[tokio::test]
async fn accounts_that_nobody_verifies_push_out_each_other_and_nobody_else() {
    let world = World::with(|config| config.system.auth.max_accounts = 1_000);
    world.member("ana@example.com").await;
    world
        .accounts
        .change_now(|change| {
            let config = config(|config| config.system.auth.max_accounts = 1_000);
            for it in 0..250 {
                sign_up::make_room(change, &config)?;
                let email = address(&format!("bot{it}@example.com"));
                let account = Account::new(Some(email), "", change.at());
                sign_up::create(change, account, "password", &origin(1))?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(world.accounts.book().count_unclaimed(), 100);
    assert_eq!(world.accounts.book().len(), 101);
    assert!(world.find("ana@example.com").is_some());
    assert!(world.find("bot149@example.com").is_none());
    assert!(world.find("bot150@example.com").is_some());
}

#[tokio::test]
async fn a_long_name_of_a_browser_and_a_long_page_are_cut() {
    let world = World::new();
    let long = Origin { user_agent: "x".repeat(16_000), ..origin(1) };
    world.member("ana@example.com").await;
    for _ in 0..2 {
        let from = long.clone();
        let signed_in =
            world.accounts.sign_in(address("ana@example.com"), PASSWORD, Surface::Public, from);
        assert_eq!(signed_in.await.unwrap().session.user_agent.len(), 200);
    }
    // The second time it is known.
    assert_eq!(
        world.mails("ana@example.com").iter().filter(|it| it.kind == "security_alert").count(),
        0
    );
    let entries = world.accounts.list_audit(None, 10).await.unwrap().entries;
    assert!(entries.iter().all(|it| it.origin.user_agent.len() <= 200));
    let page = Some("/".repeat(100_000));
    let new = SignUp { return_to: page, ..sign_up("ben@example.com") };
    world.accounts.send_magic_link(new).await.unwrap();
    assert!(world.accounts.book().tickets().all(|it| it.return_to.is_none()));
}
