//! The pages of the real server in a real browser.

mod dashboard;
mod flood;
mod home;
mod injection;
mod moderation;
mod overlay;
mod popout;
mod pronouns;
mod queue;
mod replay;
mod restart;
mod rumble;
mod sending;
mod settings;
mod support;
mod themes;
mod widgets;

/// The texts of an overlay's lines, oldest first.
const LINES: &str =
    "[...document.querySelectorAll('#chat .line .text')].map((it) => it.textContent).reverse()";
/// The texts of a pop-out's rows that can be seen, oldest first.
const ROWS: &str =
    "[...document.querySelectorAll('#log .line:not([hidden]) .text')].map((it) => it.textContent)";
/// Makes a page believe that it is a source in OBS.
const IN_OBS: &str = "window.obsstudio = { pluginVersion: '2.24.0' };";
