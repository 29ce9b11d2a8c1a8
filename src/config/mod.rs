//! The configuration: JSON files, environment and flags in, one checked [`Config`] out.
//!
//! Layers, later wins: built-in defaults, files, environment (`STREAMSUITES__SECTION__KEY`), flags.
//! All problems of all layers come at once. Nothing else reads configuration files or the environment.

pub mod addresses;
pub mod auth;
pub mod automation;
pub mod body;
pub mod channel_flag;
pub mod channel_name;
pub mod creators;
mod doubts;
mod environment;
mod layers;
mod log_filter;
pub mod platforms;
mod problem;
pub mod quotas;
pub mod ratelimits;
mod read;
pub mod reload;
pub mod schema;
pub mod secrets;
mod show;
pub mod system;
pub mod tiers;
pub mod triggers;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::layers::Layers;

pub use self::{
    addresses::{HttpUrl, IrcUrl, ListenAddress, WsUrl},
    auth::{AuthConfig, MailConfig, ProviderConfig, SurfaceConfig},
    automation::AutomationConfig,
    creators::{ChannelConfig, CreatorConfig, CreatorsConfig},
    environment::Environment,
    layers::Flags,
    log_filter::LogFilter,
    platforms::{PlatformsConfig, TwitchConfig},
    problem::{ConfigErrors, Problem},
    quotas::QuotasConfig,
    ratelimits::{Limited, RateLimitsConfig},
    reload::{Reload, Reloader},
    schema::schemas,
    secrets::Secrets,
    show::show,
    system::{OverlayAccess, SystemConfig},
    tiers::TiersConfig,
    triggers::TriggersConfig,
};

/// Everything that is configured, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// `system.json`: the server itself.
    pub system: SystemConfig,
    /// `platforms.json`: how platforms are reached.
    pub platforms: PlatformsConfig,
    /// `creators.json`: whose chats are read.
    pub creators: CreatorsConfig,
    /// `quotas.json`: what may be spent.
    pub quotas: QuotasConfig,
    /// `tiers.json`: what each tier allows.
    pub tiers: TiersConfig,
    /// `triggers.json`: what is done about what is said.
    pub triggers: Arc<TriggersConfig>,
    /// `ratelimits.json`: how much may happen within a minute.
    pub ratelimits: RateLimitsConfig,
    /// Secrets, from the environment and `.env` only.
    pub secrets: Secrets,
    /// What looks like a mistake, though it need not be one.
    pub doubts: Vec<Problem>,
}

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The folder of the JSON files, usually `config`.
    pub folder: PathBuf,
    /// Whether a missing folder is an error, because it was asked for by name.
    pub folder_must_exist: bool,
    /// The environment of the process.
    pub environment: Environment,
    /// The file that adds to the environment, usually `.env`; it may be missing.
    pub dotenv: Option<PathBuf>,
    /// What the command line sets.
    pub flags: Flags,
}

impl Sources {
    /// `config` and `.env` in the working folder, and the environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let environment = Environment::from_process();
        Self { environment, dotenv: Some(".env".into()), ..Self::default() }
    }
}

impl Default for Sources {
    /// The folder `config` alone: no environment, no flags.
    fn default() -> Self {
        Self {
            folder: "config".into(),
            folder_must_exist: false,
            environment: Environment::default(),
            dotenv: None,
            flags: Flags::default(),
        }
    }
}

/// What a valid configuration holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Files that were there (count).
    pub files: usize,
    /// Creators, those of flags included (count).
    pub creators: usize,
    /// Their channels (count).
    pub channels: usize,
    /// What looks like a mistake, though it need not be one.
    pub doubts: Vec<Problem>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: usize, word: &str| {
            if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
        };
        let Self { files, creators, channels, doubts } = self;
        let (files, creators) = (count(*files, "file"), count(*creators, "creator"));
        let channels = count(*channels, "channel");
        write!(f, "the configuration is valid: {files}, {creators}, {channels}")?;
        doubts.iter().try_for_each(|it| write!(f, "\nbut look at {it}"))
    }
}

/// Reads and checks all layers. Blocking: reads files.
///
/// # Errors
/// Every problem of every layer, sorted by file, then path.
pub fn load(sources: &Sources) -> Result<Config, ConfigErrors> {
    load_counted(sources).map(|(config, _)| config)
}

