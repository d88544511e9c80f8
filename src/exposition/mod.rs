//! Snapshot to metrics, in any [`Format`]. Every metric's name, help and type is stated once, in [`catalog`].
//!
//! Families are made fresh from each snapshot, so what has vanished from the system vanishes from the output.

pub mod catalog;
mod cgroup;
mod entities;
mod family;
mod format;
mod host;
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
pub use family::{Family, Label, Labels, Sample};
pub use format::Format;
pub use self_metrics::{InFlight, SelfMetrics, SelfMetricsError};
pub use sources::{Sources, UnknownSource};
pub use text::encode;

/// Everything that `snapshot` has to say at `now` from `sources`, but for the end that [`Format::end`] gives.
///
/// A snapshot that is too old, or none, leaves out what would be taken for the present: the host, its entities
/// and the verdict over them. What describes the exporter stays, so that its silence can be explained.
pub fn render(snapshot: Option<&Snapshot>, sources: &Sources, now: Instant, format: Format) -> String {
    encode(&families(snapshot, sources, now), format)
}

/// The families of [`render`].
pub fn families<'a>(snapshot: Option<&'a Snapshot>, sources: &Sources, now: Instant) -> Vec<Family<'a>> {
    let mut families = vec![whole::build_info()];
    if let Some(snapshot) = snapshot {
        families.extend(whole::families(snapshot));
        if !snapshot.is_stale(now) {
            families.extend(whole::verdict(snapshot));
            families.extend(host::families(snapshot, sources));
            families.extend(entities::families(snapshot, sources));
        }
    }
    families.retain(|family| !family.samples.is_empty());
    families
}
