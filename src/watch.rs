//! Who is remembered from tick to tick: one history and one detector a life, one record a lineage.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::config::SamplerConfig;
use crate::detector::{Assessment, Circumstances, Detector, Lineage};
use crate::entity::{EntityId, Identity, LineageKey, Scope};
use crate::group;
use crate::history::{History, Sealed};
use crate::sample::{Limit, Sample};

/// What a lineage did is forgotten after so many seconds: a week.
const LINEAGE_KEPT: f64 = 7.0 * 86_400.0;

/// Most lineages that are remembered. One takes about 200 bytes.
const LINEAGES: usize = 8192;

/// Every life that is being watched. Times are seconds of the history's own time.
#[derive(Debug)]
pub struct Watchlist {
    threshold: f64,
    /// Seconds between samples.
    interval: f64,
    room: usize,
    lives: HashMap<EntityId, Life>,
    lineages: HashMap<LineageKey, Lineage>,
    dropped: BTreeMap<Scope, u64>,
    no_lineage: Lineage,
}

#[derive(Debug)]
struct Life {
    history: History,
    detector: Detector,
    assessment: Arc<Assessment>,
    /// As the source gave it, to see when it changes.
    given: Arc<Identity>,
    /// With the group that was decided on.
    identity: Arc<Identity>,
}

/// What is known of an entity after its latest sample.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Names, with the group.
    pub identity: Arc<Identity>,
    /// `None` for an entity that is not remembered, for want of room.
    pub assessment: Option<Arc<Assessment>>,
    /// What it rests on; `None` likewise.
    pub history: Option<Sealed>,
}

impl Watchlist {
    /// An empty list for samples every `config.interval` seconds, as the history counts them.
    pub fn new(config: &SamplerConfig) -> Watchlist {
        Watchlist {
            threshold: config.threshold,
            interval: config.interval.as_secs_f64() * f64::from(config.time_lapse),
            room: config.max_entities,
            lives: HashMap::new(),
            lineages: HashMap::new(),
            dropped: BTreeMap::new(),
            no_lineage: Lineage::default(),
        }
    }

    /// Takes in a sample of `time` and judges it against the nearest limit. A new life begins where there was none.
    pub fn observe(&mut self, time: f64, sample: &Sample, limit: Option<Limit>) -> Verdict {
        let scope = sample.entity.scope();
        if !self.lives.contains_key(&sample.entity) {
            if self.lives.len() >= self.room {
                *self.dropped.entry(scope).or_default() += 1;
                return self.pass_over(sample);
            }
            self.begin(time, sample);
        }
        let lineage = lineage_key(&sample.entity, &sample.identity).and_then(|key| self.lineages.get(&key));
        let lineage = lineage.unwrap_or(&self.no_lineage);
        let Some(life) = self.lives.get_mut(&sample.entity) else { return self.pass_over(sample) };
        if !Arc::ptr_eq(&life.given, &sample.identity) {
            life.given = Arc::clone(&sample.identity);
            life.identity = with_group(&sample.identity, scope);
        }
        if let Some(scored) = sample.memory.scored(scope) {
            let closed = life.history.push(time, scored, &sample.memory);
            let around = Circumstances {
                threshold: self.threshold,
                room: limit.map(|limit| limit.room),
                lineage,
                executable: life.identity.executable,
            };
            if let Some(assessment) = life.detector.update(&life.history, closed, around) {
                life.assessment = Arc::new(assessment);
            }
        }
        Verdict {
            identity: Arc::clone(&life.identity),
            assessment: Some(Arc::clone(&life.assessment)),
            history: Some(life.history.sealed()),
        }
    }

    /// The names of an entity that is not watched.
    pub fn pass_over(&self, sample: &Sample) -> Verdict {
        Verdict {
            identity: with_group(&sample.identity, sample.entity.scope()),
            assessment: None,
            history: None,
        }
    }

    /// Ends every life that `is_gone`, and lets its lineage know. To be called before new lives are observed, so that
    /// a program that comes back within one tick inherits.
    pub fn retire(&mut self, is_gone: impl Fn(&EntityId) -> bool) {
        let Watchlist { lives, lineages, .. } = self;
        lives.retain(|entity, life| {
            let gone = is_gone(entity);
            if gone
                && life.detector.has_judged()
                && let Some(key) = lineage_key(entity, &life.identity)
            {
                let lineage = lineages.entry(key).or_default();
                life.detector.retire(&life.history, lineage, life.identity.executable);
            }
            !gone
        });
    }

    /// Forgets lineages that ended long before `time`, and the oldest ones where there are too many.
    pub fn forget_lineages(&mut self, time: f64) {
        self.lineages.retain(|_, lineage| time - lineage.ended() < LINEAGE_KEPT);
        if self.lineages.len() > LINEAGES {
            let mut ends: Vec<f64> = self.lineages.values().map(Lineage::ended).collect();
            let (_, &mut median, _) = ends.select_nth_unstable_by(LINEAGES / 2, f64::total_cmp);
            self.lineages.retain(|_, lineage| lineage.ended() > median);
        }
    }

    /// Entities that were seen since the last call and are not remembered.
    pub fn take_dropped(&mut self) -> BTreeMap<Scope, u64> {
        std::mem::take(&mut self.dropped)
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
        let lineage = key.and_then(|key| self.lineages.get(&key)).unwrap_or(&self.no_lineage);
        let life = Life {
            history: History::new(time, self.interval),
            detector: Detector::new(lineage, sample.identity.executable),
            assessment: Arc::default(),
            given: Arc::clone(&sample.identity),
            identity: with_group(&sample.identity, sample.entity.scope()),
        };
        self.lives.insert(sample.entity.clone(), life);
    }
}

/// Only processes have successive lives.
fn lineage_key(entity: &EntityId, identity: &Identity) -> Option<LineageKey> {
    matches!(entity, EntityId::Process { .. }).then(|| LineageKey::of(identity))
}

fn with_group(identity: &Arc<Identity>, scope: Scope) -> Arc<Identity> {
    match scope {
        Scope::Process => {
            Arc::new(Identity { group: Some(group::name_of(identity)), ..Identity::clone(identity) })
        }
        _ => Arc::clone(identity),
    }
}
