//! `docs/metrics.md` is written from the catalog, so that it can't say anything else.

use std::fmt::Write as _;

use super::catalog::{self, Metric};
use super::{Format, SelfMetrics};

/// Headings with what they say, and the start of the names below them. A name goes below the first that fits.
const SCOPES: [(&str, &str, &str); 8] = [
    ("Host memory that no counter explains", "memleak_host_unaccounted_", ""),
    ("Host", "memleak_host_", ""),
    (
        "Containers and services",
        "memleak_cgroup_",
        "Cgroups. Those with others below them are their sum, and have no score.",
    ),
    (
        "Groups",
        "memleak_group_",
        "Processes of one command name, unless the configuration file says otherwise.",
    ),
    (
        "Open files, threads and mappings that leak",
        "memleak_process_resource_",
        "`resource` is `fds`, `threads` or `maps`. Of processes with series of their own, once there are 32 more than there were.",
    ),
    ("Processes", "memleak_process_", "Those with the highest scores (`--process.top`), and every suspect."),
    ("Requests to the exporter", "memleak_http_", "Absent with `--web.disable-exporter-metrics`."),
    ("The verdict and the exporter as a whole", "memleak_", ""),
];

/// The order of the sections in the document: from the whole to the narrow.
const ORDER: [usize; 8] = [7, 1, 0, 2, 3, 5, 4, 6];

const INTRODUCTION: &str = "\
# Metrics

Written from `src/exposition/catalog.rs` by `UPDATE_GOLDEN=1 cargo test --lib reference`; a test says when it is out of date.

Series of what has ended are gone after the next sample. What is not known is absent: there is no -1 and no 0 for unknown. All
that is judged is gone while samples are older than three intervals (`memleak_last_sample_timestamp_seconds`,
`memleak_sample_interval_seconds`).
";

#[test]
fn the_document_says_what_the_catalog_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let text = document();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, text, "docs/metrics.md is out of date; UPDATE_GOLDEN=1 writes it");
}

#[test]
fn every_metric_is_in_the_document_once() {
    let text = document();
    for metric in catalog::all() {
        assert_eq!(text.matches(&format!("| `{}` |", metric.name)).count(), 1, "{}", metric.name);
    }
}

fn document() -> String {
    let mut text = INTRODUCTION.to_string();
    for (title, prefix, note) in ORDER.map(|at| SCOPES[at]) {
        let mut rows = catalog::all().filter(|metric| section(metric) == prefix).peekable();
        assert!(rows.peek().is_some(), "no metric starts with {prefix}");
        heading(&mut text, title, note);
        for Metric { name, kind, labels, help } in rows {
            let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
            row(&mut text, name, kind.as_str(), &labels.join(", "), help);
        }
    }
    heading(&mut text, "The exporter's process", "Absent with `--web.disable-exporter-metrics`.");
    own_process(&mut text);
    text
}

fn section(metric: &Metric) -> &'static str {
    SCOPES.iter().find(|(_, prefix, _)| metric.name.starts_with(prefix)).map_or("", |(_, prefix, _)| prefix)
}

fn heading(text: &mut String, title: &str, note: &str) {
    let note = if note.is_empty() { String::new() } else { format!("{note}\n\n") };
    write!(text, "\n## {title}\n\n{note}| name | type | labels | |\n| --- | --- | --- | --- |\n").unwrap();
}

fn row(text: &mut String, name: &str, kind: &str, labels: &str, help: &str) {
    let blank = if labels.is_empty() { "" } else { " " };
    writeln!(text, "| `{name}` | {kind} | {labels}{blank}| {} |", help.replace('|', "\\|")).unwrap();
}

/// The `process_*` set: what the prometheus crate writes of us.
fn own_process(text: &mut String) {
    let exposed = SelfMetrics::new().unwrap().render(Format::Text);
    let mut help = "";
    for line in exposed.lines().filter(|line| line.contains(" process_")) {
        match line.splitn(4, ' ').collect::<Vec<_>>()[..] {
            ["#", "HELP", _, text] => help = text,
            ["#", "TYPE", name, kind] => row(text, name, kind, "", help),
            _ => {}
        }
    }
}
