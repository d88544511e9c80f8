//! `/api/history`: the recorded points of one entity, as far as they change no more.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::query::HistoryQuery;
use super::response::Refusal;
use crate::entity::{EntityId, Scope};
use crate::exposition;
use crate::history::{Composition, Ring, Sealed, width};
use crate::resources::Unit;
use crate::snapshot::{Entity, Snapshot};

/// What is remembered of one entity. A group has no history of its own: it shows that of its member with the
/// highest score, as its score does.
#[derive(Serialize, JsonSchema)]
pub(super) struct History<'a> {
    scope: Scope,
    /// What people call it.
    entity: String,
    /// As its metrics have them.
    labels: BTreeMap<&'a str, Cow<'a, str>>,
    /// Whose points these are: the entity itself, or a member of the group; null if nobody is remembered.
    life: Option<Life<'a>>,
    /// When the snapshot was taken, seconds since the epoch.
    time: f64,
    /// One second counts as this many. Unless it is 1, all times below run ahead of the clock.
    time_lapse: u32,
    /// What the points are: bytes, or a count of what is no memory.
    unit: PointUnit,
    /// Floors by the width of their blocks, finest first.
    scales: Vec<TimeScale>,
    /// Memory by kind at times that become sparser the older they are, oldest first.
    composition: Vec<Checkpoint>,
}

/// What a point is counted in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PointUnit {
    Bytes,
    Count,
}

/// One life, from its first sample on.
#[derive(Serialize, JsonSchema)]
struct Life<'a> {
    scope: Scope,
    /// What people call it.
    entity: String,
    /// As its metrics have them.
    labels: BTreeMap<&'a str, Cow<'a, str>>,
    /// Of a process, in clock ticks since boot: with the pid, it stands for this life and no other.
    start_time: Option<u64>,
    /// When it was first sampled, seconds since the epoch.
    first_sample: f64,
    /// When it was last sampled, seconds since the epoch.
    last_sample: f64,
}

/// At most the last 32 blocks of one width.
#[derive(Serialize, JsonSchema)]
struct TimeScale {
    /// Time that one block spans.
    width_seconds: f64,
    /// Complete ones, oldest first; spans without samples are missing.
    blocks: Vec<Block>,
}

/// What is left of the samples in one span of time.
#[derive(Serialize, JsonSchema)]
struct Block {
    /// When the block begins, seconds since the epoch.
    start: f64,
    /// Lowest sample of the memory that is scored, or of the count.
    low: u64,
    /// Highest floor of the block's eighths; the finest blocks have no parts, and tell `low` again.
    high: u64,
}

/// Memory by kind at one time.
#[derive(Serialize, JsonSchema)]
struct Checkpoint {
    /// Seconds since the epoch.
    time: f64,
    /// Bytes.
    memory: BTreeMap<&'static str, u64>,
}

impl<'a> History<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, query: &HistoryQuery) -> Result<History<'a>, Refusal> {
        let entity = snapshot.entities.iter().find(|entity| is_meant(query, entity)).ok_or_else(unknown)?;
        let source = match &entity.worst_member {
            Some(member) => snapshot.entity(member),
            None => Some(entity),
        };
        let sealed = entity.history.as_ref();
        Ok(History {
            scope: entity.scope(),
            entity: entity.display_name(),
            labels: exposition::labels(entity).into_iter().collect(),
            life: source.zip(sealed).map(|(source, sealed)| Life::new(source, sealed)),
            time: snapshot.taken_unix_seconds,
            time_lapse: snapshot.time_lapse,
            unit: match entity.unit() {
                Unit::Bytes => PointUnit::Bytes,
                Unit::Count(_) => PointUnit::Count,
            },
            scales: sealed.map_or_else(Vec::new, |sealed| time_scales(sealed, entity.unit())),
            composition: sealed
                .map_or_else(Vec::new, |sealed| checkpoints(sealed.composition(), entity.unit())),
        })
    }
}

fn is_meant(query: &HistoryQuery, entity: &Entity) -> bool {
    match (query, &entity.id) {
        (HistoryQuery::Host, EntityId::Host) | (HistoryQuery::HostUnaccounted, EntityId::HostUnaccounted) => {
            true
        }
        (HistoryQuery::Cgroup(wanted), EntityId::Cgroup(id)) => *id.path == **wanted,
        (HistoryQuery::Group(wanted), EntityId::Group(id)) => *id.name == **wanted,
        (&HistoryQuery::Process { pid: wanted, start_time: at }, &EntityId::Process { pid, start_time }) => {
            pid == wanted && at.is_none_or(|at| at == start_time)
        }
        (
            &HistoryQuery::ProcessResource { pid: wanted, start_time: at, resource: of },
            &EntityId::ProcessResource { pid, start_time, resource },
        ) => (pid, resource) == (wanted, of) && at.is_none_or(|at| at == start_time),
        _ => false,
    }
}

