//! The immutable result of one tick. Requests read it; nothing in it changes once it is published.

use std::collections::BTreeMap;
use std::fmt::{self, Display as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use schemars::JsonSchema;
use serde::Serialize;

use crate::detector::Assessment;
use crate::entity::{EntityId, Identity, Scope};
use crate::history::Sealed;
use crate::resources::{Count, Unit};
use crate::rules::ReloadStatus;
use crate::sample::{Figures, HostMemory, Limit, Memory};
use crate::source::{Hidden, ReadErrorReason};
use crate::state::StateStatus;

/// Where the sampler leaves the current snapshot and requests find it. Neither ever waits for the other.
#[derive(Debug, Default)]
pub struct Published(ArcSwapOption<Snapshot>);

impl Published {
    /// Replaces the current snapshot.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.0.store(Some(snapshot));
    }

    /// The current snapshot, however old; `None` before the first.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.0.load_full()
    }
}

/// Everything that one tick found out.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When its sampling ended, for measuring how long there has been no other.
    pub taken: Instant,
    /// When it was taken, seconds since the epoch.
    pub taken_unix_seconds: f64,
    /// Time until the next one, as stretched by the CPU budget.
    pub interval: Duration,
    /// One second counts as this many.
    pub time_lapse: u32,
    /// A score above it is a suspicion, unless an entity has a threshold of its own.
    pub threshold: f64,
    /// The machine's figures, unless the source failed or is off.
    pub host: Option<HostMemory>,
    /// Every watched entity that was seen in this tick, and every group, by scope and then by falling score and size.
    pub entities: Vec<Entity>,
    /// Entities that were seen and are not watched, for want of room.
    pub dropped: BTreeMap<Scope, u64>,
    /// Entities that are watched and have no series of their own because of `--series.max`.
    pub unexported: BTreeMap<Scope, u64>,
    /// Processes that are in the group of what has no room in a group of its own.
    pub folded: u64,
    /// How the configuration file was last read; `None` without one.
    pub reload: Option<ReloadStatus>,
    /// How history is kept in a file; `None` without one.
    pub state: Option<StateStatus>,
    /// One report a source, in reading order.
    pub sources: Vec<SourceReport>,
    /// Ticks that were left out because an earlier one took too long or we were stopped, since the start.
    pub ticks_skipped: u64,
}

impl Snapshot {
    /// Whether it is too old to be shown as the present: three intervals without another.
    pub fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.taken) > self.interval * 3
    }

    /// The highest score of all whose memory may be suspected.
    pub fn highest_score(&self) -> Option<f64> {
        self.highest(|entity| !entity.is_resource())
    }

    /// The highest score of all resources besides memory that may be suspected.
    pub fn highest_resource_score(&self) -> Option<f64> {
        self.highest(Entity::is_resource)
    }

    fn highest(&self, is_meant: impl Fn(&Entity) -> bool) -> Option<f64> {
        let judged = self.entities.iter().filter(|entity| entity.assessment.threshold.is_finite());
        judged.filter(|entity| is_meant(entity)).filter_map(|entity| entity.assessment.score).reduce(f64::max)
    }

    /// One leak, one finding: suspects that no narrower suspect explains. A process speaks through its group.
    pub fn findings(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(|entity| self.is_finding(entity))
    }

    /// Whether `entity` is one of the [`findings`](Snapshot::findings).
    pub fn is_finding(&self, entity: &Entity) -> bool {
        entity.assessment.is_suspect() && !entity.is_member() && entity.explained_by.is_none()
    }

    /// The entity of this id, if it was seen.
    pub fn entity(&self, id: &EntityId) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.id == *id)
    }

    /// Entities whose score is above their threshold.
    pub fn suspects(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().filter(|entity| entity.assessment.is_suspect())
    }
}

