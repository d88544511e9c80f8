//! The thread that waits for the disk, so that no tick does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::disk::{Files, replace};
use crate::wall_clock::unix_seconds;

/// How reading and writing of the state went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StateStatus {
    /// Whether what was there at the start could be taken over, or there was nothing.
    pub loaded: bool,
    /// Whether the latest write succeeded; `None` before the first.
    pub written: Option<bool>,
    /// When a write last succeeded, seconds since the epoch.
    pub written_unix_seconds: Option<f64>,
    /// Size of the file as it was last written, bytes.
    pub bytes: u64,
    /// Bytes that were written since the start.
    pub bytes_total: u64,
}

/// Hands states over to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: SyncSender<Vec<u8>>,
    is_busy: Arc<AtomicBool>,
    status: Arc<ArcSwap<StateStatus>>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread; `interval` is what it tells of the next attempt.
    ///
    /// # Errors
    /// When the system gives us no thread.
    pub(super) fn new(files: Files, interval: Duration) -> io::Result<Writer> {
        let (jobs, work) = sync_channel(1);
        let status = Arc::new(ArcSwap::from_pointee(StateStatus::default()));
        let is_busy = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            files,
            interval,
            status: Arc::clone(&status),
            is_busy: Arc::clone(&is_busy),
            is_failing: false,
        };
        let thread = thread::Builder::new().name("state".to_string()).spawn(move || worker.run(&work))?;
        Ok(Writer { jobs, is_busy, status, thread })
    }

    /// Whether the last state that was handed over has been written.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_busy.load(Ordering::Acquire)
    }

    /// Hands a state over, unless the one before is still being written.
    pub(super) fn hand_over(&self, state: Vec<u8>) {
        self.is_busy.store(true, Ordering::Release);
        // There is room for one, and nobody else sends; without a thread there is nobody to write it.
        let _ = self.jobs.try_send(state);
    }

    #[cfg(test)]
    pub(super) fn pretend_to_be_busy(&self) {
        self.is_busy.store(true, Ordering::Release);
    }

    /// Hands over the last state and waits until it is written.
    pub(super) fn close(self, state: Vec<u8>) {
        let Writer { jobs, thread, .. } = self;
        let _ = jobs.send(state);
        drop(jobs);
        let _ = thread.join();
    }

    /// Takes note of how reading went.
    pub(super) fn note_loaded(&self, loaded: bool) {
        self.status.rcu(|status| StateStatus { loaded, ..**status });
    }

    /// Takes note that nothing can be written.
    pub(super) fn note_failure(&self) {
        self.status.rcu(|status| StateStatus { written: Some(false), ..**status });
    }

    /// Takes note that the next state waits for the one before, and says so once.
    pub(super) fn note_late(&self) {
        if self.status().written != Some(false) {
            tracing::error!("the disk takes longer for the state than there is between two of them");
            self.note_failure();
        }
    }

    /// How it goes.
    pub(super) fn status(&self) -> Arc<StateStatus> {
        self.status.load_full()
    }
}

struct Worker {
    files: Files,
    interval: Duration,
    status: Arc<ArcSwap<StateStatus>>,
    is_busy: Arc<AtomicBool>,
    /// Whether a failure has been logged from which there was no recovery.
    is_failing: bool,
}

impl Worker {
    fn run(mut self, work: &Receiver<Vec<u8>>) {
        for state in work {
            let result = replace(&self.files, &state);
            self.note(&result, state.len() as u64);
            drop(state);
            self.is_busy.store(false, Ordering::Release);
        }
    }

    fn note(&mut self, result: &io::Result<()>, bytes: u64) {
        let path = self.files.path().display();
        match result {
            Ok(()) if self.is_failing => tracing::info!(path = %path, bytes, "state is written again"),
            Ok(()) => tracing::debug!(path = %path, bytes, "state written"),
            Err(error) if !self.is_failing => {
                let next = humantime::format_duration(self.interval);
                tracing::error!(path = %path, %error, %next, "cannot write the state; the one before stays, and the next attempt comes");
            }
            Err(error) => tracing::debug!(path = %path, %error, "cannot write the state"),
        }
        self.is_failing = result.is_err();
        self.status.rcu(|status| {
            let before = **status;
            match result {
                Ok(()) => StateStatus {
                    written: Some(true),
                    written_unix_seconds: Some(unix_seconds()),
                    bytes,
                    bytes_total: before.bytes_total + bytes,
                    ..before
                },
                Err(_) => StateStatus { written: Some(false), ..before },
            }
        });
    }
}
