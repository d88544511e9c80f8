//! The machine as a whole: totals, kinds of memory, and what no counter explains.

use std::sync::Arc;

use rustix::io::Errno;
use rustix::param::page_size;
use sysinfo::System;

use super::clock::Clock;
use super::pid_dir::Unread;
use super::roots::{Procfs, Roots};
use super::{ReadErrorReason, Reading, Source, SourceError};
use crate::entity::{EntityId, Identity};
use crate::parse::meminfo::{self, Meminfo};
use crate::parse::sockstat;
use crate::sample::{Figures, HostMemory, Kind, Memory, Sample};

/// Where sockets are counted: in the network namespace of the first process, which below the host's procfs is the
/// host's, and where that can't be looked at, in our own. TCP and UDP are counted over all of them.
const SOCKSTAT: [&str; 2] = ["1/net/sockstat", "net/sockstat"];

/// Reads the memory of the machine.
pub(super) struct HostSource {
    procfs: Procfs,
    /// Whether a library gives the totals. It reads /proc and nothing else, so that another root has to do with our own
    /// reader.
    is_live: bool,
    identity: Arc<Identity>,
    buffer: Vec<u8>,
}

impl HostSource {
    /// A source over the procfs of `roots`. Without the library our own reader gives the same totals.
    pub(super) fn new(roots: &Roots) -> HostSource {
        let procfs = roots.procfs().clone();
        HostSource { is_live: procfs.is_live(), procfs, identity: Arc::default(), buffer: Vec::new() }
    }
}

impl Source for HostSource {
    fn name(&self) -> &'static str {
        "host"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let meminfo = self.procfs.parse("meminfo", &mut self.buffer, meminfo::parse)?;
        let clock = Clock::read(&self.procfs, &mut self.buffer)?;
        reading.uptime = Some(clock.uptime());
        let mut host = HostMemory { sockets: self.sockets(reading), ..figures(&meminfo) };
        if self.is_live {
            take_totals(&mut host);
        }
        let sample = |entity, memory| Sample {
            entity,
            identity: Arc::clone(&self.identity),
            figures: Arc::new(Figures {
                memory,
                limit: Some(Box::new(host.as_limit())),
                start: Some(clock.boot()),
                ..Figures::default()
            }),
            cpu_seconds: None,
            is_told_again: false,
        };
        reading.samples.push(sample(EntityId::Host, kinds(&meminfo)));
        if let Some(bytes) = host.unaccounted {
            let memory = Memory::default().with(Kind::Unaccounted, Some(bytes));
            reading.samples.push(sample(EntityId::HostUnaccounted, memory));
        }
        reading.host = Some(host);
        Ok(())
    }
}

impl HostSource {
    /// Bytes in the buffers of sockets; `None` for a kernel without networking, and where a file makes no sense.
    fn sockets(&mut self, reading: &mut Reading) -> Option<u64> {
        for name in SOCKSTAT {
            match self.procfs.parse(name, &mut self.buffer, sockstat::parse) {
                Ok(sockstat) => return Some(sockstat.bytes(page_size() as u64)),
                Err(SourceError::Parse { .. }) => reading.count_error(ReadErrorReason::Malformed),
                Err(error) if is_nothing_for_us(&error) => {}
                Err(_) => {
                    reading.count_error(ReadErrorReason::Io);
                    return None;
                }
            }
        }
        None
    }
}

fn figures(meminfo: &Meminfo) -> HostMemory {
    HostMemory {
        total: meminfo.total,
        free: meminfo.free,
        available: meminfo.available(),
        swap_total: meminfo.swap_total.unwrap_or(0),
        swap_used: meminfo.swap_used().unwrap_or(0),
        slab_unreclaimable: meminfo.slab_unreclaimable,
        sockets: None,
        unaccounted: meminfo.unaccounted(),
    }
}

/// Whether a file is not there, or not for us to read; else it may be read the next time.
fn is_nothing_for_us(error: &SourceError) -> bool {
    let SourceError::Read { source, .. } = error else { return false };
    let errno = Errno::from_io_error(source);
    errno.is_some_and(|errno| Unread::from(errno) != Unread::Failed(ReadErrorReason::Io))
}

