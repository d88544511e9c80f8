//! What waits, and what is held until it is complete.

use super::{FULL, Fill, beside, close};
use crate::generate::further::demand::{Calendar, demand, demand_of, mean, most, present};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::{kept, service};
use crate::generate::{
    curves::{plus, restarts, saturate},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A consumer is slower than those who send for some hours a day, and they wait once the queue is full.
pub(super) fn slow_consumer(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let (takes, slow) = (most(&load) * dice.uniform(1.0, 2.0), mean(&load) * dice.uniform(0.0, 0.8));
    let excess: Vec<f64> = load.iter().map(|load| (load - slow).max(0.0)).collect();
    let bound = fill.room(&excess);
    let recovers = fill.ends as f64 + span.hours(dice.log_uniform(0.1, 100.0));
    let mut waits = 0.0_f64;
    let queue = load.iter().enumerate().map(|(i, load)| {
        let is_slow = i >= fill.begins && (i as f64) < recovers;
        waits = (waits + load - if is_slow { slow } else { takes }).clamp(0.0, bound);
        waits / bound
    });
    let queue: Vec<f64> = queue.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 3.0));
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(0.5, 1000.0)));
    close(dice, kept(&plus(level, height, &queue), share, tau)).busy(load)
}

/// A batch holds all of its rows until it is written; each is of another size, and there is one of the largest at the beginning.
pub(super) fn batches(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let every = dice.log_uniform(0.5, 30.0);
    let (reads, differs) = (every * dice.uniform(0.2, 0.95), dice.uniform(0.2, 1.2));
    let mut held = vec![0.0; span.samples];
    let (mut busy, first) = (held.clone(), span.somewhere(dice, 0.0, 0.3));
    let later = restarts(span.samples, || span.hours(every * dice.uniform(0.9, 1.3)));
    for at in [first].into_iter().chain(later.into_iter().filter(|&at| at > first)) {
        let size = if at == first { 1.0 } else { libm::exp(-differs * dice.exponential()) };
        let (long, writes) = (span.hours(reads * size), span.hours(reads * dice.log_uniform(0.01, 0.3)));
        for (i, (held, busy)) in held.iter_mut().zip(&mut busy).skip(at).enumerate() {
            let (read, written) = (i as f64 / long.max(1.0), (i as f64 - long) / writes.max(1.0));
            if written >= 1.0 {
                break;
            }
            (*held, *busy) = (size * read.min(1.0), 1.0);
        }
    }
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 3.0));
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.5, 100.0)));
    let load = plus(load, dice.uniform(0.1, 2.0), &busy);
    close(dice, kept(&plus(level, height, &held), share, tau)).busy(load)
}

/// Uploads are held until they are complete: slow ones for hours, and all at once no more than so many bytes.
pub(super) fn uploads(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (often, slow) = (span.hours(dice.log_uniform(0.02, 1.5)).max(1.0), dice.log_uniform(0.1, 8.0));
    let (mut held, differs) = (vec![0.0; span.samples], dice.uniform(0.3, 1.3));
    let mut next = 0.0;
    for (at, load) in load.iter().enumerate() {
        next -= load / often;
        if next < 0.0 {
            next = dice.exponential();
            let size = libm::exp(differs * dice.normal());
            let long = span.hours(slow * size * dice.log_uniform(0.3, 3.0)).max(1.0);
            let uploaded = held.iter_mut().skip(at).take(long as usize).enumerate();
            uploaded.for_each(|(i, held)| *held += size * (i + 1) as f64 / long);
        }
    }
    let early = (FULL * span.samples as f64) as usize;
    let bound = most(&held[..early]).max(f64::MIN_POSITIVE) * dice.uniform(0.4, 1.0);
    let held: Vec<f64> = held.iter().map(|held| held.min(bound) / bound).collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5));
    close(dice, plus(level, height, &held)).busy(load)
}

/// A store does not answer: what is changed is kept here, a key once, until all keys are or there is no more room; then it
/// is written in the background.
pub(super) fn write_behind(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let (come, keys) = (fill.come(&load), dice.log_uniform(0.2, 5.0));
    let answers = fill.ends as f64 + span.hours(dice.log_uniform(0.01, 40.0));
    let writes = 1.0 / span.hours(dice.log_uniform(0.05, 20.0)).max(1.0);
    let full = saturate(1.0, keys);
    let mut left = 0.0_f64;
    let dirty = come.iter().enumerate().map(|(i, come)| {
        let waits = i >= fill.begins && (i as f64) < answers;
        let all = saturate(*come, keys) / full;
        left = if waits { all.min(1.0) } else { (left - writes).max(0.0) };
        left
    });
    let dirty: Vec<f64> = dirty.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 3.0));
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(0.5, 500.0)));
    close(dice, kept(&plus(level, height, &dirty), share, tau)).busy(load)
}

/// Streams are watched through an evening, each with a buffer that grows to its bound while it is open.
pub(super) fn long_streams(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let load = demand_of(dice, span, &calendar);
    let (prime, sharp) = (dice.uniform(17.0, 22.0), dice.log_uniform(0.5, 4.0));
    let evenings: Vec<f64> = (0..calendar.dates(span) + 1).map(|_| dice.uniform(0.75, 1.0)).collect();
    let opened = span.map(|i| {
        let off = (calendar.hour(i) - prime + 36.0) % 24.0 - 12.0;
        evenings[calendar.date(i).min(evenings.len() - 1)] * libm::exp(-off * off / (2.0 * sharp * sharp))
    });
    let (stays, fills) = (dice.log_uniform(0.3, 5.0), dice.uniform(0.05, 1.0));
    let open = present(&opened, span.hours(stays));
    let young = present(&opened, span.hours(stays * fills));
    // A buffer that fills holds half as much, by the mean, as one that is full.
    let buffers = up_to_most(plus(open, -0.5 * fills, &young));
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 3.0));
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.5, 100.0)));
    close(dice, kept(&plus(level, height, &buffers), share, tau)).busy(plus(load, 1.0, &opened))
}
