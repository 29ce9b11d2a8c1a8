//! Somebody else was there first, or comes behind: what they prepared is worth nothing.

use super::*;

const VICTIM: &str = "victim@example.com";

async fn gets_in(world: &World, password: &str) -> bool {
    let tried = world.sign_in(VICTIM, password).await;
    // So that no try slows the next down.
    world.accounts.lockout().forget(&address(VICTIM));
    tried.is_ok()
}

#[tokio::test]
async fn a_password_chosen_by_a_stranger_before_is_gone_once_the_owner_verifies() {
    let world = World::new();
    world.sign_up(VICTIM, OTHER_PASSWORD).await.unwrap();
    world.sign_up(VICTIM, PASSWORD).await.unwrap();
    let own = world.last_mail(VICTIM).secret;
    world.verify(&own).await.unwrap();
    assert!(gets_in(&world, PASSWORD).await);
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
    // The stranger's mail, that lies there as well, does nothing any more.
    let strangers = world.mails(VICTIM)[0].secret.clone();
    assert!(matches!(world.verify(&strangers).await, Err(AccountError::BadTicket)));
    assert!(gets_in(&world, PASSWORD).await);
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
}

#[tokio::test]
async fn a_password_chosen_by_a_stranger_behind_is_gone_once_the_owner_verifies() {
    let world = World::new();
    world.sign_up(VICTIM, PASSWORD).await.unwrap();
    let own = world.last_mail(VICTIM).secret;
    world.sign_up(VICTIM, OTHER_PASSWORD).await.unwrap();
    world.verify(&own).await.unwrap();
    assert!(gets_in(&world, PASSWORD).await);
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
    // And after that, they change nothing and are told nothing.
    world.sign_up(VICTIM, OTHER_PASSWORD).await.unwrap();
    assert_eq!(world.last_mail(VICTIM).kind, "have_account");
    assert!(gets_in(&world, PASSWORD).await);
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
}

/// The mail that is sent again does not know who asked for it: once two people wanted the address, it vouches for
/// nobody's password.
#[tokio::test]
async fn a_mail_sent_again_never_vouches_for_a_strangers_password() {
    for strangers_first in [true, false] {
        let world = World::new();
        let (first, second) =
            if strangers_first { (OTHER_PASSWORD, PASSWORD) } else { (PASSWORD, OTHER_PASSWORD) };
        world.sign_up(VICTIM, first).await.unwrap();
        world.sign_up(VICTIM, second).await.unwrap();
        let resend =
            world.accounts.resend_verification(address(VICTIM), Surface::Public, None, origin(1));
        resend.await.unwrap();
        let again = world.last_mail(VICTIM).secret;
        world.verify(&again).await.unwrap();
        assert!(!gets_in(&world, OTHER_PASSWORD).await);
        assert!(!gets_in(&world, PASSWORD).await);
        world.send_link(VICTIM).await;
        let link = world.last_mail(VICTIM).secret;
        world.use_link(&link).await.unwrap();
    }
    // One person who signs up twice keeps the password.
    let world = World::new();
    world.sign_up(VICTIM, PASSWORD).await.unwrap();
    world.sign_up(VICTIM, PASSWORD).await.unwrap();
    let resend =
        world.accounts.resend_verification(address(VICTIM), Surface::Public, None, origin(1));
    resend.await.unwrap();
    let again = world.last_mail(VICTIM).secret;
    world.verify(&again).await.unwrap();
    assert!(gets_in(&world, PASSWORD).await);
}

#[tokio::test]
async fn no_link_verifies_an_address_while_that_is_switched_off() {
    let world = World::new();
    let switch = |off: bool| {
        let controls = Controls { disable_email_verification: off, ..Controls::default() };
        let set = |change: &mut Change| {
            change.set_controls(controls);
            Ok(())
        };
        world.accounts.change_now(set).unwrap();
    };
    world.member("ana@example.com").await;
    world.sign_up(VICTIM, PASSWORD).await.unwrap();
    for email in [VICTIM, "nobody@example.com", "ana@example.com"] {
        world.send_link(email).await;
        let link = world.last_mail(email).secret;
        let mailed = world.mails(email).len();
        switch(true);
        world.send_link(email).await;
        if email == "ana@example.com" {
            world.use_link(&link).await.unwrap();
            assert_eq!(world.mails(email).len(), mailed + 1, "hers is verified");
            continue;
        }
        let refused = world.use_link(&link).await;
        assert!(matches!(refused, Err(AccountError::SwitchedOff(_))), "{email}: {refused:?}");
        assert_eq!(world.mails(email).len(), mailed, "{email}");
        switch(false);
        assert!(world.use_link(&link).await.unwrap().account.email_verified, "{email}");
    }
}

