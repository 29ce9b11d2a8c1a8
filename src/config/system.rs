//! `config/system.json`: the server itself.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AuthConfig, AutomationConfig, HttpUrl, ListenAddress, LogFilter, MailConfig};

/// `config/system.json`: where the server listens, what it keeps and how much it allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SystemConfig {
    /// Where pages, sockets and the API are served (`HOST:PORT`). Needs a restart.
    pub listen: ListenAddress,
    /// The address under which viewers reach this server, when a proxy stands before it.
    pub public_url: Option<HttpUrl>,
    /// Folder of the database and the feed log. Needs a restart.
    #[schemars(length(min = 1))]
    pub data_dir: PathBuf,
    /// Folder that receives the exported files. Needs a restart.
    #[schemars(length(min = 1))]
    pub exports_dir: PathBuf,
    /// Whether an overlay needs a key; null is `open` on loopback and `key` otherwise.
    pub overlay_access: Option<OverlayAccess>,
    /// How much of every room is kept, in memory and on the disk.
    pub feed: FeedConfig,
    /// What is logged, and in which shape.
    pub log: LogConfig,
    /// Limits of pages, sockets and the API.
    pub web: WebConfig,
    /// Files written for static sites.
    pub exports: ExportsConfig,
    /// Messages made up here, for trying an overlay out.
    pub synthetic: SyntheticConfig,
    /// Pictures fetched for the pages.
    pub media: MediaConfig,
    /// How people sign in, and for how long.
    pub auth: AuthConfig,
    /// How mails are sent.
    pub mail: MailConfig,
    /// Where triggers may reach out to.
    pub automation: AutomationConfig,
}

impl SystemConfig {
    /// Whether an overlay needs a key: as configured, else `open` on loopback and `key` otherwise.
    #[must_use]
    pub fn overlay_access(&self) -> OverlayAccess {
        let by_address =
            if self.listen.is_loopback() { OverlayAccess::Open } else { OverlayAccess::Key };
        self.overlay_access.unwrap_or(by_address)
    }

    /// The address that pages are reached at, without a slash at the end, where the server listens there.
    #[must_use]
    pub fn base_url(&self, listen: &ListenAddress) -> String {
        match &self.public_url {
            Some(it) => it.as_str().trim_end_matches('/').to_owned(),
            None if listen.is_unspecified() => format!("http://127.0.0.1:{}", listen.port()),
            None => format!("http://{listen}"),
        }
    }

    /// Origins whose pages may call the API with a cookie, besides our own: those of `web.cors_origins` and of the
    /// surfaces.
    #[must_use]
    pub fn allowed_origins(&self) -> Vec<HttpUrl> {
        self.web.cors_origins.iter().chain(self.surface_urls()).cloned().collect()
    }

    /// The pages of surfaces that are not this server's.
    pub fn surface_urls(&self) -> impl Iterator<Item = &HttpUrl> {
        let surfaces = &self.auth.surfaces;
        [&surfaces.public, &surfaces.creator, &surfaces.admin]
            .into_iter()
            .flat_map(|it| [&it.login_url, &it.success_url])
            .flatten()
    }

    /// What is wrong between values that are right by themselves: JSON pointer and message.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let MediaConfig { max_picture_bytes, cache_max_bytes, .. } = self.media;
        let mut found = Vec::new();
        if max_picture_bytes > cache_max_bytes {
            let message =
                format!("{max_picture_bytes} is more than cache_max_bytes ({cache_max_bytes})");
            found.push(("/media/max_picture_bytes".to_owned(), message));
        }
        found
    }
}

impl Default for SystemConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".parse().expect("a valid address"),
            public_url: None,
            data_dir: "data".into(),
            exports_dir: "exports".into(),
            overlay_access: None,
            feed: FeedConfig::default(),
            log: LogConfig::default(),
            web: WebConfig::default(),
            exports: ExportsConfig::default(),
            synthetic: SyntheticConfig::default(),
            media: MediaConfig::default(),
            auth: AuthConfig::default(),
            mail: MailConfig::default(),
            automation: AutomationConfig::default(),
        }
    }
}

/// Who may open an overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OverlayAccess {
    /// Everyone who reaches the server.
    Open,
    /// Who holds a key of the room.
    Key,
}

/// `feed` in `config/system.json`: how much of every room is kept, in memory and on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FeedConfig {
    /// Newest events a room holds in memory, for joiners and slow readers (count). Needs a restart.
    #[schemars(range(min = 64, max = 65_536))]
    pub ring_events: u32,
    /// Newest ids of each platform that a room remembers, so that nothing is told twice (count). Needs a restart.
    #[schemars(range(min = 256, max = 1_000_000))]
    pub dedupe_ids: u32,
    /// Most rooms at a time (count).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_rooms: u32,
    /// Whether rooms are recorded at all, for replay and for coming back after a restart. Needs a restart.
    pub record: bool,
    /// Time after which a shown event is on the disk, even if the power fails then (ms). Needs a restart.
    #[schemars(range(min = 10, max = 10_000))]
    pub commit_ms: u32,
    /// Most memory for events that wait for the disk; when it is full, chat goes on and the log has a gap
    /// (bytes). Needs a restart.
    #[schemars(range(min = 65_536, max = 4_294_967_296_u64))]
    pub queue_bytes: u64,
    /// Silence after which what comes is another stream session (min). Needs a restart.
    #[schemars(range(min = 1, max = 1_440))]
    pub idle_minutes: u32,
    /// Age at which recorded events are deleted (days).
    #[schemars(range(min = 1, max = 3_650))]
    pub retention_days: u32,
    /// What the recorded events of one room may take; the oldest make room (bytes).
    #[schemars(range(min = 65_536, max = 1_099_511_627_776_u64))]
    pub retention_bytes: u64,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            ring_events: 1024,
            dedupe_ids: 8192,
            max_rooms: 10_000,
            record: true,
            commit_ms: 100,
            queue_bytes: 33_554_432,
            idle_minutes: 30,
            retention_days: 30,
            retention_bytes: 2_147_483_648,
        }
    }
}

