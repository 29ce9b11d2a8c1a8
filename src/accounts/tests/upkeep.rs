//! What goes by itself, and what stays.

use super::*;

#[tokio::test]
async fn an_account_that_nobody_verifies_goes_after_a_week_and_no_other() {
    let world = World::new();
    world.member("ana@example.com").await;
    world.sign_up("gone@example.com", PASSWORD).await.unwrap();
    // One whose owner was in it, and who must verify the address again.
    let again = world.member("again@example.com").await.id;
    world.sign_in("again@example.com", PASSWORD).await.unwrap();
    world
        .accounts
        .change_now(|change| {
            let account = Account { email_verified: false, ..change.find_account(again)? };
            change.put_account(account).map(drop)
        })
        .unwrap();
    world.advance(7 * DAY);
    world.accounts.tidy().unwrap();
    assert!(world.find("gone@example.com").is_some());
    world.advance(1);
    world.accounts.tidy().unwrap();
    assert!(world.find("gone@example.com").is_none());
    assert!(world.find("ana@example.com").is_some() && world.find("again@example.com").is_some());
    assert_eq!(world.count_audited("account_abandoned").await, 1);
    assert_eq!(world.accounts.book().count_tickets(), 0);
    assert_eq!(world.on_disk(), contents(&world.accounts.book()));
    // The address is free again.
    world.member("gone@example.com").await;
}

#[tokio::test]
async fn what_was_audited_goes_after_a_year() {
    let world = World::new();
    world.member("ana@example.com").await;
    let early = world.audited().await.len();
    world.advance(200 * DAY);
    world.sign_in("ana@example.com", PASSWORD).await.unwrap();
    world.advance(165 * DAY);
    world.accounts.tidy().unwrap();
    assert_eq!(world.audited().await.len(), early + 1);
    world.advance(1);
    world.accounts.tidy().unwrap();
    assert_eq!(world.audited().await, [("login_success".to_owned(), "success".to_owned())]);
}

#[tokio::test]
async fn of_too_much_audited_the_oldest_goes() {
    let world = World::new();
    world.member("ana@example.com").await;
    for _ in 0..20 {
        world.advance(1_000);
        world.sign_in("ana@example.com", PASSWORD).await.unwrap();
    }
    let all = world.accounts.list_audit(None, 100).await.unwrap().entries;
    let forget = |limit| world.accounts.forget_audit("", 5, limit).unwrap();
    assert_eq!(forget(3), 3);
    assert_eq!(forget(100), all.len() - 3 - 5);
    assert_eq!(forget(100), 0);
    assert_eq!(world.accounts.list_audit(None, 100).await.unwrap().entries, all[..5]);
    // Nothing else went with it.
    assert_eq!(world.on_disk(), contents(&world.accounts.book()));
}

#[tokio::test]
async fn a_quiet_minute_writes_nothing() {
    let world = World::new();
    world.member("ana@example.com").await;
    world.sign_in("ana@example.com", PASSWORD).await.unwrap();
    let before = world.disk.operations();
    world.accounts.tidy().unwrap();
    world.accounts.write_noted().unwrap();
    assert_eq!(world.disk.operations(), before);
}

#[tokio::test]
async fn no_more_than_so_many_tickets_are_kept() {
    let world = World::new();
    world
        .accounts
        .change_now(|change| {
            for it in 0..20_010_u32 {
                let email = address(&format!("u{it}@example.com"));
                // Later ones end later.
                change.open_ticket(
                    Purpose::MagicLink { email },
                    None,
                    15 + it,
                    Surface::Public,
                    None,
                );
            }
            assert_eq!(change.count_tickets(), 20_000);
            let first = change.tickets().next().unwrap();
            assert_eq!(first.purpose, Purpose::MagicLink { email: address("u10@example.com") });
            Err::<(), _>(AccountError::Busy)
        })
        .unwrap_err();
    assert_eq!(world.accounts.book().count_tickets(), 0, "a change that fails changes nothing");
}
