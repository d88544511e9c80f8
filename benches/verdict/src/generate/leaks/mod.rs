//! Classes that leak.

mod after;
mod lives;
mod load;
mod plain;

pub(super) use after::{after_step, cache_then_leak, oldgen, plateau, sublinear};
pub(super) use lives::{deploy, fixed, fork_server, redeploys, restarts};
pub(super) use load::{burst, diurnal_leak, intermittent, load_prop, night, staircase};
pub(super) use plain::{accel, big_slow, gc_saw, late, linear_fast, linear_slow, noisy, warm_then_leak};
