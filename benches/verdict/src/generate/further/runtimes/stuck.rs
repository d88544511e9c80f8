//! What nobody ends: threads, timers, what outlives its use, and what a master hands on to its workers.

use super::unfreed::program;
use super::workers::{forks, unshared};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::heaps::{collected, cycles};
use crate::generate::further::leaks::{HEIGHT, leaking, may_begin};
use crate::generate::{
    curves::{ages, flat, plus, summed, times, up_to_one},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A thread that waits for ever, now and then, and many when a backend hangs; each has a stack, and an arena.
pub(super) fn threads(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (stuck, bad) = (dice.log_uniform(10.0, 1000.0), dice.log_uniform(1.0, 30.0));
    let mut hangs = load.clone();
    for _ in 0..dice.poisson(4.0) {
        let long = span.hours(dice.log_uniform(0.02, 2.0)).ceil() as usize;
        hangs.iter_mut().skip(span.somewhere(dice, 0.0, 1.0)).take(long).for_each(|hangs| *hangs *= bad);
    }
    let per_load = stuck / (mean(&hangs) * span.samples as f64);
    let rate = hangs.iter().map(|hangs| dice.poisson(hangs * per_load) as f64).collect();
    leaking(dice, span, level, rate).busy(load)
}

/// Each reconnection sets a timer again and ends none: all of them fire, and make garbage, and some of them connect again.
pub(super) fn timers(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let onset = may_begin(dice, span);
    let (faster, period) = (dice.uniform(0.3, 4.0), span.hours(dice.log_uniform(0.03, 8.0)));
    let (slack, garbage) = (dice.uniform(0.0, 1.0), cycles(dice, &load, period));
    let connected = summed(load.clone(), onset, faster);
    let timers: Vec<f64> = connected.into_iter().map(libm::expm1).collect();
    let height = mean(&level) * dice.log_uniform(HEIGHT.0 * 1.2, HEIGHT.1);
    let timers = times(up_to_one(timers), height);
    Shape::leaking(level, collected(&timers, slack, &garbage), onset).busy(load)
}

/// Most of what comes is gone soon, but the older something is the longer it stays: growth gets slower, and does not end.
pub(super) fn outlived(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (onset, tail) = (may_begin(dice, span), dice.uniform(0.05, 0.5));
    let (shortest, step) = (span.hours(dice.log_uniform(0.1, 3.0)).max(1.0), 4.0_f64);
    let mut held = vec![0.0; span.samples];
    // Stays of all lengths, up to 4,000 times the shortest: a sum of exponentials is as good as a power.
    for length in 0..7 {
        let stay = shortest * libm::pow(step, f64::from(length));
        let (often, mut there) = (libm::pow(stay, -tail), 0.0);
        for (held, load) in held.iter_mut().zip(&load).skip(onset) {
            there += often * load - there / stay;
            *held += there;
        }
    }
    let height = mean(&level) * dice.log_uniform(0.25, HEIGHT.1);
    Shape::leaking(level, times(up_to_one(held), height), onset).busy(load)
}

/// A master leaks, and each worker that it forks has what was leaked until then: it is seen once more with each.
pub(super) fn forked_master(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let workers = dice.log_uniform(1.0, 16.0) as usize;
    let period = span.hours(dice.log_uniform(0.5, 40.0));
    let forks = forks(dice, &load, workers, period);
    let level = unshared(dice, span, &load, &forks);
    let onset = may_begin(dice, span);
    let steady = dice.chance(0.5);
    let in_master = summed(if steady { flat(span) } else { load.clone() }, onset, 1.0);
    let mut leaked = in_master.clone();
    for lives in &forks {
        for (i, (age, _)) in ages(span.samples, lives).into_iter().enumerate() {
            leaked[i] += in_master[i - age];
        }
    }
    let height = mean(&level) * dice.log_uniform(HEIGHT.0 * 2.0, HEIGHT.1);
    let level = plus(level, dice.uniform(0.0, 0.2), &load);
    Shape::leaking(level, times(up_to_one(leaked), height), onset).busy(load)
}
