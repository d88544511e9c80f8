//! Rings, windows and tables that have a bound by number.

use super::{Fill, beside, close};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::heaps::service;
use crate::generate::{
    curves::{ages, integral, plus, restarts, saturate, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// The last so many ids that were seen, so that nothing is done twice, and a map to find them that doubles until it has room for all.
pub(super) fn last_ids(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let come = Fill::draw(dice, span).filled(&load);
    let (first, of_map) = (dice.log_uniform(1e-3, 0.2), dice.uniform(0.0, 2.0));
    let ids = come.iter().map(|come| {
        let doublings = libm::ceil(libm::log2(come.max(first) / first) - 1e-9);
        let slots = first * libm::exp2(doublings);
        come + of_map * slots.min(1.0)
    });
    let ids: Vec<f64> = ids.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 3.0)) / (1.0 + of_map);
    close(dice, plus(level, height, &ids)).busy(load)
}

/// A window slides over the requests of each client, so as to limit their rates: it holds a time for each, up to the rate that
/// is allowed.
pub(super) fn rate_windows(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let mut times = vec![0.0; span.samples];
    let attacks = span.hours(dice.log_uniform(0.3, 50.0));
    for client in 0..dice.whole(2, 12) {
        let (tau, differs) = (span.hours(dice.log_uniform(0.5, 20.0)).max(1.0), dice.uniform(0.1, 0.8));
        let asks = wander(dice, span.samples, tau, differs);
        let floods = client == 0 || dice.chance(0.15);
        let allowed = mean(&load) * dice.uniform(0.8, 2.5);
        let more = if floods { dice.log_uniform(3.0, 50.0) } else { 1.0 };
        let rate: Vec<f64> = (0..span.samples)
            .map(|i| {
                let attacked = i >= fill.begins && (i as f64) < fill.ends as f64 + attacks;
                let rate = load[i] * libm::exp(asks[i]) * if attacked { more } else { 1.0 };
                rate.min(allowed) / allowed
            })
            .collect();
        let long = fill.takes().max(1);
        let all = integral(&rate);
        let there: Vec<f64> = (0..span.samples)
            .map(|i| (all[i] - if i < long { 0.0 } else { all[i - long] }) / long as f64)
            .collect();
        times = plus(times, if floods { 3.0 } else { dice.uniform(0.1, 1.0) }, &there);
    }
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5)) / mean(&times).max(f64::MIN_POSITIVE);
    close(dice, plus(level, height, &times)).busy(load)
}

/// A trainer replays what it has seen from a ring that fills once, and more slowly while it evaluates what it has learnt.
pub(super) fn replay_buffer(dice: &mut Dice, span: &Span) -> Shape {
    let every = span.hours(dice.log_uniform(0.2, 15.0)).max(3.0);
    let evaluates = every * dice.uniform(0.05, 0.5);
    let evaluations = restarts(span.samples, || every * dice.uniform(0.9, 1.1));
    let (tau, differs) = (span.hours(dice.log_uniform(0.2, 20.0)).max(1.0), dice.log_uniform(0.01, 0.2));
    // Episodes get longer as it learns, and then no more.
    let speed = wander(dice, span.samples, tau, differs);
    let stops = dice.uniform(0.0, 1.0);
    let evaluating: Vec<f64> = ages(span.samples, &evaluations)
        .iter()
        .map(|&(age, number)| f64::from(number > 0 && (age as f64) < evaluates))
        .collect();
    let steps: Vec<f64> =
        speed.iter().zip(&evaluating).map(|(speed, eval)| libm::exp(*speed) * (1.0 - stops * eval)).collect();
    let ring = Fill::draw(dice, span).filled(&steps);
    let level = service(dice, span, &steps);
    let (height, environments) = (beside(dice, &level, (0.2, 6.0)), dice.uniform(0.0, 0.5));
    let level = plus(level, height, &ring);
    close(dice, plus(level, environments, &evaluating)).busy(steps)
}

/// Each connection keeps statements that it has prepared, up to a bound; connections are replaced after some hours or days.
pub(super) fn statements(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (connections, fill) = (dice.whole(2, 30), Fill::draw(dice, span));
    let takes = fill.takes() as f64 * mean(&load);
    let (kinds, lives_for) = (dice.log_uniform(0.2, 4.0), span.hours(dice.log_uniform(10.0, 400.0)));
    let (in_step, all) = (dice.chance(0.4), integral(&load));
    let full = saturate(1.0, kinds);
    let mut prepared = vec![0.0; span.samples];
    for _ in 0..connections {
        let lasts = lives_for.max(3.0 * fill.takes() as f64);
        let early = if in_step { 0.0 } else { dice.uniform(0.0, lasts) };
        let speed = dice.log_uniform(0.5, 2.0);
        for (i, prepared) in prepared.iter_mut().enumerate() {
            let opened = span.at(i as f64 - (i as f64 + early) % lasts);
            let come = speed * (all[i] - all[opened]) / takes;
            *prepared += (saturate(come, kinds) / full).min(1.0) / connections as f64;
        }
    }
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.0));
    close(dice, plus(level, height, &prepared)).busy(load)
}
