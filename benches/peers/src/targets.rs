//! What watching is meant to cost at most.

use crate::contenders::Id;
use crate::floor::File;
use crate::measure::{Outcome, Run};
use crate::quantile::{Spread, quantile};

/// So many processes the targets are meant for.
pub const PROCESSES: u32 = 10_000;

/// With odd processes a tick may cost so much more before the cost has changed: rounds differ by as much.
const UNCHANGED: f64 = 1.1;

/// A mebibyte.
const MIB: f64 = (1 << 20) as f64;

/// A figure, and what it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What is measured, and in which unit.
    pub what: &'static str,
    /// What it is; `None` where it was not measured.
    pub measured: Option<Spread>,
    /// What it should be at most.
    pub most: f64,
}

impl Target {
    /// Whether it is what it should be; `None` where it was not measured.
    pub fn is_reached(&self) -> Option<bool> {
        self.measured.map(|measured| measured.median <= self.most)
    }
}

/// All of them.
pub fn of(run: &Run) -> Vec<Target> {
    let target = |what, measured, most| Target { what, measured, most };
    vec![
        target(
            "all processes, CPU: × a bare loop over status",
            ratio(run, Id::All, Id::Floor(File::Status)),
            1.0,
        ),
        target(
            "defaults, CPU: × a bare loop over statm",
            ratio(run, Id::Defaults, Id::Floor(File::Statm)),
            1.6,
        ),
        target(
            "defaults, CPU: × process-exporter at its leanest",
            ratio(run, Id::Defaults, Id::Lean),
            1.0 / 20.0,
        ),
        target("all processes, history full: MiB resident", full(run, Id::All), 64.0),
        target("defaults, history full: MiB resident", full(run, Id::Defaults), 32.0),
        target("all processes, plain scrape: p99, ms", slowest(run, Id::All), 15.0),
        target("defaults, plain scrape: p99, ms", slowest(run, Id::Defaults), 3.0),
        target("all processes: ms to the first useful scrape", first_useful(run, Id::All), 500.0),
        target("defaults: ms to the first useful scrape", first_useful(run, Id::Defaults), 500.0),
        target("defaults, CPU: × the same without the odd processes", odd(run), UNCHANGED),
    ]
}

/// CPU time of one for that of the other.
pub fn ratio(run: &Run, above: Id, below: Id) -> Option<Spread> {
    Spread::of_ratios(&run.of(above)?.cpu, &run.of(below)?.cpu)
}

fn full(run: &Run, id: Id) -> Option<Spread> {
    let (_, memory) = run.full.iter().find(|(of, _)| *of == id)?;
    Spread::of(&[memory.resident as f64 / MIB])
}

fn slowest(run: &Run, id: Id) -> Option<Spread> {
    Spread::of(&[1000.0 * quantile(&run.of(id)?.plain, 0.99)?])
}

fn first_useful(run: &Run, id: Id) -> Option<Spread> {
    let milliseconds =
        |outcome: &Outcome| outcome.first_useful.iter().map(|time| 1000.0 * time).collect::<Vec<_>>();
    Spread::of(&milliseconds(run.of(id)?))
}

fn odd(run: &Run) -> Option<Spread> {
    let cost = run.odd?;
    Spread::of(&[cost.with / cost.without])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn a_figure_above_its_target_is_a_no() {
        let targets = of(&run());
        let reached =
            |what: &str| targets.iter().find(|target| target.what.starts_with(what)).unwrap().is_reached();
        assert_eq!(reached("all processes, CPU"), Some(false));
        assert_eq!(reached("defaults, CPU: × a bare loop"), Some(true));
        assert_eq!(reached("defaults, CPU: × process-exporter"), None, "it was not there");
        assert_eq!(reached("defaults, history full"), Some(true));
        assert_eq!(reached("defaults, CPU: × the same"), Some(true));
    }
}
