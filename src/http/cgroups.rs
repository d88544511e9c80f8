//! What the API shows of a cgroup besides what it shows of every entity.

use schemars::JsonSchema;
use serde::Serialize;

use super::ranking::ranked;
use crate::entity::{EntityId, Scope, Tenant};
use crate::sample::{CgroupLimit, LimitKind};
use crate::snapshot::{Entity, Snapshot};

/// Most processes that are named.
const MAX_PROCESSES: usize = 5;

/// Who is in it, what stops it, and who of those in it grows.
#[derive(Serialize, JsonSchema)]
pub(super) struct Cgroup<'a> {
    tenant: &'a Tenant,
    /// Bytes that count towards its limits, page cache and kernel memory included.
    usage: Option<u64>,
    /// Most bytes that it ever used; null where the kernel does not say.
    peak: Option<u64>,
    /// How often nothing could be reclaimed at its limit; null where the kernel does not say.
    oom_events: Option<u64>,
    /// Processes in it that the kernel killed for want of memory.
    oom_kills: Option<u64>,
    /// Limits of its own and of those it is below, its own first.
    limits: Vec<SharedLimit<'a>>,
    /// The processes in it whose memory grows, by falling score.
    growing_processes: Vec<GrowingProcess<'a>>,
}

/// A limit that everything below one cgroup shares.
#[derive(Serialize, JsonSchema)]
struct SharedLimit<'a> {
    /// Path of the cgroup that has it.
    cgroup: &'a str,
    kind: LimitKind,
    bytes: u64,
    /// Bytes that may still be taken, with what the kernel can reclaim.
    room: u64,
}

#[derive(Serialize, JsonSchema)]
struct GrowingProcess<'a> {
    pid: u32,
    name: &'a str,
    group: Option<&'a str>,
    leak_score: Option<f64>,
    growth_bytes_per_second: f64,
}

impl<'a> Cgroup<'a> {
    /// `None` for all else.
    pub(super) fn of(snapshot: &'a Snapshot, entity: &'a Entity) -> Option<Cgroup<'a>> {
        let (EntityId::Cgroup { path, .. }, Some(figures)) = (&entity.id, &entity.cgroup) else {
            return None;
        };
        let inside =
            |process: &&Entity| process.scope() == Scope::Process && process.within.as_ref() == Some(path);
        let growing = ranked(snapshot.entities.iter().filter(inside));
        Some(Cgroup {
            tenant: &entity.identity.tenant,
            usage: figures.usage,
            peak: figures.peak,
            oom_events: figures.oom_events,
            oom_kills: figures.oom_kills,
            limits: figures.limits.iter().map(SharedLimit::new).collect(),
            growing_processes: growing
                .into_iter()
                .filter_map(GrowingProcess::of)
                .take(MAX_PROCESSES)
                .collect(),
        })
    }
}

impl<'a> SharedLimit<'a> {
    fn new(CgroupLimit { owner, limit }: &'a CgroupLimit) -> SharedLimit<'a> {
        SharedLimit { cgroup: owner, kind: limit.kind, bytes: limit.bytes, room: limit.room }
    }
}

impl<'a> GrowingProcess<'a> {
    fn of(process: &'a Entity) -> Option<GrowingProcess<'a>> {
        let EntityId::Process { pid, .. } = process.id else { return None };
        let growth = process.assessment.growth_bytes_per_second.filter(|growth| *growth > 0.0)?;
        Some(GrowingProcess {
            pid,
            name: &process.identity.name,
            group: process.group(),
            leak_score: process.assessment.score,
            growth_bytes_per_second: growth,
        })
    }
}
