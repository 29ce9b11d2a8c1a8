//! The addresses under `/api`, and those that machines ask.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::{
    backup, beacon, boards, channels, events, jobs, messages, moderation, moderators, operations,
    overlay_keys, pronouns, queue, rooms, sessions, settings, synthetic, themes, triggers,
};
use crate::{
    feed::{Histogram, StreamSession},
    jobs::JobCard,
    model::{CreatorId, Event, Message, OverlaySettings, Platform, QualifiedId, trigger::Trigger},
    platforms::sending::{NewMessage, Outgoing},
    telemetry::overlays::Report,
    triggers::{Decision, Listed, TriggerList},
    web::{
        looks::{Look, Theme, ThemeText},
        openapi,
        operation::{
            Access::{Account, Anyone, Creator, Lister, Moderator, Monitor, Operator, Reader},
            Doc, Shape,
            Verb::{Delete, Get, Patch, Post, Put},
        },
        routes::Routes,
    },
};

/// Adds them.
pub(in crate::web) fn add(routes: Routes) -> Routes {
    let routes = rooms_and_feeds(routes);
    let routes = stage(routes);
    let routes = boards::routes::add(routes);
    let routes = looks(routes);
    let routes = keys(routes);
    let routes = moderators(routes);
    let routes = automation(routes);
    let routes = of_triggers(routes);
    server(routes)
}

fn rooms_and_feeds(routes: Routes) -> Routes {
    routes
        .on(
            Get,
            "/api/rooms",
            rooms::list_rooms,
            Doc::api(Lister, "rooms", "Every room")
                .answers(200, Shape::member("rooms", Shape::of::<Vec<rooms::RoomCard>>())),
        )
        .on(
            Post,
            "/api/rooms",
            rooms::add_room,
            Doc::api(Creator, "rooms", "Reads a channel from now on, over restarts too")
                .takes(Shape::of::<rooms::NewRoom>())
                .answers(201, Shape::of::<rooms::RoomCard>())
                .fails(&[404, 409]),
        )
        .on(
            Get,
            "/api/rooms/{room}",
            rooms::find_room,
            Doc::api(Reader, "rooms", "One room, with its overlay settings").answers(
                200,
                Shape::of::<rooms::RoomCard>()
                    .and(Shape::member("settings", Shape::of::<OverlaySettings>())),
            ),
        )
        .on(
            Delete,
            "/api/rooms/{room}",
            rooms::remove_room,
            Doc::api(Creator, "rooms", "Takes a room away that was typed, or that an account made")
                .done(204)
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/channels/{platform}/{name}",
            channels::remove_channel,
            Doc::api(Creator, "rooms", "Takes a channel out that was typed")
                .done(204)
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/events",
            events::list_events,
            Doc::api(Reader, "feed", "Events of the feed, in order")
                .query("after", number(0), "Only what comes behind this place.")
                .query("before", number(0), "The newest before this place, instead.")
                .query("limit", number(1), "Most events of the answer (at most 500).")
                .query("from", moment(), "From then on.")
                .query("to", moment(), "Before then.")
                .text("types", "Only these types, by prefix, with commas between them.")
                .query("platforms", platforms(), "Only these platforms.")
                .answers(
                    200,
                    Shape::member("epoch", Shape::text())
                        .and(Shape::member("events", Shape::of::<Vec<Event>>()))
                        .and(Shape::literal(json!({
                            "type": "object",
                            "properties": {
                                "next": {"type": ["integer", "null"], "description": "Ask again with `after` of this."},
                                "prev": {"type": ["integer", "null"], "description": "Ask again with `before` of this."},
                            },
                        }))),
                ),
        )
        .on(
            Get,
            "/api/rooms/{room}/pronouns",
            pronouns::list_pronouns,
            Doc::api(Reader, "feed", "The pronouns of those who wrote these events")
                .query(
                    "event",
                    Shape::literal(
                        json!({"type": "array", "maxItems": 25, "items": number_schema(1)}),
                    ),
                    "Places of events in the feed, each as a parameter of its own.",
                )
                .text("featured", "Also of whoever wrote the featured message.")
                .answers(
                    200,
                    Shape::member(
                        "pronouns",
                        Shape::literal(json!({
                            "type": "object",
                            "additionalProperties": {"type": ["string", "null"]},
                        })),
                    ),
                ),
        )
        .on(
            Get,
            "/api/rooms/{room}/messages",
            messages::list_messages,
            Doc::api(Moderator, "messages", "What was said lately, newest last")
                .answers(200, Shape::member("messages", Shape::of::<Vec<Outgoing>>())),
        )
        .on(
            Post,
            "/api/rooms/{room}/messages",
            messages::send_message,
            Doc::api(Moderator, "messages", "Says something, on one platform or on all")
                .takes(Shape::of::<NewMessage>())
                .answers(202, Shape::of::<Outgoing>())
                .fails(&[409, 429]),
        )
        .on(
            Post,
            "/api/rooms/{room}/synthetic",
            synthetic::post_synthetic,
            Doc::api(Operator, "messages", "Shows a message that is never posted")
                .takes(Shape::of::<synthetic::NewSynthetic>())
                .answers(
                    201,
                    Shape::member("success", Shape::literal(json!({"const": true})))
                        .and(Shape::member("event", Shape::of::<Option<Event>>())),
                )
                .fails(&[409, 429]),
        )
        .on(
            Get,
            "/api/rooms/{room}/sessions",
            sessions::list_sessions,
            Doc::api(Reader, "sessions", "Recorded streams, newest first")
                .text("before", "Only sessions older than the one of this id.")
                .query("limit", number(1), "Most sessions of the answer (at most 200).")
                .answers(200, Shape::member("sessions", Shape::of::<Vec<StreamSession>>())),
        )
        .on(
            Get,
            "/api/rooms/{room}/sessions/{id}",
            sessions::find_session,
            Doc::api(
                Reader,
                "sessions",
                "One stream, with how much was said when; behind `.jsonl` its events, a line each",
            )
            .text("originals", "`1`: with moderated words, for the operator.")
            .answers(
                200,
                Shape::of::<StreamSession>()
                    .and(Shape::member("histogram", Shape::of::<Histogram>())),
            )
            .gives(200, "application/x-ndjson"),
        )
        .on(
            Post,
            "/api/rooms/{room}/beacon",
            beacon::take_beacon,
            Doc::api(Reader, "overlays", "How an overlay keeps up, told by itself")
                .own_origin()
                .most_bytes(beacon::MOST_BYTES)
                .takes(Shape::of::<Report>())
                .done(204)
                .fails(&[429]),
        )
}

