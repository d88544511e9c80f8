//! What is remembered of one life: bounded, at many resolutions, without a clock of its own.

mod bfloat16;
mod composition;
mod hours;
mod ladder;
mod number;
mod quiet;
mod ring;
mod sealed;
mod time;

pub use bfloat16::Bfloat16;
pub use composition::Composition;
pub use hours::{Hours, WEEK};
pub use ladder::{Closed, HOUR, HOURLY, Ladder, RUNGS, Rings, finest_rung, span, width};
pub use number::Number;
pub use quiet::Quiet;
pub use ring::{BLOCKS, Block, Ring, slot};
pub use sealed::{Floors, Sealed};
pub use time::{is_number, is_time};

use sealed::Told;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sample::Memory;

/// Checkpoints of the composition are this many blocks of the finest rung apart.
const BLOCKS_A_CHECKPOINT: f64 = 4.0;

/// Everything that is remembered of one life of one entity. About 5.2 KiB after a week at 15 s.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// Time of the first sample, seconds.
    began: f64,
    /// Time of the last sample, seconds.
    latest: f64,
    ladder: Ladder,
    hours: Hours,
    composition: Arc<Composition>,
}

impl History {
    /// The history of a life first seen at `time`, with samples every `interval` seconds to come.
    pub fn new(time: f64, interval: f64) -> History {
        History {
            began: time,
            latest: time,
            ladder: Ladder::new(interval),
            hours: Hours::default(),
            composition: Arc::default(),
        }
    }

    fn with_finest(began: f64, finest: usize) -> History {
        History { ladder: Ladder::with_finest(finest), ..History::new(began, 0.0) }
    }

    /// Goes on with samples that fill no rung below `finest`.
    pub fn coarsen(&mut self, finest: usize) {
        self.ladder.coarsen(finest);
    }

    /// Adds a sample: `scored` bytes of the `memory` that was seen at `time` seconds.
    pub fn push(&mut self, time: f64, scored: u64, memory: &Memory) -> Closed {
        self.latest = self.latest.max(time);
        let due = self.composition.newest().is_none_or(|last| time - last >= self.checkpoint_spacing());
        if due {
            Arc::make_mut(&mut self.composition).push(time, memory);
        }
        let closed = self.ladder.push(time, scored as f32);
        if closed.contains(HOURLY)
            && let Some(ring) = self.ladder.ring(HOURLY)
        {
            // After a gap more than one may have been completed.
            let known = self.hours.newest().unwrap_or(i64::MIN);
            ring.iter()
                .filter(|(hour, _)| *hour > known)
                .for_each(|(hour, block)| self.hours.push(hour, block.low));
        }
        closed
    }

    /// Seconds between the first sample and the last.
    pub fn age(&self) -> f64 {
        self.latest - self.began
    }

    /// Time of the first sample, seconds.
    pub fn began(&self) -> f64 {
        self.began
    }

    /// Time of the last sample, seconds.
    pub fn latest(&self) -> f64 {
        self.latest
    }

    /// The latest floor, bytes.
    pub fn floor(&self) -> Option<f64> {
        let ring = self.ladder.ring(self.ladder.finest())?;
        ring.get(ring.newest()).map(|block| f64::from(block.low))
    }

    /// Floors at widths that double.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Floors by the hour.
    pub fn hours(&self) -> &Hours {
        &self.hours
    }

    /// Memory by kind, earlier.
    pub fn composition(&self) -> &Composition {
        &self.composition
    }

    /// Whether it is one that samples can have made. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        is_time(self.began)
            && is_time(self.latest)
            && self.began <= self.latest
            && self.ladder.is_sound()
            && self.hours.is_sound()
            && self.composition.is_sound()
    }

    /// What is complete by now and changes no more. Costs a small piece of memory and two reference counts, and later one copy
    /// of each ring in which a block closes.
    pub fn sealed(&self) -> Sealed {
        Sealed::from(Told {
            began: self.began,
            latest: self.latest,
            rings: self.ladder.rings().clone(),
            composition: Arc::clone(&self.composition),
        })
    }

    fn checkpoint_spacing(&self) -> f64 {
        BLOCKS_A_CHECKPOINT * width(self.ladder.finest())
    }
}
