//! Floors of one life at widths that double: a week in the space of a few hundred numbers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::is_number;
use super::ring::{BLOCKS, Block, Ring};

/// Seconds in an hour.
pub const HOUR: f64 = 3600.0;

/// Widths of blocks, from 1.76 s (a window of 32 spans one minute) to 8 h (a window spans ten days). Fixed on the
/// wall clock, so that what is seen does not depend on the sampling interval beyond what the data can carry.
pub const RUNGS: usize = 15;

/// The rung whose blocks are an hour long.
pub const HOURLY: usize = 11;

/// Width in seconds of a block on `rung`.
pub const fn width(rung: usize) -> f64 {
    const FINEST: f64 = HOUR / (1_u64 << HOURLY) as f64;
    FINEST * (1_u64 << rung) as f64
}

/// Blocks narrower than this many sampling intervals would often be empty.
const SAMPLES_A_BLOCK: f64 = 1.75;

/// The finest rung that samples every `interval` seconds can fill.
pub fn finest_rung(interval: f64) -> usize {
    (0..RUNGS).find(|&rung| width(rung) >= SAMPLES_A_BLOCK * interval).unwrap_or(RUNGS - 1)
}

/// Rungs on which a block was completed; bit `k` stands for rung `k`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed(u16);

impl Closed {
    /// Whether a block of `rung` was completed.
    pub fn contains(self, rung: usize) -> bool {
        self.0 >> rung & 1 == 1
    }

    /// Blocks of every rung.
    pub fn all() -> Closed {
        Closed((1 << RUNGS) - 1)
    }

    /// Adds what was completed meanwhile.
    pub fn merge(&mut self, other: Closed) {
        self.0 |= other.0;
    }

    fn insert(&mut self, rung: usize) {
        self.0 |= 1 << rung;
    }
}

/// Completed blocks of every rung, shared with whoever keeps a clone. A chain from the finest rung to the coarsest:
/// where a block closes, blocks of all finer rungs close with it, so that exactly what changes is copied, and one
/// reference count shares all that does not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "FinestFirst", from = "FinestFirst")]
pub struct Rings {
    finest: usize,
    chain: Option<Arc<Link>>,
}

#[derive(Clone, Debug, Default)]
struct Link {
    ring: Option<Ring>,
    coarser: Option<Arc<Link>>,
}

/// The finest rung of a chain, and the ring of that rung and of each above it: as it is written down.
type FinestFirst = (usize, Vec<Option<Ring>>);

impl From<Rings> for FinestFirst {
    fn from(rings: Rings) -> FinestFirst {
        (rings.finest, rings.links().map(|link| link.ring.clone()).collect())
    }
}

impl From<FinestFirst> for Rings {
    fn from((finest, rings): FinestFirst) -> Rings {
        let link = |coarser, ring| Some(Arc::new(Link { ring, coarser }));
        Rings { finest, chain: rings.into_iter().rev().fold(None, link) }
    }
}

impl Rings {
    /// The completed blocks of `rung`.
    pub fn get(&self, rung: usize) -> Option<&Ring> {
        self.links().nth(rung.checked_sub(self.finest)?)?.ring.as_ref()
    }

    /// Every rung that has completed blocks, finest first.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Ring)> {
        (self.finest..).zip(self.links()).filter_map(|(rung, link)| Some((rung, link.ring.as_ref()?)))
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        std::iter::successors(self.chain.as_deref(), |link| link.coarser.as_deref())
    }

    /// Whether they are such as blocks can have made.
    fn is_sound(&self) -> bool {
        self.links().count() <= RUNGS - self.finest
            && self.iter().all(|(rung, ring)| rung < RUNGS && ring.is_sound())
    }

    /// Adds a block to the ring `at` rungs above the finest.
    fn push(&mut self, at: usize, number: i64, block: Block) {
        let mut link = Arc::make_mut(self.chain.get_or_insert_default());
        for _ in 0..at {
            link = Arc::make_mut(link.coarser.get_or_insert_default());
        }
        match &mut link.ring {
            Some(ring) => ring.push(number, block),
            empty => *empty = Some(Ring::new(number, block)),
        }
    }
}

