//! The table of all classes.

use super::{benign as b, dice::Dice, leaks as l, shape::Shape, span::Span};

/// A kind of series.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Its name; each is there once.
    pub name: &'static str,
    /// Whether it leaks.
    pub is_leak: bool,
    /// What happens in it, in one line.
    pub description: &'static str,
    make: fn(&mut Dice, &Span) -> Shape,
}

impl Class {
    pub(super) fn shape(&self, dice: &mut Dice, span: &Span) -> Shape {
        (self.make)(dice, span)
    }
}

/// All classes, leaks first.
pub fn classes() -> &'static [Class] {
    &CLASSES
}

pub(super) const fn leak(
    name: &'static str,
    make: fn(&mut Dice, &Span) -> Shape,
    description: &'static str,
) -> Class {
    Class { name, is_leak: true, description, make }
}

pub(super) const fn benign(
    name: &'static str,
    make: fn(&mut Dice, &Span) -> Shape,
    description: &'static str,
) -> Class {
    Class { name, is_leak: false, description, make }
}

#[rustfmt::skip]
static CLASSES: [Class; 55] = [
    leak("linear_fast",      l::linear_fast,      "a straight line, up by 100 to 400 %"),
    leak("linear_slow",      l::linear_slow,      "a straight line, up by 15 to 40 %"),
    leak("staircase",        l::staircase,        "rare events leak a chunk each"),
    leak("load_prop",        l::load_prop,        "leaks in proportion to a daily load"),
    leak("gc_saw_leak",      l::gc_saw,           "a straight line under a collector's saw"),
    leak("late",             l::late,             "a straight line after half of the time was clean"),
    leak("restarts_leak",    l::restarts,         "leaks, is killed, starts again and leaks"),
    leak("accel",            l::accel,            "growth that gets faster"),
    leak("intermittent",     l::intermittent,     "leaks in a third of the hours only"),
    leak("noisy",            l::noisy,            "a straight line in noise of up to 10 %"),
    leak("big_slow",         l::big_slow,         "6 to 15 % of a process of 8 to 32 GB"),
    leak("warm_then_leak",   l::warm_then_leak,   "warms up, and leaks from the start"),
    leak("diurnal_leak",     l::diurnal_leak,     "a straight line under a daily load"),
    leak("plateau",          l::plateau,          "flat for a day or more, then a straight line"),
    leak("cache_then_leak",  l::cache_then_leak,  "a cache fills to its size; later something leaks"),
    leak("sublinear",        l::sublinear,        "growth that slows down, but never ends"),
    leak("oldgen",           l::oldgen,           "seen only after full collections, hours apart"),
    leak("night",            l::night,            "a job leaks a chunk each night"),
    leak("after_step",       l::after_step,       "a step, then a straight line"),
    leak("burst",            l::burst,            "leaks only while the load is high"),
    leak("deploy",           l::deploy,           "a restart into another build, which leaks"),
    leak("fixed",            l::fixed,            "a straight line, ended by a restart into another build"),
    leak("redeploys",        l::redeploys,        "every build leaks, and a deploy a day hides it"),
    leak("fork_server",      l::fork_server,      "workers come and go, forked from a parent that leaks"),

    benign("flat",            b::flat,             "noise around one level"),
    benign("warmup",          b::warmup,           "a cache warms up within hours"),
    benign("log_cache",       b::log_cache,        "a cache of a heavy-tailed key space: logarithmic growth"),
    benign("jvm_expand",      b::jvm_expand,       "a heap grows in steps, then collects"),
    benign("gc_saw",          b::gc_saw,           "a collector's saw, of minutes to hours"),
    benign("step",            b::step,             "up to three steps up"),
    benign("step_updown",     b::step_updown,      "up to six steps up, each of which ends"),
    benign("batch",           b::batch,            "a job at fixed hours"),
    benign("diurnal",         b::diurnal,          "follows a daily load"),
    benign("diurnal_gc",      b::diurnal_gc,       "follows a daily load, under a collector's saw"),
    benign("cache_fill",      b::cache_fill,       "a cache fills in a straight line to its size"),
    benign("ou_slow",         b::ou_slow,          "a working set that wanders off for hours and comes back"),
    benign("frag",            b::frag,             "fragmentation: growth that slows down for days"),
    benign("backlog",         b::backlog,          "a queue builds up for hours, and drains"),
    benign("traffic_ramp",    b::traffic_ramp,     "a roll-out or migration: one ramp, then it stays"),
    benign("restarts",        b::restarts,         "deploys, each with a warm-up"),
    benign("thp",             b::thp,              "huge pages are put together: steps that get rarer"),
    benign("idle",            b::idle,             "hardly moves"),
    benign("retain",          b::retain,           "keeps memory of peaks: a little more at each new record"),
    benign("refill_restarts", b::refill_restarts,  "restarts, each with a cache that fills for hours"),
    benign("small_saw",       b::small_saw,        "a saw of 10 to 15 MiB on a small process"),
    benign("jvm_xmx",         b::jvm_xmx,          "a heap creeps up to its maximum, and is then collected"),
    benign("ramp_small",      b::ramp_small,       "a small ramp, then it stays"),
    benign("short_jobs",      b::short_jobs,       "short lives, each of which grows"),
    benign("new_keyspace",    b::new_keyspace,     "a full cache, which other keys fill further after days"),
    benign("peak_week",       b::peak_week,        "a daily load that rises towards one day of the week"),
    benign("level_walk",      b::level_walk,       "a random walk of levels, each of hours"),
    benign("weekly_job",      b::weekly_job,       "maintenance every few days, for hours"),
    benign("arenas",          b::arenas,           "an arena for each thread, up to a maximum"),
    benign("config_sizes",    b::config_sizes,     "deploys with other sizes each"),
    benign("tmpfs_rotate",    b::tmpfs_rotate,     "logs in memory, rotated"),
];
