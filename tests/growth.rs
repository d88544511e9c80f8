//! Whether the exporter grows while the host it watches does not. `benches/growth` watches a larger one, and says what it
//! takes; this is as much of it as an unoptimized build does in seconds.

#![allow(clippy::print_stdout)]

use std::alloc::System;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[path = "../benches/growth/heap.rs"]
mod heap;
#[path = "../benches/growth/host.rs"]
mod host;

use heap::heap;
use host::{Population, Simulation};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const INTERVAL: Duration = Duration::from_secs(900);

const TICKS_A_DAY: u32 = 96;

/// One test, since whatever runs beside it would be counted, too. There are fewer places than processes, and half of these
/// are new at each tick: whatever is kept of one that is gone adds up.
#[test]
fn a_week_of_processes_that_come_and_go_leaves_nothing_behind() {
    let population = Population { processes: 160, passing: 0.5, ..Population::USUAL };
    let mut host = Simulation::new(population, INTERVAL, 130).unwrap();
    let days: Vec<f64> = (0..7)
        .map(|_| {
            (0..TICKS_A_DAY).fold(0.0, |most: f64, _| {
                drop(host.tick());
                most.max(heap(ALLOCATOR))
            })
        })
        .collect();
    println!("most bytes on each day: {days:?}");
    // From the third day on there are as many lineages as are remembered.
    assert!(days[6] <= days[2] * 1.1, "{days:?}");
}
