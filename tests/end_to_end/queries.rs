//! Whether alert rules and dashboards ask for what the exporter serves, in a way that Prometheus understands. What they
//! ask for is taken from the files, what there is to be had from a real scrape of the real exporter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use memleak_exporter::exposition::catalog;
use serde_json::Value;

use crate::dashboards::{self, Query};
use crate::promql;
use crate::support::servers::{Alerting, Server};
use crate::support::wait::until;
use crate::support::webhook::Webhook;
use crate::support::{exporter, leaky};

/// What is served only of suspects, where a limit is near, where memory or a count does something, or with a
/// configuration file, and so for minutes not at all, or not on every machine. The catalog vouches for these; a dashboard of a real leak is in `slow`.
const LATE: [&str; 23] = [
    "memleak_config_last_reload_success_timestamp_seconds",
    "memleak_config_last_reload_successful",
    "memleak_group_leak_window_seconds",
    "memleak_group_time_to_limit_seconds",
    "memleak_host_leak_growth_bytes_per_second",
    "memleak_host_leak_window_seconds",
    "memleak_host_time_to_limit_seconds",
    "memleak_host_unaccounted_leak_growth_bytes_per_second",
    "memleak_host_unaccounted_leak_score",
    "memleak_host_unaccounted_leak_window_seconds",
    "memleak_host_unaccounted_time_to_limit_seconds",
    "memleak_process_leak_window_seconds",
    "memleak_process_memory_limit_bytes",
    "memleak_process_resource_growth_explained",
    "memleak_process_resource_leak_growth_per_second",
    "memleak_process_resource_leak_score",
    "memleak_process_resource_leak_window_seconds",
    "memleak_process_resource_suspect",
    "memleak_process_resource_time_to_limit_seconds",
    "memleak_process_time_to_limit_seconds",
    "memleak_suspect_info",
    "memleak_web_config_last_reload_success_timestamp_seconds",
    "memleak_web_config_last_reload_successful",
];

/// How the names begin of what is not served where the kernel accounts memory to no cgroup.
const CGROUPS: &str = "memleak_cgroup_";

fn is_late(name: &str) -> bool {
    LATE.contains(&name) || name.starts_with(CGROUPS)
}

/// Of time lapse: seconds, but for a busy machine.
const A_FEW_HOURS: Duration = Duration::from_secs(60);

#[test]
fn rules_and_dashboards_ask_for_what_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let _leak = leaky("asked-for", &["steady", "--rate", "1MB/s"]);
    // With time lapse there are scores within seconds.
    let state = directory.path().join("state");
    let exporter = exporter(&[
        "--sample.interval=100ms",
        "--sample.time-lapse=600",
        &format!("--state.file={}", state.display()),
        "--state.interval=1s",
    ]);
    let webhook = Webhook::start();
    let Some(alerting) = Alerting::start(exporter.address, webhook.address(), 1) else { return };
    let prometheus = &alerting.prometheus;
    let mut missing = vec![];
    let scraped = until("all but the late metrics to be scraped", A_FEW_HOURS, || {
        let scraped = scraped(prometheus);
        let now_missing = expected().filter(|name| !scraped.contains_key(*name)).collect();
        if missing != now_missing {
            missing = now_missing;
            println!("missing: {missing:?}");
        }
        missing.is_empty().then_some(scraped)
    });
    let known = known(scraped);

    let rules = rules(prometheus);
    assert!(rules.len() > 5, "{rules:?}");
    for Query { place, expr, label } in of_dashboards("asked-for").into_iter().chain(rules) {
        let parsed = promql::parse(&expr).unwrap_or_else(|error| panic!("{place}: {error}: {expr}"));
        let mut labels = parsed.made.clone();
        for selector in &parsed.selectors {
            let of_metric = known.get(&selector.name);
            let of_metric = of_metric.unwrap_or_else(|| panic!("{place}: nobody serves {}", selector.name));
            for label in &selector.labels {
                assert!(of_metric.contains(label), "{place}: {} has no label {label}", selector.name);
            }
            labels.extend(of_metric.iter().cloned());
        }
        for label in parsed.labels.iter().chain(&label) {
            assert!(labels.contains(label), "{place}: nothing in it has a label {label}: {expr}");
        }
        answer(prometheus, &place, &expr);
    }
    for (place, name) in metrics_of_annotations(prometheus) {
        assert!(known.contains_key(&name), "{place}: nobody serves {name}");
    }
}

