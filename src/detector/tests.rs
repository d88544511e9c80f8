//! The verdict on whole lives, played in simulated time.

use super::*;
use crate::sample::{Kind, Memory};

const MIB: f64 = 1_048_576.0;
const THRESHOLD: f64 = 60.0;

/// One life after another of one program, with noise.
struct Play {
    interval: f64,
    limit: Option<f64>,
    time: f64,
    noise: u64,
    lineage: Lineage,
    /// Seconds from the beginning of the play to the first suspicion.
    called: Option<f64>,
    /// Seconds from the beginning of the play to the first time that less than an hour was said to be left.
    warned: Option<f64>,
    last: Assessment,
}

impl Play {
    fn new(interval: f64) -> Play {
        let time = 1.8e9;
        Play {
            interval,
            limit: None,
            time,
            noise: 7,
            lineage: Lineage::default(),
            called: None,
            warned: None,
            last: Assessment::default(),
        }
    }

    fn with_limit(self, limit: f64) -> Play {
        Play { limit: Some(limit), ..self }
    }

    /// Uniform in -1..1, the same in every run.
    fn noise(&mut self) -> f64 {
        self.noise =
            self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.noise >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    }

    /// A life of so many hours, of which `mebibytes` tells the memory at each hour.
    fn life(mut self, hours: f64, mebibytes: impl Fn(f64) -> f64) -> Play {
        let (began, start) = (self.time, 1.8e9);
        let mut history = History::new(began, self.interval);
        let mut detector = Detector::new(&self.lineage, None);
        while self.time - began < hours * HOUR {
            let bytes = mebibytes((self.time - began) / HOUR) * MIB * (1.0 + 0.003 * self.noise());
            let memory = Memory::default().with(Kind::Anon, Some(bytes as u64));
            let closed = history.push(self.time, bytes as u64, &memory);
            let room = self.limit.map(|limit| (limit - bytes).max(0.0) as u64);
            let around = Circumstances {
                threshold: THRESHOLD,
                room,
                lineage: &self.lineage,
                executable: None,
                age: None,
                cpu_seconds: None,
                crowd: 1,
            };
            if let Some(assessment) = detector.update(&history, closed, around) {
                if assessment.is_suspect() && self.called.is_none() {
                    self.called = Some(self.time - start);
                }
                if assessment.time_to_limit_seconds.is_some_and(|left| left < HOUR) && self.warned.is_none() {
                    self.warned = Some(self.time - start);
                }
                self.last = assessment;
            }
            self.time += self.interval;
        }
        if detector.has_judged() {
            detector.retire(&history, &mut self.lineage, None);
        }
        self
    }

    fn called_hours(&self) -> Option<f64> {
        self.called.map(|seconds| seconds / HOUR)
    }
}

/// A collector's saw: rises to `height` within `period` hours and falls.
fn saw(hour: f64, period: f64, height: f64) -> f64 {
    height * (hour / period).fract()
}

/// Load of a service, 0 at night and 1 by day.
fn day(hour: f64) -> f64 {
    0.5 - 0.5 * (std::f64::consts::TAU * hour / 24.0).cos()
}

type Shape = fn(f64) -> f64;

const LEAKS: [(&str, Shape); 7] = [
    ("steady", |hour| 200.0 + 3.0 * hour),
    ("after a plateau", |hour| 200.0 + 6.0 * (hour - 40.0).max(0.0)),
    ("staircase", |hour| 200.0 + 20.0 * (hour / 2.0).floor()),
    ("under a saw", |hour| 200.0 + 3.0 * hour + saw(hour, 0.7, 60.0)),
    ("after a warm-up", |hour| 200.0 + 200.0 * (1.0 - (-hour / 1.5).exp()) + 5.0 * hour),
    ("under daily load", |hour| 200.0 + 100.0 * day(hour) + 4.0 * hour),
    ("below an old generation", |hour| 200.0 + 1.5 * hour + saw(hour, 7.3, 150.0) + saw(hour, 0.2, 40.0)),
];

const BENIGN: [(&str, Shape); 9] = [
    ("idle", |_| 200.0),
    ("warm-up", |hour| 200.0 + 300.0 * (1.0 - (-hour / 3.0).exp())),
    ("bounded cache", |hour| 200.0 + 300.0 * (hour / 5.0).min(1.0)),
    ("cache with a heavy tail", |hour| 200.0 + 40.0 * (1.0 + hour * 2.0).ln()),
    ("collector", |hour| 200.0 + saw(hour, 1.3, 150.0)),
    ("slow collector", |hour| 200.0 + saw(hour, 9.0, 150.0)),
    ("daily load", |hour| 200.0 + 150.0 * day(hour)),
    ("deploys", |hour| 200.0 + 50.0 * (hour / 30.0).floor()),
    ("nightly batch", |hour| 200.0 + if hour % 24.0 < 3.0 { 100.0 * (hour % 24.0) } else { 0.0 }),
];

