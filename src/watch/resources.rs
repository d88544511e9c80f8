//! When the history of a resource begins, and how many there are. Three more histories of every process would cost more
//! than those of memory, and hardly any would ever move.

use serde::{Deserialize, Serialize};

use crate::detector::Reason;
use crate::entity::Resource;
use crate::maps::FastSet;
use crate::resources::Count;

use super::Life;

/// Most resources that have a history, each of which takes the memory of a life that does not sleep: 16 MiB in all.
const LIVES: usize = 2000;

/// A history begins once there are so many more than there once were. Less is the usual coming and going of a program, and
/// what leaks gets there: of the usual limit of 1024 descriptors it is a thirtieth.
const RISEN: u32 = 32;

/// The lowest count of each resource that was seen of one process. What was not seen yet is as high as can be, so that the
/// first count is lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "[Option<u32>; Resource::ALL.len()]", from = "[Option<u32>; Resource::ALL.len()]")]
pub struct Lowest([u32; Resource::ALL.len()]);

impl Lowest {
    /// Nothing was seen yet.
    pub(super) const UNSEEN: Lowest = Lowest([u32::MAX; Resource::ALL.len()]);

    /// Takes note of what a process holds, and says whether that is reason enough for a history.
    pub(super) fn has_risen(&mut self, resource: Resource, count: Count) -> bool {
        if !count.is_new {
            return false;
        }
        let lowest = &mut self.0[resource as usize];
        *lowest = count.used.min(*lowest);
        count.used - *lowest >= RISEN
    }

    /// A history of it was given up: another begins once it has risen again.
    pub(super) fn forget(&mut self, resource: Resource) {
        self.0[resource as usize] = u32::MAX;
    }
}

impl From<Lowest> for [Option<u32>; Resource::ALL.len()] {
    fn from(Lowest(counts): Lowest) -> Self {
        counts.map(|count| (count != u32::MAX).then_some(count))
    }
}

impl From<[Option<u32>; Resource::ALL.len()]> for Lowest {
    fn from(counts: [Option<u32>; Resource::ALL.len()]) -> Lowest {
        Lowest(counts.map(|count| count.unwrap_or(u32::MAX)))
    }
}

/// How many resources have a history, and whose.
#[derive(Debug)]
pub(super) struct Resources {
    /// How many may have a history.
    room: usize,
    /// How many have a history.
    lives: usize,
    /// Of which processes something has a history: a few, so that it is soon known of all others.
    holders: FastSet<(u32, u64)>,
    /// Whether something that has risen found no room, since lives that were gone were last retired, and before.
    is_awaited: bool,
    was_awaited: bool,
    /// No room could be made since lives that were gone were last retired.
    is_crowded: bool,
}

impl Default for Resources {
    fn default() -> Resources {
        Resources {
            room: LIVES,
            lives: 0,
            holders: FastSet::default(),
            is_awaited: false,
            was_awaited: false,
            is_crowded: false,
        }
    }
}

impl Resources {
    /// How many have a history.
    pub(super) fn lives(&self) -> usize {
        self.lives
    }

    /// Whether there are as many histories as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.lives >= self.room
    }

    /// Whether it is no use to look for room.
    pub(super) fn is_crowded(&self) -> bool {
        self.is_crowded
    }

    /// A history of something that the process holds has begun.
    pub(super) fn begin(&mut self, process: (u32, u64)) {
        self.lives += 1;
        self.holders.insert(process);
    }

    /// Whether something that the process holds may have a history.
    pub(super) fn may_have(&self, process: (u32, u64)) -> bool {
        self.holders.contains(&process)
    }

    /// Something has risen, and there is no room for its history.
    pub(super) fn turn_away(&mut self) {
        self.is_awaited = true;
    }

    /// Whether something that has risen is without a history.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited || self.was_awaited
    }

    /// A history was given up, to make room.
    pub(super) fn give_up(&mut self) {
        self.lives = self.lives.saturating_sub(1);
    }

    /// No room was found.
    pub(super) fn note_crowded(&mut self) {
        self.is_crowded = true;
    }

    /// Lives that were gone were retired, which leaves so many, of things that `holders` hold.
    pub(super) fn retire(&mut self, lives: usize, holders: FastSet<(u32, u64)>) {
        (self.lives, self.holders) = (lives, holders);
        self.was_awaited = std::mem::take(&mut self.is_awaited);
        self.is_crowded = false;
    }
}

