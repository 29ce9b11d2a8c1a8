//! The addresses of ways in through providers.

use serde_json::json;

use super::{
    methods::{self, AuthMethods, Unlink},
    providers::{self, LinkAnswer},
};
use crate::{
    accounts::oauth::Provider,
    web::{
        operation::{
            Access::{Anyone, Session},
            Doc, Shape,
            Verb::{Delete, Get, Post},
        },
        routes::Routes,
    },
};

/// Adds them.
pub(super) fn add(routes: Routes) -> Routes {
    let account = |summary| Doc::api(Session, "account", summary);
    routes
        .on(
            Get,
            "/auth/login/{provider}",
            providers::begin_at_provider,
            begins("To a provider, to sign in there").path("provider", all()).fails(&[404]),
        )
        .on(Get, "/auth/google", providers::begin_at_older_address, older())
        .on(Get, "/auth/github", providers::begin_at_older_address, older())
        .on(Get, "/auth/discord", providers::begin_at_older_address, older())
        .on(Get, "/oauth/twitch/start", providers::begin_at_older_address, older())
        .on(
            Get,
            "/auth/callback/{provider}",
            providers::come_back,
            ends("Back from Google, GitHub or Twitch")
                .path("provider", one_of(&["google", "github", "twitch"]))
                .fails(&[404]),
        )
        .on(
            Get,
            "/auth/discord/login/callback",
            providers::come_back_from_discord,
            ends("Back from Discord"),
        )
        .on(
            Post,
            "/account/providers/{provider}/link",
            providers::begin_link,
            sets_out(account("Where to go to add a way in"))
                .path("provider", all())
                .answers(200, Shape::of::<LinkAnswer>())
                .fails(&[404, 429]),
        )
        .on(
            Delete,
            "/account/providers/{provider}",
            methods::unlink_provider,
            account("Takes a way in away, but not the last one")
                .path("provider", all())
                .answers(200, Shape::of::<AuthMethods>())
                .fails(&[404, 409]),
        )
        .on(
            Get,
            "/api/account/auth-methods",
            methods::list_auth_methods,
            account("The ways in to the account").answers(200, Shape::of::<AuthMethods>()),
        )
        .on(
            Post,
            "/api/account/auth-methods/unlink",
            methods::unlink_named_provider,
            account("An older address of taking a way in away")
                .takes(Shape::of::<Unlink>())
                .answers(200, Shape::of::<AuthMethods>())
                .fails(&[404, 409])
                .unlisted(),
        )
}

fn one_of(names: &[&str]) -> Shape {
    Shape::literal(json!({"type": "string", "enum": names}))
}

fn all() -> Shape {
    one_of(&Provider::ALL.map(Provider::as_str))
}

fn sets_out(doc: Doc) -> Doc {
    doc.text("surface", "`public`, `creator` or `admin`; a creator's also asks for the platform.")
        .text("return_to", "The page to go on to; `redirect_to` and `next` are older names.")
}

fn begins(summary: &'static str) -> Doc {
    sets_out(Doc::page(Anyone, summary))
        .text("mode", "`link` adds the way in to the account that is signed in.")
        .done(303)
}

fn older() -> Doc {
    begins("An older address of a way to a provider").unlisted()
}

fn ends(summary: &'static str) -> Doc {
    Doc::page(Anyone, summary)
        .text("state", "What was sent along.")
        .text("code", "What the provider says who it is for.")
        .text("error", "The provider's word for what went wrong.")
        .done(303)
}
