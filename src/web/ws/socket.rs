//! One open socket: how bytes leave it, how it catches up, and how it closes.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use socket2::SockRef;

use super::{
    CloseCode, Heartbeat,
    heartbeat::SILENCE_SECONDS,
    reader::{FrameReader, Request},
};
use crate::{
    chat::{
        frame::Frame,
        room::{Closed, Collected, Entrance, Room, Seat},
        shard::{Admission, Batch, Outlet, Sent, Shard},
    },
    web::{accept::Accepted, doors::Pass},
};

/// Bytes taken from the ring at once for a socket that is behind: what it pins in memory.
const CATCH_UP_BYTES: usize = 32 * 1024;
/// How long a client has to answer a close (s).
const GOODBYE_SECONDS: u32 = 5;
/// Events read from the log at once for a socket that is behind the ring (count).
const CATCH_UP_EVENTS: usize = 64;

/// An open socket. It has no queue: while it keeps up its shard writes to it directly, and while it does
/// not, it is a number, its place in the room's ring.
pub struct Socket {
    io: Accepted,
    room: Arc<Room>,
    shard: Arc<Shard>,
    pass: Pass,
    out: Mutex<Out>,
    gone: AtomicBool,
    closing: AtomicBool,
    /// When the client was last heard, in the heartbeat's seconds.
    heard: AtomicU32,
}

/// What has to leave before anything else may.
#[derive(Default)]
struct Out {
    /// The rest of what was begun.
    rest: Bytes,
    /// Control frames that wait behind it. Empty but for moments.
    control: Vec<u8>,
    /// Nothing follows what is above; the sending side is shut once it is out.
    closing: bool,
}

