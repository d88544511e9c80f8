//! Writes what the verdict on labelled series and recordings goes by, for `fit/fit.py`: one row for each hour in which something
//! rises, or for each window that shows something urgent. A row is 1 or 0 for whether the series leaked then, and the clues or the signs;
//! all 32-bit floats, lowest byte first.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use thiserror::Error;
use verdict::generate::{self, Regime};
use verdict::ours::Ours;
use verdict::recordings::{self, RecordingError};
use verdict::run::each;
use verdict::split;
use verdict::trace::{Make, Trace};

/// A row says next to nothing that the one before did not if it comes sooner, seconds.
const OFTEN: f64 = 3600.0;

/// So many looks at a series are enough to see what is urgent, however long it is.
const LOOKS: f64 = 48.0;

/// What leaks fast after days leaves few rows, and is what is urgent about a program that is known to be well: of each such class so
/// many times as many series as of any other.
const SUDDEN: u32 = 5;

/// Write what the verdict on labelled series goes by.
#[derive(Parser)]
struct Options {
    /// Seeds of which each class is made.
    #[arg(long, required = true, num_args = 1.., value_parser = clap::value_parser!(u64).range(split::TUNING))]
    seeds: Vec<u64>,
    /// Series of each class and seed.
    #[arg(long, default_value_t = 20)]
    per_class: u32,
    /// Series of each further class and seed, over days and squeezed: what nothing but a fit sees.
    #[arg(long, default_value_t = 38)]
    per_further: u32,
    /// Series of no class.
    #[arg(long, default_value_t = 2500)]
    mixed: u32,
    /// Processes of a host where nothing leaks.
    #[arg(long, default_value_t = 10_000)]
    entities: u32,
    /// Takes of each recording that may be tuned on, each as somebody else would have recorded it; of what is urgent alone.
    #[arg(long, default_value_t = 48)]
    per_recording: u32,
    /// Write what the urgent channel goes by, and not the slow one.
    #[arg(long)]
    urgent: bool,
    /// Where to write.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match write(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Why there are no rows.
#[derive(Debug, Error)]
enum ClueError {
    /// They can't be written.
    #[error("{}: {cause}", path.display())]
    Out {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// Recordings can't be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

fn write(options: &Options) -> Result<(), ClueError> {
    let recordings =
        options.urgent.then(|| recordings::load(Path::new(recordings::FOLDER), false)).transpose()?;
    let write = |mut out| match &recordings {
        Some(recordings) => write_urgent(&mut out, options, recordings),
        None => write_slow(&mut out, options),
    };
    let file = File::create(&options.out).map(BufWriter::new);
    file.and_then(write).map_err(|cause| ClueError::Out { path: options.out.clone(), cause })
}

/// Without recordings: those of days are in such fast motion that heaps and caches take a day to fill in a straight line, and trees that
/// had seen them would wait two days for a leak from birth.
fn write_slow(out: &mut impl Write, options: &Options) -> io::Result<()> {
    let first = options.seeds[0];
    for &seed in &options.seeds {
        write_each(out, generate::all(Regime::Days, seed, options.per_class), slow_rows)?;
        for regime in [Regime::Days, Regime::Fast] {
            write_each(out, generate::further(regime, seed, options.per_further), slow_rows)?;
        }
    }
    write_each(out, generate::mixed(first, options.mixed), slow_rows)?;
    write_each(out, generate::population(first, options.entities, 7.0, 60.0), slow_rows)?;
    out.flush()
}

/// Writes the rows of each series.
fn write_each(
    out: &mut impl Write,
    traces: impl Iterator<Item: Make> + Send,
    rows: impl Fn(&Trace) -> Vec<u8> + Sync,
) -> io::Result<()> {
    each(traces, rows).iter().try_for_each(|rows| out.write_all(rows))
}

/// The same series, each under other limits, too, and recordings.
fn write_urgent(out: &mut impl Write, options: &Options, recordings: &[Trace]) -> io::Result<()> {
    let first = options.seeds[0];
    for &seed in &options.seeds {
        for regime in [Regime::Days, Regime::Fast] {
            write_each(out, generate::all(regime, seed, options.per_class), urgent_rows)?;
            write_each(out, generate::further(regime, seed, options.per_further), urgent_rows)?;
            write_each(out, generate::sudden(regime, seed, SUDDEN * options.per_further), urgent_rows)?;
        }
    }
    write_each(out, generate::mixed(first, options.mixed), urgent_rows)?;
    write_each(out, generate::population(first, options.entities, 7.0, 60.0), urgent_rows)?;
    let takes = recordings.iter().flat_map(|recording| {
        (0..options.per_recording).map(move |number| move || Trace { number, ..recording.clone() })
    });
    write_each(out, takes, recorded_rows)?;
    out.flush()
}

/// Of a series as it is, and under a limit that is near: as it is, as somebody else would have recorded it, and in fast motion.
fn urgent_rows(trace: &Trace) -> Vec<u8> {
    let near = [trace, &generate::otherwise(trace), &generate::hurried(trace)].map(near_rows);
    [signs(trace), near.concat()].concat()
}

/// Of a recording under a limit that is near alone: its own says too much. In fast motion most of them were recorded.
fn recorded_rows(take: &Trace) -> Vec<u8> {
    [take, &generate::otherwise(take)].map(near_rows).concat()
}

fn near_rows(trace: &Trace) -> Vec<u8> {
    signs(&generate::near(trace))
}

fn signs(trace: &Trace) -> Vec<u8> {
    let mut rows = Vec::new();
    let often = trace.points.last().map_or(OFTEN, |point| point.time / LOOKS);
    Ours::default().signs(trace, often, |time, signs| {
        put(&mut rows, trace.label.leaks_at(time), signs.values());
    });
    rows
}

/// Of a series as it is, and as somebody else would have recorded it.
fn slow_rows(trace: &Trace) -> Vec<u8> {
    [clues(trace), clues(&generate::otherwise(trace))].concat()
}

fn clues(trace: &Trace) -> Vec<u8> {
    let mut rows = Vec::new();
    Ours::default()
        .clues(trace, OFTEN, |time, clues| put(&mut rows, trace.label.leaks_at(time), clues.values()));
    rows
}

fn put(rows: &mut Vec<u8>, leaks: bool, values: &[f32]) {
    let label = f32::from(u8::from(leaks));
    for value in [label].iter().chain(values) {
        rows.extend(value.to_le_bytes());
    }
}
