//! What somebody does with their account, once they have one.

use serde_json::{Value, json};

use crate::{
    accounts::{ANA, PANEL, PASSWORD, says, sign_up},
    support::{TestServer, browser::Browser},
};

/// The words beside a field.
fn fault_of(field: &str) -> String {
    format!("document.querySelector('#{field}-fault').textContent")
}

/// What a change with a token, and with nothing else of this browser's, is answered with: nobody's is 401.
fn asks_with(token: &str) -> String {
    let headers =
        json!({ "authorization": format!("Bearer {token}"), "content-type": "application/json" });
    format!(
        "fetch('/api/rooms', {{ method: 'POST', credentials: 'omit', headers: {headers}, body: '{{}}' }}).then((it) => it.status)"
    )
}

/// Goal: whoever is new is asked what for, names a room by keys alone, is told when that name is somebody else's, and
/// stands before the room's link with the cursor where a channel goes.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_names_a_room_and_stands_before_its_link() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    sign_up(&server, &page, ANA).await;
    page.sign_in(ANA, PASSWORD).await;
    page.until(&says("What brings you here?")).await;
    page.until_is("document.querySelector('#room').value", "Ana").await;
    page.assert_clean(&server.url("")).await;
    page.tab_to("#room").await;
    page.hit("Enter").await;
    page.until(&format!("{} !== ''", fault_of("room"))).await;
    page.until_is("document.activeElement.id", "room").await;
    page.eval("document.querySelector('#room').select()").await;
    page.write("no such name").await;
    page.hit("Enter").await;
    page.until(&format!("{}.startsWith('Letters, digits')", fault_of("room"))).await;
    page.eval("document.querySelector('#room').select()").await;
    page.write("anas_place").await;
    page.until("document.querySelector('#room-link').textContent.endsWith('/overlay/anas_place')")
        .await;
    page.hit("Enter").await;
    page.until_is("location.pathname", "/").await;
    page.until(&says("anas_place")).await;
    page.until("document.activeElement.closest('.is-new .another') !== null").await;
    let link = "document.querySelector('.is-new input[readonly]')?.value ?? document.querySelector('.is-new code').textContent";
    let link = page.eval(link).await;
    let link = link.as_str().unwrap().to_owned();

    // The link is one for OBS: it works in a browser that nobody is signed in with.
    let obs = Browser::launch().await;
    let overlay = obs.open(&link).await;
    overlay.until("document.querySelector('#chat') !== null").await;
    obs.close().await;

    page.go(&server.url("/account")).await;
    page.until(&says("anas_place")).await;
    assert_eq!(page.eval(&says("What brings you here?")).await, false);
    // One more than the tier allows is refused beside its name.
    page.eval("document.querySelector('#another-room-words').parentElement.open = true").await;
    page.type_into("#another-room", "one_more").await;
    page.hit("Enter").await;
    page.until(&format!("{}.includes('as many rooms as it may')", fault_of("another-room"))).await;
    browser.close().await;
    server.stop().await;
}

/// Goal: a token is shown once, works, and stops working when it is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_works_until_it_is_deleted() {
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    let ana = server.put_person("Ana", ANA).await;
    page.become_person(&ana).await;
    page.go(&server.url("/account")).await;
    page.until_is("document.querySelector('#name').textContent", "Ana").await;
    page.type_into("#token-name", "Stream Deck").await;
    page.hit("Enter").await;
    page.until("document.querySelector('#token-text').textContent.startsWith('sst_')").await;
    let token = page.eval("document.querySelector('#token-text').textContent").await;
    let token = token.as_str().unwrap().to_owned();
    assert_eq!(page.eval(&asks_with(&token)).await, 403, "known, and no creator");
    page.click("#forget-token").await;
    page.until("document.querySelector('#new-token').hidden").await;
    let inside = format!("document.documentElement.outerHTML.includes({token:?})");
    assert_eq!(page.eval(&inside).await, false);
    page.go(&server.url("/account")).await;
    page.until(&says("Stream Deck")).await;
    assert_eq!(page.eval(&inside).await, false);

    page.click("#token-list .removal").await;
    page.until("document.querySelector('#token-list .removal')?.dataset.armed === ''").await;
    page.click("#token-list .removal").await;
    page.until("document.querySelectorAll('#token-list li').length === 0").await;
    assert_eq!(page.eval(&asks_with(&token)).await, 401);
    browser.close().await;
    server.stop().await;
}

