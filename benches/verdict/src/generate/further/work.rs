//! What is held while it is needed, and let go then.

use super::demand::{Calendar, demand, demand_of, mean, most, present, queue};
use super::fills::bounded;
use super::heaps::{cycles, kept};
use crate::generate::{
    curves::{ages, flat, plus, restarts, times},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A queue has a bound, which it has met before this share of the series is over.
const BOUNDED: f64 = 0.7;

/// A store of sessions: it fills until the first expire, and follows the load of some hours ago from then on.
pub(super) fn expiring(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sessions = present(&load, span.hours(dice.log_uniform(0.3, 20.0)));
    let level = plus(flat(span), dice.log_uniform(0.2, 4.0), &sessions);
    let (share, tau) = (dice.uniform(0.0, 0.4), span.hours(dice.log_uniform(0.5, 20.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// Writes gather in memory until they are flushed; reads fill a cache of blocks; now and then files are merged.
pub(super) fn memtables(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let period = span.hours(dice.log_uniform(0.5, 12.0));
    let written = cycles(dice, &load, period);
    let mut level = plus(flat(span), dice.uniform(0.1, 0.6), &written);
    level = plus(level, dice.uniform(0.2, 1.2), &bounded(dice, &load));
    for _ in 0..dice.whole(4, 30) {
        let (begins, long) = (span.somewhere(dice, 0.0, 1.0), span.hours(dice.log_uniform(0.1, 3.0)));
        let merging = dice.uniform(0.05, 0.35);
        level.iter_mut().skip(begins).take(long.ceil() as usize).for_each(|level| *level += merging);
    }
    Shape::benign(level).busy(load)
}

/// A job each night that needs about the same each time: what the allocator keeps of the first, the next uses again.
pub(super) fn nightly(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let load = demand_of(dice, span, &calendar);
    let (opens, long) = (dice.uniform(0.0, 5.0), dice.uniform(0.3, 6.0));
    let (height, differs) = (dice.uniform(0.2, 1.5), dice.uniform(0.0, 0.12));
    let needs: Vec<f64> =
        (0..calendar.dates(span)).map(|_| height * (1.0 + differs * dice.normal())).collect();
    let mut live = plus(flat(span), dice.uniform(0.02, 0.4), &load);
    for (i, live) in live.iter_mut().enumerate() {
        let since = calendar.hour(i) - opens;
        if (0.0..long).contains(&since) {
            *live += needs[calendar.date(i)] * libm::sqrt(since / long);
        }
    }
    let (share, tau) = (dice.uniform(0.2, 0.95), span.hours(dice.log_uniform(20.0, 5000.0)));
    Shape::benign(kept(&live, share, tau)).busy(load)
}

/// A consumer that keeps up with a whole day, though not with its busiest hours.
pub(super) fn drains(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let day = (span.hours(24.0) as usize).clamp(1, load.len());
    let busiest_day = load.windows(day).step_by(day / 24 + 1).map(mean).fold(0.0, f64::max);
    let capacity = busiest_day + dice.uniform(0.1, 0.7) * (most(&load) - busiest_day).max(0.0);
    let mut waiting = queue(&load, capacity);
    let bound = most(&waiting[..(BOUNDED * load.len() as f64) as usize]).max(f64::MIN_POSITIVE);
    waiting.iter_mut().for_each(|waiting| *waiting = (*waiting / bound).min(1.0));
    let level = plus(flat(span), dice.uniform(0.1, 1.2), &waiting);
    let level = plus(level, dice.uniform(0.0, 0.3), &load);
    let (share, tau) = (dice.uniform(0.0, 0.5), span.hours(dice.log_uniform(2.0, 500.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// Starts of further lives: some hours apart, or once a working day.
pub(super) fn deploys(dice: &mut Dice, span: &Span) -> Vec<usize> {
    if dice.chance(0.5) {
        let often = dice.log_uniform(6.0, 60.0);
        return restarts(span.samples, || span.hours(often * dice.uniform(0.5, 1.5)));
    }
    let calendar = Calendar::draw(dice, span);
    let hours: Vec<f64> = (0..calendar.dates(span)).map(|_| dice.uniform(9.0, 17.0)).collect();
    let due = |i: usize| calendar.is_working_day(i) && calendar.hour(i) >= hours[calendar.date(i)];
    (2..span.samples).filter(|&i| due(i) && !due(i - 1)).collect()
}

/// How warm each sample's life is, 0 to 1: what it needs is there after hours.
pub(super) fn warm(dice: &mut Dice, span: &Span, lives: &[usize]) -> Vec<f64> {
    let (tau, power) = (span.hours(dice.log_uniform(0.1, 5.0)), dice.uniform(0.5, 1.0));
    let ages = ages(span.samples, lives);
    ages.iter().map(|(age, _)| 1.0 - libm::exp(-libm::pow(*age as f64 / tau, power))).collect()
}

/// Every life takes the same way up, and ends it where the last one did.
pub(super) fn level_lives(dice: &mut Dice, span: &Span) -> Shape {
    let lives = deploys(dice, span);
    let load = demand(dice, span);
    let height = dice.log_uniform(0.15, 2.0);
    let warm = times(warm(dice, span, &lives), height);
    let differs = dice.uniform(0.0, 0.06);
    let sizes: Vec<f64> = (0..=lives.len()).map(|_| 1.0 + differs * dice.normal()).collect();
    let level = plus(plus(flat(span), 1.0, &warm), dice.uniform(0.0, 0.25), &load);
    let level = level.iter().zip(ages(span.samples, &lives)).map(|(level, (_, life))| level * sizes[life]);
    Shape::benign(level.collect()).busy(load).deploying(lives)
}
