//! `/-/healthy` and `/-/ready`: whether to restart the exporter, and whether to ask it.

use std::time::{Duration, Instant};

use hyper::{Response, StatusCode};

use super::current::{Absence, fresh};
use super::response::{Body, text};
use crate::snapshot::Published;

/// A first sample that takes longer than this is not going to come.
const START_GRACE: Duration = Duration::from_secs(60);

pub(super) fn healthy(published: &Published, started: Instant, now: Instant) -> Response<Body> {
    match fresh(published, now) {
        Err(Absence::NotYet) if now.saturating_duration_since(started) <= START_GRACE => well(),
        Ok(_) => well(),
        Err(absence) => {
            text(StatusCode::SERVICE_UNAVAILABLE, format_args!("memleak-exporter is not healthy: {absence}"))
        }
    }
}

fn well() -> Response<Body> {
    text(StatusCode::OK, "memleak-exporter is healthy")
}

pub(super) fn ready(published: &Published) -> Response<Body> {
    if published.current().is_some() {
        text(StatusCode::OK, "memleak-exporter is ready")
    } else {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            format_args!("memleak-exporter is not ready: {}", Absence::NotYet),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exposition::fixture;

    #[test]
    fn a_start_has_its_time_and_no_more() {
        let (published, start) = (Published::default(), Instant::now());
        assert_eq!(healthy(&published, start, start + START_GRACE).status(), 200);
        assert_eq!(healthy(&published, start, start + START_GRACE * 2).status(), 503);
        assert_eq!(ready(&published).status(), 503);
    }

    #[test]
    fn three_intervals_without_a_sample_are_unhealthy() {
        let published = Published::default();
        let snapshot = fixture::snapshot();
        let taken = snapshot.taken;
        published.publish(Arc::new(snapshot));
        assert_eq!(healthy(&published, taken, taken + Duration::from_secs(45)).status(), 200);
        assert_eq!(healthy(&published, taken, taken + Duration::from_secs(46)).status(), 503);
        assert_eq!(ready(&published).status(), 200);
    }
}