/// A new instance each time, as one that fails to read keeps what it had and says nothing; and in a new one is nothing.
fn take_totals(host: &mut HostMemory) {
    let Ok(mut system) = System::new() else { return };
    system.refresh_memory();
    if system.total_memory() == 0 {
        return;
    }
    host.total = system.total_memory();
    host.free = system.free_memory();
    host.available = system.available_memory();
    host.swap_total = system.total_swap();
    host.swap_used = system.total_swap().saturating_sub(system.free_swap());
}

fn kinds(meminfo: &Meminfo) -> Memory {
    Memory::default()
        .with(Kind::Anon, meminfo.anon)
        .with(Kind::File, meminfo.file())
        .with(Kind::Shmem, meminfo.shmem)
        .with(Kind::Swap, meminfo.swapped_out())
        .with(Kind::Slab, meminfo.slab_unreclaimable)
        .with(Kind::KernelStack, meminfo.stacks())
        .with(Kind::Pagetables, meminfo.all_page_tables())
        .with(Kind::Percpu, meminfo.percpu)
        .with(Kind::Vmalloc, meminfo.vmalloc())
        .with(Kind::Hugetlb, meminfo.huge_pages_in_use())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;
    use std::time::Duration;

    use rustix::fs::statfs;

    use super::super::fixture::{FakeSystem, live_roots};
    use super::*;
    use crate::sample::{Limit, LimitKind};

    const KIB: u64 = 1024;

    /// The kernel's include/uapi/linux/magic.h.
    const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

    const MEMINFO: &str = "MemTotal: 10000 kB\nMemFree: 1000 kB\nMemAvailable: 4000 kB\nBuffers: 100 kB\n\
        Cached: 3000 kB\nSwapCached: 10 kB\nSwapTotal: 500 kB\nSwapFree: 300 kB\nAnonPages: 2000 kB\n\
        Shmem: 400 kB\nSlab: 900 kB\nSReclaimable: 600 kB\nSUnreclaim: 300 kB\nKernelStack: 50 kB\n\
        PageTables: 60 kB\nSecPageTables: 5 kB\nVmallocUsed: 80 kB\nVmallocChunk: 0 kB\nPercpu: 70 kB\n\
        HugePages_Total: 20\nHugePages_Free: 15\nHugepagesize: 4 kB\n";

    fn read(roots: &Roots) -> Result<Reading, SourceError> {
        let mut reading = Reading::default();
        HostSource::new(roots).read(&mut reading)?;
        Ok(reading)
    }

    #[test]
    fn figures_of_another_root_come_from_its_own_files() {
        let system = FakeSystem::new();
        system.write("proc/meminfo", MEMINFO);
        let reading = read(&system.roots()).unwrap();
        let expected = HostMemory {
            total: 10_000 * KIB,
            free: 1000 * KIB,
            available: 4000 * KIB,
            swap_total: 500 * KIB,
            swap_used: 200 * KIB,
            slab_unreclaimable: Some(300 * KIB),
            sockets: None,
            unaccounted: Some((9000 - 2000 - 3000 - 100 - 900 - 50 - 65 - 70 - 30 - 80 - 10) * KIB),
        };
        assert_eq!(reading.host, Some(expected));
    }

    #[test]
    fn the_host_and_its_unaccounted_part_are_two_entities() {
        let system = FakeSystem::new();
        system.write("proc/meminfo", MEMINFO);
        let reading = read(&system.roots()).unwrap();
        let [host, unaccounted] = &reading.samples[..] else { panic!("{:?}", reading.samples) };
        assert_eq!((&host.entity, &unaccounted.entity), (&EntityId::Host, &EntityId::HostUnaccounted));
        let limit = Limit { kind: LimitKind::Host, bytes: 10_500 * KIB, room: 4300 * KIB };
        assert_eq!((host.figures.limit(), unaccounted.figures.limit()), (Some(limit), Some(limit)));
        let kinds: Vec<_> =
            host.figures.memory.iter().map(|(kind, bytes)| (kind.as_str(), bytes / KIB)).collect();
        let expected = [
            ("anon", 2000),
            ("file", 2700),
            ("shmem", 400),
            ("swap", 190),
            ("slab", 300),
            ("kernel_stack", 50),
            ("pagetables", 65),
            ("percpu", 70),
            ("vmalloc", 30),
            ("hugetlb", 20),
        ];
        assert_eq!(kinds, expected);
        assert_eq!(unaccounted.figures.memory.total(), 2695 * KIB);
        assert_eq!(host.figures.start.unwrap().unix_seconds, 1_700_000_000.0);
        assert_eq!(reading.uptime, Some(Duration::from_millis(1_000_500)));
    }

    #[test]
    fn an_old_kernel_says_less_and_nothing_is_made_up() {
        let system = FakeSystem::new();
        system.write("proc/meminfo", "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n");
        let reading = read(&system.roots()).unwrap();
        let host = reading.host.unwrap();
        assert_eq!((host.available, host.unaccounted), (35 * KIB, None));
        assert_eq!(reading.samples.len(), 1);
        assert_eq!(reading.samples[0].figures.memory.get(Kind::Anon), None);
    }

    #[test]
    fn sockets_are_those_of_the_first_process_or_else_our_own() {
        let system = FakeSystem::new();
        let sockets = || {
            let reading = read(&system.roots()).unwrap();
            (reading.host.unwrap().sockets, reading.errors)
        };
        let text = |pages: u64, fragments: u64| {
            format!("TCP: inuse 1 mem {pages}\nUDP: inuse 1 mem 0\nFRAG: inuse 1 memory {fragments}\n")
        };
        assert_eq!(sockets(), (None, BTreeMap::new()), "a kernel without networking is no error");
        system.write("proc/net/sockstat", text(3, 100));
        assert_eq!(sockets(), (Some(3 * page_size() as u64 + 100), BTreeMap::new()));
        system.write("proc/1/net/sockstat", text(5, 200));
        assert_eq!(sockets(), (Some(5 * page_size() as u64 + 200), BTreeMap::new()));
        for name in SOCKSTAT {
            system.write(&format!("proc/{name}"), "TCP: mem lots\n");
        }
        assert_eq!(sockets(), (None, BTreeMap::from([(ReadErrorReason::Malformed, 2)])));
        system.write("proc/net/sockstat", text(3, 100));
        system.remove("proc/1/net/sockstat");
        system.create_dir("proc/1/net/sockstat");
        let unread = (None, BTreeMap::from([(ReadErrorReason::Io, 1)]));
        assert_eq!(sockets(), unread, "what can't be read just now is not taken for another's");
    }

    #[test]
    fn what_cannot_be_read_says_which_file() {
        let system = FakeSystem::new();
        let roots = system.roots();
        system.write("proc/meminfo", "MemTotal: lots\n");
        let error = read(&roots).unwrap_err().to_string();
        assert!(error.contains("/proc/meminfo: field MemTotal is not a number: \"lots\""), "{error}");
        system.remove("proc/meminfo");
        let error = read(&roots).unwrap_err().to_string();
        assert!(error.contains("/proc/meminfo: No such file"), "{error}");
    }

    #[test]
    fn the_live_machine_has_memory() {
        let reading = read(&live_roots()).unwrap();
        let host = reading.host.unwrap();
        assert!(host.total > 0 && host.available > 0 && host.free <= host.total);
        assert!(host.unaccounted.is_none_or(|bytes| bytes < host.total));
        assert!(reading.samples[0].figures.memory.total() < host.total + host.swap_total);
        assert!(host.sockets.is_none_or(|bytes| bytes < host.total));
    }

    /// Others use shared memory meanwhile, so that it is told within a half, and tried again.
    #[test]
    fn a_file_in_tmpfs_that_nobody_maps_is_shared_memory_of_the_host() {
        const SIZE: u64 = 16 << 20;
        let is_tmpfs = statfs("/dev/shm").is_ok_and(|fs| fs.f_type == TMPFS_MAGIC);
        if !is_tmpfs {
            return;
        }
        let roots = live_roots();
        let shmem = || read(&roots).unwrap().samples[0].figures.memory.get(Kind::Shmem).unwrap();
        let comes_and_goes = || {
            let before = shmem();
            let mut file = tempfile::tempfile_in("/dev/shm").unwrap();
            file.write_all(&vec![1; SIZE as usize]).unwrap();
            let with = shmem();
            drop(file);
            with.abs_diff(before + SIZE) < SIZE / 2 && shmem().abs_diff(before) < SIZE / 2
        };
        assert!((0..5).any(|_| comes_and_goes()));
    }
}
