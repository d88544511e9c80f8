//! What one tick costs, by source and in all.
//!
//! ```text
//! cargo run --release --example tick                 # a made-up host of 5000 cgroups and 2000 processes
//! cargo run --release --example tick -- --live       # the system that this runs on
//! ```
//!
//! The exporter's own sampler does all that it does at a tick: reads, places, judges. The first ticks are left out, for
//! they read what later ones do not. A source is timed by the clock, the whole tick also by the CPU time of this thread,
//! which `--sample.max-cpu` is about. Nothing moves on the made-up host, so that judging costs least there; and files
//! of a tmpfs are ready, where the kernel has to make up those of cgroups and processes first.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use memleak_exporter::config::{
    CgroupsConfig, ProcessBackend, RootsConfig, SamplerConfig, SelectionConfig, SourcesConfig, Wanted,
};
use memleak_exporter::entity::Scope;
use memleak_exporter::rules::LiveRules;
use memleak_exporter::sampler::{Moment, Sampler};
use memleak_exporter::snapshot::Snapshot;
use memleak_exporter::source;
use rustix::time::{ClockId, clock_gettime};

/// Time from one tick to the next, as it is by default. It is not waited for.
const INTERVAL: Duration = Duration::from_secs(15);

/// Ticks until everything is read as seldom as it ever is.
const WARM_UP: u32 = 65;

/// Cgroups below each that has any.
const LEAVES: usize = 9;

/// Says what one tick costs.
#[derive(Debug, Parser)]
#[command(name = "tick")]
struct Cli {
    /// Ticks to take the median of.
    #[arg(long, default_value = "64", value_parser = clap::value_parser!(u32).range(1..))]
    ticks: u32,
    /// Read the system that this runs on, in place of a made-up one.
    #[arg(long)]
    live: bool,
    /// Cgroups of the made-up host; nine of ten are leaves.
    #[arg(long, default_value = "5000")]
    cgroups: usize,
    /// Processes of the made-up host.
    #[arg(long, default_value = "2000")]
    processes: usize,
    /// Where to make it up: on a tmpfs, with 100 MB to spare.
    #[arg(long, default_value = "/dev/shm")]
    directory: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    if cli.live {
        return measure(cli.ticks, ["/proc", "/sys", "/"].map(PathBuf::from));
    }
    let host = tempfile::tempdir_in(&cli.directory)?;
    MadeUp { root: host.path() }.make(cli.cgroups, cli.processes)?;
    measure(cli.ticks, ["proc", "sys", ""].map(|name| host.path().join(name)))
}

/// Ticks, and prints what it took.
fn measure(ticks: u32, roots: [PathBuf; 3]) -> Result<(), Box<dyn Error>> {
    let mut sampler = sampler(roots)?;
    let start = Moment::now();
    let mut costs: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    // Kept until the next one is there, as the exporter does for whoever asks.
    let mut latest: Option<Snapshot> = None;
    for number in 0..WARM_UP + ticks {
        let moment = start.after(INTERVAL * number);
        let (began, used) = (Instant::now(), cpu_time());
        let snapshot = sampler.tick(moment);
        let whole = [("tick", began.elapsed()), ("tick, CPU time", cpu_time().saturating_sub(used))];
        let by_source = snapshot.sources.iter().map(|report| (report.name, report.duration));
        if number >= WARM_UP {
            for (name, cost) in by_source.chain(whole) {
                costs.entry(name.to_string()).or_default().push(cost);
            }
        }
        latest = Some(snapshot);
    }
    if let Some(snapshot) = &latest {
        println!("{} cgroups, {} processes", count(snapshot, Scope::Cgroup), count(snapshot, Scope::Process));
    }
    println!("{:<16}{:>10}{:>10}{:>10}", "ms", "median", "least", "most");
    for (name, mut costs) in costs {
        costs.sort_unstable();
        let shown = [costs.len() / 2, 0, costs.len() - 1].map(|index| costs[index].as_secs_f64() * 1e3);
        println!("{name:<16}{:>10.2}{:>10.2}{:>10.2}", shown[0], shown[1], shown[2]);
    }
    Ok(())
}