/// Goal: address and password are changed by whoever knows the password, other browsers are out then, and who leaves is
/// gone. What is wrong is said beside its field.
#[tokio::test(flavor = "multi_thread")]
async fn address_and_password_are_changed_and_the_account_is_left() {
    const NEW: &str = "ana@new.example.com";
    const OTHER: &str = "another walk, another day";
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    sign_up(&server, &page, ANA).await;
    page.sign_in(ANA, PASSWORD).await;
    page.eval("for (const it of document.querySelectorAll('details')) it.open = true").await;

    page.type_into("#new-email", NEW).await;
    page.type_into("#email-password", "not it at all").await;
    page.hit("Enter").await;
    page.until_is(&fault_of("email-password"), "That is not your password.").await;
    page.until_is("document.activeElement.id", "email-password").await;
    page.write(PASSWORD).await;
    page.hit("Enter").await;
    page.until(&says(&format!("Look into the mailbox of {NEW}"))).await;
    page.until_is("document.querySelector('#email-password').value", "").await;
    page.go(&server.mailed(NEW, "/auth/email/change/confirm?token=").await).await;
    page.until(&says(NEW)).await;
    page.click(".primary").await;
    page.until(&format!("!location.pathname.startsWith('/auth/email') || {}", says("changed")))
        .await;
    page.go(&server.url("/account")).await;
    page.until_is("location.pathname", "/account").await;
    page.until_is("document.querySelector('#email').textContent", NEW).await;

    let elsewhere = Browser::launch().await;
    let other = elsewhere.open(&server.url("/login")).await;
    other.sign_in(NEW, PASSWORD).await;
    page.type_into("#current-password", PASSWORD).await;
    page.type_into("#new-password", OTHER).await;
    page.hit("Enter").await;
    page.until(&says("Your password is changed, and every other browser is signed out.")).await;
    other.go(&server.url("/login")).await;
    other.sign_in(NEW, OTHER).await;

    page.eval("for (const it of document.querySelectorAll('details')) it.open = true").await;
    page.type_into("#delete-password", OTHER).await;
    page.type_into("#delete-code", "me").await;
    page.hit("Enter").await;
    page.until(&format!("{}.startsWith('Type ')", fault_of("delete-code"))).await;
    let code = page.eval("document.querySelector('#delete-code-words').textContent").await;
    page.eval("document.querySelector('#delete-code').select()").await;
    page.write(code.as_str().unwrap()).await;
    page.hit("Enter").await;
    page.until_is("location.pathname + location.search", "/login?reason=deleted").await;
    other.go(&server.url("/account")).await;
    other.until_is("location.pathname", "/login").await;
    other.type_into("#sign-in-email", NEW).await;
    other.type_into("#sign-in-password", OTHER).await;
    other.hit("Enter").await;
    other.until(&says("That address and password do not belong together.")).await;
    elsewhere.close().await;
    browser.close().await;
    server.stop().await;
}