impl Socket {
    /// Greets the client, starts to catch it up, and gives the task that reads what it sends until it is
    /// gone. `early` is what it sent behind its handshake.
    ///
    /// Set up outside the task, because a task keeps for good whatever its future ever needs.
    pub fn serve(
        io: Accepted,
        early: &[u8],
        seat: Seat,
        pass: Pass,
        entrance: Entrance,
        heartbeat: Arc<Heartbeat>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let socket = Arc::new(Self {
            io,
            room: Arc::clone(seat.room()),
            shard: Arc::clone(&seat.shard),
            pass,
            out: Mutex::new(Out { rest: entrance.hello.wire().clone(), ..Out::default() }),
            gone: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            heard: AtomicU32::new(heartbeat.now()),
        });
        heartbeat.add(&socket);
        if socket.pass.has_ended() {
            // While it came in; the heartbeat knows it from now on only.
            socket.close(CloseCode::AccessRevoked);
        }
        socket.room.telemetry().meters.sockets.increment(1.0);
        // What was deleted before it came is no news: nothing has to overtake.
        let looked = socket.room.head();
        socket.room.life().spawn(Arc::clone(&socket).catch_up(entrance.position, looked));
        let mut reader = Box::<FrameReader>::default();
        let mut open = socket.take(early, &mut reader);
        async move {
            while open {
                open = match socket.io.stream.readable().await {
                    Ok(()) => socket.read(&mut reader, &heartbeat),
                    Err(_) => false,
                };
            }
            socket.leave();
            socket.room.telemetry().meters.sockets.decrement(1.0);
            drop(seat);
        }
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is there; `false` when the client is gone. The buffer lives on the stack of this call,
    /// so that an idle socket holds none.
    fn read(&self, reader: &mut FrameReader, heartbeat: &Heartbeat) -> bool {
        let mut buffer = [0; 2048];
        loop {
            match self.io.stream.try_read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    if !self.closing.load(Ordering::Acquire) {
                        self.heard.store(heartbeat.now(), Ordering::Relaxed);
                    }
                    if !self.take(&buffer[..count], reader) {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }

    /// Does what the client asks; `false` when nothing more is to be read.
    fn take(&self, bytes: &[u8], reader: &mut FrameReader) -> bool {
        let mut open = true;
        reader.feed(bytes, |request| match request {
            Request::Ping(payload) => {
                let mut pong = vec![0x8A, payload.len() as u8];
                pong.extend_from_slice(&payload);
                self.control(&pong, false);
            }
            Request::Close => {
                self.close(CloseCode::Normal);
                open = false;
            }
            // The client's answer is waited for: closing on unread bytes would lose our reason.
            Request::Refuse(code) => self.close(code),
        });
        open
    }

    /// Sends a control frame, behind whatever was begun.
    fn control(&self, frame: &[u8], closing: bool) {
        let mut out = self.out();
        // Bounds what a client that pings without reading can make us hold.
        if !out.closing && (closing || out.control.len() <= 1024) {
            out.control.extend_from_slice(frame);
            out.closing = closing;
        }
        // What does not leave now leaves with the next event, ping or catch-up.
        let _ = self.drain(&mut out);
    }

    /// Asks the client for a sign of life.
    pub fn ping(&self) {
        self.control(&[0x89, 0x00], false);
    }

    /// When the client was last heard, in the heartbeat's seconds.
    pub fn heard(&self) -> u32 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Whether what let it in has ended, and it is still to be told.
    pub fn is_revoked(&self) -> bool {
        self.pass.has_ended() && !self.closing.load(Ordering::Acquire)
    }

    /// Why nothing comes from its room any more, if so.
    pub fn orphaned(&self) -> Option<Closed> {
        self.room.closed()
    }

    /// Closes in order: the code goes out behind what was begun.
    pub fn close(&self, code: CloseCode) {
        self.control(&code.frame(), true);
        // The client has a few seconds to answer; whatever else it says no longer counts.
        self.closing.store(true, Ordering::Release);
        let expire = |heard: u32| Some(heard.saturating_sub(SILENCE_SECONDS - GOODBYE_SECONDS));
        // It always gives something, so it cannot fail.
        let _ = self.heard.fetch_update(Ordering::AcqRel, Ordering::Acquire, expire);
    }

    /// Cuts the connection.
    pub fn cut(&self) {
        self.gone.store(true, Ordering::Release);
        // Fails only when it is cut already.
        let _ = SockRef::from(&self.io.stream).shutdown(std::net::Shutdown::Both);
    }

    fn leave(&self) {
        self.cut();
        self.shard.sweep();
    }

    /// Writes what must leave first; `true` when nothing of it is left.
    fn drain(&self, out: &mut Out) -> io::Result<bool> {
        loop {
            if out.rest.is_empty() {
                // Taken whole: once begun, nothing may come between its bytes.
                out.rest = std::mem::take(&mut out.control).into();
            }
            if out.rest.is_empty() {
                if out.closing {
                    // The client answers the close and ends; should it not, the heartbeat cuts it.
                    let _ = SockRef::from(&self.io.stream).shutdown(std::net::Shutdown::Write);
                }
                return Ok(true);
            }
            match self.io.stream.try_write(&out.rest) {
                Ok(count) => out.rest = out.rest.slice(count..),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Begins to send `bytes`, unless something else was begun meanwhile.
    fn begin(&self, bytes: &Bytes) -> bool {
        let mut out = self.out();
        let free = out.rest.is_empty() && out.control.is_empty() && !out.closing;
        if free {
            out.rest = bytes.clone();
        }
        free
    }

    /// Sends `bytes` behind whatever was begun; `false` when nothing may follow any more.
    async fn send_behind(&self, bytes: Bytes) -> bool {
        while !self.begin(&bytes) {
            if !matches!(self.flushed().await, Ok(true)) {
                return false;
            }
        }
        matches!(self.flushed().await, Ok(true))
    }

    /// Follows the ring from `position` until it has come as far as its shard, then sits down there.
    ///
    /// `looked` is how far deletions have been looked for that should overtake what waits.
    async fn catch_up(self: Arc<Self>, mut position: u64, mut looked: u64) {
        if !matches!(self.flushed().await, Ok(true)) {
            return;
        }
        while !self.is_gone() {
            let mut bytes = Bytes::new();
            if self.room.head() > looked {
                let (early, upto) =
                    self.room.early_deletions(looked.max(position), &self.shard.filter);
                looked = upto;
                bytes = joined(early.iter().map(Frame::wire));
            }
            if bytes.is_empty() {
                let until = self.shard.position();
                match self.room.collect(position, Some(until), &self.shard.filter, CATCH_UP_BYTES) {
                    Collected::Batch(batch) => {
                        position = batch.position;
                        bytes = batch.bytes;
                    }
                    Collected::Nothing => {
                        match self.shard.admit(Arc::clone(&self) as Arc<dyn Outlet>, position) {
                            Admission::Seated | Admission::Closed => return,
                            Admission::At(ahead) if ahead > position => {}
                            Admission::At(_) => self.shard.reached(position).await,
                        }
                    }
                    Collected::Gone => match self.read_log(position).await {
                        Some((reached, stored)) => (position, bytes) = (reached, stored),
                        None => {
                            self.room.telemetry().meters.too_slow.increment(1);
                            self.close(CloseCode::TooSlow);
                            // Sees the close out, which may have to wait for what was begun.
                            let _ = self.flushed().await;
                            return;
                        }
                    },
                }
            }
            if !bytes.is_empty() && !self.send_behind(bytes).await {
                return;
            }
        }
    }

    /// Takes what the ring no longer holds from the log; `None` when the log does not have it either.
    async fn read_log(&self, position: u64) -> Option<(u64, Bytes)> {
        let (log, filter) = (self.room.log(), &self.shard.filter);
        let page = log.next(position, filter, CATCH_UP_EVENTS, CATCH_UP_BYTES).await.ok()?;
        let frames: Vec<_> = page.events.iter().map(|it| Frame::text(&it.json)).collect();
        Some((page.reached, joined(frames.iter().map(Frame::wire))))
    }

    /// Waits until everything that was begun has left; `false` when nothing may follow.
    async fn flushed(&self) -> io::Result<bool> {
        loop {
            {
                let mut out = self.out();
                if self.drain(&mut out)? {
                    return Ok(!out.closing && !self.is_gone());
                }
            }
            self.io.stream.writable().await?;
            if self.is_gone() {
                return Ok(false);
            }
        }
    }
}

impl Outlet for Socket {
    fn send(self: Arc<Self>, batch: &Batch) -> Sent {
        let mut out = self.out();
        if out.closing || self.is_gone() {
            return Sent::Left;
        }
        let written = if out.rest.is_empty() && out.control.is_empty() {
            match self.io.stream.try_write(&batch.bytes) {
                Ok(count) if count == batch.bytes.len() => return Sent::Whole,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(_) => {
                    drop(out);
                    self.cut();
                    return Sent::Left;
                }
            }
        } else {
            0
        };
        let (rest, position) = batch.remainder(written);
        if !rest.is_empty() {
            out.rest = rest;
        }
        drop(out);
        self.fall_behind(position);
        Sent::Left
    }

    fn fall_behind(self: Arc<Self>, position: u64) {
        let life = self.room.life().clone();
        self.room.telemetry().meters.lagged.increment(1);
        life.spawn(self.catch_up(position, position));
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

fn joined<'a>(frames: impl Iterator<Item = &'a Bytes>) -> Bytes {
    frames.flat_map(|it| it.iter().copied()).collect()
}
