//! Classes for the fit alone: more ideas of what memory does than are measured, so that trees learn what leaks are
//! and not which curves the benchmark is made of. They say what software does, and leave the curve to follow from it. None
//! fills in a straight line for days: nobody tells that from a leak while it runs, and trees that had to would wait days for each.

mod age;
mod bounded;
mod demand;
mod fills;
mod growing;
mod heaps;
mod leaks;
mod lru;
mod runtimes;
mod servers;
mod sudden;
#[cfg(test)]
mod tests;
mod work;

use super::{
    classes::{Class, benign, leak},
    dice::{Dice, Purpose},
    finish::finish,
    of_each,
    span::{Regime, Span},
};
use crate::trace::{Make, Trace};
use age::Age;
use fills as f;
use heaps as h;
use leaks as l;
use sudden as s;
use work as w;

const DAY: f64 = 86_400.0;
/// How long series over days are, days.
const LONG: (f64, f64) = (5.0, 7.0);
/// How much further away than is drawn for the benchmark the limit of every other series over days is: machines have room.
const FURTHER: (f64, f64) = (1.0, 100.0);

#[rustfmt::skip]
static CLASSES: [Class; 30] = [
    leak("per_request",     l::per_request,     "each request of a week's load leaks a little"),
    leak("working_hours",   l::working_hours,   "leaks from morning to evening, from Monday to Friday"),
    leak("night_import",    l::night_import,    "a job in most nights leaks while it runs"),
    leak("per_error",       l::per_error,       "errors leak, and come in incidents"),
    leak("rare_chunks",     l::rare_chunks,     "a few large chunks are never given back"),
    leak("under_swing",     l::under_swing,     "8 to 30 % of the level, under a larger daily swing"),
    leak("late_start",      l::late_start,      "a service that leaks from half of the time on"),
    leak("dictionary",      l::dictionary,      "popular keys first, then a new key for ever"),
    leak("unexpired",       l::unexpired,       "sessions, some of which never expire"),
    leak("goroutines",      l::goroutines,      "a collector paces its heap by what leaks"),
    leak("masked",          l::masked,          "a collector's swing is larger than the leak below it"),
    leak("falls_behind",    l::falls_behind,    "a queue whose consumer is too slow by a little"),
    leak("leaking_lives",   l::leaking_lives,   "deploys, each with a warm-up and then a straight line"),
    leak("stopped",         s::stopped,         "leaks fast after days, until somebody restarts it"),
    leak("relapsing",       s::relapsing,       "leaks fast after days, and again after each restart"),

    benign("ratchet",       h::ratchet,         "an allocator keeps the memory of day peaks"),
    benign("paced",         h::paced,           "a collector paces its heap by a week's load"),
    benign("generations",   h::generations,     "a collector lets its heap grow a little less each time"),
    benign("incidents",     h::incidents,       "incidents, whose memory the allocator keeps"),
    benign("largest_batch", h::largest_batch,   "memory of the largest batch of each kind is kept"),
    benign("recycled",      h::recycled,        "workers grow, and are replaced after so many requests"),
    benign("lru",           f::lru,             "a cache of Zipf's keys, of which the longest unused goes"),
    benign("catalog",       f::catalog,         "a cache of all that there is, popular things first"),
    benign("mapped",        f::mapped,          "pages of a file, of which some are reclaimed"),
    benign("rebalance",     f::rebalance,       "shards move in and out"),
    benign("expiring",      w::expiring,        "sessions, all of which expire"),
    benign("memtables",     w::memtables,       "writes are flushed, and files are merged"),
    benign("nightly",       w::nightly,         "a job each night, whose memory is kept in part"),
    benign("drains",        w::drains,          "a queue builds up by day, and drains by night"),
    benign("level_lives",   w::level_lives,     "deploys, each with a warm-up to where the last one was level"),
];

/// The names of what leaks fast after it served cleanly for long.
const SUDDEN: [&str; 2] = ["stopped", "relapsing"];

/// All further classes.
fn classes() -> impl Iterator<Item = &'static Class> {
    [&CLASSES[..], &servers::CLASSES, &runtimes::CLASSES, &growing::CLASSES, &bounded::CLASSES]
        .into_iter()
        .flatten()
}

/// So many series of each further class, each of which is made where it is called: nothing but the trees is to see them.
pub fn further(regime: Regime, seed: u64, per_class: u32) -> impl Iterator<Item = impl Make> {
    of_each(classes(), per_class, move |class, number| trace(regime, class, seed, number))
}

/// So many of what leaks fast after it served cleanly for long.
pub fn sudden(regime: Regime, seed: u64, per_class: u32) -> impl Iterator<Item = impl Make> {
    let sudden = classes().filter(|class| SUDDEN.contains(&class.name));
    of_each(sudden, per_class, move |class, number| trace(regime, class, seed, number))
}

fn trace(regime: Regime, class: &Class, seed: u64, number: u32) -> Trace {
    let kind = match regime {
        Regime::Days => 5,
        Regime::Fast => 6,
    };
    let purpose = Purpose { seed, kind, class: class.name, number, attempt: 0 };
    Dice::until(&purpose, |dice| draw(dice, regime, class, number))
}

/// The series, or none if its leak takes too short or too long in a squeezed span.
fn draw(dice: &mut Dice, regime: Regime, class: &Class, number: u32) -> Option<Trace> {
    let span = match regime {
        Regime::Days => Span::days(dice.uniform(LONG.0, LONG.1) * DAY, dice.pick(&[30.0, 60.0, 60.0])),
        Regime::Fast => Span::draw(dice, regime),
    };
    let age = Age::draw(dice, &span);
    let span = span.longer_by(age.unseen);
    let shape = age.begin(class.shape(dice, &span));
    let trace = finish(dice, &span, (class.name, number), &shape)?;
    let further = if regime == Regime::Days && !trace.dies { dice.factor(FURTHER) } else { 1.0 };
    let limit = trace.limit.map(|limit| (further * limit as f64) as u64);
    age.seen(Trace { limit, ..trace }, &shape.lives)
}
