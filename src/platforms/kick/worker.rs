//! Reads one channel until it is lost.

mod session;
mod upkeep;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Kick, KickPlan, Moment,
    centrifugo::Centrifugo,
    channel::{self, Found, NotFound},
    frame::Topics,
    official::Official,
    protocol::{Lost, Patience, Protocol},
    pusher::{self, Pusher},
    site::{Named, Site},
    track::{Track, Way},
};
use crate::{
    config::platforms::KickSocket,
    model::{PlatformState, Timestamp},
    platforms::{Ingest, PlatformWorker, Raw, WorkerError, absence::Absence, socket::Socket},
};

use self::session::{Ended, Session};

/// Longest wait that the platform may ask for at once; it is asked again then.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Longest wait for the way to the chat to be named.
const NEGOTIATION: Duration = Duration::from_secs(6);

/// Reads one channel until it is lost.
pub struct KickWorker {
    kick: Arc<Kick>,
    plan: KickPlan,
    track: Arc<Track>,
    /// By which the site knows this guest.
    guest: Uuid,
}

/// An open socket with what is spoken on it.
struct Connection {
    socket: Socket,
    protocol: Protocol,
    way: Way,
}

impl KickWorker {
    /// For one attempt.
    #[must_use]
    pub fn new(kick: Arc<Kick>, plan: KickPlan, track: Arc<Track>) -> Self {
        Self { kick, plan, track, guest: Uuid::new_v4() }
    }

    async fn read(&self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let client = self.kick.shared.clients.client(&self.plan.way).await?;
        let config = &self.plan.config;
        let site = Site {
            client: client.clone(),
            web_url: config.web_url.as_str().to_owned(),
            realtime_url: config.realtime_url.as_str().to_owned(),
            user_agent: config.user_agent.clone(),
        };
        let official = self.plan.application.clone().map(|application| Official {
            client,
            api_url: config.api_url.as_str().to_owned(),
            id_url: config.id_url.as_str().to_owned(),
            application,
            tokens: Arc::clone(&self.kick.tokens),
        });
        let Some(found) = self.find(ingest, stop, &site, official.as_ref()).await? else {
            return Ok(());
        };
        let mut session = Session::new(self, site, official, found);
        session.tell_channel(ingest);
        loop {
            let Some(topics) = session.topics() else {
                return session.read_webhooks(ingest, stop).await;
            };
            let ended =
                match stop.run_until_cancelled(Box::pin(self.open(session.site(), topics))).await {
                    None => Ended::Stopped,
                    Some(Err(lost)) => Ended::Lost(lost),
                    Some(Ok(connection)) => session.read_chat(connection, ingest, stop).await,
                };
            match ended {
                Ended::Stopped => return Ok(()),
                Ended::Lost((_, Lost::AtOnce(text))) if self.track.may_come_back_at_once() => {
                    ingest.status(PlatformState::Degraded, text);
                }
                Ended::Lost((way, lost)) => {
                    return Err(self.track.verdict(self.plan.config.socket, way, &lost));
                }
                Ended::Failed(error) => return Err(error),
            }
        }
    }

