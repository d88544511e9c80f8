//! Measures the leak score on labelled series.

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use thiserror::Error;
use verdict::baselines::{Family, Pace, families};
use verdict::floors;
use verdict::generate::{self, Regime};
use verdict::ours::Ours;
use verdict::recordings::{self, RecordingError};
use verdict::report::{self, DocumentError, Findings};
use verdict::split;

/// Where recordings lie, whatever the working directory.
const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");

/// Where the page lies.
const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// How long a population is watched, days, and how often, seconds.
const POPULATION: (f64, f64) = (7.0, 60.0);

/// Measure the leak score on labelled series.
#[derive(Parser)]
struct Options {
    /// What to measure on.
    #[arg(long, value_enum, default_value = "all")]
    regime: Set,
    /// What chance is made from.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(split::TUNING))]
    seed: u64,
    /// Series of each class.
    #[arg(long, value_name = "NUMBER", default_value_t = 12)]
    per_class: u32,
    /// Processes of the population.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000)]
    entities: u32,
    /// Use the seed and the recordings that are kept for the end.
    #[arg(long, conflicts_with = "seed")]
    held_out: bool,
    /// Tell the detector how much CPU time was used.
    #[arg(long)]
    activity: bool,
    /// Measure what people use today as well, each at its best threshold.
    #[arg(long)]
    baselines: bool,
    /// Write docs/detection.md and its plots.
    #[arg(long)]
    write_docs: bool,
    /// Fail if the score misses what it must reach.
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Set {
    /// Leaks of hours to days.
    Days,
    /// Leaks of minutes to hours.
    Fast,
    /// A host where nothing leaks.
    Population,
    /// Real programs.
    Recordings,
    /// Each of them.
    All,
}

#[derive(Debug, Error)]
enum Failure {
    #[error(transparent)]
    Recordings(#[from] RecordingError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("{}", .0.join("\n"))]
    Floors(Vec<String>),
}

impl Options {
    fn wants(&self, set: Set) -> bool {
        self.regime == set || self.regime == Set::All
    }

    fn seed(&self) -> u64 {
        if self.held_out { split::FINAL } else { self.seed }
    }

    fn ours(&self) -> Ours {
        Ours { with_activity: self.activity }
    }

    fn families(&self, pace: Pace) -> Vec<Family> {
        if self.baselines { families(pace) } else { Vec::new() }
    }

    fn generated(&self, name: &'static str, regime: Regime, pace: Pace) -> Findings {
        let traces = generate::all(regime, self.seed(), self.per_class);
        Findings::of(name, traces, &self.ours(), self.families(pace))
    }

    /// Baselines are left out: without leaks they have no best threshold.
    fn population(&self) -> Findings {
        let traces = generate::population(self.seed(), self.entities, POPULATION.0, POPULATION.1);
        Findings::of("population", traces, &self.ours(), Vec::new())
    }

    /// None where there are no recordings.
    fn recorded(&self) -> Result<Option<Findings>, RecordingError> {
        let traces = recordings::load(Path::new(RECORDINGS), self.held_out)?;
        if traces.is_empty() {
            eprintln!("There are no such recordings in {RECORDINGS}.");
            return Ok(None);
        }
        Ok(Some(Findings::of("recordings", traces.into_iter(), &self.ours(), self.families(Pace::Fast))))
    }

    fn findings(&self) -> Result<Vec<Findings>, RecordingError> {
        let mut findings = Vec::new();
        if self.wants(Set::Days) {
            findings.push(self.generated("days", Regime::Days, Pace::Days));
        }
        if self.wants(Set::Fast) {
            findings.push(self.generated("fast", Regime::Fast, Pace::Fast));
        }
        if self.wants(Set::Population) {
            findings.push(self.population());
        }
        if self.wants(Set::Recordings) {
            findings.extend(self.recorded()?);
        }
        Ok(findings)
    }

    fn run(&self) -> Result<(), Failure> {
        let findings = self.findings()?;
        for set in &findings {
            println!("# {}\n\n{set}", set.name);
        }
        if self.write_docs {
            report::write(Path::new(DOCS), &findings)?;
        }
        let missed: Vec<String> =
            findings.iter().flat_map(|set| floors::missed(set.name, &set.figures())).collect();
        if self.check && !missed.is_empty() { Err(Failure::Floors(missed)) } else { Ok(()) }
    }
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
