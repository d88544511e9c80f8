//! A whole host: thousands of processes of which most do next to nothing, and none leaks.

use super::{
    classes::{Class, classes},
    curves::{flat, plus, restarts, saw, wander},
    dice::{Dice, Purpose},
    finish::finish,
    shape::Shape,
    span::Span,
};
use crate::trace::{Label, Make, Point, Trace};

const DAY: f64 = 86_400.0;
const PAGE: u64 = 4096;
/// Shares of entities: idle ones, and those that are a little active; the rest are services.
const IDLE: f64 = 0.82;
const LIGHT: f64 = 0.11;
/// Of the idle ones, how many are tiny, and how many never change at all.
const TINY: f64 = 0.15;
const CONSTANT: f64 = 0.5;
/// How many entities restart, of those that aren't made to by their class.
const RESTARTING: f64 = 0.05;
/// How many have been up for longer than the series.
const LONG_UP: f64 = 0.85;
/// How long at least they have been, seconds: fills and warm-ups are over by then.
const UP_FOR: f64 = 2.0 * 24.0 * 3600.0;
/// How many of the services have a limit, and how far above their peak it lies.
const LIMITED: f64 = 0.4;
const ROOM: (f64, f64) = (1.03, 1.3);
/// How much of a class's amplitude a service of this host has.
const AMPLITUDE: (f64, f64) = (0.05, 0.4);
/// Kernels count CPU time in hundredths of a second.
const TICKS: f64 = 100.0;

/// Processes of one host over so many days, sampled every `interval` seconds, each of which is made where it is called.
///
/// More than 80 % are idle (class `population_idle`), 11 % a little active (`population_light`), and 7 % are services
/// of the benign classes, with smaller amplitudes.
pub fn population(seed: u64, entities: u32, days: f64, interval: f64) -> impl Iterator<Item = impl Make> {
    let span = Span::days(days * DAY, interval);
    (0..entities).map(move |number| {
        let span = span.clone();
        move || process(seed, &span, number)
    })
}

fn process(seed: u64, span: &Span, number: u32) -> Trace {
    let purpose = Purpose { seed, kind: 2, class: "population", number, attempt: 0 };
    Dice::until(&purpose, |dice| entity(dice, span, number))
}

fn entity(dice: &mut Dice, span: &Span, number: u32) -> Option<Trace> {
    let role = dice.uniform(0.0, 1.0);
    if role < IDLE {
        Some(idle(dice, span, number))
    } else if role < IDLE + LIGHT {
        let shape = light(dice, span);
        let trace = finish(dice, span, ("population_light", number), &shape)?;
        Some(Trace { limit: None, ..trace })
    } else {
        service(dice, span, number)
    }
}

/// Sizes of what runs on a host, bytes: half of them between 9 and 25 MB.
fn size(dice: &mut Dice) -> f64 {
    15e6 * libm::exp(0.75 * dice.normal())
}

/// Samples until something next happens that does so every `mean` samples; a billion stands for never.
fn wait(dice: &mut Dice, mean: f64) -> usize {
    1 + (mean * dice.exponential()).min(1e9) as usize
}

/// A constant number of pages, or one that changes by a few now and then. Chance is asked only when something happens.
fn idle(dice: &mut Dice, span: &Span, number: u32) -> Trace {
    let tiny = dice.chance(TINY);
    let bytes = if tiny { dice.log_uniform(1e5, 1.5e6) } else { size(dice) };
    let mut pages = bytes as u64 / PAGE;
    let change = if dice.chance(CONSTANT) { f64::INFINITY } else { span.hours(dice.log_uniform(0.5, 48.0)) };
    let missed = 1.0 / dice.uniform(0.0005, 0.01);
    let per_sample = dice.log_uniform(1e-5, 5e-3) * span.interval;
    let restart = if dice.chance(RESTARTING) { dice.whole(1, span.samples) } else { span.samples };
    let (mut next_change, mut next_missed) = (wait(dice, change), wait(dice, missed));
    let mut points = Vec::with_capacity(span.samples);
    for i in 0..span.samples {
        if i == next_change {
            pages = pages.saturating_add_signed(dice.whole(0, 9) as i64 - 4).max(1);
            next_change += wait(dice, change);
        }
        if i == next_missed {
            next_missed += wait(dice, missed);
            continue;
        }
        let (life, age) = if i < restart { (0, i) } else { (1, i - restart) };
        points.push(Point {
            time: i as f64 * span.interval,
            bytes: pages * PAGE,
            life,
            build: 0,
            cpu_seconds: Some((age as f64 * per_sample * TICKS).floor() / TICKS),
        });
    }
    Trace {
        class: "population_idle",
        number,
        label: Label::Benign,
        steady_after_plateau: false,
        interval: span.interval,
        up_for: 0.0,
        limit: None,
        dies: false,
        points,
    }
}

/// Drifts, small saws, and caches that were full long ago.
fn light(dice: &mut Dice, span: &Span) -> Shape {
    let what = dice.whole(0, 3);
    let extra = match what {
        0 => {
            let (tau, strength) = (span.hours(dice.uniform(2.0, 24.0)), dice.log_uniform(0.001, 0.02));
            wander(dice, span.samples, tau, strength)
        }
        1 => {
            let (period, height) = (span.hours(dice.log_uniform(0.1, 12.0)), dice.log_uniform(0.005, 0.1));
            saw(dice, span.samples, period, height)
        }
        _ => {
            let (tau, strength) = (span.minutes(dice.uniform(5.0, 120.0)), dice.log_uniform(0.0005, 0.01));
            wander(dice, span.samples, tau, strength)
        }
    };
    let shape = Shape::benign(plus(flat(span), 1.0, &extra));
    let lives = if dice.chance(RESTARTING) {
        restarts(span.samples, || span.hours(dice.uniform(24.0, 120.0)))
    } else {
        Vec::new()
    };
    let starts_small = !lives.is_empty();
    Shape { base: Some(3.0 * size(dice)), noise: (0.2, 0.1), starts_small, ..shape.restarting(lives) }
}

/// A service as of a benign class, but of smaller amplitude.
fn service(dice: &mut Dice, span: &Span, number: u32) -> Option<Trace> {
    let benign: Vec<&Class> = classes().iter().filter(|class| !class.is_leak).collect();
    let class = dice.pick(&benign);
    let before = if dice.chance(LONG_UP) { (UP_FOR / span.interval) as usize } else { 0 };
    let span = &span.longer_by(before);
    let mut shape = class.shape(dice, span);
    let amplitude = dice.uniform(AMPLITUDE.0, AMPLITUDE.1);
    shape.level.iter_mut().for_each(|level| *level = 1.0 + amplitude * (*level - 1.0));
    let shape = Shape {
        base: Some(shape.base.unwrap_or_else(|| dice.log_uniform(30e6, 2e9))),
        noise: (0.5 * shape.noise.0, 0.4 * shape.noise.1),
        limit: Some(dice.uniform(ROOM.0, ROOM.1)),
        ..shape
    };
    let trace = finish(dice, span, (class.name, number), &shape)?;
    let limit = trace.limit.filter(|_| dice.chance(LIMITED));
    Some(Trace { limit, points: since(&trace.points, before as f64 * span.interval), ..trace })
}

/// What was seen from `start` on, in the time since.
pub(super) fn since(points: &[Point], start: f64) -> Vec<Point> {
    let seen = points.iter().filter(|point| point.time >= start);
    seen.map(|point| Point { time: point.time - start, ..*point }).collect()
}
