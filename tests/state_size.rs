//! What one watched life takes in memory after a week, every byte that is asked of the allocator counted.

#![allow(clippy::print_stdout)]

use std::alloc::System;

use memleak_exporter::detector::Lineage;
use memleak_exporter::sample::{Kind, Memory};
use memleak_exporter::watch::{Life, Observation};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MIB: u64 = 1 << 20;

/// At no full hour, as lives begin.
const BEGAN: f64 = 1_700_001_234.0;

/// A week after a start of a few minutes, sampled every `interval` seconds.
fn watched(interval: f64, bytes: impl Fn(f64) -> u64) -> Life {
    let lineage = Lineage::default();
    let mut life = Life::new(BEGAN, interval, &lineage, None);
    for number in 0..=(7.0 * 86_400.0 / interval) as u32 {
        let time = interval * f64::from(number);
        let scored = bytes(time).min((20.0 * MIB as f64 + time * 200_000.0) as u64);
        let memory = Memory::default()
            .with(Kind::Anon, Some(scored))
            .with(Kind::File, Some(30 * MIB))
            .with(Kind::Shmem, Some(MIB))
            .with(Kind::Swap, Some(0));
        let seen = Observation {
            time: BEGAN + time,
            scored,
            memory: &memory,
            age: Some(time),
            cpu_seconds: Some(0.2 * time),
            room: Some(1 << 33),
            threshold: 60.0,
            crowd: 1,
            executable: None,
        };
        life.observe(seen, &lineage);
    }
    life
}

/// Bytes that a life takes, itself included.
fn taken(interval: f64, bytes: impl Fn(f64) -> u64) -> usize {
    drop(watched(3600.0, &bytes));
    let region = Region::new(ALLOCATOR);
    let life = watched(interval, bytes);
    let stats = region.change();
    assert!(life.has_judged());
    stats.bytes_allocated - stats.bytes_deallocated + size_of::<Life>()
}

/// One test, since whatever runs beside it would be counted, too.
#[test]
fn a_quiet_life_takes_one_kibibyte_and_a_restless_one_eight() {
    // Tables that are made once are none of a life's.
    drop(watched(60.0, |time| 50 * MIB + (time * 200.0) as u64));
    for interval in [15.0, 60.0] {
        let constant = taken(interval, |_| 50 * MIB);
        let waking = taken(interval, |time| 50 * MIB + 90_000 * ((time / 86_400.0) as u64 % 3));
        let leaking = taken(interval, |time| 50 * MIB + (time * 200.0) as u64);
        let restless =
            taken(interval, |time| 50 * MIB + (time as u64).wrapping_mul(2_654_435_761) % (20 * MIB));
        println!(
            "every {interval} s: constant {constant}, steps {waking}, leak {leaking}, noise {restless} bytes"
        );
        assert!(constant.max(waking) <= 1024, "{constant}, {waking}");
        // A leak has evidence on each of ten time scales, with all of its gates.
        assert!(restless.max(leaking) <= 8 * 1024, "{restless}, {leaking}");
    }
}
