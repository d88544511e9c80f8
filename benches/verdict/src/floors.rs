//! What the score must reach for a change to be let in.

use crate::goal::{Bound, Goal, Measure};
use crate::measure::Figures;

use Bound::{AtLeast, AtMost};
use Measure::*;

/// Below what is reached by as much as chance makes of four series of each class and a thousand entities: chance does
/// not miss them, a mistake does.
pub const FLOORS: [Goal; 11] = [
    Goal::new("days", Precision, AtLeast(0.9)),
    Goal::new("days", Recall, AtLeast(0.9)),
    Goal::new("days", FalseAlarms, AtMost(0.015)),
    Goal::new("days", Delay, AtMost(45.0)),
    Goal::new("fast", Precision, AtLeast(0.88)),
    Goal::new("fast", Recall, AtLeast(0.88)),
    Goal::new("fast", BeforeHalf, AtLeast(0.25)),
    Goal::new("fast", Unwarned, AtMost(0.15)),
    Goal::new("population", NewSuspects, AtMost(40.0)),
    Goal::new("recordings", Recall, AtLeast(0.55)),
    Goal::new("recordings", BenignCalled, AtMost(0.27)),
];

/// A sentence for each floor of `set` that `figures` miss. What can't be told is no miss.
pub fn missed(set: &str, figures: &Figures) -> Vec<String> {
    let missed = FLOORS.iter().filter(|goal| goal.set == set && goal.is_reached(figures) == Some(false));
    missed.filter_map(|goal| sentence(goal, figures)).collect()
}

fn sentence(Goal { set, measure, bound }: &Goal, figures: &Figures) -> Option<String> {
    let (value, name) = (measure.value(figures)?, measure.name());
    match bound {
        AtLeast(least) => Some(format!("{set}: {name}: {value:.3}, and must be at least {least}.")),
        AtMost(most) => Some(format!("{set}: {name}: {value:.3}, and may be at most {most}.")),
        Bound::Told => None,
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
        assert_eq!(sentences[1], "days: recall: 0.000, and must be at least 0.9.");
        assert!(missed("elsewhere", &Figures::at(&bad, 60.0)).is_empty(), "it has no floors");
        let quiet = [outcome(Label::Benign, 10.0)];
        assert!(missed("population", &Figures::at(&quiet, 60.0)).is_empty());
        assert_eq!(missed("population", &Figures::at(&bad, 60.0)).len(), 1);
    }
}
