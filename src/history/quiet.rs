//! The history of a life whose floor hardly moves. A few steps tell all that a ladder would, in a tenth of the space,
//! and a ladder is made from them as soon as anything happens or anybody wants to see one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BLOCKS, Block, Composition, History, Ladder, Number, RUNGS, is_time, width};
use crate::sample::Memory;

/// Most steps that are remembered.
const STEPS: usize = 24;

/// So many at most when a life falls quiet, or it would soon have to be woken.
const STEPS_AT_FIRST: usize = 12;

/// Samples that differ by no more than either belong to one step: bytes, and a share of the lowest. A quarter of what
/// is ever judged.
const BAND: (f32, f32) = (65_536.0, 0.001);

/// Floors that differ by no more than either are never judged: bytes, and a share of the lowest.
const QUIET: (f32, f32) = (400_000.0, 0.004);

/// Seconds after which a step is forgotten: as the coarsest ring does, when all of its blocks are newer.
const REMEMBERED: f64 = width(RUNGS - 1) * (BLOCKS + 1) as f64;

/// Checkpoints of the composition: seconds between them, and how far two neighbours are apart in age.
const CHECKPOINTS: (f64, f64) = (3600.0, 4.0);

/// Floors around one level, seen from `from` to `from + lasted` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    from: f64,
    lasted: f32,
    low: f32,
}

/// Everything that is remembered of a quiet life. At most 0.8 KiB. Shared with whoever keeps a clone, all but the time of
/// the last sample: where that is like those before, nothing else changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Quiet {
    latest: f64,
    past: Arc<Past>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Past {
    began: f64,
    finest: u8,
    /// Steps that are over, oldest first.
    steps: Box<[Step]>,
    /// Lowest and highest of them.
    floors: (f32, f32),
    /// When the present step began, seconds.
    from: f64,
    /// Lowest and highest sample of the present step.
    present: (f32, f32),
    composition: Composition,
    /// Time of the newest checkpoint of the composition, seconds.
    checkpoint: Option<Number>,
}

impl Quiet {
    /// What is remembered of `history`, if its floors have hardly moved for as long as it remembers. What it saw of
    /// the blocks in which the life began is left out: start-up is not judged either.
    pub fn of(history: &History) -> Option<Quiet> {
        let mut blocks = whole_blocks(history).into_iter();
        let (from, until, low) = blocks.next()?;
        let composition = history.composition.thinned(history.latest, CHECKPOINTS.1);
        let past = Past {
            began: history.began,
            finest: history.ladder.finest() as u8,
            steps: Box::default(),
            floors: (f32::INFINITY, f32::NEG_INFINITY),
            from,
            present: (low, low),
            checkpoint: composition.newest().map(Number::from),
            composition,
        };
        let mut quiet = Quiet { latest: until, past: Arc::new(past) };
        let fits = blocks.all(|(from, until, low)| quiet.take(from, until, low));
        (fits && quiet.past.steps.len() < STEPS_AT_FIRST).then_some(quiet)
    }

    /// Takes in a sample: `scored` bytes of the `memory` that was seen at `time` seconds. False, without having taken it,
    /// where that ends the quiet.
    pub fn push(&mut self, time: f64, scored: u64, memory: &Memory) -> bool {
        if time < self.latest || !self.take(time, time, scored as f32) {
            return false;
        }
        if self.past.checkpoint.is_none_or(|last| time - last.get() >= CHECKPOINTS.0) {
            let past = Arc::make_mut(&mut self.past);
            past.composition.push(time, memory);
            past.checkpoint = past.composition.newest().map(Number::from);
            past.composition = past.composition.thinned(time, CHECKPOINTS.1);
        }
        true
    }

    /// Goes on with samples that fill no rung below `finest`.
    pub fn coarsen(&mut self, finest: usize) {
        if self.finest() < finest {
            Arc::make_mut(&mut self.past).finest = finest as u8;
        }
    }

    /// The history in full. Every floor is within a quiet's band of what it was.
    pub fn wake(&self) -> History {
        let mut history = History::with_finest(self.past.began, self.finest());
        for step in self.steps() {
            self.replay(step, &mut history);
        }
        history.composition = Arc::new(self.past.composition.clone());
        history
    }

    /// Seconds between the first sample and the last.
    pub fn age(&self) -> f64 {
        self.latest - self.past.began
    }

    /// Time of the first sample, seconds.
    pub fn began(&self) -> f64 {
        self.past.began
    }

    /// Time of the last sample, seconds.
    pub fn latest(&self) -> f64 {
        self.latest
    }

    /// The finest rung that its samples can fill.
    pub fn finest(&self) -> usize {
        self.past.finest.into()
    }

    /// The latest floor, bytes.
    pub fn floor(&self) -> f64 {
        f64::from(self.past.present.0)
    }

    /// Whether the floor has been at one level throughout.
    pub fn is_flat(&self) -> bool {
        self.past.steps.is_empty()
    }

    /// Floors of the last `N` complete blocks of `rung`, oldest first, bytes; `None` for gaps.
    pub fn floors<const N: usize>(&self, rung: usize) -> [Option<f64>; N] {
        let width = width(rung);
        let first = (self.latest / width).floor() - N as f64;
        let mut floors = [None::<f64>; N];
        for step in self.steps() {
            let place = |time: f64| (time / width).floor() - first;
            let (from, to) =
                (place(step.from).max(0.0), place(step.from + f64::from(step.lasted)).min(N as f64 - 1.0));
            let low = f64::from(step.low);
            for place in from as i64..=to as i64 {
                if let Some(floor) = floors.get_mut(place as usize) {
                    *floor = Some(floor.map_or(low, |floor| floor.min(low)));
                }
            }
        }
        floors
    }

