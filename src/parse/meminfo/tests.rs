//! The counters of made-up machines and of whole files of the kernel.

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
        "VmallocChunk",
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
fn vmalloc_is_explained_once_and_without_the_stacks() {
    let known = Meminfo { vmalloc_used: Some(256 * MIB), vmalloc_chunk: Some(0), ..parts() };
    assert_eq!(known.vmalloc(), Some((256 - 32) * MIB));
    assert_eq!(known.unaccounted(), Some((900 - 255 - 224) * MIB));
    let shadowed = Meminfo { shadow_call_stack: Some(4 * MIB), ..known };
    assert_eq!((shadowed.stacks(), shadowed.vmalloc()), (Some(36 * MIB), Some(220 * MIB)));
    assert_eq!(shadowed.unaccounted(), known.unaccounted(), "these were among vmalloc's pages");
    let elsewhere = Meminfo { vmalloc_used: Some(MIB), ..known };
    assert_eq!(elsewhere.vmalloc(), Some(0), "stacks need not be vmalloc's");
}

#[test]
fn a_vmalloc_counter_that_counts_no_pages_says_nothing() {
    let used = |vmalloc_used, vmalloc_chunk| Meminfo { vmalloc_used, vmalloc_chunk, ..parts() };
    for (why, meminfo) in [
        ("before Linux 4.4: addresses", used(Some(256 * MIB), Some(1 << 45))),
        ("before 5.3: always 0", used(Some(0), Some(0))),
        ("wrapped, on 32 bits", used(Some(901 * MIB), Some(0))),
        ("absent", used(None, None)),
    ] {
        assert_eq!((meminfo.vmalloc(), meminfo.unaccounted()), (None, parts().unaccounted()), "{why}");
    }
    let wrapped = b"MemTotal: 100 kB\nMemFree: 1 kB\nVmallocUsed: 18446744073709523712 kB\n";
    assert_eq!(parse(wrapped).unwrap().vmalloc(), None);
}

#[test]
fn huge_pages_in_use_are_those_that_are_not_free() {
    let pool = Meminfo { huge_pages: Some(64), huge_page_size: Some(2 * MIB), ..parts() };
    assert_eq!(pool.huge_pages_in_use(), None);
    let some = Meminfo { free_huge_pages: Some(14), ..pool };
    assert_eq!(some.huge_pages_in_use(), Some(100 * MIB));
    assert_eq!(some.unaccounted(), parts().unaccounted(), "the free ones are no mystery");
    let of_two_sizes = Meminfo { hugetlb: Some((128 + 1024) * MIB), ..some };
    assert_eq!(of_two_sizes.huge_pages_in_use(), Some((100 + 1024) * MIB));
    let raced = Meminfo { free_huge_pages: Some(65), ..pool };
    assert_eq!(raced.huge_pages_in_use(), Some(0));
}

#[test]
fn page_tables_of_all_kinds_are_page_tables() {
    let host = Meminfo { secondary_page_tables: Some(5 * MIB), ..parts() };
    assert_eq!(host.all_page_tables(), Some(69 * MIB));
    assert_eq!(host.unaccounted(), Some((900 - 260) * MIB));
    assert_eq!(Meminfo { page_tables: None, ..host }.all_page_tables(), None);
}

/// A whole file, and from it in KiB: stacks, page tables, vmalloc, huge pages in use, unaccounted.
fn kibibytes_of(text: &[u8]) -> [Option<u64>; 5] {
    let meminfo = parse(text).unwrap();
    [
        meminfo.stacks(),
        meminfo.all_page_tables(),
        meminfo.vmalloc(),
        meminfo.huge_pages_in_use(),
        meminfo.unaccounted(),
    ]
    .map(|bytes| bytes.map(|bytes| bytes >> 10))
}

#[test]
fn a_current_kernel_says_everything() {
    let text = include_bytes!("linux-6.18.txt");
    let vmalloc = 14_396 - 1640;
    let unaccounted =
        24_684_084 - 15_420_104 - (16_832 + 7_978_792 + 400_780 + 672_628 + 1640 + 3676 + vmalloc + 808);
    assert_eq!(kibibytes_of(text), [Some(1640), Some(3676), Some(vmalloc), Some(0), Some(unaccounted)]);
}

#[test]
fn a_kernel_before_4_4_counts_addresses_of_vmalloc() {
    let text = include_bytes!("linux-3.10.txt");
    let unaccounted = 16_268_520
        - 1_284_312
        - (342_116 + 8_123_408 + 10_244 + 4_688_156 + 1_042_868 + 10_832 + 38_264 + 256 * 2048);
    assert_eq!(kibibytes_of(text), [Some(10_832), Some(38_264), None, Some(192 * 2048), Some(unaccounted)]);
}

#[test]
fn what_zfs_caches_is_unaccounted() {
    let text = include_bytes!("zfs.txt");
    let [stacks, page_tables, vmalloc, huge_pages, unaccounted] = kibibytes_of(text);
    assert_eq!((stacks, page_tables), (Some(27_104), Some(61_412 + 14_340)));
    assert_eq!(vmalloc, Some(1_594_104 - 27_104));
    assert_eq!(huge_pages, Some(2_097_152 - 128 * 2048), "a pool of larger pages counts as used");
    let explained = 612_340 + 4_980_216 + 10_401_180 + 3_214_880 + 75_752 + 1_594_104 + 68_864 + 2_097_152;
    assert_eq!(unaccounted, Some(65_772_664 - 9_120_488 - explained));
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
