//! `streamsuites serve`, and what every serving command shares.

use std::{fmt::Write, path::PathBuf};

use clap::Args;

use super::{Failure, print, share};
use crate::{
    app::{self, Options, Playback, Server, StartError},
    config::{Flags, Sources, system::LogFormat},
    lifecycle::StopRequests,
    model::CreatorId,
    telemetry::logs::{self, LogShape},
};

/// The flags of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Folder of the configuration files [default: config]
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Folder for what must outlive a restart [default: data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder for the exported files [default: exports]
    #[arg(long, value_name = "DIR")]
    pub exports: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// The address pages are reached at from outside, e.g. behind a proxy
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// A channel to read: twitch:NAME, or ROOM=twitch:NAME; may be given again
    #[arg(long, value_name = "[ROOM=]PLATFORM:NAME")]
    pub channel: Vec<String>,
    /// Show the demo room as well
    #[arg(long)]
    pub demo: bool,
    /// Open the start page in the browser, signed in
    #[arg(long)]
    pub open: bool,
    /// Listen on the local network, and print a QR code of the chat for a phone
    #[arg(long)]
    pub share: bool,
}

impl ServeArgs {
    pub(super) fn sources(&self) -> Sources {
        let mut sources = Sources::from_process();
        if let Some(folder) = &self.config {
            sources.folder = folder.clone();
            sources.folder_must_exist = true;
        }
        sources.flags = Flags {
            listen: self.listen.clone().or_else(|| self.share.then(|| "0.0.0.0:8080".to_owned())),
            data: self.data.clone(),
            exports: self.exports.clone(),
            public_url: self.public_url.clone(),
            channels: self.channel.clone(),
        };
        sources
    }
}

/// What `replay` adds to serving.
pub struct Play {
    /// Without the answer's channel, which is made here.
    pub file: PathBuf,
    /// Into which room.
    pub room: CreatorId,
    /// How fast.
    pub speed: crate::platforms::recording::Speed,
    /// Begin when somebody watches.
    pub wait: bool,
    /// Stop when it has ended.
    pub exit: bool,
}

/// Serves until told to stop.
///
/// # Errors
/// What keeps the server from starting.
pub fn run(arguments: ServeArgs, play: Option<Play>) -> Result<(), Failure> {
    let sources = arguments.sources();
    let config = crate::config::load(&sources).map_err(Failure::list)?;
    if arguments.share && config.system.listen.is_loopback() {
        return Err(Failure::new(
            "--share needs an address that others can reach: leave --listen out or use 0.0.0.0:8080",
        ));
    }
    let shape = match config.system.log.format {
        LogFormat::Auto => LogShape::Auto,
        LogFormat::Human => LogShape::Human,
        LogFormat::Json => LogShape::Json,
    };
    logs::init(config.system.log.level.as_str(), shape).map_err(Failure::new)?;
    for doubt in &config.doubts {
        tracing::warn!("{doubt}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|it| Failure::new(format!("cannot start threads: {it}")))?;
    let outcome = runtime.block_on(serve(arguments, sources, play));
    // Blocking work that hangs on a dead disk must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    outcome
}

#[expect(clippy::disallowed_methods, reason = "the second request to stop ends the process")]
async fn serve(arguments: ServeArgs, sources: Sources, play: Option<Play>) -> Result<(), Failure> {
    let (done, played) = tokio::sync::oneshot::channel();
    let exit = play.as_ref().is_some_and(|it| it.exit);
    let playback = play.map(|it| Playback {
        file: it.file,
        room: it.room,
        speed: it.speed,
        wait: it.wait,
        done,
    });
    let playing = playback.as_ref().map(|it| (it.file.clone(), it.room.clone()));
    let options = Options { demo: arguments.demo, playback, ..Options::new(sources) };
    // Before anything is started or printed: whoever can see us can stop us in order.
    let mut requests = StopRequests::listen()
        .map_err(|it| Failure::new(format!("cannot listen for Ctrl-C: {it}")))?;
    let server = app::start(options).await.map_err(|error| match error {
        StartError::Config(problems) => Failure::list(problems),
        other => Failure::new(other),
    })?;
    print(&banner(&server))?;
    if arguments.share {
        print(&share::invitation(&server)?)?;
    }
    if arguments.open {
        let url = format!("{}{}", local_url(&server), server.sign_in);
        // The error would tell the link, and with it the secret.
        if open::that_detached(url).is_err() {
            tracing::warn!("no browser could be opened");
        }
    }

    let stop = server.life.stop.clone();
    let report = async {
        if let (Some((file, room)), Ok(played)) = (playing, played.await) {
            let text = match played {
                Ok(it) => {
                    let mut text =
                        format!("  played {} lines of {} into {room}\n", it.lines, file.display());
                    if let Some((line, problem)) = it.first_problem {
                        let count = it.unreadable;
                        // Writing to a string cannot fail.
                        let _ = writeln!(
                            text,
                            "  {count} could not be read, the first is line {line}: {problem}"
                        );
                    }
                    text
                }
                Err(error) => format!("  cannot play {}: {error}\n", file.display()),
            };
            // A closed terminal is no reason to stop serving.
            let _ = print(&text);
            if exit {
                return;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = requests.next() => {}
        () = stop.cancelled() => {}
        () = report => {}
    }
    let crashed = stop.is_cancelled();
    tracing::info!("stopping");
    tokio::select! {
        left = server.shut_down() => if left > 0 {
            tracing::warn!(tasks = left, "not everything ended in time");
        },
        // The second request: at once.
        () = requests.next() => std::process::exit(130),
    }
    if crashed {
        return Err(Failure::new("an essential part of the server failed; the log says which"));
    }
    Ok(())
}

/// The server as its own machine reaches it.
fn local_url(server: &Server) -> String {
    if server.address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", server.address.port())
    } else {
        format!("http://{}", server.address)
    }
}

/// What is printed at the start.
fn banner(server: &Server) -> String {
    let mut text = format!("\n  StreamSuites {} (build {})\n", crate::VERSION, crate::BUILD);
    for room in server.hub.list_rooms() {
        let (base, id) = (&server.base_url, room.id());
        // Terminals are on screen more often than people think: a key is shown on the start page only.
        let key = if server.keyed { "?key=…" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n  {id}\n    overlay   {base}/overlay/{id}{key}   (OBS: Sources → + → Browser)\n    \
             pop-out   {base}/chat/{id}{key}\n"
        );
        if room.log().is_kept() {
            let _ = writeln!(text, "    replay    {base}/replay/{id}{key}");
        }
    }
    if let Some(notice) = &server.notice {
        let _ = write!(text, "\n  Attention: {notice}\n");
    }
    if server.hub.list_rooms().is_empty() {
        text.push_str(
            "\n  no rooms yet: add one on the start page, or start with --channel twitch:NAME\n",
        );
    }
    if server.address.ip().is_unspecified() && server.base_url == local_url(server) {
        text.push_str(
            "\n  links lead to this machine only: for others, start with --public-url and your address\n",
        );
    }
    if server.keyed {
        text.push_str("\n  rooms need keys: copy the whole addresses from the start page\n");
    }
    let _ = write!(
        text,
        "\n  Sign in   {}{}   (once, on this machine)\n  Stop      Ctrl-C\n\n",
        local_url(server),
        server.sign_in
    );
    text
}
