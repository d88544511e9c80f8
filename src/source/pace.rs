//! Work in slices with rests between them.

use std::thread;
use std::time::Duration;

/// Processes that are looked at without a rest: one to three milliseconds of work.
pub(super) const SLICE: usize = 256;

/// The longest rest. With that, a pass takes less than a tenth of a core while it lasts; and as it is over soon, all samples of a
/// tick are of about the same age.
const LONGEST: Duration = Duration::from_millis(32);

/// The part of an interval that all rests of a pass may take.
const PART: u32 = 10;

/// Spreads a pass over some of the time until the next one: whoever shares a core with us, or has to live within the CPU time
/// that a container is given in each tenth of a second, never has to wait for all of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// For all rests of a pass; without any, it is read in one go.
    most: Duration,
}

impl Pace {
    /// Of passes that are this far apart.
    pub(super) fn of(interval: Duration) -> Pace {
        Pace { most: interval / PART }
    }

    /// How long to rest before each but the first slice of a pass over so many processes.
    pub(super) fn rest(self, processes: usize) -> Duration {
        let rests = processes.div_ceil(SLICE).saturating_sub(1);
        let share = u32::try_from(rests).ok().and_then(|rests| self.most.checked_div(rests));
        share.unwrap_or_default().min(LONGEST)
    }
}

/// Leaves the processor to others for as long.
#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but time, and little of that")]
pub(super) fn pause(rest: Duration) {
    thread::sleep(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_are_short_and_take_a_small_part_of_the_interval() {
        for seconds in [0.1, 1.0, 15.0, 3600.0] {
            let interval = Duration::from_secs_f64(seconds);
            for processes in [0, 1, SLICE, SLICE + 1, 1000, 10_000, 1_000_000] {
                let rests = processes.div_ceil(SLICE).saturating_sub(1);
                let all = Pace::of(interval).rest(processes).mul_f64(rests as f64);
                assert!(
                    all <= interval / PART && all <= LONGEST.mul_f64(rests as f64),
                    "{processes}: {all:?}"
                );
                assert_eq!(all.is_zero(), processes <= SLICE, "{processes} each {interval:?}");
            }
        }
        assert_eq!(Pace::of(Duration::from_secs(15)).rest(10_000), LONGEST);
        assert_eq!(Pace::of(Duration::from_secs(1)).rest(10_241), Duration::from_millis(100) / 40);
    }
}
