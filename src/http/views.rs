//! What the JSON answers show. Stated apart from our own types, so that a change of those changes no answer
//! unnoticed, and nothing gets out that was not meant to. Numbers that are not finite become null.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::cgroups::{Cgroup, Inside};
use super::query::IndicatorQuery;
use super::ranking::ranked;
use crate::detector::{Channel, Evidence, Gate, Reason, Standing, Status, Test};
use crate::entity::{Resource, Scope};
use crate::exposition;
use crate::resources::Unit;
use crate::sample::{HostMemory, Limit};
use crate::snapshot::{Entity, Explanation, Snapshot};

/// Bytes, but for `percent` and the times.
#[derive(Serialize, JsonSchema)]
pub(super) struct MemoryUsage {
    /// Usable memory.
    total: u64,
    /// `total` less `available`.
    used: u64,
    free: u64,
    available: u64,
    /// 100 `used` / `total`; null for a machine that reports no memory.
    percent: Option<f64>,
    swap_total: u64,
    swap_used: u64,
    /// Kernel slab that can't be given back; null where the kernel does not say.
    slab_unreclaimable: Option<u64>,
    /// Buffers of TCP and UDP sockets and IPv4 fragments; much of it is in slab. Null where the kernel does not say.
    sockets: Option<u64>,
    /// What no counter of the kernel explains; null where the counters are not complete.
    unaccounted: Option<u64>,
    /// When it was sampled, seconds since the epoch.
    time: f64,
    /// One second counts as this many.
    time_lapse: u32,
}

impl MemoryUsage {
    pub(super) fn new(snapshot: &Snapshot, host: &HostMemory) -> MemoryUsage {
        MemoryUsage {
            total: host.total,
            used: host.used(),
            free: host.free,
            available: host.available,
            // Not 100 times the ratio, which would round twice.
            percent: (host.total > 0).then(|| 100.0 * host.used() as f64 / host.total as f64),
            swap_total: host.swap_total,
            swap_used: host.swap_used,
            slab_unreclaimable: host.slab_unreclaimable,
            sockets: host.sockets,
            unaccounted: host.unaccounted,
            time: snapshot.taken_unix_seconds,
            time_lapse: snapshot.time_lapse,
        }
    }
}

/// The verdict over all, whatever the query leaves out, and the indicators that it asks for.
#[derive(Serialize, JsonSchema)]
pub(super) struct LeakIndicators<'a> {
    /// The highest of all, 0 to 100; null until there is enough history of anything.
    leak_score: Option<f64>,
    /// Whether any memory is suspect.
    status: Status,
    /// Whether anything is suspect that processes hold besides memory; no score of that is in `leak_score`.
    resource_status: Status,
    /// A score above it is a suspicion.
    threshold: f64,
    /// When it was sampled, seconds since the epoch.
    time: f64,
    /// One second counts as this many.
    time_lapse: u32,
    /// How many the query matches; more than there are indicators where the limit cut them off.
    matched: usize,
    /// By falling score, then by falling size.
    indicators: Vec<Indicator<'a>>,
}

impl<'a> LeakIndicators<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, query: &IndicatorQuery) -> LeakIndicators<'a> {
        let (resources, memory): (Vec<_>, Vec<_>) =
            snapshot.suspects().partition(|entity| entity.is_resource());
        let status = |suspects: Vec<_>| if suspects.is_empty() { Status::Clean } else { Status::Suspect };
        let matching = ranked(snapshot.entities.iter().filter(|entity| {
            query.scope.is_none_or(|scope| entity.scope() == scope)
                && query.status.is_none_or(|status| entity.assessment.status() == status)
        }));
        let inside = Inside::of(snapshot);
        LeakIndicators {
            leak_score: snapshot.highest_score(),
            status: status(memory),
            resource_status: status(resources),
            threshold: snapshot.threshold,
            time: snapshot.taken_unix_seconds,
            time_lapse: snapshot.time_lapse,
            matched: matching.len(),
            indicators: matching
                .into_iter()
                .take(query.limit)
                .map(|entity| Indicator::new(&inside, entity))
                .collect(),
        }
    }
}

/// One entity.
#[derive(Serialize, JsonSchema)]
struct Indicator<'a> {
    scope: Scope,
    /// What people call it.
    entity: String,
    /// As its metrics have them.
    labels: BTreeMap<&'a str, Cow<'a, str>>,
    /// 0 to 100; null until there is enough history.
    leak_score: Option<f64>,
    /// Null for what is never to be suspected.
    threshold: Option<f64>,
    status: Status,
    reason: Reason,
    /// On what the score rests; null without a score.
    standing: Option<Standing>,
    /// What was seen, for a person.
    sentence: String,
    /// Which of the things that a process holds besides memory; null for memory.
    resource: Option<Resource>,
    /// How many of it, when it was last looked at.
    count: Option<u64>,
    /// How many it may hold; null where nothing of its own stops it.
    count_limit: Option<u64>,
    /// Open files by what they are, of no more than the first 4096; null unless the process is suspected of leaking them.
    fds_by_kind: Option<BTreeMap<&'static str, u64>>,
    /// Robust slope of the floor; null for what is no memory.
    growth_bytes_per_second: Option<f64>,
    /// The same of what is no memory, in its own units.
    growth_per_second: Option<f64>,
    /// Null without a trend.
    time_to_limit_seconds: Option<f64>,
    /// The soonest and the latest that the evidence allows for; null without a time, and where nothing bounds it.
    time_to_limit_range_seconds: Option<[f64; 2]>,
    /// The time scale that carries the evidence.
    window_seconds: Option<f64>,
    /// Bytes by which each kind changed over that window.
    growth_by_kind: BTreeMap<&'static str, i64>,
    /// Bytes by kind.
    memory: BTreeMap<&'static str, u64>,
    limit: Option<Limit>,
    explained_by: Option<&'a Explanation>,
    evidence: Option<EvidenceView<'a>>,
    /// What only cgroups have.
    cgroup: Option<Cgroup<'a>>,
}

