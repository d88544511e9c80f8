//! The telemetry path. A snapshot is written in each form when all of it is first asked for, and once.

use std::sync::{Arc, Weak};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use hyper::header::{CONTENT_ENCODING, VARY};
use hyper::{HeaderMap, Response, StatusCode};

use super::compression::Beginning;
use super::negotiation::Wanted;
use super::query::parse_collect;
use super::response::{Body, Refusal, response, set};
use crate::exposition::{self, Format, SelfMetrics, Sources, Take, Writer};
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
        let watched = Watched { snapshot, sources: &sources, format, now };
        let (beginning, own) = (self.written.beginning(&watched), self.own(format));
        let write = |take: Take<'_>| watched.write(take);
        let compressed = if gzip { beginning.gzip(write, &own) } else { None };
        let is_compressed = compressed.is_some();
        let body = match compressed {
            Some(pieces) => Body::joined(pieces),
            None => Body::joined(beginning.plain(write).iter().cloned().chain([own.into()])),
        };
        let mut response = response(StatusCode::OK, content_type, body);
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

/// What is asked for of what is watched.
#[derive(Clone, Copy, Debug)]
struct Watched<'a> {
    snapshot: Option<&'a Arc<Snapshot>>,
    sources: &'a Sources,
    format: Format,
    now: Instant,
}

impl Watched<'_> {
    fn write(self, take: Take<'_>) {
        let mut writer = Writer::new(self.format, take);
        exposition::write(&mut writer, self.snapshot.map(Arc::as_ref), self.sources, self.now);
        writer.finish();
    }
}

/// The newest snapshot that was asked for, as written.
#[derive(Debug, Default)]
struct WrittenMetrics(ArcSwapOption<Written>);

/// Weak, so that a snapshot that nobody asks for any more is not kept from being freed.
#[derive(Debug)]
struct Written {
    of: Weak<Snapshot>,
    text: Arc<Beginning>,
    open_metrics: Arc<Beginning>,
}

impl WrittenMetrics {
    /// The beginning of every response to the same question.
    fn beginning(&self, watched: &Watched<'_>) -> Arc<Beginning> {
        match watched.snapshot {
            Some(fresh) if watched.sources.is_all() && !fresh.is_stale(watched.now) => {
                Arc::clone(self.written(fresh).in_format(watched.format))
            }
            // Short, because what is about the present is left out, or some of it; and seldom asked for.
            _ => Arc::default(),
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
        Written { of: Arc::downgrade(snapshot), text: Arc::default(), open_metrics: Arc::default() }
    }

    fn in_format(&self, format: Format) -> &Arc<Beginning> {
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

    fn text_at(snapshot: &Arc<Snapshot>, now: Instant) -> Watched<'_> {
        Watched { snapshot: Some(snapshot), sources: &Sources::ALL, format: Format::Text, now }
    }

    fn plain(metrics: &WrittenMetrics, watched: Watched<'_>) -> String {
        let pieces = metrics.beginning(&watched).plain(|take| watched.write(take)).concat();
        String::from_utf8(pieces).unwrap()
    }

    #[test]
    fn a_snapshot_is_written_anew_and_not_kept() {
        let metrics = WrittenMetrics::default();
        let first = Arc::new(fixture::snapshot());
        let now = first.taken;
        plain(&metrics, text_at(&first, now));
        assert_eq!(Arc::strong_count(&first), 1);

        let second = Arc::new(Snapshot { threshold: 77.0, ..fixture::snapshot() });
        assert!(plain(&metrics, text_at(&second, now)).contains("memleak_leak_score_threshold 77"));
    }

    #[test]
    fn many_scrapers_share_what_is_written_once_a_format() {
        const SCRAPERS: usize = 16;
        let (metrics, snapshot) = (WrittenMetrics::default(), Arc::new(fixture::snapshot()));
        let together = Barrier::new(SCRAPERS);
        let scrape = |scraper: usize| {
            let format = if scraper.is_multiple_of(2) { Format::Text } else { Format::OpenMetrics };
            let watched = Watched { format, ..text_at(&snapshot, snapshot.taken) };
            let write = |take: Take<'_>| watched.write(take);
            together.wait();
            let beginning = metrics.beginning(&watched);
            let plain = beginning.plain(write)[0].as_ptr() as usize;
            (plain, beginning.gzip(write, "").unwrap()[0].as_ptr() as usize)
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
        let fresh = plain(&metrics, text_at(&snapshot, snapshot.taken));
        let stale = plain(&metrics, text_at(&snapshot, snapshot.taken + Duration::from_secs(60)));
        assert!(stale.len() < fresh.len() / 2);
    }
}
