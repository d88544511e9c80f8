//! From a shape to a series as it would be measured: start-up, noise, spikes, pages, limit, scrapes that were missed.

use super::{
    activity,
    curves::{ages, wander},
    dice::Dice,
    shape::{End, Leak, Shape},
    span::Span,
};
use crate::trace::{Label, Point, Trace};

/// Bytes of a page: memory comes in no smaller pieces.
const PAGE: f64 = 4096.0;
/// Typical sizes of what serves, bytes.
const SIZES: (f64, f64) = (20e6, 4e9);
/// Where the limit of a squeezed leak lies, as a multiple of the level at its onset.
const ROOM: (f64, f64) = (1.3, 3.0);
/// How long a squeezed leak takes from its onset to its limit, seconds.
const WAY: (f64, f64) = (20.0 * 60.0, 11.0 * 3600.0);
/// A leak has arrived when it is this close to the highest level of the whole span.
const ARRIVED: f64 = 0.995;
/// A level of at least this many seconds is a plateau.
const PLATEAU: f64 = 24.0 * 3600.0;

/// A series without noise, and where it ends.
struct Clean {
    /// Memory, relative to the base size.
    level: Vec<f64>,
    /// The limit, where it follows from the shape, and the sample at which it is hit.
    hit: Option<(f64, usize)>,
}

