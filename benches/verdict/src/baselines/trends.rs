//! Tests of a trend that the literature and other tools use.

use super::line::Line;
use super::window::slide;
use super::{HOUR, promql};
use crate::method::{Method, Reading};
use crate::trace::{Point, Trace};

/// Mann-Kendall's Z over block minima, as if those were independent (Mann, "Nonparametric tests against trend", 1945).
pub(super) struct MannKendall {
    name: String,
    block: f64,
}

/// That many block minima make a window.
const BLOCKS: usize = 24;

impl MannKendall {
    pub(super) fn new(block: f64) -> MannKendall {
        MannKendall { name: format!("Mann-Kendall[{}]", promql(block * BLOCKS as f64)), block }
    }
}

impl Method for MannKendall {
    fn name(&self) -> &str {
        &self.name
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        let mut floors: Vec<f64> = Vec::new();
        let mut readings = Vec::new();
        for block in trace.points.chunk_by(|a, b| self.number(a) == self.number(b)) {
            // A block is complete when the next one begins, which is also when it is known to be.
            if let Some(first) = block.first()
                && floors.len() >= BLOCKS
            {
                let z = mann_kendall(&floors[floors.len() - BLOCKS..]);
                readings.extend(Reading::new(first.time, z));
            }
            floors.extend(block.iter().map(|point| point.bytes as f64).reduce(f64::min));
        }
        readings
    }
}

impl MannKendall {
    fn number(&self, point: &Point) -> i64 {
        (point.time / self.block).floor() as i64
    }
}

fn mann_kendall(values: &[f64]) -> f64 {
    let pairs =
        values.iter().enumerate().flat_map(|(index, a)| values[index + 1..].iter().map(move |b| b - a));
    let s: f64 = pairs.map(|rise| if rise == 0.0 { 0.0 } else { rise.signum() }).sum();
    let n = values.len() as f64;
    let continuity = if s == 0.0 { 0.0 } else { s.signum() };
    (s - continuity) / (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt()
}

/// Relative slope times R², after Precog (Jindal et al., "Online memory leak detection in the cloud-based
/// infrastructures", 2021), which asks both to be large.
pub(super) struct SlopeByFit {
    name: String,
    window: f64,
    every: f64,
}

impl SlopeByFit {
    pub(super) fn new(window: f64, every: f64) -> SlopeByFit {
        SlopeByFit { name: format!("slope × R²[{}] %/h", promql(window)), window, every }
    }
}

impl Method for SlopeByFit {
    fn name(&self) -> &str {
        &self.name
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        slide(trace, (self.window, self.every), |points| {
            let line = Line::through(points)?;
            Some(100.0 * line.slope * HOUR / line.mean * line.fit)
        })
    }
}

/// Growth of the longest piece without a large drop, percent of the limit an hour, as Coroot looks for leaks.
pub(super) struct LongestPiece {
    name: String,
    window: f64,
    every: f64,
}

/// A drop to less than this share starts another piece.
const DROP: f64 = 0.5;

/// Growth goes on while the last quarter's slope is at least this share of the overall one.
const GOES_ON: f64 = 0.3;

impl LongestPiece {
    pub(super) fn new(window: f64, every: f64) -> LongestPiece {
        LongestPiece { name: format!("least squares[{}], longest piece", promql(window)), window, every }
    }
}

impl Method for LongestPiece {
    fn name(&self) -> &str {
        &self.name
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        slide(trace, (self.window, self.every), |points| {
            let drops = |a: &Point, b: &Point| (b.bytes as f64) < DROP * a.bytes as f64;
            let piece = points.chunk_by(|a, b| !drops(a, b)).max_by_key(|piece| piece.len())?;
            let (whole, quarter) = (Line::through(piece)?, Line::through(&piece[piece.len() * 3 / 4..])?);
            let goes_on = quarter.slope >= GOES_ON * whole.slope;
            Some(if goes_on { 100.0 * whole.slope * HOUR / trace.limit? as f64 } else { 0.0 })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;
    use crate::trace::Label;

    fn last(method: &dyn Method, bytes: fn(f64) -> f64) -> f64 {
        let mut trace = series(Label::Benign, 60.0, 1801, |time| bytes(time / HOUR));
        trace.limit = Some(10_000);
        method.statistic(&trace).last().unwrap().value
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-2 * wanted.abs().max(0.1), "{found}, not {wanted}");
    }

    #[test]
    fn mann_kendall_counts_pairs() {
        let rule = MannKendall::new(HOUR);
        // All 276 pairs rise; the variance is 24 x 23 x 53 / 18.
        near(last(&rule, |hour| 1000.0 + 100.0 * hour), 275.0 / (24.0 * 23.0 * 53.0_f64 / 18.0).sqrt());
        near(last(&rule, |_| 1000.0), 0.0);
        // After a step in the middle of the last 24 hours, 12 x 12 pairs rise.
        let step = |hour| if hour < 18.0 { 1000.0 } else { 2000.0 };
        near(last(&rule, step), 143.0 / (24.0 * 23.0 * 53.0_f64 / 18.0).sqrt());
    }

    #[test]
    fn slopes_count_by_their_fit() {
        let rule = SlopeByFit::new(6.0 * HOUR, 300.0);
        near(last(&rule, |hour| 1000.0 + 100.0 * hour), 100.0 * 100.0 / 3700.0);
        near(last(&rule, |_| 1000.0), 0.0);
        // A step in the middle of a window: 1.5 heights a window at R² .75.
        let step = |hour| if hour < 27.0 { 1000.0 } else { 2000.0 };
        near(last(&rule, step), 100.0 * 1.5 * 1000.0 / 6.0 / 1500.0 * 0.75);
    }

    #[test]
    fn the_longest_piece_grows_towards_the_limit() {
        let rule = LongestPiece::new(24.0 * HOUR, 300.0);
        near(last(&rule, |hour| 1000.0 + 100.0 * hour), 1.0);
        near(last(&rule, |_| 1000.0), 0.0);
        // What levelled off does not grow, and of a saw's teeth the longest counts.
        near(last(&rule, |hour| 1000.0 + 1000.0 * hour.min(16.0)), 0.0);
        near(last(&rule, |hour| 1000.0 + 100.0 * (hour % 20.0)), 1.0);
    }
}
