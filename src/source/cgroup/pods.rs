//! Names of pods and containers, from the names of the directories and links in which kubelet keeps their logs: no
//! socket of a runtime is asked.

use std::collections::HashMap;

use super::super::roots::Rootfs;
use crate::parse::cgroup_names::CgroupNames;
use crate::parse::pod_logs;

/// The directories are listed again at the earliest after so many passes, and only when somebody is not known.
const PASSES_BETWEEN: u64 = 4;

/// Most pods and most containers whose names are remembered. A node has a few hundred.
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
    pass: u64,
    listed_in_pass: Option<u64>,
}

#[derive(Debug)]
struct Pod {
    namespace: String,
    name: String,
}

impl Pods {
    /// Knows nobody yet.
    pub(super) fn new(rootfs: Rootfs) -> Pods {
        Pods { rootfs, pods: HashMap::new(), containers: HashMap::new(), pass: 0, listed_in_pass: None }
    }

    /// The names of the pod and the container of a cgroup, as far as they are known.
    pub(super) fn of(&mut self, names: &CgroupNames, buffer: &mut Vec<u8>) -> PodNames {
        let Some(uid) = &names.pod_uid else { return PodNames::default() };
        if !self.knows(uid, names.container_id.as_deref()) && self.may_list() {
            self.list(buffer);
        }
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
    }

    fn knows(&self, uid: &str, container: Option<&str>) -> bool {
        self.pods.contains_key(uid) && container.is_none_or(|id| self.containers.contains_key(id))
    }

    fn may_list(&self) -> bool {
        self.listed_in_pass.is_none_or(|last| self.pass >= last + PASSES_BETWEEN)
    }

    /// Reads all names anew. What can't be listed has no names.
    fn list(&mut self, buffer: &mut Vec<u8>) {
        self.listed_in_pass = Some(self.pass);
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
