//! Says something in a chat, as a person at the page would: focus, type, click. Never the Enter key.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chromiumoxide::{
    Page,
    cdp::{
        browser_protocol::{
            dom::{GetContentQuadsParams, ScrollIntoViewIfNeededParams},
            input::{
                DispatchMouseEventParams, DispatchMouseEventType, InsertTextParams, MouseButton,
            },
            page::{CreateIsolatedWorldParams, FrameTree, GetFrameTreeParams},
        },
        js_protocol::runtime::{EvaluateParams, ExecutionContextId, RemoteObject},
    },
    error::CdpError,
};
use serde_json::Value;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    browser::{Browser, words},
    observer::WORLD,
    resolve::Place,
    tab::Tab,
};
use crate::config::platforms::RumbleConfig;

const INPUT: &str = "#chat-message-text-input";
const BUTTON: &str = "button.chat--send";
const MODAL: &str = "div.modal.show";
const CLOSERS: &str = ".btn-close, .close, [data-bs-dismiss=\"modal\"]";
/// Longest message (characters).
const MAX_CHARS: usize = 200;
/// Longest wait for the frame with the input.
const FRAME_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a sign that a message was taken.
const TAKEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer of the browser.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a message is tried that was certainly not taken (count).
const TRIES: u32 = 2;
/// Least time between two messages.
const PACE: Duration = Duration::from_millis(750);
/// How often a page is asked for what it does not have yet.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Most modals that are closed for one message (count).
const MAX_MODALS: u32 = 5;

/// Why a message was not said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent, and trying again changes nothing until somebody does something.
    #[error("{0}")]
    Blocked(String),
    /// It was not taken, or nobody can say whether it was.
    #[error("{0}")]
    Failed(String),
}

impl SendError {
    fn missing(selector: &str) -> Self {
        Self::Blocked(format!("the page has no `{selector}`: is the profile signed in?"))
    }
}

impl From<CdpError> for SendError {
    fn from(error: CdpError) -> Self {
        Self::Failed(words(&error))
    }
}

/// Says things in one chat, one after another.
pub struct RumbleSender {
    browser: Arc<Browser>,
    config: Arc<RumbleConfig>,
    /// The tab it shares with whoever reads that chat.
    key: String,
    /// Where the chat is: another page for each stream.
    place: Place,
    /// One message at a time.
    turn: Semaphore,
    free_at: Mutex<Option<Instant>>,
    /// Kept open for the next message.
    tab: Mutex<Option<Arc<Tab>>>,
}

impl RumbleSender {
    pub(super) fn new(
        browser: Arc<Browser>,
        config: Arc<RumbleConfig>,
        key: String,
        place: Place,
    ) -> Self {
        Self {
            browser,
            config,
            key,
            place,
            turn: Semaphore::new(1),
            free_at: Mutex::default(),
            tab: Mutex::default(),
        }
    }

    /// Says `text`. Control characters become spaces: a line break would need a key.
    ///
    /// # Errors
    /// `Blocked` when nothing was sent and somebody has to do something; it names the element that is
    /// missing. `Failed` when the message was not taken.
    pub async fn send(&self, text: &str) -> Result<(), SendError> {
        let text: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(SendError::Blocked("there is nothing to say".to_owned()));
        }
        let length = text.chars().count();
        if length > MAX_CHARS {
            return Err(SendError::Blocked(format!(
                "the message has {length} characters; Rumble takes {MAX_CHARS}"
            )));
        }
        // Never closed.
        let _turn = self.turn.acquire().await;
        let free_at = *self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = free_at {
            sleep_until(at).await;
        }
        let sent = self.send_now(text).await;
        let free_at = Some(Instant::now() + PACE);
        *self.free_at.lock().unwrap_or_else(PoisonError::into_inner) = free_at;
        sent
    }

    async fn send_now(&self, text: &str) -> Result<(), SendError> {
        let tab = self.browser.tab(&self.config, &self.key).await;
        let tab = tab.map_err(|it| SendError::Blocked(it.to_string()))?;
        *self.tab.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&tab));
        let typing = async {
            let frame = self.find_frame(&tab).await?;
            for last in (1..=TRIES).map(|it| it == TRIES) {
                match frame.try_once(text).await? {
                    true => return Ok(()),
                    false if last => {}
                    false => tracing::debug!("the chat did not take a message: once more"),
                }
            }
            Err(SendError::Failed(format!("the chat did not take the message, {TRIES} times over")))
        };
        tokio::select! {
            sent = typing => sent,
            () = tab.gone() => Err(SendError::Failed("the browser is gone".to_owned())),
        }
    }

    /// The frame with the input, waited for.
    async fn find_frame<'a>(&self, tab: &'a Tab) -> Result<Frame<'a>, SendError> {
        let deadline = Instant::now() + FRAME_TIMEOUT;
        let mut opened = false;
        loop {
            let frames = frames(tab.page()).await?;
            let page = self.place.chat_page();
            let shown = frames.first().map_or("about:blank", |it| it.1.as_str());
            // A tab that shows nothing yet, or the chat of another stream.
            let other = is_popup(shown) && is_popup(&page) && shown != page;
            if (shown == "about:blank" || other) && !opened {
                tab.go(&page);
                opened = true;
            }
            let mut contexts = Vec::with_capacity(frames.len());
            let mut found = None;
            for (frame, _) in frames {
                // A frame may be gone by now.
                let Ok(context) = world(tab.page(), frame).await else { continue };
                if found.is_none() && has(tab.page(), context, INPUT).await.unwrap_or(false) {
                    found = Some(context);
                }
                contexts.push(context);
            }
            if let Some(context) = found {
                return Ok(Frame { page: tab.page(), context, all: contexts });
            }
            if Instant::now() >= deadline {
                return Err(SendError::missing(INPUT));
            }
            sleep(ASK_EVERY).await;
        }
    }
}

