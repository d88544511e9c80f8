//! The statistics of one window, and the gates that they open.

use super::grid::{Grid, QUARTER};
use super::stats::{effective_number, median, ramp, trend};

/// Blocks in a window.
const BLOCKS: usize = 24;

/// How far back older floors are looked at, minutes.
const HISTORY: usize = 168 * 60;

/// The start of a life that give-backs don't count in, minutes.
const START_UP: usize = 60;

/// Where gates begin to open, and where they are open.
const TREND: (f64, f64) = (1.6, 3.4);
const SNR: (f64, f64) = (2.5, 5.0);
const DECEL: (f64, f64) = (0.45, 0.80);
const SPREAD: (f64, f64) = (2.5, 5.0);
const RETAINED: (f64, f64) = (0.35, 0.65);
const NOVELTY: (f64, f64) = (0.0, 0.35);
const GIVE_BACK: (f64, f64) = (0.6, 1.4);
const LIFE: (f64, f64) = (1.15, 1.55);
pub(super) const RELATIVE: (f64, f64) = (0.015, 0.05);
pub(super) const ABSOLUTE: (f64, f64) = (1_048_576.0, 4_194_304.0);

/// The life that is judged.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) number: u32,
    /// Its first minute.
    pub(super) start: usize,
}

impl Life {
    /// Hours before minute `end`.
    pub(super) fn age_hours(self, end: usize) -> f64 {
        (end - self.start) as f64 / 60.0
    }

    /// Its first whole quarter of an hour.
    pub(super) fn first_quarter(self) -> usize {
        self.start.div_ceil(QUARTER)
    }
}

/// The statistics of one window.
pub(super) struct Features {
    /// Blocks with a floor.
    pub(super) blocks: usize,
    /// Bytes a block.
    pub(super) slope: f64,
    /// Growth over the level.
    pub(super) relative: f64,
    /// Growth late in the window over that early in it.
    pub(super) decel: f64,
    /// Growth above what was seen before the window, over growth.
    pub(super) novelty: f64,
    growth: f64,
    z: f64,
    snr: f64,
    spread: f64,
    retained: f64,
    /// Largest give-back in history, bytes.
    drawdown: f64,
}

impl Features {
    /// Of the `window` minutes before minute `end`; `None` where there are fewer.
    pub(super) fn of(grid: &Grid, life: Life, end: usize, window: usize) -> Option<Features> {
        let from = end.checked_sub(window)?;
        let width = window / BLOCKS;
        let floors = grid.blocks_before(end, width, BLOCKS, life.number);
        let line = trend(&floors);
        let at = |range: std::ops::Range<usize>| floors[range].iter().map(|floor| floor.unwrap_or(f64::NAN));
        let level = median(at(0..BLOCKS));
        let growth = line.slope * (BLOCKS - 1) as f64;
        let quarters: [f64; 4] = std::array::from_fn(|q| median(at(q * BLOCKS / 4..(q + 1) * BLOCKS / 4)));
        let envelope = never_given_back(&floors);
        let gained = envelope.windows(2).map(|pair| pair[1] - pair[0]).filter(|gain| *gain > 0.0);
        let lowest_first = at(0..3).fold(f64::NAN, f64::min);
        let (older, history) = (from / width, HISTORY / width);
        let highest = grid.history(older.saturating_sub(history)..older, width, life.number, 0);
        let highest = highest.fold(f64::NAN, f64::max);
        let recent = end / width;
        let floors_of_life =
            grid.history(recent.saturating_sub(history)..recent, width, life.number, life.start + START_UP);
        Some(Features {
            blocks: floors.iter().flatten().count(),
            slope: line.slope,
            relative: growth / level,
            decel: deceleration(quarters, growth),
            novelty: if highest.is_nan() {
                1.0
            } else {
                (median(at(BLOCKS - 3..BLOCKS)) - highest) / growth.max(1e-9)
            },
            growth,
            z: line.z,
            snr: growth / line.noise.max(1e-4 * level),
            spread: effective_number(gained),
            retained: (envelope[BLOCKS * 3 / 4] - lowest_first) / (0.75 * growth).max(1e-9),
            drawdown: largest_drop(floors_of_life),
        })
    }

    /// The root of the product of all gates.
    pub(super) fn evidence(&self, ratio: f64) -> f64 {
        let gates = [
            ramp(self.z, TREND),
            ramp(self.relative, RELATIVE),
            ramp(self.growth, ABSOLUTE),
            ramp(self.snr, SNR),
            ramp(self.decel, DECEL),
            ramp(self.spread, SPREAD),
            ramp(self.retained, RETAINED),
            ramp(self.novelty, NOVELTY),
            ramp(self.growth / self.drawdown.max(1.0), GIVE_BACK),
            life_gate(ratio),
        ];
        gates.iter().product::<f64>().sqrt()
    }
}

/// What [`growth_ratio`] must be.
pub(super) fn life_gate(ratio: f64) -> f64 {
    ramp(ratio, LIFE)
}

/// The last quarter's growth over the first's; a first quarter that hardly grew counts a sixth of all growth.
fn deceleration([first, second, third, fourth]: [f64; 4], growth: f64) -> f64 {
    let (early, late) = (second - first, fourth - third);
    if early.is_nan() { f64::NAN } else { late / early.max(growth / 6.0).max(1e-9) }
}

/// The lowest floor from each block on; NaN where there is none any more.
fn never_given_back(floors: &[Option<f64>]) -> Vec<f64> {
    let mut lowest = f64::NAN;
    let mut envelope: Vec<f64> = floors
        .iter()
        .rev()
        .map(|floor| {
            lowest = lowest.min(floor.unwrap_or(f64::NAN));
            lowest
        })
        .collect();
    envelope.reverse();
    envelope
}

fn largest_drop(floors: impl Iterator<Item = f64>) -> f64 {
    let (_, drop) = floors.fold((f64::NEG_INFINITY, 0.0_f64), |(highest, drop), floor| {
        let highest = highest.max(floor);
        (highest, drop.max(highest - floor))
    });
    drop
}

/// Growth over the last half of a life, over that of the quarter before: 2 for a line, 1.41 for a root, 1 for a
/// logarithm, less for what saturates, more for what began late. Lives of less than 4 h count as lines.
pub(super) fn growth_ratio(grid: &Grid, life: Life, end: usize) -> f64 {
    let (start, now) = (life.first_quarter(), end / QUARTER);
    let age = now.saturating_sub(start);
    if age < 16 {
        return 2.0;
    }
    let span = (age / 8).clamp(2, 96);
    let lowest = |to: usize| {
        let from = to.saturating_sub(span).max(start);
        grid.quarters(from, to).iter().copied().fold(f64::INFINITY, f64::min)
    };
    let (quarter, half, all) = (lowest(start + age / 4), lowest(start + age / 2), lowest(now));
    if !(quarter.is_finite() && half.is_finite() && all.is_finite()) {
        return 2.0;
    }
    let before = (half - quarter).max(0.02 * (all - half)).max(1.0);
    ((all - half) / before).min(9.0)
}
