//! What begins after days, without a restart.

use crate::generate::further::demand::{demand, mean};
use crate::generate::further::leaks::HEIGHT;
use crate::generate::further::runtimes::program;
use crate::generate::{
    curves::{integral, summed, times, up_to_one},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// When it begins, as a share of the series.
const ONSET: (f64, f64) = (0.05, 0.8);

/// Growth by `rate` that begins at `onset`, and is to be seen before the series ends.
fn since(dice: &mut Dice, level: Vec<f64>, rate: Vec<f64>, onset: usize) -> Shape {
    let height = mean(&level) * dice.log_uniform(HEIGHT.0 * 1.2, 1.5 * HEIGHT.1);
    Shape::leaking(level, summed(rate, onset, height), onset)
}

/// The disk is full from now on: what cannot be written waits in memory, and a complaint about each of it.
pub(super) fn disk_full(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let onset = span.somewhere(dice, ONSET.0, ONSET.1);
    let (regular, complains) = (dice.uniform(0.0, 1.0), dice.uniform(0.0, 1.0));
    // Each flush that fails is tried again with all that waits, and logs that.
    let mut waits = 0.0;
    let rate = load.iter().skip(onset).map(|load| {
        let comes = regular + (1.0 - regular) * load;
        waits += comes / span.samples as f64;
        comes + complains * waits
    });
    let rate = vec![0.0; onset].into_iter().chain(rate).collect();
    since(dice, level, rate, onset).busy(load)
}

/// Peers vanish one after the other, and nobody takes their names off the list: what is sent to them is kept for them.
pub(super) fn outboxes(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (peers, differs) = (dice.log_uniform(1.0, 12.0) as usize, dice.uniform(0.0, 1.2));
    let (earliest, latest) = (dice.uniform(0.0, 0.7), dice.uniform(0.1, 0.95));
    let mut rate = vec![0.0; span.samples];
    let gone: Vec<usize> =
        (0..peers).map(|_| span.somewhere(dice, earliest, latest.max(earliest + 0.05))).collect();
    for &at in &gone {
        let sent = libm::exp(differs * dice.normal());
        rate.iter_mut().zip(&load).skip(at).for_each(|(rate, load)| *rate += sent * load);
    }
    let onset = gone.into_iter().min().unwrap_or(0);
    since(dice, level, rate, onset).busy(load)
}

/// Credentials expire, those of one part after those of another: each part tries again on and on, and leaves a client each time.
pub(super) fn expired(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let onset = span.somewhere(dice, ONSET.0, ONSET.1);
    let (parts, within) = (dice.log_uniform(1.0, 30.0) as usize, span.hours(dice.log_uniform(0.1, 24.0)));
    let longest = span.hours(dice.log_uniform(0.02, 2.0)).max(1.0);
    let mut clients = vec![0.0; span.samples];
    for part in 0..parts {
        let mut at = onset as f64 + if part == 0 { 0.0 } else { within * dice.uniform(0.0, 1.0) };
        // It waits twice as long each time, up to a while.
        let mut wait = longest * dice.pick(&[0.02, 0.1, 1.0]);
        while (at as usize) < span.samples {
            clients[at as usize] += 1.0;
            at += wait * dice.uniform(0.8, 1.2);
            wait = (2.0 * wait).min(longest);
        }
    }
    since(dice, level, clients, onset).busy(load)
}

/// Numbers begin anew after days, and meet those that are still in use: one removes what is another's, whose own then stays.
pub(super) fn wrapped(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let onset = span.somewhere(dice, ONSET.0, 0.6);
    let served = integral(&load);
    let numbers = served[onset].max(load[onset]);
    let (in_use, meets) = (dice.log_uniform(0.01, 0.5), dice.uniform(0.1, 0.9));
    let mut stays = 0.0;
    let leaked = load.iter().enumerate().map(|(i, load)| {
        if i >= onset {
            stays += meets * load * (in_use + stays / numbers).min(1.0);
        }
        stays
    });
    let height = mean(&level) * dice.log_uniform(HEIGHT.0 * 1.2, HEIGHT.1);
    let leaked = times(up_to_one(leaked.collect()), height);
    Shape::leaking(level, leaked, onset).busy(load)
}
