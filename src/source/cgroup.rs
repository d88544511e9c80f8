//! Cgroups: containers, services and what they are below, from the hierarchy that accounts memory (cgroups(7)).

use std::collections::HashSet;
use std::ffi::CString;
use std::sync::Arc;

use rustix::io::Errno;

use super::pid_dir::Unread;
use super::roots::{Procfs, Roots};
use super::{ReadErrorReason, Reading, Source, SourceError};
use crate::config::CgroupsConfig;
use crate::entity::{EntityId, Scope};
use crate::glob::Glob;
use crate::parse::meminfo;
use crate::sample::{CgroupFigures, CgroupLimit, Figures, Limit, LimitKind, Sample};

mod dir;
mod files;
mod hierarchy;
mod lives;
mod pods;

pub(super) use dir::CgroupDir;

use files::{Terms, Usage};
use hierarchy::{Hierarchy, Version};
use lives::Lives;

/// Most cgroups that are looked at in one tick. A large node has about two thousand.
const MAX_CGROUPS: usize = 20_000;

/// Most names of directories that are taken note of in one tick. Those that are excluded are among them.
const MAX_LISTED: usize = 2 * MAX_CGROUPS;

/// Most bytes of a cgroup's path. Each of its series repeats it; Kubernetes' longest take 300.
const MAX_PATH_BYTES: usize = 1024;

/// Reads every cgroup that has memory of its own.
pub(super) struct CgroupSource {
    config: CgroupsConfig,
    /// Most names that are taken note of in one tick.
    most_listed: usize,
    procfs: Procfs,
    hierarchy: Hierarchy,
    lives: Lives,
    buffer: Vec<u8>,
}

impl CgroupSource {
    /// A source over the hierarchy below the sysfs of `roots`.
    ///
    /// # Errors
    /// When sysfs can't be opened, or no hierarchy below it accounts memory.
    pub(super) fn new(roots: &Roots, config: &CgroupsConfig) -> Result<CgroupSource, SourceError> {
        let (sysfs, procfs, mut buffer) = (roots.sysfs()?, roots.procfs().clone(), Vec::new());
        let hierarchy = Hierarchy::find(&sysfs, &procfs, &mut buffer)?;
        let lives = Lives::new(hierarchy.version, procfs.clone(), roots.rootfs().clone());
        tracing::debug!(path = %hierarchy.path().display(), version = ?hierarchy.version, "found cgroups");
        let config = config.clone();
        Ok(CgroupSource { config, most_listed: MAX_LISTED, procfs, hierarchy, lives, buffer })
    }
}

impl Source for CgroupSource {
    fn name(&self) -> &'static str {
        "cgroup"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let meminfo = self.procfs.parse("meminfo", &mut self.buffer, meminfo::parse)?;
        let root = self.hierarchy.open()?;
        let mut walk = Walk {
            config: &self.config,
            names_left: self.most_listed,
            version: self.hierarchy.version,
            with_swap: meminfo.swap_total.is_some_and(|bytes| bytes > 0),
            lives: &mut self.lives,
            buffer: &mut self.buffer,
            reading,
            path: self.hierarchy.root.clone(),
            seen: 0,
        };
        let above = Above { limits: Arc::default(), swap_left: meminfo.swap_free.unwrap_or(0) };
        walk.root(&root, &above)
            .map_err(|errno| SourceError::Read { path: self.hierarchy.path(), source: errno.into() })?;
        self.lives.end_pass(&reading.unread_cgroups);
        Ok(())
    }
}

/// One pass over the tree.
struct Walk<'a> {
    config: &'a CgroupsConfig,
    /// Of how many directories the names may still be taken note of.
    names_left: usize,
    version: Version,
    with_swap: bool,
    lives: &'a mut Lives,
    buffer: &'a mut Vec<u8>,
    reading: &'a mut Reading,
    /// Of the cgroup that is looked at.
    path: String,
    seen: usize,
}

