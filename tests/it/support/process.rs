//! The real binary, in a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
};

use super::soon;

/// Everything a stream said so far.
#[derive(Clone)]
struct Output {
    text: Arc<Mutex<String>>,
    grown: watch::Sender<()>,
}

impl Output {
    fn follow(stream: impl AsyncRead + Unpin + Send + 'static) -> (Self, JoinHandle<()>) {
        let output = Self { text: Arc::default(), grown: watch::Sender::new(()) };
        let this = output.clone();
        let reading = tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut text = this.text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                drop(text);
                this.grown.send_replace(());
            }
        });
        (output, reading)
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

/// A running `streamsuites`.
pub(crate) struct Process {
    child: Child,
    folder: PathBuf,
    /// Goes with the process, where it is its own.
    _own: Option<TempDir>,
    out: Output,
    err: Output,
    reading: Vec<JoinHandle<()>>,
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    /// Starts it in an empty folder with these arguments and variables.
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, String)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments, variables)
    }

    /// Starts it in a prepared folder.
    pub(crate) fn start_in(
        folder: TempDir,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Self {
        let mut process = Self::start_at(folder.path(), arguments, variables);
        process._own = Some(folder);
        process
    }

    /// Starts it in a folder that outlives it.
    pub(crate) fn start_at(
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streamsuites"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("STREAMSUITES") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args(arguments)
            // Nobody outside is asked for anything.
            .env("STREAMSUITES__PLATFORMS__EMOTES__ENABLED", "false")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (out, reading_out) = Output::follow(child.stdout.take().unwrap());
        let (err, reading_err) = Output::follow(child.stderr.take().unwrap());
        let reading = vec![reading_out, reading_err];
        Self { child, folder: folder.to_owned(), _own: None, out, err, reading }
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills it without a word, as a power cut does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// What stands behind `before` on its line of standard output, once it does.
    pub(crate) async fn printed(&self, before: &str) -> String {
        let mut grown = self.out.grown.subscribe();
        let found = soon(before, async {
            loop {
                let text = self.out.text();
                if let Some((_, rest)) = text.split_once(before) {
                    return rest.lines().next().unwrap_or_default().trim().to_owned();
                }
                if grown.changed().await.is_err() {
                    panic!("`{before}` never came: {text}{}", self.err.text());
                }
            }
        });
        found.await
    }

    /// `127.0.0.1:PORT`, from the sign-in link of the banner.
    pub(crate) async fn address(&self) -> String {
        let link = "/auth/operator?token=";
        self.printed(link).await;
        let text = self.out.text();
        let before = text.split(link).next().unwrap();
        before.rsplit("http://").next().unwrap().to_owned()
    }

    /// Sends a signal, as `kill` does.
    #[cfg(unix)]
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args([name, &id]).status().await.unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = soon("the end of the process", self.child.wait()).await.unwrap();
        for reading in self.reading {
            soon("the end of its output", reading).await.unwrap();
        }
        Ended { status, out: self.out.text(), err: self.err.text() }
    }

    /// Resident memory (bytes).
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}
