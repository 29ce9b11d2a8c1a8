//! Who may start a task, how all of them are told to stop, and how long they are waited for.

use std::{future::Future, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Owns every task of one server. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lifecycle {
    /// Fires once: sources stop, consumers drain.
    pub stop: CancellationToken,
    tracker: TaskTracker,
}

impl Lifecycle {
    /// Nothing started yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that is waited for at shutdown.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(task)
    }

    /// Runs blocking work on a thread made for it, waited for at shutdown.
    pub fn spawn_blocking<F, T>(&self, work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.tracker.spawn_blocking(work)
    }

    /// Runs work that keeps a core busy on a thread that steps back behind all others: nobody else waits longer for
    /// it. Waited for at shutdown.
    pub fn spawn_background<F, T>(&self, name: &str, work: F) -> JoinHandle<Option<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            step_back();
            // Whoever asked may be gone.
            let _ = sender.send(work());
        });
        if let Err(error) = thread {
            tracing::error!(%error, name, "a thread could not be started");
        }
        self.tracker.spawn(async { receiver.await.ok() })
    }

    /// Starts a task without which the server is useless: when it ends before the stop, by returning
    /// or by a panic, the whole server stops.
    pub fn essential<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        let running = tokio::spawn(self.tracker.track_future(task));
        self.tracker.spawn(async move {
            let ended = running.await;
            if !stop.is_cancelled() {
                match ended {
                    Ok(()) => tracing::error!(task = name, "an essential task ended: stopping"),
                    Err(error) => {
                        tracing::error!(task = name, %error, "an essential task failed: stopping")
                    }
                }
                stop.cancel();
            }
        });
    }

    /// Fires `stop` and waits for every task, at most `grace`.
    ///
    /// Returns the number of tasks that did not end in time.
    pub async fn shut_down(&self, grace: Duration) -> usize {
        self.stop.cancel();
        self.tracker.close();
        match timeout(grace, self.tracker.wait()).await {
            Ok(()) => 0,
            Err(_) => self.tracker.len(),
        }
    }
}

/// Takes this thread behind all others. Where the system does not let us, it is one like the others.
fn step_back() {
    #[cfg(target_os = "linux")]
    let stepped = thread_priority::set_thread_priority_and_policy(
        thread_priority::thread_native_id(),
        thread_priority::ThreadPriority::Min,
        thread_priority::ThreadSchedulePolicy::Normal(
            thread_priority::NormalThreadSchedulePolicy::Idle,
        ),
    );
    #[cfg(not(target_os = "linux"))]
    let stepped =
        thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
    if let Err(error) = stepped {
        tracing::debug!(?error, "a thread keeps its priority");
    }
}

/// Requests to stop: Ctrl-C, and on Unix SIGTERM, on Windows Ctrl-Break and close. Heard from the moment
/// this is made: before that, the system ends the process without asking.
pub struct StopRequests {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    signals: (
        tokio::signal::windows::CtrlC,
        tokio::signal::windows::CtrlBreak,
        tokio::signal::windows::CtrlClose,
    ),
}

impl StopRequests {
    /// Begins to listen. Needs a runtime.
    ///
    /// # Errors
    /// When the system does not let us listen for signals.
    pub fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?],
            })
        }
        #[cfg(windows)]
        {
            use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
            Ok(Self { signals: (ctrl_c()?, ctrl_break()?, ctrl_close()?) })
        }
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(windows)]
        {
            let (ctrl_c, ctrl_break, close) = &mut self.signals;
            tokio::select! {
                _ = ctrl_c.recv() => {}
                _ = ctrl_break.recv() => {}
                _ = close.recv() => {}
            }
        }
    }
}
