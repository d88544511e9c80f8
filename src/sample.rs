//! One sighting of one entity.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::entity::{EntityId, Identity, Resource, Scope};
use crate::resources::{Count, Resources};

/// What memory is made of. Kinds never overlap, so they may be added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Private anonymous memory: heaps, stacks, arenas.
    Anon,
    /// Pages of files, reclaimable; without shmem.
    File,
    /// Shared memory: tmpfs, SysV, memfd.
    Shmem,
    /// What was written out to swap.
    Swap,
    /// Kernel slab that the kernel can't give back.
    Slab,
    /// Network buffers that are in no slab.
    Sock,
    /// Stacks of threads inside the kernel.
    KernelStack,
    /// Page tables.
    Pagetables,
    /// Per-CPU allocations of the kernel.
    Percpu,
    /// What the kernel holds by vmalloc, stacks of threads apart. Of the host only.
    Vmalloc,
    /// Huge pages of hugetlbfs in use. Of the host only.
    Hugetlb,
    /// All resident memory, where a backend knows no more than that.
    Resident,
    /// Memory of the host that no counter explains.
    Unaccounted,
}

impl Kind {
    /// Every kind, in the order of all output.
    pub const ALL: [Kind; 13] = [
        Kind::Anon,
        Kind::File,
        Kind::Shmem,
        Kind::Swap,
        Kind::Slab,
        Kind::Sock,
        Kind::KernelStack,
        Kind::Pagetables,
        Kind::Percpu,
        Kind::Vmalloc,
        Kind::Hugetlb,
        Kind::Resident,
        Kind::Unaccounted,
    ];

    /// The value of the `kind` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Anon => "anon",
            Kind::File => "file",
            Kind::Shmem => "shmem",
            Kind::Swap => "swap",
            Kind::Slab => "slab",
            Kind::Sock => "sock",
            Kind::KernelStack => "kernel_stack",
            Kind::Pagetables => "pagetables",
            Kind::Percpu => "percpu",
            Kind::Vmalloc => "vmalloc",
            Kind::Hugetlb => "hugetlb",
            Kind::Resident => "resident",
            Kind::Unaccounted => "unaccounted",
        }
    }

    /// Whether a leak lives in this kind. Page cache never drives a score; shared memory is nobody's own, so
    /// it counts where it is counted once.
    pub fn is_scored(self, scope: Scope) -> bool {
        match self {
            Kind::File => false,
            Kind::Anon | Kind::Swap | Kind::Resident | Kind::Unaccounted => true,
            Kind::Shmem | Kind::Slab | Kind::Sock | Kind::KernelStack | Kind::Pagetables | Kind::Percpu => {
                matches!(scope, Scope::Host | Scope::Cgroup)
            }
            Kind::Vmalloc | Kind::Hugetlb => scope == Scope::Host,
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Kind>", from = "Vec<Kind>")]
pub struct Kinds(u16);

impl From<Kinds> for Vec<Kind> {
    fn from(kinds: Kinds) -> Vec<Kind> {
        kinds.iter().collect()
    }
}

impl From<Vec<Kind>> for Kinds {
    fn from(kinds: Vec<Kind>) -> Kinds {
        let mut found = Kinds::default();
        kinds.into_iter().for_each(|kind| found.insert(kind));
        found
    }
}

impl Kinds {
    /// Whether `kind` is one of them.
    pub fn contains(self, kind: Kind) -> bool {
        self.0 >> kind as usize & 1 == 1
    }

    /// Adds `kind`.
    pub fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as usize;
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let first = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            Kind::ALL.get(first).copied()
        })
    }
}

/// How many kinds Linux tells of a process: the first ones.
const OF_PROCESS: usize = 4;

/// Bytes by kind; what the kernel does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    known: Kinds,
    /// Bytes of each of the first kinds; 0 for those that are not known.
    first: [u64; OF_PROCESS],
    /// The same of all others, where one of them is known: nearly all entities are processes.
    others: Option<Box<[u64; Kind::ALL.len() - OF_PROCESS]>>,
}

impl Memory {
    /// Bytes of one kind.
    pub fn get(&self, kind: Kind) -> Option<u64> {
        self.known.contains(kind).then(|| self.bytes(kind))
    }

    /// Records the bytes of one kind.
    pub fn set(&mut self, kind: Kind, bytes: u64) {
        self.known.insert(kind);
        match self.first.get_mut(kind as usize) {
            Some(first) => *first = bytes,
            None => self.others.get_or_insert_default()[kind as usize - OF_PROCESS] = bytes,
        }
    }

    /// Bytes of one kind; 0 where it is not known.
    fn bytes(&self, kind: Kind) -> u64 {
        match (self.first.get(kind as usize), &self.others) {
            (Some(first), _) => *first,
            (None, Some(others)) => others[kind as usize - OF_PROCESS],
            (None, None) => 0,
        }
    }