fn count(snapshot: &Snapshot, scope: Scope) -> usize {
    snapshot.entities.iter().filter(|entity| entity.scope() == scope).count()
}

fn cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or(0))
}

/// With the defaults of the command line, as far as they cost anything.
fn sampler(roots: [PathBuf; 3]) -> Result<Sampler, Box<dyn Error>> {
    let config = SamplerConfig {
        interval: INTERVAL,
        max_cpu: 0.05,
        time_lapse: 1,
        threshold: 60.0,
        min_bytes: 0,
        min_age: Duration::ZERO,
        max_entities: 30_000,
    };
    let selection = SelectionConfig { top: Some(50), max_series: Some(20_000) };
    // In one go: what is looked at is work, and no rests.
    let sources = source::all(&sources(roots), Duration::ZERO)?;
    Ok(Sampler::new(config, selection, Arc::new(LiveRules::new(None)?), sources))
}

fn sources([procfs, sysfs, rootfs]: [PathBuf; 3]) -> SourcesConfig {
    SourcesConfig {
        host: true,
        cgroup: Wanted::Surely,
        cgroups: CgroupsConfig { include: Vec::new(), exclude: Vec::new(), max_depth: 12 },
        process: true,
        process_backend: ProcessBackend::Procfs,
        roots: RootsConfig { procfs, sysfs, rootfs },
    }
}

/// A host that is made of files. Those that are alike are one file, so that it takes less memory.
struct MadeUp<'a> {
    root: &'a Path,
}

/// What most cgroups have, and what nobody has of its own.
const ALIKE: [(&str, &str); 6] = [
    ("memory.max", "max\n"),
    ("memory.high", "max\n"),
    ("memory.swap.max", "max\n"),
    ("memory.swap.current", "0\n"),
    ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n"),
    (
        "memory.pressure",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    ),
];

/// Counters of memory.stat besides those that follow from how much memory it is.
const REST: &str = "percpu 18432\nsock 4096\nvmalloc 0\nshmem 8192\nzswap 0\nzswapped 0\nfile_mapped 2703360\n\
    file_dirty 8192\nfile_writeback 0\nswapcached 0\nanon_thp 0\nfile_thp 0\nshmem_thp 0\ninactive_anon 4096\n\
    active_anon 4096\ninactive_file 1048576\nactive_file 524288\nunevictable 0\nslab_reclaimable 404536\n\
    slab_unreclaimable 198712\nslab 603248\nworkingset_refault_anon 0\nworkingset_refault_file 4021\n\
    workingset_activate_anon 0\nworkingset_activate_file 1203\nworkingset_restore_anon 0\n\
    workingset_restore_file 77\nworkingset_nodereclaim 0\npgscan 90211\npgsteal 88123\npgscan_kswapd 90012\n\
    pgscan_direct 199\npgscan_khugepaged 0\npgsteal_kswapd 87999\npgsteal_direct 124\npgsteal_khugepaged 0\n\
    pgfault 5120447\npgmajfault 812\npgrefill 43210\npgactivate 20115\npgdeactivate 41007\npglazyfree 0\n\
    pglazyfreed 0\nzswpin 0\nzswpout 0\nzswpwb 0\nthp_fault_alloc 0\nthp_collapse_alloc 0\n";

const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
    Max data size             unlimited            unlimited            bytes     \n\
    Max open files            1024                 524288               files     \n\
    Max address space         unlimited            unlimited            bytes     \n";

