//! Labelled series out of nothing: every class of leak and of benign growth that is known to occur, by seed.

mod activity;
mod benign;
mod classes;
mod curves;
mod dice;
mod finish;
mod further;
mod leaks;
mod mixed;
mod otherwise;
mod population;
mod shape;
mod span;
#[cfg(test)]
mod tests;

use crate::trace::{Make, Trace};
pub use classes::{Class, classes};
use dice::{Dice, Purpose};
pub use further::{further, sudden};
pub use mixed::mixed;
pub use otherwise::{hurried, near, otherwise};
pub use population::population;
pub use span::Regime;
use span::Span;

/// Series `number` of a class: the same at each call, on every machine.
///
/// In the fast regime a leak whose way to its limit would be shorter than 20 min or longer than 11 h is drawn again.
pub fn trace(regime: Regime, class: &Class, seed: u64, number: u32) -> Trace {
    let kind = match regime {
        Regime::Days => 0,
        Regime::Fast => 1,
    };
    Dice::until(&Purpose { seed, kind, class: class.name, number, attempt: 0 }, |dice| {
        let span = Span::draw(dice, regime);
        let shape = class.shape(dice, &span);
        finish::finish(dice, &span, (class.name, number), &shape)
    })
}

/// So many series of each class, each of which is made where it is called.
pub fn all(regime: Regime, seed: u64, per_class: u32) -> impl Iterator<Item = impl Make> {
    of_each(classes(), per_class, move |class, number| trace(regime, class, seed, number))
}

/// So many series of each of `classes`, as `trace` makes them, each where it is called.
fn of_each(
    classes: impl IntoIterator<Item = &'static Class>,
    per_class: u32,
    trace: impl Fn(&'static Class, u32) -> Trace + Copy + Send,
) -> impl Iterator<Item = impl Make> {
    classes.into_iter().flat_map(move |class| (0..per_class).map(move |number| move || trace(class, number)))
}
