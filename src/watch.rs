//! Who is remembered from tick to tick: one history and one detector a life, one record a lineage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::config::SamplerConfig;
use crate::detector::{Assessment, Lineage};
use crate::entity::{EntityId, Identity, LineageKey, Resource, Scope};
use crate::history::Sealed;
use crate::maps::{FastMap, FastSet};
use crate::pool::Pool;
use crate::resources::Unit;
use crate::sample::{Limit, Memory, Sample};

#[cfg(test)]
pub(crate) mod fixture;
mod generations;
mod life;
mod record;
mod resources;
mod room;
mod succession;

use resources::Resources;
use room::Room;

pub use life::{Life, Observation};
pub use record::{Boot, Record, Unsound};
pub use resources::Lowest;
pub use succession::Succession;

/// Most lineages that are remembered. One takes about 200 bytes, and the table has room for 7,168 before it doubles.
const LINEAGES: usize = 7000;

/// Most lineages whose short lives are judged together, each of which takes the memory of one more life.
const JOINT: usize = 512;

/// Every life that is being watched. Times are seconds of the history's own time.
#[derive(Debug)]
pub struct Watchlist {
    /// Seconds between samples, as the history counts them.
    interval: f64,
    /// Seconds of history that one second counts as.
    time_lapse: f64,
    room: Room,
    lives: FastMap<EntityId, Watched>,
    lineages: FastMap<LineageKey, Succession>,
    /// Whose lives are watched.
    keys: Pool<LineageKey>,
    /// Which resources besides memory have lives.
    resources: Resources,
    /// How many lives had something that rises, when those that were gone were last retired.
    crowd: Crowd,
    /// How many lineages had a joint history then.
    joint: usize,
    dropped: BTreeMap<Scope, u64>,
    no_lineage: Lineage,
    /// A verdict that many have.
    common: Arc<Assessment>,
}

#[derive(Debug)]
struct Watched {
    life: Life,
    identity: Arc<Identity>,
    /// `None` for what has no successive lives.
    lineage: Option<Arc<LineageKey>>,
    /// What a process held at the least, of what has no history.
    lowest: Lowest,
}

impl Watched {
    fn new(life: Life, identity: Arc<Identity>, lineage: Option<Arc<LineageKey>>) -> Watched {
        Watched { life, identity, lineage, lowest: Lowest::UNSEEN }
    }
}

/// How many are judged beside each other: chances to be wrong about memory are none to be wrong about descriptors.
#[derive(Clone, Copy, Debug, Default)]
struct Crowd {
    memory: usize,
    resources: usize,
}

impl Crowd {
    fn around(&mut self, entity: &EntityId) -> &mut usize {
        match entity.scope() {
            Scope::ProcessResource => &mut self.resources,
            _ => &mut self.memory,
        }
    }
}

/// When a sample was taken.
#[derive(Clone, Copy, Debug)]
pub struct When {
    /// Seconds of the history's own time.
    pub time: f64,
    /// How long the machine had been up, where a source tells.
    pub uptime: Option<Duration>,
}

/// What was seen of an entity, and what it is judged by.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    when: When,
    /// The sample that it was seen in.
    sample: &'a Sample,
    /// What the history is of; `None` where that was not looked at.
    scored: Option<u64>,
    memory: &'a Memory,
    threshold: f64,
    room: Option<u64>,
}

/// What an entity is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// A score above it is a suspicion; infinite for what is never to be suspected.
    pub threshold: f64,
    /// The nearest limit.
    pub limit: Option<Limit>,
}

/// What is known of an entity after its latest sample.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The verdict.
    pub assessment: Arc<Assessment>,
    /// What it rests on.
    pub history: Sealed,
}

impl Watchlist {
    /// An empty list for samples every `config.interval` seconds, as the history counts them.
    pub fn new(config: &SamplerConfig) -> Watchlist {
        Watchlist {
            interval: config.interval.as_secs_f64() * f64::from(config.time_lapse),
            time_lapse: f64::from(config.time_lapse),
            room: Room::new(config.max_entities),
            lives: FastMap::default(),
            lineages: FastMap::default(),
            keys: Pool::default(),
            resources: Resources::default(),
            crowd: Crowd::default(),
            joint: 0,
            dropped: BTreeMap::new(),
            no_lineage: Lineage::default(),
            common: Arc::default(),
        }
    }

