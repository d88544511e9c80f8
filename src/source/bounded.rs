//! Reading a whole file or directory through a reused buffer, and of a file never more than a bound. What a signal interrupts
//! is done again, and a read that returns less than was asked for is no end.

use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, RawDir, RawDirEntry, openat};
use rustix::io::{Errno, pread, read, retry_on_intr};
use rustix::path::Arg;

/// Room that a read is offered at least. Most files of /proc fit; the kernel makes them up per read, so that one
/// read of a whole file is also the most consistent one.
const CHUNK: usize = 4096;

/// Replaces the contents of `buffer` by the file `name` of the directory `dir`.
///
/// # Errors
/// What openat(2) and read(2) say; [`Errno::FBIG`] for a file of more than `max` bytes.
pub(super) fn read_file(
    dir: impl AsFd,
    name: impl Arg + Copy,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), Errno> {
    let file = open(dir, name, regular())?;
    whole(max, buffer, |buffer| read(&file, spare_capacity(buffer)))
}

/// Replaces the contents of `buffer` by `file`, from its start on, however much of it was read before.
///
/// # Errors
/// What pread(2) says; [`Errno::FBIG`] for a file of more than `max` bytes.
pub(super) fn reread_file(file: impl AsFd, max: usize, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    whole(max, buffer, |buffer| {
        let offset = buffer.len() as u64;
        pread(&file, spare_capacity(buffer), offset)
    })
}

