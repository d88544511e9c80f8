//! Recorded series, judged by the code that judges live.
//!
//! All input is read and checked before anything is judged or written: a file that is wrong at its end must not
//! leave half an answer, standard input can't be read twice, and the usual time between samples is known only at the
//! end. So all samples are kept, at 16 to 32 bytes each, up to a hundred million.

mod cells;
mod columns;
mod fault;
mod field;
mod input;
mod lines;
mod progress;
mod reader;
mod replay;
mod report;
mod series;
mod table;

pub use fault::{BacktestError, Fault};
pub use replay::{Replay, Row};

use std::io::{IsTerminal as _, Write, stderr, stdout};

use crate::config::BacktestConfig;

use progress::Progress;
use reader::Reader;
use report::Report;

/// Most samples that are taken in: 1.6 to 3.2 GB.
const MOST_SAMPLES: u64 = 100_000_000;

/// Replays what `config` names and writes the verdicts to `out`; what else there is to say goes to `notes`.
///
/// # Errors
/// When an input can't be read or makes no sense, before anything is written; or when `out` takes no more.
pub fn run(
    config: &BacktestConfig,
    out: &mut impl Write,
    notes: &mut impl Write,
) -> Result<(), BacktestError> {
    let mut progress = Progress::new(stderr().is_terminal());
    let mut reader = Reader::new(MOST_SAMPLES);
    for input in &config.inputs {
        let ignored = reader.read(input, &mut progress)?;
        progress.clear();
        if let Some(ignored) = ignored {
            // Who does not want to hear it can't keep the verdicts from being made.
            let _ = writeln!(notes, "memleak-exporter: {ignored}");
        }
    }
    // Lines of verdicts on the same terminal show well enough how far it is.
    let progress = Progress::new(stderr().is_terminal() && !stdout().is_terminal());
    Report::new(config, out).write(reader.into_series(), progress).map_err(BacktestError::Write)
}

#[cfg(test)]
mod tests;
