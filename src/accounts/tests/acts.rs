//! What admins do to accounts.

use super::*;

fn put(accounts: &Accounts, name: &str, change: impl FnOnce(&mut Account)) -> Arc<Account> {
    let email: Email = format!("{name}@example.com").parse().unwrap();
    let mut account = Account::new(Some(email), name, accounts.now());
    (account.email_verified, account.last_login_at) = (true, Some(accounts.now()));
    change(&mut account);
    accounts.change_now(|it| it.put_account(account)).unwrap()
}

async fn act(accounts: &Accounts, id: AccountId, act: Act) -> Result<Acted, AccountError> {
    accounts.act(id, act, By::operator()).await
}

#[tokio::test]
async fn onboarding_begins_anew_and_says_how_many_sign_ins_that_ended() {
    let world = World::new();
    let ana = put(&world.accounts, "ana", |it| it.onboarding = Onboarding::Completed);
    let done = act(&world.accounts, ana.id, Act::ResetOnboarding).await.unwrap();
    assert!(done.changed && done.account.onboarding == Onboarding::Pending);
    let entry = &world.accounts.list_audit(None, 1).await.unwrap().entries[0];
    assert_eq!(entry.action, "onboarding_reset");
    let told =
        serde_json::json!({"before": "completed", "after": "pending", "sessions_invalidated": 0});
    assert_eq!(serde_json::Value::Object(entry.metadata.clone()), told);
    let again = act(&world.accounts, ana.id, Act::ResetOnboarding).await.unwrap();
    assert!(!again.changed);
}

#[tokio::test]
async fn an_address_that_is_to_be_proven_anew_gets_a_link_that_keeps_the_password() {
    let world = World::new();
    let ana = put(&world.accounts, "ana", |it| it.password = Some("hash".to_owned()));
    act(&world.accounts, ana.id, Act::ForceEmailReverify).await.unwrap();
    let book = world.accounts.book();
    assert!(!book.account(ana.id).unwrap().email_verified);
    let mails: Vec<Mail> = book.list("");
    let link = mails.iter().find_map(|it| match &it.letter {
        Letter::Verify { link, .. } => Some(link.clone()),
        _ => None,
    });
    let secret = link.unwrap().split("token=").nth(1).unwrap().to_owned();
    world.accounts.verify_email(&secret, Origin::default()).await.unwrap();
    let account = world.accounts.book().account(ana.id).cloned().unwrap();
    assert!(account.email_verified);
    assert_eq!(account.password.as_deref(), Some("hash"));
    // One that nobody was ever in would be anybody's.
    let ben = put(&world.accounts, "ben", |it| it.last_login_at = None);
    let refused = act(&world.accounts, ben.id, Act::ForceEmailReverify).await;
    assert!(matches!(refused, Err(AccountError::Refused(_))));
}

/// Links that were mailed to an account, by what they are for.
fn links(world: &World) -> Vec<PurposeKind> {
    let book = world.accounts.book();
    let mut kinds: Vec<_> = book.tickets().map(|it| it.purpose.kind()).collect();
    kinds.sort_unstable();
    kinds
}

/// Mails links of every kind but that which verifies to an account; the one that signs in last.
async fn mail_links(world: &World, account: &Account) {
    let to = Purpose::ChangeEmail { email: address("elsewhere@example.com") };
    let id = account.id;
    let change = |it: &mut Change| {
        it.open_ticket(to, Some(id), 15, Surface::Public, None);
        it.open_ticket(Purpose::ResetPassword, Some(id), 15, Surface::Public, None);
        Ok(())
    };
    world.accounts.change_now(change).unwrap();
    world.send_link(account.email.as_ref().unwrap().as_str()).await;
    let mailed = links(world);
    let expected = [PurposeKind::ChangeEmail, PurposeKind::MagicLink, PurposeKind::ResetPassword];
    assert!(expected.iter().all(|it| mailed.contains(it)), "{mailed:?}");
}

#[tokio::test]
async fn the_last_admin_stays_until_there_is_another_one() {
    let world = World::new();
    let owner = async |email: &str| {
        let signed_in = world.sign_in(email, PASSWORD).await.unwrap();
        let (account, session) = (signed_in.account.id, signed_in.session.digest);
        Owner { account, session, origin: origin(1) }
    };
    let (ana, ben) = ("ana@example.com", "ben@example.com");
    for it in [ana, ben] {
        world.accounts.admit_admin(address(it), Some(PASSWORD)).await.unwrap();
    }
    let delete = async |owner| world.accounts.delete_own_account(owner, Some(PASSWORD)).await;
    delete(owner(ana).await).await.unwrap();
    let refused = delete(owner(ben).await).await.unwrap_err();
    assert!(refused.to_string().contains("last admin"), "{refused}");
    assert!(world.find(ana).is_none() && world.find(ben).is_some());
}