    /// The same memory with one kind recorded where it is known.
    #[must_use]
    pub fn with(mut self, kind: Kind, bytes: Option<u64>) -> Memory {
        if let Some(bytes) = bytes {
            self.set(kind, bytes);
        }
        self
    }

    /// Adds every known kind of `other`.
    pub fn add(&mut self, other: &Memory) {
        for (kind, bytes) in other.iter() {
            self.set(kind, self.get(kind).unwrap_or(0).saturating_add(bytes));
        }
    }

    /// The known kinds.
    pub fn kinds(&self) -> Kinds {
        self.known
    }

    /// The known kinds, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        self.known.iter().map(|kind| (kind, self.bytes(kind)))
    }

    /// Bytes that a leak could live in, the series that is scored; `None` where no such kind is known.
    pub fn scored(&self, scope: Scope) -> Option<u64> {
        self.iter()
            .filter(|(kind, _)| kind.is_scored(scope))
            .map(|(_, bytes)| bytes)
            .reduce(u64::saturating_add)
    }

    /// All known bytes.
    pub fn total(&self) -> u64 {
        self.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(bytes))
    }
}

/// What stops an entity from growing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// RLIMIT_AS: all of the address space.
    AddressSpace,
    /// RLIMIT_DATA: private writable memory (since Linux 4.7).
    Data,
    /// `memory.max` of a cgroup (`memory.limit_in_bytes` on v1): beyond it, the kernel kills.
    CgroupMax,
    /// `memory.high` of a cgroup: beyond it, the kernel slows the cgroup down.
    CgroupHigh,
    /// `limit_bytes` of the configuration file.
    Configured,
    /// The machine's memory and swap, shared by all.
    Host,
}

/// The nearest limit and how far away it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Limit {
    /// Which limit.
    pub kind: LimitKind,
    /// Its value in bytes, as configured.
    pub bytes: u64,
    /// Bytes that may still be taken before it is hit. Not `bytes` less the scored memory: RLIMIT_AS counts
    /// reserved addresses, a cgroup can give back page cache, and the host's memory is shared.
    pub room: u64,
}

/// What a cgroup says besides its memory by kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CgroupFigures {
    /// Whether no cgroup is below it. Only such are judged: others are sums.
    pub is_leaf: bool,
    /// Bytes that count towards its limits, page cache and kernel memory included.
    pub usage: Option<u64>,
    /// Most bytes that it ever used (v2: since Linux 5.19).
    pub peak: Option<u64>,
    /// The limits of its own and of the cgroups that it is below, its own first.
    pub limits: Arc<[CgroupLimit]>,
    /// How often its limit was about to be exceeded and nothing could be reclaimed (v2 only).
    pub oom_events: Option<u64>,
    /// Processes in it that the kernel killed for want of memory.
    pub oom_kills: Option<u64>,
    /// Time that was lost for want of memory (v2 only).
    pub pressure: Option<Pressure>,
}

impl CgroupFigures {
    /// The smallest limit of one kind that holds for it, bytes.
    pub fn smallest(&self, kind: LimitKind) -> Option<u64> {
        let of_kind = self.limits.iter().filter(|shared| shared.limit.kind == kind);
        of_kind.map(|shared| shared.limit.bytes).min()
    }
}

/// A limit that everything below one cgroup shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupLimit {
    /// Path of the cgroup that has it.
    pub owner: Arc<str>,
    /// The limit.
    pub limit: Limit,
}

/// Time since the cgroup was made (Documentation/accounting/psi.rst).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressure {
    /// During which at least one task waited for memory.
    pub waiting: Duration,
    /// During which all of them did.
    pub stalled: Duration,
}

/// One entity at one tick.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Who.
    pub entity: EntityId,
    /// Names, shared by all samples of one life.
    pub identity: Arc<Identity>,
    /// What was read of it, shared by all samples until something has changed.
    pub figures: Arc<Figures>,
    /// CPU time that it has used since it started, user and system, seconds; `None` where that is not known now.
    pub cpu_seconds: Option<f64>,
    /// Whether the figures are an earlier tick's: it was seen that its memory and its threads have not changed, and no more.
    pub is_told_again: bool,
}

impl Sample {
    /// How many of a resource it holds, and whether that is news: a look at memory shows no descriptors and no mappings.
    pub fn count(&self, resource: Resource) -> Option<Count> {
        let count = self.figures.resources.get(resource)?;
        let is_seen = !self.is_told_again || resource == Resource::Threads;
        Some(Count { is_new: count.is_new && is_seen, ..count })
    }
}

/// What was read of an entity.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Memory by kind.
    pub memory: Memory,
    /// A limit of its own; `None` leaves it with the host's. Most processes have none, so that it stands apart.
    pub limit: Option<Box<Limit>>,
    /// Since when it lives, by the watched system's own clock.
    pub start: Option<Start>,
    /// What a process holds besides memory; of one of its resources, that one.
    pub resources: Resources,
    /// What a cgroup says besides.
    pub cgroup: Option<Arc<CgroupFigures>>,
}

