//! No bytes make a parser panic: neither noise nor damaged text of the kernel.

use proptest::prelude::*;

use super::memory_stat::MemoryStat;
use super::{
    cgroup, cgroup_names, clock, limits, meminfo, memory_files, mountinfo, passwd, pod_logs, pressure,
    sockstat, stat, statm, status,
};

/// One text of each kind that we read.
const TEXTS: [&str; 17] = [
    "MemTotal: 24684084 kB\nMemFree: 1 kB\nBuffers: 6424 kB\nCached: 2 kB\nAnonPages: 1 kB\nSlab: 3 kB\n\
     KernelStack: 4 kB\nPageTables: 5 kB\nVmallocUsed: 6 kB\nVmallocChunk: 0 kB\nHugePages_Total: 9\n\
     HugePages_Free: 1\nHugepagesize: 2048 kB\n",
    "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 1\nUDP: inuse 0 mem 0\nFRAG: inuse 0 memory 0\n",
    "7945 (cat) R 7942 7942 6742 0 -1 4194304 102 0 0 0 0 0 0 0 20 0 1 0 105025 3133440 388\n",
    "Name:\tcat\nPid:\t7945\nUid:\t0\t0\t0\t0\nVmRSS:\t1728 kB\nRssAnon:\t112 kB\nThreads:\t1\n",
    "765 432 404 5 0 90 0\n",
    "Max data size   unlimited   unlimited   bytes\nMax address space   8388608   unlimited   bytes\n",
    "4:memory:/system.slice/nginx.service (deleted)\n0::/\n",
    "root:x:0:0:root:/root:/bin/sh\n",
    "1050.25 1724.28\nbtime 1795409629\n",
    "anon 1\nfile 6\nkernel_stack 8\nsock 64\nshmem 4\ninactive_file 128\nactive_file 256\nslab_reclaimable 512\n",
    "cache 1\nrss 2\nhierarchical_memory_limit 9223372036854771712\ntotal_cache 2\ntotal_rss 3\ntotal_shmem 1\n",
    "some avg10=0.00 total=54321\nfull avg10=0.00 total=12345\n",
    "1 2 0:3 / /a\\040b rw shared:9 - cgroup cgroup rw,memory\n4 2 0:5 / /c rw - cgroup2 none rw\n",
    "/kubepods.slice/kubepods-podb1e89a2fcc688644de3eb95aee8025ce.slice/x/machine-a\\x2db.scope",
    "kube-system_coredns-5d78c9869d-abcde_29349498-197c-4919-b13f-9a928e7d001b",
    "a_b_c-ee3fc60554cd9eefdd745a10dda84e041a7883c0381d067e76185d342de64759.log",
    "low 0\nhigh 0\nmax 17\noom 1\noom_kill 1\n",
];

fn parse_everything(text: &[u8]) {
    if let Ok(meminfo) = meminfo::parse(text) {
        let _ = (meminfo.available(), meminfo.file(), meminfo.swapped_out(), meminfo.unaccounted());
        let _ = (meminfo.vmalloc(), meminfo.huge_pages_in_use(), meminfo.all_page_tables());
    }
    if let Ok(sockstat) = sockstat::parse(text) {
        let _ = sockstat.bytes(4096);
    }
    if let Ok(stat) = stat::parse(text) {
        let _ = (stat.is_dead(), stat.is_kernel_thread());
    }
    if let Ok(statm) = statm::parse(text) {
        let _ = statm.anon();
    }
    let _ = (status::parse(text), limits::parse(text), cgroup::memory_path(text), passwd::parse(text));
    let _ = (MemoryStat::parse_v2(text), MemoryStat::parse_v1(text), memory_files::events(text));
    let _ = (memory_files::limit(text), memory_files::bytes(text), memory_files::oom_control(text));
    let _ =
        (pressure::parse(text), mountinfo::mounts(text).filter(|mount| mount.is_memory_controller()).count());
    let name = String::from_utf8_lossy(text);
    let _ = (cgroup_names::names(&name), pod_logs::pod(&name), pod_logs::container(&name));
    let _ = (clock::boot_time(text), clock::uptime(text));
}

/// A text of the kernel with a few bytes overwritten and its end cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (prop::sample::select(&TEXTS[..]), edits, any::<prop::sample::Index>()).prop_map(|(text, edits, end)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len() + 1));
        bytes
    })
}

proptest! {
    #[test]
    fn noise_is_survived(text in prop::collection::vec(any::<u8>(), 0..512)) {
        parse_everything(&text);
    }

    #[test]
    fn damage_is_survived(text in damaged()) {
        parse_everything(&text);
    }
}
