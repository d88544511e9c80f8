//! Snapshot to metrics, in any [`Format`]. Every metric's name, help and type is stated once, in [`catalog`].
//!
//! Families are made fresh from each snapshot, so what has vanished from the system vanishes from the output.

pub mod catalog;
mod cgroup;
mod entities;
mod escape;
mod exported;
mod format;
mod host;
mod label;
mod number;
mod pieces;
mod self_metrics;
mod sources;
mod text;
mod whole;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod reference;

use std::time::Instant;

use crate::snapshot::Snapshot;

pub use entities::labels;
pub use format::Format;
pub use label::{Label, Labels};
pub use pieces::Take;
pub use self_metrics::{InFlight, SelfMetrics, SelfMetricsError};
pub use sources::{Sources, UnknownSource};
pub use text::{Description, Family, Writer, written};

/// Writes everything that `snapshot` has to say at `now` from `sources`, but for the end that [`Format::end`] gives.
///
/// A snapshot that is too old, or none, leaves out what would be taken for the present: the host, its entities
/// and the verdict over them. What describes the exporter stays, so that its silence can be explained.
pub fn write(writer: &mut Writer<'_>, snapshot: Option<&Snapshot>, sources: &Sources, now: Instant) {
    whole::write_build_info(writer);
    let Some(snapshot) = snapshot else { return };
    whole::write_sampling(writer, snapshot);
    if !snapshot.is_stale(now) {
        whole::write_verdict(writer, snapshot);
        host::write(writer, snapshot, sources);
        entities::write(writer, snapshot, sources);
    }
}

/// What [`write()`] writes, in one.
pub fn render(snapshot: Option<&Snapshot>, sources: &Sources, now: Instant, format: Format) -> String {
    written(format, |writer| write(writer, snapshot, sources, now))
}
