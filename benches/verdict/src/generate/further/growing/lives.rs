//! Leaks over several lives: what ends one, and what the next begins with.

use crate::generate::further::demand::{demand, mean};
use crate::generate::further::leaks::{HEIGHT, may_begin};
use crate::generate::further::runtimes::{forks, program};
use crate::generate::further::work::deploys;
use crate::generate::{
    curves::{ages, flat, integral, plus, restarts, saturate, summed, times, up_to_one},
    dice::Dice,
    shape::{End, Shape},
    span::Span,
};

/// It is killed wherever the busy hours bring it to its limit, and starts again.
pub(super) fn at_limit(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = plus(flat(span), dice.log_uniform(0.02, 0.3), &load);
    let room = mean(&level) * dice.uniform(0.5, 3.0);
    let (limit, per_life) = (mean(&level) + room, span.hours(dice.log_uniform(6.0, 70.0)));
    let per_load = room / (per_life * mean(&load));
    let (mut held, mut lives) = (0.0, Vec::new());
    let leaked = level.iter().zip(&load).enumerate().map(|(i, (level, load))| {
        if i > 1 && level + held >= limit {
            lives.push(i);
            held = 0.0;
        }
        held += per_load * load;
        held
    });
    let leaked = leaked.collect();
    Shape::leaking(level, leaked, 0).busy(load).restarting(lives).ending(End::EveryLife)
}

/// Somebody knew that it leaks, and lets it be restarted at a set time; some of the restarts don't happen.
pub(super) fn by_schedule(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let (every, skipped) = (dice.pick(&[12.0, 24.0, 24.0, 24.0, 48.0, 84.0]), dice.uniform(0.0, 0.4));
    let due = (dice.uniform(0.1, 1.0) * span.hours(every)).max(2.0);
    let all = (0..).map(|n| due + span.hours(every) * f64::from(n)).map(|at| at as usize);
    let lives: Vec<usize> =
        all.take_while(|&at| at < span.samples).filter(|_| !dice.chance(skipped)).collect();
    let served = integral(&load);
    let height = mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1);
    let per_load = height / (span.hours(every) * mean(&load));
    let ages = ages(span.samples, &lives).into_iter().enumerate();
    let leaked = ages.map(|(i, (age, _))| per_load * (served[i] - served[i - age])).collect();
    Shape::leaking(level, leaked, 0).busy(load).restarting(lives)
}

/// Nobody finds the leak: from one release on each has it, and it is worse in some, for they call it more often.
pub(super) fn releases(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let lives = deploys(dice, span);
    let first = dice.whole(0, lives.len() / 2 + 1);
    let onset = if first == 0 { 0 } else { lives[first - 1] };
    let per_day = mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1) / (span.hours(24.0) * mean(&load));
    let differs = dice.uniform(0.0, 1.0);
    let rates: Vec<f64> = (0..=lives.len()).map(|_| per_day * libm::exp(differs * dice.normal())).collect();
    let mut held = 0.0;
    let leaked = ages(span.samples, &lives).into_iter().zip(&load).map(|((age, release), load)| {
        held = if age == 0 { 0.0 } else { held };
        held += if release >= first { rates[release] * load } else { 0.0 };
        held
    });
    Shape::leaking(level, leaked.collect(), onset).busy(load).deploying(lives)
}

/// Workers are replaced after so many requests, and one here and one there does not end when it is told to.
pub(super) fn orphaned(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (workers, period) = (dice.log_uniform(1.0, 16.0) as usize, span.hours(dice.log_uniform(0.3, 12.0)));
    let (own, grows, stays) = (dice.uniform(0.2, 1.0), dice.uniform(0.0, 1.5), dice.log_uniform(0.03, 1.0));
    let (mut working, mut left) = (flat(span), vec![0.0; span.samples]);
    for starts in forks(dice, &load, workers, period) {
        for (working, (age, _)) in working.iter_mut().zip(ages(span.samples, &starts)) {
            let grown = (age as f64 / period.max(1.0)).min(1.5);
            *working += (own + grows * grown) / workers as f64;
        }
        for at in starts {
            left[at] += if dice.chance(stays) { dice.uniform(0.6, 1.4) } else { 0.0 };
        }
    }
    left[span.somewhere(dice, 0.0, 0.5)] += 1.0;
    let onset = left.iter().position(|left| *left > 0.0).unwrap_or(0);
    let height = mean(&working) * dice.log_uniform(HEIGHT.0 * 1.3, HEIGHT.1);
    let level = plus(working, dice.uniform(0.0, 0.3), &load);
    Shape::leaking(level, summed(left, onset, height), onset).busy(load)
}

/// What it knows is written down, and read again after each restart: what was never removed comes back, within a while.
pub(super) fn restored(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let often = dice.log_uniform(8.0, 100.0);
    let lives = restarts(span.samples, || span.hours(often * dice.uniform(0.2, 1.8)));
    let (onset, tau) = (may_begin(dice, span), span.minutes(dice.log_uniform(1.0, 90.0)).max(0.5));
    let lost = dice.uniform(0.0, 0.3) * dice.pick(&[0.0, 1.0]);
    let (mut held, mut read) = (0.0, 0.0);
    let leaked =
        ages(span.samples, &lives).into_iter().zip(&load).enumerate().map(|(i, ((age, _), load))| {
            if age == 0 {
                (held, read) = (held * (1.0 - lost), 0.0);
            }
            held += if i < onset { 0.0 } else { *load };
            // The first life has nothing to read.
            read = if i < onset.max(1) { held } else { read + load + (held - read) * saturate(1.0, tau) };
            read = read.min(held);
            read
        });
    let height = mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1);
    let leaked = times(up_to_one(leaked.collect()), height);
    Shape::leaking(level, leaked, onset).busy(load).restarting(lives)
}
