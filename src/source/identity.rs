//! What a process is and may do, remembered for its life: names, place, owner, limits.

use std::sync::Arc;

use super::names::{Shared, cut, text};
use super::pid_dir::{PidDir, Unread};
use super::schedule::is_due;
use super::users::Users;
use super::{ReadErrorReason, Reading};
use crate::entity::{Executable, Identity, Launch, Wants};
use crate::parse::ParseError;
use crate::parse::cgroup::{memory_path, paths};
use crate::parse::cgroup_names::names;
use crate::parse::cmdline::command_line;
use crate::parse::limits::{self, Limits};

/// One look at a process, cheap to take: what its `stat` and `status` say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting<'a> {
    /// How far its turn has come.
    pub(super) turn: u64,
    /// Command name.
    pub(super) comm: &'a [u8],
    /// Effective user id.
    pub(super) uid: u32,
}

/// What takes further reads to find out.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    /// Names; the same `Arc` for as long as they stay the same, and for all that have the same.
    pub(super) identity: Arc<Identity>,
    /// Limits of its own; shared like its names.
    pub(super) limits: Arc<Limits>,
}

/// The details of one life, and when to read them again.
#[derive(Debug, Default)]
pub(super) struct Known {
    uid: u32,
    /// How often it was seen since they were last read out of turn.
    sightings: u32,
    /// What they hold besides what they always do.
    wants: Wants,
    /// Whether we may not see which file runs.
    is_executable_hidden: bool,
    details: Details,
}

impl Known {
    /// The details of the process in `dir`. They are read again by the [`schedule`](super::schedule), for a program may
    /// lower its limits after it has started, and others may do it for it (prlimit(2)), without any notice to us; and
    /// whenever its name or user changes, as execve(2) and setuid(2) do, or more is wanted of it. `buffer` is scratch space.
    /// What can't be read stays as it was, and counts in `reading` unless it is not there; but for the executable, which is
    /// unknown where we may not look at it.
    pub(super) fn details(
        &mut self,
        sighting: &Sighting<'_>,
        wants: Wants,
        dir: &PidDir,
        (users, shared): (&Users, &mut Shared),
        buffer: &mut Vec<u8>,
        reading: &mut Reading,
    ) -> &Details {
        if self.is_due(sighting, wants) {
            let executable = self.details.reread(sighting, wants, dir, (users, shared), buffer, reading);
            self.is_executable_hidden = executable == Err(Unread::Failed(ReadErrorReason::Permission));
        }
        &self.details
    }

    /// Whether we may not see which file runs.
    pub(super) fn is_executable_hidden(&self) -> bool {
        self.is_executable_hidden
    }

    /// Takes note of a sighting at this `turn` of which nothing was read, unless it is one at which to read details.
    pub(super) fn pass_by(&mut self, turn: u64, wants: Wants) -> bool {
        let next = self.sightings.saturating_add(1);
        let passes = self.wants == wants && !is_due(next.into(), turn);
        if passes {
            self.sightings = next;
        }
        passes
    }

    /// Whether that is the command name that it had when details were last read.
    pub(super) fn is_called(&self, comm: &[u8]) -> bool {
        *self.details.identity.name == *text(comm)
    }

    /// Counts a sighting and says whether it is one at which to read details.
    fn is_due(&mut self, sighting: &Sighting<'_>, wants: Wants) -> bool {
        let is_other = (self.uid, self.wants) != (sighting.uid, wants) || !self.is_called(sighting.comm);
        self.sightings = if is_other { 1 } else { self.sightings.saturating_add(1) };
        (self.uid, self.wants) = (sighting.uid, wants);
        is_due(self.sightings.into(), sighting.turn)
    }
}

