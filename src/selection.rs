//! Which entities get series of their own, so that their number stays bounded and each stays for a while.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::config::SelectionConfig;
use crate::entity::{EntityId, Scope};
use crate::maps::{FastMap, FastSet};
use crate::snapshot::Entity;

/// A process that got series keeps them so long, so that graphs don't flicker as ranks and verdicts change.
const KEPT: Duration = Duration::from_secs(600);

/// Most series that one entity of a scope adds besides one for each kind of its memory.
pub fn most_series(scope: Scope) -> usize {
    match scope {
        Scope::Host | Scope::HostUnaccounted | Scope::Group | Scope::ProcessResource => 8,
        Scope::Process => 13,
        Scope::Cgroup => 16,
    }
}

/// Remembers who was selected.
#[derive(Debug)]
pub struct Selection {
    config: SelectionConfig,
    /// When a process last was suspect or among the top.
    ranked: FastMap<EntityId, Instant>,
}

impl Selection {
    /// Nobody is selected yet.
    pub fn new(config: SelectionConfig) -> Selection {
        Selection { config, ranked: FastMap::default() }
    }

    /// Sorts `entities` by scope, falling score and falling size, and marks those that get series. Suspects always
    /// do, other processes while they are or lately were among the top, and the resources of those. Returns how many were left out for want of
    /// room below the cap.
    pub fn mark(&mut self, entities: &mut [Entity], now: Instant) -> BTreeMap<Scope, u64> {
        entities.sort_by_cached_key(rank);
        self.mark_top(entities, now);
        self.cap(entities)
    }

    fn mark_top(&mut self, entities: &mut [Entity], now: Instant) {
        let mut before = std::mem::take(&mut self.ranked);
        let mut place = 0;
        let mut processes = FastSet::default();
        for entity in entities.iter_mut() {
            // Their processes come before them.
            if let &EntityId::ProcessResource { pid, start_time, .. } = &entity.id {
                entity.exported = entity.assessment.is_suspect() || processes.contains(&(pid, start_time));
                continue;
            }
            if entity.scope() != Scope::Process {
                entity.exported = true;
                continue;
            }
            let is_top = self.config.top.is_none_or(|top| place < top);
            place += 1;
            let is_wanted = is_top || entity.assessment.is_suspect();
            let last = if is_wanted { Some(now) } else { before.remove(&entity.id) };
            let kept = last.filter(|last| now.saturating_duration_since(*last) < KEPT);
            entity.exported = kept.is_some();
            if let (true, &EntityId::Process { pid, start_time }) = (entity.exported, &entity.id) {
                processes.insert((pid, start_time));
            }
            // Where all have series, there is nothing to remember.
            if let Some(last) = kept.filter(|_| self.config.top.is_some()) {
                self.ranked.insert(entity.id.clone(), last);
            }
        }
    }

    fn cap(&self, entities: &mut [Entity]) -> BTreeMap<Scope, u64> {
        let Some(cap) = self.config.max_series else { return BTreeMap::new() };
        let cost = |entity: &Entity| most_series(entity.scope()) + entity.memory().iter().count();
        let (mut left, mut dropped) = (cap, BTreeMap::new());
        for turn in [Turn::Suspects, Turn::Others, Turn::Cgroups] {
            for entity in entities.iter_mut().filter(|entity| entity.exported && Turn::of(entity) == turn) {
                match left.checked_sub(cost(entity)) {
                    Some(rest) => left = rest,
                    None => {
                        entity.exported = false;
                        *dropped.entry(entity.scope()).or_insert(0) += 1;
                    }
                }
            }
        }
        dropped
    }
}

/// Who comes when room below the cap is given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Whatever their scope.
    Suspects,
    /// The host, groups and processes.
    Others,
    /// A large machine has thousands, which would leave no room for all else.
    Cgroups,
}

impl Turn {
    fn of(entity: &Entity) -> Turn {
        match entity.scope() {
            _ if entity.assessment.is_suspect() => Turn::Suspects,
            Scope::Cgroup => Turn::Cgroups,
            _ => Turn::Others,
        }
    }
}

