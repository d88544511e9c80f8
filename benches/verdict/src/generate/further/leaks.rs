//! What leaks, below and beside what a service does anyhow.

use super::demand::{Calendar, demand, demand_of, mean, most, present, queue};
use super::fills::all_asked;
use super::heaps::{collected, cycles, service};
use super::work::{deploys, warm};
use crate::generate::{
    curves::{ages, flat, integral, plus, product, ramp, summed, times, up_to_one},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// What leaks by the end, as a share of the level.
pub(super) const HEIGHT: (f64, f64) = (0.08, 2.0);
/// How many leak as soon as they are there; others have served cleanly for up to so much of the series.
const AT_ONCE: f64 = 0.4;
const CLEAN: f64 = 0.4;
/// A queue that is empty later than that was not too long for long enough.
const LATEST: f64 = 0.5;

/// The sample from which on it may leak.
pub(super) fn may_begin(dice: &mut Dice, span: &Span) -> usize {
    if dice.chance(AT_ONCE) { 0 } else { span.somewhere(dice, 0.0, CLEAN) }
}

/// Leaks on top of `level` whenever there is a `rate`, from a sample on that is drawn; it begins where there first is one.
pub(super) fn leaking(dice: &mut Dice, span: &Span, level: Vec<f64>, rate: Vec<f64>) -> Shape {
    let clean = may_begin(dice, span);
    let mut later_first = (clean..span.samples).chain(0..clean);
    let onset = later_first.find(|&i| rate[i] > 0.0).unwrap_or(clean);
    let height = mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, summed(rate, onset, height), onset)
}

pub(super) fn per_request(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    leaking(dice, span, level, load.clone()).busy(load)
}

/// People leak: what they do in an office is never forgotten.
pub(super) fn working_hours(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let (opens, closes) = (dice.uniform(6.0, 10.5), dice.uniform(15.5, 21.0));
    let out_of_office = dice.uniform(0.05, 0.7);
    let is_open =
        span.map(|i| f64::from(calendar.is_working_day(i) && (opens..closes).contains(&calendar.hour(i))));
    let mut load = demand_of(dice, span, &calendar);
    load.iter_mut().zip(&is_open).for_each(|(load, open)| *load *= open.max(out_of_office));
    let level = service(dice, span, &load);
    let rate = product(&load, &is_open);
    leaking(dice, span, level, rate).busy(load)
}

pub(super) fn night_import(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let load = demand_of(dice, span, &calendar);
    let (opens, long, most_nights) = (dice.uniform(0.0, 6.0), dice.uniform(0.2, 5.0), dice.uniform(0.6, 1.0));
    let nights: Vec<bool> = (0..calendar.dates(span)).map(|_| dice.chance(most_nights)).collect();
    let works = span.map(|i| {
        let is_due = (opens..opens + long).contains(&calendar.hour(i));
        f64::from(is_due && nights[calendar.date(i)])
    });
    let level = plus(service(dice, span, &load), dice.uniform(0.0, 0.8), &works);
    leaking(dice, span, level, works).busy(load)
}

/// Errors come in incidents, of which few are bad.
pub(super) fn per_error(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let mut errors = vec![0.0; span.samples];
    for _ in 0..dice.whole(10, 70) {
        let (begins, bad) = (span.somewhere(dice, 0.0, 1.0), libm::exp(dice.normal()));
        let long = span.hours(dice.log_uniform(0.03, 2.0)).ceil() as usize;
        errors.iter_mut().skip(begins).take(long).for_each(|errors| *errors += bad);
    }
    leaking(dice, span, level, errors).busy(load)
}

pub(super) fn rare_chunks(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let mut chunks = vec![0.0; span.samples];
    for _ in 0..dice.whole(5, 26) {
        chunks[span.somewhere(dice, 0.0, 1.0)] += 0.3 + dice.exponential();
    }
    leaking(dice, span, level, chunks).busy(load)
}

/// Small against what each day needs and gives back: only the nights show it.
pub(super) fn under_swing(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = plus(flat(span), dice.uniform(0.15, 0.8), &load);
    let onset = may_begin(dice, span);
    let leaked = times(ramp(span, onset), dice.uniform(0.08, 0.3) * mean(&level));
    Shape::leaking(level, leaked, onset).ending(End::Own).busy(load)
}