#[test]
fn leaks_are_called_within_days_and_what_only_looks_alike_is_not() {
    for (name, shape) in LEAKS {
        let play = Play::new(60.0).life(120.0, shape);
        let hours = play.called_hours().unwrap_or_else(|| panic!("{name} is never called: {:?}", play.last));
        let (onset, delay) = match name {
            "after a plateau" => (40.0, 30.0),
            // Full collections are hours apart.
            "below an old generation" => (0.0, 100.0),
            // Days can be compared once there are three.
            "under daily load" => (0.0, 84.0),
            _ => (0.0, 60.0),
        };
        assert!((onset..onset + delay).contains(&hours), "{name} is called after {hours:.1} h");
        assert_eq!(play.last.reason, Reason::Leaking, "{name} at the end");
        assert!(play.last.growth_bytes_per_second.is_some_and(|growth| growth > 0.0));
    }
    for (name, shape) in BENIGN {
        let play = Play::new(60.0).life(120.0, shape);
        assert_eq!(play.called_hours(), None, "{name} is called: {}", play.last.sentence());
    }
}

/// The rule that people write: `deriv(memory[1h]) > X`, by least squares over the samples of an hour. Whatever X, it
/// calls more of the benign shapes than we do, or misses a leak.
#[test]
fn no_threshold_makes_a_deriv_rule_as_good() {
    let steepest = |shape: Shape| {
        let slope = |until: f64| {
            let times: Vec<f64> = (0..60).map(|minute| until - 1.0 + f64::from(minute) / 60.0).collect();
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let values: Vec<f64> = times.iter().map(|hour| shape(*hour)).collect();
            let (mid, level) = (mean(&times), mean(&values));
            let covariance: f64 =
                times.iter().zip(&values).map(|(time, value)| (time - mid) * (value - level)).sum();
            covariance / times.iter().map(|time| (time - mid).powi(2)).sum::<f64>()
        };
        (10..1200).map(|tenth| slope(f64::from(tenth) / 10.0)).fold(f64::NEG_INFINITY, f64::max)
    };
    let gentlest_leak = LEAKS.iter().map(|(_, shape)| steepest(*shape)).fold(f64::INFINITY, f64::min);
    let false_alarms = BENIGN.iter().filter(|(_, shape)| steepest(*shape) >= gentlest_leak).count();
    assert!(
        false_alarms >= 7,
        "only {false_alarms} at {gentlest_leak} MiB/h, the most that catches all leaks"
    );
}

#[test]
fn a_fast_leak_is_called_before_it_hits_its_limit_and_a_filling_cache_is_not() {
    let limit = 512.0 * MIB;
    let leak = Play::new(1.0).with_limit(limit).life(500.0 / 3600.0, |hour| 4.0 + hour * 3600.0 / 1.048_576);
    assert!(leak.called.is_some_and(|seconds| seconds < 450.0), "called after {:?} s", leak.called);
    assert!(
        leak.last.time_to_limit_seconds.is_some_and(|left| (5.0..90.0).contains(&left)),
        "{:?}",
        leak.last
    );
    let cache = Play::new(1.0).with_limit(limit).life(0.5, |hour| 4.0 + (hour * 3600.0 * 5.0).min(60.0));
    assert_eq!(cache.called, None);
    let idle = Play::new(1.0).with_limit(limit).life(0.5, |_| 4.0);
    assert_eq!(idle.called, None);
    assert_eq!(idle.last.reason, Reason::Steady);
}

/// What wakes somebody needs no verdict, but growth that ends within minutes is nothing to be woken for.
#[test]
fn running_out_is_told_in_time_and_filling_is_not_running_out() {
    let second = 1.0 / 3600.0;
    for (name, interval, limit, fill) in [
        ("cache", 1.0, 512.0, (|hour| 4.0 + (hour * 7200.0).min(150.0)) as Shape),
        ("warm-up", 1.0, 1024.0, |hour| 4.0 + 300.0 * (1.0 - (-hour * 60.0).exp())),
        ("large cache", 15.0, 2048.0, |hour| 4.0 + (hour * 3600.0).min(500.0)),
    ] {
        let play = Play::new(interval).with_limit(limit * MIB).life(1500.0 * second, fill);
        assert_eq!(play.warned, None, "{name} at {interval} s: {:?}", play.last);
    }
    let leak = |interval| {
        Play::new(interval).with_limit(2048.0 * MIB).life(1900.0 * second, |hour| 4.0 + hour * 3600.0)
    };
    for interval in [1.0, 15.0] {
        let warned = leak(interval).warned.unwrap();
        assert!(
            (180.0..1000.0).contains(&warned),
            "told after {warned} s of 2044, sampled every {interval} s"
        );
    }
}

