//! Leaks that outlive the process.

use crate::generate::{
    curves::{ages, flat, ramp, restarts as starts, saturate, times},
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
    let grown = dice.uniform(0.6, 2.5);
    let per_sample = grown / (fixed - onset) as f64;
    let leaked = span.map(|i| if i < fixed { i.saturating_sub(onset) as f64 * per_sample } else { 0.0 });
    // Where limits are hit within hours, the deploy comes late on the way, or nobody would have known.
    let way = dice.uniform(0.7, 0.92);
    let limit = span.fast.then(|| (1.0 + grown / way) / (1.0 + grown));
    let shape = Shape::leaking(flat(span), leaked, onset).fixed_at(fixed).deploying(vec![fixed]);
    Shape { limit, ..shape }
}

pub(in crate::generate) fn deploy(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.2, 0.5);
    let leaked = times(ramp(span, onset), dice.uniform(0.4, 1.5));
    Shape::leaking(flat(span), leaked, onset).linear_after(0).deploying(vec![onset])
}

/// Workers that are replaced after a while, forked from a parent that leaks: what each starts with grows.
pub(in crate::generate) fn fork_server(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.0, 0.2);
    let long = span.hours(dice.log_uniform(0.4, 6.0)).max(4.0);
    let lives = starts(span.samples, || long * dice.uniform(0.7, 1.3));
    let (own, tau) = (dice.uniform(0.1, 0.4), long * dice.uniform(0.05, 0.4));
    let parent = times(ramp(span, onset), dice.uniform(0.4, 1.5));
    let ages = ages(span.samples, &lives);
    let level = ages.iter().map(|(age, _)| 1.0 + own * saturate(*age as f64, tau)).collect();
    let inherited = ages.iter().enumerate().map(|(i, (age, _))| parent[i - age]).collect();
    Shape::leaking(level, inherited, onset).restarting(lives).own_start()
}

/// Each build leaks, and a deploy every day or so keeps it from its limit.
pub(in crate::generate) fn redeploys(dice: &mut Dice, span: &Span) -> Shape {
    let often = dice.uniform(12.0, 40.0);
    let lives = starts(span.samples, || span.hours(often * dice.uniform(0.6, 1.4)));
    let per_sample = dice.uniform(0.3, 1.2) / span.hours(often);
    let leaked = ages(span.samples, &lives).iter().map(|(age, _)| *age as f64 * per_sample).collect();
    Shape::leaking(flat(span), leaked, 0).deploying(lives)
}
