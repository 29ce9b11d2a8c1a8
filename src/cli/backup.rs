//! `streamsuites backup` and `restore`: the feed log and what belongs to it as one file, whether a server runs or not.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    time::Duration,
};

use clap::Args;

use super::{Failure, print, serve::ServeArgs};
use crate::{
    app::{FEED_LOG_FILE, StartError, belongings, lock_folder, running::Running},
    config::Config,
    feed::restore_file,
    model::Timestamp,
    storage::{Database, copy_to, guarded, open_private},
};

/// The flags of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write [default: streamsuites-TIME.redb]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeArgs,
}

/// The flags of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The file that `backup` wrote
    pub file: PathBuf,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Who holds the data folder.
enum Holder {
    /// Nobody: it is ours for as long as the file is kept.
    Us(File),
    /// A server, at this address.
    Server(Running),
}

fn holder(config: &Config) -> Result<Holder, Failure> {
    let data = &config.system.data_dir;
    if !data.is_dir() {
        return Err(Failure::new(format!("there is no data folder {}", data.display())));
    }
    match lock_folder(data) {
        Ok(lock) => Ok(Holder::Us(lock)),
        Err(error @ StartError::Locked { .. }) => match Running::find(data) {
            Ok(server) => Ok(Holder::Server(server)),
            // Held, but by whom it does not say.
            Err(_) => Err(Failure::new(error)),
        },
        Err(other) => Err(Failure::new(other)),
    }
}

/// Writes a copy of the feed log, with the small state and the typed channels in it.
///
/// # Errors
/// What keeps it from being written.
pub fn back_up(arguments: BackupArgs) -> Result<(), Failure> {
    let config = crate::config::load(&arguments.serve.sources()).map_err(Failure::list)?;
    let file = arguments
        .file
        .unwrap_or_else(|| format!("streamsuites-{}.redb", Timestamp::now().compact()).into());
    let problem =
        |it: &dyn std::fmt::Display| Failure::new(format!("cannot write {}: {it}", file.display()));
    if file.as_os_str() == "-" {
        return Err(problem(&"a database cannot be written to standard output: name a file"));
    }
    if file.exists() {
        return Err(problem(&"it exists already"));
    }
    match holder(&config)? {
        Holder::Us(_lock) => {
            let log = config.system.data_dir.join(FEED_LOG_FILE);
            if !log.is_file() {
                return Err(Failure::new(format!(
                    "there is nothing recorded in {}",
                    log.display()
                )));
            }
            let copied = guarded(|| {
                let database = Database::open(&log)?;
                let belongings = belongings::gather_from(&config.system.data_dir, &database)?;
                let records = belongings::gather_records(&config.system.data_dir, &database)?;
                database.read(|tx| copy_to(tx, &file, &belongings, records.as_ref(), progress))
            });
            copied.map_err(|it| Failure::new(format!("cannot copy {}: {it}", log.display())))?;
        }
        Holder::Server(server) => {
            let written = ask(&config, async |client, token| {
                let url = format!("http://{}/api/backup", server.address);
                let mut answer = client.get(url).bearer_auth(token).send().await?;
                answer = checked(answer).await?;
                let mut out = open_private(&file, true)?;
                while let Some(chunk) = answer.chunk().await? {
                    out.write_all(&chunk)?;
                }
                Ok(out.sync_all()?)
            });
            if let Err(error) = written {
                let _ = fs::remove_file(&file);
                return Err(problem(&error));
            }
        }
    }
    let bytes = fs::metadata(&file).map_or(0, |it| it.len());
    print(&format!("{} ({} KiB)\n", file.display(), bytes.div_ceil(1024)))
}

/// Puts a copy in the place of the feed log. What else it carries the next start takes over from there.
///
/// # Errors
/// What keeps it from being used; the one in place stays.
pub fn restore(arguments: RestoreArgs) -> Result<(), Failure> {
    let config = crate::config::load(&arguments.serve.sources()).map_err(Failure::list)?;
    let file = &arguments.file;
    let problem = |it: &dyn std::fmt::Display| {
        Failure::new(format!("cannot restore {}: {it}", file.display()))
    };
    let log = config.system.data_dir.join(FEED_LOG_FILE);
    if let (Ok(file), Ok(log)) = (fs::canonicalize(file), fs::canonicalize(&log))
        && file == log
    {
        return Err(problem(&"it is the log itself"));
    }
    match holder(&config)? {
        Holder::Us(_lock) => {
            restore_file(file, &log).map_err(|it| problem(&it))?;
        }
        Holder::Server(server) => ask(&config, async |client, token| {
            let url = format!("http://{}/api/restore", server.address);
            let body = reqwest::Body::wrap_stream(chunks(File::open(file)?));
            checked(client.post(url).bearer_auth(token).body(body).send().await?).await?;
            Ok(())
        })
        .map_err(|it| problem(&it))?,
    }
    print(&format!("{} is in place\n", file.display()))
}

/// Says how far a copy is, on a terminal.
#[expect(clippy::print_stderr, reason = "a progress line is for the person who waits")]
fn progress(events: u64) {
    use std::io::IsTerminal;
    if events > 100_000 && std::io::stderr().is_terminal() {
        eprint!("\r  {events} events\r");
    }
}

fn chunks(file: File) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> {
    use std::io::Read;
    futures_util::stream::try_unfold(file, |mut file| async move {
        let mut chunk = Vec::with_capacity(1 << 18);
        let count = (&mut file).take(1 << 18).read_to_end(&mut chunk)?;
        Ok((count > 0).then_some((chunk, file)))
    })
}

/// Talks to the server that holds the data folder, as its operator.
fn ask(
    config: &Config,
    talk: impl AsyncFnOnce(reqwest::Client, String) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let token = match config.secrets.operator_token() {
        Some(it) => it.to_owned(),
        None => fs::read_to_string(config.system.data_dir.join("operator.token"))?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .build()?;
        talk(client, token.trim().to_owned()).await
    })
}

/// The answer, or what the server says is wrong.
async fn checked(answer: reqwest::Response) -> anyhow::Result<reqwest::Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status();
    let problem: Option<serde_json::Value> =
        answer.bytes().await.ok().and_then(|it| serde_json::from_slice(&it).ok());
    let detail = problem.as_ref().and_then(|it| it["detail"].as_str());
    Err(anyhow::anyhow!("the server says {}", detail.unwrap_or(status.as_str())))
}
