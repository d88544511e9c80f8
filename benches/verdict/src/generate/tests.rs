use std::collections::BTreeSet;

use super::{Regime, all, classes, dice::fnv1a, trace};
use crate::trace::{Label, Point, Trace};

const REGIMES: [Regime; 2] = [Regime::Days, Regime::Fast];
/// One line a class: its name, and the checksums of its first series of seed 1, over days and squeezed.
const CHECKSUMS: &str = include_str!("checksums.txt");

fn population(seed: u64, entities: u32, days: f64) -> impl Iterator<Item = Trace> {
    super::population(seed, entities, days, 60.0).map(|make| make())
}

fn some(regime: Regime) -> impl Iterator<Item = Trace> {
    all(regime, 7, 3).map(|make| make())
}

fn checksum(trace: &Trace) -> u64 {
    fnv1a(trace.points.iter().flat_map(|point| {
        let cpu = point.cpu_seconds.map_or(0, f64::to_bits);
        let lives = u64::from(point.life) << 32 | u64::from(point.build);
        [point.time.to_bits(), point.bytes, lives, cpu].into_iter().flat_map(u64::to_le_bytes)
    }))
}

fn lowest(points: &[Point]) -> f64 {
    points.iter().map(|point| point.bytes as f64).fold(f64::INFINITY, f64::min)
}

/// How much the floor rises from the first quarter to the last, as a share of the first; what starts up is left out.
fn risen(points: &[Point]) -> f64 {
    let settled = &points[(points.len() / 12).min(60)..];
    let quarter = settled.len() / 4;
    lowest(&settled[3 * quarter..]) / lowest(&settled[..quarter]) - 1.0
}

#[test]
fn the_same_seed_gives_the_same_series_for_ever() {
    let now: String = classes()
        .iter()
        .map(|class| {
            let [days, fast] = REGIMES.map(|regime| checksum(&trace(regime, class, 1, 0)));
            format!("{} {days:016x} {fast:016x}\n", class.name)
        })
        .collect();
    assert_eq!(
        CHECKSUMS, now,
        "a class has changed; if it was meant to, this is the new checksums.txt:\n{now}"
    );
}

#[test]
fn series_differ_by_seed_class_and_number() {
    let [flat, idle] =
        ["flat", "idle"].map(|name| classes().iter().find(|class| class.name == name).unwrap());
    let sums = [
        trace(Regime::Days, flat, 1, 0),
        trace(Regime::Days, flat, 1, 1),
        trace(Regime::Days, flat, 2, 0),
        trace(Regime::Days, idle, 1, 0),
        trace(Regime::Fast, flat, 1, 0),
    ]
    .map(|trace| checksum(&trace));
    assert_eq!(sums.iter().collect::<BTreeSet<_>>().len(), sums.len());
}

#[test]
fn every_class_is_named_once_and_there_are_enough() {
    let names: BTreeSet<_> = classes().iter().map(|class| class.name).collect();
    assert_eq!(names.len(), classes().len());
    let leaks = classes().iter().filter(|class| class.is_leak).count();
    assert!(leaks >= 22 && classes().len() - leaks >= 28, "{leaks} of {}", classes().len());
    assert!(classes().iter().all(|class| !class.description.is_empty()));
}

#[test]
fn times_rise_lives_follow_one_another_and_cpu_time_only_grows() {
    for trace in REGIMES.into_iter().flat_map(some).chain(population(7, 100, 1.0)) {
        let name = (trace.class, trace.number);
        assert!(trace.points.len() > 50, "{name:?}: {} points", trace.points.len());
        for pair in trace.points.windows(2) {
            assert!(pair[0].time < pair[1].time, "{name:?} at {}", pair[1].time);
            assert!(pair[0].life <= pair[1].life && pair[0].build <= pair[1].build, "{name:?}");
            let restarted = pair[0].life != pair[1].life;
            assert!(restarted || pair[0].build == pair[1].build, "{name:?}: another build needs a restart");
            assert!(restarted || pair[0].cpu_seconds <= pair[1].cpu_seconds, "{name:?} at {}", pair[1].time);
        }
    }
}

#[test]
fn restarts_begin_to_count_cpu_time_anew() {
    let class = classes().iter().find(|class| class.name == "restarts_leak").unwrap();
    let trace = trace(Regime::Days, class, 7, 0);
    let resets = trace.points.windows(2).filter(|pair| pair[0].cpu_seconds > pair[1].cpu_seconds).count();
    assert_eq!(resets as u32, trace.points.last().unwrap().life);
    assert!(resets > 0);
}

