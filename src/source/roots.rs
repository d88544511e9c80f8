//! Where the watched system's files are. The only place that joins paths below its roots.

use std::ffi::{CStr, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, Stat, StatxFlags, fstat, fstatfs, openat2,
    readlinkat, stat, statx,
};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::{Arg, DecInt};

use super::SourceError;
use super::bounded::{each_entry, open, read_file, regular};
use super::cgroup::CgroupDir;
use super::pid_dir::PidDir;
use crate::config::RootsConfig;
use crate::parse::ParseError;

/// Most bytes of a file of the whole system. /proc/stat has a figure for every interrupt.
const MAX_FILE_BYTES: usize = 1 << 20;

/// Most bytes of a boot id, which has 37.
const BOOT_ID_BYTES: usize = 64;

/// Most names that are looked at in a directory of kubelet's. A node has a few hundred.
const MAX_LOGS: usize = 100_000;

/// Bytes of directory entries that one getdents64(2) may return: about 1000 processes.
pub(super) const DIRECTORY_BYTES: usize = 32 << 10;

/// Files without which a directory is no procfs that we can use.
const NEEDED: [&str; 3] = ["meminfo", "stat", "uptime"];

const PROCFS_FLAG: &str = "--path.procfs";
const ROOTFS_FLAG: &str = "--path.rootfs";
const SYSFS_FLAG: &str = "--path.sysfs";

/// The roots of the watched system, kept open: a directory that is mounted over later changes nothing.
#[derive(Clone, Debug)]
pub struct Roots {
    procfs: Procfs,
    rootfs: Rootfs,
    sysfs: PathBuf,
}

impl Roots {
    /// Opens the directories that `config` names, but for sysfs, which a system need not have.
    ///
    /// # Errors
    /// [`SourceError::Root`] for a directory that can't be opened, and for a procfs that lacks a file that every
    /// procfs has or lets us read none.
    pub fn open(config: &RootsConfig) -> Result<Roots, SourceError> {
        let procfs = Procfs(Root::open(&config.procfs, PROCFS_FLAG)?);
        procfs.check()?;
        let rootfs = Rootfs::new(Root::open(&config.rootfs, ROOTFS_FLAG)?);
        Ok(Roots { procfs, rootfs, sysfs: config.sysfs.clone() })
    }

    /// Whether procfs is this system's own.
    pub(super) fn is_live(&self) -> bool {
        self.procfs.is_live()
    }

    /// The process file system.
    pub(super) fn procfs(&self) -> &Procfs {
        &self.procfs
    }

    /// The file system that the watched processes see.
    pub(super) fn rootfs(&self) -> &Rootfs {
        &self.rootfs
    }

    /// The file system of devices and cgroups.
    ///
    /// # Errors
    /// [`SourceError::Root`] when it can't be opened.
    pub(super) fn sysfs(&self) -> Result<Sysfs, SourceError> {
        Root::open(&self.sysfs, SYSFS_FLAG).map(Sysfs)
    }
}

/// An open directory, cheap to clone.
#[derive(Clone, Debug)]
struct Root {
    path: Arc<Path>,
    fd: Arc<OwnedFd>,
}

impl Root {
    fn open(path: &Path, flag: &'static str) -> Result<Root, SourceError> {
        let fd = open(CWD, path, directory()).map_err(|errno| root_error(path, flag, errno))?;
        Ok(Root { path: Arc::from(path), fd: Arc::new(fd) })
    }