#[tokio::test]
async fn a_link_by_mail_takes_the_account_without_anything_a_stranger_left_in_it() {
    let world = World::new();
    world
        .accounts
        .sign_up(
            SignUp { display_name: "Call 555-0100 now".to_owned(), ..sign_up(VICTIM) },
            OTHER_PASSWORD,
        )
        .await
        .unwrap();
    // As bad as it could be: by some hole the stranger even has sign-ins, tokens and another way in.
    let id = world.find(VICTIM).unwrap().id;
    let (cookie, token) = world
        .accounts
        .change_now(|change| {
            let mut account = change.find_account(id)?;
            account.providers.push(Linked {
                provider: "discord".to_owned(),
                subject: "666".to_owned(),
                email: None,
                name: None,
                linked_at: change.at(),
            });
            change.put_account(account)?;
            let new = NewSession {
                surface: Surface::Public,
                method: "discord".to_owned(),
                address: None,
                user_agent: String::new(),
                days: 7,
            };
            let cookie = change.open_session(id, new).0;
            let token = change.open_token(id, NewApiToken { name: "x".to_owned(), days: None })?.0;
            Ok((cookie, token))
        })
        .unwrap();
    world.send_link(VICTIM).await;
    let link = world.last_mail(VICTIM).secret;
    let signed_in = world.use_link(&link).await.unwrap();
    let book = world.accounts.book();
    assert!(signed_in.account.email_verified);
    assert_eq!(signed_in.account.password, None);
    assert_eq!(signed_in.account.providers, []);
    assert_eq!(signed_in.account.display_name, "victim");
    assert!(book.find_by_provider("discord", "666").is_none());
    assert!(book.session(&cookie.digest()).is_none());
    assert!(book.token(&Digest::of(&token)).is_none());
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
    assert_eq!(book.list_sessions(signed_in.account.id).len(), 1);
    // The stranger's own verification mail is worth nothing.
    let strangers = world.mails(VICTIM)[0].secret.clone();
    assert!(world.verify(&strangers).await.is_err());
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
}

/// An admin may ask that an address is verified again. The mail that a stranger can have sent then must not change
/// whose account it is.
#[tokio::test]
async fn an_account_that_must_be_verified_again_is_not_up_for_grabs() {
    let world = World::new();
    let id = world.member(VICTIM).await.id;
    world.sign_in(VICTIM, PASSWORD).await.unwrap();
    world
        .accounts
        .change_now(|change| {
            let account = Account { email_verified: false, ..change.find_account(id)? };
            change.put_account(account).map(drop)
        })
        .unwrap();
    assert!(matches!(world.sign_in(VICTIM, PASSWORD).await, Err(AccountError::NotVerified)));
    world.sign_up(VICTIM, OTHER_PASSWORD).await.unwrap();
    assert_eq!(world.last_mail(VICTIM).kind, "have_account");
    let resend =
        world.accounts.resend_verification(address(VICTIM), Surface::Public, None, origin(1));
    resend.await.unwrap();
    let secret = world.last_mail(VICTIM).secret;
    world.verify(&secret).await.unwrap();
    assert!(gets_in(&world, PASSWORD).await);
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
}

