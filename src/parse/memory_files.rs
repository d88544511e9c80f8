//! Files of a cgroup's memory controller that hold one value, and its counts of what went wrong for want of memory.
//!
//! Documentation/admin-guide/cgroup-v2.rst and Documentation/admin-guide/cgroup-v1/memory.rst.

use super::ParseError;
use super::text::{lines, number, set_once, word_value};

/// What v1 says where there is no limit is PAGE_COUNTER_MAX: LONG_MAX rounded down to pages, whose size we need not
/// know; before Linux 3.19 LLONG_MAX or ULLONG_MAX. No machine has half as much memory, so anything near is none.
const NEAR_PAGE_COUNTER_MAX: u64 = 1 << 62;

/// What ran out of memory in a cgroup and all below it, since it was made: v2's memory.events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryEvents {
    /// `oom`: how often an allocation was about to fail for a limit.
    pub oom: u64,
    /// `oom_kill`, since Linux 4.13: processes that were killed for it, whichever limit it was.
    pub oom_kill: Option<u64>,
}

/// A limit in bytes; `None` is unlimited. memory.max, memory.high, memory.low, memory.min and memory.swap.max of v2,
/// memory.limit_in_bytes and its like of v1.
///
/// ```text
/// max
/// ```
///
/// # Errors
/// When it is neither a number nor `max`.
pub fn limit(text: &[u8]) -> Result<Option<u64>, ParseError> {
    match text.trim_ascii() {
        b"max" => Ok(None),
        value => number("limit", value).map(finite),
    }
}

/// The limit, if it is one and not v1's way to say that there is none. Bytes.
pub(super) fn finite(limit: u64) -> Option<u64> {
    (limit < NEAR_PAGE_COUNTER_MAX).then_some(limit)
}

/// The one number of a file like memory.current, memory.swap.current or memory.usage_in_bytes. Bytes.
///
/// # Errors
/// When it is no number.
pub fn bytes(text: &[u8]) -> Result<u64, ParseError> {
    number("bytes", text)
}

/// Reads memory.events of v2.
///
/// ```text
/// low 0
/// high 0
/// max 17
/// oom 1
/// oom_kill 1
/// oom_group_kill 0
/// ```
///
/// # Errors
/// When `oom` is missing, or a count that we use is no number or there twice.
pub fn events(text: &[u8]) -> Result<MemoryEvents, ParseError> {
    let oom = count(text, "oom")?.ok_or(ParseError::Missing("oom"))?;
    Ok(MemoryEvents { oom, oom_kill: count(text, "oom_kill")? })
}

/// How many processes of a cgroup were killed for want of memory: `oom_kill` of v1's memory.oom_control. `None` before
/// Linux 4.13.
///
/// ```text
/// oom_kill_disable 0
/// under_oom 0
/// oom_kill 0
/// ```
///
/// # Errors
/// When the count is no number or there twice.
pub fn oom_control(text: &[u8]) -> Result<Option<u64>, ParseError> {
    count(text, "oom_kill")
}

/// The count of this name, if there is one.
fn count(text: &[u8], name: &'static str) -> Result<Option<u64>, ParseError> {
    let mut count = None;
    for (_, value) in lines(text).map(word_value).filter(|(key, _)| *key == name.as_bytes()) {
        set_once(name, &mut count, number(name, value)?)?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_may_be_none() {
        for (text, expected) in [
            ("max\n", None),
            ("0\n", Some(0)),
            ("1073741824\n", Some(1 << 30)),
            ("9223372036854771712\n", None), // 4 KiB pages
            ("9223372036854710272\n", None), // 64 KiB pages
            ("9223372036854775807\n", None),
            ("18446744073709551615\n", None),
            ("4611686018427387903\n", Some((1 << 62) - 1)),
        ] {
            assert_eq!(limit(text.as_bytes()), Ok(expected), "{text:?}");
        }
        for odd in [&b""[..], b"maximum", b"-1", b"1 2", b"\xff"] {
            assert!(matches!(limit(odd), Err(ParseError::NotANumber { field: "limit", .. })));
        }
    }

    #[test]
    fn one_number_is_read() {
        assert_eq!(bytes(b"12345\n"), Ok(12345));
        for odd in [&b""[..], b"max\n", b"1\n2\n"] {
            assert!(matches!(bytes(odd), Err(ParseError::NotANumber { field: "bytes", .. })));
        }
    }

    #[test]
    fn events_are_found_by_their_whole_name() {
        let text = b"low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\nsock_throttled what?\n";
        assert_eq!(events(text), Ok(MemoryEvents { oom: 4, oom_kill: Some(5) }));
        assert_eq!(events(b"oom 4\n"), Ok(MemoryEvents { oom: 4, oom_kill: None }));
        assert_eq!(events(b"oom_kill 5\n"), Err(ParseError::Missing("oom")));
        assert_eq!(events(b"oom 4\noom 4\n"), Err(ParseError::Repeated("oom")));
        assert!(matches!(events(b"oom\n"), Err(ParseError::NotANumber { field: "oom", .. })));
        assert!(matches!(
            events(b"oom 1\noom_kill x\n"),
            Err(ParseError::NotANumber { field: "oom_kill", .. })
        ));
    }

    #[test]
    fn old_kernels_have_no_count_of_kills() {
        assert_eq!(oom_control(b"oom_kill_disable 1\nunder_oom 0\noom_kill 7\n"), Ok(Some(7)));
        assert_eq!(oom_control(b"oom_kill_disable 0\nunder_oom 0\n"), Ok(None));
        assert!(oom_control(b"oom_kill -1\n").is_err());
    }
}
