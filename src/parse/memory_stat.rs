//! memory.stat: what a cgroup's memory is made of.

use super::ParseError;
use super::memory_files::finite;
use super::text::{lines, number, set_once, word_value};

/// The memory of a cgroup and all below it, by kind. Bytes; kinds never overlap. `None` is what the kernel does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryStat {
    /// Anonymous memory, huge pages included.
    pub anon: Option<u64>,
    /// Page cache of files, without shared memory where the kernel tells it apart.
    pub file: Option<u64>,
    /// tmpfs, SysV, memfd and shared anonymous memory.
    pub shmem: Option<u64>,
    /// Swap in use, of v1 with swap accounting. On v2 it is in memory.swap.current.
    pub swap: Option<u64>,
    /// What of v2's memory.swap.current is also in memory, since Linux 5.12. v1's [`MemoryStat::swap`] has none of it.
    pub swap_cached: Option<u64>,
    /// Slab that can't be given back, of v2.
    pub slab: Option<u64>,
    /// Network buffers, of v2.
    pub sock: Option<u64>,
    /// Stacks of threads in the kernel, of v2.
    pub kernel_stack: Option<u64>,
    /// Page tables, of v2 since Linux 5.11.
    pub pagetables: Option<u64>,
    /// Per-CPU allocations, of v2 since Linux 5.9.
    pub percpu: Option<u64>,
    /// What can be given back without swapping: page cache that is not pinned, and v2's reclaimable slab. No kind: its
    /// page cache is in [`MemoryStat::file`].
    pub reclaimable: Option<u64>,
    /// The lowest limit on the way up to the root, of v1. `None` is unlimited.
    pub hierarchical_limit: Option<u64>,
}

impl MemoryStat {
    /// Reads memory.stat of v2 (Documentation/admin-guide/cgroup-v2.rst).
    ///
    /// `file` includes `shmem`, unlike /proc/meminfo's counterpart no `swapcached`. `slab` and `kernel` are sums of
    /// others.
    ///
    /// ```text
    /// anon 1531904
    /// file 9613312
    /// kernel_stack 131072
    /// shmem 9084928
    /// inactive_file 16384
    /// active_file 512000
    /// slab_reclaimable 404536
    /// slab_unreclaimable 198712
    /// ```
    ///
    /// # Errors
    /// When a counter that we use is no number or there twice.
    pub fn parse_v2(text: &[u8]) -> Result<MemoryStat, ParseError> {
        let mut counters = Counters::default();
        for (key, value) in lines(text).map(word_value) {
            if let Some((name, counter)) = counters.v2(key) {
                set_once(name, counter, number(name, value)?)?;
            }
        }
        Ok(counters.by_kind())
    }

    /// Reads memory.stat of v1 (Documentation/admin-guide/cgroup-v1/memory.rst).
    ///
    /// `total_` marks what includes the cgroups below; the plain counter stands in where there is none. `cache`
    /// includes `shmem`, which older kernels do not tell. Kernel memory is not here.
    ///
    /// ```text
    /// cache 9613312
    /// rss 4587520
    /// hierarchical_memory_limit 9223372036854771712
    /// total_cache 1227698176
    /// total_rss 7401472
    /// total_shmem 9170944
    /// total_swap 0
    /// ```
    ///
    /// # Errors
    /// When a counter that we use is no number or there twice.
    pub fn parse_v1(text: &[u8]) -> Result<MemoryStat, ParseError> {
        let (mut own, mut total) = (Counters::default(), Counters::default());
        for (key, value) in lines(text).map(word_value) {
            let (counters, key) = match key.strip_prefix(b"total_") {
                Some(key) => (&mut total, key),
                None => (&mut own, key),
            };
            if let Some((name, counter)) = counters.v1(key) {
                set_once(name, counter, number(name, value)?)?;
            }
        }
        Ok(total.or(own).by_kind())
    }
}

/// The counters as the kernel has them, overlaps included. Bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    anon: Option<u64>,
    file_and_shmem: Option<u64>,
    shmem: Option<u64>,
    swap: Option<u64>,
    swap_cached: Option<u64>,
    inactive_file: Option<u64>,
    active_file: Option<u64>,
    slab_reclaimable: Option<u64>,
    slab_unreclaimable: Option<u64>,
    sock: Option<u64>,
    kernel_stack: Option<u64>,
    pagetables: Option<u64>,
    percpu: Option<u64>,
    hierarchical_limit: Option<u64>,
}

