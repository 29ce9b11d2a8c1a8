//! Whose rooms somebody moderates, found without the rows of everybody else.

use super::*;

fn moderator(room: &str, account: AccountId) -> Moderator {
    let rights = Rights::from([Right::Hide]);
    Moderator {
        room: room.parse().unwrap(),
        account,
        rights,
        since: Timestamp::from_unix_ms(0).unwrap(),
    }
}

fn rooms(book: &Book, account: AccountId) -> Vec<String> {
    book.list_moderated(account).iter().map(|it| it.room.to_string()).collect()
}

#[tokio::test]
async fn the_rooms_of_a_moderator_are_known_as_they_come_go_and_are_loaded() {
    let world = World::new();
    let ana = world.member("ana@example.com").await.id;
    let ben = world.member("ben@example.com").await.id;
    let put = |change: &mut Change| {
        for (room, whose) in [("Zoe", ana), ("bea", ana), ("zoe", ben), ("zoe", ana)] {
            change.put(&moderator(room, whose));
        }
        Ok(())
    };
    world.accounts.change_now(put).unwrap();
    let again = world.after_power_cut(0);
    for book in [world.accounts.book(), again.accounts.book()] {
        assert_eq!(rooms(&book, ana), ["bea", "zoe"]);
        assert_eq!(rooms(&book, ben), ["zoe"]);
    }
    let key = moderator("bea", ana).key();
    world
        .accounts
        .change_now(|change| {
            change.remove::<Moderator>(&key);
            Ok(())
        })
        .unwrap();
    assert_eq!(rooms(&world.accounts.book(), ana), ["zoe"]);
    world.accounts.act(ana, Act::Delete, By::operator()).await.unwrap();
    let again = world.after_power_cut(0);
    for book in [world.accounts.book(), again.accounts.book()] {
        assert!(rooms(&book, ana).is_empty());
        assert_eq!(book.list::<Moderator>("").len(), 1);
    }
}

/// Goal: what one account is told costs nothing by how many others moderate something.
#[test]
fn rows_of_other_moderators_are_not_read() {
    let (ana, ben) = (AccountId::random(), AccountId::random());
    let mut book = Book::default();
    // Whoever read this row would take it for hers.
    let key = record::row_key(Moderator::KIND, &moderator("zoe", ben).key());
    book.set_other(key, Some(serde_json::to_vec(&moderator("zoe", ana)).unwrap().into()));
    assert!(rooms(&book, ana).is_empty() && rooms(&book, ben).is_empty());
}
