//! The addresses under `/auth` and `/account`.

use serde_json::json;

use super::{
    session::{self, Done, SessionAnswer},
    sign_in::{self, Credentials, FallbackCredentials, LinkForm, SignedInAnswer},
    sign_up::{self, MailAnswer, NewAccount},
    user::User,
    verify::{self, Resend},
};
use crate::web::{
    operation::{
        Access::{Anyone, Session},
        Doc, Shape,
        Verb::{Get, Post},
    },
    routes::Routes,
};

/// Adds them.
pub(in crate::web) fn add(routes: Routes) -> Routes {
    let routes = super::provider_routes::add(routes);
    let auth = |summary| Doc::api(Anyone, "auth", summary);
    let account = |summary| Doc::api(Session, "account", summary);
    let link = |doc: Doc| doc.text("token", "The link's secret.");
    routes
        .on(
            Post,
            "/auth/signup/email",
            sign_up::sign_up_by_email,
            auth("An account with a password, or a link that signs in where none is given")
                .takes(Shape::of::<NewAccount>())
                .answers(202, Shape::of::<MailAnswer>())
                .fails(&[403, 409, 429]),
        )
        .on(
            Post,
            "/auth/signup/password",
            sign_up::sign_up_with_password,
            auth("An account with a password")
                .takes(Shape::of::<NewAccount>())
                .answers(202, Shape::of::<MailAnswer>())
                .fails(&[403, 409, 429]),
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
                .fails(&[401, 403, 404, 429])
                .unlisted(),
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
            Doc::page(Anyone, "Signs in with such a link")
                .takes_form(Shape::of::<LinkForm>())
                .done(303)
                .fails(&[403, 429]),
        )
        .on(
            Get,
            "/auth/verify/email",
            verify::verify_email,
            link(Doc::page(Anyone, "Verifies an address, and goes on to the login page"))
                .done(303)
                .fails(&[429]),
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
        .on(
            Get,
            "/account/me",
            session::show_account,
            account("The account, as it is told of itself").answers(200, Shape::of::<User>()),
        )
}

/// `GET /auth/turnstile/config`: existing login pages ask for it before they show their form.
async fn show_turnstile() -> axum::Json<serde_json::Value> {
    axum::Json(json!({"enabled": false, "sitekey": null}))
}
