//! A rise of the floor, seen alike whichever channel found it.

use serde::{Deserialize, Serialize};

use super::gate::{Gate, Gates, Test};

/// A rise that was found significant over hours is extrapolated at most so many times as far as it has been seen to
/// go on; one that was not, three times, and once it has gone on for three minutes: loading and filling end, and
/// somebody will be woken by what is said here.
const REACH: (f64, f64) = (32.0, 3.0);
const SHORTEST: f64 = 180.0;

/// A rise is a trend from this Mann-Kendall Z on: 2.5 % significance, one-sided.
const SIGNIFICANT: f64 = 1.96;

/// How the floor rose over one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rise {
    /// Robust slope, bytes a second.
    pub(super) slope: f64,
    /// Bytes since the growth began, as far as the window shows.
    pub(super) grown: f64,
    /// Floor at the end, bytes.
    pub(super) floor: f64,
    /// Length of the window, seconds.
    pub(super) window: f64,
    /// Seconds since the growth began.
    pub(super) growing_for: f64,
    /// What was asked of it.
    pub(super) gates: Gates,
}

impl Rise {
    /// The root of the product of all gates, 0 to 1: one that is closed closes all.
    pub(super) fn evidence(&self) -> f64 {
        self.gates.iter().map(|gate| f64::from(gate.pass)).product::<f64>().sqrt()
    }

    /// The test that speaks loudest against a leak; `None` where all are open.
    pub(super) fn weakest_gate(&self) -> Option<Test> {
        let weakest = self.gates.iter().min_by(|a, b| a.pass.total_cmp(&b.pass))?;
        (weakest.pass < 1.0).then_some(weakest.test)
    }

    /// Seconds until `room` bytes more are taken; `None` without a trend, and for what is too far away to be told.
    pub(super) fn time_to_limit(&self, room: u64) -> Option<f64> {
        let seconds = room as f64 / self.slope;
        let reach = match self.gate(Test::Trend) {
            Some(trend) if f64::from(trend.value) > SIGNIFICANT => REACH.0,
            Some(_) => return None,
            None if self.growing_for < SHORTEST => return None,
            None => REACH.1,
        };
        (self.goes_on() && seconds <= reach * self.growing_for).then_some(seconds)
    }

    /// Whether it rises in more than one step and has not slowed down.
    fn goes_on(&self) -> bool {
        let passes = |test: Test| self.gate(test).is_none_or(|gate| gate.pass > 0.5);
        self.slope > 0.0
            && [Test::Spread, Test::Signal, Test::Slowing, Test::Absolute].into_iter().all(passes)
    }

    pub(super) fn gate(&self, test: Test) -> Option<Gate> {
        self.gates.iter().find(|gate| gate.test == test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rise(test: Test, pass: f32) -> Rise {
        let gates = [Gate { test: Test::Trend, value: 3.0, pass: 1.0 }, Gate { test, value: 1.0, pass }];
        let gates = gates.into_iter().collect();
        Rise { slope: 10.0, grown: 1000.0, floor: 5000.0, window: 200.0, growing_for: 100.0, gates }
    }

    #[test]
    fn what_was_seen_for_minutes_is_not_extrapolated_to_hours() {
        let minutes = |growing_for| Rise { growing_for, gates: Gates::default(), ..rise(Test::Spread, 1.0) };
        assert_eq!(minutes(200.0).time_to_limit(6000), Some(600.0));
        assert_eq!(minutes(200.0).time_to_limit(6001), None);
        assert_eq!(minutes(170.0).time_to_limit(100), None);
    }

    #[test]
    fn only_a_trend_is_extrapolated_and_not_too_far() {
        assert_eq!(rise(Test::Spread, 1.0).time_to_limit(5000), Some(500.0));
        assert_eq!(rise(Test::Spread, 1.0).time_to_limit(32_001), None, "too far");
        assert_eq!(rise(Test::Spread, 0.2).time_to_limit(5000), None, "one step");
        assert_eq!(rise(Test::Slowing, 0.2).time_to_limit(5000), None, "levelling off");
        assert_eq!(
            rise(Test::Novelty, 0.0).time_to_limit(5000),
            Some(500.0),
            "fills again what was full before"
        );
        assert_eq!(Rise { slope: 0.0, ..rise(Test::Spread, 1.0) }.time_to_limit(0), None);
        assert_eq!(Rise { slope: -1.0, ..rise(Test::Spread, 1.0) }.time_to_limit(5000), None);
    }

    #[test]
    fn the_weakest_gate_is_named() {
        assert_eq!(rise(Test::Life, 0.3).weakest_gate(), Some(Test::Life));
        assert_eq!(rise(Test::Life, 1.0).weakest_gate(), None);
    }
}
