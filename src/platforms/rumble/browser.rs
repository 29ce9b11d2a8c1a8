//! The one browser of a server: started when it is first needed, stopped when nobody needs it, started
//! again when it dies.
//!
//! It visits nothing but Rumble, so frames of other sites may share its process; only then do their events
//! come over the page's own session.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chromiumoxide::{
    Browser as Chromium, BrowserConfig, cdp::browser_protocol::target::CreateTargetParams,
    error::CdpError,
};
use futures_util::StreamExt;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{identity::Identity, profile::Profile, tab::Tab};
use crate::{config::platforms::RumbleConfig, lifecycle::Lifecycle};

/// Requests that wait (count). Full: whoever asks waits too.
const QUEUE: usize = 32;
/// Longest start.
const LAUNCH_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest answer of the browser.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Time a browser is given to end by itself.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Pause behind a start that failed: whoever asks meanwhile is told why it failed.
const FAILED_FOR: Duration = Duration::from_secs(3);
/// How often it is looked whether anybody needs it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Age at which cookies are read anew.
const IDENTITY_FOR: Duration = Duration::from_secs(1_800);

/// Why there is no browser.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrowserError {
    /// This machine has none.
    #[error("this machine has no browser: install Chromium, or set browser_path")]
    Missing,
    /// Not now.
    #[error("{0}")]
    Failed(String),
}

/// How the browser is started, as it is configured.
#[derive(Debug, Clone)]
struct Settings {
    path: Option<PathBuf>,
    headless: bool,
    idle: Duration,
}

impl Settings {
    fn new(config: &RumbleConfig) -> Self {
        Self {
            path: config.find_browser(),
            headless: config.browser_headless,
            idle: Duration::from_secs(u64::from(config.browser_idle_seconds)),
        }
    }
}

enum Request {
    Tab { settings: Settings, key: String, reply: oneshot::Sender<Result<Arc<Tab>, BrowserError>> },
    Identity { settings: Settings, reply: oneshot::Sender<Result<Identity, BrowserError>> },
}

/// The browser, as the workers see it.
pub(super) struct Browser {
    life: Lifecycle,
    data_dir: PathBuf,
    requests: OnceLock<mpsc::Sender<Request>>,
    identity: Mutex<Option<(Instant, Identity)>>,
    runs: Arc<AtomicBool>,
}

impl Browser {
    /// Nothing is started yet.
    pub(super) fn new(life: Lifecycle, data_dir: PathBuf) -> Self {
        let (requests, identity, runs) = (OnceLock::new(), Mutex::default(), Arc::default());
        Self { life, data_dir, requests, identity, runs }
    }

    /// Whether this machine has one.
    pub(super) fn is_there(config: &RumbleConfig) -> bool {
        config.find_browser().is_some()
    }

    /// Whether it runs now.
    pub(super) fn runs(&self) -> bool {
        self.runs.load(Ordering::Relaxed)
    }

    /// The tab of that key: the one that is open, else a new empty one.
    pub(super) async fn tab(
        &self,
        config: &RumbleConfig,
        key: &str,
    ) -> Result<Arc<Tab>, BrowserError> {
        let (reply, answer) = oneshot::channel();
        let (settings, key) = (Settings::new(config), key.to_owned());
        self.ask(Request::Tab { settings, key, reply }).await?;
        answer.await.map_err(|_| gone())?
    }

    /// As whom the profile is known; `None` when there is no profile, or no browser that can read it.
    pub(super) async fn identity(&self, config: &RumbleConfig) -> Option<Identity> {
        if !Profile::exists(&self.data_dir) || !Self::is_there(config) {
            return None;
        }
        let known = self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, identity)) = known
            && at.elapsed() < IDENTITY_FOR
        {
            return Some(identity);
        }
        let (reply, answer) = oneshot::channel();
        self.ask(Request::Identity { settings: Settings::new(config), reply }).await.ok()?;
        match answer.await.ok()? {
            Ok(identity) => {
                let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
                *known = Some((Instant::now(), identity.clone()));
                Some(identity)
            }
            Err(error) => {
                tracing::warn!(%error, "the browser's cookies cannot be read");
                None
            }
        }
    }

    async fn ask(&self, request: Request) -> Result<(), BrowserError> {
        let requests = self.requests.get_or_init(|| {
            let (send, requests) = mpsc::channel(QUEUE);
            let keeper = Keeper {
                life: self.life.clone(),
                data_dir: self.data_dir.clone(),
                running: None,
                runs: Arc::clone(&self.runs),
                tabs: HashMap::new(),
                failed: None,
            };
            self.life.spawn(keeper.run(requests));
            send
        });
        requests.send(request).await.map_err(|_| gone())
    }
}

