//! Who is measured: what to start, and what it is good for.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::floor::File;

/// What history and detector take for the time between two ticks, seconds: that of the exporter's own defaults.
const COUNTED_INTERVAL: f64 = 15.0;

/// One of those measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// The exporter as it comes.
    Defaults,
    /// The exporter, without processes.
    Groups,
    /// The exporter, with every process.
    All,
    /// process-exporter with all off that costs.
    Lean,
    /// The same, with a name for each process.
    ByPid,
    /// node_exporter as it comes.
    Node,
    /// node_exporter's look at processes alone.
    NodeProcesses,
    /// One file of each process, read.
    Floor(File),
}

/// How to start one of them.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Which.
    pub id: Id,
    /// For tables.
    pub name: &'static str,
    /// In a few words, so that nobody is compared with who does less.
    pub delivers: &'static str,
    /// What to run.
    pub program: PathBuf,
    /// With what, but for the port.
    pub args: Vec<String>,
    /// A line that begins so is in each scrape that is of use.
    pub useful: &'static str,
}

impl Contender {
    /// Whether it is the exporter.
    pub fn is_ours(&self) -> bool {
        matches!(self.id, Id::Defaults | Id::Groups | Id::All)
    }

    /// What has it listen there. All of them have the same flag.
    pub fn listen(port: u16) -> String {
        format!("--web.listen-address=127.0.0.1:{port}")
    }
}

/// Flags of the exporter for ticks of so many seconds, of which each counts as if it came after 15.
pub fn sampling(interval: Duration) -> [String; 2] {
    let lapse = (COUNTED_INTERVAL / interval.as_secs_f64()).round().max(1.0);
    [format!("--sample.interval={}ms", interval.as_millis()), format!("--sample.time-lapse={lapse}")]
}

/// All that can be had here; who can't is named on standard error. `scratch` is a folder for their settings.
pub fn all(exporter: &Path, scratch: &Path, interval: Duration) -> io::Result<Vec<Contender>> {
    let own = env::current_exe()?;
    let mut all = ours(exporter, interval).to_vec();
    let by_name = setting(scratch, "{{.Comm}}")?;
    let by_pid = setting(scratch, "{{.Comm}}:{{.PID}}")?;
    match find("prometheus-process-exporter") {
        Some(program) => all.extend(process_exporter(&program, by_name, by_pid)),
        None => eprintln!("process-exporter is left out: there is no prometheus-process-exporter"),
    }
    match find("prometheus-node-exporter") {
        Some(program) => all.extend(node_exporter(&program)),
        None => eprintln!("node_exporter is left out: there is no prometheus-node-exporter"),
    }
    all.extend([File::Statm, File::Status].map(|file| floor(&own, file)));
    Ok(all)
}

/// A program on the search path.
pub fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn ours(exporter: &Path, interval: Duration) -> [Contender; 3] {
    let contender = |id, name, delivers, args: &[&str], useful| {
        let common = ["--sample.max-cpu=100%", "--log.level=error"];
        let args = args.iter().chain(&common).map(|arg| arg.to_string()).chain(sampling(interval));
        Contender { id, name, delivers, program: exporter.to_owned(), args: args.collect(), useful }
    };
    [
        contender(
            Id::Defaults,
            "ours, defaults",
            "score of every process, cgroup and the host; series of groups and of 50 processes",
            &["--process.top=50"],
            "memleak_process_memory_bytes{",
        ),
        contender(
            Id::Groups,
            "ours, groups only",
            "the same scores; series of groups",
            &["--process.top=0"],
            "memleak_group_memory_bytes{",
        ),
        contender(
            Id::All,
            "ours, all processes",
            "the same scores; series of every process",
            &["--process.top=all", "--series.max=0"],
            "memleak_process_memory_bytes{",
        ),
    ]
}

/// Its settings for one way to name processes.
fn setting(scratch: &Path, name: &str) -> io::Result<String> {
    let path = scratch.join(format!("process-exporter-{}.yml", name.len()));
    fs::write(&path, format!("process_names:\n  - name: \"{name}\"\n    cmdline: ['.+']\n"))?;
    Ok(path.to_string_lossy().into_owned())
}

fn process_exporter(program: &Path, by_name: String, by_pid: String) -> [Contender; 2] {
    let contender = |id, name, delivers, config: String| {
        let lean = ["-threads=false", "-gather-smaps=false", "-recheck=false", "-children=false"];
        let args = lean.iter().map(|arg| arg.to_string()).chain([format!("-config.path={config}")]);
        let useful = "namedprocess_namegroup_num_procs{";
        Contender { id, name, delivers, program: program.to_owned(), args: args.collect(), useful }
    };
    [
        contender(
            Id::Lean,
            "process-exporter, leanest",
            "memory, CPU, I/O, descriptors by command; no score",
            by_name,
        ),
        contender(Id::ByPid, "process-exporter, by pid", "the same for every process; no score", by_pid),
    ]
}

fn node_exporter(program: &Path) -> [Contender; 2] {
    let contender = |id, name, delivers, args: &[&str], useful| {
        let args = args.iter().map(|arg| arg.to_string()).collect();
        Contender { id, name, delivers, program: program.to_owned(), args, useful }
    };
    [
        contender(
            Id::Node,
            "node_exporter, defaults",
            "the host alone; nothing of processes",
            &[],
            "node_memory_",
        ),
        contender(
            Id::NodeProcesses,
            "node_exporter, processes",
            "counts processes by state, and threads",
            &["--collector.disable-defaults", "--collector.processes"],
            "node_processes_",
        ),
    ]
}

fn floor(own: &Path, file: File) -> Contender {
    let (name, delivers) = match file {
        File::Statm => ("bare loop, statm", "nothing: reads statm of every process"),
        File::Status => ("bare loop, status", "nothing: reads status of every process"),
    };
    let args = ["floor", file.name()].map(str::to_owned).to_vec();
    Contender { id: Id::Floor(file), name, delivers, program: own.to_owned(), args, useful: "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_counts_as_fifteen_seconds() {
        let flags = |millis| sampling(Duration::from_millis(millis));
        assert_eq!(flags(2000), ["--sample.interval=2000ms", "--sample.time-lapse=8"]);
        assert_eq!(flags(200)[1], "--sample.time-lapse=75");
        assert_eq!(flags(60_000)[1], "--sample.time-lapse=1");
    }

    #[test]
    fn programs_are_looked_up() {
        assert!(find("sh").is_some());
        assert_eq!(find("there-is-no-such-program"), None);
    }
}
