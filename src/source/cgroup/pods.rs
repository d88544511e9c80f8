//! Names of pods and containers, from the names of the directories and links in which kubelet keeps their logs: no
//! socket of a runtime is asked.

use std::collections::HashMap;

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
    /// What the directories were when they were last listed.
    listed: LogStamps,
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
            listed: LogStamps::default(),
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
            && (unknown.iter().any(is_new) || self.rootfs.log_stamps() != self.listed)
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
        self.listed = self.rootfs.log_stamps();
        self.pods.clear();
        self.containers.clear();
        let pods = self.rootfs.pod_logs(buffer, |directory| {
            let names = directory.to_str().ok().and_then(pod_logs::pod);
            if let Some(log) = names.filter(|_| self.pods.len() < MAX_NAMES) {
                let pod = Pod { namespace: log.namespace.to_string(), name: log.pod.to_string() };
                self.pods.insert(log.uid.to_string(), pod);
            }
        });
        let containers = self.rootfs.container_logs(buffer, |link| {
            let names = link.to_str().ok().and_then(pod_logs::container);
            if let Some(log) = names.filter(|_| self.containers.len() < MAX_NAMES) {
                self.containers.insert(log.id.to_string(), log.container.to_string());
            }
        });
        if let Err(error) = pods.and(containers) {
            tracing::debug!(%error, "pods have no names: kubelet's log directories can't be listed");
        }
    }
}
