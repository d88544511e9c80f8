//! What is watched, and what makes two sightings the same thing.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of thing an entity is; the `scope` label of metrics and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole machine.
    Host,
    /// Memory of the machine that no counter of the kernel explains.
    HostUnaccounted,
    /// A control group: a container, a service, or what such are below.
    Cgroup,
    /// Processes taken together by rule.
    Group,
    /// One process.
    Process,
    /// What a process holds besides memory: descriptors, threads, mappings.
    ProcessResource,
}

impl Scope {
    /// Every scope, widest first; the order of all output.
    pub const ALL: [Scope; 6] = [
        Scope::Host,
        Scope::HostUnaccounted,
        Scope::Cgroup,
        Scope::Group,
        Scope::Process,
        Scope::ProcessResource,
    ];

    /// The word operators see.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Host => "host",
            Scope::HostUnaccounted => "host_unaccounted",
            Scope::Cgroup => "cgroup",
            Scope::Group => "group",
            Scope::Process => "process",
            Scope::ProcessResource => "process_resource",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Identity over time: equal ids are one life of one thing. Nearly all are processes, and each has several: what names
/// anything else stands apart, so that an id is 16 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EntityId {
    /// The machine.
    Host,
    /// What /proc/meminfo's own counters leave unexplained.
    HostUnaccounted,
    /// A control group.
    Cgroup(Arc<CgroupId>),
    /// All processes that one rule puts together.
    Group(Arc<GroupId>),
    /// One process. A pid alone is reused; with the start time it is not (proc_pid_stat(5), field 22).
    Process {
        /// Process id in the pid namespace of the procfs that was read.
        pid: u32,
        /// Start time in clock ticks since boot.
        start_time: u64,
    },
    /// One resource of one process, which is told from others as above.
    ProcessResource {
        /// Process id.
        pid: u32,
        /// Start time in clock ticks since boot.
        start_time: u64,
        /// Which resource.
        resource: Resource,
    },
}

/// Which control group. A path alone is used again; with the inode of its directory it is not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CgroupId {
    /// Path below the root of its hierarchy, `/` first.
    pub path: Arc<str>,
    /// Inode of its directory.
    pub inode: u64,
}

/// Which group of processes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupId {
    /// The group's name.
    pub name: Arc<str>,
}

impl EntityId {
    /// The cgroup at `path` whose directory has this `inode`.
    pub fn cgroup(path: Arc<str>, inode: u64) -> EntityId {
        EntityId::Cgroup(Arc::new(CgroupId { path, inode }))
    }

    /// The group of this `name`.
    pub fn group(name: Arc<str>) -> EntityId {
        EntityId::Group(Arc::new(GroupId { name }))
    }

    /// The scope this id belongs to.
    pub fn scope(&self) -> Scope {
        match self {
            EntityId::Host => Scope::Host,
            EntityId::HostUnaccounted => Scope::HostUnaccounted,
            EntityId::Cgroup(_) => Scope::Cgroup,
            EntityId::Group(_) => Scope::Group,
            EntityId::Process { .. } => Scope::Process,
            EntityId::ProcessResource { .. } => Scope::ProcessResource,
        }
    }
}

/// What a process can leak besides memory, and be stopped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Open file descriptors, up to RLIMIT_NOFILE.
    Fds,
    /// Threads.
    Threads,
    /// Memory mappings, up to the system's `vm.max_map_count`.
    Maps,
}

impl Resource {
    /// Every resource, in the order of all output.
    pub const ALL: [Resource; 3] = [Resource::Fds, Resource::Threads, Resource::Maps];

    /// The value of the `resource` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Resource::Fds => "fds",
            Resource::Threads => "threads",
            Resource::Maps => "maps",
        }
    }

    /// Ticks from one look at it to the next at least. Threads come with each sample of memory. Two minutes at the usual
    /// interval are soon enough for descriptors; to list mappings disturbs the process, so that is done every eight.
    pub const fn every(self) -> u32 {
        match self {
            Resource::Fds => 8,
            Resource::Threads => 1,
            Resource::Maps => 32,
        }
    }

    /// What people call it.
    pub fn plain_name(self) -> &'static str {
        match self {
            Resource::Fds => "open files",
            Resource::Threads => "threads",
            Resource::Maps => "memory mappings",
        }
    }
}

/// What names an entity to people, and ties its successive lives together. Read once a life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The command name (`comm`) of a process, the name of a group, what runs in a cgroup; empty for the host.
    pub name: Arc<str>,
    /// The group a process belongs to, once grouping has decided.
    pub group: Option<Arc<str>>,
    /// Path of the cgroup itself or of the one that a process is in, `/` first; of the memory controller on v1, else of the unified hierarchy.
    pub cgroup: Option<Arc<str>>,
    /// Name of the effective user, or the number where passwd has no name.
    pub user: Option<Arc<str>>,
    /// The running file, where we may look at it.
    pub executable: Option<Executable>,
    /// Tells programs apart where the place has no name of its own, as most containers have none: a hash of the
    /// arguments of a process, or of the first one in a cgroup, which are not kept.
    pub fingerprint: Option<u64>,
    /// How a process was started; `None` unless the rules ask for it.
    pub launch: Option<Arc<Launch>>,
    /// Who is in a cgroup; `None` for all else.
    pub tenant: Option<Arc<Tenant>>,
}

impl Identity {
    /// How a process was started, as far as it was asked.
    pub fn launch(&self) -> &Launch {
        const UNASKED: &Launch = &Launch { command_line: None, cgroups: Vec::new() };
        self.launch.as_deref().unwrap_or(UNASKED)
    }

