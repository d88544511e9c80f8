//! How often the server is asked: a token bucket, for all clients together.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::RETRY_AFTER;

use super::response::Refusal;

/// A request takes a token, and every interval brings a new one.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    burst: u32,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one. `interval` is not zero.
    pub(super) fn new(interval: Duration, burst: u32, now: Instant) -> Bucket {
        Bucket { interval, burst, level: Mutex::new(Level { tokens: f64::from(burst), at: now }) }
    }

    /// Whether it gives and holds as much.
    pub(super) fn is_like(&self, other: &Bucket) -> bool {
        (self.interval, self.burst) == (other.interval, other.burst)
    }

    /// Takes a token, or refuses where there is none.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Refusal> {
        // What it holds is right after each step, so that a thread that ended in between has done no harm.
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(level.at);
        level.at = level.at.max(now);
        level.tokens += since.as_secs_f64() / self.interval.as_secs_f64();
        level.tokens = level.tokens.min(f64::from(self.burst));
        if level.tokens < 1.0 {
            let message = "too many requests; see rate_limit in the file of --web.config.file";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, message).with(RETRY_AFTER, "1"));
        }
        level.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_one_an_interval() {
        let start = Instant::now();
        let bucket = Bucket::new(Duration::from_millis(100), 3, start);
        let admitted = |at: u64| bucket.admit(start + Duration::from_millis(at)).is_ok();
        assert_eq!([0, 1, 2, 3].map(admitted), [true, true, true, false]);
        assert_eq!([101, 102, 199, 201].map(admitted), [true, false, false, true]);
        // No more than a burst is saved up, and a clock that stands still brings nothing.
        assert_eq!([10_000; 4].map(admitted), [true, true, true, false]);
        assert!(!admitted(9_000));
    }
}
