//! Small robust statistics. None of them fails: what can't be told is `None`.

/// `x` between `low` (0) and `high` (1).
pub(super) fn ramp(x: f64, (low, high): (f64, f64)) -> f64 {
    if x.is_nan() { 0.0 } else { ((x - low) / (high - low)).clamp(0.0, 1.0) }
}

/// Most values that are sorted, which is the quickest for few, and where they stand.
const FEW: usize = 32;

/// The middle value, or the mean of the two middle ones.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    if let &[a, b, c] = values {
        let [a, b, c] = [a, b, c].map(ordered);
        return Some(unordered(a.min(b).max(a.max(b).min(c))));
    }
    let mut few = [0; FEW];
    if let Some(few) = few.get_mut(..values.len()) {
        few.iter_mut().zip(values).for_each(|(place, value)| *place = ordered(*value));
        few.sort_unstable();
        let upper = *few.get(few.len() / 2)?;
        return Some(middle(few[(few.len() - 1) / 2], upper));
    }
    median_of_many(&mut values.iter().copied().map(ordered).collect::<Vec<_>>())
}

/// The same of many that stand for numbers, as of [`ordered`].
fn median_of_many(values: &mut [i64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (half, even) = (values.len() / 2, values.len().is_multiple_of(2));
    let (below, &mut upper, _) = values.select_nth_unstable(half);
    let lower = if even { *below.iter().max()? } else { upper };
    Some(middle(lower, upper))
}

fn middle(lower: i64, upper: i64) -> f64 {
    f64::midpoint(unordered(lower), unordered(upper))
}

/// The value below which the share `q` lies, by linear interpolation (Hyndman and Fan's type 7).
pub(super) fn quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let place = q.clamp(0.0, 1.0) * (values.len().checked_sub(1)? as f64);
    let (_, &mut low, above) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    let high = if place.fract() > 0.0 { next } else { low };
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
    Line::of(values)?.trend()
}

/// The Theil-Sen slope alone, as of [`trend`]; `None` for fewer than three points.
pub(super) fn slope(values: &[Option<f64>]) -> Option<f64> {
    Line::of(values).map(|line| line.slope)
}

/// The noise alone, as of [`trend`].
pub(super) fn noise(values: &[Option<f64>]) -> Option<f64> {
    let line = Line::of(values)?;
    deviation(&line.points.residuals(line.slope)?)
}

/// The line of which a [`Trend`] tells how well it fits: enough where it does not rise.
pub(super) struct Line {
    points: Points,
    /// As of [`Trend`].
    pub(super) slope: f64,
}

impl Line {
    /// That through evenly spaced values with gaps; `None` for fewer than three points.
    pub(super) fn of(values: &[Option<f64>]) -> Option<Line> {
        let points = Points::of(values);
        let slope = points.slope()?;
        Some(Line { points, slope })
    }

    /// As of [`trend`].
    pub(super) fn trend(&self) -> Option<Trend> {
        let (points, slope) = (&self.points, self.slope);
        let residuals = points.residuals(slope)?;
        let noise = deviation(&residuals)?;
        let (n, concordance) = (points.len() as f64, points.concordance());
        let rho = points.autocorrelation(&residuals).clamp(0.0, MOST_AUTOCORRELATION);
        let variance = n * (n - 1.0) * (2.0 * n + 5.0) / 18.0 * (1.0 + rho) / (1.0 - rho);
        let tau = concordance / (n * (n - 1.0) / 2.0);
        Some(Trend { slope, z: (concordance - sign(concordance)) / variance.sqrt(), tau, noise })
    }
}

/// 1.4826 times the median of how far `residuals` are from 0.
fn deviation(residuals: &[f64]) -> Option<f64> {
    let distances: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    Some(1.4826 * median(&distances)?)
}

/// The values that are known and the steps at which they stand: apart, so that the compiler can have several at once.
struct Points {
    steps: Vec<f64>,
    values: Vec<f64>,
}

