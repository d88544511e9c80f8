//! Replays series, and writes what was found: every evaluation, or one summary an entity.

use std::io::{self, Write};

use serde::Serialize;

use super::progress::Progress;
use super::replay::Replay;
use super::series::Series;
use super::table::Table;
use crate::config::{BacktestConfig, BacktestOutput};
use crate::detector::{Assessment, Reason, Standing, Status};

/// One verdict. The fields are what is written as JSON, unknown ones as null.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Evaluation<'a> {
    /// Seconds since the epoch.
    pub(super) time: f64,
    pub(super) entity: &'a str,
    pub(super) leak_score: Option<f64>,
    pub(super) status: Status,
    pub(super) reason: Reason,
    pub(super) growth_bytes_per_second: Option<f64>,
    pub(super) time_to_limit_seconds: Option<f64>,
    pub(super) standing: Option<Standing>,
    pub(super) time_to_limit_range_seconds: Option<[f64; 2]>,
    /// When the growth began, seconds since the epoch.
    pub(super) onset_time: Option<f64>,
    /// Why it is suspect; null for what is not.
    pub(super) sentence: Option<String>,
}

/// What became of one entity. Score, status and what follows are those of the last verdict.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary<'a> {
    pub(super) entity: &'a str,
    pub(super) samples: usize,
    /// Seconds since the epoch.
    pub(super) first_suspect_time: Option<f64>,
    pub(super) max_leak_score: Option<f64>,
    pub(super) leak_score: Option<f64>,
    pub(super) status: Status,
    pub(super) reason: Reason,
    pub(super) growth_bytes_per_second: Option<f64>,
    pub(super) time_to_limit_seconds: Option<f64>,
    pub(super) restarts: u64,
    pub(super) sentence: String,
    pub(super) standing: Option<Standing>,
    pub(super) time_to_limit_range_seconds: Option<[f64; 2]>,
    /// When the growth began, seconds since the epoch.
    pub(super) onset_time: Option<f64>,
}

/// Writes verdicts as they are wanted.
pub(super) struct Report<'a, W> {
    config: &'a BacktestConfig,
    out: &'a mut W,
}

impl<'a, W: Write> Report<'a, W> {
    /// Writes to `out`.
    pub(super) fn new(config: &'a BacktestConfig, out: &'a mut W) -> Report<'a, W> {
        Report { config, out }
    }

    /// Replays one series after another, and lets go of each.
    ///
    /// # Errors
    /// When the verdicts can't be written.
    pub(super) fn write(&mut self, all: Vec<Series>, mut progress: Progress) -> io::Result<()> {
        let mut table = Table::new(all.iter().map(Series::entity));
        if self.config.output == BacktestOutput::Table {
            match self.config.summary {
                true => table.summaries(self.out)?,
                false => table.evaluations(self.out)?,
            }
        }
        let total = all.iter().map(|series| series.len() as u64).sum();
        let mut done = 0;
        for series in all {
            let summary = self.replay(&series, &mut table)?;
            if self.config.summary {
                match self.config.output {
                    BacktestOutput::Json => json(&summary, self.out)?,
                    BacktestOutput::Table => table.summary(&summary, self.out)?,
                }
            }
            done += series.len() as u64;
            progress.show("judging", done, Some(total), "samples");
        }
        progress.clear();
        self.out.flush()
    }

    /// Replays one series. Writes its evaluations, unless only a summary is wanted.
    fn replay<'s>(&mut self, series: &'s Series, table: &mut Table) -> io::Result<Summary<'s>> {
        let mut replay = Replay::new(series.interval(), self.config.threshold);
        let (mut first_suspect_time, mut max_leak_score) = (None, None::<f64>);
        for row in series.rows() {
            let Some(assessment) = replay.push(row) else {
                continue;
            };
            if assessment.is_suspect() {
                first_suspect_time.get_or_insert(row.time);
            }
            max_leak_score = [max_leak_score, assessment.score].into_iter().flatten().reduce(f64::max);
            if !self.config.summary {
                let evaluation = Evaluation::new(row.time, series.entity(), assessment);
                match self.config.output {
                    BacktestOutput::Json => json(&evaluation, self.out)?,
                    BacktestOutput::Table => table.evaluation(&evaluation, self.out)?,
                }
            }
        }
        let nothing = Assessment::default();
        let last = replay.latest().unwrap_or(&nothing);
        Ok(Summary {
            entity: series.entity(),
            samples: series.len(),
            first_suspect_time,
            max_leak_score,
            leak_score: last.score,
            status: last.status(),
            reason: last.reason,
            growth_bytes_per_second: last.growth_bytes_per_second,
            time_to_limit_seconds: last.time_to_limit_seconds,
            restarts: replay.restarts(),
            sentence: last.sentence().to_string(),
            standing: last.score.map(|_| last.standing),
            time_to_limit_range_seconds: last.time_to_limit_range_seconds,
            onset_time: onset_time(last),
        })
    }
}

impl<'a> Evaluation<'a> {
    fn new(time: f64, entity: &'a str, assessment: &Assessment) -> Evaluation<'a> {
        Evaluation {
            time,
            entity,
            leak_score: assessment.score,
            status: assessment.status(),
            reason: assessment.reason,
            growth_bytes_per_second: assessment.growth_bytes_per_second,
            time_to_limit_seconds: assessment.time_to_limit_seconds,
            standing: assessment.score.map(|_| assessment.standing),
            time_to_limit_range_seconds: assessment.time_to_limit_range_seconds,
            onset_time: onset_time(assessment),
            sentence: assessment.is_suspect().then(|| assessment.sentence().to_string()),
        }
    }
}

fn onset_time(assessment: &Assessment) -> Option<f64> {
    assessment.evidence.as_ref().and_then(|evidence| evidence.onset_time)
}

/// One object, one line.
fn json(what: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, what)?;
    out.write_all(b"\n")
}