/// Block floors of one life on every rung from the finest that its samples can fill. Adding a sample costs the
/// same however long the history: two blocks make the one above.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ladder {
    finest: usize,
    open: OpenBlocks,
    closed: Rings,
}

/// The open block of each rung from the finest upwards, as far as any is open, with its number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Vec<Option<Numbered>>", from = "Vec<Option<Numbered>>")]
struct OpenBlocks {
    /// Bit `k` is set while a block is open `k` rungs above the finest.
    present: u16,
    /// Where none is open, the one that was.
    blocks: Vec<Numbered>,
}

/// A block, after its number.
type Numbered = (i64, Block);

impl From<OpenBlocks> for Vec<Option<Numbered>> {
    fn from(open: OpenBlocks) -> Vec<Option<Numbered>> {
        (0..open.blocks.len()).map(|at| open.get(at)).collect()
    }
}

impl From<Vec<Option<Numbered>>> for OpenBlocks {
    fn from(blocks: Vec<Option<Numbered>>) -> OpenBlocks {
        let present = blocks.iter().enumerate().filter(|(_, block)| block.is_some());
        OpenBlocks {
            present: present.fold(0, |present, (at, _)| present | bit(at)),
            blocks: blocks.into_iter().map(Option::unwrap_or_default).collect(),
        }
    }
}

impl OpenBlocks {
    fn get(&self, at: usize) -> Option<Numbered> {
        if self.present & bit(at) == 0 { None } else { self.blocks.get(at).copied() }
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Numbered> {
        if self.present & bit(at) == 0 { None } else { self.blocks.get_mut(at) }
    }

    fn open(&mut self, at: usize, block: Numbered) {
        if self.blocks.len() <= at {
            self.blocks.reserve_exact(at + 1 - self.blocks.len());
            self.blocks.resize(at + 1, block);
        }
        self.blocks[at] = block;
        self.present |= bit(at);
    }

    fn take(&mut self, at: usize) -> Option<Numbered> {
        let block = self.get(at)?;
        self.present &= !bit(at);
        Some(block)
    }

    /// Takes away the finest rung, and what is open on it.
    fn take_finest(&mut self) -> Option<Numbered> {
        let block = self.take(0);
        if !self.blocks.is_empty() {
            self.blocks.remove(0);
        }
        self.present >>= 1;
        block
    }
}

/// None for what is no rung.
fn bit(at: usize) -> u16 {
    u32::try_from(at).ok().and_then(|at| 1_u16.checked_shl(at)).unwrap_or(0)
}

impl Ladder {
    /// An empty ladder for samples that come every `interval` seconds.
    pub fn new(interval: f64) -> Ladder {
        Ladder::with_finest(finest_rung(interval))
    }

    /// An empty ladder from the rung `finest` upwards.
    pub fn with_finest(finest: usize) -> Ladder {
        Ladder { finest, open: OpenBlocks::default(), closed: Rings { finest, chain: None } }
    }

    /// Whether it is one that samples can have made.
    pub(super) fn is_sound(&self) -> bool {
        self.finest < RUNGS
            && self.closed.finest == self.finest
            && self.closed.is_sound()
            && self.open.blocks.len() <= RUNGS - self.finest
            && self.open.blocks.iter().all(|(number, _)| is_number(*number))
    }

    /// Forgets the blocks below the rung `finest`: samples that come more rarely than they did leave most of them empty.
    pub fn coarsen(&mut self, finest: usize) {
        while self.finest < finest.min(RUNGS - 1) {
            self.finest += 1;
            let coarser = self.closed.chain.as_ref().and_then(|link| link.coarser.clone());
            self.closed = Rings { finest: self.finest, chain: coarser };
            if let Some((number, block)) = self.open.take_finest()
                && self.open.get(0).is_none()
            {
                self.open.open(0, (number.div_euclid(2), block));
            }
        }
    }

    /// The finest rung in use.
    pub fn finest(&self) -> usize {
        self.finest
    }

