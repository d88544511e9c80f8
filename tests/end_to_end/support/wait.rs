//! Waiting for things to happen, by a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// For what takes no time but that of a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(15);

const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Looks again and again until there is something to see.
pub(crate) fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {within:?} for {what}");
        pause(BETWEEN_LOOKS);
    }
}

/// Looks again and again for some time; `look` panics if it sees what must not be.
pub(crate) fn watch(duration: Duration, every: Duration, mut look: impl FnMut(Duration)) {
    let start = Instant::now();
    while start.elapsed() < duration {
        look(start.elapsed());
        pause(every);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "other processes are looked at from the outside, and do not tell when they change"
)]
fn pause(duration: Duration) {
    thread::sleep(duration);
}
