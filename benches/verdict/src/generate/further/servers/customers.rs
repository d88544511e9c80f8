//! Who is served changes: tenants, roll-outs, campaigns, and those who come only now and then.

use super::bounds::{bounded_early, follows};
use crate::generate::further::demand::{demand, present};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::{kept, service};
use crate::generate::{
    curves::{flat, integral, plus, product, saturate},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Who comes to stay has come by this share of the series.
const ARRIVED: f64 = 0.56;

/// A tenant at a time moves in, large and small ones, for some days; each fills what it needs within hours. A few leave.
pub(super) fn onboarded(dice: &mut Dice, span: &Span) -> Shape {
    let demand = demand(dice, span);
    let first = dice.uniform(0.0, 0.4);
    let last = dice.uniform(first + 0.1, ARRIVED);
    let spread = dice.uniform(0.4, 1.4);
    let mut moves = vec![0.0; span.samples];
    moves[0] = dice.log_uniform(0.05, 20.0);
    for _ in 0..dice.whole(2, 14) {
        let size = libm::exp(spread * dice.normal());
        moves[span.somewhere(dice, first, last)] += size;
        if dice.chance(0.1) {
            moves[span.somewhere(dice, last, 1.0)] -= size;
        }
    }
    let tenants = up_to_most(integral(&moves));
    let filled = follows(&tenants, span.hours(dice.log_uniform(0.05, 6.0)));
    let load = product(&demand, &tenants);
    let level = plus(flat(span), dice.log_uniform(0.1, 2.5), &filled);
    let level = plus(level, dice.log_uniform(0.02, 0.8), &load);
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(1.0, 300.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// The share of what comes that a roll-out has let in: more at each stage, and none while it is rolled back.
pub(super) fn stages(dice: &mut Dice, span: &Span, begins: usize, ends: usize) -> Vec<f64> {
    const STAGES: [f64; 8] = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0];
    let mut at: Vec<usize> =
        STAGES.iter().map(|_| begins + (dice.uniform(0.0, 1.0) * (ends - begins) as f64) as usize).collect();
    at.sort_unstable();
    at[0] = begins;
    let back = if dice.chance(0.2) { at[dice.whole(2, STAGES.len())] } else { usize::MAX };
    let long = (dice.uniform(0.05, 0.5) * (ends - begins) as f64) as usize;
    span.map(|i| {
        let stage = at.partition_point(|&at| at <= i);
        let is_back = i >= back && i - back < long;
        if stage == 0 || is_back { 0.0 } else { STAGES[stage - 1] }
    })
}

/// A feature is rolled out in stages: what it caches comes with those who are let in, and is all there at the end.
pub(super) fn rolled_out(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let begins = span.somewhere(dice, 0.0, 0.35);
    let ends = span.somewhere(dice, 0.4, ARRIVED);
    let share = stages(dice, span, begins, ends);
    let users = libm::pow(10.0, dice.uniform(-0.5, 0.0));
    let caches: Vec<f64> = share.iter().map(|share| libm::pow(*share, users)).collect();
    let cached = follows(&caches, span.hours(dice.log_uniform(0.05, 6.0)));
    let served = product(&load, &share);
    let level = plus(service(dice, span, &load), dice.log_uniform(0.1, 2.0), &cached);
    Shape::benign(plus(level, dice.uniform(0.0, 0.5), &served)).busy(load)
}

/// A campaign brings many within hours, who lose interest within days; sessions follow, and the allocator keeps some.
pub(super) fn campaign(dice: &mut Dice, span: &Span) -> Shape {
    let mut load = demand(dice, span);
    for _ in 0..dice.whole(1, 4) {
        let (begins, height) = (span.somewhere(dice, 0.03, 0.5), dice.log_uniform(0.3, 4.0));
        let (comes, goes) =
            (span.hours(dice.log_uniform(0.1, 12.0)), span.hours(dice.log_uniform(2.0, 40.0)));
        for (i, load) in load.iter_mut().skip(begins).enumerate() {
            let (age, comes) = (i as f64, comes.max(1.0));
            *load *= 1.0 + height * saturate(age, comes) * libm::exp(-age / goes.max(1.0));
        }
    }
    let sessions = present(&load, span.hours(dice.log_uniform(0.1, 12.0)));
    let level = plus(flat(span), dice.log_uniform(0.1, 1.5), &sessions);
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(2.0, 2000.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// Hardly anybody comes for days; then somebody works here for hours, and what was loaded stays until a timeout, or for good.
pub(super) fn spurts(dice: &mut Dice, span: &Span) -> Shape {
    let idle = dice.log_uniform(0.002, 0.1);
    let load = now_and_then(dice, span, idle);
    let loads = span.hours(dice.log_uniform(0.03, 1.5)).max(1.0);
    let timeout = span.hours(dice.log_uniform(0.2, 300.0)) as usize;
    let (mut loaded, mut unused) = (0.0_f64, 0);
    let data = span.map(|i| {
        if load[i] > idle {
            unused = 0;
            loaded += (1.0 - loaded) / loads;
        } else {
            unused += 1;
            loaded = if unused > timeout { 0.0 } else { loaded };
        }
        loaded
    });
    let data = up_to_most(bounded_early(plus(data, dice.uniform(0.05, 0.8), &load)));
    let level = plus(flat(span), dice.log_uniform(0.15, 3.0), &data);
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(0.5, 500.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// Work of some hours at a time, for the first time in the first half, and `idle` for the rest.
fn now_and_then(dice: &mut Dice, span: &Span, idle: f64) -> Vec<f64> {
    let mut load = vec![idle; span.samples];
    let first = dice.uniform(0.0, 0.5);
    let later: Vec<usize> = (0..dice.whole(2, 16)).map(|_| span.somewhere(dice, first, 1.0)).collect();
    for begins in [span.at(first * span.samples as f64)].into_iter().chain(later) {
        let (long, busy) = (span.hours(dice.log_uniform(0.1, 6.0)).max(1.0), dice.uniform(0.5, 1.5));
        load.iter_mut().skip(begins).take(long as usize).for_each(|load| *load = busy);
    }
    load
}
