//! When the machine started, and how long ago that was: /proc/stat and /proc/uptime.

use std::time::Duration;

use super::ParseError;
use super::text::{lines, not_a_number, number, words};

/// Time of boot in seconds since the epoch: `btime` of /proc/stat (proc_stat(5)).
///
/// ```text
/// cpu  39 0 39 21030 22 0 0 0 0 0
/// intr 12345 0 0
/// btime 1795409629
/// processes 2915
/// ```
///
/// # Errors
/// When there is no such line, or no number in it.
pub fn boot_time(text: &[u8]) -> Result<u64, ParseError> {
    let value = lines(text).find_map(|line| line.strip_prefix(b"btime "));
    number("btime", value.ok_or(ParseError::Missing("btime"))?)
}

/// Time since boot, sleep included: the first figure of /proc/uptime (proc_uptime(5)).
///
/// ```text
/// 1050.25 1724.28
/// ```
///
/// # Errors
/// When there is no such figure.
pub fn uptime(text: &[u8]) -> Result<Duration, ParseError> {
    let word = words(text).next().ok_or(ParseError::Missing("uptime"))?;
    seconds(word).ok_or_else(|| not_a_number("uptime", word))
}

fn seconds(word: &[u8]) -> Option<Duration> {
    let seconds: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_time_is_found_among_other_lines() {
        assert_eq!(boot_time(b"cpu  1 2\nintr 5 0\nbtime 1795409629\nprocesses 2\n"), Ok(1_795_409_629));
        assert_eq!(boot_time(b"cpu  1 2\n"), Err(ParseError::Missing("btime")));
        assert!(matches!(boot_time(b"btime soon\n"), Err(ParseError::NotANumber { .. })));
    }

    #[test]
    fn uptime_has_hundredths() {
        assert_eq!(uptime(b"1050.25 1724.28\n"), Ok(Duration::from_millis(1_050_250)));
        assert_eq!(uptime(b"\n"), Err(ParseError::Missing("uptime")));
        for wrong in [&b"-1.0 2"[..], b"inf 2", b"NaN 2", b"1e300 2", b"\xff 2"] {
            assert!(matches!(uptime(wrong), Err(ParseError::NotANumber { .. })));
        }
    }
}
