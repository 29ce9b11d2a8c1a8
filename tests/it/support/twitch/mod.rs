//! A stand-in for Twitch chat: does what Twitch does, and everything Twitch does on a bad day.

mod script;

use std::{
    collections::{BTreeSet, HashSet},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf},
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

#[allow(unused_imports)] // Each of those who include this needs some.
pub(crate) use script::{number_of, privmsg, privmsg_at};

use super::soon;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What is written on a connection, in order.
enum Out {
    Bytes(Vec<u8>),
    Drop,
}

/// One connection, from its first byte on; kept after its end.
pub(crate) struct Connection {
    /// The login given, once it was.
    pub(crate) nick: Option<String>,
    /// The token given.
    pub(crate) pass: Option<String>,
    /// Channels it is in.
    pub(crate) joined: BTreeSet<String>,
    /// The other side is gone, or was cut.
    pub(crate) closed: bool,
    out: mpsc::UnboundedSender<Out>,
    pending: Vec<String>,
}

/// What the stand-in has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// Every connection there was.
    pub(crate) connections: Vec<Connection>,
    /// Every JOIN asked for: on which connection, of what, when.
    pub(crate) joins: Vec<(usize, String, Instant)>,
    /// Every PART.
    pub(crate) parts: Vec<String>,
    /// PINGs of the client.
    pub(crate) pings: usize,
    /// What the client answered to PINGs.
    pub(crate) pongs: Vec<String>,
    /// What was said: by whom, where, what.
    pub(crate) said: Vec<(String, String, String)>,
    refuse_login: Option<String>,
    refuse_words: Option<String>,
    ignored: HashSet<String>,
    hold_joins: bool,
    mute: bool,
}

impl Seen {
    /// The newest living connection in a channel.
    pub(crate) fn carrier(&self, channel: &str) -> Option<usize> {
        self.connections.iter().rposition(|it| !it.closed && it.joined.contains(channel))
    }
}

struct Shared {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
    tls: Option<TlsAcceptor>,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// The stand-in.
pub(crate) struct Twitch {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
    ca: Option<(TempDir, PathBuf)>,
}

impl Twitch {
    /// Without TLS.
    pub(crate) async fn plain() -> Self {
        Self::start(None, None).await
    }

