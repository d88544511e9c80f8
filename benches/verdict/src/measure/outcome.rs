//! What a method made of one trace, reduced to what any threshold needs.

use crate::method::Reading;
use crate::trace::{Label, Point, Trace};

/// A forecast of less than this is a warning by itself, seconds.
pub const SOON: f64 = 3600.0;

/// A warning must come this long before the end to be of use, seconds: a scrape, an evaluation and `for: 5m`.
pub const TO_ACT: f64 = 330.0;

const DAY: f64 = 86_400.0;

/// A reading higher than all before it: the call, for every threshold between that and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rise {
    /// Seconds since the series began.
    pub time: f64,
    /// The statistic.
    pub value: f64,
    /// Seconds since the life began.
    pub age: f64,
    /// How much of the way to the limit was gone; `None` without a limit, and before the onset.
    pub way: Option<Way>,
}

/// Shares of the way from the level at the onset to the limit, by memory, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// What the life that goes on has taken; all where one before it had come to the limit.
    pub now: f64,
    /// The most that any life has taken since the onset.
    pub ever: f64,
}

impl Way {
    /// Of what is never called.
    pub const ALL: Way = Way { now: 1.0, ever: 1.0 };
}

/// A life that ends this near to its limit has come to it: what it took after its last sample is not known. Share of the limit.
const AT_LIMIT: f64 = 0.9;

/// What a first suspect reading is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Call {
    /// There was none.
    Never,
    /// No leak was going on.
    False(Rise),
    /// A leak was going on.
    Right(Rise),
}

/// What a method made of one trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Class of the trace.
    pub class: &'static str,
    /// Its number within the class.
    pub number: u32,
    /// The truth.
    pub label: Label,
    /// Whether the leak is steady and comes after a plateau or an earlier life.
    pub steady_after_plateau: bool,
    /// Whether it ended at its limit.
    pub dies: bool,
    /// Whether it has a limit.
    pub is_limited: bool,
    /// Time of the last sample, seconds.
    pub end: f64,
    /// Readings higher than all before them.
    pub rises: Vec<Rise>,
    /// Readings after the fix that are at least as high as all after them: time and value.
    falls: Vec<(f64, f64)>,
    /// The last reading.
    last: Option<f64>,
    /// Whether a limit was ever foretold to be hit [`SOON`].
    pub counted_down: bool,
    /// Whether that was while the leak went on, and [`TO_ACT`] before the end.
    pub counted_down_in_time: bool,
}

impl Outcome {
    /// Reduces `readings` of `trace`.
    pub fn new(trace: &Trace, readings: &[Reading]) -> Outcome {
        let end = trace.points.last().map_or(0.0, |point| point.time);
        let onset = trace.label.onset().unwrap_or(f64::INFINITY);
        let soon = |reading: &Reading| reading.time_to_limit.is_some_and(|left| left < SOON);
        let in_time = |reading: &Reading| reading.time >= onset && reading.time <= end - TO_ACT;
        Outcome {
            class: trace.class,
            number: trace.number,
            label: trace.label,
            steady_after_plateau: trace.steady_after_plateau,
            dies: trace.dies,
            is_limited: trace.limit.is_some(),
            end,
            rises: rises(trace, readings),
            falls: falls(trace.label, readings),
            last: readings.last().map(|reading| reading.value),
            counted_down: readings.iter().any(soon),
            counted_down_in_time: readings.iter().any(|reading| soon(reading) && in_time(reading)),
        }
    }

    /// When the leak began, seconds; `None` of what does not leak.
    pub fn onset(&self) -> Option<f64> {
        self.label.onset()
    }

    /// When a deploy ended the leak, seconds.
    pub fn fixed(&self) -> Option<f64> {
        self.label.fixed()
    }

    /// What the first suspect reading is worth. A leak that is called before it begins is a false alarm, and not
    /// caught by a later reading; so is one that is first called after its fix.
    pub fn call(&self, threshold: f64) -> Call {
        let Some(rise) = self.rises.get(self.rises.partition_point(|rise| rise.value <= threshold)) else {
            return Call::Never;
        };
        let going_on = self.onset().is_some_and(|onset| rise.time >= onset)
            && self.fixed().is_none_or(|fixed| rise.time < fixed);
        if going_on { Call::Right(*rise) } else { Call::False(*rise) }
    }

    /// Whether the last reading is suspect.
    pub fn is_suspect_at_end(&self, threshold: f64) -> bool {
        self.last.is_some_and(|value| value > threshold)
    }

