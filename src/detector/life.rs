//! How growth went on over the whole life.

use std::cell::OnceCell;

use crate::history::{BLOCKS, History, RUNGS, width};

use super::stats::median;
use super::window::never_given_back;

/// How growth went on over the whole life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Life {
    /// Growth of the last half against the quarter before it: linear 2, square root 1.41, logarithm 1, saturating
    /// below 1, late onset above 2. `None` where too little of the life is remembered.
    pub(super) halves: Option<f64>,
    /// Growth of the last quarter against the quarter before it: linear 1, logarithm 0.7.
    pub(super) quarters: Option<f64>,
}

/// A ratio above it says no more than "it began late".
const MOST_RATIO: f64 = 9.0;

/// The life of a history, looked at once and not before it is asked about.
pub(super) struct WholeLife<'a> {
    history: &'a History,
    seen: OnceCell<Life>,
}

impl<'a> WholeLife<'a> {
    pub(super) fn new(history: &'a History) -> WholeLife<'a> {
        WholeLife { history, seen: OnceCell::new() }
    }

    /// As of [`Life::of`].
    pub(super) fn get(&self) -> Life {
        *self.seen.get_or_init(|| Life::of(self.history))
    }
}

impl Life {
    /// Looks at the finest rung that still remembers the whole life.
    pub(super) fn of(history: &History) -> Life {
        let kept = without_jumps(&never_given_back(&life_floors(history)));
        let (count, eighth) = (kept.len(), (kept.len() / 8).max(1));
        let floor =
            |end: usize| kept.get(end.saturating_sub(eighth)).copied().filter(|floor| floor.is_finite());
        let ratio = |from: usize, middle: usize, end: usize| {
            let (from, middle, end) = (floor(from)?, floor(middle)?, floor(end)?);
            let late = end - middle;
            Some((late / (middle - from).max(0.02 * late.abs()).max(1.0)).min(MOST_RATIO))
        };
        Life {
            halves: if count >= 8 { ratio((count / 4).max(1), count / 2, count) } else { None },
            quarters: if count >= 16 { ratio(count / 2, 3 * count / 4, count) } else { None },
        }
    }
}

/// A rise in one block of more than so many times the usual one is a jump: a deploy, a reload, a table that doubled. It
/// says nothing about the shape of growth before and after.
const JUMP: f64 = 4.0;

/// The same monotonous growth with its jumps cut down to the usual rise.
fn without_jumps(kept: &[f64]) -> Vec<f64> {
    let steps = || kept.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| step.is_finite());
    let rises: Vec<f64> = steps().filter(|step| *step > 0.0).collect();
    let most = JUMP * median(&rises).unwrap_or(0.0);
    let mut level = kept.first().copied().unwrap_or(0.0);
    let mut out = Vec::with_capacity(kept.len());
    out.extend(kept.first());
    for pair in kept.windows(2) {
        let step = pair[1] - pair[0];
        level = if step.is_finite() { level + step.min(most) } else { f64::NAN };
        out.push(level);
    }
    out
}

/// The finest rung that remembers the whole life, or the coarsest.
pub(super) fn telling_rung(history: &History) -> usize {
    let holds = |rung: &usize| history.age() <= 0.98 * BLOCKS as f64 * width(*rung);
    (history.ladder().finest()..RUNGS).find(holds).unwrap_or(RUNGS - 1)
}

/// Floors of the whole life, from its first full block on, gaps included.
pub(super) fn life_floors(history: &History) -> Vec<Option<f64>> {
    let rung = telling_rung(history);
    let Some(ring) = history.ladder().ring(rung) else {
        return Vec::new();
    };
    let first = (history.began() / width(rung) - 1e-6).ceil() as i64;
    let end = (history.latest() / width(rung)).floor() as i64;
    let first = first.max(end - 4 * BLOCKS as i64);
    (first..end).map(|number| ring.get(number).map(|block| f64::from(block.low))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::life;
    use super::*;

    #[test]
    fn the_shape_of_a_life_shows_in_its_ratio() {
        for (name, ratio, shape) in [
            ("linear", 2.0, (|hour| 1e8 + 1e7 * hour) as fn(f64) -> f64),
            ("square root", 1.41, |hour| 1e8 + 1e7 * hour.sqrt()),
            ("logarithm", 1.0, |hour| 1e8 + 1e7 * (1.0 + hour * 50.0).ln()),
            ("saturating", 0.1, |hour| 1e8 + 1e8 * (1.0 - (-hour / 4.0).exp())),
        ] {
            let found = Life::of(&life(40.0, shape)).halves.unwrap();
            assert!((found - ratio).abs() < 0.25, "{name}: {found}");
        }
        assert!(Life::of(&life(40.0, |hour| 1e8 + 1e7 * (hour - 30.0).max(0.0))).halves.unwrap() > 2.5);
        assert_eq!(Life::of(&life(0.1, |_| 1.0)).halves, None);
    }
}
