//! Cgroups that are made for a test and do not outlive it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::or_skipped;
use super::process::{Process, Program};
use super::wait::until;

/// Where the memory controller is, by version: its root, and the file with a cgroup's limit.
const HIERARCHIES: [(&str, &str); 3] = [
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
    ("/sys/fs/cgroup", "memory.max"),
    ("/sys/fs/cgroup/unified", "memory.max"),
];

/// A cgroup with memory of its own.
pub(crate) struct Cgroup {
    directory: PathBuf,
    /// As the exporter names it.
    pub(crate) path: String,
}

impl Cgroup {
    /// A new cgroup, limited to so many bytes; `None`, and a line that says so, where none can be made: that needs root.
    pub(crate) fn new(name: &str, limit: Option<u64>) -> Option<Cgroup> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = format!("/memleak-{name}-{}-{number}", std::process::id());
        let made = HIERARCHIES.iter().find_map(|(root, file)| Some((make(root, &path, file)?, file)));
        let (directory, file) =
            or_skipped(made, "right to make a cgroup with a memory controller: run it as root")?;
        let cgroup = Cgroup { directory, path };
        if let Some(bytes) = limit {
            fs::write(cgroup.directory.join(file), bytes.to_string()).expect("a limit");
        }
        Some(cgroup)
    }

    /// A leaky of this name that has been in here from its first byte on.
    pub(crate) fn leaky(&self, name: &str, arguments: &[&str]) -> Process {
        let leaky = Program::leaky();
        let enter = "echo $$ >\"$0\"/cgroup.procs && exec \"$@\"";
        let inside = Program::new("sh").args(&["-c", enter]).arg(&self.directory).arg(leaky.path());
        let inside = inside.args(arguments).args(&["--name", name]).start();
        until("leaky to take its name", super::wait::SOON, || {
            (inside.name().as_deref() == Some(name)).then_some(())
        });
        inside
    }

    /// A number in one of its files.
    pub(crate) fn number(&self, names: [&str; 2]) -> u64 {
        let read = |name: &&str| fs::read_to_string(self.directory.join(name)).ok();
        let text = names.iter().find_map(read).expect("one of the files");
        text.trim().parse().expect("a number")
    }
}

fn make(root: &str, path: &str, limit: &str) -> Option<PathBuf> {
    // Without effect on v1, and where it is so already.
    let _ = fs::write(Path::new(root).join("cgroup.subtree_control"), "+memory");
    let directory = PathBuf::from(format!("{root}{path}"));
    fs::create_dir(&directory).ok()?;
    if directory.join(limit).is_file() {
        return Some(directory);
    }
    let _ = fs::remove_dir(&directory);
    None
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Who was in it has been waited for; the kernel may need a moment to notice.
        until("a cgroup to be empty", Duration::from_secs(10), || fs::remove_dir(&self.directory).ok());
    }
}
