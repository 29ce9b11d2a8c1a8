//! A process that writes exports is killed a thousand times: whoever reads them never sees half a file.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use streamsuites::{
    config::Config,
    exports::{EXPORTS, Newest, Sources, write_once},
    model::Timestamp,
    telemetry::{Severity, Telemetry},
};

/// Kills in all.
const KILLS: usize = 1_000;
/// Writers at the same time, each with a folder of its own: one waits for the disk while another is killed.
const WRITERS: usize = 4;
/// Names the folder to whom this process writes.
const FOLDER: &str = "EXPORTS_UNTIL_KILLED";

fn sources() -> Sources {
    let telemetry = Telemetry::new();
    for it in 0..200 {
        telemetry.recent.event(Severity::Info, "test", format!("a line of some length, {it}"));
    }
    Sources {
        hub: None,
        telemetry,
        config: Arc::new(Config::default()),
        restart: Vec::new(),
        quotas: None,
        accounts: None,
        jobs: None,
        boards: None,
        triggers: None,
        newest: Newest::default(),
        started_at: None,
    }
}

/// The process that is killed: this very test, started with the name of a folder.
#[test]
#[ignore = "is started by the test below, and killed"]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let sources = sources();
    let mut now = Timestamp::now();
    loop {
        // Another moment each time, so that every file is another.
        now = now.plus_ms(60_000);
        write_once(&sources, Path::new(&folder), None, false, now).unwrap();
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "export_kills::writes_until_it_is_killed"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// All files below a folder; whatever ends with `.json` must be whole.
fn check(folder: &Path, parts: &mut usize) -> usize {
    let mut whole = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            whole += check(&path, parts);
        } else if path.extension().is_some_and(|it| it == "json") {
            let bytes = fs::read(&path).unwrap();
            let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes);
            assert!(parsed.is_ok(), "{} is not whole: {} bytes", path.display(), bytes.len());
            whole += 1;
        } else {
            *parts += 1;
        }
    }
    whole
}

#[test]
fn no_kill_leaves_half_a_file_and_the_next_start_removes_what_it_left() {
    let began = Instant::now();
    let left: Vec<usize> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    let folder = tempfile::tempdir().unwrap();
                    let mut random = StdRng::seed_from_u64(writer as u64);
                    let mut left = 0;
                    for _ in 0..KILLS / WRITERS {
                        let before = fs::read_dir(folder.path()).unwrap().count();
                        let mut child = start(folder.path());
                        // From its first file on, anywhere within a round.
                        let deadline = Instant::now() + Duration::from_secs(20);
                        while before == 0
                            && fs::read_dir(folder.path()).unwrap().count() == 0
                            && Instant::now() < deadline
                        {
                            thread::yield_now();
                        }
                        thread::sleep(Duration::from_micros(random.random_range(0..60_000)));
                        child.kill().unwrap();
                        child.wait().unwrap();
                        let mut parts = 0;
                        check(folder.path(), &mut parts);
                        assert!(parts <= 1, "one file is written at a time");
                        left += parts;
                    }
                    // The next start.
                    write_once(&sources(), folder.path(), None, false, Timestamp::now()).unwrap();
                    let mut parts = 0;
                    let whole = check(folder.path(), &mut parts);
                    let names: BTreeSet<_> = EXPORTS.iter().map(|it| it.path).collect();
                    assert!(whole <= names.len() && whole > 20 && parts == 0, "{whole}, {parts}");
                    left
                })
            })
            .collect();
        writers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let left: usize = left.iter().sum();
    println!(
        "{KILLS} kills in {:.1?}; {left} left a file that the next start removed",
        began.elapsed()
    );
    assert!(left > 0, "no kill came in the middle of a writing: the test says nothing");
}
