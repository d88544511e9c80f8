//! The whole text of one snapshot: the difference to `golden.prom` is the review of any change to the output.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Format, Sources, catalog, fixture};
use crate::entity::{Resource, Scope};
use crate::resources::Count;
use crate::selection::most_series;
use crate::snapshot::Snapshot;

fn render(snapshot: Option<&Snapshot>, now: Instant) -> String {
    super::render(snapshot, &Sources::ALL, now, Format::Text)
}

/// With what processes hold besides memory.
fn with_resources() -> Snapshot {
    let mut snapshot = fixture::snapshot();
    let count = |used| Some(Count { used, limit: Some(1024), is_new: false });
    for process in snapshot.entities.iter_mut().filter(|entity| entity.scope() == Scope::Process) {
        let resources = &mut Arc::make_mut(&mut process.figures).resources;
        *resources = resources.clone().with(Resource::Fds, count(12)).with(Resource::Maps, count(99));
    }
    snapshot.entities.push(fixture::resource(42, "leaky", "web", Resource::Fds, 900));
    snapshot
}

/// Names of the series in `text`, each with its labels.
fn series(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, _)| series.split_once('{').unwrap_or((series, "")))
}

fn without_help(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_snapshot_gives_exactly_this_text() {
    let text = render(Some(&with_resources()), Instant::now());
    let revision = option_env!("MEMLEAK_REVISION").unwrap_or("unknown");
    let build = format!("version=\"{}\",revision=\"{}\"", env!("CARGO_PKG_VERSION"), revision);
    let text = text.replace(&build, "version=\"@VERSION@\",revision=\"@REVISION@\"");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/exposition/golden.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, &text).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap();
    for (line, (is, should_be)) in (1..).zip(text.lines().zip(expected.lines())) {
        assert_eq!(is, should_be, "line {line}; UPDATE_GOLDEN=1 accepts all changes");
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "UPDATE_GOLDEN=1 accepts all changes");
}

#[test]
fn an_old_snapshot_keeps_what_describes_the_exporter() {
    let snapshot = fixture::snapshot();
    let text = without_help(&render(Some(&snapshot), snapshot.taken + Duration::from_secs(46)));
    assert!(text.contains("memleak_last_sample_timestamp_seconds 1700000000.5\n"), "{text}");
    assert!(text.contains("memleak_source_success{source=\"host\"} 1\n"), "{text}");
    assert!(text.contains("memleak_entities{scope=\"process\"} 2\n"), "{text}");
    for gone in [
        "memleak_host_",
        "memleak_cgroup_",
        "memleak_group_",
        "memleak_process_",
        "memleak_leak_score ",
        "memleak_suspect",
    ] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}

#[test]
fn before_the_first_snapshot_there_is_the_build() {
    let text = without_help(&render(None, Instant::now()));
    assert!(text.starts_with("memleak_build_info{version=\""), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn hostile_names_are_escaped() {
    let mut snapshot = fixture::snapshot();
    snapshot.entities.push(fixture::process(66, fixture::HOSTILE, fixture::HOSTILE, Some(99.0)));
    let text = render(Some(&snapshot), Instant::now());
    let escaped = "<script>\\\"a\\\\b\\n</script>";
    let line = format!("memleak_process_suspect{{pid=\"66\",name=\"{escaped}\",group=\"{escaped}\"}} 1\n");
    assert!(text.contains(&line), "{text}");
}

#[test]
fn every_sample_has_the_labels_that_the_catalog_says() {
    let text = render(Some(&fixture::snapshot()), Instant::now());
    for (name, labels) in series(&text) {
        let metric = catalog::all().find(|metric| metric.name == name);
        let metric = metric.unwrap_or_else(|| panic!("{name} is not in the catalog"));
        // Names stand before each `="`, after a brace or a comma.
        let ends = labels.match_indices("=\"").map(|(end, _)| &labels[..end]);
        let names: Vec<_> = ends.filter_map(|before| before.rsplit(',').next()).collect();
        assert_eq!(names, metric.labels, "{name}");
    }
}

#[test]
fn no_entity_has_more_series_than_the_cap_counts_on() {
    let snapshot = fixture::snapshot();
    for (at, entity) in snapshot.entities.iter().enumerate() {
        let without: Vec<_> = (0..)
            .zip(&snapshot.entities)
            .filter(|(other, _)| *other != at)
            .map(|(_, one)| one.clone())
            .collect();
        let count = |entities: Vec<_>| {
            let snapshot = Snapshot { entities, ..snapshot.clone() };
            series(&render(Some(&snapshot), snapshot.taken)).count()
        };
        let of_entity = count(snapshot.entities.clone()) - count(without);
        let most = most_series(entity.scope()) + entity.memory().iter().count();
        assert!(of_entity <= most, "{}: {of_entity} of {most}", entity.display_name());
    }
}

#[test]
fn one_source_has_its_families_and_those_of_the_whole() {
    let snapshot = fixture::snapshot();
    let names = |sources: &Sources| -> BTreeSet<String> {
        let text = super::render(Some(&snapshot), sources, snapshot.taken, Format::Text);
        series(&text).map(|(name, _)| name.to_string()).collect()
    };
    let [host, cgroup, process] =
        ["host", "cgroup", "process"].map(|name| names(&Sources::ALL.with(name).unwrap()));
    assert_eq!(&(&host | &cgroup) | &process, names(&Sources::ALL));
    let in_all = &(&host & &cgroup) & &process;
    assert!(in_all.contains("memleak_leak_score") && in_all.contains("memleak_source_success"));
    let prefixes = ["memleak_host_", "memleak_cgroup_", "memleak_process_"];
    let by_scope = |name: &&String| prefixes.iter().any(|prefix| name.starts_with(prefix));
    assert_eq!(in_all.iter().find(by_scope), None);
    assert!(host.contains("memleak_host_swap_used_bytes") && process.contains("memleak_group_processes"));
}

#[test]
fn one_source_has_its_suspects_alone() {
    let snapshot = fixture::snapshot();
    let text =
        super::render(Some(&snapshot), &Sources::ALL.with("host").unwrap(), snapshot.taken, Format::Text);
    assert_eq!(text.matches("\nmemleak_suspect_info{").count(), 1, "{text}");
    assert!(text.contains("\nmemleak_suspect_info{scope=\"host\","), "{text}");
    assert!(text.contains("\nmemleak_suspects{scope=\"process\"} 1\n"), "{text}");
}
