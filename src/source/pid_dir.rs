//! The open directory of one process.

use std::ffi::CStr;
use std::hash::{DefaultHasher, Hasher as _};
use std::mem::MaybeUninit;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, RawDirEntry, StatxFlags, makedev, readlinkat_raw, statx};
use rustix::io::{Errno, pread, retry_on_intr};

use super::ReadErrorReason;
use super::bounded::{Lines, count_lines, each_entry, open, read_file, read_start, regular, reread_file};
use super::roots::{DIRECTORY_BYTES, directory};
use crate::entity::Executable;
use crate::parse::{ParseError, descriptor};
use crate::resources::Descriptors;

/// Most bytes of a file of one process. They have a few KiB; `status` grows with the groups of its user, of which the
/// kernel allows 65,536.
const MAX_FILE_BYTES: usize = 1 << 20;

/// Most bytes of a process's arguments. Java's class paths take ten or twenty KiB; the kernel allows megabytes.
const MAX_ARGUMENT_BYTES: usize = 32 << 10;

/// Most descriptors that are counted one by one, which takes half a second: as many as systemd lets a process have. One
/// with more has at least so many.
const MAX_COUNTED: usize = 524_288;

/// Most descriptors of one process that are told by kind; the rest is as the first of them are.
const MAX_KINDS: usize = 4096;

/// Bytes that the seven numbers of `statm` have at most.
const NUMBERS_BYTES: usize = 160;

/// Bytes of a link that tell its kind.
const LINK_BYTES: usize = 32;

/// Most bytes that tell of the mappings of one process, which take a second: 50 for a mapping without a file, 100 to 200
/// for others. The usual limit is 65,530 mappings, and search engines ask for 262,144. One with more has at least those.
const MAX_MAPPING_BYTES: usize = 64 << 20;

/// How descriptors are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tally {
    /// By the size of their directory, which since Linux 6.2 is their number (proc_pid_fd(5)); one by one where that is 0.
    BySize,
    /// One by one.
    ByEntry,
}

/// The descriptors of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// How many there are, or at least are.
    pub(super) all: u64,
    /// How many we had to look at to know.
    pub(super) touched: usize,
}

/// `/proc/PID`, held open: the kernel ties the descriptor to one life of the pid. Once the process has been
/// collected every read fails with `ESRCH`, even if the pid is in use again, so that no two processes are mixed.
#[derive(Debug)]
pub(super) struct PidDir(OwnedFd);

impl PidDir {
    /// Wraps the descriptor of a directory.
    pub(super) fn new(fd: OwnedFd) -> PidDir {
        PidDir(fd)
    }

    /// Replaces the contents of `buffer` by the file `name`.
    ///
    /// # Errors
    /// [`Unread`]; a file that is too large counts as [`ReadErrorReason::Io`].
    pub(super) fn read(&self, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        Ok(read_file(&self.0, name, MAX_FILE_BYTES, buffer)?)
    }