/// What a cgroup has from those above it.
#[derive(Clone)]
struct Above {
    /// Nearest first.
    limits: Arc<[CgroupLimit]>,
    /// Bytes of swap that may still be taken.
    swap_left: u64,
}

impl Walk<'_> {
    /// Looks at all there is. The root of all cgroups is the host, which has an entity of its own; but what is mounted
    /// may be the cgroup of a container that we are in.
    fn root(&mut self, dir: &CgroupDir, above: &Above) -> Result<(), Errno> {
        let is_limited = match self.version {
            // Mountinfo tells the root of a cgroup namespace as it does that of all.
            Version::V1 => dir.has(c"release_agent").map(|is_root_of_all| !is_root_of_all),
            Version::V2 => dir.has(c"memory.max"),
        };
        let looked = match is_limited {
            Ok(false) => return self.children(dir, above, 1).map(|_| ()),
            Ok(true) => self.look(dir, above, 0),
            Err(errno) => Err(Unread::from(errno)),
        };
        self.note(looked);
        Ok(())
    }

    /// Looks at all that is in `dir`, on level `depth`, and says whether memory is accounted to any of it; what there is no
    /// room for counts as well. However many these are, and how many have no name of their own, it is `dir` alone that is noted
    /// as one below which not all was read.
    fn children(&mut self, dir: &CgroupDir, above: &Above, depth: usize) -> Result<bool, Errno> {
        let mut names: Vec<CString> = Vec::new();
        // Where there is no room for any of them, none need be taken note of.
        let most = if self.seen < MAX_CGROUPS { self.names_left } else { 0 };
        let mut others = dir.children(most, self.buffer, &mut names)?;
        self.names_left -= names.len();
        let (length, mut any, mut are_alike) = (self.path.len(), false, false);
        let mut replaced = HashSet::new();
        for (at, name) in names.iter().enumerate() {
            if self.seen >= MAX_CGROUPS {
                others += (names.len() - at) as u64;
                break;
            }
            let text = name.to_string_lossy();
            // Of names that differ in bytes that are no UTF-8, or in what stands for these, one can be told of: the same
            // series may not come twice.
            if text.contains(char::REPLACEMENT_CHARACTER) && !replaced.insert(text.to_string()) {
                self.reading.count_error(ReadErrorReason::Malformed);
                are_alike = true;
                continue;
            }
            self.path.push('/');
            self.path.push_str(&text);
            any |= self.child(dir, name, above, depth);
            self.path.truncate(length);
        }
        if others > 0 {
            *self.reading.dropped.entry(Scope::Cgroup).or_default() += others;
        }
        let are_some_unread = others > 0 || are_alike;
        if are_some_unread {
            self.reading.unread_cgroups.push(self.path.clone());
        }
        Ok(any || are_some_unread)
    }

    /// Looks at one cgroup and all below it. Whether memory is accounted to it; what can't be read counts as well.
    fn child(&mut self, parent: &CgroupDir, name: &CString, above: &Above, depth: usize) -> bool {
        if self.config.exclude.iter().any(|glob| glob.matches(&self.path)) {
            return true;
        }
        self.seen += 1;
        if self.path.len() > MAX_PATH_BYTES {
            return self.note(Err(Unread::from(Errno::NAMETOOLONG)));
        }
        let dir = parent.child(name).map_err(Unread::from);
        let looked = dir.and_then(|dir| self.look(&dir, above, depth));
        self.note(looked)
    }

    /// Whether memory is accounted to what was looked at; what can't be read counts as well, and so does what was listed
    /// and is gone: its parent, which was a sum a moment ago, is not to be judged as a leaf for this one tick.
    fn note(&mut self, looked: Result<bool, Unread>) -> bool {
        match looked {
            Ok(is_accounted) => is_accounted,
            Err(Unread::Vanished) => true,
            Err(Unread::Failed(reason)) => {
                tracing::debug!(path = self.path, reason = reason.as_str(), "cgroup could not be read");
                self.reading.count_error(reason);
                self.reading.unread_cgroups.push(self.path.clone());
                true
            }
        }
    }

    fn look(&mut self, dir: &CgroupDir, above: &Above, depth: usize) -> Result<bool, Unread> {
        let node = dir.node()?;
        let Some(usage) = Usage::read(dir, self.version, self.with_swap, self.buffer)? else {
            // Every cgroup has this file, of either version, and one that is gone has none.
            return if dir.has(c"cgroup.procs")? { Ok(false) } else { Err(Unread::Vanished) };
        };
        let name = if self.path.is_empty() { "/" } else { &self.path };
        let details = self.lives.details(name, node.inode, dir, self.buffer, self.reading);
        let (id, identity, mut terms) =
            (Arc::clone(&details.id), Arc::clone(&details.identity), details.terms);
        if depth == 0 {
            terms.max = terms.max.into_iter().chain(usage.hierarchical_limit).min();
        }
        let own = above.and(&id.path, &usage, &terms, self.version);
        let limits = Arc::clone(&own.limits);
        let is_leaf = depth >= self.config.max_depth
            || !node.may_have_children
            || !self.children(dir, &own, depth + 1)?;
        let is_included = |glob: &Glob| glob.matches(&self.path);
        if !self.config.include.is_empty() && !self.config.include.iter().any(is_included) {
            return Ok(true);
        }
        self.reading.samples.push(Sample {
            entity: EntityId::Cgroup(id),
            identity,
            figures: Arc::new(Figures {
                memory: usage.memory,
                limit: limits.iter().map(|shared| shared.limit).min_by_key(|limit| limit.room).map(Box::new),
                cgroup: Some(Arc::new(CgroupFigures {
                    is_leaf,
                    usage: usage.current,
                    // Read less often than what is used now.
                    peak: terms.peak.max(usage.current.filter(|_| terms.peak.is_some())),
                    limits,
                    oom_events: terms.oom_events,
                    oom_kills: terms.oom_kills,
                    pressure: terms.pressure,
                })),
                ..Figures::default()
            }),
            cpu_seconds: None,
            is_told_again: false,
        });
        Ok(true)
    }
}

