//! What the API shows of a cgroup besides what it shows of every entity.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::ranking::ranked;
use crate::entity::{EntityId, Scope, Tenant};
use crate::sample::{CgroupLimit, LimitKind};
use crate::snapshot::{Entity, Snapshot};

/// Most processes that are named.
const MAX_PROCESSES: usize = 5;

/// Most limits that are told: those that leave the least room.
const MAX_LIMITS: usize = 4;

/// The processes in each cgroup.
pub(super) struct Inside<'a>(HashMap<&'a str, Vec<&'a Entity>>);

impl<'a> Inside<'a> {
    /// Looked up once an answer.
    pub(super) fn of(snapshot: &'a Snapshot) -> Inside<'a> {
        let mut inside: HashMap<&str, Vec<&Entity>> = HashMap::new();
        let processes = snapshot.entities.iter().filter(|entity| entity.scope() == Scope::Process);
        for process in processes {
            if let Some(path) = &process.within {
                inside.entry(path).or_default().push(process);
            }
        }
        Inside(inside)
    }
}

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
    /// Limits of its own and of those it is below, by rising room; the nearest ones, where there are many.
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
    pub(super) fn of(inside: &Inside<'a>, entity: &'a Entity) -> Option<Cgroup<'a>> {
        let (EntityId::Cgroup(id), Some(figures)) = (&entity.id, &entity.figures.cgroup) else {
            return None;
        };
        let processes = ranked(inside.0.get(&*id.path).into_iter().flatten().copied());
        let mut limits: Vec<_> = figures.limits.iter().map(SharedLimit::new).collect();
        limits.sort_by_key(|limit| limit.room);
        limits.truncate(MAX_LIMITS);
        Some(Cgroup {
            tenant: entity.identity.tenant(),
            usage: figures.usage,
            peak: figures.peak,
            oom_events: figures.oom_events,
            oom_kills: figures.oom_kills,
            limits,
            growing_processes: processes
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
