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
    /// `ShadowCallStack`, since Linux 5.8, on arm64.
    pub shadow_call_stack: Option<u64>,
    /// `PageTables`, since Linux 2.6.18.
    pub page_tables: Option<u64>,
    /// `SecPageTables`, since Linux 6.1: page tables of virtual machines and IOMMUs.
    pub secondary_page_tables: Option<u64>,
    /// `Bounce`: copies for devices that can't reach all memory.
    pub bounce: Option<u64>,
    /// `WritebackTmp`: copies that FUSE writes back from.
    pub writeback_tmp: Option<u64>,
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

    /// Memory that is neither free nor explained by a counter: drivers, vmalloc, network buffers, ZFS, and balloons
    /// that the kernel does not count. `None` where a counter is missing that every kernel of the last decade has.
    ///
    /// Counters overlap, and these are left out because another one includes them: `Shmem`, `Mapped`,
    /// `FileHugePages` (in `Cached`); `AnonHugePages` (in `AnonPages`); `SReclaimable`, `SUnreclaim` (in `Slab`);
    /// `Active`, `Inactive`, `Unevictable`, `Mlocked` (lists of pages that `AnonPages` and `Cached` count);
    /// `Zswapped`, `Committed_AS` (no memory). Of `KReclaimable` only what exceeds `SReclaimable` is new.
    ///
    /// `SwapCached` is explained memory although mapped pages of it are in `AnonPages` too: the rest is in no other
    /// counter, and it is better to explain a little too much than to suspect the swap cache.
    ///
    /// `VmallocUsed` does not count as an explanation. Before Linux 4.4 it is address space, then always 0, and
    /// since 5.3 it includes the stacks that `KernelStack` counts wherever CONFIG_VMAP_STACK is set. Besides, no
    /// kind of its own shows it: a driver that leaks vmalloc memory must show here. The same holds for `GPUActive`.
    pub fn unaccounted(&self) -> Option<u64> {
        let everywhere =
            [self.anon?, self.cached?, self.buffers?, self.slab?, self.kernel_stack?, self.page_tables?];
        let where_known = [
            self.swap_cached,
            self.zswap,
            self.kernel_reclaimable_besides_slab(),
            self.shadow_call_stack,
            self.secondary_page_tables,
            self.bounce,
            self.writeback_tmp,
            self.percpu,
            self.hardware_corrupted,
            self.balloon,
            self.hugetlb(),
        ];
        let explained = sum(&everywhere.map(Some)).saturating_add(sum(&where_known));
        Some(self.total.saturating_sub(self.free).saturating_sub(explained))
    }

    fn kernel_reclaimable_besides_slab(&self) -> Option<u64> {
        Some(self.kernel_reclaimable?.saturating_sub(self.slab_reclaimable?))
    }

    /// `Hugetlb`, or on older kernels the huge pages of the default size.
    fn hugetlb(&self) -> Option<u64> {
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
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A machine in MiB: every counter a power of two, so that a sum tells its parts.
    fn parts() -> Meminfo {
        Meminfo {
            total: 1000 * MIB,
            free: 100 * MIB,
            buffers: Some(MIB),
            cached: Some(2 * MIB),
            swap_cached: Some(4 * MIB),
            anon: Some(8 * MIB),
            shmem: Some(MIB),
            slab: Some(16 * MIB),
            kernel_stack: Some(32 * MIB),
            page_tables: Some(64 * MIB),
            hugetlb: Some(128 * MIB),
            ..Meminfo::default()
        }
    }

    #[test]
    fn units_follow_the_text() {
        let text = b"MemTotal:  24684084 kB\nMemFree:   21792448 kB\nHugePages_Total:      3\n\
            Hugepagesize:    2048 kB\nDirectMap4k:    what? kB\nHugetlb:   6144 kB\n";
        let meminfo = parse(text).unwrap();
        assert_eq!(meminfo.total, 24_684_084 << 10);
        assert_eq!(meminfo.huge_pages, Some(3));
        assert_eq!(meminfo.huge_page_size, Some(2 * MIB));
        assert_eq!(meminfo.hugetlb, Some(6 * MIB));
        assert_eq!(meminfo.available, None);
    }

    #[test]
    fn every_counter_is_read_into_its_own_place() {
        let keys = [
            "MemAvailable",
            "Buffers",
            "Cached",
            "SwapCached",
            "SwapTotal",
            "SwapFree",
            "Zswap",
            "AnonPages",
            "Shmem",
            "KReclaimable",
            "Slab",
            "SReclaimable",
            "SUnreclaim",
            "KernelStack",
            "ShadowCallStack",
            "PageTables",
            "SecPageTables",
            "Bounce",
            "WritebackTmp",
            "Percpu",
            "HardwareCorrupted",
            "Balloon",
            "Hugetlb",
            "Hugepagesize",
        ];
        let mut places = std::collections::HashSet::new();
        let mut meminfo = Meminfo::default();
        for key in keys {
            let (name, place) = meminfo.counter(key.as_bytes()).unwrap();
            assert_eq!(name, key);
            assert!(places.insert(std::ptr::from_mut(place)), "{key}");
        }
    }

    #[test]
    fn total_and_free_are_needed() {
        assert_eq!(parse(b"MemFree: 1 kB\n"), Err(ParseError::Missing("MemTotal")));
        assert_eq!(parse(b"MemTotal: 1 kB\n"), Err(ParseError::Missing("MemFree")));
        let odd = parse(b"MemTotal: 1 kB\nMemFree: 1 kB\nSlab: x kB\n");
        assert!(matches!(odd, Err(ParseError::NotANumber { field: "Slab", .. })));
    }

    #[test]
    fn overlapping_counters_count_once() {
        assert_eq!(parts().unaccounted(), Some((900 - 255) * MIB));
        let more_of_the_same = Meminfo {
            slab_reclaimable: Some(10 * MIB),
            slab_unreclaimable: Some(6 * MIB),
            kernel_reclaimable: Some(11 * MIB),
            ..parts()
        };
        assert_eq!(more_of_the_same.unaccounted(), Some((900 - 256) * MIB));
    }

    #[test]
    fn old_kernels_count_huge_pages_of_the_default_size() {
        let old = Meminfo { hugetlb: None, huge_pages: Some(5), huge_page_size: Some(2 * MIB), ..parts() };
        assert_eq!(old.unaccounted(), Some((900 - 127 - 10) * MIB));
    }

    #[test]
    fn nothing_is_said_without_the_counters() {
        assert_eq!(Meminfo { slab: None, ..parts() }.unaccounted(), None);
        assert_eq!(Meminfo { slab: Some(u64::MAX), ..parts() }.unaccounted(), Some(0));
    }

    #[test]
    fn available_is_estimated_on_old_kernels_and_never_exceeds_the_total() {
        assert_eq!(parts().available(), (100 + 1 + 2 - 1) * MIB);
        assert_eq!(Meminfo { available: Some(7), ..parts() }.available(), 7);
        assert_eq!(Meminfo { cached: Some(u64::MAX), ..parts() }.available(), 1000 * MIB);
    }

    #[test]
    fn swap_that_is_also_in_memory_counts_once() {
        let swapping = Meminfo { swap_total: Some(50 * MIB), swap_free: Some(30 * MIB), ..parts() };
        assert_eq!(swapping.swap_used(), Some(20 * MIB));
        assert_eq!(swapping.swapped_out(), Some(16 * MIB));
        assert_eq!(parts().swapped_out(), None);
    }

    #[test]
    fn file_is_page_cache_without_shared_memory() {
        assert_eq!(parts().file(), Some(2 * MIB));
    }
}
