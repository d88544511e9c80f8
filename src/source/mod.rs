//! Where samples come from. Only the modules in here read the watched system.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::config::{ProcessBackend, RootsConfig, SourcesConfig, Wanted};
use crate::entity::{Scope, Wants};
use crate::sample::{HostMemory, Sample};

mod bounded;
mod cgroup;
mod clock;
#[cfg(test)]
mod fixture;
mod holdings;
mod host;
mod identity;
mod names;
mod pace;
mod pid_dir;
mod portable;
mod process;
mod rights;
mod roll;
mod roots;
mod schedule;
mod users;

pub use rights::Hidden;
pub use roots::Roots;

use cgroup::CgroupSource;

/// Reads one part of the watched system. One wrapper in the sampler times it, logs it and reports success.
pub trait Source: Send {
    /// The name in flags, metrics and logs.
    fn name(&self) -> &'static str;

    /// Adds everything that can be seen now to `reading`.
    ///
    /// # Errors
    /// When nothing useful could be read at all. A single entity that can't be read is counted in
    /// [`Reading::errors`]; one that vanishes meanwhile is no error.
    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError>;

    /// What identities are to hold from now on, besides what they always do; not every source can.
    fn want(&mut self, _wants: Wants) {}

    /// Whose descriptors are suspected of leaking, by pid: from now on they are told by kind, by a source that can.
    fn suspect_descriptors(&mut self, _pids: &HashSet<u32>) {}
}

/// The sources that `config` asks for, in the order they are read, which is to be each `interval`.
///
/// # Errors
/// When the roots don't hold what a source needs; the message says which flag to mend.
pub fn all(config: &SourcesConfig, interval: Duration) -> Result<Vec<Box<dyn Source>>, SourceError> {
    let roots = Roots::open(&config.roots)?;
    rights::announce();
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    if config.host {
        sources.push(Box::new(host::HostSource::new(&roots)));
    }
    if config.cgroup == Wanted::IfThere && !roots.is_live() {
        tracing::info!(
            "cgroups are not watched: --path.procfs is another system's; give that one's sysfs with --path.sysfs"
        );
    } else if config.cgroup != Wanted::Not {
        match CgroupSource::new(&roots, &config.cgroups) {
            Ok(source) => sources.push(Box::new(source)),
            Err(error) if config.cgroup == Wanted::Surely => return Err(error),
            Err(error) => tracing::info!(%error, "cgroups are not watched"),
        }
    }
    if config.process {
        sources.push(match config.process_backend {
            ProcessBackend::Procfs => Box::new(process::ProcessSource::new(&roots).at_each(interval)),
            ProcessBackend::Sysinfo if !roots.is_live() => return Err(SourceError::LiveOnly),
            ProcessBackend::Sysinfo => Box::new(portable::PortableSource::new()?),
        });
    }
    Ok(sources)
}

/// What tells one boot of the watched machine from another (random(4)); `None` where procfs does not say.
pub fn boot_id(config: &RootsConfig) -> Option<String> {
    Roots::open(config).ok()?.procfs().boot_id()
}

/// What one source saw in one tick.
#[derive(Debug, Default)]
pub struct Reading {
    /// One sample an entity.
    pub samples: Vec<Sample>,
    /// The machine's figures, from the source that has them.
    pub host: Option<HostMemory>,
    /// How long the machine has been up, from a source that tells when lives began.
    pub uptime: Option<Duration>,
    /// Files of single entities that could not be read, by reason.
    pub errors: BTreeMap<ReadErrorReason, u64>,
    /// Pids that are there and could not be read: their absence from `samples` is no death.
    pub unread: HashSet<u32>,
    /// Paths of cgroups that are there and could not be read: their absence from `samples`, and that of what is below
    /// them, is no end.
    pub unread_cgroups: Vec<String>,
    /// Of how many entities something may not be seen, for want of a right; from a source that can tell.
    pub hidden: BTreeMap<Hidden, u64>,
    /// Entities that are there and were not even looked at, for want of room.
    pub dropped: BTreeMap<Scope, u64>,
}

impl Reading {
    /// Counts a file of an entity that could not be read.
    pub fn count_error(&mut self, reason: ReadErrorReason) {
        *self.errors.entry(reason).or_default() += 1;
    }
}

/// Whether a cgroup is one of these or below one. As many as there are levels are looked up, however many these are.
pub fn is_at_or_below(mut path: &str, these: &HashSet<&str>) -> bool {
    loop {
        if these.contains(path) {
            return true;
        }
        let Some(end) = path.rfind('/') else { return false };
        path = &path[..end];
    }
}

/// Why a single entity could not be read; the `reason` label of `memleak_source_read_errors_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadErrorReason {
    /// EACCES or EPERM.
    Permission,
    /// The text is not what the kernel documents.
    Malformed,
    /// Any other failure to read.
    Io,
}

impl ReadErrorReason {
    /// Every reason, so that a series exists before the first error.
    pub const ALL: [ReadErrorReason; 3] =
        [ReadErrorReason::Permission, ReadErrorReason::Malformed, ReadErrorReason::Io];

    /// The value of the `reason` label.
    pub fn as_str(self) -> &'static str {
        match self {
            ReadErrorReason::Permission => "permission",
            ReadErrorReason::Malformed => "malformed",
            ReadErrorReason::Io => "io",
        }
    }
}

/// A source that could not do its work.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A root directory is not there or not readable.
    #[error("cannot open {path}: {source}; give the right directory with {flag}")]
    Root {
        /// What was opened.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that the source can't do without could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that the source can't do without says something else than documented.
    #[error("cannot understand {path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: crate::parse::ParseError,
    },
    /// The kernel accounts no memory to cgroups, or they are mounted elsewhere.
    #[error(
        "there is no cgroup with a memory controller below {path}; give the directory that sysfs is mounted at with --path.sysfs, or use --no-source.cgroup"
    )]
    NoController {
        /// Where they usually are.
        path: PathBuf,
    },
    /// The sysinfo library reads /proc and nothing else.
    #[error(
        "the sysinfo backend sees this system's own processes only; leave out --path.procfs, or --source.process.backend"
    )]
    LiveOnly,
    /// The sysinfo library has listed no process, although there is at least this one.
    #[error("the sysinfo library lists no processes; use --source.process.backend=procfs instead")]
    Empty,
    /// The sysinfo library can't list processes on this system.
    #[error("cannot use the sysinfo library: {0}; use --source.process.backend=procfs instead")]
    Library(#[from] sysinfo::Error),
}
