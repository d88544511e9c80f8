//! What the score is meant to reach, shown beside what it reaches.

use crate::goal::{Bound, Goal, Measure};

use Bound::{AtLeast, AtMost, Told};
use Measure::*;

/// Targets at the exporter's own threshold.
pub const TARGETS: [Goal; 28] = [
    Goal::new("days", Precision, AtLeast(0.97)),
    Goal::new("days", Recall, AtLeast(0.97)),
    Goal::new("days", FalseAlarms, AtMost(0.005)),
    Goal::new("days", Delay, AtMost(24.0)),
    Goal::new("days", SteadyDelay, AtMost(14.0)),
    Goal::new("days", LongDelay, AtMost(60.0)),
    Goal::new("days", BeforeHalf, AtLeast(0.95)),
    Goal::new("days", BeforeAnyHalf, Told),
    Goal::new("days", Held, Told),
    Goal::new("days", Recovered, AtLeast(1.0)),
    Goal::new("fast", Precision, AtLeast(0.95)),
    Goal::new("fast", Recall, AtLeast(0.95)),
    Goal::new("fast", FalseAlarms, Told),
    Goal::new("fast", BeforeHalf, AtLeast(0.4)),
    Goal::new("fast", BeforeAnyHalf, Told),
    Goal::new("fast", Unwarned, AtMost(0.03)),
    Goal::new("fast", BenignForetold, Told),
    Goal::new("fast", Recovered, AtLeast(1.0)),
    Goal::new("population", NewSuspects, AtMost(3.0)),
    Goal::new("recordings", Recall, AtLeast(0.9)),
    Goal::new("recordings", BenignCalled, AtMost(0.05)),
    Goal::new("recordings", Held, AtLeast(1.0)),
    Goal::new("recordings", FalseAlarms, Told),
    Goal::new("limits", Recall, AtLeast(0.9)),
    Goal::new("limits", BenignCalled, AtMost(0.05)),
    Goal::new("limits", BeforeHalf, AtLeast(0.4)),
    Goal::new("limits", Unwarned, AtMost(0.03)),
    Goal::new("limits", BenignForetold, Told),
];

/// Those of one set.
pub fn of(set: &str) -> impl Iterator<Item = &'static Goal> {
    TARGETS.iter().filter(move |goal| goal.set == set)
}