    fn below(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// The process file system, or a directory that looks like it (proc(5)).
#[derive(Clone, Debug)]
pub(super) struct Procfs(Root);

impl Procfs {
    /// Whether this is what /proc shows to us, so that libraries that know no other place may be asked.
    pub(super) fn is_live(&self) -> bool {
        is_same(fstat(&self.0.fd), stat("/proc"))
    }

    /// Whether this is the kernel's own, and no directory that looks like it: sizes of directories mean something then.
    pub(super) fn is_genuine(&self) -> bool {
        fstatfs(&self.0.fd).is_ok_and(|system| system.f_type == PROC_SUPER_MAGIC)
    }

    /// Whether it numbers processes as we do. That of another pid namespace calls us by another number, or does not know
    /// us.
    pub(super) fn has_our_pids(&self) -> bool {
        let ours = std::process::id().to_string();
        readlinkat(&self.0.fd, "self", Vec::new()).is_ok_and(|link| link.as_bytes() == ours.as_bytes())
    }

    /// Reads a file of the whole system and makes sense of it; `buffer` is scratch space.
    ///
    /// # Errors
    /// [`SourceError::Read`] or [`SourceError::Parse`], with the path.
    pub(super) fn parse<T>(
        &self,
        name: &str,
        buffer: &mut Vec<u8>,
        parser: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, SourceError> {
        read_file(&self.0.fd, name, MAX_FILE_BYTES, buffer)
            .map_err(|errno| SourceError::Read { path: self.0.below(name), source: errno.into() })?;
        parser(buffer).map_err(|source| SourceError::Parse { path: self.0.below(name), source })
    }

    /// The id that the kernel drew when it started (random(4)); `None` where there is no such file.
    pub(super) fn boot_id(&self) -> Option<String> {
        let mut buffer = Vec::new();
        read_file(&self.0.fd, "sys/kernel/random/boot_id", BOOT_ID_BYTES, &mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer).trim_end().to_string())
    }

    /// Replaces the contents of `pids` by the ids of all processes, rising. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`SourceError::Read`] when the directory can't be listed to its end.
    pub(super) fn pids(&self, buffer: &mut Vec<u8>, pids: &mut Vec<u32>) -> Result<(), SourceError> {
        pids.clear();
        self.list(buffer, |name| pids.extend(pid(name)))
            .map_err(|errno| SourceError::Read { path: self.0.path.to_path_buf(), source: errno.into() })?;
        pids.sort_unstable();
        // 7 and 007 are one process, in a directory that only looks like procfs.
        pids.dedup();
        Ok(())
    }

    /// Replaces the contents of `buffer` by `stat` of a process, which tells itself of which life of the pid it is: where nothing
    /// else is read, its directory need not be opened.
    ///
    /// # Errors
    /// What openat(2) and read(2) say.
    pub(super) fn stat(&self, pid: u32, buffer: &mut Vec<u8>) -> Result<(), Errno> {
        read_file(&self.0.fd, format!("{pid}/stat").as_str(), MAX_FILE_BYTES, buffer)
    }

    /// The directory of one process.
    ///
    /// # Errors
    /// What openat(2) says; `ENOENT` for a process that is gone.
    pub(super) fn pid_dir(&self, pid: u32) -> Result<PidDir, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(&self.0.fd, DecInt::new(pid).as_c_str(), flags).map(PidDir::new)
    }

    fn check(&self) -> Result<(), SourceError> {
        for name in NEEDED {
            open(&self.0.fd, name, regular())
                .map_err(|errno| root_error(&self.0.below(name), PROCFS_FLAG, errno))?;
        }
        Ok(())
    }

    /// Opens the directory anew each time, because a kept descriptor would also keep its position.
    fn list(&self, buffer: &mut Vec<u8>, mut each: impl FnMut(&CStr)) -> Result<(), Errno> {
        each_entry(open(&self.0.fd, ".", directory())?, DIRECTORY_BYTES, buffer, |entry| {
            each(entry.file_name());
            true
        })
    }
}

/// The file system of devices and cgroups (sysfs(5), cgroups(7)).
#[derive(Clone, Debug)]
pub(super) struct Sysfs(Root);

impl Sysfs {
    /// The place below this root of a directory that is mounted at `path`, as our own mount namespace has it.
    pub(super) fn place_of(&self, path: &[u8]) -> Option<PathBuf> {
        let path = Path::new(OsStr::from_bytes(path));
        path.strip_prefix(&self.0.path).ok().map(Path::to_path_buf)
    }

    /// Opens the directory at `place`; the root itself where that is empty.
    ///
    /// # Errors
    /// What openat(2) says.
    pub(super) fn cgroup_dir(&self, place: &Path) -> Result<CgroupDir, Errno> {
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        open(&self.0.fd, place, directory()).map(CgroupDir::new)
    }

    /// The whole path of a place, for people.
    pub(super) fn whole(&self, place: &Path) -> PathBuf {
        self.0.path.join(place)
    }
}

/// Which directories of kubelet's logs there are, and when they last changed: inode, seconds and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogStamps([Option<(u64, i64, u32)>; 2]);

/// The file system that the watched processes see. Where it is not our own, links in it mean what they mean to these processes:
/// none leads out of it.
#[derive(Clone, Debug)]
pub(super) struct Rootfs {
    root: Root,
    is_ours: bool,
}

impl Rootfs {
    /// The file of user names.
    const PASSWD: &str = "etc/passwd";