/// Goal: an account that is to be verified again comes back whole, by whatever way its owner shows that they read its
/// mail.
#[tokio::test]
async fn an_account_that_must_be_verified_again_comes_back_whole() {
    for by_reset in [false, true] {
        let world = World::new();
        let id = world.member(VICTIM).await.id;
        world.sign_in(VICTIM, PASSWORD).await.unwrap();
        let linked = Linked {
            provider: "discord".to_owned(),
            subject: "7".to_owned(),
            email: None,
            name: None,
            linked_at: world.accounts.now(),
        };
        let (before, token) = world
            .accounts
            .change_now(|change| {
                let mut account = change.find_account(id)?;
                account.providers.push(linked.clone());
                account.avatar_url = Some("https://pictures.example/7".to_owned());
                let account = change.put_account(account)?;
                let new = NewApiToken { name: "bot".to_owned(), days: None };
                Ok((account, change.open_token(id, new)?.1.digest))
            })
            .unwrap();
        world.accounts.act(id, Act::ForceEmailReverify, By::operator()).await.unwrap();
        if by_reset {
            let sent = world.accounts.send_reset_link(address(VICTIM), Surface::Public, origin(1));
            sent.await.unwrap();
            let link = world.last_mail(VICTIM).secret;
            world.accounts.reset_password(&link, OTHER_PASSWORD, origin(1)).await.unwrap();
        } else {
            world.send_link(VICTIM).await;
            let link = world.last_mail(VICTIM).secret;
            world.use_link(&link).await.unwrap();
        }
        let now = world.find(VICTIM).unwrap();
        assert!(now.email_verified);
        assert_eq!(now.display_name, before.display_name);
        assert_eq!((&now.providers, &now.avatar_url), (&before.providers, &before.avatar_url));
        assert!(world.accounts.book().token(&token).is_some());
        assert!(gets_in(&world, if by_reset { OTHER_PASSWORD } else { PASSWORD }).await);
        assert!(!gets_in(&world, if by_reset { PASSWORD } else { OTHER_PASSWORD }).await);
    }
}

/// Goal: a stranger's password is gone by whatever way the owner of the address comes; none makes the account look as
/// if somebody had been in it.
#[tokio::test]
async fn a_stranger_who_cannot_verify_never_was_in_the_account() {
    let world = World::new();
    world.sign_up(VICTIM, OTHER_PASSWORD).await.unwrap();
    let tried = world.sign_in(VICTIM, OTHER_PASSWORD).await;
    assert!(matches!(tried, Err(AccountError::NotVerified)), "{tried:?}");
    let id = world.find(VICTIM).unwrap().id;
    let forced = world.accounts.act(id, Act::ForceEmailReverify, By::operator()).await;
    assert!(matches!(forced, Err(AccountError::Refused(_))), "{forced:?}");
    assert_eq!(world.find(VICTIM).unwrap().last_login_at, None);
    let sent = world.accounts.send_reset_link(address(VICTIM), Surface::Public, origin(1));
    sent.await.unwrap();
    let link = world.last_mail(VICTIM).secret;
    world.accounts.reset_password(&link, PASSWORD, origin(1)).await.unwrap();
    assert!(gets_in(&world, PASSWORD).await);
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
    assert_eq!(world.find(VICTIM).unwrap().display_name, "victim");
}

/// Whoever operates the server vouches for an address, and not for what a stranger left there.
#[tokio::test]
async fn an_admin_is_made_without_what_a_stranger_prepared() {
    let world = World::new();
    world.sign_up(VICTIM, OTHER_PASSWORD).await.unwrap();
    let strangers = world.last_mail(VICTIM).secret;
    let (account, made) = world.accounts.admit_admin(address(VICTIM), None).await.unwrap();
    assert_eq!((made, account.role, account.email_verified), (false, AccountRole::Admin, true));
    assert_eq!(account.password, None);
    assert!(world.verify(&strangers).await.is_err());
    assert!(!gets_in(&world, OTHER_PASSWORD).await);
    world.accounts.replace_password(account.id, PASSWORD).await.unwrap();
    assert!(gets_in(&world, PASSWORD).await);
    assert_eq!(world.accounts.replace_password(account.id, OTHER_PASSWORD).await.unwrap(), 1);
    assert!(world.accounts.book().list_sessions(account.id).is_empty());
    assert!(!gets_in(&world, PASSWORD).await);
}

