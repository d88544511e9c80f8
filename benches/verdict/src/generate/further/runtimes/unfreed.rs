//! What leaks in runtimes, and how much of it can be seen from outside.

use super::allocators::pinned_arenas;
use super::managed::{Tenured, tenured_heap, uncommitting_heap};
use super::threads::{pooled, thread_caches};
use super::touched::swapping;
use super::workers::{out_of_step, prefork};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::heaps::{kept, service};
use crate::generate::further::leaks::{HEIGHT, leaking, may_begin};
use crate::generate::{
    curves::{flat, integral, plus, restarts, summed, times, up_to_one, wander},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// A leak that its runtime hides is one as soon as it is seen: that has to be by this share of the series.
const SEEN: f64 = 0.7;
/// How much is to be seen of it in the end, as a share of the level.
const LEAST: f64 = 0.1;
/// What is not seen by then is twice as large, so often.
const TRIES: usize = 12;

/// What a program has in any runtime.
pub(in crate::generate::further) fn program(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    match dice.whole(0, 10) {
        0 => tenured_heap(dice, span, load),
        1 => uncommitting_heap(dice, span, load),
        2 => pinned_arenas(dice, span, load),
        3 => thread_caches(dice, span, load),
        4 => pooled(dice, span, load),
        5 => swapping(dice, span, load),
        6 => prefork(dice, span, load),
        7 => out_of_step(dice, span, load),
        _ => service(dice, span, load),
    }
}

/// A straight line to twice the level.
fn straight(level: &[f64]) -> Vec<f64> {
    let per_sample = mean(level) / level.len() as f64;
    (0..level.len()).map(|i| per_sample * i as f64).collect()
}

/// What leaks is hidden in what `resident` makes of it, a leak of so much: it begins where that is higher than `level`.
fn hidden(level: Vec<f64>, height: f64, resident: impl Fn(f64) -> Vec<f64>) -> Shape {
    let by = (SEEN * level.len() as f64) as usize;
    let enough = LEAST * mean(&level);
    let leaked = |height: f64| -> Vec<f64> {
        resident(height).iter().zip(&level).map(|(with, without)| (with - without).max(0.0)).collect()
    };
    let heights = (0..TRIES).map(|tries| height * libm::pow(2.0, tries as f64));
    let is_seen = |leaked: &Vec<f64>| {
        let end = mean(&leaked[leaked.len() - leaked.len() / 20 - 1..]);
        end >= enough && leaked[..by].iter().any(|leaked| *leaked > 0.0)
    };
    let leaked = heights.map(leaked).find(is_seen).unwrap_or_else(|| straight(&level));
    let onset = leaked.iter().position(|leaked| *leaked > 0.0).unwrap_or(0);
    Shape::leaking(level, leaked, onset).ending(End::Own)
}

/// Leaks go to the old generation: there is room for them, until a full collection leaves too little free.
pub(super) fn promoted(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let live = plus(flat(span), dice.uniform(0.0, 0.4), &load);
    let heap = Tenured::draw(dice, span, &load).unbounded();
    let leaks = summed(load.clone(), may_begin(dice, span), 1.0);
    let height = dice.log_uniform(0.2, 3.0);
    let level = heap.resident(&live, &load);
    hidden(level, height, |height| heap.resident(&plus(live.clone(), height, &leaks), &load)).busy(load)
}

/// A job of a few times a day calls into C: what that leaks lies in the memory of its last peak, and raises the next one.
pub(super) fn extension(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (often, long) = (dice.log_uniform(0.5, 13.0), dice.log_uniform(0.02, 0.5));
    let runs = restarts(span.samples, || span.hours(often * dice.uniform(0.7, 1.3)));
    let (needs, differs) = (dice.log_uniform(0.05, 1.0), dice.uniform(0.0, 0.25));
    let mut live = plus(flat(span), dice.uniform(0.0, 0.4), &load);
    let mut leaks = vec![0.0; span.samples];
    let (clean, lasts) = (may_begin(dice, span), span.hours(often * long).max(2.0) as usize);
    for &run in &runs {
        let needs = needs * (1.0 + differs * dice.normal()).max(0.2);
        live.iter_mut().skip(run).take(lasts).for_each(|live| *live += needs);
        leaks[span.at((run + lasts) as f64)] += if run >= clean { dice.uniform(0.3, 1.7) } else { 0.0 };
    }
    let leaks = up_to_one(integral(&leaks));
    let (share, tau) = (dice.uniform(0.0, 1.0), span.hours(dice.log_uniform(1.0, 1000.0)));
    let level = kept(&live, share, tau);
    let height = mean(&level) * dice.log_uniform(0.1, 1.5);
    hidden(level, height, |height| kept(&plus(live.clone(), height, &leaks), share, tau)).busy(load)
}

/// Memory that no collector knows of, on a path that is busy at times, in the chunks that an allocator gets.
pub(super) fn native(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (tau, bursty) = (span.hours(dice.log_uniform(0.3, 20.0)), dice.uniform(0.0, 1.5));
    let path = wander(dice, span.samples, tau.max(1.0), bursty);
    let lost = load.iter().zip(path).map(|(load, path)| load * libm::exp(path)).collect();
    let lost = summed(lost, may_begin(dice, span), 1.0);
    let (chunks, begun) = (dice.log_uniform(8.0, 400.0), dice.uniform(0.0, 1.0));
    let chunked: Vec<f64> = lost.iter().map(|lost| libm::floor(lost * chunks + begun) / chunks).collect();
    let height = mean(&level) * dice.log_uniform(HEIGHT.0 * 1.3, HEIGHT.1);
    let onset = chunked.iter().position(|lost| *lost > 0.0).unwrap_or(0);
    Shape::leaking(level, times(chunked, height), onset).busy(load)
}

/// Each redeployment within the process loads all classes again, and something still refers to those of the last.
pub(super) fn class_loaders(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (often, differs) = (dice.log_uniform(1.5, 15.0), dice.uniform(0.0, 1.0));
    let deployed = restarts(span.samples, || span.hours(often * (0.2 + dice.exponential())));
    let mut classes = vec![0.0; span.samples];
    for at in [span.somewhere(dice, 0.0, 0.4)].into_iter().chain(deployed) {
        classes[at] += libm::exp(differs * dice.normal());
    }
    let (warm, mut not_yet) = (span.hours(dice.log_uniform(0.02, 6.0)).max(1.0), 0.0);
    let rate = classes.iter().map(|classes| {
        not_yet += classes;
        let loaded = not_yet / warm;
        not_yet -= loaded;
        loaded
    });
    let rate = rate.collect();
    leaking(dice, span, level, rate).busy(load)
}
