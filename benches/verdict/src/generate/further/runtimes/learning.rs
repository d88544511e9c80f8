//! Programs that learn, and those that answer with what was learnt.

use crate::generate::further::demand::{demand, most};
use crate::generate::further::fills::at_rest;
use crate::generate::further::heaps::kept;
use crate::generate::further::lru::Asked;
use crate::generate::{
    curves::{ages, flat, plus, restarts, saturate, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Models, or tenants, or shards: few and large, loaded when asked for, and dropped when nobody has for some time.
pub(super) fn models(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let level = at_rest(dice, span, |dice| {
        let loaded = loaded(dice, span, &load);
        let height = dice.log_uniform(0.2, 3.0) / most(&loaded).max(f64::MIN_POSITIVE);
        plus(plus(flat(span), height, &loaded), dice.uniform(0.0, 0.2), &load)
    });
    Shape::benign(level).busy(load)
}

fn loaded(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let models = dice.log_uniform(3.0, 30.0) as usize;
    let (asks, exponent) = (dice.log_uniform(60.0, 5000.0) as usize, dice.uniform(0.3, 2.0));
    let asked = Asked::draw(dice, load, asks, models, exponent);
    let spread = dice.uniform(0.2, 1.0);
    let sizes: Vec<f64> = (0..models).map(|_| libm::exp(spread * dice.normal())).collect();
    let (mut used, idle) = (vec![None; models], span.hours(dice.log_uniform(0.2, 60.0)) as usize + 1);
    // Weights are mapped, and touched while it answers.
    let (mut resident, lag) = (0.0, span.hours(dice.log_uniform(0.01, 1.0)).max(1.0));
    let sums = asked.samples().enumerate().map(|(i, keys)| {
        keys.iter().for_each(|&key| used[key] = Some(i));
        let is_there = |used: &Option<usize>| used.is_some_and(|used| i - used < idle);
        let all: f64 = sizes.iter().zip(&used).filter(|(_, used)| is_there(used)).map(|(size, _)| size).sum();
        resident = all.min(resident + (all - resident) / lag);
        resident
    });
    sums.collect()
}

/// Another stage begins no later than at this share of the series, and its first epoch is over before the rest is.
const LAST_STAGE: f64 = 0.35;

/// Epochs over the same data: the first keeps it, readers write to what they share with the trainer until they are started
/// anew, and each ends with an evaluation. Another stage has data of another size.
pub(super) fn training(dice: &mut Dice, span: &Span) -> Shape {
    let epoch = dice.log_uniform(0.3, 30.0);
    let mut starts = restarts(span.samples, || span.hours(epoch * dice.uniform(0.97, 1.03)));
    starts.insert(0, 0);
    let (readers, soon) = (dice.log_uniform(0.02, 1.0), span.hours(epoch * dice.log_uniform(0.1, 3.0)));
    let (evaluated, long) = (dice.log_uniform(0.02, 0.8), span.hours(epoch * dice.uniform(0.02, 0.2)));
    let data = cached(dice, span, &starts);
    let differs = dice.uniform(0.005, 0.05);
    let load: Vec<f64> = wander(dice, span.samples, span.hours(epoch).max(1.0), differs);
    let level = ages(span.samples, &starts[1..]).into_iter().zip(data).zip(&load).map(
        |(((age, number), data), load)| {
            let evaluates = number > 0 && (age as f64) < long;
            let peak = if evaluates { evaluated } else { 0.0 };
            1.0 + data + readers * saturate(age as f64, soon.max(1.0)) + peak + 0.3 * load
        },
    );
    let (share, tau) = (dice.uniform(0.0, 0.95), span.hours(dice.log_uniform(0.3, 300.0)));
    let busy = load.iter().map(|load| 1.0 + load).collect();
    Shape::benign(kept(&level.collect::<Vec<_>>(), share, tau)).busy(busy)
}

/// Data that is kept once it was read, up to a bound.
fn cached(dice: &mut Dice, span: &Span, epochs: &[usize]) -> Vec<f64> {
    let (bytes, bound) = (dice.pick(&[0.0, 1.0, 1.0]) * dice.log_uniform(0.1, 3.0), dice.uniform(0.3, 1.5));
    let early = epochs.partition_point(|&epoch| (epoch as f64) < LAST_STAGE * span.samples as f64);
    let mut data = vec![0.0; span.samples];
    let mut weighs = bytes;
    for _ in 0..dice.whole(1, 4) {
        let stage = epochs[dice.whole(0, early)];
        let read = span.hours(dice.log_uniform(0.3, 30.0)).max(1.0);
        for (age, data) in data.iter_mut().skip(stage).enumerate() {
            *data = weighs * (age as f64 / read).min(1.0).min(bound);
        }
        weighs *= dice.uniform(0.5, 1.3);
    }
    data
}
