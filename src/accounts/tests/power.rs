//! The power goes after every single operation of the disk, and the disk refuses: all of a change is there, or nothing.

use std::io::ErrorKind;

use super::*;

/// Something that is done to a world that was made ready for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    SignUp,
    SignUpAgain,
    Verify,
    SendLink,
    UseLinkOfNobody,
    UseLinkOfPrepared,
    SignIn,
    FiftyFirstSignIn,
    EndSession,
    EndAllSessions,
    OpenToken,
    RemoveAccount,
    Tidy,
}

const FLOWS: [Flow; 13] = [
    Flow::SignUp,
    Flow::SignUpAgain,
    Flow::Verify,
    Flow::SendLink,
    Flow::UseLinkOfNobody,
    Flow::UseLinkOfPrepared,
    Flow::SignIn,
    Flow::FiftyFirstSignIn,
    Flow::EndSession,
    Flow::EndAllSessions,
    Flow::OpenToken,
    Flow::RemoveAccount,
    Flow::Tidy,
];

const ANA: &str = "ana@example.com";
const BEN: &str = "ben@example.com";

impl Flow {
    /// Ben is always there, whom none of it concerns.
    async fn prepare(self, world: &World) {
        world.member(BEN).await;
        match self {
            Self::SignUp | Self::SendLink => {}
            Self::SignUpAgain => world.sign_up(ANA, OTHER_PASSWORD).await.unwrap(),
            Self::Verify => world.sign_up(ANA, PASSWORD).await.unwrap(),
            Self::UseLinkOfNobody => world.send_link(ANA).await,
            Self::UseLinkOfPrepared => {
                world.sign_up(ANA, OTHER_PASSWORD).await.unwrap();
                world.send_link(ANA).await;
            }
            Self::SignIn => drop(world.member(ANA).await),
            Self::FiftyFirstSignIn => {
                world.member(ANA).await;
                let id = world.find(ANA).unwrap().id;
                world
                    .accounts
                    .change_now(|change| {
                        for _ in 0..50 {
                            change.open_session(id, session());
                        }
                        Ok(())
                    })
                    .unwrap();
            }
            Self::EndSession
            | Self::EndAllSessions
            | Self::OpenToken
            | Self::RemoveAccount
            | Self::Tidy => {
                world.member(ANA).await;
                for _ in 0..2 {
                    world.sign_in(ANA, PASSWORD).await.unwrap();
                }
                open_token(world).unwrap();
                world.send_link(ANA).await;
                if self == Self::Tidy {
                    world.advance(30 * DAY);
                }
            }
        }
    }

    async fn run(self, world: &World) -> Result<(), AccountError> {
        let accounts = &world.accounts;
        let ana = || world.find(ANA).unwrap().id;
        match self {
            Self::SignUp | Self::SignUpAgain => world.sign_up(ANA, PASSWORD).await,
            Self::Verify => {
                let secret = world.last_mail(ANA).secret;
                world.verify(&secret).await.map(drop)
            }
            Self::SendLink => accounts.send_magic_link(sign_up(ANA)).await,
            Self::UseLinkOfNobody | Self::UseLinkOfPrepared => {
                let secret = world.last_mail(ANA).secret;
                world.use_link(&secret).await.map(drop)
            }
            Self::SignIn | Self::FiftyFirstSignIn => world.sign_in(ANA, PASSWORD).await.map(drop),
            Self::EndSession => {
                let session = accounts.book().list_sessions(ana())[0].id;
                accounts.end_session(ana(), session, origin(1)).await
            }
            Self::EndAllSessions => {
                let id = ana();
                accounts
                    .change(move |change| {
                        change.end_sessions(id, None);
                        Ok(())
                    })
                    .await
            }
            Self::OpenToken => open_token(world),
            Self::RemoveAccount => {
                let id = ana();
                accounts
                    .change(move |change| {
                        change.remove_account(id);
                        Ok(())
                    })
                    .await
            }
            Self::Tidy => accounts.tidy(),
        }
    }
}

fn session() -> NewSession {
    NewSession {
        surface: Surface::Public,
        method: "password".to_owned(),
        address: None,
        user_agent: String::new(),
        days: 7,
    }
}

fn open_token(world: &World) -> Result<(), AccountError> {
    let id = world.find(ANA).unwrap().id;
    let new = NewApiToken { name: "bot".to_owned(), days: Some(7) };
    world.accounts.change_now(|change| change.open_token(id, new).map(drop))
}

/// Counts of each kind of row: what a flow comes to, whatever its secrets and times are.
fn shape(lines: &[String]) -> Vec<(String, usize)> {
    let mut counted: Vec<(String, usize)> = Vec::new();
    for line in lines {
        let kind = line.split_once(' ').unwrap().0;
        match counted.last_mut().filter(|it| it.0 == kind) {
            Some(it) => it.1 += 1,
            None => counted.push((kind.to_owned(), 1)),
        }
    }
    counted
}

