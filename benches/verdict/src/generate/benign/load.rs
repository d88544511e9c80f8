//! Memory that follows what there is to do.

use crate::generate::{
    curves::{daily, daily_by, days_of, flat, plus, record, rise, saw, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

const JITTER: f64 = 0.15;
/// The share of roll-outs that bring memory but no work.
const UNSEEN: f64 = 0.2;

pub(in crate::generate) fn diurnal(dice: &mut Dice, span: &Span) -> Shape {
    let load = daily(dice, span, JITTER);
    Shape::benign(plus(flat(span), dice.uniform(0.15, 1.0), &load)).busy(load)
}

pub(in crate::generate) fn diurnal_gc(dice: &mut Dice, span: &Span) -> Shape {
    let load = daily(dice, span, JITTER);
    let level = plus(flat(span), dice.uniform(0.15, 0.6), &load);
    let (period, height) = (span.minutes(dice.uniform(10.0, 120.0)), dice.uniform(0.1, 0.4));
    Shape::benign(plus(level, 1.0, &saw(dice, span.samples, period, height))).busy(load)
}

pub(in crate::generate) fn traffic_ramp(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.05, 0.7);
    let more = rise(span, onset, span.hours(dice.uniform(1.0, 10.0)));
    let shape = Shape::benign(plus(flat(span), dice.uniform(0.2, 1.0), &more));
    if dice.chance(UNSEEN) {
        return shape;
    }
    let busier = dice.uniform(0.3, 2.0);
    shape.busy(plus(flat(span), busier, &more))
}

pub(in crate::generate) fn ramp_small(dice: &mut Dice, span: &Span) -> Shape {
    let onset = span.somewhere(dice, 0.05, 0.7);
    let more = rise(span, onset, span.hours(dice.uniform(1.0, 10.0)));
    let busier = dice.uniform(0.05, 0.5);
    Shape::benign(plus(flat(span), dice.uniform(0.04, 0.2), &more)).busy(plus(flat(span), busier, &more))
}

/// A daily load that rises towards one day of the week, and falls after it.
pub(in crate::generate) fn peak_week(dice: &mut Dice, span: &Span) -> Shape {
    let (top, width, more) = (dice.uniform(2.0, 5.0), dice.uniform(1.0, 2.2), dice.uniform(0.8, 2.0));
    let factors: Vec<f64> = (0..days_of(span))
        .map(|day| {
            let off = (day as f64 - top) / width;
            (0.5 + more * libm::exp(-off * off)) * (1.0 + 0.08 * dice.normal())
        })
        .collect();
    let load = daily_by(dice, span, &factors);
    Shape::benign(plus(flat(span), dice.uniform(0.15, 0.6), &load)).busy(load)
}

/// Peaks of work, most of whose memory the allocator keeps: each new record leaves a little more.
pub(in crate::generate) fn retain(dice: &mut Dice, span: &Span) -> Shape {
    let daily = daily(dice, span, JITTER);
    let mut peaks = vec![0.0_f64; span.samples];
    for _ in 0..dice.whole(8, 40) {
        let begins = dice.whole(0, span.samples);
        let long = span.minutes(dice.uniform(5.0, 90.0)).ceil() as usize;
        let height = dice.exponential();
        peaks.iter_mut().skip(begins).take(long).for_each(|peak| *peak = peak.max(height));
    }
    let load = plus(daily, 0.7, &peaks);
    let (height, kept) = (dice.uniform(0.15, 0.5), dice.uniform(0.5, 0.95));
    let most = record(&load);
    let level = span.map(|i| 1.0 + height * (kept * most[i] + (1.0 - kept) * load[i]));
    Shape::benign(level).busy(load)
}

/// An arena for each thread that was ever needed at once, up to as many as there may be.
pub(in crate::generate) fn arenas(dice: &mut Dice, span: &Span) -> Shape {
    let load = daily(dice, span, JITTER);
    let (most, height) = (dice.whole(8, 64) as f64, dice.uniform(0.2, 1.2));
    let (reach, tau) = (dice.uniform(0.4, 1.0), span.hours(dice.uniform(0.2, 4.0)));
    let jitter = wander(dice, span.samples, tau, 0.2);
    let threads: Vec<f64> = load
        .iter()
        .zip(&jitter)
        .map(|(load, jitter)| (most * reach * (load + jitter)).floor().clamp(0.0, most))
        .collect();
    let level = record(&threads).into_iter().map(|threads| 1.0 + height * threads / most).collect();
    Shape::benign(level).busy(load)
}
