//! One short read tells whether anything has changed of a process: most are idle, and what is known of them is told again.
//!
//! The directory of each process is kept open, so that a look takes a third of what it takes to open that and to read all
//! that there is. The kernel ties it to one life of the pid: of one that is gone it says ENOENT or ESRCH. What is read is
//! `statm`: the size of the address space and what is resident of it by kind, so that whoever maps, unmaps, touches, is
//! swapped out, starts a thread or executes another program changes it. To keep `statm` itself open would be faster by
//! another three microseconds, at 4.4 KiB of the kernel's memory each: its reads have a page of their own for as long as it is
//! open. Of a directory that is kept the kernel holds 0.2 KiB more than it does in any case.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::super::pid_dir::{PidDir, Unread};
use crate::sample::Sample;

/// Everything is read of each process with every so many ticks at the latest: its name, its user, its CPU time and its
/// descriptors may change while `statm` does not.
pub(super) const READ_EVERY: u64 = 8;

/// Most directories that are kept open.
const MOST: u64 = 16_384;

/// Descriptors that all else may need: connections, files that are being read, and those of libraries.
const RESERVED: u64 = 512;

/// What was seen of each process when it last changed.
#[derive(Debug)]
pub(super) struct Kept {
    lives: HashMap<u32, Life>,
    room: usize,
    pass: u64,
}

#[derive(Debug)]
struct Life {
    dir: Arc<PidDir>,
    /// Of what `statm` was before the sample was taken: a change meanwhile is seen the next time.
    digest: u64,
    /// `None` for what has no memory: a thread of the kernel, a zombie.
    sample: Option<Sample>,
    seen_in_pass: u64,
}

/// What one look shows.
#[derive(Clone, Debug)]
pub(super) enum Glance {
    /// Nothing is known of it.
    New,
    /// Something has changed, or it is time to read everything again, in this directory.
    Changed(Arc<PidDir>),
    /// Nothing has changed.
    Same(Arc<PidDir>),
}

impl Kept {
    /// Keeps nothing yet; and never does, where the directory is not the kernel's own and only looks like it.
    pub(super) fn new(is_genuine: bool) -> Kept {
        let room = if is_genuine { room() } else { 0 };
        Kept { lives: HashMap::new(), room, pass: 0 }
    }

    /// Looks at a process. `buffer` is scratch space.
    pub(super) fn glance(&mut self, pid: u32, buffer: &mut Vec<u8>) -> Glance {
        let Some(life) = self.lives.get_mut(&pid) else { return Glance::New };
        let Ok(digest) = life.dir.digest(c"statm", buffer) else {
            self.lives.remove(&pid);
            return Glance::New;
        };
        life.seen_in_pass = self.pass;
        let dir = Arc::clone(&life.dir);
        let has_changed = std::mem::replace(&mut life.digest, digest) != digest;
        // The pid spreads the work: all processes that we found at our start would be due at once otherwise.
        if has_changed || (u64::from(pid) + self.pass).is_multiple_of(READ_EVERY) {
            return Glance::Changed(dir);
        }
        Glance::Same(dir)
    }

    /// What was last seen of a process.
    pub(super) fn sample(&self, pid: u32) -> Option<&Sample> {
        self.lives.get(&pid)?.sample.as_ref()
    }

    /// Begins to keep a process, if there is room: to be called before everything is read of it. `buffer` is scratch
    /// space.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn begin(
        &mut self,
        pid: u32,
        dir: PidDir,
        buffer: &mut Vec<u8>,
    ) -> Result<Arc<PidDir>, Unread> {
        let dir = Arc::new(dir);
        if self.lives.len() < self.room {
            let digest = dir.digest(c"statm", buffer)?;
            let life = Life { dir: Arc::clone(&dir), digest, sample: None, seen_in_pass: self.pass };
            self.lives.insert(pid, life);
        }
        Ok(dir)
    }

    /// Keeps what was seen of a process, if it is one that is kept.
    pub(super) fn keep(&mut self, pid: u32, sample: Option<&Sample>) {
        if let Some(life) = self.lives.get_mut(&pid) {
            life.sample = sample.cloned();
        }
    }

    /// Keeps nothing of a process that could not be read: it is to be tried again.
    pub(super) fn forget(&mut self, pid: u32) {
        self.lives.remove(&pid);
    }

    /// Ends a pass over all processes: who was not seen in it is forgotten.
    pub(super) fn end_pass(&mut self) {
        self.lives.retain(|_, life| life.seen_in_pass == self.pass);
        self.pass += 1;
    }
}

/// How many directories may be kept. Like others that need many descriptors, we take what the hard limit grants.
fn room() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(MOST + RESERVED);
    let raised = Rlimit { current: Some(wanted), maximum };
    let granted = match current {
        Some(current) if current < wanted && setrlimit(Resource::Nofile, raised).is_ok() => wanted,
        Some(current) => current,
        None => u64::MAX,
    };
    usize::try_from(granted.saturating_sub(RESERVED).min(MOST)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::fixture::{FakeSystem, live_roots};

    fn glance(kept: &mut Kept, pid: u32) -> Glance {
        kept.glance(pid, &mut Vec::new())
    }

    #[test]
    fn what_has_not_changed_is_told_again_and_now_and_then_read_anew() {
        let roots = live_roots();
        // The first process of the machine, or of our container, has long been there and is not ours to change.
        let dir = roots.procfs().pid_dir(1).unwrap();
        let mut kept = Kept::new(true);
        assert!(matches!(glance(&mut kept, 1), Glance::New));
        kept.begin(1, dir, &mut Vec::new()).unwrap();
        kept.end_pass();
        let mut same = 0;
        for _ in 0..3 * READ_EVERY {
            match glance(&mut kept, 1) {
                Glance::Same(_) => same += 1,
                Glance::Changed(_) => {}
                Glance::New => panic!("it is kept"),
            }
            kept.end_pass();
        }
        assert!(same <= 3 * (READ_EVERY - 1), "{same}");
        kept.end_pass();
        assert!(matches!(glance(&mut kept, 1), Glance::New), "who is not seen is forgotten");
    }

    #[test]
    fn a_change_of_memory_is_seen() {
        let roots = live_roots();
        let pid = std::process::id();
        let dir = roots.procfs().pid_dir(pid).unwrap();
        let mut kept = Kept::new(true);
        kept.begin(pid, dir, &mut Vec::new()).unwrap();
        let before = kept.lives[&pid].digest;
        let taken = vec![1_u8; 64 << 20];
        assert!(matches!(glance(&mut kept, pid), Glance::Changed(_)));
        assert_ne!(kept.lives[&pid].digest, before);
        drop(taken);
    }

    #[test]
    fn nothing_is_kept_of_a_directory_that_only_looks_like_procfs() {
        let system = FakeSystem::new();
        system.write("proc/7/statm", "1 2 3 4 5 6 7\n");
        let mut kept = Kept::new(system.roots().procfs().is_genuine());
        kept.begin(7, system.roots().procfs().pid_dir(7).unwrap(), &mut Vec::new()).unwrap();
        assert!(kept.lives.is_empty());
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let roots = live_roots();
        let dir = || roots.procfs().pid_dir(1).unwrap();
        let mut kept = Kept { room: 1, ..Kept::new(true) };
        kept.begin(1, dir(), &mut Vec::new()).unwrap();
        kept.begin(2, dir(), &mut Vec::new()).unwrap();
        assert_eq!(kept.lives.len(), 1);
        assert!(room() as u64 <= MOST);
    }
}
