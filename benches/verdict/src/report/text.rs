//! Tables, for a terminal and for markdown alike.

use std::fmt;

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

/// Methods against each other, each at one threshold: found or not, and how soon.
pub fn method_table<'a>(methods: impl IntoIterator<Item = (&'a str, &'a Figures)>) -> Table {
    let mut table = Table::new([
        "method",
        "threshold",
        "precision",
        "recall",
        "F1",
        "false alarms per entity-day",
        "delay h, median",
        "p90",
        "steady, after a plateau",
        "way to the limit",
    ]);
    for (name, figures) in methods {
        table.row([
            name.to_owned(),
            significant(figures.threshold),
            bounded(figures.precision),
            bounded(figures.recall),
            or_unknown(figures.f1(), |value| format!("{value:.3}")),
            rate(figures.false_alarms),
            hours(figures.delay.median),
            hours(figures.delay.p90),
            hours(figures.delay.steady),
            percent(figures.limits.way),
        ]);
    }
    table
}

/// The same methods against limits, the end of the trace and fixes.
pub fn warning_table<'a>(methods: impl IntoIterator<Item = (&'a str, &'a Figures)>) -> Table {
    let mut table = Table::new([
        "method",
        "called before half the way",
        "limits hit unwarned",
        "nor foretold",
        "benign foretold",
        "held to the end",
        "recovery h, median",
        "of the age at the call",
        "clean in time",
    ]);
    for (name, Figures { limits, held, recovery, .. }) in methods {
        table.row([
            name.to_owned(),
            bounded(limits.before_half),
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

/// What became of each class.
pub fn class_table(classes: &[Class]) -> Table {
    let mut table =
        Table::new(["class", "truth", "traces", "caught", "false alarms", "delay h, median", "highest"]);
    for class in classes {
        table.row([
            class.name.to_owned(),
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
fn bounded(share: Share) -> String {
    let both = share.value().zip(share.bounds());
    or_unknown(both, |(value, (low, high))| format!("{value:.3} ({low:.2}–{high:.2})"))
}

/// Two digits that count.
pub(super) fn rate(rate: Rate) -> String {
    let both = rate.value().zip(rate.bounds());
    or_unknown(both, |(value, (low, high))| {
        format!("{} ({}–{})", significant(value), significant(low), significant(high))
    })
}

fn counted(share: Share) -> String {
    if share.whole == 0 { UNKNOWN.to_owned() } else { format!("{} of {}", share.part, share.whole) }
}

fn hours(value: Option<f64>) -> String {
    or_unknown(value, significant)
}

fn percent(value: Option<f64>) -> String {
    or_unknown(value, |value| format!("{:.0} %", 100.0 * value))
}

/// Three digits that count, without a power of ten where that can be helped.
pub(super) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = 2 - value.abs().log10().floor() as i32;
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
