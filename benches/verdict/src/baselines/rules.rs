//! The rules that people write in PromQL.

use super::line::Line;
use super::window::slide;
use super::{HOUR, promql};
use crate::method::{Method, Reading};
use crate::trace::{Point, Trace};

/// How old a sample PromQL still takes for the present one, seconds.
const LOOKBACK: f64 = 300.0;

/// In what the slope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    MebibytesAnHour,
    /// Of the mean.
    PercentAnHour,
}

/// `deriv(x[window])`, also divided by `avg_over_time(x[window])`.
pub(super) struct Deriv {
    name: String,
    window: f64,
    unit: Unit,
    every: f64,
}

impl Deriv {
    pub(super) fn new(window: f64, unit: Unit, every: f64) -> Deriv {
        let suffix = match unit {
            Unit::MebibytesAnHour => "MiB/h",
            Unit::PercentAnHour => "%/h",
        };
        Deriv { name: format!("deriv[{}] {suffix}", promql(window)), window, unit, every }
    }
}

impl Method for Deriv {
    fn name(&self) -> &str {
        &self.name
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        slide(trace, (self.window, self.every), |points| {
            let line = Line::through(points)?;
            Some(match self.unit {
                Unit::MebibytesAnHour => line.slope * HOUR / f64::from(1 << 20),
                Unit::PercentAnHour => 100.0 * line.slope * HOUR / line.mean,
            })
        })
    }
}

/// `predict_linear(x[window], ahead) / limit`; silent without a limit.
pub(super) struct PredictLinear {
    name: String,
    window: f64,
    ahead: f64,
    every: f64,
}

impl PredictLinear {
    pub(super) fn new(window: f64, ahead: f64, every: f64) -> PredictLinear {
        let name = format!("predict_linear[{}] {} ahead", promql(window), promql(ahead));
        PredictLinear { name, window, ahead, every }
    }
}

impl Method for PredictLinear {
    fn name(&self) -> &str {
        &self.name
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        slide(trace, (self.window, self.every), |points| {
            let line = Line::through(points)?;
            Some((line.end + line.slope * self.ahead) / trace.limit? as f64)
        })
    }
}

/// `x / x offset back`.
pub(super) struct Offset {
    name: String,
    back: f64,
    every: f64,
}

impl Offset {
    pub(super) fn new(back: f64, every: f64) -> Offset {
        Offset { name: format!("x / x offset {}", promql(back)), back, every }
    }
}

impl Method for Offset {
    fn name(&self) -> &str {
        &self.name
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        slide(trace, (self.back + LOOKBACK, self.every), |points| {
            let now = points.last()?;
            let is_past = |point: &Point| point.time <= now.time - self.back;
            let then = &points[points.partition_point(is_past).checked_sub(1)?];
            Some(now.bytes as f64 / then.bytes as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;
    use crate::trace::Label;

    const MIB: f64 = 1_048_576.0;

    fn last(method: &dyn Method, bytes: fn(f64) -> f64) -> f64 {
        let mut trace = series(Label::Benign, 60.0, 601, bytes);
        trace.limit = Some(200 << 20);
        method.statistic(&trace).last().unwrap().value
    }

    /// 100 MiB, and 12 MiB more every hour for ten hours.
    fn line(time: f64) -> f64 {
        100.0 * MIB + time / HOUR * 12.0 * MIB
    }

    /// 100 MiB, and twice that after nine and a half hours.
    fn step(time: f64) -> f64 {
        if time < 9.5 * HOUR { 100.0 * MIB } else { 200.0 * MIB }
    }

    fn flat(_: f64) -> f64 {
        100.0 * MIB
    }

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 2e-3 * wanted.abs().max(1.0), "{found}, not {wanted}");
    }

    #[test]
    fn slopes() {
        let absolute = Deriv::new(HOUR, Unit::MebibytesAnHour, 300.0);
        near(last(&absolute, line), 12.0);
        // Of 61 points the last 31 are 100 MiB higher: covariance 46,500 over variance 18,910, a minute.
        near(last(&absolute, step), 60.0 * 46_500.0 / 18_910.0);
        near(last(&absolute, flat), 0.0);
        near(last(&Deriv::new(HOUR, Unit::PercentAnHour, 300.0), line), 100.0 * 12.0 / 214.0);
    }

    #[test]
    fn predictions() {
        let rule = PredictLinear::new(6.0 * HOUR, 24.0 * HOUR, 300.0);
        near(last(&rule, line), (220.0 + 24.0 * 12.0) / 200.0);
        near(last(&rule, flat), 0.5);
        assert!(last(&rule, step) > 1.5);
        let unlimited = series(Label::Benign, 60.0, 601, line);
        assert!(rule.statistic(&unlimited).is_empty());
    }

    #[test]
    fn ratios() {
        let rule = Offset::new(HOUR, 300.0);
        near(last(&rule, line), 220.0 / 208.0);
        near(last(&rule, step), 2.0);
        near(last(&rule, flat), 1.0);
    }

    #[test]
    fn an_offset_into_a_gap_says_nothing() {
        let mut trace = series(Label::Benign, 60.0, 601, flat);
        let rule = Offset::new(HOUR, 60.0);
        let all = rule.statistic(&trace).len();
        trace.points.retain(|point| !(18_000.0..18_600.0).contains(&point.time));
        // Ten minutes are not evaluated, and for five more there is nothing to compare with.
        assert_eq!(rule.statistic(&trace).len(), all - 15);
    }
}
