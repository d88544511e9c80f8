//! Classes that don't leak, however much they look like it.

mod caches;
mod heaps;
mod jobs;
mod lives;
mod load;
mod plain;

pub(super) use caches::{cache_fill, log_cache, new_keyspace, refill_restarts, tmpfs_rotate, warmup};
pub(super) use heaps::{frag, gc_saw, jvm_expand, jvm_xmx, small_saw, thp};
pub(super) use jobs::{backlog, batch, short_jobs, weekly_job};
pub(super) use lives::{config_sizes, restarts};
pub(super) use load::{arenas, diurnal, diurnal_gc, peak_week, ramp_small, retain, traffic_ramp};
pub(super) use plain::{flat, idle, level_walk, ou_slow, step, step_updown};
