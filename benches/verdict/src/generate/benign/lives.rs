//! Processes that start again and again.

use crate::generate::{
    curves::{ages, restarts as starts, saturate},
    dice::Dice,
    shape::Shape,
    span::Span,
};

pub(in crate::generate) fn restarts(dice: &mut Dice, span: &Span) -> Shape {
    let (height, tau) = (dice.uniform(0.2, 1.0), span.hours(dice.uniform(0.2, 2.0)));
    let lives = starts(span.samples, || span.hours(dice.uniform(4.0, 40.0)));
    let more = dice.uniform(0.5, 4.0);
    let warm: Vec<f64> =
        ages(span.samples, &lives).iter().map(|(age, _)| saturate(*age as f64, tau)).collect();
    let load = warm.iter().map(|warm| 1.0 + more * (1.0 - warm)).collect();
    Shape::benign(warm.iter().map(|warm| 1.0 + height * warm).collect())
        .busy(load)
        .deploying(lives)
        .own_start()
}

/// Deploys that come with other sizes of pools and caches, up as often as down.
pub(in crate::generate) fn config_sizes(dice: &mut Dice, span: &Span) -> Shape {
    let lives = starts(span.samples, || span.hours(dice.uniform(12.0, 48.0)));
    let sizes: Vec<f64> = (0..=lives.len()).map(|_| dice.log_uniform(0.7, 1.6)).collect();
    let tau = span.hours(dice.uniform(0.05, 2.0));
    let warms = dice.uniform(0.1, 0.4);
    let level = ages(span.samples, &lives)
        .into_iter()
        .map(|(age, life)| sizes[life] * (1.0 - warms * (1.0 - saturate(age as f64, tau))))
        .collect();
    Shape::benign(level).deploying(lives)
}
