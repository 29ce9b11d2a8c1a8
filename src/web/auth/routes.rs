//! The addresses under `/auth` and `/account`.

use serde_json::json;

use super::{
    address::{self, AddressChange},
    link::LinkForm,
    own_account::{self, AccountChange, ChangedAccount, Leaving, WhatFor},
    password::{self, Forgotten, PasswordChange, Reset},
    session::{self, Done, SessionAnswer},
    sessions::{self, Ended, SignIns},
    sign_in::{self, Credentials, FallbackCredentials, SignedInAnswer},
    sign_up::{self, MailAnswer, NewAccount},
    tokens::{self, MadeToken, NewToken, TokenCards},
    user::User,
    verify::{self, Resend},
};
use crate::web::{
    operation::{
        Access::{Anyone, Session},
        Doc, Shape,
        Verb::{Delete, Get, Patch, Post},
    },
    routes::Routes,
};

/// Adds them.
pub(in crate::web) fn add(routes: Routes) -> Routes {
    let routes = getting_in(routes);
    let routes = super::provider_routes::add(routes);
    let routes = mailed_links(routes);
    own_account(routes)
}

fn getting_in(routes: Routes) -> Routes {
    let auth = |summary| Doc::api(Anyone, "auth", summary);
    let link = |doc: Doc| doc.text("token", "The link's secret.");
    routes
        .on(
            Post,
            "/auth/signup/email",
            sign_up::sign_up_by_email,
            auth("An account with a password, or a link that signs in where none is given")
                .takes(Shape::of::<NewAccount>())
                .answers(202, Shape::of::<MailAnswer>())
                .fails(&[403, 409, 429])
                .changes_accounts(),
        )
        .on(
            Post,
            "/auth/signup/password",
            sign_up::sign_up_with_password,
            auth("An account with a password")
                .takes(Shape::of::<NewAccount>())
                .answers(202, Shape::of::<MailAnswer>())
                .fails(&[403, 409, 429])
                .changes_accounts(),
        )
        .on(
            Post,
            "/auth/login/password",
            sign_in::sign_in_with_password,
            auth("Signs in with a password")
                .takes(Shape::of::<Credentials>())
                .answers(200, Shape::of::<SignedInAnswer>())
                .fails(&[401, 403, 429]),
        )
        .on(
            Post,
            "/auth/login/fallback",
            sign_in::sign_in_in_emergency,
            auth("Signs the emergency admin in, where there is one")
                .takes(Shape::of::<FallbackCredentials>())
                .answers(200, Shape::of::<SignedInAnswer>())
                .fails(&[401, 403, 404, 429]),
        )
        .on(
            Post,
            "/auth/login",
            sign_in::sign_in_in_emergency,
            auth("An older address of the same")
                .takes(Shape::of::<FallbackCredentials>())
                .answers(200, Shape::of::<SignedInAnswer>())
                .fails(&[401, 403, 404, 429]),
        )
        .on(
            Get,
            "/auth/login",
            sign_in::find_login,
            Doc::page(Anyone, "To the login page of a surface")
                .text("surface", "`public`, `creator` or `admin`.")
                .text("reason", "A word that the login page explains.")
                .done(303),
        )
        .on(
            Get,
            "/auth/link",
            sign_in::show_link,
            link(Doc::page(Anyone, "The page of a link that signs in")),
        )
        .on(
            Post,
            "/auth/link",
            sign_in::use_link,
            auth("Signs in with such a link, and goes on to the page after it")
                .own_origin()
                .takes_form(Shape::of::<LinkForm>())
                .done(303)
                .fails(&[403, 429]),
        )
        .on(
            Get,
            "/auth/verify/email",
            verify::show_verification,
            link(Doc::page(Anyone, "The page of a link that verifies an address")),
        )
        .on(
            Post,
            "/auth/verify/email",
            verify::verify_email,
            auth("Verifies an address with such a link, and goes on to the login page")
                .own_origin()
                .takes_form(Shape::of::<LinkForm>())
                .done(303)
                .fails(&[403, 429]),
        )
        .on(
            Post,
            "/auth/verify/resend",
            verify::resend_verification,
            auth("Sends the verification mail again")
                .takes(Shape::of::<Resend>())
                .answers(200, Shape::of::<MailAnswer>())
                .fails(&[403, 429]),
        )
        .on(
            Get,
            "/auth/session",
            session::show_auth_session,
            auth("Who is signed in").answers(200, Shape::of::<SessionAnswer>()).fails(&[401]),
        )
        .on(
            Post,
            "/auth/logout",
            session::sign_out,
            auth("Ends the sign-in of this browser")
                .answers(200, Shape::of::<Done>())
                .fails(&[403]),
        )
        .on(
            Get,
            "/auth/turnstile/config",
            show_turnstile,
            auth("Whether a check for people is made: it is not").answers(
                200,
                Shape::literal(json!({
                    "type": "object",
                    "properties": {"enabled": {"const": false}, "sitekey": {"type": "null"}},
                    "required": ["enabled", "sitekey"],
                })),
            ),
        )
}