#[test]
fn labels_say_what_classes_say_and_lie_inside() {
    for trace in REGIMES.into_iter().flat_map(some) {
        let class = classes().iter().find(|class| class.name == trace.class).unwrap();
        let end = trace.points.last().unwrap().time;
        match trace.label {
            Label::Benign => assert!(!class.is_leak && !trace.dies, "{}", trace.class),
            Label::Leak { onset, fixed } => {
                assert!(class.is_leak && (0.0..end).contains(&onset), "{}: {onset} of {end}", trace.class);
                assert_eq!(fixed.is_some(), trace.class == "fixed");
                assert!(fixed.is_none_or(|fixed| onset < fixed && fixed < end), "{}", trace.class);
            }
        }
    }
}

#[test]
fn leaks_grow_and_what_was_fixed_does_not() {
    for trace in REGIMES.into_iter().flat_map(some) {
        let Label::Leak { onset, fixed } = trace.label else { continue };
        let until = fixed.unwrap_or(f64::INFINITY);
        let leaking: Vec<Point> =
            trace.points.iter().filter(|point| (onset..until).contains(&point.time)).copied().collect();
        let lives = leaking.chunk_by(|a, b| a.life == b.life).max_by_key(|life| life.len()).unwrap();
        let grown = risen(&leaking).max(risen(lives));
        assert!(grown > 0.02, "{} {}: {grown}", trace.class, trace.number);
        let after: Vec<Point> = trace.points.iter().filter(|point| point.time >= until).copied().collect();
        let starting = after.len() < 200;
        assert!(starting || risen(&after).abs() < 0.15, "{} {}", trace.class, trace.number);
        assert!(after.iter().all(|point| point.build > lives[0].build), "{} {}", trace.class, trace.number);
    }
}

#[test]
fn fast_leaks_end_at_their_limit() {
    for trace in some(Regime::Fast) {
        let Label::Leak { onset, fixed } = trace.label else { continue };
        assert_eq!(trace.dies, fixed.is_none(), "{}", trace.class);
        let last = trace.points.last().unwrap();
        let way = fixed.unwrap_or(last.time) - onset;
        assert!((1200.0..=12.0 * 3600.0).contains(&way), "{}: {way} s", trace.class);
        if trace.dies {
            let (bytes, limit) = (last.bytes as f64, trace.limit.unwrap() as f64);
            assert!(bytes > 0.85 * limit, "{} {}: {}", trace.class, trace.number, bytes / limit);
        }
    }
}

#[test]
fn nothing_is_above_its_limit_and_nothing_benign_close_to_it() {
    for trace in REGIMES.into_iter().flat_map(some).chain(population(7, 300, 1.0)) {
        let Some(limit) = trace.limit else { continue };
        let peak = trace.peak().unwrap() as f64 / limit as f64;
        let most = if trace.label == Label::Benign { 0.99 } else { 1.0 };
        assert!(peak <= most, "{} {}: {peak}", trace.class, trace.number);
    }
}

#[test]
fn steadiness_needs_a_day_before_the_onset() {
    for trace in REGIMES.into_iter().flat_map(some).filter(|trace| trace.steady_after_plateau) {
        let Label::Leak { onset, .. } = trace.label else { panic!("{} does not leak", trace.class) };
        assert!(onset >= 86_400.0, "{}: {onset}", trace.class);
    }
    let steady: BTreeSet<_> =
        some(Regime::Days).filter(|trace| trace.steady_after_plateau).map(|trace| trace.class).collect();
    assert!(["late", "plateau", "deploy"].iter().all(|class| steady.contains(class)), "{steady:?}");
}

#[test]
fn a_population_is_mostly_idle_and_does_not_leak() {
    let traces: Vec<Trace> = population(3, 2000, 0.25).collect();
    let share = |keep: &dyn Fn(&&Trace) -> bool| traces.iter().filter(keep).count() as f64 / 2000.0;
    assert!(share(&|trace| trace.class == "population_idle") > 0.8);
    let services = share(&|trace| !trace.class.starts_with("population_"));
    assert!((0.05..0.085).contains(&services), "{services}");
    let limited = share(&|trace| trace.limit.is_some()) / services;
    assert!((0.3..0.5).contains(&limited), "{limited}");
    assert!(traces.iter().all(|trace| trace.label == Label::Benign));
    let still = |trace: &&Trace| {
        let all = trace.points.iter().map(|point| point.bytes);
        trace.class == "population_idle" && all.clone().max() == all.min()
    };
    assert!((0.3..0.9).contains(&share(&still)));
    assert!(share(&|trace| trace.points.last().unwrap().life > 0) > 0.02);
}

#[test]
fn a_population_is_made_as_it_is_asked_for() {
    let of =
        |entities| population(3, entities, 1.0).take(5).map(|trace| checksum(&trace)).collect::<Vec<_>>();
    assert_eq!(of(u32::MAX), of(10));
}
