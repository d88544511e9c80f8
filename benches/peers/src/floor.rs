//! Bare loops over /proc: what it costs to read one file of each process, and do nothing with it. Nobody who does that can
//! cost less.

use std::ffi::CStr;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;

use clap::ValueEnum;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, RawDir, open, openat};
use rustix::io::{Errno, read};

/// Bytes of a directory that are asked for at once, as C libraries do.
const DIRECTORY: usize = 32 << 10;

/// Longer than any status is.
const FILE: usize = 4 << 10;

/// Longest path below /proc: ten digits, a slash and a file's name.
const PATH: usize = 32;

/// Which file of each process is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum File {
    /// Seven numbers: what a process has of memory.
    Statm,
    /// Fifty lines, among them memory by kind.
    Status,
}

impl File {
    /// Its name below the directory of a process.
    pub fn name(self) -> &'static str {
        match self {
            File::Statm => "statm",
            File::Status => "status",
        }
    }
}

/// Reads the file of every process once for each byte of standard input, and answers each with a byte, until that ends.
pub fn run(file: File) -> io::Result<()> {
    let mut floor = Floor::new(file);
    let (mut stdin, mut stdout) = (io::stdin().lock(), io::stdout().lock());
    let mut byte = [0];
    while stdin.read(&mut byte)? > 0 {
        black_box(floor.pass()?);
        stdout.write_all(&byte)?;
        stdout.flush()?;
    }
    Ok(())
}

/// The loop, and all the memory it needs.
struct Floor {
    file: File,
    entries: Box<[MaybeUninit<u8>]>,
    text: Box<[u8]>,
}

impl Floor {
    fn new(file: File) -> Floor {
        Floor { file, entries: Box::new([MaybeUninit::uninit(); DIRECTORY]), text: Box::new([0; FILE]) }
    }

    /// Reads the file of each process; the bytes of all first lines.
    fn pass(&mut self) -> io::Result<usize> {
        let proc = open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut total = 0;
        let mut entries = RawDir::new(&proc, &mut self.entries);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_bytes().first().is_some_and(u8::is_ascii_digit) {
                total += first_line(&proc, name, self.file, &mut self.text)?;
            }
        }
        Ok(total)
    }
}

/// Bytes of the first line of a process's file; none of a process that is gone.
fn first_line(proc: &OwnedFd, pid: &CStr, file: File, text: &mut [u8]) -> io::Result<usize> {
    let mut path = [0; PATH];
    let length = match read_file(proc, path_of(pid, file, &mut path)?, text) {
        Ok(length) => length,
        Err(Errno::NOENT | Errno::SRCH) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    Ok(text[..length].iter().position(|byte| *byte == b'\n').unwrap_or(length))
}

fn path_of<'a>(pid: &CStr, file: File, path: &'a mut [u8; PATH]) -> io::Result<&'a CStr> {
    let mut rest = path.as_mut_slice();
    for part in [pid.to_bytes(), b"/", file.name().as_bytes(), b"\0"] {
        rest.write_all(part)?;
    }
    CStr::from_bytes_until_nul(path).map_err(io::Error::other)
}

fn read_file(proc: impl AsFd, path: &CStr, text: &mut [u8]) -> Result<usize, Errno> {
    let file = openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    read(&file, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_reads_every_process() {
        for (file, least) in [(File::Statm, 8), (File::Status, 6)] {
            let mut floor = Floor::new(file);
            let one = first_line(
                &open("/proc", OFlags::RDONLY, Mode::empty()).unwrap(),
                c"self",
                file,
                &mut floor.text,
            );
            assert!(one.unwrap() >= least);
            assert!(floor.pass().unwrap() >= least);
        }
    }

    #[test]
    fn a_process_that_is_gone_has_nothing() {
        let proc = open("/proc", OFlags::RDONLY, Mode::empty()).unwrap();
        assert_eq!(first_line(&proc, c"4294967295", File::Statm, &mut [0; FILE]).unwrap(), 0);
    }

    #[test]
    fn a_path_needs_no_allocation() {
        assert_eq!(path_of(c"4294967295", File::Status, &mut [0; PATH]).unwrap(), c"4294967295/status");
    }
}
