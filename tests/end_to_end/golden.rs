//! The whole program over a tree of files that looks like a host's /proc: the difference to
//! `tests/fixtures/host.prom` is the review of any change to what is read or shown.

use std::fs;

use crate::support::exporter_of_fixtures;

/// What differs from run to run or from release to release.
const VOLATILE: [&str; 4] = [
    "memleak_build_info{",
    "memleak_last_sample_timestamp_seconds ",
    "memleak_source_duration_seconds{",
    "memleak_sample_interval_seconds ",
];

#[test]
fn a_host_gives_exactly_these_metrics() {
    let metrics = exporter_of_fixtures(&[]).get("/metrics").body;
    let is_stable = |line: &&str| !VOLATILE.iter().any(|volatile| line.starts_with(volatile));
    let stable: String = metrics.lines().filter(is_stable).map(|line| format!("{line}\n")).collect();

    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden, &stable).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap();
    for (line, (is, should_be)) in (1..).zip(stable.lines().zip(expected.lines())) {
        assert_eq!(is, should_be, "{golden}:{line}; UPDATE_GOLDEN=1 accepts all changes");
    }
    assert_eq!(stable.lines().count(), expected.lines().count(), "UPDATE_GOLDEN=1 accepts all changes");
}
