//! One test of the evidence, and all that there are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stats::ramp;

/// One test of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The test's name.
    #[serde(rename = "name")]
    pub test: Test,
    /// What it found; null where that is infinite.
    #[schemars(with = "Option<f32>")]
    pub value: f32,
    /// What it contributes, 0 to 1.
    pub pass: f32,
}

impl Gate {
    /// A gate that begins to open at the first of `limits` and is open at the second.
    pub(super) fn new(test: Test, value: f64, limits: (f64, f64)) -> Gate {
        Gate::passing(test, value, ramp(value, limits))
    }

    /// A gate that is open as far as `pass` says, 0 to 1.
    pub(super) fn passing(test: Test, value: f64, pass: f64) -> Gate {
        Gate { test, value: value as f32, pass: pass as f32 }
    }
}

/// What is asked of a rise before it is called a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Mann-Kendall's Z: is it more than chance?
    Trend,
    /// Rise by the level: is it much, for its size?
    Relative,
    /// Rise in bytes: is it much at all?
    Absolute,
    /// Rise by the spread around it: does it stand out from the noise?
    Signal,
    /// Late slope by early slope: does it go on?
    Slowing,
    /// Equal steps that it could be made of: is it more than one?
    Spread,
    /// Share that was still there late in the window.
    Retained,
    /// Share of the rise that is above all that came before.
    Novelty,
    /// Rise by the largest fall in the past.
    GiveBack,
    /// Second half of the life by the first: has it grown so ever since it began?
    Life,
    /// Share that a rise of the load explains.
    Activity,
    /// How much of the variation the hour of the day explains.
    Pattern,
    /// How many more hours rose from day to day than fell.
    Concordance,
    /// Rise of the hours that rose least by that of the middle one.
    QuietHours,
    /// Rise on the worst day by that on the middle one.
    WorstDay,
}
