//! A disk in memory whose power can be cut, and that can refuse: for tests of all that is kept.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use super::{Backend, BackendIoError};

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Resize(usize),
}

#[derive(Debug, Default)]
struct State {
    /// What the program sees.
    image: Vec<u8>,
    /// What was flushed.
    durable: Vec<u8>,
    /// What was changed since, in order.
    pending: Vec<Change>,
    operations: u64,
    cut_after: Option<u64>,
    refusal: Option<io::ErrorKind>,
}

/// The disk. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Changes and flushes so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Fails everything behind so many changes and flushes.
    pub(crate) fn cut_after(&self, operations: u64) {
        self.state().cut_after = Some(operations);
    }

    /// Fails every change and flush from now on, or no more.
    pub(crate) fn refuse(&self, refusal: Option<io::ErrorKind>) {
        self.state().refusal = refusal;
    }

    /// What is there when the power comes back: all that was flushed, and of the rest any part, in any order,
    /// torn anywhere.
    pub(crate) fn after_power_cut(&self, luck: u64) -> Self {
        let state = self.state();
        let mut luck = StdRng::seed_from_u64(luck);
        let mut image = state.durable.clone();
        let mut pending = state.pending.clone();
        pending.shuffle(&mut luck);
        for change in pending {
            match change {
                _ if luck.random_bool(0.4) => {}
                Change::Write(at, mut bytes) => {
                    if luck.random_bool(0.3) {
                        bytes.truncate(luck.random_range(0..=bytes.len()));
                    }
                    if image.len() < at + bytes.len() {
                        image.resize(at + bytes.len(), 0);
                    }
                    image[at..at + bytes.len()].copy_from_slice(&bytes);
                }
                Change::Resize(len) if len > image.len() => image.resize(len, 0),
                Change::Resize(_) => {}
            }
        }
        let durable = image.clone();
        Self(Arc::new(Mutex::new(State { image, durable, ..State::default() })))
    }
}

impl State {
    fn operate(&mut self) -> Result<(), io::Error> {
        if self.cut_after.is_some_and(|it| self.operations >= it) {
            return Err(io::Error::other("the power is gone"));
        }
        if let Some(kind) = self.refusal {
            return Err(kind.into());
        }
        self.operations += 1;
        Ok(())
    }
}

impl Backend for Disk {
    fn len(&self) -> Result<u64, BackendIoError> {
        Ok(self.state().image.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), BackendIoError> {
        let state = self.state();
        let at = offset as usize;
        let from = state.image.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(from);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), BackendIoError> {
        let mut state = self.state();
        state.operate()?;
        state.image.resize(len as usize, 0);
        state.pending.push(Change::Resize(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), BackendIoError> {
        let mut state = self.state();
        state.operate()?;
        state.durable = state.image.clone();
        state.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), BackendIoError> {
        let mut state = self.state();
        state.operate()?;
        let at = offset as usize;
        if state.image.len() < at + data.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        state.image[at..at + data.len()].copy_from_slice(data);
        state.pending.push(Change::Write(at, data.to_vec()));
        Ok(())
    }
}
