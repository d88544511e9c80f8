//! A run that was never made, for tests.

use std::path::PathBuf;

use crate::contenders::{Contender, Id};
use crate::crowd::Crowd;
use crate::floor::File;
use crate::measure::{OddCost, Outcome, Run, Size};
use crate::probe::Memory;

const MEMORY: Memory = Memory { resident: 20 << 20, anonymous: 16 << 20, peak: 24 << 20 };

fn outcome(id: Id, name: &'static str, cpu: f64) -> Outcome {
    let contender =
        Contender { id, name, delivers: "something", program: PathBuf::new(), args: Vec::new(), useful: "" };
    let scraped = !matches!(id, Id::Floor(_));
    let times = |time| if scraped { vec![time; 3] } else { Vec::new() };
    Outcome {
        contender,
        cpu: vec![cpu, 1.1 * cpu, 0.9 * cpu],
        memory: vec![MEMORY],
        descriptors: 12,
        first_useful: times(0.1),
        fresh: times(0.004),
        plain: times(0.002),
        gzip: times(0.001),
        size: scraped.then_some(Size { series: 1234, plain: 200_000, gzip: 20_000 }),
        system_calls: None,
    }
}

/// Defaults cost 10 ms a tick, all processes 20 ms, bare loops 8 and 16 ms.
pub fn run() -> Run {
    Run {
        processes: 1000,
        listed: vec![1100, 1102],
        outcomes: vec![
            outcome(Id::Defaults, "ours, defaults", 0.01),
            outcome(Id::All, "ours, all processes", 0.02),
            outcome(Id::Floor(File::Statm), "bare loop, statm", 0.008),
            outcome(Id::Floor(File::Status), "bare loop, status", 0.016),
        ],
        odd: Some(OddCost { without: 0.01, with: 0.0101 }),
        crowd: vec![(
            Id::All,
            Crowd { answered: 99, refused: 0, p95: Some(0.2), longest_gap: Some(2.1), skipped: 0.0 },
        )],
        full: vec![(Id::Defaults, MEMORY)],
    }
}
