//! The files of one process: opened for one look, or kept open of one whose memory moves from each look to the next. To open
//! and to close three of them takes as long as the kernel needs to write one.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use super::super::pid_dir::{PidDir, Unread, reread};

/// What one look reads.
#[derive(Debug)]
pub(super) enum Files {
    /// Opened one by one.
    Fresh(PidDir),
    /// Open since an earlier look.
    Kept(Box<Restless>),
}

impl Files {
    /// Whether they were open before.
    pub(super) fn are_kept(&self) -> bool {
        matches!(self, Files::Kept(_))
    }

    /// The directory, for all else.
    pub(super) fn dir(&self) -> &PidDir {
        match self {
            Files::Fresh(dir) => dir,
            Files::Kept(restless) => restless.dir(),
        }
    }

    /// Replaces the contents of `buffer` by `stat`.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read_stat(&self, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        match self {
            Files::Fresh(dir) => dir.read(c"stat", buffer),
            Files::Kept(restless) => restless.read(&restless.stat, c"stat", buffer),
        }
    }

    /// Replaces the contents of `buffer` by `status`.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read_status(&self, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        match self {
            Files::Fresh(dir) => dir.read(c"status", buffer),
            Files::Kept(restless) => restless.read(&restless.status, c"status", buffer),
        }
    }
}

/// What is kept open of one life of a pid that moves. Like its directory, each file is tied to that life.
#[derive(Debug)]
pub(super) struct Restless {
    dir: PidDir,
    stat: OwnedFd,
    status: OwnedFd,
}

impl Restless {
    /// So many files are open, besides the directory.
    pub(super) const FILES: usize = 2;

    /// The directory.
    pub(super) fn dir(&self) -> &PidDir {
        &self.dir
    }

    /// Opens the files in `dir`.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn open(dir: PidDir) -> Result<Restless, Unread> {
        Ok(Restless { stat: dir.open(c"stat")?, status: dir.open(c"status")?, dir })
    }

    /// Reads the `file` of this `name`, and where that fails opens it anew.
    fn read(&self, file: &OwnedFd, name: &CStr, buffer: &mut Vec<u8>) -> Result<(), Unread> {
        reread(file, buffer).or_else(|_| self.dir.read(name, buffer))
    }
}
