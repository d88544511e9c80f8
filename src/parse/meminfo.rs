//! /proc/meminfo: the machine's memory, and what its counters leave unexplained.

use super::ParseError;
use super::text::{key_value, kibibytes, lines, number};

/// The counters of /proc/meminfo that we use (proc_meminfo(5), Documentation/filesystems/proc.rst). Bytes.
///
/// A counter is `None` where the kernel is too old for it or was built without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meminfo {
    /// `MemTotal`: usable memory.
    pub total: u64,
    /// `MemFree`: memory that nothing uses.
    pub free: u64,
    /// `MemAvailable`, since Linux 3.14: what can be had without swapping.
    pub available: Option<u64>,
    /// `Buffers`: page cache of block devices.
    pub buffers: Option<u64>,
    /// `Cached`: page cache of files, `Shmem` included, `SwapCached` and `Buffers` not.
    pub cached: Option<u64>,
    /// `SwapCached`: pages in memory that have a copy in swap.
    pub swap_cached: Option<u64>,
    /// `SwapTotal`: all swap.
    pub swap_total: Option<u64>,
    /// `SwapFree`: unused swap.
    pub swap_free: Option<u64>,
    /// `Zswap`, since Linux 5.19: memory that holds compressed swap.
    pub zswap: Option<u64>,
    /// `AnonPages`: anonymous pages in page tables, `AnonHugePages` included.
    pub anon: Option<u64>,
    /// `Shmem`, since Linux 2.6.32: tmpfs, SysV, memfd; a part of `Cached`.
    pub shmem: Option<u64>,
    /// `KReclaimable`, since Linux 4.20: `SReclaimable` and other memory that the kernel can give back.
    pub kernel_reclaimable: Option<u64>,
    /// `Slab`: `SReclaimable` and `SUnreclaim`.
    pub slab: Option<u64>,
    /// `SReclaimable`, since Linux 2.6.19: slab that the kernel can give back.
    pub slab_reclaimable: Option<u64>,
    /// `SUnreclaim`, since Linux 2.6.19: slab that it can't.
    pub slab_unreclaimable: Option<u64>,
    /// `KernelStack`, since Linux 2.6.32.
    pub kernel_stack: Option<u64>,
    /// `ShadowCallStack`, since Linux 5.8, on arm64 and riscv: return addresses, apart from the stacks.
    pub shadow_call_stack: Option<u64>,
    /// `PageTables`, since Linux 2.6.18.
    pub page_tables: Option<u64>,
    /// `SecPageTables`, since Linux 6.1: page tables of virtual machines and IOMMUs.
    pub secondary_page_tables: Option<u64>,
    /// `Bounce`: copies for devices that can't reach all memory.
    pub bounce: Option<u64>,
    /// `WritebackTmp`: copies that FUSE writes back from.
    pub writeback_tmp: Option<u64>,
    /// `VmallocUsed`, as far as it is a number that fits. [`Meminfo::vmalloc`] knows what it counts.
    pub vmalloc_used: Option<u64>,
    /// `VmallocChunk`: the largest free range of vmalloc's address space, 0 since Linux 4.4.
    pub vmalloc_chunk: Option<u64>,
    /// `Percpu`, since Linux 4.19: per-CPU allocations.
    pub percpu: Option<u64>,
    /// `HardwareCorrupted`: pages that the machine reported as broken.
    pub hardware_corrupted: Option<u64>,
    /// `Balloon`, on recent kernels (6.18 has it): memory that was handed back to a hypervisor.
    pub balloon: Option<u64>,
    /// `Hugetlb`, since Linux 4.16: huge pages of all sizes, used or not.
    pub hugetlb: Option<u64>,
    /// `HugePages_Total`: a count of huge pages of the default size.
    pub huge_pages: Option<u64>,
    /// `HugePages_Free`: how many of them nobody uses, whether or not they are promised to someone.
    pub free_huge_pages: Option<u64>,
    /// `Hugepagesize`: the default size of a huge page.
    pub huge_page_size: Option<u64>,
}

