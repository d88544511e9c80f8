//! Names of pods and containers, from the names of the directories and links in which kubelet keeps their logs: no
//! socket of a runtime is asked.

use std::collections::HashMap;

use rustix::io::Errno;

use super::super::ReadErrorReason;
use super::super::pid_dir::Unread;
use super::super::roots::{LogStamps, Rootfs};
use super::super::schedule::REREAD_EVERY;
use crate::parse::cgroup_names::CgroupNames;
use crate::parse::pod_logs;

/// An id that kubelet's names did not tell is forgotten when nobody has asked for it in so many passes: twice as many as
/// from one look at the names of a cgroup to the next.
const REMEMBERED: u64 = 2 * REREAD_EVERY;

/// Most pods and most containers whose names are remembered, and most ids without one. A node has a few hundred.
const MAX_NAMES: usize = 10_000;

/// What kubelet calls the tenant of a cgroup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PodNames {
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) container: Option<String>,
}

/// All names that kubelet has given.
#[derive(Debug)]
pub(super) struct Pods {
    rootfs: Rootfs,
    pods: HashMap<String, Pod>,
    containers: HashMap<String, String>,
    /// Ids that were asked for and that no listing told, each with the pass in which it last was. Half of all containers
    /// have none: those that hold the namespaces of pods.
    nameless: HashMap<String, u64>,
    pass: u64,
    listed_in_pass: Option<u64>,
    /// Whether it was said that the directories may not be listed.
    has_complained: bool,
    /// What the directories were when they were last listed; `None` where they are to be listed again, whatever they are.
    listed: Option<LogStamps>,
}

#[derive(Debug)]
struct Pod {
    namespace: String,
    name: String,
}

impl Pods {
    /// Knows nobody yet.
    pub(super) fn new(rootfs: Rootfs) -> Pods {
        Pods {
            rootfs,
            pods: HashMap::new(),
            containers: HashMap::new(),
            nameless: HashMap::new(),
            pass: 0,
            listed_in_pass: None,
            has_complained: false,
            listed: None,
        }
    }

    /// The names of the pod and the container of a cgroup, as far as they are known.
    pub(super) fn of(&mut self, names: &CgroupNames, buffer: &mut Vec<u8>) -> PodNames {
        let Some(uid) = &names.pod_uid else { return PodNames::default() };
        let ids = [Some(uid), names.container_id.as_ref()].into_iter().flatten();
        let unknown: Vec<&String> = ids.filter(|id| !self.knows(id)).collect();
        if self.may_find(&unknown) {
            self.list(buffer);
        }
        self.note_nameless(&unknown);
        let pod = self.pods.get(uid);
        // By its id alone: even a pod of one container has a second one, which holds its namespaces and has no log.
        let container = names.container_id.as_ref().and_then(|id| self.containers.get(id));
        PodNames {
            namespace: pod.map(|pod| pod.namespace.clone()),
            name: pod.map(|pod| pod.name.clone()),
            container: container.cloned(),
        }
    }

    /// Ends a pass over all cgroups.
    pub(super) fn end_pass(&mut self) {
        self.pass += 1;
        let pass = self.pass;
        self.nameless.retain(|_, asked_in_pass| pass - *asked_in_pass <= REMEMBERED);
    }

    fn knows(&self, id: &str) -> bool {
        self.pods.contains_key(id) || self.containers.contains_key(id)
    }

    /// Whether one of these could be in a listing made now: it was never asked for, or the directories are others since.
    /// There is no second listing in a pass.
    fn may_find(&self, unknown: &[&String]) -> bool {
        let is_new = |id: &&String| self.nameless.len() < MAX_NAMES && !self.nameless.contains_key(*id);
        !unknown.is_empty()
            && self.listed_in_pass != Some(self.pass)
            && (unknown.iter().any(is_new) || Some(self.rootfs.log_stamps()) != self.listed)
    }

    fn note_nameless(&mut self, asked_for: &[&String]) {
        for &id in asked_for {
            if self.knows(id) {
                self.nameless.remove(id);
            } else if self.nameless.len() < MAX_NAMES {
                self.nameless.insert(id.clone(), self.pass);
            }
        }
    }

    /// Reads all names anew. What can't be listed has no names.
    fn list(&mut self, buffer: &mut Vec<u8>) {
        self.listed_in_pass = Some(self.pass);
        // Before the listing: what changes meanwhile is a reason for the next one.
        let stamps = self.rootfs.log_stamps();
        let (mut pods, mut containers) = (HashMap::new(), HashMap::new());
        let pods_listed = self.rootfs.pod_logs(buffer, |directory| {
            if let Some(log) = directory.to_str().ok().and_then(pod_logs::pod) {
                let pod = Pod { namespace: log.namespace.to_string(), name: log.pod.to_string() };
                pods.insert(log.uid.to_string(), pod);
            }
            pods.len() < MAX_NAMES
        });
        let containers_listed = self.rootfs.container_logs(buffer, |link| {
            if let Some(log) = link.to_str().ok().and_then(pod_logs::container) {
                containers.insert(log.id.to_string(), log.container.to_string());
            }
            containers.len() < MAX_NAMES
        });
        let may_not = |outcome: &Result<(), Errno>| matches!(outcome, Err(Errno::ACCESS | Errno::PERM));
        if may_not(&pods_listed) && !self.has_complained {
            self.has_complained = true;
            tracing::info!(
                "pods have no names: kubelet's log directories are for root, its group and who has CAP_DAC_READ_SEARCH"
            );
        }
        let are_all = [
            replace(&mut self.pods, pods, pods_listed),
            replace(&mut self.containers, containers, containers_listed),
        ];
        self.listed = (are_all == [true; 2]).then_some(stamps);
    }
}

/// Takes what was listed for what is known, unless the listing failed for want of something that may be there the next time;
/// whether it did not.
fn replace<T>(
    known: &mut HashMap<String, T>,
    listed: HashMap<String, T>,
    outcome: Result<(), Errno>,
) -> bool {
    match outcome.map_err(Unread::from) {
        Err(Unread::Failed(ReadErrorReason::Io)) => return false,
        Ok(()) | Err(_) => *known = listed,
    }
    true
}
