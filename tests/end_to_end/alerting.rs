//! From metrics to the receiver, by the rules and the configuration of this repository. The metrics are made up here, so that
//! no leak has to be waited for; `slow` has the same with a real one.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::http::Responder;
use crate::support::servers::Alerting;
use crate::support::wait::{SOON, until, watch};
use crate::support::webhook::Webhook;

/// Five minutes of suspicion are five seconds.
const FACTOR: u64 = 60;

/// Longer than the time it takes anything else to be notified: `for`, `group_wait` and two `group_interval`, scaled.
const NOTHING_MORE: Duration = Duration::from_secs(20);

#[test]
fn one_leak_is_one_notification() {
    let metrics = Arc::new(Mutex::new(Vec::new()));
    let exporter = fake_exporter(Arc::clone(&metrics));
    let expose =
        |series: &[&str]| *metrics.lock().unwrap() = series.iter().map(|one| one.to_string()).collect();
    // A leak, and a host that grows by it.
    let leak = [
        r#"memleak_group_suspect{group="leaky"} 1"#,
        r#"memleak_group_leak_score{group="leaky"} 87.4"#,
        r#"memleak_group_leak_growth_bytes_per_second{group="leaky"} 1048576"#,
        r#"memleak_suspect_info{scope="group",entity="leaky",reason="leaking",kind="anon",window="1h"} 1"#,
        r#"memleak_group_suspect{group="idle"} 0"#,
        "memleak_host_suspect 1",
        "memleak_host_growth_explained 1",
    ];
    expose(&leak);
    let webhook = Webhook::start();
    let Some(alerting) = Alerting::start(exporter.address(), webhook.address(), FACTOR) else { return };

    until("the alert to be pending", SOON, || state_is(&alerting, "leaky", "pending"));
    assert_eq!(webhook.all().len(), 0, "nothing is notified while it is pending: {:#?}", webhook.all());
    until("the alert to fire", SOON, || state_is(&alerting, "leaky", "firing"));
    until("the notification", SOON, || webhook.all().pop());
    watch(NOTHING_MORE, Duration::from_millis(500), |_| {
        assert_eq!(webhook.all().len(), 1, "one leak is one notification: {:#?}", webhook.all());
    });
    let notification = &webhook.all()[0];
    assert!(notification.is_firing());
    assert_eq!(notification.label("alertname"), "MemleakSuspect");
    assert_eq!(notification.label("group"), "leaky");
    assert_eq!(
        notification.annotation("description"),
        format!(
            "leaky on {} is leaking, mostly anon memory, seen over 1h; score 87 of 100; grew by 3.516GiB/h.",
            exporter.address()
        )
    );

    // It gets urgent. The host runs out by the same leak, and another group does before it was ever called suspect.
    let urgent = [
        r#"memleak_group_time_to_limit_seconds{group="leaky"} 1800"#,
        "memleak_host_time_to_limit_seconds 1800",
        r#"memleak_group_suspect{group="fast"} 1"#,
        r#"memleak_group_time_to_limit_seconds{group="fast"} 600"#,
    ];
    expose(&[&leak[..], &urgent].concat());
    until("two more notifications", SOON, || (webhook.all().len() == 3).then_some(()));
    watch(NOTHING_MORE, Duration::from_millis(500), |_| {
        assert_eq!(webhook.all().len(), 3, "no warning of what is critical already: {:#?}", webhook.all());
    });
    for group in ["leaky", "fast"] {
        let last = webhook.with("group", group).pop().unwrap();
        assert_eq!(last.label("alertname"), "MemleakExhaustionSoon");
        assert_eq!(last.label("severity"), "critical");
    }
    assert_eq!(webhook.with("scope", "host").len(), 0);

    // A host that runs out and that no group explains is a finding of its own.
    let unexplained = [&leak[..5], &urgent, &["memleak_host_suspect 1"]].concat();
    expose(&unexplained);
    until("the host's alert to fire", SOON, || {
        (alerting.state("MemleakExhaustionSoon", "scope", "host").as_deref() == Some("firing")).then_some(())
    });
    until("its notification", SOON, || webhook.with("scope", "host").pop());

    // Both are gone: whoever was told of them is told so.
    expose(&[]);
    let minute_of_keeping = Duration::from_secs(60);
    for alert in ["MemleakExhaustionSoon", "MemleakSuspect"] {
        until("the all-clear", minute_of_keeping, || {
            let told = webhook.with("group", "leaky");
            told.iter().any(|one| !one.is_firing() && one.label("alertname") == alert).then_some(())
        });
    }
}

#[test]
fn leaked_threads_are_one_notification_although_their_stacks_are_memory() {
    let exporter = fake_exporter(Arc::new(Mutex::new(vec![
        r#"memleak_group_suspect{group="pool"} 1"#.to_string(),
        r#"memleak_process_resource_suspect{pid="7",name="pool",group="pool",resource="threads"} 1"#
            .to_string(),
        // Open files are no memory that shows: this one leaks both.
        r#"memleak_group_suspect{group="web"} 1"#.to_string(),
        r#"memleak_process_resource_suspect{pid="8",name="web",group="web",resource="fds"} 1"#.to_string(),
    ])));
    let webhook = Webhook::start();
    let Some(_alerting) = Alerting::start(exporter.address(), webhook.address(), FACTOR) else { return };
    until("all notifications", SOON, || (webhook.all().len() == 3).then_some(()));
    watch(NOTHING_MORE, Duration::from_millis(500), |_| {
        assert_eq!(webhook.all().len(), 3, "{:#?}", webhook.all());
    });
    let [of_pool] = &webhook.with("group", "pool")[..] else { panic!("{:#?}", webhook.all()) };
    assert_eq!(of_pool.label("alertname"), "MemleakResourceSuspect");
}

#[test]
fn an_exporter_that_is_gone_is_reported_once_and_by_name() {
    let exporter = fake_exporter(Arc::default());
    let address = exporter.address();
    let webhook = Webhook::start();
    let Some(alerting) = Alerting::start(address, webhook.address(), FACTOR) else { return };
    until("the exporter to be known", SOON, || {
        let known = alerting.prometheus.json("/api/v1/query?query=instance:memleak_exporter:known");
        (known["data"]["result"].as_array()?.len() == 1).then_some(())
    });

    drop(exporter);
    let notification = until("the notification", SOON, || webhook.all().pop());
    assert_eq!(notification.label("alertname"), "MemleakExporterDown");
    assert_eq!(notification.label("instance"), address.to_string());
    watch(NOTHING_MORE, Duration::from_millis(500), |_| {
        assert_eq!(webhook.all().len(), 1, "{:#?}", webhook.all());
    });
}

fn state_is(alerting: &Alerting, group: &str, state: &str) -> Option<()> {
    (alerting.state("MemleakSuspect", "group", group)? == state).then_some(())
}

/// Serves what an exporter in good health serves, and `more`.
fn fake_exporter(more: Arc<Mutex<Vec<String>>>) -> Responder {
    Responder::start(move |_| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let health = format!(
            "memleak_build_info{{version=\"0\"}} 1\n\
             memleak_last_sample_timestamp_seconds {now}\n\
             memleak_sample_interval_seconds 15\n\
             memleak_source_success{{source=\"process\"}} 1\n"
        );
        more.lock().unwrap().iter().fold(health, |text, series| text + series + "\n")
    })
}