/// Goal: somebody who is asked by mail, and has no account yet, becomes a moderator by what the pages offer.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_asked_by_mail_signs_up_and_moderates() {
    const MO: &str = "mo@example.com";
    let server = TestServer::start().await;
    let browser = Browser::launch().await;
    let page = browser.open(&server.url(&server.server.sign_in)).await;
    page.until_is("location.pathname", "/").await;
    page.go(&server.url("/dashboard?room=ana")).await;
    page.until("document.querySelector('#moderator-preset').value === 'moderator'").await;
    page.type_into("#moderator-to", MO).await;
    page.hit("Enter").await;
    page.until(&says("Asked: there is a mail on its way to them.")).await;

    let invitation = server.mailed(MO, "/invitation?token=").await;
    // The operator has no account to accept with, and is not sent around for one.
    page.go(&invitation).await;
    page.until(&says("you may do all of that already")).await;
    assert_eq!(page.count("a.primary, #accept").await, 0);

    let theirs = Browser::launch().await;
    let mo = theirs.open(&invitation).await;
    mo.until(&says("Moderate ana?")).await;
    mo.click(".primary").await;
    mo.until_is("location.pathname", "/login").await;
    mo.until_is(PANEL, "sign-in").await;
    mo.eval("location.hash = 'link'").await;
    mo.until_is(PANEL, "link").await;
    mo.type_into("#link-email", MO).await;
    mo.hit("Enter").await;
    mo.until(&says("We sent a link to")).await;
    mo.go(&server.mailed(MO, "/auth/link?token=").await).await;
    mo.click(".primary").await;
    mo.until_is("location.pathname", "/invitation").await;
    mo.until("document.readyState === 'complete' && document.querySelector('#accept') !== null")
        .await;
    mo.click("#accept").await;
    mo.until_is("location.pathname", "/chat/ana").await;
    mo.until("document.querySelector('#queue-button')?.hidden === false").await;
    mo.assert_clean(&server.url("")).await;
    mo.go(&invitation).await;
    mo.until(&says("This link no longer works")).await;
    theirs.close().await;
    browser.close().await;
    server.stop().await;
}

/// Goal: whatever people call themselves is text on every page that shows it.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_people_are_text_wherever_they_stand() {
    const NAMES: [&str; 4] = [
        "<img src=x onerror=\"window.__xss=1\">",
        "</script><script>window.__xss=1</script>",
        "\"><svg onload=window.__xss=1>",
        "{{7*7}} ${7*7} <!--",
    ];
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        people.push(server.put_person(name, &format!("p{number}@example.com")).await);
    }
    let browser = Browser::launch().await;
    let page = browser.open(&server.url("/login")).await;
    for (person, name) in people.iter().zip(NAMES) {
        page.become_person(person).await;
        for path in ["/account", "/"] {
            page.go(&server.url(path)).await;
            page.until(&says(name)).await;
            page.assert_clean(&server.url("")).await;
            assert_eq!(page.eval("window.__xss ?? null").await, Value::Null, "{name} on {path}");
        }
    }
    let operators = Browser::launch().await;
    let page = operators.open(&server.url(&server.server.sign_in)).await;
    page.until_is("location.pathname", "/").await;
    page.go(&server.url("/dashboard?room=ana")).await;
    page.until("document.querySelector('#moderator-preset').value === 'moderator'").await;
    for person in &people {
        page.type_into("#moderator-to", &person.code).await;
        page.hit("Enter").await;
        page.until("document.querySelector('#moderators-error').textContent || document.querySelector('#moderator-to').value === ''").await;
        assert_eq!(page.eval("document.querySelector('#moderators-error').textContent").await, "");
    }
    let moderators =
        "[...document.querySelectorAll('#moderators .key-name')].map((it) => it.textContent)";
    page.until_is(moderators, json!(NAMES)).await;
    page.go(&server.url("/admin")).await;
    for name in NAMES {
        page.until(&says(name)).await;
    }
    page.click(".name-button").await;
    page.until("document.querySelector('#drawer').open").await;
    page.eval("location.hash = 'audit'").await;
    page.assert_clean(&server.url("")).await;
    assert_eq!(page.eval("window.__xss ?? null").await, Value::Null);
    operators.close().await;
    browser.close().await;
    server.stop().await;
}