/// Reads /proc/meminfo.
///
/// ```text
/// MemTotal:       24684084 kB
/// MemFree:        21792448 kB
/// MemAvailable:   24299960 kB
/// Buffers:            6424 kB
/// Cached:          2654524 kB
/// HugePages_Total:       0
/// Hugepagesize:       2048 kB
/// ```
///
/// # Errors
/// When `MemTotal` or `MemFree` is missing, or a counter that we use is no number.
pub fn parse(text: &[u8]) -> Result<Meminfo, ParseError> {
    let (mut total, mut free) = (None, None);
    let mut meminfo = Meminfo::default();
    for (key, value) in lines(text).filter_map(key_value) {
        match key {
            b"MemTotal" => total = Some(kibibytes("MemTotal", value)?),
            b"MemFree" => free = Some(kibibytes("MemFree", value)?),
            b"HugePages_Total" => meminfo.huge_pages = Some(number("HugePages_Total", value)?),
            b"HugePages_Free" => meminfo.free_huge_pages = Some(number("HugePages_Free", value)?),
            // From Linux 5.10 to 6.12 the i915 driver takes off what was never added, until the counter wraps.
            b"VmallocUsed" => meminfo.vmalloc_used = kibibytes("VmallocUsed", value).ok(),
            _ => {
                if let Some((name, counter)) = meminfo.counter(key) {
                    *counter = Some(kibibytes(name, value)?);
                }
            }
        }
    }
    meminfo.total = total.ok_or(ParseError::Missing("MemTotal"))?;
    meminfo.free = free.ok_or(ParseError::Missing("MemFree"))?;
    Ok(meminfo)
}

impl Meminfo {
    /// `MemAvailable`, or on older kernels what was the estimate before: free memory, page cache and slab that can
    /// be given back.
    pub fn available(&self) -> u64 {
        self.available.unwrap_or_else(|| {
            let cache = sum(&[self.buffers, self.cached, self.slab_reclaimable]);
            self.free.saturating_add(cache).saturating_sub(self.shmem.unwrap_or(0)).min(self.total)
        })
    }

    /// Page cache of files and block devices, without shared memory.
    pub fn file(&self) -> Option<u64> {
        Some(self.cached?.saturating_add(self.buffers?).saturating_sub(self.shmem.unwrap_or(0)))
    }

    /// Swap in use.
    pub fn swap_used(&self) -> Option<u64> {
        Some(self.swap_total?.saturating_sub(self.swap_free?))
    }

    /// Swap in use that is not also in memory. Pages that came back keep their slot while swap is plentiful; they
    /// count in `AnonPages` or `Shmem` already.
    pub fn swapped_out(&self) -> Option<u64> {
        Some(self.swap_used()?.saturating_sub(self.swap_cached.unwrap_or(0)))
    }

    /// Stacks of threads inside the kernel, with their return addresses where those are kept apart.
    pub fn stacks(&self) -> Option<u64> {
        Some(self.kernel_stack?.saturating_add(self.shadow_call_stack.unwrap_or(0)))
    }

    /// Page tables of processes, of virtual machines and of IOMMUs. The kernel counts each page as one of them.
    pub fn all_page_tables(&self) -> Option<u64> {
        Some(self.page_tables?.saturating_add(self.secondary_page_tables.unwrap_or(0)))
    }

    /// What the kernel holds by vmalloc, stacks apart: modules, BPF, tables of drivers. `None` where the kernel does
    /// not say.
    ///
    /// `VmallocUsed` counts pages since Linux 5.3 (`nr_vmalloc_pages`, added to in `__vmalloc_area_node`). Before,
    /// from 4.4 on, it is always 0, and earlier still it is address space, mappings of devices included; such a
    /// kernel gives itself away by a `VmallocChunk` that is not 0. More than what is not free is a counter that has
    /// wrapped. Per-CPU chunks lie in the same address space, but their pages are counted in `Percpu` alone.
    ///
    /// Stacks of threads are among these pages wherever CONFIG_VMAP_STACK is set, which is everywhere but on a few
    /// small architectures, and shadow call stacks since 5.11. Where they are not, they are missing here, and what
    /// they hide is unaccounted.
    pub fn vmalloc(&self) -> Option<u64> {
        let counts_pages = self.vmalloc_chunk.unwrap_or(0) == 0;
        let plausible = 1..=self.total.saturating_sub(self.free);
        let used = self.vmalloc_used.filter(|used| counts_pages && plausible.contains(used))?;
        Some(used.saturating_sub(self.stacks().unwrap_or(0)))
    }

    /// Huge pages of hugetlbfs in use. A leak takes these: the pool only changes when someone resizes it or, beyond
    /// it, with the pages in use. Meminfo tells the free pages of the default size alone, so that all of other sizes
    /// count as used.
    pub fn huge_pages_in_use(&self) -> Option<u64> {
        let free = self.free_huge_pages?.saturating_mul(self.huge_page_size?);
        Some(self.huge_page_pool()?.saturating_sub(free))
    }

