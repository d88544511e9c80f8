//! The last so many seconds of a series, every so often.

use crate::method::Reading;
use crate::trace::{Point, Trace};

/// What `judge` makes of the points of the last `window` seconds, every `every` seconds, once all of them are covered.
pub(super) fn slide(
    trace: &Trace,
    (window, every): (f64, f64),
    judge: impl Fn(&[Point]) -> Option<f64>,
) -> Vec<Reading> {
    let Some(began) = trace.points.first().map(|point| point.time) else { return Vec::new() };
    let (mut first, mut due) = (0, began + window);
    let mut readings = Vec::new();
    for (index, now) in trace.points.iter().enumerate() {
        if now.time < due {
            continue;
        }
        due = ((now.time / every).floor() + 1.0) * every;
        while trace.points[first].time < now.time - window {
            first += 1;
        }
        let value = judge(&trace.points[first..=index]);
        readings.extend(value.and_then(|value| Reading::new(now.time, value)));
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;
    use crate::trace::Label;

    #[test]
    fn windows_end_at_each_evaluation_and_start_covered() {
        let mut trace = series(Label::Benign, 10.0, 13, |time| time);
        trace.points.remove(7);
        let spans = slide(&trace, (60.0, 20.0), |points| Some(points.iter().map(|point| point.time).sum()));
        let found: Vec<_> = spans.iter().map(|reading| (reading.time, reading.value)).collect();
        let sum = |times: &[f64]| times.iter().sum::<f64>();
        assert_eq!(
            found,
            [
                (60.0, sum(&[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0])),
                (80.0, sum(&[20.0, 30.0, 40.0, 50.0, 60.0, 80.0])),
                (100.0, sum(&[40.0, 50.0, 60.0, 80.0, 90.0, 100.0])),
                (120.0, sum(&[60.0, 80.0, 90.0, 100.0, 110.0, 120.0])),
            ]
        );
    }
}
