//! Streams and batches: what waits for others, and what is kept for a window or for a job.

use super::bounds::{at_most, bounded_early, bounded_often};
use crate::generate::further::demand::{demand, mean, most, waiting};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::{kept, service};
use crate::generate::{
    curves::{flat, integral, plus, rise},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// By this share of the series a first outage has been as bad as any.
const FIRST: f64 = 0.5;
/// For so much of the time there is no room for more.
const OFTEN: f64 = 0.04;

/// What is to be sent waits while nobody takes it, up to a bound, and is sent as fast as can be afterwards.
pub(super) fn shipped(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let longest = dice.log_uniform(0.5, 15.0);
    let first = (span.somewhere(dice, 0.02, FIRST), span.hours(longest).max(2.0) as usize);
    let later = (0..dice.whole(0, 7)).map(|_| {
        let long = span.hours(longest * dice.uniform(0.05, 0.9)).max(1.0);
        (span.somewhere(dice, 0.0, 1.0), long as usize)
    });
    let outages: Vec<(usize, usize)> = [first].into_iter().chain(later).collect();
    let capacity = most(&load) * dice.log_uniform(1.05, 5.0);
    let left = bounded_early(waiting(&load, capacity, &outages));
    let bound = most(&left) * dice.uniform(0.3, 1.5);
    let left = at_most(left, bound);
    let level = plus(flat(span), dice.log_uniform(0.15, 3.0), &up_to_most(left));
    let level = plus(level, dice.log_uniform(0.02, 0.5), &load);
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(0.5, 1000.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// Keys gather in windows of one or more lengths until those close; what may come late keeps them for some time.
pub(super) fn windows(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut state = vec![0.0; span.samples];
    for _ in 0..dice.whole(1, 4) {
        let keys = window(dice, span, &load);
        state = plus(state, dice.uniform(0.2, 1.0), &up_to_most(keys));
    }
    let level = plus(flat(span), dice.log_uniform(0.1, 2.0), &state);
    let level = plus(level, dice.uniform(0.0, 0.3), &load);
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.5, 60.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// The different keys of the open window, and of the last one while it waits for what is late.
fn window(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let all = integral(load);
    let long = span.hours(dice.log_uniform(0.3, 30.0)).max(3.0);
    let (begins, late) = (dice.uniform(0.0, long), long * dice.uniform(0.0, 0.4));
    let keys = dice.log_uniform(0.1, 5.0) * long * mean(load);
    let seen = |from: f64, to: f64| 1.0 - libm::exp((all[span.at(from)] - all[span.at(to)]) / keys);
    span.map(|i| {
        let (at, since) = (i as f64, (i as f64 + begins) % long);
        let opened = at - since;
        let closed = if since < late { seen(opened - long, opened) } else { 0.0 };
        seen(opened, at) + closed
    })
}

/// A replica copies a snapshot, keeps all changes meanwhile and plays them afterwards; from then on it only follows.
pub(super) fn replica(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let begins = span.somewhere(dice, 0.0, 0.3);
    let copies = span.hours(dice.log_uniform(0.5, 24.0)).max(2.0);
    let changes: Vec<f64> =
        load.iter().enumerate().map(|(i, &rate)| if i < begins { 0.0 } else { rate }).collect();
    let capacity = most(&load) * dice.log_uniform(1.2, 4.0);
    let left = up_to_most(waiting(&changes, capacity, &[(begins, copies as usize)]));
    let fills = copies * dice.log_uniform(0.3, 1.5);
    let pages = rise(span, begins, fills);
    let level = plus(service(dice, span, &load), dice.log_uniform(0.05, 2.0), &pages);
    let level = plus(level, dice.log_uniform(0.1, 2.0), &left);
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(1.0, 500.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// A job that reads so much in so many samples, and then nothing for some.
struct Job {
    reads: f64,
    long: usize,
    idle: usize,
    lets_go: bool,
}

impl Job {
    fn draw(dice: &mut Dice, span: &Span, (long, idle, reused): (f64, f64, f64)) -> Self {
        Self {
            reads: libm::exp(0.6 * dice.normal()),
            long: span.hours(long * libm::exp(0.7 * dice.normal())).max(1.0) as usize,
            idle: span.hours(idle * dice.exponential()) as usize,
            lets_go: !dice.chance(reused),
        }
    }
}

/// Jobs cache what they read, some of it for the next; where there is no room, the oldest goes.
pub(super) fn partitions(dice: &mut Dice, span: &Span) -> Shape {
    let kind = (dice.log_uniform(0.1, 3.0), dice.log_uniform(0.2, 8.0), dice.uniform(0.0, 0.8));
    let room = dice.log_uniform(1.0, 10.0);
    let timeout = span.hours(dice.log_uniform(0.5, 40.0)) as usize;
    let (mut cached, mut load, mut there) = (0.0_f64, Vec::new(), Vec::new());
    while there.len() < span.samples {
        let job = Job::draw(dice, span, kind);
        there.extend((1..=job.long).map(|i| (cached + job.reads * i as f64 / job.long as f64).min(room)));
        cached = (cached + if job.lets_go { 0.0 } else { job.reads }).min(room);
        there.extend((0..job.idle).map(|i| if i < timeout { cached } else { 0.0 }));
        load.resize(load.len() + job.long, 1.0);
        load.resize(there.len(), dice.uniform(0.0, 0.1));
        cached = if job.idle > timeout { 0.0 } else { cached };
    }
    there.truncate(span.samples);
    let there = up_to_most(bounded_often(there, OFTEN));
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(0.5, 500.0)));
    let level = plus(flat(span), dice.log_uniform(0.15, 3.0), &kept(&there, share, tau));
    Shape::benign(level).busy(load)
}
