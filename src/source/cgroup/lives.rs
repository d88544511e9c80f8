//! What a cgroup is and may do, remembered for its life.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::names::text;
use super::super::pid_dir::Unread;
use super::super::roots::{Procfs, Rootfs};
use super::super::schedule::is_due;
use super::super::{ReadErrorReason, Reading, is_at_or_below};
use super::dir::CgroupDir;
use super::files::Terms;
use super::hierarchy::Version;
use super::pods::Pods;
use crate::entity::{CgroupId, Executable, Identity, Tenant};
use crate::parse::cgroup_names::{self, Qos};

/// Limits and events are read at the first sightings and then at every fourth: at 15 s once a minute.
const TERMS_EVERY: u64 = 4;

/// Bytes of `cgroup.procs` that surely hold its first line.
const FIRST_PROCESS_BYTES: usize = 32;

/// Most cgroups that are remembered although they were not seen: below one that can't be read, or that has more than there is
/// room for, others may come and go all the time.
const MAX_UNSEEN: usize = 20_000;

/// What takes further reads to find out.
#[derive(Clone, Debug)]
pub(super) struct Details {
    /// Which it is.
    pub(super) id: Arc<CgroupId>,
    /// Names; the same `Arc` for as long as they stay the same.
    pub(super) identity: Arc<Identity>,
    /// What stops it.
    pub(super) terms: Terms,
}

/// The details of all cgroups.
#[derive(Debug)]
pub(super) struct Lives {
    version: Version,
    /// Where processes are that cgroup.procs tells of by our own numbers.
    processes: Option<Procfs>,
    pods: Pods,
    lives: HashMap<Arc<str>, Life>,
    pass: u64,
}

#[derive(Debug)]
struct Life {
    inode: u64,
    sightings: u64,
    seen_in_pass: u64,
    details: Details,
}

impl Lives {
    /// Knows nobody yet.
    pub(super) fn new(version: Version, procfs: Procfs, rootfs: Rootfs) -> Lives {
        let processes = Some(procfs).filter(Procfs::has_our_pids);
        Lives { version, processes, pods: Pods::new(rootfs), lives: HashMap::new(), pass: 0 }
    }

    /// The details of the cgroup at `path`. `buffer` is scratch space. Terms that can't be read stay as they were, and
    /// count in `reading` unless the cgroup is gone.
    pub(super) fn details(
        &mut self,
        path: &str,
        inode: u64,
        dir: &CgroupDir,
        buffer: &mut Vec<u8>,
        reading: &mut Reading,
    ) -> &Details {
        let Lives { version, processes, pods, lives, pass } = self;
        let key = lives.get_key_value(path).map_or_else(|| Arc::from(path), |(known, _)| Arc::clone(known));
        let life = match lives.entry(key) {
            Entry::Occupied(known) if known.get().inode == inode => known.into_mut(),
            Entry::Occupied(made_anew) => {
                let path = Arc::clone(made_anew.key());
                let life = made_anew.into_mut();
                *life = Life::new(path, inode);
                life
            }
            Entry::Vacant(new) => {
                let path = Arc::clone(new.key());
                new.insert(Life::new(path, inode))
            }
        };
        life.seen_in_pass = *pass;
        life.sightings += 1;
        if life.sightings <= TERMS_EVERY || (life.sightings + inode).is_multiple_of(TERMS_EVERY) {
            match Terms::read(dir, *version, buffer) {
                Ok(terms) => life.details.terms = terms,
                Err(Unread::Vanished) => {}
                Err(Unread::Failed(reason)) => {
                    tracing::debug!(path, reason = reason.as_str(), "limits of a cgroup could not be read");
                    reading.count_error(reason);
                }
            }
        }
        if is_due(life.sightings, life.sightings + inode) {
            life.details.name(dir, processes.as_ref(), pods, buffer);
        }
        &life.details
    }