/// One watched thing as it stands now.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Who.
    pub id: EntityId,
    /// Its names.
    pub identity: Arc<Identity>,
    /// What was read of it, or is the sum of what was read.
    pub figures: Arc<Figures>,
    /// The nearest limit, its own or the host's.
    pub limit: Option<Limit>,
    /// Processes of a group.
    pub processes: Option<u32>,
    /// Path of the watched cgroup that a process is in.
    pub within: Option<Arc<str>>,
    /// The verdict.
    pub assessment: Arc<Assessment>,
    /// What the verdict was made from; `None` where nobody is remembered. A group's is its worst member's.
    pub history: Option<Sealed>,
    /// The member with the highest score, from which a group has its verdict and its history.
    pub worst_member: Option<Box<EntityId>>,
    /// What explains it, if narrower suspects together account for 80 % or more of its growth.
    pub explained_by: Option<Box<Explanation>>,
    /// Whether it gets series of its own.
    pub exported: bool,
}

impl Entity {
    /// The scope label.
    pub fn scope(&self) -> Scope {
        self.id.scope()
    }

    /// Whether it is judged at all: a cgroup with others below it is a sum.
    pub fn is_judged(&self) -> bool {
        self.figures.cgroup.as_ref().is_none_or(|figures| figures.is_leaf)
    }

    /// Whether it is a resource of a process, and so not memory.
    pub fn is_resource(&self) -> bool {
        self.scope() == Scope::ProcessResource
    }

    /// Memory by kind.
    pub fn memory(&self) -> &Memory {
        &self.figures.memory
    }

    /// What its history and the verdict on it are counted in.
    pub fn unit(&self) -> Unit {
        Unit::of(&self.id)
    }

    /// How many there are of a resource.
    pub fn count(&self) -> Option<Count> {
        match self.id {
            EntityId::ProcessResource { resource, .. } => self.figures.resources.get(resource),
            _ => None,
        }
    }

    /// What people call the process that it is, or is a part of: `NAME[PID]`.
    pub fn process_name(&self) -> Option<String> {
        match self.id {
            EntityId::Process { pid, .. } | EntityId::ProcessResource { pid, .. } => {
                Some(format!("{}[{pid}]", self.identity.name))
            }
            _ => None,
        }
    }

    /// What was seen, for a person.
    pub fn sentence(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| match self.is_judged() {
            true => self.assessment.sentence_in(self.unit()).fmt(f),
            false => f.write_str("not judged itself, but in each of the cgroups below it"),
        })
    }

    /// Whether a group speaks for it.
    pub fn is_member(&self) -> bool {
        self.scope() == Scope::Process && self.identity.group.is_some()
    }

    /// The group that a process belongs to, once grouping has decided.
    pub fn group(&self) -> Option<&str> {
        self.identity.group.as_deref()
    }

    /// What people call it: the group's name, `NAME[PID]` of a process, the scope of a part of the host.
    pub fn display_name(&self) -> String {
        match &self.id {
            EntityId::Host | EntityId::HostUnaccounted => self.scope().as_str().to_string(),
            EntityId::Cgroup(id) => id.path.to_string(),
            EntityId::Group(id) => id.name.to_string(),
            EntityId::Process { pid, .. } => format!("{}[{pid}]", self.identity.name),
            EntityId::ProcessResource { pid, resource, .. } => {
                format!("{} of {}[{pid}]", resource.plain_name(), self.identity.name)
            }
        }
    }
}

/// What is behind a wider one's growth: of the narrower suspects that account for it, the one that grows fastest.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// Its scope.
    pub scope: Scope,
    /// Its display name.
    pub entity: String,
    /// The share of the growth that all narrower suspects explain, 0 to 1.
    pub share: f64,
}

/// How one source did.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceReport {
    /// Its name.
    pub name: &'static str,
    /// Whether it could be read.
    pub success: bool,
    /// How long that took.
    pub duration: Duration,
    /// Entities that could not be read, by reason, since the start.
    pub errors: BTreeMap<ReadErrorReason, u64>,
    /// Of how many entities something may not be seen, for want of a right.
    pub hidden: BTreeMap<Hidden, u64>,
}
