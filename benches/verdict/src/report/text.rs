//! Tables, for a terminal and for markdown alike.

use std::fmt;

use crate::generate;
use crate::goal::{Bound, Goal, Measure, weekly};
use crate::host::Host;
use crate::measure::{Bin, Class, Figures, Rate, Share};

/// What can't be told.
const UNKNOWN: &str = "–";

/// A markdown table whose columns are also aligned for the eye: the first to the left, all others to the right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of those columns.
    pub fn new<'a>(head: impl IntoIterator<Item = &'a str>) -> Table {
        Table { head: head.into_iter().map(str::to_owned).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).chain(self.head.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
        };
        (0..self.head.len()).map(width).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |out: &mut fmt::Formatter<'_>, cells: &[String]| {
            for (column, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                if column == 0 {
                    write!(out, "| {cell:<width$} |")?
                } else {
                    write!(out, " {cell:>width$} |")?
                }
            }
            writeln!(out)
        };
        line(out, &self.head)?;
        for (column, width) in widths.iter().enumerate() {
            if column == 0 {
                write!(out, "| {} |", "-".repeat(*width))?;
            } else {
                write!(out, " {}: |", "-".repeat(width - 1))?;
            }
        }
        writeln!(out)?;
        self.rows.iter().try_for_each(|row| line(out, row))
    }
}

/// What is reached of what is meant to be.
pub fn goal_table<'a>(goals: impl IntoIterator<Item = &'a Goal>, figures: &Figures) -> Table {
    let mut table = Table::new(["", "measured", "target", "reached"]);
    for goal in goals {
        let target = match goal.bound {
            Bound::AtLeast(1.0) => "all".to_owned(),
            Bound::AtLeast(least) => format!("≥ {}", target(goal.measure, least)),
            Bound::AtMost(most) => format!("≤ {}", target(goal.measure, most)),
            Bound::Told => UNKNOWN.to_owned(),
        };
        let reached = match goal.is_reached(figures) {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => UNKNOWN,
        };
        table.row([
            goal.measure.name().to_owned(),
            measured(goal.measure, figures),
            target,
            reached.to_owned(),
        ]);
    }
    table
}

/// A figure with its bounds, or the counts that it comes from.
pub(super) fn measured(measure: Measure, figures: &Figures) -> String {
    let Figures { delay, limits, .. } = figures;
    match measure {
        Measure::Precision => bounded(figures.precision),
        Measure::Recall => bounded(figures.recall),
        Measure::FalseAlarms => rate(figures.false_alarms),
        Measure::NewSuspects => rate(weekly(figures.false_alarms)),
        Measure::BenignCalled => counted(figures.benign_called),
        Measure::Delay => hours(delay.median),
        Measure::SteadyDelay => hours(delay.steady),
        Measure::LongDelay => hours(delay.p90),
        Measure::BeforeHalf => bounded(limits.before_half),
        Measure::BeforeAnyHalf => bounded(limits.before_any_half),
        Measure::Unwarned => counted(limits.unwarned_by_either),
        Measure::BenignForetold => counted(limits.counted_down_benign),
        Measure::Held => counted(figures.held),
        Measure::Recovered => counted(figures.recovery.soon),
    }
}

/// A target, as a share where the figure is written in counts.
fn target(measure: Measure, value: f64) -> String {
    match measure {
        Measure::BenignCalled | Measure::Unwarned | Measure::Held | Measure::Recovered => {
            percent(Some(value))
        }
        _ => significant(value),
    }
}

/// What other thresholds buy and cost.
pub fn threshold_table<'a>(figures: impl IntoIterator<Item = &'a Figures>) -> Table {
    let mut table = Table::new([
        "threshold",
        "precision",
        "recall",
        "false alarms per entity-day",
        "median delay h",
        "nine in ten h",
        "before half the way",
        "unwarned",
        "clean in time",
    ]);
    for figures in figures {
        table.row([
            significant(figures.threshold),
            bounded(figures.precision),
            bounded(figures.recall),
            rate(figures.false_alarms),
            hours(figures.delay.median),
            hours(figures.delay.p90),
            percent(figures.limits.before_half.value()),
            counted(figures.limits.unwarned_by_either),
            counted(figures.recovery.soon),
        ]);
    }
    table
}

/// Methods against each other, each at one threshold.
pub fn method_table<'a>(methods: impl IntoIterator<Item = (&'a str, &'a Figures)>) -> Table {
    let mut table = Table::new([
        "method",
        "threshold",
        "precision",
        "recall",
        "F1",
        "false alarms per entity-day",
        "median delay h",
        "before half the way",
        "held",
    ]);
    for (name, figures) in methods {
        table.row([
            name.to_owned(),
            significant(figures.threshold),
            decimal(figures.precision.value()),
            decimal(figures.recall.value()),
            decimal(figures.f1()),
            or_unknown(figures.false_alarms.value(), significant),
            hours(figures.delay.median),
            percent(figures.limits.before_half.value()),
            percent(figures.held.value()),
        ]);
    }
    table
}

