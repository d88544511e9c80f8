//! Writes labelled series as files of comma-separated values, for people and other detectors to look at.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use verdict::{
    generate::{self, Regime},
    trace::Trace,
};

/// Series begin at this time, Unix seconds: any time but 0, which would read as unknown.
const BEGIN: f64 = 1_700_000_000.0;

/// Write labelled series, one file each.
#[derive(Parser)]
struct Options {
    /// How fast things happen.
    #[arg(long, value_enum, default_value = "days")]
    regime: Pace,
    /// What chance is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Series of each class.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    per_class: u32,
    /// Directory to write to; made where there is none.
    #[arg(long, value_name = "DIR")]
    csv: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Pace {
    Days,
    Fast,
}

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
struct Unwritten {
    path: PathBuf,
    source: io::Error,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match write_all(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(unwritten) => {
            eprintln!("traces: {unwritten}");
            ExitCode::FAILURE
        }
    }
}

fn write_all(options: &Options) -> Result<(), Unwritten> {
    let regime = match options.regime {
        Pace::Days => Regime::Days,
        Pace::Fast => Regime::Fast,
    };
    fs::create_dir_all(&options.csv).map_err(|source| Unwritten { path: options.csv.clone(), source })?;
    let path = options.csv.join("labels.csv");
    let failed = |source| Unwritten { path: path.clone(), source };
    let mut labels = BufWriter::new(File::create(&path).map_err(failed)?);
    writeln!(labels, "file,class,onset,fixed,end").map_err(failed)?;
    for trace in generate::all(regime, options.seed, options.per_class).map(|make| make()) {
        let name = format!("{}-{}.csv", trace.class, trace.number);
        write_label(&mut labels, &name, &trace).map_err(failed)?;
        let path = options.csv.join(name);
        write(&trace, &path).map_err(|source| Unwritten { path, source })?;
    }
    labels.flush().map_err(failed)
}

/// What is true of one series: seconds since it began; empty where nothing leaks, or was fixed.
fn write_label(out: &mut impl Write, name: &str, trace: &Trace) -> io::Result<()> {
    let told = |time: Option<f64>| time.map(|time| time.to_string()).unwrap_or_default();
    let end = trace.points.last().map_or(0.0, |point| point.time);
    writeln!(out, "{name},{},{},{},{end}", trace.class, told(trace.label.onset()), told(trace.label.fixed()))
}

/// One series, a line for each point.
fn write(trace: &Trace, path: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "time,entity,bytes,limit_bytes,start_time,cpu_seconds")?;
    let limit = trace.limit.map(|limit| limit.to_string()).unwrap_or_default();
    let (mut life, mut start) = (None, BEGIN);
    for point in &trace.points {
        if life != Some(point.life) {
            (life, start) = (Some(point.life), BEGIN + point.time);
        }
        let cpu = point.cpu_seconds.map(|cpu| cpu.to_string()).unwrap_or_default();
        let time = BEGIN + point.time;
        writeln!(out, "{time},{}-{},{},{limit},{start},{cpu}", trace.class, trace.number, point.bytes)?;
    }
    out.flush()
}
