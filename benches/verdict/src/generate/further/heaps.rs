//! Allocators and collectors, which keep what they might need again; none of it leaks.

use super::demand::{demand, mean};
use crate::generate::{
    curves::{flat, integral, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// What ends for good has ended by this share of the series.
const SETTLED: f64 = 0.65;

/// What an allocator has that keeps a share of what was used once, and gives that back within `tau` samples, one at least, if
/// at all.
pub(super) fn kept(live: &[f64], share: f64, tau: f64) -> Vec<f64> {
    let (mut top, tau) = (0.0_f64, tau.max(1.0));
    live.iter()
        .map(|&live| {
            top = live.max(top - (top - live) / tau);
            live + share * (top - live)
        })
        .collect()
}

/// How far a collector is on its way to the next collection, 0 to 1: it goes by what is allocated, which goes by `load`.
pub(super) fn cycles(dice: &mut Dice, load: &[f64], period: f64) -> Vec<f64> {
    let per_load = 1.0 / (mean(load) * period.max(2.0));
    let begins = dice.uniform(0.0, 1.0);
    integral(load).into_iter().map(|sum| (begins + per_load * sum).fract()).collect()
}

/// A heap of `live` memory that may grow by the share `slack` until it is collected.
pub(super) fn collected(live: &[f64], slack: f64, cycles: &[f64]) -> Vec<f64> {
    live.iter().zip(cycles).map(|(live, done)| live * (1.0 + slack * done)).collect()
}

/// What a service has that doesn't leak, of which a share follows `load`, in any of several runtimes.
pub(super) fn service(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let live = plus(flat(span), dice.log_uniform(0.02, 0.7), load);
    match dice.whole(0, 4) {
        0 => live,
        1 | 2 => {
            let (share, tau) = (dice.uniform(0.1, 0.95), span.hours(dice.log_uniform(1.0, 1000.0)));
            kept(&live, share, tau)
        }
        _ => {
            let (slack, period) = (dice.uniform(0.1, 1.0), span.hours(dice.log_uniform(0.02, 12.0)));
            collected(&live, slack, &cycles(dice, load, period))
        }
    }
}

/// Memory of peaks, some of which stays with the process: it rises where a day has a higher peak than all before.
pub(super) fn ratchet(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let live = plus(flat(span), dice.uniform(0.2, 2.0), &load);
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(1.0, 5000.0)));
    Shape::benign(kept(&live, share, tau)).busy(load)
}

/// The next collection comes when the heap has grown by a share of what survived the last.
pub(super) fn paced(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let live = plus(flat(span), dice.uniform(0.1, 0.8), &load);
    let (slack, period) = (dice.pick(&[0.25, 0.5, 1.0, 1.0, 2.0]), span.hours(dice.log_uniform(0.01, 20.0)));
    Shape::benign(collected(&live, slack, &cycles(dice, &load, period))).busy(load)
}

/// A heap that starts small and is let grow after each collection, by less and less as it nears its maximum.
pub(super) fn generations(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let period = span.hours(dice.log_uniform(0.2, 6.0));
    let done = cycles(dice, &load, period);
    let (first, all, grows) = (dice.uniform(0.1, 0.8), dice.uniform(0.8, 2.5), dice.uniform(0.15, 0.5));
    let gives_back = dice.chance(0.6);
    let (mut room, mut before) = (first, 0.0);
    let garbage = done.iter().map(|&done| {
        if done < before {
            room += grows * (all - room);
        }
        before = done;
        if gives_back { room * done } else { room }
    });
    let garbage: Vec<f64> = garbage.collect();
    let live = plus(flat(span), dice.uniform(0.0, 0.3), &load);
    Shape::benign(plus(live, 1.0, &garbage)).busy(load)
}

/// Up to three incidents, each of which needs much for a while; the allocator keeps most of it.
pub(super) fn incidents(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut live = plus(flat(span), dice.uniform(0.05, 0.5), &load);
    for _ in 0..dice.whole(1, 4) {
        let (begins, height) = (span.somewhere(dice, 0.03, SETTLED), dice.uniform(0.2, 1.5));
        let long = span.hours(dice.log_uniform(0.1, 5.0)).max(2.0);
        for (i, live) in live.iter_mut().skip(begins).take(long as usize).enumerate() {
            *live += height * libm::sin(std::f64::consts::PI * i as f64 / long);
        }
    }
    let (share, tau) = (dice.uniform(0.3, 0.95), span.hours(dice.log_uniform(24.0, 10_000.0)));
    Shape::benign(kept(&live, share, tau)).busy(load)
}

/// An allocator that caches a block for the largest batch of each kind: steps that get rarer, for kinds run out.
pub(super) fn largest_batch(dice: &mut Dice, span: &Span) -> Shape {
    let kinds = dice.whole(5, 30);
    let mut blocks = vec![0.0; span.samples];
    for _ in 0..kinds {
        let first = dice.exponential() * dice.log_uniform(0.005, 0.3);
        if first < SETTLED {
            blocks[span.at(first * span.samples as f64)] += dice.uniform(0.02, 1.5) / kinds as f64;
        }
    }
    let load = demand(dice, span);
    let live = plus(flat(span), dice.uniform(0.0, 0.1), &load);
    Shape::benign(plus(live, 1.0, &integral(&blocks))).busy(load)
}

/// Workers that grow with each request, and are replaced after so many: they seldom are all at once.
pub(super) fn recycled(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (workers, height) = (dice.whole(1, 12), dice.uniform(0.1, 1.5));
    let longest = span.hours(dice.log_uniform(1.0, 14.0));
    let mut level = flat(span);
    for _ in 0..workers {
        let period = longest * dice.uniform(0.5, 1.0);
        let grown = cycles(dice, &load, period);
        level = plus(level, height / workers as f64, &grown);
    }
    Shape::benign(level).busy(load)
}
