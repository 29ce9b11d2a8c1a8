//! The addresses of pages.

use serde_json::json;

use super::{account, admin, chat, dashboard, desk, home, invitation, login, overlay, replay};
use crate::web::{
    operation::{
        Access::{Anyone, Creator, Lister, Local, Moderator, Operator, Reader, Session},
        Doc, Shape,
        Verb::Get,
    },
    routes::Routes,
};

/// Adds them.
pub(in crate::web) fn add(routes: Routes) -> Routes {
    let shown = |summary| Doc::page(Reader, summary);
    let styled = |summary| shown(summary).text("theme", "The theme, where not the room's.");
    routes
        .on(
            Get,
            "/",
            home::show_home,
            Doc::page(Anyone, "Where to go next for the operator, the way in for everybody else"),
        )
        .on(
            Get,
            "/dashboard",
            dashboard::show_dashboard,
            Doc::page(Creator, "How a room looks, set with a live preview")
                .text("room", "Which room; the first when nothing is said."),
        )
        .on(
            Get,
            "/invitation",
            invitation::show_invitation,
            Doc::page(Anyone, "Asks whoever was invited whether they want to moderate a room")
                .text("token", "The link's secret.")
                .fails(&[404, 429]),
        )
        .on(
            Get,
            "/login",
            login::show_login,
            Doc::page(Anyone, "The way in; whoever is signed in goes on")
                .text("surface", "`public`, `creator` or `admin`.")
                .text("reason", "A word that the page explains.")
                .text("verified", "`1`: an address was just verified.")
                .text("return_to", "The page to go on to, of this server or of a surface.")
                .done(303),
        )
        .on(
            Get,
            "/account",
            account::show_account_page,
            Doc::page(Session, "What somebody does with their account"),
        )
        .on(
            Get,
            "/admin",
            admin::show_admin,
            Doc::page(Operator, "Everybody's accounts, and what is switched off for all"),
        )
        .on(
            Get,
            "/auth/operator",
            home::sign_in,
            Doc::page(Local, "The link printed at the start: signs the operator in, once")
                .needs("token", Shape::literal(json!({"type": "string"})), "The link's secret.")
                .done(303),
        )
        .on(Get, "/overlay/{room}", overlay::show_overlay, styled("What OBS shows"))
        .on(Get, "/overlay/{room}/", overlay::show_overlay, styled("What OBS shows").unlisted())
        .on(
            Get,
            "/overlay/{room}/loader.html",
            overlay::download_loader,
            Doc::api(Reader, "pages", "A file for OBS that waits for the server")
                .own_origin()
                .gives(200, "text/html"),
        )
        .on(Get, "/chat/{room}", chat::show_chat, shown("The chat in a window or an OBS dock"))
        .on(
            Get,
            "/chat/{room}/",
            chat::show_chat,
            shown("The chat in a window or an OBS dock").unlisted(),
        )
        .on(
            Get,
            "/mod/{room}",
            desk::show_desk,
            Doc::page(Moderator, "The chat with a moderator's tools beside it"),
        )
        .on(
            Get,
            "/livechat",
            chat::show_live_chat,
            Doc::page(Lister, "The rooms that can be read, each with its chat"),
        )
        .on(Get, "/replay/{room}", replay::show_newest, styled("The newest stream again"))
        .on(
            Get,
            "/replay/{room}/",
            replay::show_newest,
            styled("The newest stream again").unlisted(),
        )
        .on(
            Get,
            "/replay/{room}/{session}",
            replay::show_session,
            styled("A recorded stream, played again"),
        )
}
