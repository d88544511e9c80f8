//! Classes that don't leak, however much they look like it.

mod caches;
mod heaps;
mod jobs;
mod lives;
mod load;
mod plain;

pub(super) use caches::{cache_fill, log_cache, warmup};
pub(super) use heaps::{frag, gc_saw, jvm_expand, thp};
pub(super) use jobs::{backlog, batch};
pub(super) use lives::restarts;
pub(super) use load::{diurnal, diurnal_gc, traffic_ramp};
pub(super) use plain::{flat, idle, ou_slow, step, step_updown};
