//! From the verdicts on single entities to those on wider ones: what groups take over from their members, who hits a
//! limit together, and what of a wider suspicion, or of one of mappings, others account for.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detector::Assessment;
use crate::entity::{EntityId, Identity};
use crate::history::Sealed;
use crate::sample::{Figures, Limit, LimitKind, Memory};
use crate::snapshot::Entity;

mod approach;
mod explain;

pub use approach::{Approach, Pace};
pub use explain::{EXPLAINED, explain, explain_mappings};

/// Groups as they come together from the processes of one tick.
#[derive(Debug, Default)]
pub struct Groups {
    groups: BTreeMap<Arc<str>, Group>,
}

#[derive(Debug, Default)]
struct Group {
    memory: Memory,
    processes: u32,
    /// Sum over suspect members, bytes a second.
    growth: Option<f64>,
    /// The member that is suspected most.
    worst: Option<Worst>,
    /// The way of the member that is first at a limit of its own.
    own: Option<(Approach, Limit)>,
    /// Growth of all members that are on the way to one limit together, and that limit.
    shared: Vec<(Pace, Limit)>,
}

/// What a group takes over from a member.
#[derive(Debug)]
struct Worst {
    id: EntityId,
    assessment: Arc<Assessment>,
    history: Option<Sealed>,
}

/// A process that is remembered.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Who.
    pub id: &'a EntityId,
    /// The verdict.
    pub assessment: &'a Arc<Assessment>,
    /// What stops it.
    pub limit: Option<Limit>,
    /// What the verdict was made from.
    pub history: Option<&'a Sealed>,
}

impl Member<'_> {
    fn taken_over(self) -> Worst {
        Worst { id: self.id.clone(), assessment: Arc::clone(self.assessment), history: self.history.cloned() }
    }
}

impl Groups {
    /// Counts a process in, as a member with a verdict if it is tracked.
    pub fn add(&mut self, name: &Arc<str>, memory: &Memory, member: Option<Member<'_>>) {
        let group = self.groups.entry(Arc::clone(name)).or_default();
        group.memory.add(memory);
        group.processes += 1;
        let Some(member) = member else { return };
        let assessment = member.assessment;
        if assessment.is_suspect() {
            let growth = assessment.growth_bytes_per_second.unwrap_or(0.0);
            group.growth = Some(group.growth.unwrap_or(0.0) + growth);
        }
        if let (Some(left), Some(limit)) = (assessment.time_to_limit_seconds, member.limit) {
            let way = Approach { left, range: assessment.time_to_limit_range_seconds };
            group.approach(way, limit, assessment.growth_bytes_per_second.unwrap_or(0.0));
        }
        if group.worst.as_ref().is_none_or(|worst| is_worse(assessment, &worst.assessment)) {
            group.worst = Some(member.taken_over());
        }
    }

    /// One entity a group. Its score is the highest of its members', first of those that are suspect, then of those
    /// that could be. Its growth is the sum over those that are suspect. Never a score of the sum, for scaling out is
    /// no leak. A group of which no member is watched is none.
    pub fn into_entities(self) -> impl Iterator<Item = Entity> {
        let watched = self.groups.into_iter().filter(|(_, group)| group.worst.is_some());
        watched.map(|(name, group)| group.into_entity(name))
    }
}

/// Whose verdict a group takes over.
fn is_worse(one: &Assessment, other: &Assessment) -> bool {
    let rank = |assessment: &Assessment| (assessment.is_suspect(), assessment.threshold.is_finite());
    rank(one).cmp(&rank(other)).then_with(|| one.score.partial_cmp(&other.score).unwrap_or(Ordering::Equal))
        == Ordering::Greater
}

impl Group {
    /// Counts in a member that is on its `way` to `limit`.
    fn approach(&mut self, way: Approach, limit: Limit, growth: f64) {
        match limit.kind {
            // What is on the way to a cgroup's limit is so with all that share it, members or not.
            LimitKind::AddressSpace | LimitKind::Data | LimitKind::CgroupMax | LimitKind::CgroupHigh => {
                if self.own.is_none_or(|(shortest, _)| way.left < shortest.left) {
                    self.own = Some((way, limit));
                }
            }
            LimitKind::Host | LimitKind::Configured => {
                let pace = Pace::new(growth, way);
                match self.shared.iter_mut().find(|(_, known)| *known == limit) {
                    Some((sum, _)) => sum.add(pace),
                    None => self.shared.push((pace, limit)),
                }
            }
        }
    }

    /// The way to the limit that is hit first, and which. One that is shared is hit by all together.
    fn nearest(&self) -> Option<(Approach, Limit)> {
        let shared =
            self.shared.iter().filter_map(|&(pace, limit)| Some((pace.approach(limit.room)?, limit)));
        self.own.into_iter().chain(shared).min_by(|a, b| a.0.left.total_cmp(&b.0.left))
    }

