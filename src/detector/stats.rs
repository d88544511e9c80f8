//! Small robust statistics. None of them fails: what can't be told is `None`.

use std::cmp::Ordering;

/// `x` between `low` (0) and `high` (1).
pub(super) fn ramp(x: f64, (low, high): (f64, f64)) -> f64 {
    if x.is_nan() { 0.0 } else { ((x - low) / (high - low)).clamp(0.0, 1.0) }
}

/// The middle value, or the mean of the two middle ones.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    median_by(values, f64::total_cmp, |value| value)
}

/// The same of what stands for numbers in the order of `compare`.
fn median_by<T: Copy>(
    values: &mut [T],
    compare: impl Fn(&T, &T) -> Ordering,
    number: impl Fn(T) -> f64,
) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, compare);
    let upper = number(upper);
    let lower = if even { below.iter().map(|&value| number(value)).reduce(f64::max)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

/// The value below which the share `q` lies, by linear interpolation (Hyndman and Fan's type 7).
pub(super) fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let place = q.clamp(0.0, 1.0) * (values.len().checked_sub(1)? as f64);
    let (low, high) = (*values.get(place.floor() as usize)?, *values.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
}

/// A line through points of which up to 29 % may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trend {
    /// Theil-Sen slope, per step (Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968).
    pub(super) slope: f64,
    /// Mann-Kendall's Z with the variance widened for autocorrelation at lag one, without which memory, where each
    /// value follows from the one before, looks significant far too often (Hamed and Rao, 1998, first order).
    pub(super) z: f64,
    /// Kendall's tau: share of pairs that rose, less those that fell.
    pub(super) tau: f64,
    /// 1.4826 times the median absolute residual: the standard deviation of normal noise.
    pub(super) noise: f64,
}

/// Above it the correction for autocorrelation would make any trend insignificant.
const MOST_AUTOCORRELATION: f64 = 0.9;

/// The trend of evenly spaced values with gaps; `None` for fewer than three points.
pub(super) fn trend(values: &[Option<f64>]) -> Option<Trend> {
    let points = points(values);
    if points.len() < 3 {
        return None;
    }
    let slope = median_slope(&points)?;
    let concordance: f64 = pairs(&points).map(|((_, value), (_, higher))| sign(higher - value)).sum();
    let mut residuals: Vec<f64> = points.iter().map(|(step, value)| value - slope * step).collect();
    let center = median(&mut residuals.clone())?;
    residuals.iter_mut().for_each(|residual| *residual -= center);
    let mut deviations: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    let noise = 1.4826 * median(&mut deviations)?;
    let n = points.len() as f64;
    let rho = autocorrelation(&points, &residuals).clamp(0.0, MOST_AUTOCORRELATION);
    let variance = n * (n - 1.0) * (2.0 * n + 5.0) / 18.0 * (1.0 + rho) / (1.0 - rho);
    let tau = concordance / (n * (n - 1.0) / 2.0);
    Some(Trend { slope, z: (concordance - sign(concordance)) / variance.sqrt(), tau, noise })
}

/// The Theil-Sen slope alone, as of [`trend`]; `None` for fewer than three points.
pub(super) fn slope(values: &[Option<f64>]) -> Option<f64> {
    let points = points(values);
    if points.len() < 3 { None } else { median_slope(&points) }
}

/// The noise alone, as of [`trend`].
pub(super) fn noise(values: &[Option<f64>]) -> Option<f64> {
    Some(trend(values)?.noise)
}

fn points(values: &[Option<f64>]) -> Vec<(f64, f64)> {
    values.iter().enumerate().filter_map(|(step, value)| value.map(|value| (step as f64, value))).collect()
}

fn median_slope(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    slopes.extend(
        pairs(points).map(|((step, value), (later, higher))| ordered((higher - value) / (later - step))),
    );
    median_by(&mut slopes, i64::cmp, unordered)
}

/// A whole number that is as much larger or smaller than others as [`f64::total_cmp`] has it: compared in one instruction,
/// which counts where there are hundreds.
fn ordered(x: f64) -> i64 {
    flipped(x.to_bits() as i64)
}

