//! Who does what changes within hours: standbys, neighbours, and those who work elsewhere.

use super::{BEGUN, FULL, beside, close};
use crate::generate::further::demand::{Calendar, demand, demand_of, mean};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::{kept, service};
use crate::generate::further::runtimes::Pages;
use crate::generate::{
    curves::{plus, product, rise},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A standby hardly does anything until it is promoted; then it warms up page by page, by all of the load.
pub(super) fn standby(dice: &mut Dice, span: &Span) -> Shape {
    let begins = span.somewhere(dice, 0.02, BEGUN);
    let (before, takes) = (dice.log_uniform(0.01, 0.4), span.minutes(dice.log_uniform(0.2, 60.0)));
    let serves: Vec<f64> =
        rise(span, begins, takes).iter().map(|serves| before + (1.0 - before) * serves).collect();
    let load = product(&demand(dice, span), &serves);
    let (coldest, seldom) = (dice.log_uniform(0.1, 12.0), dice.pick(&[0.0, 0.01, 1.0]));
    let mut pages = Pages::draw(dice, span, 5, (0.02, coldest));
    let touched =
        load.iter().enumerate().map(|(i, load)| pages.touch(if i < begins { seldom * load } else { *load }));
    let warm = up_to_most(touched.collect());
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.15, 3.0));
    close(dice, plus(level, height, &warm)).busy(load)
}

/// Neighbours are lost one after the other, and their shards are loaded here within hours; most are given back, to new ones.
pub(super) fn lost_neighbours(dice: &mut Dice, span: &Span) -> Shape {
    let (first, own) = (span.somewhere(dice, 0.02, BEGUN), dice.uniform(0.3, 2.0));
    let (loads, apart) = (span.hours(dice.log_uniform(0.05, 8.0)), dice.log_uniform(0.1, 8.0));
    let (stays, returned) = (span.hours(dice.log_uniform(2.0, 100.0)), dice.uniform(0.0, 1.0));
    let (mut shards, mut at) = (vec![own; span.samples], first as f64);
    let leaves = first as f64 + stays + span.hours(apart * dice.uniform(1.0, 6.0));
    while at < leaves.min(FULL * span.samples as f64) && shards[span.samples - 1] < 8.0 * own {
        let size = own * dice.uniform(0.2, 1.0);
        shards = plus(shards, size, &rise(span, span.at(at), loads * dice.uniform(0.5, 1.5)));
        if dice.chance(returned) {
            let again = span.at(leaves + span.hours(apart * dice.exponential()));
            shards = plus(shards, -size, &rise(span, again, loads * dice.uniform(0.05, 1.0)));
        }
        at += span.hours(apart * (0.2 + dice.exponential())).max(1.0);
    }
    let shards = up_to_most(shards);
    let load = product(&demand(dice, span), &shards);
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.3, 4.0));
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(1.0, 1000.0)));
    close(dice, kept(&plus(level, height, &shards), share, tau)).busy(load)
}

/// The working set moves with the clock: the data of one part of the world after the other, each let go some hours later.
pub(super) fn follows_clock(dice: &mut Dice, span: &Span) -> Shape {
    let calendar = Calendar::draw(dice, span);
    let load = demand_of(dice, span, &calendar);
    let (goes, holds) = (span.hours(dice.log_uniform(0.3, 20.0)).max(1.0), dice.chance(0.5));
    let mut set = vec![0.0; span.samples];
    for _ in 0..dice.whole(1, 5) {
        let (opens, long) = (dice.uniform(0.0, 24.0), dice.uniform(3.0, 14.0));
        let (loads, weight) = (span.hours(dice.log_uniform(0.2, 8.0)).max(1.0), dice.uniform(0.2, 1.0));
        let works_weekends = dice.chance(0.4);
        let mut there = 0.0_f64;
        let part: Vec<f64> = span.map(|i| {
            let is_day = (calendar.hour(i) - opens + 24.0) % 24.0 < long;
            let is_open = is_day && (works_weekends || calendar.is_working_day(i));
            let goes = if holds { (there - 1.0 / goes).max(0.0) } else { there * (1.0 - 1.0 / goes) };
            there = if is_open { (there + load[i] / loads).min(1.0) } else { goes };
            there
        });
        set = plus(set, weight, &part);
    }
    let level = service(dice, span, &load);
    let height = beside(dice, &level, (0.1, 2.5)) / mean(&set).max(f64::MIN_POSITIVE);
    close(dice, plus(level, height, &set)).busy(load)
}