impl Above {
    /// What the cgroup at `path` hands on to those below it. Before it is stopped the kernel gives back what it can,
    /// and writes out what fits into swap.
    fn and(&self, path: &Arc<str>, usage: &Usage, terms: &Terms, version: Version) -> Above {
        let current = usage.current.unwrap_or_else(|| usage.memory.total());
        let left = |bytes: u64, used: u64| bytes.saturating_sub(used);
        // One limit for memory and swap (v1), and one for swap alone (v2).
        let (swap_left, both_left) = match (version, terms.swap_max) {
            (_, None) => (self.swap_left, u64::MAX),
            (Version::V1, Some(max)) => (self.swap_left, left(max, usage.swap.unwrap_or(current))),
            (Version::V2, Some(max)) => (self.swap_left.min(left(max, usage.swap.unwrap_or(0))), u64::MAX),
        };
        let limit = |kind, bytes: u64| {
            let room = left(bytes, current).saturating_add(swap_left).min(both_left);
            CgroupLimit {
                owner: Arc::clone(path),
                limit: Limit { kind, bytes, room: room.saturating_add(usage.reclaimable) },
            }
        };
        let max = terms.max.map(|bytes| limit(LimitKind::CgroupMax, bytes));
        let high = terms.high.map(|bytes| limit(LimitKind::CgroupHigh, bytes));
        if max.is_none() && high.is_none() {
            return Above { swap_left, ..self.clone() };
        }
        let limits = max.into_iter().chain(high).chain(self.limits.iter().cloned()).collect();
        Above { limits, swap_left }
    }
}

#[cfg(test)]
mod tests;
