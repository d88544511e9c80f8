//! The watched system's own clock: when it started, and how long ago that was.

use std::time::Duration;

use rustix::param::clock_ticks_per_second;

use super::SourceError;
use super::roots::Procfs;
use crate::parse::clock::{boot_time, uptime};
use crate::sample::Start;

/// One reading of the clock. Ages need no agreement with our own clock; sleep counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock {
    boot_unix_seconds: u64,
    uptime: Duration,
    ticks_per_second: u64,
}

impl Clock {
    /// Reads /proc/stat and /proc/uptime. To be done anew each time: the time of boot moves when somebody sets the
    /// clock. `buffer` is scratch space.
    ///
    /// # Errors
    /// When one of them can't be read or understood.
    pub(super) fn read(procfs: &Procfs, buffer: &mut Vec<u8>) -> Result<Clock, SourceError> {
        Ok(Clock {
            boot_unix_seconds: procfs.parse("stat", buffer, boot_time)?,
            uptime: procfs.parse("uptime", buffer, uptime)?,
            ticks_per_second: clock_ticks_per_second().max(1),
        })
    }

    /// How long the machine has been up.
    pub(super) fn uptime(&self) -> Duration {
        self.uptime
    }

    /// The start of the machine.
    pub(super) fn boot(&self) -> Start {
        Start { unix_seconds: self.boot_unix_seconds as f64, after_boot: Duration::ZERO }
    }

    /// How long some clock ticks are.
    pub(super) fn seconds(&self, ticks: u64) -> f64 {
        ticks as f64 / self.ticks_per_second as f64
    }

    /// The start of what began some clock ticks after boot.
    pub(super) fn start(&self, ticks: u64) -> Start {
        let seconds = self.seconds(ticks);
        Start {
            unix_seconds: self.boot_unix_seconds as f64 + seconds,
            after_boot: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock =
        Clock { boot_unix_seconds: 1_700_000_000, uptime: Duration::from_secs(100), ticks_per_second: 100 };

    #[test]
    fn starts_count_from_boot() {
        let start = Start { unix_seconds: 1_700_000_002.5, after_boot: Duration::from_millis(2500) };
        assert_eq!(CLOCK.start(250), start);
        assert_eq!(start.age(CLOCK.uptime()), Duration::from_millis(97_500));
        assert_eq!(CLOCK.start(0), CLOCK.boot());
    }

    #[test]
    fn a_start_in_the_future_has_no_age() {
        assert_eq!(CLOCK.start(10_001).age(CLOCK.uptime()), Duration::ZERO);
        assert_eq!(CLOCK.start(u64::MAX).age(CLOCK.uptime()), Duration::ZERO);
    }
}
