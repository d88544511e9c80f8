//! What takes memory as long as there is some, and stops or gives back where there is no more.

use super::{Fill, beside, close};
use crate::generate::further::demand::{Calendar, demand, demand_of, most};
use crate::generate::further::heaps::{kept, service};
use crate::generate::{
    curves::{plus, restarts, saturate},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// Files that are read and written count as memory until that is all used; then so much is reclaimed that there is some again.
pub(super) fn watermarks(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let (come, low) = (fill.come(&load), 1.0 - dice.log_uniform(0.002, 0.3));
    let direct = dice.chance(0.5);
    let level = service(dice, span, &load);
    let room = beside(dice, &level, (0.1, 3.0)) + most(&level);
    let (mut there, mut before) = (0.0, 0.0);
    let all = level.iter().zip(&come).map(|(level, come)| {
        (there, before) = (there + (come - before) * room, *come);
        if level + there > room {
            // Either only what is needed, or down to the low mark in one go.
            there = (if direct { room } else { low * room } - level).max(0.0);
        }
        level + there
    });
    let all = all.collect();
    let limit = dice.chance(0.7).then(|| dice.uniform(1.001, 1.1));
    Shape { limit, ..close(dice, all) }.busy(load)
}

/// A cache makes itself larger, step by step, as long as that makes for more hits; it fills each step before it takes the next.
pub(super) fn tuned_up(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let come = Fill::draw(dice, span).come(&load);
    let (steps, grows) = (dice.whole(3, 30) as f64, dice.log_uniform(0.5, 1.5));
    let (waits, first) = (dice.uniform(0.0, 0.9), dice.uniform(0.0, 0.5));
    let goes_back = dice.uniform(0.0, 0.15) * dice.pick(&[0.0, 1.0]);
    let cache = come.iter().map(|come| {
        if *come >= 1.0 {
            // The last step was for nothing, and is taken back in time.
            return 1.0 - goes_back * (come - 1.0).min(1.0);
        }
        let (step, since) = ((come * steps).floor(), (come * steps).fract());
        let filled = ((since - waits) / (1.0 - waits)).max(0.0);
        first + (1.0 - first) * libm::pow((step + filled) / steps, grows)
    });
    let cache: Vec<f64> = cache.collect();
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 3.0));
    close(dice, plus(level, height, &cache)).busy(load)
}

/// Reports of working hours hold what they join, each up to what it may use, and write to disk from there on.
pub(super) fn spilling(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let load = demand_of(dice, span, &calendar);
    let (opens, long) = (dice.uniform(5.0, 10.0), dice.uniform(5.0, 12.0));
    let (takes, fills) = (dice.log_uniform(0.1, 8.0), dice.log_uniform(0.05, 3.0));
    let (slots, often) = (dice.whole(1, 12), dice.log_uniform(0.3, 5.0));
    let (mut held, mut running) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for _ in 0..slots {
        let mut free = 0;
        let tries = restarts(span.samples, || span.hours(often * (0.1 + dice.exponential())));
        for at in tries {
            let asks = calendar.is_working_day(at) && (calendar.hour(at) - opens + 24.0) % 24.0 < long;
            if at < free || !asks {
                continue;
            }
            let lasts = span.hours(takes * dice.uniform(0.2, 1.0)).max(2.0) as usize;
            free = at + lasts;
            for (i, (held, running)) in held.iter_mut().zip(&mut running).skip(at).take(lasts).enumerate() {
                *held += (i as f64 / span.hours(fills).max(1.0)).min(1.0) / slots as f64;
                *running += 1.0 / slots as f64;
            }
        }
    }
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 3.0));
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.5, 100.0)));
    close(dice, kept(&plus(level, height, &held), share, tau)).busy(plus(load, 1.0, &running))
}

/// A new consumer reads a log from its beginning, as fast as it can, and keeps the last of each key: until it has caught up.
pub(super) fn backfill(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let fill = Fill::draw(dice, span);
    let (reads, keys) = (fill.takes() as f64, dice.log_uniform(0.15, 5.0));
    let (ahead, stops) = (dice.uniform(0.0, 0.6), span.hours(dice.log_uniform(0.01, 2.0)).max(1.0));
    let full = saturate(1.0, keys);
    let state = span.map(|i| {
        let read = i.saturating_sub(fill.begins) as f64 / reads;
        let kept = saturate(read.min(1.0), keys) / full;
        let since = (i as f64 - fill.ends as f64).max(0.0);
        // What it has fetched ahead is there while there is something to fetch.
        kept + if read > 0.0 { ahead * libm::exp(-since / stops) } else { 0.0 }
    });
    let works = span.map(|i| f64::from((fill.begins..fill.ends).contains(&i)));
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 4.0));
    let (share, tau) = (dice.uniform(0.0, 0.8), span.hours(dice.log_uniform(0.5, 200.0)));
    let load = plus(load, dice.uniform(0.3, 4.0), &works);
    close(dice, kept(&plus(level, height, &state), share, tau)).busy(load)
}
