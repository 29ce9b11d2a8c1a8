//! The addresses under `/admin`.

use serde_json::json;

use super::{
    access_state::{self, AccessAnswer, NewAccess},
    accounts::{self, AccountDetail, AccountList, ActAnswer, NewRole, NewRooms, NewTier},
    audit::{self, AuditList},
    controls::{self, Bypass, ControlsAnswer, NewControls},
    export, metrics,
    tiers::{self, Catalog, TierConfigAnswer},
};
use crate::{
    config::TiersConfig,
    telemetry::requests::Use,
    web::{
        api::routes::moment,
        operation::{
            Access::{Anyone, Operator},
            Doc, Shape,
            Verb::{Delete, Get, Patch, Post, Put},
        },
        routes::Routes,
    },
};

/// Adds them.
pub(in crate::web) fn add(routes: Routes) -> Routes {
    let routes = lists(routes);
    let routes = acts(routes);
    let routes = switches(routes);
    exports(routes)
}

fn doc(summary: &'static str) -> Doc {
    Doc::api(Operator, "admin", summary)
}

fn words(words: &[&str]) -> Shape {
    // Nothing between `=` and `&` is as if it were not said.
    let words: Vec<&str> = words.iter().copied().chain([""]).collect();
    Shape::literal(json!({"type": "string", "enum": words}))
}

fn which(doc: Doc) -> Doc {
    doc.text("q", "Part of an address, a name, a code or a room; the start of an id.")
        .query("role", words(&["viewer", "creator", "moderator", "admin"]), "With this role.")
        .query("tier", words(&["core", "gold", "pro"]), "With this tier.")
        .query("status", words(&["active", "suspended"]), "Whether they may be used.")
}

fn paged(doc: Doc) -> Doc {
    let number = Shape::literal(json!({"type": "integer", "minimum": 1}));
    doc.query("cursor", Shape::text(), "`next_cursor` of the answer before.").query(
        "limit",
        number,
        "How many; more than the server gives at once are as many as it does.",
    )
}

fn lists(routes: Routes) -> Routes {
    let list = |summary| paged(which(doc(summary))).answers(200, Shape::of::<AccountList>());
    routes
        .on(Get, "/admin/users", accounts::list_accounts, list("Accounts, the newest first"))
        .on(Get, "/admin/accounts", accounts::list_accounts, list("The same"))
        .on(
            Get,
            "/admin/accounts/{uuid}",
            accounts::find_account,
            doc("One account").answers(200, Shape::of::<AccountDetail>()).fails(&[404]),
        )
        .on(
            Get,
            "/admin/audit",
            audit::list_audit,
            paged(doc("What was done, the latest first"))
                .text("action", "Actions, with commas between them.")
                .text("target", "Id or code of the account it was done to.")
                .text("actor", "Id or code of who did it, or `operator`, `fallback`, `system`.")
                .query("since", moment(), "From then on.")
                .answers(200, Shape::of::<AuditList>()),
        )
        .on(
            Get,
            "/admin/metrics/api",
            metrics::show_api_use,
            doc("How the API is used, by route")
                .query("window", words(&["1m", "5m", "15m", "1h", "24h"]), "Up to now.")
                .answers(200, Shape::of::<Use>()),
        )
}

fn acts(routes: Routes) -> Routes {
    let act = |summary| doc(summary).answers(200, Shape::of::<ActAnswer>()).fails(&[404, 409]);
    routes
        .on(
            Post,
            "/admin/accounts/{uuid}/suspend",
            accounts::suspend_account,
            act("Takes an account out of use; who is signed in is out at once"),
        )
        .on(
            Post,
            "/admin/accounts/{uuid}/unsuspend",
            accounts::unsuspend_account,
            act("Lets an account be used again"),
        )
        .on(
            Post,
            "/admin/accounts/{uuid}/delete",
            accounts::delete_account,
            act("Removes an account, for good"),
        )
        .on(Delete, "/admin/accounts/{uuid}", accounts::delete_account, act("The same"))
        .on(
            Post,
            "/admin/accounts/{uuid}/invalidate-sessions",
            accounts::invalidate_sessions,
            act("Ends all sign-ins of an account"),
        )
        .on(
            Post,
            "/admin/accounts/{uuid}/reset-onboarding",
            accounts::reset_onboarding,
            act("Has its owner say anew what an account is for"),
        )
        .on(
            Post,
            "/admin/accounts/{uuid}/force-email-reverify",
            accounts::force_email_reverify,
            act("Has its owner prove an account's address anew").fails(&[403]),
        )
        .on(
            Post,
            "/admin/accounts/{uuid}/mark-email-verified",
            accounts::mark_email_verified,
            act("Takes an account's address as proven"),
        )
        .on(
            Patch,
            "/admin/accounts/{uuid}/tier",
            accounts::set_tier,
            act("Gives an account a tier").takes(Shape::of::<NewTier>()),
        )
        .on(
            Patch,
            "/admin/accounts/{uuid}/role",
            accounts::set_role,
            act("Gives an account a role").takes(Shape::of::<NewRole>()),
        )
        .on(
            Put,
            "/admin/accounts/{uuid}/rooms",
            accounts::set_rooms,
            act("Says which rooms are an account's own").takes(Shape::of::<NewRooms>()),
        )
}

