//! Verdicts in columns, for people.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use super::report::{Evaluation, Summary};
use crate::human::{bytes, duration};

/// What is not known.
const UNKNOWN: &str = "-";

/// Longer names of entities push the columns behind them to the right.
const WIDEST_ENTITY: usize = 40;

/// Width of a time, as of `2023-11-14T22:13:20Z`.
const TIME: usize = 20;

/// Writes lines of one shape.
#[derive(Debug)]
pub(super) struct Table {
    entity: usize,
    line: String,
}

impl Table {
    /// For entities of these names.
    pub(super) fn new<'a>(entities: impl Iterator<Item = &'a str>) -> Table {
        let longest = entities.map(|name| printable(name).chars().count()).max().unwrap_or(0);
        Table { entity: longest.clamp("ENTITY".len(), WIDEST_ENTITY), line: String::new() }
    }

    /// The line above all evaluations.
    pub(super) fn evaluations(&mut self, out: &mut impl Write) -> io::Result<()> {
        let titles = ["TIME", "ENTITY", "SCORE", "STATUS", "REASON", "GROWTH", "LIMIT IN", "WHY"];
        self.evaluation_line(titles, out)
    }

    /// One evaluation.
    pub(super) fn evaluation(&mut self, found: &Evaluation, out: &mut impl Write) -> io::Result<()> {
        let cells = [
            &time(found.time),
            &printable(found.entity),
            &score(found.leak_score),
            found.status.as_str(),
            found.reason.as_str(),
            &known(found.growth_bytes_per_second, |growth| format!("{}/h", bytes(3600.0 * growth))),
            &known(found.time_to_limit_seconds, duration),
            found.sentence.as_deref().unwrap_or_default(),
        ];
        self.evaluation_line(cells, out)
    }

    /// The line above all summaries.
    pub(super) fn summaries(&mut self, out: &mut impl Write) -> io::Result<()> {
        let titles = ["ENTITY", "SAMPLES", "SUSPECT SINCE", "HIGHEST", "SCORE", "STATUS", "REASON", "WHY"];
        self.summary_line(titles, out)
    }

    /// One summary.
    pub(super) fn summary(&mut self, found: &Summary, out: &mut impl Write) -> io::Result<()> {
        let cells = [
            &printable(found.entity),
            &found.samples.to_string(),
            &known(found.first_suspect_time, time),
            &score(found.max_leak_score),
            &score(found.leak_score),
            found.status.as_str(),
            found.reason.as_str(),
            &found.sentence,
        ];
        self.summary_line(cells, out)
    }

    fn evaluation_line(
        &mut self,
        [time, entity, score, status, reason, growth, left, why]: [&str; 8],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let width = self.entity;
        let _ = write!(
            self.line,
            "{time:TIME$}  {entity:width$}  {score:>6}  {status:7}  {reason:17}  {growth:>12}  {left:8}  {why}"
        );
        self.end(out)
    }

    fn summary_line(
        &mut self,
        [entity, samples, first, highest, score, status, reason, why]: [&str; 8],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let width = self.entity;
        let _ = write!(
            self.line,
            "{entity:width$}  {samples:>8}  {first:TIME$}  {highest:>7}  {score:>6}  {status:7}  {reason:17}  {why}"
        );
        self.end(out)
    }

    fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        let result = writeln!(out, "{}", self.line.trim_end());
        self.line.clear();
        result
    }
}

fn score(score: Option<f64>) -> String {
    known(score, |score| format!("{score:.2}"))
}

fn known(value: Option<f64>, written: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_string(), written)
}

/// To the second.
fn time(unix_seconds: f64) -> String {
    let since = Duration::try_from_secs_f64(unix_seconds).unwrap_or_default();
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since).to_string()
}

/// A name without what would move the cursor or end the line.
fn printable(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char }).collect()
}
