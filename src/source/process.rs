//! Processes, read from Linux's /proc.

use std::collections::HashSet;
use std::sync::Arc;

use rustix::param::page_size;

use super::clock::Clock;
use super::holdings::Holdings;
use super::identity::{Details, Lives, Sighting};
use super::pid_dir::{PidDir, Unread};
use super::roots::{Procfs, Roots};
use super::users::Users;
use super::{Reading, Source, SourceError};
use crate::entity::{EntityId, Wants};
use crate::parse::limits::Limits;
use crate::parse::status::Status;
use crate::parse::{stat, statm, status};
use crate::sample::{Figures, Kind, Limit, LimitKind, Memory, Sample};

mod kept;

use kept::{Glance, Kept};

/// Reads every process that has memory: of those that have changed two small files each and at times a third, all buffers
/// reused.
pub(super) struct ProcessSource {
    procfs: Procfs,
    users: Users,
    lives: Lives,
    holdings: Holdings,
    kept: Kept,
    pids: Vec<u32>,
    stat: Vec<u8>,
    buffer: Vec<u8>,
}

impl ProcessSource {
    /// A source over the procfs of `roots`.
    pub(super) fn new(roots: &Roots) -> ProcessSource {
        ProcessSource {
            procfs: roots.procfs().clone(),
            users: Users::new(roots.rootfs().clone()),
            lives: Lives::default(),
            holdings: Holdings::new(roots.procfs()),
            kept: Kept::new(roots.procfs().is_genuine()),
            pids: Vec::new(),
            stat: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// One process, told again where nothing has changed; `None` if it has no memory of its own.
    fn look(&mut self, pid: u32, clock: &Clock, reading: &mut Reading) -> Result<Option<Sample>, Unread> {
        let dir = match self.kept.glance(pid, &mut self.buffer) {
            Glance::Changed(dir) => dir,
            Glance::New => {
                let dir = self.procfs.pid_dir(pid)?;
                self.kept.begin(pid, dir, &mut self.buffer)?
            }
            Glance::Same(dir) => match self.kept.sample(pid) {
                None => return Ok(None),
                Some(sample) if self.lives.pass_by(pid) => {
                    self.holdings.pass_by(pid);
                    return Ok(Some(sample.told_again()));
                }
                Some(_) => dir,
            },
        };
        let sample = self.sample(pid, &dir, clock, reading);
        match &sample {
            Ok(sample) => self.kept.keep(pid, sample.as_ref()),
            Err(_) => self.kept.forget(pid),
        }
        sample
    }

    /// Everything that there is to know of a process; `None` for a thread of the kernel, a zombie.
    fn sample(
        &mut self,
        pid: u32,
        dir: &PidDir,
        clock: &Clock,
        reading: &mut Reading,
    ) -> Result<Option<Sample>, Unread> {
        dir.read(c"stat", &mut self.stat)?;
        let stat = stat::parse(&self.stat)?;
        if stat.is_kernel_thread() || stat.is_dead() {
            return Ok(None);
        }
        dir.read(c"status", &mut self.buffer)?;
        let status = status::parse(&self.buffer)?;
        let Some(memory) = memory(&status, dir, &mut self.buffer)? else {
            return Ok(None);
        };
        let sighting = Sighting { pid, start_time: stat.start_time, comm: stat.comm, uid: status.uid };
        let Details { identity, limits } =
            self.lives.details(&sighting, dir, &self.users, &mut self.buffer, reading);
        let threads = status.threads.unwrap_or(stat.threads);
        let (limit, identity) = (nearest_limit(limits, &status), identity.clone());
        let life = (pid, stat.start_time);
        let resources = self.holdings.of(life, threads, limits.open_files, dir, &mut self.buffer);
        Ok(Some(Sample {
            entity: EntityId::Process { pid, start_time: stat.start_time },
            identity,
            figures: Arc::new(Figures {
                memory,
                limit,
                start: Some(clock.start(stat.start_time)),
                threads: Some(threads),
                resources,
                cgroup: None,
            }),
            cpu_seconds: Some(clock.seconds(stat.cpu_time)),
            is_told_again: false,
        }))
    }
}

impl Source for ProcessSource {
    fn name(&self) -> &'static str {
        "process"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let clock = Clock::read(&self.procfs, &mut self.buffer)?;
        reading.uptime = Some(clock.uptime());
        self.users.refresh(&mut self.buffer);
        self.procfs.pids(&mut self.buffer, &mut self.pids)?;
        self.holdings.begin_pass(&self.procfs, &mut self.buffer);
        for index in 0..self.pids.len() {
            let pid = self.pids[index];
            match self.look(pid, &clock, reading) {
                Ok(sample) => reading.samples.extend(sample),
                Err(Unread::Vanished) => {}
                Err(Unread::Failed(reason)) => {
                    tracing::debug!(pid, reason = reason.as_str(), "process could not be read");
                    reading.count_error(reason);
                    reading.unread.insert(pid);
                }
            }
        }
        self.lives.end_pass();
        self.holdings.end_pass();
        self.kept.end_pass();
        Ok(())
    }

    fn want(&mut self, wants: Wants) {
        self.lives.want(wants);
    }

    fn suspect_descriptors(&mut self, pids: &HashSet<u32>) {
        self.holdings.suspect(pids);
    }
}

/// Memory by kind; `None` without an address space. Kernels before 4.5 don't split what is resident in `status`,
/// and then `statm` gives private and backed memory. `buffer` is scratch space.
fn memory(status: &Status, dir: &PidDir, buffer: &mut Vec<u8>) -> Result<Option<Memory>, Unread> {
    let memory = Memory::default().with(Kind::Swap, status.swap);
    if status.anon.is_some() {
        let memory = memory.with(Kind::Anon, status.anon).with(Kind::File, status.file);
        return Ok(Some(memory.with(Kind::Shmem, status.shmem)));
    }
    if status.resident.is_none() {
        return Ok(None);
    }
    dir.read(c"statm", buffer)?;
    let statm = statm::parse(buffer)?;
    let bytes = |pages: u64| Some(pages.saturating_mul(page_size() as u64));
    Ok(Some(memory.with(Kind::Anon, bytes(statm.anon())).with(Kind::File, bytes(statm.shared))))
}

/// The limit that leaves the least room. The kernel compares RLIMIT_AS with `VmSize` and RLIMIT_DATA with `VmData`
/// (its `may_expand_vm`).
fn nearest_limit(limits: &Limits, status: &Status) -> Option<Limit> {
    let limit = |kind, bytes: Option<u64>, used: Option<u64>| {
        let (bytes, used) = (bytes?, used?);
        Some(Limit { kind, bytes, room: bytes.saturating_sub(used) })
    };
    let address_space = limit(LimitKind::AddressSpace, limits.address_space, status.size);
    let data = limit(LimitKind::Data, limits.data, status.data);
    address_space.into_iter().chain(data).min_by_key(|limit| limit.room)
}

#[cfg(test)]
mod tests;