impl<'a> Indicator<'a> {
    fn new(inside: &Inside<'a>, entity: &'a Entity) -> Indicator<'a> {
        let (assessment, unit) = (&entity.assessment, entity.unit());
        let count = entity.count();
        Indicator {
            scope: entity.scope(),
            entity: entity.display_name(),
            labels: exposition::labels(entity).into_iter().collect(),
            leak_score: assessment.score,
            threshold: Some(assessment.threshold).filter(|threshold| threshold.is_finite()),
            status: assessment.status(),
            reason: assessment.reason,
            standing: assessment.score.map(|_| assessment.standing),
            sentence: entity.sentence().to_string(),
            resource: match unit {
                Unit::Bytes => None,
                Unit::Count(resource) => Some(resource),
            },
            count: count.map(|count| count.used.into()),
            count_limit: count.and_then(|count| count.limit).map(u64::from),
            fds_by_kind: fds_by_kind(entity),
            growth_bytes_per_second: unit.bytes(assessment.growth_bytes_per_second),
            growth_per_second: unit.count(assessment.growth_bytes_per_second),
            time_to_limit_seconds: assessment.time_to_limit_seconds,
            time_to_limit_range_seconds: assessment.time_to_limit_range_seconds,
            window_seconds: assessment.window_seconds,
            growth_by_kind: assessment
                .growth_by_kind
                .iter()
                .map(|growth| (growth.kind.as_str(), growth.bytes))
                .collect(),
            memory: entity.memory().iter().map(|(kind, bytes)| (kind.as_str(), bytes)).collect(),
            limit: entity.limit,
            explained_by: entity.explained_by.as_deref(),
            evidence: assessment.evidence.as_ref().map(|evidence| EvidenceView::new(evidence, unit)),
            cgroup: Cgroup::of(inside, entity),
        }
    }
}

fn fds_by_kind(entity: &Entity) -> Option<BTreeMap<&'static str, u64>> {
    let known = entity.figures.resources.descriptors.as_ref().filter(|_| entity.is_resource())?;
    Some(known.by_name())
}

/// What a score rests on.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Evidence")]
struct EvidenceView<'a> {
    /// Which way of looking found it.
    channel: Channel,
    /// Rise of the floor over the window, bytes; null for what is no memory.
    grown_bytes: Option<f64>,
    /// Floor at the end of the window, bytes; null for what is no memory.
    floor_bytes: Option<f64>,
    /// Rise of the floor of what is no memory, in its own units.
    grown: Option<f64>,
    /// Its floor at the end of the window.
    floor: Option<f64>,
    /// Seconds since the growth began, as far as the window shows.
    growing_for_seconds: f64,
    /// When this growth began in the whole of what is remembered, seconds since the epoch. What has grown since the
    /// first sample, or for more than ten days, may be older; null where nothing grows.
    onset_time: Option<f64>,
    /// Seconds since then.
    since_onset_seconds: Option<f64>,
    /// Every test of the evidence, each between 0 (speaks against a leak) and 1 (does not).
    gates: Cow<'a, [Gate]>,
}

impl<'a> EvidenceView<'a> {
    fn new(evidence: &'a Evidence, unit: Unit) -> EvidenceView<'a> {
        EvidenceView {
            channel: evidence.channel,
            grown_bytes: unit.bytes(Some(evidence.grown_bytes)),
            floor_bytes: unit.bytes(Some(evidence.floor_bytes)),
            grown: unit.count(Some(evidence.grown_bytes)),
            floor: unit.count(Some(evidence.floor_bytes)),
            growing_for_seconds: evidence.growing_for_seconds,
            onset_time: evidence.onset_time,
            since_onset_seconds: evidence.since_onset_seconds,
            gates: gates(&evidence.gates, unit),
        }
    }
}

/// One test finds an amount.
fn gates(gates: &[Gate], unit: Unit) -> Cow<'_, [Gate]> {
    if unit == Unit::Bytes {
        return Cow::Borrowed(gates);
    }
    let counted = |gate: &Gate| match gate.test {
        Test::Absolute => Gate { value: unit.amount(f64::from(gate.value)) as f32, ..*gate },
        _ => *gate,
    };
    Cow::Owned(gates.iter().map(counted).collect())
}
