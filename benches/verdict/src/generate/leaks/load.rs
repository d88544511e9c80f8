//! Leaks that depend on what there is to do.

use crate::generate::{
    curves::{daily, days_of, flat, integral, plus, ramp, summed, times},
    dice::Dice,
    shape::Shape,
    span::Span,
};

const JITTER: f64 = 0.15;

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

/// A job each night, which uses memory while it runs and leaves a chunk behind.
pub(in crate::generate) fn night(dice: &mut Dice, span: &Span) -> Shape {
    let first = span.at(span.hours(dice.uniform(1.0, 20.0)));
    let long = span.hours(dice.uniform(0.5, 3.0)).max(1.0);
    let chunk = dice.uniform(0.3, 1.2) / 6.0;
    let uses = dice.uniform(0.1, 0.6);
    let (mut works, mut leaks) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for day in 0..days_of(span) {
        let begins = first + (day as f64 * span.hours(24.0)) as usize;
        let leaves = chunk * dice.uniform(0.6, 1.4) / long.ceil();
        for i in (begins..span.samples).take(long.ceil() as usize) {
            works[i] = 1.0;
            leaks[i] = leaves;
        }
    }
    let shape = Shape::leaking(plus(flat(span), uses, &works), integral(&leaks), first);
    if dice.chance(0.5) { shape.busy(plus(flat(span), dice.uniform(0.3, 3.0), &works)) } else { shape }
}

/// Leaks only while the load is high: what overflows a pool is never given back.
pub(in crate::generate) fn burst(dice: &mut Dice, span: &Span) -> Shape {
    let clean = span.somewhere(dice, 0.0, 0.2);
    let load = daily(dice, span, JITTER);
    let much = dice.uniform(0.4, 0.75) * load[clean..].iter().copied().fold(0.0, f64::max);
    let onset = (clean..span.samples).find(|&i| load[i] > much).unwrap_or(clean);
    let over = load.iter().map(|load| (load - much).max(0.0)).collect();
    let level = plus(flat(span), dice.uniform(0.1, 0.4), &load);
    let leaked = summed(over, onset, dice.uniform(0.4, 2.0));
    Shape::leaking(level, leaked, onset).busy(load)
}