    /// Who is in a cgroup, as far as that is known.
    pub fn tenant(&self) -> &Tenant {
        const UNKNOWN: &Tenant = &Tenant {
            container_id: None,
            pod_uid: None,
            qos: None,
            namespace: None,
            pod: None,
            container: None,
            unit: None,
        };
        self.tenant.as_deref().unwrap_or(UNKNOWN)
    }
}

/// Who is in a cgroup, as far as its path and the names of kubelet's log directories tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct Tenant {
    /// Id of a container, as its runtime has it; of LXC the name.
    pub container_id: Option<String>,
    /// UID of a Kubernetes pod.
    pub pod_uid: Option<String>,
    /// Quality of service of a pod: guaranteed, burstable or besteffort.
    pub qos: Option<&'static str>,
    /// Namespace of a pod.
    pub namespace: Option<String>,
    /// Name of a pod.
    pub pod: Option<String>,
    /// Name of a container in a pod.
    pub container: Option<String>,
    /// The systemd unit.
    pub unit: Option<String>,
}

/// How a process was started, for rules of grouping. Read only where they ask for it, and shown only as far as they
/// put it into a name: arguments hold secrets.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Launch {
    /// Arguments, NUL between them; `None` for a process without any.
    command_line: Option<String>,
    /// Path of its cgroup in each hierarchy.
    pub cgroups: Vec<String>,
}

impl Launch {
    /// From arguments with NUL between them.
    pub fn new(command_line: Option<String>, cgroups: Vec<String>) -> Launch {
        Launch { command_line, cgroups }
    }

    /// The first argument.
    pub fn program(&self) -> Option<&str> {
        self.command_line.as_deref()?.split('\0').next()
    }

    /// All arguments with a space between them.
    pub fn joined(&self) -> String {
        self.command_line.as_deref().unwrap_or_default().replace('\0', " ")
    }
}

impl fmt::Debug for Launch {
    /// Without what it holds, so that no log ever has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Launch(..)")
    }
}

/// What of a [`Launch`] rules ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// The arguments.
    pub command_line: bool,
    /// The cgroups of all hierarchies.
    pub cgroups: bool,
}

impl Wants {
    /// What both ask for.
    #[must_use]
    pub fn and(self, other: Wants) -> Wants {
        Wants {
            command_line: self.command_line || other.command_line,
            cgroups: self.cgroups || other.cgroups,
        }
    }
}

/// One exact build of a program: a new release is a different one even under the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Executable {
    /// Device of the file; `None` on a file system without one, which has another number at each mount: an overlay's
    /// files are the same in each container that is made of one image.
    pub device: Option<u64>,
    /// Inode of the file.
    pub inode: u64,
    /// Time of its last change, seconds since the epoch.
    pub modified: i64,
}

/// The same program's successive lives: service or container with its ids cut out, and command name.
///
/// Independent of the group label, so that renaming a group forgets nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineageKey {
    scope: Scope,
    place: Option<Arc<str>>,
    command: Arc<str>,
    fingerprint: Option<u64>,
    /// What of it is looked at; `None` for its memory.
    resource: Option<Resource>,
}

impl LineageKey {
    /// The lineage that a process or a cgroup of this identity belongs to.
    pub fn of(scope: Scope, identity: &Identity) -> LineageKey {
        LineageKey {
            scope,
            place: identity.cgroup.as_ref().map(without_ids),
            command: Arc::clone(&identity.name),
            fingerprint: identity.fingerprint,
            resource: None,
        }
    }

    /// The lineage of one resource of such a process.
    #[must_use]
    pub fn resource(self, resource: Resource) -> LineageKey {
        LineageKey { resource: Some(resource), ..self }
    }
}

/// Shortest run of hexadecimal digits that is an id and no word: container ids have 64, systemd's 32. The groups of a pod's
/// UID are shorter; a pod keeps its UID while its containers are restarted. That of a static pod is one run of 32: such
/// pods share a place, and are told apart by what runs in them.
const ID_DIGITS: usize = 32;

/// Replaces every id in a cgroup path by `*`, so that a container recreated under a new id keeps its lineage.
fn without_ids(path: &Arc<str>) -> Arc<str> {
    if !path.split(|character: char| !character.is_ascii_hexdigit()).any(|digits| digits.len() >= ID_DIGITS) {
        return Arc::clone(path);
    }
    let mut out = String::with_capacity(path.len());
    let mut rest: &str = path;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits >= ID_DIGITS {
            out.push('*');
            rest = &rest[digits..];
        } else {
            let word = digits.max(first.len_utf8());
            out.push_str(&rest[..word]);
            rest = &rest[word..];
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_small() {
        assert_eq!(size_of::<EntityId>(), 16);
    }

    #[test]
    fn ids_are_cut_out_of_paths_and_words_are_kept() {
        let id = "4f2a".repeat(16);
        let pod = "8c1f0a52_93c4_4f6e_9d2b_0123456789ab";
        for (path, expected) in [
            (format!("/docker/{id}"), "/docker/*"),
            (format!("/system.slice/docker-{id}.scope"), "/system.slice/docker-*.scope"),
            (
                format!("/kubepods.slice/kubepods-pod{pod}.slice/cri-containerd-{id}.scope"),
                "/kubepods.slice/kubepods-pod8c1f0a52_93c4_4f6e_9d2b_0123456789ab.slice/cri-containerd-*.scope",
            ),
            ("/system.slice/deadbeef.service".to_string(), "/system.slice/deadbeef.service"),
            ("/system.slice/nginx.service".to_string(), "/system.slice/nginx.service"),
            ("/".to_string(), "/"),
        ] {
            assert_eq!(&*without_ids(&path.into()), expected);
        }
    }

    #[test]
    fn multibyte_paths_survive() {
        assert_eq!(&*without_ids(&format!("/größe/ü{}", "0a".repeat(32)).into()), "/größe/ü*");
    }
}
