//! Work that comes and goes.

use crate::generate::{
    curves::{ages, flat, plus, restarts},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// How much busier a job makes its process.
const BUSIER: (f64, f64) = (0.5, 4.0);

/// A process of which `extra` is used for jobs, and which works while it is.
fn working(dice: &mut Dice, span: &Span, extra: &[f64]) -> Shape {
    let more = dice.uniform(BUSIER.0, BUSIER.1);
    let load = extra.iter().map(|extra| 1.0 + more * f64::from(u8::from(*extra > 0.0))).collect();
    Shape::benign(plus(flat(span), 1.0, extra)).busy(load)
}

pub(in crate::generate) fn batch(dice: &mut Dice, span: &Span) -> Shape {
    let period = span.hours(dice.pick(&[1.0, 4.0, 12.0, 24.0])).max(2.0);
    let long = (period * dice.uniform(0.1, 0.5)).max(1.0);
    let mut extra = vec![0.0; span.samples];
    let mut begins = dice.uniform(0.0, period);
    while begins < span.samples as f64 {
        let (height, power) = (dice.uniform(0.4, 1.5), dice.uniform(0.3, 1.0));
        for (i, extra) in extra.iter_mut().skip(begins as usize).take(long as usize).enumerate() {
            *extra += height * libm::pow(i as f64 / long, power);
        }
        begins += period;
    }
    working(dice, span, &extra)
}

pub(in crate::generate) fn backlog(dice: &mut Dice, span: &Span) -> Shape {
    let mut extra = vec![0.0; span.samples];
    for _ in 0..dice.whole(1, 4) {
        let begins = dice.whole(0, span.samples);
        let (up, down) = (span.hours(dice.uniform(1.0, 8.0)), span.hours(dice.uniform(0.2, 3.0)));
        let height = dice.uniform(0.3, 1.5);
        for (i, extra) in extra.iter_mut().skip(begins).take((up + down) as usize).enumerate() {
            let i = i as f64;
            *extra += height * if i < up { i / up } else { 1.0 - (i - up) / down };
        }
    }
    working(dice, span, &extra)
}

/// Maintenance every few days, which takes hours and gives back what it used in the end.
pub(in crate::generate) fn weekly_job(dice: &mut Dice, span: &Span) -> Shape {
    let (every, height) = (span.hours(dice.uniform(48.0, 84.0)), dice.uniform(0.2, 1.2));
    let (long, power) = (span.hours(dice.uniform(1.0, 8.0)).max(1.0), dice.uniform(0.4, 1.2));
    let mut extra = vec![0.0; span.samples];
    let mut begins = dice.uniform(0.0, every);
    while begins < span.samples as f64 {
        for (i, extra) in extra.iter_mut().skip(begins as usize).take(long as usize).enumerate() {
            *extra = height * libm::pow(i as f64 / long, power);
        }
        begins += every * dice.uniform(0.9, 1.1);
    }
    working(dice, span, &extra)
}

/// One job after the other, each a process that grows until it is done.
pub(in crate::generate) fn short_jobs(dice: &mut Dice, span: &Span) -> Shape {
    let long = span.hours(dice.log_uniform(0.15, 4.0));
    let lives = restarts(span.samples, || (long * dice.uniform(0.5, 1.5)).max(4.0));
    let (height, power) = (dice.uniform(0.2, 2.0), dice.uniform(0.4, 1.1));
    let level = ages(span.samples, &lives)
        .into_iter()
        .map(|(age, _)| 1.0 + height * libm::pow(age as f64 / long, power))
        .collect();
    Shape::benign(level).restarting(lives).own_start()
}
