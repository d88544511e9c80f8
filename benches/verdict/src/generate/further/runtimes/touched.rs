//! Pages become resident when they are touched, and copies when they are written to.

use crate::generate::further::demand::{demand, present};
use crate::generate::further::fills::at_rest;
use crate::generate::further::heaps::kept;
use crate::generate::{
    curves::{ages, flat, plus, restarts},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Pages in groups, each of which is touched at another rate: in part within minutes, and in part within days.
#[derive(Clone)]
pub(in crate::generate::further) struct Pages {
    groups: Vec<Group>,
}

#[derive(Clone)]
struct Group {
    /// What share of it is touched in a sample of load 1.
    rate: f64,
    weight: f64,
    /// What share of it is resident.
    there: f64,
}

impl Pages {
    /// None resident; the coldest are touched once in so many hours.
    pub(in crate::generate::further) fn draw(
        dice: &mut Dice,
        span: &Span,
        groups: usize,
        (hot, cold): (f64, f64),
    ) -> Self {
        let group = |dice: &mut Dice| Group {
            rate: 1.0 / span.hours(dice.log_uniform(hot, cold)).max(1.0),
            weight: dice.exponential() / groups as f64,
            there: 0.0,
        };
        Self { groups: (0..groups).map(|_| group(dice)).collect() }
    }

    /// What is resident after a sample of so much load.
    pub(in crate::generate::further) fn touch(&mut self, load: f64) -> f64 {
        let touched = self.groups.iter_mut().map(|group| {
            group.there += (1.0 - group.there) * (group.rate * load).min(1.0);
            group.weight * group.there
        });
        touched.sum()
    }

    /// Of what is touched less often than once in so many samples, all but a share is let go.
    pub(super) fn reclaim(&mut self, rarer_than: f64, left: f64) {
        let cold = self.groups.iter_mut().filter(|group| group.rate * rarer_than < 1.0);
        cold.for_each(|group| group.there *= left);
    }
}

/// When others need memory: some days apart at any time, or again and again.
fn pressed(dice: &mut Dice, span: &Span) -> Vec<usize> {
    let often = dice.log_uniform(6.0, 150.0);
    restarts(span.samples, || span.hours(often * dice.uniform(0.3, 1.7)))
}

/// What was swapped out comes back page by page as it is needed: the process grows and has asked for nothing.
pub(super) fn swapping(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let coldest = dice.log_uniform(4.0, 60.0);
    let mut pages = Pages::draw(dice, span, 6, (0.1, coldest));
    if dice.chance(0.5) {
        pages.touch(f64::INFINITY);
    }
    let (hot, left) = (span.hours(dice.log_uniform(0.05, 2.0)), dice.uniform(0.0, 0.8));
    let pressed = pressed(dice, span);
    let resident = load.iter().zip(ages(span.samples, &pressed)).map(|(load, (age, reclaimed))| {
        if age == 0 && reclaimed > 0 {
            pages.reclaim(hot, left);
        }
        pages.touch(*load)
    });
    let resident: Vec<f64> = resident.collect();
    plus(plus(flat(span), dice.log_uniform(0.15, 3.0), &resident), dice.uniform(0.0, 0.2), load)
}

pub(super) fn swapped(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(at_rest(dice, span, |dice| swapping(dice, span, &load))).busy(load)
}

/// A child writes the data of the moment it was forked at: what is changed meanwhile is there twice.
pub(super) fn snapshots(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let held = present(&load, span.hours(dice.log_uniform(1.0, 60.0)));
    let data = plus(flat(span), dice.log_uniform(0.02, 0.8), &held);
    let (every, long) = (dice.log_uniform(0.7, 26.0), dice.log_uniform(0.03, 0.6));
    let forks = restarts(span.samples, || span.hours(every * dice.uniform(0.9, 1.1)));
    let mut copied = Pages::draw(dice, span, 4, (0.02 * every, every));
    let (per_data, writes) = (dice.uniform(0.2, 1.0), span.hours(every * long));
    let level = data.iter().zip(&load).zip(ages(span.samples, &forks)).map(|((data, load), (age, fork))| {
        if age == 0 {
            copied.reclaim(0.0, 0.0);
        }
        let saves = fork > 0 && (age as f64) < writes * data;
        data * (1.0 + if saves { per_data * copied.touch(*load) } else { 0.0 })
    });
    let (share, tau) = (dice.pick(&[0.0, 0.0, 0.8]), span.hours(dice.log_uniform(0.2, 30.0)));
    Shape::benign(kept(&level.collect::<Vec<_>>(), share, tau)).busy(load)
}
