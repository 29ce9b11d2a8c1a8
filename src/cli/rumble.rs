//! `streamsuites rumble`

use std::{
    path::Path,
    process::{Command, Stdio},
};

use clap::Subcommand;

use super::{Failure, print, serve::ServeArgs};
use crate::platforms::rumble::profile::{Profile, is_root};

/// What can be done about Rumble.
#[derive(Debug, Subcommand)]
pub enum RumbleCommand {
    /// Open a browser with the server's own profile, to sign in by hand; ends when that browser is closed.
    #[command(after_help = "Example:\n  streamsuites rumble login")]
    Login(ServeArgs),
}

/// Does it.
///
/// # Errors
/// When there is no browser, or a server uses its profile.
pub fn run(command: RumbleCommand) -> Result<(), Failure> {
    let RumbleCommand::Login(arguments) = command;
    let config = crate::config::load(&arguments.sources()).map_err(Failure::list)?;
    let rumble = &config.platforms.rumble;
    let browser = rumble.find_browser().ok_or_else(|| {
        Failure::new(
            "there is no browser: install Chromium or Chrome, or set \
             platforms.json: rumble.browser_path",
        )
    })?;
    if !has_screen() {
        return Err(Failure::new(
            "a sign-in by hand needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set: run this at the \
             machine's own desktop or over `ssh -X`, or on another Linux machine and copy rumble-profile of its \
             data folder into the one here",
        ));
    }
    let data = &config.system.data_dir;
    if let Some(owner) = other_owner(data).filter(|_| is_root()) {
        return Err(Failure::new(format!(
            "this is root, and {} belongs to the user with the number {owner}, whose server could not read what root \
             signs in: run this as that user, with `sudo -u '#{owner}'` before it",
            data.display()
        )));
    }
    let profile = Profile::lock(&config.system.data_dir).map_err(|it| {
        Failure::new(format!("{it}; stop the server, sign in, and start it again"))
    })?;
    let page = format!("{}/login.php", rumble.web_url.as_str());
    print(&format!(
        "sign in at {page} in the browser that opens, then close it; what it keeps is in {}\n",
        profile.folder().display()
    ))?;
    if is_root() {
        print("as root the browser has no sandbox: open nothing else in it\n")?;
    }
    let mut command = Command::new(&browser);
    command
        .arg(format!("--user-data-dir={}", profile.folder().display()))
        // As the server starts it: with another store it could not read these cookies.
        .args(["--password-store=basic", "--use-mock-keychain", "--no-first-run"])
        .arg("--no-default-browser-check")
        .args(is_root().then_some("--no-sandbox"))
        .arg(&page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let problem = |it| Failure::new(format!("cannot start {}: {it}", browser.display()));
    let status = command.status().map_err(problem)?;
    if !status.success() {
        return Err(Failure::new(format!(
            "{} ended with {status}: a sign-in needs a screen",
            browser.display()
        )));
    }
    print("signed in, if you did; start the server now\n")
}

/// Whether a window can be shown. Where only opening one tells, it is assumed.
fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|it| !it.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Who owns a folder, when it is there and not root's.
fn other_owner(folder: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(folder).ok().map(|it| it.uid()).filter(|it| *it != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}
