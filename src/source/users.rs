//! Names of users, read again when the file changes.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::fs::Stat;

use super::roots::Rootfs;
use crate::parse::passwd;

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
        let version = self.rootfs.stat_passwd().ok().map(version);
        if version == self.version {
            return;
        }
        self.version = None;
        match (version, self.rootfs.read_passwd(buffer)) {
            (None, _) => self.names.clear(),
            (Some(_), Ok(())) => {
                self.names = passwd::parse(buffer);
                self.version = version;
            }
            // It is there and can't be read just now: the old names are better than none, until the next tick.
            (Some(_), Err(_)) => {}
        }
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
