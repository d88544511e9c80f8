//! Leaks that begin after something else, or hide below it.

use crate::generate::{
    curves::{flat, plus, ramp, rise, saw, times},
    dice::Dice,
    shape::Shape,
    span::Span,
};

pub(in crate::generate) fn plateau(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.at(span.hours(dice.uniform(24.0, 72.0)));
    let leaked = times(ramp(span, onset), dice.uniform(0.3, 1.5));
    Shape::leaking(flat(span), leaked, onset).linear_after(0)
}

pub(in crate::generate) fn cache_then_leak(dice: &mut Dice, span: &Span) -> Shape {
    let long = span.hours(dice.uniform(1.0, 14.0));
    let level = plus(flat(span), dice.uniform(0.3, 1.5), &rise(span, 0, long));
    let full = span.at(long);
    let onset = span.at(long + span.hours(dice.uniform(0.0, 40.0)));
    let leaked = times(ramp(span, onset), dice.uniform(0.3, 1.2));
    Shape::leaking(level, leaked, onset).linear_after(full)
}

pub(in crate::generate) fn after_step(dice: &mut Dice, span: &Span) -> Shape {
    let step = span.somewhere(dice, 0.05, 0.35);
    let level = plus(flat(span), dice.uniform(0.1, 0.8), &rise(span, step, 1.0));
    let onset = span.at(step as f64 + span.hours(dice.uniform(0.0, 40.0)));
    let leaked = times(ramp(span, onset), dice.uniform(0.3, 1.2));
    Shape::leaking(level, leaked, onset).linear_after(step)
}

/// Growth as of a power below 1 of time: it slows down for ever, and never ends.
pub(in crate::generate) fn sublinear(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.2);
    let (height, power) = (dice.uniform(0.4, 1.5), dice.uniform(0.7, 0.9));
    let leaked = ramp(span, onset).into_iter().map(|r| height * libm::pow(r, power)).collect();
    Shape::leaking(flat(span), leaked, onset)
}

/// Young collections every few minutes; what they promote is only given back by a full collection, hours apart.
pub(in crate::generate) fn oldgen(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.2);
    let (young_period, young_height) = (span.minutes(dice.log_uniform(1.0, 20.0)), dice.uniform(0.1, 0.4));
    let young = saw(dice, span.samples, young_period, young_height);
    let (old_period, old_height) = (span.hours(dice.uniform(2.0, 10.0)), dice.uniform(0.3, 0.8));
    let old = saw(dice, span.samples, old_period, old_height);
    let leaked = times(ramp(span, onset), dice.uniform(0.4, 1.5));
    Shape::leaking(plus(plus(flat(span), 1.0, &young), 1.0, &old), leaked, onset)
}