/// The frame of the chat.
struct Frame<'a> {
    page: &'a Page,
    context: ExecutionContextId,
    /// Those of all frames: a modal may lie over the chat from outside.
    all: Vec<ExecutionContextId>,
}

impl Frame<'_> {
    /// Types and clicks once; answers whether the message was taken. Where that is not known, it is an error.
    async fn try_once(&self, text: &str) -> Result<bool, SendError> {
        self.close_modals().await?;
        self.focus_empty().await?;
        execute(self.page, InsertTextParams::new(text)).await?;
        let value = self.value().await?;
        if value.trim() != text {
            // Nothing was sent: leave nothing behind.
            self.focus_empty().await?;
            return Err(SendError::Blocked(format!("`{INPUT}` does not take the text as it is")));
        }
        let before = self.count_rows(text).await?;
        self.click(self.context, BUTTON).await?;
        // From here on it may have been said, whatever fails.
        match self.is_taken(text, before).await {
            Ok(true) => Ok(true),
            // What still stands in the input whole was not sent.
            Ok(false) if self.value().await.is_ok_and(|it| it.trim() == text) => Ok(false),
            Ok(false) | Err(_) => Err(SendError::Failed(UNCLEAR.to_owned())),
        }
    }

    async fn close_modals(&self) -> Result<(), SendError> {
        for context in &self.all {
            for closed in 0.. {
                if !has(self.page, *context, MODAL).await.unwrap_or(false) {
                    break;
                }
                if closed == MAX_MODALS {
                    return Err(SendError::Blocked(format!("`{MODAL}` cannot be closed")));
                }
                let closer: Vec<_> =
                    CLOSERS.split(", ").map(|it| format!("{MODAL} {it}")).collect();
                self.click(*context, &closer.join(", ")).await?;
                // Modals fade.
                sleep(ASK_EVERY).await;
            }
        }
        Ok(())
    }

    /// Focuses the input with everything in it chosen, and takes that away: by an edit, as a hand would.
    async fn focus_empty(&self) -> Result<(), SendError> {
        let script = format!(
            "(() => {{ const it = document.querySelector('{INPUT}'); if (!it) return 'missing'; \
             if (it.disabled || it.readOnly) return 'closed'; it.focus(); \
             if (it.select) it.select(); else getSelection().selectAllChildren(it); \
             if ((it.value ?? it.textContent) !== '') document.execCommand('delete'); \
             return document.activeElement === it ? 'ready' : 'unfocused'; }})()"
        );
        match self.ask(&script).await?.as_str() {
            Some("ready") => Ok(()),
            Some("missing") => Err(SendError::missing(INPUT)),
            Some("closed") => {
                Err(SendError::Blocked(format!("`{INPUT}` is closed: is the profile signed in?")))
            }
            _ => Err(SendError::Blocked(format!("`{INPUT}` cannot be focused"))),
        }
    }

    async fn value(&self) -> Result<String, SendError> {
        let script = format!(
            "(() => {{ const it = document.querySelector('{INPUT}'); \
             return it ? String(it.value ?? it.textContent) : null; }})()"
        );
        let value = self.ask(&script).await?;
        value.as_str().map(str::to_owned).ok_or_else(|| SendError::missing(INPUT))
    }

    async fn count_rows(&self, text: &str) -> Result<i64, SendError> {
        let count = self.ask(&format!("({COUNT_ROWS})({})", Value::from(text))).await?;
        Ok(count.as_i64().unwrap_or(0))
    }

    /// Waits for the input to be emptied, or for one row more with that text.
    async fn is_taken(&self, text: &str, before: i64) -> Result<bool, SendError> {
        let deadline = Instant::now() + TAKEN_TIMEOUT;
        while Instant::now() < deadline {
            if self.value().await?.is_empty() || self.count_rows(text).await? > before {
                return Ok(true);
            }
            sleep(ASK_EVERY).await;
        }
        Ok(false)
    }

    /// Clicks in the middle of the first element of `selector`.
    async fn click(&self, context: ExecutionContextId, selector: &str) -> Result<(), SendError> {
        let script = format!("document.querySelector({})", Value::from(selector));
        let object = evaluate(self.page, context, &script, false).await?;
        let object = object.object_id.ok_or_else(|| SendError::missing(selector))?;
        let scroll = ScrollIntoViewIfNeededParams::builder().object_id(object.clone()).build();
        execute(self.page, scroll).await?;
        let quads = GetContentQuadsParams::builder().object_id(object).build();
        let quads = execute(self.page, quads).await?.quads;
        let hidden = || SendError::Blocked(format!("`{selector}` is hidden"));
        let quad = quads.first().map(|it| it.inner().clone()).ok_or_else(hidden)?;
        let [x1, y1, _, _, x2, y2, ..] = quad[..] else { return Err(hidden()) };
        let (x, y) = (f64::midpoint(x1, x2), f64::midpoint(y1, y2));
        for kind in [
            DispatchMouseEventType::MouseMoved,
            DispatchMouseEventType::MousePressed,
            DispatchMouseEventType::MouseReleased,
        ] {
            let mut event = DispatchMouseEventParams::new(kind.clone(), x, y);
            if kind != DispatchMouseEventType::MouseMoved {
                event.button = Some(MouseButton::Left);
                event.click_count = Some(1);
            }
            execute(self.page, event).await?;
        }
        Ok(())
    }

    async fn ask(&self, script: &str) -> Result<Value, SendError> {
        let object = evaluate(self.page, self.context, script, true).await?;
        Ok(object.value.unwrap_or(Value::Null))
    }
}

