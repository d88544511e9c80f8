//! The machine's own figures.

use super::catalog as metric;
use super::family::Family;
use super::sources::Sources;
use crate::entity::Scope;
use crate::sample::HostMemory;
use crate::snapshot::Snapshot;

/// What the host source said; nothing when it failed or is off.
pub(super) fn families<'a>(snapshot: &'a Snapshot, sources: &Sources) -> Vec<Family<'a>> {
    let host = snapshot.host.as_ref().filter(|_| sources.cover(Scope::Host));
    host.map(figures).unwrap_or_default()
}

fn figures(host: &HostMemory) -> Vec<Family<'static>> {
    let bytes = |amount: u64| Some(amount as f64);
    [
        (metric::HOST_TOTAL, bytes(host.total)),
        (metric::HOST_USED, bytes(host.used())),
        (metric::HOST_FREE, bytes(host.free)),
        (metric::HOST_AVAILABLE, bytes(host.available)),
        (metric::HOST_USED_RATIO, host.used_ratio()),
        (metric::HOST_SWAP_TOTAL, bytes(host.swap_total)),
        (metric::HOST_SWAP_USED, bytes(host.swap_used)),
        (metric::HOST_SLAB_UNRECLAIMABLE, host.slab_unreclaimable.and_then(bytes)),
        (metric::HOST_SOCKETS, host.sockets.and_then(bytes)),
        (metric::HOST_UNACCOUNTED_MEMORY, host.unaccounted.and_then(bytes)),
    ]
    .into_iter()
    .filter_map(|(metric, value)| Some(Family::single(metric, value?)))
    .collect()
}
