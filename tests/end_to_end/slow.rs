//! What takes minutes: real leaks have to grow.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::queries;
use crate::support::exposition::{group_is_suspect, pids, value};
use crate::support::process::{Process, Program};
use crate::support::servers::Alerting;
use crate::support::wait::{SOON, until, watch};
use crate::support::webhook::Webhook;
use crate::support::{exporter, leaky};

mod cgroups;

/// A real leak, through the real detector, Prometheus and Alertmanager, to the receiver: one notification, with its
/// evidence, and none for its neighbours. One second counts as a quarter of an hour for the detector, as one for alerting.
#[test]
fn a_leak_reaches_the_receiver_once_and_a_warm_up_does_not() {
    const FACTOR: u64 = 60;
    let _leaks = [
        leaky("leak-steady", &["steady", "--rate", "1MB/s"]),
        leaky("leak-warmup", &["warm-up", "--size", "60MB", "--period", "20s"]),
        leaky("leak-idle", &["idle", "--base", "20MB"]),
    ];
    let exporter = exporter(&["--sample.interval=250ms", "--sample.time-lapse=900"]);
    let webhook = Webhook::start();
    let Some(alerting) = Alerting::start(exporter.address, webhook.address(), FACTOR) else { return };

    until("the leak to be suspect", Duration::from_secs(360), || {
        let metrics = exporter.get("/metrics").body;
        group_is_suspect(&metrics, "leak-steady")?.then_some(())
    });
    let state_is = |state| (alerting.state("MemleakSuspect", "group", "leak-steady")? == state).then_some(());
    until("the alert to be pending", SOON, || state_is("pending"));
    until("the alert to fire", SOON, || state_is("firing"));
    until("the notification", SOON, || webhook.with("group", "leak-steady").pop());

    // For as long as everything that could still come takes: `for`, `group_wait` and several `group_interval`.
    watch(Duration::from_secs(30), Duration::from_millis(500), |_| {
        let told = webhook.with("group", "leak-steady");
        assert_eq!(told.len(), 1, "one leak is one notification: {told:#?}");
        for innocent in ["leak-warmup", "leak-idle"] {
            let told = webhook.with("group", innocent);
            assert!(told.is_empty(), "{told:#?}");
        }
    });
    let notification = &webhook.with("group", "leak-steady")[0];
    assert_eq!(notification.label("alertname"), "MemleakSuspect");
    let description = notification.annotation("description");
    for evidence in ["leak-steady on 127.0.0.1:", "anon memory", "; score ", "; grew by "] {
        assert!(description.contains(evidence), "no {evidence:?} in: {description}");
    }

    // Whoever opens the dashboards now sees it. No limit is near, the host is not suspect by itself, nothing leaks
    // besides memory, and there need be no cgroups.
    let absent = [
        "Shortest time",
        "Time to limit",
        "Processes C",
        "Processes E",
        "Suspect groups C",
        "Suspect hosts",
        "Leak score of hosts",
        "hold besides memory A",
        "hold besides memory D",
        "hold besides memory E",
        "pen files, threads and mappings",
        "ontainers and services",
        "cgroup",
    ];
    let unanswered = queries::unanswered(&alerting.prometheus, "leak-steady");
    let unexpected: Vec<_> =
        unanswered.iter().filter(|place| !absent.iter().any(|absent| place.contains(absent))).collect();
    assert_eq!(unexpected, [""; 0]);
}

/// At the speed of production: found before the limit is reached, and what only looks like a leak is left alone.
#[test]
fn a_leak_is_found_before_its_limit_and_a_cache_is_not_called_one() {
    // 512 MiB at 1 MB/s are 537 seconds.
    const WATCHED: Duration = Duration::from_secs(510);
    let mut leak = leaky("prod-steady", &["steady", "--rate", "1MB/s", "--limit-data", "512MiB"]);
    let _innocent = [
        leaky("prod-cache", &["cache", "--size", "60MB", "--rate", "5MB/s"]),
        leaky("prod-idle", &["idle", "--base", "20MB"]),
    ];
    let exporter = exporter(&["--sample.interval=1s"]);

    let mut found = None;
    watch(WATCHED, Duration::from_secs(1), |elapsed| {
        assert!(leak.exited().is_none(), "{}", leak.stderr());
        let metrics = exporter.get("/metrics").body;
        for innocent in ["prod-cache", "prod-idle"] {
            let suspect = group_is_suspect(&metrics, innocent);
            assert_ne!(suspect, Some(true), "{innocent} is called a leak after {elapsed:?}");
            let left =
                value(&metrics, &format!("memleak_group_time_to_limit_seconds{{group=\"{innocent}\"}}"));
            assert_eq!(left, None, "{innocent} is said to run out after {elapsed:?}");
        }
        if found.is_none() && group_is_suspect(&metrics, "prod-steady") == Some(true) {
            println!("found after {elapsed:?}");
            found = Some(elapsed);
        }
    });
    assert!(found.is_some(), "not found within {WATCHED:?}");
}

