//! Leaks by events: others move, connections break, reports are made, and outages end.

use super::{from_birth, seen};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::leaks::HEIGHT;
use crate::generate::further::runtimes::program;
use crate::generate::{
    curves::{integral, plus, restarts, times},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A pool of connections for each address: where others get new ones, those to the old are open still, and new ones are made.
pub(super) fn addresses(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (often, regular) = (dice.log_uniform(1.0, 40.0), dice.chance(0.3));
    let mut moves = restarts(span.samples, || {
        span.hours(often * if regular { dice.uniform(0.9, 1.1) } else { 0.1 + dice.exponential() })
    });
    let onset = moves.first().copied().unwrap_or(span.samples).min(span.samples / 2);
    if moves.first() != Some(&onset) {
        moves.insert(0, onset);
    }
    // Of all that there is, so much moves each time.
    let (moved, slowly) = (dice.uniform(0.1, 1.0), span.minutes(dice.log_uniform(2.0, 300.0)).max(1.0));
    let (mut open, mut left, mut next) = (0.0_f64, 0.0, moves.into_iter().peekable());
    let (mut in_use, mut leaked) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for (i, load) in load.iter().enumerate() {
        open += (load - open).max(0.0) / slowly;
        if next.next_if_eq(&i).is_some() {
            left += moved * open;
            open *= 1.0 - moved;
        }
        (in_use[i], leaked[i]) = (open, left);
    }
    let level = program(dice, span, &load);
    let per_pool = mean(&level) * dice.log_uniform(1.5 * HEIGHT.0, HEIGHT.1) / leaked[span.samples - 1];
    Shape::leaking(plus(level, per_pool, &in_use), times(leaked, per_pool), onset).busy(load)
}

/// All clients come anew when what is before them restarts: each connection has buffers for its start, some of which stay.
pub(super) fn storms(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let often = dice.log_uniform(1.0, 40.0);
    let storms = restarts(span.samples, || span.hours(often * (0.1 + dice.exponential())));
    let (within, weighs) = (span.minutes(dice.log_uniform(1.0, 120.0)).max(1.0), dice.log_uniform(0.02, 1.5));
    // One here and one there comes anew at other times.
    let trickle = dice.log_uniform(0.01, 0.5) / span.hours(often).max(1.0);
    let mut comes = times(load.clone(), trickle);
    for at in storms {
        let all = load[at] * dice.uniform(0.3, 1.0);
        for (i, comes) in comes.iter_mut().skip(at).take(6 * within as usize + 1).enumerate() {
            *comes += all * libm::exp(-(i as f64) / within) / within;
        }
    }
    let stay = within * dice.uniform(0.3, 3.0);
    let mut at_start = 0.0;
    let buffers = comes.iter().map(|comes| {
        at_start += comes - at_start / stay.max(1.0);
        at_start
    });
    let buffers: Vec<f64> = buffers.collect();
    let level = plus(program(dice, span, &load), weighs, &buffers);
    seen(dice, span, level, comes).busy(load)
}

/// Each report is kept, and has in it all that there was until then: the next is always a little larger.
pub(super) fn reports(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let every = span.hours(dice.pick(&[0.25, 1.0, 1.0, 3.0, 6.0, 12.0])).max(2.0);
    let (regular, grows) = (dice.chance(0.7), dice.log_uniform(0.1, 10.0));
    let made = restarts(span.samples, || every * if regular { 1.0 } else { 0.2 + 0.8 * dice.exponential() });
    let (takes, needs) = ((every * dice.uniform(0.02, 0.4)).max(1.0) as usize, dice.uniform(0.0, 0.6));
    let so_far = integral(&load);
    let all = so_far[span.samples - 1];
    let mut level = program(dice, span, &load);
    let mut kept = vec![0.0; span.samples];
    for at in made {
        let size = 1.0 + grows * so_far[at] / all;
        let working = needs * size / (1.0 + grows);
        level.iter_mut().skip(at).take(takes).for_each(|level| *level += working);
        kept[span.at((at + takes) as f64)] += size;
    }
    from_birth(dice, level, kept).busy(load)
}

/// Buffers fill while nobody takes what is in them, and are then emptied but for what somebody refers to meanwhile.
pub(super) fn half_drained(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let often = dice.log_uniform(2.0, 40.0);
    let outages = restarts(span.samples, || span.hours(often * (0.2 + dice.exponential())));
    let (long, stays) = (often * dice.log_uniform(0.02, 0.5), dice.uniform(0.1, 0.8));
    let faster = dice.log_uniform(0.3, 10.0) * mean(&load);
    let mut out = vec![false; span.samples];
    for at in outages.into_iter().chain([span.somewhere(dice, 0.0, 0.3)]) {
        let lasts = span.hours(long * dice.uniform(0.3, 2.0)).max(1.0) as usize;
        out.iter_mut().skip(at).take(lasts).for_each(|out| *out = true);
    }
    let (mut waits, mut stay) = (0.0_f64, vec![0.0; span.samples]);
    let waiting = out.iter().zip(&load).zip(&mut stay).map(|((out, load), stay)| {
        if *out {
            waits += (1.0 - stays) * load;
            *stay = stays * load;
        } else {
            waits = (waits - faster).max(0.0);
        }
        waits
    });
    let waiting: Vec<f64> = waiting.collect();
    let height = dice.log_uniform(0.03, 1.0) / mean(&waiting).max(1e-9);
    let level = plus(program(dice, span, &load), height, &waiting);
    seen(dice, span, level, stay).busy(load)
}
