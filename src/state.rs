//! Where history survives a restart: one file, read once at the start and replaced as a whole now and then.
//!
//! What was promised holds for a restart, an upgrade, `kill -9` and loss of power: at most one interval is lost, and what
//! can't be relied on is kept aside and never believed. `format` says what is in the file, `disk` how it gets there, and
//! `writer` waits for that in place of the sampler.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{SamplerConfig, StateConfig};
use crate::human::duration;
use crate::sampler::Moment;
use crate::watch::{Boot, Watchlist};

mod disk;
mod format;
mod writer;

use disk::{Files, Lock, LockError};
use writer::Writer;

pub use disk::ReadError;
pub use format::{Flaw, Origin, Restored, decode, encode};
pub use writer::StateStatus;

/// Most that is written, bytes a second on average: 1 GiB a day. A larger file is written less often.
const PACE: f64 = (1_u64 << 30) as f64 / 86_400.0;

/// Keeps the state of one watchlist in a file.
#[derive(Debug)]
pub struct Keeper {
    interval: Duration,
    boot_id: Option<String>,
    writer: Writer,
    files: Files,
    /// When the state was last to be written, by CLOCK_BOOTTIME, and the bytes that it had.
    attempted: Option<(Duration, usize)>,
    /// That no other exporter writes the same file; `None` while one does, or there is no place to write.
    lock: Option<Lock>,
    /// What is in the file has not been taken over, and is to be kept aside before it is replaced.
    is_foreign: bool,
}

/// What was remembered, and the history's time now.
#[derive(Debug)]
pub struct Resumed {
    /// Lives and lineages.
    pub watchlist: Watchlist,
    /// Seconds.
    pub time: f64,
}

impl Keeper {
    /// Opens the file that `config` names; `boot_id` is that of the watched machine. `None` without a file. Where another exporter
    /// has it, or nobody can write there, the log says so, and the exporter works without until that has changed.
    ///
    /// # Errors
    /// When the system gives us no thread.
    pub fn open(config: &StateConfig, boot_id: Option<String>) -> io::Result<Option<Keeper>> {
        let Some(path) = &config.file else { return Ok(None) };
        let files = Files::new(path);
        let writer = Writer::new(files.clone(), config.interval)?;
        let lock = files.lock().inspect_err(|error| {
            tracing::error!(%error, "state is not written");
            writer.note_failure();
        });
        let is_foreign = matches!(lock, Err(LockError::Taken { .. }));
        let lock = lock.ok();
        Ok(Some(Keeper {
            interval: config.interval,
            boot_id,
            writer,
            files,
            attempted: None,
            lock,
            is_foreign,
        }))
    }

    /// What an earlier run remembered, as of `now`. `None` where there was none, another exporter goes on with it, or what there is
    /// can't be relied on: that is kept aside then, and the log says why.
    pub fn resume(&mut self, config: &SamplerConfig, now: Moment) -> Option<Resumed> {
        if self.is_foreign {
            return None;
        }
        let restored = self.files.read().map_err(Refusal::from).and_then(|bytes| {
            let Some(bytes) = bytes else { return Ok(None) };
            let restored = decode(&bytes, config, self.boot_id.as_deref(), now.boottime)?;
            Ok(Some((restored, bytes.len())))
        });
        self.writer.note_loaded(restored.is_ok());
        match restored {
            Ok(Some((restored, bytes))) => Some(self.resumed(restored, bytes, now)),
            Ok(None) => {
                tracing::info!(path = %self.files.path().display(), "no state yet; history begins now");
                None
            }
            Err(refusal) => {
                self.refuse(&refusal);
                None
            }
        }
    }

    fn refuse(&mut self, refusal: &Refusal) {
        let path = self.files.path().display();
        match self.files.keep_aside() {
            Ok(aside) => {
                let aside = aside.display();
                tracing::error!(path = %path, error = %refusal, %aside, "state not restored; history begins now, and the file is kept aside");
            }
            Err(error) => {
                tracing::error!(path = %path, error = %refusal, aside = %error, "state not restored; history begins now, and is not written while what is there can't be kept aside");
                self.is_foreign = true;
                self.writer.note_failure();
            }
        }
    }

    fn resumed(&mut self, restored: Restored, bytes: usize, now: Moment) -> Resumed {
        let Restored { watchlist, origin, boot } = restored;
        let is_same_boot = boot == Boot::Same;
        tracing::info!(
            path = %self.files.path().display(),
            lives = watchlist.len(),
            lineages = watchlist.lineages(),
            suspects = watchlist.suspects(),
            age = %duration(origin.gap(boot, now)),
            is_same_boot,
            "state restored"
        );
        // Whoever starts again and again writes no more than whoever stays.
        let written = Duration::try_from_secs_f64(origin.boottime).ok();
        self.attempted = written.filter(|_| is_same_boot).map(|written| (written, bytes));
        Resumed { watchlist, time: origin.time(boot, now) }
    }

    /// Hands `watchlist` over to be written, if that is due at `now`, the history's `time`, or would be before the next tick,
    /// which comes after `interval`.
    pub fn keep(
        &mut self,
        watchlist: &Watchlist,
        config: &SamplerConfig,
        now: Moment,
        time: f64,
        interval: Duration,
    ) {
        let is_due = self.attempted.is_none_or(|(last, bytes)| {
            let elapsed = now.boottime.saturating_sub(last);
            elapsed + interval >= self.interval && elapsed >= Duration::from_secs_f64(bytes as f64 / PACE)
        });
        if !is_due {
            return;
        }
        if !self.writer.is_idle() {
            return self.writer.note_late();
        }
        let is_ours = self.is_ours();
        let state = is_ours.then(|| self.encode(watchlist, config, now, time));
        self.attempted = Some((now.boottime, state.as_ref().map_or(0, Vec::len)));
        if let Some(state) = state {
            self.writer.hand_over(state);
        }
    }

    /// Whether we may write, and nothing is lost by it.
    fn is_ours(&mut self) -> bool {
        if self.lock.is_none() {
            self.lock = self.files.lock().ok();
        }
        if self.lock.is_some() && self.is_foreign {
            let aside = self.files.keep_aside();
            self.is_foreign = aside.is_err_and(|error| error.kind() != io::ErrorKind::NotFound);
        }
        self.lock.is_some() && !self.is_foreign
    }

    /// Writes `watchlist` a last time, and returns when that is done.
    pub fn close(mut self, watchlist: &Watchlist, config: &SamplerConfig, now: Moment, time: f64) {
        if self.is_ours() {
            let bytes = self.encode(watchlist, config, now, time);
            self.writer.close(bytes);
        }
    }

    /// How reading and writing went.
    pub fn status(&self) -> Arc<StateStatus> {
        self.writer.status()
    }

    fn encode(&self, watchlist: &Watchlist, config: &SamplerConfig, now: Moment, time: f64) -> Vec<u8> {
        let origin = Origin {
            exporter: env!("CARGO_PKG_VERSION").to_string(),
            boot_id: self.boot_id.clone(),
            boottime: now.boottime.as_secs_f64(),
            unix_seconds: now.unix_seconds,
            time,
            time_lapse: config.time_lapse,
        };
        format::encode(watchlist, &origin)
    }
}

/// Why a state was not taken over.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum Refusal {
    Read(#[from] ReadError),
    Flaw(#[from] Flaw),
}

#[cfg(test)]
mod tests;
