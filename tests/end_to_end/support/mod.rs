//! What the tests start, ask and wait for.

pub(crate) mod cgroup;
pub(crate) mod exposition;
pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod servers;
pub(crate) mod speed;
pub(crate) mod tree;
pub(crate) mod wait;
pub(crate) mod webhook;

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use process::{Process, Program};

/// The exporter with `flags`, answering at the address that comes with it.
pub(crate) fn exporter(flags: &[&str]) -> servers::Server {
    servers::Server::start("/-/healthy", |address| exporter_at(address).args(flags).start())
}

/// An exporter that is to listen at this address.
pub(crate) fn exporter_at(address: SocketAddr) -> Program {
    Program::exporter().arg(format!("--web.listen-address={address}"))
}

/// The exporter over a tree of files that looks like a host's /proc, without cgroups; it reads it once.
pub(crate) fn exporter_of_fixtures(flags: &[&str]) -> servers::Server {
    let host = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/host");
    let roots = [format!("--path.procfs={host}/proc"), format!("--path.rootfs={host}")];
    let roots = [&roots.each_ref().map(String::as_str)[..], &["--no-source.cgroup"]].concat();
    exporter_that_reads_once(&[&roots, flags].concat())
}

/// The exporter over a host of files, all whose file systems are below `host`; it reads it once.
pub(crate) fn exporter_of(host: &Path, flags: &[&str]) -> servers::Server {
    exporter_that_reads_once(&[&roots_of(host).each_ref().map(String::as_str)[..], flags].concat())
}

/// The flags that say that all file systems of a host are below `host`.
pub(crate) fn roots_of(host: &Path) -> [String; 3] {
    let host = host.display();
    [
        format!("--path.procfs={host}/proc"),
        format!("--path.sysfs={host}/sys"),
        format!("--path.rootfs={host}"),
    ]
}

fn exporter_that_reads_once(flags: &[&str]) -> servers::Server {
    let once = ["--process.top=all", "--web.disable-exporter-metrics", "--sample.interval=1h"];
    let exporter = exporter(&[&once, flags].concat());
    wait::until("the first sample", wait::SOON, || (exporter.get("/-/ready").status == 200).then_some(()));
    exporter
}

/// The exporter as nobody, where the tests run as root; else as whoever runs them. `directory` is opened to all, and has
/// a copy of the program.
pub(crate) fn unprivileged_exporter(directory: &Path, flags: &[&str]) -> servers::Server {
    if !rustix::process::getuid().is_root() {
        return exporter(flags);
    }
    exporter_of_nobody(directory, &[], flags)
}

/// The exporter as nobody with these capabilities, as setpriv(1) calls them, which takes root to start. `directory` as above.
pub(crate) fn exporter_of_nobody(directory: &Path, capabilities: &[&str], flags: &[&str]) -> servers::Server {
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("to open a directory");
    let program = directory.join("memleak-exporter");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_memleak-exporter"), &program).expect("to copy the program");
    }
    let capabilities = capabilities.iter().map(|name| format!(",+{name}")).collect::<String>();
    servers::Server::start("/-/healthy", |address| {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let sets =
            ["inh-caps", "ambient-caps", "bounding-set"].map(|set| format!("--{set}=-all{capabilities}"));
        let listen = format!("--web.listen-address={address}");
        let nobody = Program::new("setpriv").args(&nobody).args(&sets.each_ref().map(String::as_str));
        nobody.arg("--").arg(&program).arg(listen).args(flags).start()
    })
}

/// A leaky of this name, which already goes by it.
pub(crate) fn leaky(name: &str, arguments: &[&str]) -> Process {
    let leaky = Program::leaky().args(arguments).args(&["--name", name]).start();
    wait::until("leaky to take its name", wait::SOON, || {
        (leaky.name().as_deref() == Some(name)).then_some(())
    });
    leaky
}

/// Where the first of these programs is; `None`, and a line that says so, where a test has to be skipped.
///
/// # Panics
/// When there is none in CI, where nothing may be skipped.
pub(crate) fn tool(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .flat_map(|dir| names.iter().map(move |name| dir.join(name)))
        .find(|file| file.is_file());
    or_skipped(found, &format!("{}; tests/run installs it", names[0]))
}

/// Where strace is, if it may trace here; else as [`tool`].
pub(crate) fn tracer() -> Option<PathBuf> {
    let strace = tool(&["strace"])?;
    let mut traced = Program::new(&strace).args(&["-qq", "-o", "/dev/null", "true"]).start();
    let may_trace = traced.exit_code(wait::SOON) == Some(0);
    or_skipped(Some(strace).filter(|_| may_trace), "right to trace a program of one's own: ptrace(2)")
}

/// What `promtool check metrics` says of a text, and its exit code; `None` where there is none and a test is to be skipped.
pub(crate) fn promtool_says(metrics: &str) -> Option<(Option<i32>, String)> {
    let program = Program::new(tool(&["promtool"])?).args(&["check", "metrics"]);
    let path = program.directory().join("metrics");
    fs::write(&path, metrics).expect("to write what is to be checked");
    let mut promtool = program.stdin(fs::File::open(&path).expect("what was written")).start();
    Some((promtool.exit_code(wait::SOON), promtool.stdout() + &promtool.stderr()))
}

/// A Python that has the packages that tests need; else as [`tool`].
pub(crate) fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
    or_skipped(Some(python).filter(|file| file.is_file()), "target/venv; tests/run makes it")
}

/// Says that a test is skipped for want of this; as [`tool`].
pub(crate) fn skip(what: &str) {
    or_skipped(None::<()>, what);
}

fn or_skipped<T>(found: Option<T>, what: &str) -> Option<T> {
    if found.is_none() {
        let why = format!("there is no {what}");
        assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
        let test = std::thread::current().name().unwrap_or("a test").to_string();
        // Not by eprintln!, which is captured: tests/run counts these lines. They start a line of their own.
        let _ = writeln!(io::stderr(), "\nSKIPPED: {test}: {why}");
    }
    found
}
