//! Measures who-asks: sign-ins found by their cookies, in memory and over HTTP, and passwords compared at the costs
//! that are configured.
//!
//! ```text
//! cargo run --release --example sign_ins            # 10,000 accounts
//! cargo run --release --example sign_ins -- 100000
//! ```

#![expect(clippy::print_stdout, reason = "an example prints, and nobody links it")]

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use streamsuites::{
    accounts::{Account, Digest, NewSession, Origin, Surface},
    app::{self, Options},
    config::{Environment, Sources},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const LENGTH: Duration = Duration::from_secs(5);
const PASSWORD: &str = "a password of the benchmark";

#[tokio::main]
async fn main() -> Result<()> {
    // It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let count: usize = std::env::args().nth(1).map_or(Ok(10_000), |it| it.parse())?;
    let folder = std::env::temp_dir().join(format!("streamsuites-sign-ins-{}", std::process::id()));
    let mut sources = Sources { folder: folder.join("config"), ..Sources::default() };
    sources.environment =
        Environment::from_iter([("STREAMSUITES__SYSTEM__AUTH__ATTEMPTS_PER_MINUTE", "100000")]);
    sources.flags.listen = Some("127.0.0.1:0".to_owned());
    sources.flags.data = Some(folder.join("data"));
    sources.flags.exports = Some(folder.join("exports"));
    let server = app::start(Options::new(sources)).await?;
    let accounts = server.accounts.clone();

    let auth = accounts.config().system.auth.clone();
    let hash = accounts.passwords().hash(&auth, PASSWORD, &[]).await?;
    let at = Instant::now();
    let cookies = accounts
        .change(move |change| {
            (0..count)
                .map(|it| {
                    let email = format!("bench{it}@example.com").parse().ok();
                    let mut account = Account::new(email, "", change.at());
                    account.email_verified = true;
                    account.password = Some(hash.clone());
                    let id = change.put_account(account)?.id;
                    let new = NewSession {
                        surface: Surface::Public,
                        method: "password".to_owned(),
                        address: None,
                        user_agent: String::new(),
                        days: 7,
                    };
                    Ok(change.open_session(id, new).0.expose().to_owned())
                })
                .collect::<std::result::Result<Vec<_>, _>>()
        })
        .await?;
    println!(
        "{count} accounts with a sign-in each, in one change: {:.2} s",
        at.elapsed().as_secs_f64()
    );

    let (at, mut checks) = (Instant::now(), 0_u64);
    while at.elapsed() < LENGTH {
        for cookie in cookies.iter().step_by((count / 1_000).max(1)) {
            let book = accounts.book();
            let session = book.session(&Digest::of(cookie)).ok_or("a sign-in is gone")?;
            let now = accounts.now();
            if !session.is_open(72, now) || book.account(session.account).is_none() {
                return Err("a sign-in is closed".into());
            }
            session.touch(now);
            checks += 1;
        }
    }
    report("sign-ins found by their cookies, one thread", checks, at.elapsed());

    let done = Arc::new(AtomicU64::new(0));
    let at = Instant::now();
    let clients: Vec<_> = (0..16)
        .map(|client| {
            let (address, done) = (server.address, Arc::clone(&done));
            let cookie = cookies[client * 7 % cookies.len()].clone();
            tokio::spawn(async move {
                let request = format!(
                    "GET /auth/session HTTP/1.1\r\nHost: {address}\r\nCookie: streamsuites_session={cookie}\r\n\r\n"
                );
                let mut stream = TcpStream::connect(address).await?;
                let mut buffer = vec![0; 16 * 1024];
                let deadline = Instant::now() + LENGTH;
                while Instant::now() < deadline {
                    stream.write_all(request.as_bytes()).await?;
                    let read = stream.read(&mut buffer).await?;
                    if !buffer[..read].starts_with(b"HTTP/1.1 200") {
                        return Err("a check failed".into());
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Result::Ok(())
            })
        })
        .collect();
    for it in clients {
        it.await??;
    }
    report(
        "GET /auth/session, 16 connections, client and server on this machine",
        done.load(Ordering::Relaxed),
        at.elapsed(),
    );

    let done = Arc::new(AtomicU64::new(0));
    let at = Instant::now();
    let people: Vec<_> = (0..50)
        .map(|person| {
            let (accounts, done) = (accounts.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let email: streamsuites::accounts::Email =
                    format!("bench{person}@example.com").parse()?;
                while at.elapsed() < LENGTH {
                    accounts
                        .sign_in(email.clone(), PASSWORD, Surface::Public, Origin::default())
                        .await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Result::Ok(())
            })
        })
        .collect();
    for it in people {
        it.await??;
    }
    let words = format!(
        "sign-ins with a password, 50 people at once (Argon2id, {} KiB, {} rounds, {} at a time)",
        auth.password_memory_kib, auth.password_iterations, auth.password_parallel
    );
    report(&words, done.load(Ordering::Relaxed), at.elapsed());
    server.shut_down().await;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn report(what: &str, count: u64, elapsed: Duration) {
    println!("{what}: {:.0}/s", count as f64 / elapsed.as_secs_f64());
}
