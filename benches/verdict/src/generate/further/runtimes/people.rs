//! What people open, and forget to close.

use crate::generate::further::demand::{Calendar, demand_of};
use crate::generate::further::heaps::kept;
use crate::generate::{
    curves::{flat, integral, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// At most so much is closed in the evening rather than left open.
const TIDY: (f64, f64) = (0.3, 1.0);
/// Days for which what was left open stays so.
const FORGOTTEN: f64 = 1.5;

/// When one is at work.
struct Office {
    opens: f64,
    closes: f64,
}

/// Documents and tabs, some of which are closed soon, others in the evening, and others days later.
pub(super) fn tabs(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let opens = dice.uniform(6.0, 11.0);
    let office = Office { opens, closes: opens + dice.uniform(4.0, 12.0) };
    let per_day = dice.log_uniform(4.0, 80.0);
    let per_sample = per_day / span.hours(office.closes - office.opens).max(1.0);
    let at_weekends = dice.pick(&[0.0, 0.0, 0.3, 1.0]);
    let mut load = demand_of(dice, span, &calendar);
    for (i, load) in load.iter_mut().enumerate() {
        let is_there = (office.opens..office.closes).contains(&calendar.hour(i));
        let works = if calendar.is_working_day(i) { 1.0 } else { at_weekends };
        *load *= if is_there { f64::max(works, 0.02) } else { 0.02 };
    }
    let opened = opened(dice, span, (&calendar, &office), &load, per_sample);
    let live = plus(flat(span), dice.log_uniform(0.2, 3.0) / libm::sqrt(per_day), &opened);
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(0.2, 100.0)));
    Shape::benign(kept(&live, share, tau)).busy(load)
}

/// The memory of all that is open.
fn opened(
    dice: &mut Dice,
    span: &Span,
    (calendar, office): (&Calendar, &Office),
    load: &[f64],
    per_sample: f64,
) -> Vec<f64> {
    let (tidy, stay) = (dice.uniform(TIDY.0, TIDY.1), dice.log_uniform(0.1, 8.0));
    let (spread, mut change) = (dice.uniform(0.2, 0.9), vec![0.0; span.samples]);
    for i in 0..span.samples {
        for _ in 0..dice.poisson(per_sample * load[i]) {
            let left_open = if dice.chance(tidy) { 0.0 } else { 24.0 * FORGOTTEN * dice.uniform(0.1, 1.0) };
            let closed = (office.closes - calendar.hour(i)).max(0.0) + left_open;
            let long = closed.min(stay * dice.exponential());
            let weight = libm::exp(spread * dice.normal());
            change[i] += weight;
            change[span.at((i + 1) as f64 + span.hours(long))] -= weight;
        }
    }
    integral(&change)
}