fn gone() -> BrowserError {
    BrowserError::Failed("the browser is being closed".to_owned())
}

/// Says in a few words what the browser complains of.
pub(super) fn words(error: &CdpError) -> String {
    match error {
        CdpError::Timeout => "the browser does not answer".to_owned(),
        CdpError::LaunchExit(..) => "the browser ended as soon as it was started".to_owned(),
        CdpError::LaunchTimeout(_) | CdpError::LaunchIo(..) => {
            "the browser does not start".to_owned()
        }
        CdpError::ChannelSendError(_) | CdpError::Ws(_) | CdpError::NoResponse => {
            "the browser is gone".to_owned()
        }
        CdpError::ChromeMessage(it) => it.chars().take(200).collect(),
        CdpError::Chrome(it) => it.to_string().chars().take(200).collect(),
        _ => "the browser failed".to_owned(),
    }
}

/// The browser that runs.
struct Running {
    chromium: Chromium,
    user_agent: String,
    idle: Duration,
    /// Fires when it is gone, however.
    gone: CancellationToken,
    used_at: Instant,
    _profile: Profile,
}

/// Owns the browser.
struct Keeper {
    life: Lifecycle,
    data_dir: PathBuf,
    running: Option<Running>,
    /// Whether there is one, for those who only want to know.
    runs: Arc<AtomicBool>,
    tabs: HashMap<String, Weak<Tab>>,
    failed: Option<(Instant, BrowserError)>,
}

impl Keeper {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.life.stop.clone();
        loop {
            let died = self.running.as_ref().map(|it| it.gone.clone());
            let died = async {
                match died {
                    Some(it) => it.cancelled().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                request = requests.recv() => match request {
                    // A start that hangs must not hold up a stop; what was started is ended.
                    Some(it) => if stop.run_until_cancelled(self.serve(it)).await.is_none() {
                        break;
                    },
                    None => break,
                },
                () = died => {
                    tracing::warn!("the browser is gone; it is started again when it is needed");
                    self.end().await;
                }
                _ = look.tick() => self.look().await,
            }
        }
        self.end().await;
    }

    async fn serve(&mut self, request: Request) {
        // Whoever asked may have given up: then the answer is dropped.
        match request {
            Request::Tab { settings, key, reply } => {
                let tab = self.tab(&settings, key).await;
                let _ = reply.send(tab);
            }
            Request::Identity { settings, reply } => {
                let identity = self.identity(&settings).await;
                let _ = reply.send(identity);
            }
        }
    }

    async fn tab(&mut self, settings: &Settings, key: String) -> Result<Arc<Tab>, BrowserError> {
        if let Some(tab) = self.tabs.get(&key).and_then(Weak::upgrade).filter(|it| !it.is_gone()) {
            return Ok(tab);
        }
        let life = self.life.clone();
        let running = self.running(settings).await?;
        let opened = async {
            // A window of its own: a page behind another one is not drawn, and gets no clicks.
            let window = CreateTargetParams::builder().url("about:blank").new_window(true).build();
            let window = window.map_err(CdpError::msg)?;
            let page = running.chromium.new_page(window).await?;
            Tab::open(page, &running.user_agent, running.gone.clone(), life).await
        };
        match timeout(CALL_TIMEOUT, opened).await {
            Ok(Ok(tab)) => {
                let tab = Arc::new(tab);
                self.tabs.retain(|_, it| it.strong_count() > 0);
                self.tabs.insert(key, Arc::downgrade(&tab));
                Ok(tab)
            }
            Ok(Err(error)) => Err(BrowserError::Failed(words(&error))),
            Err(_) => {
                // One that does not even open a tab is of no use to anybody.
                self.end().await;
                Err(BrowserError::Failed("the browser does not answer".to_owned()))
            }
        }
    }

    async fn identity(&mut self, settings: &Settings) -> Result<Identity, BrowserError> {
        let running = self.running(settings).await?;
        let failed = |it: CdpError| BrowserError::Failed(words(&it));
        let cookies = match timeout(CALL_TIMEOUT, running.chromium.get_cookies()).await {
            Ok(it) => it.map_err(failed)?,
            Err(_) => return Err(failed(CdpError::Timeout)),
        };
        Ok(Identity { user_agent: running.user_agent.clone(), cookies: cookies.into() })
    }

