//! A snapshot built by hand, for tests of what is made of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::detector::{Assessment, Channel, Evidence, Gate, KindGrowth, Reason, Standing, Test};
use crate::entity::{EntityId, Identity, Resource, Scope, Tenant};
use crate::history::{History, Sealed};
use crate::resources::{Count, DescriptorKind, Descriptors, Resources, Unit};
use crate::rules::ReloadStatus;
use crate::sample::{
    CgroupFigures, CgroupLimit, Figures, HostMemory, Kind, Limit, LimitKind, Memory, Pressure, Start,
};
use crate::snapshot::{Entity, Explanation, Snapshot, SourceReport};
use crate::source::{Hidden, ReadErrorReason};
use crate::state::StateStatus;

/// A name that is trouble wherever it is not escaped.
pub(crate) const HOSTILE: &str = "<script>\"a\\b\n</script>";

const LIMIT: Limit = Limit { kind: LimitKind::Data, bytes: 4096, room: 3496 };

/// A host on which one process leaks, its group with it, and the host by both; taken just now.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        taken: Instant::now(),
        taken_unix_seconds: 1_700_000_000.5,
        interval: Duration::from_secs(15),
        time_lapse: 1,
        threshold: 60.0,
        host: Some(host_memory()),
        entities: vec![
            host(),
            unaccounted(),
            slice(),
            cgroup(),
            group("web", 91.5),
            process(42, "leaky", "web", Some(91.5)),
            hidden(),
        ],
        dropped: BTreeMap::from([(Scope::Process, 3)]),
        unexported: BTreeMap::from([(Scope::Group, 2)]),
        folded: 2,
        state: Some(StateStatus {
            loaded: true,
            written: Some(false),
            written_unix_seconds: Some(1_700_000_100.5),
            bytes: 123_456,
            bytes_total: 1_234_567,
        }),
        reload: Some(ReloadStatus { successful: false, success_unix_seconds: 1_700_000_000.25 }),
        sources: vec![
            report("host", true, BTreeMap::new()),
            report("cgroup", true, BTreeMap::new()),
            SourceReport {
                hidden: BTreeMap::from([(Hidden::Executable, 7)]),
                ..report("process", false, BTreeMap::from([(ReadErrorReason::Permission, 2)]))
            },
        ],
        ticks_skipped: 1,
    }
}

fn host_memory() -> HostMemory {
    HostMemory {
        total: 8000,
        free: 1000,
        available: 6000,
        swap_total: 100,
        swap_used: 10,
        slab_unreclaimable: Some(5),
        sockets: Some(4),
        unaccounted: None,
    }
}

fn report(name: &'static str, success: bool, errors: BTreeMap<ReadErrorReason, u64>) -> SourceReport {
    SourceReport { name, success, duration: Duration::from_millis(250), errors, hidden: BTreeMap::new() }
}

/// So much memory of each kind.
pub(crate) fn memory(kinds: &[(Kind, u64)]) -> Arc<Figures> {
    let memory =
        kinds.iter().fold(Memory::default(), |memory, &(kind, bytes)| memory.with(kind, Some(bytes)));
    Arc::new(Figures { memory, ..Figures::default() })
}

/// An entity that nothing is known about.
pub(crate) fn entity(id: EntityId, identity: Identity) -> Entity {
    Entity {
        id,
        identity: Arc::new(identity),
        figures: Arc::default(),
        limit: None,
        processes: None,
        within: None,
        assessment: Arc::default(),
        history: None,
        worst_member: None,
        explained_by: None,
        exported: true,
    }
}

/// So much of it by the group that leaks.
fn explained(share: f64) -> Option<Box<Explanation>> {
    Some(Box::new(Explanation { scope: Scope::Group, entity: "web".to_string(), share }))
}

fn host() -> Entity {
    Entity {
        figures: memory(&[(Kind::Anon, 2000), (Kind::File, 300)]),
        assessment: Arc::new(leaking(65.0)),
        explained_by: explained(1.0),
        ..entity(EntityId::Host, Identity::default())
    }
}

fn unaccounted() -> Entity {
    entity(EntityId::HostUnaccounted, Identity::default())
}

const SLICE: &str = "/system.slice";
const SERVICE: &str = "/system.slice/web.service";

/// A cgroup that is the sum of others, and limits them.
fn slice() -> Entity {
    let cgroup = CgroupFigures { is_leaf: false, usage: Some(900), ..cgroup_figures() };
    Entity {
        figures: Arc::new(Figures {
            cgroup: Some(Arc::new(cgroup)),
            ..Figures::clone(&memory(&[(Kind::Anon, 650)]))
        }),
        ..entity(EntityId::cgroup(SLICE.into(), 2), Identity::default())
    }
}

/// A service that leaks in the process that is in it.
fn cgroup() -> Entity {
    let tenant = Tenant { unit: Some("web.service".to_string()), ..Tenant::default() };
    let identity =
        Identity { cgroup: Some(SERVICE.into()), tenant: Some(Arc::new(tenant)), ..Identity::default() };
    Entity {
        figures: Arc::new(Figures {
            cgroup: Some(Arc::new(cgroup_figures())),
            ..Figures::clone(&memory(&[(Kind::Anon, 600), (Kind::Shmem, 50)]))
        }),
        limit: cgroup_figures().limits.first().map(|shared| shared.limit),
        assessment: Arc::new(leaking(62.0)),
        history: Some(risen()),
        explained_by: explained(0.9),
        ..entity(EntityId::cgroup(SERVICE.into(), 3), identity)
    }
}