    /// Finds the channel; `None` when it is time to stop.
    async fn find(
        &self,
        ingest: &mut Ingest,
        stop: &CancellationToken,
        site: &Site,
        official: Option<&Official>,
    ) -> Result<Option<Found>, WorkerError> {
        let memory = &self.kick.shared.memory;
        let mut absence = Absence::default();
        loop {
            let found = channel::find(&self.plan, site, official, memory);
            match stop.run_until_cancelled(found).await {
                None => return Ok(None),
                Some(Ok(found)) => return Ok(Some(found)),
                Some(Err(NotFound::Absent(text))) => {
                    let pause = absence.tell(&self.kick.shared.telemetry, ingest, &text);
                    if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                        return Ok(None);
                    }
                }
                Some(Err(NotFound::Unknown { error, retry_after })) => {
                    if let Some(pause) = retry_after {
                        ingest.status(PlatformState::Degraded, error.to_string());
                        let pause = tokio::time::sleep(pause.min(LONGEST_PAUSE));
                        if stop.run_until_cancelled(pause).await.is_none() {
                            return Ok(None);
                        }
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Opens the socket that the site names, or else Pusher's.
    async fn open(&self, site: &Site, topics: Topics) -> Result<Connection, (Way, Lost)> {
        let config = &self.plan.config;
        if config.socket == KickSocket::Auto
            && let Some(text) = self.track.all_refused()
        {
            return Err((Way::Pusher, Lost::Later(text)));
        }
        let only_pusher = config.socket == KickSocket::Pusher
            || (config.socket == KickSocket::Auto
                && (self.track.is_refused(Way::Centrifugo)
                    || self.track.is_first_choice_avoided()));
        let mut problem = None;
        let (mut key, mut cluster) = (config.pusher_key.clone(), None);
        if !only_pusher {
            match self.negotiate(site, topics).await {
                Ok(Negotiated::Centrifugo { url, token }) => match self.open_socket(&url).await {
                    Ok(socket) => {
                        let now = Instant::now();
                        let protocol = Centrifugo::new(token, topics, self.patience(), now);
                        let protocol = Protocol::Centrifugo(protocol);
                        return Ok(Connection { socket, protocol, way: Way::Centrifugo });
                    }
                    Err(lost) => problem = Some(lost.text().to_owned()),
                },
                Ok(Negotiated::Pusher { key: named, cluster: in_cluster }) => {
                    key = named.unwrap_or(key);
                    cluster = in_cluster;
                }
                Err(text) => problem = Some(text),
            }
            if config.socket == KickSocket::Centrifugo {
                let text = problem.unwrap_or_else(|| "Kick names the Pusher socket".to_owned());
                return Err((Way::Centrifugo, Lost::Later(text)));
            }
        }
        if let Some(problem) = &problem {
            tracing::info!(problem, "the chat's own socket is not to be had: Pusher's is read");
        }
        let url = pusher::address(config.pusher_url.as_str(), &key, cluster.as_deref());
        let socket = self.open_socket(&url).await.map_err(|lost| {
            let text = match &problem {
                Some(problem) => format!("{problem}; and the Pusher socket: {}", lost.text()),
                None => format!("the Pusher socket: {}", lost.text()),
            };
            (Way::Pusher, Lost::Later(text))
        })?;
        let protocol = Protocol::Pusher(Pusher::new(topics, self.patience(), Instant::now()));
        Ok(Connection { socket, protocol, way: Way::Pusher })
    }

    async fn negotiate(&self, site: &Site, topics: Topics) -> Result<Negotiated, String> {
        let asked = async {
            match site.negotiate(topics.channel, self.guest).await? {
                Named::Pusher { key, cluster } => Ok(Negotiated::Pusher { key, cluster }),
                Named::Centrifugo { url } => {
                    let token = site.guest_token(self.guest).await?;
                    Ok(Negotiated::Centrifugo { url, token })
                }
            }
        };
        match timeout(NEGOTIATION, asked).await {
            Ok(Ok(named)) => Ok(named),
            Ok(Err(error)) => Err(super::site::SiteError::to_string(&error)),
            Err(_) => Err("Kick's chat negotiation does not answer in time".to_owned()),
        }
    }

    async fn open_socket(&self, url: &str) -> Result<Socket, Lost> {
        let config = &self.plan.config;
        let headers = [("origin", config.web_url.as_str()), ("user-agent", &config.user_agent)];
        let opened = Socket::connect(url, &headers, self.plan.way.ca_file.as_deref()).await;
        opened.map_err(|it| Lost::Later(it.to_string()))
    }

    fn patience(&self) -> Patience {
        Patience {
            ping: Duration::from_secs(u64::from(self.plan.config.ping_seconds)),
            pong: Duration::from_secs(u64::from(self.plan.config.pong_seconds)),
        }
    }
}

enum Negotiated {
    Centrifugo { url: String, token: String },
    Pusher { key: Option<String>, cluster: Option<String> },
}

impl PlatformWorker for KickWorker {
    async fn run(self, ingest: &mut Ingest, stop: &CancellationToken) -> Result<(), WorkerError> {
        let ended = Box::pin(self.read(ingest, stop)).await;
        let is_last = stop.is_cancelled() || ended.as_ref().is_err_and(WorkerError::is_permanent);
        if is_last {
            self.track.end_webhooks(Moment { at: Instant::now(), clock: Timestamp::now() });
        }
        // Nobody reads on for now: what is held is told, rather than lost.
        for (happening, received_at) in self.track.flush_all() {
            ingest.accept(Raw::Kick(Box::new(happening)), received_at);
        }
        self.track.keep(&self.kick.shared.memory, &self.plan.channel);
        ended
    }
}
