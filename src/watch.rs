//! Who is remembered from tick to tick: one history and one detector a life, one record a lineage.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::config::SamplerConfig;
use crate::detector::{Assessment, Lineage};
use crate::entity::{EntityId, Identity, LineageKey, Scope};
use crate::history::Sealed;
use crate::sample::{Limit, Sample};

mod generations;
mod life;
mod succession;

pub use life::{Life, Observation};
pub use succession::Succession;

/// Most lineages that are remembered. One takes about 200 bytes.
const LINEAGES: usize = 8192;

/// Most lineages whose short lives are judged together, each of which takes the memory of one more life.
const JOINT: usize = 512;

/// Every life that is being watched. Times are seconds of the history's own time.
#[derive(Debug)]
pub struct Watchlist {
    /// Seconds between samples, as the history counts them.
    interval: f64,
    /// Seconds of history that one second counts as.
    time_lapse: f64,
    room: usize,
    lives: HashMap<EntityId, Watched>,
    lineages: HashMap<LineageKey, Succession>,
    /// How many lives had memory that rises, when those that were gone were last retired.
    crowd: usize,
    /// How many lineages had a joint history then.
    joint: usize,
    dropped: BTreeMap<Scope, u64>,
    no_lineage: Lineage,
}

#[derive(Debug)]
struct Watched {
    life: Life,
    identity: Arc<Identity>,
    /// `None` for what has no successive lives.
    lineage: Option<LineageKey>,
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
            room: config.max_entities,
            lives: HashMap::new(),
            lineages: HashMap::new(),
            crowd: 0,
            joint: 0,
            dropped: BTreeMap::new(),
            no_lineage: Lineage::default(),
        }
    }

    /// Takes in a sample of `time` and judges it. A new life begins where there was none; `None` for an entity that
    /// is not remembered, for want of room.
    pub fn observe(&mut self, time: f64, sample: &Sample, terms: Terms) -> Option<Verdict> {
        let scope = sample.entity.scope();
        if !self.lives.contains_key(&sample.entity) {
            if self.lives.len() >= self.room {
                *self.dropped.entry(scope).or_default() += 1;
                return None;
            }
            self.begin(time, sample);
        }
        let Watched { life, identity, lineage } = self.lives.get_mut(&sample.entity)?;
        if !Arc::ptr_eq(identity, &sample.identity) {
            *identity = Arc::clone(&sample.identity);
            *lineage = lineage_key(&sample.entity, &sample.identity);
        }
        let mut lineage = lineage.as_ref().and_then(|key| self.lineages.get_mut(key));
        if let Some(scored) = sample.memory.scored(scope) {
            let seen = Observation {
                time,
                scored,
                memory: &sample.memory,
                age: sample.start.map(|start| start.age.as_secs_f64() * self.time_lapse),
                cpu_seconds: sample.cpu_seconds.map(|seconds| seconds * self.time_lapse),
                room: terms.limit.map(|limit| limit.room),
                threshold: terms.threshold,
                crowd: self.crowd,
                executable: identity.executable,
            };
            life.observe(seen, lineage.as_deref().map_or(&self.no_lineage, Succession::lineage));
            if let Some(lineage) = &mut lineage {
                lineage.observe(&seen, life.began(), self.interval, self.joint < JOINT);
            }
        }
        // The verdict before the next one: what is expected may have been outgrown, or the rules may be others.
        life.judge_by(terms.threshold);
        let own = life.assessment();
        let surest = lineage.as_deref().map_or(own, |lineage| lineage.surer(own));
        let assessment = if surest.threshold == terms.threshold {
            Arc::clone(surest)
        } else {
            Arc::new(surest.judged_by(terms.threshold))
        };
        Some(Verdict { assessment, history: life.sealed() })
    }

    /// Ends every life that `is_gone`, and lets its lineage know. To be called before new lives are observed, so that
    /// a program that comes back within one tick inherits.
    pub fn retire(&mut self, is_gone: impl Fn(&EntityId) -> bool) {
        let Watchlist { lives, lineages, .. } = self;
        lives.retain(|entity, Watched { life, identity, lineage }| {
            let gone = is_gone(entity);
            if gone && let Some(key) = lineage {
                lineages.entry(key.clone()).or_default().retire(life, identity.executable);
            }
            !gone
        });
        self.joint = self.lineages.values().filter(|lineage| lineage.is_judged_jointly()).count();
        self.crowd = self.lives.values().filter(|watched| watched.life.is_interesting()).count();
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

    fn begin(&mut self, time: f64, sample: &Sample) {
        let key = lineage_key(&sample.entity, &sample.identity);
        let lineage = key.as_ref().and_then(|key| self.lineages.get(key));
        let lineage = lineage.map_or(&self.no_lineage, Succession::lineage);
        let life = Life::new(time, self.interval, lineage, sample.identity.executable);
        let watched = Watched { life, identity: Arc::clone(&sample.identity), lineage: key };
        self.lives.insert(sample.entity.clone(), watched);
    }
}

/// Only processes and cgroups have successive lives.
fn lineage_key(entity: &EntityId, identity: &Identity) -> Option<LineageKey> {
    let scope = entity.scope();
    matches!(scope, Scope::Process | Scope::Cgroup).then(|| LineageKey::of(scope, identity))
}
