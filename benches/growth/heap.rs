//! What is asked of the allocator.

use std::alloc::System;

use stats_alloc::StatsAlloc;

/// Bytes in use of all that `allocator` gave out.
pub(crate) fn heap(allocator: &StatsAlloc<System>) -> f64 {
    let stats = allocator.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated) as f64
}