    /// Ends a pass over all cgroups: who was not seen in it is forgotten, unless it is one of the `unread` or below one, which may
    /// still be there.
    pub(super) fn end_pass(&mut self, unread: &[String]) {
        let unread: HashSet<&str> = unread.iter().map(String::as_str).collect();
        let mut unseen = 0;
        self.lives.retain(|path, life| {
            let is_seen = life.seen_in_pass == self.pass;
            let stays = is_seen || (unseen < MAX_UNSEEN && is_at_or_below(path, &unread));
            unseen += usize::from(stays && !is_seen);
            stays
        });
        self.pass += 1;
        self.pods.end_pass();
    }
}

impl Life {
    fn new(path: Arc<str>, inode: u64) -> Life {
        let identity = Arc::new(Identity { cgroup: Some(Arc::clone(&path)), ..Identity::default() });
        let id = Arc::new(CgroupId { path, inode });
        let details = Details { id, identity, terms: Terms::default() };
        Life { inode, sightings: 0, seen_in_pass: 0, details }
    }
}

impl Details {
    /// Looks up who is in it. What ties successive containers together is the name of the container, or where nobody
    /// tells that, the command that runs in it; their ids are cut out of the path.
    fn name(&mut self, dir: &CgroupDir, processes: Option<&Procfs>, pods: &mut Pods, buffer: &mut Vec<u8>) {
        let names = cgroup_names::names(&self.id.path);
        let pod = pods.of(&names, buffer);
        let is_nameless = names.is_nameless_container();
        let Occupant { command, executable, fingerprint } = match processes {
            Some(processes) => Occupant::read(dir, processes, (&self.identity, is_nameless), buffer),
            None => Occupant::default(),
        };
        let tenant = Tenant {
            container_id: names.container_id,
            pod_uid: names.pod_uid,
            qos: names.qos.map(Qos::name),
            unit: names.unit,
            namespace: pod.namespace,
            pod: pod.name,
            container: pod.container,
        };
        let identity = Identity {
            name: tenant.container.clone().map_or(command, Arc::from),
            executable,
            fingerprint,
            tenant: Some(Arc::new(tenant)),
            ..Identity::clone(&self.identity)
        };
        if identity != *self.identity {
            self.identity = Arc::new(identity);
        }
    }
}

/// What is known of the process that stands first in a cgroup; most often it is the oldest one.
#[derive(Clone, Debug, Default)]
struct Occupant {
    /// Empty where there is no process.
    command: Arc<str>,
    executable: Option<Executable>,
    /// Only of those that nothing else tells apart.
    fingerprint: Option<u64>,
}

impl Occupant {
    /// Who is in a cgroup now; nobody where it is empty. There may be somebody who can't be looked at just now, or of whom only
    /// some can be told: of who was there before `old` is the best guess. `buffer` is scratch space.
    fn read(
        dir: &CgroupDir,
        processes: &Procfs,
        (old, is_nameless): (&Identity, bool),
        buffer: &mut Vec<u8>,
    ) -> Occupant {
        let read = |buffer: &mut Vec<u8>| {
            dir.read_start(c"cgroup.procs", FIRST_PROCESS_BYTES, buffer)?;
            let process = processes.pid_dir(first(buffer).ok_or(Unread::Vanished)?)?;
            process.read(c"comm", buffer)?;
            Ok(Occupant {
                command: Arc::from(text(buffer.trim_ascii_end())),
                executable: match process.executable() {
                    Err(Unread::Failed(ReadErrorReason::Io)) => old.executable,
                    executable => executable.ok(),
                },
                fingerprint: match is_nameless {
                    true => process.fingerprint(buffer).or(old.fingerprint),
                    false => None,
                },
            })
        };
        match read(buffer) {
            Ok(occupant) => occupant,
            Err(Unread::Vanished) => Occupant::default(),
            Err(Unread::Failed(_)) => Occupant::of(old),
        }
    }

    /// Who was there when this was found out.
    fn of(identity: &Identity) -> Occupant {
        let Identity { name, executable, fingerprint, .. } = identity;
        Occupant { command: Arc::clone(name), executable: *executable, fingerprint: *fingerprint }
    }
}

/// The number in the first line of a list.
fn first(list: &[u8]) -> Option<u32> {
    let line = list.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.parse().ok()
}
