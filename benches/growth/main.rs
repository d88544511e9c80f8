//! Whether the exporter grows: what it takes of memory and CPU for few entities and for many, and over a week.
//!
//! ```text
//! cargo bench --bench growth                     # a day of 100 to 30,000 processes
//! cargo bench --bench growth -- --days 7         # 10,000 processes for a week, at 15 s
//! cargo bench --bench growth -- --days 7 --interval 5m
//! ```
//!
//! The exporter's own sampler does all that it does at a tick but to read: samples come from `host.rs`. Time is moved by
//! hand, so that a week takes minutes. A longer interval shortens that, and changes little of what a tick costs: the
//! finest blocks are as long as the interval. What samples take to be made is part of the figures.
//!
//! Heap is what is asked of the allocator and not given back, the most of a day after a tick; RSS what the system has
//! given for it.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

mod heap;
mod host;
mod usage;

use std::alloc::System;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use memleak_exporter::exposition::{self, Format, Sources};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use heap::heap;
use host::{Population, Simulation};
use usage::{cpu_time, resident};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const DAY: Duration = Duration::from_secs(86_400);
const KIB: f64 = 1024.0;
const MIB: f64 = 1_048_576.0;

/// Numbers of processes whose figures are to be the same for each.
const SIZES: [usize; 4] = [100, 1_000, 10_000, 30_000];

/// Ticks at the end of a day whose costs are averaged.
const MEASURED: u32 = 128;

/// The day whose heap no later day is to exceed by much.
const SETTLED: usize = 2;

/// Says whether the exporter grows.
#[derive(Debug, Parser)]
#[command(name = "growth")]
struct Cli {
    /// Days that one host is watched; without it, hosts of several sizes are, for one day each.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    days: Option<u64>,
    /// Processes of the host with --days.
    #[arg(long, default_value = "10000")]
    processes: usize,
    /// Time from one sample to the next [default: 15s with --days, else 5m].
    #[arg(long, value_parser = humantime::parse_duration)]
    interval: Option<Duration>,
    /// Most entities that are remembered.
    #[arg(long, default_value = "50000")]
    max_entities: usize,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cli = Cli::parse();
    match cli.days {
        Some(days) => by_day(&cli, days),
        None => by_size(&cli).map(|()| ExitCode::SUCCESS),
    }
}

/// What one entity takes on hosts of several sizes, after a day.
fn by_size(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let interval = cli.interval.unwrap_or(Duration::from_secs(300));
    for (what, population) in [("nothing moves", Population::IDLE), ("a tenth moves", Population::USUAL)] {
        let every = humantime::format_duration(interval);
        println!("\nA day of hosts on which {what}, a sample every {every}\n");
        println!(
            "| processes | heap, MiB | KiB an entity | tick, ms of CPU | µs an entity | series | bytes of text each |"
        );
        println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        for processes in SIZES {
            size(Population { processes, ..population }, interval, cli.max_entities)?;
        }
    }
    Ok(())
}

/// One line of that.
fn size(population: Population, interval: Duration, max_entities: usize) -> Result<(), Box<dyn Error>> {
    let before = heap(ALLOCATOR);
    let mut host = Simulation::new(population, interval, max_entities)?;
    let warm_up = ticks(DAY, interval).saturating_sub(MEASURED);
    (0..warm_up).for_each(|_| drop(host.tick()));
    let began = cpu_time();
    (0..MEASURED).for_each(|_| drop(host.tick()));
    let tick = (cpu_time() - began).as_secs_f64() / f64::from(MEASURED);
    let (taken, entities) = (heap(ALLOCATOR) - before, population.processes as f64);
    let latest = host.tick();
    let text = exposition::render(Some(&latest), &Sources::ALL, latest.taken, Format::Text);
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    println!(
        "| {entities} | {:.1} | {:.2} | {:.2} | {:.2} | {series} | {} |",
        taken / MIB,
        taken / entities / KIB,
        tick * 1e3,
        tick * 1e6 / entities,
        text.len() / series.max(1)
    );
    Ok(())
}

/// What one host takes day by day; fails where it goes on growing.
fn by_day(cli: &Cli, days: u64) -> Result<ExitCode, Box<dyn Error>> {
    let interval = cli.interval.unwrap_or(Duration::from_secs(15));
    println!("{} processes, a sample every {}", cli.processes, humantime::format_duration(interval));
    println!("| day | entities | suspects | heap, MiB | RSS, MiB | tick, ms of CPU | it took, s |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut host = Simulation::new(
        Population { processes: cli.processes, ..Population::USUAL },
        interval,
        cli.max_entities,
    )?;
    let mut heaps = Vec::new();
    for day in 1..=days {
        let (began, used, ticks) = (Instant::now(), cpu_time(), ticks(DAY, interval));
        let (mut most, mut latest) = (0.0_f64, None);
        for _ in 0..ticks {
            latest = Some(host.tick());
            most = most.max(heap(ALLOCATOR));
        }
        let latest = latest.ok_or("the interval is longer than a day")?;
        let tick = (cpu_time() - used).as_secs_f64() / f64::from(ticks);
        heaps.push(most);
        println!(
            "| {day} | {} | {} | {:.1} | {:.1} | {:.2} | {:.1} |",
            latest.entities.len(),
            latest.suspects().count(),
            most / MIB,
            resident()? / MIB,
            tick * 1e3,
            began.elapsed().as_secs_f64()
        );
    }
    Ok(verdict(&heaps))
}

/// Most bytes that may be taken at any later time where it was `settled` on the second day. By then all that is bounded is
/// full, or nearly so: of processes that are not idle, rings of four hours and more go on filling up to the tenth day, floors
/// by the hour up to the seventh, and the windows of 64 hours and four days have yet to begin.
fn most_after(settled: f64) -> f64 {
    settled * 1.05 + MIB
}

fn verdict(heaps: &[f64]) -> ExitCode {
    let (Some(settled), Some(last)) = (heaps.get(SETTLED - 1), heaps.last()) else {
        return ExitCode::SUCCESS;
    };
    let most = most_after(*settled);
    let (last, most, days) = (last / MIB, most / MIB, heaps.len());
    println!("Heap on day {days}: {last:.1} MiB, of at most {most:.1} that day {SETTLED} allows");
    if last > most { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn ticks(span: Duration, interval: Duration) -> u32 {
    span.div_duration_f64(interval) as u32
}
