//! Noise and steps.

use crate::generate::{
    curves::{flat as level, plus, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

pub(in crate::generate) fn flat(dice: &mut Dice, span: &Span) -> Shape {
    let (tau, strength) = (span.minutes(dice.uniform(5.0, 120.0)), dice.uniform(0.002, 0.03));
    Shape::benign(plus(level(span), 1.0, &wander(dice, span.samples, tau, strength)))
}

pub(in crate::generate) fn idle(dice: &mut Dice, span: &Span) -> Shape {
    let noise = wander(dice, span.samples, span.minutes(500.0), 0.002);
    let level = noise.into_iter().map(|noise| 1.0 + (noise * 1000.0).round() / 1000.0).collect();
    Shape { noise: (0.2, 1.0), ..Shape::benign(level) }
}

pub(in crate::generate) fn ou_slow(dice: &mut Dice, span: &Span) -> Shape {
    let (tau, strength) = (span.hours(dice.uniform(4.0, 20.0)), dice.uniform(0.03, 0.12));
    Shape::benign(plus(level(span), 1.0, &wander(dice, span.samples, tau, strength)))
}

pub(in crate::generate) fn step(dice: &mut Dice, span: &Span) -> Shape {
    let mut level = level(span);
    for _ in 0..dice.whole(1, 4) {
        let (begins, height) = (dice.whole(0, span.samples), dice.uniform(0.1, 0.8));
        level[begins..].iter_mut().for_each(|level| *level += height);
    }
    Shape::benign(level)
}

pub(in crate::generate) fn step_updown(dice: &mut Dice, span: &Span) -> Shape {
    let mut level = level(span);
    for _ in 0..dice.whole(2, 7) {
        let begins = dice.whole(0, span.samples);
        let (long, height) = (span.hours(dice.uniform(0.5, 16.0)), dice.uniform(0.1, 0.8));
        level.iter_mut().skip(begins).take(long as usize).for_each(|level| *level += height);
    }
    Shape::benign(level)
}

/// Levels that each last for hours, the next drawn around the last; far-off ones are pulled back.
pub(in crate::generate) fn level_walk(dice: &mut Dice, span: &Span) -> Shape {
    let (lasts, jump) = (span.hours(dice.uniform(3.0, 12.0)), dice.uniform(0.04, 0.15));
    let mut now = 1.0;
    let mut until = 0.0;
    let levels = span.map(|i| {
        while i as f64 >= until {
            until += (lasts * dice.exponential()).max(1.0);
            now = (now + 0.15 * (1.0 - now) + jump * dice.normal()).max(0.4);
        }
        now
    });
    let load = levels.clone();
    let shape = Shape::benign(levels);
    if dice.chance(0.5) { shape.busy(load) } else { shape }
}
