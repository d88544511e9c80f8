//! The files of one cgroup, by version: what is read at every sighting, and what seldom changes.

use std::ffi::CStr;

use super::super::pid_dir::Unread;
use super::dir::CgroupDir;
use super::hierarchy::Version;
use crate::parse::ParseError;
use crate::parse::memory_files::{bytes, events, limit, oom_control};
use crate::parse::memory_stat::MemoryStat;
use crate::parse::pressure;
use crate::sample::{Kind, Memory, Pressure};

/// What a cgroup uses now, bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Memory by kind.
    pub(super) memory: Memory,
    /// All that counts towards its limits.
    pub(super) current: Option<u64>,
    /// Swap that counts towards its limit; with memory on v1, which has one limit for both.
    pub(super) swap: Option<u64>,
    /// What the kernel can give back of it without any swap.
    pub(super) reclaimable: u64,
    /// The lowest limit on the way up to the root, of v1: that of a cgroup above what we see, too.
    pub(super) hierarchical_limit: Option<u64>,
}

/// What stops a cgroup, and what has happened to it. Read now and then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// Most bytes it may use.
    pub(super) max: Option<u64>,
    /// From so many bytes on it is slowed down.
    pub(super) high: Option<u64>,
    /// Most bytes of swap; on v1 of memory and swap.
    pub(super) swap_max: Option<u64>,
    /// Most bytes it ever used.
    pub(super) peak: Option<u64>,
    /// How often nothing could be reclaimed at its limit.
    pub(super) oom_events: Option<u64>,
    /// Processes that were killed for that.
    pub(super) oom_kills: Option<u64>,
    /// Time that was lost for want of memory.
    pub(super) pressure: Option<Pressure>,
}

impl Usage {
    /// Reads it; `None` where no memory is accounted to this cgroup. `with_swap` where there is any swap.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read(
        dir: &CgroupDir,
        version: Version,
        with_swap: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Usage>, Unread> {
        if optional(dir.read(c"memory.stat", buffer))?.is_none() {
            return Ok(None);
        }
        let stat = match version {
            Version::V1 => MemoryStat::parse_v1(buffer)?,
            Version::V2 => MemoryStat::parse_v2(buffer)?,
        };
        let (current, swap) = match version {
            Version::V1 => (c"memory.usage_in_bytes", c"memory.memsw.usage_in_bytes"),
            Version::V2 => (c"memory.current", c"memory.swap.current"),
        };
        let current = number(dir, current, buffer)?;
        let swap = if with_swap { number(dir, swap, buffer)? } else { None };
        Ok(Some(Usage {
            memory: kinds(&stat, swap.filter(|_| version == Version::V2)),
            current,
            swap,
            reclaimable: stat.reclaimable.unwrap_or(0),
            hierarchical_limit: stat.hierarchical_limit,
        }))
    }
}

impl Terms {
    /// Reads them. What a cgroup does not have is absent: most have no limit, and older kernels fewer files.
    ///
    /// # Errors
    /// [`Unread`].
    pub(super) fn read(dir: &CgroupDir, version: Version, buffer: &mut Vec<u8>) -> Result<Terms, Unread> {
        match version {
            Version::V1 => Ok(Terms {
                max: value(dir, c"memory.limit_in_bytes", buffer, limit)?.flatten(),
                high: None,
                swap_max: value(dir, c"memory.memsw.limit_in_bytes", buffer, limit)?.flatten(),
                peak: number(dir, c"memory.max_usage_in_bytes", buffer)?,
                oom_events: None,
                oom_kills: value(dir, c"memory.oom_control", buffer, oom_control)?.flatten(),
                pressure: None,
            }),
            Version::V2 => {
                let events = value(dir, c"memory.events", buffer, events)?;
                Ok(Terms {
                    max: value(dir, c"memory.max", buffer, limit)?.flatten(),
                    high: value(dir, c"memory.high", buffer, limit)?.flatten(),
                    swap_max: value(dir, c"memory.swap.max", buffer, limit)?.flatten(),
                    peak: number(dir, c"memory.peak", buffer)?,
                    oom_events: events.map(|events| events.oom),
                    oom_kills: events.and_then(|events| events.oom_kill),
                    pressure: value(dir, c"memory.pressure", buffer, pressure::parse)?
                        .map(|lost| Pressure { waiting: lost.some, stalled: lost.full.unwrap_or_default() }),
                })
            }
        }
    }
}

/// Of a cgroup. On v2 swap is in a file of its own, with pages that have come back and count elsewhere.
fn kinds(stat: &MemoryStat, swap: Option<u64>) -> Memory {
    let swap = swap.map(|bytes| bytes.saturating_sub(stat.swap_cached.unwrap_or(0)));
    Memory::default()
        .with(Kind::Anon, stat.anon)
        .with(Kind::File, stat.file)
        .with(Kind::Shmem, stat.shmem)
        .with(Kind::Swap, stat.swap.or(swap))
        .with(Kind::Slab, stat.slab)
        .with(Kind::Sock, stat.sock)
        .with(Kind::KernelStack, stat.kernel_stack)
        .with(Kind::Pagetables, stat.pagetables)
        .with(Kind::Percpu, stat.percpu)
}

fn number(dir: &CgroupDir, name: &CStr, buffer: &mut Vec<u8>) -> Result<Option<u64>, Unread> {
    value(dir, name, buffer, bytes)
}

/// What a file says, if it is there.
fn value<T>(
    dir: &CgroupDir,
    name: &CStr,
    buffer: &mut Vec<u8>,
    parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
) -> Result<Option<T>, Unread> {
    match optional(dir.read(name, buffer))? {
        Some(()) => Ok(Some(parse(buffer)?)),
        None => Ok(None),
    }
}

/// A file that need not be there. Where the whole cgroup is gone, none is.
fn optional(read: Result<(), Unread>) -> Result<Option<()>, Unread> {
    match read {
        Ok(()) => Ok(Some(())),
        Err(Unread::Vanished) => Ok(None),
        Err(failed) => Err(failed),
    }
}
