//! Allocators that have holes: one survivor holds a whole arena, and one block on top all that is below.

use std::collections::BTreeSet;

use crate::generate::further::demand::demand;
use crate::generate::{
    curves::{flat, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// One of so many is young.
const YOUNG: usize = 10;

/// Arenas of so many objects each: an object takes the first hole, and an arena goes when all of its objects are gone.
struct Arenas {
    slots: usize,
    /// How many objects are in each.
    used: Vec<usize>,
    /// Those with holes.
    open: BTreeSet<usize>,
    /// Where each object is, the youngest last.
    objects: Vec<usize>,
    /// How many hold anything.
    resident: usize,
}

impl Arenas {
    fn new(slots: usize) -> Self {
        Self { slots, used: Vec::new(), open: BTreeSet::new(), objects: Vec::new(), resident: 0 }
    }

    fn allocate(&mut self) {
        let arena = self.open.first().copied().unwrap_or(self.used.len());
        if arena == self.used.len() {
            self.used.push(0);
            self.open.insert(arena);
        }
        self.resident += usize::from(self.used[arena] == 0);
        self.used[arena] += 1;
        if self.used[arena] == self.slots {
            self.open.remove(&arena);
        }
        self.objects.push(arena);
    }

    fn allocate_up_to(&mut self, objects: usize) {
        (self.objects.len()..objects).for_each(|_| self.allocate());
    }

    /// Frees any, or as often as `young` says one of the youngest.
    fn free_down_to(&mut self, objects: usize, dice: &mut Dice, young: f64) {
        while self.objects.len() > objects {
            let all = self.objects.len();
            let oldest = if dice.chance(young) { all - all / YOUNG - 1 } else { 0 };
            let arena = self.objects.swap_remove(dice.whole(oldest, all));
            self.used[arena] -= 1;
            self.resident -= usize::from(self.used[arena] == 0);
            self.open.insert(arena);
        }
    }
}

/// Objects come and go with the load, most of them young; what survives a peak keeps its arenas for hours after it.
pub(super) fn pinned_arenas(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let (objects, by_load) = (dice.log_uniform(200.0, 1200.0), dice.uniform(0.2, 0.9));
    let mut arenas = Arenas::new(dice.log_uniform(4.0, 40.0) as usize);
    let (turnover, lag) = (span.hours(dice.log_uniform(0.5, 20.0)), span.hours(dice.log_uniform(0.3, 3.0)));
    let (young, mut wanted, mut due) = (dice.uniform(0.0, 0.9), 0.0, 0.0);
    let resident: Vec<f64> = load
        .iter()
        .map(|load| {
            wanted += (objects * (1.0 - by_load + by_load * load) - wanted) / lag.max(1.0);
            due += objects * load / turnover.max(20.0);
            let turned = arenas.objects.len() + due as usize;
            due = due.fract();
            arenas.allocate_up_to(turned);
            arenas.free_down_to(wanted as usize, dice, young);
            arenas.allocate_up_to(wanted as usize);
            (arenas.resident * arenas.slots) as f64 / objects
        })
        .collect();
    plus(flat(span), dice.log_uniform(0.3, 3.0), &resident)
}

pub(super) fn pinned(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    Shape::benign(pinned_arenas(dice, span, &load)).busy(load)
}

/// Only the top of a heap is given back: what outlives a burst up there holds the burst's memory, until it goes itself.
pub(super) fn trimmed(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let mut level = plus(flat(span), dice.uniform(0.05, 0.6), &load);
    let (highest, outlives) = (dice.log_uniform(0.1, 2.5), dice.log_uniform(0.5, 60.0));
    let evenly = dice.uniform(0.2, 1.5);
    for _ in 0..dice.log_uniform(4.0, 80.0) as usize {
        let height = highest * (1.0 - evenly * 0.4 * dice.exponential()).max(0.05);
        let long = span.hours(outlives * dice.exponential()) as usize + 1;
        let held = level.iter_mut().skip(span.somewhere(dice, 0.0, 1.0)).take(long);
        held.for_each(|level| *level = level.max(1.0 + height));
    }
    Shape::benign(level).busy(load)
}
