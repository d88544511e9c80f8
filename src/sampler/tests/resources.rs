//! What processes hold besides memory: a finding of its own, and none of memory.

use super::*;
use crate::entity::Resource;
use crate::resources::{Count, Resources};

/// A process with so many open files of 1024.
fn with_files(pid: u32, name: &str, used: u32) -> Sample {
    let count = Count { used, limit: Some(1024), is_new: true };
    holding(process(pid, name, 100 * MIB), Resources::default().with(Resource::Fds, Some(count)))
}

fn holding(process: Sample, resources: Resources) -> Sample {
    Sample { figures: Arc::new(Figures { resources, ..Figures::clone(&process.figures) }), ..process }
}

/// Looks at open files as often as they come, for so many hours, with as many open as `files` says of the hour.
fn run_files(bench: &mut Bench, hours: u64, files: impl Fn(f64) -> f64) -> Snapshot {
    bench.interval = Duration::from_secs(480);
    let ticks = hours * 3600 / 480;
    let mut last = None;
    for tick in 0..=ticks {
        last = Some(bench.tick(vec![with_files(7, "web", files(tick as f64 * 480.0 / 3600.0) as u32)]));
    }
    last.unwrap()
}

#[test]
fn a_leak_of_files_is_a_finding_of_its_own_and_none_of_memory() {
    let mut bench = Bench::new(|_| {});
    let snapshot = run_files(&mut bench, 60, |hour| 50.0 + 5.0 * hour);
    let leak = find(&snapshot, Scope::ProcessResource)[0];
    assert!(leak.assessment.is_suspect() && snapshot.is_finding(leak), "{leak:?}");
    assert_eq!(snapshot.findings().count(), 1);
    let growth = leak.unit().count(leak.assessment.growth_bytes_per_second).unwrap() * 3600.0;
    assert!((growth - 5.0).abs() < 0.3, "{growth} an hour");
    let left = leak.assessment.time_to_limit_seconds.unwrap() / 3600.0;
    assert!((left - 674.0 / 5.0).abs() < 10.0, "{left} hours");
    assert!(leak.sentence().to_string().starts_with("open files rose by "), "{}", leak.sentence());
    assert!(leak.limit.is_none() && leak.memory().total() == 0);

    assert!(snapshot.highest_score().unwrap_or(0.0) < 10.0, "memory is flat");
    assert_eq!(snapshot.highest_resource_score(), leak.assessment.score);
    for scope in [Scope::Process, Scope::Group] {
        assert!(!find(&snapshot, scope)[0].assessment.is_suspect());
    }
}

#[test]
fn a_leak_of_files_is_called_before_the_limit_of_files() {
    for a_minute in [0.5, 2.0, 5.0, 10.0] {
        let mut bench = Bench::new(|config| config.interval = Duration::from_secs(15));
        bench.interval = Duration::from_secs(120);
        (0..200).for_each(|_| drop(bench.tick(vec![with_files(7, "web", 50)])));
        let files = |tick: u32| 50 + (a_minute * 2.0 * f64::from(tick)) as u32;
        let called = (0..)
            .find(|tick| bench.tick(vec![with_files(7, "web", files(*tick))]).suspects().next().is_some());
        assert!(files(called.unwrap()) < 1024, "{a_minute} a minute");
    }
}

#[test]
fn files_that_follow_the_load_or_a_start_are_no_leak() {
    let day = |hour: f64| (hour * std::f64::consts::TAU / 24.0).sin();
    // As irregular as connections are, and the same in each run.
    let noise = |hour: f64| (hour * 12.9898).sin() * 43_758.545 % 1.0;
    let shapes: [(&str, &dyn Fn(f64) -> f64); 6] = [
        ("a start", &|hour| 50.0 + 400.0 * (1.0 - (-hour / 3.0).exp())),
        ("a start that takes long", &|hour| 50.0 + 400.0 * (1.0 - (-hour / 12.0).exp())),
        ("the day", &|hour| 300.0 + 200.0 * day(hour) + 20.0 * noise(hour)),
        ("a step", &|hour| if hour < 60.0 { 100.0 } else { 250.0 } + 5.0 * noise(hour)),
        ("steps up to a pool's size", &|hour| 100.0 + 16.0 * (4.0 * hour).floor().min(8.0)),
        ("noise", &|hour| 200.0 + 100.0 * noise(hour)),
    ];
    for (name, files) in shapes {
        let mut bench = Bench::new(|_| {});
        bench.interval = Duration::from_secs(480);
        for tick in 0..7 * 180 {
            let hour = f64::from(tick) * 480.0 / 3600.0;
            let snapshot = bench.tick(vec![with_files(7, "web", files(hour) as u32)]);
            let suspect = snapshot.suspects().next();
            assert!(suspect.is_none(), "{name} after {hour} hours: {}", suspect.unwrap().sentence());
        }
    }
}

