//! Leaks whose growth depends on nothing but time.

use crate::generate::{
    curves::{flat, plus, ramp, saturate, saw, times, wander},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// A straight line on top of `level`, from a sample between two shares of the span on, up by between two heights.
fn line(dice: &mut Dice, span: &Span, level: Vec<f64>, onset: (f64, f64), height: (f64, f64)) -> Shape {
    let onset = span.somewhere(dice, onset.0, onset.1);
    let leaked = times(ramp(span, onset), dice.uniform(height.0, height.1));
    Shape::leaking(level, leaked, onset)
}

pub(in crate::generate) fn linear_fast(dice: &mut Dice, span: &Span) -> Shape {
    line(dice, span, flat(span), (0.0, 0.35), (1.0, 4.0)).linear_after(0)
}

pub(in crate::generate) fn linear_slow(dice: &mut Dice, span: &Span) -> Shape {
    line(dice, span, flat(span), (0.0, 0.2), (0.15, 0.4)).linear_after(0).ending(End::Own)
}

pub(in crate::generate) fn late(dice: &mut Dice, span: &Span) -> Shape {
    line(dice, span, flat(span), (0.4, 0.6), (0.3, 1.5)).linear_after(0)
}

pub(in crate::generate) fn noisy(dice: &mut Dice, span: &Span) -> Shape {
    let (tau, strength) = (span.minutes(dice.uniform(10.0, 90.0)), dice.uniform(0.03, 0.1));
    let level = plus(flat(span), 1.0, &wander(dice, span.samples, tau, strength));
    line(dice, span, level, (0.0, 0.2), (0.4, 1.2))
}

pub(in crate::generate) fn big_slow(dice: &mut Dice, span: &Span) -> Shape {
    let level = plus(flat(span), 1.0, &wander(dice, span.samples, span.minutes(60.0), 0.002));
    let shape = line(dice, span, level, (0.0, 0.2), (0.06, 0.15)).linear_after(0).ending(End::Own);
    Shape { base: Some(dice.log_uniform(8e9, 32e9)), noise: (0.2, 0.1), ..shape }
}

pub(in crate::generate) fn gc_saw(dice: &mut Dice, span: &Span) -> Shape {
    let (period, height) = (span.minutes(dice.log_uniform(8.0, 240.0)), dice.uniform(0.1, 0.6));
    let level = plus(flat(span), 1.0, &saw(dice, span.samples, period, height));
    line(dice, span, level, (0.0, 0.35), (0.4, 2.0))
}

pub(in crate::generate) fn accel(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.3);
    let (height, power) = (dice.uniform(0.5, 3.0), dice.uniform(1.5, 2.5));
    let leaked = ramp(span, onset).into_iter().map(|r| height * libm::pow(r, power)).collect();
    Shape::leaking(flat(span), leaked, onset)
}

pub(in crate::generate) fn warm_then_leak(dice: &mut Dice, span: &Span) -> Shape {
    let (height, tau) = (dice.uniform(0.5, 2.0), span.hours(dice.uniform(0.3, 3.0)));
    let level = span.map(|i| 1.0 + height * saturate(i as f64, tau));
    let load = span.map(|i| 1.0 + 2.0 * (1.0 - saturate(i as f64, tau)));
    let leaked = times(ramp(span, 0), dice.uniform(0.4, 2.0));
    Shape::leaking(level, leaked, 0).busy(load)
}