    /// Adds a sample of `bytes` at `time` seconds and says which rungs completed a block by it.
    pub fn push(&mut self, time: f64, bytes: f32) -> Closed {
        let number = (time / width(self.finest)).floor() as i64;
        let mut closed = Closed::default();
        let sample = Block { low: bytes, high: bytes };
        match self.open.get_mut(0) {
            Some((open, block)) if number <= *open => block.low = block.low.min(bytes),
            Some(open) => {
                let (finished, Block { low, .. }) = std::mem::replace(open, (number, sample));
                self.close(0, finished, Block { low, high: low }, &mut closed);
            }
            None => self.open.open(0, (number, sample)),
        }
        closed
    }

    /// The open block of the finest rung, with its number.
    pub(super) fn open(&self) -> Option<(i64, Block)> {
        self.open.get(0)
    }

    /// The completed blocks of `rung`.
    pub fn ring(&self, rung: usize) -> Option<&Ring> {
        self.closed.get(rung)
    }

    /// All completed blocks. They stay as they are, whatever is pushed later.
    pub fn rings(&self) -> &Rings {
        &self.closed
    }

    fn close(&mut self, at: usize, number: i64, block: Block, closed: &mut Closed) {
        self.closed.push(at, number, block);
        closed.insert(self.finest + at);
        self.raise(at, number, block.low, closed);
        self.merge_up(at + 1, number.div_euclid(2), block, number.rem_euclid(2) == 1, closed);
    }

    /// A block's floor is an eighth of the block three rungs up; the finest rung stands in for rungs that are missing.
    fn raise(&mut self, at: usize, number: i64, low: f32, closed: &mut Closed) {
        let first = if at == 0 { 1 } else { 3 };
        for up in first..=3 {
            self.open_at(at + up, number.div_euclid(1 << up), low, closed);
        }
    }

    /// Makes sure that block `number` is the open one at `at`, with `high` no lower than `low`.
    fn open_at(&mut self, at: usize, number: i64, low: f32, closed: &mut Closed) {
        if self.finest + at >= RUNGS {
            return;
        }
        let begun = (number, Block { low, high: low });
        match self.open.get_mut(at) {
            Some(open) if open.0 < number => {
                let (number, block) = std::mem::replace(open, begun);
                self.close(at, number, block, closed);
            }
            Some((_, block)) => block.high = block.high.max(low),
            None => self.open.open(at, begun),
        }
    }

