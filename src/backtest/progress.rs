//! One line on a terminal that says how far a long work is.

use std::io::{Write as _, stderr};
use std::time::{Duration, Instant};

/// Time between two lines, and before the first.
const PAUSE: Duration = Duration::from_secs(1);

/// The line, where it is wanted.
#[derive(Debug)]
pub(super) struct Progress {
    wanted: bool,
    last: Instant,
    is_shown: bool,
}

impl Progress {
    /// Nothing to show yet, and never unless `wanted`.
    pub(super) fn new(wanted: bool) -> Progress {
        Progress { wanted, last: Instant::now(), is_shown: false }
    }

    /// Shows that `done` of `total` is done, once a second at most; without a total, so many units.
    pub(super) fn show(&mut self, doing: &str, done: u64, total: Option<u64>, unit: &str) {
        if !self.wanted || self.last.elapsed() < PAUSE {
            return;
        }
        self.last = Instant::now();
        self.is_shown = true;
        // A terminal that is gone needs no progress.
        let _ = match total.filter(|&total| total > 0) {
            Some(total) => {
                let percent = 100.0 * done as f64 / total as f64;
                write!(stderr(), "\r\x1b[K{doing}: {percent:.0} %")
            }
            None => write!(stderr(), "\r\x1b[K{doing}: {done} {unit}"),
        };
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