/// `log` in `config/system.json`: what is logged, and in which shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// A level, or directives such as `info,streamsuites::chat=debug`.
    pub level: LogFilter,
    /// The shape of a line.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".parse().expect("a level"), format: LogFormat::Auto }
    }
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// `web` in `config/system.json`: limits of pages, sockets and the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Origins whose pages may call the API and open sockets, besides our own.
    #[schemars(length(max = 100))]
    pub cors_origins: Vec<HttpUrl>,
    /// Header in which a proxy on this machine says who asks, such as `cf-connecting-ip` or `x-forwarded-for`; null
    /// believes none. For limits and the audit, never for access.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z0-9-]+$"))]
    pub client_address_header: Option<String>,
    /// Most connections from one address at a time (count).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections_per_address: u32,
    /// Most connections at a time (count).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: u32,
    /// Time a request may take (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub request_timeout_seconds: u32,
    /// Largest body of a request (bytes).
    #[schemars(range(min = 1_024, max = 1_073_741_824))]
    pub max_body_bytes: u32,
    /// Time that sockets and tasks get to end when the server stops (ms).
    #[schemars(range(min = 0, max = 60_000))]
    pub shutdown_grace_ms: u32,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            client_address_header: None,
            max_connections_per_address: 512,
            max_connections: 50_000,
            request_timeout_seconds: 30,
            max_body_bytes: 262_144,
            shutdown_grace_ms: 4_000,
        }
    }
}

/// `exports` in `config/system.json`: files written for static sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExportsConfig {
    /// Time between two writings (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub interval_seconds: u32,
    /// Folder that also receives the public files, such as a checkout of the static site; null is none.
    #[schemars(length(min = 1))]
    pub publish_root: Option<PathBuf>,
    /// Whether the dashboard-only files go there too. They hold chat text and viewers' ids: never on a
    /// public site.
    pub publish_dashboard_too: bool,
}

impl Default for ExportsConfig {
    fn default() -> Self {
        Self { interval_seconds: 30, publish_root: None, publish_dashboard_too: false }
    }
}

/// `synthetic` in `config/system.json`: messages made up here, for trying an overlay out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticConfig {
    /// Whether they can be sent at all.
    pub enabled: bool,
    /// Most of them for one room (count per minute).
    #[schemars(range(min = 1, max = 10_000))]
    pub per_minute: u32,
}

impl Default for SyntheticConfig {
    fn default() -> Self {
        Self { enabled: true, per_minute: 30 }
    }
}

/// `media` in `config/system.json`: pictures fetched for the pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// Most disk space the fetched pictures take (bytes).
    #[schemars(range(min = 0, max = 1_099_511_627_776_u64))]
    pub cache_max_bytes: u64,
    /// Largest picture that is fetched (bytes).
    #[schemars(range(min = 1_024, max = 67_108_864))]
    pub max_picture_bytes: u64,
    /// Time a picture may take to arrive (ms).
    #[schemars(range(min = 100, max = 120_000))]
    pub timeout_ms: u32,
    /// Other addresses for hosts of pictures, by host: mirrors and stand-ins.
    pub origins: BTreeMap<String, HttpUrl>,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            cache_max_bytes: 268_435_456,
            max_picture_bytes: 1_048_576,
            timeout_ms: 8_000,
            origins: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_the_public_address_or_with_one_that_can_be_reached() {
        let begins = |listen: &str, public: Option<&str>| {
            let public_url = public.map(|it| it.parse().unwrap());
            let config = SystemConfig { public_url, ..SystemConfig::default() };
            config.base_url(&listen.parse().unwrap())
        };
        let bound: std::net::SocketAddr = "[::1]:81".parse().unwrap();
        assert_eq!(SystemConfig::default().base_url(&bound.into()), "http://[::1]:81");
        assert_eq!(begins("192.0.2.7:80", None), "http://192.0.2.7:80");
        assert_eq!(begins("localhost:8080", None), "http://localhost:8080");
        for everywhere in ["0.0.0.0:8080", "[::]:8080"] {
            assert_eq!(begins(everywhere, None), "http://127.0.0.1:8080");
            let public = begins(everywhere, Some("https://suite.example/"));
            assert_eq!(public, "https://suite.example");
        }
    }

    #[test]
    fn overlays_are_open_on_loopback_and_need_a_key_elsewhere_unless_told() {
        let mut system = SystemConfig::default();
        assert_eq!(system.overlay_access(), OverlayAccess::Open);
        system.listen = "0.0.0.0:8080".parse().unwrap();
        assert_eq!(system.overlay_access(), OverlayAccess::Key);
        system.overlay_access = Some(OverlayAccess::Open);
        assert_eq!(system.overlay_access(), OverlayAccess::Open);
    }
}