/// What has to be in a scrape sooner or later: what the catalog has, and what Prometheus adds by itself and by the rules.
fn expected() -> impl Iterator<Item = &'static str> {
    let served = catalog::all().map(|metric| metric.name).filter(|name| !is_late(name));
    served.chain(["up", "instance:memleak_exporter:known"])
}

/// Asks all that the dashboards ask about this group, and gives the places where nothing came back.
pub(crate) fn unanswered(prometheus: &Server, group: &str) -> Vec<String> {
    let queries = of_dashboards(group).into_iter();
    let empty = queries.filter(|query| answer(prometheus, &query.place, &query.expr).is_empty());
    empty.map(|query| query.place).collect()
}

/// The queries of all dashboards, with values for their variables: this group, some cgroup, and all of
/// everything else.
fn of_dashboards(group: &str) -> Vec<Query> {
    let all = dashboards::all().into_iter().flat_map(|dashboard| dashboard.queries());
    let values = [
        ("__rate_interval", "10s"),
        ("__range", "1h"),
        ("job", ".+"),
        ("instance", ".+"),
        ("group", group),
        ("pid", ".+"),
        ("cgroup", "/system.slice/asked-for.service"),
    ];
    all.map(|query| Query { expr: promql::with_values(&query.expr, &values), ..query }).collect()
}

/// The queries of the rules, as Prometheus read them.
fn rules(prometheus: &Server) -> Vec<Query> {
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let query = |rule: Value| Query { place: text(&rule["name"]), expr: text(&rule["query"]), label: None };
    all_rules(prometheus).map(query).collect()
}

/// Metrics in the templates of descriptions, by alert. A `%s` in one stands for a scope.
fn metrics_of_annotations(prometheus: &Server) -> Vec<(String, String)> {
    let mut found = vec![];
    for rule in all_rules(prometheus) {
        let text = rule["annotations"].to_string();
        let ends = |char: char| !(char.is_ascii_alphanumeric() || char == '_' || char == '%');
        for name in text.split(ends).filter(|word| word.starts_with("memleak_")) {
            let scopes: &[&str] =
                if name.contains("%s") { &["group", "cgroup", "host", "host_unaccounted"] } else { &[""] };
            let names = scopes.iter().map(|scope| name.replace("%s", scope));
            found.extend(names.map(|name| (rule["name"].to_string(), name)));
        }
    }
    assert!(!found.is_empty());
    found
}

fn all_rules(prometheus: &Server) -> impl Iterator<Item = Value> {
    let answer = prometheus.json("/api/v1/rules");
    let groups = answer["data"]["groups"].as_array().unwrap().clone();
    groups.into_iter().flat_map(|group| group["rules"].as_array().unwrap().clone())
}

/// What an instant query gives.
fn answer(prometheus: &Server, place: &str, expr: &str) -> Vec<Value> {
    let query: String = form_urlencoded::byte_serialize(expr.as_bytes()).collect();
    let answer = prometheus.json(&format!("/api/v1/query?query={query}"));
    assert_eq!(answer["status"], "success", "{place}: {answer}: {expr}");
    answer["data"]["result"].as_array().unwrap().clone()
}

/// Labels by metric, of all that Prometheus has of the exporter.
fn scraped(prometheus: &Server) -> BTreeMap<String, BTreeSet<String>> {
    let answer = prometheus.json("/api/v1/series?match[]=%7Bjob%3D%22e2e%22%7D");
    let mut scraped: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for series in answer["data"].as_array().unwrap() {
        let mut labels = series.as_object().unwrap().clone();
        let name = labels.remove("__name__").unwrap();
        let known = scraped.entry(name.as_str().unwrap().to_string()).or_default();
        // Prometheus does not keep labels that are empty.
        known.extend(labels.into_iter().map(|(label, _)| label));
    }
    scraped
}

/// What was scraped, and what the catalog says of the rest.
fn known(mut scraped: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let of_target = ["job", "instance"].map(str::to_string);
    for metric in catalog::all() {
        let labels = metric.labels.iter().map(|label| label.to_string()).chain(of_target.clone());
        if let Some(found) = scraped.get_mut(metric.name) {
            assert!(found.is_subset(&labels.clone().collect()), "{}: {found:?}", metric.name);
            found.extend(labels);
        } else if is_late(metric.name) {
            scraped.insert(metric.name.to_string(), labels.collect());
        }
    }
    scraped
}
