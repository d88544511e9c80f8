//! Measures the leak score on labelled series.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use thiserror::Error;
use verdict::baselines::{Family, Pace, families};
use verdict::floors;
use verdict::generate::{self, Regime};
use verdict::host::Host;
use verdict::measure::Figures;
use verdict::ours::Ours;
use verdict::recordings::{self, RecordingError};
use verdict::report::{self, DocumentError, Findings, Section};
use verdict::split;
use verdict::trace::{Make, Trace};

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
    /// Judge each series as one of so many on its host whose memory rises; a population is counted by itself.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    crowd: usize,
    /// Look at each generated series about each so many seconds, if it was made more often: what does a longer interval cost?
    #[arg(long, value_name = "SECONDS", conflicts_with = "write_docs")]
    interval: Option<f64>,
    /// Use the seed and the recordings that are kept for the end.
    #[arg(long, conflicts_with = "seed")]
    held_out: bool,
    /// Compare with a detector that is told how much CPU time was used.
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
    /// Real programs of hours, under limits that matter.
    Limits,
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
    fn seed(&self) -> u64 {
        if self.held_out { split::FINAL } else { self.seed }
    }

    fn families(&self, pace: Pace) -> Vec<Family> {
        // A comparison with and without CPU time has no place for them.
        if self.baselines && !self.activity { families(pace) } else { Vec::new() }
    }

    /// Where the traces come from, for whoever reads the figures.
    fn origin(&self, how_many: &str) -> String {
        if self.held_out {
            return format!("By the seed that is kept for the end, {how_many}.");
        }
        format!("By the tuning seed {}, {how_many}.", self.seed)
    }

    fn generated(&self, name: &'static str, regime: Regime, pace: Pace) -> Found {
        let traces = || {
            let all = generate::all(regime, self.seed(), self.per_class);
            all.map(|make| move || self.looked_at(make()))
        };
        let each =
            self.interval.map(|seconds| format!(" looked at about each {seconds} s")).unwrap_or_default();
        let origin = self.origin(&format!("{} series of each class{each}", self.per_class));
        self.judged(name, traces, pace, &origin)
    }

    /// As often as was asked for; as it was made where nothing was.
    fn looked_at(&self, trace: Trace) -> Trace {
        match self.interval {
            Some(seconds) => trace.looked_at_each(seconds),
            None => trace,
        }
    }

    /// Baselines are left out: without leaks they have no best threshold.
    fn population(&self) -> Found {
        let traces = || generate::population(self.seed(), self.entities, POPULATION.0, POPULATION.1);
        let host = Host::watch(traces, &Ours::default());
        let origin = self.origin("a week sampled every minute");
        Found { set: "population", figures: host.figures(), section: Section::of_host(&host, &origin) }
    }

    /// None where there are no recordings.
    fn recorded(&self, name: &'static str, traces: Vec<Trace>) -> Option<Found> {
        if traces.is_empty() {
            eprintln!("There are no such recordings in {}.", recordings::FOLDER);
            return None;
        }
        let origin = if self.held_out {
            "Recordings that are kept for the end."
        } else {
            "Recordings that may be tuned on."
        };
        Some(self.judged(name, || traces.iter().map(|trace| || trace.clone()), Pace::Fast, origin))
    }

    fn judged<T: Iterator<Item: Make> + Send>(
        &self,
        name: &'static str,
        traces: impl Fn() -> T,
        pace: Pace,
        origin: &str,
    ) -> Found {
        let ours = Ours { crowd: self.crowd, ..Ours::default() };
        let findings = Findings::of(name, traces(), &ours, self.families(pace));
        let section = if self.activity {
            let ours = Ours { with_activity: true, ..ours };
            Section::of_activity(&findings, &Findings::of(name, traces(), &ours, Vec::new()), origin)
        } else {
            Section::of_traces(&findings, origin)
        };
        Found { set: name, figures: findings.figures(), section }
    }

    fn found(&self, set: Set) -> Result<Option<Found>, RecordingError> {
        let folder = Path::new(recordings::FOLDER);
        match set {
            Set::Days => Ok(Some(self.generated("days", Regime::Days, Pace::Days))),
            Set::Fast => Ok(Some(self.generated("fast", Regime::Fast, Pace::Fast))),
            Set::Population => Ok(Some(self.population())),
            Set::Recordings => Ok(self.recorded("recordings", recordings::load(folder, self.held_out)?)),
            Set::Limits => Ok(self.recorded("limits", recordings::load_limited(folder, self.held_out)?)),
            Set::All => Ok(None),
        }
    }

    fn run(&self) -> Result<(), Failure> {
        let mut all = Vec::new();
        for set in [Set::Days, Set::Fast, Set::Population, Set::Recordings, Set::Limits] {
            if self.regime != set && self.regime != Set::All {
                continue;
            }
            let begun = Instant::now();
            let Some(found) = self.found(set)? else { continue };
            println!("{}", found.section);
            eprintln!("{}: {:.0} s", found.set, begun.elapsed().as_secs_f64());
            all.push(found);
        }
        let missed: Vec<String> =
            all.iter().flat_map(|found| floors::missed(found.set, &found.figures)).collect();
        if self.write_docs {
            let sections: Vec<Section> = all.into_iter().map(|found| found.section).collect();
            report::write(Path::new(DOCS), &sections)?;
        }
        if self.check && !missed.is_empty() { Err(Failure::Floors(missed)) } else { Ok(()) }
    }
}

/// What was found out about one set.
struct Found {
    set: &'static str,
    figures: Figures,
    section: Section,
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
