//! The flags of `backtest`.

use std::path::PathBuf;

use super::values::threshold;
use crate::config::{BacktestConfig, BacktestOutput, Input};

pub(super) const LONG_ABOUT: &str = "\
Replays recorded memory through the detector that runs live, and writes what it would have said, and when.

The first line of a CSV file names its columns, in any order: time (seconds since 1970, or RFC 3339) and bytes, and \
where they are known entity (else the file's name), limit_bytes, start_time (another one than before is a restart), and \
cpu_seconds (cumulative). Rows are sorted by time within an entity; gaps are fine, and so is an empty field of bytes, \
where a sample is missing. Files may be packed by gzip.

The exit code is 0 whether or not anything is suspect, and 2 when a file makes no sense; then nothing is written.";

#[derive(Clone, Debug, clap::Args)]
pub(super) struct BacktestArgs {
    /// Write columns for people, or one JSON object a line
    #[arg(long, value_name = "FORM", default_value = "table")]
    output: BacktestOutput,
    /// Write one line an entity, in place of every evaluation
    #[arg(long)]
    summary: bool,
    /// An entity is suspect while its score is above this
    #[arg(long = "score.threshold", value_name = "SCORE", default_value = "60", value_parser = threshold)]
    threshold: f64,
    /// CSV files; - is standard input
    #[arg(value_name = "FILE.csv", required = true)]
    files: Vec<PathBuf>,
}

impl BacktestArgs {
    /// # Errors
    /// When standard input is to be read twice.
    pub(super) fn into_config(self) -> Result<BacktestConfig, String> {
        let input = |path: PathBuf| if path.as_os_str() == "-" { Input::Stdin } else { Input::File(path) };
        let inputs: Vec<Input> = self.files.into_iter().map(input).collect();
        if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
            return Err("standard input can be read only once; give - once".to_string());
        }
        Ok(BacktestConfig { inputs, output: self.output, summary: self.summary, threshold: self.threshold })
    }
}
