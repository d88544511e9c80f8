//! What watching a host costs: memory and time of each process of the population, watched for a week.

use std::alloc::System;
use std::time::Instant;

use clap::Parser;
use memleak_exporter::backtest::Replay;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use verdict::generate;
use verdict::ours::Ours;
use verdict::trace::Trace;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measure what watching a host costs.
#[derive(Parser)]
struct Options {
    /// What chance is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Processes of the population.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    entities: u32,
    /// Seconds between samples.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    interval: f64,
}

/// Samples, nanoseconds and bytes that remain at the end.
fn watch(trace: &Trace) -> (usize, u128, usize) {
    let region = Region::new(ALLOCATOR);
    let began = Instant::now();
    let replay = Ours::default().replay(trace, |_, _| {});
    let taken = began.elapsed().as_nanos();
    let stats = region.change();
    let bytes = stats.bytes_allocated - stats.bytes_deallocated + size_of::<Replay>();
    drop(replay);
    (trace.points.len(), taken, bytes)
}

fn main() {
    let Options { seed, entities, interval } = Options::parse();
    // Tables that are made once are none of a process's.
    generate::population(seed, 1, 7.0, interval).map(|make| make()).for_each(|trace| {
        watch(&trace);
    });
    let (mut samples, mut taken, mut sizes) = (0, 0, Vec::new());
    for trace in generate::population(seed, entities, 7.0, interval).map(|make| make()) {
        let (count, nanoseconds, bytes) = watch(&trace);
        samples += count;
        taken += nanoseconds;
        sizes.push(bytes);
    }
    sizes.sort_unstable();
    let mean = sizes.iter().sum::<usize>() / sizes.len().max(1);
    let small = sizes.iter().filter(|bytes| **bytes <= 1024).count();
    println!("{} processes, {samples} samples: {} ns a sample", sizes.len(), taken / samples.max(1) as u128);
    println!("{mean} bytes a process; {small} take at most 1 KiB");
    for percent in [50, 90, 99, 100] {
        let place = (sizes.len() * percent / 100).saturating_sub(1);
        println!("{percent} % take at most {} bytes", sizes.get(place).copied().unwrap_or(0));
    }
}