    /// Seconds from the fix to the last suspect reading; infinite where it is suspect to the end.
    pub fn recovery(&self, threshold: f64) -> Option<f64> {
        let fixed = self.fixed()?;
        if self.is_suspect_at_end(threshold) {
            return Some(f64::INFINITY);
        }
        // Of values that fall, those above the threshold come first.
        let suspect = self.falls.partition_point(|(_, value)| *value > threshold);
        Some(suspect.checked_sub(1).map_or(0.0, |last| self.falls[last].0 - fixed))
    }

    /// Days before any leak. What follows a fix is left out: it is measured as recovery.
    pub fn clean_days(&self) -> f64 {
        self.onset().map_or(self.end, |onset| onset.min(self.end)) / DAY
    }

    /// The highest reading.
    pub fn peak(&self) -> Option<Rise> {
        self.rises.last().copied()
    }

    /// The thresholds at which this trace's call changes its worth.
    pub fn turning_points(&self) -> impl Iterator<Item = f64> {
        let before = self.rises.partition_point(|rise| self.onset().is_none_or(|onset| rise.time < onset));
        let until = self.rises.partition_point(|rise| self.fixed().is_none_or(|fixed| rise.time < fixed));
        let ends = [before, until, self.rises.len()];
        ends.into_iter().filter_map(|end| Some(self.rises.get(end.checked_sub(1)?)?.value))
    }
}

fn rises(trace: &Trace, readings: &[Reading]) -> Vec<Rise> {
    let mut walk = Walk::new(trace);
    let mut rises: Vec<Rise> = Vec::new();
    for reading in readings {
        if rises.last().is_none_or(|last| reading.value > last.value) {
            walk.advance(reading.time);
            rises.push(Rise { time: reading.time, value: reading.value, age: walk.age(), way: walk.way() });
        }
    }
    rises
}

fn falls(label: Label, readings: &[Reading]) -> Vec<(f64, f64)> {
    let Some(fixed) = label.fixed() else { return Vec::new() };
    let mut falls: Vec<(f64, f64)> = Vec::new();
    for reading in readings.iter().rev().take_while(|reading| reading.time >= fixed) {
        if falls.last().is_none_or(|last| reading.value > last.1) {
            falls.push((reading.time, reading.value));
        }
    }
    falls.reverse();
    falls
}

/// Where a trace stands at a time, for times that only grow.
struct Walk<'a> {
    trace: &'a Trace,
    next: usize,
    began: f64,
    at_onset: Option<u64>,
    /// The highest level at which a life ended since the onset.
    ended_at: u64,
}

impl<'a> Walk<'a> {
    fn new(trace: &'a Trace) -> Walk<'a> {
        let began = trace.points.first().map_or(0.0, |point| point.time);
        Walk { trace, next: 0, began, at_onset: None, ended_at: 0 }
    }

    fn latest(&self) -> Option<&'a Point> {
        self.trace.points.get(self.next.checked_sub(1)?)
    }

    fn advance(&mut self, time: f64) {
        let onset = self.trace.label.onset().unwrap_or(f64::INFINITY);
        while let Some(point) = self.trace.points.get(self.next).filter(|point| point.time <= time) {
            if let Some(last) = self.latest().filter(|last| last.life != point.life) {
                self.began = point.time;
                if last.time >= onset {
                    self.ended_at = self.ended_at.max(last.bytes);
                }
            }
            if self.at_onset.is_none() && point.time >= onset {
                self.at_onset = Some(point.bytes);
            }
            self.next += 1;
        }
    }

    fn age(&self) -> f64 {
        self.latest().map_or(0.0, |point| point.time - self.began)
    }

