//! The curves that classes are put together from. Lengths are in samples, heights relative to the base size.

use std::collections::VecDeque;

use super::{dice::Dice, span::Span};

/// A noise that wanders off and comes back within about `tau` samples (Ornstein-Uhlenbeck), with a standard deviation
/// of `strength`.
pub(super) fn wander(dice: &mut Dice, samples: usize, tau: f64, strength: f64) -> Vec<f64> {
    let keep = libm::exp(-1.0 / tau);
    let kick = strength * (1.0 - keep * keep).sqrt();
    let mut value = 0.0;
    (0..samples)
        .map(|_| {
            value = keep * value + kick * dice.normal();
            value
        })
        .collect()
}

/// A load curve from 0 to about 1: one top a day, their heights jittered, and less at the weekend.
pub(super) fn daily(dice: &mut Dice, span: &Span, jitter: f64) -> Vec<f64> {
    let factors = day_factors(dice, span, jitter);
    daily_by(dice, span, &factors)
}

/// A load curve with one top a day, each as high as given.
pub(super) fn daily_by(dice: &mut Dice, span: &Span, factors: &[f64]) -> Vec<f64> {
    let day = span.hours(24.0);
    let phase = dice.uniform(0.0, 1.0);
    let sharpness = dice.uniform(0.8, 2.2);
    span.map(|i| {
        let t = i as f64 / day + phase;
        let wave = 0.5 - 0.5 * libm::cos(std::f64::consts::TAU * t);
        libm::pow(wave, sharpness) * between(factors, t - 0.5)
    })
}

/// How high the load of each day is: jitter, and less on two days of seven.
pub(super) fn day_factors(dice: &mut Dice, span: &Span, jitter: f64) -> Vec<f64> {
    let weekday = dice.whole(0, 7);
    (0..days_of(span))
        .map(|day| {
            let weekend = if (day + weekday) % 7 >= 5 { dice.uniform(0.5, 0.9) } else { 1.0 };
            (1.0 + jitter * dice.normal()) * weekend
        })
        .collect()
}

/// How many days a daily curve needs heights for.
pub(super) fn days_of(span: &Span) -> usize {
    (span.samples as f64 / span.hours(24.0)) as usize + 3
}

/// A value between the two neighbours in a list; the ends go on level.
pub(super) fn between(values: &[f64], at: f64) -> f64 {
    let last = values.len().saturating_sub(1);
    let at = at.clamp(0.0, last as f64);
    let (left, share) = (at as usize, at - at.floor());
    let right = (left + 1).min(last);
    values[left] * (1.0 - share) + values[right] * share
}

/// What a collector makes: ramps of about `period` samples up to `height`, each dropping to the floor.
pub(super) fn saw(dice: &mut Dice, samples: usize, period: f64, height: f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(samples);
    while out.len() < samples {
        let teeth = ((period * (1.0 + 0.25 * dice.normal())).max(2.0)) as usize;
        let top = height * (1.0 + 0.15 * dice.normal());
        let step = top / (teeth - 1).max(1) as f64;
        out.extend((0..teeth.min(samples - out.len())).map(|i| step * i as f64));
    }
    out
}

/// 0 until `onset`, then a straight line up to 1 at the end of the span.
pub(super) fn ramp(span: &Span, onset: usize) -> Vec<f64> {
    let long = (span.samples - 1).saturating_sub(onset).max(1) as f64;
    span.map(|i| i.saturating_sub(onset) as f64 / long)
}

/// 0 until `onset`, then a straight line that reaches 1 `long` samples later, and stays there.
pub(super) fn rise(span: &Span, onset: usize, long: f64) -> Vec<f64> {
    span.map(|i| (i.saturating_sub(onset) as f64 / long.max(1.0)).min(1.0))
}

/// Growth that nears 1 with the time constant `tau`, in samples.
pub(super) fn saturate(samples: f64, tau: f64) -> f64 {
    1.0 - libm::exp(-samples / tau)
}

/// The sum of all samples so far.
pub(super) fn integral(of: &[f64]) -> Vec<f64> {
    of.iter()
        .scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        })
        .collect()
}

/// The highest sample so far.
pub(super) fn record(of: &[f64]) -> Vec<f64> {
    of.iter()
        .scan(f64::NEG_INFINITY, |top, value| {
            *top = top.max(*value);
            Some(*top)
        })
        .collect()
}

/// The highest of the last `window` samples, each.
pub(super) fn highest_lately(of: &[f64], window: usize) -> Vec<f64> {
    let mut falling: VecDeque<usize> = VecDeque::new();
    let step = |i: usize| {
        while falling.back().is_some_and(|&last| of[last] <= of[i]) {
            falling.pop_back();
        }
        falling.push_back(i);
        if falling.front().is_some_and(|&first| first + window <= i) {
            falling.pop_front();
        }
        falling.front().map_or(0.0, |&first| of[first])
    };
    (0..of.len()).map(step).collect()
}

/// Sample by sample `a + weight * b`.
pub(super) fn plus(mut a: Vec<f64>, weight: f64, b: &[f64]) -> Vec<f64> {
    for (a, b) in a.iter_mut().zip(b) {
        *a += weight * b;
    }
    a
}

/// Sample by sample `a * b`.
pub(super) fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// A constant level of 1.
pub(super) fn flat(span: &Span) -> Vec<f64> {
    vec![1.0; span.samples]
}

/// Everything times `factor`.
pub(super) fn times(a: Vec<f64>, factor: f64) -> Vec<f64> {
    a.into_iter().map(|value| value * factor).collect()
}

/// The same, scaled so that it ends at 1, if it rises at all.
pub(super) fn up_to_one(a: Vec<f64>) -> Vec<f64> {
    let end = a.last().copied().unwrap_or(0.0);
    if end > 0.0 { times(a, 1.0 / end) } else { a }
}

/// What `rate` adds up to from `onset` on, scaled to `height` at the end.
pub(super) fn summed(mut rate: Vec<f64>, onset: usize, height: f64) -> Vec<f64> {
    rate[..onset].fill(0.0);
    times(up_to_one(integral(&rate)), height)
}

/// Starts of further lives, each as long as `length` says, in samples; none starts at 0.
pub(super) fn restarts(samples: usize, mut length: impl FnMut() -> f64) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = length().max(2.0) as usize;
    while at < samples {
        starts.push(at);
        at += length().max(2.0) as usize;
    }
    starts
}

/// The samples since the life of each sample began, and the number of that life.
pub(super) fn ages(samples: usize, lives: &[usize]) -> Vec<(usize, usize)> {
    let mut out = Vec::with_capacity(samples);
    let mut begins = 0;
    for (life, end) in lives.iter().copied().chain([samples]).enumerate() {
        out.extend((begins..end).map(|i| (i - begins, life)));
        begins = end;
    }
    out
}
