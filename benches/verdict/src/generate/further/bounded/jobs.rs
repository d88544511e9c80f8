//! Jobs, and what is done every few hours.

use super::{Fill, beside, close};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::heaps::{kept, service};
use crate::generate::{
    curves::{ages, plus, restarts, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Files and sessions that are done with stay until a sweeper comes, each few hours, and takes all.
pub(super) fn swept(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (every, irregular) = (dice.log_uniform(0.5, 30.0), dice.pick(&[0.0, 0.02, 0.3]));
    let sweeps = restarts(span.samples, || span.hours(every * (1.0 + irregular * dice.uniform(-1.0, 1.0))));
    let takes = span.moments(dice.log_uniform(0.3, 20.0)).max(1.0);
    let room = span.hours(every) * mean(&load) * dice.uniform(0.5, 2.0);
    let (mut done, mut left) = (dice.uniform(0.0, 1.0) * room, 0.0);
    let there = load.iter().zip(ages(span.samples, &sweeps)).map(|(load, (age, sweep))| {
        if age == 0 && sweep > 0 {
            (left, done) = (done + left, 0.0);
        }
        done = (done + load).min(room);
        left *= 1.0 - 1.0 / takes;
        done + left
    });
    let there: Vec<f64> = there.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.05, 2.0)) / mean(&there);
    close(dice, plus(level, height, &there)).busy(load)
}

/// A worker of a farm keeps the results of its job until that ends, and ends with it; another takes the next job.
pub(super) fn farm_worker(dice: &mut Dice, span: &Span) -> Shape {
    let job = dice.log_uniform(1.0, 40.0);
    let differs = dice.uniform(0.1, 1.2);
    let mut lasts = 1.0;
    let lives = restarts(span.samples, || {
        let long = span.hours(job * lasts).max(4.0);
        lasts = libm::exp(-differs * dice.exponential());
        long
    });
    let (waits, reads) = (span.hours(job * dice.log_uniform(0.002, 0.2)), dice.uniform(0.0, 1.0));
    let power = dice.log_uniform(0.5, 1.5);
    let (room, weighs) = (span.hours(job * dice.uniform(0.1, 0.7)).max(2.0), dice.log_uniform(0.1, 4.0));
    let works = ages(span.samples, &lives).into_iter().map(|(age, _)| (age as f64 - waits) / room);
    let works: Vec<f64> = works.collect();
    let load: Vec<f64> = works.iter().map(|works| if *works < 0.0 { 0.02 } else { 1.0 }).collect();
    let scene = reads * dice.log_uniform(0.1, 3.0);
    let level = works.iter().map(|works| match works {
        works if *works < 0.0 => 1.0,
        works => 1.0 + scene + weighs * libm::pow(works.min(1.0), power),
    });
    close(dice, level.collect()).busy(load).restarting(lives)
}

/// A remote table is mirrored: each refresh builds a new mirror in whole, and then lets go of the one that served.
pub(super) fn mirrors(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let reads = (fill.takes() as f64).min(span.hours(15.0)).max(1.0);
    let every = span.hours(dice.log_uniform(1.0, 40.0)).max(1.5 * reads);
    let mut refreshes = restarts(span.samples, || every * dice.uniform(0.95, 1.2));
    refreshes.insert(0, 0);
    let (tau, differs) = (span.hours(48.0).max(1.0), dice.log_uniform(0.001, 0.05));
    let rows = wander(dice, span.samples, tau, differs);
    let (mut served, fails) = (0.0, dice.uniform(0.0, 0.3) * dice.pick(&[0.0, 1.0]));
    let (mut built, mut fails_at) = (0.0, 2.0);
    let all = ages(span.samples, &refreshes).into_iter().zip(rows).map(|((age, _), rows)| {
        if age == 0 {
            fails_at = if dice.chance(fails) { dice.uniform(0.1, 0.9) } else { 2.0 };
        }
        let read = age as f64 / reads;
        if read >= 1.0 && built > 0.0 {
            served = built;
        }
        built = if read < 1.0 && read < fails_at { read * (1.0 + rows) } else { 0.0 };
        served + built
    });
    let all: Vec<f64> = all.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5));
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(0.2, 50.0)));
    close(dice, kept(&plus(level, height, &all), share, tau)).busy(load)
}
