//! One sample and what was found: between the verdict on each and what all make of each other.

use std::sync::Arc;

use crate::detector::Assessment;
use crate::entity::{EntityId, Resource};
use crate::history::Sealed;
use crate::rollup::Member;
use crate::sample::{Figures, Limit, Sample};
use crate::snapshot::Entity;
use crate::watch::Verdict;

/// One entity of a tick.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) sample: &'a Sample,
    /// Path of the watched cgroup that a process is in.
    pub(super) within: Option<&'a Arc<str>>,
    /// The nearest limit.
    pub(super) limit: Option<Limit>,
    /// `None` for what is not watched, and for a cgroup that is the sum of others.
    pub(super) verdict: Option<Verdict>,
}

impl Judged<'_> {
    /// The verdict, if there is one.
    pub(super) fn assessment(&self) -> Option<&Assessment> {
        self.verdict.as_ref().map(|verdict| &*verdict.assessment)
    }

    /// What its group makes of it, if it is watched.
    pub(super) fn as_member(&self) -> Option<Member<'_>> {
        let verdict = self.verdict.as_ref()?;
        Some(Member {
            id: &self.sample.entity,
            assessment: &verdict.assessment,
            limit: self.limit,
            history: Some(&verdict.history),
        })
    }

    /// What is told of it: nothing of what is not watched, but of a cgroup that is not judged, for it is a sum.
    pub(super) fn into_entity(self) -> Option<Entity> {
        let Judged { sample, within, limit, verdict } = self;
        let told = match verdict {
            Some(verdict) => entity(sample, verdict),
            None if is_sum(sample) => Entity { history: None, ..entity(sample, unjudged()) },
            None => return None,
        };
        Some(Entity { limit, within: within.cloned(), ..told })
    }
}

/// What is told of one resource that the process of `sample` holds.
pub(super) fn resource_entity(id: EntityId, sample: &Sample, resource: Resource, verdict: Verdict) -> Entity {
    let resources = sample.figures.resources.only(resource);
    let figures = Arc::new(Figures { start: sample.figures.start, resources, ..Figures::default() });
    Entity { id, figures, ..entity(sample, verdict) }
}

fn entity(sample: &Sample, Verdict { assessment, history }: Verdict) -> Entity {
    Entity {
        id: sample.entity.clone(),
        identity: Arc::clone(&sample.identity),
        figures: Arc::clone(&sample.figures),
        limit: None,
        processes: None,
        within: None,
        assessment,
        history: Some(history),
        worst_member: None,
        explained_by: None,
        exported: true,
    }
}

fn unjudged() -> Verdict {
    Verdict { assessment: Arc::default(), history: Sealed::default() }
}

/// Whether it is a cgroup with others below it, which are judged in its place.
pub(super) fn is_sum(sample: &Sample) -> bool {
    matches!(sample.entity, EntityId::Cgroup(_))
        && sample.figures.cgroup.as_ref().is_some_and(|figures| !figures.is_leaf)
}
