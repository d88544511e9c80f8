//! Text of the kernel. Each input goes to every parser of its family: they take micro-seconds, and so a corpus is made of
//! the very files.

use memleak_exporter::parse::memory_stat::MemoryStat;
use memleak_exporter::parse::{
    cgroup, cgroup_names, clock, cmdline, descriptor, limits, meminfo, memory_files, mountinfo, passwd,
    pod_logs, pressure, sockstat, stat, statm, status, sysctl,
};

/// A parser, and its name as `module::function`. A test compares the names with the sources.
pub(crate) type Parser = (&'static str, fn(&[u8]));

/// Files of one process, and who it belongs to.
pub(crate) const PROCESS: &[Parser] = &[
    ("stat::parse", |text| {
        if let Ok(stat) = stat::parse(text) {
            assert!(stat.comm.len() < text.len());
            let _ = (stat.is_dead(), stat.is_kernel_thread());
        }
    }),
    ("statm::parse", |text| ignore(statm::parse(text).map(|statm| statm.anon()))),
    ("status::parse", |text| ignore(status::parse(text))),
    ("limits::parse", |text| ignore(limits::parse(text))),
    ("cgroup::memory_path", |text| {
        assert!(cgroup::memory_path(text).is_none_or(|path| path.starts_with('/')));
    }),
    ("cgroup::paths", |text| assert!(cgroup::paths(text).iter().all(|path| path.starts_with('/')))),
    ("cmdline::command_line", |text| ignore(cmdline::command_line(text))),
    ("descriptor::kind", |text| ignore(descriptor::kind(text))),
    ("passwd::parse", |text| assert!(passwd::parse(text).values().all(|name| !name.is_empty()))),
];

/// Files of the whole machine.
pub(crate) const HOST: &[Parser] = &[
    ("meminfo::parse", |text| {
        if let Ok(meminfo) = meminfo::parse(text) {
            let _ = (meminfo.available(), meminfo.file(), meminfo.swap_used(), meminfo.swapped_out());
            let _ = (meminfo.stacks(), meminfo.all_page_tables(), meminfo.vmalloc());
            let _ = (meminfo.huge_pages_in_use(), meminfo.unaccounted());
        }
    }),
    ("sockstat::parse", |text| ignore(sockstat::parse(text).map(|sockstat| sockstat.bytes(4096)))),
    ("clock::boot_time", |text| ignore(clock::boot_time(text))),
    ("clock::uptime", |text| ignore(clock::uptime(text))),
    ("mountinfo::mounts", |text| {
        for mount in mountinfo::mounts(text) {
            assert!(!(mount.is_unified() && mount.is_memory_controller()));
        }
    }),
    ("sysctl::max_map_count", |text| ignore(sysctl::max_map_count(text))),
];

/// Files of cgroups, and what names tell of who is in one.
pub(crate) const CGROUP: &[Parser] = &[
    ("memory_stat::parse_v1", |text| ignore(MemoryStat::parse_v1(text))),
    ("memory_stat::parse_v2", |text| ignore(MemoryStat::parse_v2(text))),
    ("memory_files::limit", |text| ignore(memory_files::limit(text))),
    ("memory_files::bytes", |text| ignore(memory_files::bytes(text))),
    ("memory_files::events", |text| ignore(memory_files::events(text))),
    ("memory_files::oom_control", |text| ignore(memory_files::oom_control(text))),
    ("pressure::parse", |text| ignore(pressure::parse(text))),
    ("cgroup_names::names", |text| {
        let names = cgroup_names::names(&String::from_utf8_lossy(text));
        assert!(!names.is_nameless_container() || names.container_id.is_some());
    }),
    ("pod_logs::pod", |text| {
        let name = String::from_utf8_lossy(text);
        if let Some(pod) = pod_logs::pod(&name) {
            assert_eq!(format!("{}_{}_{}", pod.namespace, pod.pod, pod.uid), name);
        }
    }),
    ("pod_logs::container", |text| {
        let name = String::from_utf8_lossy(text);
        if let Some(log) = pod_logs::container(&name) {
            assert_eq!(format!("{}_{}_{}-{}.log", log.pod, log.namespace, log.container, log.id), name);
        }
    }),
];

/// Files of one process.
pub fn process_files(text: &[u8]) {
    parse(PROCESS, text);
}

/// Files of the whole machine.
pub fn host_files(text: &[u8]) {
    parse(HOST, text);
}

/// Files, paths and names of cgroups.
pub fn cgroup_files(text: &[u8]) {
    parse(CGROUP, text);
}

/// What a parser makes of it does not matter, only that it does.
fn ignore<T>(_: T) {}

fn parse(parsers: &[Parser], text: &[u8]) {
    parsers.iter().for_each(|(_, parser)| parser(text));
}
