//! What leaks from the first minute on, without a warm-up before it.

use super::from_birth;
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::leaks::HEIGHT;
use crate::generate::further::runtimes::program;
use crate::generate::{
    curves::{flat, integral, plus, saw, times, up_to_one, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A timer that nothing else has to do with: it keeps a record of each tick, and of what it measured then.
pub(super) fn heartbeat(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    let every = span.hours(dice.log_uniform(0.01, 6.0)).max(1.0) as usize;
    let (begins, differs) = (dice.whole(0, every), dice.uniform(0.0, 0.4));
    let ticks = span.map(|i| {
        let size = (1.0 + differs * dice.normal()).max(0.1);
        if i % every == begins { size } else { 0.0 }
    });
    from_birth(dice, level, ticks).own_start().busy(load)
}

/// A table of all users that ever came: what they are grows by the user, and the table by all at once, when it is full.
pub(super) fn doubling(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = program(dice, span, &load);
    // The more users are known, the fewer of the next are new.
    let known = dice.uniform(0.6, 1.0);
    let users: Vec<f64> = integral(&load).into_iter().map(|seen| libm::pow(seen, known)).collect();
    let users = up_to_one(users);
    let (table, grows) = (dice.uniform(0.1, 1.2), dice.pick(&[1.25, 1.5, 2.0, 2.0]));
    let (full, mut room) = (dice.uniform(0.3, 1.0), dice.log_uniform(1e-4, 1e-2));
    let leaked = users.iter().map(|&users| {
        let before = room;
        while users > full * room {
            room *= grows;
        }
        // The old table is there until all of it is copied.
        let copied = if before < room { before } else { 0.0 };
        users + table * (room.min(2.0 * users) + copied)
    });
    let leaked = up_to_one(leaked.collect());
    let height = mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, times(leaked, height), 0).own_start().busy(load)
}

/// A command that goes through its input and keeps all of it: small at first, and by steps wherever something large comes.
pub(super) fn heavy_items(dice: &mut Dice, span: &Span) -> Shape {
    let tau = span.hours(dice.log_uniform(0.2, 12.0)).max(1.0);
    let pace = wander(dice, span.samples, tau, 0.3);
    let (items, tail) = (dice.log_uniform(30.0, 3000.0), dice.uniform(1.2, 3.0));
    let per_sample = items / span.samples as f64;
    let kept = pace.iter().map(|pace| {
        let comes = dice.poisson(per_sample * libm::exp(*pace));
        (0..comes).map(|_| libm::exp(dice.exponential() / tail).min(30.0)).sum()
    });
    let kept = kept.collect();
    let level = times(flat(span), dice.log_uniform(0.05, 1.0));
    let busy = pace.into_iter().map(libm::exp).collect();
    from_birth(dice, level, kept).own_start().busy(busy)
}

/// A training whose steps keep what their results were computed from; readers fetch ahead, and each epoch ends with a test.
pub(super) fn graphs(dice: &mut Dice, span: &Span) -> Shape {
    let epoch = span.hours(dice.log_uniform(1.0, 30.0)).max(6.0);
    let tests = (epoch * dice.uniform(0.02, 0.3)).max(1.0);
    let (needs, begins) = (dice.uniform(-0.3, 0.6), dice.uniform(0.0, epoch));
    let is_test = span.map(|i| f64::from((begins + i as f64) % epoch < tests));
    let (fetched, batch) = (dice.uniform(0.0, 0.4), span.hours(dice.log_uniform(0.02, 2.0)).max(2.0));
    let ahead = saw(dice, span.samples, batch, fetched);
    let level = plus(plus(flat(span), needs, &is_test), 1.0, &ahead);
    // Nothing is learnt from a test; in some, that keeps its results too.
    let in_tests = dice.uniform(0.0, 2.0) * dice.pick(&[0.0, 1.0]);
    let steps = is_test.iter().map(|test| 1.0 - test + in_tests * test).collect();
    from_birth(dice, level, steps).own_start().busy(is_test.iter().map(|test| 1.0 - 0.5 * test).collect())
}
