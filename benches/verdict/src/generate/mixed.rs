//! Series put together from two that don't leak and, in half of them, something that does: so that who is fitted to them
//! learns what a leak is, and not which curves the benchmark is made of.

use std::sync::Arc;

use crate::trace::{Label, Make, Trace};

use super::dice::{Dice, Purpose};
use super::span::Regime;
use super::{classes, curves, trace};

const DAY: f64 = 86_400.0;

/// Of each class that does not leak, so many are what is mixed.
const PER_CLASS: u32 = 8;

/// So many series of days that belong to no class.
pub fn mixed(seed: u64, count: u32) -> impl Iterator<Item = impl Make> {
    let benign = classes().iter().filter(|class| !class.is_leak);
    let pool: Arc<[Trace]> = benign
        .flat_map(|class| (0..PER_CLASS).map(move |number| trace(Regime::Days, class, seed, number)))
        .collect();
    (0..count).map(move |number| {
        let pool = Arc::clone(&pool);
        move || mix(&pool, seed, number)
    })
}

fn mix(pool: &[Trace], seed: u64, number: u32) -> Trace {
    let dice = &mut Dice::new(&Purpose { seed, kind: 3, class: "mixed", number, attempt: 0 });
    let mut mixed = pool[dice.whole(0, pool.len())].clone();
    let begun_once: Vec<&Trace> = pool.iter().filter(|trace| has_one_life(trace)).collect();
    if has_one_life(&mixed) && dice.chance(0.5) {
        add(&mut mixed, begun_once[dice.whole(0, begun_once.len())], libm::exp(dice.uniform(-2.5, 1.0)));
    }
    let (leaks, restarts) = (dice.chance(0.5), !has_one_life(&mixed));
    mixed.label = match (leaks, restarts) {
        (false, _) => Label::Benign,
        (true, false) => leak_on(&mut mixed, dice),
        (true, true) => leak_anew(&mut mixed, dice),
    };
    let room = if leaks { (1.02, 2.5) } else { (1.05, 3.0) };
    let peak = mixed.peak().unwrap_or(0);
    let limit = Some((peak as f64 * dice.uniform(room.0, room.1)) as u64);
    Trace { class: "mixed", number, steady_after_plateau: false, dies: false, limit, ..mixed }
}

fn has_one_life(trace: &Trace) -> bool {
    trace.points.iter().all(|point| point.life == 0)
}

fn level(trace: &Trace) -> f64 {
    trace.points.iter().map(|point| point.bytes as f64).sum::<f64>() / trace.points.len().max(1) as f64
}

/// Adds `other`, `share` times as large.
fn add(trace: &mut Trace, other: &Trace, share: f64) {
    let weight = share * level(trace) / level(other);
    let mut points = other.points.iter().peekable();
    let mut bytes = 0;
    for point in &mut trace.points {
        while let Some(passed) = points.next_if(|other| other.time <= point.time) {
            bytes = passed.bytes;
        }
        point.bytes += (weight * bytes as f64) as u64;
    }
}

/// Lets it leak from some time on.
fn leak_on(trace: &mut Trace, dice: &mut Dice) -> Label {
    let long = trace.points.last().map_or(0.0, |point| point.time);
    let onset = if dice.chance(0.25) { 0.0 } else { long * dice.uniform(0.0, 0.6) };
    let height = level(trace) * libm::exp(dice.uniform(-2.8, 1.3));
    let leaking: Vec<usize> = (0..trace.points.len()).filter(|&at| trace.points[at].time >= onset).collect();
    let rates = rates(dice, leaking.iter().map(|&at| (trace.points[at].time - onset, long - onset)));
    let leaked = curves::up_to_one(curves::integral(&rates));
    for (at, leaked) in leaking.into_iter().zip(leaked) {
        trace.points[at].bytes += (height * leaked) as u64;
    }
    Label::Leak { onset, fixed: None }
}

/// How fast it leaks at each of so many seconds since the onset, of so many in all.
fn rates(dice: &mut Dice, times: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let (kind, power, phase) =
        (dice.whole(0, 7), libm::exp(dice.uniform(-0.35, 0.8)) - 1.0, dice.uniform(0.0, 1.0));
    let (depth, width) = (dice.uniform(0.4, 1.0), dice.uniform(0.02, 0.4));
    let hours: Vec<bool> = (0..24 * 8).map(|_| dice.chance(depth / 2.0)).collect();
    times
        .map(|(time, long)| {
            let day = time / DAY + phase;
            match kind {
                // At the same pace, or ever faster or slower.
                0 | 1 => 1.0,
                2 | 3 => libm::pow((time + 60.0) / long, power),
                // In some hours only; by the time of day; for a while each day.
                4 => f64::from(u8::from(hours[(time / 3600.0) as usize % hours.len()])),
                5 => 1.0 + depth * libm::sin(std::f64::consts::TAU * day),
                _ => f64::from(u8::from(day.fract() < width)),
            }
        })
        .collect()
}

/// Lets every life leak from its start on.
fn leak_anew(trace: &mut Trace, dice: &mut Dice) -> Label {
    let rate = level(trace) * libm::exp(dice.uniform(-2.0, 0.7)) / (DAY * dice.uniform(0.4, 2.0));
    for life in trace.points.chunk_by_mut(|a, b| a.life == b.life) {
        let began = life.first().map_or(0.0, |point| point.time);
        life.iter_mut().for_each(|point| point.bytes += (rate * (point.time - began)) as u64);
    }
    Label::Leak { onset: 0.0, fixed: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_half_of_them_leak_and_no_memory_is_above_its_limit() {
        let traces: Vec<Trace> = mixed(1, 60).map(|make| make()).collect();
        let leaks = traces.iter().filter(|trace| trace.label != Label::Benign).count();
        assert!((20..=40).contains(&leaks), "{leaks}");
        for trace in &traces {
            assert!(trace.peak() < trace.limit, "{} {:?}", trace.number, trace.peak());
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_series() {
        let some = |seed| mixed(seed, 5).map(|make| make());
        assert!(some(2).eq(some(2)));
        assert!(some(2).ne(some(3)));
    }
}