    fn into_entity(self, name: Arc<str>) -> Entity {
        let (way, limit) = self.nearest().unzip();
        let worst = self.worst.as_ref();
        let verdict = worst.map_or_else(Assessment::default, |worst| Assessment::clone(&worst.assessment));
        let assessment = Assessment {
            growth_bytes_per_second: self.growth.or(verdict.growth_bytes_per_second),
            time_to_limit_seconds: way.map(|way| way.left),
            time_to_limit_range_seconds: way.and_then(|way| way.range),
            ..verdict
        };
        Entity {
            id: EntityId::group(Arc::clone(&name)),
            identity: Arc::new(Identity { name, ..Identity::default() }),
            figures: Arc::new(Figures { memory: self.memory, ..Figures::default() }),
            limit,
            processes: Some(self.processes),
            within: None,
            assessment: Arc::new(assessment),
            history: worst.and_then(|worst| worst.history.clone()),
            worst_member: self.worst.map(|worst| Box::new(worst.id)),
            explained_by: None,
            exported: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Kind;

    fn verdict(score: Option<f64>, growth: f64, left: Option<f64>) -> Arc<Assessment> {
        Arc::new(Assessment {
            score,
            threshold: 60.0,
            growth_bytes_per_second: Some(growth),
            time_to_limit_seconds: left,
            ..Assessment::default()
        })
    }

    fn add(groups: &mut Groups, name: &str, pid: u32, assessment: &Arc<Assessment>, limit: Option<Limit>) {
        let memory = Memory::default().with(Kind::Anon, Some(10));
        let (id, history) = (EntityId::Process { pid, start_time: 0 }, Sealed::default());
        let member = Member { id: &id, assessment, limit, history: Some(&history) };
        groups.add(&Arc::from(name), &memory, Some(member));
    }

    #[test]
    fn memory_adds_up_and_scores_do_not() {
        let mut groups = Groups::default();
        add(&mut groups, "web", 1, &verdict(Some(20.0), 5.0, None), None);
        add(&mut groups, "web", 2, &verdict(Some(70.0), 7.0, Some(90.0)), None);
        add(&mut groups, "web", 3, &verdict(Some(80.0), 8.0, Some(50.0)), None);
        add(&mut groups, "web", 4, &verdict(None, 1.0, None), None);
        groups.add(&Arc::from("web"), &Memory::default().with(Kind::Anon, Some(10)), None);
        let web = groups.into_entities().next().unwrap();
        assert_eq!(web.memory().get(Kind::Anon), Some(50));
        assert_eq!(web.processes, Some(5));
        assert_eq!(web.assessment.score, Some(80.0));
        assert_eq!(web.assessment.growth_bytes_per_second, Some(15.0));
        assert_eq!(web.assessment.time_to_limit_seconds, None, "without a limit");
        assert_eq!(web.worst_member.as_deref(), Some(&EntityId::Process { pid: 3, start_time: 0 }));
        assert!(web.history.is_some());
    }

    #[test]
    fn members_hit_their_own_limits_alone_and_the_hosts_together() {
        let host = Limit { kind: LimitKind::Host, bytes: 9000, room: 1000 };
        let own = Limit { kind: LimitKind::Data, bytes: 500, room: 90 };
        let of = |members: &[(Option<f64>, f64, Limit)]| {
            let mut groups = Groups::default();
            for (pid, &(left, growth, limit)) in (1..).zip(members) {
                add(&mut groups, "web", pid, &verdict(Some(0.0), growth, left), Some(limit));
            }
            let web = groups.into_entities().next().unwrap();
            (web.assessment.time_to_limit_seconds, web.limit)
        };
        let together = [(Some(100.0), 10.0, host), (Some(100.0), 10.0, host), (None, 99.0, host)];
        assert_eq!(of(&together), (Some(50.0), Some(host)));
        assert_eq!(of(&[(Some(90.0), 1.0, own), (Some(80.0), 1.0, own)]), (Some(80.0), Some(own)));
        assert_eq!(of(&[(Some(90.0), 1.0, own), (Some(1000.0), 1.0, host)]), (Some(90.0), Some(own)));
    }

    #[test]
    fn the_range_of_all_together_comes_from_those_of_each() {
        let host = Limit { kind: LimitKind::Host, bytes: 9000, room: 1000 };
        let member = |range| {
            let verdict = verdict(Some(70.0), 10.0, Some(100.0));
            Arc::new(Assessment { time_to_limit_range_seconds: range, ..Assessment::clone(&verdict) })
        };
        let of = |members: &[Option<[f64; 2]>]| {
            let mut groups = Groups::default();
            for (pid, range) in (1..).zip(members) {
                add(&mut groups, "web", pid, &member(*range), Some(host));
            }
            groups.into_entities().next().unwrap().assessment.time_to_limit_range_seconds
        };
        assert_eq!(of(&[Some([50.0, 200.0])]), Some([50.0, 200.0]));
        assert_eq!(of(&[Some([50.0, 200.0]), Some([50.0, 200.0])]), Some([25.0, 100.0]));
        assert_eq!(of(&[Some([50.0, 200.0]), None]), None, "one of them may be any time");
    }

    #[test]
    fn an_excused_member_does_not_hide_one_that_is_not() {
        let excused = |score| Arc::new(verdict(Some(score), 1.0, None).judged_by(f64::INFINITY));
        let verdicts = [excused(95.0), verdict(Some(30.0), 1.0, None), excused(90.0)];
        let mut groups = Groups::default();
        for (pid, verdict) in (1..).zip(&verdicts) {
            add(&mut groups, "web", pid, verdict, None);
        }
        let web = groups.into_entities().next().unwrap().assessment;
        assert_eq!((web.score, web.is_suspect()), (Some(30.0), false));
    }

    #[test]
    fn a_group_of_unknowns_is_unknown() {
        let mut groups = Groups::default();
        add(&mut groups, "new", 1, &verdict(None, 1.0, None), None);
        assert_eq!(groups.into_entities().next().unwrap().assessment.score, None);
    }
}
