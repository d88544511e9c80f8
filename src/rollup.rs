//! From the verdicts on single entities to those on wider ones: what groups take over from their members, and what of
//! the host's suspicion narrower suspects account for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::detector::Assessment;
use crate::entity::{EntityId, Identity, Scope};
use crate::history::Sealed;
use crate::sample::{Limit, Memory};
use crate::snapshot::{Entity, Explanation};

/// Groups as they come together from the processes of one tick.
#[derive(Debug)]
pub struct Groups {
    threshold: f64,
    groups: BTreeMap<Arc<str>, Group>,
}

#[derive(Debug, Default)]
struct Group {
    memory: Memory,
    processes: u64,
    /// Sum over suspect members, bytes a second.
    growth: Option<f64>,
    /// The member that is suspected most.
    worst: Option<Worst>,
    /// The shortest of all members, seconds.
    time_to_limit: Option<f64>,
}

/// What a group takes over from a member.
#[derive(Debug)]
struct Worst {
    id: EntityId,
    assessment: Arc<Assessment>,
    limit: Option<Limit>,
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
        Worst {
            id: self.id.clone(),
            assessment: Arc::clone(self.assessment),
            limit: self.limit,
            history: self.history.cloned(),
        }
    }
}

impl Groups {
    /// No groups yet; members above `threshold` are suspects.
    pub fn new(threshold: f64) -> Groups {
        Groups { threshold, groups: BTreeMap::new() }
    }

    /// Counts a process in, as a member with a verdict if it is tracked.
    pub fn add(&mut self, name: &Arc<str>, memory: &Memory, member: Option<Member<'_>>) {
        let group = self.groups.entry(Arc::clone(name)).or_default();
        group.memory.add(memory);
        group.processes += 1;
        let Some(member) = member else { return };
        let assessment = member.assessment;
        if assessment.is_suspect(self.threshold) {
            let growth = assessment.growth_bytes_per_second.unwrap_or(0.0);
            group.growth = Some(group.growth.unwrap_or(0.0) + growth);
        }
        let left = [group.time_to_limit, assessment.time_to_limit_seconds];
        group.time_to_limit = left.into_iter().flatten().reduce(f64::min);
        if group.worst.as_ref().is_none_or(|worst| worst.assessment.score < assessment.score) {
            group.worst = Some(member.taken_over());
        }
    }

    /// One entity a group. Its score is the highest of its members', its growth the sum over those that are suspect:
    /// never a score of the sum, for scaling out is no leak.
    pub fn into_entities(self) -> impl Iterator<Item = Entity> {
        self.groups.into_iter().map(|(name, group)| group.into_entity(name))
    }
}

impl Group {
    fn into_entity(self, name: Arc<str>) -> Entity {
        let worst = self.worst.as_ref();
        let verdict = worst.map_or_else(Assessment::default, |worst| Assessment::clone(&worst.assessment));
        let assessment = Assessment {
            growth_bytes_per_second: self.growth.or(verdict.growth_bytes_per_second),
            time_to_limit_seconds: self.time_to_limit,
            ..verdict
        };
        Entity {
            id: EntityId::Group { name: Arc::clone(&name) },
            identity: Arc::new(Identity { name, ..Identity::default() }),
            memory: self.memory,
            limit: worst.and_then(|worst| worst.limit),
            start: None,
            threads: None,
            processes: Some(self.processes),
            assessment: Arc::new(assessment),
            history: worst.and_then(|worst| worst.history.clone()),
            worst_member: self.worst.map(|worst| worst.id),
            explained_by: None,
            exported: true,
        }
    }
}

/// Share of the growth that narrower suspects must account for.
const EXPLAINED: f64 = 0.8;

/// One leak, one finding: marks the host where suspect processes explain its growth, and names the group that grows fastest.
pub fn explain(entities: &mut [Entity], threshold: f64) {
    let growth = |entity: &Entity| entity.assessment.growth_bytes_per_second.unwrap_or(0.0).max(0.0);
    let suspects = entities
        .iter()
        .filter(|entity| entity.scope() == Scope::Group && entity.assessment.is_suspect(threshold));
    let total: f64 = suspects.clone().map(growth).sum();
    let fastest = suspects.max_by(|a, b| growth(a).total_cmp(&growth(b)));
    let Some((scope, name)) = fastest.map(|fastest| (fastest.scope(), fastest.display_name())) else {
        return;
    };
    for host in entities.iter_mut().filter(|entity| entity.scope() == Scope::Host) {
        let share = (total / growth(host)).min(1.0);
        if host.assessment.is_suspect(threshold) && share >= EXPLAINED {
            host.explained_by = Some(Explanation { scope, entity: name.clone(), share });
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
            growth_bytes_per_second: Some(growth),
            time_to_limit_seconds: left,
            ..Assessment::default()
        })
    }

    fn add(groups: &mut Groups, name: &str, pid: u32, assessment: &Arc<Assessment>) {
        let memory = Memory::default().with(Kind::Anon, Some(10));
        let (id, history) = (EntityId::Process { pid, start_time: 0 }, Sealed::default());
        let member = Member { id: &id, assessment, limit: None, history: Some(&history) };
        groups.add(&Arc::from(name), &memory, Some(member));
    }

    #[test]
    fn memory_adds_up_and_scores_do_not() {
        let mut groups = Groups::new(60.0);
        add(&mut groups, "web", 1, &verdict(Some(20.0), 5.0, None));
        add(&mut groups, "web", 2, &verdict(Some(70.0), 7.0, Some(90.0)));
        add(&mut groups, "web", 3, &verdict(Some(80.0), 8.0, Some(50.0)));
        add(&mut groups, "web", 4, &verdict(None, 1.0, None));
        groups.add(&Arc::from("web"), &Memory::default().with(Kind::Anon, Some(10)), None);
        let web = groups.into_entities().next().unwrap();
        assert_eq!(web.memory.get(Kind::Anon), Some(50));
        assert_eq!(web.processes, Some(5));
        assert_eq!(web.assessment.score, Some(80.0));
        assert_eq!(web.assessment.growth_bytes_per_second, Some(15.0));
        assert_eq!(web.assessment.time_to_limit_seconds, Some(50.0));
        assert_eq!(web.worst_member, Some(EntityId::Process { pid: 3, start_time: 0 }));
        assert!(web.history.is_some());
    }

    #[test]
    fn a_group_of_unknowns_is_unknown() {
        let mut groups = Groups::new(60.0);
        add(&mut groups, "new", 1, &verdict(None, 1.0, None));
        assert_eq!(groups.into_entities().next().unwrap().assessment.score, None);
    }
}
