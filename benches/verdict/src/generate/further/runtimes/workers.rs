//! Programs of many processes, seen as one: workers are forked, grow, and are replaced.

use super::touched::Pages;
use crate::generate::further::demand::{demand, mean};
use crate::generate::{
    curves::{ages, flat, integral, plus, restarts},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Old workers of which so little is left have nothing to do any more.
const DRAINED: f64 = 0.02;

/// When each worker begins anew: after so many requests, about as many as there are in `period` samples.
pub(in crate::generate::further) fn forks(
    dice: &mut Dice,
    load: &[f64],
    workers: usize,
    period: f64,
) -> Vec<Vec<usize>> {
    let served = integral(load);
    let (per_life, differs) = (period.max(3.0) * mean(load), dice.uniform(0.02, 0.4));
    let most = served.last().copied().unwrap_or(0.0);
    let mut starts = vec![Vec::new(); workers];
    for starts in &mut starts {
        let mut due = 0.0;
        while due < most {
            due += per_life * (1.0 + differs * dice.normal()).max(0.3);
            starts.extend(Some(served.partition_point(|&served| served < due)).filter(|&at| at < load.len()));
        }
    }
    starts
}

/// Workers share all pages with their master at first, and write to one after the other: at least once a life, to most.
pub(super) fn unshared(dice: &mut Dice, span: &Span, load: &[f64], forks: &[Vec<usize>]) -> Vec<f64> {
    let (own, coldest) = (dice.uniform(0.05, 0.6), dice.log_uniform(0.5, 25.0));
    let forked = Pages::draw(dice, span, 3, (0.02, coldest));
    let per_worker = dice.log_uniform(0.3, 3.0) / forks.len() as f64;
    let mut all = flat(span);
    for lives in forks {
        let (mut pages, busy) = (forked.clone(), dice.uniform(0.3, 1.5));
        for ((all, load), (age, _)) in all.iter_mut().zip(load).zip(ages(span.samples, lives)) {
            if age == 0 {
                pages = forked.clone();
            }
            *all += per_worker * (own + pages.touch(busy * load));
        }
    }
    all
}

/// A master and workers of which each ends after so many requests; some never do.
pub(super) fn prefork(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let period = span.hours(dice.log_uniform(1.0, 200.0));
    let workers = dice.log_uniform(1.0, 20.0) as usize;
    let forks = forks(dice, load, workers, period);
    plus(unshared(dice, span, load, &forks), dice.uniform(0.0, 0.3), load)
}

pub(super) fn unsharing(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(prefork(dice, span, &load)).busy(load)
}

/// Lightweight processes, each of which is collected only after it has done much: all grow together from the start on, then
/// one here and one there is collected, until they are out of step.
pub(super) fn out_of_step(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let period = span.hours(dice.log_uniform(0.7, 30.0));
    let processes = dice.log_uniform(2.0, 60.0) as usize;
    let lives = forks(dice, load, processes, period);
    let served = integral(load);
    let (height, power) = (dice.log_uniform(0.25, 3.0), dice.uniform(0.5, 1.2));
    let per_life = 1.0 / (period.max(3.0) * mean(load));
    let mut held = vec![0.0; span.samples];
    for lives in &lives {
        let weighs = dice.exponential() / processes as f64;
        for (i, (age, _)) in ages(span.samples, lives).into_iter().enumerate() {
            held[i] += weighs * per_life * (served[i] - served[i - age]);
        }
    }
    held.iter_mut().for_each(|held| *held = libm::pow(*held, power));
    plus(plus(flat(span), height, &held), dice.uniform(0.0, 0.3), load)
}

pub(super) fn binaries(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(out_of_step(dice, span, &load)).busy(load)
}

/// When a configuration is loaded again: at any time, and often several times within minutes.
fn reloaded(dice: &mut Dice, span: &Span) -> Vec<usize> {
    let (often, flurry) = (dice.log_uniform(0.5, 40.0), dice.uniform(0.0, 0.7));
    restarts(span.samples, || {
        let soon = if dice.chance(flurry) { 0.1 } else { 1.0 };
        span.hours(often * soon * (0.3 + 0.7 * dice.exponential()))
    })
}

/// Each reload starts new workers; the old ones stay until their last connection ends, or until they are told to.
pub(super) fn reloads(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut level = plus(flat(span), dice.log_uniform(0.05, 0.8), &load);
    let stay = span.hours(dice.log_uniform(0.2, 12.0)).max(1.0);
    let longest = span.hours(dice.log_uniform(0.5, 24.0)).min(-libm::log(DRAINED) * stay);
    let (weighs, idle) = (dice.log_uniform(0.1, 1.0), dice.uniform(0.1, 0.9));
    for reload in reloaded(dice, span) {
        let connected = load[reload] * weighs;
        for (age, level) in level.iter_mut().skip(reload).take(longest as usize + 1).enumerate() {
            *level += connected * (idle + (1.0 - idle) * libm::exp(-(age as f64) / stay));
        }
    }
    Shape::benign(level).busy(load)
}
