//! Chromium, and its pages as tests ask them.

use std::{
    env,
    fmt::Write,
    path::PathBuf,
    pin::Pin,
    sync::Mutex,
    time::{Duration, Instant},
};

use chromiumoxide::{
    Browser as Chromium, BrowserConfig, Page as Tab,
    cdp::{
        browser_protocol::{
            emulation::SetDeviceMetricsOverrideParams,
            input::{DispatchKeyEventParams, DispatchKeyEventType, InsertTextParams},
            log::EventEntryAdded,
            network::{EventRequestWillBeSent, EventWebSocketCreated},
            target::CreateTargetParams,
        },
        js_protocol::runtime::{EvaluateParams, EventConsoleApiCalled, EventExceptionThrown},
    },
    element::Element,
    error::CdpError,
    listeners::EventStream,
};
use futures_util::{FutureExt, Stream, StreamExt};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::DEADLINE;

/// How often a page is asked whether it has come so far.
const ASK_EVERY: Duration = Duration::from_millis(15);
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Reports what the policy of the page forbids where every other fault is reported.
const REPORT_VIOLATIONS: &str = "addEventListener('securitypolicyviolation', \
    (it) => console.error('forbidden', it.effectiveDirective, it.blockedURI));";

/// A browser of one test, with a profile of its own.
pub(crate) struct Browser {
    chromium: Chromium,
    handler: JoinHandle<()>,
    profile: TempDir,
}

impl Browser {
    /// Starts it.
    pub(crate) async fn launch() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(find_chromium())
            .user_data_dir(profile.path())
            .no_sandbox() // In a container, where tests run as root, there is none.
            .viewport(None)
            .window_size(900, 700)
            .args([
                "disable-gpu",
                "disable-quic",
                "no-first-run",
                "disable-background-networking",
                "disable-component-update",
                "disable-sync",
                "disable-dev-shm-usage",
            ])
            .build()
            .unwrap();
        let (chromium, mut events) = Chromium::launch(config).await.unwrap();
        // An error is one event that could not be read, not the end.
        let handler = tokio::spawn(async move { while events.next().await.is_some() {} });
        Self { chromium, handler, profile }
    }

    /// Opens an address in a window of its own.
    pub(crate) async fn open(&self, url: &str) -> Page {
        self.open_with(url, "").await
    }

    /// The same, after a script ran in the page that is still empty.
    pub(crate) async fn open_with(&self, url: &str, script: &str) -> Page {
        // A page behind another one would not be drawn.
        let window =
            CreateTargetParams::builder().url("about:blank").new_window(true).build().unwrap();
        let tab = self.chromium.new_page(window).await.unwrap();
        tab.evaluate_on_new_document(format!("{REPORT_VIOLATIONS}{script}")).await.unwrap();
        let reports = reports(&tab).await;
        let page = Page { tab, reports: Mutex::new(reports) };
        page.go(url).await;
        page
    }

    /// Ends it.
    pub(crate) async fn close(mut self) {
        self.chromium.close().await.unwrap();
        self.chromium.wait().await.unwrap();
        self.handler.abort();
        // What Chromium leaves behind may still be moving: then the system cleans up.
        let _ = self.profile.close();
    }
}

fn find_chromium() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut files =
        NAMES.iter().flat_map(|name| env::split_paths(&path).map(move |it| it.join(name)));
    files.find(|it| it.is_file()).expect(
        "there is no Chromium on this machine: run ./scripts/test, which installs what the tests need",
    )
}

/// Something a page did that a test may ask about.
#[derive(Debug)]
enum Report {
    /// A request, or a socket.
    Request(String),
    /// It went wrong, in words.
    Fault(String),
}

type Reports = Pin<Box<dyn Stream<Item = Report> + Send>>;

async fn reports(tab: &Tab) -> Vec<Reports> {
    fn map<T>(
        events: EventStream<T>,
        report: impl Fn(&T) -> Option<Report> + Send + 'static,
    ) -> Reports
    where
        T: chromiumoxide::cdp::IntoEventKind + Send + Sync + Unpin + 'static,
    {
        Box::pin(events.filter_map(move |it| std::future::ready(report(&it))))
    }
    tab.enable_log().await.unwrap();
    vec![
        map(tab.event_listener::<EventRequestWillBeSent>().await.unwrap(), |it| {
            Some(Report::Request(it.request.url.clone()))
        }),
        map(tab.event_listener::<EventWebSocketCreated>().await.unwrap(), |it| {
            Some(Report::Request(it.url.clone()))
        }),
        map(tab.event_listener::<EventConsoleApiCalled>().await.unwrap(), |it| {
            let words: Vec<_> = it.args.iter().filter_map(|it| it.value.as_ref()).collect();
            Some(Report::Fault(format!("console: {words:?}")))
        }),
        map(tab.event_listener::<EventExceptionThrown>().await.unwrap(), |it| {
            let details = &it.exception_details;
            let exception = details.exception.as_ref().and_then(|it| it.description.as_ref());
            Some(Report::Fault(format!("exception: {} {exception:?}", details.text)))
        }),
        map(tab.event_listener::<EventEntryAdded>().await.unwrap(), |it| {
            Some(Report::Fault(format!("log: {} {:?}", it.entry.text, it.entry.url)))
        }),
    ]
}

