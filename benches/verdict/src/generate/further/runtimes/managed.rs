//! Heaps of runtimes that collect garbage: what is resident is what was touched, and not what lives.

use crate::generate::further::demand::{demand, mean, most};
use crate::generate::further::fills::at_rest;
use crate::generate::further::heaps::{cycles, kept};
use crate::generate::further::lru::{Asked, Lru};
use crate::generate::{
    curves::{flat, highest_lately, plus, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A generation for what survives: it fills by promotion, and is collected only when it is full.
pub(super) struct Tenured {
    /// What is promoted where the load is 1.
    promoted: f64,
    /// Its size at first, and what it may grow to.
    room: (f64, f64),
    /// What share of it is to be free after a collection.
    free: f64,
    /// How much of what is missing to its largest size each collection adds: so long as it takes too much time.
    grows: f64,
    /// What share may be free at most; beyond, it gives back.
    too_free: f64,
}

impl Tenured {
    /// One whose full collections are hours apart once it is as large as what lives, which is about 1.
    pub(super) fn draw(dice: &mut Dice, span: &Span, load: &[f64]) -> Self {
        let period = span.hours(dice.log_uniform(0.5, 20.0)).max(2.0);
        let first = dice.uniform(1.1, 2.0);
        Self {
            promoted: 1.0 / (period * mean(load)),
            room: (first, first * dice.log_uniform(1.2, 5.0)),
            free: dice.uniform(0.05, 0.5),
            grows: dice.pick(&[0.0, 1.0, 1.0]) * dice.uniform(0.15, 0.8),
            too_free: dice.pick(&[0.7, 0.99, 0.99]),
        }
    }

    /// The same without a maximum.
    pub(super) fn unbounded(self) -> Self {
        Self { grows: 0.0, room: (self.room.0, f64::INFINITY), ..self }
    }

    /// What is resident: every page that was promoted to since it last gave back.
    pub(super) fn resident(&self, live: &[f64], load: &[f64]) -> Vec<f64> {
        let (mut used, (mut room, most)) = (live[0], self.room);
        let mut touched = used;
        let step = |(live, load): (&f64, &f64)| {
            used += self.promoted * load;
            if used >= room {
                used = live.min(most);
                let added = if self.grows > 0.0 { self.grows * (most - room) } else { 0.0 };
                let needed = used / (1.0 - self.free);
                room = (room + added).max(needed).min(used / (1.0 - self.too_free)).min(most);
                touched = touched.min(room);
            }
            touched = touched.max(used);
            touched
        };
        live.iter().zip(load).map(step).collect()
    }
}

/// Flat but for the end of each cycle, where more is promoted than ever; the young generation is touched all the time.
pub(super) fn tenured_heap(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let live = plus(flat(span), dice.uniform(0.0, 0.4), load);
    let heap = Tenured::draw(dice, span, load);
    plus(heap.resident(&live, load), dice.uniform(0.0, 0.15), load)
}

pub(super) fn tenured(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(at_rest(dice, span, |dice| tenured_heap(dice, span, &load))).busy(load)
}

/// A heap that grows with what is allocated per second, and gives back what it has not used for some time.
pub(super) fn uncommitting_heap(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let live = plus(flat(span), dice.log_uniform(0.02, 0.7), load);
    let period = span.hours(dice.log_uniform(0.05, 8.0));
    let cycles = cycles(dice, load, period);
    let (slack, by_load) = (dice.log_uniform(0.1, 2.0), dice.uniform(0.0, 1.0));
    let differs = dice.uniform(0.0, 0.25);
    let tunes = wander(dice, span.samples, 3.0 * period.max(1.0), differs);
    let used: Vec<f64> = span.map(|i| {
        let allowed = slack * (1.0 - by_load + by_load * load[i]) * (1.0 + tunes[i]).max(0.1);
        live[i] + allowed * cycles[i]
    });
    let unused = span.hours(dice.log_uniform(0.1, 20.0)).ceil() as usize;
    let slowly = span.hours(dice.log_uniform(0.05, 8.0));
    kept(&highest_lately(&used, unused), 1.0, slowly)
}

pub(super) fn uncommitting(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(uncommitting_heap(dice, span, &load)).busy(load)
}

/// A cache that may take all of the heap: when that is full, a part of it, or all, is let go at once.
pub(super) fn softly(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let cache = cleared(dice, &load);
    let live = plus(flat(span), dice.log_uniform(0.2, 4.0) / most(&cache).max(f64::MIN_POSITIVE), &cache);
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(1.0, 100.0)));
    Shape::benign(plus(kept(&live, share, tau), dice.uniform(0.0, 0.2), &load)).busy(load)
}

/// What a cache weighs that fills the room that there is, and is cleared then.
fn cleared(dice: &mut Dice, load: &[f64]) -> Vec<f64> {
    let keys = dice.log_uniform(2e3, 1e5) as usize;
    let (asks, exponent) = (dice.log_uniform(3e4, 2e5) as usize, dice.uniform(0.3, 1.1));
    let asked = Asked::draw(dice, load, asks, keys, exponent);
    let full = (dice.log_uniform(0.01, 0.4) * load.len() as f64) as usize;
    let (spread, stays) = (dice.uniform(0.1, 1.0), dice.uniform(0.0, 0.9));
    let (mut cache, mut room) = (Lru::new(dice, keys, spread), f64::INFINITY);
    let weights = asked.samples().enumerate().map(|(i, keys)| {
        keys.iter().for_each(|&key| cache.ask(key));
        if i == full {
            room = cache.weight;
        }
        if cache.weight >= room {
            cache.keep((stays * cache.entries() as f64) as usize);
        }
        cache.weight
    });
    weights.collect()
}
