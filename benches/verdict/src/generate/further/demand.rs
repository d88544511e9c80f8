//! What there is to do, by the hour and by the day of the week.

use crate::generate::{
    curves::{between, days_of, flat, integral, times, wander},
    dice::Dice,
    span::Span,
};

/// Squeezed series under a load test have no day.
const STEADY: f64 = 0.4;
/// Nothing is ever quite without work.
const LEAST: f64 = 0.01;
/// Saturday is the day of this number, and Sunday the next.
const SATURDAY: usize = 5;

/// When it is day, and which.
pub(super) struct Calendar {
    /// Samples of a day.
    day: f64,
    /// Days since a Monday began, at the first sample.
    begins: f64,
}

impl Calendar {
    pub(super) fn draw(dice: &mut Dice, span: &Span) -> Self {
        Self { day: span.hours(24.0), begins: dice.uniform(0.0, 7.0) }
    }

    /// Days since a Monday began.
    fn days(&self, sample: usize) -> f64 {
        self.begins + sample as f64 / self.day
    }

    /// The number of the day.
    pub(super) fn date(&self, sample: usize) -> usize {
        self.days(sample) as usize
    }

    /// Hours since midnight.
    pub(super) fn hour(&self, sample: usize) -> f64 {
        24.0 * self.days(sample).fract()
    }

    pub(super) fn is_working_day(&self, sample: usize) -> bool {
        self.date(sample) % 7 < SATURDAY
    }

    /// How many dates a span has, from the Monday before it on.
    pub(super) fn dates(&self, span: &Span) -> usize {
        self.begins as usize + days_of(span)
    }
}

/// Requests per sample, about 1 where most come: by day and by week, or of a load test; noisy, and with crowds.
pub(super) fn demand(dice: &mut Dice, span: &Span) -> Vec<f64> {
    let calendar = Calendar::draw(dice, span);
    demand_of(dice, span, &calendar)
}

/// The same by a given calendar.
pub(super) fn demand_of(dice: &mut Dice, span: &Span, calendar: &Calendar) -> Vec<f64> {
    let is_steady = span.fast && dice.chance(STEADY);
    let mut load = if is_steady { flat(span) } else { weekly(dice, span, calendar) };
    let (tau, strength) = (span.minutes(dice.log_uniform(2.0, 180.0)), dice.log_uniform(0.01, 0.12));
    let noise = wander(dice, span.samples, tau, strength);
    crowd(dice, span, &mut load);
    load.iter().zip(noise).map(|(load, noise)| (load * (1.0 + noise)).max(LEAST)).collect()
}

/// One top a day, in some a second; fewer requests at night and at the weekend.
fn weekly(dice: &mut Dice, span: &Span, calendar: &Calendar) -> Vec<f64> {
    let (night, weekend) = (dice.uniform(0.05, 0.75), dice.uniform(0.25, 1.0));
    let (second, sharpness) = (dice.uniform(0.0, 0.5) * dice.pick(&[0.0, 1.0]), dice.uniform(0.6, 2.2));
    let jitter = dice.uniform(0.01, 0.15);
    let days: Vec<f64> = (0..calendar.dates(span))
        .map(|date| (1.0 + jitter * dice.normal()) * if date % 7 < SATURDAY { 1.0 } else { weekend })
        .collect();
    span.map(|i| {
        let turns = std::f64::consts::TAU * calendar.days(i);
        let wave = 0.5 - 0.5 * libm::cos(turns) + second * (0.5 - 0.5 * libm::cos(2.0 * turns));
        let share = libm::pow(wave / (1.0 + second), sharpness);
        (night + (1.0 - night) * share) * between(&days, calendar.days(i) - 0.5)
    })
}

/// Now and then a crowd comes, and leaves within hours.
fn crowd(dice: &mut Dice, span: &Span, load: &mut [f64]) {
    for _ in 0..dice.poisson(2.0) {
        let (begins, long) = (span.somewhere(dice, 0.0, 1.0), span.hours(dice.log_uniform(0.1, 4.0)));
        let more = dice.uniform(1.05, 1.7);
        load.iter_mut().skip(begins).take(long.ceil() as usize).for_each(|load| *load *= more);
    }
}

/// How many of what comes by `rate` are there at once, where each stays for `stay` samples: 1 on average. It is empty at
/// first.
pub(super) fn present(rate: &[f64], stay: f64) -> Vec<f64> {
    let stay = stay.max(1.0) as usize;
    let all = integral(rate);
    let gone = |i: usize| if i < stay { 0.0 } else { all[i - stay] };
    let there = (0..rate.len()).map(|i| all[i] - gone(i)).collect();
    times(there, 1.0 / (stay as f64 * mean(rate)))
}

/// What has not been done yet where `rate` comes, and no more than `capacity` is done a sample.
pub(super) fn queue(rate: &[f64], capacity: f64) -> Vec<f64> {
    waiting(rate, capacity, &[])
}

/// The same where nothing is done in `outages`, each of which begins at a sample and lasts for so many.
pub(super) fn waiting(rate: &[f64], capacity: f64, outages: &[(usize, usize)]) -> Vec<f64> {
    let mut takes = vec![capacity; rate.len()];
    for &(begins, long) in outages {
        takes.iter_mut().skip(begins).take(long).for_each(|takes| *takes = 0.0);
    }
    let mut left = 0.0_f64;
    let left = rate.iter().zip(takes).map(|(rate, takes)| {
        left = (left + rate - takes).max(0.0);
        left
    });
    left.collect()
}

pub(super) fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len().max(1) as f64
}

pub(super) fn most(of: &[f64]) -> f64 {
    of.iter().copied().fold(0.0, f64::max)
}
