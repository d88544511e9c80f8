//! Which group a process belongs to, and what the rules say about it besides. Matching costs, so it is done once for
//! what a process is known by, and again when that or the rules change.

use std::collections::HashSet;
use std::sync::Arc;

use crate::entity::{EntityId, Identity, Scope};
use crate::maps::FastMap;
use crate::pool::Pool;
use crate::rules::{Candidate, Override, Rules, Subject};
use crate::sample::Sample;

/// Most groups there are besides [`OTHER`]. Templates with a pid or an argument in them make as many as they like.
const MAX_GROUPS: usize = 1000;

/// Most bytes of a group's name.
const MAX_NAME_BYTES: usize = 256;

/// The group of those that have no room in one of their own.
const OTHER: &str = "other";

/// Where an entity belongs.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its names, with the group.
    pub identity: Arc<Identity>,
    /// What is different about it; `None` for most, which have no rule of their own.
    exception: Option<Arc<Exception>>,
}

impl Place {
    /// What is to be done differently with it.
    pub fn treatment(&self) -> Option<&Override> {
        self.exception.as_ref()?.treatment.as_deref()
    }

    /// The score above which what a process holds besides memory is suspect, where `usual` is for all others; `None` if
    /// that is not to be watched.
    pub fn resource_threshold(&self, usual: f64) -> Option<f64> {
        let Some(exception) = &self.exception else { return Some(usual) };
        let treatment = exception.resource_treatment.as_ref();
        let threshold = treatment.map_or(usual, |treatment| treatment.resource_threshold(usual));
        (!exception.excludes_resources).then_some(threshold)
    }
}

#[cfg(test)]
impl Place {
    /// Of an entity about which nothing is different.
    pub fn usual(identity: Arc<Identity>) -> Place {
        Place { identity, exception: None }
    }
}

/// What is different about one entity.
#[derive(Debug, Default)]
struct Exception {
    treatment: Option<Arc<Override>>,
    /// Whether what it holds besides memory is not to be watched.
    excludes_resources: bool,
    /// What is said of those resources, or of their process.
    resource_treatment: Option<Arc<Override>>,
}

impl Exception {
    /// `None` where there is none.
    fn shared(self) -> Option<Arc<Exception>> {
        let is_one = self.excludes_resources || self.treatment.is_some() || self.resource_treatment.is_some();
        is_one.then(|| Arc::new(self))
    }
}

/// Finds the place of each entity, and remembers it.
#[derive(Debug)]
pub struct Grouper {
    rules: Arc<Rules>,
    known: FastMap<EntityId, Known>,
    /// What is known with a group.
    grouped: Pool<Identity>,
    names: HashSet<Arc<str>>,
    /// Whether anybody has got another place in this pass.
    has_changed: bool,
}

#[derive(Debug)]
struct Known {
    /// As the source gave it, to see when it changes.
    given: Arc<Identity>,
    /// `None` for what is not watched.
    place: Option<Place>,
    is_folded: bool,
    /// Whether it was seen in this pass.
    is_seen: bool,
}

impl Grouper {
    /// Knows nobody yet, and goes by `rules`.
    pub fn new(rules: Arc<Rules>) -> Grouper {
        Grouper {
            rules,
            known: FastMap::default(),
            grouped: Pool::default(),
            names: HashSet::new(),
            has_changed: false,
        }
    }

    /// The rules it goes by.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Where the entity of `sample` belongs; `None` if it is not to be watched.
    pub fn place(&mut self, sample: &Sample) -> Option<Place> {
        if let Some(known) = self.known.get_mut(&sample.entity)
            && Arc::ptr_eq(&known.given, &sample.identity)
        {
            known.is_seen = true;
            return known.place.clone();
        }
        let (group, is_folded) = self.group(sample);
        let place = self.find(sample, group);
        let given = Arc::clone(&sample.identity);
        let known = Known { given, place: place.clone(), is_folded, is_seen: true };
        self.known.insert(sample.entity.clone(), known);
        self.has_changed = true;
        place
    }

    /// Whether it was seen in the latest pass and is watched, or may be there all the same.
    pub fn knows(&self, entity: &EntityId) -> bool {
        self.known.get(entity).is_some_and(|known| known.place.is_some())
    }

    /// Ends a pass over all entities: who was not seen in it is forgotten, unless it `may_be_there` all the same. Groups without
    /// members make room for new ones; who found none before stays where it is.
    pub fn end_pass(&mut self, may_be_there: impl Fn(&EntityId) -> bool) {
        let before = self.known.len();
        self.known.retain(|entity, known| std::mem::take(&mut known.is_seen) || may_be_there(entity));
        if !std::mem::take(&mut self.has_changed) && self.known.len() == before {
            return;
        }
        let places = self.known.values().filter(|known| !known.is_folded).flat_map(|known| &known.place);
        self.names = places.filter_map(|place| place.identity.group.clone()).collect();
    }

    /// How many processes are in the group `other` for want of one of their own.
    pub fn folded(&self) -> u64 {
        self.known.values().filter(|known| known.is_folded).count() as u64
    }

    fn find(&mut self, sample: &Sample, group: Option<Arc<str>>) -> Option<Place> {
        let (scope, identity) = (sample.entity.scope(), &sample.identity);
        let subject = Subject::of(scope, identity, group.as_deref());
        if self.rules.excludes(&subject) {
            return None;
        }
        let resource = Subject::of(Scope::ProcessResource, identity, group.as_deref());
        let exception = Exception {
            excludes_resources: self.rules.excludes(&resource),
            treatment: self.rules.treatment(&subject).cloned(),
            resource_treatment: self.rules.treatment_of_any(&[resource, subject]).cloned(),
        };
        // Without their group, which is excluded, its processes are on their own.
        let group = group.filter(|name| !self.rules.excludes(&Subject::group(name)));
        let identity = match group {
            None => Arc::clone(identity),
            group => self.grouped.share(Identity { group, ..Identity::clone(identity) }),
        };
        Some(Place { identity, exception: exception.shared() })
    }

    /// The group of a process, and whether that is only where it was put for want of room.
    fn group(&mut self, sample: &Sample) -> (Option<Arc<str>>, bool) {
        let EntityId::Process { pid, .. } = sample.entity else { return (None, false) };
        let start_unix_seconds = sample.figures.start.map(|start| start.unix_seconds);
        let process = Candidate { identity: &sample.identity, pid, start_unix_seconds };
        let Some(name) = self.rules.group(&process) else { return (None, false) };
        let name = start_of(&name, MAX_NAME_BYTES);
        if let Some(known) = self.names.get(name) {
            return (Some(Arc::clone(known)), false);
        }
        if name.is_empty() || self.names.len() >= MAX_GROUPS {
            return (Some(Arc::from(OTHER)), true);
        }
        let name: Arc<str> = Arc::from(name);
        self.names.insert(Arc::clone(&name));
        (Some(name), false)
    }
}

/// As much of `text` as fits into so many bytes.
fn start_of(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