/// What links from mails lead to, and how one asks for them.
fn mailed_links(routes: Routes) -> Routes {
    let auth = |summary| Doc::api(Anyone, "auth", summary);
    let account = |summary| Doc::api(Session, "account", summary);
    let page = |summary| Doc::page(Anyone, summary).gives(400, "text/html").fails(&[429]);
    let moving = || {
        account("Sends a link to another address, that the account is to move to")
            .takes(Shape::of::<AddressChange>())
            .answers(202, Shape::of::<MailAnswer>())
            .fails(&[409, 429])
    };
    routes
        .on(
            Post,
            "/auth/password/forgot",
            password::ask_for_reset,
            auth("Sends a link to set another password with")
                .takes(Shape::of::<Forgotten>())
                .answers(200, Shape::of::<MailAnswer>())
                .fails(&[403, 429]),
        )
        .on(
            Get,
            "/auth/password/reset",
            password::show_reset,
            page("The page of such a link").text("token", "The link's secret."),
        )
        .on(
            Post,
            "/auth/password/reset",
            password::reset_password,
            auth("Sets another password with such a link, and ends all sign-ins")
                .takes(Shape::of::<Reset>())
                .or_form()
                .answers(200, Shape::of::<Done>())
                .done(303)
                .gives(400, "text/html")
                .fails(&[403, 429]),
        )
        .on(Post, "/auth/email/change/request", address::ask_for_address, moving())
        .on(Patch, "/account/email", address::ask_for_address, moving())
        .on(
            Get,
            "/auth/email/change/confirm",
            address::show_address_change,
            page("The page of a link that moves an account to another address")
                .text("token", "The link's secret."),
        )
        .on(
            Post,
            "/auth/email/change/confirm",
            address::confirm_address,
            auth("Moves an account to the address that the link was sent to")
                .takes(Shape::of::<LinkForm>())
                .or_form()
                .answers(200, Shape::of::<Done>())
                .gives(200, "text/html")
                .gives(400, "text/html")
                .gives(409, "text/html")
                .fails(&[403, 409, 429])
                .changes_accounts(),
        )
}

/// What people do with their accounts.
fn own_account(routes: Routes) -> Routes {
    let account = |summary| Doc::api(Session, "account", summary);
    routes
        .on(
            Get,
            "/account/me",
            session::show_account,
            account("The account, as it is told of itself").answers(200, Shape::of::<User>()),
        )
        .on(
            Patch,
            "/account/me",
            own_account::change_account,
            account("What others call its owner")
                .takes(Shape::of::<AccountChange>())
                .answers(200, Shape::of::<ChangedAccount>()),
        )
        .on(
            Delete,
            "/account",
            own_account::delete_account,
            account("Deletes the account, with all that is its own")
                .takes(Shape::of::<Leaving>())
                .answers(200, Shape::of::<Done>())
                .fails(&[429]),
        )
        .on(
            Post,
            "/account/onboarding/complete",
            own_account::complete_onboarding,
            account("What the account is for; with a room, that is made")
                .takes(Shape::of::<WhatFor>())
                .answers(200, Shape::of::<ChangedAccount>())
                .fails(&[409, 429]),
        )
        .on(
            Patch,
            "/account/password",
            password::change_password,
            account("Another password, or the first one; other sign-ins end")
                .takes(Shape::of::<PasswordChange>())
                .answers(200, Shape::of::<Done>())
                .fails(&[409, 429]),
        )
        .on(
            Get,
            "/account/sessions",
            sessions::list_sign_ins,
            account("Where the account is signed in").answers(200, Shape::of::<SignIns>()),
        )
        .on(
            Delete,
            "/account/sessions",
            sessions::end_other_sign_ins,
            account("Ends all sign-ins but the one that asks").answers(200, Shape::of::<Ended>()),
        )
        .on(
            Delete,
            "/account/sessions/{id}",
            sessions::end_sign_in,
            account("Ends a sign-in").answers(200, Shape::of::<Done>()).fails(&[404]),
        )
        .on(
            Get,
            "/account/tokens",
            tokens::list_tokens,
            account("The account's API tokens").answers(200, Shape::of::<TokenCards>()),
        )
        .on(
            Post,
            "/account/tokens",
            tokens::add_token,
            account("Makes an API token; it is shown this once")
                .takes(Shape::of::<NewToken>())
                .answers(201, Shape::of::<MadeToken>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/account/tokens/{id}",
            tokens::remove_token,
            account("Takes an API token away").answers(200, Shape::of::<Done>()).fails(&[404]),
        )
}

/// `GET /auth/turnstile/config`: existing login pages ask for it before they show their form.
async fn show_turnstile() -> axum::Json<serde_json::Value> {
    axum::Json(json!({"enabled": false, "sitekey": null}))
}
