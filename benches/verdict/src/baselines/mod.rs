//! What people use today, on the same series: rules over recorded metrics, and earlier detectors.
//!
//! A rule sees one series by name, so it goes on across restarts; it looks once its window is covered, which is kinder
//! to it than PromQL, where two samples are enough and start-up looks like growth.

mod line;
mod rules;
mod trends;
mod v2;
mod window;

use crate::method::Method;

use rules::{Deriv, Offset, PredictLinear, Unit};
use trends::{LongestPiece, MannKendall, SlopeByFit};
use v2::ProductOfGates;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// How fast the leaks are that a rule is to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// In days.
    Days,
    /// In minutes to hours.
    Fast,
}

/// A rule with the windows that it may have; the better one counts.
pub type Family = Vec<Box<dyn Method>>;

/// Every baseline: as it is usually written, and at the fast pace also with windows that suit it.
pub fn families(pace: Pace) -> Vec<Family> {
    let mut families = at(1.0, pace);
    if pace == Pace::Fast {
        for (family, scaled) in families.iter_mut().zip(at(1.0 / 12.0, pace)) {
            family.extend(scaled);
        }
    }
    families.push(vec![Box::new(ProductOfGates)]);
    families
}

/// The rules with windows `scale` times the usual ones.
fn at(scale: f64, pace: Pace) -> Vec<Family> {
    let every = match pace {
        Pace::Days => 5.0 * MINUTE,
        Pace::Fast => MINUTE,
    };
    // A quarter of an hour ahead of an hour is what people write, not half an hour ahead of two.
    let (look, ahead) = if scale < 1.0 { (15.0 * MINUTE, HOUR) } else { (6.0 * HOUR, DAY) };
    vec![
        vec![Box::new(Deriv::new(HOUR * scale, Unit::MebibytesAnHour, every))],
        vec![Box::new(Deriv::new(DAY * scale, Unit::PercentAnHour, every))],
        vec![Box::new(PredictLinear::new(look, ahead, every))],
        vec![Box::new(Offset::new(HOUR * scale, every))],
        vec![Box::new(Offset::new(DAY * scale, every))],
        vec![Box::new(MannKendall::new(HOUR * scale))],
        vec![Box::new(SlopeByFit::new(6.0 * HOUR * scale, every))],
        vec![Box::new(LongestPiece::new(DAY * scale, every))],
    ]
}

/// A duration as PromQL writes it.
fn promql(seconds: f64) -> String {
    let minutes = (seconds / MINUTE).round();
    if minutes % 60.0 == 0.0 { format!("{}h", minutes / 60.0) } else { format!("{minutes}m") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;
    use crate::trace::Label;

    #[test]
    fn families_have_one_window_a_pace() {
        let names = |pace| -> Vec<Vec<String>> {
            families(pace)
                .iter()
                .map(|family| family.iter().map(|form| form.name().to_owned()).collect())
                .collect()
        };
        assert_eq!(names(Pace::Days)[0], ["deriv[1h] MiB/h"]);
        assert_eq!(names(Pace::Fast)[0], ["deriv[1h] MiB/h", "deriv[5m] MiB/h"]);
        assert_eq!(names(Pace::Fast)[2], ["predict_linear[6h] 24h ahead", "predict_linear[15m] 1h ahead"]);
        assert_eq!(names(Pace::Days).len(), names(Pace::Fast).len());
    }

    #[test]
    fn none_looks_ahead() {
        let bytes = |time: f64| 1e8 * (1.0 + (time / 5e4).sin().abs() + time / 4e5);
        let mut whole = series(Label::Benign, 60.0, 4 * 1440, bytes);
        whole.limit = Some(1_000_000_000);
        let mut half = whole.clone();
        half.points.truncate(2 * 1440);
        for method in families(Pace::Days).iter().flatten() {
            let (whole, half) = (method.statistic(&whole), method.statistic(&half));
            assert!(!half.is_empty(), "{}", method.name());
            assert_eq!(half, whole[..half.len()], "{}", method.name());
        }
    }
}
