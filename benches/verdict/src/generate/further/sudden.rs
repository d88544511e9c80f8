//! What leaks fast after it served cleanly for long.

use super::demand::{demand, mean};
use super::heaps::service;
use crate::generate::{curves::restarts, dice::Dice, shape::Shape, span::Span};

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

/// An input that nobody sent before: within hours somebody restarts it with another build, and it is well.
pub(super) fn stopped(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let (onset, long) = (span.somewhere(dice, ONSET.0, ONSET.1), until_restart(dice, span));
    let end = onset + long as usize;
    let (height, grown) = (mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1), grown(dice));
    let leaked = span.map(|i| {
        let leaks = (onset..end).contains(&i);
        if leaks { height * grown((i - onset) as f64 / long) } else { 0.0 }
    });
    let shape = Shape::leaking(level, leaked, onset).busy(load);
    if end < span.samples { shape.deploying(vec![end]).fixed_at(end) } else { shape }
}

/// Something it depends on is broken from now on: it is killed every few hours, comes back, and leaks again.
pub(super) fn relapsing(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let (onset, long) = (span.somewhere(dice, ONSET.0, ONSET.1), until_restart(dice, span));
    let (height, grown) = (mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1), grown(dice));
    let after = restarts(span.samples - onset, || long * dice.uniform(0.8, 1.2));
    let lives: Vec<usize> = after.into_iter().map(|start| onset + start).collect();
    let began = |i: usize| lives.iter().rev().find(|&&start| start <= i).copied().unwrap_or(onset);
    let leaked = span.map(|i| if i < onset { 0.0 } else { height * grown((i - began(i)) as f64 / long) });
    Shape::leaking(level, leaked, onset).busy(load).restarting(lives)
}
