//! Who has a place while there is more to watch than may be remembered. Pids say nothing of that, nor who was there first:
//! what is large can leak more, and what is suspected is never given up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::entity::{EntityId, Resource, Scope};
use crate::maps::{FastMap, FastSet};

use super::resources::is_spare;
use super::{Succession, Watched, Watchlist};

/// Most that wait for a place, and that are given the place of another in one tick: a pass over all lives finds these.
const WAITING: usize = 1024;

/// Ticks for which a process waits before it takes the place of another: a compiler is large, and soon gone.
const PATIENCE: u32 = 4;

/// A process takes the place of one that is so many times as small. Less, and two of a size would take turns.
const TIMES: u64 = 2;

/// How many may be remembered, and who waits for that.
#[derive(Debug)]
pub(super) struct Room {
    places: usize,
    /// Of those that were turned away since places were last given, those that come first.
    turned_away: Most<Claim>,
    /// Those that were so at the tick before: since how many ticks, and the fewest bytes that they had meanwhile.
    waiting: FastMap<EntityId, (u32, u64)>,
    /// A place is kept for each of these until places are given again.
    expected: FastSet<EntityId>,
}

/// What is said for an entity. In the order in which places are given, the first one is the greatest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    /// Hosts and cgroups come before processes, of which there may be any number.
    comes_first: bool,
    bytes: u64,
    entity: EntityId,
}

impl Room {
    /// Room for so many.
    pub(super) fn new(places: usize) -> Room {
        Room {
            places,
            turned_away: Most::new(WAITING),
            waiting: FastMap::default(),
            expected: FastSet::default(),
        }
    }

    /// Whether an entity of so many bytes may begin beside so many lives. One that may not waits for the next time that
    /// places are given.
    pub(super) fn admits(&mut self, lives: usize, entity: &EntityId, bytes: Option<u64>) -> bool {
        let is_admitted = self.expected.remove(entity) || lives + self.expected.len() < self.places;
        if !is_admitted {
            let comes_first = entity.scope() != Scope::Process;
            self.turned_away.push(Claim { comes_first, bytes: bytes.unwrap_or(0), entity: entity.clone() });
        }
        is_admitted
    }

    /// Those that were turned away and are there, by what they had at the least; the first one comes first.
    fn claims(&mut self, is_there: impl Fn(&EntityId) -> bool) -> Vec<Claim> {
        let before = std::mem::take(&mut self.waiting);
        let mut claims = self.turned_away.take();
        for claim in &mut claims {
            let (ticks, lowest) = before.get(&claim.entity).copied().unwrap_or((0, u64::MAX));
            claim.bytes = claim.bytes.min(lowest);
            self.waiting.insert(claim.entity.clone(), (ticks.saturating_add(1), claim.bytes));
        }
        claims.retain(|claim| is_there(&claim.entity));
        claims.sort_unstable_by(|one, other| other.cmp(one));
        claims
    }

    /// Whether it may take the place of another by now.
    fn is_due(&self, claim: &Claim) -> bool {
        let ticks = self.waiting.get(&claim.entity).map_or(0, |&(ticks, _)| ticks);
        claim.comes_first || ticks >= PATIENCE
    }
}

impl Claim {
    /// Whether it is to have the place of a process of so many bytes.
    fn outdoes(&self, bytes: u64) -> bool {
        self.comes_first || (self.bytes > bytes && self.bytes / TIMES >= bytes)
    }
}

impl Watchlist {
    /// Gives places to those that were turned away at the tick before and are there, the largest first: what is free, then
    /// those of the smallest processes that nothing is seen of. To be called after lives that are gone were retired.
    ///
    /// Who loses its place has not died: its lineage hears nothing of it.
    pub fn make_room(&mut self, is_there: impl Fn(&EntityId) -> bool) {
        self.room.expected.clear();
        let mut claims = self.room.claims(is_there);
        let free = self.room.places.saturating_sub(self.lives_with_places());
        let mut rest = claims.split_off(free.min(claims.len()));
        self.room.expected.extend(claims.into_iter().map(|claim| claim.entity));
        rest.retain(|claim| self.room.is_due(claim));
        for (claim, (bytes, entity)) in rest.iter().zip(self.smallest_spare(rest.len())) {
            if !claim.outdoes(bytes) {
                return;
            }
            self.give_up(&entity);
            self.room.expected.insert(claim.entity.clone());
        }
    }

    /// How many lives there are more than places.
    pub(super) fn excess(&self) -> usize {
        self.lives_with_places().saturating_sub(self.room.places)
    }

    /// What processes hold besides memory takes no place.
    pub(super) fn lives_with_places(&self) -> usize {
        self.lives.len().saturating_sub(self.resources.lives())
    }

    /// Processes that may be given up and their latest floors, the smallest first; so many at most.
    pub(super) fn smallest_spare(&self, most: usize) -> Vec<(u64, EntityId)> {
        if most == 0 {
            return Vec::new();
        }
        let of_resource = |(entity, watched): (&EntityId, &Watched)| match *entity {
            EntityId::ProcessResource { pid, start_time, .. } if !is_spare(&watched.life) => {
                Some((pid, start_time))
            }
            _ => None,
        };
        let holders: FastSet<(u32, u64)> = self.lives.iter().filter_map(of_resource).collect();
        let mut smallest = Most::new(most);
        for (entity, watched) in &self.lives {
            if let &EntityId::Process { pid, start_time } = entity
                && let Some(floor) = watched.life.floor()
                && !holders.contains(&(pid, start_time))
                && !self.matters(watched)
            {
                smallest.push(Reverse((floor as u64, entity.clone())));
            }
        }
        let mut smallest: Vec<_> = smallest.take().into_iter().map(|Reverse(one)| one).collect();
        smallest.sort_unstable();
        smallest
    }

    /// Whether its memory rises, or it is suspected, be it for the sake of all short lives of its lineage.
    fn matters(&self, Watched { life, lineage, .. }: &Watched) -> bool {
        let lineage = lineage.as_deref().and_then(|key| self.lineages.get(key));
        let surest = lineage.map_or_else(|| life.assessment(), |lineage: &Succession| lineage.surer(life));
        surest.is_suspect() || life.is_interesting()
    }

    /// Forgets a process and what it holds.
    pub(super) fn give_up(&mut self, entity: &EntityId) {
        self.lives.remove(entity);
        let &EntityId::Process { pid, start_time } = entity else { return };
        for resource in Resource::ALL {
            let held = EntityId::ProcessResource { pid, start_time, resource };
            if self.lives.remove(&held).is_some() {
                self.resources.give_up();
            }
        }
    }
}

/// The greatest of all that were pushed, in no order; so many at most.
#[derive(Debug)]
struct Most<T> {
    most: usize,
    least_first: BinaryHeap<Reverse<T>>,
}

impl<T: Ord> Most<T> {
    fn new(most: usize) -> Most<T> {
        Most { most, least_first: BinaryHeap::new() }
    }

    fn push(&mut self, one: T) {
        if self.least_first.len() < self.most {
            self.least_first.push(Reverse(one));
        } else if let Some(mut least) = self.least_first.peek_mut()
            && one > least.0
        {
            *least = Reverse(one);
        }
    }

    /// Takes all of them out.
    fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.least_first).into_iter().map(|Reverse(one)| one).collect()
    }
}

#[cfg(test)]
mod tests;