impl Details {
    /// Reads them anew, and says which file runs.
    fn reread(
        &mut self,
        sighting: &Sighting<'_>,
        wants: Wants,
        dir: &PidDir,
        (users, shared): (&Users, &mut Shared),
        buffer: &mut Vec<u8>,
        reading: &mut Reading,
    ) -> Result<Executable, Unread> {
        let old = &self.identity;
        let all = |file: &[u8]| if wants.cgroups { paths(file) } else { Vec::new() };
        let cgroups = value(dir.read(c"cgroup", buffer), reading, || {
            Ok((memory_path(buffer).map(|path| shared.texts.share(cut(&path))), all(buffer)))
        });
        let (cgroup, all) = cgroups.unwrap_or_else(|| (old.cgroup.clone(), old.launch().cgroups.clone()));
        let launch = launch(wants, all, old, dir, buffer, reading);
        let is_nameless = cgroup.as_deref().is_some_and(|path| names(path).is_nameless_container());
        let fingerprint = is_nameless.then(|| dir.fingerprint(buffer)).flatten();
        let executable = dir.executable();
        let identity = Identity {
            name: shared.texts.share(&*text(sighting.comm)),
            group: None,
            cgroup,
            user: Some(users.name(sighting.uid)),
            executable: match executable {
                Err(Unread::Failed(ReadErrorReason::Io)) => old.executable,
                executable => executable.ok(),
            },
            fingerprint: fingerprint.or_else(|| old.fingerprint.filter(|_| is_nameless)),
            launch,
            tenant: None,
        };
        if identity != **old {
            self.identity = shared.identities.share(identity);
        }
        let limits = value(dir.read(c"limits", buffer), reading, || limits::parse(buffer));
        if let Some(limits) = limits.filter(|limits| *limits != *self.limits) {
            self.limits = shared.limits.share(limits);
        }
        executable
    }
}

/// How the process in `dir` was started, as far as it is wanted.
fn launch(
    wants: Wants,
    cgroups: Vec<String>,
    old: &Identity,
    dir: &PidDir,
    buffer: &mut Vec<u8>,
    reading: &mut Reading,
) -> Option<Arc<Launch>> {
    if wants == Wants::default() {
        return None;
    }
    let read = |buffer: &mut Vec<u8>, reading: &mut Reading| {
        let read = dir.read_start(c"cmdline", buffer);
        value(read, reading, || Ok(Launch::new(command_line(buffer), cgroups.clone())))
    };
    match wants.command_line {
        true => read(buffer, reading).map(Arc::new).or_else(|| old.launch.clone()),
        false => Some(Arc::new(Launch::new(None, cgroups))),
    }
}

