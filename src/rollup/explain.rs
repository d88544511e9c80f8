//! One leak, one finding: what narrower suspects account for raises no alert of its own.

use std::collections::HashMap;
use std::sync::Arc;

use crate::entity::{EntityId, Scope};
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
