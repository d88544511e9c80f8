//! Memory that follows what there is to do.

use crate::generate::{
    curves::{daily, flat, plus, rise, saw},
    dice::Dice,
    shape::Shape,
    span::Span,
};

const JITTER: f64 = 0.15;
/// The share of roll-outs that bring memory but no work.
const UNSEEN: f64 = 0.2;

pub(in crate::generate) fn diurnal(dice: &mut Dice, span: &Span) -> Shape {
    let load = daily(dice, span, JITTER);
    Shape::benign(plus(flat(span), dice.uniform(0.15, 1.0), &load)).busy(load)
}

pub(in crate::generate) fn diurnal_gc(dice: &mut Dice, span: &Span) -> Shape {
    let load = daily(dice, span, JITTER);
    let level = plus(flat(span), dice.uniform(0.15, 0.6), &load);
    let (period, height) = (span.minutes(dice.uniform(10.0, 120.0)), dice.uniform(0.1, 0.4));
    Shape::benign(plus(level, 1.0, &saw(dice, span.samples, period, height))).busy(load)
}

pub(in crate::generate) fn traffic_ramp(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.05, 0.7);
    let more = rise(span, onset, span.hours(dice.uniform(1.0, 10.0)));
    let shape = Shape::benign(plus(flat(span), dice.uniform(0.2, 1.0), &more));
    if dice.chance(UNSEEN) {
        return shape;
    }
    let busier = dice.uniform(0.3, 2.0);
    shape.busy(plus(flat(span), busier, &more))
}
