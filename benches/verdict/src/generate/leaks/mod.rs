//! Classes that leak.

mod lives;
mod load;
mod plain;

pub(super) use lives::{deploy, fixed, restarts};
pub(super) use load::{diurnal_leak, intermittent, load_prop, staircase};
pub(super) use plain::{accel, big_slow, gc_saw, late, linear_fast, linear_slow, noisy, warm_then_leak};
