//! One page in the browser: what it asks for, what its chat's stream brings, what its chat shows.

use std::{pin::Pin, sync::Arc, time::Duration};

use chromiumoxide::{
    Page,
    cdp::{
        IntoEventKind,
        browser_protocol::{
            emulation::SetFocusEmulationEnabledParams,
            inspector::EventTargetCrashed,
            network::{
                EventEventSourceMessageReceived, EventRequestWillBeSent, EventResponseReceived,
            },
            page::{AddScriptToEvaluateOnNewDocumentParams, ReloadParams},
        },
        js_protocol::runtime::{AddBindingParams, EvaluateParams, EventBindingCalled},
    },
    error::CdpError,
};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::broadcast,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    observer::{BINDING, Report, SCRIPT, WORLD},
    page::{MAX_BYTES, is_chat_id},
};
use crate::{lifecycle::Lifecycle, model::Timestamp};

/// Events that wait for whoever listens (count). Full: the oldest are lost, and the listener knows.
const QUEUE: usize = 1_024;
/// Longest answer of a page.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a page is asked whether it lives.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// What happens in a tab.
#[derive(Debug, Clone)]
pub(super) enum TabEvent {
    /// The page asks for the stream of a chat.
    Asked { request: String, chat_id: String, origin: String },
    /// What it got.
    Answered { status: i64 },
    /// One `data:` of a stream of the page.
    Tapped { request: String, data: Arc<str>, at: Timestamp },
    /// What the chat shows.
    Shown(Arc<Report>, Timestamp),
    /// The page could not be loaded.
    NotLoaded(String),
    /// The page's process died.
    Crashed,
    /// It lives, and does not answer.
    Hangs,
}

/// A page. Closed when the last one who has it lets go.
pub(super) struct Tab {
    page: Page,
    /// Fires when the page is gone, or the browser.
    gone: CancellationToken,
    closed: CancellationToken,
    events: broadcast::Sender<TabEvent>,
    life: Lifecycle,
}

type Events = Pin<Box<dyn Stream<Item = TabEvent> + Send>>;

impl Tab {
    /// Makes a page that is still empty ready to be listened to.
    pub(super) async fn open(
        page: Page,
        user_agent: &str,
        gone: CancellationToken,
        life: Lifecycle,
    ) -> Result<Self, CdpError> {
        let sources: Vec<Events> = vec![
            listen(&page, |it: &EventRequestWillBeSent| {
                let (origin, chat_id) = chat_of(&it.request.url)?;
                Some(TabEvent::Asked { request: it.request_id.inner().clone(), chat_id, origin })
            })
            .await?,
            listen(&page, |it: &EventResponseReceived| {
                chat_of(&it.response.url)?;
                Some(TabEvent::Answered { status: it.response.status })
            })
            .await?,
            listen(&page, |it: &EventEventSourceMessageReceived| {
                let request = it.request_id.inner().clone();
                Some(TabEvent::Tapped {
                    request,
                    data: it.data.as_str().into(),
                    at: Timestamp::now(),
                })
            })
            .await?,
            listen(&page, |it: &EventBindingCalled| {
                let report = (it.name == BINDING).then(|| Report::parse(&it.payload))??;
                Some(TabEvent::Shown(Arc::new(report), Timestamp::now()))
            })
            .await?,
            listen(&page, |_: &EventTargetCrashed| Some(TabEvent::Crashed)).await?,
        ];
        page.set_user_agent(user_agent).await?;
        page.execute(SetFocusEmulationEnabledParams::new(true)).await?;
        let mut binding = AddBindingParams::new(BINDING);
        binding.execution_context_name = Some(WORLD.to_owned());
        page.execute(binding).await?;
        let mut script = AddScriptToEvaluateOnNewDocumentParams::new(SCRIPT);
        script.world_name = Some(WORLD.to_owned());
        page.execute(script).await?;

        let (events, _) = broadcast::channel(QUEUE);
        let closed = CancellationToken::new();
        let gone = gone.child_token();
        life.spawn({
            let (events, gone, closed) = (events.clone(), gone.clone(), closed.clone());
            async move {
                let mut sources = stream::select_all(sources);
                loop {
                    tokio::select! {
                        () = gone.cancelled() => return,
                        () = closed.cancelled() => return,
                        event = sources.next() => match event {
                            // Nobody listens: it is for nobody.
                            Some(it) => drop(events.send(it)),
                            // The page was closed by somebody else.
                            None => return gone.cancel(),
                        },
                    }
                }
            }
        });
        life.spawn({
            let (page, events) = (page.clone(), events.clone());
            let (gone, closed) = (gone.clone(), closed.clone());
            let asking = async move {
                loop {
                    sleep(ASK_EVERY).await;
                    // An error is an answer: the page is on its way to another address.
                    let answer = page.evaluate_expression("1");
                    if timeout(ANSWER_TIMEOUT, answer).await.is_err() {
                        // Nobody listens: nobody needs to know.
                        let _ = events.send(TabEvent::Hangs);
                    }
                }
            };
            async move {
                tokio::select! {
                    () = gone.cancelled() => {}
                    () = closed.cancelled() => {}
                    () = asking => {}
                }
            }
        });
        Ok(Self { page, gone, closed, events, life })
    }

