//! Counts with their uncertainty.

/// The normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// What a two-sided 95 % interval leaves out on either side.
const TAIL: f64 = 0.025;

/// So many out of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub part: usize,
    /// Out of how many.
    pub whole: usize,
}

impl Share {
    /// How many of `items` are as asked.
    pub fn of<T>(items: impl IntoIterator<Item = T>, is_part: impl Fn(T) -> bool) -> Share {
        items.into_iter().fold(Share::default(), |share, item| Share {
            part: share.part + usize::from(is_part(item)),
            whole: share.whole + 1,
        })
    }

    /// Between 0 and 1; `None` of nothing.
    pub fn value(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// 95 % bounds (Wilson, "Probable inference, the law of succession, and statistical inference", 1927): unlike
    /// the normal ones they stay within 0 and 1 and are no point at 0 or all.
    pub fn bounds(self) -> Option<(f64, f64)> {
        let (share, n) = (self.value()?, self.whole as f64);
        let scale = 1.0 + Z * Z / n;
        let centre = (share + Z * Z / (2.0 * n)) / scale;
        let reach = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let low = if self.part == 0 { 0.0 } else { (centre - reach).max(0.0) };
        let high = if self.part == self.whole { 1.0 } else { (centre + reach).min(1.0) };
        Some((low, high))
    }
}

/// So many events in so much time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// How many.
    pub events: usize,
    /// In how much time, in whatever unit the rate is to be per.
    pub exposure: f64,
}

impl Rate {
    /// Events per unit of exposure; `None` without exposure.
    pub fn value(self) -> Option<f64> {
        (self.exposure > 0.0).then(|| self.events as f64 / self.exposure)
    }

    /// 95 % bounds of a Poisson rate (Garwood, "Fiducial limits for the Poisson distribution", 1936): exact.
    pub fn bounds(self) -> Option<(f64, f64)> {
        self.value()?;
        let k = self.events;
        let low = if k == 0 { 0.0 } else { mean_where(|mean| 1.0 - poisson_cdf(k - 1, mean) < TAIL, k) };
        let high = mean_where(|mean| poisson_cdf(k, mean) > TAIL, k);
        Some((low / self.exposure, high / self.exposure))
    }
}

/// The mean up to which `below` holds, to about 1e-12 of the largest that is thinkable for `k` events.
fn mean_where(below: impl Fn(f64) -> bool, k: usize) -> f64 {
    let (mut low, mut high) = (0.0, 10.0 + k as f64 + 10.0 * (k as f64).sqrt());
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        *(if below(middle) { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

/// Probability of at most `k` events where `mean` are expected. Summed as logarithms, for means of hundreds.
fn poisson_cdf(k: usize, mean: f64) -> f64 {
    let mut term = -mean;
    let mut sum = term.exp();
    for event in 1..=k {
        term += mean.ln() - (event as f64).ln();
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<(f64, f64)>, wanted: (f64, f64)) {
        let (low, high) = found.unwrap();
        assert!((low - wanted.0).abs() < 5e-5 && (high - wanted.1).abs() < 5e-5, "{found:?}, not {wanted:?}");
    }

    #[test]
    fn wilson_bounds() {
        // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
        near(Share { part: 81, whole: 263 }.bounds(), (0.2553, 0.3662));
        near(Share { part: 15, whole: 148 }.bounds(), (0.0624, 0.1605));
        near(Share { part: 0, whole: 20 }.bounds(), (0.0, 0.1611));
        near(Share { part: 1, whole: 29 }.bounds(), (0.0061, 0.1718));
        near(Share { part: 20, whole: 20 }.bounds(), (0.8389, 1.0));
        assert_eq!(Share::default().bounds(), None);
    }

    #[test]
    fn garwood_bounds() {
        // Half of the chi-square quantiles with 2k and 2k + 2 degrees of freedom.
        near(Rate { events: 0, exposure: 1.0 }.bounds(), (0.0, 3.6889));
        near(Rate { events: 1, exposure: 1.0 }.bounds(), (0.0253, 5.5716));
        near(Rate { events: 10, exposure: 1.0 }.bounds(), (4.7954, 18.3904));
        near(Rate { events: 100, exposure: 100.0 }.bounds(), (0.8136, 1.2163));
        near(Rate { events: 1000, exposure: 1000.0 }.bounds(), (0.9390, 1.0640));
        assert_eq!(Rate { events: 3, exposure: 0.0 }.bounds(), None);
    }

    #[test]
    fn counting_a_share() {
        assert_eq!(Share::of([1, 2, 3], |n| n > 1), Share { part: 2, whole: 3 });
    }
}
