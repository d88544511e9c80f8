//! The cgroups of one tick: which limits hold below each, and how long it takes all that share one to hit it.

use std::sync::Arc;

use crate::detector::Assessment;
use crate::entity::{EntityId, Scope};
use crate::group::Place;
use crate::maps::FastMap;
use crate::rollup::{Approach, Pace};
use crate::sample::{CgroupLimit, Limit, LimitKind, Sample};

use super::judged::Judged;

/// How the kernel writes a level above the root of our own cgroup namespace.
const ABOVE: &str = "..";

/// Known by path.
#[derive(Debug, Default)]
pub(super) struct Cgroups<'a> {
    known: FastMap<&'a str, Known<'a>>,
    /// By the last component of the path, which is `None` where several share it.
    by_name: FastMap<&'a str, Option<&'a Arc<str>>>,
    /// Growth of all that are on the way to one limit, by owner.
    paces: FastMap<(Arc<str>, LimitKind), Pace>,
}

#[derive(Debug)]
struct Known<'a> {
    path: &'a Arc<str>,
    is_leaf: bool,
    /// The one that leaves the least room.
    nearest: Option<Limit>,
    limits: &'a [CgroupLimit],
}

impl<'a> Cgroups<'a> {
    /// Of the samples of one tick.
    pub(super) fn of(samples: &'a [(Sample, Place)]) -> Cgroups<'a> {
        let mut cgroups = Cgroups::default();
        for (sample, _) in samples {
            if let (EntityId::Cgroup(id), Some(figures)) = (&sample.entity, &sample.figures.cgroup) {
                let path = &id.path;
                let (is_leaf, limits) = (figures.is_leaf, &figures.limits);
                let known = Known { path, is_leaf, nearest: sample.figures.limit(), limits };
                cgroups.known.insert(path, known);
                if let Some(name) = name(path) {
                    let same_name = cgroups.by_name.entry(name);
                    same_name.and_modify(|other| *other = None).or_insert(Some(path));
                }
            }
        }
        cgroups
    }

    /// The watched cgroup that a process is in.
    pub(super) fn around(&self, sample: &Sample) -> Option<&'a Arc<str>> {
        let path = sample.identity.cgroup.as_deref()?;
        if sample.entity.scope() == Scope::Process { self.holding(path) } else { None }
    }

    /// The watched cgroup of this path, or the nearest one above it.
    ///
    /// The kernel tells paths from the root of the reader's own cgroup namespace on, with `..` for what is above. How
    /// deep that root lies it does not tell: a path from the true root is found by itself, any other by its last
    /// component, if only one cgroup has that.
    pub(super) fn holding(&self, path: &str) -> Option<&'a Arc<str>> {
        let from_here = without_levels_above(path);
        let mut above = from_here;
        while !above.is_empty() {
            if let Some(known) = self.known.get(above) {
                return Some(known.path);
            }
            above = &above[..above.rfind('/').unwrap_or(0)];
        }
        if from_here.len() == path.len() { None } else { *self.by_name.get(name(from_here)?)? }
    }

    /// The limit that leaves the least room below the cgroup at `path`.
    pub(super) fn nearest(&self, path: &Arc<str>) -> Option<Limit> {
        self.known.get(&**path)?.nearest
    }

    /// Takes note of what is on its way to limits: a leaf, for all that is in it, or a process that is in none.
    pub(super) fn note(&mut self, one: &Judged<'_>) {
        let is_in_leaf = |path: &Arc<str>| self.known.get(&**path).is_some_and(|known| known.is_leaf);
        let path = match (&one.sample.entity, one.within) {
            (EntityId::Cgroup(id), _) => &id.path,
            (_, Some(path)) if !is_in_leaf(path) => path,
            _ => return,
        };
        let Some(assessment) = one.assessment() else { return };
        let growth = assessment.growth_bytes_per_second;
        let (Some(way), Some(growth)) = (Approach::of(assessment), growth) else { return };
        let pace = Pace::new(growth, way);
        for shared in self.limits(path) {
            let key = (Arc::clone(&shared.owner), shared.limit.kind);
            self.paces.entry(key).and_modify(|sum| sum.add(pace)).or_insert(pace);
        }
    }

    /// What is on its way to a limit is so by the growth of all that share one with it, if they are sooner there.
    pub(super) fn share(&self, one: &mut Judged<'_>) {
        let path = match (&one.sample.entity, one.within) {
            (EntityId::Cgroup(id), _) => &id.path,
            (_, Some(path)) => path,
            _ => return,
        };
        let Some(verdict) = &mut one.verdict else { return };
        let Some(own) = Approach::of(&verdict.assessment) else { return };
        let ways = self.limits(path).iter().filter_map(|CgroupLimit { owner, limit }| {
            Some((self.paces.get(&(Arc::clone(owner), limit.kind))?.approach(limit.room)?, *limit))
        });
        let soonest = ways.min_by(|(one, _), (other, _)| one.left.total_cmp(&other.left));
        if let Some((way, limit)) = soonest.filter(|(way, _)| way.left < own.left) {
            one.limit = Some(limit);
            verdict.assessment = Arc::new(Assessment {
                time_to_limit_seconds: Some(way.left),
                time_to_limit_range_seconds: way.range,
                ..Assessment::clone(&verdict.assessment)
            });
        }
    }

    fn limits(&self, path: &str) -> &'a [CgroupLimit] {
        self.known.get(path).map_or(&[], |known| known.limits)
    }
}

/// The last component; the root has none.
fn name(path: &str) -> Option<&str> {
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

/// What is left of a path without the levels above our own root that it begins with.
fn without_levels_above(path: &str) -> &str {
    let mut rest = path;
    while let Some(below) = rest.strip_prefix('/').and_then(|rest| rest.strip_prefix(ABOVE))
        && (below.is_empty() || below.starts_with('/'))
    {
        rest = below;
    }
    rest
}