/// Goal: an address that an admin vouches for brings nobody in who signed up with somebody else's.
#[tokio::test]
async fn an_address_that_is_marked_as_proven_leaves_no_password_of_a_stranger() {
    let listed = |it: &mut Config| {
        let listed = [("STREAMSUITES_ADMIN_EMAILS", "ana@example.com")];
        it.secrets = crate::config::Secrets::of(listed);
    };
    let world = World::with(listed);
    world.sign_up("ana@example.com", OTHER_PASSWORD).await.unwrap();
    let ana = world.find("ana@example.com").unwrap();
    let done = act(&world.accounts, ana.id, Act::MarkEmailVerified).await.unwrap();
    assert!(done.changed && done.account.email_verified);
    assert_eq!((&done.account.password, done.account.role), (&None, AccountRole::Admin));
    assert_eq!(links(&world), [PurposeKind::ResetPassword], "a new one, to the mailbox");
    assert!(world.sign_in("ana@example.com", OTHER_PASSWORD).await.is_err());
    // Whoever reads the mail is told, and sets another password.
    assert!(done.password_removed);
    let sent = world.last_mail("ana@example.com");
    assert_eq!(sent.kind, "reset_password");
    world.accounts.reset_password(&sent.secret, PASSWORD, origin(1)).await.unwrap();
    world.sign_in("ana@example.com", PASSWORD).await.unwrap();
    assert_eq!(world.count_audited("email_marked_verified").await, 1);
    assert_eq!(world.count_audited("email_verified").await, 0, "they proved nothing");
    // Whoever was in it before is known.
    let ben = put(&world.accounts, "ben", |it| {
        (it.email_verified, it.password) = (false, Some("hash".to_owned()));
    });
    let done = act(&world.accounts, ben.id, Act::MarkEmailVerified).await.unwrap();
    assert_eq!(done.account.password.as_deref(), Some("hash"));
    assert!(!done.password_removed);
    assert!(world.mails("ben@example.com").is_empty());
    // One that is suspended gets no link: it would not work.
    world.sign_up("cleo@example.com", OTHER_PASSWORD).await.unwrap();
    let cleo = world.find("cleo@example.com").unwrap();
    act(&world.accounts, cleo.id, Act::Suspend).await.unwrap();
    let done = act(&world.accounts, cleo.id, Act::MarkEmailVerified).await.unwrap();
    assert!(done.password_removed && done.account.password.is_none());
    assert_eq!(world.last_mail("cleo@example.com").kind, "verification");
}

#[tokio::test]
async fn moderators_of_a_given_room_go_with_the_account_it_was_given_to() {
    let creators = serde_json::json!({"creators": [
        {"id": "anas", "owner": "ana@example.com"},
        {"id": "bens", "owner": "ben@example.com"},
    ]});
    let world = World::with(|it| it.creators = serde_json::from_value(creators).unwrap());
    let (room, other): (CreatorId, CreatorId) = ("anas".parse().unwrap(), "bens".parse().unwrap());
    let [ana, ben] = ["ana", "ben"].map(|it| put(&world.accounts, it, |_| {}));
    assert!(world.find("ana@example.com").unwrap().owns(&room));
    let invite = async |room: &CreatorId, whom: Invitee| {
        let rights = Rights::from([Right::Hide]);
        let accounts = &world.accounts;
        let asked =
            accounts.invite_moderator(room.clone(), whom, rights, Actor::Operator, origin(1));
        asked.await.unwrap();
    };
    invite(&room, Invitee::Code(ben.user_code.clone())).await;
    invite(&room, Invitee::Email(address("cleo@example.com"))).await;
    invite(&other, Invitee::Code(ana.user_code.clone())).await;
    let mut ended = world.accounts.ended();
    act(&world.accounts, ana.id, Act::Delete).await.unwrap();
    let book = world.accounts.book();
    assert_eq!(book.list::<Moderator>("").len(), 0);
    assert!(book.list_invitations(&room, world.accounts.now()).is_empty());
    assert_eq!(ended.try_recv().unwrap(), ben.id, "what he has open of the room is closed");
}

/// Goal: whoever stole a cookie gets nothing by it that outlasts it.
#[tokio::test]
async fn a_way_in_is_added_over_a_recent_sign_in_alone() {
    let world = World::new();
    world.member("ana@example.com").await;
    let signed_in = world.sign_in("ana@example.com", PASSWORD).await.unwrap();
    let (account, session) = (signed_in.account.id, signed_in.session.digest);
    let owner = Owner { account, session, origin: origin(1) };
    let add = async || {
        let new = NewApiToken { name: "bot".to_owned(), days: None };
        world.accounts.add_token(owner.clone(), new).await
    };
    add().await.unwrap();
    world.advance(15 * 60_000 + 1);
    assert!(matches!(world.accounts.check_recent(&owner), Err(AccountError::SignInAgain)));
    assert!(matches!(add().await, Err(AccountError::SignInAgain)));
    assert_eq!(world.accounts.book().list_tokens(account).len(), 1);
}