    /// Memory that is neither free nor explained by a counter: pages that drivers take from the allocator directly,
    /// network buffers outside slab, ZFS, and balloons that the kernel does not count. `None` where a counter is
    /// missing that every kernel of the last decade has.
    ///
    /// Counters overlap, and these are left out because another one includes them: `Shmem`, `Mapped`,
    /// `FileHugePages` (in `Cached`); `AnonHugePages` (in `AnonPages`); `SReclaimable`, `SUnreclaim` (in `Slab`);
    /// `Active`, `Inactive`, `Unevictable`, `Mlocked` (lists of pages that `AnonPages` and `Cached` count);
    /// `Zswapped`, `Committed_AS` (no memory). Of `KReclaimable` only what exceeds `SReclaimable` is new, of
    /// `VmallocUsed` what exceeds the stacks.
    ///
    /// `SwapCached` is explained memory although mapped pages of it are in `AnonPages` too: the rest is in no other
    /// counter, and it is better to explain a little too much than to suspect the swap cache.
    ///
    /// What the host has a kind for is explained, or one leak would be found twice: a driver that leaks by vmalloc
    /// shows there, and here only on kernels that don't count it. `GPUActive` is no explanation: no kind shows it.
    pub fn unaccounted(&self) -> Option<u64> {
        let everywhere =
            [self.anon?, self.cached?, self.buffers?, self.slab?, self.stacks()?, self.all_page_tables()?];
        let where_known = [
            self.swap_cached,
            self.zswap,
            self.kernel_reclaimable_besides_slab(),
            self.bounce,
            self.writeback_tmp,
            self.vmalloc(),
            self.percpu,
            self.hardware_corrupted,
            self.balloon,
            self.huge_page_pool(),
        ];
        let explained = sum(&everywhere.map(Some)).saturating_add(sum(&where_known));
        Some(self.total.saturating_sub(self.free).saturating_sub(explained))
    }

    fn kernel_reclaimable_besides_slab(&self) -> Option<u64> {
        Some(self.kernel_reclaimable?.saturating_sub(self.slab_reclaimable?))
    }

    /// All huge pages, used or not: `Hugetlb`, or on older kernels those of the default size.
    fn huge_page_pool(&self) -> Option<u64> {
        self.hugetlb.or_else(|| Some(self.huge_pages?.saturating_mul(self.huge_page_size?)))
    }

    /// Where the value of a key belongs.
    fn counter(&mut self, key: &[u8]) -> Option<(&'static str, &mut Option<u64>)> {
        Some(match key {
            b"MemAvailable" => ("MemAvailable", &mut self.available),
            b"Buffers" => ("Buffers", &mut self.buffers),
            b"Cached" => ("Cached", &mut self.cached),
            b"SwapCached" => ("SwapCached", &mut self.swap_cached),
            b"SwapTotal" => ("SwapTotal", &mut self.swap_total),
            b"SwapFree" => ("SwapFree", &mut self.swap_free),
            b"Zswap" => ("Zswap", &mut self.zswap),
            b"AnonPages" => ("AnonPages", &mut self.anon),
            b"Shmem" => ("Shmem", &mut self.shmem),
            b"KReclaimable" => ("KReclaimable", &mut self.kernel_reclaimable),
            b"Slab" => ("Slab", &mut self.slab),
            b"SReclaimable" => ("SReclaimable", &mut self.slab_reclaimable),
            b"SUnreclaim" => ("SUnreclaim", &mut self.slab_unreclaimable),
            b"KernelStack" => ("KernelStack", &mut self.kernel_stack),
            b"ShadowCallStack" => ("ShadowCallStack", &mut self.shadow_call_stack),
            b"PageTables" => ("PageTables", &mut self.page_tables),
            b"SecPageTables" => ("SecPageTables", &mut self.secondary_page_tables),
            b"Bounce" => ("Bounce", &mut self.bounce),
            b"WritebackTmp" => ("WritebackTmp", &mut self.writeback_tmp),
            b"VmallocChunk" => ("VmallocChunk", &mut self.vmalloc_chunk),
            b"Percpu" => ("Percpu", &mut self.percpu),
            b"HardwareCorrupted" => ("HardwareCorrupted", &mut self.hardware_corrupted),
            b"Balloon" => ("Balloon", &mut self.balloon),
            b"Hugetlb" => ("Hugetlb", &mut self.hugetlb),
            b"Hugepagesize" => ("Hugepagesize", &mut self.huge_page_size),
            _ => return None,
        })
    }
}

/// The known ones together.
fn sum(counters: &[Option<u64>]) -> u64 {
    counters.iter().flatten().fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

#[cfg(test)]
mod tests;
