//! The open directory of one cgroup.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, OFlags, Stat, fstat, statat};
use rustix::io::{Errno, retry_on_intr};

use super::super::bounded::{each_entry, open, read_file, read_start};
use super::super::pid_dir::Unread;

/// Most bytes of one file. `memory.stat` has 2 KiB; other controllers may add lines.
const MAX_FILE_BYTES: usize = 64 << 10;

/// Bytes of directory entries that one getdents64(2) may return: about 400, of which a cgroup's own files are 60.
const DIRECTORY_BYTES: usize = 16 << 10;

/// A directory below a cgroup hierarchy, held open: its files are then all of one cgroup, even if another one takes
/// its name meanwhile.
#[derive(Debug)]
pub(in super::super) struct CgroupDir(OwnedFd);

/// What fstat(2) says of a cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Unlike the path not used again soon: of either version it is a number of kernfs. On 64 bits no number comes twice
    /// since Linux 5.5, and before that, or on 32 bits, only after some 2^31 others; before 4.14 the lowest that is free
    /// may come at once.
    pub(super) inode: u64,
    /// Whether there is a directory in it. File systems that don't count them are taken at their worst.
    pub(super) may_have_children: bool,
}

impl CgroupDir {
    /// Wraps the descriptor of a directory.
    pub(in super::super) fn new(fd: OwnedFd) -> CgroupDir {
        CgroupDir(fd)
    }

    /// Opens a directory in this one.
    ///
    /// # Errors
    /// What openat(2) says.
    pub(super) fn child(&self, name: &CStr) -> Result<CgroupDir, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        open(&self.0, name, flags).map(CgroupDir)
    }

    /// Who this is.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub(super) fn node(&self) -> Result<Node, Errno> {
        let Stat { st_ino, st_nlink, .. } = fstat(&self.0)?;
        // Its own name, its `.`, and the `..` of each directory in it.
        Ok(Node { inode: st_ino, may_have_children: st_nlink != 2 })
    }

    /// Whether there is a file `name`, readable or not.
    ///
    /// # Errors
    /// What fstatat(2) says, where that leaves it open.
    pub(super) fn has(&self, name: &CStr) -> Result<bool, Errno> {
        match retry_on_intr(|| statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Replaces the contents of `buffer` by the file `name`.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read(&self, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        Ok(read_file(&self.0, name, MAX_FILE_BYTES, buffer)?)
    }

    /// Replaces the contents of `buffer` by the first `bytes` of the file `name`.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read_start(&self, name: &CStr, bytes: usize, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        Ok(read_start(&self.0, name, bytes, buffer)?)
    }

    /// Adds the names of directories in this one to `names`, no more than `most`, and says how many others there are. Once only:
    /// a descriptor keeps its position.
    ///
    /// # Errors
    /// What getdents64(2) says.
    pub(super) fn children(
        &self,
        most: usize,
        buffer: &mut Vec<u8>,
        names: &mut Vec<CString>,
    ) -> Result<u64, Errno> {
        let mut others = 0;
        each_entry(&self.0, DIRECTORY_BYTES, buffer, |entry| {
            let name = entry.file_name();
            let is_directory = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
            if is_directory && !matches!(name.to_bytes(), b"." | b"..") {
                match names.len() < most {
                    true => names.push(name.to_owned()),
                    false => others += 1,
                }
            }
            true
        })?;
        Ok(others)
    }
}
