//! Storage engines: what is written gathers in memory, is cut, merged and copied.

use super::bounds::bounded_early;
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::fills::{bounded, up_to_most};
use crate::generate::further::heaps::{collected, cycles, kept};
use crate::generate::{
    curves::{flat, integral, plus, saturate, times, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Hours after which all that gathers has been merged once.
const ALL_MERGED: f64 = 36.0;

/// Samples gather in the head until a block is cut; series that have ended stay in it until the cut after the next.
pub(super) fn head_block(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let cut = span.hours(dice.pick(&[1.0, 2.0, 2.0, 2.0, 6.0, 12.0])).max(2.0);
    let begins = dice.uniform(0.0, cut);
    let since_cut = |i: usize| (i as f64 + begins) % cut;
    let mut series = flat(span);
    for _ in 0..dice.whole(2, 40) {
        let (at, new) = (span.somewhere(dice, 0.0, 1.0), dice.log_uniform(0.03, 0.5));
        let stay = (dice.whole(1, 4) as f64 * cut - since_cut(at)).max(1.0);
        series.iter_mut().skip(at).take(stay as usize).for_each(|series| *series += new);
    }
    let (of_series, of_samples) = (dice.log_uniform(0.1, 1.5), dice.log_uniform(0.05, 1.0));
    let (cuts, cutting) = (dice.uniform(0.0, 0.4), cut * dice.uniform(0.02, 0.2));
    let live = span.map(|i| {
        let is_cut = f64::from(since_cut(i) < cutting);
        1.0 + series[i] * (of_series + of_samples * since_cut(i) / cut + cuts * is_cut)
    });
    let live = plus(live, dice.uniform(0.0, 0.4), &load);
    let (slack, period) = (dice.uniform(0.0, 0.7), span.hours(dice.log_uniform(0.02, 1.0)));
    Shape::benign(collected(&live, slack, &cycles(dice, &load, period))).busy(load)
}

/// So many tables are merged into one, and so many of those again: filters and indexes of each are in memory, and what a
/// merge finds twice it drops.
pub(super) fn compactions(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let tables = up_to_most(tables(dice, span, &load));
    let mut level = plus(flat(span), dice.log_uniform(0.1, 1.5), &tables);
    if dice.chance(0.4) {
        level = plus(level, dice.log_uniform(0.1, 1.0), &bounded(dice, &load));
    }
    let (share, tau) = (dice.uniform(0.0, 0.7), span.hours(dice.log_uniform(0.5, 50.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// What the tables of all levels weigh, where a flush comes after so much load.
fn tables(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let (fan, hours) = (dice.whole(2, 9), dice.log_uniform(0.05, 4.0));
    let flush = span.hours(hours).max(2.0);
    let per_load = 1.0 / (mean(load) * flush);
    let levels = libm::log(span.hours(ALL_MERGED) / flush) / libm::log(fan as f64);
    let merged: Vec<usize> = (0..levels.max(1.0) as u32).map(|level| fan.pow(level)).collect();
    let (differs, begins) = (dice.uniform(0.2, 0.9), dice.uniform(0.0, 1e4));
    let weight = |flushes: f64| {
        let there = |merged: usize| ((flushes as usize / merged) % fan) as f64;
        let weights = merged.iter().map(|&merged| there(merged) * libm::pow(merged as f64, differs));
        flushes.fract() + weights.sum::<f64>()
    };
    integral(load).into_iter().map(|sum| weight(begins + per_load * sum)).collect()
}

/// A child writes all to disk: pages that are written to meanwhile are there twice, until it ends.
pub(super) fn snapshots(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let every = span.hours(dice.log_uniform(0.5, 26.0)).max(3.0);
    let (takes, begins) = (every * dice.log_uniform(0.03, 0.7), dice.uniform(0.0, every));
    let few = dice.log_uniform(0.1, 5.0) * takes.max(1.0) * mean(&load);
    let mut writes = 0.0;
    let copied = span.map(|i| {
        let is_saved = (i as f64 + begins) % every < takes;
        writes = if is_saved { writes + load[i] } else { 0.0 };
        saturate(writes, few)
    });
    let held = times(bounded(dice, &load), dice.uniform(0.0, 1.5));
    let level = plus(plus(flat(span), 1.0, &held), dice.log_uniform(0.1, 1.5), &copied);
    Shape::benign(plus(level, dice.uniform(0.0, 0.3), &load)).busy(load)
}

/// What asks here differs by the hour and by the day, and so does what it takes: a level that wanders, up to a bound.
pub(super) fn mixed_queries(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut wanders = vec![0.0; span.samples];
    for _ in 0..dice.whole(1, 3) {
        let (tau, strength) = (span.hours(dice.log_uniform(0.5, 36.0)), dice.log_uniform(0.04, 0.4));
        wanders = plus(wanders, 1.0, &wander(dice, span.samples, tau.max(1.0), strength));
    }
    let held: Vec<f64> = wanders.iter().map(|wanders| libm::exp(*wanders)).collect();
    let level = plus(flat(span), dice.log_uniform(0.2, 2.0), &bounded_early(held));
    Shape::benign(plus(level, dice.uniform(0.0, 0.3), &load)).busy(load)
}