fn unknown() -> Refusal {
    let message = "nothing of that name is watched now; /api/leak_indicators lists what is";
    Refusal::new(StatusCode::NOT_FOUND, message)
}

impl<'a> Life<'a> {
    fn new(entity: &'a Entity, sealed: &Sealed) -> Life<'a> {
        Life {
            scope: entity.scope(),
            entity: entity.display_name(),
            labels: exposition::labels(entity).into_iter().collect(),
            start_time: match entity.id {
                EntityId::Process { start_time, .. } | EntityId::ProcessResource { start_time, .. } => {
                    Some(start_time)
                }
                _ => None,
            },
            first_sample: sealed.began(),
            last_sample: sealed.latest(),
        }
    }
}

fn time_scales(sealed: &Sealed, unit: Unit) -> Vec<TimeScale> {
    let amount = |seen: f32| unit.amount(f64::from(seen)).round() as u64;
    let scale = |(rung, ring): (usize, &Ring)| TimeScale {
        width_seconds: width(rung),
        blocks: ring
            .iter()
            .map(|(number, block)| Block {
                start: number as f64 * width(rung),
                low: amount(block.low),
                high: amount(block.high),
            })
            .collect(),
    };
    sealed.rings().iter().map(scale).collect()
}

fn checkpoints(composition: &Composition, unit: Unit) -> Vec<Checkpoint> {
    if unit != Unit::Bytes {
        return Vec::new();
    }
    composition
        .checkpoints()
        .map(|(time, memory)| Checkpoint {
            time,
            memory: memory.map(|(kind, bytes)| (kind.as_str(), bytes as u64)).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::entity::Resource;
    use crate::exposition::fixture;

    fn history(query: &str) -> Value {
        let snapshot = fixture::snapshot();
        let query = HistoryQuery::parse(query).unwrap();
        serde_json::to_value(History::of(&snapshot, &query).unwrap()).unwrap()
    }

    #[test]
    fn a_process_shows_its_blocks_and_its_composition() {
        let body = history("scope=process&pid=42&start_time=1");
        let itself = json!({
            "scope": "process", "entity": "leaky[42]",
            "labels": {"pid": "42", "name": "leaky", "group": "web"},
            "start_time": 1, "first_sample": 0.0, "last_sample": 450.0
        });
        assert_eq!(body["life"], itself);
        assert_eq!((&body["scope"], &body["entity"]), (&json!("process"), &json!("leaky[42]")));
        let scale = &body["scales"][0];
        assert_eq!(scale["width_seconds"], 28.125);
        assert_eq!(scale["blocks"].as_array().unwrap().len(), 16);
        assert_eq!(scale["blocks"][1], json!({"start": 28.125, "low": 390, "high": 390}));
        assert_eq!(body["scales"][1]["blocks"][0], json!({"start": 0.0, "low": 375, "high": 390}));
        assert_eq!(body["composition"][0], json!({"time": 0.0, "memory": {"anon": 375, "swap": 0}}));
    }

    #[test]
    fn a_group_shows_its_worst_member_and_says_so() {
        let body = history("scope=group&group=web");
        assert_eq!((&body["entity"], &body["life"]["entity"]), (&json!("web"), &json!("leaky[42]")));
        assert_eq!(body["scales"], history("scope=process&pid=42")["scales"]);
    }

    #[test]
    fn where_nothing_is_remembered_nothing_is_made_up() {
        let body = history("scope=host_unaccounted");
        let nothing = (&Value::Null, &json!([]), &json!([]));
        assert_eq!((&body["life"], &body["scales"], &body["composition"]), nothing);
    }

    #[test]
    fn a_resource_shows_counts() {
        let leak = fixture::resource(42, "leaky", "web", Resource::Fds, 900);
        let snapshot = Snapshot { entities: vec![leak], ..fixture::snapshot() };
        let query = HistoryQuery::parse("scope=process_resource&pid=42&resource=fds").unwrap();
        let body = serde_json::to_value(History::of(&snapshot, &query).unwrap()).unwrap();
        assert_eq!((&body["unit"], &body["composition"]), (&json!("count"), &json!([])));
        assert_eq!(body["scales"][0]["blocks"][1], json!({"start": 28.125, "low": 872, "high": 872}));
        assert_eq!(history("scope=process&pid=42")["unit"], "bytes");
    }

    #[test]
    fn who_is_not_there_is_not_found() {
        let snapshot = fixture::snapshot();
        for query in ["scope=group&group=we", "scope=process&pid=1", "scope=process&pid=42&start_time=2"] {
            let refusal = History::of(&snapshot, &HistoryQuery::parse(query).unwrap()).err().unwrap();
            assert_eq!(refusal.into_response().status(), 404, "{query}");
        }
    }
}
