//! What the watched system's files can do to us: the kernel refuses, interrupts and breaks off, by strace's injection of
//! faults. Whatever one file does, nothing else is hidden by it, and all is as before once it is over.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::cgroups::fixture;
use crate::support::exposition::value;
use crate::support::http::{connect, get};
use crate::support::process::Program;
use crate::support::servers::Server;
use crate::support::wait::{SOON, until, watch};
use crate::support::{exporter_at, leaky, roots_of, tool, tracer, tree};

/// A host of files in which system calls fail.
struct Host(TempDir);

/// What is to become of a fault.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// It is counted so often, for this source and reason.
    Counted(f64, &'static str, &'static str),
    /// Nobody notices.
    Nothing,
    /// What was there is gone meanwhile, without any error.
    Gone,
    /// These sources fail meanwhile.
    Failed(&'static [&'static str]),
}

use Outcome::{Counted, Failed, Gone, Nothing};

impl Host {
    fn new(name: &str) -> Host {
        let host = Host(tempfile::tempdir().unwrap());
        tree::expand(&(fixture("common.tree") + &fixture(&format!("{name}.tree"))), host.0.path());
        host
    }

    /// The exporter over it, to which `fault` happens at the file `path`, or at every file.
    fn exporter(&self, strace: &Path, path: Option<&str>, fault: &str) -> Server {
        let within = path.map(|path| self.0.path().join(path));
        exporter_with(
            strace,
            within.as_deref(),
            fault,
            &roots_of(self.0.path()).each_ref().map(String::as_str),
        )
    }

    /// Lets `fault` happen at `path`, where it concerns `target`, and waits until it is over. Meanwhile `neighbour`, a series
    /// like it, is always there, unless its source failed.
    fn outlives(
        &self,
        strace: &Path,
        (path, fault, outcome): (&str, &str, Outcome),
        [target, neighbour]: [&str; 2],
    ) -> Server {
        let what = format!("{fault} at {path}");
        let exporter = self.exporter(strace, Some(path), fault);
        let mut has_failed = false;
        until(&what, SOON, || {
            let metrics = exporter.get("/metrics").body;
            let source = |name| value(&metrics, &format!("memleak_source_success{{source=\"{name}\"}}"));
            // Not shown while samples are late, as all that is about the present.
            value(&metrics, "memleak_suspects{scope=\"host\"}")?;
            let failing = ["host", "cgroup", "process"].map(|name| (name, source(name) == Some(0.0)));
            let failing: Vec<_> =
                failing.into_iter().filter_map(|(name, fails)| fails.then_some(name)).collect();
            let is_there = |series| value(&metrics, series).is_some();
            match outcome {
                Failed(sources) if failing == sources => has_failed = true,
                _ => assert!(failing.is_empty(), "{what}: {failing:?} failed"),
            }
            assert!(is_there(neighbour) || !failing.is_empty(), "{what}: {metrics}");
            let is_over = failing.is_empty() && is_there(target);
            match outcome {
                Counted(times, ..) => is_over && errors(&metrics) == times,
                Gone => {
                    has_failed |= !is_there(target);
                    is_over && has_failed
                }
                Failed(_) => is_over && has_failed,
                Nothing => {
                    let last = value(&metrics, "memleak_last_sample_timestamp_seconds");
                    last.is_some_and(|last| last > first_sample(&exporter, "host") + 1.0)
                }
            }
            .then_some(())
        });
        let metrics = exporter.get("/metrics").body;
        match outcome {
            Counted(times, source, reason) => {
                assert_eq!(count(&metrics, source, reason), Some(times), "{what}")
            }
            _ => assert_eq!(errors(&metrics), 0.0, "{what}"),
        }
        assert!(was_injected(&exporter), "{what}");
        assert_eq!(exporter.get("/-/healthy").status, 200, "{what}");
        if let Failed(sources) = outcome {
            let log = exporter.process.stderr();
            let logged =
                ["source failed", "source has recovered"].map(|message| log.matches(message).count());
            assert_eq!(logged, [sources.len(); 2], "{what}: once each: {log}");
        }
        exporter
    }
}

