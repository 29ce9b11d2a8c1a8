//! `rumble` in `config/platforms.json`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http;
use crate::config::HttpUrl;

/// `rumble` in `config/platforms.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RumbleConfig {
    /// Whether Rumble is read at all.
    pub enabled: bool,
    /// The site.
    pub web_url: HttpUrl,
    /// The chat's server, until the page names another.
    pub chat_url: HttpUrl,
    /// The server that tells how many are watching.
    pub viewers_url: HttpUrl,
    /// The Live Stream API, asked with a creator's key.
    pub api_url: HttpUrl,
    /// What calls without a browser say they are; the site refuses what is no browser.
    #[schemars(length(min = 1, max = 300))]
    pub user_agent: String,
    /// The browser for what cannot be read without one; null looks for Chromium or Chrome on the path.
    #[schemars(length(min = 1))]
    pub browser_path: Option<PathBuf>,
    /// Whether that browser has no window.
    pub browser_headless: bool,
    /// Time the browser is kept when nobody needs it (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub browser_idle_seconds: u32,
    /// Time a page is given to ask for its chat before it is loaded once more (s).
    #[schemars(range(min = 1, max = 120))]
    pub page_seconds: u32,
    /// Time between two looks whether a channel is live (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub offline_seconds: u32,
    /// Silence of a chat after which it is shown as quiet (s).
    #[schemars(range(min = 1, max = 86_400))]
    pub quiet_seconds: u32,
    /// Silence after which the chat is compared with the page (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub compare_seconds: u32,
    /// Silence after which the chat's connection is opened anew (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub reopen_seconds: u32,
    /// Wait for a chat that is not ready yet (ms).
    #[schemars(range(min = 10, max = 60_000))]
    pub not_ready_ms: u32,
    /// Time after which a chat that is not ready is looked for anew (s).
    #[schemars(range(min = 1, max = 3_600))]
    pub look_again_seconds: u32,
    /// First wait behind a lost connection to the chat (ms); it doubles.
    #[schemars(range(min = 10, max = 60_000))]
    pub retry_ms: u32,
    /// Longest such wait (ms).
    #[schemars(range(min = 10, max = 600_000))]
    pub longest_retry_ms: u32,
    /// Time in a lower mode after which a better one is tried (s); it doubles up to eight times as long.
    #[schemars(range(min = 1, max = 86_400))]
    pub try_better_seconds: u32,
    /// Time between two calls of the Live Stream API (s).
    #[schemars(range(min = 5, max = 600))]
    pub api_seconds: u32,
}

impl Default for RumbleConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            web_url: http("https://rumble.com"),
            chat_url: http("https://web7.rumble.com"),
            viewers_url: http("https://wn0.rumble.com"),
            api_url: http("https://rumble.com/-livestream-api"),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                         Chrome/140.0.0.0 Safari/537.36"
                .to_owned(),
            browser_path: None,
            browser_headless: true,
            browser_idle_seconds: 120,
            page_seconds: 15,
            offline_seconds: 60,
            quiet_seconds: 300,
            compare_seconds: 30,
            reopen_seconds: 60,
            not_ready_ms: 2_000,
            look_again_seconds: 30,
            retry_ms: 1_000,
            longest_retry_ms: 30_000,
            try_better_seconds: 600,
            api_seconds: 10,
        }
    }
}

/// Names of browsers, the best known to work first.
const BROWSERS: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

impl RumbleConfig {
    /// The browser that is configured, else the first one on the path; `None` when there is none.
    #[must_use]
    pub fn find_browser(&self) -> Option<PathBuf> {
        if let Some(path) = &self.browser_path {
            return path.is_file().then(|| path.clone());
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        let files = BROWSERS.iter().flat_map(|name| folders.iter().map(move |it| it.join(name)));
        files
            .map(|it| if cfg!(windows) { it.with_extension("exe") } else { it })
            .find(|it| it.is_file())
    }
}
