//! Leaks of servers that work all the time: what is indexed, counted or opened is never dropped.

use super::bounds::follows;
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::service;
use crate::generate::further::leaks::{HEIGHT, leaking};
use crate::generate::further::lru::{Asked, Lru};
use crate::generate::{
    curves::{flat, integral, plus, product, ramp, summed, times, up_to_one},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// A sample that is drawn by how busy each is, of which the `sums` are given.
pub(super) fn when_busy(dice: &mut Dice, sums: &[f64]) -> usize {
    let at = dice.uniform(0.0, sums.last().copied().unwrap_or(0.0));
    sums.partition_point(|&sum| sum < at).min(sums.len() - 1)
}

/// A cache lets entries go, but what finds them by their keys does not: it grows by each key that is new.
pub(super) fn index_kept(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let full = span.somewhere(dice, 0.005, 0.3);
    let (held, lost) = evicted(dice, &load, full);
    let onset = lost.iter().position(|lost| *lost > 0.0).unwrap_or(full);
    let level = plus(flat(span), dice.log_uniform(0.1, 2.0), &up_to_most(held));
    let level = plus(level, dice.uniform(0.0, 0.3), &load);
    let height = mean(&level) * dice.log_uniform(0.1, HEIGHT.1);
    Shape::leaking(level, times(up_to_one(lost), height), onset).busy(load)
}

/// What a cache weighs that is full at the sample `full`, and how many keys it has had and has no more.
fn evicted(dice: &mut Dice, load: &[f64], full: usize) -> (Vec<f64>, Vec<f64>) {
    let keys = dice.log_uniform(5e4, 2e5) as usize;
    let (asks, exponent) = (dice.log_uniform(5e4, 2e5) as usize, dice.uniform(0.2, 0.9));
    let asked = Asked::draw(dice, load, asks, keys, exponent);
    let spread = dice.uniform(0.0, 1.0);
    let (mut cache, mut index) = (Lru::new(dice, keys, spread), Lru::new(dice, keys, 0.0));
    let mut room = usize::MAX;
    let both = asked.samples().enumerate().map(|(i, keys)| {
        keys.iter().for_each(|&key| {
            cache.ask(key);
            index.ask(key);
        });
        room = if i == full { cache.entries() } else { room };
        cache.keep(room);
        (cache.weight, (index.entries() - cache.entries()) as f64)
    });
    both.unzip()
}

/// A connection is not closed after a kind of error that comes with the load: hardly any by night, many at the peak.
pub(super) fn unclosed(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let power = dice.uniform(1.0, 7.0);
    let errors: Vec<f64> = load.iter().map(|load| libm::pow(*load, power)).collect();
    let each = dice.log_uniform(15.0, 3000.0) / (mean(&errors) * span.samples as f64);
    let opened = errors.iter().map(|errors| dice.poisson(each * errors) as f64).collect();
    let level = service(dice, span, &load);
    leaking(dice, span, level, opened).busy(load)
}

/// Tenants come and are gone after hours or a day: previews, trials, jobs. Some of their state outlives each.
pub(super) fn tenants(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sums = integral(&load);
    let (stay, spread) = (dice.log_uniform(0.3, 20.0), dice.uniform(0.1, 1.0));
    let (mut moves, mut gone) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for _ in 0..dice.log_uniform(12.0, 400.0) as usize {
        let (comes, size) = (when_busy(dice, &sums), libm::exp(spread * dice.normal()));
        let goes = comes + span.hours(stay * dice.exponential()) as usize + 1;
        moves[comes] += size;
        if goes < span.samples {
            moves[goes] -= size;
            gone[goes] += size;
        }
    }
    let there = follows(&up_to_most(integral(&moves)), span.hours(dice.log_uniform(0.02, 3.0)));
    let level = plus(service(dice, span, &load), dice.log_uniform(0.05, 1.0), &there);
    leaking(dice, span, level, gone).busy(load)
}

/// A label has a new value in each instance of what is measured: each deploy of that makes all series anew, as they are used.
pub(super) fn cardinality(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let sums = integral(&load);
    let mut deploys = vec![0.0; span.samples];
    for _ in 0..dice.whole(4, 50) {
        deploys[when_busy(dice, &sums)] += libm::exp(0.5 * dice.normal());
    }
    let tau = span.hours(dice.log_uniform(0.05, 12.0)).max(1.0);
    let (mut unused, always) = (0.0, dice.log_uniform(1e-3, 1.0) / span.hours(24.0));
    let made = span.map(|i| {
        unused += deploys[i];
        let used = unused * (load[i] / tau).min(1.0);
        unused -= used;
        used + always * load[i]
    });
    let level = service(dice, span, &load);
    leaking(dice, span, level, made).busy(load)
}

/// Little, in a service that hardly ever does anything else.
pub(super) fn quiet(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = plus(flat(span), dice.log_uniform(0.002, 0.05), &load);
    let onset = if dice.chance(0.3) { 0 } else { span.somewhere(dice, 0.0, 0.6) };
    let height = mean(&level) * dice.uniform(0.08, 0.2);
    let leaked =
        if dice.chance(0.5) { times(ramp(span, onset), height) } else { summed(load.clone(), onset, height) };
    let shape = Shape::leaking(level, leaked, onset).ending(End::Own).busy(load);
    Shape { noise: (dice.log_uniform(0.1, 1.0), dice.uniform(0.0, 0.5)), ..shape }
}

/// Only old clients make it leak, and there are fewer of them by the day.
pub(super) fn fewer_clients(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let onset = if dice.chance(0.4) { 0 } else { span.somewhere(dice, 0.0, 0.6) };
    let (tau, left) = (dice.log_uniform(0.1, 1.0) * span.samples as f64, dice.uniform(0.03, 0.3));
    let old = span.map(|i| left + (1.0 - left) * libm::exp(-(i.saturating_sub(onset) as f64) / tau));
    let rate = product(&load, &old);
    let level = service(dice, span, &load);
    let height = mean(&level) * dice.log_uniform(0.1, HEIGHT.1);
    let leaked = summed(rate, onset, height);
    Shape::leaking(level, leaked, onset).busy(load)
}
