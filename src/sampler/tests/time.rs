//! Clocks that are set, machines that sleep, ticks that never came: none of it is growth, and none hides any.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

const YEAR: f64 = 31_536_000.0;

/// Hours that are watched, and the one in which something happens to time.
const HOURS: u64 = 48;
const WHEN: u64 = 20;

/// A tick every three minutes.
const TICKS_AN_HOUR: u64 = 20;

/// What happens to time between two ticks.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Somebody sets the wall clock, by so many seconds.
    Set(f64),
    /// The machine sleeps: only what counts suspends goes on.
    Suspended(Duration),
    /// The exporter is stopped, or the machine too busy; all else goes on.
    Missed(Duration),
    /// What no clock of the kernel does.
    BackInBoottime(Duration),
}

const SETTINGS: [Event; 4] = [Event::Set(3600.0), Event::Set(-3600.0), Event::Set(YEAR), Event::Set(-YEAR)];

const GAPS: [Event; 6] = [
    Event::Suspended(Duration::from_secs(8 * 3600)),
    Event::Suspended(Duration::from_secs(90)),
    Event::Missed(Duration::from_secs(8 * 3600)),
    Event::Missed(Duration::from_secs(20 * 60)),
    Event::Missed(Duration::from_secs(90)),
    Event::BackInBoottime(HOUR),
];

impl Event {
    fn pass(self, now: &mut Moment) {
        match self {
            Event::Set(seconds) => now.unix_seconds += seconds,
            Event::Suspended(time) => *now = Moment { instant: now.instant, ..now.after(time) },
            Event::Missed(time) => *now = now.after(time),
            Event::BackInBoottime(time) => now.boottime = now.boottime.saturating_sub(time),
        }
    }

    /// How much longer the processes have run than without it.
    fn worked(self) -> Duration {
        match self {
            Event::Missed(time) => time,
            _ => Duration::ZERO,
        }
    }
}

/// MiB of a process after so many hours of work.
type Shape = (&'static str, fn(f64) -> f64);

const SHAPES: [Shape; 5] = [
    ("flat", |_| 100.0),
    ("leaking", |hour| 100.0 + 5.0 * hour),
    ("sawtooth", |hour| 100.0 + 40.0 * (hour / 2.0).fract()),
    ("collected", |hour| 100.0 + 60.0 * (hour / 0.3).fract()),
    // While nobody looks, if there is a time in which nobody does.
    ("stepping", |hour| if hour < WHEN as f64 + 0.01 { 100.0 } else { 160.0 }),
];

/// Score and status of each, at each tick.
fn history(events: &[Event]) -> Vec<Vec<(Option<f64>, Status, Reason)>> {
    let mut bench = Bench::new(|config| config.interval = HOUR / TICKS_AN_HOUR as u32);
    bench.now.boottime = 100 * HOUR;
    let mut worked = Duration::ZERO;
    let mut verdicts = Vec::new();
    for tick in 0..=HOURS * TICKS_AN_HOUR {
        if tick == WHEN * TICKS_AN_HOUR {
            for event in events {
                event.pass(&mut bench.now);
                worked += event.worked();
            }
        }
        let hour = worked.as_secs_f64() / 3600.0;
        let processes = (1..)
            .zip(SHAPES)
            .map(|(pid, (name, shape))| process(pid, name, (shape(hour) * MIB as f64) as u64));
        let snapshot = bench.tick(processes.collect());
        worked += bench.interval;
        verdicts.push(SHAPES.map(|(name, _)| verdict_of(&snapshot, name)).to_vec());
    }
    verdicts
}

fn verdict_of(snapshot: &Snapshot, name: &str) -> (Option<f64>, Status, Reason) {
    let found = find(snapshot, Scope::Process).into_iter().find(|process| &*process.identity.name == name);
    let assessment = &found.unwrap().assessment;
    (assessment.score, assessment.status(), assessment.reason)
}

#[test]
fn whoever_sets_the_clock_changes_no_verdict() {
    let undisturbed = history(&[]);
    for event in SETTINGS {
        assert_eq!(history(&[event]), undisturbed, "{event:?}");
    }
}

#[test]
fn a_gap_raises_no_suspicion_and_a_leak_is_found_all_the_same() {
    for event in GAPS {
        let verdicts = history(&[event]);
        for (place, (name, _)) in SHAPES.iter().enumerate() {
            let suspects = verdicts.iter().filter(|all| all[place].1 == Status::Suspect).count();
            match *name {
                "leaking" => assert_eq!(verdicts.last().unwrap()[place].1, Status::Suspect, "{event:?}"),
                _ => assert_eq!(suspects, 0, "{name} after {event:?}: {:?}", verdicts.last().unwrap()[place]),
            }
        }
    }
}

#[test]
fn a_laptop_that_sleeps_every_night_and_sets_its_clock_is_no_leak() {
    let nightly = [Event::Suspended(9 * HOUR), Event::Set(-0.7), Event::Missed(Duration::from_secs(40))];
    let mut bench = Bench::new(|_| {});
    for _ in 0..5 {
        let snapshot = bench.run(7, 15, |hour| 100.0 + 20.0 * (hour / 3.0).fract());
        assert_eq!(snapshot.suspects().count(), 0);
        nightly.iter().for_each(|event| event.pass(&mut bench.now));
    }
}

#[test]
fn what_was_seen_before_a_gap_is_stale_only_where_the_exporter_was_stalled() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.tick(vec![process(7, "web", MIB)]);
    for (event, is_stale) in [
        (Event::Set(YEAR), false),
        (Event::Set(-YEAR), false),
        (Event::Missed(HOUR), true),
        (Event::Suspended(8 * HOUR), false),
    ] {
        let mut later = bench.now;
        event.pass(&mut later);
        assert_eq!(snapshot.is_stale(later.instant), is_stale, "{event:?}");
    }
}
