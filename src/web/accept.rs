//! Accepts connections within limits and speaks HTTP/1.1 on them.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

use crate::{lifecycle::Lifecycle, telemetry::Meters};

/// Longest wait for a request's head, the first as well as the next on a kept connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for answers under way when the server stops.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Most bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;
/// Pause after the system refused to accept (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Address of the other end. "Local" is decided by this, never by a header.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The other end.
    pub remote: SocketAddr,
    /// This end.
    pub local: SocketAddr,
}

impl Peer {
    /// Whether the other end is on this machine.
    #[must_use]
    pub fn is_local(self) -> bool {
        // A machine reaches its own network address from that very address.
        let remote = self.remote.ip().to_canonical();
        remote.is_loopback() || remote == self.local.ip().to_canonical()
    }
}

/// Most connections at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of the whole server (count).
    pub connections: usize,
    /// Of one address (count); this machine's own is not limited.
    pub per_address: usize,
}

/// An accepted connection, counted for as long as it lives.
pub struct Accepted {
    /// The connection.
    pub stream: TcpStream,
    _counted: Counted,
}

impl Accepted {
    /// The same connection, known to the runtime anew.
    ///
    /// The runtime remembers which task last waited for the connection, and keeps that task's memory: of
    /// an upgraded connection that is the HTTP task, ended long ago and larger than an open socket.
    ///
    /// # Errors
    /// When the runtime cannot take it (too many open files).
    pub fn renewed(self) -> io::Result<Self> {
        let stream = TcpStream::from_std(self.stream.into_std()?)?;
        Ok(Self { stream, _counted: self._counted })
    }
}

struct Counted {
    counts: Arc<Counts>,
    address: IpAddr,
}

#[derive(Default)]
struct Counts {
    by_address: Mutex<(usize, HashMap<IpAddr, usize>)>,
}

impl Counts {
    fn enter(self: &Arc<Self>, address: IpAddr, limits: Limits) -> Option<Counted> {
        let address = address.to_canonical();
        let mut counts = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, by_address) = &mut *counts;
        let count = by_address.get(&address).copied().unwrap_or(0);
        if *total >= limits.connections || (count >= limits.per_address && !address.is_loopback()) {
            return None;
        }
        *total += 1;
        by_address.insert(address, count + 1);
        Some(Counted { counts: Arc::clone(self), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, by_address) = &mut *counts;
        *total -= 1;
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// Serves `router` on `listener` until the server stops.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    life: Lifecycle,
    meters: Arc<Meters>,
) {
    let counts = Arc::new(Counts::default());
    loop {
        let accepted = tokio::select! {
            () = life.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(it) => it,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(counted) = counts.enter(address.ip(), limits) else {
            meters.refused_connections.increment(1);
            continue;
        };
        // Small frames must leave at once. It fails only on a connection that is gone.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { continue };
        give_up_on_stalled(&stream);
        let accepted = Accepted { stream, _counted: counted };
        let peer = Peer { remote: address, local };
        life.spawn(connection(accepted, peer, router.clone(), life.clone()));
    }
}

/// Ends a connection whose client takes nothing for a minute, so that a stalled download or stream does not
/// stay for ever. Sockets have a heartbeat as well.
#[cfg(target_os = "linux")]
fn give_up_on_stalled(stream: &TcpStream) {
    // It fails only on a connection that is gone.
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(Duration::from_secs(60)));
}

/// Elsewhere the system's own patience decides.
#[cfg(not(target_os = "linux"))]
fn give_up_on_stalled(_: &TcpStream) {}

async fn connection(accepted: Accepted, peer: Peer, router: Router, life: Lifecycle) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(accepted), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // How a client leaves is its own affair: both endings are the same to us.
    let _ = tokio::select! {
        ended = connection.as_mut() => ended,
        () = life.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            // What is under way may end; a client that takes nothing is not waited for.
            match tokio::time::timeout(LAST_ANSWERS, connection).await {
                Ok(ended) => ended,
                Err(_) => Ok(()),
            }
        }
    };
}

impl AsyncRead for Accepted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
