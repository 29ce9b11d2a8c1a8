//! Where log lines go, and in which shape.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogShape {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Sends log lines to standard error for the rest of the process.
///
/// `filter` is a level or an `env-filter` directive list, such as `info,streamsuites=debug`. A later
/// call changes nothing: the first one holds.
///
/// # Errors
/// What is wrong with `filter`.
pub fn init(filter: &str, shape: LogShape) -> Result<(), tracing_subscriber::filter::ParseError> {
    // Third parties log whole chat lines or cookies at these levels.
    let filter = EnvFilter::builder()
        .parse(filter)?
        .add_directive("twitch_irc=off".parse()?)
        .add_directive("chromiumoxide=error".parse()?);
    let human = match shape {
        LogShape::Auto => std::io::stderr().is_terminal(),
        LogShape::Human => true,
        LogShape::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    // Already initialised (a second server in one process): the first choice stands.
    let _ = if human {
        registry.with(lines.with_ansi(std::io::stderr().is_terminal()).compact()).try_init()
    } else {
        registry.with(lines.json().flatten_event(true)).try_init()
    };
    Ok(())
}
