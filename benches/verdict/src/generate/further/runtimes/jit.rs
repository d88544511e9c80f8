//! Code that is compiled while it runs.

use crate::generate::further::demand::demand;
use crate::generate::{
    curves::{flat, integral, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Code is compiled once it has run often enough: hot paths soon, rare ones after days, until none is left.
fn compiled(dice: &mut Dice, load: &[f64], last: f64) -> Vec<f64> {
    let (paths, exponent) = (dice.log_uniform(50.0, 3000.0) as usize, dice.uniform(1.15, 3.0));
    let ran = integral(load);
    let needed = ran[(last * (ran.len() - 1) as f64) as usize];
    let mut code = vec![0.0; load.len()];
    for path in 1..=paths {
        let often = libm::pow(path as f64 / paths as f64, exponent) * dice.uniform(0.5, 1.0);
        let at = ran.partition_point(|&ran| ran < often * needed);
        code[at.min(load.len() - 1)] += libm::exp(dice.normal()) / paths as f64;
    }
    integral(&code)
}

/// Compiled code and what is known of classes; a feature that is released while it runs brings more.
pub(super) fn jitted(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let last = dice.log_uniform(0.05, 0.6);
    let mut level = plus(flat(span), dice.log_uniform(0.1, 1.5), &compiled(dice, &load, last));
    for _ in 0..dice.poisson(1.0) {
        let released = span.somewhere(dice, 0.05, 0.4);
        let (last, weighs) = (dice.log_uniform(0.02, 0.3), dice.log_uniform(0.03, 0.4));
        let code = compiled(dice, &load[released..], last);
        level.iter_mut().skip(released).zip(code).for_each(|(level, code)| *level += weighs * code);
    }
    Shape::benign(plus(level, dice.uniform(0.0, 0.2), &load)).busy(load)
}
