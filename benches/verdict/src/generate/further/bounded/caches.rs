//! Caches and pools that fill by what is asked for, and are full within hours.

use super::{Fill, beside, close};
use crate::generate::further::demand::demand;
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::service;
use crate::generate::further::lru::{Asked, Lru};
use crate::generate::{
    curves::{ages, integral, plus, restarts, wander},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Images of a catalogue so large that hardly one is asked for twice: each adds its bytes, until as many go as come.
pub(super) fn by_bytes(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (tau, differs) = (span.hours(dice.log_uniform(0.1, 10.0)).max(1.0), dice.log_uniform(0.001, 0.05));
    let holes = wander(dice, span.samples, tau, differs);
    let come = Fill::draw(dice, span).come(&load);
    // Of what is asked for again more is there the fuller it is.
    let hits = dice.uniform(0.0, 0.5) * dice.pick(&[0.0, 1.0]);
    let fresh = come.iter().map(|come| (come - hits * come * come / 2.0) / (1.0 - hits / 2.0));
    let full = come.iter().zip(fresh).map(|(come, fresh)| if *come < 1.0 { fresh } else { 1.0 });
    let cache: Vec<f64> = full.zip(holes).map(|(full, holes)| full * (1.0 + holes)).collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 4.0));
    close(dice, plus(level, height, &cache)).busy(load)
}

/// A pool of so many pages, each of which is touched once it is needed; a full one has others' contents in the same pages.
pub(super) fn buffer_pool(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let (keys, exponent) = (dice.log_uniform(3e3, 1e5) as usize, dice.uniform(0.2, 1.1));
    let asks = dice.log_uniform(3e4, 1.5e5) as usize;
    let asked = Asked::draw(dice, &load, asks, keys, exponent);
    let mut pages = Lru::new(dice, keys, 0.0);
    let touched = asked.samples().enumerate().map(|(i, keys)| {
        if (fill.begins..=fill.ends).contains(&i) {
            keys.iter().for_each(|&key| pages.ask(key));
        }
        pages.weight
    });
    let pool = up_to_most(touched.collect());
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 5.0));
    close(dice, plus(level, height, &pool)).busy(load)
}

/// Tables are scanned as fast as a disk reads, and pages are read ahead as far as there is room; afterwards they go as others
/// need memory.
pub(super) fn read_ahead(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (largest, every) = (span.hours(dice.log_uniform(0.2, 12.0)).max(3.0), dice.log_uniform(3.0, 60.0));
    let (room, goes) = (largest * dice.uniform(0.4, 1.5), span.hours(dice.log_uniform(0.02, 20.0)).max(1.0));
    let first = span.somewhere(dice, 0.0, 0.4);
    let mut scans = vec![(first, largest)];
    for at in restarts(span.samples, || span.hours(every * (0.2 + dice.exponential()))) {
        scans.push((at, largest * dice.log_uniform(0.05, 0.9)));
    }
    let mut reads = vec![0.0_f64; span.samples];
    for (at, long) in scans {
        reads.iter_mut().skip(at).take(long as usize).for_each(|reads| *reads = 1.0);
    }
    let mut there = 0.0_f64;
    let pages = reads.iter().map(|reads| {
        there = if *reads > 0.0 { (there + reads).min(room) } else { there * (1.0 - 1.0 / goes) };
        there
    });
    let pages = up_to_most(pages.collect());
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5));
    close(dice, plus(level, height, &pages)).busy(plus(load, dice.uniform(0.0, 1.0), &reads))
}

/// Segments of an index are loaded by the first search that comes to them: large and small ones, until all are there.
pub(super) fn segments(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let (segments, spread) = (dice.whole(8, 200), dice.uniform(0.3, 1.6));
    let rare = dice.uniform(0.15, 0.4);
    let come = fill.come(&load);
    let mut loaded = vec![0.0; span.samples];
    for _ in 0..segments {
        let size = libm::exp(spread * dice.normal());
        let first = (rare * dice.exponential()).min(1.0);
        loaded[span.at(come.partition_point(|come| *come < first) as f64)] += size;
    }
    let index = up_to_most(integral(&loaded));
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 4.0));
    close(dice, plus(level, height, &index)).busy(load)
}

/// A cache holds what is asked for, with room to spare: scans fill that with what nobody asks for again, until it ages.
pub(super) fn polluted(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let hot = Fill::draw(dice, span).filled(&load);
    let (every, room) = (dice.log_uniform(4.0, 80.0), dice.log_uniform(1.1, 4.0));
    let mut scans = restarts(span.samples, || span.hours(every * dice.uniform(0.8, 1.2)));
    scans.push(span.somewhere(dice, 0.0, 0.5));
    scans.sort_unstable();
    let (long, ages_by) = (span.hours(every * dice.uniform(0.02, 0.5)), dice.log_uniform(0.3, 200.0));
    let (speed, goes) = (dice.uniform(0.7, 5.0) * room / long.max(1.0), span.hours(ages_by).max(1.0));
    let mut cold = 0.0_f64;
    let cache = hot.iter().zip(ages(span.samples, &scans)).map(|(hot, (age, scan))| {
        let scans = scan > 0 && (age as f64) < long;
        cold = if scans { cold + speed } else { cold * (1.0 - 1.0 / goes) };
        cold = cold.min(room - hot);
        hot + cold
    });
    let cache = up_to_most(cache.collect());
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 3.0));
    close(dice, plus(level, height, &cache)).busy(load)
}
