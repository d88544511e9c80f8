//! Leaks below a fill: where that ends the slope changes, and does not end.

use super::from_birth;
use crate::generate::further::demand::demand;
use crate::generate::further::fills::bounded;
use crate::generate::further::heaps::service;
use crate::generate::further::leaks::leaking;
use crate::generate::further::runtimes::Pages;
use crate::generate::{
    curves::{flat, plus, restarts, rise, times, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A cache takes what it may; each answer from it leaks a little from the first on, and goes on to when it is full.
pub(super) fn below_fill(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = bounded(dice, &load);
    let level = plus(service(dice, span, &load), dice.log_uniform(0.1, 2.0), &fill);
    // Some leak where an answer is in the cache, some where it is not.
    let found = dice.uniform(-0.8, 1.0);
    let rate = load.iter().zip(&fill).map(|(load, fill)| load * (1.0 + found * (fill - 0.5))).collect();
    from_birth(dice, level, rate).busy(load)
}

/// All data is loaded in one go; later changes replace parts of it, and what they replaced is still referred to.
pub(super) fn after_loading(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let loaded = rise(span, 0, span.hours(dice.log_uniform(0.2, 40.0)));
    let (size, small) = (dice.log_uniform(0.3, 5.0), dice.uniform(0.0, 0.3));
    let level = plus(plus(times(flat(span), 0.3), size, &loaded), small, &load);
    let (often, regular) = (dice.log_uniform(0.1, 12.0), dice.chance(0.5));
    let mut changes = vec![0.0; span.samples];
    let next = |dice: &mut Dice| if regular { dice.uniform(0.9, 1.1) } else { dice.exponential() };
    let updates = restarts(span.samples, || span.hours(often * next(dice)));
    for at in updates.into_iter().chain([span.somewhere(dice, 0.0, 0.3)]) {
        changes[at] += loaded[at] * dice.uniform(0.3, 1.7);
    }
    leaking(dice, span, level, changes).own_start().busy(load)
}

/// A backend of a database: it touches shared pages until it has seen all, and keeps a plan of each statement that differs.
pub(super) fn plans(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let coldest = dice.log_uniform(2.0, 40.0);
    let mut shared = Pages::draw(dice, span, 4, (0.1, coldest));
    let size = dice.log_uniform(0.3, 4.0);
    let touched: Vec<f64> = load.iter().map(|load| shared.touch(*load)).collect();
    let level = plus(times(flat(span), 0.4), size, &touched);
    let (tau, differs) = (span.hours(dice.log_uniform(0.2, 10.0)).max(1.0), dice.uniform(0.0, 1.0));
    let statements = wander(dice, span.samples, tau, differs);
    let rate = load.iter().zip(statements).map(|(load, differs)| load * libm::exp(differs)).collect();
    from_birth(dice, level, rate).own_start().busy(load)
}
