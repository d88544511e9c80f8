//! How often a tick may come without taking more than its share of a core.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Weight of the latest tick in the moving average of what a tick costs.
const LATEST: f64 = 0.3;

/// Stretches the interval rather than exceed a share of one core.
#[derive(Debug)]
pub(super) struct Budget {
    asked: Duration,
    share: f64,
    /// CPU time of a tick, moving average; `None` until the second tick, for the first one reads what later ones
    /// only compare.
    cost: Option<f64>,
    /// CPU time of this thread when the last tick was settled, seconds; `None` before the first.
    settled: Option<f64>,
}

impl Budget {
    pub(super) fn new(asked: Duration, share: f64) -> Budget {
        Budget { asked, share, cost: None, settled: None }
    }

    /// Time from one tick to the next.
    pub(super) fn interval(&self) -> Duration {
        let needed = self.cost.map_or(0.0, |cost| cost / self.share);
        self.asked.max(Duration::try_from_secs_f64(needed).unwrap_or(self.asked))
    }

    /// Counts what the calling thread has used since the last call as one tick. CPU time, and none by the clock: while the
    /// machine stalls or sleeps, we take nothing of it.
    pub(super) fn settle(&mut self) {
        let used = clock_gettime(ClockId::ThreadCPUTime);
        self.settle_at(used.tv_sec as f64 + used.tv_nsec as f64 * 1e-9);
    }

    fn settle_at(&mut self, used: f64) {
        if let Some(before) = self.settled.replace(used) {
            let spent = (used - before).max(0.0);
            self.cost = Some(self.cost.map_or(spent, |cost| cost + LATEST * (spent - cost)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_stretches_to_keep_the_share() {
        let mut budget = Budget::new(Duration::from_secs(1), 0.05);
        budget.settle_at(3.0);
        assert_eq!(budget.interval(), Duration::from_secs(1), "the first tick is excepted");
        budget.settle_at(3.02);
        assert_eq!(budget.interval(), Duration::from_secs(1));
        for tick in 1..50 {
            budget.settle_at(3.02 + 0.2 * f64::from(tick));
        }
        assert!((budget.interval().as_secs_f64() - 4.0).abs() < 0.01, "{:?}", budget.interval());
    }
}