    /// Where kubelet keeps the logs of pods.
    const POD_LOGS: &str = "var/log/pods";

    /// Where kubelet links the logs of containers.
    const CONTAINER_LOGS: &str = "var/log/containers";

    fn new(root: Root) -> Rootfs {
        let is_ours = is_same(fstat(&root.fd), stat("/"));
        Rootfs { root, is_ours }
    }

    /// Opens the file of user names.
    ///
    /// # Errors
    /// What openat2(2) says.
    pub(super) fn passwd(&self) -> Result<OwnedFd, Errno> {
        self.open(Self::PASSWD, regular())
    }

    /// What statx(2) says about the directories in which kubelet keeps its logs; it changes whenever their names do.
    pub(super) fn log_stamps(&self) -> LogStamps {
        let stamp = |place| {
            let wanted = StatxFlags::INO | StatxFlags::MTIME;
            let dir = self.open(place, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC).ok()?;
            let file = statx(&dir, c"", AtFlags::EMPTY_PATH, wanted).ok()?;
            Some((file.stx_ino, file.stx_mtime.tv_sec, file.stx_mtime.tv_nsec))
        };
        LogStamps([Self::POD_LOGS, Self::CONTAINER_LOGS].map(stamp))
    }

    /// Calls `each` with the names below the directory in which kubelet keeps the logs of pods, until that says to stop.
    ///
    /// # Errors
    /// What openat2(2) and getdents64(2) say; `ENOENT` where there is no kubelet.
    pub(super) fn pod_logs(
        &self,
        buffer: &mut Vec<u8>,
        each: impl FnMut(&CStr) -> bool,
    ) -> Result<(), Errno> {
        self.list(Self::POD_LOGS, buffer, each)
    }

    /// Calls `each` with the names below the directory in which kubelet links the logs of containers, until that says to stop.
    ///
    /// # Errors
    /// What openat2(2) and getdents64(2) say; `ENOENT` where there is no kubelet.
    pub(super) fn container_logs(
        &self,
        buffer: &mut Vec<u8>,
        each: impl FnMut(&CStr) -> bool,
    ) -> Result<(), Errno> {
        self.list(Self::CONTAINER_LOGS, buffer, each)
    }

    fn list(
        &self,
        place: &str,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(&CStr) -> bool,
    ) -> Result<(), Errno> {
        let mut looked_at = 0;
        each_entry(self.open(place, directory())?, DIRECTORY_BYTES, buffer, |entry| {
            looked_at += 1;
            each(entry.file_name()) && looked_at < MAX_LOGS
        })
    }

    /// Opens what is at `place`.
    fn open(&self, place: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        if self.is_ours {
            return open(&self.root.fd, place, flags);
        }
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        match retry_on_intr(|| openat2(&self.root.fd, place, flags, Mode::empty(), resolve)) {
            // Linux before 5.6, and filters of containers that don't know it.
            Err(Errno::NOSYS | Errno::PERM) => self.open_without_links(place, flags),
            opened => opened,
        }
    }

