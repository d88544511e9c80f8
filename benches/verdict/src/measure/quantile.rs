//! Quantiles of values of which some lie beyond the end of what was seen.

/// The value below which the share `q` lies (Hyndman and Fan's type 7); `None` where that is infinite, or of nothing.
pub fn quantile(values: impl IntoIterator<Item = f64>, q: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let place = q.clamp(0.0, 1.0) * values.len().checked_sub(1)? as f64;
    let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
    let value = if low == high { low } else { low + (high - low) * place.fract() };
    value.is_finite().then_some(value)
}

/// The middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_the_missed_is_unknown() {
        let delays = [1.0, f64::INFINITY, 3.0, 2.0];
        assert_eq!(median(delays), Some(2.5));
        assert_eq!(quantile(delays, 0.9), None);
        assert_eq!(quantile([4.0, 5.0, 6.0], 0.9), Some(5.8));
        assert_eq!(median([f64::INFINITY; 2]), None);
        assert_eq!(median([]), None);
    }
}