impl Figures {
    /// A limit of its own; `None` leaves it with the host's.
    pub fn limit(&self) -> Option<Limit> {
        self.limit.as_deref().copied()
    }
}

/// When a life began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Seconds since the epoch. It moves when somebody sets the clock.
    pub unix_seconds: f64,
    /// Time from the start of the machine to it.
    pub after_boot: Duration,
}

impl Start {
    /// Time since then, where the machine has been up for so long.
    pub fn age(&self, uptime: Duration) -> Duration {
        uptime.saturating_sub(self.after_boot)
    }
}

/// The machine's own figures, all in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostMemory {
    /// Usable memory.
    pub total: u64,
    /// Memory that nothing uses.
    pub free: u64,
    /// What can be had without swapping (MemAvailable, since Linux 3.14).
    pub available: u64,
    /// All swap.
    pub swap_total: u64,
    /// Swap in use.
    pub swap_used: u64,
    /// Slab that can't be reclaimed, where the kernel says.
    pub slab_unreclaimable: Option<u64>,
    /// Buffers of TCP and UDP sockets and IPv4 fragments, where the kernel says. Much of it is in slab.
    pub sockets: Option<u64>,
    /// What /proc/meminfo's own counters leave unexplained, where they are complete.
    pub unaccounted: Option<u64>,
}

impl HostMemory {
    /// Memory in use: total less available, so that page cache is not "used".
    pub fn used(&self) -> u64 {
        self.total.saturating_sub(self.available)
    }

    /// `used` as a share of `total`, 0 to 1; `None` for a machine that reports no memory.
    pub fn used_ratio(&self) -> Option<f64> {
        (self.total > 0).then(|| self.used() as f64 / self.total as f64)
    }

    /// The host as everyone's last limit: memory and swap, of which what is available may still be taken.
    pub fn as_limit(&self) -> Limit {
        Limit {
            kind: LimitKind::Host,
            bytes: self.total.saturating_add(self.swap_total),
            room: self.available.saturating_add(self.swap_total.saturating_sub(self.swap_used)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_in_order() {
        let told = |kinds: Vec<Kind>| Vec::from(Kinds::from(kinds));
        assert_eq!(
            told(vec![Kind::Unaccounted, Kind::Slab, Kind::Anon]),
            [Kind::Anon, Kind::Slab, Kind::Unaccounted]
        );
        assert_eq!(told(Kind::ALL.to_vec()), Kind::ALL);
        assert_eq!(told(Vec::new()), []);
    }

    #[test]
    fn page_cache_never_counts_and_shared_memory_counts_for_the_host_alone() {
        let memory = Memory::default()
            .with(Kind::Anon, Some(1))
            .with(Kind::File, Some(10))
            .with(Kind::Shmem, Some(100))
            .with(Kind::Swap, Some(1000));
        assert_eq!(memory.scored(Scope::Process), Some(1001));
        assert_eq!(memory.scored(Scope::Host), Some(1101));
        assert_eq!(memory.total(), 1111);
    }

    #[test]
    fn memory_of_the_kernel_counts_where_no_process_has_it() {
        let kinds = [
            (Kind::Slab, true),
            (Kind::KernelStack, true),
            (Kind::Pagetables, true),
            (Kind::Percpu, true),
            (Kind::Vmalloc, false),
            (Kind::Hugetlb, false),
        ];
        for (kind, of_cgroups) in kinds {
            assert!(kind.is_scored(Scope::Host) && !kind.is_scored(Scope::Process), "{kind:?}");
            assert_eq!(kind.is_scored(Scope::Cgroup), of_cgroups, "{kind:?}");
        }
    }

    #[test]
    fn unknown_is_not_zero() {
        let only_file = Memory::default().with(Kind::File, Some(7)).with(Kind::Anon, None);
        assert_eq!(only_file.get(Kind::Anon), None);
        assert_eq!(only_file.scored(Scope::Process), None);
    }

    #[test]
    fn sums_saturate() {
        let mut memory = Memory::default().with(Kind::Anon, Some(u64::MAX));
        memory.add(&Memory::default().with(Kind::Anon, Some(1)).with(Kind::Swap, Some(5)));
        assert_eq!(memory.get(Kind::Anon), Some(u64::MAX));
        assert_eq!(memory.scored(Scope::Process), Some(u64::MAX));
    }

    #[test]
    fn used_is_what_is_not_available() {
        let host = HostMemory { total: 100, free: 10, available: 60, ..HostMemory::default() };
        assert_eq!(host.used(), 40);
        assert_eq!(host.used_ratio(), Some(0.4));
        assert_eq!(HostMemory::default().used_ratio(), None);
    }
}
