//! One leak, one finding: what narrower suspects account for raises no alert of its own.

use std::collections::HashMap;
use std::sync::Arc;

use crate::entity::{EntityId, Resource, Scope};
use crate::snapshot::{Entity, Explanation};

/// Share of the growth of something wider that narrower entities must account for to explain it.
pub const EXPLAINED: f64 = 0.8;

/// Marks each cgroup and the host where narrower entities account for its growth, and names the one that grows fastest. A
/// suspicion is explained by those that are above `threshold` alone; mere growth by those on the way to a limit, too. What
/// an override excuses is no finding, and an explanation all the same.
///
/// A cgroup is explained by processes in it, in the name of their groups; the host by groups, by processes without one,
/// and by what no process explains of cgroups.
pub fn explain(entities: &mut [Entity], threshold: f64) {
    let mut inside: HashMap<Arc<str>, Narrower> = HashMap::new();
    for process in entities.iter().filter(|entity| entity.scope() == Scope::Process) {
        if let Some((path, voice)) = process.within.as_ref().zip(Voice::of(process, threshold)) {
            inside.entry(Arc::clone(path)).or_default().add(process, voice, growth(process));
        }
    }
    let mut all = Narrower::default();
    for entity in entities.iter_mut() {
        let Some(voice) = Voice::of(entity, threshold) else { continue };
        let narrower = match &entity.id {
            EntityId::Cgroup(id) => inside.get(&id.path),
            EntityId::Group(_) => None,
            EntityId::Process { .. } if !entity.is_member() => None,
            _ => continue,
        };
        entity.explained_by = narrower.and_then(|narrower| narrower.explanation_of(entity)).map(Box::new);
        // What is inside speaks for itself.
        let own = growth(entity) - narrower.map_or(0.0, |narrower| narrower.growth(voice));
        if entity.explained_by.is_none() && own > 0.0 {
            all.add(entity, voice, own);
        }
    }
    for host in entities.iter_mut().filter(|entity| entity.scope() == Scope::Host) {
        host.explained_by = all.explanation_of(host).map(Box::new);
    }
}

/// Mappings that a thread takes: its stack and the guard below it.
const MAPPINGS_A_THREAD: f64 = 2.0;

/// One leak, one finding: marks the mappings of a process where its threads, which are suspect too, account for their
/// growth.
pub fn explain_mappings(entities: &mut [Entity]) {
    let suspects = entities.iter().filter(|entity| entity.assessment.is_suspect());
    let threads: HashMap<(u32, u64), (f64, String)> = suspects
        .filter_map(|entity| match entity.id {
            EntityId::ProcessResource { pid, start_time, resource: Resource::Threads } => {
                let growth = entity.assessment.growth_bytes_per_second?;
                Some(((pid, start_time), (growth, entity.display_name())))
            }
            _ => None,
        })
        .collect();
    for mappings in entities {
        let EntityId::ProcessResource { pid, start_time, resource: Resource::Maps } = mappings.id else {
            continue;
        };
        let growth = mappings.assessment.growth_bytes_per_second.filter(|growth| *growth > 0.0);
        let (Some((of_threads, name)), Some(growth)) = (threads.get(&(pid, start_time)), growth) else {
            continue;
        };
        let share = (MAPPINGS_A_THREAD * of_threads / growth).min(1.0);
        if share >= EXPLAINED {
            let (scope, entity) = (Scope::ProcessResource, name.clone());
            mappings.explained_by = Some(Box::new(Explanation { scope, entity, share }));
        }
    }
}

/// How loudly an entity speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    /// It is on the way to a limit.
    OnTheWay,
    /// It is suspect, or would be but for an override.
    Suspect,
}

impl Voice {
    fn of(entity: &Entity, threshold: f64) -> Option<Voice> {
        let assessment = &entity.assessment;
        if assessment.is_suspect() || assessment.score.is_some_and(|score| score > threshold) {
            return Some(Voice::Suspect);
        }
        assessment.time_to_limit_seconds.map(|_| Voice::OnTheWay)
    }
}

