//! The telemetry path. A snapshot is rendered when it is first asked for, and once.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use hyper::body::Bytes;

use crate::exposition;
use crate::snapshot::Snapshot;

/// Text of the newest snapshot that was asked for.
#[derive(Debug, Default)]
pub(super) struct RenderedMetrics(ArcSwapOption<Rendering>);

/// Weak, so that a snapshot that nobody asks for any more is not kept from being freed.
#[derive(Debug)]
struct Rendering {
    of: Weak<Snapshot>,
    text: OnceLock<Bytes>,
}

impl RenderedMetrics {
    /// What `snapshot` has to say at `now`.
    pub(super) fn text(&self, snapshot: Option<&Arc<Snapshot>>, now: Instant) -> Bytes {
        match snapshot {
            Some(fresh) if !fresh.is_stale(now) => {
                let rendering = self.rendering(fresh);
                rendering.text.get_or_init(|| exposition::render(Some(fresh), now).into()).clone()
            }
            // Short, because all that is about the present is left out.
            other => exposition::render(other.map(Arc::as_ref), now).into(),
        }
    }

    /// Two requests that meet here for the first time may both render; either text is right.
    fn rendering(&self, snapshot: &Arc<Snapshot>) -> Arc<Rendering> {
        if let Some(rendering) = self.0.load_full()
            && std::ptr::eq(rendering.of.as_ptr(), Arc::as_ptr(snapshot))
        {
            return rendering;
        }
        let rendering = Arc::new(Rendering { of: Arc::downgrade(snapshot), text: OnceLock::new() });
        self.0.store(Some(Arc::clone(&rendering)));
        rendering
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exposition::fixture;

    #[test]
    fn a_snapshot_is_rendered_once_and_not_kept() {
        let metrics = RenderedMetrics::default();
        let first = Arc::new(fixture::snapshot());
        let now = first.taken;
        let text = metrics.text(Some(&first), now);
        assert_eq!(metrics.text(Some(&first), now).as_ptr(), text.as_ptr());
        assert_eq!(Arc::strong_count(&first), 1);

        let second = Arc::new(Snapshot { threshold: 77.0, ..fixture::snapshot() });
        let text = metrics.text(Some(&second), now);
        assert!(text.windows(31).any(|window| window == b"memleak_leak_score_threshold 77"));
    }

    #[test]
    fn a_snapshot_grows_old_after_it_was_rendered() {
        let metrics = RenderedMetrics::default();
        let snapshot = Arc::new(fixture::snapshot());
        let fresh = metrics.text(Some(&snapshot), snapshot.taken);
        let stale = metrics.text(Some(&snapshot), snapshot.taken + Duration::from_secs(60));
        assert!(stale.len() < fresh.len() / 2);
    }
}
