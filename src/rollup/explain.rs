//! One leak, one finding: what narrower suspects account for raises no alert of its own.

use std::collections::HashMap;
use std::sync::Arc;

use crate::entity::{EntityId, Resource, Scope};
use crate::snapshot::{Entity, Explanation};

/// Share of the growth that narrower entities must account for.
const EXPLAINED: f64 = 0.8;

/// Marks each cgroup and the host where narrower entities that are above `threshold`, or on the way to a limit, account
/// for its growth, and names the one that grows fastest. What an override excuses is no finding, and an explanation all
/// the same.
///
/// A cgroup is explained by processes in it, in the name of their groups; the host by groups, by processes without one,
/// and by cgroups that no process explains.
pub fn explain(entities: &mut [Entity], threshold: f64) {
    let mut inside: HashMap<Arc<str>, Narrower> = HashMap::new();
    for process in entities.iter().filter(|entity| entity.scope() == Scope::Process) {
        if let Some(path) = process.within.as_ref().filter(|_| speaks(process, threshold)) {
            inside.entry(Arc::clone(path)).or_default().add(process);
        }
    }
    for entity in entities.iter_mut() {
        if let EntityId::Cgroup { path, .. } = &entity.id {
            entity.explained_by = inside.get(path).and_then(|narrower| narrower.explanation_of(entity));
        }
    }
    let mut all = Narrower::default();
    entities
        .iter()
        .filter(|entity| is_own_voice(entity) && speaks(entity, threshold))
        .for_each(|entity| all.add(entity));
    for host in entities.iter_mut().filter(|entity| entity.scope() == Scope::Host) {
        host.explained_by = all.explanation_of(host);
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
            mappings.explained_by = Some(Explanation { scope, entity, share });
        }
    }
}

/// Whether its growth is in no other one's that is counted for the host.
fn is_own_voice(entity: &Entity) -> bool {
    match entity.scope() {
        Scope::Group => true,
        Scope::Process => !entity.is_member(),
        Scope::Cgroup => entity.explained_by.is_none(),
        Scope::Host | Scope::HostUnaccounted | Scope::ProcessResource => false,
    }
}

fn speaks(entity: &Entity, threshold: f64) -> bool {
    let assessment = &entity.assessment;
    assessment.is_suspect()
        || assessment.score.is_some_and(|score| score > threshold)
        || assessment.time_to_limit_seconds.is_some()
}

fn growth(entity: &Entity) -> f64 {
    entity.assessment.growth_bytes_per_second.unwrap_or(0.0).max(0.0)
}

/// Narrower entities that may explain a wider one.
#[derive(Debug, Default)]
struct Narrower {
    /// Of all, bytes a second.
    growth: f64,
    /// Growth, scope and name of the one that grows fastest.
    fastest: Option<(f64, Scope, String)>,
}

impl Narrower {
    fn add(&mut self, entity: &Entity) {
        let growth = growth(entity);
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

    fn explanation_of(&self, wider: &Entity) -> Option<Explanation> {
        let (_, scope, entity) = self.fastest.as_ref()?;
        let share = if growth(wider) > 0.0 { (self.growth / growth(wider)).min(1.0) } else { 0.0 };
        (share >= EXPLAINED).then(|| Explanation { scope: *scope, entity: entity.clone(), share })
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
        let id = EntityId::Cgroup { path: path.into(), inode: 1 };
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
