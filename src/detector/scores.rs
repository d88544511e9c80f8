//! Both scores move towards the evidence, for evidence must last: hysteresis lives in the score and not in the status.

use serde::{Deserialize, Serialize};

use crate::history::HOUR;

/// Time constants of the slow score, rising and falling, seconds. Evidence must hold for hours.
const SLOW: (f64, f64) = (3.0 * HOUR, 6.0 * HOUR);

/// Time constants of the urgent score, as shares of twenty blocks of the rung that leads, and their bounds in seconds.
const URGENT: (f64, f64) = (0.03, 0.35);
const URGENT_MOST: (f64, f64) = (2.0 * HOUR, 4.0 * HOUR);

/// Beyond so many entities whose memory changes, each e-fold of them takes so much off the log-odds: the cost of being
/// wrong is counted per host and week, not per entity.
const CROWD: usize = 200;
const CROWD_ODDS: f64 = 0.8;

/// What is said of one life by each way of looking, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Scores {
    pub(super) slow: f64,
    pub(super) urgent: f64,
}

/// Whether it may be said of anything that should be 0 to 1.
pub(super) fn is_share(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

impl Scores {
    /// Whether they are such as evidence can have made.
    pub(super) fn is_sound(self) -> bool {
        is_share(self.slow) && is_share(self.urgent)
    }

    /// The more certain one counts.
    pub(super) fn highest(self) -> f64 {
        self.slow.max(self.urgent)
    }

    /// The higher of each.
    pub(super) fn max(self, other: Scores) -> Scores {
        Scores { slow: self.slow.max(other.slow), urgent: self.urgent.max(other.urgent) }
    }

    /// Moves the slow score by `step` seconds towards the log-odds that the clues add up to.
    pub(super) fn follow_slow(&mut self, odds: f64, step: f64, crowd: usize) {
        self.slow = smooth(self.slow, believed(odds, crowd), step, SLOW);
    }

    /// Moves the urgent score by `step` seconds towards log-odds that were found on blocks of `width` seconds.
    pub(super) fn follow_urgent(&mut self, odds: f64, width: f64, step: f64, crowd: usize) {
        let constants = (
            (URGENT.0 * 20.0 * width).max(step).min(URGENT_MOST.0),
            (URGENT.1 * 20.0 * width).max(4.0 * step).min(URGENT_MOST.1),
        );
        self.urgent = smooth(self.urgent, believed(odds, crowd), step, constants);
    }

    /// Both, times `share`.
    pub(super) fn times(self, share: f64) -> Scores {
        Scores { slow: share * self.slow, urgent: share * self.urgent }
    }
}

/// The probability that log-odds stand for, less what so large a crowd takes off them.
fn believed(odds: f64, crowd: usize) -> f64 {
    let excess = (crowd.max(CROWD) as f64 / CROWD as f64).ln();
    1.0 / (1.0 + (CROWD_ODDS * excess - odds).exp())
}

/// Moves `old` towards `new` as `step` seconds do at the time constant for that direction.
fn smooth(old: f64, new: f64, step: f64, (up, down): (f64, f64)) -> f64 {
    old + (1.0 - (-step / if new > old { up } else { down }).exp()) * (new - old)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_must_last_for_hours() {
        let mut scores = Scores::default();
        scores.follow_slow(9.0, HOUR, 1);
        assert!((0.25..0.3).contains(&scores.slow), "{scores:?}");
        (0..4).for_each(|_| scores.follow_slow(9.0, HOUR, 1));
        assert!(scores.slow > 0.6, "{scores:?}");
        scores.follow_slow(f64::NEG_INFINITY, 24.0 * HOUR, 1);
        assert!(scores.slow < 0.02, "{scores:?}");
    }

    #[test]
    fn a_crowd_is_judged_more_carefully() {
        let settled = |crowd| {
            let mut scores = Scores::default();
            scores.follow_slow(1.0, 1e9, crowd);
            scores.follow_urgent(1.0, 60.0, 1e9, crowd);
            scores
        };
        assert_eq!(settled(1), settled(200));
        let (alone, crowded) = (settled(1), settled(2000));
        assert!(alone.slow > 0.6 && alone.urgent > 0.6, "{alone:?}");
        assert!(crowded.slow < 0.6 && crowded.urgent < 0.6, "{crowded:?}");
    }

    #[test]
    fn no_evidence_at_all_is_no_number_out_of_range() {
        let mut scores = Scores { slow: 0.5, urgent: 0.5 };
        scores.follow_urgent(f64::NEG_INFINITY, 1.0, 1.0, usize::MAX);
        scores.follow_slow(f64::NEG_INFINITY, f64::INFINITY, usize::MAX);
        assert!(scores.slow == 0.0 && (0.0..0.5).contains(&scores.urgent), "{scores:?}");
    }
}