/// An exporter that samples ten times a second, to which `fault` happens at the file `path`, or at every file.
fn exporter_with(strace: &Path, path: Option<&Path>, fault: &str, flags: &[&str]) -> Server {
    let within: Vec<&OsStr> = path.iter().flat_map(|path| [OsStr::new("-P"), path.as_os_str()]).collect();
    let (calls, _) = fault.split_once(':').expect("calls and what becomes of them");
    Server::start("/-/healthy", |address| {
        // With -D whoever is killed at the end is the exporter, and strace ends with it.
        let strace = Program::new(strace).args(&["-D", "-f", "-qq", "-o"]);
        let trace = strace.directory().join(TRACE);
        let strace =
            strace.arg(trace).args(&["-e", &format!("trace={calls}"), "-e", &format!("inject={fault}")]);
        let strace = within.iter().fold(strace, |strace, argument| strace.arg(argument));
        strace
            .arg("--")
            .arg(exporter_at(address).path())
            .arg(format!("--web.listen-address={address}"))
            .args(&["--sample.interval=100ms", "--process.top=all"])
            .args(flags)
            .start()
    })
}

/// Where strace says what it sees.
const TRACE: &str = "trace";

/// Whether a fault has happened to it: a path or a call that it has no use for would let it pass any test.
fn was_injected(exporter: &Server) -> bool {
    exporter.process.output(TRACE).contains("(INJECTED)")
}

/// How often files of an entity could not be read for this reason.
fn count(metrics: &str, source: &str, reason: &str) -> Option<f64> {
    value(metrics, &format!("memleak_source_read_errors_total{{source=\"{source}\",reason=\"{reason}\"}}"))
}

