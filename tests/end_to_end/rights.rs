//! What each right buys, and that no other does: as nobody, with capabilities one by one.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::getuid;
use rustix::thread::{CapabilitySet, capability_is_in_bounding_set};

use crate::cgroups::fixture;
use crate::support::exposition::value;
use crate::support::process::Process;
use crate::support::servers::Server;
use crate::support::wait::{SOON, until};
use crate::support::{exporter, exporter_of_nobody, leaky, roots_of, skip, tree, unprivileged_exporter};

/// So fast that mappings, which are first counted with one of 32 samples, soon are.
const FLAGS: [&str; 3] = ["--sample.interval=100ms", "--process.top=all", "--sample.max-cpu=100%"];

/// What is seen of one process of root.
#[derive(Debug, PartialEq)]
struct Seen {
    memory: bool,
    descriptors: bool,
    mappings: bool,
    /// Of how many processes something is hidden, by what that is.
    hidden: BTreeMap<&'static str, f64>,
}

fn seen(exporter: &Server, process: &Process) -> Seen {
    let metrics = exporter.get("/metrics").body;
    let pid = process.pid();
    let has =
        |metric: &str| metrics.lines().any(|line| line.starts_with(&format!("{metric}{{pid=\"{pid}\"")));
    let hidden = ["executable", "descriptors", "mappings"].map(|what| {
        let series = format!("memleak_source_hidden_entities{{source=\"process\",what=\"{what}\"}}");
        (what, value(&metrics, &series).unwrap_or_else(|| panic!("no {series}: {metrics}")))
    });
    Seen {
        memory: has("memleak_process_memory_bytes"),
        descriptors: has("memleak_process_open_fds"),
        mappings: has("memleak_process_memory_maps"),
        hidden: hidden.into(),
    }
}

/// Whether we may start a program as another user with the capabilities that are of use. In containers root most often may not.
fn may_give_rights() -> bool {
    let needed = [
        CapabilitySet::SYS_PTRACE,
        CapabilitySet::DAC_READ_SEARCH,
        CapabilitySet::SETUID,
        CapabilitySet::SETGID,
        CapabilitySet::SETPCAP,
    ];
    let has = |capability| capability_is_in_bounding_set(capability).unwrap_or(false);
    getuid().is_root() && needed.into_iter().all(has)
}

/// When the latest sample was taken.
fn sampled(exporter: &Server) -> Option<f64> {
    value(&exporter.get("/metrics").body, "memleak_last_sample_timestamp_seconds")
}

#[test]
fn two_capabilities_show_all_and_none_shows_all_memory() {
    if !may_give_rights() {
        return skip("root with all capabilities, who alone may become nobody with some");
    }
    let directory = tempfile::tempdir().unwrap();
    let process = leaky("rights", &["steady", "--rate", "0MB/s"]);
    let nobody = |capabilities: &[&str]| exporter_of_nobody(directory.path(), capabilities, &FLAGS);
    let root = exporter(&FLAGS);
    let both = nobody(&["sys_ptrace", "dac_read_search"]);
    let one = nobody(&["sys_ptrace"]);
    let of_no_use = [nobody(&["dac_read_search"]), nobody(&[])];

    let all_exporters = [&root, &both, &one, &of_no_use[0], &of_no_use[1]];
    for exporter in all_exporters {
        let first = until("the first sample", SOON, || sampled(exporter));
        let is_last = std::ptr::eq(exporter, all_exporters[4]);
        // Which process has its turn when is a matter of its pid.
        until("a look at everything", SOON, || (!is_last || sampled(exporter)? > first + 3.5).then_some(()));
    }
    // What another namespace keeps to itself root does not see either.
    let all = seen(&root, &process);
    assert!(all.memory && all.descriptors && all.mappings, "{all:?}");
    until("two capabilities to show as much as root sees", SOON, || {
        (seen(&both, &process) == seen(&root, &process)).then_some(())
    });
    let by_one = seen(&one, &process);
    assert!(by_one.memory && by_one.mappings, "{by_one:?}");
    for exporter in &of_no_use {
        let seen = seen(exporter, &process);
        assert!(seen.memory && !seen.mappings, "{seen:?}");
        assert!(
            ["executable", "mappings"].iter().all(|what| seen.hidden[what] > all.hidden[what]),
            "{seen:?}"
        );
        let errors = "memleak_source_read_errors_total{source=\"process\",reason=\"permission\"}";
        assert_eq!(value(&exporter.get("/metrics").body, errors), Some(0.0), "it is no error");
    }
    for (exporter, missing) in [
        (&one, "CAP_DAC_READ_SEARCH"),
        (&of_no_use[0], "CAP_SYS_PTRACE"),
        (&of_no_use[1], "\"CAP_SYS_PTRACE CAP_DAC_READ_SEARCH\""),
    ] {
        let log = exporter.process.stderr();
        assert_eq!(log.matches("may not be seen").count(), 1, "{log}");
        assert!(
            log.contains(&format!("missing={missing} ")) || log.contains(&format!("missing={missing}\n")),
            "{log}"
        );
    }
    for exporter in [&root, &both] {
        let log = exporter.process.stderr();
        assert!(!log.contains("may not be seen"), "{log}");
    }
    for (exporter, is_superfluous) in [(&root, true), (&both, false), (&one, false), (&of_no_use[1], false)] {
        let log = exporter.process.stderr();
        assert_eq!(log.contains("more capabilities than can be of use"), is_superfluous, "{log}");
    }
}

#[test]
fn who_may_not_know_the_names_of_pods_is_told_so_once() {
    let host = tempfile::tempdir().unwrap();
    tree::expand(&(fixture("common.tree") + &fixture("kubernetes-systemd.tree")), host.path());
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let closed = host.path().join("var/log/pods");
    mode(host.path(), 0o755);
    mode(&closed, 0o000);
    let programs = tempfile::tempdir().unwrap();
    let roots = roots_of(host.path());
    let flags = [&roots.each_ref().map(String::as_str)[..], &["--sample.interval=100ms"]].concat();
    let exporter = unprivileged_exporter(programs.path(), &flags);
    let first = until("the first sample", SOON, || sampled(&exporter));
    until("more of them", SOON, || (sampled(&exporter)? > first + 0.5).then_some(()));
    let log = exporter.process.stderr();
    assert_eq!(log.matches("pods have no names").count(), 1, "{log}");
    // So that it can be removed.
    mode(&closed, 0o755);
}
