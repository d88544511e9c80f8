//! What time it is, and what time the history counts.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::wall_clock::unix_seconds;

/// A point in time, on every clock that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For measuring how long we took or waited: stands still while the machine is suspended.
    pub instant: Instant,
    /// Since the machine started, suspends included (CLOCK_BOOTTIME): what the history goes by. Nobody can set it.
    pub boottime: Duration,
    /// Seconds since the epoch, for telling. Whoever sets the clock moves it.
    pub unix_seconds: f64,
}

impl Moment {
    /// The present.
    pub fn now() -> Moment {
        Moment { instant: Instant::now(), boottime: boottime(), unix_seconds: unix_seconds() }
    }

    /// So much later, with no clock set meanwhile and the machine awake.
    pub fn after(self, passed: Duration) -> Moment {
        Moment {
            instant: self.instant + passed,
            boottime: self.boottime + passed,
            unix_seconds: self.unix_seconds + passed.as_secs_f64(),
        }
    }
}

/// The history's own time: the hour of the day in which it began, and what has passed since by a clock that nobody sets. So a
/// step of the wall clock is nothing at all, and a suspend is a gap as long as it was. It never goes back.
#[derive(Debug)]
pub(super) struct HistoryClock {
    /// Seconds of history that one second counts as.
    time_lapse: f64,
    /// The latest time that was told, seconds.
    latest: Option<f64>,
    /// The first moment asked about, and its time in the history.
    origin: Option<(Duration, f64)>,
}

impl HistoryClock {
    /// A clock of which one second counts as `time_lapse`. The history begins with the first moment that is asked about.
    pub(super) fn new(time_lapse: u32) -> HistoryClock {
        HistoryClock { time_lapse: f64::from(time_lapse), latest: None, origin: None }
    }

    /// A clock for a history that goes on at `time`, seconds of its own time, as of `now`.
    pub(super) fn continuing(time_lapse: u32, now: Moment, time: f64) -> HistoryClock {
        HistoryClock {
            latest: Some(time),
            origin: Some((now.boottime, time)),
            ..HistoryClock::new(time_lapse)
        }
    }

    /// The history's time of `now`, seconds.
    pub(super) fn at(&mut self, now: Moment) -> f64 {
        let (boottime, began) = *self.origin.get_or_insert((now.boottime, now.unix_seconds));
        let passed = now.boottime.saturating_sub(boottime).as_secs_f64();
        let time = began + passed * self.time_lapse;
        *self.latest.insert(self.latest.map_or(time, |latest| latest.max(time)))
    }
}

fn boottime() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn start() -> Moment {
        Moment { instant: Instant::now(), boottime: HOUR, unix_seconds: 1.8e9 }
    }

    #[test]
    fn the_history_follows_the_clock_that_nobody_sets() {
        let start = start();
        let mut clock = HistoryClock::new(1);
        assert_eq!(clock.at(start), 1.8e9, "it begins at the hour of the day");
        for stepped in [-31_536_000.0, -3600.0, 3600.0, 31_536_000.0] {
            let later = start.after(HOUR);
            let later = Moment { unix_seconds: later.unix_seconds + stepped, ..later };
            assert_eq!(clock.at(later), 1.8e9 + 3600.0, "a step by {stepped} s");
        }
        let resumed = Moment { instant: start.instant, ..start.after(8 * HOUR) };
        assert_eq!(clock.at(resumed), 1.8e9 + 8.0 * 3600.0, "a suspend is a gap");
        for boottime in [Duration::ZERO, 2 * HOUR] {
            let back = Moment { boottime, ..start };
            assert_eq!(clock.at(back), 1.8e9 + 8.0 * 3600.0, "it does not go back");
        }
    }

    #[test]
    fn a_second_counts_as_many_in_a_time_lapse() {
        let start = start();
        let mut clock = HistoryClock::new(100);
        assert_eq!(clock.at(start), 1.8e9);
        assert_eq!(clock.at(start.after(HOUR)), 1.8e9 + 360_000.0);
    }

    #[test]
    fn a_history_goes_on_at_its_own_time_whatever_the_wall_clock_says() {
        let start = start();
        for time in [1.8e9 - 86_400.0, 1.8e9, 1.8e9 + 86_400.0] {
            let mut clock = HistoryClock::continuing(10, start, time);
            assert_eq!(clock.at(start), time);
            assert_eq!(clock.at(start.after(HOUR)), time + 36_000.0);
        }
    }

    #[test]
    fn the_present_is_later_each_time_on_every_clock_that_nobody_sets() {
        let (first, second) = (Moment::now(), Moment::now());
        assert!(second.boottime >= first.boottime && second.instant >= first.instant);
        assert!(first.boottime > Duration::ZERO && first.unix_seconds > 1.7e9);
    }
}