impl MadeUp<'_> {
    fn make(&self, cgroups: usize, processes: usize) -> io::Result<()> {
        self.write(
            "proc/meminfo",
            "MemTotal: 263000000 kB\nMemFree: 9000000 kB\nMemAvailable: 90000000 kB\n",
        )?;
        self.write("proc/stat", "cpu  1 2 3\nbtime 1700000000\nprocesses 99\n")?;
        self.write("proc/uptime", "86400.50 1800.00\n")?;
        self.write("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n")?;
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")?;
        self.write("alike/limits", LIMITS)?;
        for (name, text) in ALIKE {
            self.write(&format!("alike/{name}"), text)?;
        }
        let slices = cgroups / (LEAVES + 1);
        let leaf = |number: usize| {
            let slice = number % slices.max(1);
            format!("/app-{slice}.slice/app-{slice}-{}.service", number / slices.max(1) % LEAVES)
        };
        for slice in 0..slices {
            self.cgroup(&format!("/app-{slice}.slice"), 200, "")?;
        }
        for number in 0..slices * LEAVES {
            let pid = if number < processes { format!("{}\n", number + 1) } else { String::new() };
            self.cgroup(&leaf(number), number % 97 + 1, &pid)?;
        }
        for number in 0..processes {
            self.process(number + 1, &leaf(number))?;
        }
        Ok(())
    }

    fn cgroup(&self, path: &str, mib: usize, processes: &str) -> io::Result<()> {
        let directory = format!("sys/fs/cgroup{path}");
        let anon = mib << 20;
        let stat =
            format!("anon {anon}\nfile 1581056\nkernel 802816\nkernel_stack 32768\npagetables 65536\n{REST}");
        self.write(&format!("{directory}/memory.stat"), &stat)?;
        self.write(&format!("{directory}/memory.current"), &format!("{}\n", anon + (4 << 20)))?;
        self.write(&format!("{directory}/memory.peak"), &format!("{}\n", anon + (5 << 20)))?;
        self.write(&format!("{directory}/cgroup.procs"), processes)?;
        for (name, _) in ALIKE {
            self.link(name, &directory)?;
        }
        Ok(())
    }

    fn process(&self, pid: usize, cgroup: &str) -> io::Result<()> {
        let directory = format!("proc/{pid}");
        let (name, kib) = (format!("app-{}", pid % 40), pid % 97 * 1024 + 512);
        let stat = format!(
            "{pid} ({name}) S 1 {pid} {pid} 0 -1 4194560 1523 0 3 0 15 7 0 0 20 0 2 0 {} 99000000 3000 0\n",
            1000 + pid
        );
        let status = format!(
            "Name:\t{name}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t1\n\
             TracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t \nVmPeak:\t 900000 kB\n\
             VmSize:\t 900000 kB\nVmLck:\t 0 kB\nVmPin:\t 0 kB\nVmHWM:\t 99000 kB\nVmRSS:\t {} kB\n\
             RssAnon:\t {kib} kB\nRssFile:\t 2048 kB\nRssShmem:\t 0 kB\nVmData:\t 99000 kB\nVmStk:\t 132 kB\n\
             VmExe:\t 900 kB\nVmLib:\t 6000 kB\nVmPTE:\t 120 kB\nVmSwap:\t 0 kB\nHugetlbPages:\t 0 kB\n\
             CoreDumping:\t0\nTHP_enabled:\t1\nThreads:\t2\nSigQ:\t0/63000\n",
            kib + 2048
        );
        self.write(&format!("{directory}/stat"), &stat)?;
        self.write(&format!("{directory}/status"), &status)?;
        self.write(&format!("{directory}/cgroup"), &format!("0::{cgroup}\n"))?;
        self.write(&format!("{directory}/comm"), &format!("{name}\n"))?;
        self.link("limits", &directory)
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.root.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    }

    fn link(&self, name: &str, directory: &str) -> io::Result<()> {
        fs::hard_link(self.root.join("alike").join(name), self.root.join(directory).join(name))
    }
}

#[test]
fn the_made_up_host_is_read_in_full() -> Result<(), Box<dyn Error>> {
    let host = tempfile::tempdir()?;
    MadeUp { root: host.path() }.make(30, 20)?;
    let mut sampler = sampler(["proc", "sys", ""].map(|name| host.path().join(name)))?;
    let snapshot = sampler.tick(Moment::now());
    assert_eq!((count(&snapshot, Scope::Cgroup), count(&snapshot, Scope::Process)), (30, 20));
    let linked = snapshot.entities.iter().filter(|entity| entity.within.is_some()).count();
    assert_eq!(linked, 20, "each process is in a cgroup");
    assert!(snapshot.sources.iter().all(|report| report.success && report.errors.is_empty()));
    Ok(())
}
