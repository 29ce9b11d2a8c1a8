//! The binary: how it starts, how it does not, and how it ends.

use std::{fs, net::TcpListener};

use crate::support::{
    Setup,
    process::{Ended, Process},
    socket::Socket,
};

/// A start that fails: one clear sentence, status 2, no panic.
async fn fails(process: Process, words: &[&str]) -> Ended {
    let ended = process.ended().await;
    assert_eq!(ended.status.code(), Some(2), "{}{}", ended.out, ended.err);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    for word in words {
        assert!(ended.err.contains(word), "`{word}` is not said: {}", ended.err);
    }
    ended
}

#[tokio::test]
async fn what_keeps_the_server_from_starting_is_said_in_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let process = Process::start(&["--listen", &address], &[]);
    let ended = fails(process, &[&address, "another program uses that port", "--listen"]).await;
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);

    for (flag, name) in [("--data", "data"), ("--exports", "exports")] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("in-the-way"), "a file").unwrap();
        let arguments = ["--listen", "127.0.0.1:0", flag, "in-the-way"];
        let process = Process::start_in(folder, &arguments, &[]);
        let ended = fails(process, &["in-the-way", name, flag]).await;
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
    let process = Process::start(&["--config", "nowhere"], &[]);
    fails(process, &["nowhere", "there is no such folder"]).await;
    let process = Process::start(&["--listen", "somewhere"], &[]);
    fails(process, &["--listen", "somewhere"]).await;
    let process = Process::start(&["--channel", "myspace:tom"], &[]);
    fails(process, &["--channel", "`myspace` is not a platform"]).await;
    let process = Process::start(&["--channel", "discord:tom"], &[]);
    fails(process, &["--channel", "discord cannot be read"]).await;
    let process = Process::start(&["replay", "tape.mp4", "--into", "ana"], &[]);
    fails(process, &["tape.mp4", ".jsonl or .irc"]).await;
    let process =
        Process::start(&["replay", "gone.irc", "--into", "ana", "--listen", "127.0.0.1:0"], &[]);
    fails(process, &["cannot play gone.irc"]).await;
    let share = ["--share", "--listen", "127.0.0.1:0"];
    let ended = fails(Process::start(&share, &[]), &["--share needs an address"]).await;
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/channels.json"), "{}").unwrap();
    let process = Process::start_in(folder, &["--listen", "127.0.0.1:0"], &[]);
    fails(process, &["channels.json", "mend it"]).await;
    let process = Process::start(&["--no-such-flag"], &[]);
    fails(process, &["--no-such-flag"]).await;
}

#[tokio::test]
async fn every_mistake_of_a_configuration_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::create_dir(&config).unwrap();
    let system = r#"{"listen": "nowhere", "feed": {"ring_events": 1}, "unknown": true}"#;
    fs::write(config.join("system.json"), system).unwrap();
    fs::write(config.join("platforms.json"), r#"{"stale_seconds": "long"}"#).unwrap();
    fs::write(config.join("creators.json"), r#"{"creators": [{"id": "not an id"}]}"#).unwrap();
    let process = Process::start_in(folder, &["config", "check"], &[]);
    let words = ["/listen", "/feed/ring_events", "unknown", "/stale_seconds", "/creators/0/id"];
    let ended = fails(process, &words).await;
    assert_eq!(ended.err.lines().count(), 5, "{}", ended.err);

    let process = Process::start(&["config", "check"], &[]);
    let ended = process.ended().await;
    assert!(ended.status.success());
    assert!(ended.out.contains("the configuration is valid"), "{}", ended.out);
}

#[tokio::test]
async fn without_a_channel_the_demo_plays() {
    let process = Process::start(&["--listen", "127.0.0.1:0"], &[]);
    let address = process.address().await;
    let mut socket = Socket::open(&format!("ws://{address}/ws/demo")).await;
    assert!(!socket.next_text().await.is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_server_in_order_and_its_sockets_are_told() {
    let process = Process::start(&["--listen", "127.0.0.1:0"], &[]);
    let address = process.address().await;
    let socket = Socket::open(&format!("ws://{address}/ws/demo")).await;
    let started = std::time::Instant::now();
    process.signal("-INT").await;
    assert_eq!(socket.closed().await, Some(1001));
    let ended = process.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
    assert!(!ended.err.contains("not everything ended in time"), "{}", ended.err);
}

/// Goal: who asks twice does not wait for the grace.
/// Method: a request that is never finished keeps the server for its whole grace, a minute here.
#[cfg(unix)]
#[tokio::test]
async fn a_second_ctrl_c_ends_the_server_at_once() {
    let grace = ("STREAMSUITES__SYSTEM__WEB__SHUTDOWN_GRACE_MS", "60000".to_owned());
    let process = Process::start(&["--listen", "127.0.0.1:0"], &[grace]);
    let address = process.address().await;
    let mut stuck = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = "POST /api/rooms/demo/synthetic HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stuck, request.as_bytes()).await.unwrap();
    let socket = Socket::open(&format!("ws://{address}/ws/demo")).await;
    process.signal("-INT").await;
    // The first one has been heard.
    assert_eq!(socket.closed().await, Some(1001));
    process.signal("-INT").await;
    let ended = process.ended().await;
    assert!(matches!(ended.status.code(), Some(0 | 130)), "{:?} {}", ended.status, ended.err);
}

#[tokio::test]
async fn a_second_server_on_the_same_data_folder_says_which_file_is_locked() {
    let first = Setup::new().rooms(&["ana"]).start().await;
    let data = first.config_folder().with_file_name("data").display().to_string();
    let arguments = ["--listen", "127.0.0.1:0", "--data", &data];
    let ended =
        fails(Process::start(&arguments, &[]), &["another StreamSuites uses", "lock"]).await;
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    first.stop().await;
}

/// Goal: the token is found where the server that was started in the same way keeps it.
#[tokio::test]
async fn the_token_is_found_as_the_server_finds_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let config = folder.join("other");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("system.json"), r#"{"data_dir": "from-file"}"#).unwrap();
    for (flags, data) in [
        (vec![], "data"),
        (vec!["--data", "elsewhere"], "elsewhere"),
        (vec!["--config", "other"], "from-file"),
    ] {
        let token = [vec!["token"], flags.clone()].concat();
        let early = fails(Process::start_at(folder, &token, &[]), &["there is no", data]).await;
        let path = fs::canonicalize(folder).unwrap().join(data).join("operator.token");
        assert!(early.err.contains(&path.display().to_string()), "{}", early.err);
        let serve = [vec!["serve", "--listen", "127.0.0.1:0"], flags].concat();
        let server = Process::start_at(folder, &serve, &[]);
        server.address().await;
        let ended = Process::start_at(folder, &token, &[]).ended().await;
        assert!(ended.status.success(), "{}", ended.err);
        assert_eq!(ended.out.trim(), fs::read_to_string(&path).unwrap().trim());
        server.kill().await;
    }
}
