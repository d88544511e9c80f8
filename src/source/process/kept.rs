//! One short read tells whether anything has changed of a process: most are idle, and what is known of them is told again.
//!
//! What is read is `statm`: the size of the address space and what is resident of it by kind, so that whoever maps, unmaps,
//! touches, is swapped out, starts a thread or executes another program changes it. The file is kept open, as a look then
//! takes a tenth of what it takes to open and to read all that there is. The kernel ties it to one life of the pid: of one
//! that is gone it says ESRCH. Its reads have a page of their own for as long as it is open, 4.4 KiB in all, which is charged
//! to our cgroup and is none of our resident memory; so that beyond some thousands only the directory is kept, at 0.2 KiB
//! and three more microseconds for each look.

use std::os::fd::OwnedFd;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::super::pid_dir::{Digest, PidDir, Unread, digest_of};
use super::files::Restless;

/// A process whose `statm` stays the same is asked with every so many ticks whether it runs at all: its name, its CPU time and
/// its descriptors may change meanwhile.
pub(super) const STAT_EVERY: u64 = 8;

/// Everything is read of one that does not even run with every so many ticks: CPU time is told in hundredths of a second, so
/// that it may have done a little.
pub(super) const READ_EVERY: u64 = 4 * STAT_EVERY;

/// One whose `statm` was the same at so many looks in a row has half as many looks as others, of each kind: what begins to
/// grow is seen one tick later.
pub(super) const STILL: u8 = 64;

/// One whose memory was another at so many looks in a row is restless: all that is read of it is kept open.
pub(super) const RESTLESS: u8 = 4;

/// One that was restless and whose memory was the same at so many looks in a row is so no more.
pub(super) const CALM: u8 = 8;

/// What is to be read of a process, where `statm` is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Not even `statm`: it is told again.
    Nothing,
    /// `statm`: it is told again if that is as it was.
    Statm,
    /// Whether it has run meanwhile; if so, everything.
    Stat,
    /// All that there is to know.
    Everything,
}

impl Turn {
    /// Whose turn it is, by a number that rises by one with each pass, of one that was the same at so many looks in a row.
    pub(super) fn of(number: u64, same: u8) -> Turn {
        let every = if same < STILL { 1 } else { 2 };
        match number {
            _ if number.is_multiple_of(every * READ_EVERY) => Turn::Everything,
            _ if number.is_multiple_of(every * STAT_EVERY) => Turn::Stat,
            _ if number.is_multiple_of(every) => Turn::Statm,
            _ => Turn::Nothing,
        }
    }
}

/// Most files that are kept open: 70 MiB of the kernel's memory.
const FILES: usize = 16_384;

/// Most descriptors that are kept open, of files and of directories.
const MOST: usize = 65_536;

/// Descriptors that all else may need: connections, files that are being read, and those of libraries.
const RESERVED: u64 = 512;

/// What is kept open of one life of a pid.
#[derive(Debug)]
pub(super) enum Kept {
    /// Its `statm`.
    File(OwnedFd),
    /// Its directory.
    Dir(PidDir),
    /// All that is read of one that is restless.
    Restless(Box<Restless>),
}

impl Kept {
    /// What stands for what `statm` says; `None` of what is read in any case. `buffer` is scratch space.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn digest(&self, buffer: &mut Vec<u8>) -> Result<Option<Digest>, Unread> {
        match self {
            Kept::File(file) => digest_of(file).map(Some),
            Kept::Dir(dir) => dir.digest(c"statm", buffer).map(Some),
            Kept::Restless(_) => Ok(None),
        }
    }

    /// How many files and directories it is.
    fn size(&self) -> (usize, usize) {
        match self {
            Kept::File(_) => (1, 0),
            Kept::Dir(_) => (0, 1),
            Kept::Restless(_) => (Restless::FILES, 1),
        }
    }
}

/// How much more may be kept open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    files: usize,
    all: usize,
}

impl Room {
    /// None, where the directory is not the kernel's own and only looks like it. Else as much as the hard limit on
    /// descriptors grants, which we take as others do that need many.
    pub(super) fn new(is_genuine: bool) -> Room {
        let all = if is_genuine { granted() } else { 0 };
        Room { files: all.min(FILES), all }
    }

    /// How many processes it is room for.
    pub(super) fn number(self) -> usize {
        self.all
    }

    /// Whether nothing of `most` is left, and that was less than we would have taken.
    pub(super) fn is_short_beside(self, most: Room) -> bool {
        self.all == 0 && most.all < MOST
    }