impl Points {
    fn of(values: &[Option<f64>]) -> Points {
        let (mut steps, mut known) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
        for (step, value) in values.iter().enumerate().filter_map(|(step, value)| Some((step, (*value)?))) {
            steps.push(step as f64);
            known.push(value);
        }
        Points { steps, values: known }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    /// The median slope of all pairs; `None` for fewer than three points.
    fn slope(&self) -> Option<f64> {
        if self.len() < 3 {
            return None;
        }
        let mut slopes = Vec::with_capacity(self.len() * (self.len() - 1) / 2);
        for (place, (step, value)) in self.steps.iter().zip(&self.values).enumerate() {
            let later = self.steps[place + 1..].iter().zip(&self.values[place + 1..]);
            slopes.extend(later.map(|(later, higher)| ordered((higher - value) / (later - step))));
        }
        median_of_many(&mut slopes)
    }

    /// How many pairs rose, less those that fell.
    fn concordance(&self) -> f64 {
        let risen = |(place, value): (usize, &f64)| -> i32 {
            self.values[place + 1..].iter().map(|higher| rose(higher - value)).sum()
        };
        f64::from(self.values.iter().enumerate().map(risen).sum::<i32>())
    }

    /// What a line of that `slope` through the middle leaves.
    fn residuals(&self, slope: f64) -> Option<Vec<f64>> {
        let mut residuals: Vec<f64> =
            self.steps.iter().zip(&self.values).map(|(step, value)| value - slope * step).collect();
        let center = median(&residuals)?;
        residuals.iter_mut().for_each(|residual| *residual -= center);
        Some(residuals)
    }

    /// Correlation of each residual with the one of the step before.
    fn autocorrelation(&self, residuals: &[f64]) -> f64 {
        let power: f64 = residuals.iter().map(|residual| residual * residual).sum();
        let neighbours = self.steps.windows(2).zip(residuals.windows(2));
        let shared: f64 = neighbours
            .filter(|(steps, _)| steps[1] - steps[0] == 1.0)
            .map(|(_, residuals)| residuals[0] * residuals[1])
            .sum();
        shared / power.max(1e-9)
    }
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

/// -1, 0 or 1; unlike `f64::signum` it has a zero.
pub(super) fn sign(x: f64) -> f64 {
    f64::from(rose(x))
}

/// The same as a whole number. Without a branch, of which noise would have the processor guess every second one wrong.
fn rose(x: f64) -> i32 {
    i32::from(x > 0.0) - i32::from(x < 0.0)
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn awkward_inputs_have_an_answer() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[4.0]), Some(4.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&std::array::from_fn::<f64, 41, _>(|place| 20.0 - place as f64)), Some(0.0));
        assert_eq!(median(&std::array::from_fn::<f64, 40, _>(|place| 20.0 - place as f64)), Some(0.5));
        assert_eq!(quantile(&mut [], 0.5), None);
        assert_eq!(quantile(&mut [5.0, 1.0, 3.0], 0.5), Some(3.0));
        assert_eq!([0.0, 1.0].map(|share| quantile(&mut [5.0, 1.0, 3.0], share)), [Some(1.0), Some(5.0)]);
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

    proptest! {
        #[test]
        fn the_median_slope_is_that_of_all_pairs(
            values in prop::collection::vec(prop::option::weighted(0.9, prop_oneof![0.0..10.0, Just(0.0), Just(5.0), 0.0..1e19]), 0..40),
        ) {
            let known: Vec<(f64, f64)> = (0..).zip(&values).filter_map(|(step, value)| Some((f64::from(step), (*value)?))).collect();
            let pairs = known.iter().enumerate().flat_map(|(place, first)| known[place + 1..].iter().map(move |later| (first, later)));
            let slopes: Vec<f64> = pairs.map(|(first, later)| (later.1 - first.1) / (later.0 - first.0)).collect();
            let expected = if known.len() < 3 { None } else { median(&slopes) };
            prop_assert_eq!(slope(&values).map(f64::to_bits), expected.map(f64::to_bits));
        }

        #[test]
        fn a_median_is_in_the_middle_of_few_and_of_many(
            values in prop::collection::vec(prop_oneof![-10.0..10.0, Just(-0.0), Just(0.0)], 1..100),
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let expected = f64::midpoint(sorted[(values.len() - 1) / 2], sorted[values.len() / 2]);
            prop_assert_eq!(median(&values).map(f64::to_bits), Some(expected.to_bits()));
        }
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
