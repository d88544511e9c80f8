//! Measures the leak score on labelled series.

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use verdict::baselines::{Family, Pace, families};
use verdict::generate::{self, Regime};
use verdict::ours::Ours;
use verdict::recordings::{self, RecordingError};
use verdict::report::Findings;
use verdict::split;

/// Where recordings lie, whatever the working directory.
const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");

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
    /// Use the seed and the recordings that are kept for the end.
    #[arg(long, conflicts_with = "seed")]
    held_out: bool,
    /// Measure what people use today as well.
    #[arg(long)]
    baselines: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Set {
    /// Leaks of hours to days.
    Days,
    /// Leaks of minutes to hours.
    Fast,
    /// Real programs.
    Recordings,
    /// Each of them.
    All,
}

impl Options {
    fn wants(&self, set: Set) -> bool {
        self.regime == set || self.regime == Set::All
    }

    fn seed(&self) -> u64 {
        if self.held_out { split::FINAL } else { self.seed }
    }

    fn families(&self, pace: Pace) -> Vec<Family> {
        if self.baselines { families(pace) } else { Vec::new() }
    }

    fn generated(&self, name: &'static str, regime: Regime, pace: Pace) -> Findings {
        let traces = generate::all(regime, self.seed(), self.per_class);
        Findings::of(name, traces, &Ours, self.families(pace))
    }

    /// None where there are no recordings.
    fn recorded(&self) -> Result<Option<Findings>, RecordingError> {
        let traces = recordings::load(Path::new(RECORDINGS), self.held_out)?;
        if traces.is_empty() {
            eprintln!("There are no such recordings in {RECORDINGS}.");
            return Ok(None);
        }
        Ok(Some(Findings::of("recordings", traces.into_iter(), &Ours, self.families(Pace::Fast))))
    }

    fn run(&self) -> Result<Vec<Findings>, RecordingError> {
        let mut findings = Vec::new();
        if self.wants(Set::Days) {
            findings.push(self.generated("days", Regime::Days, Pace::Days));
        }
        if self.wants(Set::Fast) {
            findings.push(self.generated("fast", Regime::Fast, Pace::Fast));
        }
        if self.wants(Set::Recordings) {
            findings.extend(self.recorded()?);
        }
        Ok(findings)
    }
}

fn main() -> ExitCode {
    match Options::parse().run() {
        Ok(findings) => {
            for set in findings {
                println!("# {}\n\n{set}", set.name);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
