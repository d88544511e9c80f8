//! Builds the files of a made-up system in a temporary directory.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::Roots;
use crate::config::RootsConfig;

const MEMINFO: &str = "MemTotal: 1000000 kB\nMemFree: 500000 kB\n";
const STAT: &str = "cpu  1 2 3\nbtime 1700000000\nprocesses 99\n";
const UPTIME: &str = "1000.50 1800.00\n";

/// The roots of the machine that the tests run on.
pub(super) fn live_roots() -> Roots {
    Roots::open(&RootsConfig { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() }).unwrap()
}

/// A machine with `proc` and no processes, booted at 1700000000 and up for 1000.5 seconds. Gone when dropped.
pub(super) struct FakeSystem {
    dir: TempDir,
}

impl FakeSystem {
    pub(super) fn new() -> FakeSystem {
        let system = FakeSystem { dir: tempfile::tempdir().unwrap() };
        system.write("proc/meminfo", MEMINFO);
        system.write("proc/stat", STAT);
        system.write("proc/uptime", UPTIME);
        system
    }

    pub(super) fn config(&self) -> RootsConfig {
        RootsConfig { procfs: self.path("proc"), sysfs: self.path("sys"), rootfs: self.path("") }
    }

    pub(super) fn roots(&self) -> Roots {
        Roots::open(&self.config()).unwrap()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn create_dir(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
    }

    pub(super) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), contents).unwrap();
    }

    /// Removes a file, or a directory with all that is in it.
    pub(super) fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(self.path(target), self.path(name)).unwrap();
    }

    /// Replaces what is there by a link to itself, which is not gone and can't be followed.
    pub(super) fn tangle(&self, name: &str) {
        let link = self.path(name);
        self.remove(name);
        std::os::unix::fs::symlink(link.file_name().unwrap(), &link).unwrap();
    }

    /// By which number its procfs knows us.
    pub(super) fn show_as(&self, pid: &str) {
        let link = self.path("proc/self");
        fs::remove_file(&link).ok();
        std::os::unix::fs::symlink(pid, link).unwrap();
    }

    /// Open files of a process, numbered from 0, by what their links say.
    pub(super) fn descriptors(&self, pid: u32, links: &[&str]) {
        let dir = self.path(&format!("proc/{pid}/fd"));
        fs::remove_dir_all(&dir).ok();
        fs::create_dir_all(&dir).unwrap();
        for (number, link) in links.iter().enumerate() {
            std::os::unix::fs::symlink(link, dir.join(number.to_string())).unwrap();
        }
    }

    /// So many mappings of a process.
    pub(super) fn mappings(&self, pid: u32, count: usize) {
        let line = "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n";
        self.write(&format!("proc/{pid}/maps"), line.repeat(count));
    }

    /// A process to be changed and written; writing it again replaces it.
    pub(super) fn process(&self, pid: u32) -> FakeProcess<'_> {
        FakeProcess {
            system: self,
            pid,
            comm: b"app".to_vec(),
            state: 'S',
            flags: 0x0040_0000,
            start_time: 10_000,
            uid: 0,
            memory: memory(1000),
            cgroup: "0::/system.slice/app.service\n".to_string(),
            limits: ("unlimited".to_string(), "unlimited".to_string()),
        }
    }
}

/// A process of a [`FakeSystem`].
pub(super) struct FakeProcess<'a> {
    system: &'a FakeSystem,
    pid: u32,
    comm: Vec<u8>,
    state: char,
    flags: u32,
    start_time: u64,
    uid: u32,
    memory: String,
    cgroup: String,
    limits: (String, String),
}

impl FakeProcess<'_> {
    pub(super) fn comm(mut self, comm: &[u8]) -> Self {
        self.comm = comm.to_vec();
        self
    }

    pub(super) fn state(mut self, state: char) -> Self {
        self.state = state;
        self
    }

    pub(super) fn start_time(mut self, ticks: u64) -> Self {
        self.start_time = ticks;
        self
    }

    pub(super) fn uid(mut self, uid: u32) -> Self {
        self.uid = uid;
        self
    }

    pub(super) fn cgroup(mut self, text: &str) -> Self {
        self.cgroup = text.to_string();
        self
    }

    pub(super) fn limits(mut self, data: &str, address_space: &str) -> Self {
        self.limits = (data.to_string(), address_space.to_string());
        self
    }

    /// With so many KiB of anonymous memory.
    pub(super) fn anon(mut self, kibibytes: u64) -> Self {
        self.memory = memory(kibibytes);
        self
    }

    pub(super) fn kernel_thread(mut self) -> Self {
        self.flags |= 0x0020_0000;
        self.without_memory()
    }

    pub(super) fn without_memory(mut self) -> Self {
        self.memory.clear();
        self
    }

    /// A kernel before 4.5, which does not split what is resident.
    pub(super) fn old_kernel(mut self) -> Self {
        self.memory = "VmSize: 10000 kB\nVmRSS: 3300 kB\nVmData: 5000 kB\nVmSwap: 40 kB\n".to_string();
        self
    }

    pub(super) fn write(self) {
        let file = |name: &str, contents: &[u8]| {
            self.system.write(&format!("proc/{}/{name}", self.pid), contents);
        };
        file("stat", &self.stat());
        file("status", &self.status());
        file("cgroup", self.cgroup.as_bytes());
        let (data, address_space) = &self.limits;
        let limits = format!(
            "Max data size {data} unlimited bytes\nMax open files 1024 4096 files\nMax address space {address_space} 9 bytes\n"
        );
        file("limits", limits.as_bytes());
    }

    /// Of all its files only this one.
    pub(super) fn write_status(self) {
        self.system.write(&format!("proc/{}/status", self.pid), self.status());
    }

    fn stat(&self) -> Vec<u8> {
        let FakeProcess { pid, state, flags, start_time, .. } = self;
        let before = format!("{pid} (");
        let after =
            format!(") {state} 1 1 1 0 -1 {flags} 9 0 0 0 250 75 8 1 20 0 3 0 {start_time} 10240000 825 0\n");
        [before.as_bytes(), &self.comm, after.as_bytes()].concat()
    }

    /// Escapes the name as the kernel does.
    fn status(&self) -> Vec<u8> {
        let FakeProcess { pid, state, uid, memory, .. } = self;
        let escape = |byte: &u8| match byte {
            b'\n' => b"\\n".to_vec(),
            b'\\' => b"\\\\".to_vec(),
            byte => vec![*byte],
        };
        let name: Vec<u8> = self.comm.iter().flat_map(escape).collect();
        let after = format!(
            "\nState:\t{state} (any)\nTgid:\t{pid}\nPid:\t{pid}\nUid:\t1000\t{uid}\t1000\t1000\n{memory}Threads:\t3\n"
        );
        [b"Name:\t", &name[..], after.as_bytes()].concat()
    }
}

/// What `status` says of memory.
fn memory(anon: u64) -> String {
    format!(
        "VmSize: 10000 kB\nVmRSS: 3300 kB\nRssAnon: {anon} kB\nRssFile: 2000 kB\nRssShmem: 300 kB\n\
         VmData: 5000 kB\nVmSwap: 40 kB\n"
    )
}
