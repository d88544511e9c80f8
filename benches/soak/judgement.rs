//! Whether anything has grown.

use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

use memleak_exporter::backtest::{Replay, Row};
use memleak_exporter::resources::Unit;

use super::exporter::{Exporter, Figures};
use super::load::pause;

const MIB: u64 = 1 << 20;

/// What RSS at the end may be above that after a third of the time, bytes.
const MORE_MEMORY: u64 = MIB;

/// The same for descriptors that are not of processes, and for threads.
const MORE_FILES: u64 = 2;

/// Of each process one file is kept open, and some more for processes that have just ended.
const SPARE_FILES: u64 = 10;

/// A score above it is a suspicion, as it is by default.
const THRESHOLD: f64 = 60.0;

/// Seconds of history without which the detector calls nothing slow: a shorter run does not ask it.
const JUDGED: f64 = 24.0 * 3600.0;

/// Share of the time that each figure is the median of.
const WINDOW: usize = 10;

/// Time for connections to be closed at the end.
const CLOSING: Duration = Duration::from_secs(2);

/// Each thing that was looked at, and whether it is as it should be.
pub(crate) struct Judgement(Vec<Finding>);

struct Finding {
    sentence: String,
    is_right: bool,
}

/// One of the figures.
type Figure = (&'static str, fn(&Figures) -> u64, u64);

const COMPARED: [Figure; 4] = [
    ("RSS, KiB", |figures| figures.resident / 1024, MORE_MEMORY / 1024),
    ("sockets", |figures| figures.sockets, MORE_FILES),
    ("other files", |figures| figures.others, MORE_FILES),
    ("threads", |figures| figures.threads, 0),
];

impl Judgement {
    /// Of `figures` that are so many seconds apart for the detector, and of what is left of an `exporter` that was `idle` at first and
    /// is again.
    ///
    /// # Errors
    /// When the exporter has ended.
    pub(crate) fn of(
        figures: &[Figures],
        idle: &Figures,
        exporter: &Exporter,
        interval_seconds: f64,
    ) -> io::Result<Judgement> {
        let compared = COMPARED.into_iter().map(|figure| compared(figures, figure));
        let history_seconds = figures.len() as f64 * interval_seconds;
        let own = exporter.own_score()?;
        let suspected = [
            finding(format!("its own score is {}", told(own)), own.is_some_and(|score| score <= THRESHOLD)),
            suspected("RSS", figures, interval_seconds, |figures| figures.resident),
            suspected("descriptors", figures, interval_seconds, |figures| {
                Unit::weighed(figures.sockets + figures.of_processes + figures.others)
            }),
            suspected("threads", figures, interval_seconds, |figures| Unit::weighed(figures.threads)),
        ];
        let suspected = suspected.into_iter().filter(|_| history_seconds >= JUDGED);
        pause(CLOSING);
        let left = exporter.figures()?;
        let metrics = exporter.get("/metrics")?;
        let in_work = value(&metrics, "memleak_http_requests_in_flight ");
        let processes = processes()?;
        let after = [
            finding(
                format!("{} sockets after the last client, {} before the first", left.sockets, idle.sockets),
                left.sockets <= idle.sockets,
            ),
            finding(
                format!("{} files of /proc kept open, of {processes} processes", left.of_processes),
                left.of_processes <= processes + SPARE_FILES,
            ),
            finding(format!("{} requests in work besides the one that asks", in_work - 1.0), in_work == 1.0),
        ];
        Ok(Judgement(compared.chain(suspected).chain(after).collect()))
    }

    /// Whether anything is not as it should be.
    pub(crate) fn has_grown(&self) -> bool {
        self.0.iter().any(|finding| !finding.is_right)
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|Finding { sentence, is_right }| {
            writeln!(f, "{} {sentence}", if *is_right { "ok    " } else { "GROWTH" })
        })
    }
}

fn finding(sentence: String, is_right: bool) -> Finding {
    Finding { sentence, is_right }
}

/// The end beside the time after a third.
fn compared(figures: &[Figures], (name, figure, more): Figure) -> Finding {
    let window = (figures.len() / WINDOW).max(1);
    let third = (figures.len() / 3).min(figures.len().saturating_sub(window));
    let middle = |some: &[Figures]| {
        let mut some: Vec<u64> = some.iter().map(figure).collect();
        some.sort_unstable();
        some.get(some.len() / 2).copied().unwrap_or(0)
    };
    let (before, after) =
        (middle(&figures[third..third + window]), middle(&figures[figures.len() - window..]));
    finding(format!("{name}: {before} after a third of the time, {after} at the end"), after <= before + more)
}

/// What the detector says of it.
fn suspected(
    name: &str,
    figures: &[Figures],
    interval_seconds: f64,
    bytes: impl Fn(&Figures) -> u64,
) -> Finding {
    let mut replay = Replay::new(interval_seconds, THRESHOLD);
    let mut highest: Option<f64> = None;
    for (tick, figures) in figures.iter().enumerate() {
        let row = Row { time: tick as f64 * interval_seconds, bytes: bytes(figures), ..Row::default() };
        let score = replay.push(row).and_then(|assessment| assessment.score);
        highest = highest.into_iter().chain(score).reduce(f64::max);
    }
    let last = replay.latest().and_then(|assessment| assessment.score);
    let sentence =
        format!("{name}: the detector's score is {} at the end, {} at most", told(last), told(highest));
    finding(sentence, last.is_some_and(|score| score <= THRESHOLD))
}

/// Everything that runs on this machine, threads of the kernel included: of them a directory is kept open, too.
fn processes() -> io::Result<u64> {
    let names = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).count() as u64)
}

fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

fn told(score: Option<f64>) -> String {
    score.map_or("not known".to_string(), |score| format!("{score:.0}"))
}