    /// With TLS, by a certificate authority that nobody knows yet.
    pub(crate) async fn tls() -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &Issuer::new(ca, ca_key))
            .unwrap();
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![certificate.der().clone()],
                    PrivateKeyDer::Pkcs8(key.serialize_der().into()),
                )
                .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, ca_certificate.pem()).unwrap();
        Self::start(Some(TlsAcceptor::from(Arc::new(config))), Some((folder, file))).await
    }

    async fn start(tls: Option<TlsAcceptor>, ca: Option<(TempDir, PathBuf)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { seen: Mutex::default(), changed: watch::Sender::new(()), tls });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, address, accepting, ca }
    }

    /// For `irc_url`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.ca.is_some() { "ircs" } else { "irc" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate authority to trust.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        self.ca.as_ref().map(|(_, file)| file.as_path())
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen()
    }

    /// Waits until `found` finds something in what was seen.
    pub(crate) async fn until<T>(&self, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        soon(what, async {
            loop {
                changed.borrow_and_update();
                if let Some(it) = found(&self.seen()) {
                    return it;
                }
                changed.changed().await.unwrap();
            }
        })
        .await
    }

    /// Waits until a channel is joined; the number of its connection.
    pub(crate) async fn joined(&self, channel: &str) -> usize {
        self.until(channel, |it| it.carrier(channel)).await
    }

    /// Writes bytes as they are on one connection, in one piece.
    pub(crate) fn send_on(&self, connection: usize, bytes: impl Into<Vec<u8>>) {
        // The other side may be gone; then nobody hears it, as with the real one.
        let _ = self.seen().connections[connection].out.send(Out::Bytes(bytes.into()));
    }

    /// Writes bytes as they are to whoever reads a channel, once somebody does.
    pub(crate) async fn send(&self, channel: &str, bytes: impl Into<Vec<u8>>) {
        let connection = self.joined(channel).await;
        self.send_on(connection, bytes);
    }

    /// Says something in a channel, once somebody reads it.
    pub(crate) async fn say(&self, channel: &str, id: &str, text: &str) {
        self.send(channel, privmsg(channel, id, "bo", text)).await;
    }

    /// Cuts one connection, behind whatever was written on it.
    pub(crate) fn cut(&self, connection: usize) {
        let _ = self.seen().connections[connection].out.send(Out::Drop);
    }

    /// Refuses every login from now on, with this NOTICE.
    /// Answers everything that is said with this notice.
    pub(crate) fn refuse_words(&self, notice: &str) {
        self.seen().refuse_words = Some(notice.to_owned());
    }

    /// Refuses logins with this notice.
    pub(crate) fn refuse_login(&self, notice: &str) {
        self.seen().refuse_login = Some(notice.to_owned());
    }

    /// Never answers a JOIN of this channel.
    pub(crate) fn ignore(&self, channel: &str) {
        self.seen().ignored.insert(channel.to_owned());
    }

    /// Keeps the answers to JOINs back from now on.
    pub(crate) fn hold_joins(&self) {
        self.seen().hold_joins = true;
    }

    /// Answers the JOINs of a connection that were kept back, with `more` right behind the answers.
    pub(crate) fn release_joins(&self, connection: usize, more: &str) {
        let mut seen = self.seen();
        seen.hold_joins = false;
        let connection = &mut seen.connections[connection];
        let nick = connection.nick.clone().unwrap();
        let mut answer = String::new();
        for channel in std::mem::take(&mut connection.pending) {
            answer.push_str(&script::join_answer(&nick, &channel));
            connection.joined.insert(channel);
        }
        answer.push_str(more);
        let _ = connection.out.send(Out::Bytes(answer.into_bytes()));
        drop(seen);
        self.shared.changed.send_replace(());
    }

    /// Answers nothing more, not even PING.
    pub(crate) fn fall_silent(&self) {
        self.seen().mute = true;
    }

    /// Answers again.
    pub(crate) fn speak_again(&self) {
        self.seen().mute = false;
    }

    /// Closes the listener and every connection.
    pub(crate) async fn go_away(&mut self) {
        self.accepting.abort();
        // Aborted: that is what was asked for.
        let _ = (&mut self.accepting).await;
        let count = self.seen().connections.len();
        (0..count).for_each(|it| self.cut(it));
        self.until("all cut", |it| it.connections.iter().all(|it| it.closed).then_some(())).await;
    }

    /// Listens again on the same port.
    pub(crate) async fn come_back(&mut self) -> Instant {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.accepting = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
        Instant::now()
    }
}

impl Drop for Twitch {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((tcp, _)) = listener.accept().await {
        tcp.set_nodelay(true).unwrap();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let stream: Box<dyn Stream> = match shared.tls.clone() {
                Some(tls) => match tls.accept(tcp).await {
                    Ok(stream) => Box::new(stream),
                    Err(_) => return,
                },
                None => Box::new(tcp),
            };
            serve(stream, &shared).await;
        });
    }
}

async fn serve(stream: Box<dyn Stream>, shared: &Shared) {
    let (reading, mut writing) = tokio::io::split(stream);
    let (out, mut outbox) = mpsc::unbounded_channel();
    let number = {
        let mut seen = shared.seen();
        seen.connections.push(Connection {
            nick: None,
            pass: None,
            joined: BTreeSet::new(),
            closed: false,
            out,
            pending: Vec::new(),
        });
        seen.connections.len() - 1
    };
    shared.changed.send_replace(());
    let write = async {
        while let Some(Out::Bytes(bytes)) = outbox.recv().await {
            writing.write_all(&bytes).await?;
            writing.flush().await?;
        }
        io::Result::Ok(())
    };
    // How it ends is the script's own doing.
    tokio::select! {
        _ = write => {}
        () = read(reading, number, shared) => {}
    }
    // Whatever waits behind a cut is never written.
    drop(writing);
    shared.seen().connections[number].closed = true;
    shared.changed.send_replace(());
}

async fn read(reading: ReadHalf<Box<dyn Stream>>, number: usize, shared: &Shared) {
    let mut lines = BufReader::new(reading).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let goodbye = {
            let mut seen = shared.seen();
            let (answer, goodbye) = script::answer(&mut seen, number, &line);
            // Written under the lock, so that what a test sends next comes behind it.
            let out = &seen.connections[number].out;
            if !answer.is_empty() {
                let _ = out.send(Out::Bytes(answer.into_bytes()));
            }
            if goodbye {
                let _ = out.send(Out::Drop);
            }
            goodbye
        };
        shared.changed.send_replace(());
        if goodbye {
            // The writer ends the connection, behind the answer.
            return std::future::pending().await;
        }
    }
}
