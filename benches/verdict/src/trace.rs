//! One labelled series: what a detector gets to see, and what the truth is.

/// What is true of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Label {
    /// It leaks from `onset` on, seconds since the series began.
    Leak {
        /// When the leak began.
        onset: f64,
        /// When a deploy ended it, if one did.
        fixed: Option<f64>,
    },
    /// It does not leak.
    Benign,
}

impl Label {
    /// When the leak began, seconds; `None` of what does not leak.
    pub fn onset(self) -> Option<f64> {
        match self {
            Label::Leak { onset, .. } => Some(onset),
            Label::Benign => None,
        }
    }

    /// When a deploy ended the leak, seconds.
    pub fn fixed(self) -> Option<f64> {
        match self {
            Label::Leak { fixed, .. } => fixed,
            Label::Benign => None,
        }
    }

    /// Whether it leaks at `time`, seconds.
    pub fn leaks_at(self, time: f64) -> bool {
        self.onset().is_some_and(|onset| time >= onset) && self.fixed().is_none_or(|fixed| time < fixed)
    }
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds since the series began.
    pub time: f64,
    /// Memory, bytes.
    pub bytes: u64,
    /// Number of the life that it belongs to; a restart begins the next.
    pub life: u32,
    /// Which build is running; a deploy of other code changes it.
    pub build: u32,
    /// CPU seconds used since the life began, where the series carries activity.
    pub cpu_seconds: Option<f64>,
}

/// What makes a series, by whichever thread gets to it.
pub trait Make: FnOnce() -> Trace + Send {}

impl<F: FnOnce() -> Trace + Send> Make for F {}

/// A labelled series. Missed scrapes are missing points.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its class; of leaks and of benign series there are several each.
    pub class: &'static str,
    /// Its number within the class.
    pub number: u32,
    /// The truth.
    pub label: Label,
    /// Whether it leaks steadily, after a plateau of at least a day or an earlier life: what a detector could call
    /// soonest.
    pub steady_after_plateau: bool,
    /// Seconds between samples, as configured.
    pub interval: f64,
    /// How long its first life had lasted when it was first seen, seconds.
    pub up_for: f64,
    /// The memory limit, bytes.
    pub limit: Option<u64>,
    /// Whether the series ends because the limit was hit.
    pub dies: bool,
    /// Samples in order of time.
    pub points: Vec<Point>,
}

impl Trace {
    /// The most memory, bytes; `None` without a sample.
    pub fn peak(&self) -> Option<u64> {
        self.points.iter().map(|point| point.bytes).max()
    }

    /// The same, looked at about each `seconds`, if it was more often.
    #[must_use]
    pub fn looked_at_each(mut self, seconds: f64) -> Trace {
        // What is nearest to each is taken, and a sample may come a little early or late.
        let least = seconds - self.interval / 2.0;
        let mut latest = f64::NEG_INFINITY;
        self.points.retain(|point| {
            let is_due = point.time - latest >= least;
            if is_due {
                latest = point.time;
            }
            is_due
        });
        self.interval = self.interval.max(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;

    #[test]
    fn who_looks_less_often_sees_the_same_but_less_of_it() {
        let trace = series(Label::Benign, 10.0, 31, |time| time);
        assert_eq!(trace.clone().looked_at_each(5.0), trace);
        assert_eq!(trace.clone().looked_at_each(10.0), trace);
        let seldom = trace.looked_at_each(60.0);
        let times: Vec<f64> = seldom.points.iter().map(|point| point.time).collect();
        assert_eq!((times, seldom.interval), (vec![0.0, 60.0, 120.0, 180.0, 240.0, 300.0], 60.0));
    }
}
