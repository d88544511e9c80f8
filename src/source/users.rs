//! Names of users, read again when the file changes.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::fs::{Stat, fstat};
use rustix::io::Errno;

use super::bounded::start_of;
use super::roots::Rootfs;
use crate::parse::passwd;

/// Most bytes that are read: it may list a whole company. Whoever comes after these has a number.
const MAX_BYTES: usize = 1 << 20;

/// The watched system's users. Without a readable file users have numbers, which is no error: containers often
/// come without one, and directory services list nobody there.
#[derive(Debug)]
pub(super) struct Users {
    rootfs: Rootfs,
    version: Option<Version>,
    names: HashMap<u32, Arc<str>>,
}

/// What changes whenever the file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    inode: u64,
    size: i64,
    modified: (i64, u64),
}

impl Users {
    /// Nobody, until the first [`Users::refresh`].
    pub(super) fn new(rootfs: Rootfs) -> Users {
        Users { rootfs, version: None, names: HashMap::new() }
    }

    /// Reads the file if it changed. `buffer` is scratch space.
    pub(super) fn refresh(&mut self, buffer: &mut Vec<u8>) {
        match self.read(buffer) {
            Ok(None) => {}
            Ok(Some(version)) => {
                self.names = passwd::parse(buffer);
                self.version = Some(version);
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {
                self.names.clear();
                self.version = None;
            }
            // It is there and can't be read just now: the old names are better than none, until the next tick.
            Err(_) => self.version = None,
        }
    }

    /// Reads the file into `buffer`, unless it is as it was.
    fn read(&self, buffer: &mut Vec<u8>) -> Result<Option<Version>, Errno> {
        let file = self.rootfs.passwd()?;
        let version = version(fstat(&file)?);
        if self.version == Some(version) {
            return Ok(None);
        }
        start_of(&file, MAX_BYTES, buffer)?;
        if buffer.len() == MAX_BYTES {
            // Half a line could be that of another user.
            buffer.truncate(buffer.iter().rposition(|byte| *byte == b'\n').unwrap_or(0));
        }
        Ok(Some(version))
    }

    /// The user's name, or the number as text.
    pub(super) fn name(&self, uid: u32) -> Arc<str> {
        self.names.get(&uid).cloned().unwrap_or_else(|| Arc::from(uid.to_string()))
    }
}

fn version(stat: Stat) -> Version {
    Version { inode: stat.st_ino, size: stat.st_size, modified: (stat.st_mtime, stat.st_mtime_nsec) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::super::fixture::FakeSystem;
    use super::*;

    #[test]
    fn names_follow_the_file() {
        let system = FakeSystem::new();
        let mut users = Users::new(system.roots().rootfs().clone());
        let mut buffer = Vec::new();
        users.refresh(&mut buffer);
        assert_eq!(users.name(33).as_ref(), "33");
        system.write("etc/passwd", "web:x:33:33::/:\n");
        users.refresh(&mut buffer);
        assert_eq!(users.name(33).as_ref(), "web");
        system.write("etc/passwd", "www-data:x:33:33::/:\n");
        users.refresh(&mut buffer);
        assert_eq!(users.name(33).as_ref(), "www-data");
        system.remove("etc/passwd");
        users.refresh(&mut buffer);
        assert_eq!(users.name(33).as_ref(), "33");
    }

    #[test]
    fn of_a_file_that_is_too_long_the_start_is_read() {
        let system = FakeSystem::new();
        let mut users = Users::new(system.roots().rootfs().clone());
        let line = |uid: u32| format!("user{uid}:x:{uid}:{uid}::/home/user{uid}:/bin/sh\n");
        let text: String = (100_000..).map(line).take(40_000).collect();
        system.write("etc/passwd", &text);
        users.refresh(&mut Vec::new());
        let cut = text[..MAX_BYTES].lines().count() as u32 - 1;
        assert_eq!(users.names.len() as u32, cut, "and no half of a line");
        assert_eq!(users.name(100_000 + cut - 1).as_ref(), format!("user{}", 100_000 + cut - 1));
        assert_eq!(users.name(100_000 + cut).as_ref(), (100_000 + cut).to_string());
    }

    #[test]
    fn a_link_means_what_it_means_to_the_watched_system() {
        let system = FakeSystem::new();
        system.write("etc/real", "inside:x:33:33::/:\n");
        symlink("/etc/real", system.path("etc/passwd")).unwrap();
        let mut users = Users::new(system.roots().rootfs().clone());
        users.refresh(&mut Vec::new());
        assert_eq!(users.name(33).as_ref(), "inside");
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&outside, "outside:x:33:33::/:\n").unwrap();
        for target in [
            outside.path().to_path_buf(),
            Path::new("../../../../..").join(&outside.path().display().to_string()[1..]),
        ] {
            system.remove("etc/passwd");
            symlink(target, system.path("etc/passwd")).unwrap();
            users.refresh(&mut Vec::new());
            assert_eq!(users.name(33).as_ref(), "33", "nothing leads out");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_just_now_changes_nothing() {
        let system = FakeSystem::new();
        let mut users = Users::new(system.roots().rootfs().clone());
        let mut buffer = Vec::new();
        system.write("etc/passwd", "web:x:33:33::/:\n");
        users.refresh(&mut buffer);
        system.remove("etc/passwd");
        system.create_dir("etc/passwd");
        users.refresh(&mut buffer);
        assert_eq!(users.name(33).as_ref(), "web");
    }
}
