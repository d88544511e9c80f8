//! Forty that scrape at once, again and again.

use std::thread;
use std::time::{Duration, Instant};

use crate::quantile::quantile;
use crate::scrape::{self, Form, ScrapeError, Scraper};

/// As many as the exporter answers at once by default.
const SCRAPERS: usize = 40;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// Scrapes that were answered.
    pub answered: usize,
    /// Scrapes that were refused.
    pub refused: usize,
    /// How long nineteen of twenty took at most, seconds.
    pub p95: Option<f64>,
    /// Between two ticks, as one of the scrapers saw them, at most, seconds.
    pub longest_gap: Option<f64>,
    /// Ticks that did not take place.
    pub skipped: f64,
}

/// What one scraper has seen.
#[derive(Debug, Default)]
struct Seen {
    times: Vec<f64>,
    refused: usize,
    ticks: Vec<f64>,
}

/// Has everybody scrape for so long; `skipped` is not known here.
pub fn scrape(port: u16, duration: Duration) -> Result<Crowd, ScrapeError> {
    let deadline = Instant::now() + duration;
    let seen: Result<Vec<Seen>, ScrapeError> = thread::scope(|scope| {
        let one = |index| scope.spawn(move || watch(port, deadline, index == 0));
        let threads: Vec<_> = (0..SCRAPERS).map(one).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let seen = seen?;
    let times: Vec<f64> = seen.iter().flat_map(|seen| seen.times.iter().copied()).collect();
    Ok(Crowd {
        answered: times.len(),
        refused: seen.iter().map(|seen| seen.refused).sum(),
        p95: quantile(&times, 0.95),
        longest_gap: seen.iter().filter_map(|seen| longest_gap(&seen.ticks)).reduce(f64::max),
        skipped: 0.0,
    })
}

/// Only one reads what it gets: text that is searched takes CPU time that the others need.
fn watch(port: u16, deadline: Instant, reads: bool) -> Result<Seen, ScrapeError> {
    let (mut scraper, mut seen) = (Scraper::new(port), Seen::default());
    let form = if reads { Form::Plain } else { Form::Gzip };
    while Instant::now() < deadline {
        match scraper.scrape(form) {
            Ok(took) => seen.times.push(took.as_secs_f64()),
            Err(ScrapeError::Status(503)) => seen.refused += 1,
            Err(error) => return Err(error),
        }
        if reads {
            seen.ticks.extend(scrape::value(scraper.text(), "memleak_last_sample_timestamp_seconds"));
        }
    }
    Ok(seen)
}

fn longest_gap(moments: &[f64]) -> Option<f64> {
    moments.windows(2).map(|pair| pair[1] - pair[0]).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_lies_between_two() {
        assert_eq!(longest_gap(&[1.0, 1.0, 3.0, 6.5, 7.0]), Some(3.5));
        assert_eq!(longest_gap(&[1.0]), None);
    }
}
