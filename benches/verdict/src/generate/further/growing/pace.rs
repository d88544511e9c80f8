//! Leaks that get faster, or slow down, and do not end.

use super::from_birth;
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::heaps::service;
use crate::generate::further::leaks::{HEIGHT, may_begin};
use crate::generate::further::runtimes::program;
use crate::generate::{
    curves::{product, summed, times, up_to_one, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// What leaked so far, scaled to a height that is drawn, on top of `level`.
fn grown(dice: &mut Dice, level: Vec<f64>, leaked: Vec<f64>, onset: usize) -> Shape {
    let height = mean(&level) * dice.log_uniform(1.5 * HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, times(up_to_one(leaked), height), onset)
}

/// Who listens once is never taken off the list, and every event is kept for each on it.
pub(super) fn listeners(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (onset, tau) = (may_begin(dice, span), span.hours(dice.log_uniform(0.5, 20.0)).max(1.0));
    let (at_first, by_load) = (dice.log_uniform(0.01, 2.0), dice.uniform(0.0, 1.0));
    let bursty = dice.uniform(0.0, 1.0);
    let events = wander(dice, span.samples, tau, bursty);
    let mut listening = at_first;
    let mut kept = 0.0;
    let leaked = load.iter().zip(events).enumerate().map(|(i, (load, events))| {
        if i >= onset {
            listening += load / span.samples as f64;
            kept += listening * (1.0 - by_load + by_load * load) * libm::exp(events);
        }
        kept
    });
    let leaked = leaked.collect();
    grown(dice, level, leaked, onset).busy(load)
}

/// A list that is searched for each request gets longer by each: it can do less and less of them, and leaks more slowly.
pub(super) fn slows_itself(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let onset = may_begin(dice, span);
    let (slower, power) = (dice.log_uniform(0.5, 20.0), dice.uniform(0.7, 1.5));
    let all = mean(&load) * span.samples as f64;
    let mut list = 0.0;
    let leaked = load.iter().enumerate().map(|(i, load)| {
        list += if i < onset { 0.0 } else { load / (1.0 + slower * libm::pow(list / all, power)) };
        list
    });
    let leaked = leaked.collect();
    // Those that wait need memory too.
    let level = program(dice, span, &load);
    grown(dice, level, leaked, onset).busy(load)
}

/// A service that more and more use, in part for each day and in part after it is talked about: the leak is by request.
pub(super) fn more_users(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (weekly, launches) = (dice.log_uniform(1.2, 6.0), dice.poisson(1.5));
    let mut users = span.map(|i| libm::pow(weekly, i as f64 / span.samples as f64));
    for _ in 0..launches {
        let (at, more) = (span.somewhere(dice, 0.0, 0.9), dice.uniform(1.05, 1.8));
        users.iter_mut().skip(at).for_each(|users| *users *= more);
    }
    let load = product(&load, &users);
    let load = times(load, 1.0 / mean(&users));
    // What it needs for them is mostly little, beside what it has anyhow.
    let needs = dice.log_uniform(0.01, 0.5);
    let seen: Vec<f64> = load.iter().map(|load| 1.0 - needs + needs * load).collect();
    let level = service(dice, span, &seen);
    let onset = may_begin(dice, span);
    let height = mean(&level) * dice.log_uniform(1.5 * HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, summed(load.clone(), onset, height), onset).busy(load)
}

/// It begins with all that has piled up, at full speed, and each item leaks; then it goes on with what comes.
pub(super) fn piled_up(dice: &mut Dice, span: &Span) -> Shape {
    let mut load = demand(dice, span);
    let (faster, long) = (dice.log_uniform(1.5, 20.0), span.hours(dice.log_uniform(1.0, 50.0)));
    let all_at_once = dice.chance(0.5);
    for (i, load) in load.iter_mut().enumerate() {
        let left = if all_at_once { f64::from((i as f64) < long) } else { libm::exp(-(i as f64) / long) };
        *load += faster * left;
    }
    let needs = dice.uniform(0.0, 0.05);
    let seen: Vec<f64> = load.iter().map(|load| 1.0 - needs + needs * load).collect();
    let level = service(dice, span, &seen);
    from_birth(dice, level, load.clone()).busy(load)
}