impl Counters {
    /// Where the value of a key of v2 belongs.
    fn v2(&mut self, key: &[u8]) -> Option<(&'static str, &mut Option<u64>)> {
        Some(match key {
            b"anon" => ("anon", &mut self.anon),
            b"file" => ("file", &mut self.file_and_shmem),
            b"shmem" => ("shmem", &mut self.shmem),
            b"swapcached" => ("swapcached", &mut self.swap_cached),
            b"inactive_file" => ("inactive_file", &mut self.inactive_file),
            b"active_file" => ("active_file", &mut self.active_file),
            b"slab_reclaimable" => ("slab_reclaimable", &mut self.slab_reclaimable),
            b"slab_unreclaimable" => ("slab_unreclaimable", &mut self.slab_unreclaimable),
            b"sock" => ("sock", &mut self.sock),
            b"kernel_stack" => ("kernel_stack", &mut self.kernel_stack),
            b"pagetables" => ("pagetables", &mut self.pagetables),
            b"percpu" => ("percpu", &mut self.percpu),
            _ => return None,
        })
    }

    /// Where the value of a key of v1 belongs, `total_` apart.
    fn v1(&mut self, key: &[u8]) -> Option<(&'static str, &mut Option<u64>)> {
        Some(match key {
            b"rss" => ("rss", &mut self.anon),
            b"cache" => ("cache", &mut self.file_and_shmem),
            b"shmem" => ("shmem", &mut self.shmem),
            b"swap" => ("swap", &mut self.swap),
            b"inactive_file" => ("inactive_file", &mut self.inactive_file),
            b"active_file" => ("active_file", &mut self.active_file),
            b"hierarchical_memory_limit" => ("hierarchical_memory_limit", &mut self.hierarchical_limit),
            _ => return None,
        })
    }

    /// These, and others where v1 has no such counter here.
    fn or(self, other: Counters) -> Counters {
        Counters {
            anon: self.anon.or(other.anon),
            file_and_shmem: self.file_and_shmem.or(other.file_and_shmem),
            shmem: self.shmem.or(other.shmem),
            swap: self.swap.or(other.swap),
            inactive_file: self.inactive_file.or(other.inactive_file),
            active_file: self.active_file.or(other.active_file),
            hierarchical_limit: self.hierarchical_limit.or(other.hierarchical_limit),
            ..other
        }
    }

    fn by_kind(self) -> MemoryStat {
        MemoryStat {
            anon: self.anon,
            file: self.file_and_shmem.map(|both| both.saturating_sub(self.shmem.unwrap_or(0))),
            shmem: self.shmem,
            swap: self.swap,
            swap_cached: self.swap_cached,
            slab: self.slab_unreclaimable,
            sock: self.sock,
            kernel_stack: self.kernel_stack,
            pagetables: self.pagetables,
            percpu: self.percpu,
            reclaimable: self.reclaimable(),
            hierarchical_limit: self.hierarchical_limit.and_then(finite),
        }
    }

