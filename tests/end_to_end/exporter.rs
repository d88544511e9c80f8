//! How the exporter behaves towards whoever starts, scrapes and stops it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use crate::support::exposition::value;
use crate::support::http::connect;
use crate::support::process::{Process, Program};
use crate::support::wait::{SOON, until, watch};
use crate::support::{exporter, promtool_says, unprivileged_exporter};

#[test]
fn serves_within_a_second() {
    let exporter = exporter(&[]);
    assert!(exporter.start_up < Duration::from_secs(1), "took {:?}", exporter.start_up);
    assert_eq!(exporter.get("/metrics").status, 200);
}

/// As nobody, where the tests run as root.
#[test]
fn serves_without_privileges() {
    if !rustix::process::getuid().is_root() {
        return serves_within_a_second();
    }
    let directory = tempfile::tempdir().unwrap();
    let exporter = unprivileged_exporter(directory.path(), &[]);
    assert!(exporter.start_up < Duration::from_secs(1), "took {:?}", exporter.start_up);
    let processes = until("the first sample", SOON, || {
        value(&exporter.get("/metrics").body, r#"memleak_entities{scope="process"}"#)
    });
    assert!(processes > 1.0, "it sees the processes of others");
}

#[test]
fn promtool_has_no_complaint_about_the_metrics() {
    let exporter = exporter(&["--sample.interval=250ms", "--process.top=all"]);
    let metrics = until("the first sample", SOON, || {
        let metrics = exporter.get("/metrics").body;
        value(&metrics, "memleak_last_sample_timestamp_seconds").map(|_| metrics)
    });
    if let Some(said) = promtool_says(&metrics) {
        assert_eq!(said, (Some(0), String::new()));
    }
}

#[test]
fn a_wrong_flag_gets_one_line_that_names_it() {
    for flag in ["--no-such-flag", "--sample.interval=often", "--score.threshold=high"] {
        let (code, stderr) = ended(Program::exporter().arg(flag).start());
        let name = flag.split('=').next().unwrap_or(flag);
        assert_eq!(code, Some(2), "{flag}: {stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{flag}: {stderr}");
        assert!(stderr.contains(name), "{flag}: {stderr}");
    }
}

#[test]
fn a_port_that_is_taken_gets_one_clear_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, stderr) = ended(Program::exporter().arg(format!("--web.listen-address={address}")).start());
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.contains(&address)).count(), 1, "{stderr}");
    assert!(stderr.contains("in use") && !stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_procfs_that_is_not_there_gets_one_clear_sentence() {
    let flags = ["--path.procfs=/nonexistent", "--web.listen-address=127.0.0.1:0"];
    let (code, stderr) = ended(Program::exporter().args(&flags).start());
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.contains("--path.procfs")).count(), 1, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn garbage_in_procfs_fails_the_sources_and_nothing_else() {
    let procfs = tempfile::tempdir().unwrap();
    for file in ["meminfo", "stat", "uptime"] {
        std::fs::write(procfs.path().join(file), b"\0\xff{[]}\n-1\n").unwrap();
    }
    std::fs::create_dir(procfs.path().join("1")).unwrap();
    let exporter =
        exporter(&[&format!("--path.procfs={}", procfs.path().display()), "--sample.interval=100ms"]);
    for source in ["host", "process"] {
        let success = until("a sample", SOON, || {
            value(&exporter.get("/metrics").body, &format!("memleak_source_success{{source=\"{source}\"}}"))
        });
        assert_eq!(success, 0.0, "{source}");
    }
    let stderr = exporter.process.stderr();
    let errors: Vec<&str> = stderr.lines().filter(|line| line.contains("level=error")).collect();
    assert_eq!(errors.len(), 2, "each failure is told once: {stderr}");
    assert!(errors.iter().all(|line| line.contains("cannot understand ")), "{stderr}");
}

/// As a machine without time for it would.
#[test]
fn a_stall_is_a_gap_and_no_more() {
    const STOPPED: Duration = Duration::from_secs(3);
    let fixtures = concat!("--path.procfs=", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host/proc");
    let exporter =
        exporter(&[fixtures, "--no-source.cgroup", "--sample.interval=100ms", "--sample.time-lapse=100"]);
    let ask = |series: &str| value(&exporter.get("/metrics").body, series);
    let skipped = until("some samples", SOON, || {
        ask("memleak_leak_score")?;
        ask("memleak_ticks_skipped_total")
    });
    exporter.process.stop();
    watch(STOPPED, STOPPED, |_| {});
    exporter.process.resume();
    // All but one for which there was time at either end.
    let missed = STOPPED.as_secs_f64() / 0.1 - 2.0;
    until("what was missed to be counted", SOON, || {
        ask("memleak_ticks_skipped_total").filter(|now| *now >= skipped + missed)
    });
    until("a verdict", SOON, || (exporter.get("/-/healthy").status == 200).then_some(()));
    assert_eq!(
        ask("memleak_sample_interval_seconds"),
        Some(0.1),
        "a stall costs nothing of our share of CPU time"
    );
    for scope in ["host", "group", "process"] {
        assert_eq!(ask(&format!("memleak_suspects{{scope=\"{scope}\"}}")), Some(0.0), "{scope}");
    }
}

#[test]
fn sigterm_ends_it_in_order_though_connections_are_open() {
    let mut exporter = exporter(&[]);
    // One that has been served and is kept open, and one that was never asked anything.
    let mut served = connect(exporter.address).unwrap();
    write!(served, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(served.read(&mut [0; 512]).unwrap() > 0);
    let _silent = connect(exporter.address).unwrap();

    exporter.process.terminate();
    assert_eq!(exporter.process.exit_code(SOON), Some(0), "{}", exporter.process.stderr());
    assert_eq!(served.read(&mut [0; 512]).unwrap_or(0), 0, "the connection is closed");
}

/// Exit code and error output of a process that ends by itself.
fn ended(mut process: Process) -> (Option<i32>, String) {
    let code = process.exit_code(SOON);
    (code, process.stderr())
}
