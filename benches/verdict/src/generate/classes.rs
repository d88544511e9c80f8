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

const fn leak(name: &'static str, make: fn(&mut Dice, &Span) -> Shape, description: &'static str) -> Class {
    Class { name, is_leak: true, description, make }
}

const fn benign(name: &'static str, make: fn(&mut Dice, &Span) -> Shape, description: &'static str) -> Class {
    Class { name, is_leak: false, description, make }
}

#[rustfmt::skip]
static CLASSES: [Class; 33] = [
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
    leak("deploy",           l::deploy,           "a restart into another build, which leaks"),
    leak("fixed",            l::fixed,            "a straight line, ended by a restart into another build"),

    benign("flat",         b::flat,         "noise around one level"),
    benign("warmup",       b::warmup,       "a cache warms up within hours"),
    benign("log_cache",    b::log_cache,    "a cache of a heavy-tailed key space: logarithmic growth"),
    benign("jvm_expand",   b::jvm_expand,   "a heap grows in steps, then collects"),
    benign("gc_saw",       b::gc_saw,       "a collector's saw, of minutes to hours"),
    benign("step",         b::step,         "up to three steps up"),
    benign("step_updown",  b::step_updown,  "up to six steps up, each of which ends"),
    benign("batch",        b::batch,        "a job at fixed hours"),
    benign("diurnal",      b::diurnal,      "follows a daily load"),
    benign("diurnal_gc",   b::diurnal_gc,   "follows a daily load, under a collector's saw"),
    benign("cache_fill",   b::cache_fill,   "a cache fills in a straight line to its size"),
    benign("ou_slow",      b::ou_slow,      "a working set that wanders off for hours and comes back"),
    benign("frag",         b::frag,         "fragmentation: growth that slows down for days"),
    benign("backlog",      b::backlog,      "a queue builds up for hours, and drains"),
    benign("traffic_ramp", b::traffic_ramp, "a roll-out or migration: one ramp, then it stays"),
    benign("restarts",     b::restarts,     "deploys, each with a warm-up"),
    benign("thp",          b::thp,          "huge pages are put together: steps that get rarer"),
    benign("idle",         b::idle,         "hardly moves"),
];
