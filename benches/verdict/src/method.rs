//! What every detector under test has in common: a trace in, a statistic over time out.

use crate::trace::Trace;

/// What a method says at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Seconds since the series began: the time of the last sample that it knows of.
    pub time: f64,
    /// Suspect when above the threshold; never NaN.
    pub value: f64,
    /// Seconds until the limit, where the method foretells that.
    pub time_to_limit: Option<f64>,
}

impl Reading {
    /// A reading without a forecast; `None` where the statistic can't be told.
    pub fn new(time: f64, value: f64) -> Option<Reading> {
        (!value.is_nan()).then_some(Reading { time, value, time_to_limit: None })
    }
}

/// A way to tell leaks from the rest.
pub trait Method: Sync {
    /// Its name in tables, as its users would write it.
    fn name(&self) -> &str;

    /// Its statistic over a trace, in order of time. At a time it may look at nothing that came later.
    fn statistic(&self, trace: &Trace) -> Vec<Reading>;
}
