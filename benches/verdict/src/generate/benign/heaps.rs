//! What allocators, collectors and the kernel do to a heap.

use crate::generate::{
    curves::{flat, integral, plus, saw, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Steps of the given heights at the given samples; those beyond the end are left out.
fn steps(span: &Span, of: impl IntoIterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut heights = vec![0.0; span.samples];
    for (at, height) in of {
        if let Some(there) = heights.get_mut(at.ceil() as usize) {
            *there += height;
        }
    }
    integral(&heights)
}

pub(in crate::generate) fn jvm_expand(dice: &mut Dice, span: &Span) -> Shape {
    let times = dice.whole(4, 12);
    let between = span.hours(dice.uniform(0.5, 10.0)) / times as f64 * 2.0;
    let waits: Vec<f64> = (0..times).map(|_| between * dice.exponential()).collect();
    let level = plus(flat(span), 1.0, &steps(span, integral(&waits).into_iter().map(|at| (at, 0.25))));
    let period = span.minutes(dice.uniform(5.0, 60.0));
    Shape::benign(plus(level, 1.0, &saw(dice, span.samples, period, 0.05)))
}

pub(in crate::generate) fn gc_saw(dice: &mut Dice, span: &Span) -> Shape {
    let (period, height) = (span.minutes(dice.log_uniform(5.0, 600.0)), dice.uniform(0.2, 1.5));
    Shape::benign(plus(flat(span), 1.0, &saw(dice, span.samples, period, height)))
}

pub(in crate::generate) fn frag(dice: &mut Dice, span: &Span) -> Shape {
    let (height, tau) = (dice.uniform(0.08, 0.35), span.hours(dice.uniform(3.0, 18.0)));
    let noise = wander(dice, span.samples, span.minutes(120.0), 0.008);
    Shape::benign(span.map(|i| {
        let grown = 1.0 - libm::exp(-libm::pow(i as f64 / tau, 0.6));
        1.0 + height * grown + noise[i]
    }))
}

/// Huge pages that khugepaged puts together: 40 of them, further and further apart.
pub(in crate::generate) fn thp(dice: &mut Dice, span: &Span) -> Shape {
    const HUGE_PAGES: usize = 40;
    let between = span.hours(dice.uniform(0.2, 1.0));
    let mut at = 0.0;
    let of: Vec<(f64, f64)> = (0..HUGE_PAGES)
        .map(|i| {
            at += between * dice.exponential() * (0.3 + 1.7 * i as f64 / (HUGE_PAGES - 1) as f64);
            (at, dice.uniform(0.002, 0.012))
        })
        .collect();
    Shape::benign(plus(flat(span), 1.0, &steps(span, of)))
}

/// A bounded saw of 10 to 15 MiB, which is much for a small process.
pub(in crate::generate) fn small_saw(dice: &mut Dice, span: &Span) -> Shape {
    let base = dice.log_uniform(15e6, 60e6);
    let height = dice.uniform(10.0, 15.0) * 1_048_576.0 / base;
    let period = span.minutes(dice.log_uniform(20.0, 1200.0));
    let level = plus(flat(span), 1.0, &saw(dice, span.samples, period, height));
    Shape { base: Some(base), noise: (0.5, 0.2), ..Shape::benign(level) }
}

/// A heap that nobody collects until it has reached its maximum, days apart.
pub(in crate::generate) fn jvm_xmx(dice: &mut Dice, span: &Span) -> Shape {
    let (period, height) = (span.hours(dice.uniform(2.0, 14.0)), dice.uniform(0.5, 2.0));
    let old = saw(dice, span.samples, period, height);
    let (young_period, young_height) = (span.minutes(dice.uniform(2.0, 30.0)), dice.uniform(0.05, 0.2));
    let young = saw(dice, span.samples, young_period, young_height);
    Shape::benign(plus(plus(flat(span), 1.0, &old), 1.0, &young))
}