/// The series, or none if its leak takes too short or too long in a squeezed span.
pub(super) fn finish(
    dice: &mut Dice,
    span: &Span,
    (class, number): (&'static str, u32),
    shape: &Shape,
) -> Option<Trace> {
    let clean = clean(dice, span, shape)?;
    let base = shape.base.unwrap_or_else(|| dice.log_uniform(SIZES.0, SIZES.1));
    let noisy = measured(dice, span, shape, &clean.level);
    let (limit, end) = limit(dice, shape, &clean, &noisy);
    let samples = end.map_or(span.samples, |end| end + 1);
    let below = if end.is_some() || shape.leak.is_some() { 0.99 * limit } else { f64::INFINITY };
    let busy = activity::cpu_seconds(dice, span, shape);
    let seen = scraped(dice, span, samples);
    let lives = ages(samples, &within(&shape.lives, samples));
    let builds = ages(samples, &within(&shape.builds, samples));
    let points = (0..samples)
        .filter(|&i| seen[i])
        .map(|i| Point {
            time: i as f64 * span.interval,
            bytes: pages(noisy[i].min(if end == Some(i) { limit } else { below }) * base),
            life: lives[i].1 as u32,
            build: builds[i].1 as u32,
            cpu_seconds: Some(busy[i]),
        })
        .collect();
    Some(Trace {
        class,
        number,
        label: label(span, shape.leak.as_ref()),
        steady_after_plateau: shape.leak.as_ref().is_some_and(|leak| steady(span, leak)),
        interval: span.interval,
        up_for: 0.0,
        limit: Some(pages(limit * base) + PAGE as u64),
        dies: end.is_some(),
        points,
    })
}

fn pages(bytes: f64) -> u64 {
    ((bytes / PAGE).round() * PAGE) as u64
}

fn within(starts: &[usize], samples: usize) -> Vec<usize> {
    starts.iter().copied().filter(|&start| start < samples).collect()
}

fn label(span: &Span, leak: Option<&Leak>) -> Label {
    leak.map_or(Label::Benign, |leak| Label::Leak {
        onset: span.seconds(0, leak.onset),
        fixed: leak.fixed.map(|fixed| span.seconds(0, fixed)),
    })
}

fn steady(span: &Span, leak: &Leak) -> bool {
    leak.flat_since.is_some_and(|since| span.seconds(since, leak.onset) >= PLATEAU)
}

/// Base load, leak and start-up together; none if a squeezed leak takes too short or too long.
fn clean(dice: &mut Dice, span: &Span, shape: &Shape) -> Option<Clean> {
    let mut level = shape.level.clone();
    if let Some(leak) = &shape.leak {
        let scale = if span.fast && leak.end == End::Scaled { scale(dice, shape, leak) } else { 1.0 };
        level.iter_mut().zip(&leak.leaked).for_each(|(level, leaked)| *level += scale * leaked);
    }
    if shape.starts_small {
        let (depth, tau) = (dice.uniform(0.5, 0.95), span.moments(dice.uniform(0.5, 8.0)));
        for (level, (age, _)) in level.iter_mut().zip(ages(span.samples, &shape.lives)) {
            *level *= 1.0 - depth * libm::exp(-(age as f64) / tau);
        }
    }
    let hit = match &shape.leak {
        Some(leak) if span.fast => {
            let hit = arrival(shape, leak, &level);
            let way = span.seconds(leak.onset, first_end(shape, leak, hit));
            if !(WAY.0..=WAY.1).contains(&way) {
                return None;
            }
            leak.fixed.is_none().then(|| (level[hit], hit))
        }
        _ => None,
    };
    Some(Clean { level, hit })
}

/// What the growth is multiplied by, so that it ends at a limit that is drawn.
fn scale(dice: &mut Dice, shape: &Shape, leak: &Leak) -> f64 {
    let most = leak.leaked.iter().copied().fold(0.0, f64::max);
    let room = dice.uniform(ROOM.0, ROOM.1) - 1.0;
    if most > 0.0 { room * shape.level[leak.onset] / most } else { 1.0 }
}

/// The sample at which a squeezed leak meets its limit for the last time.
fn arrival(shape: &Shape, leak: &Leak, level: &[f64]) -> usize {
    if leak.end == End::EveryLife {
        return shape.lives.last().map_or(level.len(), |&start| start) - 1;
    }
    let top = level[leak.onset..].iter().copied().fold(0.0, f64::max);
    (leak.onset..level.len()).find(|&i| level[i] >= ARRIVED * top).unwrap_or(level.len() - 1)
}

/// The sample at which the growth first comes to an end.
fn first_end(shape: &Shape, leak: &Leak, arrival: usize) -> usize {
    match leak.end {
        End::EveryLife => shape.lives.first().map_or(arrival, |&start| start - 1),
        End::Scaled | End::Own => leak.fixed.unwrap_or(arrival),
    }
}

/// Noise of the process and of its measurement, and spikes of a few minutes.
fn measured(dice: &mut Dice, span: &Span, shape: &Shape, clean: &[f64]) -> Vec<f64> {
    let strength = dice.log_uniform(0.001, 0.02) * shape.noise.0;
    let tau = span.moments(dice.uniform(1.0, 30.0));
    let mut noisy = wander(dice, span.samples, tau, strength);
    for (noisy, clean) in noisy.iter_mut().zip(clean) {
        *noisy += clean + 0.3 * strength * dice.normal();
    }
    let long = span.samples as f64 / span.moments(1440.0);
    for _ in 0..dice.poisson(1.5 * long) {
        let begins = dice.whole(0, span.samples);
        let lasts = span.moments(dice.whole(1, 10) as f64).ceil() as usize;
        let height = dice.uniform(0.05, 0.5) * shape.noise.1;
        noisy.iter_mut().skip(begins).take(lasts).for_each(|noisy| *noisy += height);
    }
    noisy.iter_mut().for_each(|noisy| *noisy = noisy.max(0.05));
    noisy
}

/// The limit, relative to the base size, and the sample at which the series ends there.
///
/// What kills is the level: a spike that would is taken to be refused instead.
fn limit(dice: &mut Dice, shape: &Shape, clean: &Clean, noisy: &[f64]) -> (f64, Option<usize>) {
    if let Some((limit, hit)) = clean.hit {
        return (limit, Some(hit));
    }
    let peak = noisy.iter().copied().fold(0.0, f64::max);
    let Some(leak) = &shape.leak else {
        return (peak * shape.limit.unwrap_or_else(|| dice.uniform(1.1, 3.0)), None);
    };
    let lowest = if shape.lives.is_empty() { 0.95 } else { 1.02 };
    let multiple = shape.limit.unwrap_or_else(|| dice.uniform(0.95, 2.0).max(lowest));
    let limit = (peak * multiple).max(1.5);
    (limit, (leak.onset..clean.level.len()).find(|&i| clean.level[i] >= limit))
}

/// Which samples were taken: now and then one is missed, and some series have an outage. The last is always there.
fn scraped(dice: &mut Dice, span: &Span, samples: usize) -> Vec<bool> {
    let missed = dice.uniform(0.0, 0.01);
    let mut seen: Vec<bool> = (0..samples).map(|_| !dice.chance(missed)).collect();
    if dice.chance(0.3) {
        let begins = dice.whole(0, samples);
        let lasts = (span.moments(dice.whole(5, 90) as f64) as usize).min(samples / 6);
        seen.iter_mut().skip(begins).take(lasts).for_each(|seen| *seen = false);
    }
    if let Some(last) = seen.last_mut() {
        *last = true;
    }
    seen
}
