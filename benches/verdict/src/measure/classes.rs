//! Figures by class of trace.

use std::collections::BTreeMap;

use super::outcome::{Call, Outcome};
use super::quantile::median;

/// What became of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// Whether its traces leak.
    pub leaks: bool,
    /// How many traces.
    pub traces: usize,
    /// How many were rightly called.
    pub caught: usize,
    /// How many were wrongly called.
    pub wrong: usize,
    /// Median hours from the onset to the call; missed ones lie beyond any of it.
    pub delay: Option<f64>,
    /// Hours of each that was caught, ascending.
    pub delays: Vec<f64>,
    /// Highest value of the statistic.
    pub highest: Option<f64>,
}

/// Leaks first, then the benign, each by name.
pub fn classes(outcomes: &[Outcome], threshold: f64) -> Vec<Class> {
    let mut by_name: BTreeMap<(bool, &'static str), Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        by_name.entry((outcome.onset().is_none(), outcome.class)).or_default().push(outcome);
    }
    by_name
        .into_iter()
        .map(|((is_benign, name), members)| class(name, !is_benign, &members, threshold))
        .collect()
}

fn class(name: &'static str, leaks: bool, members: &[&Outcome], threshold: f64) -> Class {
    let mut delays = Vec::new();
    let mut wrong = 0;
    for outcome in members {
        match outcome.call(threshold) {
            Call::Right(rise) => delays.extend(outcome.onset().map(|onset| (rise.time - onset) / 3600.0)),
            Call::False(_) => wrong += 1,
            Call::Never => {}
        }
    }
    delays.sort_unstable_by(f64::total_cmp);
    let missed = std::iter::repeat_n(f64::INFINITY, members.len() - delays.len());
    Class {
        name,
        leaks,
        traces: members.len(),
        caught: delays.len(),
        wrong,
        delay: median(delays.iter().copied().chain(missed)),
        delays,
        highest: members.iter().filter_map(|outcome| Some(outcome.peak()?.value)).reduce(f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    #[test]
    fn by_class() {
        let outcome = |class, label, values: &[(f64, f64)]| {
            let mut trace = series(label, 3600.0, 11, |_| 100.0);
            trace.class = class;
            Outcome::new(&trace, &readings(values))
        };
        let found = classes(
            &[
                outcome("flat", Label::Benign, &[(7200.0, 12.0)]),
                outcome("line", leak(3600.0), &[(7200.0, 61.0)]),
                outcome("line", leak(3600.0), &[(18_000.0, 99.0)]),
                outcome("line", leak(3600.0), &[(0.0, 70.0)]),
            ],
            60.0,
        );
        assert_eq!(found.len(), 2);
        let line = &found[0];
        assert_eq!((line.name, line.leaks, line.traces, line.caught, line.wrong), ("line", true, 3, 2, 1));
        assert_eq!(
            (line.delay, line.delays.as_slice(), line.highest),
            (Some(4.0), [1.0, 4.0].as_slice(), Some(99.0))
        );
        assert_eq!((found[1].name, found[1].wrong, found[1].highest), ("flat", 0, Some(12.0)));
    }
}
