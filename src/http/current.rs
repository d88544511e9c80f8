//! The present, or why there is none.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::human;
use crate::snapshot::{Published, Snapshot};

/// Why there is no snapshot that could be shown as the present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Absence {
    /// Before the first.
    NotYet,
    /// The last one is this old: the sampler stalls.
    Stale(Duration),
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Absence::NotYet => f.write_str("no sample has been taken yet"),
            Absence::Stale(age) => {
                write!(
                    f,
                    "the last sample is {} old; sampling has stalled",
                    human::duration(age.as_secs_f64())
                )
            }
        }
    }
}

/// The snapshot that is the present at `now`.
pub(super) fn fresh(published: &Published, now: Instant) -> Result<Arc<Snapshot>, Absence> {
    let snapshot = published.current().ok_or(Absence::NotYet)?;
    if snapshot.is_stale(now) {
        return Err(Absence::Stale(now.saturating_duration_since(snapshot.taken)));
    }
    Ok(snapshot)
}
