use std::time::Duration;

use super::*;
use crate::config::SamplerConfig;
use crate::sample::Sample;
use crate::watch::fixture::{config, live, sample, see};

const HOUR: f64 = 3600.0;

/// Writes everything down and takes it back, into a list with as many places.
fn again(watchlist: &Watchlist, boot: Boot, places: usize) -> Watchlist {
    let mut taken = Watchlist::new(&config(places));
    for record in watchlist.records() {
        let written = rmp_serde::to_vec_named(&record).unwrap();
        taken.take_back(rmp_serde::from_slice(&written).unwrap(), boot).unwrap();
    }
    taken.fit();
    taken
}

fn score(scores: &[(EntityId, Option<f64>)], entity: &EntityId) -> f64 {
    scores.iter().find(|(id, _)| id == entity).and_then(|(_, score)| *score).unwrap()
}

#[test]
fn what_was_taken_back_goes_on_as_if_nothing_had_been() {
    let mut whole = Watchlist::new(&config(100));
    let mut from = 0;
    for until in [31 * 60, 47 * 60 + 7, 80 * 60] {
        live(&mut whole, from..until);
        let mut taken = again(&whole, Boot::Same, 100);
        assert_eq!((taken.len(), taken.lineages()), (whole.len(), whole.lineages()));
        assert_eq!(taken.suspects(), whole.suspects());
        let (expected, found) = (live(&mut whole, until..until + 300), live(&mut taken, until..until + 300));
        assert_eq!(expected.len(), found.len());
        for ((entity, expected), (same, found)) in expected.iter().zip(&found) {
            assert_eq!(entity, same);
            let (expected, found) = (expected.unwrap_or(-1.0), found.unwrap_or(-1.0));
            // What the history tells is looked at anew at other moments, and trees answer in steps.
            assert!((expected - found).abs() < 3.0, "{entity:?} after {until} min: {expected} {found}");
        }
        from = until + 300;
    }
    assert!(whole.suspects() >= 2, "this test is about suspects, too");
}

#[test]
fn who_ended_meanwhile_leaves_it_to_the_successors() {
    let mut before = Watchlist::new(&config(100));
    live(&mut before, 0..80 * 60);
    let leaking = EntityId::Process { pid: 2, start_time: 1 };
    for boot in [Boot::Same, Boot::Another] {
        let mut taken = again(&before, boot, 100);
        if boot == Boot::Another {
            assert!(taken.is_empty() && taken.lineages() > 0);
        }
        let time = 1.7e9 + 81.0 * HOUR;
        let successor = sample(9, 100e6, 10);
        see(&mut taken, time, std::slice::from_ref(&successor));
        let found = see(&mut taken, time + 300.0, std::slice::from_ref(&successor));
        assert!(!taken.contains(&leaking));
        assert!(score(&found, &successor.entity) > 60.0, "{boot:?}: {found:?}");
    }
}

#[test]
fn who_is_idle_sleeps_on_when_samples_come_more_rarely() {
    let every = |seconds| SamplerConfig { interval: Duration::from_secs(seconds), ..config(100) };
    let samples = [sample(1, 50e6, 10)];
    let mut before = Watchlist::new(&every(15));
    (0..400).for_each(|tick| drop(see(&mut before, 1.7e9 + 15.0 * f64::from(tick), &samples)));
    let mut taken = Watchlist::new(&every(60));
    for record in before.records() {
        taken.take_back(record, Boot::Same).unwrap();
    }
    for minute in 100..200 {
        see(&mut taken, 1.7e9 + 60.0 * f64::from(minute), &samples);
        assert!(taken.lives.values().all(|watched| watched.life.is_asleep()), "after {minute} min");
    }
}

#[test]
fn a_gap_is_a_gap_and_no_step() {
    let mut before = Watchlist::new(&config(100));
    live(&mut before, 0..30 * 60);
    let mut taken = again(&before, Boot::Same, 100);
    // Ten hours later everything is as it would have been.
    let found = live(&mut taken, 40 * 60..60 * 60);
    let of = |pid| score(&found, &EntityId::Process { pid, start_time: 1 });
    assert!(of(2) > 60.0, "{found:?}");
    assert!(of(1) < 10.0 && of(4) < 30.0, "{found:?}");
}

#[test]
fn where_there_is_less_room_the_smallest_are_given_up() {
    let mut before = Watchlist::new(&config(100));
    let samples: Vec<Sample> = (1..=50).map(|pid| sample(pid, f64::from(pid) * 1e6, 10)).collect();
    (0..600).for_each(|minute| drop(see(&mut before, 1.7e9 + 60.0 * f64::from(minute), &samples)));
    let taken = again(&before, Boot::Same, 20);
    assert_eq!(taken.len(), 20);
    assert!((31..=50).all(|pid| taken.contains(&EntityId::Process { pid, start_time: 1 })));
}

#[test]
fn what_no_samples_can_have_made_is_refused() {
    let mut watchlist = Watchlist::new(&config(10));
    live(&mut watchlist, 0..10);
    let lives = watchlist.records().filter(|record| matches!(record, Record::Life { .. }));
    for record in lives {
        let mut written = rmp_serde::to_vec_named(&record).unwrap();
        let began = 1.7e9_f64.to_be_bytes();
        let at = written.windows(8).position(|bytes| bytes == began).unwrap();
        written[at..at + 8].copy_from_slice(&1e300_f64.to_be_bytes());
        let record = rmp_serde::from_slice(&written).unwrap();
        assert_eq!(Watchlist::new(&config(10)).take_back(record, Boot::Same), Err(Unsound));
    }
}
