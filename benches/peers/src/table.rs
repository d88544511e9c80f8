//! Figures as tables, for a terminal and for markdown alike.

use std::fmt;

use crate::contenders::Id;
use crate::floor::File;
use crate::measure::{Outcome, Run};
use crate::probe::Memory;
use crate::quantile::{Spread, quantile};
use crate::targets::{self, Target};

/// What can't be told.
const UNKNOWN: &str = "–";

/// Seconds between two scrapes that most have.
const USUAL_INTERVAL: f64 = 15.0;

/// Where there are so many times as many processes as at another moment, it is another load.
const MANY_MORE: f64 = 1.2;

/// A markdown table whose columns are also aligned for the eye.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    left: usize,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of those columns: the first `left` of them aligned to the left, all others to the right.
    fn new<'a>(left: usize, head: impl IntoIterator<Item = &'a str>) -> Table {
        Table { left, head: head.into_iter().map(str::to_owned).collect(), rows: Vec::new() }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).chain(self.head.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
        };
        (0..self.head.len()).map(width).collect()
    }

    fn line(&self, out: &mut fmt::Formatter<'_>, cells: &[String], widths: &[usize]) -> fmt::Result {
        for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
            if column < self.left {
                write!(out, "| {cell:<width$} ")?;
            } else {
                write!(out, "| {cell:>width$} ")?;
            }
        }
        writeln!(out, "|")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        self.line(out, &self.head, &widths)?;
        let rule = |(column, width): (usize, &usize)| {
            if column < self.left { "-".repeat(*width) } else { format!("{}:", "-".repeat(width - 1)) }
        };
        let rules: Vec<String> = widths.iter().enumerate().map(rule).collect();
        self.line(out, &rules, &widths)?;
        self.rows.iter().try_for_each(|row| self.line(out, row, &widths))
    }
}

/// Everything that was measured under one load, below a heading.
pub fn section(run: &Run) -> String {
    let mut text = format!(
        "### {} processes\n\n{}\n\n**What a tick costs**\n\n{}\n**What a scrape costs**\n\n{}\n\
         **Against each other**\n\n{}",
        grouped(run.processes as usize),
        listed(&run.listed),
        costs(run),
        scrapes(run),
        ratios(run)
    );
    let rest = exporter(run);
    if !rest.rows.is_empty() {
        text.push_str(&format!("\n**The exporter under strain**\n\n{rest}"));
    }
    text
}

/// How many processes there were, and whether that was so all the time.
fn listed(counts: &[usize]) -> String {
    let (Some(&low), Some(&high)) = (counts.iter().min(), counts.iter().max()) else { return String::new() };
    let mut text = format!("/proc listed {} to {}.", grouped(low), grouped(high));
    if high as f64 > MANY_MORE * low as f64 {
        text.push_str(" **Others came or went meanwhile: these are no figures of one load.**");
    }
    text
}

fn costs(run: &Run) -> Table {
    let head = ["", "delivers", "CPU ms a tick", "% of a core at 15 s", "MiB resident", "anonymous", "peak"];
    let mut table = Table::new(2, head.into_iter().chain(["descriptors", "system calls a tick"]));
    for outcome in &run.outcomes {
        let memory = |part: fn(&Memory) -> u64| {
            let values: Vec<f64> = outcome.memory.iter().map(|memory| mebibytes(part(memory))).collect();
            or_unknown(quantile(&values, 0.5), significant)
        };
        let cpu = Spread::of(&outcome.cpu);
        table.row([
            outcome.contender.name.to_owned(),
            outcome.contender.delivers.to_owned(),
            or_unknown(cpu, |cpu| spread(cpu, 1000.0)),
            or_unknown(cpu, |cpu| significant(100.0 * cpu.median / USUAL_INTERVAL)),
            memory(|memory| memory.resident),
            memory(|memory| memory.anonymous),
            memory(|memory| memory.peak),
            grouped(outcome.descriptors),
            or_unknown(outcome.system_calls, |calls| grouped(calls.round() as usize)),
        ]);
    }
    table
}

fn scrapes(run: &Run) -> Table {
    let head = ["", "series", "kB", "kB gzip", "ms plain, p50", "p99", "ms gzip, p50", "p99"];
    let mut table =
        Table::new(1, head.into_iter().chain(["ms gzip, first of a tick", "ms to the first useful"]));
    for outcome in &run.outcomes {
        let Some(size) = outcome.size else { continue };
        let at = |times: &[f64], q| or_unknown(quantile(times, q), |time| significant(1000.0 * time));
        table.row([
            outcome.contender.name.to_owned(),
            grouped(size.series),
            significant(size.plain as f64 / 1000.0),
            significant(size.gzip as f64 / 1000.0),
            at(&outcome.plain, 0.5),
            at(&outcome.plain, 0.99),
            at(&outcome.gzip, 0.5),
            at(&outcome.gzip, 0.99),
            at(&outcome.fresh, 0.5),
            or_unknown(Spread::of(&outcome.first_useful), |first| spread(first, 1000.0)),
        ]);
    }
    table
}

