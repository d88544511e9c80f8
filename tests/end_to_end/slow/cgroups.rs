//! Real programs in real cgroups. Needs root.

use std::time::Duration;

use serde_json::Value;

use crate::support::cgroup::Cgroup;
use crate::support::exporter;
use crate::support::exposition::value;
use crate::support::servers::{Alerting, Server};
use crate::support::wait::{SOON, until, watch};
use crate::support::webhook::Webhook;

const MIB: u64 = 1 << 20;

/// Seconds that one second counts as.
const LAPSE: u64 = 900;

/// How much faster than usual alerts are raised and told.
const ALERTING: u64 = 60;

/// Whether the cgroup is suspect; `None` while it is unknown.
fn is_suspect(metrics: &str, cgroup: &Cgroup) -> Option<bool> {
    value(metrics, &of(cgroup, "suspect")).map(|suspect| suspect == 1.0)
}

fn of(cgroup: &Cgroup, metric: &str) -> String {
    format!("memleak_cgroup_{metric}{{cgroup=\"{}\"}}", cgroup.path)
}

/// What the API says of the cgroup.
fn indicator(exporter: &Server, cgroup: &Cgroup) -> Value {
    let body = exporter.get("/api/leak_indicators?scope=cgroup&limit=1000").body;
    let answer: Value = serde_json::from_str(&body).unwrap();
    let indicators = answer["indicators"].as_array().unwrap();
    let found = indicators.iter().find(|indicator| indicator["entity"] == cgroup.path.as_str());
    found.unwrap_or_else(|| panic!("{} is not there: {body}", cgroup.path)).clone()
}

/// A leak below a limit, one in memory that no process maps, and files that are written: each in a cgroup of its own,
/// side by side under one exporter, up to the receiver of notifications.
#[test]
fn a_leak_in_a_cgroup_is_told_once_and_from_page_cache_and_counts_down_to_its_limit() {
    const LIMIT: u64 = 1024 * MIB;
    const RATE: f64 = 2e6;
    let Some(limited) = Cgroup::new("limited", Some(LIMIT)) else { return };
    let Some(unmapped) = Cgroup::new("unmapped", None) else { return };
    let Some(cache) = Cgroup::new("cache", Some(LIMIT)) else { return };
    let leak = limited.leaky("cg-anon", &["steady", "--rate", "2MB/s"]);
    let _shmem = unmapped.leaky("cg-shmem", &["memfds", "--rate", "2MB/s"]);
    let _files = cache.leaky("cg-files", &["page-cache", "--rate", "2MB/s"]);
    let lapse = format!("--sample.time-lapse={LAPSE}");
    let exporter = exporter(&["--source.cgroup", "--sample.interval=250ms", &lapse]);
    let webhook = Webhook::start();
    let Some(_alerting) = Alerting::start(exporter.address, webhook.address(), ALERTING) else { return };

    let metrics = until("both leaks to be suspect", Duration::from_secs(400), || {
        let metrics = exporter.get("/metrics").body;
        assert_ne!(is_suspect(&metrics, &cache), Some(true), "page cache is no leak");
        let both = is_suspect(&metrics, &limited)? && is_suspect(&metrics, &unmapped)?;
        both.then_some(metrics)
    });

    assert_eq!(value(&metrics, &of(&limited, "memory_limit_bytes")), Some(LIMIT as f64), "exactly");
    assert_eq!(value(&metrics, &of(&unmapped, "memory_limit_bytes")), None);
    let used = limited.number(["memory.usage_in_bytes", "memory.current"]);
    let left = (LIMIT - used) as f64 / RATE * LAPSE as f64;
    let told = value(&metrics, &of(&limited, "time_to_limit_seconds")).expect("a time to the limit");
    println!("{left:.0} s to the limit, told {told:.0} s");
    assert!((told / left - 1.0).abs() < 0.3, "{left:.0} s to the limit, told {told:.0} s");

    // Who it is, and that it is told once.
    let seen = indicator(&exporter, &limited);
    let culprit = &seen["cgroup"]["growing_processes"][0];
    assert_eq!((&culprit["pid"], &culprit["name"]), (&leak.pid().into(), &"cg-anon".into()), "{seen:#}");
    until("the group to explain its cgroup", Duration::from_secs(60), || {
        let metrics = exporter.get("/metrics").body;
        (value(&metrics, &of(&limited, "growth_explained")) == Some(1.0)).then_some(())
    });
    assert_eq!(indicator(&exporter, &limited)["explained_by"]["entity"], "cg-anon");

    // No process has it, so that the cgroup speaks for itself.
    let seen = indicator(&exporter, &unmapped);
    assert_eq!((&seen["explained_by"], &seen["cgroup"]["limits"]), (&Value::Null, &Value::Array(Vec::new())));
    assert!(seen["growth_by_kind"]["shmem"].as_i64() > seen["growth_by_kind"]["anon"].as_i64(), "{seen:#}");
    let info = format!(
        "memleak_suspect_info{{scope=\"cgroup\",entity=\"{}\",reason=\"leaking\",kind=\"shmem\"",
        unmapped.path
    );
    assert!(metrics.contains(&info), "no {info}");
    assert_ne!(is_suspect(&exporter.get("/metrics").body, &cache), Some(true));

    // One leak is one notification: of the narrowest that has a name which lasts.
    let first = |label, value: &str| until("the notification", SOON, || webhook.with(label, value).pop());
    let of_group = first("group", "cg-anon");
    let of_cgroup = first("cgroup", &unmapped.path);
    for (notification, scope) in [(&of_group, "group"), (&of_cgroup, "cgroup")] {
        assert_eq!((notification.label("alertname"), notification.label("scope")), ("MemleakSuspect", scope));
    }
    let description = of_cgroup.annotation("description");
    assert!(description.contains(&unmapped.path) && description.contains("shmem memory"), "{description}");
    // For as long as everything that could still come takes. Whoever leaks memfds leaks descriptors, which is told besides.
    watch(Duration::from_secs(20), Duration::from_millis(500), |_| {
        for (label, value, expected) in [
            ("group", "cg-anon", 1),
            ("cgroup", &*unmapped.path, 1),
            ("cgroup", &*limited.path, 0),
            ("cgroup", &*cache.path, 0),
            ("group", "cg-shmem", 0),
            ("group", "cg-files", 0),
        ] {
            let mut told = webhook.with(label, value);
            told.retain(|notification| notification.label("alertname") != "MemleakResourceSuspect");
            assert_eq!(told.len(), expected, "{label} {value}: {told:#?}");
        }
    });
}
