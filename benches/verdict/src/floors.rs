//! What the score must reach for a change to be let in.

use crate::measure::Figures;

/// What one set of traces must reach at the exporter's threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Floors {
    /// Name of the set.
    pub set: &'static str,
    /// At least, 0 to 1.
    pub precision: f64,
    /// At least, 0 to 1.
    pub recall: f64,
    /// At least, 0 to 1.
    pub f1: f64,
    /// At most, per entity-day.
    pub false_alarms: f64,
}

/// At about the far 95 % bounds of what four series of each class give: chance does not miss them, a mistake does.
pub const FLOORS: [Floors; 3] = [
    Floors { set: "days", precision: 0.77, recall: 0.85, f1: 0.82, false_alarms: 0.03 },
    Floors { set: "fast", precision: 0.85, recall: 0.81, f1: 0.84, false_alarms: 0.76 },
    // No leak is in it: only false alarms tell.
    Floors { set: "population", precision: 0.0, recall: 0.0, f1: 0.0, false_alarms: 0.002 },
];

/// A sentence for each floor of `set` that `figures` miss. What can't be told is no miss.
pub fn missed(set: &str, figures: &Figures) -> Vec<String> {
    let floors = FLOORS.iter().filter(|floors| floors.set == set);
    floors.flat_map(|floors| floors.missed(figures)).collect()
}

impl Floors {
    fn missed(&self, figures: &Figures) -> Vec<String> {
        let at_least = [
            ("precision", figures.precision.value(), self.precision),
            ("recall", figures.recall.value(), self.recall),
            ("F1", figures.f1(), self.f1),
        ];
        let too_low = at_least.into_iter().filter_map(|(name, value, floor)| {
            let value = value.filter(|value| *value < floor)?;
            Some(format!("{}: {name} is {value:.3}, and must be at least {floor}.", self.set))
        });
        let rate = figures.false_alarms.value().filter(|rate| *rate > self.false_alarms);
        let too_high = rate.map(|rate| {
            let most = self.false_alarms;
            format!(
                "{}: there are {rate:.4} false alarms per entity-day, and may be at most {most}.",
                self.set
            )
        });
        too_low.chain(too_high).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Outcome;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    #[test]
    fn each_floor_that_is_missed_is_named() {
        let outcome =
            |label, value| Outcome::new(&series(label, 3600.0, 25, |_| 100.0), &readings(&[(7200.0, value)]));
        let good = [outcome(leak(3600.0), 90.0), outcome(Label::Benign, 10.0)];
        assert!(missed("days", &Figures::at(&good, 60.0)).is_empty());
        let bad = [outcome(leak(3600.0), 10.0), outcome(Label::Benign, 90.0)];
        let sentences = missed("days", &Figures::at(&bad, 60.0));
        assert_eq!(sentences.len(), 4, "{sentences:?}");
        assert!(sentences[1].contains("days: recall is 0.000"), "{sentences:?}");
        assert!(missed("recordings", &Figures::at(&bad, 60.0)).is_empty(), "they have no floors");
        let quiet = [outcome(Label::Benign, 10.0)];
        assert!(missed("population", &Figures::at(&quiet, 60.0)).is_empty());
    }
}
