//! The whole program over made-up hosts, one for each way in which cgroups come: `tests/fixtures/cgroups/NAME.tree` is
//! the host, `NAME.prom` what is to be said of its cgroups and of who is in them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{exporter_of, tree};

/// What is about cgroups, and does not differ from run to run.
const STABLE: [&str; 6] = [
    "memleak_cgroup_",
    "memleak_entities{",
    "memleak_entities_dropped{scope=\"cgroup\"}",
    "memleak_process_info{",
    "memleak_source_success{",
    "memleak_source_read_errors_total{",
];

mod odd;

/// A text of the fixtures.
pub(crate) fn fixture(name: &str) -> String {
    let path = fixtures().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cgroups")
}

/// Compares what is said of the host of this name, sorted: the order of equals is that of directories.
fn compare(name: &str) {
    let host = tempfile::tempdir().unwrap();
    tree::expand(&(fixture("common.tree") + &fixture(&format!("{name}.tree"))), host.path());
    let metrics = exporter_of(host.path(), &[]).get("/metrics").body;
    let is_stable = |line: &&str| STABLE.iter().any(|stable| line.starts_with(stable));
    let mut lines: Vec<&str> = metrics.lines().filter(is_stable).collect();
    lines.sort_unstable();

    let golden = fixtures().join(format!("{name}.prom"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, lines.join("\n") + "\n").unwrap();
    }
    let expected = fixture(&format!("{name}.prom"));
    let expected: Vec<&str> = expected.lines().collect();
    let surplus: Vec<_> = lines.iter().filter(|line| !expected.contains(line)).collect();
    let missing: Vec<_> = expected.iter().filter(|line| !lines.contains(line)).collect();
    assert!(
        surplus.is_empty() && missing.is_empty() && lines.len() == expected.len(),
        "{}: UPDATE_GOLDEN=1 accepts all changes\nnew: {surplus:#?}\ngone: {missing:#?}",
        golden.display()
    );
}

#[test]
fn a_host_with_the_old_hierarchies_gives_exactly_these_metrics() {
    compare("v1");
}

#[test]
fn a_host_with_the_unified_hierarchy_gives_exactly_these_metrics() {
    compare("v2");
}

#[test]
fn a_host_with_both_gives_exactly_these_metrics() {
    compare("hybrid");
}

#[test]
fn nested_slices_of_services_give_exactly_these_metrics() {
    compare("services");
}

#[test]
fn a_node_of_kubernetes_with_systemd_gives_exactly_these_metrics() {
    compare("kubernetes-systemd");
}

#[test]
fn a_node_of_kubernetes_without_systemd_gives_exactly_these_metrics() {
    compare("kubernetes-cgroupfs");
}

#[test]
fn a_docker_host_with_systemd_gives_exactly_these_metrics() {
    compare("docker-systemd");
}

#[test]
fn a_docker_host_without_systemd_gives_exactly_these_metrics() {
    compare("docker-cgroupfs");
}

#[test]
fn a_host_of_lxc_containers_gives_exactly_these_metrics() {
    compare("lxc");
}