/// No row speaks of what is not there.
fn check_whole(book: &Book, flow: Flow) {
    for it in book.sessions() {
        assert!(book.account(it.account).is_some(), "{flow:?}: a session of nobody");
        assert_eq!(book.list_sessions(it.account).iter().filter(|o| o.id == it.id).count(), 1);
    }
    for it in book.tokens() {
        assert!(book.account(it.account).is_some(), "{flow:?}: a token of nobody");
    }
    for it in book.tickets().filter_map(|it| it.account) {
        assert!(book.account(it).is_some(), "{flow:?}: a ticket of nobody");
    }
    // Whoever waits for a mail has a ticket that its link opens.
    for mail in book.list::<Mail>("") {
        let received = Received::of(&mail);
        let digest = Digest::of(&received.secret);
        let spent = book.find::<ticket::Spent>(&digest.hex()).is_some();
        let removed = mail.account.is_some_and(|it| book.account(it).is_none());
        let used = book.find_by_email(&mail.to).is_some_and(|it| it.email_verified);
        let works = book.ticket(&digest).is_some();
        let fine = received.secret.is_empty() || works || spent || removed || used;
        assert!(fine || flow == Flow::Tidy, "{flow:?}: a mail whose link opens nothing");
    }
}

#[tokio::test]
async fn whenever_the_power_goes_all_of_a_change_is_there_or_nothing() {
    for flow in FLOWS {
        // How many operations it takes, and what it comes to.
        let prepared = World::new();
        flow.prepare(&prepared).await;
        let world = prepared.after_power_cut(0);
        let (begun, before) = (world.disk.operations(), contents(&world.accounts.book()));
        flow.run(&world).await.unwrap();
        let took = world.disk.operations() - begun;
        let after = contents(&world.accounts.book());
        assert_ne!(before, after, "{flow:?} changes something");
        assert_eq!(world.on_disk(), after, "{flow:?}: memory is what the disk holds");
        check_whole(&world.accounts.book(), flow);
        assert!(took > 2, "{flow:?} writes");

        let mut nothing = 0;
        for cut in 0..took {
            let world = prepared.after_power_cut(0);
            assert_eq!(contents(&world.accounts.book()), before);
            let audited = world.audited().await.len();
            world.disk.cut_after(world.disk.operations() + cut);
            let done = flow.run(&world).await;
            for luck in 0..3 {
                let again = world.after_power_cut(luck);
                let found = contents(&again.accounts.book());
                let entries = again.audited().await.len();
                check_whole(&again.accounts.book(), flow);
                if found == before {
                    assert!(done.is_err(), "{flow:?} cut at {cut}: acknowledged and lost");
                    assert_eq!(entries, audited, "{flow:?} cut at {cut}: an audit of nothing");
                    nothing += 1;
                } else {
                    assert_eq!(shape(&found), shape(&after), "{flow:?} cut at {cut}: half of it");
                    let silent = matches!(
                        flow,
                        Flow::EndAllSessions | Flow::OpenToken | Flow::RemoveAccount | Flow::Tidy
                    );
                    assert!(silent || entries > audited, "{flow:?} cut at {cut}: not audited");
                }
                // Life goes on.
                again.sign_in(BEN, PASSWORD).await.unwrap();
                assert_eq!(again.on_disk(), contents(&again.accounts.book()));
            }
        }
        assert!(nothing > 0, "{flow:?} was never cut before it was there");
    }
}

#[tokio::test]
async fn while_the_disk_refuses_nothing_changes_and_afterwards_all_goes_on() {
    for flow in FLOWS {
        let prepared = World::new();
        flow.prepare(&prepared).await;
        for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied] {
            let world = prepared.after_power_cut(0);
            let (before, audited) = (contents(&world.accounts.book()), world.audited().await);
            world.disk.refuse(Some(kind));
            for _ in 0..2 {
                let refused = flow.run(&world).await;
                assert!(matches!(refused, Err(AccountError::Storage(_))), "{flow:?} {refused:?}");
                assert_eq!(contents(&world.accounts.book()), before, "{flow:?}");
            }
            // Whoever only reads is served meanwhile.
            assert!(world.find(BEN).is_some());
            world.disk.refuse(None);
            assert_eq!(world.on_disk(), before, "{flow:?}");
            assert_eq!(world.audited().await, audited, "{flow:?}");
            flow.run(&world).await.unwrap();
            assert_ne!(contents(&world.accounts.book()), before, "{flow:?}");
            assert_eq!(world.on_disk(), contents(&world.accounts.book()), "{flow:?}");
        }
    }
}

/// A write that was reported as failed may be there after all: memory learns of it, and so does whoever has a socket
/// of what ended by it.
#[tokio::test]
async fn what_the_disk_kept_although_it_said_no_is_true_and_told() {
    let world = World::new();
    let ana = world.member(ANA).await;
    world.sign_in(ANA, PASSWORD).await.unwrap();
    world.sign_in(ANA, PASSWORD).await.unwrap();
    let kept = world.accounts.book().list_sessions(ana.id)[0].clone();
    kept.touch(kept.last_seen_at().plus_ms(HOUR));
    let mut ended = world.accounts.ended();
    // The first refusal makes it let go of the file; behind its back the file then changes.
    world.disk.refuse(Some(ErrorKind::StorageFull));
    assert!(world.sign_in(ANA, PASSWORD).await.is_err());
    world.disk.refuse(None);
    let behind = open(&world.disk, &world.now, config(|_| {})).unwrap();
    let gone = behind.book().list_sessions(ana.id)[1].id;
    behind.end_session(ana.id, gone, origin(1)).await.unwrap();
    drop(behind);
    assert_eq!(world.accounts.book().list_sessions(ana.id).len(), 2);

    world.sign_in(BEN, PASSWORD).await.unwrap_err();
    world.accounts.list_audit(None, 1).await.unwrap();
    let left = world.accounts.book().list_sessions(ana.id);
    assert_eq!(left.len(), 1);
    assert_eq!(ended.try_recv().unwrap(), ana.id);
    assert_eq!(left[0].last_seen_at(), kept.last_seen_at(), "what only memory knew is kept");
}
