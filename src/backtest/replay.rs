//! The recorded lives of one entity, one after another, through the code that runs live.

use std::sync::Arc;

use crate::detector::{Assessment, Clues, Lineage, Signs};
use crate::entity::Executable;
use crate::sample::{Kind, Memory};
use crate::watch::{Life, Observation, Succession};

/// One recorded sample. Times are seconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// When it was made.
    pub time: f64,
    /// Memory that a leak could live in, bytes.
    pub bytes: u64,
    /// The memory limit at that time, bytes.
    pub limit_bytes: Option<u64>,
    /// When the life began. Another one than before is a restart.
    pub start_time: Option<f64>,
    /// CPU time that the life has used since its start, seconds.
    pub cpu_seconds: Option<f64>,
    /// What was running.
    pub executable: Option<Executable>,
}

/// Judges one entity as it would have been judged live.
#[derive(Clone, Debug)]
pub struct Replay {
    interval: f64,
    threshold: f64,
    crowd: usize,
    current: Option<Current>,
    lineage: Succession,
    restarts: u64,
    latest: Option<Arc<Assessment>>,
}

#[derive(Clone, Debug)]
struct Current {
    life: Life,
    start_time: Option<f64>,
    executable: Option<Executable>,
}

impl Replay {
    /// A replay of samples that are usually `interval_seconds` apart. A score above `threshold` is a suspicion.
    pub fn new(interval_seconds: f64, threshold: f64) -> Replay {
        Replay {
            interval: interval_seconds,
            threshold,
            crowd: 1,
            current: None,
            lineage: Succession::default(),
            restarts: 0,
            latest: None,
        }
    }

    /// The same, judged as one of `crowd` entities on a host whose memory rises at times: among many, one is more likely
    /// to be called by mistake. It is judged alone otherwise.
    pub fn among(self, crowd: usize) -> Replay {
        Replay { crowd, ..self }
    }

    /// Whether its memory has risen at all within the last week of the recording.
    pub fn is_interesting(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.life.is_interesting())
    }

    /// Takes in the next row in order of time, and gives the new verdict when one falls due. Gaps are fine.
    pub fn push(&mut self, row: Row) -> Option<&Assessment> {
        let ended = self.current.take_if(|current| current.is_over(row.start_time));
        if let Some(ended) = &ended {
            self.retire(ended);
        }
        let Replay { interval, threshold, crowd, current, lineage, latest, .. } = self;
        let current = current.get_or_insert_with(|| {
            forget(lineage, row.time);
            Current::begin(&row, *interval, lineage.lineage())
        });
        current.start_time = row.start_time.or(current.start_time);
        current.executable = row.executable.or(current.executable);
        let memory = memory(&row);
        let seen = current.observation(&row, &memory, *threshold, *crowd);
        let is_due = current.life.observe(seen, lineage.lineage()).is_some();
        lineage.observe(&seen, &current.life, *interval, true);
        // Before a life has ended there is nothing to forget.
        if self.restarts > 0 {
            forget(lineage, row.time);
        }
        if !is_due {
            return None;
        }
        *latest = Some(Arc::clone(lineage.surer(&current.life)));
        latest.as_deref()
    }

    /// What the verdict after `row`, the last one, goes by where nothing is urgent: for those who fit it to series whose
    /// truth is known.
    pub fn clues(&self, row: &Row) -> Option<Clues> {
        let current = self.current.as_ref()?;
        let memory = memory(row);
        let seen = current.observation(row, &memory, self.threshold, self.crowd);
        current.life.clues(&seen, self.lineage.lineage())
    }

    /// The same of growth on the way to a limit that is near: a row for each window that shows any.
    pub fn signs(&self, row: &Row) -> Vec<Signs> {
        let Some(current) = self.current.as_ref() else { return Vec::new() };
        let memory = memory(row);
        let seen = current.observation(row, &memory, self.threshold, self.crowd);
        current.life.signs(&seen, self.lineage.lineage())
    }

    /// The latest verdict, of this life or of one before.
    pub fn latest(&self) -> Option<&Assessment> {
        self.latest.as_deref()
    }

    /// How often a life ended and another one began.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    fn retire(&mut self, ended: &Current) {
        self.restarts += 1;
        self.lineage.retire(&ended.life, ended.executable);
    }
}

impl Current {
    fn begin(row: &Row, interval: f64, lineage: &Lineage) -> Current {
        Current {
            life: Life::new(row.time, interval, lineage, row.executable),
            start_time: row.start_time,
            executable: row.executable,
        }
    }

    fn observation<'a>(
        &self,
        row: &Row,
        memory: &'a Memory,
        threshold: f64,
        crowd: usize,
    ) -> Observation<'a> {
        Observation {
            time: row.time,
            scored: row.bytes,
            memory,
            age: self.start_time.map(|start| (row.time - start).max(0.0)),
            cpu_seconds: row.cpu_seconds,
            room: row.limit_bytes.map(|limit| limit.saturating_sub(row.bytes)),
            threshold,
            crowd,
            executable: self.executable,
        }
    }

    /// Whether what started at `start_time` is another life. What is not said is no restart.
    fn is_over(&self, start_time: Option<f64>) -> bool {
        matches!((self.start_time, start_time), (Some(known), Some(new)) if known != new)
    }
}

/// A recording knows no kinds.
fn memory(row: &Row) -> Memory {
    Memory::default().with(Kind::Resident, Some(row.bytes))
}

/// As the live watchlist does after each tick.
fn forget(lineage: &mut Succession, time: f64) {
    if !lineage.is_remembered(time) {
        *lineage = Succession::default();
    }
}

#[cfg(test)]
mod tests;