fn ratios(run: &Run) -> Table {
    const PAIRS: [(Id, Id); 9] = [
        (Id::Defaults, Id::Floor(File::Statm)),
        (Id::Defaults, Id::Floor(File::Status)),
        (Id::Groups, Id::Floor(File::Statm)),
        (Id::All, Id::Floor(File::Statm)),
        (Id::All, Id::Floor(File::Status)),
        (Id::Lean, Id::Defaults),
        (Id::Lean, Id::Groups),
        (Id::ByPid, Id::All),
        (Id::NodeProcesses, Id::Defaults),
    ];
    let mut table = Table::new(1, ["CPU a tick", "ratio, median of rounds", "lowest and highest"]);
    for (above, below) in PAIRS {
        let Some((above_outcome, below_outcome)) = run.of(above).zip(run.of(below)) else { continue };
        let ratio = targets::ratio(run, above, below);
        table.row([
            format!("{} / {}", above_outcome.contender.name, below_outcome.contender.name),
            or_unknown(ratio, |ratio| significant(ratio.median)),
            // One round has no ends.
            or_unknown(ratio.filter(|ratio| ratio.low < ratio.high), |ratio| {
                format!("{}–{}", significant(ratio.low), significant(ratio.high))
            }),
        ]);
    }
    table
}

fn exporter(run: &Run) -> Table {
    let mut table = Table::new(2, ["", "measured"]);
    let name = |id| run.of(id).map_or("ours", |outcome: &Outcome| outcome.contender.name);
    for (id, memory) in &run.full {
        let [resident, anonymous, peak] =
            [memory.resident, memory.anonymous, memory.peak].map(|bytes| significant(mebibytes(bytes)));
        table.row([
            format!("{}: two days of history", name(*id)),
            format!("{resident} MiB resident, {anonymous} anonymous, {peak} at the peak"),
        ]);
    }
    for (id, crowd) in &run.crowd {
        let [gap, p95] = [(crowd.longest_gap, 1.0), (crowd.p95, 1000.0)]
            .map(|(value, unit)| or_unknown(value, |value| significant(value * unit)));
        table.row([
            format!("{}: 40 that scrape all the time", name(*id)),
            format!(
                "{} answered, {} refused, 95 % within {p95} ms; {} ticks skipped, at most {gap} s from one to the next",
                grouped(crowd.answered),
                grouped(crowd.refused),
                significant(crowd.skipped)
            ),
        ]);
    }
    if let Some(cost) = run.odd {
        let [with, without] = [cost.with, cost.without].map(|seconds| significant(1000.0 * seconds));
        table.row([
            format!("{}: CPU ms a tick with and without the odd processes", name(Id::Defaults)),
            format!("{with}, {without}: × {}", significant(cost.with / cost.without)),
        ]);
    }
    table
}

/// What is reached of what is meant to be.
pub fn targets(targets: &[Target]) -> Table {
    let mut table = Table::new(1, ["", "measured", "target", "reached"]);
    for target in targets {
        let reached = match target.is_reached() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => UNKNOWN,
        };
        table.row([
            target.what.to_owned(),
            or_unknown(target.measured, |measured| spread(measured, 1.0)),
            format!("≤ {}", significant(target.most)),
            reached.to_owned(),
        ]);
    }
    table
}

fn or_unknown<T>(value: Option<T>, write: impl Fn(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), write)
}

/// A median with the ends, where those differ.
fn spread(spread: Spread, unit: f64) -> String {
    let Spread { low, median, high } = spread;
    if low == high {
        return significant(median * unit);
    }
    format!("{} ({}–{})", significant(median * unit), significant(low * unit), significant(high * unit))
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Three digits that count, and no fewer before the point than there are.
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A count, with commas between thousands.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn a_table_is_markdown_and_aligned() {
        let mut table = Table::new(1, ["who", "n"]);
        table.row(["ours".to_owned(), "12".to_owned()]);
        assert_eq!(table.to_string(), "| who  |   n |\n| ---- | --: |\n| ours |  12 |\n");
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let written = [0.0, 0.001234, 12.345, 60.0, 123_456.0].map(significant);
        assert_eq!(written, ["0", "0.00123", "12.3", "60", "123456"]);
        assert_eq!([7, 1000, 1_234_567].map(grouped), ["7", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_section_has_everybody_and_says_what_is_unknown() {
        let text = section(&run());
        for wanted in [
            "### 1,000 processes",
            "/proc listed 1,100 to 1,102.\n",
            " 10 (9–11) ",
            "| ours, defaults / bare loop, statm ",
            " 1.25 ",
            "two days of history",
            "0 ticks skipped, at most 2.1 s",
            "10.1, 10: × 1.01",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
        assert!(!text.contains("process-exporter"), "it was not there");
        let loops = text.lines().filter(|line| line.starts_with("| bare loop, statm")).count();
        assert_eq!(loops, 1, "nobody scrapes a loop");
    }

    #[test]
    fn a_load_that_was_not_one_is_told() {
        assert!(listed(&[300, 10_300, 310]).contains("300 to 10,300. **Others came"));
    }

    #[test]
    fn a_no_is_a_no() {
        let text = targets(&targets::of(&run())).to_string();
        let ends = |what: &str| {
            let line = text.lines().find(|line| line.contains(what)).unwrap();
            line.trim_end_matches(" |").rsplit('|').next().unwrap().trim().to_owned()
        };
        assert_eq!(ends("all processes, CPU"), "**no**");
        assert_eq!(ends("defaults, history full"), "yes");
        assert_eq!(ends("leanest"), "–");
    }
}
