//! Names of pods and containers, from the names of the directories and links in which kubelet keeps their logs: no
//! socket of a runtime is asked.

use std::collections::HashMap;
use std::ffi::{CStr, CString};

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
    /// Its only container, where it has no more.
    only: Option<String>,
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
        let by_id = names.container_id.as_ref().and_then(|id| self.containers.get(id));
        let only = pod.and_then(|pod| pod.only.as_ref()).filter(|_| names.container_id.is_some());
        PodNames {
            namespace: pod.map(|pod| pod.namespace.clone()),
            name: pod.map(|pod| pod.name.clone()),
            container: by_id.or(only).cloned(),
        }
    }

    /// Ends a pass over all cgroups.
    pub(super) fn end_pass(&mut self) {
        self.pass += 1;
    }

    fn knows(&self, uid: &str, container: Option<&str>) -> bool {
        let is_named = |id: &str| self.containers.contains_key(id);
        self.pods.get(uid).is_some_and(|pod| container.is_none_or(|id| pod.only.is_some() || is_named(id)))
    }

    fn may_list(&self) -> bool {
        self.listed_in_pass.is_none_or(|last| self.pass >= last + PASSES_BETWEEN)
    }

    /// Reads all names anew. What can't be listed has no names.
    fn list(&mut self, buffer: &mut Vec<u8>) {
        self.listed_in_pass = Some(self.pass);
        self.pods.clear();
        self.containers.clear();
        let mut directories: Vec<CString> = Vec::new();
        let mut add = |name: &CStr| {
            if directories.len() < MAX_NAMES {
                directories.push(name.to_owned());
            }
        };
        let pods = self.rootfs.pod_logs(buffer, &mut add);
        for directory in &directories {
            self.add_pod(directory, buffer);
        }
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

    fn add_pod(&mut self, directory: &CString, buffer: &mut Vec<u8>) {
        let Some(log) = directory.to_str().ok().and_then(pod_logs::pod) else { return };
        let (mut count, mut last) = (0, None);
        let listed = self.rootfs.logs_of_pod(directory, buffer, |name| {
            if !name.to_bytes().starts_with(b".") {
                count += 1;
                last = Some(name.to_string_lossy().into_owned());
            }
        });
        let only = last.filter(|_| listed.is_ok() && count == 1);
        let pod = Pod { namespace: log.namespace.to_string(), name: log.pod.to_string(), only };
        self.pods.insert(log.uid.to_string(), pod);
    }
}
