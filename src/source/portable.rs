//! Processes, read by the sysinfo library: less detail and more cost, on any system it supports.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System};

use super::names::text;
use super::{Reading, Source, SourceError};
use crate::entity::{EntityId, Identity};
use crate::sample::{Figures, Kind, Memory, Sample, Start};

/// Reads resident memory, all that every system can tell.
pub(super) struct PortableSource {
    system: System,
    /// By pid and start time, so that an unchanged identity is allocated once.
    identities: HashMap<(u32, u64), Arc<Identity>>,
}

impl PortableSource {
    /// A source over the live system; the library knows no other.
    ///
    /// # Errors
    /// [`SourceError::Library`] when the library does not work here.
    pub(super) fn new() -> Result<PortableSource, SourceError> {
        Ok(PortableSource { system: System::new()?, identities: HashMap::new() })
    }
}

impl Source for PortableSource {
    fn name(&self) -> &'static str {
        "process"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
        if self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, what) == 0 {
            // It says nothing of why. Taken at its word, it would end the history of every process.
            return Err(SourceError::Empty);
        }
        let uptime = Duration::from_secs(System::uptime()?);
        reading.uptime = Some(uptime);
        let old = std::mem::take(&mut self.identities);
        for process in self.system.processes().values().filter(|process| has_memory(process)) {
            let life = (process.pid().as_u32(), process.start_time());
            let identity = identity(old.get(&life), process);
            reading.samples.push(sample(life, Arc::clone(&identity), process, uptime));
            self.identities.insert(life, identity);
        }
        Ok(())
    }
}

/// Leaves out threads, which share their process's memory or the kernel's, and zombies.
fn has_memory(process: &Process) -> bool {
    process.thread_kind().is_none() && process.memory() > 0
}

/// The known identity, unless the process has another name by now.
fn identity(known: Option<&Arc<Identity>>, process: &Process) -> Arc<Identity> {
    let name = text(process.name().as_bytes());
    match known {
        Some(known) if *known.name == *name => Arc::clone(known),
        _ => Arc::new(Identity { name: Arc::from(name), ..Identity::default() }),
    }
}

fn sample(
    (pid, start_time): (u32, u64),
    identity: Arc<Identity>,
    process: &Process,
    uptime: Duration,
) -> Sample {
    let age = Duration::from_secs(process.run_time());
    Sample {
        // The library's start time is in seconds since the epoch; it tells lives apart all the same.
        entity: EntityId::Process { pid, start_time },
        identity,
        figures: Arc::new(Figures {
            memory: Memory::default().with(Kind::Resident, Some(process.memory())),
            start: Some(Start { unix_seconds: start_time as f64, after_boot: uptime.saturating_sub(age) }),
            ..Figures::default()
        }),
        cpu_seconds: Some(process.accumulated_cpu_time() as f64 / 1e3),
        is_told_again: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(reading: &Reading) -> &Sample {
        let own = std::process::id();
        let is_own = |sample: &&Sample| matches!(sample.entity, EntityId::Process { pid, .. } if pid == own);
        reading.samples.iter().find(is_own).unwrap()
    }

    #[test]
    fn this_process_is_seen_and_twice_the_same() {
        let mut source = PortableSource::new().unwrap();
        let (mut first, mut second) = (Reading::default(), Reading::default());
        source.read(&mut first).unwrap();
        source.read(&mut second).unwrap();
        let uptime = first.uptime.unwrap();
        let (first, second) = (own(&first), own(&second));
        assert_eq!(first.entity, second.entity);
        assert!(Arc::ptr_eq(&first.identity, &second.identity));
        assert!(first.figures.memory.get(Kind::Resident).unwrap() > 1 << 20);
        assert_eq!(first.figures.memory.iter().count(), 1);
        assert!(first.figures.start.unwrap().age(uptime) < Duration::from_secs(3600));
        assert!(first.cpu_seconds <= second.cpu_seconds && second.cpu_seconds < Some(3600.0));
    }

    #[test]
    fn threads_of_the_kernel_are_left_out() {
        let mut reading = Reading::default();
        PortableSource::new().unwrap().read(&mut reading).unwrap();
        assert!(reading.samples.iter().all(|sample| sample.figures.memory.total() > 0));
    }
}