#[test]
fn a_program_that_leaks_dies_and_comes_back_is_called() {
    let mut play = Play::new(60.0);
    for _ in 0..8 {
        play = play.life(14.0, |hour| 200.0 + 20.0 * hour);
    }
    assert!(play.called_hours().is_some_and(|hours| hours < 112.0), "{:?}", play.called_hours());
    let mut healthy = Play::new(60.0);
    for _ in 0..8 {
        healthy = healthy.life(14.0, |hour| 200.0 + 200.0 * (1.0 - (-hour / 1.5).exp()));
    }
    assert_eq!(healthy.called_hours(), None);
}

#[test]
fn a_suspicion_ends_when_memory_is_given_back() {
    let play = Play::new(60.0).life(144.0, |hour| if hour < 72.0 { 200.0 + 10.0 * hour } else { 200.0 });
    assert!(play.called_hours().is_some_and(|hours| hours < 72.0));
    assert!(play.last.score.is_some_and(|score| score < 10.0), "{:?}", play.last);
}

#[test]
fn too_little_history_is_no_verdict() {
    let play = Play::new(15.0).life(0.05, |hour| 200.0 + 1000.0 * hour);
    assert_eq!((play.last.score, play.last.reason), (None, Reason::InsufficientData));
    assert_eq!(play.last.judged_by(0.0).status(), Status::Clean);
}

#[test]
fn the_verdict_does_not_depend_on_the_interval() {
    let called = [15.0, 30.0, 60.0, 120.0]
        .map(|interval| Play::new(interval).life(60.0, |hour| 200.0 + 6.0 * hour).called_hours().unwrap());
    let spread = called.iter().fold(0.0_f64, |most, hours| most.max((hours - called[0]).abs()));
    assert!(spread < 0.1 * called[0], "{called:?}");
}

/// However small it was when it began: what has grown to a hundred times its size looks most like a cache that fills.
#[test]
fn a_straight_line_from_birth_is_called_within_some_thirty_hours() {
    for (began_at, per_hour) in [(1.0, 4.0), (4.0, 4.0), (50.0, 4.0), (50.0, 1.0), (200.0, 20.0)] {
        for limit in [None, Some(1e11)] {
            let play = Play { limit, ..Play::new(225.0) };
            let called = play.life(60.0, |hour| began_at + per_hour * hour).called_hours();
            assert!(
                called.is_some_and(|hours| hours < 30.0),
                "from {began_at} MiB by {per_hour} MiB/h, limit {limit:?}: after {called:?} h"
            );
        }
    }
}

/// Counts of mappings are looked at every 32nd time, and recordings may be as coarse. A limit that is far away is none.
#[test]
fn a_leak_that_is_looked_at_seldom_is_called() {
    for (interval, most) in [(300.0, 30.0), (480.0, 30.0), (1200.0, 48.0), (2880.0, 73.0)] {
        for limit in [None, Some(1e9), Some(1e11)] {
            let play = Play { limit, ..Play::new(interval) };
            let line = play.life(96.0, |hour| 200.0 + 6.0 * hour).called_hours();
            assert!(
                line.is_some_and(|hours| hours < most),
                "every {interval} s, limit {limit:?}: after {line:?} h"
            );
        }
        // Four equal steps, each seen by a few dozen samples, are what a leak in chunks looks like.
        let told = BENIGN.iter().filter(|(name, _)| interval < 2880.0 || *name != "deploys");
        for (name, shape) in told {
            let play = Play::new(interval).life(120.0, *shape);
            assert_eq!(play.called_hours(), None, "{name}, every {interval} s: {}", play.last.sentence());
        }
    }
}

#[test]
fn awkward_memory_is_no_trouble() {
    for shape in
        [|_| 0.0, |hour| if hour > 3.0 { 1e13 } else { 0.0 }, |hour: f64| (hour * 50.0).fract() * 1.6e13]
    {
        let play = Play::new(60.0).with_limit(0.0).life(50.0, shape);
        let Assessment { score, growth_bytes_per_second, .. } = play.last;
        assert!(score.is_some_and(|score| (0.0..=100.0).contains(&score)));
        assert!(growth_bytes_per_second.is_none_or(f64::is_finite));
    }
}

#[test]
fn a_gap_neither_raises_a_suspicion_nor_ends_it() {
    let mut history = History::new(0.0, 60.0);
    let (mut detector, lineage) = (Detector::new(&Lineage::default(), None), Lineage::default());
    let mut scores = Vec::new();
    for minute in (0..60 * 60).chain(64 * 60..80 * 60) {
        let bytes = 2e8 + 1e5 * f64::from(minute);
        let closed = history.push(f64::from(minute) * 60.0, bytes as u64, &Memory::default());
        let around = Circumstances {
            threshold: THRESHOLD,
            room: None,
            lineage: &lineage,
            executable: None,
            age: None,
            cpu_seconds: None,
            crowd: 1,
        };
        scores.extend(detector.update(&history, closed, around).and_then(|verdict| verdict.score));
    }
    let first = scores.iter().position(|score| *score > THRESHOLD).unwrap();
    assert!(scores[first..].iter().all(|score| *score > THRESHOLD));
}