/// What a file says; `None` if it can't be read or understood, which counts, or is not there, which does not: the
/// process ends just now, or the kernel has no such file.
fn value<T>(
    read: Result<(), Unread>,
    reading: &mut Reading,
    parse: impl FnOnce() -> Result<T, ParseError>,
) -> Option<T> {
    match read.and_then(|()| Ok(parse()?)) {
        Ok(value) => Some(value),
        Err(Unread::Vanished) => None,
        Err(Unread::Failed(reason)) => {
            reading.count_error(reason);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::FakeSystem;
    use super::*;
    use crate::source::ReadErrorReason;

    /// One process whose files a test changes between sightings.
    struct Watch {
        system: FakeSystem,
        dir: PidDir,
        /// By start time.
        life: (u64, Known),
        turn: u64,
        wants: Wants,
        users: Users,
        shared: Shared,
        reading: Reading,
    }

    impl Watch {
        fn new() -> Watch {
            let system = FakeSystem::new();
            system.process(64).write();
            let roots = system.roots();
            let dir = roots.procfs().pid_dir(64).unwrap();
            let users = Users::new(roots.rootfs().clone());
            let (life, wants) = ((5, Known::default()), Wants::default());
            let (shared, reading) = (Shared::default(), Reading::default());
            Watch { system, dir, life, turn: 0, wants, users, shared, reading }
        }

        fn see(&mut self, comm: &str, start_time: u64) -> Details {
            self.turn += 1;
            let sighting = Sighting { turn: self.turn, comm: comm.as_bytes(), uid: 33 };
            if self.life.0 != start_time {
                self.life = (start_time, Known::default());
            }
            let Watch { dir, life: (_, known), wants, users, shared, reading, .. } = self;
            known.details(&sighting, *wants, dir, (users, shared), &mut Vec::new(), reading).clone()
        }

        /// At which of so many sightings a limit that was set just before would be noticed.
        fn noticed_at(&mut self, sightings: u64) -> Vec<u64> {
            let notices = |watch: &mut Watch, sighting: u64| {
                watch.system.process(64).limits("unlimited", &sighting.to_string()).write();
                watch.see("app", 5).limits.address_space == Some(sighting)
            };
            (1..=sightings).filter(|sighting| notices(self, *sighting)).collect()
        }
    }

    #[test]
    fn details_are_read_again_less_and_less_often() {
        assert_eq!(Watch::new().noticed_at(260), [1, 2, 4, 8, 16, 32, 64, 128, 192, 256]);
    }

    #[test]
    fn an_unchanged_identity_stays_the_same_allocation() {
        let mut watch = Watch::new();
        let first = watch.see("app", 5).identity;
        assert!(Arc::ptr_eq(&first, &watch.see("app", 5).identity));
        assert_eq!(first.cgroup.as_deref(), Some("/system.slice/app.service"));
        assert_eq!(first.user.as_deref(), Some("33"));
        assert_eq!(first.group, None);
    }

    #[test]
    fn a_new_name_or_a_new_start_reads_at_once() {
        let mut watch = Watch::new();
        (0..3).for_each(|_| drop(watch.see("app", 5)));
        watch.system.process(64).cgroup("0::/second\n").write();
        assert_eq!(watch.see("exec", 5).identity.cgroup.as_deref(), Some("/second"));
        watch.system.process(64).cgroup("0::/third\n").write();
        assert_eq!(watch.see("exec", 6).identity.cgroup.as_deref(), Some("/third"));
    }

    #[test]
    fn odd_files_count_missing_ones_do_not_and_both_keep_what_was_known() {
        let mut watch = Watch::new();
        watch.system.process(64).limits("7", "unlimited").write();
        assert_eq!(watch.see("app", 5).limits.data, Some(7));
        watch.system.write("proc/64/limits", "garbage");
        assert_eq!(watch.see("app", 5).limits.data, Some(7));
        assert_eq!(watch.reading.errors, [(ReadErrorReason::Malformed, 1)].into());
        watch.system.remove("proc/64/limits");
        watch.system.remove("proc/64/cgroup");
        let ending = watch.see("exec", 5);
        assert_eq!(ending.limits.data, Some(7));
        assert_eq!(ending.identity.cgroup.as_deref(), Some("/system.slice/app.service"));
        let bare = watch.see("exec", 6);
        assert_eq!((*bare.limits, bare.identity.cgroup.clone()), (Limits::default(), None));
        assert_eq!(watch.reading.errors.len(), 1);
    }

    #[test]
    fn how_it_was_started_is_read_where_it_is_wanted() {
        let mut watch = Watch::new();
        watch.system.write("proc/64/cmdline", "/bin/app\0--password=x\0");
        watch.system.process(64).cgroup("4:memory:/a\n0::/b\n").write();
        assert_eq!(watch.see("app", 5).identity.launch, None);
        watch.see("app", 5);
        watch.wants = Wants { command_line: true, cgroups: false };
        let identity = watch.see("app", 5).identity;
        assert_eq!(identity.launch().joined(), "/bin/app --password=x");
        assert_eq!((identity.launch().program(), identity.launch().cgroups.len()), (Some("/bin/app"), 0));
        assert!(!format!("{identity:?}").contains("password"));

        watch.wants = Wants { command_line: true, cgroups: true };
        assert_eq!(watch.see("app", 5).identity.launch().cgroups, ["/a", "/b"]);
        watch.system.remove("proc/64/cmdline");
        assert_eq!(watch.see("exec", 5).identity.launch().program(), Some("/bin/app"), "it ends just now");
        watch.wants = Wants::default();
        assert_eq!(watch.see("exec", 5).identity.launch, None);
        assert!(watch.reading.errors.is_empty());
    }
}