/// Whether `life` may be given up to make room for another: it was judged, and does not grow.
pub(super) fn is_spare(life: &Life) -> bool {
    let assessment = life.assessment();
    let is_settled = matches!(
        assessment.reason,
        Reason::Steady | Reason::Fluctuating | Reason::Saturating | Reason::WarmingUp
    );
    is_settled && !assessment.is_suspect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Watchlist;
    use super::*;
    use crate::config::SamplerConfig;
    use crate::entity::EntityId;
    use crate::sample::{Figures, Sample};
    use crate::watch::{Terms, Verdict, When};

    fn has_risen(lowest: &mut Lowest, used: u32) -> bool {
        lowest.has_risen(Resource::Fds, Count { used, limit: None, is_new: true })
    }

    fn watchlist() -> Watchlist {
        Watchlist::new(&SamplerConfig { max_entities: 10, ..SamplerConfig::every_minute() })
    }

    /// What is seen of a resource of a process, which is seen itself.
    fn observe(
        watchlist: &mut Watchlist,
        when: When,
        sample: &Sample,
        resource: Resource,
    ) -> Option<(EntityId, Verdict)> {
        watchlist.observe(when, sample, Terms { threshold: 60.0, limit: None });
        watchlist.observe_resource(when, sample, resource, 60.0)
    }

    fn at(time: f64) -> When {
        When { time, uptime: None }
    }

    fn sample(pid: u32, used: Option<u32>) -> Sample {
        let count = used.map(|used| Count { used, limit: None, is_new: true });
        let resources = crate::resources::Resources::default().with(Resource::Fds, count);
        Sample {
            entity: EntityId::Process { pid, start_time: 1 },
            identity: Arc::default(),
            figures: Arc::new(Figures { resources, ..Figures::default() }),
            cpu_seconds: None,
            is_told_again: false,
        }
    }

    #[test]
    fn a_history_begins_with_a_rise_above_the_lowest() {
        let mut lowest = Lowest::UNSEEN;
        let seen = [100, 131, 90, 121, 122].map(|used| has_risen(&mut lowest, used));
        assert_eq!(seen, [false, false, false, false, true]);
        let old = Count { used: 500, limit: None, is_new: false };
        assert!(!lowest.has_risen(Resource::Fds, old), "not looked at");
        let threads = Count { used: 500, limit: None, is_new: true };
        assert!(!lowest.has_risen(Resource::Threads, threads), "each for itself");
    }

    #[test]
    fn what_was_given_up_has_to_rise_again() {
        let mut lowest = Lowest::UNSEEN;
        assert!(!has_risen(&mut lowest, 10) && has_risen(&mut lowest, 42));
        lowest.forget(Resource::Fds);
        assert!(!has_risen(&mut lowest, 42) && !has_risen(&mut lowest, 73) && has_risen(&mut lowest, 74));
    }

    #[test]
    fn what_does_not_grow_makes_room_for_what_may() {
        let mut watchlist = watchlist();
        watchlist.resources.room = 2;
        let sample = |pid, used| sample(pid, Some(used));
        let mut see = |hour: u32, pid, used| {
            watchlist.retire(|_| false);
            let time = f64::from(hour) * 3600.0;
            let seen = observe(&mut watchlist, at(time), &sample(pid, used), Resource::Fds);
            (seen.is_some(), watchlist.take_dropped().values().sum::<u64>())
        };
        for hour in 0..80 {
            see(hour, 1, 100 + 10 * hour);
            see(hour, 2, if hour % 5 == 4 { 300 } else { 100 });
        }
        assert_eq!((see(80, 3, 10), see(81, 3, 50)), ((false, 0), (true, 0)));
        assert!(see(82, 1, 920).0, "what grows stays");
        assert_eq!(see(82, 2, 300), (false, 0), "what was given up is to rise again");
        assert_eq!(see(83, 2, 400), (false, 1), "and then there may be no room");
        for hour in 84..200 {
            see(hour, 1, 100 + 10 * hour);
            see(hour, 3, 50);
        }
        assert_eq!(see(200, 2, 400), (true, 0), "until another settles, though nobody has ended");
    }

    #[test]
    fn what_found_no_room_waits_though_it_changes_no_more() {
        let mut watchlist = watchlist();
        watchlist.resources.room = 1;
        let mut see = |time, pid, used, is_told_again| {
            let count = Count { used, limit: None, is_new: true };
            let resources = crate::resources::Resources::default().with(Resource::Threads, Some(count));
            let figures = Arc::new(Figures { resources, ..Figures::default() });
            let sample = Sample { figures, is_told_again, ..sample(pid, None) };
            watchlist.retire(|entity| matches!(entity, EntityId::ProcessResource { .. }) && time == 4.0);
            let seen = observe(&mut watchlist, at(time), &sample, Resource::Threads);
            (seen.is_some(), watchlist.take_dropped().values().sum::<u64>())
        };
        assert_eq!([see(0.0, 1, 10, false), see(1.0, 1, 50, false)], [(false, 0), (true, 0)]);
        assert_eq!([see(2.0, 2, 10, false), see(2.0, 2, 50, false)], [(false, 0), (false, 1)]);
        assert_eq!(see(3.0, 2, 50, true), (false, 1));
        assert_eq!(see(4.0, 2, 50, true), (true, 0), "the other one has ended");
        assert_eq!(see(5.0, 3, 50, true), (false, 0));
        assert!(see(6.0, 2, 50, true).0);
    }

    #[test]
    fn who_may_not_be_looked_at_any_more_keeps_the_verdict() {
        let mut watchlist = watchlist();
        let mut see = |hour: u32, used| {
            let sample = sample(1, used);
            observe(&mut watchlist, at(f64::from(hour) * 3600.0), &sample, Resource::Fds)
        };
        assert!(see(0, None).is_none(), "there is nothing to keep yet");
        let last = (0..80).filter_map(|hour| see(hour, Some(100 + 10 * hour))).last().unwrap().1;
        assert!(last.assessment.is_suspect(), "{:?}", last.assessment.score);
        let (entity, kept) = see(81, None).unwrap();
        assert_eq!(entity, EntityId::ProcessResource { pid: 1, start_time: 1, resource: Resource::Fds });
        assert_eq!(kept.assessment.score, last.assessment.score);
        assert!(see(82, Some(910)).is_some());
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let mut watchlist = watchlist();
        let mut see = |hour: u32, used, is_gone: bool| {
            watchlist.retire(|_| is_gone);
            observe(&mut watchlist, at(f64::from(hour)), &sample(1, Some(used)), Resource::Fds).is_some()
        };
        assert_eq!([see(0, 10, false), see(1, 41, false), see(2, 50, true)], [false; 3]);
        assert!(see(3, 82, false));
    }
}
