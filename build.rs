//! Stamps the build: `YYYY.MM.DD+NNN`, the one source of `BUILD`.
//!
//! The date is that of the newest commit (or of `SOURCE_DATE_EPOCH`), and NNN the count of commits of
//! that day up to it, so that the same source always gives the same build. Outside a checkout the build
//! is `0000.00.00+000`.

use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "the build's own environment")]
fn main() {
    println!("cargo::rerun-if-env-changed=STREAMSUITES_BUILD");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    if let Some(head) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={head}");
    }
    let build = std::env::var("STREAMSUITES_BUILD").ok().or_else(stamp);
    let build = build.unwrap_or_else(|| "0000.00.00+000".to_owned());
    println!("cargo::rustc-env=STREAMSUITES_BUILD={build}");
}

fn stamp() -> Option<String> {
    let days = git(&["log", "--format=%cd", "--date=format-local:%Y.%m.%d"])?;
    let mut days = days.lines();
    let today = days.next()?;
    let count = 1 + days.take_while(|day| *day == today).count();
    Some(format!("{today}+{count:03}"))
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").env("TZ", "UTC").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
