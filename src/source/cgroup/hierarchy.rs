//! Where the kernel accounts memory to cgroups, and by which version's files.

use std::path::{Path, PathBuf};

use super::super::SourceError;
use super::super::roots::{Procfs, Sysfs};
use super::dir::CgroupDir;
use crate::parse::mountinfo::{Mount, mounts};

/// Where distributions mount it below sysfs, by version, if mountinfo does not say.
const USUAL: [(&str, Version); 3] =
    [("fs/cgroup/memory", Version::V1), ("fs/cgroup", Version::V2), ("fs/cgroup/unified", Version::V2)];

/// Which files a cgroup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// Documentation/admin-guide/cgroup-v1/memory.rst
    V1,
    /// Documentation/admin-guide/cgroup-v2.rst
    V2,
}

/// The one hierarchy that has the memory controller; with both versions in use, either may.
#[derive(Clone, Debug)]
pub(super) struct Hierarchy {
    sysfs: Sysfs,
    place: PathBuf,
    pub(super) version: Version,
    /// Path of the cgroup that is mounted there; empty for the root of all, or of our cgroup namespace.
    pub(super) root: String,
}

impl Hierarchy {
    /// Finds it among what is mounted below `sysfs`. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`SourceError::NoController`] where there is none.
    pub(super) fn find(
        sysfs: &Sysfs,
        procfs: &Procfs,
        buffer: &mut Vec<u8>,
    ) -> Result<Hierarchy, SourceError> {
        let mounted = mounted(sysfs, procfs, buffer);
        let usual = USUAL.map(|(place, version)| Hierarchy {
            sysfs: sysfs.clone(),
            place: PathBuf::from(place),
            version,
            root: String::new(),
        });
        let mut all = mounted.into_iter().chain(usual);
        let found = all.find(|hierarchy| {
            let dir = hierarchy.sysfs.cgroup_dir(&hierarchy.place);
            dir.is_ok_and(|dir| has_memory(&dir, hierarchy.version, buffer))
        });
        found.ok_or_else(|| SourceError::NoController { path: sysfs.whole(Path::new("fs/cgroup")) })
    }

    /// Opens the root of the hierarchy.
    ///
    /// # Errors
    /// [`SourceError::Read`], with the path.
    pub(super) fn open(&self) -> Result<CgroupDir, SourceError> {
        self.sysfs
            .cgroup_dir(&self.place)
            .map_err(|errno| SourceError::Read { path: self.sysfs.whole(&self.place), source: errno.into() })
    }

    /// Its path, for people.
    pub(super) fn path(&self) -> PathBuf {
        self.sysfs.whole(&self.place)
    }
}

/// Hierarchies that our mount namespace has below `sysfs`, those of v1 first: where both are, v1 has the controller
/// unless it says otherwise. Without a mountinfo there are none.
fn mounted(sysfs: &Sysfs, procfs: &Procfs, buffer: &mut Vec<u8>) -> Vec<Hierarchy> {
    let hierarchy = |mount: Mount<'_>| {
        let version = match (mount.is_memory_controller(), mount.is_unified()) {
            (true, _) => Version::V1,
            (_, true) => Version::V2,
            _ => return None,
        };
        let place = sysfs.place_of(&mount.point)?;
        // What lies above the root of our own cgroup namespace has no name here.
        let root = String::from_utf8_lossy(&mount.root).trim_end_matches('/').to_string();
        let root = if root.starts_with("/..") { String::new() } else { root };
        Some(Hierarchy { sysfs: sysfs.clone(), place, version, root })
    };
    let found =
        procfs.parse("self/mountinfo", buffer, |text| Ok(mounts(text).filter_map(hierarchy).collect()));
    let mut found: Vec<_> = found.unwrap_or_default();
    found.sort_by_key(|hierarchy| hierarchy.version == Version::V2);
    found
}

/// Whether memory is accounted to the cgroups below this root.
fn has_memory(root: &CgroupDir, version: Version, buffer: &mut Vec<u8>) -> bool {
    match version {
        Version::V1 => root.read(c"memory.stat", buffer).is_ok(),
        Version::V2 => {
            root.read(c"cgroup.controllers", buffer).is_ok()
                && buffer.split(u8::is_ascii_whitespace).any(|name| name == b"memory")
        }
    }
}
