//! The same figures by how long the series are: what was watched for less than an hour says less than what was for days.

use super::text::{Table, bounded, counted};
use crate::measure::{Figures, Outcome};

const HOUR: f64 = 3600.0;

/// How long series are, and the seconds that they last at most.
const SPANS: [(&str, f64); 3] =
    [("less than an hour", HOUR), ("hours", 24.0 * HOUR), ("days", f64::INFINITY)];

/// What became of series at `threshold`, by how long they are; `None` where all are of a kind.
pub(super) fn span_table(outcomes: &[Outcome], threshold: f64) -> Option<Table> {
    let mut table = Table::new(["they last", "recall", "benign ones called", "before half the way", "held"]);
    let (mut from, mut kinds) = (0.0, 0);
    for (name, until) in SPANS {
        let these: Vec<Outcome> =
            outcomes.iter().filter(|outcome| (from..until).contains(&outcome.end)).cloned().collect();
        from = until;
        if these.is_empty() {
            continue;
        }
        kinds += 1;
        let figures = Figures::at(&these, threshold);
        table.row([
            name.to_owned(),
            bounded(figures.recall),
            counted(figures.benign_called),
            bounded(figures.limits.before_half),
            counted(figures.held),
        ]);
    }
    (kinds > 1).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    #[test]
    fn series_are_told_apart_by_how_long_they_are() {
        let outcome = |label, interval: f64, value| {
            let trace = series(label, interval, 25, |_| 100.0);
            Outcome::new(&trace, &readings(&[(20.0 * interval, value)]))
        };
        let short = [outcome(leak(0.0), 60.0, 90.0), outcome(Label::Benign, 60.0, 90.0)];
        let all = [short.to_vec(), vec![outcome(leak(0.0), HOUR, 10.0)]].concat();
        let table = span_table(&all, 60.0).map(|table| table.to_string()).unwrap();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert!(
            rows.len() == 2 && rows[0].contains("less than an hour") && rows[1].contains("days"),
            "{table}"
        );
        assert!(
            rows[0].contains("1.000") && rows[0].contains("1\u{a0}of\u{a0}1") && rows[1].contains("0.000"),
            "{table}"
        );
        assert!(span_table(&short, 60.0).is_none());
    }
}