    /// Whether it is one that samples can have made. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        let Past { began, ref steps, ref composition, .. } = *self.past;
        let finest = self.finest();
        let is_past = |time: f64| is_time(time) && time <= self.latest;
        is_time(self.latest)
            && is_past(began)
            && finest < RUNGS
            && steps.len() < STEPS
            && self.steps().all(|step| {
                // Rounded up, when it ended.
                let until = self.latest + width(finest);
                is_past(step.from) && step.lasted >= 0.0 && step.from + f64::from(step.lasted) <= until
            })
            && composition.is_sound()
    }

    /// Memory by kind, earlier.
    pub fn composition(&self) -> &Composition {
        &self.past.composition
    }

    fn steps(&self) -> impl Iterator<Item = Step> {
        self.past.steps.iter().copied().chain([self.open()])
    }

    fn open(&self) -> Step {
        let Past { from, present: (low, _), .. } = *self.past;
        let lasted = (self.latest - from) as f32;
        // Rounded up, or the last sample could slip into the block before its own.
        let lasted = if f64::from(lasted) < self.latest - from { lasted.next_up() } else { lasted };
        Step { from, lasted, low }
    }

    /// Takes in what was seen from `from` to `until`.
    fn take(&mut self, from: f64, until: f64, bytes: f32) -> bool {
        let before = self.past.present;
        let present = (before.0.min(bytes), before.1.max(bytes));
        let goes_on =
            from - self.latest <= width(self.finest()) && present.1 - present.0 <= most(BAND, present.0);
        if goes_on && self.past.is_quiet(present.0) {
            self.latest = until;
            if present != before {
                Arc::make_mut(&mut self.past).present = present;
            }
            return true;
        }
        // What is older than anything that a ladder remembers must not end the quiet.
        let earliest = from - REMEMBERED;
        let kept = |step: &Step| step.from + f64::from(step.lasted) >= earliest;
        let mut steps: Vec<Step> = self.past.steps.iter().copied().filter(kept).collect();
        if !goes_on {
            steps.push(self.open());
        }
        let floors = steps.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), step| {
            (low.min(step.low), high.max(step.low))
        });
        let next = Past { floors, steps: steps.into(), ..Past::clone(&self.past) };
        let next = match goes_on {
            true => Past { present, ..next },
            false => Past { present: (bytes, bytes), from, ..next },
        };
        let is_quiet = next.is_quiet(next.present.0) && next.steps.len() < STEPS;
        if is_quiet {
            *self = Quiet { latest: until, past: Arc::new(next) };
        }
        is_quiet
    }

    /// Gives `history` no more samples of a step than it takes to fill every block of every ring.
    fn replay(&self, step: Step, history: &mut History) {
        let until = step.from + f64::from(step.lasted);
        let mut time = step.from.max(self.latest - REMEMBERED);
        while time < until {
            history.push(time, step.low as u64, &Memory::default());
            let spacing = self.spacing(self.latest - time);
            time = ((time / spacing).floor() + 1.0) * spacing;
        }
        history.push(until.min(self.latest), step.low as u64, &Memory::default());
    }

    /// Seconds between samples that fill eighths of the blocks of all rings that reach back for `age` seconds.
    fn spacing(&self, age: f64) -> f64 {
        let reaches = |rung: &usize| age <= width(*rung) * (BLOCKS + 2) as f64;
        let rung = (self.finest()..RUNGS).find(reaches).unwrap_or(RUNGS - 1);
        width(rung.saturating_sub(3).max(self.finest()))
    }
}

impl Past {
    /// Whether all floors are still close together when the present one is `low`.
    fn is_quiet(&self, low: f32) -> bool {
        let (lowest, highest) = (self.floors.0.min(low), self.floors.1.max(low));
        highest - lowest <= most(QUIET, lowest) - most(BAND, lowest)
    }
}

/// The larger one of so many bytes and that share of `level`.
fn most((bytes, share): (f32, f32), level: f32) -> f32 {
    bytes.max(share * level)
}

/// Every block that lies inside the life, by the finest ring that remembers it, oldest first: when it begins, when it
/// ends, and its floor. The open block of the finest rung comes last.
fn whole_blocks(history: &History) -> Vec<(f64, f64, f32)> {
    let ladder = history.ladder();
    let mut found = Vec::new();
    // From fine to coarse, each up to where the finer one begins.
    let mut end = match ladder.open() {
        Some((number, block)) => {
            let from = (number as f64 * width(ladder.finest())).max(history.began);
            found.push((from, history.latest, block.low));
            from
        }
        None => history.latest,
    };
    for (rung, ring) in ladder.rings().iter() {
        let blocks: Vec<(i64, Block)> = ring.iter().collect();
        for (number, block) in blocks.into_iter().rev() {
            let (from, until) = (number as f64 * width(rung), (number + 1) as f64 * width(rung));
            if from < end && from >= history.began - 1.0 {
                // Short of the next block, in which nothing of this one was seen.
                found.push((from, until.min(end) - 0.25 * width(Ladder::finest(ladder)), block.low));
                end = from;
            }
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests;
