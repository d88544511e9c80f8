//! More of what leaks: from the first minute, below a fill, over lives, late, hidden, and at a pace that changes.

mod births;
mod events;
mod filling;
mod hidden;
mod late;
mod lives;
mod pace;
mod sweeps;

use super::demand::mean;
use super::leaks::{HEIGHT, may_begin};
use crate::generate::{
    classes::{Class, leak},
    curves::summed,
    dice::Dice,
    shape::Shape,
    span::Span,
};

#[rustfmt::skip]
pub(super) static CLASSES: [Class; 33] = [
    leak("heartbeat",          births::heartbeat,            "each tick of a timer keeps a record, whatever else there is to do"),
    leak("doubling",           births::doubling,             "a table of all that it ever saw, which is copied to one of twice the size"),
    leak("heavy_items",        births::heavy_items,          "a command keeps all that it reads, and few things are most of it"),
    leak("graphs",             births::graphs,               "each step of a training keeps what it was computed from"),

    leak("below_fill",         filling::below_fill,          "a cache fills for days, and what leaks below it is seen when it is full"),
    leak("after_loading",      filling::after_loading,       "all is loaded at once, and each change to it leaves the old behind"),
    leak("plans",              filling::plans,               "pages are touched until all are there, and plans are kept for ever"),

    leak("at_limit",           lives::at_limit,              "lives that each end at the limit, sooner under more load"),
    leak("by_schedule",        lives::by_schedule,           "restarts by a schedule, for it is known to leak"),
    leak("leaking_releases",   lives::releases,              "each release leaks from one on, and none as the last one did"),
    leak("orphaned",           lives::orphaned,              "workers that were replaced, and did not end"),
    leak("restored",           lives::restored,              "what leaked is read again after each restart"),

    leak("disk_full",          late::disk_full,              "what cannot be written any more waits in memory"),
    leak("outboxes",           late::outboxes,               "what is meant for peers that are gone is kept"),
    leak("expired",            late::expired,                "tries with credentials that expired, each of which leaves a client"),
    leak("wrapped",            late::wrapped,                "numbers begin anew, and what others have does not go"),

    leak("in_noise",           hidden::in_noise,             "slow, in a service that hardly anything explains"),
    leak("limited_heap",       hidden::limited_heap,         "garbage gets the room that is left below a soft limit"),
    leak("decaying",           hidden::decaying,             "bursts, of which an allocator keeps some, and the program a little"),
    leak("by_the_clock",       hidden::by_the_clock,         "jobs by the clock, each of which leaves a part of its peak"),
    leak("below_sessions",     hidden::below_sessions,       "sessions are nearly all there is, and some end badly"),

    leak("temporary",          sweeps::temporary,            "a sweep knows most of the files, and not those of others"),
    leak("too_few",            sweeps::too_few,              "a sweep takes no more than so many, and more come"),
    leak("pinning",            sweeps::pinning,              "some things of each burst stay, and hold its pages"),
    leak("cyclic",             sweeps::cyclic,               "cycles that a collector comes by, and some that it leaves"),

    leak("addresses",          events::addresses,            "connections to where others were before they moved"),
    leak("storms",             events::storms,               "all clients come anew at once, and leave some of what that took"),
    leak("reports",            events::reports,              "reports that are kept, each of all that was before"),
    leak("half_drained",       events::half_drained,         "buffers fill in outages, and are not quite emptied"),

    leak("listeners",          pace::listeners,              "events are kept for all who ever listened"),
    leak("slows_itself",       pace::slows_itself,           "what leaks is searched, so that less is done and leaks"),
    leak("more_users",         pace::more_users,             "more use it by the day, and each request leaks"),
    leak("piled_up",           pace::piled_up,               "begins with what has piled up, and goes on with what comes"),
];

/// Leaks on top of `level` whenever there is a `rate`, from the first time on.
fn from_birth(dice: &mut Dice, level: Vec<f64>, rate: Vec<f64>) -> Shape {
    let onset = rate.iter().position(|rate| *rate > 0.0).unwrap_or(0);
    let height = mean(&level) * dice.log_uniform(HEIGHT.0, HEIGHT.1);
    Shape::leaking(level, summed(rate, onset, height), onset)
}

/// The same from a sample on that is drawn, and enough to be seen above what comes and goes.
fn seen(dice: &mut Dice, span: &Span, level: Vec<f64>, rate: Vec<f64>) -> Shape {
    let clean = may_begin(dice, span);
    let onset = (clean..span.samples).chain(0..clean).find(|&i| rate[i] > 0.0).unwrap_or(clean);
    let height = mean(&level) * dice.log_uniform(2.5 * HEIGHT.0, 1.5 * HEIGHT.1);
    Shape::leaking(level, summed(rate, onset, height), onset)
}
