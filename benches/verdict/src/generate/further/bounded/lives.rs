//! Lives, each of which fills anew.

use super::{FULL, beside, close};
use crate::generate::further::demand::demand;
use crate::generate::further::heaps::service;
use crate::generate::{
    curves::{ages, plus, restarts, saturate},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Plugins are loaded by their first use after each start: the popular ones within minutes, the rest within hours.
pub(super) fn plugin_host(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let often = dice.log_uniform(15.0, 300.0);
    let lives = restarts(span.samples, || span.hours(often * dice.uniform(0.8, 1.2)));
    let (plugins, spread) = (dice.whole(5, 80), dice.uniform(0.2, 1.4));
    let (rare, longest) = (often.min(100.0) * dice.log_uniform(0.005, 0.12), 0.45 * often.min(120.0));
    let begins = span.moments(dice.log_uniform(0.5, 5.0));
    let mut loaded = vec![0.0; span.samples];
    for _ in 0..plugins {
        let size = libm::exp(spread * dice.normal()) / plugins as f64;
        let popular = dice.log_uniform(0.02, 1.0);
        for from in [0].into_iter().chain(lives.iter().copied()) {
            let first = span.hours((rare * popular * dice.exponential()).min(longest));
            let until = lives.iter().copied().find(|&life| life > from).unwrap_or(span.samples);
            let at = (from as f64 + begins + first) as usize;
            loaded[at.min(until)..until].iter_mut().for_each(|loaded| *loaded += size);
        }
    }
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5));
    let shape = close(dice, plus(level, height, &loaded)).busy(load);
    if dice.chance(0.5) { shape.deploying(lives) } else { shape.restarting(lives) }
}

/// Each build fills up to a bound of its own, within hours of its deploy; one of the first has the largest of all.
pub(super) fn larger_fills(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let often = span.hours(dice.log_uniform(12.0, 120.0));
    let first = span.somewhere(dice, 0.02, 0.4).max(2);
    let later = restarts(span.samples - first, || often * dice.uniform(0.4, 1.6));
    let lives: Vec<usize> = [first].into_iter().chain(later.into_iter().map(|at| at + first)).collect();
    let mut bounds: Vec<f64> = (0..=lives.len()).map(|_| dice.log_uniform(0.1, 1.0)).collect();
    bounds[1] = 1.0;
    let (takes, curved) = (span.hours(dice.log_uniform(0.1, 20.0)).max(2.0), dice.chance(0.5));
    let fills = ages(span.samples, &lives).into_iter().map(|(age, life)| {
        let come = age as f64 / takes;
        let bound: f64 = bounds[life];
        bound * if curved { saturate(3.0 * come, bound) } else { (come / bound).min(1.0) }
    });
    let fills: Vec<f64> = fills.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.2, 3.0));
    close(dice, plus(level, height, &fills)).busy(load).deploying(lives)
}

/// It is restarted again and again, for its peers are not ready or its node is crowded, and fills a little each time; once
/// that is over it fills up.
pub(super) fn crash_loop(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (begins, often) = (span.somewhere(dice, 0.0, 0.3), dice.log_uniform(0.03, 4.0));
    let ends = begins as f64 + span.hours(often * dice.uniform(2.0, 25.0));
    let ends = span.at(ends.min(0.7 * FULL * span.samples as f64));
    let waits = dice.uniform(0.0, 1.0);
    let lives = restarts(ends.max(begins + 2) - begins, || span.hours(often * (waits + dice.exponential())));
    let lives: Vec<usize> = lives.into_iter().map(|at| begins + at).collect();
    let (takes, curved) = (span.hours((often * dice.log_uniform(0.5, 30.0)).min(20.0)), dice.chance(0.4));
    let fills = ages(span.samples, &lives).into_iter().map(|(age, _)| {
        let come = age as f64 / takes.max(2.0);
        if curved { saturate(come, 0.4) } else { come.min(1.0) }
    });
    let fills: Vec<f64> = fills.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.2, 3.0));
    close(dice, plus(level, height, &fills)).busy(load).restarting(lives)
}
