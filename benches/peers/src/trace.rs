//! How many system calls a process makes, as strace counts them.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use thiserror::Error;

use crate::child::Running;
use crate::probe::{self, ProbeError};

/// Attaching to the threads of a process takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nothing was counted.
#[derive(Debug, Error)]
pub enum TraceError {
    /// strace can't be started, or what it writes can't be read.
    #[error("strace: {0}")]
    Io(#[from] io::Error),
    /// It may not look at the process.
    #[error("strace can't attach")]
    Refused,
    /// The process can't be looked at.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// It writes something else than a table.
    #[error("strace's table has no total")]
    NoTotal,
}

/// strace, at work.
#[derive(Debug)]
pub struct Trace<'a> {
    strace: Running,
    output: &'a Path,
}

impl Trace<'_> {
    /// Begins to count for a process and all its threads. `output` is a file to write to.
    pub fn attach<'a>(strace: &Path, pid: u32, output: &'a Path) -> Result<Trace<'a>, TraceError> {
        let streams = [Stdio::null(), Stdio::null(), Stdio::null()];
        let args =
            ["-c", "-f", "-q", "-o", &output.to_string_lossy(), "-p", &pid.to_string()].map(str::to_owned);
        let mut trace = Trace { strace: Running::start(strace, args, streams)?, output };
        let deadline = Instant::now() + PATIENCE;
        while !probe::is_traced(pid)? {
            if trace.strace.has_ended() || Instant::now() > deadline {
                return Err(TraceError::Refused);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(trace)
    }

    /// Ends it. System calls since it began.
    pub fn finish(self) -> Result<u64, TraceError> {
        let Trace { strace, output } = self;
        strace.signal(Signal::INT)?;
        strace.wait()?;
        total(&fs::read_to_string(output)?).ok_or(TraceError::NoTotal)
    }
}

/// Of the table that strace writes, all calls.
fn total(table: &str) -> Option<u64> {
    let mut fields = table.lines().find(|line| line.trim_end().ends_with(" total"))?.split_ascii_whitespace();
    fields.nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_table_is_found() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     \x20 60.00    0.000600           6       100         2 openat\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     100.00    0.001000           6       160         2 total\n";
        assert_eq!(total(table), Some(160));
        assert_eq!(total("strace: attach: Operation not permitted\n"), None);
    }
}
