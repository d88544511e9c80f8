//! Stores in memory: what they hold is written, expires, is replaced or is built anew.

use super::bounds::{at_most, bounded_early};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::kept;
use crate::generate::{
    curves::{ages, flat, integral, plus, record, restarts, saturate, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Hours that the longest-lived keys live.
const LONGEST: f64 = 40.0;

/// What `rate` has written for the last `ttl` samples of each life: about 1.
fn written(rate: &[f64], ttl: f64, lives: &[usize]) -> Vec<f64> {
    let (all, ttl) = (integral(rate), ttl.max(1.0) as usize);
    let scale = 1.0 / (ttl as f64 * mean(rate));
    let ages = ages(rate.len(), lives).into_iter().enumerate();
    ages.map(|(i, (age, _))| scale * (all[i] - all[i - age.min(ttl)])).collect()
}

/// Keys of several kinds, each of which expires after its time; in some a bound evicts them before. A restart loses them all,
/// or reads them back from a snapshot at once.
pub(super) fn expiring_keys(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let often = dice.log_uniform(25.0, 150.0) * dice.pick(&[1.0, 100.0]);
    let lives = restarts(span.samples, || span.hours(often * dice.uniform(0.6, 1.4)));
    let lost: &[usize] = if dice.chance(0.7) { &lives } else { &[] };
    let mut keys = vec![0.0; span.samples];
    for _ in 0..dice.whole(1, 4) {
        let (ttl, weight) = (span.hours(dice.log_uniform(0.2, LONGEST)), dice.uniform(0.1, 1.0));
        keys = plus(keys, weight, &written(&load, ttl, lost));
    }
    if dice.chance(0.5) {
        let bulk = loads(dice, span);
        let ttl = span.hours(dice.log_uniform(1.0, LONGEST));
        keys = plus(keys, dice.log_uniform(0.05, 1.5), &written(&bulk, ttl, lost));
    }
    let bound = mean(&keys) * dice.log_uniform(0.7, 3.0);
    let keys = up_to_most(at_most(keys, bound));
    let level = plus(flat(span), dice.log_uniform(0.15, 4.0), &keys);
    let (share, tau) = (dice.uniform(0.0, 0.6), span.hours(dice.log_uniform(1.0, 300.0)));
    Shape::benign(kept(&level, share, tau)).busy(load).deploying(lives)
}

/// Bulk loads, some hours apart, each of which writes as much as the others.
fn loads(dice: &mut Dice, span: &Span) -> Vec<f64> {
    let (every, long) = (span.hours(dice.log_uniform(4.0, 26.0)), span.hours(dice.log_uniform(0.1, 3.0)));
    let begins = dice.uniform(0.0, every);
    span.map(|i| f64::from((i as f64 + begins) % every.max(2.0) < long.max(1.0)))
}

/// Pages go to the class of sizes that needs them first, and stay with it: sizes go on to change until no page is left.
pub(super) fn slabs(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let stored = written(&load, span.hours(dice.log_uniform(0.5, 30.0)), &[]);
    let (classes, page) = (dice.whole(2, 11), dice.log_uniform(0.01, 0.6));
    let (tau, spread) = (span.hours(dice.log_uniform(2.0, 50.0)).max(1.0), dice.uniform(0.1, 0.8));
    let mut pages = vec![0.0; span.samples];
    for _ in 0..classes {
        let mix = wander(dice, span.samples, tau, spread);
        let weight = libm::exp(dice.normal());
        let items: Vec<f64> =
            stored.iter().zip(&mix).map(|(stored, mix)| weight * stored * libm::exp(*mix)).collect();
        let taken: Vec<f64> = record(&items).iter().map(|items| page * (items / page).ceil()).collect();
        pages = plus(pages, 1.0, &taken);
    }
    let pages = up_to_most(bounded_early(pages));
    let level = plus(flat(span), dice.log_uniform(0.15, 3.0), &pages);
    Shape::benign(plus(level, dice.uniform(0.0, 0.2), &load)).busy(load)
}

/// So many entries and no more, each replaced in its time: releases store more in each, or less.
pub(super) fn larger_entries(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let releases: Vec<(usize, f64)> = (0..dice.whole(1, 4))
        .map(|_| (span.somewhere(dice, 0.02, 0.45), libm::exp(0.25 + 0.4 * dice.normal())))
        .collect();
    let turnover = span.hours(dice.log_uniform(0.3, 12.0)).max(1.0) * mean(&load);
    let fills = if dice.chance(0.5) { span.hours(dice.log_uniform(0.5, 20.0)) } else { 1.0 };
    let (mut written, mut size) = (1.0, 1.0);
    let cache = span.map(|i| {
        releases.iter().filter(|(at, _)| *at == i).for_each(|(_, grows)| written *= grows);
        size += (written - size) * (load[i] / turnover).min(1.0);
        size * (i as f64 / fills).min(1.0)
    });
    let level = plus(flat(span), dice.log_uniform(0.2, 2.0), &cache);
    Shape::benign(plus(level, dice.uniform(0.0, 0.3), &load)).busy(load)
}

/// An index is built beside the one that serves, takes its place, and is warmed by what asks for it.
pub(super) fn reindexed(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let every = span.hours(dice.log_uniform(1.5, 36.0)).max(4.0);
    let builds = restarts(span.samples, || every * dice.uniform(0.85, 1.15));
    let takes = every * dice.log_uniform(0.03, 0.8);
    let (differs, power) = (dice.uniform(0.0, 0.1), dice.log_uniform(0.4, 2.0));
    let sizes: Vec<f64> = (0..builds.len() + 2).map(|_| 1.0 + differs * dice.normal()).collect();
    let (warms, tau) = (dice.uniform(0.0, 0.7), every * dice.log_uniform(0.02, 0.5));
    let index = ages(span.samples, &builds).into_iter().map(|(age, number)| {
        let age = age as f64;
        let (serves, is_built) = if age < takes { (number, age / takes) } else { (number + 1, 0.0) };
        let since = if age < takes { age + every - takes } else { age - takes };
        let warm = warms * saturate(since, tau);
        sizes[serves] * (1.0 + warm) + sizes[number + 1] * libm::pow(is_built, power)
    });
    let level = plus(flat(span), dice.log_uniform(0.1, 1.5), &index.collect::<Vec<f64>>());
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.5, 100.0)));
    Shape::benign(kept(&plus(level, dice.uniform(0.0, 0.3), &load), share, tau)).busy(load)
}
