//! Caches: they grow, and then they are full.

use crate::generate::{
    curves::{ages, flat, plus, restarts, rise, saturate, times, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

pub(in crate::generate) fn warmup(dice: &mut Dice, span: &Span) -> Shape {
    let (height, tau) = (dice.uniform(0.3, 3.0), span.hours(dice.log_uniform(0.3, 8.0)));
    let level = span.map(|i| 1.0 + height * saturate(i as f64, tau));
    let more = dice.uniform(0.5, 4.0);
    Shape::benign(level).busy(span.map(|i| 1.0 + more * (1.0 - saturate(i as f64, tau))))
}

pub(in crate::generate) fn log_cache(dice: &mut Dice, span: &Span) -> Shape {
    let (tau, height) = (span.hours(dice.uniform(0.1, 2.0)), dice.uniform(0.1, 0.35));
    Shape::benign(span.map(|i| 1.0 + height * libm::log1p(i as f64 / tau)))
}

pub(in crate::generate) fn cache_fill(dice: &mut Dice, span: &Span) -> Shape {
    let (long, height) = (span.hours(dice.uniform(1.0, 14.0)), dice.uniform(0.3, 2.0));
    let hover = wander(dice, span.samples, span.minutes(30.0), 0.01);
    let fill = times(rise(span, 0, long), height);
    let level = span.map(|i| 1.0 + fill[i] + if i as f64 > long { hover[i] } else { 0.0 });
    Shape { limit: Some(dice.uniform(1.05, 2.0)), ..Shape::benign(level) }
}

/// Full for days; then other keys come, and it grows once more.
pub(in crate::generate) fn new_keyspace(dice: &mut Dice, span: &Span) -> Shape {
    let second = span.at(span.hours(dice.uniform(48.0, 96.0)));
    let (long, longer) = (span.hours(dice.uniform(1.0, 8.0)), span.hours(dice.uniform(1.0, 10.0)));
    let level = plus(flat(span), dice.uniform(0.3, 1.5), &rise(span, 0, long));
    Shape::benign(plus(level, dice.uniform(0.2, 0.8), &rise(span, second, longer)))
}

/// Restarts, each of which has hours of filling before it.
pub(in crate::generate) fn refill_restarts(dice: &mut Dice, span: &Span) -> Shape {
    let lives = restarts(span.samples, || span.hours(dice.uniform(12.0, 48.0)));
    let (long, height) = (span.hours(dice.uniform(1.0, 10.0)), dice.uniform(0.3, 2.0));
    let level = ages(span.samples, &lives)
        .into_iter()
        .map(|(age, _)| 1.0 + height * (age as f64 / long).min(1.0))
        .collect();
    Shape::benign(level).restarting(lives)
}

/// Logs on a file system in memory: a straight line, until they are rotated.
pub(in crate::generate) fn tmpfs_rotate(dice: &mut Dice, span: &Span) -> Shape {
    let (every, height) = (span.hours(dice.pick(&[6.0, 12.0, 24.0])), dice.uniform(0.2, 1.2));
    let phase = dice.uniform(0.0, 1.0);
    Shape::benign(span.map(|i| {
        let rounds = i as f64 / every + phase;
        1.0 + height * (rounds - rounds.floor())
    }))
}
