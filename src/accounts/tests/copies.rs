//! A copy is put in place: all of it or nothing, and nothing that was taken away comes back.

use super::*;
use crate::storage::Reading;

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";

/// A copy that is made now, and what it shows to whoever puts it in place.
fn copy_of(world: &World) -> ((Database, tempfile::TempDir), Reading) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.redb");
    world.accounts.records().unwrap().write_file(&path).unwrap();
    let copy = Database::open(&path).unwrap();
    let moment = copy.moment().unwrap();
    ((copy, folder), moment)
}

fn open_token(world: &World, email: &str) -> (String, Digest) {
    let id = world.find(email).unwrap().id;
    let new = NewApiToken { name: "bot".to_owned(), days: None };
    let (text, token) = world.accounts.change_now(|change| change.open_token(id, new)).unwrap();
    (text, token.digest)
}

#[tokio::test]
async fn a_copy_has_no_sign_in_no_link_and_no_mail() {
    let world = World::new();
    world.member(ANA).await;
    world.sign_in(ANA, PASSWORD).await.unwrap();
    world.send_link(ANA).await;
    open_token(&world, ANA);
    let link = world.last_mail(ANA).secret;
    let audited = world.audited().await;

    let (_open, copy) = copy_of(&world);
    let elsewhere = World::new();
    // Entries of one moment are in no order.
    elsewhere.advance(1);
    elsewhere.accounts.bring(&copy).unwrap();
    let found = elsewhere.audited().await;
    let book = elsewhere.accounts.book();
    assert_eq!(elsewhere.find(ANA), world.find(ANA));
    assert_eq!((book.sessions().count(), book.count_tickets(), book.count::<Mail>("")), (0, 0, 0));
    assert_eq!((book.count::<ticket::Spent>(""), book.tokens().count()), (0, 1));
    assert!(elsewhere.use_link(&link).await.is_err());
    elsewhere.sign_in(ANA, PASSWORD).await.unwrap();
    assert_eq!(found[..audited.len()], audited);
    assert_eq!(found[audited.len()].0, "accounts_restored");
    assert_eq!(elsewhere.on_disk(), contents(&elsewhere.accounts.book()));
}

#[tokio::test]
async fn what_was_taken_away_or_done_since_stays_so() {
    let world = World::new();
    let ana = world.member(ANA).await;
    let kept = open_token(&world, ANA).1;
    let lost = open_token(&world, ANA).1;
    let (_open, copy) = copy_of(&world);
    let mut ended = world.accounts.ended();

    world.advance(HOUR);
    world
        .accounts
        .change_now(|change| {
            change.remove_token(&lost);
            Ok(())
        })
        .unwrap();
    world.accounts.replace_password(ana.id, OTHER_PASSWORD).await.unwrap();
    let cookie = world.sign_in(ANA, OTHER_PASSWORD).await.unwrap().secret;
    let later = open_token(&world, ANA).1;
    world.member(BEN).await;
    while ended.try_recv().is_ok() {}
    let audited = world.audited().await;

    world.advance(1);
    world.accounts.bring(&copy).unwrap();
    let book = world.accounts.book();
    assert_eq!(world.find(ANA), Some(ana.clone()), "as in the copy");
    assert!(world.find(BEN).is_none() && book.session(&cookie.digest()).is_none());
    assert!(book.token(&kept).is_some() && book.token(&lost).is_none());
    assert!(book.token(&later).is_none());
    assert_eq!(world.audited().await[..audited.len()], audited, "the audit forgets nothing");
    let mut told = Vec::new();
    while let Ok(it) = ended.try_recv() {
        told.push(it);
    }
    assert!(told.contains(&ana.id) && told.len() >= 2, "open sockets of all are looked at");
    assert_eq!(world.on_disk(), contents(&world.accounts.book()));

    // Twice is once: the power may have gone before the copy was noted as taken over.
    let before = contents(&world.accounts.book());
    world.accounts.bring(&copy).unwrap();
    assert_eq!(contents(&world.accounts.book()), before);
}

