//! Bounds that are met within minutes or hours, many close below the limit, and levels that rise for hours and come back: all
//! that is taken for a leak until it ends.

mod caches;
mod heaps;
mod jobs;
mod lives;
mod places;
mod pressure;
mod queues;
mod rings;

use super::demand::mean;
use crate::generate::{
    classes::{Class, benign},
    curves::integral,
    dice::Dice,
    shape::Shape,
    span::Span,
};

/// What fills begins by this share of the series, and is full by that.
const BEGUN: f64 = 0.4;
const FULL: f64 = 0.6;
/// How many hours it takes, where there is so much time.
const TAKES: (f64, f64) = (0.1, 30.0);
/// The limit of what is given hardly more than it needs, as a multiple of the peak, which is one of noise and spikes too.
const CLOSE: (f64, f64) = (1.005, 1.3);

#[rustfmt::skip]
pub(super) static CLASSES: [Class; 30] = [
    benign("by_bytes",         caches::by_bytes,             "images of a large catalogue, up to so many bytes"),
    benign("buffer_pool",      caches::buffer_pool,          "a pool of pages, each touched once it is needed"),
    benign("read_ahead",       caches::read_ahead,           "pages are read ahead of a scan, and stay for some time"),
    benign("segments",         caches::segments,             "segments of an index, loaded by the first search"),
    benign("polluted",         caches::polluted,             "scans fill a cache with what nobody asks for again"),
    benign("rehashed",         heaps::rehashed,              "a map of twice the size, whenever one is full"),
    benign("to_maximum",       heaps::to_maximum,            "a heap is collected in earnest only at its maximum"),
    benign("campaign_data",    heaps::campaign_data,         "a campaign's data is live for days, and goes within hours"),
    benign("plugin_host",      lives::plugin_host,           "plugins are loaded by their first use, after each start"),
    benign("larger_fills",     lives::larger_fills,          "each build fills up to a bound of its own, some to a larger one"),
    benign("crash_loop",       lives::crash_loop,            "short lives for other reasons, and then a long one"),
    benign("slow_consumer",    queues::slow_consumer,        "a queue fills in front of a slow consumer, and senders wait"),
    benign("batches",          queues::batches,              "a batch holds all its rows until it is written"),
    benign("uploads",          queues::uploads,              "uploads are held until they are complete"),
    benign("write_behind",     queues::write_behind,         "changed keys wait for a store that does not answer"),
    benign("long_streams",     queues::long_streams,         "streams of an evening, each with a buffer that fills"),
    benign("last_ids",         rings::last_ids,              "the last so many ids, so that nothing is done twice"),
    benign("rate_windows",     rings::rate_windows,          "times of requests, up to the rate that is allowed"),
    benign("replay_buffer",    rings::replay_buffer,         "a trainer's ring of what it has seen fills once"),
    benign("statements",       rings::statements,            "prepared statements of each connection, up to a bound"),
    benign("standby",          places::standby,              "a standby is promoted, and warms up by all of the load"),
    benign("lost_neighbours",  places::lost_neighbours,      "the shards of lost neighbours, until there are new ones"),
    benign("follows_clock",    places::follows_clock,        "one part of the world after the other is at work"),
    benign("swept",            jobs::swept,                  "a sweeper comes each few hours, and takes all"),
    benign("farm_worker",      jobs::farm_worker,            "a worker keeps the results of its job, and ends with it"),
    benign("mirrors",          jobs::mirrors,                "a remote table is mirrored anew beside the last mirror"),
    benign("watermarks",       pressure::watermarks,         "files take all memory, and give back what is needed"),
    benign("tuned_up",         pressure::tuned_up,           "a cache makes itself larger while that helps"),
    benign("spilling",         pressure::spilling,           "reports hold what they may, and then write to disk"),
    benign("backfill",         pressure::backfill,           "a consumer reads all of a log, and then follows"),
];

/// What fills from one sample on, and is full at another.
#[derive(Clone, Copy)]
struct Fill {
    begins: usize,
    ends: usize,
}

impl Fill {
    /// From the first sample on, or from some later one.
    fn draw(dice: &mut Dice, span: &Span) -> Self {
        let begins = if dice.chance(0.5) { 0 } else { span.somewhere(dice, 0.0, BEGUN) };
        let takes = span.hours(dice.log_uniform(TAKES.0, TAKES.1)).max(2.0);
        let latest = FULL * span.samples as f64;
        Self { begins, ends: span.at((begins as f64 + takes).min(latest)).max(begins + 1) }
    }

    /// How much comes at `rate` until it is full.
    fn room(&self, rate: &[f64]) -> f64 {
        rate[self.begins..self.ends].iter().sum::<f64>().max(f64::MIN_POSITIVE)
    }

    /// What has come at `rate` since it began: 1 where it is full, and more later.
    fn come(&self, rate: &[f64]) -> Vec<f64> {
        let room = self.room(rate);
        let rate: Vec<f64> = rate
            .iter()
            .enumerate()
            .map(|(i, rate)| if i < self.begins { 0.0 } else { rate / room })
            .collect();
        integral(&rate)
    }

    /// The same up to 1.
    fn filled(&self, rate: &[f64]) -> Vec<f64> {
        self.come(rate).into_iter().map(|come| come.min(1.0)).collect()
    }

    /// Samples from its beginning until it is full.
    fn takes(&self) -> usize {
        self.ends - self.begins
    }
}

/// How high something is beside `level`: between two shares of that.
fn beside(dice: &mut Dice, level: &[f64], share: (f64, f64)) -> f64 {
    mean(level) * dice.log_uniform(share.0, share.1)
}

/// Many know how much it will need, and give it hardly more.
fn close(dice: &mut Dice, level: Vec<f64>) -> Shape {
    let limit = dice.chance(0.6).then(|| dice.uniform(CLOSE.0, CLOSE.1));
    Shape { limit, ..Shape::benign(level) }
}
