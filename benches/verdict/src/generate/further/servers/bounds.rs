//! What has a bound, and what comes late.

use crate::generate::further::demand::most;

/// What has a bound meets it before this share of the series is over.
const BOUNDED: f64 = 0.62;

/// What is no more than `of` was for the first part of the series: a bound that had been met by then.
pub(super) fn bounded_early(of: Vec<f64>) -> Vec<f64> {
    let bound = most(early(&of));
    at_most(of, bound)
}

/// What is no more than `of` has been for a share of that part: a bound that is met again and again.
pub(super) fn bounded_often(of: Vec<f64>, share: f64) -> Vec<f64> {
    let mut sorted = early(&of).to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let bound = sorted[((1.0 - share) * sorted.len() as f64) as usize];
    at_most(of, bound)
}

fn early(of: &[f64]) -> &[f64] {
    &of[..(BOUNDED * of.len() as f64) as usize]
}

pub(super) fn at_most(mut of: Vec<f64>, bound: f64) -> Vec<f64> {
    of.iter_mut().for_each(|of| *of = of.min(bound));
    of
}

/// What nears `target` by the share `1 / tau` of what is missing, a sample; it begins at the first target.
pub(super) fn follows(target: &[f64], tau: f64) -> Vec<f64> {
    let mut at = target.first().copied().unwrap_or(0.0);
    let share = 1.0 / tau.max(1.0);
    target
        .iter()
        .map(|target| {
            at += share * (target - at);
            at
        })
        .collect()
}