pub(super) fn late_start(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = service(dice, span, &load);
    let onset = span.somewhere(dice, 0.45, 0.72);
    let height = mean(&level) * dice.log_uniform(0.1, HEIGHT.1);
    let leaked =
        if dice.chance(0.5) { times(ramp(span, onset), height) } else { summed(load.clone(), onset, height) };
    Shape::leaking(level, leaked, onset).busy(load)
}

/// Keyed by what is popular, which is all there soon, and by what is new each time.
pub(super) fn dictionary(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (keys, asks) = (dice.log_uniform(1e3, 2e4) as usize, dice.log_uniform(2.0, 8.0));
    let exponent = dice.uniform(0.6, 1.2);
    let popular = up_to_one(all_asked(dice, &load, keys, (asks, exponent)));
    let level = plus(service(dice, span, &load), dice.log_uniform(0.1, 2.0), &popular);
    let height = mean(&level) * dice.log_uniform(0.1, HEIGHT.1);
    let leaked = summed(load.clone(), 0, height);
    Shape::leaking(level, leaked, 0).busy(load)
}

pub(super) fn unexpired(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sessions = present(&load, span.hours(dice.log_uniform(0.3, 30.0)));
    let level = plus(flat(span), dice.log_uniform(0.2, 3.0), &sessions);
    leaking(dice, span, level, load.clone()).busy(load)
}

/// What is blocked for ever is live to the collector, which lets the heap grow by a share of it besides.
pub(super) fn goroutines(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (slack, period) = (dice.pick(&[0.5, 1.0, 1.0, 2.0]), span.hours(dice.log_uniform(0.01, 15.0)));
    let cycles = cycles(dice, &load, period);
    let level = collected(&plus(flat(span), dice.uniform(0.05, 0.6), &load), slack, &cycles);
    let shape = leaking(dice, span, level, load.clone()).busy(load);
    shape.with_leak(|leak| leak.leaked = collected(&leak.leaked, slack, &cycles))
}

/// A heap that is always collected at the same size: what leaks takes from the room for garbage, and only the floors rise.
/// Where its limit ends it, the heap grows with it.
pub(super) fn masked(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let live = plus(flat(span), dice.uniform(0.0, 0.2), &load);
    let (room, period) = (dice.uniform(0.4, 2.0), span.hours(dice.log_uniform(0.3, 12.0)));
    let cycles = cycles(dice, &load, period);
    let onset = may_begin(dice, span);
    let leaked = summed(load.clone(), onset, room * dice.uniform(0.15, 0.7));
    let takes = if span.fast { 0.0 } else { 1.0 };
    let leaked = leaked.iter().zip(&cycles).map(|(leaked, done)| leaked * (1.0 - takes * done)).collect();
    Shape::leaking(plus(live, room, &cycles), leaked, onset).busy(load)
}

/// The consumer is slower than what comes in the long run: what it caught up with before was no leak.
pub(super) fn falls_behind(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut capacity = mean(&load) * dice.uniform(0.5, 0.97);
    let latest = span.at(LATEST * span.samples as f64);
    let (onset, waiting) = loop {
        let waiting = queue(&load, capacity);
        let onset = waiting.iter().rposition(|waiting| *waiting == 0.0).map_or(0, |empty| empty + 1);
        if onset <= latest {
            break (onset, waiting);
        }
        capacity *= 0.9;
    };
    let level = service(dice, span, &load);
    let per_item = mean(&level) * dice.log_uniform(0.15, HEIGHT.1) / most(&waiting);
    let (before, since) = waiting.split_at(onset);
    let caught_up = [before, &vec![0.0; since.len()]].concat();
    let leaked = [&vec![0.0; onset], since].concat();
    Shape::leaking(plus(level, per_item, &caught_up), times(leaked, per_item), onset).busy(load)
}

/// Each life warms up as the last did, but goes on from there.
pub(super) fn leaking_lives(dice: &mut Dice, span: &Span) -> Shape {
    let lives = deploys(dice, span);
    let load = demand(dice, span);
    let warm = warm(dice, span, &lives);
    let level = plus(plus(flat(span), dice.log_uniform(0.1, 1.5), &warm), dice.uniform(0.0, 0.25), &load);
    let per_day = mean(&level) * dice.log_uniform(0.08, 1.2) / (span.hours(24.0) * mean(&load));
    let served = integral(&load);
    let leaked = ages(span.samples, &lives).into_iter().enumerate().map(|(i, (age, _))| {
        let at_start = served[i - age];
        per_day * (served[i] - at_start)
    });
    let leaked = leaked.collect();
    Shape::leaking(level, leaked, 0).busy(load).deploying(lives)
}