fn stage(routes: Routes) -> Routes {
    let items = || Shape::member("items", Shape::of::<Vec<Message>>());
    routes
        .on(
            Get,
            "/api/rooms/{room}/queue",
            queue::list_queue,
            Doc::api(Reader, "stage", "What is marked for discussion, next first")
                .answers(200, items()),
        )
        .on(
            Post,
            "/api/rooms/{room}/queue",
            queue::add_to_queue,
            Doc::api(Moderator, "stage", "Marks a message for discussion, behind the others")
                .takes(Shape::of::<queue::Which>())
                .answers(200, Shape::of::<Message>())
                .answers(201, Shape::of::<Message>())
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/rooms/{room}/queue/order",
            queue::order_queue,
            Doc::api(Moderator, "stage", "Puts these in front, in this order")
                .takes(Shape::of::<queue::Order>())
                .answers(200, items())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/queue/{id}",
            queue::find_queued,
            Doc::api(Reader, "stage", "One message of the queue")
                .path("id", Shape::of::<QualifiedId>())
                .answers(200, Shape::of::<Message>()),
        )
        .on(
            Patch,
            "/api/rooms/{room}/queue/{id}",
            queue::move_queued,
            Doc::api(Moderator, "stage", "Moves a message of the queue, 0 being the next")
                .path("id", Shape::of::<QualifiedId>())
                .takes(Shape::of::<queue::Place>())
                .answers(200, items()),
        )
        .on(
            Delete,
            "/api/rooms/{room}/queue/{id}",
            queue::remove_queued,
            Doc::api(Moderator, "stage", "Takes a message out of the queue")
                .path("id", Shape::of::<QualifiedId>())
                .done(204),
        )
        .on(
            Post,
            "/api/rooms/{room}/feature",
            queue::feature,
            Doc::api(Moderator, "stage", "Puts a message on the stage")
                .takes(featured())
                .answers(200, Shape::of::<Message>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/feature",
            queue::clear_feature,
            Doc::api(Moderator, "stage", "Nothing is on the stage any more").done(204),
        )
}

/// Is about the room that its query names.
fn of_room(doc: Doc) -> Doc {
    doc.needs("room", Shape::of::<CreatorId>(), "Which room.")
}

fn looks(routes: Routes) -> Routes {
    let change = || {
        of_room(Doc::api(Creator, "looks", "Changes how a room looks"))
            .text("check", "Nothing is changed: the answer is what would be.")
            .header("If-Match", "The ETag of what the sender has seen.")
            .takes(changed_settings())
            .answers(200, Shape::of::<Look>())
            .fails(&[412])
    };
    let own_theme = |doc: Doc| of_room(doc).path("name", theme_name());
    let whole_theme = || Shape::of::<Theme>().and(Shape::member("css", Shape::text()));
    routes
        .on(
            Get,
            "/api/settings",
            settings::show_settings,
            of_room(Doc::api(Creator, "looks", "How a room looks, and why"))
                .answers(200, Shape::of::<Look>()),
        )
        .on(Put, "/api/settings", settings::change_settings, change())
        .on(Post, "/api/settings", settings::change_settings, change())
        .on(
            Get,
            "/api/themes",
            themes::list_themes,
            of_room(Doc::api(Creator, "looks", "The themes that a room may use"))
                .answers(200, Shape::member("themes", Shape::of::<Vec<Theme>>())),
        )
        .on(
            Post,
            "/api/themes",
            themes::add_theme,
            of_room(Doc::api(Creator, "looks", "Adds a theme of the room's own"))
                .takes(new_theme())
                .answers(201, Shape::of::<Theme>())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/themes/{name}",
            themes::find_theme,
            own_theme(Doc::api(Creator, "looks", "One theme, with its stylesheet"))
                .answers(200, whole_theme()),
        )
        .on(
            Put,
            "/api/themes/{name}",
            themes::change_theme,
            own_theme(Doc::api(Creator, "looks", "Changes a theme of the room's own"))
                .takes(Shape::of::<ThemeText>())
                .answers(200, Shape::of::<Theme>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/themes/{name}",
            themes::remove_theme,
            own_theme(Doc::api(Creator, "looks", "Takes a theme of the room's own away"))
                .done(204)
                .fails(&[409]),
        )
}

fn keys(routes: Routes) -> Routes {
    let one = |doc: Doc| of_room(doc).text("name", "The key's name; `default` unless said.");
    routes
        .on(
            Get,
            "/api/settings/overlay-keys",
            overlay_keys::list_keys,
            of_room(Doc::api(Creator, "keys", "A room's overlay keys, without themselves"))
                .answers(200, Shape::of::<overlay_keys::KeyList>()),
        )
        .on(
            Get,
            "/api/settings/overlay-key",
            overlay_keys::reveal_key,
            one(Doc::api(Creator, "keys", "An overlay key itself"))
                .answers(200, Shape::of::<overlay_keys::RevealedKey>()),
        )
        .on(
            Post,
            "/api/settings/overlay-key",
            overlay_keys::make_key,
            of_room(Doc::api(Creator, "keys", "Makes an overlay key, or rotates one"))
                .takes(Shape::of::<overlay_keys::NewKey>())
                .answers(200, Shape::of::<overlay_keys::RevealedKey>())
                .answers(201, Shape::of::<overlay_keys::RevealedKey>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/settings/overlay-key",
            overlay_keys::remove_key,
            of_room(Doc::api(Creator, "keys", "Takes an overlay key away"))
                .needs("name", Shape::text(), "The key's name.")
                .text("old", "Takes away only those before it that still work.")
                .done(204)
                .fails(&[409]),
        )
}

fn moderators(routes: Routes) -> Routes {
    routes
        .on(
            Get,
            "/api/rooms/{room}/moderators",
            moderators::list_moderators,
            Doc::api(Creator, "moderators", "Who moderates the room, and who was asked to")
                .answers(200, Shape::of::<moderators::ModeratorList>()),
        )
        .on(
            Post,
            "/api/rooms/{room}/moderators",
            moderators::invite_moderator,
            Doc::api(Creator, "moderators", "Asks somebody to moderate, or changes their rights")
                .takes(Shape::of::<moderators::NewModerator>())
                .answers(201, Shape::of::<moderators::InvitedAnswer>())
                .answers(202, Shape::of::<moderators::InvitedAnswer>())
                .fails(&[409, 429]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/moderators",
            moderators::remove_moderator,
            Doc::api(Creator, "moderators", "Takes a moderator's rights away")
                .needs("id", Shape::text(), "The account's id or code, or the invitation's id.")
                .done(204),
        )
        .on(
            Post,
            "/api/rooms/{room}/moderation",
            moderation::moderate,
            Doc::api(Moderator, "moderators", "Takes a message or a viewer away, here and there")
                .takes(Shape::of::<moderation::NewModeration>())
                .answers(200, Shape::of::<moderation::Moderated>()),
        )
        .on(
            Post,
            "/api/invitations",
            moderators::accept_invitation,
            Doc::api(Account, "moderators", "Takes an invitation up")
                .takes(Shape::of::<moderators::Acceptance>())
                .answers(200, Shape::of::<moderators::AcceptedAnswer>())
                .fails(&[404, 409]),
        )
}

fn of_triggers(routes: Routes) -> Routes {
    let tag = "automation";
    routes
        .on(
            Get,
            "/api/rooms/{room}/triggers",
            triggers::list_triggers,
            Doc::api(Creator, tag, "What is done about what is said, in the order it is tried")
                .answers(200, Shape::of::<TriggerList>()),
        )
        .on(
            Post,
            "/api/rooms/{room}/triggers",
            triggers::add_trigger,
            Doc::api(Creator, tag, "Adds a trigger behind the others")
                .takes(Shape::of::<Trigger>())
                .answers(201, Shape::of::<Listed>())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/triggers/decisions",
            triggers::list_decisions,
            Doc::api(Creator, tag, "What was decided lately about what was said, the newest first")
                .answers(200, Shape::member("decisions", Shape::of::<Vec<Decision>>())),
        )
        .on(
            Post,
            "/api/rooms/{room}/triggers/dry-run",
            triggers::try_triggers,
            Doc::api(Creator, tag, "What a line, or a recorded session, would set off")
                .takes(Shape::of::<triggers::Try>())
                .answers(200, Shape::of::<triggers::Tried>())
                .fails(&[503]),
        )
        .on(
            Post,
            "/api/rooms/{room}/triggers/order",
            triggers::order_triggers,
            Doc::api(Creator, tag, "Says which triggers are tried first")
                .takes(Shape::of::<triggers::Order>())
                .answers(200, Shape::of::<TriggerList>())
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/rooms/{room}/triggers/import",
            triggers::import_triggers,
            Doc::api(Creator, tag, "Takes in a file of triggers, of an older program too")
                .most_bytes(triggers::MOST_IMPORT_BYTES)
                .takes(Shape::literal(json!({})))
                .answers(200, Shape::of::<triggers::Imported>())
                .fails(&[409]),
        )
        .on(
            Get,
            "/api/rooms/{room}/triggers/{id}",
            triggers::find_trigger,
            Doc::api(Creator, tag, "One trigger").answers(200, Shape::of::<Listed>()),
        )
        .on(
            Put,
            "/api/rooms/{room}/triggers/{id}",
            triggers::replace_trigger,
            Doc::api(Creator, tag, "Puts another trigger in the place of one")
                .takes(Shape::of::<Trigger>())
                .answers(200, Shape::of::<Listed>())
                .fails(&[409]),
        )
        .on(
            Delete,
            "/api/rooms/{room}/triggers/{id}",
            triggers::remove_trigger,
            Doc::api(Creator, tag, "Takes a trigger away").done(204).fails(&[409]),
        )
}

fn automation(routes: Routes) -> Routes {
    let jobs = || Shape::member("jobs", Shape::of::<Vec<JobCard>>());
    routes
        .on(
            Get,
            "/api/rooms/{room}/jobs",
            jobs::list_jobs,
            Doc::api(Creator, "automation", "Work of the room that waits, and what became of it")
                .answers(200, jobs()),
        )
        .on(
            Get,
            "/api/jobs",
            jobs::list_all_jobs,
            Doc::api(Operator, "automation", "Work of all rooms").answers(200, jobs()),
        )
        .on(
            Post,
            "/api/rooms/{room}/jobs/{id}/cancel",
            jobs::cancel_job,
            Doc::api(Creator, "automation", "Takes a job back")
                .answers(200, Shape::of::<JobCard>())
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/rooms/{room}/jobs/{id}/retry",
            jobs::retry_job,
            Doc::api(Creator, "automation", "Asks for a job again that failed or was taken back")
                .answers(200, Shape::of::<JobCard>())
                .fails(&[409, 429]),
        )
        .on(
            Get,
            "/api/rooms/{room}/webhook-secret",
            jobs::show_webhook_secret,
            Doc::api(Creator, "automation", "What the room's webhooks are signed with")
                .answers(200, Shape::of::<jobs::WebhookSecret>()),
        )
}

fn server(routes: Routes) -> Routes {
    routes
        .on(
            Get,
            "/api/openapi.json",
            openapi::show_openapi,
            Doc::api(Anyone, "server", "This document")
                .answers(200, Shape::literal(json!({"type": "object"})))
                .done(304),
        )
        .on(
            Get,
            "/api/health",
            operations::show_health,
            Doc::api(Anyone, "server", "How the server is").answers(200, health()),
        )
        .on(
            Get,
            "/healthz",
            operations::is_alive,
            Doc::api(Anyone, "server", "Whether the process answers")
                .own_origin()
                .gives(200, "text/plain"),
        )
        .on(
            Get,
            "/readyz",
            operations::is_ready,
            Doc::api(Anyone, "server", "Whether requests are welcome")
                .own_origin()
                .gives(200, "text/plain"),
        )
        .on(
            Get,
            "/metrics",
            operations::show_metrics,
            Doc::api(Monitor, "server", "What the server counts, as Prometheus reads it")
                .own_origin()
                .gives(200, "text/plain"),
        )
        .on(
            Get,
            "/api/backup",
            backup::download_backup,
            Doc::api(Operator, "server", "A copy of the feed log and what belongs to it")
                .own_origin()
                .gives(200, "application/octet-stream")
                .fails(&[409]),
        )
        .on(
            Post,
            "/api/restore",
            backup::upload_backup,
            Doc::api(Operator, "server", "Puts a copy in the place of the feed log")
                .own_origin()
                .untimed()
                .takes_bytes("application/octet-stream")
                .answers(
                    200,
                    Shape::member("success", Shape::literal(json!({"const": true})))
                        .and(Shape::member("rooms", number(0))),
                )
                .fails(&[409]),
        )
}

fn number_schema(least: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": u64::MAX})
}

/// A whole number.
fn number(least: u64) -> Shape {
    Shape::literal(number_schema(least))
}

/// RFC 3339; nothing between `=` and `&` is as if it were not said.
pub(in crate::web) fn moment() -> Shape {
    Shape::literal(json!({"anyOf": [{"type": "string", "format": "date-time"}, {"const": ""}]}))
}

/// Platforms with commas between them; none is as if it were not said.
pub(in crate::web) fn platforms() -> Shape {
    let names = Platform::ALL.map(Platform::as_str).join("|");
    Shape::literal(json!({"type": "string", "pattern": format!("^(({names})(,({names}))*)?$")}))
}

fn theme_name() -> Shape {
    Shape::literal(json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$"}))
}

/// A theme to be added: a text, with a name where it is not to be made of the title.
fn new_theme() -> Shape {
    Shape::changed::<ThemeText>(|schema| {
        let name = json!({"type": ["string", "null"], "pattern": "^[a-z0-9][a-z0-9-]{0,31}$"});
        if let Some(members) = members(schema) {
            members.insert("name".to_owned(), name);
            // Null is as if it were not said.
            for optional in ["title", "description", "surface", "css"] {
                if let Some(member) = members.get_mut(optional) {
                    *member = json!({"anyOf": [member.take(), {"type": "null"}]});
                }
            }
        }
    })
}

/// Some of the settings; null gives one back to what lies below.
fn changed_settings() -> Shape {
    Shape::changed::<OverlaySettings>(|schema| {
        let Some(members) = members(schema) else { return };
        // The server's to say.
        members.remove("theme_version");
        for member in members.values_mut() {
            *member = json!({"anyOf": [member.take(), {"type": "null"}]});
        }
    })
}

fn members(schema: &mut Schema) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties")?.as_object_mut()
}

/// A message by its id, or the queue's first.
fn featured() -> Shape {
    let (id, next) = (json!({"type": "string"}), json!({"const": true}));
    Shape::of::<queue::Feature>().and(Shape::literal(json!({"oneOf": [
        {"required": ["message_id"], "properties": {"message_id": id, "next": {"const": false}}},
        {"required": ["next"], "properties": {"next": next, "message_id": {"type": "null"}}},
    ]})))
}

fn health() -> Shape {
    let count = || json!({"type": "integer", "minimum": 0});
    Shape::literal(json!({
        "type": "object",
        "properties": {
            "status": {"enum": ["healthy", "degraded"]},
            "recording": {"enum": ["on", "off", "failing"]},
            "rooms": count(), "sessions": count(), "connections": count(),
            "version": {"type": "string"}, "build": {"type": "string"}, "uptime_seconds": count(),
        },
        "required": ["status", "recording", "rooms", "sessions", "connections", "version", "build", "uptime_seconds"],
    }))
}
