//! What fills, and is full or complete before the end.

use super::demand::{demand, most};
use super::lru::{Asked, Lru};
use crate::generate::{
    curves::{flat, plus, rise, times},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// When what fills is full, as a share of all that comes.
const FULL: (f64, f64) = (0.03, 0.6);
/// The share of the series by which what fills for less and less has come to rest.
const SETTLED: f64 = 0.65;
/// How much of all its growth it may still have ahead of it then.
const REST: f64 = 0.06;
/// The fill is drawn again if it comes to no rest, at most so often.
const TRIES: usize = 40;

/// Whether it hardly grows any more once the most of the series is over.
fn is_settled(fill: &[f64]) -> bool {
    let settled = &fill[..(SETTLED * fill.len() as f64) as usize];
    most(fill) - most(settled) <= REST * most(fill)
}

/// A fill up to 1 that has come to rest in time; if none does, it was full from the first on.
fn settling(dice: &mut Dice, span: &Span, fill: impl FnMut(&mut Dice) -> Vec<f64>) -> Vec<f64> {
    up_to_most(at_rest(dice, span, fill))
}

/// The same as it is.
pub(super) fn at_rest(
    dice: &mut Dice,
    span: &Span,
    mut level: impl FnMut(&mut Dice) -> Vec<f64>,
) -> Vec<f64> {
    (0..TRIES).map(|_| level(dice)).find(|level| is_settled(level)).unwrap_or_else(|| flat(span))
}

/// The same, scaled to a maximum of 1.
pub(super) fn up_to_most(of: Vec<f64>) -> Vec<f64> {
    let factor = 1.0 / most(&of).max(f64::MIN_POSITIVE);
    times(of, factor)
}

/// What a cache of all that was ever asked for weighs.
pub(super) fn all_asked(
    dice: &mut Dice,
    load: &[f64],
    keys: usize,
    (asks, exponent): (f64, f64),
) -> Vec<f64> {
    let asked = Asked::draw(dice, load, (asks * keys as f64) as usize, keys, exponent);
    let spread = dice.uniform(0.0, 1.0);
    let mut cache = Lru::new(dice, keys, spread);
    let weights = asked.samples().map(|keys| {
        keys.iter().for_each(|&key| cache.ask(key));
        cache.weight
    });
    weights.collect()
}

/// A full cache goes on to change: by the sizes of what comes and goes.
pub(super) fn lru(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = bounded(dice, &load);
    let level = plus(flat(span), dice.log_uniform(0.15, 3.0), &fill);
    Shape::benign(plus(level, dice.uniform(0.0, 0.3), &load)).busy(load)
}

/// A cache that is full after some of what is asked for, up to 1.
pub(super) fn bounded(dice: &mut Dice, load: &[f64]) -> Vec<f64> {
    let keys = dice.log_uniform(3e3, 2e5) as usize;
    let (asks, exponent) = (dice.log_uniform(3e4, 2e5) as usize, dice.uniform(0.5, 1.2));
    let asked = Asked::draw(dice, load, asks, keys, exponent);
    let full = (dice.log_uniform(FULL.0, FULL.1) * load.len() as f64) as usize;
    let spread = dice.uniform(0.1, 1.0);
    let mut cache = Lru::new(dice, keys, spread);
    let mut room = usize::MAX;
    let weights = asked.samples().enumerate().map(|(i, keys)| {
        keys.iter().for_each(|&key| cache.ask(key));
        if i == full {
            room = cache.entries();
        }
        cache.keep(room);
        cache.weight
    });
    up_to_most(weights.collect())
}

/// Each thing is looked up once and kept: popular ones soon, others later, until there are no others.
pub(super) fn catalog(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = settling(dice, span, |dice| {
        let (keys, asks) = (dice.log_uniform(200.0, 5000.0) as usize, dice.log_uniform(5.0, 30.0));
        let exponent = dice.uniform(0.2, 0.9);
        all_asked(dice, &load, keys, (asks, exponent))
    });
    let level = plus(flat(span), dice.log_uniform(0.08, 1.5), &fill);
    Shape::benign(plus(level, dice.uniform(0.0, 0.2), &load)).busy(load)
}

/// Pages stay once they are touched; where others need memory, those go that were not touched for longest.
pub(super) fn mapped(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = settling(dice, span, |dice| touched(dice, &load));
    let level = plus(flat(span), dice.log_uniform(0.1, 2.5), &fill);
    Shape::benign(plus(level, dice.uniform(0.0, 0.15), &load)).busy(load)
}

fn touched(dice: &mut Dice, load: &[f64]) -> Vec<f64> {
    let keys = dice.log_uniform(1e3, 1e4) as usize;
    let (asks, exponent) = (keys as f64 * dice.log_uniform(4.0, 15.0), dice.uniform(0.0, 0.7));
    let asked = Asked::draw(dice, load, asks as usize, keys, exponent);
    let pressed: Vec<(usize, f64)> = (0..dice.whole(0, 4))
        .map(|_| ((dice.uniform(0.05, 0.5) * load.len() as f64) as usize, dice.uniform(0.2, 0.9)))
        .collect();
    let mut cache = Lru::new(dice, keys, 0.0);
    let weights = asked.samples().enumerate().map(|(i, keys)| {
        keys.iter().for_each(|&key| cache.ask(key));
        for (_, left) in pressed.iter().filter(|(at, _)| *at == i) {
            cache.keep((left * cache.entries() as f64) as usize);
        }
        cache.weight
    });
    weights.collect()
}

/// Shards come and go, some hours each, and bring their share of the load.
pub(super) fn rebalance(dice: &mut Dice, span: &Span) -> Shape {
    let mut shards = times(flat(span), dice.uniform(0.5, 1.2));
    for _ in 0..dice.whole(2, 9) {
        let begins = span.somewhere(dice, 0.01, 0.6);
        let long = span.hours(dice.log_uniform(0.1, 7.0));
        shards = plus(shards, dice.uniform(-0.4, 0.45), &rise(span, begins, long));
    }
    let load: Vec<f64> =
        demand(dice, span).iter().zip(&shards).map(|(load, shards)| load * shards.max(0.1)).collect();
    let (of_shards, of_load) = (dice.uniform(0.1, 1.0), dice.uniform(0.0, 0.8));
    let level = span.map(|i| 1.0 + of_shards * shards[i].max(0.1) + of_load * load[i]);
    Shape::benign(level).busy(load)
}
