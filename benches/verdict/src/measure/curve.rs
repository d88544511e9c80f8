//! What a threshold buys: delay against false alarms.

use super::figures::Figures;
use super::outcome::Outcome;

/// The figures at every threshold at which the worth of any call changes, ascending. Between two of them only delays
/// change, and the lower threshold has the shorter ones.
pub fn curve(outcomes: &[Outcome]) -> Vec<Figures> {
    let mut thresholds: Vec<f64> = outcomes.iter().flat_map(Outcome::turning_points).collect();
    // Below all others: whatever is read is suspect.
    thresholds.push(f64::NEG_INFINITY);
    thresholds.sort_unstable_by(f64::total_cmp);
    thresholds.dedup();
    thresholds.into_iter().map(|threshold| Figures::at(outcomes, threshold)).collect()
}

/// The figures at the threshold with the best F1; of several the highest, which has the fewest false alarms.
/// A threshold below every reading is none; `None` without another.
pub fn best(outcomes: &[Outcome]) -> Option<Figures> {
    let figures = curve(outcomes).into_iter().filter(|figures| figures.threshold.is_finite());
    figures.max_by(|a, b| f64::total_cmp(&a.f1().unwrap_or(0.0), &b.f1().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    fn outcome(label: Label, values: &[(f64, f64)]) -> Outcome {
        Outcome::new(&series(label, 3600.0, 11, |_| 100.0), &readings(values))
    }

    #[test]
    fn the_best_threshold_parts_leaks_from_the_rest() {
        let outcomes = [
            outcome(leak(3600.0), &[(7200.0, 4.0), (10_800.0, 9.0)]),
            outcome(leak(3600.0), &[(0.0, 2.0), (7200.0, 8.0)]),
            outcome(Label::Benign, &[(3600.0, 3.0)]),
        ];
        let best = best(&outcomes).unwrap();
        assert_eq!((best.threshold, best.f1()), (3.0, Some(1.0)));
        assert_eq!(best.delay.median, Some(1.0));
        let swept: Vec<_> =
            curve(&outcomes).iter().map(|at| (at.threshold, at.false_alarms.events)).collect();
        assert_eq!(swept, [(f64::NEG_INFINITY, 2), (2.0, 1), (3.0, 0), (8.0, 0), (9.0, 0)]);
    }
}
