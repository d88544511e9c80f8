//! An earlier detector of the same authors' notes, as a yardstick: block floors over 8, 24 and 72 h, evidence as the
//! root of a product of gates, a cap on young lives, slow smoothing. Everything is computed anew every 15 min.

mod features;
mod grid;
mod season;
mod stats;

use crate::method::{Method, Reading};
use crate::trace::Trace;

use features::{Features, Life};
use grid::Grid;
use stats::ramp;

/// An evaluation, minutes.
const STEP: usize = 15;

/// Lengths of the windows, minutes, and how sure each may be.
const WINDOWS: [(usize, f64); 3] = [(480, 0.8), (1440, 1.0), (4320, 1.0)];

/// A window with fewer blocks says nothing.
const FEWEST: usize = 18;

/// Ages between which a young life's cap is lifted, hours, and that cap.
const YOUNG: ((f64, f64), f64) = ((20.0, 28.0), 0.45);

/// Time constants of the score, rising and falling, minutes.
const SMOOTH: (f64, f64) = (240.0, 360.0);

/// What a longer window's growth must have slowed to for a shorter one to be doubted.
const SLOWING: (f64, f64) = (0.0, 0.45);

/// The detector.
pub(super) struct ProductOfGates;

impl Method for ProductOfGates {
    fn name(&self) -> &str {
        "product of gates (8/24/72 h)"
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        let Some(grid) = Grid::new(trace) else { return Vec::new() };
        let mut score = Score::default();
        let mut readings = Vec::new();
        for end in (STEP..=grid.len()).step_by(STEP) {
            let number = grid.life_at(end - 1);
            let restarted = score.life.is_some_and(|life| life.number != number);
            if restarted || score.life.is_none() {
                score.begin(Life { number, start: grid.start_of(number) });
            }
            let Some(life) = score.life else { continue };
            let ratio = features::growth_ratio(&grid, life, end);
            score.update(evidence(&grid, life, end, ratio), life.age_hours(end), restarted);
            let time = grid.time_of(end - 1);
            readings.extend(Reading::new(time, 100.0 * score.value));
        }
        readings
    }
}

/// What the windows and the hours of the day say before minute `end`, 0 to 1.
fn evidence(grid: &Grid, life: Life, end: usize, ratio: f64) -> f64 {
    let windows: Vec<(Features, f64)> = WINDOWS
        .iter()
        .filter_map(|&(window, cap)| {
            let found = Features::of(grid, life, end, window)?;
            let enough = found.blocks >= FEWEST;
            let evidence = if enough { found.evidence(ratio) * cap } else { 0.0 };
            Some((found, evidence))
        })
        .collect();
    let doubted = windows.iter().enumerate().map(|(index, (_, evidence))| {
        let longer = windows[index + 1..].iter().filter(|(longer, _)| longer.doubts_shorter());
        longer.fold(*evidence, |evidence, (longer, _)| evidence * ramp(longer.decel, SLOWING))
    });
    let trend = doubted.fold(0.0, f64::max);
    trend.max(season::evidence(grid, life, end) * features::life_gate(ratio).sqrt())
}

impl Features {
    fn doubts_shorter(&self) -> bool {
        let grows = self.blocks >= FEWEST && self.slope > 0.0 && self.relative > 0.02;
        grows && self.decel < SLOWING.1 && self.novelty > 0.2
    }
}

/// The score, and what it remembers of earlier lives.
#[derive(Default)]
struct Score {
    life: Option<Life>,
    value: f64,
    /// Strongest evidence of this life, fading.
    seen: f64,
    /// What earlier lives leave.
    carried: f64,
}

impl Score {
    fn begin(&mut self, life: Life) {
        if self.life.replace(life).is_some() {
            self.carried = self.seen.max(0.5 * self.carried);
        }
    }

    fn update(&mut self, evidence: f64, age_hours: f64, restarted: bool) {
        let step = STEP as f64;
        self.seen = if restarted { 0.0 } else { (self.seen * (-step / SMOOTH.0).exp()).max(evidence) };
        let cap = YOUNG.1 + (1.0 - YOUNG.1) * ramp(age_hours, YOUNG.0).max(self.carried);
        let evidence = evidence.min(cap);
        let constant = if evidence > self.value { SMOOTH.0 } else { SMOOTH.1 };
        self.value += (1.0 - (-step / constant).exp()) * (evidence - self.value);
        if restarted {
            self.value *= 0.5;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;
    use crate::trace::Label;

    fn highest(bytes: fn(f64) -> f64) -> f64 {
        let trace = series(Label::Benign, 60.0, 4 * 1440, |time| bytes(time / 3600.0));
        ProductOfGates.statistic(&trace).iter().map(|reading| reading.value).fold(0.0, f64::max)
    }

    #[test]
    fn a_line_is_a_leak_and_neither_a_step_nor_a_plateau_is() {
        assert!(highest(|hour| 1e8 + 1e6 * hour) > 80.0);
        assert_eq!(highest(|_| 1e8), 0.0);
        assert!(highest(|hour| if hour < 50.0 { 1e8 } else { 2e8 }) < 20.0);
        assert!(highest(|hour| 1e8 * (2.0 - (-hour / 5.0).exp())) < 45.0);
    }
}
