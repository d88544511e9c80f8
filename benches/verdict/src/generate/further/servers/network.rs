//! Services that others connect to: pools, neighbours, sockets and games.

use super::bounds::{bounded_early, follows};
use crate::generate::further::demand::{demand, mean};
use crate::generate::further::fills::up_to_most;
use crate::generate::further::heaps::kept;
use crate::generate::{
    curves::{flat, highest_lately, integral, plus},
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// A connection more whenever more are needed than ever; one that was not used for long is closed. What each caches comes with
/// its use.
pub(super) fn pooled(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let typical = dice.log_uniform(3.0, 300.0);
    let needed = load.iter().map(|load| {
        let needed = typical * load;
        (needed + needed.sqrt() * dice.normal()).max(1.0).round()
    });
    let needed: Vec<f64> = needed.collect();
    let timeout = span.hours(dice.log_uniform(0.05, 100.0)) as usize + 1;
    let open = bounded_early(highest_lately(&needed, timeout));
    let warms = span.hours(dice.log_uniform(0.05, 10.0)).max(1.0);
    let mut warm = 0.0_f64;
    let level = span.map(|i| {
        warm = (warm + (open[i] - warm) * (load[i] / warms).min(1.0)).min(open[i]);
        open[i] + warm
    });
    let level = plus(flat(span), dice.log_uniform(0.1, 2.0), &up_to_most(level));
    Shape::benign(plus(level, dice.uniform(0.0, 0.2), &load)).busy(load)
}

/// As many instances as the load needs: each time one comes, the others have less to do, and more when it goes.
pub(super) fn neighbours(dice: &mut Dice, span: &Span) -> Shape {
    let all = demand(dice, span);
    let at_peak = dice.log_uniform(1.2, 12.0);
    let calm = span.hours(dice.log_uniform(0.08, 6.0)) as usize;
    let (mut instances, mut fewer_for) = (1.0, 0);
    let load = span.map(|i| {
        let wanted = (at_peak * all[i]).ceil().max(1.0);
        fewer_for = if wanted < instances { fewer_for + 1 } else { 0 };
        if wanted > instances || fewer_for > calm {
            instances = wanted;
        }
        at_peak * all[i] / instances
    });
    let sticky = follows(&load, span.hours(dice.log_uniform(0.02, 10.0)));
    let level = plus(flat(span), dice.log_uniform(0.2, 3.0), &sticky);
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(0.3, 100.0)));
    Shape::benign(bounded_early(kept(&level, share, tau))).busy(load)
}

/// Clients stay connected where they are: when the network or a deploy drops them they come back within minutes, and
/// when another instance does, they come here and leave again one by one.
pub(super) fn sockets(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let (leaves, returns) =
        (span.hours(dice.log_uniform(0.5, 30.0)).max(1.0), span.hours(dice.log_uniform(0.02, 2.0)).max(1.0));
    let mut events = vec![1.0; span.samples];
    for _ in 0..dice.whole(1, 14) {
        let is_here = dice.chance(0.6);
        let factor = if is_here { dice.uniform(0.0, 0.8) } else { dice.uniform(1.1, 2.0) };
        events[span.somewhere(dice, 0.01, 1.0)] = factor;
    }
    let mut clients = if dice.chance(0.5) { load[0] } else { 0.0 };
    let connected = span.map(|i| {
        clients *= events[i];
        let tau = if clients < load[i] { returns } else { leaves };
        clients += (load[i] - clients) / tau;
        clients
    });
    let level = plus(flat(span), dice.log_uniform(0.2, 3.0), &up_to_most(bounded_early(connected)));
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(0.3, 300.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// Matches come and go, each of which grows while it is played; maps are loaded once each, popular ones first.
pub(super) fn matches(dice: &mut Dice, span: &Span) -> Shape {
    let load = demand(dice, span);
    let played = up_to_most(bounded_early(played(dice, span, &load)));
    let level = plus(flat(span), dice.log_uniform(0.15, 2.0), &played);
    let level = plus(level, dice.uniform(0.0, 0.6), &maps(dice, span));
    let (share, tau) = (dice.uniform(0.0, 0.9), span.hours(dice.log_uniform(0.3, 300.0)));
    Shape::benign(kept(&level, share, tau)).busy(load)
}

/// What the matches have that are played at each time.
fn played(dice: &mut Dice, span: &Span, load: &[f64]) -> Vec<f64> {
    let (at_once, hours) = (dice.log_uniform(0.5, 60.0), dice.log_uniform(0.15, 4.0));
    let starts = at_once / (span.hours(hours) * mean(load));
    let (mut slope, mut steps) = (vec![0.0; span.samples], vec![0.0; span.samples]);
    for (i, load) in load.iter().enumerate() {
        for _ in 0..dice.poisson(starts * load) {
            let long = span.hours(hours * libm::exp(0.4 * dice.normal())).max(1.0) as usize;
            let (begins, grows) = (dice.uniform(0.2, 1.0), dice.uniform(0.1, 1.0));
            steps[i] += begins;
            slope[i] += grows / long as f64;
            if i + long < span.samples {
                steps[i + long] -= begins + grows;
                slope[i + long] -= grows / long as f64;
            }
        }
    }
    integral(&plus(steps, 1.0, &integral(&slope)))
}

/// What of all maps has been played at least once; the rarest are never played.
fn maps(dice: &mut Dice, span: &Span) -> Vec<f64> {
    let (count, rarest) = (dice.whole(2, 25), dice.log_uniform(0.02, 1.0));
    let mut loaded = vec![0.0; span.samples];
    for number in 1..=count {
        let first = rarest * dice.exponential() * number as f64 / count as f64;
        if first < 0.6 {
            loaded[span.at(first * span.samples as f64)] += dice.uniform(0.3, 1.0) / count as f64;
        }
    }
    integral(&loaded)
}