/// Replaces the contents of `buffer` by what `read` appends to it at a time, until that is nothing.
fn whole(
    max: usize,
    buffer: &mut Vec<u8>,
    read: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<(), Errno> {
    buffer.clear();
    fill(max, buffer, read)?;
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
    name: impl Arg + Copy,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<(), Errno> {
    start_of(open(dir, name, regular())?, max, buffer)
}

/// Replaces the contents of `buffer` by the first `max` bytes of `file`, which was just opened.
///
/// # Errors
/// What read(2) says.
pub(super) fn start_of(file: impl AsFd, max: usize, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    buffer.clear();
    fill(max, buffer, |buffer| read(&file, spare_capacity(buffer)))?;
    buffer.truncate(max);
    Ok(())
}

/// Appends what `read` appends to the buffer at a time, until that is nothing or there are more than `max` bytes.
fn fill(
    max: usize,
    buffer: &mut Vec<u8>,
    mut read: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<(), Errno> {
    loop {
        buffer.reserve(CHUNK);
        let count = retry_on_intr(|| read(buffer))?;
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
    name: impl Arg + Copy,
    max: usize,
    buffer: &mut Vec<u8>,
) -> Result<Lines, Errno> {
    let file = open(dir, name, regular())?;
    count(max, buffer, |buffer| read(&file, spare_capacity(buffer)))
}

/// Counts the lines in what `read` appends to the buffer at a time, until that is nothing or there were `max` bytes.
fn count(
    max: usize,
    buffer: &mut Vec<u8>,
    mut read: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<Lines, Errno> {
    let mut lines = Lines { count: 0, bytes: 0 };
    while lines.bytes < max {
        buffer.clear();
        buffer.reserve(CHUNK);
        let read = retry_on_intr(|| read(buffer))?;
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
        match entry {
            Ok(entry) if !see(&entry) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Opens `name` of the directory `dir`, by `flags`.
///
/// # Errors
/// What openat(2) says.
pub(super) fn open(dir: impl AsFd, name: impl Arg + Copy, flags: OFlags) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| openat(&dir, name, flags, Mode::empty()))
}

/// How to open what should be a regular file: what is none, such as a pipe without a writer, must not make us wait.
pub(super) fn regular() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use proptest::prelude::*;
    use rustix::fs::{FileType, mknodat};

    use super::super::fixture::FakeSystem;
    use super::*;
    use crate::parse::{stat, status};

    /// What a read comes to.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// No more than so many bytes.
        Short(usize),
        /// A signal came first.
        Interrupted,
    }

    /// A file that is read by these steps, and then as a whole; of which there is no more to be had from byte `broken` on.
    struct Script<'a> {
        rest: &'a [u8],
        steps: std::slice::Iter<'a, Step>,
        broken: Option<usize>,
    }

    impl<'a> Script<'a> {
        fn new(text: &'a [u8], steps: &'a [Step], broken: Option<usize>) -> Script<'a> {
            let until = broken.map_or(text.len(), |at| at.min(text.len()));
            Script { rest: &text[..until], steps: steps.iter(), broken }
        }

        fn read(&mut self, buffer: &mut Vec<u8>) -> Result<usize, Errno> {
            let room = match self.steps.next() {
                Some(Step::Interrupted) => return Err(Errno::INTR),
                Some(Step::Short(bytes)) => *bytes,
                None => usize::MAX,
            };
            if self.rest.is_empty() && self.broken.is_some() {
                return Err(Errno::IO);
            }
            let room = room.min(buffer.capacity() - buffer.len()).min(self.rest.len());
            let (now, later) = self.rest.split_at(room);
            buffer.extend_from_slice(now);
            self.rest = later;
            Ok(room)
        }
    }

    /// Many bytes of few numbers, as a number a byte takes a second for each file.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte = |at: u64, factor: u64| (at.wrapping_mul(factor) >> 7) as u8 % 64;
        (0..20_000_u64, any::<u64>())
            .prop_map(move |(length, factor)| (0..length).map(|at| byte(at, factor)).collect())
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let short = || (1..600_usize).prop_map(Step::Short);
        prop::collection::vec(prop_oneof![short(), short(), Just(Step::Interrupted)], 0..100)
    }

    proptest! {
        #[test]
        fn a_file_is_the_same_however_it_is_chopped(
            text in text(),
            max in 0..20_000_usize,
            steps in steps(),
        ) {
            let mut buffer = Vec::new();
            let mut script = Script::new(&text, &steps, None);
            fill(usize::MAX, &mut buffer, |buffer| script.read(buffer)).unwrap();
            prop_assert_eq!(&buffer, &text);

            buffer.clear();
            let mut script = Script::new(&text, &steps, None);
            fill(max, &mut buffer, |buffer| script.read(buffer)).unwrap();
            prop_assert!(text.starts_with(&buffer) && (buffer.len() > max || buffer == text));

            let mut script = Script::new(&text, &steps, None);
            let lines = count(usize::MAX, &mut buffer, |buffer| script.read(buffer)).unwrap();
            let expected = text.iter().filter(|byte| **byte == b'\n').count() as u64;
            prop_assert_eq!(lines, Lines { count: expected, bytes: text.len() });
        }

        #[test]
        fn what_breaks_off_is_an_error_wherever_that_is(
            text in text(),
            broken in 0..20_000_usize,
            steps in steps(),
        ) {
            let mut script = Script::new(&text, &steps, Some(broken));
            prop_assert_eq!(fill(usize::MAX, &mut Vec::new(), |buffer| script.read(buffer)), Err(Errno::IO));
            let mut script = Script::new(&text, &steps, Some(broken));
            prop_assert_eq!(count(usize::MAX, &mut Vec::new(), |buffer| script.read(buffer)), Err(Errno::IO));
        }

        #[test]
        fn a_process_reads_the_same_however_its_files_are_chopped(steps in steps()) {
            let system = FakeSystem::new();
            system.process(7).comm(b"a) R (b").write();
            for name in ["stat", "status"] {
                let text = std::fs::read(system.path(&format!("proc/7/{name}"))).unwrap();
                let (mut buffer, mut script) = (Vec::new(), Script::new(&text, &steps, None));
                fill(usize::MAX, &mut buffer, |buffer| script.read(buffer)).unwrap();
                let parsed = |text: &[u8]| format!("{:?} {:?}", stat::parse(text), status::parse(text));
                prop_assert_eq!(parsed(&buffer), parsed(&text));
            }
        }
    }

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
    fn a_file_that_is_kept_open_is_read_from_its_start() {
        let system = FakeSystem::new();
        system.write("kept", vec![b'x'; 10_000]);
        let file = File::open(system.path("kept")).unwrap();
        let mut buffer = b"from before".to_vec();
        for bytes in [10_000, 7, 0] {
            system.write("kept", vec![b'y'; bytes]);
            assert_eq!(reread_file(&file, 10_000, &mut buffer), Ok(()));
            assert_eq!(buffer, vec![b'y'; bytes]);
        }
        system.write("kept", vec![b'z'; 10_001]);
        assert_eq!(reread_file(&file, 10_000, &mut buffer), Err(Errno::FBIG));
        assert!(buffer.is_empty());
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
