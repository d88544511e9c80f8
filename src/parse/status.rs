//! /proc/PID/status: what a process has.

use super::ParseError;
use super::text::{key_value, kibibytes, next_number, not_a_number, number, words};

/// What /proc/PID/status says about memory and owner (proc_pid_status(5)). Bytes.
///
/// Threads of the kernel and zombies have no address space, and then all memory is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The effective user id.
    pub uid: u32,
    /// `VmSize`: the whole address space, which RLIMIT_AS limits.
    pub size: Option<u64>,
    /// `VmData`: private writable mappings, which RLIMIT_DATA limits.
    pub data: Option<u64>,
    /// `VmRSS`: everything resident.
    pub resident: Option<u64>,
    /// `RssAnon`, since Linux 4.5.
    pub anon: Option<u64>,
    /// `RssFile`, since Linux 4.5.
    pub file: Option<u64>,
    /// `RssShmem`, since Linux 4.5.
    pub shmem: Option<u64>,
    /// `VmSwap`, since Linux 2.6.34.
    pub swap: Option<u64>,
    /// Threads of the process.
    pub threads: Option<u64>,
}

/// Reads /proc/PID/status.
///
/// ```text
/// Name:   cat
/// State:  R (running)
/// Pid:    7945
/// Uid:    0       0       0       0
/// VmSize:     3060 kB
/// VmRSS:      1728 kB
/// RssAnon:     112 kB
/// RssFile:    1616 kB
/// RssShmem:      0 kB
/// VmData:      360 kB
/// VmSwap:        0 kB
/// Threads:    1
/// ```
///
/// The kernel escapes newlines in `Name`. Should one ever get through, a process could forge lines; so the text is
/// read from its end back to the `Pid` line. `Name` is the first line, hence this `Pid` is genuine, and nothing after
/// it is the process's to choose.
///
/// # Errors
/// When `Uid` is missing, or a value is no number.
pub fn parse(text: &[u8]) -> Result<Status, ParseError> {
    let mut uid = None;
    let mut status = Status::default();
    for (key, value) in genuine_lines(text).filter_map(key_value) {
        match key {
            b"Uid" => uid = Some(effective_uid(value)?),
            b"VmSize" => status.size = Some(kibibytes("VmSize", value)?),
            b"VmData" => status.data = Some(kibibytes("VmData", value)?),
            b"VmRSS" => status.resident = Some(kibibytes("VmRSS", value)?),
            b"RssAnon" => status.anon = Some(kibibytes("RssAnon", value)?),
            b"RssFile" => status.file = Some(kibibytes("RssFile", value)?),
            b"RssShmem" => status.shmem = Some(kibibytes("RssShmem", value)?),
            b"VmSwap" => status.swap = Some(kibibytes("VmSwap", value)?),
            b"Threads" => status.threads = Some(number("Threads", value)?),
            _ => {}
        }
    }
    status.uid = uid.ok_or(ParseError::Missing("Uid"))?;
    Ok(status)
}

/// The lines after the last one that starts with `Pid:`, in reverse.
fn genuine_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.rsplit(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"Pid:"))
}

/// The second of `Uid`'s four: real, effective, saved, file system.
fn effective_uid(value: &[u8]) -> Result<u32, ParseError> {
    let uid = next_number("Uid", &mut words(value).skip(1))?;
    u32::try_from(uid).map_err(|_| not_a_number("Uid", value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AFTER_NAME: &str = "\nUmask:\t0022\nState:\tR (running)\nTgid:\t7945\nNgid:\t0\nPid:\t7945\nPPid:\t1\n\
        TracerPid:\t0\nUid:\t1000\t33\t1000\t1000\nGid:\t0\t0\t0\t0\nNSpid:\t7945\nVmPeak:\t    9060 kB\n\
        VmSize:\t    3060 kB\nVmRSS:\t    1728 kB\nRssAnon:\t     112 kB\nRssFile:\t    1616 kB\n\
        RssShmem:\t       4 kB\nVmData:\t     360 kB\nVmSwap:\t       8 kB\nThreads:\t1\nSigQ:\t0/96365\n";

    fn text(name: &[u8]) -> Vec<u8> {
        [b"Name:\t", name, AFTER_NAME.as_bytes()].concat()
    }

    fn expected() -> Status {
        Status {
            uid: 33,
            size: Some(3060 << 10),
            data: Some(360 << 10),
            resident: Some(1728 << 10),
            anon: Some(112 << 10),
            file: Some(1616 << 10),
            shmem: Some(4 << 10),
            swap: Some(8 << 10),
            threads: Some(1),
        }
    }

    #[test]
    fn memory_is_in_bytes_and_the_user_is_the_effective_one() {
        assert_eq!(parse(&text(b"cat")), Ok(expected()));
    }

    #[test]
    fn a_thread_of_the_kernel_has_no_memory() {
        let status = parse(b"Name:\tkworker\nPid:\t5\nUid:\t0\t0\t0\t0\nThreads:\t1\n").unwrap();
        assert_eq!(status, Status { threads: Some(1), ..Status::default() });
    }

    #[test]
    fn a_name_cannot_forge_lines() {
        for name in ["x\nVmRSS:\t0 kB", "x\nPid:\nUid:\t0", "x\nThreads:\tno", "Pid:\t1"] {
            assert_eq!(parse(&text(name.as_bytes())), Ok(expected()));
        }
        let kernel = b"Name:\tx\nPid:\nVmRSS:\t9 kB\nPid:\t5\nUid:\t0\t0\t0\t0\n";
        assert_eq!(parse(kernel).unwrap().resident, None);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(parse(b""), Err(ParseError::Missing("Uid")));
        assert_eq!(parse(b"Name:\tx\nPid:\t1\nUid:\t0\n"), Err(ParseError::Missing("Uid")));
        for wrong in ["Uid:\t0\t4294967296\t0\t0", "Uid:\t0\t0\nRssAnon:\tmany", "Uid:\t0\t0\nVmSwap:\t1"] {
            let text = format!("Name:\tx\nPid:\t1\n{wrong}\n");
            assert!(matches!(parse(text.as_bytes()), Err(ParseError::NotANumber { .. })));
        }
    }

    proptest! {
        #[test]
        fn no_name_changes_what_is_read(name in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(parse(&text(&name)), Ok(expected()));
        }
    }
}