#[test]
fn files_that_come_and_go_are_none_of_it_and_few_have_no_history() {
    let mut bench = Bench::new(|_| {});
    let quiet = run_files(&mut bench, 10, |hour| 50.0 + 3.0 * hour);
    assert!(find(&quiet, Scope::ProcessResource).is_empty());
    let mut bench = Bench::new(|_| {});
    let churn = run_files(&mut bench, 60, |hour| 50.0 + 200.0 * (hour * 0.7).fract());
    let files = find(&churn, Scope::ProcessResource);
    assert!(files.len() == 1 && !files[0].assessment.is_suspect(), "{files:?}");
}

#[test]
fn a_resource_stays_between_looks_and_ends_with_its_process() {
    let mut bench = Bench::new(|_| {});
    run_files(&mut bench, 20, |hour| 50.0 + 5.0 * hour);
    let between = |is_new| {
        let count = Count { used: 150, limit: None, is_new };
        holding(process(7, "web", 100 * MIB), Resources::default().with(Resource::Fds, Some(count)))
    };
    let lives = |snapshot: &Snapshot| find(snapshot, Scope::ProcessResource).len();
    let snapshot = bench.tick(vec![between(false)]);
    assert_eq!(lives(&snapshot), 1);
    let unknown = bench.tick(vec![process(7, "web", 100 * MIB)]);
    assert_eq!(lives(&unknown), 1, "the process lives");
    assert_eq!(find(&unknown, Scope::ProcessResource)[0].count(), None, "nobody knows how many there are");
    assert_eq!(lives(&bench.tick(vec![between(true)])), 1);
    bench.tick(Vec::new());
    assert!(bench.sampler.watchlist.is_empty());
}

#[test]
fn the_next_life_of_a_program_that_leaks_files_inherits_that() {
    let mut bench = Bench::new(|_| {});
    run_files(&mut bench, 60, |hour| 50.0 + 5.0 * hour);
    bench.tick(vec![with_files(8, "web", 50)]);
    let next = bench.tick(vec![with_files(8, "web", 90)]);
    let files = find(&next, Scope::ProcessResource);
    assert_eq!(files.len(), 1);
    let scores: Vec<_> = (0..20).map(|tick| bench.tick(vec![with_files(8, "web", 90 + tick)])).collect();
    let last = find(scores.last().unwrap(), Scope::ProcessResource)[0].assessment.clone();
    assert!(last.score.is_some_and(|score| score > 10.0), "{last:?}");
}

#[test]
fn overrides_of_a_process_hold_for_its_files_but_for_what_they_say_of_bytes() {
    for (rule, is_suspect, is_excused) in [
        ("overrides: [{match: {name: web}, ignore: true}]", false, true),
        ("overrides: [{match: {scope: process, name: web}, threshold: 99.9}]", false, false),
        ("overrides: [{match: {scope: process_resource, name: web}, ignore: true}]", false, true),
        ("overrides: [{match: {name: web}, expected_max_bytes: 1GB, limit_bytes: 1GB}]", true, false),
        ("overrides: [{match: {name: other}, ignore: true}]", true, false),
    ] {
        let mut bench = Bench::new(|_| {});
        bench.configure(rule);
        let snapshot = run_files(&mut bench, 36, |hour| 50.0 + 5.0 * hour);
        let assessment = &find(&snapshot, Scope::ProcessResource)[0].assessment;
        assert_eq!(assessment.is_suspect(), is_suspect, "{rule}: {assessment:?}");
        assert_eq!(assessment.threshold.is_infinite(), is_excused, "{rule}");
    }
    let mut bench = Bench::new(|_| {});
    bench.configure("exclude: [{match: {scope: process_resource, name: web}}]");
    let snapshot = run_files(&mut bench, 20, |hour| 50.0 + 5.0 * hour);
    assert!(find(&snapshot, Scope::ProcessResource).is_empty() && find(&snapshot, Scope::Process).len() == 1);
}

#[test]
fn resources_have_a_room_of_their_own() {
    let mut bench = Bench::new(|config| config.max_entities = 3000);
    let files = |used| (1..=2100).map(|pid| with_files(pid, "web", used)).collect::<Vec<_>>();
    bench.tick(files(10));
    let snapshot = bench.tick(files(50));
    assert_eq!(find(&snapshot, Scope::ProcessResource).len(), 2000);
    assert_eq!(snapshot.dropped, BTreeMap::from([(Scope::ProcessResource, 100)]));
    assert_eq!(find(&snapshot, Scope::Process).len(), 2100);
}
