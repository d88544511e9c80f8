//! Measures what watching costs: the exporter, what people use today, and bare loops over /proc, on one machine, in turn.

mod child;
mod contenders;
mod crowd;
mod document;
mod floor;
mod load;
mod machine;
mod measure;
mod plot;
mod probe;
mod quantile;
mod scrape;
mod strain;
mod subject;
mod table;
mod targets;
#[cfg(test)]
mod testing;
mod trace;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, Subcommand};
use thiserror::Error;

use crate::contenders::Contender;
use crate::document::{DocumentError, Findings};
use crate::load::{Load, LoadError, Odd};
use crate::measure::{Run, Settings};
use crate::subject::MeasureError;

/// Where the exporter's own sources are.
const EXPORTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Where the page lies.
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// Measure what watching costs, beside what others cost.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// How many processes to watch, one load after another.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_value = "200,1000,5000,10000")]
    processes: Vec<u32>,
    /// Rounds of all contenders, every other one in reverse.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// From one tick and scrape to the next; the exporter counts each as 15.
    #[arg(long, default_value = "2", value_parser = seconds)]
    seconds: Duration,
    /// Ticks that are measured of each contender in a round.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    ticks: u32,
    /// Ticks before anything is measured.
    #[arg(long, value_name = "NUMBER", default_value_t = 70)]
    warm_up: u32,
    /// Scrapes of each form for latency, in all rounds.
    #[arg(long, value_name = "NUMBER", default_value_t = 102)]
    scrapes: u32,
    /// How many seconds two days of history take.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    history: Duration,
    /// Leave out the process with 4 GiB and the one with 20,000 mappings.
    #[arg(long)]
    no_odd: bool,
    /// The exporter; built here where it is not given.
    #[arg(long, value_name = "PATH")]
    exporter: Option<PathBuf>,
    /// Write docs/performance.md and its plot.
    #[arg(long)]
    write_docs: bool,
}

/// What this program starts itself for.
#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
enum Part {
    /// Read a file of every process for each byte of standard input.
    #[command(hide = true)]
    Floor {
        /// Which file.
        file: floor::File,
    },
    /// Run a program that ends with its parent.
    #[command(hide = true)]
    Bound {
        /// Its parent's process id.
        parent: u32,
        /// What to run.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the exporter can't be built")]
    Build,
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// A folder of our own, gone with this value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Scratch> {
        // Beside this program: what a signal leaves there is cleared away with what was built.
        let folder = env::current_exe()?.with_file_name(format!("peers-{}", std::process::id()));
        // Its pid was another's, of which a signal left it.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left there does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Options {
    fn run(&self) -> Result<(), Failure> {
        match &self.part {
            Some(Part::Floor { file }) => return Ok(floor::run(*file)?),
            Some(Part::Bound { parent, command }) => {
                let (program, args) =
                    command.split_first().ok_or(io::ErrorKind::InvalidInput).map_err(io::Error::from)?;
                return Err(child::exec_bound(*parent, program, args).into());
            }
            None => {}
        }
        let scratch = Scratch::new()?;
        let exporter = match &self.exporter {
            Some(exporter) => exporter.clone(),
            None => build()?,
        };
        let contenders = contenders::all(&exporter, &scratch.0, self.seconds)?;
        let settings = self.settings(&scratch.0)?;
        let load = Load::compile(&scratch.0)?;
        let mut runs = Vec::new();
        for processes in &self.processes {
            let run = measure::under(&load, *processes, &contenders, &settings)?;
            println!("{}", table::section(&run));
            runs.push(run);
        }
        self.publish(&runs, &contenders)
    }

    fn settings(&self, scratch: &Path) -> io::Result<Settings> {
        let odd = if self.no_odd { Odd::None } else { Odd::fitting(&fs::read_to_string("/proc/meminfo")?) };
        if odd == Odd::Mapped {
            eprintln!("the process with 4 GiB is left out: less than 8 GiB are available");
        }
        Ok(Settings {
            rounds: self.rounds,
            interval: self.seconds,
            warm_up: self.warm_up,
            ticks: self.ticks,
            scrapes: self.scrapes,
            history: self.history,
            odd,
            scratch: scratch.to_owned(),
        })
    }

    /// Says what is reached, and writes the page if that is asked for.
    fn publish(&self, runs: &[Run], contenders: &[Contender]) -> Result<(), Failure> {
        let Some(largest) = runs.iter().max_by_key(|run| run.processes) else { return Ok(()) };
        let mut targets = format!("With {} processes", table::grouped(largest.processes as usize));
        if largest.processes == targets::PROCESSES {
            targets.push_str(".\n\n");
        } else {
            let meant = table::grouped(targets::PROCESSES as usize);
            targets.push_str(&format!(", while the targets are meant for {meant}.\n\n"));
        }
        targets.push_str(&table::targets(&targets::of(largest)).to_string());
        println!("{targets}\n{}", self.origin());
        if self.write_docs {
            let sections: Vec<String> = runs.iter().map(table::section).collect();
            let figures = format!("{}\n\n{}", self.origin(), sections.join("\n"));
            let findings = Findings { targets, figures, plot: plot::cpu(runs, contenders) };
            document::write(Path::new(DOCS), &findings)?;
        }
        Ok(())
    }

    /// How and where it was measured, for whoever reads the figures.
    fn origin(&self) -> String {
        let load = machine::load_average();
        let load = load.map_or(String::new(), |load| format!(" Load average at the end: {load}."));
        format!(
            "{} {} of {} ticks, {} s apart.{load}",
            machine::described(),
            if self.rounds == 1 { "One round".to_owned() } else { format!("{} rounds", self.rounds) },
            self.ticks,
            self.seconds.as_secs_f64(),
        )
    }
}

/// Builds the exporter as it is released, and says where it is.
fn build() -> Result<PathBuf, Failure> {
    let root = Path::new(EXPORTER);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--release", "--locked"]).current_dir(root).status()?;
    if !built.success() {
        return Err(Failure::Build);
    }
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    Ok(target.join("release/memleak-exporter"))
}

/// A part of a second at least, for whoever ticks takes some time.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "use seconds from 0.1 to 3600".to_owned())
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_understood() {
        let options = Options::try_parse_from(["peers", "--processes", "20,40", "--seconds", "0.2"]).unwrap();
        assert_eq!((options.processes, options.seconds), (vec![20, 40], Duration::from_millis(200)));
        assert!(Options::try_parse_from(["peers", "--seconds", "0"]).is_err());
        let bound = Options::try_parse_from(["peers", "bound", "1", "true", "--x"]).unwrap();
        assert!(matches!(bound.part, Some(Part::Bound { parent: 1, command }) if command == ["true", "--x"]));
    }

    #[test]
    fn a_scratch_folder_is_gone_in_the_end() {
        let scratch = Scratch::new().unwrap();
        let folder = scratch.0.clone();
        assert!(folder.is_dir());
        drop(scratch);
        assert!(!folder.exists());
    }
}
