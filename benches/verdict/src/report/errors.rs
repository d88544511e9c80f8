//! One kind of error against another: where both are within their targets, and whether any threshold gets there.

use super::findings::Findings;
use super::plots::{Curve, LEGEND, draw_lines, lines, mark_threshold, ticks_from_none};
use super::svg::{Plot, Scale};
use crate::goal::{Bound, Goal, Measure};
use crate::measure::Figures;
use crate::targets;

/// What a set trades: which errors there are few of if the threshold is high, and which if it is low.
#[derive(Clone, Copy)]
struct Trade {
    set: &'static str,
    high: (Measure, &'static str),
    low: (Measure, &'static str),
}

const WRONG: (Measure, &str) = (Measure::Precision, "share of calls that are wrong");
const BENIGN: (Measure, &str) = (Measure::BenignCalled, "share of benign ones that are called");
const LATE: (Measure, &str) = (Measure::BeforeHalf, "share of leaks not called before half the way");
const MISSED: (Measure, &str) = (Measure::Recall, "share of leaks that are missed");

const TRADES: [Trade; 4] = [
    Trade { set: "days", high: WRONG, low: LATE },
    Trade { set: "fast", high: WRONG, low: LATE },
    Trade { set: "recordings", high: BENIGN, low: MISSED },
    Trade { set: "limits", high: BENIGN, low: LATE },
];

/// One error against the other as the threshold goes up and down, on logarithmic scales, and the targets of both (a
/// detection error tradeoff: Martin et al., "The DET curve in assessment of detection task performance", 1997). `None`
/// for a set without two such targets, or where nothing was measured.
pub(super) fn errors_against_each_other(findings: &Findings, curves: &[Curve]) -> Option<String> {
    let trade = TRADES.iter().find(|trade| trade.set == findings.name)?;
    let (x_goal, y_goal) = (goal(trade.set, trade.high.0)?, goal(trade.set, trade.low.0)?);
    let point = |figures: &Figures| error(x_goal, figures).zip(error(y_goal, figures));
    let lines = lines(curves, point);
    // No error is drawn where half of one among all would be.
    let none = 0.5 / findings.ours.len().max(1) as f64;
    let scale = Scale { low: none, high: 1.0, is_log: true };
    let mut plot = Plot::new((900.0, 420.0), (76.0, LEGEND), scale, scale);
    plot.x_axis(trade.high.1, &ticks_from_none(scale));
    plot.y_axis(trade.low.1, &ticks_from_none(scale));
    plot.area((none, allowed(x_goal)?), (none, allowed(y_goal)?), "targets");
    draw_lines(&mut plot, &lines);
    mark_threshold(&mut plot, point(&findings.figures())?);
    Some(plot.finish(&format!("The {} against the {}, by threshold", trade.low.1, trade.high.1)))
}

fn goal(set: &'static str, measure: Measure) -> Option<&'static Goal> {
    targets::of(set).find(|goal| goal.measure == measure)
}

/// What is wrong of a share: what is missing where it should be high, and all of it where it should be low.
fn error(goal: &Goal, figures: &Figures) -> Option<f64> {
    let value = goal.measure.value(figures)?;
    match goal.bound {
        Bound::AtLeast(_) => Some(1.0 - value),
        Bound::AtMost(_) => Some(value),
        Bound::Told => None,
    }
}

/// The most of that with which the target is reached.
fn allowed(goal: &Goal) -> Option<f64> {
    match goal.bound {
        Bound::AtLeast(least) => Some(1.0 - least),
        Bound::AtMost(most) => Some(most),
        Bound::Told => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::plots::curves;
    use super::*;
    use crate::measure::Outcome;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    fn findings(name: &'static str) -> Findings {
        let outcome = |label, value| {
            let trace = series(label, 3600.0, 25, |_| 100.0);
            Outcome::new(&trace, &readings(&[(7200.0, value)]))
        };
        let ours =
            vec![outcome(leak(3600.0), 90.0), outcome(leak(3600.0), 40.0), outcome(Label::Benign, 70.0)];
        Findings { name, ours, baselines: Vec::new() }
    }

    #[test]
    fn what_is_traded_has_a_target_on_both_sides() {
        for Trade { set, high, low } in TRADES {
            assert!(
                [high, low]
                    .map(|(measure, _)| goal(set, measure).and_then(allowed))
                    .iter()
                    .all(Option::is_some)
            );
        }
    }

    #[test]
    fn errors_are_what_is_missing_or_too_much() {
        let figures = findings("recordings").figures();
        let errors = |bound| {
            [Measure::Recall, Measure::BenignCalled]
                .map(|measure| error(&Goal::new("recordings", measure, bound), &figures))
        };
        assert_eq!(errors(Bound::AtLeast(0.9)), [Some(0.5), Some(0.0)]);
        assert_eq!(errors(Bound::AtMost(0.1)), [Some(0.5), Some(1.0)]);
        assert_eq!(errors(Bound::Told), [None, None]);
    }

    #[test]
    fn targets_are_drawn_where_there_are_two() {
        let drawn = |name| {
            let found = findings(name);
            errors_against_each_other(&found, &curves(&found))
        };
        let svg = drawn("recordings").unwrap();
        assert!(svg.contains("targets") && svg.contains("threshold 60"), "{svg}");
        assert_eq!(drawn("population"), None);
    }
}
