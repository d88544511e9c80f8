//! Heaps and maps that grow until they are as large as they may be, or as what they hold.

use super::{Fill, beside, close};
use crate::generate::further::demand::{demand, most};
use crate::generate::further::heaps::{collected, cycles, kept, service};
use crate::generate::{
    curves::{flat, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

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

/// A heap is let grow to its maximum before it is collected in earnest; what was touched once stays with the process.
pub(super) fn to_maximum(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let live = dice.uniform(0.1, 0.7);
    let (young, seldom) = (dice.log_uniform(0.005, 0.15), dice.log_uniform(0.01, 0.5));
    let (finds, gives_back) = (dice.uniform(0.0, 0.5), dice.chance(0.25));
    let per_load = (1.0 - live) / ((1.0 - finds) * fill.room(&load));
    let (mut used, mut eden, mut touched) = (live, 0.0, live);
    let heap = load.iter().enumerate().map(|(i, load)| {
        let made = per_load * load * if i < fill.begins { seldom } else { 1.0 };
        (used, eden) = (used + made, eden + made);
        if eden > young {
            (used, eden) = (used - finds * eden, 0.0);
        }
        if used >= 1.0 {
            used = live;
            touched = if gives_back { live } else { 1.0 };
        }
        touched = touched.max(used);
        touched
    });
    let heap: Vec<f64> = heap.collect();
    let level = plus(flat(span), dice.log_uniform(0.01, 0.2), &load);
    let height = beside(dice, &level, (0.5, 6.0));
    close(dice, plus(level, height, &heap)).busy(load)
}

/// A campaign's data is live while it runs, and for some days after it; then it is archived within hours.
pub(super) fn campaign_data(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let come = fill.come(&load);
    let ends = fill.ends as f64 + span.hours(dice.log_uniform(1.0, 70.0));
    let goes = span.hours(dice.log_uniform(0.05, 10.0)).max(1.0);
    let known = dice.uniform(0.3, 1.5);
    let data: Vec<f64> = come
        .iter()
        .enumerate()
        .map(|(i, come)| {
            // The first come with more that is new than those who come back.
            let there = libm::pow(come.min(1.0), known);
            there * (1.0 - (i as f64 - ends) / goes).clamp(0.0, 1.0)
        })
        .collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 3.0));
    let live = plus(level, height, &data);
    let (slack, period) = (dice.pick(&[0.0, 0.25, 0.5, 1.0]), span.hours(dice.log_uniform(0.02, 5.0)));
    let cycles = cycles(dice, &load, period);
    let (share, tau) = (dice.uniform(0.0, 0.7), span.hours(dice.log_uniform(0.5, 100.0)));
    close(dice, kept(&collected(&live, slack, &cycles), share, tau)).busy(load)
}