    fn way(&self) -> Option<Way> {
        let (limit, start) = (self.trace.limit? as f64, self.at_onset? as f64);
        let (bytes, ended_at) = (self.latest()?.bytes as f64, self.ended_at as f64);
        let gone = |reached: f64| ((reached - start) / (limit - start)).clamp(0.0, 1.0);
        let now = if ended_at >= AT_LIMIT * limit { 1.0 } else { gone(bytes) };
        (limit > start).then(|| Way { now, ever: gone(bytes.max(ended_at)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, readings, series};

    const BENIGN: Label = Label::Benign;

    fn outcome(label: Label, values: &[(f64, f64)]) -> Outcome {
        Outcome::new(&series(label, 10.0, 11, |time| 100.0 + time), &readings(values))
    }

    #[test]
    fn a_call_before_the_onset_is_a_false_alarm_and_catches_nothing() {
        let early = outcome(leak(50.0), &[(40.0, 61.0), (60.0, 90.0)]);
        assert!(matches!(early.call(60.0), Call::False(rise) if rise.time == 40.0));
        assert!(
            matches!(early.call(61.0), Call::Right(rise) if rise.time == 60.0),
            "above, not at, it is suspect"
        );
        assert_eq!(early.call(90.0), Call::Never);
        let on_time = outcome(leak(50.0), &[(50.0, 61.0)]);
        assert!(matches!(on_time.call(60.0), Call::Right(_)));
        assert!(matches!(outcome(BENIGN, &[(50.0, 61.0)]).call(60.0), Call::False(_)));
    }

    #[test]
    fn what_is_first_called_after_its_fix_is_a_false_alarm() {
        let label = Label::Leak { onset: 20.0, fixed: Some(60.0) };
        assert!(matches!(outcome(label, &[(60.0, 61.0)]).call(60.0), Call::False(_)));
        assert!(matches!(outcome(label, &[(50.0, 61.0)]).call(60.0), Call::Right(_)));
    }

    #[test]
    fn recovery_is_the_time_from_the_fix_to_the_last_suspect_reading() {
        let label = Label::Leak { onset: 20.0, fixed: Some(50.0) };
        let found = outcome(label, &[(40.0, 90.0), (60.0, 80.0), (70.0, 65.0), (80.0, 70.0), (90.0, 10.0)]);
        let recovery = [85.0, 75.0, 69.0, 66.0, 5.0].map(|threshold| found.recovery(threshold));
        let wanted = [0.0, 10.0, 30.0, 30.0, f64::INFINITY];
        assert_eq!(recovery, wanted.map(Some));
        assert_eq!(outcome(leak(20.0), &[(40.0, 90.0)]).recovery(60.0), None);
    }

    #[test]
    fn way_and_age_are_those_at_the_call() {
        // 100 + t bytes, limit 300: at the onset 150, so half the way is 225 bytes.
        let mut trace = series(leak(50.0), 10.0, 16, |time| 100.0 + time);
        trace.limit = Some(300);
        let found = Outcome::new(&trace, &readings(&[(20.0, 10.0), (125.0, 20.0)]));
        assert_eq!((found.rises[0].way, found.rises[0].age), (None, 20.0));
        let share = 70.0 / 150.0;
        assert_eq!((found.rises[1].way, found.rises[1].age), (Some(Way { now: share, ever: share }), 120.0));
        for (index, point) in trace.points.iter_mut().enumerate() {
            if index >= 10 {
                (point.life, point.bytes) = (1, 100);
            }
        }
        let restarted = Outcome::new(&trace, &readings(&[(130.0, 20.0)]));
        let way = Way { now: 0.0, ever: 40.0 / 150.0 };
        assert_eq!((restarted.rises[0].way, restarted.rises[0].age), (Some(way), 30.0));
        // The life before it ended at 190 bytes.
        let ways = [212, 211].map(|limit| {
            trace.limit = Some(limit);
            Outcome::new(&trace, &readings(&[(130.0, 20.0)])).rises[0].way.map(|way| way.now)
        });
        assert_eq!(ways, [Some(0.0), Some(1.0)], "what came to its limit has gone all of the way");
    }

    #[test]
    fn a_forecast_counts_while_there_is_time_to_act() {
        let trace = series(leak(50.0), 60.0, 21, |time| 100.0 + time);
        let countdown = |time, left| {
            let reading = Reading { time, value: 0.0, time_to_limit: Some(left) };
            let found = Outcome::new(&trace, &[reading]);
            (found.counted_down, found.counted_down_in_time)
        };
        assert_eq!(countdown(870.0, 3599.0), (true, true));
        assert_eq!(countdown(880.0, 3599.0), (true, false), "the end is at 1200 s");
        assert_eq!(countdown(40.0, 3599.0), (true, false), "before the onset");
        assert_eq!(countdown(600.0, 3600.0), (false, false));
    }

    #[test]
    fn only_days_before_a_leak_are_clean() {
        let at = |label| Outcome::new(&series(label, 43_200.0, 11, |_| 100.0), &[]).clean_days();
        assert_eq!((at(BENIGN), at(leak(86_400.0))), (5.0, 1.0));
    }

    #[test]
    fn the_worth_of_a_call_changes_at_turning_points_only() {
        let found = outcome(leak(50.0), &[(10.0, 3.0), (20.0, 5.0), (60.0, 7.0), (70.0, 9.0)]);
        assert_eq!(found.turning_points().collect::<Vec<_>>(), [5.0, 9.0, 9.0]);
    }
}
