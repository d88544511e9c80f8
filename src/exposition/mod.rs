//! Snapshot to Prometheus text. Every metric's name, help and type is stated once, in [`catalog`].
//!
//! Families are made fresh from each snapshot, so what has vanished from the system vanishes from the output.

pub mod catalog;
mod entities;
mod family;
mod host;
mod self_metrics;
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
pub use self_metrics::{InFlight, SelfMetrics, SelfMetricsError};
pub use text::encode;

/// Content type of the text format, as Prometheus 3 insists on having it.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that `snapshot` has to say at `now`, as text.
///
/// A snapshot that is too old, or none, leaves out what would be taken for the present: the host, its entities
/// and the verdict over them. What describes the exporter stays, so that its silence can be explained.
pub fn render(snapshot: Option<&Snapshot>, now: Instant) -> String {
    encode(&families(snapshot, now))
}

/// The families of [`render`].
pub fn families(snapshot: Option<&Snapshot>, now: Instant) -> Vec<Family<'_>> {
    let mut families = vec![whole::build_info()];
    if let Some(snapshot) = snapshot {
        families.extend(whole::families(snapshot));
        if !snapshot.is_stale(now) {
            families.extend(whole::verdict(snapshot));
            families.extend(host::families(snapshot));
            families.extend(entities::families(snapshot));
        }
    }
    families.retain(|family| !family.samples.is_empty());
    families
}