    /// The same where the kernel can't keep links inside: there must be none on the way.
    fn open_without_links(&self, place: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let (way, last) = place.rsplit_once('/').unwrap_or((".", place));
        let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut dir = open(&self.root.fd, ".", step)?;
        for name in way.split('/') {
            dir = open(&dir, name, step)?;
        }
        open(&dir, last, flags | OFlags::NOFOLLOW)
    }
}

/// Whether two paths led to the same file.
fn is_same(one: Result<Stat, Errno>, other: Result<Stat, Errno>) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

pub(super) fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

fn root_error(path: &Path, flag: &'static str, errno: Errno) -> SourceError {
    SourceError::Root { path: path.to_path_buf(), flag, source: errno.into() }
}

/// A name of digits alone; /proc has much besides processes.
fn pid(name: &CStr) -> Option<u32> {
    let name = name.as_str().ok()?;
    name.bytes().all(|byte| byte.is_ascii_digit()).then(|| name.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{FakeSystem, live_roots};
    use super::*;

    #[test]
    fn missing_directories_name_their_flag() {
        let system = FakeSystem::new();
        let nowhere = system.path("nowhere");
        let error = Roots::open(&RootsConfig { procfs: nowhere.clone(), ..system.config() }).unwrap_err();
        let text = format!(
            "cannot open {}: No such file or directory (os error 2); give the right directory with --path.procfs",
            nowhere.display()
        );
        assert_eq!(error.to_string(), text);
        let error = Roots::open(&RootsConfig { rootfs: nowhere, ..system.config() }).unwrap_err();
        assert!(error.to_string().ends_with("--path.rootfs"), "{error}");
    }

    #[test]
    fn a_directory_that_is_no_procfs_is_refused() {
        for name in NEEDED {
            let system = FakeSystem::new();
            system.remove(&format!("proc/{name}"));
            let error = Roots::open(&system.config()).unwrap_err().to_string();
            assert!(error.contains(&format!("/proc/{name}: No such file")), "{error}");
            assert!(error.ends_with("give the right directory with --path.procfs"), "{error}");
        }
    }

    #[test]
    fn a_file_is_no_directory() {
        let system = FakeSystem::new();
        let config = RootsConfig { procfs: system.path("proc/stat"), ..system.config() };
        assert!(matches!(Roots::open(&config), Err(SourceError::Root { .. })));
    }

    #[test]
    fn only_numbers_are_processes() {
        let system = FakeSystem::new();
        for name in ["10", "9", "self", "1a", "4294967296", "-3", "٣"] {
            system.create_dir(&format!("proc/{name}"));
        }
        let mut pids = vec![77];
        let procfs = system.roots().procfs().clone();
        procfs.pids(&mut Vec::new(), &mut pids).unwrap();
        assert_eq!(pids, [9, 10]);
        procfs.pids(&mut Vec::new(), &mut pids).unwrap();
        assert_eq!(pids, [9, 10]);
    }

    #[test]
    fn more_processes_than_one_read_returns_are_all_listed() {
        let system = FakeSystem::new();
        (1..=3000).for_each(|pid| system.create_dir(&format!("proc/{pid}")));
        let mut pids = Vec::new();
        system.roots().procfs().pids(&mut Vec::new(), &mut pids).unwrap();
        assert_eq!(pids, (1..=3000).collect::<Vec<u32>>());
    }

    #[test]
    fn files_of_the_system_are_bounded_and_errors_carry_the_path() {
        let system = FakeSystem::new();
        let procfs = system.roots().procfs().clone();
        system.write("proc/meminfo", vec![b'x'; MAX_FILE_BYTES + 1]);
        let error = procfs.parse("meminfo", &mut Vec::new(), |_| Ok(())).unwrap_err().to_string();
        assert!(error.contains("/proc/meminfo: File too large"), "{error}");
        let error = procfs.parse("stat", &mut Vec::new(), |_| Err::<(), _>(ParseError::Missing("x")));
        assert!(error.unwrap_err().to_string().ends_with("/proc/stat: field x is missing"));
    }

    #[test]
    fn where_the_kernel_cannot_keep_links_inside_there_must_be_none() {
        let system = FakeSystem::new();
        system.write("etc/passwd", "root");
        let rootfs = system.roots().rootfs().clone();
        assert!(!rootfs.is_ours && live_roots().rootfs().is_ours);
        let open = |place| rootfs.open_without_links(place, regular());
        assert!(open("etc/passwd").is_ok());
        system.link("etc/passwd", "etc/link");
        system.link("etc", "linked");
        assert_eq!(open("etc/link").unwrap_err(), Errno::LOOP);
        assert_eq!(open("linked/passwd").unwrap_err(), Errno::NOTDIR);
        assert_eq!(open("etc/missing").unwrap_err(), Errno::NOENT);
        assert!(rootfs.open("linked/passwd", regular()).is_err(), "it leads out");
        assert!(live_roots().rootfs().open("proc/self/stat", regular()).is_ok());
    }

    #[test]
    fn only_the_real_procfs_is_live() {
        let fake = FakeSystem::new().roots().procfs().clone();
        assert!(!fake.is_live() && !fake.is_genuine());
        let config = RootsConfig { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() };
        let live = Roots::open(&config).unwrap().procfs().clone();
        assert!(live.is_live() && live.is_genuine());
    }

    #[test]
    fn processes_are_numbered_as_we_do_where_we_have_our_own_number() {
        let system = FakeSystem::new();
        assert!(!system.roots().procfs().has_our_pids(), "it does not know us");
        system.show_as("1");
        assert!(!system.roots().procfs().has_our_pids());
        system.show_as(&std::process::id().to_string());
        assert!(system.roots().procfs().has_our_pids());
        assert!(live_roots().procfs().has_our_pids());
    }
}
