//! What is published of one set of traces.

use std::fmt::{self, Write};

use super::activity::{changed_classes, figure_table};
use super::errors::errors_against_each_other;
use super::findings::Findings;
use super::plots;
use super::spans::span_table;
use super::text::{
    calibration_table, class_table, goal_table, host_table, method_table, threshold_table, warning_table,
};
use crate::host::Host;
use crate::measure::{Class, Figures, Outcome, calibration, classes};
use crate::ours::THRESHOLD;
use crate::targets;

/// The exporter's threshold among others, so far apart that the curve shows.
const THRESHOLDS: [f64; 8] = [10.0, 20.0, 40.0, 50.0, THRESHOLD, 70.0, 80.0, 90.0];

/// A plot and the file that it goes into.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Name of the file.
    pub file: String,
    /// What it shows.
    pub title: &'static str,
    /// The plot.
    pub svg: String,
}

/// What is published of one set of traces: markdown, and plots.
#[derive(Clone, Debug)]
pub struct Section {
    /// Name of the set, and of the markers that it stands between.
    pub name: String,
    /// Tables, as markdown.
    pub text: String,
    /// Below those, in the order that they stand in.
    pub drawings: Vec<Drawing>,
    /// Below those, tables that few want to see, as markdown.
    pub details: String,
}

impl Section {
    /// Of labelled traces. `origin` says in a sentence where they come from.
    pub fn of_traces(findings: &Findings, origin: &str) -> Section {
        let Findings { name, ours, baselines } = findings;
        let leaks = ours.iter().filter(|outcome| outcome.onset().is_some()).count();
        let mut text = Text(format!("{origin} {leaks} leak, {} do not.\n", ours.len() - leaks));
        text.table(goal_table(targets::of(name), &findings.figures()));
        text.headed("What other thresholds buy and cost", threshold_table(&at_thresholds(ours)));
        if let Some(table) = span_table(ours, THRESHOLD) {
            text.headed("By how long they were watched", table);
        }
        text.headed("How often a score means a leak", calibration_table(&calibration(ours)));
        let ours_here = findings.figures();
        let methods = || {
            let others = baselines.iter().map(|baseline| (baseline.name.as_str(), &baseline.figures));
            std::iter::once(("memleak-exporter", &ours_here)).chain(others)
        };
        if !baselines.is_empty() {
            text.headed("Against what people use", method_table(methods()));
        }
        let mut details = Text(String::new());
        details.folded("Limits, and what follows a fix", warning_table(methods()));
        details.folded("Every class", class_table(&classes(ours, THRESHOLD)));
        Section { name: name.to_string(), text: text.0, drawings: drawings(findings), details: details.0 }
    }

    /// Of the same traces, judged `without` knowing CPU time and `with` it.
    pub fn of_activity(without: &Findings, with: &Findings, origin: &str) -> Section {
        let mut text = Text(format!("{origin}\n"));
        text.table(figure_table(without, with));
        if let Some(table) = changed_classes(without, with) {
            text.headed("Classes that it changes", table);
        }
        let name = format!("{}-activity", without.name);
        Section { name, text: text.0, drawings: Vec::new(), details: String::new() }
    }

    /// Of a host where nothing leaks.
    pub fn of_host(host: &Host, origin: &str) -> Section {
        let mut text = Text(format!("{origin} {} entities, of which none leaks.\n", host.alone.len()));
        text.table(goal_table(targets::of("population"), &host.figures()));
        text.headed("Judged alone and as a host", host_table(host, &THRESHOLDS));
        let called: Vec<Class> =
            classes(&host.together, THRESHOLD).into_iter().filter(|class| class.wrong > 0).collect();
        if !called.is_empty() {
            text.headed("What the suspects are, judged as a host", class_table(&called));
        }
        Section { name: "population".to_string(), text: text.0, drawings: Vec::new(), details: String::new() }
    }
}

/// The tables, as markdown.
impl fmt::Display for Section {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "# {}\n\n{}{}", self.name, self.text, self.details)
    }
}

fn at_thresholds(outcomes: &[Outcome]) -> [Figures; THRESHOLDS.len()] {
    THRESHOLDS.map(|threshold| Figures::at(outcomes, threshold))
}

fn drawings(findings: &Findings) -> Vec<Drawing> {
    let curves = plots::curves(findings);
    let all = [
        (
            "errors",
            "What is missed or late, against what is called wrongly",
            errors_against_each_other(findings, &curves),
        ),
        ("delay", "Delay against false alarms", plots::delays_against_false_alarms(findings, &curves)),
        ("classes", "Delay of every leak by class", plots::delays_by_class(findings)),
        ("calibration", "How often a score means a leak", Some(plots::calibration_plot(findings))),
    ];
    let drawn = all.into_iter().filter_map(|(kind, title, svg)| {
        Some(Drawing { file: format!("{}-{kind}.svg", findings.name), title, svg: svg? })
    });
    drawn.collect()
}

/// Markdown that grows. Writing to a string does not fail.
struct Text(String);

impl Text {
    fn table(&mut self, table: impl fmt::Display) {
        let _ = write!(self.0, "\n{table}");
    }

    fn headed(&mut self, heading: &str, table: impl fmt::Display) {
        let _ = write!(self.0, "\n**{heading}**\n\n{table}");
    }

    /// What few want to see is opened by a click.
    fn folded(&mut self, heading: &str, table: impl fmt::Display) {
        let _ = write!(self.0, "\n<details><summary><b>{heading}</b></summary>\n\n{table}\n</details>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{leak, readings, series};
    use crate::trace::Label;

    #[test]
    fn a_host_shows_both_ways_of_judging() {
        let outcome = |score| {
            let trace = series(Label::Benign, 3600.0, 25, |_| 100.0);
            Outcome::new(&trace, &readings(&[(7200.0, score)]))
        };
        let host = Host { alone: vec![outcome(70.0)], crowd: 321, together: vec![outcome(50.0)] };
        let text = Section::of_host(&host, "Made up.").text;
        assert!(text.starts_with("Made up. 1 entities, of which none leaks."), "{text}");
        assert!(text.contains("as one of 321 that rise"), "{text}");
        assert!(!text.contains("What the suspects are"), "none is suspect at 60, judged as a host: {text}");
    }

    #[test]
    fn baselines_are_compared_only_where_there_are_any() {
        let trace = series(leak(3600.0), 3600.0, 25, |_| 100.0);
        let ours = vec![Outcome::new(&trace, &readings(&[(7200.0, 90.0)]))];
        let findings = Findings { name: "days", ours, baselines: Vec::new() };
        let section = Section::of_traces(&findings, "Made up.");
        assert!(!section.text.contains("Against what people use"));
        assert!(section.text.contains("Made up. 1 leak, 0 do not."));
        assert!(section.drawings.iter().any(|drawing| drawing.file == "days-calibration.svg"));
    }
}
