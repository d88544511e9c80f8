//! Leaks that depend on what there is to do.

use crate::generate::{
    curves::{daily, flat, integral, plus, ramp, times, up_to_one},
    dice::Dice,
    shape::Shape,
    span::Span,
};

const JITTER: f64 = 0.15;

/// What `rate` adds up to from `onset` on, scaled to `height` at the end.
fn summed(mut rate: Vec<f64>, onset: usize, height: f64) -> Vec<f64> {
    rate[..onset].fill(0.0);
    times(up_to_one(integral(&rate)), height)
}

pub(in crate::generate) fn staircase(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.2);
    let events = dice.whole(15, 60);
    let chunk = dice.uniform(0.3, 1.5) / events as f64;
    let mut chunks = vec![0.0; span.samples];
    for _ in 0..events {
        chunks[dice.whole(onset, span.samples)] += chunk * dice.exponential();
    }
    Shape::leaking(flat(span), integral(&chunks), onset)
}

pub(in crate::generate) fn load_prop(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.3);
    let load = daily(dice, span, JITTER);
    let level = plus(flat(span), dice.uniform(0.1, 0.4), &load);
    let leaked = summed(load.clone(), onset, dice.uniform(0.4, 2.0));
    Shape::leaking(level, leaked, onset).busy(load)
}

pub(in crate::generate) fn intermittent(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.2);
    let share = dice.uniform(0.25, 0.5);
    let hours: Vec<bool> = (0..=145).map(|_| dice.chance(share)).collect();
    let leaks = span.map(|i| f64::from(u8::from(hours[(i as f64 / span.hours(1.0)) as usize % hours.len()])));
    let leaked = summed(leaks.clone(), onset, dice.uniform(0.4, 2.0));
    let shape = Shape::leaking(flat(span), leaked, onset);
    if dice.chance(0.5) {
        let more = dice.uniform(0.3, 2.0);
        shape.busy(plus(flat(span), more, &leaks))
    } else {
        shape
    }
}

pub(in crate::generate) fn diurnal_leak(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.2);
    let load = daily(dice, span, JITTER);
    let level = plus(flat(span), dice.uniform(0.2, 0.7), &load);
    let leaked = times(ramp(span, onset), dice.uniform(0.5, 2.0));
    Shape::leaking(level, leaked, onset).busy(load)
}
