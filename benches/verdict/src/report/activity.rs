//! What it changes to know how much CPU time was used.

use super::findings::Findings;
use super::text::{Table, hours, measured};
use crate::measure::{Class, classes};
use crate::ours::THRESHOLD;
use crate::targets;

/// Every figure without it and with it.
pub fn figure_table(without: &Findings, with: &Findings) -> Table {
    let (before, after) = (without.figures(), with.figures());
    let mut table = Table::new(["", "without", "with CPU time"]);
    for goal in targets::of(without.name) {
        let name = goal.measure.name().to_owned();
        table.row([name, measured(goal.measure, &before), measured(goal.measure, &after)]);
    }
    table
}

/// Classes that are called more or less often with it, or a tenth sooner or later; `None` where there are none.
pub fn changed_classes(without: &Findings, with: &Findings) -> Option<Table> {
    let mut table = Table::new([
        "class",
        "truth",
        "traces",
        "caught",
        "with it",
        "false alarms",
        "with it",
        "delay h",
        "with it",
    ]);
    let before = classes(&without.ours, THRESHOLD);
    let pairs = before.iter().zip(classes(&with.ours, THRESHOLD));
    let changed: Vec<(&Class, Class)> = pairs.filter(|(before, after)| differs(before, after)).collect();
    for (before, after) in &changed {
        table.row([
            format!("`{}`", before.name),
            if before.leaks { "leak" } else { "benign" }.to_owned(),
            before.traces.to_string(),
            before.caught.to_string(),
            after.caught.to_string(),
            before.wrong.to_string(),
            after.wrong.to_string(),
            hours(before.delay.filter(|_| before.leaks)),
            hours(after.delay.filter(|_| before.leaks)),
        ]);
    }
    (!changed.is_empty()).then_some(table)
}

fn differs(before: &Class, after: &Class) -> bool {
    let much = |(before, after): (f64, f64)| (before - after).abs() > 0.1 * before.abs();
    (before.caught, before.wrong) != (after.caught, after.wrong)
        || before.delay.zip(after.delay).is_some_and(much)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Outcome;
    use crate::testing::{readings, series};
    use crate::trace::Label;

    #[test]
    fn only_what_changes_is_told_by_class() {
        let findings = |scores: [f64; 2]| {
            let outcome = |(class, score)| {
                let mut trace = series(Label::Benign, 3600.0, 25, |_| 100.0);
                trace.class = class;
                Outcome::new(&trace, &readings(&[(7200.0, score)]))
            };
            let ours = ["ramp", "flat"].into_iter().zip(scores).map(outcome).collect();
            Findings { name: "fast", ours, baselines: Vec::new() }
        };
        let (without, with) = (findings([90.0, 5.0]), findings([30.0, 4.0]));
        let text = changed_classes(&without, &with).unwrap().to_string();
        assert!(text.contains("`ramp`") && !text.contains("`flat`"), "{text}");
        assert_eq!(changed_classes(&with, &with), None);
        assert!(figure_table(&without, &with).to_string().contains("precision"));
    }
}