#[tokio::test]
async fn a_copy_gives_no_moderator_a_right_back_that_was_taken_since() {
    let world = World::new();
    let (ana, ben) = (world.member(ANA).await, world.member(BEN).await);
    let room: CreatorId = "cy".parse().unwrap();
    let invite = async |whom: &Account, rights: &[Right]| {
        let (whom, rights) =
            (Invitee::Code(whom.user_code.clone()), Rights::from_iter(rights.to_vec()));
        let accounts = &world.accounts;
        let asked =
            accounts.invite_moderator(room.clone(), whom, rights, Actor::Operator, origin(1));
        asked.await.unwrap();
    };
    invite(&ana, &[Right::Ban, Right::Hide, Right::Send]).await;
    invite(&ben, &[Right::Hide]).await;
    let (_open, copy) = copy_of(&world);
    invite(&ana, &[Right::Hide, Right::Polls]).await;
    world.accounts.bring(&copy).unwrap();
    let book = world.accounts.book();
    assert_eq!(book.rights_in(&room, ana.id), Rights::from([Right::Hide]));
    assert_eq!(book.rights_in(&room, ben.id), Rights::from([Right::Hide]));
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_counted_and_kept() {
    let world = World::new();
    let rows = [("moderator/cy/nonsense", Some(&b"{}"[..])), ("later/1", Some(&b"{}"[..]))];
    let set = |it: &Database| it.write(|tx| crate::storage::tables::records::set(tx, rows));
    world.accounts.with_database(set).unwrap();
    world.member(ANA).await;
    let again = world.after_power_cut(0);
    let book = again.accounts.book();
    let counted: Vec<_> = book.count_unreadable().into_iter().collect();
    assert_eq!(counted, [("later", 1), ("moderator", 1)]);
    again.member(BEN).await;
    assert_eq!(again.after_power_cut(0).accounts.book().count_unreadable().len(), 2);
}

#[tokio::test]
async fn what_contradicts_itself_changes_nothing() {
    let world = World::new();
    world.member(ANA).await;
    let broken = World::new();
    broken.member(ANA).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.redb");
    broken.accounts.records().unwrap().write_file(&path).unwrap();
    let copy = Database::open(&path).unwrap();
    let rows = [("account/nonsense", Some(&b"{}"[..]))];
    copy.write(|tx| crate::storage::tables::records::set(tx, rows)).unwrap();
    let before = contents(&world.accounts.book());
    assert!(world.accounts.bring(&copy.moment().unwrap()).is_err());
    assert_eq!(contents(&world.accounts.book()), before);
    assert_eq!(world.on_disk(), before);
}

#[tokio::test]
async fn whenever_the_power_goes_all_of_a_copy_is_in_place_or_nothing() {
    let origin = World::new();
    for email in [ANA, "cy@example.com"] {
        origin.member(email).await;
        open_token(&origin, email);
    }
    let (_open, copy) = copy_of(&origin);
    let prepared = World::new();
    prepared.member(BEN).await;
    prepared.sign_in(BEN, PASSWORD).await.unwrap();
    let world = prepared.after_power_cut(0);
    let (begun, before) = (world.disk.operations(), contents(&world.accounts.book()));
    let audited = world.audited().await.len();
    world.accounts.bring(&copy).unwrap();
    let took = world.disk.operations() - begun;
    let after = contents(&world.accounts.book());
    let audited_after = world.audited().await.len();
    let mut nothing = 0;
    for cut in 0..took {
        let world = prepared.after_power_cut(0);
        world.disk.cut_after(world.disk.operations() + cut);
        let done = world.accounts.bring(&copy);
        for luck in 0..5 {
            let again = world.after_power_cut(luck);
            let (found, entries) = (contents(&again.accounts.book()), again.audited().await.len());
            if found == before {
                assert!(done.is_err(), "cut at {cut}: acknowledged and lost");
                assert_eq!(entries, audited);
                nothing += 1;
            } else {
                assert_eq!(found, after, "cut at {cut}: half of it");
                assert_eq!(entries, audited_after);
            }
            again.accounts.bring(&copy).unwrap();
            assert_eq!(contents(&again.accounts.book()), after);
        }
    }
    assert!(took > 2 && nothing > 0);
}
