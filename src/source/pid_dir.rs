//! The open directory of one process.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, StatxFlags, makedev, statx};
use rustix::io::Errno;

use super::ReadErrorReason;
use super::bounded::{read_file, read_start};
use crate::entity::Executable;
use crate::parse::ParseError;

/// Most bytes of a file of one process. They have a few KiB; `status` grows with the groups of its user, of which the
/// kernel allows 65,536.
const MAX_FILE_BYTES: usize = 1 << 20;

/// Most bytes of a process's arguments. Java's class paths take ten or twenty KiB; the kernel allows megabytes.
const MAX_ARGUMENT_BYTES: usize = 32 << 10;

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

    /// The running file (proc_pid_exe(5)); `None` for whatever reason it can't be looked at, most often because
    /// the process is another user's. What is known locally has to do: a file server that is gone must not make us
    /// wait.
    pub(super) fn executable(&self) -> Option<Executable> {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let file = statx(&self.0, c"exe", flags, StatxFlags::INO | StatxFlags::MTIME).ok()?;
        Some(Executable {
            device: makedev(file.stx_dev_major, file.stx_dev_minor),
            inode: file.stx_ino,
            modified: file.stx_mtime.tv_sec,
        })
    }
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
        assert_eq!(dir.executable(), None);
        system.write("bin/server", "v1");
        system.link("bin/server", "proc/7/exe");
        let first = dir.executable().unwrap();
        assert!(first.inode > 0 && first.modified > 0);
        assert_eq!(dir.executable(), Some(first));
        system.write("bin/server.new", "v2");
        system.rename("bin/server.new", "bin/server");
        assert_ne!(dir.executable(), Some(first));
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