/// The number of which that was made.
fn unordered(x: i64) -> f64 {
    f64::from_bits(flipped(x) as u64)
}

/// Of negative numbers all bits but the sign. Twice is not at all.
fn flipped(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// Each point with each later one.
fn pairs(points: &[(f64, f64)]) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    let later = |index: usize| points[index + 1..].iter();
    points.iter().enumerate().flat_map(move |(index, &point)| later(index).map(move |&other| (point, other)))
}

/// Correlation of each residual with the one of the step before.
fn autocorrelation(points: &[(f64, f64)], residuals: &[f64]) -> f64 {
    let power: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let neighbours = points.windows(2).zip(residuals.windows(2));
    let shared: f64 = neighbours
        .filter(|(points, _)| points[1].0 - points[0].0 == 1.0)
        .map(|(_, residuals)| residuals[0] * residuals[1])
        .sum();
    shared / power.max(1e-9)
}

/// -1, 0 or 1; unlike `f64::signum` it has a zero. Without a branch, of which noise would have the processor guess
/// every second one wrong.
pub(super) fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

/// How many equal steps would make the same rise: (sum of steps)^2 / (sum of their squares), Kish's effective
/// sample size. One big step gives 1, a straight line the number of its steps.
pub(super) fn effective_steps(steps: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = steps
        .map(|step| step.max(0.0))
        .fold((0.0, 0.0), |(sum, squares), step| (sum + step, squares + step * step));
    sum * sum / squares.max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awkward_inputs_have_an_answer() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [4.0]), Some(4.0));
        assert_eq!(median(&mut [4.0, 1.0]), Some(2.5));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(quantile(&mut [], 0.5), None);
        assert_eq!(quantile(&mut [1.0, 2.0, 3.0, 4.0], 0.2), Some(1.6));
        assert_eq!(trend(&[]), None);
        assert_eq!(trend(&[None; 40]), None);
        assert_eq!(trend(&[Some(1.0), None, Some(2.0)]), None);
        assert_eq!(ramp(f64::NAN, (0.0, 1.0)), 0.0);
        assert_eq!(ramp(f64::INFINITY, (0.0, 1.0)), 1.0);
        assert_eq!(effective_steps(std::iter::empty()), 0.0);
    }

    #[test]
    fn whole_numbers_stand_in_the_order_of_those_they_stand_for() {
        let numbers =
            [f64::NEG_INFINITY, -2.5, -f64::MIN_POSITIVE, -0.0, 0.0, 1e-300, 3.0, f64::INFINITY, f64::NAN];
        assert!(numbers.map(ordered).is_sorted_by(|before, after| before < after));
        assert_eq!(numbers.map(|number| unordered(ordered(number)).to_bits()), numbers.map(f64::to_bits));
    }

    #[test]
    fn a_constant_has_no_trend() {
        let flat = trend(&[Some(7.0); 24]).unwrap();
        assert_eq!((flat.slope, flat.z, flat.noise), (0.0, 0.0, 0.0));
    }

    #[test]
    fn outliers_do_not_bend_the_line() {
        let mut values: Vec<Option<f64>> = (0..24).map(|step| Some(100.0 + 3.0 * f64::from(step))).collect();
        for spike in [2, 9, 17] {
            values[spike] = Some(1e6);
        }
        values[5] = None;
        let found = trend(&values).unwrap();
        assert!((found.slope - 3.0).abs() < 0.2, "{found:?}");
        assert!(found.z > 3.0, "{found:?}");
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        let huge: Vec<Option<f64>> =
            (0..32).map(|step| Some(u64::MAX as f64 * f64::from(step % 2))).collect();
        let found = trend(&huge).unwrap();
        assert!(found.slope.is_finite() && found.z.is_finite() && found.noise.is_finite());
    }

    #[test]
    fn one_step_counts_once_and_a_line_as_often_as_it_steps() {
        assert_eq!(effective_steps([0.0, 5.0, -2.0].into_iter()), 1.0);
        assert_eq!(effective_steps([2.0; 31].into_iter()), 31.0);
    }
}