/// A page in the browser.
pub(crate) struct Page {
    /// For what tests do by hand: mouse and keys.
    pub(crate) tab: Tab,
    reports: Mutex<Vec<Reports>>,
}

impl Page {
    /// Goes to an address.
    pub(crate) async fn go(&self, url: &str) {
        self.tab.goto(url).await.unwrap();
    }

    async fn ask(&self, script: &str) -> Result<Value, String> {
        let params = EvaluateParams::builder()
            .expression(script)
            .await_promise(true)
            .return_by_value(true)
            .build()
            .unwrap();
        match self.tab.evaluate_expression(params).await {
            Ok(it) => Ok(it.value().cloned().unwrap_or(Value::Null)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The value of an expression; of a promise, what it brings.
    pub(crate) async fn eval(&self, script: &str) -> Value {
        self.ask(script).await.unwrap_or_else(|it| panic!("{script}: {it}"))
    }

    /// Waits until an expression is true. One that cannot be evaluated is not, yet: pages reload.
    pub(crate) async fn until(&self, script: &str) {
        let start = Instant::now();
        loop {
            let value = self.ask(script).await;
            if value == Ok(Value::Bool(true)) {
                return;
            }
            if start.elapsed() > DEADLINE {
                let mut story =
                    format!("waited in vain for {script}, which is {value:?}; the page:");
                let body = self.ask("document.body.outerHTML.slice(0, 4000)").await;
                write!(story, "\n{body:?}\nand it reported {:?}", self.reported()).unwrap();
                panic!("{story}");
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Waits until an expression has a value.
    pub(crate) async fn until_is(&self, script: &str, value: impl Into<Value>) {
        let value = value.into();
        let json = Value::String(value.to_string());
        self.until(&format!("JSON.stringify({script}) === {json}")).await;
    }

    /// How many elements there are.
    pub(crate) async fn count(&self, selector: &str) -> u64 {
        let count = self.eval(&format!("document.querySelectorAll({selector:?}).length")).await;
        count.as_u64().unwrap()
    }

    /// Clicks on an element as a hand does.
    pub(crate) async fn click(&self, selector: &str) {
        self.on_element(selector, async |it| it.click().await.map(drop)).await;
    }

    /// Types into an element.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        // Once it has the focus, keys go wherever that is: nothing is typed twice.
        self.on_element(selector, async |it| it.focus().await?.type_str(text).await.map(drop))
            .await;
    }

    /// Does something with an element; with the one in its place where the page drew it anew meanwhile.
    async fn on_element(
        &self,
        selector: &str,
        act: impl AsyncFn(&Element) -> Result<(), CdpError>,
    ) {
        let start = Instant::now();
        loop {
            let done = match self.tab.find_element(selector).await {
                Ok(element) => act(&element).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => return,
                Err(error) if start.elapsed() > DEADLINE => panic!("{selector}: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Presses a key where the focus is, as a hand does.
    pub(crate) async fn hit(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "Escape" => (27, None),
            " " => (32, Some(" ")),
            other => panic!("say here what {other} is"),
        };
        for kind in [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp] {
            let mut event = DispatchKeyEventParams::builder()
                .r#type(kind.clone())
                .key(key)
                .code(if key == " " { "Space" } else { key })
                .windows_virtual_key_code(code);
            if let (DispatchKeyEventType::KeyDown, Some(text)) = (&kind, text) {
                event = event.text(text);
            }
            self.tab.execute(event.build().unwrap()).await.unwrap();
        }
    }

    /// Goes on with the tabulator until the focus is on an element, as a hand does.
    pub(crate) async fn tab_to(&self, selector: &str) {
        let is_there = format!("document.activeElement.matches({selector:?})");
        for _ in 0..60 {
            if self.eval(&is_there).await == true {
                return;
            }
            self.hit("Tab").await;
        }
        panic!("no key leads to {selector}");
    }

    /// Types where the focus is.
    pub(crate) async fn write(&self, text: &str) {
        self.tab.execute(InsertTextParams::new(text)).await.unwrap();
    }

    /// Makes the window as large as a screen, of a phone for example.
    pub(crate) async fn resize(&self, width: i64, height: i64) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, false);
        self.tab.execute(size).await.unwrap();
        self.until_is("innerWidth", width).await;
    }

    /// What was reported since it was last asked for.
    fn reported(&self) -> Vec<Report> {
        let mut reports = self.reports.lock().unwrap();
        let come = |it: &mut Reports| {
            std::iter::from_fn(|| it.next().now_or_never().flatten()).collect::<Vec<_>>()
        };
        reports.iter_mut().flat_map(come).collect()
    }

    /// Asserts that nothing went wrong so far and that nobody but the server at `origin` was asked for
    /// anything.
    pub(crate) async fn assert_clean(&self, origin: &str) {
        // Reports come on the way answers do: behind two answers, those of before the first are here.
        for _ in 0..2 {
            self.eval("new Promise((done) => setTimeout(done))").await;
        }
        let host = origin.split_once("://").unwrap().1.trim_end_matches('/');
        let own = [format!("http://{host}/"), format!("ws://{host}/")];
        let mut requests = 0;
        for report in self.reported() {
            match report {
                Report::Fault(fault) => panic!("{fault}"),
                Report::Request(url) => {
                    assert!(own.iter().any(|it| url.starts_with(it)), "asked for {url}");
                    requests += 1;
                }
            }
        }
        assert!(requests > 0, "no requests were reported");
    }
}
