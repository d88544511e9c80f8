//! How busy a process is: what its counter of CPU time shows.

use super::{
    curves::{ages, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Mean utilisation, cores.
const CORES: (f64, f64) = (0.02, 2.0);
/// What is used whatever the load, as a share of the mean.
const IDLE: f64 = 0.15;
/// Kernels count CPU time in hundredths of a second.
const TICKS: f64 = 100.0;

/// CPU seconds of each sample's life so far.
pub(super) fn cpu_seconds(dice: &mut Dice, span: &Span, shape: &Shape) -> Vec<f64> {
    let mean = dice.log_uniform(CORES.0, CORES.1);
    let (tau, slow, fast) =
        (span.moments(dice.uniform(2.0, 120.0)), dice.uniform(0.03, 0.25), dice.uniform(0.02, 0.3));
    let noise = wander(dice, span.samples, tau, slow);
    let mut used = 0.0;
    ages(span.samples, &shape.lives)
        .into_iter()
        .enumerate()
        .map(|(i, (age, _))| {
            if age == 0 {
                used = 0.0;
                return 0.0;
            }
            let load = shape.load.as_ref().map_or(1.0, |load| load[i]);
            let jitter = (1.0 + noise[i] + fast * dice.normal()).max(0.05);
            used += mean * (IDLE + (1.0 - IDLE) * load.max(0.0)) * jitter * span.interval;
            (used * TICKS).round() / TICKS
        })
        .collect()
}
