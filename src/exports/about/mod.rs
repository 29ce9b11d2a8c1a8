//! `changelog.json`, `changelog.runtime.json`, `roadmap.json`, `about.public.json` and `about.admin.json`: what people
//! should know about this product. Their words are in the JSON files beside this one, part of the binary and served
//! by themselves nowhere; version and build come from the program.

use std::{collections::BTreeMap, sync::LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    document::{Content, Export, Meta, Sources, Visibility, WithMeta, schema_of, to_bytes},
    platforms::{self, PlatformState},
};
use crate::model::{Platform, Timestamp};

/// Everything that changed.
pub const CHANGELOG: Export = Export {
    path: "changelog.json",
    visibility: Visibility::Public,
    description: "What changed, in every part of the product.",
    json_schema: schema_of::<WithMeta<Changelog>>,
    content: Content::OnChange { render: render_changelog, revision },
};

/// What changed in this program; a bare list, because that is what its readers take.
pub const CHANGELOG_RUNTIME: Export = Export {
    path: "changelog.runtime.json",
    visibility: Visibility::Public,
    description: "What changed in the runtime, a bare list.",
    json_schema: schema_of::<Vec<Change>>,
    content: Content::OnChange { render: render_changelog_runtime, revision },
};

/// What is to come.
pub const ROADMAP: Export = Export {
    path: "roadmap.json",
    visibility: Visibility::Public,
    description: "What is there, and what is to come.",
    json_schema: schema_of::<WithMeta<Roadmap>>,
    content: Content::OnChange { render: render_roadmap, revision },
};

/// About this product, for everyone.
pub const ABOUT_PUBLIC: Export = Export {
    path: "about.public.json",
    visibility: Visibility::Public,
    description: "About this product, for everyone.",
    json_schema: schema_of::<WithMeta<About>>,
    content: Content::OnChange { render: render_public, revision: revision_of_platforms },
};

/// The same for admins.
pub const ABOUT_ADMIN: Export = Export {
    path: "about.admin.json",
    visibility: Visibility::DashboardOnly,
    description: "About this product, for admins.",
    json_schema: schema_of::<WithMeta<About>>,
    content: Content::OnChange { render: render_admin, revision: revision_of_platforms },
};

/// What changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Changelog {
    /// The newest first.
    entries: Vec<Change>,
}

/// Something that changed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Unique, and never used again.
    id: String,
    /// `YYYY-MM-DD`
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    date: String,
    /// In a few words.
    title: String,
    /// In sentences.
    description: String,
    /// In one sentence, where that is shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// One by one: `added`, `changed`, `fixed`, `removed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changes: Option<BTreeMap<String, Vec<String>>>,
    /// The version that brought it; absent in the file for what the next one brings.
    #[serde(default = "this_version")]
    version: String,
    /// Which part of the product: `runtime` is this program.
    scope: String,
    /// For sorting it.
    tags: Vec<String>,
}

fn this_version() -> String {
    crate::VERSION.to_owned()
}

/// What is there, and what is to come.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roadmap {
    /// In the order shown.
    entries: Vec<Plan>,
}

/// Something that is there, or to come.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Unique.
    id: String,
    /// In a few words.
    title: String,
    /// How far it is.
    status: PlanStatus,
    /// How far it is (%).
    #[schemars(range(max = 100))]
    progress: u8,
    /// In a sentence.
    description: String,
}

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlanStatus {
    /// It is there.
    Complete,
    /// It is worked on.
    Active,
    /// Some of it is there.
    Partial,
    /// Not for now.
    Paused,
    /// Not yet begun.
    Planned,
}

/// About this product.
#[derive(Debug, Serialize, JsonSchema)]
pub struct About {
    /// For whom: `public` or `admin`.
    scope: &'static str,
    /// What says it.
    surface: &'static str,
    /// Semantic version of the program.
    version: &'static str,
    /// Build of the program, `YYYY.MM.DD+NNN`.
    build: &'static str,
    /// When these words were last changed, `YYYY-MM-DD`.
    last_updated: String,
    /// Whose it is.
    owner: String,
    /// Under which licence.
    copyright: String,
    /// What has to be said.
    notice: String,
    /// What it can do with each platform.
    platform_status: Vec<PlatformNote>,
    /// From where it is looked after.
    control_planes: Vec<PlaneNote>,
}

/// What it can do with a platform.
#[derive(Debug, Serialize, JsonSchema)]
struct PlatformNote {
    /// `twitch youtube kick rumble pilled discord x`
    platform: Platform,
    /// How far it is.
    status: PlatformState,
    /// In a sentence.
    notes: &'static str,
}

