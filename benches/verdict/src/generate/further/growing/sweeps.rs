//! Something cleans up, and does not get all of it.

use super::seen;
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::leaks::{HEIGHT, leaking, may_begin};
use crate::generate::further::runtimes::program;
use crate::generate::{
    curves::{plus, restarts, summed, times, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// When something is swept: by a clock, or about as often.
fn sweeps(dice: &mut Dice, span: &Span, often: (f64, f64)) -> Vec<usize> {
    let (every, irregular) = (dice.log_uniform(often.0, often.1), dice.pick(&[0.0, 0.1, 0.6]));
    restarts(span.samples, || span.hours(every * (1.0 + irregular * dice.uniform(-1.0, 1.0))))
}

/// Temporary files in memory: a sweep takes those whose names it knows, and other code makes files too.
pub(super) fn temporary(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sweeps = sweeps(dice, span, (0.5, 30.0));
    let mut gathered = vec![0.0; span.samples];
    let (mut there, mut due) = (0.0, sweeps.iter().peekable());
    for (i, (gathered, load)) in gathered.iter_mut().zip(&load).enumerate() {
        there += load;
        if due.next_if_eq(&&i).is_some() {
            there = 0.0;
        }
        *gathered = there;
    }
    let height = dice.log_uniform(0.05, 2.0) / mean(&gathered);
    let level = plus(program(dice, span, &load), height, &gathered);
    let (tau, differs) = (span.hours(dice.log_uniform(1.0, 30.0)).max(1.0), dice.uniform(0.0, 1.0));
    let others = wander(dice, span.samples, tau, differs);
    let missed = load.iter().zip(others).map(|(load, differs)| load * libm::exp(differs)).collect();
    seen(dice, span, level, missed).busy(load)
}

/// A sweep takes no more than so many at a time, so as not to hold others up: what comes is a little more, and the rest waits.
pub(super) fn too_few(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sweeps = sweeps(dice, span, (0.2, 8.0));
    let (takes, onset) = (dice.uniform(0.4, 0.95), may_begin(dice, span));
    // Until it begins, a sweep takes all; then no more than a share of what comes between two, by the mean.
    let per_sweep = takes * mean(&load) * span.samples as f64 / (sweeps.len() + 1) as f64;
    let (mut fresh, mut rest, mut due) = (0.0, 0.0_f64, sweeps.iter().peekable());
    let (mut swept, mut leaked) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for (i, load) in load.iter().enumerate() {
        fresh += load;
        if due.next_if_eq(&&i).is_some() {
            rest = if i < onset { 0.0 } else { (rest + fresh - per_sweep).max(0.0) };
            fresh = 0.0;
        }
        (swept[i], leaked[i]) = (fresh, rest);
    }
    let level = program(dice, span, &load);
    let (height, end) = (mean(&level) * dice.log_uniform(2.0 * HEIGHT.0, HEIGHT.1), leaked[span.samples - 1]);
    let Some(began) = leaked.iter().rposition(|rest| *rest == 0.0).filter(|_| end > 0.0) else {
        return leaking(dice, span, level, load.clone()).busy(load);
    };
    let onset = (began + 1).min(span.samples - 1);
    leaked[..onset].fill(0.0);
    let per_item = height / end;
    Shape::leaking(plus(level, per_item, &swept), times(leaked, per_item), onset).busy(load)
}

/// Bursts come and go, and a few things of each stay on pages that can therefore not be given back; some of them go later.
pub(super) fn pinning(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (often, differs) = (dice.log_uniform(0.2, 10.0), dice.uniform(0.2, 1.0));
    let bursts = restarts(span.samples, || span.hours(often * (0.3 + dice.exponential())));
    let (mut burst, mut pinned) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    let (long, weighs) = (span.hours(often * dice.uniform(0.05, 0.6)).max(2.0), dice.log_uniform(0.05, 1.5));
    for at in bursts.into_iter().chain([span.somewhere(dice, 0.0, 0.3)]) {
        let size = libm::exp(differs * dice.normal());
        for (i, burst) in burst.iter_mut().skip(at).take(long as usize).enumerate() {
            *burst += size * (1.0 - i as f64 / long);
        }
        pinned[span.at(at as f64 + long)] += size * dice.uniform(0.1, 1.0);
    }
    let level = plus(program(dice, span, &load), weighs, &burst);
    seen(dice, span, level, pinned).busy(load)
}

/// References are counted, and a collector for cycles finds most of those: not where one has code of its own to end it.
pub(super) fn cyclic(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (onset, rounds) = (may_begin(dice, span), dice.log_uniform(0.3, 20.0));
    // It goes by how many more there are than at the last time: ever more seldom, the more there is.
    let (first, grows) = (span.hours(rounds).max(2.0) * mean(&load), dice.uniform(0.0, 0.5));
    let missed = dice.log_uniform(0.03, 0.6);
    let (mut fresh, mut old) = (0.0, 0.0);
    let (mut found, mut stays) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for (i, load) in load.iter().enumerate() {
        fresh += load;
        if fresh > first + grows * old {
            old += if i < onset { 0.0 } else { missed * fresh };
            stays[i] = if i < onset { 0.0 } else { missed * fresh };
            fresh = 0.0;
        }
        found[i] = fresh;
    }
    let height = dice.log_uniform(0.05, 1.0) / mean(&found).max(f64::MIN_POSITIVE);
    let level = plus(program(dice, span, &load), height, &found);
    let Some(onset) = stays.iter().position(|stays| *stays > 0.0) else {
        return leaking(dice, span, level, load.clone()).busy(load);
    };
    let height = mean(&level) * dice.log_uniform(1.5 * HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, summed(stays, onset, height), onset).busy(load)
}
