//! What a figure should be: a target to reach, or a floor not to fall below.

use crate::host::HOST;
use crate::measure::{Figures, Rate};

/// Entity-days in a week of a whole host.
const HOST_WEEK: f64 = 7.0 * HOST as f64;

/// A figure that something is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Caught leaks among all calls, 0 to 1.
    Precision,
    /// Caught leaks among all leaks, 0 to 1.
    Recall,
    /// Per entity-day.
    FalseAlarms,
    /// New suspects per week of a host.
    NewSuspects,
    /// Benign traces that were called, among all benign ones, 0 to 1.
    BenignCalled,
    /// Median hours from the onset to the call.
    Delay,
    /// The same of steady leaks after a plateau or an earlier life.
    SteadyDelay,
    /// Hours within which nine leaks of ten are called.
    LongDelay,
    /// Leaks called before half the way to the limit, 0 to 1.
    BeforeHalf,
    /// Leaks called before any life had gone half the way, 0 to 1.
    BeforeAnyHalf,
    /// Limits hit without a call or a forecast in time, 0 to 1.
    Unwarned,
    /// Benign traces of which a limit was foretold, 0 to 1.
    BenignForetold,
    /// Caught leaks that are suspect at the last reading, 0 to 1.
    Held,
    /// Fixed leaks that were clean in time, 0 to 1.
    Recovered,
}

/// Figures are told to three digits, and reach a goal by as many.
const TOLD: f64 = 5e-4;

/// What is asked of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
    /// Nothing: it stands beside another figure that it could be traded for.
    Told,
}

/// What a figure of one set of traces should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Name of the set.
    pub set: &'static str,
    /// Which figure.
    pub measure: Measure,
    /// What it should be.
    pub bound: Bound,
}

impl Goal {
    /// A goal for the set of that name.
    pub const fn new(set: &'static str, measure: Measure, bound: Bound) -> Goal {
        Goal { set, measure, bound }
    }

    /// Whether `figures` reach it; `None` where that can't be told, or nothing is asked.
    pub fn is_reached(&self, figures: &Figures) -> Option<bool> {
        let value = self.measure.value(figures)?;
        match self.bound {
            Bound::AtLeast(least) => Some(value >= least * (1.0 - TOLD)),
            Bound::AtMost(most) => Some(value <= most * (1.0 + TOLD)),
            Bound::Told => None,
        }
    }
}

impl Measure {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Precision => "precision",
            Measure::Recall => "recall",
            Measure::FalseAlarms => "false alarms per entity-day",
            Measure::NewSuspects => "new suspects per host-week of 10,000",
            Measure::BenignCalled => "benign ones called",
            Measure::Delay => "median delay, hours",
            Measure::SteadyDelay => "the same, steady after a plateau or an earlier life",
            Measure::LongDelay => "delay of nine in ten, hours",
            Measure::BeforeHalf => "called before half the way",
            Measure::BeforeAnyHalf => "the same, before any life had gone that far",
            Measure::Unwarned => "limits hit without any warning",
            Measure::BenignForetold => "benign ones with a limit foretold",
            Measure::Held => "caught leaks still suspect at the end",
            Measure::Recovered => "clean in time after a fix",
        }
    }

    /// Its value; infinite for a delay that lies beyond the end of the traces. `None` of nothing.
    pub fn value(self, figures: &Figures) -> Option<f64> {
        let hours = |hours: Option<f64>| (figures.recall.whole > 0).then(|| hours.unwrap_or(f64::INFINITY));
        match self {
            Measure::Precision => figures.precision.value(),
            Measure::Recall => figures.recall.value(),
            Measure::FalseAlarms => figures.false_alarms.value(),
            Measure::NewSuspects => weekly(figures.false_alarms).value(),
            Measure::BenignCalled => figures.benign_called.value(),
            Measure::Delay => hours(figures.delay.median),
            Measure::SteadyDelay => hours(figures.delay.steady),
            Measure::LongDelay => hours(figures.delay.p90),
            Measure::BeforeHalf => figures.limits.before_half.value(),
            Measure::BeforeAnyHalf => figures.limits.before_any_half.value(),
            Measure::Unwarned => figures.limits.unwarned_by_either.value(),
            Measure::BenignForetold => figures.limits.counted_down_benign.value(),
            Measure::Held => figures.held.value(),
            Measure::Recovered => figures.recovery.soon.value(),
        }
    }
}

/// The same rate, per week of a host.
pub fn weekly(daily: Rate) -> Rate {
    Rate { exposure: daily.exposure / HOST_WEEK, ..daily }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Outcome;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    fn figures(values: &[(Label, f64)]) -> Figures {
        let outcome = |&(label, value): &(Label, f64)| {
            Outcome::new(&series(label, 3600.0, 25, |_| 100.0), &readings(&[(7200.0, value)]))
        };
        Figures::at(&values.iter().map(outcome).collect::<Vec<_>>(), 60.0)
    }

    #[test]
    fn a_bound_holds_at_its_value() {
        let half = figures(&[(leak(3600.0), 90.0), (leak(3600.0), 10.0)]);
        let is_reached = |bound| Goal::new("any", Measure::Recall, bound).is_reached(&half);
        let bounds = [Bound::AtLeast(0.5), Bound::AtLeast(0.51), Bound::AtMost(0.5), Bound::AtMost(0.49)];
        assert_eq!(bounds.map(is_reached), [true, false, true, false].map(Some));
        assert_eq!(is_reached(Bound::Told), None);
    }

    #[test]
    fn a_delay_that_nobody_saw_the_end_of_is_too_long() {
        let goal = Goal::new("any", Measure::Delay, Bound::AtMost(1e9));
        assert_eq!(goal.is_reached(&figures(&[(leak(3600.0), 10.0)])), Some(false));
        assert_eq!(goal.is_reached(&figures(&[(Label::Benign, 10.0)])), None);
    }

    #[test]
    fn a_week_of_a_host_is_seventy_thousand_days_of_entities() {
        let one_in_a_day = figures(&[(Label::Benign, 90.0)]);
        assert_eq!(Measure::NewSuspects.value(&one_in_a_day), Some(70_000.0));
        assert_eq!(Measure::BenignCalled.value(&one_in_a_day), Some(1.0));
    }
}