#[tokio::test]
async fn an_admin_gives_no_room_that_is_somebody_elses_or_one_too_many() {
    let creators = serde_json::json!({"creators": [
        {"id": "bens", "owner": "ben@example.com"}, {"id": "open"},
    ]});
    let world = World::with(|it| {
        it.creators = serde_json::from_value(creators).unwrap();
        it.system.feed.max_rooms = 3;
        it.tiers.core.features.rooms = Some(9);
    });
    let ana = put(&world.accounts, "ana", |_| {});
    let give = async |rooms: &[&str]| {
        let rooms = rooms.iter().map(|it| it.parse().unwrap()).collect();
        act(&world.accounts, ana.id, Act::SetRooms(rooms)).await
    };
    let refused = give(&["Bens"]).await.unwrap_err().to_string();
    assert!(refused.contains("creators.json"), "{refused}");
    give(&["open", "anas"]).await.unwrap();
    let refused = give(&["open", "anas", "more"]).await.unwrap_err().to_string();
    assert!(refused.contains("as many rooms"), "{refused}");
    give(&["anas"]).await.unwrap();
    give(&["anas", "open"]).await.unwrap();
}

#[tokio::test]
async fn whoever_is_put_out_gets_in_again_by_no_link_that_was_mailed_before() {
    let acts = [Act::InvalidateSessions, Act::Suspend, Act::Delete, Act::ForceEmailReverify];
    for done in acts {
        let world = World::new();
        let ana = put(&world.accounts, "ana", |_| {});
        mail_links(&world, &ana).await;
        let left: &[PurposeKind] =
            if done == Act::ForceEmailReverify { &[PurposeKind::VerifyEmail] } else { &[] };
        act(&world.accounts, ana.id, done.clone()).await.unwrap();
        assert_eq!(links(&world), left, "{done:?}");
    }
    let world = World::new();
    let ana = put(&world.accounts, "ana", |_| {});
    mail_links(&world, &ana).await;
    world.accounts.replace_password(ana.id, PASSWORD).await.unwrap();
    assert!(links(&world).is_empty(), "by the command line");
    mail_links(&world, &ana).await;
    let email = ana.email.clone().unwrap();
    world.accounts.admit_admin(email, Some(OTHER_PASSWORD)).await.unwrap();
    assert!(links(&world).is_empty(), "by the command line");
}

#[tokio::test]
async fn links_that_a_stranger_asked_for_go_with_what_else_they_left() {
    let world = World::new();
    world.sign_up("ana@example.com", OTHER_PASSWORD).await.unwrap();
    let ana = world.find("ana@example.com").unwrap();
    mail_links(&world, &ana).await;
    let link = world.last_mail("ana@example.com").secret;
    world.use_link(&link).await.unwrap();
    assert!(links(&world).is_empty());
}

#[tokio::test]
async fn owners_are_told_of_what_is_done_to_them_and_those_who_are_gone_as_well() {
    let world = World::new();
    let ana = put(&world.accounts, "ana", |_| {});
    act(&world.accounts, ana.id, Act::Suspend).await.unwrap();
    act(&world.accounts, ana.id, Act::Delete).await.unwrap();
    let mails: Vec<Mail> = world.accounts.book().list("");
    let alerts: Vec<_> = mails
        .iter()
        .map(|it| match &it.letter {
            Letter::Alert { what, .. } => what.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(alerts, [Alert::Suspended, Alert::Deleted]);
    assert!(world.accounts.book().is_empty());
}

#[tokio::test]
async fn a_file_or_an_admin_that_says_less_of_a_higher_tier_is_lifted() {
    let world = World::with(|it| it.tiers.core.features.rooms = Some(5));
    let rooms = |world: &World| {
        let book = world.accounts.book();
        Tier::ALL.map(|it| book.tiers().terms(it).features.rooms)
    };
    assert_eq!(rooms(&world), [5, 5, 10]);
    let bypass = Controls { admin_tier_config_bypass: true, ..Controls::default() };
    world
        .accounts
        .change_now(|it| {
            it.set_controls(bypass);
            Ok(())
        })
        .unwrap();
    assert_eq!(rooms(&world), [5, 3, 10]);
    // A tier that is no longer known is the first one.
    let mut stored = serde_json::to_value(&*put(&world.accounts, "ana", |_| {})).unwrap();
    stored["tier"] = "PLATINUM".into();
    let account: Account = serde_json::from_value(stored).unwrap();
    assert_eq!(world.accounts.book().terms_of(&account).id, "core");
}
