//! The pages of the real server in a real browser.

mod accounts;
mod admin;
mod automation;
mod dashboard;
mod flood;
mod home;
mod injection;
mod keys;
mod moderation;
mod moderators;
mod overlay;
mod own_account;
mod polls;
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
/// Lets a test cut a page's sockets, `cut(true)`, and let it connect again, `cut(false)`; `greeted` counts connections.
const CUTTABLE: &str = "{ const sockets = []; let is_cut = false; window.greeted = 0; \
    window.WebSocket = class extends WebSocket { constructor(...args) { \
        if (is_cut) throw new Error('cut'); \
        super(...args); sockets.push(this); \
        this.addEventListener('message', ({ data }) => { if (data.includes('\"type\":\"hello\"')) greeted += 1; }); } }; \
    window.cut = (it) => { is_cut = it; if (it) for (const socket of sockets.splice(0)) socket.close(); }; }";
/// Makes a page believe that it is a source in OBS.
const IN_OBS: &str = "window.obsstudio = { pluginVersion: '2.24.0' };";