/// The same for all reasons.
fn errors(metrics: &str) -> f64 {
    let counts = metrics.lines().filter(|line| line.starts_with("memleak_source_read_errors_total{"));
    counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// When an entity of this scope was first seen.
fn first_sample(exporter: &Server, scope: &str) -> f64 {
    let history = exporter.json(&format!("/api/history?scope={scope}"));
    history["life"]["first_sample"].as_f64().unwrap_or_else(|| panic!("{history}"))
}

/// The same of two processes.
fn first_samples(exporter: &Server, pids: [u32; 2]) -> [f64; 2] {
    pids.map(|pid| first_sample(exporter, &format!("process&pid={pid}")))
}

/// Two processes of the tree.
const PROCESSES: [&str; 2] = [
    "memleak_process_threads{pid=\"812\",name=\"nginx\",group=\"nginx\"}",
    "memleak_process_threads{pid=\"901\",name=\"postgres\",group=\"postgres\"}",
];

/// With each sample the stat, the status and more of a process are opened and read, in turn.
#[test]
fn a_process_that_cannot_be_read_hides_no_other_and_keeps_its_history() {
    let Some(strace) = tracer() else { return };
    let host = Host::new("v2");
    for case in [
        ("proc/812/status", "read:error=EIO:when=5..10", Counted(6.0, "process", "io")),
        ("proc/812/stat", "read:error=ENOMEM:when=6..9", Counted(4.0, "process", "io")),
        ("proc/812/limits", "read:error=EIO:when=1..2", Counted(2.0, "process", "io")),
        ("proc/812/cgroup", "read:error=EACCES:when=1..2", Counted(2.0, "process", "permission")),
        ("proc/812", "openat:error=EACCES:when=20..24", Counted(5.0, "process", "permission")),
        ("proc/812", "openat:error=EMFILE:when=20..24", Counted(5.0, "process", "io")),
        ("proc/812", "openat,read:error=EINTR:when=1+2", Nothing),
        ("proc/812/status", "read:error=EINTR:when=1+2", Nothing),
        ("proc", "getdents64:error=EINTR:when=1+2", Nothing),
    ] {
        let exporter = host.outlives(&strace, case, PROCESSES);
        let [target, neighbour] = first_samples(&exporter, [812, 901]);
        assert_eq!(target, neighbour, "{case:?}");
    }
    for case in [
        ("proc/812", "openat:error=ENOENT:when=20..29", Gone),
        ("proc/812/status", "read:error=ESRCH:when=6..15", Gone),
    ] {
        let exporter = host.outlives(&strace, case, PROCESSES);
        let [target, neighbour] = first_samples(&exporter, [812, 901]);
        assert!(target > neighbour, "{case:?}: another life");
    }
}

/// What is kept open of the real /proc may fail as well: then everything is read anew.
#[test]
fn a_short_look_that_fails_is_taken_in_full() {
    let Some(strace) = tracer() else { return };
    for (file, rate, error) in [
        ("statm", "0MB/s", "EIO"),
        ("statm", "0MB/s", "EINTR"),
        ("statm", "0MB/s", "ENOMEM"),
        ("stat", "50MB/s", "EIO"),
        ("status", "50MB/s", "EIO"),
    ] {
        let process = leaky("short-look", &["steady", "--rate", rate]);
        let pid = process.pid();
        let path = format!("/proc/{pid}/{file}");
        let fault = format!("pread64:error={error}:when=3..5");
        let exporter = exporter_with(&strace, Some(Path::new(&path)), &fault, &["--no-source.cgroup"]);
        let series =
            format!("memleak_process_threads{{pid=\"{pid}\",name=\"short-look\",group=\"short-look\"}}");
        let first = until("the first sample", SOON, || {
            let metrics = exporter.get("/metrics").body;
            value(&metrics, &series).and(value(&metrics, "memleak_last_sample_timestamp_seconds"))
        });
        let metrics = until("a fault, and two seconds of samples", 2 * SOON, || {
            let metrics = exporter.get("/metrics").body;
            value(&metrics, "memleak_suspects{scope=\"host\"}")?;
            assert!(value(&metrics, &series).is_some(), "{error} at {file}: {metrics}");
            let is_over = value(&metrics, "memleak_last_sample_timestamp_seconds")? > first + 2.0;
            (is_over && was_injected(&exporter)).then_some(metrics)
        });
        assert_eq!(errors(&metrics), 0.0, "{error} at {file}");
        let history = exporter.json(&format!("/api/history?scope=process&pid={pid}"));
        assert!(history["life"]["first_sample"].as_f64().unwrap() <= first, "{error} at {file}: {history}");
    }
}

#[test]
fn a_source_that_fails_hides_no_other_and_ends_no_life() {
    let Some(strace) = tracer() else { return };
    let host = Host::new("v2");
    let total = "memleak_host_memory_total_bytes";
    for case in [
        ("proc/meminfo", "read:error=EIO:when=9..24", Failed(&["host", "cgroup"])),
        ("proc/uptime", "read:error=ENOMEM:when=9..24", Failed(&["host", "process"])),
        ("proc", "getdents64:error=EIO:when=5..14", Failed(&["process"])),
        ("sys/fs/cgroup", "getdents64:error=EIO:when=5..14", Failed(&["cgroup"])),
    ] {
        let exporter = host.outlives(&strace, case, [PROCESSES[0], total]);
        let [first, host] = [first_samples(&exporter, [812, 901]), [first_sample(&exporter, "host"); 2]];
        assert_eq!(first, host, "{case:?}");
    }
}

#[test]
fn a_cgroup_that_cannot_be_read_hides_no_other() {
    let Some(strace) = tracer() else { return };
    let usage = |path: &str| format!("memleak_cgroup_memory_usage_bytes{{cgroup=\"{path}\"}}");
    let counted = |times| Counted(times, "cgroup", "io");
    let v2 = Host::new("v2");
    let [target, neighbour] = ["/system.slice/nginx.service", "/system.slice/ssh.service"].map(usage);
    let directory = "sys/fs/cgroup/system.slice/nginx.service";
    for (file, fault, outcome) in [
        ("/memory.stat", "read:error=EIO:when=5..10", counted(6.0)),
        ("/memory.current", "read:error=ENOMEM:when=5..10", counted(6.0)),
        ("/memory.max", "read:error=EIO:when=1..2", counted(2.0)),
        ("/memory.stat", "read:error=ENODEV:when=5..14", Gone),
        ("", "openat:error=EACCES:when=1..3", Counted(3.0, "cgroup", "permission")),
        ("", "openat,read:error=EINTR:when=1+2", Nothing),
    ] {
        let path = format!("{directory}{file}");
        v2.outlives(&strace, (&path, fault, outcome), [&target, &neighbour]);
    }
    // What is below a directory that can't be listed is not seen, and neither is it gone: nobody else is concerned.
    let neighbour = usage("/user.slice");
    let fault = ("sys/fs/cgroup/system.slice", "getdents64:error=EIO:when=5..10", counted(6.0));
    let exporter = v2.outlives(&strace, fault, [&target, &neighbour]);
    let cgroup = "cgroup&cgroup=/system.slice/nginx.service";
    assert_eq!(first_sample(&exporter, cgroup), first_sample(&exporter, "host"));

    let v1 = Host::new("v1");
    let [target, neighbour] = ["/system.slice/mariadb.service", "/system.slice/httpd.service"].map(usage);
    let directory = "sys/fs/cgroup/memory/system.slice/mariadb.service";
    for (file, fault, outcome) in [
        ("memory.stat", "read:error=EIO:when=5..10", counted(6.0)),
        ("memory.usage_in_bytes", "read:error=EIO:when=5..10", counted(6.0)),
        ("memory.limit_in_bytes", "read:error=EINTR:when=1+2", Nothing),
    ] {
        let path = format!("{directory}/{file}");
        v1.outlives(&strace, (&path, fault, outcome), [&target, &neighbour]);
    }
}

/// A file of names that can't be read at first is none that says nothing.
#[test]
fn names_come_once_they_can_be_read() {
    let Some(strace) = tracer() else { return };
    for (tree, path, fault, name) in [
        ("v2", "etc/passwd", "read:error=EIO:when=1..3", "user=\"www-data\""),
        ("kubernetes-systemd", "var/log/pods", "getdents64:error=EMFILE:when=1..3", "pod=\"debug\""),
        (
            "kubernetes-systemd",
            "var/log/containers",
            "getdents64:error=ENOMEM:when=1..3",
            "container=\"proxy\"",
        ),
    ] {
        let host = Host::new(tree);
        let exporter = host.exporter(&strace, Some(path), fault);
        let named = || exporter.get("/metrics").body.contains(name).then_some(());
        until(&format!("{name} to be known in spite of {fault}"), SOON, named);
        assert!(was_injected(&exporter), "{fault}");
    }
}

/// Linux before 5.6, and filters of system calls that don't know it.
#[test]
fn names_are_known_where_there_is_no_openat2() {
    let Some(strace) = tracer() else { return };
    let host = Host::new("v2");
    for error in ["ENOSYS", "EPERM"] {
        let exporter = host.exporter(&strace, None, &format!("openat2:error={error}"));
        let named = || exporter.get("/metrics").body.contains("user=\"www-data\"").then_some(());
        until(&format!("names in spite of {error}"), SOON, named);
        assert!(was_injected(&exporter), "{error}");
    }
}

/// Of everything at once.
#[test]
fn when_there_are_descriptors_and_memory_again_all_is_as_before() {
    let Some(strace) = tracer() else { return };
    let host = Host::new("v2");
    for error in ["EMFILE", "ENOMEM"] {
        let exporter = host.exporter(&strace, None, &format!("openat:error={error}:when=1500..1540"));
        let before = until("the first sample", SOON, || {
            (exporter.get("/-/ready").status == 200).then(|| first_samples(&exporter, [812, 901]))
        });
        let succeed = |expected: f64| {
            until(&format!("{error} to show or pass"), SOON, || {
                let metrics = exporter.get("/metrics").body;
                let source = |name| value(&metrics, &format!("memleak_source_success{{source=\"{name}\"}}"));
                (["host", "cgroup", "process"].map(source) == [Some(expected); 3]).then_some(())
            });
        };
        [1.0, 0.0, 1.0].into_iter().for_each(succeed);
        assert_eq!(first_samples(&exporter, [812, 901]), before, "{error}");
        assert!(value(&exporter.get("/metrics").body, PROCESSES[0]).is_some());
    }
}

/// Over the real /proc, with connections that would take all there are.
#[test]
fn few_descriptors_are_enough_to_watch_and_to_answer() {
    let Some(prlimit) = tool(&["prlimit"]) else { return };
    for most in [40, 64, 128] {
        let exporter = Server::start("/-/ready", |address| {
            Program::new(&prlimit)
                .arg(format!("--nofile={most}:{most}"))
                .arg("--")
                .arg(exporter_at(address).path())
                .arg(format!("--web.listen-address={address}"))
                .args(&["--sample.interval=100ms", "--process.top=all"])
                .start()
        });
        let crowd: Vec<_> = (0..most).filter_map(|_| connect(exporter.address).ok()).collect();
        watch(Duration::from_secs(1), Duration::from_secs(1), |_| {});
        let crowded = now();
        drop(crowd);
        let metrics = until("an answer", SOON, || {
            let response = get(exporter.address, "/metrics").ok()?;
            let last = value(&response.body, "memleak_last_sample_timestamp_seconds")?;
            (last > crowded + 1.0).then_some(response.body)
        });
        assert_eq!(errors(&metrics), 0.0, "{most}: {metrics}");
        assert_eq!(value(&metrics, "memleak_source_success{source=\"process\"}"), Some(1.0));
        assert!(
            metrics.contains(&format!("memleak_process_threads{{pid=\"{}\"", std::process::id())),
            "{most}"
        );
        let log = exporter.process.stderr();
        for complaint in ["too few descriptors to keep every process open", "fewer connections are served"] {
            assert_eq!(log.matches(complaint).count(), 1, "{most}: {log}");
        }
        assert!(!log.contains("source failed"), "{most}: {log}");
    }
}

/// Seconds since the epoch.
fn now() -> f64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64()
}