fn growth(entity: &Entity) -> f64 {
    entity.assessment.growth_bytes_per_second.unwrap_or(0.0).max(0.0)
}

/// Narrower entities that may explain a wider one.
#[derive(Debug, Default)]
struct Narrower {
    suspects: Sum,
    on_the_way: Sum,
}

/// Growth of several.
#[derive(Debug, Default)]
struct Sum {
    /// Of all, bytes a second.
    growth: f64,
    /// Growth, scope and name of the one that grows fastest.
    fastest: Option<(f64, Scope, String)>,
}

impl Narrower {
    /// Counts in `growth` of an entity.
    fn add(&mut self, entity: &Entity, voice: Voice, growth: f64) {
        match voice {
            Voice::Suspect => self.suspects.add(entity, growth),
            Voice::OnTheWay => self.on_the_way.add(entity, growth),
        }
    }

    /// Of those that speak as loudly as `voice`, or louder.
    fn growth(&self, voice: Voice) -> f64 {
        let of_the_others = if voice == Voice::Suspect { 0.0 } else { self.on_the_way.growth };
        self.suspects.growth + of_the_others
    }

    fn explanation_of(&self, wider: &Entity) -> Option<Explanation> {
        let voice = if wider.assessment.is_suspect() { Voice::Suspect } else { Voice::OnTheWay };
        let others = self.on_the_way.fastest.as_ref().filter(|_| voice == Voice::OnTheWay);
        let both = self.suspects.fastest.iter().chain(others);
        let (_, scope, entity) = both.max_by(|(one, ..), (other, ..)| one.total_cmp(other))?;
        let share = if growth(wider) > 0.0 { (self.growth(voice) / growth(wider)).min(1.0) } else { 0.0 };
        (share >= EXPLAINED).then(|| Explanation { scope: *scope, entity: entity.clone(), share })
    }
}

