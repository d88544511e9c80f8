//! Caches: they grow, and then they are full.

use crate::generate::{
    curves::{rise, saturate, times, wander},
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
