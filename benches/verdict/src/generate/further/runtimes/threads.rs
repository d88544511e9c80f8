//! Threads, each of which has a stack and a cache of its own.

use crate::generate::further::demand::{demand, mean, most};
use crate::generate::further::fills::at_rest;
use crate::generate::further::heaps::kept;
use crate::generate::{
    curves::{flat, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// By then the worst has been seen that a bound was set for.
const SEEN: f64 = 0.6;

/// Each thread keeps a cache for the largest that it ever had to do, and seldom gets the largest there is.
pub(super) fn thread_caches(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let (threads, asks) = (dice.log_uniform(2.0, 80.0), dice.log_uniform(150.0, 3e4));
    let (tail, largest, uneven) =
        (dice.uniform(0.5, 2.5), dice.log_uniform(5.0, 300.0), dice.uniform(1.0, 3.0));
    let (mut caches, mut all, mut due) = (vec![0.0_f64; threads as usize], 0.0, 0.0);
    let per_load = asks / (mean(load) * load.len() as f64);
    let filled = load.iter().map(|load| {
        due += per_load * load;
        for _ in 0..due as usize {
            let thread = libm::pow(dice.uniform(0.0, 1.0), uneven) * threads.floor();
            let size = libm::exp(dice.exponential() / tail).min(largest);
            let cache = &mut caches[thread as usize];
            all += (size - *cache).max(0.0);
            *cache = cache.max(size);
        }
        due = due.fract();
        all
    });
    let filled: Vec<f64> = filled.collect();
    let height = dice.log_uniform(0.1, 2.0) / most(&filled).max(1.0);
    plus(plus(flat(span), height, &filled), dice.uniform(0.0, 0.3), load)
}

pub(super) fn per_thread(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(at_rest(dice, span, |dice| thread_caches(dice, span, &load))).busy(load)
}

/// A pool starts a thread where all are busy, up to a maximum, and ends those long idle, if at all: slow hours fill it.
pub(super) fn pooled(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let mut busy = load.to_vec();
    for _ in 0..dice.poisson(6.0) {
        let (begins, long) = (span.somewhere(dice, 0.0, 1.0), span.hours(dice.log_uniform(0.03, 3.0)));
        let slower = dice.log_uniform(1.2, 8.0);
        busy.iter_mut().skip(begins).take(long.ceil() as usize).for_each(|busy| *busy *= slower);
    }
    let seen = most(&busy[..(SEEN * busy.len() as f64) as usize]);
    let (threads, largest) = (dice.log_uniform(4.0, 300.0), dice.uniform(0.5, 1.0) * seen);
    let idle = span.hours(dice.log_uniform(0.05, 1000.0));
    let pool = kept(&busy.iter().map(|busy| busy.min(largest)).collect::<Vec<_>>(), 1.0, idle);
    let pool: Vec<f64> = pool.iter().map(|pool| libm::ceil(pool * threads / largest) / threads).collect();
    plus(plus(flat(span), dice.log_uniform(0.1, 2.0), &pool), dice.uniform(0.0, 0.2), load)
}

pub(super) fn pool(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(pooled(dice, span, &load)).busy(load)
}