    /// Replaces the contents of `buffer` by the file `name`, or by as much of its start as is ever kept of arguments.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read_start(&self, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        Ok(read_start(&self.0, name, MAX_ARGUMENT_BYTES, buffer)?)
    }

    /// How many descriptors are open, or at least are. The size of their directory is told to everyone, their list to whoever may trace
    /// the process. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn descriptors(&self, tally: Tally, buffer: &mut Vec<u8>) -> Result<Counted, Unread> {
        if tally == Tally::BySize {
            let size = statx(&self.0, c"fd", AtFlags::empty(), StatxFlags::SIZE)?.stx_size;
            if size > 0 {
                return Ok(Counted { all: size, touched: 0 });
            }
        }
        let mut counted = 0;
        self.each_descriptor(buffer, |_, _| {
            counted += 1;
            counted < MAX_COUNTED
        })?;
        Ok(Counted { all: counted as u64, touched: counted })
    }

    /// What the descriptors are, of no more than the first 4096. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn descriptor_kinds(&self, buffer: &mut Vec<u8>) -> Result<Descriptors, Unread> {
        let mut kinds = Descriptors::default();
        let mut link = [MaybeUninit::uninit(); LINK_BYTES];
        let mut looked_at = 0;
        self.each_descriptor(buffer, |dir, entry| {
            looked_at += 1;
            // One that was closed meanwhile is none.
            if let Ok((link, _)) = readlinkat_raw(dir, entry.file_name(), &mut link) {
                kinds.add(descriptor::kind(link));
            }
            looked_at < MAX_KINDS
        })?;
        Ok(kinds)
    }

    /// How many mappings there are, or at least are: one a line. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn mappings(&self, buffer: &mut Vec<u8>) -> Result<Lines, Unread> {
        Ok(count_lines(&self.0, c"maps", MAX_MAPPING_BYTES, buffer)?)
    }

    /// Gives each descriptor to `see`, with the directory that it is in, until that says to stop.
    fn each_descriptor(
        &self,
        buffer: &mut Vec<u8>,
        mut see: impl FnMut(&OwnedFd, &RawDirEntry) -> bool,
    ) -> Result<(), Unread> {
        let dir = open(&self.0, c"fd", directory())?;
        Ok(each_entry(&dir, DIRECTORY_BYTES, buffer, |entry| {
            entry.file_name().to_bytes().starts_with(b".") || see(&dir, entry)
        })?)
    }

    /// A hash of the arguments (proc_pid_cmdline(5)), of which nothing else is kept; `None` where they can't be read.
    pub(super) fn fingerprint(&self, buffer: &mut Vec<u8>) -> Option<u64> {
        self.read_start(c"cmdline", buffer).ok()?;
        Some(hash(buffer))
    }

    /// What stands for what the file `name` says. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn digest(&self, name: &CStr, buffer: &mut Vec<u8>) -> Result<Digest, Unread> {
        self.read(name, buffer)?;
        Ok(Digest::of(buffer))
    }

    /// Opens the file `name`, to be read now and later: what it says is then always about this life of the pid.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn open(&self, name: &CStr) -> Result<OwnedFd, Unread> {
        Ok(open(&self.0, name, regular())?)
    }

    /// The running file (proc_pid_exe(5)). What is known locally has to do: a file server that is gone must not make us
    /// wait.
    ///
    /// # Errors
    /// [`Unread`]; most often that of a process of another user, for want of permission.
    pub(super) fn executable(&self) -> Result<Executable, Unread> {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let file = statx(&self.0, c"exe", flags, StatxFlags::INO | StatxFlags::MTIME)?;
        Ok(Executable {
            // Major 0 is what the kernel gives to file systems without a device.
            device: (file.stx_dev_major != 0).then(|| makedev(file.stx_dev_major, file.stx_dev_minor)),
            inode: file.stx_ino,
            modified: file.stx_mtime.tv_sec,
        })
    }
}

/// Replaces the contents of `buffer` by what `file` of a process says now.
///
/// # Errors
/// As [`PidDir::read`].
pub(super) fn reread(file: &OwnedFd, buffer: &mut Vec<u8>) -> Result<(), Unread> {
    Ok(reread_file(file, MAX_FILE_BYTES, buffer)?)
}

/// A number that stands for what a file says. Never 0, so that one that may be absent takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest(NonZeroU64);

impl Digest {
    fn of(bytes: &[u8]) -> Digest {
        Digest(NonZeroU64::new(hash(bytes)).unwrap_or(NonZeroU64::MIN))
    }
}

/// What stands for what `file` says from its start on: of a few numbers, as `statm` has.
///
/// # Errors
/// [`Unread`].
pub(super) fn digest_of(file: &OwnedFd) -> Result<Digest, Unread> {
    let mut bytes = [0; NUMBERS_BYTES];
    let read = retry_on_intr(|| pread(file, &mut bytes, 0))?;
    Ok(Digest::of(&bytes[..read]))
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Why nothing could be read of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It ended meanwhile, or the kernel has nothing to say; that is no error.
    Vanished,
    /// It counts as an error.
    Failed(ReadErrorReason),
}

impl From<Errno> for Unread {
    fn from(errno: Errno) -> Unread {
        match errno {
            // NODEV is what files of a cgroup say that is gone, OPNOTSUPP what its pressure says where the kernel was told
            // not to measure any: that file is as good as not there.
            Errno::NOENT | Errno::SRCH | Errno::NODEV | Errno::OPNOTSUPP => Unread::Vanished,
            Errno::ACCESS | Errno::PERM => Unread::Failed(ReadErrorReason::Permission),
            _ => Unread::Failed(ReadErrorReason::Io),
        }
    }
}

