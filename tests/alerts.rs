//! Whether the files in `alerts/` fit each other. That the rules are right is for promtool to say: see `alerts/tests`.

#![expect(clippy::panic, reason = "a test fails by panicking, and its helpers do")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_alert_has_a_runbook_a_test_and_a_route() {
    let runbook = headings(&read("RUNBOOK.md"));
    let tests: String = ["suspect", "exhaustion", "resources", "exporter"]
        .map(|name| read(&format!("tests/{name}.yml")))
        .concat();
    let routes = read("tests/routes");
    for alert in alerts() {
        let Alert { name, runbook_url } = &alert;
        assert!(runbook.contains(name), "no heading for {name} in RUNBOOK.md");
        let anchor = name.to_lowercase();
        assert_eq!(runbook_url, &format!("{RUNBOOK}#{anchor}"), "runbook_url of {name}");
        assert!(
            tests.contains(&format!("alertname: {name}\n        exp_alerts:")),
            "{name} fires in no test"
        );
        assert!(routes.contains(&format!("alertname={name} ")), "no route is tested for {name}");
    }
}

#[test]
fn every_heading_of_the_runbook_is_an_alert() {
    let names: Vec<String> = alerts().into_iter().map(|alert| alert.name).collect();
    for heading in headings(&read("RUNBOOK.md")) {
        assert!(names.contains(&heading), "RUNBOOK.md describes {heading}, which is no alert");
    }
}

const RUNBOOK: &str = "https://github.com/memleak-exporter/memleak-exporter/blob/main/alerts/RUNBOOK.md";

struct Alert {
    name: String,
    runbook_url: String,
}

/// The alerts of the rules file, by the two lines of each that matter here.
fn alerts() -> Vec<Alert> {
    let rules = read("memleak.rules.yml");
    let values = |key: &str| -> Vec<String> {
        let lines = rules.lines().map(|line| line.trim_start().trim_start_matches("- "));
        lines.filter_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_string()).collect()
    };
    let (names, urls) = (values("alert:"), values("runbook_url:"));
    assert!(!names.is_empty());
    assert_eq!(names.len(), urls.len(), "each alert has one runbook_url");
    names.into_iter().zip(urls).map(|(name, runbook_url)| Alert { name, runbook_url }).collect()
}

fn headings(markdown: &str) -> Vec<String> {
    markdown.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_string).collect()
}

fn read(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
