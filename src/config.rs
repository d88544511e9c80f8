//! Checked, plain settings: one sub-struct a module. Built by `cli` once; nothing reads flags after that.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::glob::Glob;

/// Everything the exporter needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// For `source`.
    pub sources: SourcesConfig,
    /// For `rules`.
    pub rules: RulesConfig,
    /// For `sampler`.
    pub sampler: SamplerConfig,
    /// For `selection`.
    pub selection: SelectionConfig,
    /// For `state`.
    pub state: StateConfig,
    /// For `http`.
    pub web: WebConfig,
    /// For the logger.
    pub log: LogConfig,
}

/// What to read, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcesConfig {
    /// Read the host's memory.
    pub host: bool,
    /// Read cgroups.
    pub cgroup: Wanted,
    /// Which cgroups.
    pub cgroups: CgroupsConfig,
    /// Read processes.
    pub process: bool,
    /// Who reads processes.
    pub process_backend: ProcessBackend,
    /// Where the watched system's files are.
    pub roots: RootsConfig,
}

/// Whether to read what a system may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// No.
    Not,
    /// If it is there.
    IfThere,
    /// It must be there.
    Surely,
}

/// Which cgroups are watched.
#[derive(Clone, Debug, PartialEq)]
pub struct CgroupsConfig {
    /// Only those whose path matches one of these; all where there are none.
    pub include: Vec<Glob>,
    /// None whose path matches one of these, with all that is below them.
    pub exclude: Vec<Glob>,
    /// Levels below the root.
    pub max_depth: usize,
}

/// Where the watched system's files are.
#[derive(Clone, Debug, PartialEq)]
pub struct RootsConfig {
    /// `--path.procfs`
    pub procfs: PathBuf,
    /// `--path.sysfs`
    pub sysfs: PathBuf,
    /// `--path.rootfs`
    pub rootfs: PathBuf,
}

/// Who reads processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessBackend {
    /// Our own reader of Linux's /proc.
    Procfs,
    /// The sysinfo library: resident memory only, on systems without /proc.
    Sysinfo,
}

/// Where the rules are that one file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesConfig {
    /// `--config.file`
    pub file: Option<PathBuf>,
    /// Say whether the files make sense, this one and that of `WebConfig`, and end.
    pub check_only: bool,
}

/// When to read, and how to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplerConfig {
    /// Time between two ticks.
    pub interval: Duration,
    /// Share of one core that sampling may take, 0 to 1; the interval stretches rather than exceed it.
    pub max_cpu: f64,
    /// One second counts as this many for history and detector.
    pub time_lapse: u32,
    /// A score above it is a suspicion, unless an override says otherwise.
    pub threshold: f64,
    /// Smaller processes are not tracked; bytes of scored memory.
    pub min_bytes: u64,
    /// Younger processes are not tracked.
    pub min_age: Duration,
    /// Most entities that are remembered at once.
    pub max_entities: usize,
}

impl SamplerConfig {
    /// A sample a minute, and nothing left out: what tests and benchmarks begin with.
    pub fn every_minute() -> SamplerConfig {
        SamplerConfig {
            interval: Duration::from_secs(60),
            max_cpu: 1.0,
            time_lapse: 1,
            threshold: 60.0,
            min_bytes: 0,
            min_age: Duration::ZERO,
            max_entities: 1000,
        }
    }
}

/// Which entities get series of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionConfig {
    /// Processes besides the suspects; `None` is all.
    pub top: Option<usize>,
    /// Most series of entities; `None` is no cap.
    pub max_series: Option<usize>,
}

/// Where history survives a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// `--state.file`
    pub file: Option<PathBuf>,
    /// Most time between two writes, and so the most that can be lost.
    pub interval: Duration,
}

/// The server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// Where to listen.
    pub listen: Listen,
    /// Path of the metrics, below the prefix.
    pub telemetry_path: String,
    /// What all paths begin with; empty, or from a slash to anything but a slash.
    pub route_prefix: String,
    /// Requests in work at once; 503 above.
    pub max_requests: usize,
    /// Whether a request may have the configuration file read again.
    pub enable_lifecycle: bool,
    /// `--web.config.file`: who may ask, and how connections are encrypted.
    pub config_file: Option<PathBuf>,
    /// Leave out what describes the exporter itself.
    pub disable_exporter_metrics: bool,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Here, each on its own.
    Addresses(Vec<ListenAddress>),
    /// On the sockets that systemd hands over.
    Systemd,
}

/// One place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// `:PORT`: every address, IPv6 and IPv4.
    Any(u16),
    /// A fixed address.
    Address(SocketAddr),
    /// `HOST:PORT` to be looked up.
    Name(String, u16),
}

/// What to say, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The least severe level that is written.
    pub level: LogLevel,
    /// The shape of a line.
    pub format: LogFormat,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What an operator should look at.
    Warn,
    /// What keeps the exporter from working.
    Error,
}

/// Shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// What to replay, and what to write of it.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestConfig {
    /// The recordings, in order; at least one.
    pub inputs: Vec<Input>,
    /// In which form to write.
    pub output: BacktestOutput,
    /// One line an entity, in place of every evaluation.
    pub summary: bool,
    /// A score above it is a suspicion.
    pub threshold: f64,
}

/// Where a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// This file.
    File(PathBuf),
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Stdin => f.write_str("standard input"),
            Input::File(path) => path.display().fmt(f),
        }
    }
}

/// In which form verdicts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BacktestOutput {
    /// Columns, for people.
    Table,
    /// One JSON object a line.
    Json,
}
