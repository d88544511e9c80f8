//! What the kernel says a process has used.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use rustix::param::clock_ticks_per_second;
use thiserror::Error;

/// Parts of a second in which /proc/PID/stat may be behind, twice: user and system time are rounded on their own.
const ROUNDING: f64 = 0.04;

/// A process can't be looked at.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// A file can't be read.
    #[error("{}: {cause}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file does not look as it should.
    #[error("{} is not understood", path.display())]
    Parse {
        /// Which.
        path: PathBuf,
    },
}

/// CPU time up to a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cpu {
    /// Nanoseconds of each living thread.
    threads: BTreeMap<u32, u64>,
    /// Seconds of all threads that ever were, to hundredths.
    whole: f64,
}

impl Cpu {
    /// Of a process, until now.
    pub fn of(pid: u32) -> Result<Cpu, ProbeError> {
        let tasks = PathBuf::from(format!("/proc/{pid}/task"));
        let entries = fs::read_dir(&tasks).map_err(|cause| ProbeError::Read { path: tasks, cause })?;
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        // A thread may end between the two.
        let threads = ids.filter_map(|id: u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/task/{id}/schedstat")).ok()?;
            Some((id, nanoseconds(&text)?))
        });
        Ok(Cpu { threads: threads.collect(), whole: parsed(pid, "stat", whole_seconds)? })
    }

    /// Seconds since an earlier moment, to the nanosecond, unless threads have ended in between.
    pub fn since(&self, earlier: &Cpu) -> f64 {
        let spent = |(id, now): (&u32, &u64)| now.saturating_sub(*earlier.threads.get(id).unwrap_or(&0));
        let living = self.threads.iter().map(spent).sum::<u64>() as f64 * 1e-9;
        let whole = self.whole - earlier.whole;
        if whole > living + ROUNDING { whole } else { living }
    }
}

/// Of the text of a thread's schedstat, what it has run.
fn nanoseconds(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

/// Of the text of a process's stat, user and system time.
fn whole_seconds(stat: &str) -> Option<f64> {
    // The name may hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(str::parse);
    let [Ok(user), Ok(system)]: [Result<u64, _>; 2] = ticks.collect::<Vec<_>>().try_into().ok()? else {
        return None;
    };
    Some((user + system) as f64 / clock_ticks_per_second() as f64)
}

/// Memory of a process, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All that is resident.
    pub resident: u64,
    /// Of that, what no file can give back.
    pub anonymous: u64,
    /// The most that ever was resident.
    pub peak: u64,
}

impl Memory {
    /// Of a process, now.
    pub fn of(pid: u32) -> Result<Memory, ProbeError> {
        parsed(pid, "status", Memory::parse)
    }

    fn parse(status: &str) -> Option<Memory> {
        let bytes = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            value.trim().strip_suffix(" kB")?.parse().ok().map(|kilobytes: u64| kilobytes << 10)
        };
        Some(Memory { resident: bytes("VmRSS")?, anonymous: bytes("RssAnon")?, peak: bytes("VmHWM")? })
    }
}

/// Open descriptors of a process.
pub fn descriptors(pid: u32) -> Result<usize, ProbeError> {
    let path = PathBuf::from(format!("/proc/{pid}/fd"));
    fs::read_dir(&path).map(Iterator::count).map_err(|cause| ProbeError::Read { path, cause })
}

/// Whether somebody traces each thread of a process.
pub fn is_traced(pid: u32) -> Result<bool, ProbeError> {
    let traced = |status: &str| {
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
        Some(tracer.trim() != "0")
    };
    let cpu = Cpu::of(pid)?;
    cpu.threads.keys().try_fold(true, |all, thread| Ok(all && parsed(*thread, "status", traced)?))
}

/// Processes that /proc lists.
pub fn processes() -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit)).count()
}

fn parsed<T>(pid: u32, file: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, ProbeError> {
    let path = PathBuf::from(format!("/proc/{pid}/{file}"));
    let text = fs::read_to_string(&path).map_err(|cause| ProbeError::Read { path: path.clone(), cause })?;
    parse(&text).ok_or(ProbeError::Parse { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(threads: &[(u32, u64)], whole: f64) -> Cpu {
        Cpu { threads: threads.iter().copied().collect(), whole }
    }

    #[test]
    fn time_of_threads_is_summed_to_the_nanosecond() {
        let earlier = cpu(&[(1, 1_000), (2, 5_000)], 0.0);
        let later = cpu(&[(1, 3_000), (2, 5_001), (3, 10)], 0.0);
        assert!((later.since(&earlier) - 2_011e-9).abs() < 1e-15);
    }

    #[test]
    fn threads_that_have_ended_count() {
        let earlier = cpu(&[(1, 0), (2, 900_000_000)], 0.9);
        let later = cpu(&[(1, 100_000_000)], 2.0);
        assert!((later.since(&earlier) - 1.1).abs() < 1e-9);
        let rounded = cpu(&[(1, 5_000_000), (2, 900_000_000)], 0.92);
        assert!((rounded.since(&earlier) - 0.005).abs() < 1e-9, "rounding is no thread");
    }

    #[test]
    fn schedstat_begins_with_what_was_run() {
        assert_eq!(nanoseconds("123456789 42 7\n"), Some(123_456_789));
        assert_eq!(nanoseconds(""), None);
    }

    #[test]
    fn a_name_may_look_like_fields() {
        let ticks = clock_ticks_per_second() as f64;
        let stat = "7 (a) 1 2 (b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 5 0 0";
        assert_eq!(whole_seconds(stat), Some(300.0 / ticks));
        assert_eq!(whole_seconds("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t      30 kB\nVmRSS:\t      20 kB\nRssAnon:\t       4 kB\n";
        let memory = Memory { resident: 20 << 10, anonymous: 4 << 10, peak: 30 << 10 };
        assert_eq!(Memory::parse(status), Some(memory));
        assert_eq!(Memory::parse("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn this_process_can_be_looked_at() {
        let pid = std::process::id();
        let before = Cpu::of(pid).unwrap();
        assert!(Cpu::of(pid).unwrap().since(&before) >= 0.0);
        assert!(Memory::of(pid).unwrap().resident > 0 && descriptors(pid).unwrap() > 0 && processes() > 0);
    }
}
