use std::sync::Arc;

use super::*;
use crate::config::SamplerConfig;
use crate::entity::Identity;
use crate::resources::Count;
use crate::sample::{Figures, Kind, Memory, Sample};
use crate::watch::{Terms, When};

const MIB: u64 = 1 << 20;

/// A watchlist and the minutes that it has seen.
struct Bench {
    watchlist: Watchlist,
    minute: u32,
}

impl Bench {
    fn new(max_entities: usize) -> Bench {
        let config = SamplerConfig { max_entities, ..SamplerConfig::every_minute() };
        Bench { watchlist: Watchlist::new(&config), minute: 0 }
    }

    /// One tick with these, in this order. How many were left out.
    fn tick(&mut self, samples: &[Sample]) -> u64 {
        let when = When { time: 1.8e9 + 60.0 * f64::from(self.minute), uptime: None };
        self.minute += 1;
        let is_there = |entity: &EntityId| match *entity {
            EntityId::ProcessResource { pid, start_time, .. } => {
                samples.iter().any(|sample| sample.entity == EntityId::Process { pid, start_time })
            }
            _ => samples.iter().any(|sample| sample.entity == *entity),
        };
        self.watchlist.retire(|entity| !is_there(entity));
        self.watchlist.make_room(is_there);
        for sample in samples {
            if self.watchlist.observe(when, sample, Terms { threshold: 60.0, limit: None }).is_some() {
                for resource in Resource::ALL {
                    self.watchlist.observe_resource(when, sample, resource, 60.0);
                }
            }
        }
        self.watchlist.take_dropped().values().sum()
    }

    /// So many ticks.
    fn ticks(&mut self, ticks: u32, samples: &[Sample]) -> u64 {
        (0..ticks).map(|_| self.tick(samples)).last().unwrap()
    }

    fn has(&self, sample: &Sample) -> bool {
        self.watchlist.contains(&sample.entity)
    }
}

fn process(pid: u32, mib: u64) -> Sample {
    Sample {
        entity: EntityId::Process { pid, start_time: 1 },
        identity: Arc::new(Identity { name: Arc::from(format!("p{pid}")), ..Identity::default() }),
        figures: Arc::new(Figures {
            memory: Memory::default().with(Kind::Anon, Some(mib * MIB)),
            ..Figures::default()
        }),
        cpu_seconds: None,
        is_told_again: false,
    }
}

fn cgroup(path: &str, mib: u64) -> Sample {
    Sample { entity: EntityId::cgroup(Arc::from(path), 1), ..process(0, mib) }
}

#[test]
fn who_waits_and_is_twice_as_large_takes_the_place_of_the_smallest() {
    let mut bench = Bench::new(2);
    let all = [process(1, 30), process(2, 20), process(3, 39), process(4, 40)];
    assert_eq!(bench.ticks(PATIENCE, &all), 2);
    assert!(bench.has(&all[0]) && bench.has(&all[1]), "who came first");
    assert_eq!(bench.tick(&all), 2);
    assert!(bench.has(&all[0]) && bench.has(&all[3]) && !bench.has(&all[1]));
    assert_eq!(bench.ticks(10, &all), 2);
    assert!(bench.has(&all[0]), "39 is not twice as large as 30");
}

#[test]
fn many_change_places_at_once_and_the_largest_are_left() {
    let mut bench = Bench::new(100);
    let all: Vec<Sample> = (1..=1000).map(|pid| process(pid, u64::from(pid))).collect();
    assert_eq!(bench.ticks(PATIENCE + 1, &all), 900);
    let kept = all.iter().filter(|sample| bench.has(sample)).filter_map(|sample| match sample.entity {
        EntityId::Process { pid, .. } => Some(pid),
        _ => None,
    });
    assert_eq!(kept.min(), Some(901));
    assert_eq!(bench.watchlist.len(), 100);
}

#[test]
fn who_is_soon_gone_takes_no_place() {
    let mut bench = Bench::new(1);
    let small = process(1, 20);
    for pid in 2..10 {
        bench.ticks(PATIENCE - 1, &[small.clone(), process(pid, 500)]);
    }
    assert!(bench.has(&small));
    // One that is large for a moment, again and again, has what it has at the least.
    for mib in [500, 25, 500].repeat(5) {
        bench.tick(&[small.clone(), process(10, mib)]);
    }
    assert!(bench.has(&small));
}

