//! A straight line through points, by least squares.

use crate::trace::Point;

/// A straight line through points, by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    /// Bytes a second.
    pub(super) slope: f64,
    /// Mean of the points, bytes.
    pub(super) mean: f64,
    /// Where the line is at the last point, bytes.
    pub(super) end: f64,
    /// Share of the variance that the line explains, 0 to 1.
    pub(super) fit: f64,
}

impl Line {
    /// Through `points`; `None` for fewer than two.
    pub(super) fn through(points: &[Point]) -> Option<Line> {
        let (first, last) = (points.first()?, points.last()?);
        let n = points.len() as f64;
        // From the first point on, so that squares stay small.
        let xy = || points.iter().map(|at| (at.time - first.time, at.bytes as f64 - first.bytes as f64));
        let (x_mean, y_mean) = xy().fold((0.0, 0.0), |(x, y), at| (x + at.0 / n, y + at.1 / n));
        let (mut xx, mut xy_sum, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in xy() {
            let (x, y) = (x - x_mean, y - y_mean);
            (xx, xy_sum, yy) = (xx + x * x, xy_sum + x * y, yy + y * y);
        }
        if xx <= 0.0 {
            return None;
        }
        let slope = xy_sum / xx;
        let mean = y_mean + first.bytes as f64;
        Some(Line {
            slope,
            mean,
            end: mean + slope * (last.time - first.time - x_mean),
            fit: if yy > 0.0 { xy_sum * xy_sum / (xx * yy) } else { 0.0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;
    use crate::trace::Label;

    #[test]
    fn least_squares() {
        let line = |bytes: fn(f64) -> f64| Line::through(&series(Label::Benign, 1.0, 4, bytes).points);
        let straight = line(|time| 100.0 + 2.0 * time).unwrap();
        assert_eq!((straight.slope, straight.mean, straight.end, straight.fit), (2.0, 103.0, 106.0, 1.0));
        // 0, 0, 10, 10: slope 4, of a variance of 100 it explains 80.
        let step = line(|time| if time < 2.0 { 0.0 } else { 10.0 }).unwrap();
        assert_eq!((step.slope, step.end), (4.0, 11.0));
        assert!((step.fit - 0.8).abs() < 1e-12);
        let flat = line(|_| 7.0).unwrap();
        assert_eq!((flat.slope, flat.fit), (0.0, 0.0));
        assert_eq!(Line::through(&series(Label::Benign, 1.0, 1, |_| 7.0).points), None);
    }
}
