//! Quantiles, and the spread of rounds.

/// The value below which the share `q` lies (Hyndman and Fan's type 7); `None` of nothing.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let place = q.clamp(0.0, 1.0) * values.len().checked_sub(1)? as f64;
    let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

/// The median of what rounds have measured, and the ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The lowest.
    pub low: f64,
    /// The middle.
    pub median: f64,
    /// The highest.
    pub high: f64,
}

impl Spread {
    /// Of those; `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Spread> {
        let [low, median, high] = [0.0, 0.5, 1.0].map(|q| quantile(values, q));
        Some(Spread { low: low?, median: median?, high: high? })
    }

    /// Of the ratios within each round, which what slows the machine for a while leaves as they are.
    pub fn of_ratios(above: &[f64], below: &[f64]) -> Option<Spread> {
        let ratios: Vec<f64> = above
            .iter()
            .zip(below)
            .filter(|(_, below)| **below > 0.0)
            .map(|(above, below)| above / below)
            .collect();
        Spread::of(&ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[4.0, 5.0, 6.0], 0.75), Some(5.5));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ratios = Spread::of_ratios(&[2.0, 8.0, 3.0], &[1.0, 2.0, 2.0]);
        assert_eq!(ratios, Some(Spread { low: 1.5, median: 2.0, high: 4.0 }));
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }
}
