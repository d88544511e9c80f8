//! Leaks on occasions: outages, reloads, crashes of others, and a flag that is switched on.

use super::customers::stages;
use super::unbounded::when_busy;
use crate::generate::further::demand::{demand, mean, most, waiting};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::{kept, service};
use crate::generate::further::leaks::{HEIGHT, leaking};
use crate::generate::{
    curves::{integral, plus, product, restarts, rise, summed},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A consumer that dies leaves what it has fetched but not acknowledged: as much each time, for nobody to take.
pub(super) fn unacknowledged(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sums = integral(&load);
    let (fetched, most_at_once) = (dice.uniform(0.0, 0.4), dice.whole(2, 8));
    let mut left = vec![0.0; span.samples];
    for _ in 0..dice.log_uniform(4.0, 60.0) as usize {
        let at = when_busy(dice, &sums);
        for _ in 0..dice.whole(1, most_at_once) {
            let next = at + span.minutes(dice.uniform(0.0, 30.0)) as usize;
            left[next.min(span.samples - 1)] += 1.0 + fetched * dice.normal();
        }
    }
    left.iter_mut().for_each(|left| *left = left.max(0.0));
    let level = service(dice, span, &load);
    leaking(dice, span, level, left).busy(load)
}

/// What leaks is behind a flag that is switched on at some time, for all at once or in stages; in some it takes memory besides.
pub(super) fn behind_flag(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let onset = span.somewhere(dice, 0.03, 0.7);
    let everywhere = onset.max(span.somewhere(dice, 0.1, 0.9)) + 1;
    let share = if dice.chance(0.5) { stages(dice, span, onset, everywhere) } else { rise(span, onset, 1.0) };
    let rate = product(&load, &share);
    let needs = dice.uniform(0.0, 0.5) * dice.pick(&[0.0, 1.0]);
    let level = plus(service(dice, span, &load), needs, &share);
    let height = mean(&level) * dice.log_uniform(0.1, HEIGHT.1);
    Shape::leaking(level, summed(rate, onset, height), onset).busy(load)
}

/// Each reload reads all beside what serves, and swaps; something of the old goes on to hold a share of it.
pub(super) fn per_reload(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let every = span.hours(dice.log_uniform(0.3, 14.0)).max(3.0);
    let irregular = dice.uniform(0.0, 0.9) * dice.pick(&[0.0, 1.0]);
    let reloads = restarts(span.samples, || every * (1.0 + irregular * dice.uniform(-1.0, 1.0)));
    let (takes, reads) = ((every * dice.log_uniform(0.02, 0.5)).max(1.0), dice.uniform(0.0, 0.8));
    let differs = dice.uniform(0.0, 0.5);
    let (mut beside, mut held) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for at in reloads {
        for (i, beside) in beside.iter_mut().skip(at).take(takes as usize).enumerate() {
            *beside = i as f64 / takes;
        }
        held[span.at(at as f64 + takes)] += libm::exp(differs * dice.normal());
    }
    let level = plus(service(dice, span, &load), reads, &beside);
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.3, 50.0)));
    leaking(dice, span, kept(&level, share, tau), held).busy(load)
}

/// What waits in an outage is tried again and again: it is done afterwards and let go, but each try has left something.
pub(super) fn retries(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let longest = dice.log_uniform(0.2, 5.0);
    let outages: Vec<(usize, usize)> = (0..dice.whole(8, 40))
        .map(|_| {
            let long = span.hours(longest * dice.uniform(0.25, 1.0)).max(1.0);
            (span.somewhere(dice, 0.0, 1.0), long as usize)
        })
        .collect();
    let left = waiting(&load, most(&load) * dice.log_uniform(1.1, 5.0), &outages);
    let tries_fewer = dice.uniform(0.2, 0.7);
    let tries = left.iter().map(|left| libm::pow(*left, tries_fewer)).collect();
    let level = plus(service(dice, span, &load), dice.log_uniform(0.05, 1.0), &up_to_most(left));
    leaking(dice, span, level, tries).busy(load)
}