    /// What is left of it beside those that are kept.
    pub(super) fn beside<'a>(self, kept: impl Iterator<Item = &'a Kept>) -> Room {
        kept.fold(self, |room, kept| room.less(kept))
    }

    /// Keeps the file of the life in `dir` open, if there is room.
    pub(super) fn keep_file(&mut self, dir: &PidDir) -> Option<Kept> {
        let has_room = self.files > 0 && self.all > 0;
        let kept = has_room.then(|| dir.open(c"statm").ok()).flatten().map(Kept::File);
        self.take(kept)
    }

    /// Keeps the directory of a life open, if there is room.
    pub(super) fn keep_dir(&mut self, dir: PidDir) -> Option<Kept> {
        let kept = (self.all > 0).then_some(Kept::Dir(dir));
        self.take(kept)
    }

    /// Keeps all open that is read of the life in `dir`, if there is room.
    pub(super) fn keep_restless(&mut self, dir: PidDir) -> Option<Kept> {
        let has_room = self.files >= Restless::FILES && self.all > Restless::FILES;
        let kept = has_room.then(|| Restless::open(dir).ok()).flatten();
        self.take(kept.map(|restless| Kept::Restless(Box::new(restless))))
    }

    fn take(&mut self, kept: Option<Kept>) -> Option<Kept> {
        *self = self.beside(kept.iter());
        kept
    }

    fn less(self, kept: &Kept) -> Room {
        let (files, dirs) = kept.size();
        Room { files: self.files.saturating_sub(files), all: self.all.saturating_sub(files + dirs) }
    }
}

fn granted() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(u64::MAX).min(MOST as u64 + RESERVED);
    let raised = Rlimit { current: Some(wanted), maximum };
    let granted = match current {
        Some(current) if current < wanted && setrlimit(Resource::Nofile, raised).is_ok() => wanted,
        Some(current) => current,
        None => u64::MAX,
    };
    usize::try_from(granted.saturating_sub(RESERVED)).unwrap_or(MOST).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;
    use crate::source::fixture::live_roots;

    #[test]
    fn looks_are_spread_and_rarer_at_what_stays_still() {
        let turns =
            |pid: u64, same| -> Vec<Turn> { (0..64).map(|pass| Turn::of(pid + pass, same)).collect() };
        let count = |turns: &[Turn], wanted| turns.iter().filter(|turn| **turn == wanted).count();
        let kinds = [Turn::Nothing, Turn::Statm, Turn::Stat, Turn::Everything];
        for pid in 0..64 {
            assert_eq!(kinds.map(|kind| count(&turns(pid, 0), kind)), [0, 56, 6, 2]);
            assert_eq!(kinds.map(|kind| count(&turns(pid, STILL), kind)), [32, 28, 3, 1]);
        }
        let everything =
            |pass: u64| (0..64).filter(|pid| Turn::of(pid + pass, STILL) == Turn::Everything).count();
        assert!((0..64).all(|pass| everything(pass) == 1));
    }

    #[test]
    fn a_change_of_memory_is_seen_whatever_is_kept() {
        let roots = live_roots();
        let dir = || roots.procfs().pid_dir(std::process::id()).unwrap();
        let mut room = Room { files: 1, all: 2 };
        let kept = [room.keep_file(&dir()).unwrap(), room.keep_dir(dir()).unwrap()];
        let digests = || kept.each_ref().map(|kept| kept.digest(&mut Vec::new()).unwrap().unwrap());
        let before = digests();
        let taken = vec![1_u8; 64 << 20];
        let after = digests();
        assert!(before[0] != after[0] && before[1] != after[1]);
        drop(taken);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "no other process ends when a test wants it to")]
    fn of_a_process_that_is_gone_nothing_is_told() {
        let roots = live_roots();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let dir = || roots.procfs().pid_dir(child.id()).unwrap();
        let mut room = Room { files: 1, all: 2 };
        let kept = [room.keep_file(&dir()).unwrap(), room.keep_dir(dir()).unwrap()];
        let restless = Files::Kept(Box::new(Restless::open(dir()).unwrap()));
        let digests = || kept.each_ref().map(|kept| kept.digest(&mut Vec::new()));
        let read = || [restless.read_stat(&mut Vec::new()), restless.read_status(&mut Vec::new())];
        assert!(digests().iter().all(Result::is_ok) && read().iter().all(Result::is_ok));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(digests(), [Err(Unread::Vanished); 2]);
        assert_eq!(read(), [Err(Unread::Vanished); 2]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let roots = live_roots();
        let dir = || roots.procfs().pid_dir(std::process::id()).unwrap();
        let mut room = Room { files: 1, all: 3 };
        let files = [room.keep_file(&dir()), room.keep_file(&dir())];
        let dirs = [room.keep_dir(dir()), room.keep_dir(dir()), room.keep_dir(dir())];
        assert!(matches!(files, [Some(Kept::File(_)), None]));
        assert!(matches!(dirs, [Some(Kept::Dir(_)), Some(Kept::Dir(_)), None]));
        let kept = files.iter().chain(&dirs).flatten();
        assert_eq!(Room { files: 5, all: 5 }.beside(kept), Room { files: 4, all: 2 });
        let is_short =
            |left, most| Room { files: 0, all: left }.is_short_beside(Room { files: 0, all: most });
        assert_eq!(
            [is_short(0, 3), is_short(1, 3), is_short(0, 0), is_short(0, MOST)],
            [true, false, true, false]
        );
        let mut room = Room { files: 3, all: 7 };
        assert!(matches!(room.keep_restless(dir()), Some(Kept::Restless(_))));
        assert_eq!(room, Room { files: 1, all: 4 });
        assert!(room.keep_restless(dir()).is_none(), "there is no room for both files");
        assert_eq!(Room::new(false), Room { files: 0, all: 0 });
        assert!(Room::new(true).all > 0 && granted() <= MOST);
    }
}