/// Leaks that resident memory does not show are found, each under its own name, and none is told as memory.
#[test]
fn open_files_threads_and_mappings_that_leak_are_told_as_such() {
    // Mappings are looked at every 32nd sample, and judged from 26 such looks on.
    const FOUND: Duration = Duration::from_secs(480);
    let [files, threads, mappings] = [
        leaky("res-fds", &["fds", "--rate", "2/s", "--of", "sockets"]),
        leaky("res-threads", &["threads", "--rate", "2/s"]),
        leaky("res-maps", &["maps", "--rate", "4/s"]),
    ];
    let churn = leaky("res-churn", &["fd-churn", "--count", "300", "--period", "5s"]);
    let idle = leaky("res-idle", &["idle", "--base", "20MB"]);
    let flags =
        ["--sample.interval=100ms", "--sample.max-cpu=100%", "--sample.time-lapse=900", "--process.top=all"];
    let exporter = exporter(&flags);

    let is_suspect = |metrics: &str, process: &Process, name: &str, resource: &str| {
        let pid = process.pid();
        let labels = format!("pid=\"{pid}\",name=\"{name}\",group=\"{name}\",resource=\"{resource}\"");
        value(metrics, &format!("memleak_process_resource_suspect{{{labels}}}")) == Some(1.0)
    };
    let leaks =
        [(&files, "res-fds", "fds"), (&threads, "res-threads", "threads"), (&mappings, "res-maps", "maps")];
    until("every resource to be suspect", FOUND, || {
        let metrics = exporter.get("/metrics").body;
        for resource in ["fds", "threads", "maps"] {
            for (innocent, name) in [(&churn, "res-churn"), (&idle, "res-idle")] {
                assert!(!is_suspect(&metrics, innocent, name, resource), "{resource} of {name}");
            }
            for (leak, name, of) in leaks {
                // The stack of each thread is mapped.
                let is_its_own = of == resource || (of, resource) == ("threads", "maps");
                assert!(is_its_own || !is_suspect(&metrics, leak, name, resource), "{resource} of {name}");
            }
        }
        assert_ne!(group_is_suspect(&metrics, "res-fds"), Some(true), "it holds no more memory");
        leaks.iter().all(|(leak, name, of)| is_suspect(&metrics, leak, name, of)).then_some(())
    });

    let query = "/api/leak_indicators?scope=process_resource&status=suspect";
    let indicator = until("descriptors by kind", SOON, || {
        let answer: Value = serde_json::from_str(&exporter.get(query).body).ok()?;
        let indicators = answer["indicators"].as_array()?.clone();
        indicators.into_iter().find(|one| one["labels"]["name"] == "res-fds" && !one["fds_by_kind"].is_null())
    });
    let (sockets, count) = (indicator["fds_by_kind"]["socket"].as_u64(), indicator["count"].as_u64());
    assert!(sockets > Some(100) && count >= sockets, "{indicator}");
    assert!(
        indicator["growth_bytes_per_second"].is_null() && indicator["growth_per_second"].is_f64(),
        "{indicator}"
    );
    let page = exporter.get("/").body;
    let name = format!("open files of res-fds[{}]", files.pid());
    assert!(page.contains(&name) && !page.contains("open files of res-idle"), "{page}");
}

/// A hundred processes are born and die each second: the exporter keeps no series of the dead, and does not leak itself.
#[test]
fn the_dead_leave_nothing_behind() {
    const BIRTHS_PER_SECOND: f64 = 100.0;
    const SETTLED: Duration = Duration::from_secs(10);
    const MOST_GROWTH: u64 = 2 << 20;
    let exporter = exporter(&["--sample.interval=1s", "--process.top=all", "--series.max=0"]);

    let mut alive: VecDeque<Process> = VecDeque::new();
    let mut born = 0.0;
    let mut seen = 0;
    let mut settled_bytes = None;
    watch(Duration::from_secs(60), Duration::from_millis(10), |elapsed| {
        while born < elapsed.as_secs_f64() * BIRTHS_PER_SECOND {
            alive.push_back(Program::new("sleep").arg("0.3").start());
            born += 1.0;
        }
        // Zombies are processes, too: whoever has ended is waited for at once.
        while alive.front_mut().is_some_and(|oldest| oldest.exited().is_some()) {
            alive.pop_front();
        }
        if elapsed >= SETTLED && settled_bytes.is_none() {
            settled_bytes = Some(exporter.process.resident_bytes());
            let metrics = exporter.get("/metrics").body;
            seen = pids(&metrics).iter().filter(|pid| alive.iter().any(|one| one.pid() == **pid)).count();
        }
    });
    assert!(born > 5000.0, "only {born} processes were born in time");
    assert!(seen > 0, "the exporter sees those that live");
    drop(alive);

    let ended = now();
    until("a sample without the dead", SOON, || {
        let metrics = exporter.get("/metrics").body;
        let dead = pids(&metrics).into_iter().find(|pid| !Path::new("/proc").join(pid.to_string()).exists());
        (value(&metrics, "memleak_last_sample_timestamp_seconds")? > ended && dead.is_none()).then_some(())
    });
    let grown = exporter.process.resident_bytes().saturating_sub(settled_bytes.unwrap_or(0));
    assert!(grown < MOST_GROWTH, "the exporter grew by {grown} bytes");
    let stderr = exporter.process.stderr();
    assert!(!stderr.contains("level=error"), "{stderr}");
}

fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}
