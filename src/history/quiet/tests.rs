//! What a quiet life remembers is what a ladder would.

use proptest::prelude::*;

use super::*;
use crate::sample::Kind;

fn memory(bytes: u64) -> Memory {
    Memory::default().with(Kind::Anon, Some(bytes))
}

fn life(interval: f64, samples: u32, bytes: impl Fn(f64) -> u64) -> History {
    let mut history = History::new(1000.0, interval);
    for number in 0..samples {
        let time = 1000.0 + interval * f64::from(number);
        history.push(time, bytes(time), &memory(bytes(time)));
    }
    history
}

/// Bytes that are on one of a few levels for hours.
fn wavering(time: f64) -> u64 {
    100_000_000 + [0, 90_000, 30_000, 150_000, 80_000][(time / 50_000.0) as usize % 5]
}

/// Blocks and hours of two histories that are not the same. Floors are to be within a band; what coarse blocks do
/// not tell of their parts is to be within `most_apart`.
fn differences(a: &History, b: &History, most_apart: (f32, f32)) -> Vec<String> {
    let mut found = Vec::new();
    let near = |a: f32, b: f32, apart: (f32, f32)| (a - b).abs() <= most(apart, b);
    for (rung, ring) in a.ladder().rings().iter() {
        for (number, block) in ring.iter().filter(|(number, _)| *number as f64 * width(rung) >= a.began()) {
            let other = b.ladder().ring(rung).and_then(|ring| ring.get(number));
            let is_near =
                |other: Block| near(block.low, other.low, BAND) && near(block.high, other.high, most_apart);
            if !other.is_some_and(is_near) {
                found.push(format!("rung {rung}, block {number}: {block:?}, {other:?}"));
            }
        }
    }
    // The hour in which the life began is no whole block.
    let hours =
        |history: &History| history.hours().last(160).into_iter().flatten().skip(1).collect::<Vec<_>>();
    let (a, b) = (hours(a), hours(b));
    let skipped = a.len().saturating_sub(b.len());
    if skipped > 1 || !a[skipped..].iter().zip(&b).all(|(&a, &b)| near(a, b, most_apart)) {
        found.push(format!("hours: {a:?}, {b:?}"));
    }
    found
}

#[test]
fn what_wakes_is_what_fell_asleep() {
    for (interval, samples) in [(15.0, 50_000), (60.0, 14_000), (60.0, 300)] {
        let before = life(interval, samples, wavering);
        let after = Quiet::of(&before).unwrap().wake();
        assert_eq!((after.began(), after.latest()), (before.began(), before.latest()));
        assert_eq!(differences(&before, &after, QUIET), [""; 0], "{interval}");
    }
}

#[test]
fn a_quiet_life_remembers_what_a_ladder_would() {
    let mut full = life(60.0, 300, wavering);
    let mut quiet = Quiet::of(&full).unwrap();
    for number in 300..12_000 {
        let time = 1000.0 + 60.0 * f64::from(number);
        if (3000..3100).contains(&number) {
            continue;
        }
        full.push(time, wavering(time), &memory(wavering(time)));
        assert!(quiet.push(time, wavering(time), &memory(wavering(time))), "{number}");
        if number % 997 == 0 {
            assert_eq!(differences(&full, &quiet.wake(), BAND), [""; 0], "{number}");
        }
    }
    assert!(quiet.composition().checkpoints().count() < 14);
    assert_eq!(quiet.floor(), full.floor().unwrap());
}

#[test]
fn growth_and_unrest_end_the_quiet() {
    let awake = life(60.0, 300, |_| 100_000_000);
    let at = |number: i32| 1000.0 + 60.0 * f64::from(300 + number);
    let mut quiet = Quiet::of(&awake).unwrap();
    assert!(quiet.push(at(0), 100_300_000, &memory(0)));
    let before = quiet.clone();
    assert!(!quiet.push(at(1), 100_500_000, &memory(0)));
    assert_eq!(quiet.latest(), before.latest());
    let mut restless = Quiet::of(&awake).unwrap();
    let lasted =
        (0..200).take_while(|&n| restless.push(at(n), 100_000_000 + 200_000 * (n as u64 % 2), &memory(0)));
    assert_eq!(lasted.count(), STEPS);
    assert!(Quiet::of(&life(60.0, 300, |time| time as u64 * 1_000)).is_none());
}

#[test]
fn a_step_that_no_samples_can_have_made_is_not_believed() {
    let quiet = Quiet::of(&life(15.0, 20_000, wavering)).unwrap();
    assert!(quiet.is_sound() && quiet.past.steps.len() > 1);
    for lasted in [f32::INFINITY, f32::NAN, -1.0, 1e30, 400_000.0] {
        let mut other = quiet.clone();
        Arc::make_mut(&mut other.past).steps[0].lasted = lasted;
        assert!(!other.is_sound(), "{lasted}");
    }
}

#[test]
fn what_is_long_past_is_forgotten() {
    let mut quiet = Quiet::of(&life(60.0, 300, |_| 100_000_000)).unwrap();
    let mut time = quiet.latest();
    for day in 0..40_u64 {
        for _ in 0..1440 {
            time += 60.0;
            assert!(quiet.push(time, 100_000_000 + (day % 2) * 250_000, &memory(1)), "{day}");
        }
    }
    assert_eq!(quiet.past.steps.len(), 11);
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(samples: Vec<(f64, u64)>) {
        let mut quiet = Quiet::of(&life(15.0, 100, |_| 1_000_000)).unwrap();
        for (time, bytes) in samples {
            quiet.push(time.abs() % 1e9, bytes, &memory(bytes));
        }
        prop_assert!(quiet.wake().latest() >= quiet.latest());
    }
}
