//! How a password gets in: typed without being shown, or on standard input. Never as an argument, which others on the
//! machine can read.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;

use super::{Failure, print};

/// Longest line that is read (bytes).
const MOST_BYTES: u64 = 4_096;

/// Where the password comes from.
#[derive(Debug, Clone, Copy, Args)]
pub struct PasswordArgs {
    /// Read the password from standard input, as one line
    #[arg(long, conflicts_with = "link")]
    pub stdin: bool,
    /// Set no password: print a link that signs in once
    #[arg(long)]
    pub link: bool,
}

/// The password that somebody types twice, or sends.
///
/// # Errors
/// When it is empty, differs the second time, or there is nobody to type it.
pub(super) fn read(arguments: PasswordArgs) -> Result<String, Failure> {
    let password = if arguments.stdin {
        let mut line = String::new();
        io::Read::take(io::stdin().lock(), MOST_BYTES).read_line(&mut line).map_err(|it| {
            Failure::new(format!("cannot read a password from standard input: {it}"))
        })?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else if io::stdin().is_terminal() {
        let ask = |words: &str| {
            print(words)?;
            let typed = rpassword::read_password();
            typed.map_err(|it| Failure::new(format!("cannot read a password here: {it}")))
        };
        let first = ask("Password (nothing is shown): ")?;
        if ask("The same again: ")? != first {
            return Err(Failure::new("the two passwords differ"));
        }
        first
    } else {
        return Err(Failure::new(
            "there is nobody to type a password: send it with --stdin, or use --link",
        ));
    };
    if password.is_empty() {
        return Err(Failure::new("the password is empty"));
    }
    Ok(password)
}
