//! The processes that are looked at: `load.c`, compiled and started.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use thiserror::Error;

use crate::child::Running;

const SOURCE: &str = include_str!("../load.c");

/// So much must be available, bytes, for one process to take half of it.
const ENOUGH: u64 = 8 << 30;

/// There is no load.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It can't be compiled, with what the compiler says.
    #[error("cc can't compile the load: {0}")]
    Compile(String),
    /// Starting it or talking to it failed.
    #[error("the load: {0}")]
    Talk(#[from] io::Error),
    /// It ended, and has said why.
    #[error("the load has ended")]
    Ended,
}

/// Processes that run until this is dropped.
#[derive(Debug)]
pub struct Load {
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    parent: Option<Running>,
}

impl Load {
    /// Compiles the load into `folder`, and says where it is.
    pub fn compile(folder: &Path) -> Result<PathBuf, LoadError> {
        let program = folder.join("load");
        let mut compiler = Command::new("cc")
            .args(["-O2", "-x", "c", "-", "-o"])
            .arg(&program)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| LoadError::Compile(error.to_string()))?;
        if let Some(mut stdin) = compiler.stdin.take() {
            stdin.write_all(SOURCE.as_bytes())?;
        }
        let output = compiler.wait_with_output()?;
        if output.status.success() {
            return Ok(program);
        }
        Err(LoadError::Compile(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Starts so many processes, and waits until they are there. The tenth of them that does something does so once to three
    /// times an `interval`.
    pub fn start(program: &Path, processes: u32, interval: Duration) -> Result<Load, LoadError> {
        let args = [processes.to_string(), interval.as_secs_f64().to_string()];
        let mut parent = Running::start(program, args, [Stdio::piped(), Stdio::piped(), Stdio::inherit()])?;
        let (stdin, stdout) = parent.take_pipes().ok_or(LoadError::Ended)?;
        let mut load = Load { stdin: Some(stdin), stdout: BufReader::new(stdout), parent: Some(parent) };
        load.wait_until_ready()?;
        Ok(load)
    }

    /// Starts the odd ones, or ends them, and waits until they have grown.
    pub fn tell(&mut self, odd: Odd) -> Result<(), LoadError> {
        let line = match odd {
            Odd::None => "even\n",
            Odd::Mapped => "odd\n",
            Odd::BigAndMapped => "odd big\n",
        };
        self.stdin.as_mut().ok_or(LoadError::Ended)?.write_all(line.as_bytes())?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<(), LoadError> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line == "ready\n" { Ok(()) } else { Err(LoadError::Ended) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Its input ends, it ends all others and waits for them; what fails here ends with this process.
        drop(self.stdin.take());
        if let Some(parent) = self.parent.take() {
            let _ = parent.wait();
        }
    }
}

/// Which processes there are besides the usual ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// None.
    None,
    /// One with 20,000 mappings.
    Mapped,
    /// That, and one with 4 GiB in memory.
    BigAndMapped,
}

impl Odd {
    /// All that there is room for, by the text of /proc/meminfo.
    pub fn fitting(meminfo: &str) -> Odd {
        if available(meminfo).is_some_and(|available| available >= ENOUGH) {
            Odd::BigAndMapped
        } else {
            Odd::Mapped
        }
    }
}

/// Bytes.
fn available(meminfo: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    value.trim().strip_suffix(" kB")?.parse().ok().map(|kilobytes: u64| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_big_one_needs_room() {
        assert_eq!(Odd::fitting("MemTotal: 9 kB\nMemAvailable:    8388608 kB\n"), Odd::BigAndMapped);
        assert_eq!(Odd::fitting("MemAvailable:    8388607 kB\n"), Odd::Mapped);
        assert_eq!(Odd::fitting(""), Odd::Mapped);
    }
}