/// Scope first, then the highest score, then the size; an unknown score comes last.
fn rank(entity: &Entity) -> (Scope, bool, Reverse<i64>, Reverse<u64>) {
    let score = entity.assessment.score;
    let thousandths = (score.unwrap_or(0.0) * 1000.0) as i64;
    (entity.scope(), score.is_none(), Reverse(thousandths), Reverse(entity.memory().total()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::detector::Assessment;
    use crate::entity::{Identity, Resource};
    use crate::sample::{Figures, Kind, Memory};

    fn process(pid: u32, score: Option<f64>, bytes: u64) -> Entity {
        Entity {
            id: EntityId::Process { pid, start_time: 1 },
            identity: Arc::new(Identity::default()),
            figures: Arc::new(Figures {
                memory: Memory::default().with(Kind::Anon, Some(bytes)),
                ..Figures::default()
            }),
            limit: None,
            processes: None,
            within: None,
            assessment: Arc::new(Assessment { score, threshold: 60.0, ..Assessment::default() }),
            history: None,
            worst_member: None,
            explained_by: None,
            exported: false,
        }
    }

    fn exported(entities: &[Entity]) -> Vec<u32> {
        let pid = |entity: &Entity| match entity.id {
            EntityId::Process { pid, .. } => pid,
            _ => 0,
        };
        entities.iter().filter(|entity| entity.exported).map(pid).collect()
    }

    fn select(top: Option<usize>, max_series: Option<usize>) -> Selection {
        Selection::new(SelectionConfig { top, max_series })
    }

    #[test]
    fn the_top_is_by_score_and_then_by_size_and_suspects_come_besides() {
        let mut entities = vec![
            process(1, None, 900),
            process(2, Some(10.0), 5),
            process(3, Some(10.0), 6),
            process(4, Some(90.0), 1),
        ];
        let now = Instant::now();
        assert_eq!(select(Some(2), None).mark(&mut entities, now), BTreeMap::new());
        assert_eq!(exported(&entities), [4, 3]);
        select(Some(0), None).mark(&mut entities, now);
        assert_eq!(exported(&entities), [4]);
        select(None, None).mark(&mut entities, now);
        assert_eq!(exported(&entities), [4, 3, 2, 1]);
    }

    #[test]
    fn who_was_at_the_top_stays_ten_minutes() {
        let mut selection = select(Some(1), None);
        let start = Instant::now();
        let mut entities = vec![process(1, Some(1.0), 9), process(2, Some(1.0), 5)];
        selection.mark(&mut entities, start);
        assert_eq!(exported(&entities), [1]);
        let mut entities = vec![process(1, Some(1.0), 4), process(2, Some(1.0), 5)];
        selection.mark(&mut entities, start + Duration::from_secs(599));
        assert_eq!(exported(&entities), [2, 1]);
        selection.mark(&mut entities, start + Duration::from_secs(601));
        assert_eq!(exported(&entities), [2]);
    }

    #[test]
    fn a_suspect_that_is_cleared_stays_ten_minutes() {
        let mut selection = select(Some(0), None);
        let start = Instant::now();
        selection.mark(&mut [process(1, Some(90.0), 9)], start);
        let mut cleared = vec![process(1, Some(10.0), 9), process(2, Some(10.0), 9)];
        selection.mark(&mut cleared, start + Duration::from_secs(599));
        assert_eq!(exported(&cleared), [1]);
        selection.mark(&mut cleared, start + Duration::from_secs(601));
        assert_eq!(exported(&cleared), [0; 0]);
    }

    #[test]
    fn a_resource_goes_with_its_process_unless_it_is_suspect() {
        let resource = |pid, score| Entity {
            id: EntityId::ProcessResource { pid, start_time: 1, resource: Resource::Fds },
            ..process(pid, Some(score), 0)
        };
        let mut entities = vec![
            resource(1, 5.0),
            resource(2, 5.0),
            resource(3, 90.0),
            process(1, Some(9.0), 1),
            process(2, Some(5.0), 1),
        ];
        select(Some(1), None).mark(&mut entities, Instant::now());
        let exported: Vec<_> = entities.iter().map(|entity| (entity.scope(), entity.exported)).collect();
        let (process, resource) = (Scope::Process, Scope::ProcessResource);
        let expected =
            [(process, true), (process, false), (resource, true), (resource, true), (resource, false)];
        assert_eq!(exported, expected);
    }

    #[test]
    fn the_cap_drops_the_least_suspect_first_and_says_how_many() {
        let mut entities = vec![process(1, None, 9), process(2, Some(70.0), 1), process(3, Some(5.0), 1)];
        let room_for_two = 2 * (most_series(Scope::Process) + 1);
        let dropped = select(None, Some(room_for_two)).mark(&mut entities, Instant::now());
        assert_eq!(exported(&entities), [2, 3]);
        assert_eq!(dropped, BTreeMap::from([(Scope::Process, 1)]));
    }

    #[test]
    fn cgroups_that_are_clean_leave_room_for_all_else() {
        let cgroup = |number: u64, score| Entity {
            id: EntityId::cgroup(format!("/{number}").into(), number),
            ..process(0, Some(score), 1)
        };
        let mut entities: Vec<_> = (0..100).map(|number| cgroup(number, 1.0)).collect();
        entities.extend([cgroup(100, 90.0), process(1, Some(5.0), 1)]);
        let dropped = select(None, Some(100)).mark(&mut entities, Instant::now());
        assert_eq!(exported(&entities).last(), Some(&1), "the process");
        assert_eq!(exported(&entities).len(), 1 + 1 + 4, "the suspect, and four others");
        assert_eq!(dropped, BTreeMap::from([(Scope::Cgroup, 96)]));
    }
}