impl From<ParseError> for Unread {
    fn from(_: ParseError) -> Unread {
        Unread::Failed(ReadErrorReason::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FakeSystem;
    use super::*;
    use crate::resources::DescriptorKind;

    #[test]
    fn errors_are_sorted_by_what_they_mean() {
        for (errno, expected) in [
            (Errno::NOENT, Unread::Vanished),
            (Errno::SRCH, Unread::Vanished),
            (Errno::NODEV, Unread::Vanished),
            (Errno::OPNOTSUPP, Unread::Vanished),
            (Errno::ACCESS, Unread::Failed(ReadErrorReason::Permission)),
            (Errno::PERM, Unread::Failed(ReadErrorReason::Permission)),
            (Errno::FBIG, Unread::Failed(ReadErrorReason::Io)),
            (Errno::MFILE, Unread::Failed(ReadErrorReason::Io)),
        ] {
            assert_eq!(Unread::from(errno), expected);
        }
        let malformed = Unread::Failed(ReadErrorReason::Malformed);
        assert_eq!(Unread::from(ParseError::Missing("x")), malformed);
    }

    #[test]
    fn files_of_a_process_are_bounded() {
        let system = FakeSystem::new();
        system.write("proc/7/status", vec![b'x'; MAX_FILE_BYTES + 1]);
        let dir = system.roots().procfs().pid_dir(7).unwrap();
        let mut buffer = Vec::new();
        assert_eq!(dir.read(c"status", &mut buffer), Err(Unread::Failed(ReadErrorReason::Io)));
        assert_eq!(dir.read(c"stat", &mut buffer), Err(Unread::Vanished));
    }

    #[test]
    fn the_executable_is_the_file_behind_the_link() {
        let system = FakeSystem::new();
        system.write("proc/7/status", "");
        let dir = system.roots().procfs().pid_dir(7).unwrap();
        assert_eq!(dir.executable(), Err(Unread::Vanished));
        system.write("bin/server", "v1");
        system.link("bin/server", "proc/7/exe");
        let first = dir.executable().unwrap();
        assert!(first.inode > 0 && first.modified > 0);
        assert_eq!(dir.executable(), Ok(first));
        system.write("bin/server.new", "v2");
        system.rename("bin/server.new", "bin/server");
        assert_ne!(dir.executable(), Ok(first));
    }

    #[test]
    fn descriptors_are_counted_and_sorted() {
        let system = FakeSystem::new();
        system.write("proc/7/status", "");
        let dir = system.roots().procfs().pid_dir(7).unwrap();
        let buffer = &mut Vec::new();
        assert_eq!(dir.descriptors(Tally::ByEntry, buffer), Err(Unread::Vanished));
        system.descriptors(7, &["socket:[1]", "socket:[2]", "/dev/null", "anon_inode:[eventfd]"]);
        assert_eq!(dir.descriptors(Tally::ByEntry, buffer), Ok(Counted { all: 4, touched: 4 }));
        let kinds = dir.descriptor_kinds(buffer).unwrap();
        let found = DescriptorKind::ALL.map(|kind| kinds.get(kind));
        assert_eq!(found, [2, 0, 1, 0, 1, 0]);
    }

    #[test]
    fn mappings_are_counted_up_to_a_bound() {
        let system = FakeSystem::new();
        system.mappings(7, 100);
        let dir = system.roots().procfs().pid_dir(7).unwrap();
        assert_eq!(dir.mappings(&mut Vec::new()), Ok(Lines { count: 100, bytes: 4900 }));
        let usual = "7f0000000000-7f0000001000 r--s 00000000 00:2f 123456789 /var/lib/search/nodes/0/indices/an-index/0/_1.cfs\n";
        system.write("proc/7/maps", usual.repeat(262_144));
        assert_eq!(dir.mappings(&mut Vec::new()).unwrap().count, 262_144);
        system.write("proc/7/maps", vec![b'\n'; MAX_MAPPING_BYTES + (1 << 20)]);
        let Lines { count, bytes } = dir.mappings(&mut Vec::new()).unwrap();
        assert!(
            count >= MAX_MAPPING_BYTES as u64 && bytes < MAX_MAPPING_BYTES + (1 << 20),
            "at least {count}"
        );
    }

    #[test]
    fn a_descriptor_outlives_its_process_and_never_shows_another() {
        let system = FakeSystem::new();
        system.write("proc/7/stat", "first");
        let dir = system.roots().procfs().pid_dir(7).unwrap();
        system.remove("proc/7");
        system.write("proc/7/stat", "second");
        assert_eq!(dir.read(c"stat", &mut Vec::new()), Err(Unread::Vanished));
    }
}
