//! Statistics over floors with gaps. What can't be told is NaN, which closes every gate.

/// `x` between `low` (0) and `high` (1); 0 of what can't be told.
pub(super) fn ramp(x: f64, (low, high): (f64, f64)) -> f64 {
    if x.is_nan() { 0.0 } else { ((x - low) / (high - low)).clamp(0.0, 1.0) }
}

/// The middle of what is there.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which the share `q` of what is there lies.
pub(super) fn quantile(values: impl IntoIterator<Item = f64>, q: f64) -> f64 {
    let values = values.into_iter().filter(|value| !value.is_nan());
    crate::measure::quantile(values, q).unwrap_or(f64::NAN)
}

/// The mean of what is there.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let there = values.into_iter().filter(|value| !value.is_nan());
    let (sum, count) = there.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// -1, 0 or 1.
pub(super) fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// How many equal parts a sum could be made of, by how its parts differ: (sum of x)² / sum of x².
pub(super) fn effective_number(parts: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = parts.fold((0.0, 0.0), |(sum, squares), part| (sum + part, squares + part * part));
    sum * sum / squares.max(1e-9)
}

/// A line by Theil and Sen, and how significant it is.
pub(super) struct Trend {
    /// Per block.
    pub(super) slope: f64,
    /// 1.4826 times the median absolute residual.
    pub(super) noise: f64,
    /// Mann-Kendall's, its variance widened for autocorrelation at lag one.
    pub(super) z: f64,
}

pub(super) fn trend(values: &[Option<f64>]) -> Trend {
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().filter_map(|(at, value)| Some((at as f64, (*value)?))).collect();
    let pairs =
        || points.iter().enumerate().flat_map(|(index, a)| points[index + 1..].iter().map(move |b| (a, b)));
    let slope = median(pairs().map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)));
    let s: f64 = pairs().map(|(a, b)| sign(b.1 - a.1)).sum();
    let offset = median(points.iter().map(|(at, value)| value - slope * at));
    let residual = |at: usize| values[at].map(|value| value - slope * at as f64 - offset);
    let residuals: Vec<Option<f64>> = (0..values.len()).map(residual).collect();
    let lagged: f64 = residuals.windows(2).filter_map(|pair| Some(pair[0]? * pair[1]?)).sum();
    let squares: f64 = residuals.iter().flatten().map(|value| value * value).sum();
    let rho = (lagged / squares.max(1e-9)).clamp(0.0, 0.9);
    let m = points.len() as f64;
    let variance = m * (m - 1.0) * (2.0 * m + 5.0) / 18.0 * (1.0 + rho) / (1.0 - rho);
    Trend {
        slope,
        noise: 1.4826 * median(residuals.into_iter().flatten().map(f64::abs)),
        z: (s - sign(s)) / variance.max(1.0).sqrt(),
    }
}