    /// Shared memory is on the lists of anonymous pages, pinned files are on that of unevictable ones: neither is here.
    fn reclaimable(&self) -> Option<u64> {
        let cache = self.inactive_file?.saturating_add(self.active_file?);
        Some(cache.saturating_add(self.slab_reclaimable.unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "anon 1\nfile 6\nkernel 1000\nkernel_stack 8\npagetables 16\nsec_pagetables 1000\npercpu 32\n\
        sock 64\nvmalloc 1000\nshmem 4\nzswap 1000\nzswapped 1000\nfile_mapped 1000\nfile_dirty 1000\n\
        file_writeback 1000\nswapcached 3\nanon_thp 1000\nfile_thp 1000\nshmem_thp 1000\ninactive_anon 1000\n\
        active_anon 1000\ninactive_file 128\nactive_file 256\nunevictable 1000\nslab_reclaimable 512\n\
        slab_unreclaimable 1024\nslab 1536\nworkingset_refault_anon 1000\npgfault what?\n";

    const V1: &str = "cache 9613312\nrss 4587520\nrss_huge 0\nshmem 9084928\nmapped_file 7557120\ndirty 32768\n\
        swap 8192\nswapcached 5\npgpgin 218056\ninactive_anon 0\nactive_anon 1531904\ninactive_file 16384\n\
        active_file 512000\nunevictable 12140544\nhierarchical_memory_limit 1073741824\n\
        hierarchical_memsw_limit 9223372036854771712\n";

    const V1_TOTAL: &str = "total_cache 1227698176\ntotal_rss 7401472\ntotal_rss_huge 2097152\n\
        total_shmem 9170944\ntotal_mapped_file 10948608\ntotal_swap 4096\ntotal_swapcached 5\n\
        total_pgpgin 504200840\ntotal_inactive_anon 2621440\ntotal_active_anon 1638400\n\
        total_inactive_file 785088512\ntotal_active_file 433438720\ntotal_unevictable 12140544\n";

    #[test]
    fn each_counter_of_v2_has_its_kind() {
        let stat = MemoryStat::parse_v2(V2.as_bytes()).unwrap();
        let expected = MemoryStat {
            anon: Some(1),
            file: Some(6 - 4),
            shmem: Some(4),
            swap: None,
            swap_cached: Some(3),
            slab: Some(1024),
            sock: Some(64),
            kernel_stack: Some(8),
            pagetables: Some(16),
            percpu: Some(32),
            reclaimable: Some(128 + 256 + 512),
            hierarchical_limit: None,
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn v1_counts_the_cgroups_below_too() {
        let stat = MemoryStat::parse_v1(format!("{V1}{V1_TOTAL}").as_bytes()).unwrap();
        let expected = MemoryStat {
            anon: Some(7_401_472),
            file: Some(1_227_698_176 - 9_170_944),
            shmem: Some(9_170_944),
            swap: Some(4096),
            reclaimable: Some(785_088_512 + 433_438_720),
            hierarchical_limit: Some(1 << 30),
            ..MemoryStat::default()
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn v1_without_hierarchy_counts_the_cgroup_itself() {
        let stat = MemoryStat::parse_v1(V1.as_bytes()).unwrap();
        assert_eq!(stat.anon, Some(4_587_520));
        assert_eq!(stat.file, Some(9_613_312 - 9_084_928));
        assert_eq!(stat.swap, Some(8192));
        assert_eq!(stat.reclaimable, Some(16_384 + 512_000));
    }

    #[test]
    fn no_limit_of_v1_is_a_huge_number() {
        let text = b"hierarchical_memory_limit 9223372036854771712\n";
        assert_eq!(MemoryStat::parse_v1(text).unwrap().hierarchical_limit, None);
    }

    #[test]
    fn what_is_not_there_is_not_known() {
        assert_eq!(MemoryStat::parse_v2(b""), Ok(MemoryStat::default()));
        assert_eq!(MemoryStat::parse_v1(b"\n\n"), Ok(MemoryStat::default()));
        assert_eq!(
            MemoryStat::parse_v2(b"total_rss 1\nswap 1\nhierarchical_memory_limit 1\n").unwrap(),
            MemoryStat::default()
        );
        assert_eq!(MemoryStat::parse_v1(b"anon 1\nslab_unreclaimable 1\n").unwrap(), MemoryStat::default());
        assert_eq!(MemoryStat::parse_v2(b"inactive_file 1\n").unwrap().reclaimable, None);
        assert_eq!(MemoryStat::parse_v2(b"file 3\n").unwrap().file, Some(3));
        let raced = MemoryStat::parse_v2(b"file 3\nshmem 4\n").unwrap();
        assert_eq!((raced.file, raced.shmem), (Some(0), Some(4)));
    }

    #[test]
    fn odd_counters_are_errors_where_we_use_them() {
        for odd in ["anon x\n", "anon -1\n", "anon\n", "anon 1 2\n", "anon 18446744073709551616\n"] {
            let error = MemoryStat::parse_v2(odd.as_bytes());
            assert!(matches!(error, Err(ParseError::NotANumber { field: "anon", .. })), "{odd:?}");
        }
        assert!(matches!(
            MemoryStat::parse_v1(b"total_rss ?\n"),
            Err(ParseError::NotANumber { field: "rss", .. })
        ));
        assert_eq!(MemoryStat::parse_v2(b"anon 1\nanon 1\n"), Err(ParseError::Repeated("anon")));
        assert_eq!(MemoryStat::parse_v1(b"total_rss 1\ntotal_rss 1\n"), Err(ParseError::Repeated("rss")));
        assert_eq!(MemoryStat::parse_v2(b"pgfault ?\n\xff\npgfault 1\n"), Ok(MemoryStat::default()));
    }

    #[test]
    fn sums_do_not_overflow() {
        let text = format!("inactive_file {0}\nactive_file {0}\nslab_reclaimable {0}\n", u64::MAX);
        assert_eq!(MemoryStat::parse_v2(text.as_bytes()).unwrap().reclaimable, Some(u64::MAX));
    }
}
