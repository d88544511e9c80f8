//! The machine's own figures.

use super::catalog as metric;
use super::sources::Sources;
use super::text::Writer;
use crate::entity::Scope;
use crate::sample::HostMemory;
use crate::snapshot::Snapshot;

/// Writes what the host source said; nothing when it failed or is off.
pub(super) fn write(writer: &mut Writer<'_>, snapshot: &Snapshot, sources: &Sources) {
    if let Some(host) = snapshot.host.as_ref().filter(|_| sources.cover(Scope::Host)) {
        write_figures(writer, host);
    }
}

fn write_figures(writer: &mut Writer<'_>, host: &HostMemory) {
    let bytes = |amount: u64| Some(amount as f64);
    let figures = [
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
    ];
    for (metric, value) in figures {
        if let Some(value) = value {
            writer.single(metric, value);
        }
    }
}