    /// Takes in a sample and judges it. A new life begins where there was none; `None` for an entity that
    /// is not remembered, for want of room: those that come first have it until [`Watchlist::make_room`].
    pub fn observe(&mut self, when: When, sample: &Sample, terms: Terms) -> Option<Verdict> {
        let scope = sample.entity.scope();
        let scored = sample.figures.memory.scored(scope);
        if !self.lives.contains_key(&sample.entity) {
            let lives = self.lives_with_places();
            if !self.room.admits(lives, &sample.entity, scored) {
                *self.dropped.entry(scope).or_default() += 1;
                return None;
            }
            self.begin(when.time, &sample.entity, &sample.identity);
        }
        let seen = Seen {
            when,
            sample,
            scored,
            memory: &sample.figures.memory,
            threshold: terms.threshold,
            room: terms.limit.map(|limit| limit.room),
        };
        self.take(&sample.entity, seen)
    }

    /// Takes in what the process of `sample`, which is watched itself, holds of `resource`, and judges it: a score above
    /// `threshold` is a suspicion. A life begins only once it has risen; `None` without one. One whose count is not known any
    /// more keeps its verdict: we may no longer look, and the process lives.
    pub fn observe_resource(
        &mut self,
        when: When,
        sample: &Sample,
        resource: Resource,
        threshold: f64,
    ) -> Option<(EntityId, Verdict)> {
        let EntityId::Process { pid, start_time } = sample.entity else { return None };
        let process = (pid, start_time);
        let may_have_life = self.resources.may_have(process);
        if sample.is_told_again && !may_have_life && !self.resources.is_awaited() {
            // It has no more of them than when it was read.
            return None;
        }
        let count = sample.count(resource);
        let entity = EntityId::ProcessResource { pid, start_time, resource };
        if !may_have_life || !self.lives.contains_key(&entity) {
            let watched = self.lives.get_mut(&sample.entity)?;
            if !watched.lowest.has_risen(resource, count?) {
                return None;
            }
            if !self.has_room_for_a_resource() {
                self.resources.turn_away();
                *self.dropped.entry(Scope::ProcessResource).or_default() += 1;
                return None;
            }
            self.resources.begin(process);
            self.begin(when.time, &entity, &sample.identity);
        }
        let seen = Seen {
            when,
            sample,
            scored: count.filter(|count| count.is_new).map(|count| Unit::weighed(count.used.into())),
            memory: &Memory::default(),
            threshold,
            room: count.and_then(|count| count.room()).map(|room| Unit::weighed(room.into())),
        };
        let verdict = self.take(&entity, seen)?;
        Some((entity, verdict))
    }

    fn take(&mut self, entity: &EntityId, seen: Seen<'_>) -> Option<Verdict> {
        let Seen { when: When { time, uptime }, sample, threshold, .. } = seen;
        let interval = self.interval_of(entity);
        let crowd = *self.crowd.around(entity);
        let Watched { life, identity, lineage, .. } = self.lives.get_mut(entity)?;
        if !Arc::ptr_eq(identity, &sample.identity) {
            *identity = Arc::clone(&sample.identity);
            let key = lineage_key(entity, &sample.identity);
            // Names come late, and what was not judged under another one has lost nothing by it.
            if key.as_ref() != lineage.as_deref() && !life.has_judged() {
                let forebears = key.as_ref().and_then(|key| self.lineages.get(key));
                let forebears = forebears.map_or(&self.no_lineage, Succession::lineage);
                *life = Life::new(time, interval, forebears, identity.executable);
            }
            *lineage = key.map(|key| self.keys.share(key));
        }
        let mut lineage = lineage.as_deref().and_then(|key| self.lineages.get_mut(key));
        if let Some(scored) = seen.scored {
            let seen = Observation {
                time,
                scored,
                memory: seen.memory,
                age: sample
                    .figures
                    .start
                    .zip(uptime)
                    .map(|(start, uptime)| start.age(uptime).as_secs_f64() * self.time_lapse),
                cpu_seconds: sample.cpu_seconds.map(|seconds| seconds * self.time_lapse),
                room: seen.room,
                threshold,
                crowd,
                executable: identity.executable,
            };
            life.observe(seen, lineage.as_deref().map_or(&self.no_lineage, Succession::lineage));
            if let Some(lineage) = &mut lineage {
                lineage.observe(&seen, life, interval, self.joint < JOINT);
            }
        }
        // The verdict before the next one: what is expected may have been outgrown, or the rules may be others.
        life.judge_by(threshold);
        life.share_verdict(&mut self.common);
        let surest = lineage.as_deref().map_or_else(|| life.assessment(), |lineage| lineage.surer(life));
        let assessment = if surest.threshold == threshold {
            Arc::clone(surest)
        } else {
            Arc::new(surest.judged_by(threshold))
        };
        Some(Verdict { assessment, history: life.sealed() })
    }

