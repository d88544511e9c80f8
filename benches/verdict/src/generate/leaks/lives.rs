//! Leaks that outlive the process.

use crate::generate::{
    curves::{ages, flat, ramp, times},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// The level at which a life starts, below its base, and how long it takes to get there, minutes.
const START: (f64, f64) = (0.3, 20.0);

pub(in crate::generate) fn restarts(dice: &mut Dice, span: &Span) -> Shape {
    let rate = dice.uniform(1.0, 3.0) / span.hours(dice.uniform(8.0, 30.0));
    let lives = lives(dice, span, rate);
    let ages = ages(span.samples, &lives);
    let tau = span.minutes(START.1);
    let level = ages.iter().map(|(age, _)| 1.0 - START.0 * libm::exp(-(*age as f64) / tau)).collect();
    let leaked = ages.iter().map(|(age, _)| rate * *age as f64).collect();
    Shape::leaking(level, leaked, 0).restarting(lives).ending(End::EveryLife).own_start()
}

/// When it starts again: after growth by about the same, which differs more where it is not a limit that kills.
fn lives(dice: &mut Dice, span: &Span, rate: f64) -> Vec<usize> {
    let grown = dice.uniform(1.5, 2.5);
    let mut starts = Vec::new();
    let mut at = 0;
    loop {
        let long = if span.fast { grown } else { dice.uniform(0.8, 1.2) * dice.uniform(1.5, 2.5) };
        at += (long / rate).max(2.0) as usize;
        if at >= span.samples {
            return starts;
        }
        starts.push(at);
    }
}

pub(in crate::generate) fn fixed(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.15);
    let fixed = span.somewhere(dice, 0.6, 0.75);
    let per_sample = dice.uniform(0.6, 2.5) / (fixed - onset) as f64;
    let leaked = span.map(|i| if i < fixed { i.saturating_sub(onset) as f64 * per_sample } else { 0.0 });
    Shape::leaking(flat(span), leaked, onset).fixed_at(fixed).deploying(vec![fixed])
}

pub(in crate::generate) fn deploy(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.2, 0.5);
    let leaked = times(ramp(span, onset), dice.uniform(0.4, 1.5));
    Shape::leaking(flat(span), leaked, onset).linear_after(0).deploying(vec![onset])
}
