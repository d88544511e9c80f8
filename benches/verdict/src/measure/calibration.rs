//! Whether a score of so much means a leak as often.

use super::bounds::Share;
use super::outcome::Outcome;

/// Traces whose highest score lies in a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// From this score on ...
    pub from: f64,
    /// ... up to this one, which belongs to the next bin, except for the last.
    pub to: f64,
    /// Those that were leaking when they scored highest.
    pub leaks: Share,
}

/// Ten bins of the highest score of each trace, 0 to 100.
pub fn calibration(outcomes: &[Outcome]) -> [Bin; 10] {
    let mut bins: [Bin; 10] = std::array::from_fn(|index| Bin {
        from: index as f64 * 10.0,
        to: index as f64 * 10.0 + 10.0,
        leaks: Share::default(),
    });
    for outcome in outcomes {
        let Some(peak) = outcome.peak() else { continue };
        let leaks = &mut bins[((peak.value / 10.0).max(0.0) as usize).min(9)].leaks;
        leaks.whole += 1;
        leaks.part += usize::from(outcome.onset().is_some_and(|onset| peak.time >= onset));
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    #[test]
    fn a_trace_counts_once_at_its_highest_score() {
        let outcome = |label, values: &[(f64, f64)]| {
            Outcome::new(&series(label, 10.0, 11, |_| 100.0), &readings(values))
        };
        let bins = calibration(&[
            outcome(leak(50.0), &[(10.0, 5.0), (60.0, 95.0), (70.0, 20.0)]),
            outcome(leak(50.0), &[(40.0, 100.0), (60.0, 99.0)]),
            outcome(Label::Benign, &[(40.0, 30.0)]),
            outcome(Label::Benign, &[]),
        ]);
        assert_eq!(bins[9].leaks, Share { part: 1, whole: 2 });
        assert_eq!(bins[3].leaks, Share { part: 0, whole: 1 });
        assert_eq!(bins.iter().map(|bin| bin.leaks.whole).sum::<usize>(), 3);
    }
}
