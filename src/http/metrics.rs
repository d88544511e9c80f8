//! The telemetry path. A snapshot is written in each format when all of it is first asked for, and once.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use hyper::header::{CONTENT_ENCODING, VARY};
use hyper::{HeaderMap, Response, StatusCode};

use super::compression::Beginning;
use super::negotiation::Wanted;
use super::query::parse_collect;
use super::response::{Body, Refusal, response, set};
use crate::exposition::{self, Format, SelfMetrics, Sources};
use crate::snapshot::Snapshot;

/// Answers with what a snapshot says, and with what the exporter says about itself.
#[derive(Debug)]
pub(super) struct Telemetry {
    written: WrittenMetrics,
    own: Option<Arc<SelfMetrics>>,
}

impl Telemetry {
    /// Without `own`, the exporter says nothing about itself.
    pub(super) fn new(own: Option<Arc<SelfMetrics>>) -> Telemetry {
        Telemetry { written: WrittenMetrics::default(), own }
    }

    /// What `query` asks for, in the form that `headers` ask for.
    pub(super) fn answer(
        &self,
        snapshot: Option<&Arc<Snapshot>>,
        query: &str,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<Response<Body>, Refusal> {
        let sources = parse_collect(query)?;
        let Wanted { format, content_type, gzip } = Wanted::of(headers);
        let watched = self.written.text(snapshot, &sources, format, now);
        let own = self.own(format);
        let compressed = if gzip { watched.gzip(&own) } else { None };
        let is_compressed = compressed.is_some();
        let (first, second) = compressed.unwrap_or_else(|| (watched.plain(), own.into()));
        let mut response = response(StatusCode::OK, content_type, Body::joined(first, second));
        set(&mut response, VARY, "Accept, Accept-Encoding");
        if is_compressed {
            set(&mut response, CONTENT_ENCODING, "gzip");
        }
        Ok(response)
    }

    /// What differs from one scrape to the next, and the end.
    fn own(&self, format: Format) -> String {
        let own = self.own.as_ref().map(|own| own.render(format)).unwrap_or_default();
        own + format.end()
    }
}

/// The newest snapshot that was asked for, as written.
#[derive(Debug, Default)]
struct WrittenMetrics(ArcSwapOption<Written>);

/// Weak, so that a snapshot that nobody asks for any more is not kept from being freed.
#[derive(Debug)]
struct Written {
    of: Weak<Snapshot>,
    text: OnceLock<Arc<Beginning>>,
    open_metrics: OnceLock<Arc<Beginning>>,
}

impl WrittenMetrics {
    /// What `snapshot` has to say at `now` from `sources`.
    fn text(
        &self,
        snapshot: Option<&Arc<Snapshot>>,
        sources: &Sources,
        format: Format,
        now: Instant,
    ) -> Arc<Beginning> {
        let write = || {
            let snapshot = snapshot.map(Arc::as_ref);
            Arc::new(Beginning::new(exposition::render(snapshot, sources, now, format)))
        };
        match snapshot {
            Some(fresh) if sources.is_all() && !fresh.is_stale(now) => {
                Arc::clone(self.written(fresh).in_format(format).get_or_init(write))
            }
            // Short, because what is about the present is left out, or some of it; and seldom asked for.
            _ => write(),
        }
    }

    /// The same for all who ask for the same snapshot.
    fn written(&self, snapshot: &Arc<Snapshot>) -> Arc<Written> {
        let ours = Arc::new(Written::of(snapshot));
        let is_ours = |other: &Arc<Written>| Weak::ptr_eq(&other.of, &ours.of);
        let before = self.0.rcu(|current| match current {
            Some(theirs) if is_ours(theirs) => Arc::clone(theirs),
            _ => Arc::clone(&ours),
        });
        before.filter(is_ours).unwrap_or(ours)
    }
}

impl Written {
    fn of(snapshot: &Arc<Snapshot>) -> Written {
        Written { of: Arc::downgrade(snapshot), text: OnceLock::new(), open_metrics: OnceLock::new() }
    }

    fn in_format(&self, format: Format) -> &OnceLock<Arc<Beginning>> {
        match format {
            Format::Text => &self.text,
            Format::OpenMetrics => &self.open_metrics,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::exposition::fixture;

    #[test]
    fn a_snapshot_is_written_anew_and_not_kept() {
        let metrics = WrittenMetrics::default();
        let first = Arc::new(fixture::snapshot());
        let now = first.taken;
        metrics.text(Some(&first), &Sources::ALL, Format::Text, now);
        assert_eq!(Arc::strong_count(&first), 1);

        let second = Arc::new(Snapshot { threshold: 77.0, ..fixture::snapshot() });
        let text = metrics.text(Some(&second), &Sources::ALL, Format::Text, now).plain();
        assert!(text.windows(31).any(|window| window == b"memleak_leak_score_threshold 77"));
    }

    #[test]
    fn many_scrapers_share_what_is_written_once_a_format() {
        const SCRAPERS: usize = 16;
        let (metrics, snapshot) = (WrittenMetrics::default(), Arc::new(fixture::snapshot()));
        let together = Barrier::new(SCRAPERS);
        let scrape = |scraper: usize| {
            let format = if scraper.is_multiple_of(2) { Format::Text } else { Format::OpenMetrics };
            together.wait();
            let text = metrics.text(Some(&snapshot), &Sources::ALL, format, snapshot.taken);
            (text.plain().as_ptr() as usize, text.gzip("").unwrap().0.as_ptr() as usize)
        };
        let seen: Vec<(usize, usize)> = thread::scope(|scope| {
            let scrapers: Vec<_> =
                (0..SCRAPERS).map(|scraper| scope.spawn(move || scrape(scraper))).collect();
            scrapers.into_iter().map(|scraper| scraper.join().unwrap()).collect()
        });
        // All texts are alive here, so that each has an address of its own.
        let distinct =
            |pick: fn(&(usize, usize)) -> usize| seen.iter().map(pick).collect::<BTreeSet<_>>().len();
        assert_eq!((distinct(|seen| seen.0), distinct(|seen| seen.1)), (2, 2));
    }

    #[test]
    fn a_snapshot_grows_old_after_it_was_written() {
        let metrics = WrittenMetrics::default();
        let snapshot = Arc::new(fixture::snapshot());
        let fresh = metrics.text(Some(&snapshot), &Sources::ALL, Format::Text, snapshot.taken).plain();
        let later = snapshot.taken + Duration::from_secs(60);
        let stale = metrics.text(Some(&snapshot), &Sources::ALL, Format::Text, later).plain();
        assert!(stale.len() < fresh.len() / 2);
    }
}