/// The same methods against limits, the end of the trace and fixes.
pub fn warning_table<'a>(methods: impl IntoIterator<Item = (&'a str, &'a Figures)>) -> Table {
    let mut table = Table::new([
        "method",
        "way to the limit",
        "limits hit uncalled",
        "neither in time nor foretold",
        "benign foretold",
        "held to the end",
        "recovery h, median",
        "of the age at the call",
        "clean in time",
    ]);
    for (name, Figures { limits, held, recovery, .. }) in methods {
        table.row([
            name.to_owned(),
            percent(limits.way),
            counted(limits.unwarned),
            counted(limits.unwarned_by_either),
            counted(limits.counted_down_benign),
            counted(*held),
            hours(recovery.hours),
            percent(recovery.of_age),
            counted(recovery.soon),
        ]);
    }
    table
}

/// New suspects of one host by threshold, each entity judged alone and as one of `crowd`.
pub fn host_table(host: &Host, thresholds: &[f64]) -> Table {
    let mut table = Table::new(["", "threshold", "suspects", "per host-week of 10,000"]);
    let together = format!("as one of {} that rise", host.crowd);
    for (judged, outcomes) in [("alone", &host.alone), (together.as_str(), &host.together)] {
        for &threshold in thresholds {
            let suspects = Figures::at(outcomes, threshold).false_alarms;
            let cells = [judged.to_owned(), significant(threshold), suspects.events.to_string()];
            table.row(cells.into_iter().chain([rate(weekly(suspects))]));
        }
    }
    table
}

/// What became of each class.
pub fn class_table(classes: &[Class]) -> Table {
    let mut table =
        Table::new(["class", "truth", "traces", "caught", "false alarms", "delay h, median", "highest"]);
    for class in classes {
        table.row([
            described(class.name),
            if class.leaks { "leak" } else { "benign" }.to_owned(),
            class.traces.to_string(),
            if class.leaks { class.caught.to_string() } else { UNKNOWN.to_owned() },
            class.wrong.to_string(),
            if class.leaks { hours(class.delay) } else { UNKNOWN.to_owned() },
            or_unknown(class.highest, significant),
        ]);
    }
    table
}

/// A class of the generator with what happens in it; the name of a recording says that itself.
fn described(name: &str) -> String {
    let class = generate::classes().iter().find(|class| class.name == name);
    class.map_or_else(|| name.to_owned(), |class| format!("`{name}`: {}", class.description))
}

/// How often a score of so much means a leak.
pub fn calibration_table(bins: &[Bin]) -> Table {
    let mut table = Table::new(["highest score", "traces", "of which leaks"]);
    for bin in bins {
        table.row([format!("{}–{}", bin.from, bin.to), bin.leaks.whole.to_string(), bounded(bin.leaks)]);
    }
    table
}

fn or_unknown<T>(value: Option<T>, write: impl Fn(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), write)
}

/// A share with its 95 % bounds.
pub(super) fn bounded(share: Share) -> String {
    let both = share.value().zip(share.bounds());
    or_unknown(both, |(value, (low, high))| format!("{value:.3} ({low:.2}–{high:.2})"))
}

/// A rate with its 95 % bounds.
fn rate(rate: Rate) -> String {
    let both = rate.value().zip(rate.bounds());
    or_unknown(both, |(value, (low, high))| {
        format!("{} ({}–{})", significant(value), rough(low), rough(high))
    })
}

fn decimal(value: Option<f64>) -> String {
    or_unknown(value, |value| format!("{value:.3}"))
}

pub(super) fn counted(share: Share) -> String {
    if share.whole == 0 { UNKNOWN.to_owned() } else { format!("{}\u{a0}of\u{a0}{}", share.part, share.whole) }
}

pub(super) fn hours(value: Option<f64>) -> String {
    or_unknown(value, significant)
}

fn percent(value: Option<f64>) -> String {
    or_unknown(value, |value| format!("{:.0}\u{a0}%", 100.0 * value))
}

/// Three digits that count, without a power of ten where that can be helped.
pub(super) fn significant(value: f64) -> String {
    digits_that_count(value, 3)
}

/// Two: a bound is no more certain.
fn rough(value: f64) -> String {
    digits_that_count(value, 2)
}

fn digits_that_count(value: f64, count: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = count - 1 - value.abs().log10().floor() as i32;
    match usize::try_from(digits) {
        Ok(digits) if digits <= 6 => {
            let text = format!("{value:.digits$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        Ok(_) => format!("{value:.2e}"),
        Err(_) if value.abs() < 1e6 => format!("{value:.0}"),
        Err(_) => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_and_aligned() {
        let mut table = Table::new(["class", "n"]);
        table.row(["line".to_owned(), "12".to_owned()]);
        assert_eq!(table.to_string(), "| class |   n |\n| ----- | --: |\n| line  |  12 |\n");
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let written = [0.0, 0.001234, 12.345, 60.0, 123_456.0, 1.5e9, 1e-9].map(significant);
        assert_eq!(written, ["0", "0.00123", "12.3", "60", "123456", "1.50e9", "1.00e-9"]);
    }

    #[test]
    fn what_is_unknown_is_a_dash() {
        assert_eq!(
            (bounded(Share::default()), hours(None), counted(Share::default())),
            ("–".into(), "–".into(), "–".into())
        );
        assert_eq!(bounded(Share { part: 9, whole: 10 }), "0.900 (0.60–0.98)");
    }
}