fn switches(routes: Routes) -> Routes {
    routes
        .on(
            Get,
            "/admin/auth/controls",
            controls::show_controls,
            doc("What is switched off").answers(200, Shape::of::<ControlsAnswer>()),
        )
        .on(
            Post,
            "/admin/auth/controls",
            controls::set_controls,
            doc("Switches sign-ups, ways in and verification off and on")
                .takes(Shape::of::<NewControls>())
                .answers(200, Shape::of::<ControlsAnswer>()),
        )
        .on(
            Put,
            "/admin/policy/admin-bypass",
            controls::set_admin_bypass,
            doc("Lets admins change tiers beyond their rules, or not")
                .takes(Shape::of::<Bypass>())
                .answers(200, Shape::of::<ControlsAnswer>()),
        )
        .on(
            Get,
            "/admin/tier-config",
            tiers::show_tier_config,
            doc("What each tier allows, and what of it an admin changed")
                .answers(200, Shape::of::<TierConfigAnswer>()),
        )
        .on(
            Put,
            "/admin/tier-config",
            tiers::set_tier_config,
            doc("Changes what tiers allow")
                .takes(Shape::member("tiers", Shape::of::<TiersConfig>()))
                .answers(200, Shape::of::<TierConfigAnswer>()),
        )
        .on(
            Get,
            "/admin/tier-catalog",
            tiers::show_catalog,
            Doc::api(Anyone, "admin", "What each tier allows, as plans show it")
                .answers(200, Shape::of::<Catalog>()),
        )
        .on(
            Get,
            "/auth/access-state",
            access_state::show_access_state,
            Doc::api(Anyone, "auth", "Whether everybody may do as they may, or admins alone")
                .answers(200, Shape::of::<AccessAnswer>()),
        )
        .on(
            Put,
            "/admin/access-state",
            access_state::set_access_state,
            doc("Lets admins alone change things, or everybody again")
                .takes(Shape::of::<NewAccess>())
                .answers(200, Shape::of::<AccessAnswer>()),
        )
}

fn exports(routes: Routes) -> Routes {
    let json = |summary| doc(summary).gives(200, "application/json").untimed();
    let csv = |summary| doc(summary).gives(200, "text/csv").untimed();
    routes
        .on(
            Get,
            "/admin/export/users.json",
            export::export_users_json,
            which(json("All accounts, as a file")),
        )
        .on(
            Get,
            "/admin/export/users.csv",
            export::export_users_csv,
            which(csv("All accounts, as a table")),
        )
        .on(
            Get,
            "/admin/accounts/export.json",
            export::export_users_json,
            which(json("All accounts, as a file")),
        )
        .on(
            Get,
            "/admin/accounts/export.csv",
            export::export_users_csv,
            which(csv("All accounts, as a table")),
        )
        .on(
            Get,
            "/admin/export/audit.json",
            export::export_audit_json,
            json("The audit, redacted, as a file"),
        )
        .on(
            Get,
            "/admin/export/audit.csv",
            export::export_audit_csv,
            csv("The audit, redacted, as a table"),
        )
        .on(
            Post,
            "/admin/export/audit",
            export::export_audit_as,
            json("The audit, redacted, as a file or a table").gives(200, "text/csv").query(
                "format",
                words(&["json", "csv"]),
                "Which.",
            ),
        )
}
