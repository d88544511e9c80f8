//! What no kernel should show, and what any container may do: the exporter answers, says what it could not read, and
//! stays within its bounds.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::fixture;
use crate::support::exposition::value;
use crate::support::process::Program;
use crate::support::servers::Server;
use crate::support::wait::{SOON, until};
use crate::support::{exporter, exporter_of, roots_of, tree, unprivileged_exporter};

/// The files of a cgroup that is as it should be.
const SOUND: [(&str, &str); 4] = [
    ("memory.stat", "anon 1048576\nfile 4096\nshmem 0\n"),
    ("memory.current", "2097152\n"),
    ("memory.max", "max\n"),
    ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"),
];

struct Host(TempDir);

impl Host {
    fn new() -> Host {
        let host = Host(tempfile::tempdir().unwrap());
        tree::expand(&(fixture("common.tree") + tree::BARE), host.path());
        host
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The directory of a cgroup that is as it should be, but for these files.
    fn cgroup(&self, name: impl AsRef<OsStr>, but: &[(&str, &str)]) -> PathBuf {
        let directory = self.path().join("sys/fs/cgroup").join(name.as_ref());
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in SOUND.iter().chain(but) {
            fs::write(directory.join(file), text).unwrap();
        }
        directory
    }
}

fn errors(metrics: &str, reason: &str) -> Option<f64> {
    value(metrics, &format!("memleak_source_read_errors_total{{source=\"cgroup\",reason=\"{reason}\"}}"))
}

fn watched(metrics: &str) -> Option<f64> {
    value(metrics, "memleak_entities{scope=\"cgroup\"}")
}

fn is_shown(metrics: &str, cgroup: &str) -> bool {
    value(metrics, &format!("memleak_cgroup_memory_usage_bytes{{cgroup=\"{cgroup}\"}}")).is_some()
}

/// Every way to ask is answered.
fn assert_answers(exporter: &Server) {
    let paths = ["/", "/-/healthy", "/-/ready", "/metrics", "/api/leak_indicators?scope=cgroup"];
    for path in paths {
        assert_eq!(exporter.get(path).status, 200, "{path}");
    }
    let metrics = exporter.get("/metrics").body;
    assert_eq!(value(&metrics, "memleak_source_success{source=\"cgroup\"}"), Some(1.0));
}

#[test]
fn garbage_is_counted_by_reason_and_hides_no_neighbour() {
    const VAST: &str = "18446744073709551615";
    let host = Host::new();
    host.cgroup("sound", &[]);
    // Not shown: what memory they have is not known.
    host.cgroup("words", &[("memory.stat", "anon lots\n")]);
    host.cgroup("twice", &[("memory.stat", "anon 1\nanon 2\n")]);
    host.cgroup("beyond", &[("memory.stat", "anon 18446744073709551616\n")]);
    host.cgroup("max", &[("memory.current", "max\n")]);
    host.cgroup("empty", &[("memory.current", "")]);
    let malformed_usage = 5.0;
    // Shown, without a limit.
    host.cgroup("wordy", &[("memory.max", "lots\n")]);
    host.cgroup("negative", &[("memory.max", "-1\n")]);
    host.cgroup("nothing", &[("memory.events", "")]);
    host.cgroup("bytes", &[("memory.pressure", "\u{0}\u{1}\u{fffd}\n")]);
    let malformed_terms = 4.0;
    // What are no files.
    let directory = host.cgroup("directory", &[]).join("memory.stat");
    fs::remove_file(&directory).unwrap();
    fs::create_dir(&directory).unwrap();
    let circle = host.cgroup("circle", &[]).join("memory.stat");
    fs::remove_file(&circle).unwrap();
    symlink("memory.stat", &circle).unwrap();
    host.cgroup("huge", &[("memory.stat", &"anon 1\n".repeat(10_000))]);
    let io = 3.0;
    // Neither shown nor wrong.
    fs::write(host.path().join("sys/fs/cgroup/file"), "no cgroup\n").unwrap();
    symlink("sound", host.path().join("sys/fs/cgroup/link")).unwrap();
    fs::remove_file(host.cgroup("gone", &[]).join("memory.stat")).unwrap();
    // Shown, and nobody waits for a pipe or miscounts.
    let pipe = host.cgroup("pipe", &[]).join("memory.high");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    let malformed_pipe = 1.0;
    let stat = ["anon", "file", "shmem", "slab_unreclaimable", "slab_reclaimable", "inactive_file", "sock"]
        .map(|kind| format!("{kind} {VAST}\n"))
        .concat();
    host.cgroup("vast", &[("memory.stat", &stat), ("memory.current", VAST), ("memory.max", "1\n")]);
    host.cgroup("bare", &[("memory.stat", "")]);

    let exporter = exporter_of(host.path(), &[]);
    assert_answers(&exporter);
    let metrics = exporter.get("/metrics").body;
    assert_eq!(errors(&metrics, "malformed"), Some(malformed_usage + malformed_terms + malformed_pipe));
    assert_eq!(errors(&metrics, "io"), Some(io));
    assert_eq!(errors(&metrics, "permission"), Some(0.0));
    let shown = ["sound", "wordy", "negative", "nothing", "bytes", "pipe", "vast", "bare"];
    for name in shown {
        assert!(is_shown(&metrics, &format!("/{name}")), "{name} is not there: {metrics}");
    }
    assert_eq!(watched(&metrics), Some(shown.len() as f64));
}

#[test]
fn who_may_not_read_a_cgroup_is_told_so_and_sees_the_others() {
    let host = Host::new();
    host.cgroup("open", &[]);
    let close = |path: PathBuf| fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
    close(host.cgroup("closed", &[]));
    close(host.cgroup("secret", &[]).join("memory.stat"));
    close(host.cgroup("boundless", &[]).join("memory.max"));
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(host.path(), Permissions::from_mode(0o755)).unwrap();
    let exporter =
        unprivileged_exporter(programs.path(), &roots_of(host.path()).each_ref().map(String::as_str));
    let metrics = until("the first sample", SOON, || {
        let metrics = exporter.get("/metrics").body;
        watched(&metrics).map(|_| metrics)
    });
    assert_eq!(errors(&metrics, "permission"), Some(3.0), "{metrics}");
    assert_eq!((errors(&metrics, "malformed"), errors(&metrics, "io")), (Some(0.0), Some(0.0)));
    let is_shown = ["/open", "/closed", "/secret", "/boundless"].map(|name| is_shown(&metrics, name));
    assert_eq!(is_shown, [true, false, false, true]);
    assert_answers(&exporter);
    // So that it can be removed.
    let closed = host.path().join("sys/fs/cgroup/closed");
    fs::set_permissions(closed, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn names_of_any_bytes_are_escaped_and_none_is_there_twice() {
    let host = Host::new();
    let names: [(&[u8], &str); 9] = [
        (b"quo\"te", r#"quo\"te"#),
        (b"new\nline", r"new\nline"),
        (br"back\slash", r"back\\slash"),
        (b"tab\tand\rreturn", "tab\tand\rreturn"),
        (b" ", " "),
        (b"{a=\"b\"} 1", r#"{a=\"b\"} 1"#),
        ("gr\u{f6}\u{df}e \u{202e}\u{1f4a9}".as_bytes(), "gr\u{f6}\u{df}e \u{202e}\u{1f4a9}"),
        (b"a\xffb", "a\u{fffd}b"),
        (&[b'x'; 255], &"x".repeat(255)),
    ];
    for (name, _) in names {
        host.cgroup(OsStr::from_bytes(name), &[]);
    }
    host.cgroup(OsStr::from_bytes(b"a\xfeb"), &[]);
    let exporter = exporter_of(host.path(), &[]);
    assert_answers(&exporter);
    let metrics = exporter.get("/metrics").body;
    for (_, escaped) in names {
        assert!(is_shown(&metrics, &format!("/{escaped}")), "{escaped:?} is not there: {metrics}");
    }
    assert_eq!(watched(&metrics), Some(9.0));
    assert_eq!(errors(&metrics, "malformed"), Some(1.0), "two names become one");
    let mut seen = HashSet::new();
    // Not by lines(): a carriage return ends none.
    for line in metrics.split('\n').filter(|line| !line.starts_with('#')) {
        let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
        assert!(series.is_empty() || seen.insert(series), "{series} is there twice");
    }
}

#[test]
fn depth_is_bounded() {
    let host = Host::new();
    for depth in 1..=70 {
        host.cgroup("d/".repeat(depth), &[]);
    }
    for (flags, expected) in [(&[][..], 12.0), (&["--cgroup.max-depth=64"], 64.0)] {
        let exporter = exporter_of(host.path(), flags);
        assert_answers(&exporter);
        let metrics = exporter.get("/metrics").body;
        assert_eq!(watched(&metrics), Some(expected), "{flags:?}");
        let deepest = "/d".repeat(expected as usize);
        let suspect = value(&metrics, &format!("memleak_cgroup_suspect{{cgroup=\"{deepest}\"}}"));
        assert_eq!(suspect, Some(0.0), "the deepest that is looked at stands for all below it");
    }
    let mut exporter = Program::exporter().arg("--cgroup.max-depth=70").start();
    assert_eq!(exporter.exit_code(SOON), Some(2));
}

#[test]
fn a_host_with_too_many_cgroups_says_how_many_are_left_out() {
    let host = Host::new();
    for number in 0..25_000 {
        let directory = host.path().join(format!("sys/fs/cgroup/crowd.slice/{number}.scope"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("memory.stat"), format!("anon {}\n", 4096 * number)).unwrap();
    }
    host.cgroup("crowd.slice", &[]);
    let roots = roots_of(host.path());
    let exporter = exporter(&[&roots.each_ref().map(String::as_str)[..], &["--sample.interval=1s"]].concat());
    let time = |metrics: &str| value(metrics, "memleak_last_sample_timestamp_seconds");
    let within = Duration::from_secs(60);
    let first = until("the first sample", within, || time(&exporter.get("/metrics").body));
    let metrics = until("another one", within, || {
        let metrics = exporter.get("/metrics").body;
        (time(&metrics)? > first).then_some(metrics)
    });
    assert_answers(&exporter);
    assert_eq!(watched(&metrics), Some(20_000.0));
    assert_eq!(value(&metrics, "memleak_entities_dropped{scope=\"cgroup\"}"), Some(5001.0));
    let unexported = value(&metrics, "memleak_entities_unexported{scope=\"cgroup\"}").unwrap();
    assert!(unexported > 18_000.0, "{unexported}");
    let series = metrics.lines().filter(|line| line.starts_with("memleak_cgroup_")).count();
    assert!(series < 20_000, "{series}");
    assert!(metrics.len() < 10 << 20, "{}", metrics.len());
    println!(
        "{} bytes resident, {:?} s for a read",
        exporter.process.resident_bytes(),
        value(&metrics, "memleak_source_duration_seconds{source=\"cgroup\"}")
    );
}

#[test]
fn cgroups_that_come_and_go_are_no_errors() {
    let host = Host::new();
    host.cgroup("stays", &[]);
    let roots = roots_of(host.path());
    let exporter =
        exporter(&[&roots.each_ref().map(String::as_str)[..], &["--sample.interval=100ms"]].concat());
    let sampled = || value(&exporter.get("/metrics").body, "memleak_last_sample_timestamp_seconds");
    let first = until("the first sample", SOON, sampled);
    let mut round = 0;
    until("three seconds of samples", Duration::from_secs(60), || {
        // Made elsewhere and moved, as the kernel makes one in one go.
        for number in 0..50 {
            let made = host.cgroup("../made", &[]);
            fs::rename(&made, host.path().join(format!("sys/fs/cgroup/{number}"))).unwrap();
        }
        for number in 0..50 {
            fs::remove_dir_all(host.path().join(format!("sys/fs/cgroup/{number}"))).unwrap();
        }
        round += 1;
        (sampled()? > first + 3.0).then_some(())
    });
    assert_answers(&exporter);
    let metrics = exporter.get("/metrics").body;
    for reason in ["permission", "malformed", "io"] {
        assert_eq!(errors(&metrics, reason), Some(0.0), "{reason} after {round} rounds");
    }
    assert!(is_shown(&metrics, "/stays"));
}