fn cgroup_figures() -> CgroupFigures {
    let limit = |kind, bytes, room| CgroupLimit { owner: SLICE.into(), limit: Limit { kind, bytes, room } };
    CgroupFigures {
        is_leaf: true,
        usage: Some(700),
        peak: Some(800),
        limits: [limit(LimitKind::CgroupMax, 2000, 1200), limit(LimitKind::CgroupHigh, 1900, 1100)].into(),
        oom_events: Some(2),
        oom_kills: Some(1),
        pressure: Some(Pressure {
            waiting: Duration::from_millis(1500),
            stalled: Duration::from_millis(250),
        }),
    }
}

/// A group that leaks.
pub(crate) fn group(name: &str, score: f64) -> Entity {
    Entity {
        figures: memory(&[(Kind::Anon, 700)]),
        processes: Some(2),
        assessment: Arc::new(leaking(score)),
        history: Some(risen()),
        worst_member: Some(Box::new(EntityId::Process { pid: 42, start_time: 1 })),
        ..entity(EntityId::group(name.into()), Identity::default())
    }
}

/// A process; with a score, it leaks.
pub(crate) fn process(pid: u32, name: &str, group: &str, score: Option<f64>) -> Entity {
    let identity = Identity {
        name: name.into(),
        group: Some(group.into()),
        cgroup: Some("/system.slice/web.service".into()),
        ..Identity::default()
    };
    let threads = Count { used: 4, limit: None, is_new: true };
    Entity {
        figures: Arc::new(Figures {
            limit: Some(Box::new(LIMIT)),
            start: Some(Start { unix_seconds: 1_699_990_000.25, after_boot: Duration::from_secs(10_000) }),
            resources: Resources::default().with(Resource::Threads, Some(threads)),
            ..Figures::clone(&memory(&[(Kind::Anon, 600), (Kind::Swap, 0)]))
        }),
        limit: Some(LIMIT),
        within: Some(SERVICE.into()),
        assessment: Arc::new(score.map(leaking).unwrap_or_default()),
        history: score.map(|_| risen()),
        ..entity(EntityId::Process { pid, start_time: 1 }, identity)
    }
}

/// A resource of a process that leaks it: so many of 1024, which is 50 more than before.
pub(crate) fn resource(pid: u32, name: &str, group: &str, resource: Resource, used: u32) -> Entity {
    let count = Count { used, limit: Some(1024), is_new: true };
    let weighed = |count| Unit::weighed(count) as f64;
    let memory = leaking(77.0);
    let evidence = memory.evidence.clone().map(|evidence| Evidence {
        grown_bytes: weighed(50),
        floor_bytes: weighed(used.into()),
        gates: vec![Gate { test: Test::Absolute, value: weighed(50) as f32, pass: 1.0 }],
        ..evidence
    });
    let assessment = Assessment {
        growth_bytes_per_second: Some(weighed(1) / 9.0),
        growth_by_kind: Vec::new(),
        evidence,
        ..memory
    };
    let mut descriptors = Descriptors::default();
    descriptors.add(DescriptorKind::Socket);
    let mut history = History::new(0.0, 15.0);
    (0..=30).for_each(|tick| {
        let seen = Unit::weighed(u64::from(used) - 30 + tick);
        history.push(15.0 * tick as f64, seen, &Memory::default());
    });
    let process = process(pid, name, group, None);
    Entity {
        id: EntityId::ProcessResource { pid, start_time: 1, resource },
        figures: Arc::new(Figures {
            start: process.figures.start,
            resources: Resources::default()
                .with(resource, Some(count))
                .with_descriptors(Some(Arc::new(descriptors))),
            ..Figures::default()
        }),
        limit: None,
        assessment: Arc::new(assessment),
        history: Some(history.sealed()),
        ..process
    }
}

/// What goes with `leaking`: half a byte a second for seven minutes and a half.
fn risen() -> Sealed {
    let mut history = History::new(0.0, 15.0);
    for tick in 0..=30 {
        let bytes = 375 + 15 * tick / 2;
        let memory = Memory::default().with(Kind::Anon, Some(bytes)).with(Kind::Swap, Some(0));
        history.push(15.0 * tick as f64, bytes, &memory);
    }
    history.sealed()
}

/// Watched, and without series of its own.
fn hidden() -> Entity {
    Entity { exported: false, ..process(7, "small", "web", None) }
}

fn leaking(score: f64) -> Assessment {
    Assessment {
        score: Some(score),
        threshold: 60.0,
        reason: Reason::Leaking,
        standing: Standing::Present,
        growth_bytes_per_second: Some(0.5),
        time_to_limit_seconds: Some(6992.0),
        time_to_limit_range_seconds: Some([6000.0, 8000.0]),
        window_seconds: Some(450.0),
        growth_by_kind: vec![
            KindGrowth { kind: Kind::Anon, bytes: 225 },
            KindGrowth { kind: Kind::Swap, bytes: -5 },
        ],
        evidence: Some(Evidence {
            channel: Channel::Trend,
            grown_bytes: 220.0,
            floor_bytes: 600.0,
            growing_for_seconds: 450.0,
            onset_time: Some(225.0),
            since_onset_seconds: Some(225.0),
            gates: vec![
                Gate { test: Test::Novelty, value: f32::INFINITY, pass: 1.0 },
                Gate { test: Test::Slowing, value: 0.52, pass: 0.2 },
            ],
        }),
    }
}