/// From where it is looked after.
#[derive(Debug, Serialize, JsonSchema)]
struct PlaneNote {
    /// In a word.
    name: String,
    /// `active` or `planned`.
    status: String,
    /// In a sentence.
    notes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangelogFile {
    /// Ids of entries that were taken out: not to be used again.
    #[cfg_attr(not(test), allow(dead_code))]
    retired: Vec<String>,
    entries: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutFile {
    last_updated: String,
    owner: String,
    copyright: String,
    notice: String,
    control_planes: Vec<Plane>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plane {
    name: String,
    status: String,
    notes: String,
    admin_only: bool,
}

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("a file of the binary, which a test has read")
}

static CHANGES: LazyLock<ChangelogFile> = LazyLock::new(|| read(include_str!("changelog.json")));
static PLANS: LazyLock<Roadmap> = LazyLock::new(|| read(include_str!("roadmap.json")));
static WORDS: LazyLock<AboutFile> = LazyLock::new(|| read(include_str!("about.json")));

fn revision(_: &Sources) -> u64 {
    0
}

fn revision_of_platforms(sources: &Sources) -> u64 {
    platforms::revision(sources)
}

/// The newest first; those of a day in the order of the file, turned round.
fn list_changes(wanted: impl Fn(&Change) -> bool) -> Vec<Change> {
    let mut entries: Vec<_> =
        CHANGES.entries.iter().rev().filter(|it| wanted(it)).cloned().collect();
    entries.sort_by(|a, b| b.date.cmp(&a.date));
    entries
}

fn render_changelog(_: &Sources, now: Timestamp) -> Vec<u8> {
    let meta = Meta::new(CHANGELOG.path, CHANGELOG.visibility, now);
    to_bytes(&WithMeta { meta, fields: Changelog { entries: list_changes(|_| true) } })
}

fn render_changelog_runtime(_: &Sources, _: Timestamp) -> Vec<u8> {
    to_bytes(&list_changes(|it| it.scope == "runtime"))
}

fn render_roadmap(_: &Sources, now: Timestamp) -> Vec<u8> {
    let meta = Meta::new(ROADMAP.path, ROADMAP.visibility, now);
    to_bytes(&WithMeta { meta, fields: (*PLANS).clone() })
}

fn render_public(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let meta = Meta::new(ABOUT_PUBLIC.path, ABOUT_PUBLIC.visibility, now);
    to_bytes(&WithMeta { meta, fields: about(sources, false) })
}

fn render_admin(sources: &Sources, now: Timestamp) -> Vec<u8> {
    let meta = Meta::new(ABOUT_ADMIN.path, ABOUT_ADMIN.visibility, now);
    to_bytes(&WithMeta { meta, fields: about(sources, true) })
}

fn about(sources: &Sources, for_admins: bool) -> About {
    let words = &*WORDS;
    let platform_status = platforms::list_states(&sources.config.platforms);
    let planes = words.control_planes.iter().filter(|it| for_admins || !it.admin_only);
    About {
        scope: if for_admins { "admin" } else { "public" },
        surface: super::document::SOURCE,
        version: crate::VERSION,
        build: crate::BUILD,
        last_updated: words.last_updated.clone(),
        owner: words.owner.clone(),
        copyright: words.copyright.clone(),
        notice: words.notice.clone(),
        platform_status: platform_status
            .map(|(platform, status, notes)| PlatformNote { platform, status, notes })
            .collect(),
        control_planes: planes
            .map(|it| PlaneNote {
                name: it.name.clone(),
                status: it.status.clone(),
                notes: it.notes.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_of_the_changelog_is_used_twice_or_again() {
        let ids: Vec<_> = CHANGES.entries.iter().map(|it| &it.id).collect();
        let all: BTreeSet<_> = ids.iter().copied().chain(&CHANGES.retired).collect();
        assert_eq!(all.len(), ids.len() + CHANGES.retired.len());
        assert!(list_changes(|_| true).windows(2).all(|it| it[0].date >= it[1].date));
        assert!(!list_changes(|it| it.scope == "runtime").is_empty());
    }

    #[test]
    fn the_roadmap_and_the_words_can_be_read() {
        let ids: BTreeSet<_> = PLANS.entries.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), PLANS.entries.len());
        for it in &PLANS.entries {
            assert_eq!(it.progress == 100, it.status == PlanStatus::Complete, "{}", it.id);
        }
        assert!(WORDS.control_planes.iter().any(|it| it.admin_only));
    }
}
