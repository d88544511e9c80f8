//! The clock that people set, for telling when something was. No time is measured by it.

use std::time::SystemTime;

/// Seconds since the epoch; 0 before it.
pub fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
