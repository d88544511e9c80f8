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

use disk::{Files, Lock};
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
    /// When the state was last handed over to be written, by CLOCK_BOOTTIME, and how large it was.
    handed_over: Option<(Duration, usize)>,
    /// That no other exporter writes the same file; `None` while one does, or there is no place to write.
    lock: Option<Lock>,
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
            tracing::error!(%error, "state is neither read nor written");
            writer.note_unusable();
        });
        let lock = lock.ok();
        Ok(Some(Keeper { interval: config.interval, boot_id, writer, files, handed_over: None, lock }))
    }

    /// What an earlier run remembered, as of `now`. `None` where there was none, or what there is can't be relied on: that is
    /// kept aside then, and the log says why.
    pub fn resume(&self, config: &SamplerConfig, now: Moment) -> Option<Resumed> {
        self.lock.as_ref()?;
        let path = self.files.path().display();
        let restored = self.files.read().map_err(Refusal::from).and_then(|bytes| {
            let Some(bytes) = bytes else { return Ok(None) };
            decode(&bytes, config, self.boot_id.as_deref()).map(Some).map_err(Refusal::from)
        });
        self.writer.note_loaded(restored.is_ok());
        match restored {
            Ok(Some(restored)) => Some(self.resumed(restored, now)),
            Ok(None) => {
                tracing::info!(path = %path, "no state yet; history begins now");
                None
            }
            Err(refusal) => {
                match self.files.keep_aside() {
                    Ok(aside) => {
                        let aside = aside.display();
                        tracing::error!(path = %path, error = %refusal, %aside, "state not restored; history begins now, and the file is kept aside");
                    }
                    Err(error) => {
                        tracing::error!(path = %path, error = %refusal, aside = %error, "state not restored; history begins now, and the file can't be kept aside");
                    }
                }
                None
            }
        }
    }

    fn resumed(&self, Restored { watchlist, origin, boot }: Restored, now: Moment) -> Resumed {
        let gap = origin.gap(boot, now);
        let is_same_boot = boot == Boot::Same;
        tracing::info!(
            path = %self.files.path().display(),
            lives = watchlist.len(),
            lineages = watchlist.lineages(),
            suspects = watchlist.suspects(),
            age = %duration(gap),
            is_same_boot,
            "state restored"
        );
        Resumed { watchlist, time: origin.time + gap * f64::from(origin.time_lapse) }
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
        let is_due = self.handed_over.is_none_or(|(last, bytes)| {
            let paced = Duration::from_secs_f64(bytes as f64 / PACE);
            now.boottime.saturating_sub(last) + interval >= self.interval.max(paced)
        });
        if is_due && self.writer.is_idle() && self.is_ours() {
            let bytes = self.encode(watchlist, config, now, time);
            self.handed_over = Some((now.boottime, bytes.len()));
            self.writer.hand_over(bytes);
        }
    }

    /// Whether we may write. What another exporter has left by the time that we may is kept aside.
    fn is_ours(&mut self) -> bool {
        if self.lock.is_none()
            && let Ok(lock) = self.files.lock()
        {
            tracing::info!(path = %self.files.path().display(), "state is written from now on");
            // There may be none.
            let _ = self.files.keep_aside();
            self.lock = Some(lock);
        }
        self.lock.is_some()
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