#[tokio::test]
async fn nobody_learns_from_an_answer_whether_an_address_has_an_account() {
    let world = World::new();
    world.member("known@example.com").await;
    world.sign_up("waiting@example.com", PASSWORD).await.unwrap();
    let suspended = world.member("suspended@example.com").await.id;
    world
        .accounts
        .change_now(|change| {
            let account = change.find_account(suspended)?;
            change.put_account(Account { status: AccountStatus::Suspended, ..account }).map(drop)
        })
        .unwrap();
    for email in
        ["known@example.com", "waiting@example.com", "suspended@example.com", "new@example.com"]
    {
        let wrong = world.sign_in(email, OTHER_PASSWORD).await;
        assert!(matches!(wrong, Err(AccountError::WrongPassword)), "{email}: {wrong:?}");
        world.accounts.send_magic_link(sign_up(email)).await.unwrap();
        let resend =
            world.accounts.resend_verification(address(email), Surface::Public, None, origin(1));
        resend.await.unwrap();
        world.sign_up(email, OTHER_PASSWORD).await.unwrap();
    }
    assert_eq!(world.mails("suspended@example.com").pop().unwrap().kind, "have_account");
    assert!(world.mails("suspended@example.com").iter().all(|it| it.kind != "magic_link"));

    // Nor by what it costs the disk.
    let mut costs = Vec::new();
    for email in
        ["known@example.com", "waiting@example.com", "suspended@example.com", "n2@example.com"]
    {
        let before = world.disk.operations();
        world.sign_in(email, OTHER_PASSWORD).await.unwrap_err();
        costs.push(world.disk.operations() - before);
    }
    assert_eq!(costs, [0; 4]);
}

#[tokio::test]
async fn a_server_that_is_full_says_so_to_everybody_alike() {
    let world = World::with(|config| config.system.auth.max_accounts = 2);
    world.member("a@example.com").await;
    world.sign_up("b@example.com", PASSWORD).await.unwrap();
    // Whoever has not shown that they are somebody gives way.
    world.member("c@example.com").await;
    assert!(world.find("b@example.com").is_none());
    for email in ["a@example.com", "c@example.com", "d@example.com"] {
        let refused = world.sign_up(email, PASSWORD).await;
        assert!(matches!(refused, Err(AccountError::Refused(_))), "{email}: {refused:?}");
    }
    world.send_link("d@example.com").await;
    let link = world.last_mail("d@example.com").secret;
    assert!(matches!(world.use_link(&link).await, Err(AccountError::Refused(_))));
    assert_eq!(world.accounts.book().len(), 2);
}

#[tokio::test]
async fn look_alikes_are_different_people() {
    let world = World::new();
    let names = ["ana@example.com", "аna@example.com", "ana@exаmple.com", "äna@example.com"];
    for email in names {
        world.member(email).await;
    }
    assert_eq!(world.accounts.book().len(), names.len());
    // One address in two spellings is one.
    world.sign_up("A\u{308}NA@EXAMPLE.COM", OTHER_PASSWORD).await.unwrap();
    assert_eq!(world.accounts.book().len(), names.len());
    assert_eq!(world.last_mail("äna@example.com").kind, "have_account");
}

#[tokio::test]
async fn an_admins_address_makes_an_admin_once_it_is_verified_and_no_look_alike() {
    let listed = |config: &mut Config| {
        config.secrets =
            crate::config::Secrets::of([("STREAMSUITES_ADMIN_EMAILS", "Boss@Example.com, x@y.zz")]);
    };
    let world = World::with(listed);
    world.sign_up("boss@example.com", PASSWORD).await.unwrap();
    assert_eq!(world.find("boss@example.com").unwrap().role, AccountRole::default());
    assert!(world.sign_in("boss@example.com", PASSWORD).await.is_err());
    let secret = world.last_mail("boss@example.com").secret;
    world.verify(&secret).await.unwrap();
    assert_eq!(world.find("boss@example.com").unwrap().role, AccountRole::Admin);
    assert_eq!(world.count_audited("role_changed").await, 1);
    for other in ["bоss@example.com", "boss@exаmple.com"] {
        assert_eq!(world.member(other).await.role, AccountRole::default(), "{other}");
        world.sign_in(other, PASSWORD).await.unwrap();
        assert_eq!(world.find(other).unwrap().role, AccountRole::default(), "{other}");
    }
}
