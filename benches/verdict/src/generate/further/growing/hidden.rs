//! What leaks under load, in strong noise, and beneath what a collector or an allocator does.

use super::{from_birth, seen};
use crate::generate::further::demand::{demand, mean, present};
use crate::generate::further::heaps::kept;
use crate::generate::further::leaks::{HEIGHT, may_begin};
use crate::generate::further::runtimes::program;
use crate::generate::{
    curves::{flat, plus, product, restarts, summed, times, wander},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// How much of the room below a soft limit leaks; where a leak ends at a limit of its own, that is above the soft one.
const ROOM: (f64, f64) = (0.4, 1.1);
const ABOVE: (f64, f64) = (1.05, 1.6);

/// A slow leak of a service whose use of memory hardly anything explains: it wanders, by minutes and by hours at once.
pub(super) fn in_noise(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut level = program(dice, span, &load);
    for (least, most) in [(1.0, 20.0), (20.0, 400.0)] {
        let (tau, strength) = (span.minutes(dice.log_uniform(least, most)), dice.log_uniform(0.01, 0.12));
        let factors = wander(dice, span.samples, tau.max(1.0), strength);
        let factors: Vec<f64> = factors.into_iter().map(libm::exp).collect();
        level = product(&level, &factors);
    }
    let noise = (dice.log_uniform(1.0, 4.0), 1.0);
    let rate = if dice.chance(0.5) { load.clone() } else { flat(span) };
    let height = mean(&level) * dice.log_uniform(1.5 * HEIGHT.0, 1.0);
    let onset = may_begin(dice, span);
    Shape { noise, ..Shape::leaking(level, summed(rate, onset, height), onset).busy(load) }
}

/// A heap with a soft limit: garbage gets what room is left below that, so that only the floors rise, and teeth get shorter.
pub(super) fn limited_heap(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let live = plus(flat(span), dice.uniform(0.0, 0.3), &load);
    let (limit, slack) = (mean(&live) * dice.uniform(1.4, 4.0), dice.pick(&[0.5, 1.0, 1.0, 2.0]));
    let per_load = limit / (span.hours(dice.log_uniform(0.3, 12.0)).max(3.0) * mean(&load));
    let garbage = times(load.clone(), per_load);
    let onset = may_begin(dice, span);
    let (least, most) = if span.fast { ABOVE } else { ROOM };
    let most = (limit - mean(&live)) * dice.uniform(least, most);
    let leaked = summed(load.clone(), onset, most);
    let mut made = 0.0;
    let level = live.iter().zip(&leaked).zip(&garbage).map(|((live, leaked), new)| {
        made += new;
        let all = live + leaked;
        if all + made > (all * (1.0 + slack)).min(limit).max(1.02 * all) {
            made = 0.0;
        }
        live + made
    });
    let level = level.collect();
    Shape::leaking(level, leaked, onset).ending(End::Own).busy(load)
}

/// Bursts whose memory an allocator gives back within minutes, some of it never; beneath that, each burst leaves a little.
pub(super) fn decaying(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let often = dice.log_uniform(0.1, 10.0);
    let bursts = restarts(span.samples, || span.hours(often * dice.exponential()));
    let mut comes = times(load.clone(), dice.uniform(0.0, 0.5));
    let (long, heavy) = (span.hours(often * dice.log_uniform(0.02, 0.4)).max(1.0), dice.uniform(0.0, 1.0));
    for at in bursts {
        let more = libm::exp(heavy * dice.normal());
        let lasts = (long * dice.uniform(0.5, 1.5)).ceil() as usize;
        comes.iter_mut().skip(at).take(lasts).for_each(|comes| *comes += more);
    }
    let live = plus(flat(span), dice.log_uniform(0.1, 1.5), &comes);
    let (share, tau) = (dice.uniform(0.3, 0.95), span.hours(dice.log_uniform(0.1, 24.0)));
    seen(dice, span, kept(&live, share, tau), comes).busy(load)
}

/// Jobs by the clock, at every full hour or six: each needs much while it runs, and leaves a part of that behind.
pub(super) fn by_the_clock(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let every = span.hours(dice.pick(&[0.5, 1.0, 1.0, 2.0, 4.0, 6.0, 12.0]));
    let (due, share) = (every * dice.uniform(0.0, 1.0), dice.log_uniform(0.02, 0.6));
    let (needs, differs) = (dice.log_uniform(0.05, 3.0), dice.uniform(0.0, 0.5));
    let (mut running, mut left) = (flat(span), vec![0.0; span.samples]);
    let mut at = due;
    while (at as usize) < span.samples {
        let size = libm::exp(differs * dice.normal());
        let lasts = (every * share * size.min(1.5)).max(1.0) as usize;
        running.iter_mut().skip(at as usize).take(lasts).for_each(|level| *level += needs * size);
        left[span.at(at + lasts as f64)] += size;
        at += every.max(2.0);
    }
    let level = plus(running, dice.uniform(0.0, 0.3), &load);
    from_birth(dice, level, left).busy(load)
}

/// A service whose load is nearly all of its memory: sessions by day, of which those that end badly stay.
pub(super) fn below_sessions(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let stay = span.hours(dice.log_uniform(0.2, 12.0));
    let sessions = present(&load, stay);
    let level = plus(times(flat(span), dice.uniform(0.1, 1.0)), dice.uniform(0.3, 1.5), &sessions);
    let (tau, bad) = (span.hours(dice.log_uniform(0.5, 30.0)).max(1.0), dice.uniform(0.0, 1.5));
    let badly = wander(dice, span.samples, tau, bad).into_iter().map(libm::exp).collect::<Vec<f64>>();
    let onset = may_begin(dice, span);
    let height = mean(&level) * dice.log_uniform(2.0 * HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, summed(product(&sessions, &badly), onset, height), onset).busy(load)
}