    /// Whether one more resource may have a life. Those that were judged and don't grow are given up for it, all at once,
    /// so that this is rare; suspects never are.
    fn has_room_for_a_resource(&mut self) -> bool {
        if self.resources.is_full() && !self.resources.is_crowded() {
            self.give_up_spare_resources();
            if self.resources.is_full() {
                self.resources.note_crowded();
            }
        }
        !self.resources.is_full()
    }

    /// Ends the lives of all that were judged and don't grow. Another begins for what has risen again.
    fn give_up_spare_resources(&mut self) {
        let spare: Vec<_> = self
            .lives
            .extract_if(|entity, watched| {
                entity.scope() == Scope::ProcessResource && resources::is_spare(&watched.life)
            })
            .map(|(entity, _)| entity)
            .collect();
        for entity in spare {
            let EntityId::ProcessResource { pid, start_time, resource } = entity else { continue };
            self.resources.give_up();
            if let Some(process) = self.lives.get_mut(&EntityId::Process { pid, start_time }) {
                process.lowest.forget(resource);
            }
        }
    }

    /// Ends every life that `is_gone`, and lets its lineage know. To be called before new lives are observed, so that
    /// a program that comes back within one tick inherits.
    pub fn retire(&mut self, is_gone: impl Fn(&EntityId) -> bool) {
        let Watchlist { lives, lineages, .. } = self;
        let (mut crowd, mut resources, mut holders) = (Crowd::default(), 0, FastSet::default());
        lives.retain(|entity, Watched { life, identity, lineage, .. }| {
            let gone = is_gone(entity);
            if gone && let Some(key) = lineage {
                lineages.entry(LineageKey::clone(key)).or_default().retire(life, identity.executable);
            }
            if !gone {
                if let &EntityId::ProcessResource { pid, start_time, .. } = entity {
                    resources += 1;
                    holders.insert((pid, start_time));
                }
                *crowd.around(entity) += usize::from(life.is_interesting());
            }
            !gone
        });
        self.crowd = crowd;
        self.joint = self.lineages.values().filter(|lineage| lineage.is_judged_jointly()).count();
        self.resources.retire(resources, holders);
    }

    /// Forgets lineages that ended long before `time`, and the oldest ones where there are too many.
    pub fn forget_lineages(&mut self, time: f64) {
        self.lineages.retain(|_, lineage| lineage.is_remembered(time));
        if self.lineages.len() > LINEAGES {
            // Down to half, so that this is rare.
            let mut excess = self.lineages.len() - LINEAGES / 2;
            let mut ends: Vec<f64> = self.lineages.values().map(Succession::ended).collect();
            let (_, &mut last, _) = ends.select_nth_unstable_by(excess - 1, f64::total_cmp);
            self.lineages.retain(|_, lineage| {
                let goes = excess > 0 && lineage.ended() <= last;
                excess -= usize::from(goes);
                !goes
            });
            // A table made anew: the old one would grow by the traces of those that are gone.
            self.lineages.shrink_to(LINEAGES / 2);
        }
    }

    /// Entities that were seen since the last call and are not remembered.
    pub fn take_dropped(&mut self) -> BTreeMap<Scope, u64> {
        std::mem::take(&mut self.dropped)
    }

    /// Whether it is being watched already.
    pub fn contains(&self, entity: &EntityId) -> bool {
        self.lives.contains_key(entity)
    }

    /// How many lives are remembered.
    pub fn len(&self) -> usize {
        self.lives.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.lives.is_empty()
    }

    fn begin(&mut self, time: f64, entity: &EntityId, identity: &Arc<Identity>) {
        let key = lineage_key(entity, identity);
        let lineage = key.as_ref().and_then(|key| self.lineages.get(key));
        let lineage = lineage.map_or(&self.no_lineage, Succession::lineage);
        let life = Life::new(time, self.interval_of(entity), lineage, identity.executable);
        let lineage = key.map(|key| self.keys.share(key));
        let watched = Watched::new(life, Arc::clone(identity), lineage);
        self.lives.insert(entity.clone(), watched);
    }

    /// Seconds between samples of it, as its history counts them.
    fn interval_of(&self, entity: &EntityId) -> f64 {
        match entity {
            EntityId::ProcessResource { resource, .. } => self.interval * f64::from(resource.every()),
            _ => self.interval,
        }
    }
}

/// Only processes, what they hold and cgroups have successive lives.
fn lineage_key(entity: &EntityId, identity: &Identity) -> Option<LineageKey> {
    let key = LineageKey::of(entity.scope(), identity);
    match entity {
        EntityId::Process { .. } | EntityId::Cgroup(_) => Some(key),
        EntityId::ProcessResource { resource, .. } => Some(key.resource(*resource)),
        EntityId::Host | EntityId::HostUnaccounted | EntityId::Group(_) => None,
    }
}
