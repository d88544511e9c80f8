//! When the next tick is due.

use std::time::{Duration, Instant};

/// Ticks at even distances. What could not be done in time is left out, not made up for: a history has gaps, and no bursts.
#[derive(Debug)]
pub(super) struct Schedule {
    due: Instant,
}

impl Schedule {
    /// The first tick is due at once.
    pub(super) fn new(now: Instant) -> Schedule {
        Schedule { due: now }
    }

    /// Goes on to the next tick, `interval` after the last one, and says how many are left out because it is too late for them.
    pub(super) fn advance(&mut self, now: Instant, interval: Duration) -> u64 {
        self.due += interval;
        let late = now.saturating_duration_since(self.due);
        let missed = late.div_duration_f64(interval).ceil();
        self.due += interval.mul_f64(missed);
        missed as u64
    }

    /// Time until the next tick.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ticks_keep_their_distance_however_long_they_take() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        assert_eq!(schedule.wait(start), Duration::ZERO);
        for tick in 1..10 {
            let done = start + 15 * SECOND * (tick - 1) + SECOND * tick;
            assert_eq!(schedule.advance(done, 15 * SECOND), 0);
            assert_eq!(done + schedule.wait(done), start + 15 * SECOND * tick);
        }
    }

    #[test]
    fn what_is_missed_is_counted_and_left_out() {
        let start = Instant::now();
        for (late, missed, next) in
            [(15, 0, 15), (16, 1, 30), (30, 1, 30), (31, 2, 45), (86_400, 5759, 86_400)]
        {
            let mut schedule = Schedule::new(start);
            let now = start + late * SECOND;
            assert_eq!(schedule.advance(now, 15 * SECOND), missed, "{late} s after the tick");
            assert_eq!(now + schedule.wait(now), start + next * SECOND, "{late} s after the tick");
        }
    }
}