#[test]
fn two_that_rise_and_fall_in_turns_do_not_change_places_for_ever() {
    let mut bench = Bench::new(1);
    let mut changes = 0;
    let mut had = false;
    for round in 0..60_u64 {
        let (one, other) = if round.is_multiple_of(2) { (40, 100) } else { (100, 40) };
        let pair = [process(1, one), process(2, other)];
        bench.ticks(PATIENCE + 2, &pair);
        changes += u32::from(had != bench.has(&pair[1]));
        had = bench.has(&pair[1]);
    }
    assert!(changes <= 2, "{changes}: what rises keeps its place");
}

#[test]
fn what_is_free_goes_to_the_largest_that_wait() {
    let mut bench = Bench::new(2);
    let all = [process(1, 30), process(2, 30), process(3, 10), process(4, 50), process(5, 40)];
    bench.tick(&all);
    assert_eq!(bench.tick(&all[1..]), 2);
    assert!(bench.has(&all[3]), "without waiting");
    assert!(bench.has(&all[1]), "nobody had to leave for it");
    assert_eq!(bench.tick(&[process(6, 1), process(7, 1)]), 0, "what was kept for somebody is free again");
}

#[test]
fn cgroups_and_the_host_come_before_processes() {
    let mut bench = Bench::new(3);
    let mut all: Vec<Sample> = (1..=3).map(|pid| process(pid, 50)).collect();
    bench.ticks(3, &all);
    all.push(cgroup("/a", 1));
    all.push(Sample { entity: EntityId::Host, ..process(0, 900) });
    all.push(process(4, 900));
    bench.ticks(PATIENCE + 3, &all);
    assert!(all[3..].iter().all(|sample| bench.has(sample)));
    assert_eq!(bench.tick(&[all[3].clone(), all[4].clone(), cgroup("/b", 9), cgroup("/c", 9)]), 1);
    assert!(bench.has(&all[3]), "and for no cgroup does another one leave");
}

#[test]
fn what_is_suspected_or_rises_stays_however_small() {
    let mut bench = Bench::new(2);
    let leaking = |minute: u64| process(1, 10 + minute / 12);
    for minute in 0..40 * 60 {
        bench.tick(&[leaking(minute), process(2, 10)]);
    }
    let all = [leaking(40 * 60), process(2, 10), process(3, 8000), process(4, 9000)];
    assert_eq!(bench.ticks(PATIENCE + 3, &all), 2);
    assert!(bench.has(&all[0]) && !bench.has(&all[1]) && bench.has(&all[3]));
}

#[test]
fn who_leaks_descriptors_stays_and_what_is_known_of_others_goes_with_them() {
    let mut bench = Bench::new(2);
    let holding = |pid, used| {
        let count = Some(Count { used, limit: None, is_new: true });
        let mut process = process(pid, 10);
        Arc::make_mut(&mut process.figures).resources =
            crate::resources::Resources::default().with(Resource::Fds, count);
        process
    };
    for minute in 0..48 * 60 {
        let restless = if minute % 90 < 45 { 200 } else { 100 };
        bench.tick(&[holding(1, 100 + minute / 6), holding(2, restless)]);
    }
    assert_eq!(bench.watchlist.len(), 4, "two processes and their descriptors");
    let all = [holding(1, 580), holding(2, 100), process(3, 8000), process(4, 9000)];
    assert_eq!(bench.ticks(PATIENCE + 3, &all), 2);
    assert!(bench.has(&all[0]) && !bench.has(&all[1]) && bench.has(&all[3]));
    assert_eq!((bench.watchlist.len(), bench.watchlist.resources.lives()), (3, 1));
}

#[test]
fn who_loses_its_place_has_not_died() {
    let mut bench = Bench::new(1);
    let (small, large) = (process(1, 10), process(2, 100));
    bench.ticks(600, std::slice::from_ref(&small));
    bench.ticks(PATIENCE + 1, &[small, large.clone()]);
    assert!(bench.has(&large) && bench.watchlist.lineages.is_empty());
    bench.tick(&[]);
    assert_eq!(bench.watchlist.lineages.len(), 1, "but this one has");
}
