//! What leaks fast after it served cleanly for long.

use super::demand::{demand, mean};
use super::heaps::service;
use crate::generate::{
    curves::{ages, restarts},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// When it begins, as a share of the series.
const ONSET: (f64, f64) = (0.1, 0.93);
/// How long until it is restarted: hours, and, where the whole series is hours, as a share of it.
const LONG: (f64, f64) = (0.4, 16.0);
const LONG_SQUEEZED: (f64, f64) = (0.1, 0.5);
/// What has leaked by then, as a share of the level.
const HEIGHT: (f64, f64) = (0.2, 3.0);

/// Samples until it is restarted.
fn until_restart(dice: &mut Dice, span: &Span) -> f64 {
    let long = if span.fast {
        dice.uniform(LONG_SQUEEZED.0, LONG_SQUEEZED.1) * span.samples as f64
    } else {
        span.hours(dice.log_uniform(LONG.0, LONG.1))
    };
    long.max(8.0)
}

/// How much of a leak is there after a share of its time: a line, mostly; else it slows down or gets faster, or comes in chunks.
fn grown(dice: &mut Dice) -> impl Fn(f64) -> f64 + use<> {
    let power = if dice.chance(0.5) { 1.0 } else { dice.uniform(0.7, 1.8) };
    let chunks = dice.chance(0.25).then(|| dice.log_uniform(8.0, 60.0));
    move |share| {
        let share = chunks.map_or(share, |chunks| (chunks * share).ceil() / chunks);
        libm::pow(share, power)
    }
}

/// The sample at which it begins, how many there are until it is restarted, and what has leaked after so many.
fn leak(dice: &mut Dice, span: &Span, level: &[f64]) -> (usize, f64, impl Fn(usize) -> f64 + use<>) {
    let (onset, long) = (span.somewhere(dice, ONSET.0, ONSET.1), until_restart(dice, span));
    let (height, grown) = (mean(level) * dice.log_uniform(HEIGHT.0, HEIGHT.1), grown(dice));
    (onset, long, move |samples| height * grown(samples as f64 / long))
}

/// An input that nobody sent before: within hours somebody restarts it with another build, and it is well.
pub(super) fn stopped(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let (onset, long, after) = leak(dice, span, &level);
    let end = onset + long as usize;
    let leaked = span.map(|i| if (onset..end).contains(&i) { after(i - onset) } else { 0.0 });
    let shape = Shape::leaking(level, leaked, onset).busy(load);
    if end < span.samples { shape.deploying(vec![end]).fixed_at(end) } else { shape }
}

/// Something it depends on is broken from now on: it is killed every few hours, comes back, and leaks again.
pub(super) fn relapsing(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let (onset, long, after) = leak(dice, span, &level);
    let restarts = restarts(span.samples - onset, || long * dice.uniform(0.8, 1.2));
    let lives: Vec<usize> = restarts.into_iter().map(|start| onset + start).collect();
    let ages = ages(span.samples, &[&[onset], &lives[..]].concat());
    let leaked = ages.into_iter().map(|(age, life)| if life == 0 { 0.0 } else { after(age) });
    Shape::leaking(level, leaked.collect(), onset).busy(load).restarting(lives)
}