    /// Everything that happens from now on.
    pub(super) fn events(&self) -> broadcast::Receiver<TabEvent> {
        self.events.subscribe()
    }

    /// The page, for whoever sends.
    pub(super) const fn page(&self) -> &Page {
        &self.page
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// Waits until the page is gone, or the browser.
    pub(super) async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Goes to an address. Does not wait: pages that stream are never quite loaded.
    pub(super) fn go(&self, url: &str) {
        let (page, events, closed) = (self.page.clone(), self.events.clone(), self.closed.clone());
        let url = url.to_owned();
        self.life.spawn(async move {
            match closed.run_until_cancelled(page.goto(url)).await {
                Some(Err(CdpError::ChromeMessage(words))) if !words.contains("ERR_ABORTED") => {
                    // Nobody listens: nobody waits for the page.
                    let _ = events.send(TabEvent::NotLoaded(words));
                }
                _ => {}
            }
        });
    }

    /// Loads the page once more.
    pub(super) async fn reload(&self) -> Result<(), CdpError> {
        match timeout(ANSWER_TIMEOUT, self.page.execute(ReloadParams::default())).await {
            Ok(it) => it.map(drop),
            Err(_) => Err(CdpError::Timeout),
        }
    }

    /// Where the page is, and the first part of it.
    pub(super) async fn html(&self) -> Result<String, CdpError> {
        let script = format!("document.documentElement.outerHTML.slice(0, {MAX_BYTES})");
        let mut params = EvaluateParams::new(script);
        params.return_by_value = Some(true);
        match timeout(ANSWER_TIMEOUT, self.page.evaluate_expression(params)).await {
            Ok(it) => Ok(it?.value().and_then(|it| it.as_str()).unwrap_or_default().to_owned()),
            Err(_) => Err(CdpError::Timeout),
        }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.closed.cancel();
        if !self.is_gone() {
            let (page, gone) = (self.page.clone(), self.gone.clone());
            self.life.spawn(async move {
                // A browser that does not close it will be closed itself.
                let _ = timeout(ANSWER_TIMEOUT, gone.run_until_cancelled(page.close())).await;
            });
        }
    }
}

async fn listen<T>(
    page: &Page,
    read: impl Fn(&T) -> Option<TabEvent> + Send + Sync + 'static,
) -> Result<Events, CdpError>
where
    T: IntoEventKind + Send + Sync + Unpin + 'static,
{
    let events = page.event_listener::<T>().await?;
    Ok(Box::pin(events.filter_map(move |it| std::future::ready(read(&it)))))
}

/// Origin and number of the chat whose stream is at `url`.
fn chat_of(url: &str) -> Option<(String, String)> {
    let (origin, rest) = url.split_once("/chat/api/chat/")?;
    let (chat_id, rest) = rest.split_once('/')?;
    let is_stream = rest == "stream" || rest.starts_with("stream?");
    (is_stream && is_chat_id(chat_id)).then(|| (origin.to_owned(), chat_id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stream_of_a_chat_tells_its_number() {
        let found = chat_of("https://web3.rumble.com/chat/api/chat/445201096/stream");
        assert_eq!(found, Some(("https://web3.rumble.com".to_owned(), "445201096".to_owned())));
        for other in [
            "https://web3.rumble.com/chat/api/chat/445201096/message",
            "https://web3.rumble.com/chat/api/chat/v5abc/stream",
            "https://rumble.com/chat/popup/445201096",
        ] {
            assert_eq!(chat_of(other), None, "{other}");
        }
    }
}
