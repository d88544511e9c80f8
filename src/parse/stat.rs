//! /proc/PID/stat: who a process is, and how much CPU it has used.

use super::ParseError;
use super::text::{next_number, words};

/// `PF_KTHREAD` of include/linux/sched.h: a thread of the kernel, which has no memory of its own.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What /proc/PID/stat says about identity and work (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat<'a> {
    /// The command name, up to 15 bytes of anything but NUL.
    pub comm: &'a [u8],
    /// One letter: `R`, `S`, `D`, `Z`, …
    pub state: u8,
    /// The kernel's `PF_*` flags.
    pub flags: u64,
    /// CPU time of all its threads so far, user and system, in clock ticks.
    pub cpu_time: u64,
    /// Threads of the process.
    pub threads: u64,
    /// Start time in clock ticks since boot.
    pub start_time: u64,
}

impl Stat<'_> {
    /// Whether this is a thread of the kernel.
    pub fn is_kernel_thread(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }

    /// Whether it has ended and only waits to be collected (`Z`, `X`; `x` up to Linux 3.13).
    pub fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// Reads the one line of /proc/PID/stat.
///
/// ```text
/// 7945 (cat) R 7942 7942 6742 0 -1 4194304 102 0 0 0 0 0 0 0 20 0 1 0 105025 3133440 388 …
/// ```
///
/// The name may contain parentheses, blanks and newlines, and nothing escapes them. It ends at the last `)`,
/// because only letters and numbers follow.
///
/// # Errors
/// When a field is missing or is no number.
pub fn parse(text: &[u8]) -> Result<Stat<'_>, ParseError> {
    let open = text.iter().position(|byte| *byte == b'(');
    let close = text.iter().rposition(|byte| *byte == b')');
    let (Some(open), Some(close)) = (open, close) else {
        return Err(ParseError::Missing("comm"));
    };
    let comm = text.get(open + 1..close).ok_or(ParseError::Missing("comm"))?;
    let mut fields = words(&text[close + 1..]);
    let state = fields.next().and_then(<[u8]>::first).ok_or(ParseError::Missing("state"))?;
    // Numbers as in proc_pid_stat(5): after field 3, skip 4 to 8, then 10 to 13, 16 to 19, then 21.
    let flags = next_number("flags", &mut fields.by_ref().skip(5))?;
    let user = next_number("utime", &mut fields.by_ref().skip(4))?;
    let system = next_number("stime", &mut fields)?;
    let threads = next_number("num_threads", &mut fields.by_ref().skip(4))?;
    let start_time = next_number("starttime", &mut fields.by_ref().skip(1))?;
    Ok(Stat { comm, state: *state, flags, cpu_time: user.saturating_add(system), threads, start_time })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TAIL: &str =
        "S 7942 7942 6742 0 -1 4194304 102 0 0 0 70 5 900 0 20 0 3 0 105025 3133440 388 1844 1 1 0\n";

    fn line(comm: &[u8]) -> Vec<u8> {
        [b"7945 (", comm, b") ", TAIL.as_bytes()].concat()
    }

    #[test]
    fn fields_are_found_by_number() {
        let text = line(b"cat");
        let stat = parse(&text).unwrap();
        let expected = Stat {
            comm: b"cat",
            state: b'S',
            flags: 4_194_304,
            cpu_time: 75,
            threads: 3,
            start_time: 105_025,
        };
        assert_eq!(stat, expected);
        assert!(!stat.is_kernel_thread() && !stat.is_dead());
    }

    #[test]
    fn names_may_look_like_the_rest_of_the_line() {
        for comm in [&b"a) R 1 (b"[..], b"()", b"", b")", b"(", b"x\ny", b"\xff\xfe", b"\"q\\"] {
            assert_eq!(parse(&line(comm)).unwrap().comm, comm);
        }
    }

    #[test]
    fn kernel_threads_and_the_dead_are_told_apart() {
        let kernel = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 7 0 0";
        assert!(parse(kernel).unwrap().is_kernel_thread());
        let zombie = b"9 (gone) Z 1 1 1 0 -1 4227084 0 0 0 0 0 0 0 0 20 0 1 0 7 0 0";
        assert!(parse(zombie).unwrap().is_dead());
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, field) in [
            (&b""[..], "comm"),
            (b"1 cat S", "comm"),
            (b"1 )cat( S", "comm"),
            (b"1 (cat)", "state"),
            (b"1 (cat) S 1 2 3 4", "flags"),
            (b"1 (cat) S 1 1 1 0 -1 64 0 0", "utime"),
            (b"1 (cat) S 1 1 1 0 -1 64 0 0 0 0 7", "stime"),
            (b"1 (cat) S 1 1 1 0 -1 64 0 0 0 0 7 8 9 9", "num_threads"),
            (b"1 (cat) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0", "starttime"),
        ] {
            assert_eq!(parse(text), Err(ParseError::Missing(field)));
        }
    }

    proptest! {
        #[test]
        fn any_name_comes_back_unchanged(comm in prop::collection::vec(any::<u8>(), 0..64)) {
            let text = line(&comm);
            let stat = parse(&text).unwrap();
            prop_assert_eq!(stat.comm, &comm[..]);
            prop_assert_eq!(stat.start_time, 105_025);
        }
    }
}