/// Whether a page has nothing but a chat.
fn is_popup(url: &str) -> bool {
    url.contains("/chat/popup/")
}

/// Of a message whose fate is not known: nobody may send it a second time unasked.
const UNCLEAR: &str = "it may have been said: the chat gave no sign";

/// How many rows of the chat have exactly that text.
const COUNT_ROWS: &str = "(text) => [...document.querySelectorAll('.chat--message, \
    .chat-history--message')].filter((it) => it.textContent.trim() === text).length";

async fn execute<T: chromiumoxide::Command>(
    page: &Page,
    command: T,
) -> Result<T::Response, CdpError> {
    match timeout(CALL_TIMEOUT, page.execute(command)).await {
        Ok(it) => Ok(it?.result),
        Err(_) => Err(CdpError::Timeout),
    }
}

async fn evaluate(
    page: &Page,
    context: ExecutionContextId,
    script: &str,
    by_value: bool,
) -> Result<RemoteObject, CdpError> {
    let mut params = EvaluateParams::new(script);
    params.context_id = Some(context);
    params.return_by_value = Some(by_value);
    let answer = execute(page, params).await?;
    match answer.exception_details {
        Some(_) => Err(CdpError::msg("a script failed in the page")),
        None => Ok(answer.result),
    }
}

async fn has(page: &Page, context: ExecutionContextId, selector: &str) -> Result<bool, CdpError> {
    let script = format!("document.querySelector({}) !== null", Value::from(selector));
    Ok(evaluate(page, context, &script, true).await?.value == Some(Value::Bool(true)))
}

/// A world of our own in a frame; the same one when asked again.
async fn world(page: &Page, frame: String) -> Result<ExecutionContextId, CdpError> {
    let mut params = CreateIsolatedWorldParams::new(frame);
    params.world_name = Some(WORLD.to_owned());
    Ok(execute(page, params).await?.execution_context_id)
}

/// Ids and addresses of all frames, the outermost first.
async fn frames(page: &Page) -> Result<Vec<(String, String)>, CdpError> {
    fn add(tree: &FrameTree, found: &mut Vec<(String, String)>) {
        found.push((tree.frame.id.inner().clone(), tree.frame.url.clone()));
        for child in tree.child_frames.iter().flatten() {
            add(child, found);
        }
    }
    let mut found = Vec::new();
    add(&execute(page, GetFrameTreeParams::default()).await?.frame_tree, &mut found);
    Ok(found)
}
