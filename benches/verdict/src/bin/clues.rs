//! Writes what the verdict on labelled series goes by, for `fit/fit.py`: one row for each quarter of an hour in which
//! something rises. A row is 1 or 0 for whether the series leaked then, and the clues; all 32-bit floats, lowest byte first.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::Parser;
use memleak_exporter::detector::Clues;
use verdict::generate::{self, Regime};
use verdict::ours::Ours;
use verdict::split;
use verdict::trace::Trace;

/// Verdicts change no more often, seconds.
const OFTEN: f64 = 900.0;

/// Write what the verdict on labelled series goes by.
#[derive(Parser)]
struct Options {
    /// Seeds of which each class is made.
    #[arg(long, required = true, num_args = 1.., value_parser = clap::value_parser!(u64).range(split::TUNING))]
    seeds: Vec<u64>,
    /// Series of each class and seed.
    #[arg(long, default_value_t = 20)]
    per_class: u32,
    /// Series of no class.
    #[arg(long, default_value_t = 2500)]
    mixed: u32,
    /// Processes of a host where nothing leaks.
    #[arg(long, default_value_t = 1500)]
    entities: u32,
    /// Where to write.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match write(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", options.out.display());
            ExitCode::FAILURE
        }
    }
}

fn write(options: &Options) -> io::Result<()> {
    let classes = options.seeds.iter().flat_map(|&seed| generate::all(Regime::Days, seed, options.per_class));
    let first = options.seeds[0];
    let mixed = generate::mixed(first, options.mixed);
    let host = generate::population(first, options.entities, 7.0, 60.0);
    let traces = Mutex::new(classes.chain(mixed).chain(host));
    let out = Mutex::new(BufWriter::new(File::create(&options.out)?));
    let work = || -> io::Result<()> {
        loop {
            let next = traces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(trace) = next else { return Ok(()) };
            out.lock().unwrap_or_else(PoisonError::into_inner).write_all(&rows(&trace))?;
        }
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    out.into_inner().unwrap_or_else(PoisonError::into_inner).flush()
}

fn rows(trace: &Trace) -> Vec<u8> {
    let mut rows = Vec::new();
    let mut slot = f64::NEG_INFINITY;
    Ours::default().clues(trace, |time, clues| {
        let now = (time / OFTEN).floor();
        if let Some(clues) = clues.filter(|_| now > slot) {
            slot = now;
            put(&mut rows, trace.label.leaks_at(time), &clues);
        }
    });
    rows
}

fn put(rows: &mut Vec<u8>, leaks: bool, clues: &Clues) {
    let label = f32::from(u8::from(leaks));
    for value in [label].iter().chain(clues.values()) {
        rows.extend(value.to_le_bytes());
    }
}
