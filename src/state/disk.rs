//! How the file gets onto the disk, so that after a loss of power there is the old one or the new one.
//!
//! A file under another name is written and synced, takes the place of the old one, and then the directory is synced (fsync(2):
//! "calling fsync() does not necessarily ensure that the entry in the directory containing the file has also reached disk").

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::geteuid;
use thiserror::Error;

/// Most bytes of a state: a host of 100,000 processes has a tenth of it.
const MOST_BYTES: u64 = 256 << 20;

/// For its owner alone: it has names of programs, users' cgroups and when they ran.
const MODE: u32 = 0o600;

/// Write permission of anybody but the owner.
const OTHERS_WRITE: u32 = 0o022;

/// Why a state could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// What the system says.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// Whoever owns it could have us believe anything.
    #[error(
        "it belongs to user {owner} and we are user {we}; change its owner, or give another --state.file"
    )]
    Owner {
        /// Its owner.
        owner: u32,
        /// The effective user.
        we: u32,
    },
    /// Others could have us believe anything.
    #[error("others may write to it (mode {mode:03o}); use chmod 600")]
    Mode {
        /// Its permissions.
        mode: u32,
    },
    /// A directory, a device or a pipe.
    #[error("it is no regular file; give another --state.file")]
    Kind,
    /// Not one of ours.
    #[error("it has {0} bytes, which no state has; give another --state.file")]
    Size(u64),
}

/// The file, and those beside it that have its name and another ending.
#[derive(Clone, Debug)]
pub(super) struct Files {
    path: PathBuf,
}

impl Files {
    pub(super) fn new(path: &Path) -> Files {
        Files { path: path.to_path_buf() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The whole file; `None` where there is none.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, ReadError> {
        // Not to wait for somebody who writes to a pipe.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let found = file.metadata()?;
        let we = geteuid().as_raw();
        if !found.is_file() {
            return Err(ReadError::Kind);
        }
        if found.uid() != we {
            return Err(ReadError::Owner { owner: found.uid(), we });
        }
        if found.mode() & OTHERS_WRITE != 0 {
            return Err(ReadError::Mode { mode: found.mode() & 0o777 });
        }
        if found.len() > MOST_BYTES {
            return Err(ReadError::Size(found.len()));
        }
        let mut bytes = Vec::with_capacity(found.len() as usize);
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Gives the file another name, in place of one that had it before, and tells that name.
    ///
    /// # Errors
    /// Also for what is no file: a directory or a device in its place is somebody's, and stays.
    pub(super) fn keep_aside(&self) -> io::Result<PathBuf> {
        let kind = std::fs::symlink_metadata(&self.path)?.file_type();
        if !kind.is_file() && !kind.is_symlink() {
            return Err(io::Error::other(ReadError::Kind));
        }
        let aside = self.beside(".bad");
        std::fs::rename(&self.path, &aside)?;
        Ok(aside)
    }

    /// Keeps other exporters from this file until the lock is dropped, or we are gone.
    ///
    /// # Errors
    /// What the system says; the text says what to do.
    pub(super) fn lock(&self) -> Result<Lock, LockError> {
        let path = self.beside(".lock");
        // Not to wait for somebody who reads from a pipe.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            .custom_flags(flags.bits() as i32)
            .open(&path);
        let file = opened.map_err(|source| LockError::Open { path: path.clone(), source })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LockError::Taken { path: self.path.clone() }),
            Err(errno) => Err(LockError::Open { path, source: errno.into() }),
        }
    }
}

/// That nobody else writes the same file.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "it is locked while it is open")] File);

/// Why a state can't be ours alone.
#[derive(Debug, Error)]
pub(super) enum LockError {
    /// There is no such directory, or we may not write there.
    #[error(
        "cannot open {path}: {source}; give --state.file in a directory that this user may write to, or remove that file where it is another user's"
    )]
    Open {
        /// The file beside the state.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two exporters would take turns to overwrite it.
    #[error("another exporter uses {path}; stop it, or give each its own --state.file")]
    Taken {
        /// The state.
        path: PathBuf,
    },
}

/// What is asked of a file system to replace a file, so that a test can lose power between any two steps.
pub(super) trait Disk {
    type File: Write;

    /// An empty file under the temporary name, in place of one that is left there.
    fn create(&self) -> io::Result<Self::File>;
    /// Returns when all that was written to `file` outlives a loss of power.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Gives the temporary file the name of the state.
    fn rename(&self) -> io::Result<()>;
    /// Returns when the name outlives a loss of power, too.
    fn sync_name(&self) -> io::Result<()>;
    /// Forgets a temporary file that can't be used.
    fn discard(&self);
}

/// Replaces the state by `bytes`. Whenever that ends, by whatever means, there is the old state or the new one.
pub(super) fn replace(disk: &impl Disk, bytes: &[u8]) -> io::Result<()> {
    let written = disk.create().and_then(|mut file| {
        file.write_all(bytes)?;
        disk.sync(&file)
    });
    // What it takes of a full disk may be what others lack.
    written.and_then(|()| disk.rename()).inspect_err(|_| disk.discard())?;
    disk.sync_name()
}

impl Disk for Files {
    type File = File;

    fn create(&self) -> io::Result<File> {
        let path = self.beside(".tmp");
        // One that was left there may be another user's, or not a file. If it can't be removed, the next step says so.
        let _ = std::fs::remove_file(&path);
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self) -> io::Result<()> {
        std::fs::rename(self.beside(".tmp"), &self.path)
    }

    fn sync_name(&self) -> io::Result<()> {
        File::open(self.directory())?.sync_all()
    }

    fn discard(&self) {
        // There may be none; and if it stays, the next one takes its place.
        let _ = std::fs::remove_file(self.beside(".tmp"));
    }
}

#[cfg(test)]
mod tests;
