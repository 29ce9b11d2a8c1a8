//! Every route, and who may: what its description says is what the server does.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use streamsuites::{
    accounts::{AccountStatus, Email},
    chat::room::Arrival,
    web::{
        openapi,
        operation::{Access, Operation, Surface, Verb},
        routes,
    },
};

use crate::support::{
    Setup, TOKEN, TestServer, message,
    people::{Person, as_kind},
    resend::Resend,
    soon,
};

/// A request to a route: its address, a body, and how the server may answer whoever may. The first of these is how it
/// answers at first; others are for those who come later, when the thing is there already, or gone.
type Example = (&'static str, &'static str, &'static [u16]);

/// The example of a route. Each route has one; rooms are `ana` and `ben`.
fn find_example(verb: Verb, path: &str) -> Option<Example> {
    let synthetic = r#"{"text":"hello"}"#;
    let said = r#"{"message_id":"twitch:1"}"#;
    Some(match (verb.as_str(), path) {
        ("GET", "/api/rooms") => ("/api/rooms", "", &[200]),
        ("POST", "/api/rooms") => {
            ("/api/rooms", r#"{"room":"ana","channel":"twitch:newcomer"}"#, &[201])
        }
        ("GET", "/api/rooms/{room}") => ("/api/rooms/ana", "", &[200]),
        // What was typed there goes; then there is only what the configuration says.
        ("DELETE", "/api/rooms/{room}") => ("/api/rooms/ana", "", &[204, 409]),
        ("DELETE", "/api/rooms/{room}/channels/{platform}/{name}") => {
            ("/api/rooms/ana/channels/twitch/nobody", "", &[404])
        }
        ("GET", "/api/rooms/{room}/events") => ("/api/rooms/ana/events?limit=5", "", &[200]),
        ("GET", "/api/rooms/{room}/pronouns") => ("/api/rooms/ana/pronouns?event=1", "", &[200]),
        ("GET", "/api/rooms/{room}/messages") => ("/api/rooms/ana/messages", "", &[200]),
        // This server has no token of any platform.
        ("POST", "/api/rooms/{room}/messages") => ("/api/rooms/ana/messages", synthetic, &[409]),
        ("POST", "/api/rooms/{room}/synthetic") => ("/api/rooms/ana/synthetic", synthetic, &[201]),
        ("GET", "/api/rooms/{room}/sessions") => ("/api/rooms/ana/sessions", "", &[200]),
        ("GET", "/api/rooms/{room}/sessions/{id}") => {
            ("/api/rooms/ana/sessions/latest", "", &[200])
        }
        ("POST", "/api/rooms/{room}/beacon") => {
            ("/api/rooms/ana/beacon", r#"{"longest_task_ms":0,"step":"calm"}"#, &[204])
        }
        ("GET", "/api/rooms/{room}/queue") => ("/api/rooms/ana/queue", "", &[200]),
        ("POST", "/api/rooms/{room}/queue") => ("/api/rooms/ana/queue", said, &[201, 200]),
        ("POST", "/api/rooms/{room}/queue/order") => {
            ("/api/rooms/ana/queue/order", r#"{"order":["twitch:1"]}"#, &[200])
        }
        ("GET", "/api/rooms/{room}/queue/{id}") => ("/api/rooms/ana/queue/twitch:1", "", &[200]),
        ("PATCH", "/api/rooms/{room}/queue/{id}") => {
            ("/api/rooms/ana/queue/twitch:1", r#"{"position":0}"#, &[200])
        }
        ("DELETE", "/api/rooms/{room}/queue/{id}") => {
            ("/api/rooms/ana/queue/twitch:1", "", &[204, 404])
        }
        ("POST", "/api/rooms/{room}/feature") => ("/api/rooms/ana/feature", said, &[200]),
        ("DELETE", "/api/rooms/{room}/feature") => ("/api/rooms/ana/feature", "", &[204]),
        (_, path) if path.starts_with("/api/rooms/{room}/triggers") => {
            return find_example_of_triggers(verb, path);
        }
        ("GET", "/api/rooms/{room}/jobs") => ("/api/rooms/ana/jobs", "", &[200]),
        ("GET", "/api/jobs") => ("/api/jobs", "", &[200]),
        // Nothing waits here.
        ("POST", "/api/rooms/{room}/jobs/{id}/cancel") => {
            ("/api/rooms/ana/jobs/none/cancel", "", &[404])
        }
        ("POST", "/api/rooms/{room}/jobs/{id}/retry") => {
            ("/api/rooms/ana/jobs/none/retry", "", &[404])
        }
        ("GET", "/api/rooms/{room}/webhook-secret") => {
            ("/api/rooms/ana/webhook-secret", "", &[200])
        }
        (_, path) if path.starts_with("/api/rooms/{room}/") && is_of_boards(path) => {
            return find_example_of_boards(verb, path);
        }
        ("GET", "/api/settings") => ("/api/settings?room=ana", "", &[200]),
        ("PUT" | "POST", "/api/settings") => {
            ("/api/settings?room=ana", r#"{"max_messages":5,"fade_seconds":null}"#, &[200])
        }
        ("GET", "/api/settings/overlay-keys") => {
            ("/api/settings/overlay-keys?room=ana", "", &[200])
        }
        ("GET", "/api/settings/overlay-key") => ("/api/settings/overlay-key?room=ana", "", &[200]),
        ("POST", "/api/settings/overlay-key") => {
            ("/api/settings/overlay-key?room=ana", r#"{"name":"dock"}"#, &[201, 409])
        }
        ("DELETE", "/api/settings/overlay-key") => {
            ("/api/settings/overlay-key?room=ana&name=dock", "", &[204, 404])
        }
        ("GET", "/api/rooms/{room}/moderators") => ("/api/rooms/ana/moderators", "", &[200]),
        ("POST", "/api/rooms/{room}/moderators") => (
            "/api/rooms/ana/moderators",
            r#"{"to":"mo@example.com","rights":["queue"]}"#,
            &[202, 429],
        ),
        ("DELETE", "/api/rooms/{room}/moderators") => {
            ("/api/rooms/ana/moderators?id=U-00000000", "", &[404])
        }
        ("POST", "/api/rooms/{room}/moderation") => {
            ("/api/rooms/ana/moderation", r#"{"action":"hide","user_id":"twitch:9"}"#, &[200])
        }
        // A link that never was.
        ("POST", "/api/invitations") => ("/api/invitations", r#"{"token":"x"}"#, &[400]),
        ("GET", "/invitation") => ("/invitation?token=x", "", &[404]),
        ("GET", "/api/themes") => ("/api/themes?room=ana", "", &[200]),
        ("POST", "/api/themes") => {
            ("/api/themes?room=ana", r#"{"name":"mine","css":".line{color:red}"}"#, &[201, 409])
        }
        ("GET", "/api/themes/{name}") => ("/api/themes/slate?room=ana", "", &[200]),
        ("PUT", "/api/themes/{name}") => {
            ("/api/themes/mine?room=ana", r#"{"title":"Mine"}"#, &[200])
        }
        ("DELETE", "/api/themes/{name}") => ("/api/themes/mine?room=ana", "", &[204, 404]),
        ("GET", "/api/openapi.json") => ("/api/openapi.json", "", &[200]),
        ("GET", "/api/health") => ("/api/health", "", &[200]),
        ("GET", "/healthz") => ("/healthz", "", &[200]),
        ("GET", "/readyz") => ("/readyz", "", &[200]),
        ("GET", "/metrics") => ("/metrics", "", &[200]),
        ("GET", "/api/backup") => ("/api/backup", "", &[200]),
        // Let in: what is said against it is that this is no feed log.
        ("POST", "/api/restore") => ("/api/restore", "no feed log", &[400]),
        ("GET", "/admin/users") => ("/admin/users?limit=1", "", &[200]),
        ("GET", "/admin/accounts") => ("/admin/accounts?tier=gold", "", &[200]),
        // Nobody has an account here: tests of admins have some.
        ("GET", "/admin/accounts/{uuid}") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000", "", &[404])
        }
        ("POST", "/admin/accounts/{uuid}/suspend") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000/suspend", "", &[404])
        }
        ("POST", "/admin/accounts/{uuid}/unsuspend") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000/unsuspend", "", &[404])
        }
        ("POST", "/admin/accounts/{uuid}/delete") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000/delete", "", &[404])
        }
        ("DELETE", "/admin/accounts/{uuid}") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000", "", &[404])
        }
        ("POST", "/admin/accounts/{uuid}/invalidate-sessions") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000/invalidate-sessions", "", &[404])
        }
        ("POST", "/admin/accounts/{uuid}/reset-onboarding") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000/reset-onboarding", "", &[404])
        }
        ("POST", "/admin/accounts/{uuid}/force-email-reverify") => (
            "/admin/accounts/019b0000-0000-7000-8000-000000000000/force-email-reverify",
            "",
            &[404],
        ),
        ("POST", "/admin/accounts/{uuid}/mark-email-verified") => {
            ("/admin/accounts/019b0000-0000-7000-8000-000000000000/mark-email-verified", "", &[404])
        }
        ("PATCH", "/admin/accounts/{uuid}/tier") => {
            ("/admin/accounts/none/tier", r#"{"tier":"gold"}"#, &[404])
        }
        ("PATCH", "/admin/accounts/{uuid}/role") => {
            ("/admin/accounts/none/role", r#"{"role":"creator"}"#, &[404])
        }
        ("PUT", "/admin/accounts/{uuid}/rooms") => {
            ("/admin/accounts/none/rooms", r#"{"rooms":["ana"]}"#, &[404])
        }
        ("GET", "/admin/audit") => ("/admin/audit?limit=5", "", &[200]),
        ("GET", "/admin/metrics/api") => ("/admin/metrics/api?window=1h", "", &[200]),
        ("GET", "/admin/auth/controls") => ("/admin/auth/controls", "", &[200]),
        ("POST", "/admin/auth/controls") => {
            ("/admin/auth/controls", r#"{"providers":{"google":true}}"#, &[200])
        }
        ("PUT", "/admin/policy/admin-bypass") => {
            ("/admin/policy/admin-bypass", r#"{"enabled":false}"#, &[200])
        }
        ("GET", "/admin/tier-config") => ("/admin/tier-config", "", &[200]),
        ("PUT", "/admin/tier-config") => {
            ("/admin/tier-config", r#"{"tiers":{"pro":{"label":"Pro"}}}"#, &[200])
        }
        ("GET", "/admin/tier-catalog") => ("/admin/tier-catalog", "", &[200]),
        ("GET", "/auth/access-state") => ("/auth/access-state", "", &[200]),
        ("PUT", "/admin/access-state") => ("/admin/access-state", r#"{"mode":"normal"}"#, &[200]),
        ("GET", "/admin/export/users.json") => ("/admin/export/users.json", "", &[200]),
        ("GET", "/admin/export/users.csv") => ("/admin/export/users.csv", "", &[200]),
        ("GET", "/admin/accounts/export.json") => ("/admin/accounts/export.json", "", &[200]),
        ("GET", "/admin/accounts/export.csv") => ("/admin/accounts/export.csv", "", &[200]),
        ("GET", "/admin/export/audit.json") => ("/admin/export/audit.json", "", &[200]),
        ("GET", "/admin/export/audit.csv") => ("/admin/export/audit.csv", "", &[200]),
        ("POST", "/admin/export/audit") => ("/admin/export/audit?format=csv", "", &[200]),
        ("GET", "/") => ("/", "", &[200]),
        ("GET", "/dashboard") => ("/dashboard?room=ana", "", &[200]),
        // Whoever is signed in goes on.
        ("GET", "/login") => ("/login", "", &[200, 303]),
        ("GET", "/account") => ("/account", "", &[200]),
        ("GET", "/admin") => ("/admin", "", &[200]),
        // A wrong secret; the operator is on the way home.
        ("GET", "/auth/operator") => ("/auth/operator?token=wrong", "", &[403, 303]),
        // No provider is registered: back to the login page, as for whoever comes back and never set out.
        ("GET", "/auth/login/{provider}") => ("/auth/login/google", "", &[303]),
        ("GET", "/auth/google" | "/auth/github" | "/auth/discord" | "/oauth/twitch/start") => {
            ("/auth/google", "", &[303])
        }
        ("GET", "/auth/callback/{provider}") => ("/auth/callback/google?state=x", "", &[303]),
        ("GET", "/auth/discord/login/callback") => ("/auth/discord/login/callback", "", &[303]),
        ("POST", "/account/providers/{provider}/link") => {
            ("/account/providers/google/link", "", &[404])
        }
        ("DELETE", "/account/providers/{provider}") => ("/account/providers/google", "", &[404]),
        ("GET", "/api/account/auth-methods") => ("/api/account/auth-methods", "", &[200]),
        ("POST", "/api/account/auth-methods/unlink") => {
            ("/api/account/auth-methods/unlink", r#"{"provider":"google"}"#, &[404])
        }
        (_, path) if path.starts_with("/auth/") || path.starts_with("/account") => {
            return find_example_of_accounts(verb, path);
        }
        ("GET", "/overlay/{room}") => ("/overlay/ana", "", &[200]),
        ("GET", "/overlay/{room}/") => ("/overlay/ana/", "", &[200]),
        ("GET", "/overlay/{room}/loader.html") => ("/overlay/ana/loader.html", "", &[200]),
        ("GET", "/chat/{room}") => ("/chat/ana", "", &[200]),
        ("GET", "/chat/{room}/") => ("/chat/ana/", "", &[200]),
        ("GET", "/mod/{room}") => ("/mod/ana", "", &[200]),
        ("GET", "/livechat") => ("/livechat", "", &[200]),
        ("GET", "/replay/{room}") => ("/replay/ana", "", &[200]),
        ("GET", "/replay/{room}/") => ("/replay/ana/", "", &[200]),
        ("GET", "/replay/{room}/{session}") => ("/replay/ana/latest", "", &[200]),
        // Let in, and not a handshake.
        ("GET", "/ws/{room}") => ("/ws/ana", "", &[426]),
        ("GET", "/sse/{room}") => ("/sse/ana", "", &[200]),
        // Not signed.
        ("POST", "/webhooks/kick") => ("/webhooks/kick", "{}", &[400]),
        ("GET", "/static/{*path}") => ("/static/js/feed.js", "", &[200]),
        ("GET", "/themes/{*path}") => ("/themes/slate/theme.css", "", &[200]),
        ("GET", "/media/{*path}") => ("/media/nothing", "", &[404]),
        ("GET", "/exports/{*path}") => ("/exports/nothing.json", "", &[404]),
        ("GET", "/schemas/{*path}") => ("/schemas/event.schema.json", "", &[200]),
        _ => return None,
    })
}

fn is_of_boards(path: &str) -> bool {
    ["/polls", "/tallies", "/scoreboards", "/identities"].iter().any(|it| path.contains(it))
}

/// The same for triggers. There are none here.
fn find_example_of_triggers(verb: Verb, path: &str) -> Option<Example> {
    const HELLO: &str = r#"{"trigger_id":"hello","type":"command","command":"hello",
        "actions":[{"action_type":"reply","payload":{"text":"hi"}}]}"#;
    Some(match (verb.as_str(), path.strip_prefix("/api/rooms/{room}/triggers")?) {
        ("GET", "") => ("/api/rooms/ana/triggers", "", &[200]),
        ("POST", "") => ("/api/rooms/ana/triggers", HELLO, &[201, 409]),
        ("GET", "/decisions") => ("/api/rooms/ana/triggers/decisions", "", &[200]),
        ("POST", "/dry-run") => (
            "/api/rooms/ana/triggers/dry-run",
            r#"{"platform":"twitch","message":"!hello"}"#,
            &[200],
        ),
        ("POST", "/order") => ("/api/rooms/ana/triggers/order", r#"{"order":[]}"#, &[200]),
        ("POST", "/import") => ("/api/rooms/ana/triggers/import", r#"{"triggers":[]}"#, &[200]),
        ("GET", "/{id}") => ("/api/rooms/ana/triggers/none", "", &[404]),
        ("PUT", "/{id}") => ("/api/rooms/ana/triggers/none", HELLO, &[404]),
        ("DELETE", "/{id}") => ("/api/rooms/ana/triggers/none", "", &[404]),
        _ => return None,
    })
}

/// The same for polls, tallies, scoreboards and identities. Where nobody may write, there are none.
fn find_example_of_boards(verb: Verb, path: &str) -> Option<Example> {
    Some(match (verb.as_str(), path.strip_prefix("/api/rooms/{room}")?) {
        ("GET", "/polls") => ("/api/rooms/ana/polls", "", &[200]),
        ("POST", "/polls") => (
            "/api/rooms/ana/polls",
            r#"{"question":"Where?","options":["here","there"]}"#,
            &[201, 409],
        ),
        // Their ids are made up.
        ("GET", "/polls/{id}") => ("/api/rooms/ana/polls/none", "", &[404]),
        ("PATCH", "/polls/{id}") => ("/api/rooms/ana/polls/none", r#"{"state":"closed"}"#, &[404]),
        ("DELETE", "/polls/{id}") => ("/api/rooms/ana/polls/none", "", &[404]),
        ("POST", "/polls/{id}/votes") => {
            ("/api/rooms/ana/polls/none/votes", r#"{"voter":"twitch:1","choice":"2"}"#, &[404])
        }
        ("DELETE", "/polls/{id}/votes/{voter}") => {
            ("/api/rooms/ana/polls/none/votes/twitch:1", "", &[404])
        }
        ("GET", "/tallies") => ("/api/rooms/ana/tallies", "", &[200]),
        ("POST", "/tallies") => {
            ("/api/rooms/ana/tallies", r#"{"tally_id":"deaths","label":"Deaths"}"#, &[201, 409])
        }
        ("GET", "/tallies/{id}") => ("/api/rooms/ana/tallies/deaths", "", &[200, 404]),
        ("PATCH", "/tallies/{id}") => ("/api/rooms/ana/tallies/deaths", r#"{"target":10}"#, &[200]),
        ("POST", "/tallies/{id}/count") => {
            ("/api/rooms/ana/tallies/deaths/count", r#"{"by":2}"#, &[200])
        }
        ("POST", "/tallies/{id}/reset") => ("/api/rooms/ana/tallies/deaths/reset", "", &[200]),
        ("DELETE", "/tallies/{id}") => ("/api/rooms/ana/tallies/none", "", &[404]),
        ("GET", "/scoreboards") => ("/api/rooms/ana/scoreboards", "", &[200]),
        ("POST", "/scoreboards") => (
            "/api/rooms/ana/scoreboards",
            r#"{"scoreboard_id":"quiz","title":"Quiz"}"#,
            &[201, 409],
        ),
        ("GET", "/scoreboards/{id}") => ("/api/rooms/ana/scoreboards/quiz", "", &[200, 404]),
        ("GET", "/scoreboards/{id}/export") => {
            ("/api/rooms/ana/scoreboards/quiz/export", "", &[200, 404])
        }
        ("PATCH", "/scoreboards/{id}") => {
            ("/api/rooms/ana/scoreboards/quiz", r#"{"title":"Quiz 2"}"#, &[200])
        }
        ("DELETE", "/scoreboards/{id}") => ("/api/rooms/ana/scoreboards/none", "", &[404]),
        ("POST", "/scoreboards/{id}/scores") => {
            ("/api/rooms/ana/scoreboards/quiz/scores", r#"{"label":"Mira","by":5}"#, &[200])
        }
        ("POST", "/scoreboards/{id}/import") => (
            "/api/rooms/ana/scoreboards/quiz/import",
            r#"{"entries":[{"display_name":"Orin","score_value":7}]}"#,
            &[200],
        ),
        ("POST", "/scoreboards/{id}/finalize") => {
            ("/api/rooms/ana/scoreboards/quiz/finalize", "", &[200, 409])
        }
        ("GET", "/identities") => ("/api/rooms/ana/identities", "", &[200]),
        ("POST", "/identities") => (
            "/api/rooms/ana/identities",
            r#"{"accounts":["twitch:1","youtube:2"],"reason":"both know the word"}"#,
            &[201, 409],
        ),
        ("DELETE", "/identities/{id}") => ("/api/rooms/ana/identities/none", "", &[404]),
        _ => return None,
    })
}

/// The same for signing in, and for what people do with their accounts.
fn find_example_of_accounts(verb: Verb, path: &str) -> Option<Example> {
    let email = r#"{"email":"newcomer@example.com"}"#;
    let token = r#"{"token":"never was one"}"#;
    let moving = r#"{"email":"moved@example.com","password":"tender violet anvils"}"#;
    Some(match (verb.as_str(), path) {
        ("POST", "/auth/signup/email") => ("/auth/signup/email", email, &[202]),
        ("POST", "/auth/signup/password") => {
            let new = r#"{"email":"newcomer@example.com","password":"tender violet anvils"}"#;
            ("/auth/signup/password", new, &[202])
        }
        ("POST", "/auth/login/password") => {
            ("/auth/login/password", r#"{"email":"x@example.com","password":"x"}"#, &[401, 429])
        }
        // There is none.
        ("POST", "/auth/login/fallback") => {
            ("/auth/login/fallback", r#"{"user":"x","secret":"y"}"#, &[404])
        }
        ("POST", "/auth/login") => ("/auth/login", r#"{"user":"x","secret":"y"}"#, &[404]),
        ("GET", "/auth/login") => ("/auth/login", "", &[303]),
        ("GET", "/auth/link") => ("/auth/link?token=x", "", &[200]),
        ("POST", "/auth/link") => ("/auth/link", "token=x", &[303]),
        ("GET", "/auth/verify/email") => ("/auth/verify/email?token=x", "", &[200]),
        ("POST", "/auth/verify/email") => ("/auth/verify/email", "token=x", &[303]),
        ("POST", "/auth/verify/resend") => ("/auth/verify/resend", email, &[200]),
        ("GET", "/auth/session") => ("/auth/session", "", &[200, 401]),
        ("POST", LOGOUT) => (LOGOUT, "", &[200]),
        ("GET", "/auth/turnstile/config") => ("/auth/turnstile/config", "", &[200]),
        ("GET", "/auth/access-state") => ("/auth/access-state", "", &[200]),
        ("POST", "/auth/password/forgot") => ("/auth/password/forgot", email, &[200]),
        // Links that never were.
        ("GET", "/auth/password/reset") => ("/auth/password/reset?token=x", "", &[400]),
        ("POST", "/auth/password/reset") => {
            ("/auth/password/reset", r#"{"token":"x","password":"x"}"#, &[400])
        }
        ("GET", "/auth/email/change/confirm") => ("/auth/email/change/confirm?token=x", "", &[400]),
        ("POST", "/auth/email/change/confirm") => ("/auth/email/change/confirm", token, &[400]),
        ("POST", "/auth/email/change/request") => ("/auth/email/change/request", moving, &[202]),
        ("PATCH", "/account/email") => ("/account/email", moving, &[202]),
        ("GET", "/account/me") => ("/account/me", "", &[200]),
        ("PATCH", "/account/me") => ("/account/me", r#"{"display_name":"Somebody"}"#, &[200]),
        // Let in: what is said against it is that this is no password.
        ("DELETE", "/account") => ("/account", r#"{"password":5}"#, &[400]),
        ("PATCH", "/account/password") => (
            "/account/password",
            r#"{"current_password":"tender violet anvils","new_password":"short"}"#,
            &[400],
        ),
        ("POST", "/account/onboarding/complete") => ("/account/onboarding/complete", "{}", &[200]),
        ("GET", "/account/sessions") => ("/account/sessions", "", &[200]),
        ("DELETE", "/account/sessions") => ("/account/sessions", "", &[200]),
        ("DELETE", "/account/sessions/{id}") => ("/account/sessions/none", "", &[404]),
        ("GET", "/account/tokens") => ("/account/tokens", "", &[200]),
        ("POST", "/account/tokens") => ("/account/tokens", r#"{"name":"deck"}"#, &[201]),
        ("DELETE", "/account/tokens/{id}") => ("/account/tokens/none", "", &[404]),
        _ => return None,
    })
}

/// Comes last: it ends sign-ins that others need.
const LOGOUT: &str = "/auth/logout";

/// Who asks: a column of the table. Another one is a line here, and one in [`Stage::dress`] and [`expected`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Nobody in particular, where rooms are open.
    Open,
    /// The same, where rooms need their keys, as for all below.
    Nobody,
    WrongToken,
    OverlayKey,
    Token,
    /// The operator's session, from a page of our own.
    Session,
    /// From a page of another site.
    Foreign,
    /// Without saying where from.
    Unsaid,
    /// An account without a room, in a browser, as for the next two.
    Viewer,
    /// The account that owns ana's room.
    Creator,
    /// An account that was taken out of use.
    Suspended,
    /// A program of ana's.
    Program,
}

const WHO: [Who; 12] = [
    Who::Open,
    Who::Nobody,
    Who::WrongToken,
    Who::OverlayKey,
    Who::Token,
    Who::Session,
    Who::Foreign,
    Who::Unsaid,
    Who::Viewer,
    Who::Creator,
    Who::Suspended,
    Who::Program,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// As the example says.
    LetIn,
    Refused(u16),
    /// A page that shows the way in.
    SentAway,
}

/// How the server must answer: derived from what is told about the route alone.
fn expected(operation: &Operation, who: Who) -> Answer {
    let changes = operation.verb != Verb::Get;
    let is_operator = match who {
        Who::Token | Who::Session => true,
        // A change over a cookie says where it comes from.
        Who::Foreign | Who::Unsaid => !changes,
        _ => false,
    };
    let has_cookie = matches!(who, Who::Session | Who::Foreign | Who::Unsaid);
    let unknown = match operation.surface() {
        Surface::Api => Answer::Refused(401),
        Surface::Page => Answer::SentAway,
    };
    let owns = matches!(who, Who::Creator | Who::Program);
    // The operator has no account.
    let is_other = has_cookie || who == Who::Token;
    match operation.access() {
        // Nobody is signed in or out by a page of another site.
        Access::Anyone if changes && who == Who::Foreign => Answer::Refused(403),
        // The tests run on the server's own machine.
        Access::Anyone | Access::Signed | Access::Monitor | Access::Local => Answer::LetIn,
        Access::Reader if who == Who::Foreign => Answer::Refused(403),
        Access::Reader if has_cookie || is_operator || owns => Answer::LetIn,
        Access::Reader if matches!(who, Who::Open | Who::OverlayKey) => Answer::LetIn,
        Access::Reader => Answer::Refused(403),
        Access::Lister if is_operator || owns => Answer::LetIn,
        Access::Lister if matches!(who, Who::Open | Who::Viewer) => Answer::LetIn,
        Access::Operator | Access::Creator | Access::Moderator if is_operator => Answer::LetIn,
        Access::Creator | Access::Moderator if owns => Answer::LetIn,
        Access::Account if owns || who == Who::Viewer => Answer::LetIn,
        Access::Session if matches!(who, Who::Viewer | Who::Creator) => Answer::LetIn,
        Access::Operator
        | Access::Creator
        | Access::Moderator
        | Access::Account
        | Access::Session
            if is_other || owns || who == Who::Viewer =>
        {
            Answer::Refused(403)
        }
        _ => unknown,
    }
}

/// Two servers and what opens them.
struct Stage {
    open: TestServer,
    keyed: TestServer,
    /// `key=…` of ana's room.
    key: String,
    cookie: String,
    viewer: String,
    creator: String,
    suspended: String,
    /// Of the creator.
    token: String,
}

impl Stage {
    async fn start() -> Self {
        let open = Setup::new().rooms(&["ana", "ben"]).start().await;
        let resend = Resend::start().await;
        let creators =
            json!({"creators": [{"id": "ana", "owner": "ana@example.com"}, {"id": "ben"}]});
        let keyed = Setup::new().creators(&creators).people(&resend);
        let keyed = keyed.set("SYSTEM__OVERLAY_ACCESS", "key").start().await;
        for server in [&open, &keyed] {
            server.room("ana").publish(&message("1", "2002", "hi"), &Arrival::now());
        }
        let queue = open.post("/api/rooms/ana/queue", r#"{"message_id":"twitch:1"}"#);
        assert_eq!(queue.bearer_auth(TOKEN).send().await.unwrap().status(), 201);
        let signed_in = keyed.get(&keyed.server.sign_in).send().await.unwrap();
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let key = keyed.server.key_query(&"ana".parse().unwrap()).replace('?', "");
        let person = async |name: &str| {
            let email = format!("{name}@example.com");
            Person::sign_up(&keyed, &resend, &email).await
        };
        let (viewer, creator, suspended) =
            (person("viewer").await, person("ana").await, person("suspended").await);
        let new = json!({"name": "deck"});
        let (_, made) = creator.ask(&keyed, "POST", "/account/tokens", new).await;
        let token = made["token"].as_str().unwrap().to_owned();
        let email: Email = suspended.email.parse().unwrap();
        let suspend = keyed.server.accounts.change(move |change| {
            let mut account = (**change.find_by_email(&email).unwrap()).clone();
            account.status = AccountStatus::Suspended;
            change.put_account(account)
        });
        suspend.await.unwrap();
        let (viewer, creator, suspended) = (viewer.cookie, creator.cookie, suspended.cookie);
        Self { open, keyed, key, cookie, viewer, creator, suspended, token }
    }

    /// The request of an example, as somebody sends it.
    fn dress(&self, verb: Verb, (address, body, _): Example, who: Who) -> reqwest::RequestBuilder {
        let server = if who == Who::Open { &self.open } else { &self.keyed };
        let joint = if address.contains('?') { '&' } else { '?' };
        let address = match who {
            Who::OverlayKey => format!("{address}{joint}{}", self.key),
            _ => address.to_owned(),
        };
        let request = server.request(verb.as_str(), &address, body);
        let request = match body.starts_with("token=") {
            true => as_kind(request, "application/x-www-form-urlencoded"),
            false => request,
        };
        let session = |it: reqwest::RequestBuilder| it.header("cookie", &self.cookie);
        let account = |it: reqwest::RequestBuilder, cookie: &str| {
            it.header("cookie", cookie).header("origin", server.url(""))
        };
        match who {
            Who::Open | Who::Nobody | Who::OverlayKey => request,
            Who::WrongToken => request.bearer_auth("wrong"),
            Who::Token => request.bearer_auth(TOKEN),
            Who::Session => session(request).header("origin", server.url("")),
            Who::Foreign => session(request).header("origin", "https://evil.example"),
            Who::Unsaid => session(request),
            Who::Viewer => account(request, &self.viewer),
            Who::Creator => account(request, &self.creator),
            Who::Suspended => account(request, &self.suspended),
            Who::Program => request.bearer_auth(&self.token),
        }
    }
}

/// Goal: each route lets in whom its description says, and nobody else, and answers as the document says.
/// Method: one request for each route and each kind of person, against two real servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_lets_in_whom_its_description_says() {
    let stage = Stage::start().await;
    let mut operations = routes::list();
    let document: Value = serde_json::from_str(&openapi::document(&operations)).unwrap();
    operations.sort_by_key(|it| it.path == LOGOUT);
    let mut wrong = Vec::new();
    println!("{:<60} {:<9} {}", "", "", WHO.map(|it| format!("{it:?}")).join(" "));
    for operation in &operations {
        let route = format!("{} {}", operation.verb.as_str(), operation.path);
        let Some(example) = find_example(operation.verb, operation.path) else {
            wrong.push(format!("{route} has no example: add one"));
            continue;
        };
        let (mut row, mut let_in) = (String::new(), BTreeSet::new());
        for who in WHO {
            let sent = stage.dress(operation.verb, example, who).send();
            let answer = soon(&route, sent).await.unwrap();
            let status = answer.status().as_u16();
            let fits = match expected(operation, who) {
                Answer::LetIn => {
                    let_in.insert(status);
                    example.2.contains(&status)
                }
                Answer::Refused(expected) => status == expected,
                Answer::SentAway => {
                    let to = answer.headers().get("location").map_or("", |it| it.to_str().unwrap());
                    status == 303 && (to == "/" || to.starts_with("/login"))
                }
            };
            row.push_str(&format!("{status:>w$} ", w = format!("{who:?}").len()));
            if !fits {
                let expected = expected(operation, who);
                wrong.push(format!("{route}: {who:?} got {status}, expected {expected:?}"));
            }
            if let Some(difference) = differs(&document, operation, answer).await {
                wrong.push(format!("{route}: {who:?}: {difference}"));
            }
        }
        println!("{route:<60} {:<9} {row}", format!("{:?}", operation.access()));
        if !let_in.contains(&example.2[0]) {
            wrong.push(format!("{route}: nobody was answered with {}", example.2[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(operations.len() > 50, "every route is looked at: {}", operations.len());
    stage.open.stop().await;
    stage.keyed.stop().await;
}

/// In what an answer is not as the document says.
async fn differs(
    document: &Value,
    operation: &Operation,
    answer: reqwest::Response,
) -> Option<String> {
    let path = operation.path.replace("{*", "{");
    // Another spelling of a route is told about under the first.
    let path = if path == "/" { &path } else { path.trim_end_matches('/') };
    let told = &document["paths"][path][operation.verb.as_str().to_lowercase()]["responses"];
    if told.is_null() && !operation.is_listed() {
        return None;
    }
    let status = answer.status().as_u16();
    let told = &told[status.to_string()];
    if told.is_null() {
        return Some(format!("the document does not know {status}"));
    }
    let headers = answer.headers();
    let kind = headers.get("content-type").map_or("", |it| it.to_str().unwrap());
    let kind = kind.split(';').next().unwrap().to_owned();
    let required = told["headers"].as_object().into_iter().flatten();
    if let Some((name, _)) = required
        .filter(|it| it.1["required"] == true)
        .find(|it| !headers.contains_key(it.0.as_str()))
    {
        return Some(format!("{status} without {name}"));
    }
    let Some(content) = told["content"].as_object() else {
        return (!kind.is_empty())
            .then(|| format!("{status} is {kind}, and the document says nothing"));
    };
    let found = content
        .iter()
        .find(|(it, _)| *it == &kind || it.as_str() == "*/*" || it.as_str() == "image/*");
    let Some((_, content)) = found else {
        return Some(format!("{status} is {kind}, which the document does not know"));
    };
    if !kind.ends_with("json") {
        return None;
    }
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let mut schema = content["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(&body).map(|it| format!("{}: {it}", it.instance_path())).collect();
    (!problems.is_empty()).then(|| format!("{status}: {}", problems.join("; ")))
}

/// Goal: whatever is told of an address is all there is at it: a program that tries verbs finds no other.
#[test]
fn no_verb_of_an_address_that_is_told_of_is_kept_quiet() {
    let operations = routes::list();
    let document: Value = serde_json::from_str(&openapi::document(&operations)).unwrap();
    for it in operations.iter().filter(|it| !it.is_listed()) {
        let told = &document["paths"][it.path];
        assert!(told.is_null(), "{} {}", it.verb.as_str(), it.path);
    }
}

/// Goal: what goes wrong goes wrong as the document says, also where no example of a route leads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_those_of_the_document() {
    let server = Setup::new().rooms(&["ana"]).set("SYSTEM__WEB__MAX_BODY_BYTES", 4_096);
    let server = server.set("SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", 100_000).start().await;
    let operations = routes::list();
    let document: Value = serde_json::from_str(&openapi::document(&operations)).unwrap();
    let find = |verb: Verb, path: &str| {
        operations.iter().find(|it| it.verb == verb && it.path == path).unwrap()
    };
    let mut wrong = Vec::new();
    for (path, address) in [
        ("/auth/login/{provider}", "/auth/login/nobody"),
        ("/auth/callback/{provider}", "/auth/callback/nobody"),
        ("/auth/callback/{provider}", "/auth/callback/discord"),
    ] {
        let answer = soon(address, server.get(address).send()).await.unwrap();
        assert_eq!(answer.status(), 404, "{address}");
        if let Some(difference) = differs(&document, find(Verb::Get, path), answer).await {
            wrong.push(format!("{address}: {difference}"));
        }
    }
    // A body of another kind, none, and one that is too large.
    let huge = "x".repeat(8_192);
    for it in
        operations.iter().filter(|it| matches!(it.access(), Access::Anyone | Access::Operator))
    {
        let path = it.path.replace("{*", "{");
        let verb = it.verb.as_str();
        let told = &document["paths"][&path][verb.to_lowercase()]["requestBody"]["content"];
        let Some((kind, _)) = told.as_object().and_then(|it| it.iter().next()) else { continue };
        let (_, _, expected) = find_example(it.verb, it.path).unwrap();
        let text = if kind.ends_with("json") {
            json!({"token": huge, "email": huge, "user": huge, "secret": huge}).to_string()
        } else {
            format!("token={huge}")
        };
        let address = it.path.replace("{uuid}", "none").replace("{room}", "ana");
        for (kind, body) in [("text/plain", "x"), (kind, ""), (kind, &text)] {
            let request = server.request(verb, &address, body).bearer_auth(TOKEN);
            let kind = reqwest::header::HeaderValue::from_str(kind).unwrap();
            let kind = [(reqwest::header::CONTENT_TYPE, kind)].into_iter().collect();
            let answer = soon(&address, request.headers(kind).send()).await.unwrap();
            let status = answer.status();
            assert!(
                status.is_client_error() || expected.contains(&status.as_u16()),
                "{address}: {status}"
            );
            if let Some(difference) = differs(&document, it, answer).await {
                wrong.push(format!("{verb} {address}: {difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.stop().await;
}

/// Goal: where pages are reached over TLS, browsers come over nothing else any more.
#[tokio::test]
async fn whoever_comes_over_tls_is_told_to_stay_with_it() {
    for (public, told) in
        [("https://suite.example", Some("max-age=31536000")), ("http://suite.example", None)]
    {
        let server = Setup::new().rooms(&["ana"]).set("SYSTEM__PUBLIC_URL", public).start().await;
        for path in ["/", "/api/rooms", "/nothing", "/static/js/feed.js"] {
            let answer = soon(path, server.get(path).send()).await.unwrap();
            let header = answer.headers().get("strict-transport-security");
            assert_eq!(header.map(|it| it.to_str().unwrap()), told, "{public} {path}");
        }
        server.stop().await;
    }
}

/// A change that comes with the operator's cookie from another site's page is refused, whatever the description says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_that_changes_something_takes_a_cookie_from_another_site() {
    let stage = Stage::start().await;
    let before = stage.keyed.room("ana").head();
    let writes: Vec<Operation> =
        routes::list().into_iter().filter(|it| it.verb != Verb::Get).collect();
    assert!(writes.len() > 15);
    for it in &writes {
        let example = find_example(it.verb, it.path).unwrap();
        let answer = stage.dress(it.verb, example, Who::Foreign).send().await.unwrap();
        // What is signed asks no cookie.
        let expected = if it.access() == Access::Signed { 400 } else { 403 };
        assert_eq!(answer.status(), expected, "{} {}", it.verb.as_str(), it.path);
        for origin in [Some("https://evil.example"), Some("null"), None] {
            // A way in takes those who do not say where from: there is nothing that their cookie opens.
            if it.access() == Access::Anyone && origin.is_none() {
                continue;
            }
            let request = stage.dress(it.verb, example, Who::Nobody);
            let request = request.header("cookie", &stage.creator);
            let request = match origin {
                Some(it) => request.header("origin", it),
                None => request,
            };
            let answer = request.send().await.unwrap();
            let expected = match it.access() {
                Access::Signed => 400,
                // A room may be read, and what its overlays report belongs to that.
                Access::Reader if origin.is_none() => continue,
                _ => 403,
            };
            assert_eq!(answer.status(), expected, "{origin:?} {} {}", it.verb.as_str(), it.path);
        }
    }
    assert_eq!(stage.keyed.room("ana").head(), before, "nothing was said");
    stage.open.stop().await;
    stage.keyed.stop().await;
}

/// Older clients of sign-in, accounts, admin and billing read members of their own.
#[tokio::test]
async fn failures_where_older_clients_ask_have_the_members_they_read() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    for (path, status, reason) in [
        ("/auth/operator", 400, "bad_request"),
        ("/auth/nothing", 404, "not_found"),
        ("/account/nothing", 404, "not_found"),
        ("/admin/users/nobody", 404, "not_found"),
        ("/billing/nothing", 404, "not_found"),
    ] {
        let answer = server.get(path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(problem["success"], false, "{path}");
        assert_eq!(problem["reason"], reason, "{path}");
        assert_eq!(problem["reason_enum"], reason.to_uppercase(), "{path}");
        assert_eq!(problem["message"], problem["detail"], "{path}");
        assert_eq!(problem["error"], problem["detail"], "{path}");
    }
    let elsewhere = server.get("/accounts").send().await.unwrap().text().await.unwrap();
    assert!(!elsewhere.contains("reason_enum"), "{elsewhere}");
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_is_not_utf8_is_refused_as_a_problem() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let address = server.server.address;
    for path in ["/api/rooms/%ff", "/api/rooms/ana/queue/%c3", "/static/%80.js"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer);
        soon(path, read).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    server.stop().await;
}

/// Goal: no route is added around the list.
#[test]
fn only_the_builder_adds_routes() {
    fn list_files(folder: &Path) -> Vec<std::path::PathBuf> {
        let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        paths.flat_map(|it| if it.is_dir() { list_files(&it) } else { vec![it] }).collect()
    }
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    let ways = [".route(", ".route_service(", ".nest(", ".nest_service(", ".fallback_service("];
    let mut found = Vec::new();
    for file in list_files(&web) {
        let text = fs::read_to_string(&file).unwrap();
        let count = ways.iter().map(|it| text.matches(it).count()).sum::<usize>();
        if count > 0 {
            found.push((file.strip_prefix(&web).unwrap().display().to_string(), count));
        }
    }
    assert_eq!(found, [("routes.rs".to_owned(), 1)]);
}

#[tokio::test]
async fn the_document_is_the_same_each_time_and_says_who_may() {
    let server = Setup::new().rooms(&["ana"]).start().await;
    let document = server.json("/api/openapi.json").await;
    let again: Value = serde_json::from_str(&openapi::document(&routes::list())).unwrap();
    assert_eq!(document, again);
    let list = &document["paths"]["/api/rooms/{room}/queue"];
    assert_eq!(
        list["post"]["security"],
        json!([{"session": []}, {"apiToken": []}, {"operatorToken": []}])
    );
    assert_eq!(list["get"]["security"][1], json!({"overlayKey": []}));
    let room = &list["get"]["parameters"][0]["schema"]["$ref"];
    let room = document.pointer(&room.as_str().unwrap()[1..]).unwrap();
    assert_eq!(room["pattern"], "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$");
    let again = server.get("/api/openapi.json").send().await.unwrap();
    let tag = again.headers()["etag"].clone();
    let known = server.get("/api/openapi.json").header("if-none-match", tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    server.stop().await;
}
