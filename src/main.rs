//! The program: reads the command line, runs it, and says in one sentence what went wrong.

use std::process::ExitCode;

use clap::Parser;
use streamsuites::cli::{self, Cli, Shape};

#[expect(clippy::print_stderr, reason = "the one place where a failure meets its reader")]
fn main() -> ExitCode {
    // First of all: every TLS client looks for it. It fails only when it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match failure.1 {
                Shape::Sentence => eprintln!("streamsuites: {failure}"),
                Shape::List => eprintln!("{failure}"),
            }
            ExitCode::from(2)
        }
    }
}
