//! Heaps and maps that grow until they are as large as they may be, or as what they hold.

use super::{Fill, beside, close};
use crate::generate::further::demand::{demand, most};
use crate::generate::further::heaps::service;
use crate::generate::{curves::plus, dice::Dice, shape::Shape, span::Span};

/// A map of all that there is to know: whenever it is full all goes to one of twice the size, and for moments both are there.
pub(super) fn rehashed(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let come = Fill::draw(dice, span).come(&load);
    let (first, filled) = (dice.log_uniform(2e-3, 0.3), dice.pick(&[0.5, 0.75, 0.875]));
    let copies = span.moments(dice.log_uniform(0.5, 10.0));
    let of_items = dice.uniform(0.0, 1.5);
    let (mut slots, mut old, mut since) = (first, 0.0, 0.0);
    let map = come.iter().map(|come| {
        let items = first + (1.0 - first) * come.min(1.0);
        since += 1.0;
        while items > filled * slots {
            (old, slots, since) = (slots, 2.0 * slots, 0.0);
        }
        slots + of_items * items + if since < copies { old } else { 0.0 }
    });
    let map: Vec<f64> = map.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5)) / most(&map);
    close(dice, plus(level, height, &map)).busy(load)
}
