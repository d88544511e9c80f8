//! The cgroups of one tick: which limits hold below each, and how long it takes all that share one to hit it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::detector::Assessment;
use crate::entity::EntityId;
use crate::group::Place;
use crate::rollup::{Approach, Pace};
use crate::sample::{CgroupLimit, Limit, LimitKind, Sample};

/// How a path begins that our own cgroup namespace does not reach: once for each level above its root.
const ABOVE: &str = "/..";

/// Known by path.
#[derive(Debug, Default)]
pub(super) struct Cgroups<'a> {
    known: HashMap<&'a str, Known<'a>>,
    /// By the last component of the path, which is `None` where several share it.
    by_name: HashMap<&'a str, Option<&'a Arc<str>>>,
    /// Growth of all that are on the way to one limit, by owner.
    paces: HashMap<(Arc<str>, LimitKind), Pace>,
}

#[derive(Debug)]
struct Known<'a> {
    path: &'a Arc<str>,
    limits: &'a [CgroupLimit],
}

impl<'a> Cgroups<'a> {
    /// Of the samples of one tick.
    pub(super) fn of(samples: &'a [(Sample, Place)]) -> Cgroups<'a> {
        let mut cgroups = Cgroups::default();
        for (sample, _) in samples {
            if let (EntityId::Cgroup { path, .. }, Some(figures)) = (&sample.entity, &sample.cgroup) {
                cgroups.known.insert(path, Known { path, limits: &figures.limits });
                let same_name = cgroups.by_name.entry(name(path));
                same_name.and_modify(|other| *other = None).or_insert(Some(path));
            }
        }
        cgroups
    }

    /// The watched cgroup that a process is in whose `path` is this: itself, or the nearest one above.
    ///
    /// The kernel tells paths from the root of the reader's own cgroup namespace on, with `..` for what is above. How
    /// deep that root lies it does not tell: a path from the true root is found by itself, any other by its last
    /// component, if only one cgroup has that.
    pub(super) fn holding(&self, path: &str) -> Option<&'a Arc<str>> {
        let from_here = path.trim_start_matches(ABOVE);
        let mut above = from_here;
        while !above.is_empty() {
            if let Some(known) = self.known.get(above) {
                return Some(known.path);
            }
            above = &above[..above.rfind('/').unwrap_or(0)];
        }
        if from_here.len() == path.len() { None } else { *self.by_name.get(name(from_here))? }
    }

    /// The limit that leaves the least room below the cgroup at `path`.
    pub(super) fn nearest(&self, path: &Arc<str>) -> Option<Limit> {
        self.limits(path).iter().map(|shared| shared.limit).min_by_key(|limit| limit.room)
    }

    /// Takes note that the leaf at `path` is on its way, if it is.
    pub(super) fn note(&mut self, path: &Arc<str>, assessment: &Assessment) {
        let growth = assessment.growth_bytes_per_second;
        let (Some(way), Some(growth)) = (Approach::of(assessment), growth) else { return };
        let pace = Pace::new(growth, way);
        for shared in self.limits(path) {
            let key = (Arc::clone(&shared.owner), shared.limit.kind);
            self.paces.entry(key).and_modify(|sum| sum.add(pace)).or_insert(pace);
        }
    }

    /// The verdict on something in the cgroup at `path`: where it is on its way to a limit, then by the growth of all
    /// that share one with it, if they are sooner there.
    pub(super) fn together(&self, path: &Arc<str>, assessment: Arc<Assessment>) -> Arc<Assessment> {
        let Some(own) = Approach::of(&assessment) else { return assessment };
        let ways = self.limits(path).iter().filter_map(|CgroupLimit { owner, limit }| {
            self.paces.get(&(Arc::clone(owner), limit.kind))?.approach(limit.room)
        });
        match ways.min_by(|one, other| one.left.total_cmp(&other.left)).filter(|way| way.left < own.left) {
            None => assessment,
            Some(way) => Arc::new(Assessment {
                time_to_limit_seconds: Some(way.left),
                time_to_limit_range_seconds: way.range,
                ..Assessment::clone(&assessment)
            }),
        }
    }

    fn limits(&self, path: &str) -> &'a [CgroupLimit] {
        self.known.get(path).map_or(&[], |known| known.limits)
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
