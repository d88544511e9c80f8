//! Reading a whole file or directory through a reused buffer, and of a file never more than a bound.

use std::os::fd::AsFd;

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, RawDir, RawDirEntry, openat};
use rustix::io::{Errno, read, retry_on_intr};

/// Room that a read is offered at least. Most files of /proc fit; the kernel makes them up per read, so that one
/// read of a whole file is also the most consistent one.
const CHUNK: usize = 4096;

/// Replaces the contents of `buffer` by the file `name` of the directory `dir`.
///
/// # Errors
/// What openat(2) and read(2) say; [`Errno::FBIG`] for a file of more than `max` bytes.
pub(super) fn read_file(
    dir: impl AsFd,
    name: impl rustix::path::Arg,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), Errno> {
    read_to(dir, name, max, buffer)?;
    if buffer.len() > max {
        buffer.clear();
        return Err(Errno::FBIG);
    }
    Ok(())
}

/// Replaces the contents of `buffer` by the first `max` bytes of the file `name` of the directory `dir`.
///
/// # Errors
/// What openat(2) and read(2) say.
pub(super) fn read_start(
    dir: impl AsFd,
    name: impl rustix::path::Arg,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), Errno> {
    read_to(dir, name, max, buffer)?;
    buffer.truncate(max);
    Ok(())
}

/// Reads to the end of the file, or until there are more than `max` bytes.
fn read_to(
    dir: impl AsFd,
    name: impl rustix::path::Arg,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), Errno> {
    buffer.clear();
    let file = openat(dir, name, regular(), Mode::empty())?;
    loop {
        buffer.reserve(CHUNK);
        let count = retry_on_intr(|| read(&file, spare_capacity(buffer)))?;
        if count == 0 || buffer.len() > max {
            return Ok(());
        }
    }
}

/// Lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// How many there are, or at least are.
    pub(super) count: u64,
    /// Bytes that were read to know.
    pub(super) bytes: usize,
}

/// Counts the lines of the file `name` of the directory `dir`, and stops after `max` bytes: read piece by piece, none of it
/// kept but in `buffer`, which is scratch space. A file of procfs comes a page at a time, whatever a read asks for.
///
/// # Errors
/// What openat(2) and read(2) say.
pub(super) fn count_lines(
    dir: impl AsFd,
    name: impl rustix::path::Arg,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<Lines, Errno> {
    let file = openat(dir, name, regular(), Mode::empty())?;
    let mut lines = Lines { count: 0, bytes: 0 };
    while lines.bytes < max {
        buffer.clear();
        buffer.reserve(CHUNK);
        let read = retry_on_intr(|| read(&file, spare_capacity(buffer)))?;
        if read == 0 {
            break;
        }
        lines.bytes += read;
        lines.count += buffer.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    Ok(lines)
}

/// Gives each entry of the directory `dir`, which was just opened, to `see`, until that says to stop: a descriptor keeps its
/// position. One getdents64(2) may return so many `bytes`; `buffer` is scratch space.
///
/// # Errors
/// What getdents64(2) says.
pub(super) fn each_entry(
    dir: impl AsFd,
    bytes: usize,
    buffer: &mut Vec<u8>,
    mut see: impl FnMut(&RawDirEntry) -> bool,
) -> Result<(), Errno> {
    buffer.clear();
    buffer.reserve(bytes);
    let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        if !see(&entry?) {
            break;
        }
    }
    Ok(())
}

/// How to open what should be a regular file: what is none, such as a pipe without a writer, must not make us wait.
pub(super) fn regular() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::fs::{FileType, mknodat};

    use super::super::fixture::FakeSystem;
    use super::*;

    #[test]
    fn files_up_to_the_bound_are_read_whole() {
        let system = FakeSystem::new();
        system.write("fits", vec![b'x'; 10_000]);
        system.write("empty", "");
        let dir = File::open(system.path("")).unwrap();
        let mut buffer = b"from before".to_vec();
        assert_eq!(read_file(&dir, "fits", 10_000, &mut buffer), Ok(()));
        assert_eq!(buffer, vec![b'x'; 10_000]);
        assert_eq!(read_file(&dir, "fits", 9_999, &mut buffer), Err(Errno::FBIG));
        assert_eq!(read_file(&dir, "empty", 0, &mut buffer), Ok(()));
        assert!(buffer.is_empty());
        assert_eq!(read_file(&dir, "missing", 1, &mut buffer), Err(Errno::NOENT));
        assert_eq!(read_start(&dir, "fits", 9_999, &mut buffer), Ok(()));
        assert_eq!(buffer, vec![b'x'; 9_999]);
    }

    #[test]
    fn lines_are_counted_up_to_the_bound() {
        let system = FakeSystem::new();
        system.write("lines", "0123456\n".repeat(5000));
        let dir = File::open(system.path("")).unwrap();
        let mut buffer = b"from before\n".to_vec();
        let lines = |max, buffer: &mut Vec<u8>| count_lines(&dir, "lines", max, buffer).unwrap();
        assert_eq!(lines(50_000, &mut buffer), Lines { count: 5000, bytes: 40_000 });
        let Lines { count, bytes } = lines(20_000, &mut buffer);
        assert!((20_000..40_000).contains(&bytes) && count as usize == bytes / 8, "{count} in {bytes}");
        assert_eq!(count_lines(&dir, "missing", 1, &mut buffer), Err(Errno::NOENT));
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
        let system = FakeSystem::new();
        let dir = File::open(system.path("")).unwrap();
        mknodat(&dir, "pipe", FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(read_file(&dir, "pipe", 100, &mut Vec::new()), Ok(()));
    }
}