    fn merge_up(&mut self, at: usize, number: i64, child: Block, complete: bool, closed: &mut Closed) {
        let Some((_, block)) = self.open.get_mut(at).filter(|(open, _)| *open == number) else {
            return;
        };
        block.low = block.low.min(child.low);
        if complete && let Some((_, done)) = self.open.take(at) {
            self.close(at, number, done, closed);
        }
    }
}

/// Seconds that a full ring of `rung` spans.
pub fn span(rung: usize) -> f64 {
    width(rung) * BLOCKS as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a block must hold, from the samples themselves.
    fn expected(samples: &[(f64, f32)], finest: usize, rung: usize, number: i64) -> Option<Block> {
        let inside = |width: f64, number: i64| {
            let span = number as f64 * width..(number + 1) as f64 * width;
            samples
                .iter()
                .filter(move |(time, _)| span.contains(time))
                .map(|&(_, bytes)| bytes)
                .reduce(f32::min)
        };
        let finer = rung.saturating_sub(3).max(finest);
        let parts = 1_i64 << (rung - finer);
        let eighths = (0..parts).filter_map(|part| inside(width(finer), number * parts + part));
        Some(Block { low: inside(width(rung), number)?, high: eighths.reduce(f32::max)? })
    }

    proptest! {
        #[test]
        fn every_block_holds_what_its_samples_say(
            steps in prop::collection::vec((0.0_f64..40.0, 0_u32..1000), 1..400),
            jump in 0.0_f64..1e5,
            start in -1e4_f64..1e9,
        ) {
            let mut ladder = Ladder::new(4.0);
            let mut samples = Vec::new();
            let mut time = start;
            for (count, (step, bytes)) in steps.iter().enumerate() {
                time += step + if count == steps.len() / 2 { jump } else { 0.0 };
                samples.push((time, *bytes as f32));
                ladder.push(time, *bytes as f32);
            }
            for rung in ladder.finest()..RUNGS {
                let Some(ring) = ladder.ring(rung) else { continue };
                for (number, block) in ring.iter() {
                    let Block { low, high } = expected(&samples, ladder.finest(), rung, number).unwrap();
                    prop_assert_eq!(block.low, low, "rung {} block {}", rung, number);
                    prop_assert!((block.high - high).abs() <= (high - low) / 128.0, "{:?} {}", block, high);
                }
            }
        }
    }

    #[test]
    fn a_rung_closes_with_the_sample_after_its_last() {
        let mut ladder = Ladder::new(15.0);
        assert_eq!(ladder.finest(), 4);
        let closings: usize =
            (0..2000).filter(|tick| ladder.push(f64::from(*tick) * 15.0, 1.0).contains(6)).count();
        assert_eq!(closings, (2000.0 * 15.0 / width(6)) as usize);
    }

    #[test]
    fn what_is_coarsened_goes_on_as_if_it_had_been_coarse_all_along() {
        let finest = finest_rung(60.0);
        let bytes = |second: u32| f32::from(second as u16 % 977);
        for minutes in [1_u32, 2, 3, 61, 300, 1999] {
            let (mut fine, mut coarse) = (Ladder::new(15.0), Ladder::with_finest(finest));
            for second in (0..minutes * 60).step_by(15) {
                fine.push(f64::from(second), bytes(second));
                coarse.push(f64::from(second), bytes(second));
            }
            fine.coarsen(finest);
            assert!(fine.finest() == finest && fine.is_sound());
            for second in (minutes * 60..(minutes + 1000) * 60).step_by(60) {
                fine.push(f64::from(second), bytes(second));
                coarse.push(f64::from(second), bytes(second));
            }
            for rung in finest..RUNGS {
                let lows = |ladder: &Ladder| -> Option<Vec<(i64, f32)>> {
                    Some(ladder.ring(rung)?.iter().map(|(number, block)| (number, block.low)).collect())
                };
                assert_eq!(lows(&fine), lows(&coarse), "rung {rung} after {minutes} min");
            }
        }
    }

    #[test]
    fn time_running_backwards_counts_for_the_open_block() {
        let mut ladder = Ladder::new(1.0);
        ladder.push(100.0, 5.0);
        ladder.push(50.0, 3.0);
        ladder.push(200.0, 9.0);
        let ring = ladder.ring(ladder.finest()).unwrap();
        assert_eq!(ring.iter().map(|(_, block)| block.low).collect::<Vec<_>>(), [3.0]);
    }

    #[test]
    fn what_was_shared_stays_as_it_was_and_only_what_changes_is_copied() {
        let mut ladder = Ladder::new(1.0);
        for second in 0..100 {
            ladder.push(f64::from(second), 1.0);
        }
        let shared = ladder.rings().clone();
        let before: Vec<_> = shared.iter().map(|(rung, ring)| (rung, ring.newest())).collect();
        let closed = ladder.push(101.0, 2.0);
        assert!(closed.contains(0) && !closed.contains(3));
        assert_eq!(shared.iter().map(|(rung, ring)| (rung, ring.newest())).collect::<Vec<_>>(), before);
        let is_shared = |rung| std::ptr::eq(shared.get(rung).unwrap(), ladder.ring(rung).unwrap());
        assert!(!is_shared(0) && is_shared(3));
    }

    #[test]
    fn widths_span_a_minute_to_ten_days() {
        assert_eq!(span(0), 56.25);
        assert_eq!(span(RUNGS - 1), 32.0 * 8.0 * HOUR);
        assert_eq!(finest_rung(1.0), 0);
        assert_eq!(finest_rung(1e9), RUNGS - 1);
    }
}
