//! Every address of the server, and the one way to add one: [`Routes::on`].

use std::mem;

use axum::{Router, extract::DefaultBodyLimit, handler::Handler, routing};

use super::{
    AppState, admin, api, assets, auth, exported,
    operation::{Access, Doc, Operation, Shape, Verb},
    pages, pictures, sse, webhooks,
    ws::upgrade,
};
use crate::platforms::kick::webhooks::MAX_BODY_BYTES;

/// Routes, each with what is told about it.
#[derive(Default)]
pub struct Routes {
    /// Pages of `web.cors_origins` may call these.
    pub(super) shared: Router<AppState>,
    /// Only pages of our own may call these.
    pub(super) own: Router<AppState>,
    /// In the order they were added.
    pub(super) operations: Vec<Operation>,
}

impl Routes {
    /// Adds a route.
    ///
    /// # Panics
    /// When there is one of that verb and path already.
    #[must_use]
    pub fn on<H, T>(mut self, verb: Verb, path: &'static str, handler: H, doc: Doc) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let mut route = routing::on(verb.filter(), handler);
        if let Some(most) = doc.most_bytes {
            route = route.route_layer(DefaultBodyLimit::max(most));
        }
        let router = if doc.cors { &mut self.shared } else { &mut self.own };
        *router = mem::take(router).route(path, route);
        self.operations.push(Operation { verb, path, id: name_of::<H>(), doc });
        self
    }
}

/// What a handler is called.
fn name_of<H>() -> &'static str {
    let path = std::any::type_name::<H>();
    path.rsplit("::").next().unwrap_or(path)
}

/// Every route there is.
#[must_use]
pub fn all() -> Routes {
    let routes = api::routes::add(Routes::default());
    let routes = auth::routes::add(routes);
    let routes = admin::routes::add(routes);
    let routes = pages::routes::add(routes);
    feeds_and_files(routes)
}

/// What is told about every route, in the order they were added.
#[must_use]
pub fn list() -> Vec<Operation> {
    all().operations
}

fn feeds_and_files(routes: Routes) -> Routes {
    use Verb::{Get, Post};
    let feed = |doc: Doc| {
        doc.text("since", "`epoch.seq` of the last event the client has.")
            .text("backlog", "Recent events first (0 to 500; 50 when nothing is said).")
            .text("types", "Only these types, by prefix, with commas between them.")
            .query("platforms", api::routes::platforms(), "Only these platforms.")
    };
    routes
        .on(
            Get,
            "/ws/{room}",
            upgrade::open_socket,
            feed(Doc::api(Access::Reader, "feed", "The room's feed over a WebSocket"))
                .own_origin()
                .done(101)
                .fails(&[426]),
        )
        .on(
            Get,
            "/sse/{room}",
            sse::stream_events,
            feed(Doc::api(Access::Reader, "feed", "The room's feed as Server-Sent Events"))
                .gives(200, "text/event-stream"),
        )
        .on(
            Post,
            "/webhooks/kick",
            webhooks::take_kick,
            Doc::api(Access::Signed, "platforms", "An event of Kick's official API")
                .own_origin()
                .most_bytes(MAX_BODY_BYTES)
                .needs_header("Kick-Event-Message-Id", "Of the delivery.")
                .needs_header("Kick-Event-Subscription-Id", "Whose event it is.")
                .needs_header("Kick-Event-Message-Timestamp", "When it was sent.")
                .needs_header("Kick-Event-Signature", "Kick's, over id, time and body.")
                .needs_header("Kick-Event-Type", "What happened.")
                .takes(Shape::literal(serde_json::json!({})))
                .done(204)
                .fails(&[404]),
        )
        .on(
            Get,
            "/static/{*path}",
            assets::read_static,
            Doc::files("Scripts, styles and pictures", "*/*").done(304),
        )
        .on(
            Get,
            "/themes/{*path}",
            assets::read_theme,
            Doc::files("A theme's files", "*/*")
                .text("room", "The room whose own theme it may be.")
                .text("key", "That room's overlay key.")
                .text("sheet", "Made of the key, for stylesheets alone.")
                .done(304)
                .fails(&[403]),
        )
        .on(
            Get,
            "/media/{*path}",
            pictures::read_picture,
            Doc::files("Platforms' pictures: emotes, badges, avatars", "image/*")
                .text("static", "`1`: the one that does not move.")
                .done(304)
                .fails(&[502]),
        )
        .on(
            Get,
            "/exports/{*path}",
            exported::read_export,
            Doc::files("The public exports", "application/json").done(304),
        )
        .on(
            Get,
            "/schemas/{*path}",
            api::schemas::read_schema,
            Doc::files("The shapes of what this server says", "application/schema+json"),
        )
}
