//! Views of a history: the floors of one rung, and what came before them.

use std::iter;

use crate::history::{BLOCKS, Block, History, RUNGS, width};

use super::stats::median;

/// The latest floors of one rung, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    /// Width of a block, seconds.
    pub(super) width: f64,
    /// When the first block begins, seconds.
    pub(super) start: f64,
    /// Bytes; gaps are `None`, and so is what was before the life began.
    pub(super) floors: Vec<Option<f64>>,
}

impl Window {
    /// The last `blocks` floors of `rung`; `None` while that rung has none.
    pub(super) fn of(history: &History, rung: usize, blocks: usize) -> Option<Window> {
        let ring = history.ladder().ring(rung)?;
        let mut floors = vec![None; blocks.min(BLOCKS)];
        let (width, first) = (width(rung), ring.newest() - floors.len() as i64 + 1);
        for (number, block) in ring.iter().filter(|(number, _)| is_whole(history, *number as f64 * width)) {
            if let Some(floor) = usize::try_from(number - first).ok().and_then(|place| floors.get_mut(place))
            {
                *floor = Some(f64::from(block.low));
            }
        }
        Some(Window { width, start: first as f64 * width, floors })
    }

    /// Number of the last block.
    pub(super) fn newest(&self) -> i64 {
        (self.start / self.width).round() as i64 + self.floors.len() as i64 - 1
    }

    /// How many floors are known.
    pub(super) fn known(&self) -> usize {
        self.floors.iter().flatten().count()
    }

    /// Whether any of the last `count` floors is known.
    pub(super) fn is_current(&self, count: usize) -> bool {
        self.floors.iter().rev().take(count).any(Option::is_some)
    }

    /// Median of the last three floors.
    pub(super) fn end(&self) -> Option<f64> {
        let mut last = [0.0; 3];
        let known = self.floors.iter().rev().take(3).flatten();
        let count = last.iter_mut().zip(known).map(|(place, floor)| *place = *floor).count();
        median(&last[..count])
    }

    /// Median of all floors.
    pub(super) fn level(&self) -> Option<f64> {
        median(&self.floors.iter().flatten().copied().collect::<Vec<_>>())
    }

    /// Lowest and highest floor.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        let known = self.floors.iter().flatten().map(|&floor| (floor, floor));
        // No floor is not a number, so that there is nothing more to compare.
        known.reduce(|(low, high), (floor, _)| {
            (if floor < low { floor } else { low }, if floor > high { floor } else { high })
        })
    }

    /// Floors with gaps closed by the floor before, or the first one at the beginning.
    pub(super) fn filled(&self) -> Option<Vec<f64>> {
        let mut last = *self.floors.iter().flatten().next()?;
        Some(
            self.floors
                .iter()
                .map(|floor| *floor.as_ref().inspect(|floor| last = **floor).unwrap_or(&last))
                .collect(),
        )
    }
}

/// Whether a block that starts at `start` lies inside the life: one that began before it saw only a part.
fn is_whole(history: &History, start: f64) -> bool {
    start >= history.began() - 1.0
}

/// The lowest value from each place to the end: growth that was never given back.
pub(super) fn never_given_back(floors: &[Option<f64>]) -> Vec<f64> {
    let mut kept: Vec<f64> = floors.iter().map(|floor| floor.unwrap_or(f64::INFINITY)).collect();
    keep(&mut kept);
    kept
}

/// Lowers each of `floors` to the lowest that follows.
pub(super) fn keep(floors: &mut [f64]) {
    let mut lowest = f64::INFINITY;
    for floor in floors.iter_mut().rev() {
        lowest = lowest.min(*floor);
        *floor = lowest;
    }
}

/// Start-up is left out of what counts as given back: this share of the life.
const START_UP: f64 = 0.03;

/// Rungs above a window whose rings tell of the time before it.
const COARSER: usize = 3;

/// What happened before a window, or before growth began inside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Past {
    /// Highest floor, bytes; `None` without a past.
    pub(super) highest: Option<f64>,
    /// Largest fall of the floor from an earlier height, bytes.
    pub(super) given_back: f64,
}

impl Past {
    /// Looks at the first `until` floors of `window` and, for the time before it, at two coarser rings.
    pub(super) fn of(
        history: &History,
        rung: usize,
        window_start: f64,
        floors: &[f64],
        until: usize,
    ) -> Past {
        let settled = history.began() + START_UP * history.age();
        let mut past = Past { highest: floors[..until].iter().copied().reduce(f64::max), given_back: 0.0 };
        let inside = floors
            .iter()
            .enumerate()
            .map(|(place, &floor)| (window_start + place as f64 * width(rung), floor, floor));
        past.give_back(inside, settled);
        let coarse = (rung + COARSER).min(RUNGS - 1);
        for coarse in iter::once(coarse).chain((coarse < RUNGS - 1).then_some(RUNGS - 1)) {
            let Some(ring) = history.ladder().ring(coarse) else {
                continue;
            };
            let before = |(number, block): (i64, Block)| {
                let start = number as f64 * width(coarse);
                let inside = is_whole(history, start) && start + width(coarse) <= window_start;
                inside.then_some((start, f64::from(block.low), f64::from(block.high)))
            };
            let high = past.give_back(ring.iter().filter_map(before), settled);
            past.highest = [past.highest, high].into_iter().flatten().reduce(f64::max);
        }
        past
    }

    /// Takes in `(time, low, high)` in order of time, and gives the highest of them.
    fn give_back(&mut self, blocks: impl Iterator<Item = (f64, f64, f64)>, settled: f64) -> Option<f64> {
        let mut peak = f64::NEG_INFINITY;
        for (time, low, high) in blocks {
            // Within one block a rise looks like a fall: what was high before it counts.
            if time > settled {
                self.given_back = self.given_back.max(peak - low);
            }
            peak = peak.max(high);
        }
        Some(peak).filter(|peak| *peak > f64::NEG_INFINITY)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sample::Memory;

    /// A life sampled every minute, of which `bytes` tells the memory at each hour.
    pub(in crate::detector) fn life(hours: f64, bytes: impl Fn(f64) -> f64) -> History {
        let mut history = History::new(0.0, 60.0);
        for minute in 0..=(hours * 60.0) as u32 {
            let time = f64::from(minute) * 60.0;
            history.push(time, bytes(time / 3600.0).max(0.0) as u64, &Memory::default());
        }
        history
    }

    #[test]
    fn the_past_knows_what_was_higher_and_what_was_given_back() {
        let history = life(60.0, |hour| if (20.0..24.0).contains(&hour) { 3e8 } else { 1e8 });
        let rung = 9;
        let window = Window::of(&history, rung, BLOCKS).unwrap();
        let past = Past::of(&history, rung, window.start, &window.filled().unwrap(), 0);
        assert!(past.highest.is_some_and(|highest| (highest - 3e8).abs() < 2e8 / 128.0), "{past:?}");
        assert!(past.given_back >= 1.9e8, "{past:?}");
    }

    #[test]
    fn gaps_are_closed_by_the_floor_before() {
        let window = Window { width: 1.0, start: 0.0, floors: vec![None, Some(1.0), None, Some(3.0), None] };
        assert_eq!(window.filled(), Some(vec![1.0, 1.0, 1.0, 3.0, 3.0]));
        assert_eq!(Window { floors: vec![None; 3], ..window }.filled(), None);
        assert_eq!(never_given_back(&[Some(1.0), None, Some(5.0), Some(2.0)]), [1.0, 2.0, 2.0, 2.0]);
    }
}