impl Sum {
    fn add(&mut self, entity: &Entity, growth: f64) {
        self.growth += growth;
        if self.fastest.as_ref().is_none_or(|(fastest, ..)| growth > *fastest) {
            // A group speaks for its members.
            let (scope, name) = match entity.group() {
                Some(group) => (Scope::Group, group.to_string()),
                None => (entity.scope(), entity.display_name()),
            };
            self.fastest = Some((growth, scope, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::Assessment;
    use crate::entity::Identity;
    use crate::exposition::fixture;

    const THRESHOLD: f64 = 60.0;

    fn verdict(score: f64, growth: f64) -> Arc<Assessment> {
        Arc::new(Assessment {
            score: Some(score),
            threshold: THRESHOLD,
            growth_bytes_per_second: Some(growth),
            ..Assessment::default()
        })
    }

    fn growing(entity: Entity, score: f64, growth: f64) -> Entity {
        Entity { assessment: verdict(score, growth), ..entity }
    }

    fn host(growth: f64) -> Entity {
        growing(fixture::entity(EntityId::Host, Identity::default()), 70.0, growth)
    }

    fn cgroup(path: &str, growth: f64) -> Entity {
        let id = EntityId::cgroup(path.into(), 1);
        growing(fixture::entity(id, Identity::default()), 70.0, growth)
    }

    fn process(pid: u32, group: &str, within: &str, score: f64, growth: f64) -> Entity {
        let process = growing(fixture::process(pid, "any", group, None), score, growth);
        Entity { within: Some(within.into()), ..process }
    }

    fn group(name: &str, growth: f64) -> Entity {
        growing(fixture::group(name, 0.0), 70.0, growth)
    }

    /// Scope and name of what explains each entity.
    fn explained(mut entities: Vec<Entity>) -> Vec<Option<(Scope, String)>> {
        explain(&mut entities, THRESHOLD);
        let by = |entity: Entity| entity.explained_by.map(|by| (by.scope, by.entity));
        entities.into_iter().map(by).collect()
    }

    #[test]
    fn suspects_in_a_cgroup_explain_it_in_the_name_of_their_group() {
        let web = Some((Scope::Group, "web".to_string()));
        let of = |inside: &[Entity]| explained([&[cgroup("/a", 10.0)], inside].concat())[0].clone();
        assert_eq!(of(&[process(1, "web", "/a", 70.0, 5.0), process(2, "web", "/a", 70.0, 4.0)]), web);
        assert_eq!(of(&[process(1, "web", "/a", 70.0, 5.0)]), None, "half of it is not enough");
        assert_eq!(of(&[process(1, "web", "/b", 70.0, 9.0)]), None, "it is in another one");
        assert_eq!(of(&[process(1, "web", "/a", 20.0, 9.0)]), None, "it raises no alert itself");
        assert_eq!(of(&[group("web", 9.0)]), None, "a group may be anywhere");
    }

    #[test]
    fn a_suspicion_is_explained_by_suspects_and_growth_by_whoever_is_on_the_way() {
        let on_the_way = |process: Entity| {
            let assessment = Assessment::clone(&process.assessment);
            let assessment = Assessment { time_to_limit_seconds: Some(9.0), ..assessment };
            Entity { assessment: Arc::new(assessment), ..process }
        };
        let quiet = on_the_way(process(1, "web", "/a", 50.0, 9.0));
        assert_eq!(explained(vec![cgroup("/a", 10.0), quiet.clone()])[0], None);
        let unsuspected = Entity { assessment: verdict(50.0, 10.0), ..cgroup("/a", 10.0) };
        let web = Some((Scope::Group, "web".to_string()));
        assert_eq!(explained(vec![on_the_way(unsuspected), quiet])[0], web);
    }

    #[test]
    fn the_host_is_explained_by_whoever_speaks_for_the_growth_and_counts_none_twice() {
        let entities = vec![
            host(10.0),
            cgroup("/a", 5.0),
            cgroup("/shmem", 4.0),
            group("web", 5.0),
            process(1, "web", "/a", 70.0, 5.0),
        ];
        let expected = [
            Some((Scope::Group, "web".to_string())),
            Some((Scope::Group, "web".to_string())),
            None,
            None,
            None,
        ];
        assert_eq!(explained(entities), expected);
        let counted_twice =
            vec![host(10.0), cgroup("/a", 5.0), group("web", 5.0), process(1, "web", "/a", 70.0, 5.0)];
        assert_eq!(explained(counted_twice)[0], None, "5 of 10, seen in two scopes");
    }

    #[test]
    fn mappings_are_explained_by_the_threads_whose_stacks_they_are() {
        let share = |threads: Arc<Assessment>, maps| {
            let resource = |pid, resource, assessment| Entity {
                assessment,
                ..fixture::resource(pid, "web", "web", resource, 100)
            };
            let mut entities = [
                resource(1, Resource::Threads, threads),
                resource(1, Resource::Maps, verdict(70.0, maps)),
                resource(2, Resource::Maps, verdict(70.0, maps)),
                resource(1, Resource::Fds, verdict(70.0, maps)),
            ];
            explain_mappings(&mut entities);
            assert!(entities.iter().enumerate().all(|(at, one)| at == 1 || one.explained_by.is_none()));
            entities[1].explained_by.as_ref().map(|explanation| explanation.share)
        };
        assert_eq!(share(verdict(70.0, 5.0), 10.0), Some(1.0));
        assert_eq!(share(verdict(70.0, 5.0), 12.5), Some(0.8));
        assert_eq!(share(verdict(70.0, 5.0), 20.0), None, "half of it is something else");
        assert_eq!(share(verdict(50.0, 5.0), 10.0), None, "not suspect");
    }

    #[test]
    fn what_does_not_grow_is_not_explained() {
        assert_eq!(explained(vec![host(0.0), group("web", 5.0)])[0], None);
        assert_eq!(explained(vec![host(f64::NAN), group("web", 5.0)])[0], None);
        assert_eq!(explained(vec![host(10.0)]), [None]);
    }
}