/// Checks all layers as the server would read them. Blocking: reads files.
///
/// # Errors
/// As [`load`].
pub fn check(sources: &Sources) -> Result<Summary, ConfigErrors> {
    load_counted(sources).map(|(config, files)| {
        let creators = &config.creators.creators;
        let channels = creators.iter().map(|it| it.channels.len()).sum();
        Summary { files, creators: creators.len(), channels, doubts: config.doubts.clone() }
    })
}

/// The configuration, and how many files it was read from.
fn load_counted(sources: &Sources) -> Result<(Config, usize), ConfigErrors> {
    let mut layers = Layers::from_files(sources);
    let mut environment = sources.environment.clone();
    if let Some(path) = &sources.dotenv {
        layers.problems.extend(environment.add_file(path));
    }
    layers.add_environment(&environment);
    layers.add_flags(&sources.flags);
    layers.check();

    let overlay_keys = creators::list_overlay_keys(&layers.values[2]);
    // Every section that can be read is looked at as a whole, whatever is wrong with the others.
    let system: Option<SystemConfig> = typed(&mut layers, 0);
    let platforms: Option<PlatformsConfig> = typed(&mut layers, 1);
    let creators: Option<CreatorsConfig> = typed(&mut layers, 2);
    let quotas: Option<QuotasConfig> = typed(&mut layers, 3);
    let tiers: Option<TiersConfig> = typed(&mut layers, 4);
    let triggers: Option<TriggersConfig> = typed(&mut layers, 5);
    let ratelimits: Option<RateLimitsConfig> = typed(&mut layers, 6);
    layers.add_found(0, system.as_ref().map_or_else(Vec::new, SystemConfig::check));
    layers.add_found(1, platforms.as_ref().map_or_else(Vec::new, PlatformsConfig::check));
    layers.add_found(3, quotas.as_ref().map_or_else(Vec::new, QuotasConfig::check));
    layers.add_found(4, tiers.as_ref().map_or_else(Vec::new, TiersConfig::check));
    layers.add_found(5, triggers.as_ref().map_or_else(Vec::new, TriggersConfig::check));

    let beside = std::path::absolute(&sources.folder).ok();
    let beside = beside.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let secrets = Secrets::from_environment(&environment);
    layers.problems.extend(secrets.check());
    let mut doubts = secrets.list_doubts(&environment);
    if let Some(platforms) = &platforms {
        doubts.extend(layers.place(1, doubts::of_platforms(platforms)));
    }
    if let Some(creators) = &creators {
        doubts.extend(layers.place(2, doubts::of_creators(creators, beside)));
        let of_quotas = quotas.as_ref().map(|it| doubts::of_quotas(it, creators));
        doubts.extend(layers.place(3, of_quotas.unwrap_or_default()));
    }

    let mut config = Config {
        system: system.unwrap_or_default(),
        platforms: platforms.unwrap_or_default(),
        creators: creators.unwrap_or_default(),
        quotas: quotas.unwrap_or_default(),
        tiers: tiers.unwrap_or_default(),
        triggers: Arc::new(triggers.unwrap_or_default()),
        ratelimits: ratelimits.unwrap_or_default(),
        doubts,
        secrets,
    };
    config.creators.note_overlay_keys(overlay_keys);
    config.creators.normalize();
    ConfigErrors::unless_empty((config, layers.files_found), layers.problems)
}

/// A section's value as its type. A refusal is a problem only if nothing else has been found: then
/// the schema let something through that the type does not take.
fn typed<T: DeserializeOwned>(layers: &mut Layers, section: usize) -> Option<T> {
    let mut value = layers.values[section].take();
    if let Some(object) = value.as_object_mut() {
        object.remove("$schema");
    }
    make_whole(&mut value);
    match serde_json::from_value(value) {
        Ok(typed) => Some(typed),
        Err(error) => {
            if layers.problems.is_empty() {
                let file = layers.files[section].clone();
                layers.problems.push(Problem::new(file, "", error.to_string()));
            }
            None
        }
    }
}

/// Writes `30.0` as `30`: to a JSON Schema both are integers, to serde only the second.
fn make_whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|it| number.is_f64() && it.fract() == 0.0);
            // Above 2^53 a float is no longer exact, and no key takes as much.
            if let Some(whole) = whole.filter(|it| it.abs() < 9_007_199_254_740_992.0) {
                #[allow(clippy::cast_possible_truncation)] // Whole and small enough, see above.
                let whole = whole as i64;
                *value = whole.into();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(make_whole),
        Value::Object(members) => members.values_mut().for_each(make_whole),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