    /// The browser, started when it does not run.
    async fn running(&mut self, settings: &Settings) -> Result<&mut Running, BrowserError> {
        if self.running.as_ref().is_some_and(|it| it.gone.is_cancelled()) {
            self.end().await;
        }
        if self.running.is_none() {
            if let Some((at, error)) = &self.failed
                && at.elapsed() < FAILED_FOR
            {
                return Err(error.clone());
            }
            match self.launch(settings).await {
                Ok(it) => {
                    self.running = Some(it);
                    self.runs.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    self.failed = Some((Instant::now(), error.clone()));
                    return Err(error);
                }
            }
        }
        let running = self.running.as_mut().ok_or(BrowserError::Missing)?;
        running.used_at = Instant::now();
        running.idle = settings.idle;
        Ok(running)
    }

    async fn launch(&self, settings: &Settings) -> Result<Running, BrowserError> {
        let failed = |it: CdpError| BrowserError::Failed(words(&it));
        let path = settings.path.clone().ok_or(BrowserError::Missing)?;
        let data_dir = self.data_dir.clone();
        let profile = self.life.spawn_blocking(move || Profile::lock(&data_dir)).await;
        let profile = profile
            .map_err(|it| BrowserError::Failed(it.to_string()))?
            .map_err(|it| BrowserError::Failed(it.to_string()))?;
        let mut builder = BrowserConfig::builder()
            .chrome_executable(path)
            .user_data_dir(profile.folder())
            .respect_https_errors()
            .viewport(None)
            .window_size(1_000, 800)
            .launch_timeout(LAUNCH_TIMEOUT)
            .request_timeout(CALL_TIMEOUT)
            .arg("disable-gpu")
            .arg("disable-component-update")
            .arg("no-default-browser-check")
            .arg("mute-audio")
            // Nobody watches.
            .arg(("autoplay-policy", "user-gesture-required"))
            .arg("disable-site-isolation-trials")
            .arg(("disable-features", "IsolateOrigins,site-per-process"));
        if super::profile::is_root() {
            builder = builder.no_sandbox();
        }
        builder = if settings.headless { builder.new_headless_mode() } else { builder.with_head() };
        let config = builder.build().map_err(BrowserError::Failed)?;
        let (mut chromium, mut events) = Chromium::launch(config).await.map_err(failed)?;
        let gone = CancellationToken::new();
        self.life.spawn({
            // Told by the drop too: the crate panics over some answers, in this task alone.
            let gone = gone.clone().drop_guard();
            async move {
                while let Some(event) = events.next().await {
                    // Other errors are events that could not be read.
                    if matches!(event, Err(CdpError::Ws(_) | CdpError::Io(_))) {
                        break;
                    }
                }
                drop(gone);
            }
        });
        let user_agent = match timeout(CALL_TIMEOUT, chromium.user_agent()).await {
            Ok(Ok(it)) => it,
            Ok(Err(error)) => {
                end(&mut chromium).await;
                return Err(failed(error));
            }
            Err(_) => {
                end(&mut chromium).await;
                return Err(failed(CdpError::Timeout));
            }
        };
        tracing::info!(%user_agent, "the browser is started");
        Ok(Running {
            chromium,
            // The profile was signed in with a window: it goes on as the same browser.
            user_agent: user_agent.replace("HeadlessChrome", "Chrome"),
            idle: settings.idle,
            gone,
            used_at: Instant::now(),
            _profile: profile,
        })
    }

    /// Closes the browser when nobody has needed it for long.
    async fn look(&mut self) {
        self.tabs.retain(|_, it| it.strong_count() > 0);
        let Some(running) = &mut self.running else { return };
        if !self.tabs.is_empty() {
            running.used_at = Instant::now();
        } else if running.used_at.elapsed() >= running.idle {
            tracing::info!("nobody needs the browser: it is closed");
            self.end().await;
        }
    }

    async fn end(&mut self) {
        self.tabs.clear();
        self.runs.store(false, Ordering::Relaxed);
        let Some(mut running) = self.running.take() else { return };
        running.gone.cancel();
        end(&mut running.chromium).await;
    }
}

/// Ends a browser, by force if need be, and waits for its process.
async fn end(chromium: &mut Chromium) {
    let orderly = async {
        // One that was killed has nobody to ask; its process is waited for all the same.
        let _ = chromium.close().await;
        let _ = chromium.wait().await;
    };
    if timeout(CLOSE_TIMEOUT, orderly).await.is_err() {
        // Waits for the process too. It fails only when there is none any more.
        let _ = timeout(CLOSE_TIMEOUT, chromium.kill()).await;
    }
}
