use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::*;
use crate::entity::Tenant;
use crate::glob::Glob;
use crate::sample::{Kind, Pressure};
use crate::source::ReadErrorReason;
use crate::source::fixture::FakeSystem;

const MIB: u64 = 1 << 20;

fn config() -> CgroupsConfig {
    CgroupsConfig { include: Vec::new(), exclude: Vec::new(), max_depth: 12 }
}

fn source(system: &FakeSystem) -> CgroupSource {
    CgroupSource::new(&system.roots(), &config()).unwrap()
}

fn read(source: &mut CgroupSource) -> Reading {
    let mut reading = Reading::default();
    source.read(&mut reading).unwrap();
    reading.samples.sort_by(|one, other| path(one).cmp(path(other)));
    reading
}

/// A pass that has come to `path`.
fn walk<'a>(source: &'a mut CgroupSource, reading: &'a mut Reading, path: &str) -> Walk<'a> {
    Walk {
        config: &source.config,
        names_left: source.most_listed,
        version: source.hierarchy.version,
        with_swap: false,
        lives: &mut source.lives,
        buffer: &mut source.buffer,
        reading,
        path: path.to_string(),
        seen: 0,
    }
}

fn path(sample: &Sample) -> &str {
    match &sample.entity {
        EntityId::Cgroup(id) => &id.path,
        _ => panic!("{sample:?}"),
    }
}

fn paths(reading: &Reading) -> Vec<&str> {
    reading.samples.iter().map(path).collect()
}

fn leaves(reading: &Reading) -> Vec<&str> {
    let is_leaf = |sample: &&Sample| sample.figures.cgroup.as_ref().unwrap().is_leaf;
    reading.samples.iter().filter(is_leaf).map(path).collect()
}

fn sample<'a>(reading: &'a Reading, wanted: &str) -> &'a Sample {
    let found = reading.samples.iter().find(|sample| path(sample) == wanted);
    found.unwrap_or_else(|| panic!("{wanted} is none of {:?}", paths(reading)))
}

/// A machine whose memory controller is in the unified hierarchy.
fn unified() -> FakeSystem {
    let system = FakeSystem::new();
    system.write("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
    system
}

/// A machine whose memory controller has a hierarchy of its own, beside a unified one.
fn hybrid() -> FakeSystem {
    let system = FakeSystem::new();
    system.write("sys/fs/cgroup/unified/cgroup.controllers", "\n");
    system.write("sys/fs/cgroup/memory/memory.stat", "cache 0\nrss 0\n");
    system.write("sys/fs/cgroup/memory/release_agent", "\n");
    system
}

/// A cgroup of the unified hierarchy with 10 MiB of each kind that counts, 30 MiB of files and so much in use.
fn v2(system: &FakeSystem, path: &str, current: u64) {
    let file = |name: &str, text: String| system.write(&format!("sys/fs/cgroup{path}/{name}"), text);
    let stat = format!(
        "anon {0}\nfile {1}\nshmem {0}\nkernel_stack {0}\npagetables {0}\npercpu {0}\nsock {0}\nslab_reclaimable {2}\n\
         slab_unreclaimable {0}\ninactive_file {1}\nactive_file 0\n",
        10 * MIB,
        40 * MIB,
        5 * MIB
    );
    file("memory.stat", stat);
    file("memory.current", format!("{current}\n"));
    for name in ["memory.max", "memory.high", "memory.swap.max"] {
        file(name, "max\n".to_string());
    }
    file("cgroup.procs", String::new());
}

fn v1(system: &FakeSystem, path: &str, rss: u64, limit: &str) {
    let file = |name: &str, text: String| system.write(&format!("sys/fs/cgroup/memory{path}/{name}"), text);
    let stat = format!(
        "cache 1\nrss 1\ntotal_cache {}\ntotal_rss {rss}\ntotal_shmem {}\ntotal_inactive_file {}\ntotal_active_file 0\n",
        50 * MIB,
        20 * MIB,
        30 * MIB
    );
    file("memory.stat", stat);
    file("memory.usage_in_bytes", format!("{}\n", rss + 50 * MIB));
    file("memory.limit_in_bytes", format!("{limit}\n"));
    file("memory.max_usage_in_bytes", format!("{}\n", 900 * MIB));
    file("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n".to_string());
}

#[test]
fn a_cgroup_of_the_unified_hierarchy_is_read_in_full() {
    let system = unified();
    v2(&system, "/system.slice", 300 * MIB);
    v2(&system, "/system.slice/web.service", 200 * MIB);
    let file = |name: &str, text: &str| {
        system.write(&format!("sys/fs/cgroup/system.slice/web.service/{name}"), text);
    };
    file("memory.peak", "250000000\n");
    file("memory.events", "low 0\nhigh 7\nmax 6\noom 5\noom_kill 4\noom_group_kill 0\n");
    file(
        "memory.pressure",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n",
    );
    file("cgroup.procs", "7\n8\n");
    system.process(7).comm(b"nginx").write();
    system.write("proc/7/comm", "nginx\n");
    system.show_as(&std::process::id().to_string());
    let reading = read(&mut source(&system));
    assert_eq!(paths(&reading), ["/system.slice", "/system.slice/web.service"]);
    assert_eq!(leaves(&reading), ["/system.slice/web.service"]);
    let web = sample(&reading, "/system.slice/web.service");
    let kinds: Vec<_> = web.figures.memory.iter().map(|(kind, bytes)| (kind, bytes / MIB)).collect();
    let expected = [
        (Kind::Anon, 10),
        (Kind::File, 30),
        (Kind::Shmem, 10),
        (Kind::Slab, 10),
        (Kind::Sock, 10),
        (Kind::KernelStack, 10),
        (Kind::Pagetables, 10),
        (Kind::Percpu, 10),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(web.figures.memory.scored(Scope::Cgroup), Some(70 * MIB), "all but files");
    let figures = web.figures.cgroup.as_ref().unwrap();
    assert_eq!((figures.usage, figures.peak), (Some(200 * MIB), Some(250_000_000)));
    assert_eq!((figures.oom_events, figures.oom_kills), (Some(5), Some(4)));
    let lost = Pressure { waiting: Duration::from_millis(2500), stalled: Duration::from_millis(500) };
    assert_eq!(figures.pressure, Some(lost));
    assert!(figures.limits.is_empty() && web.figures.limit().is_none());
    assert_eq!(&*web.identity.name, "nginx");
    assert_eq!(web.identity.tenant().unit.as_deref(), Some("web.service"));
    assert!(reading.errors.is_empty());
}

#[test]
fn processes_of_another_pid_namespace_name_nobody() {
    let system = unified();
    v2(&system, "/web.service", MIB);
    system.write("sys/fs/cgroup/web.service/cgroup.procs", "1\n");
    system.write("proc/1/comm", "systemd\n");
    let name = || read(&mut source(&system)).samples[0].identity.name.to_string();
    system.show_as("4242424242");
    assert_eq!(name(), "", "it is our 1, not the one that this procfs has");
    system.show_as(&std::process::id().to_string());
    assert_eq!(name(), "systemd");
}

#[test]
fn a_cgroup_of_the_old_hierarchy_says_less() {
    let system = hybrid();
    v1(&system, "/docker", 200 * MIB, "9223372036854771712");
    v1(&system, "/docker/web", 100 * MIB, "209715200");
    let reading = read(&mut source(&system));
    assert_eq!(leaves(&reading), ["/docker/web"]);
    let web = sample(&reading, "/docker/web");
    let kinds: Vec<_> = web.figures.memory.iter().map(|(kind, bytes)| (kind, bytes / MIB)).collect();
    assert_eq!(kinds, [(Kind::Anon, 100), (Kind::File, 30), (Kind::Shmem, 20)]);
    let figures = web.figures.cgroup.as_ref().unwrap();
    assert_eq!((figures.peak, figures.oom_kills, figures.oom_events), (Some(900 * MIB), Some(3), None));
    // 200 MiB less 150 in use, of which 30 can be given back.
    let limit = Limit { kind: LimitKind::CgroupMax, bytes: 200 * MIB, room: 80 * MIB };
    assert_eq!(web.figures.limit(), Some(limit));
    assert_eq!(sample(&reading, "/docker").figures.limit(), None);
}

#[test]
fn the_smallest_limit_on_the_way_to_the_root_holds() {
    let system = unified();
    for (path, current) in [("/pods", 900), ("/pods/a", 500), ("/pods/a/one", 400), ("/pods/a/two", 100)] {
        v2(&system, path, current * MIB);
    }
    system.write("sys/fs/cgroup/pods/memory.max", (1000 * MIB).to_string());
    system.write("sys/fs/cgroup/pods/a/memory.high", (800 * MIB).to_string());
    system.write("sys/fs/cgroup/pods/a/one/memory.max", (2000 * MIB).to_string());
    let reading = read(&mut source(&system));
    let one = sample(&reading, "/pods/a/one").figures.cgroup.clone().unwrap();
    let limits: Vec<_> = one.limits.iter().map(|shared| (&*shared.owner, shared.limit.kind)).collect();
    let expected = [
        ("/pods/a/one", LimitKind::CgroupMax),
        ("/pods/a", LimitKind::CgroupHigh),
        ("/pods", LimitKind::CgroupMax),
    ];
    assert_eq!(limits, expected);
    assert_eq!(one.smallest(LimitKind::CgroupMax), Some(1000 * MIB));
    assert_eq!(one.smallest(LimitKind::CgroupHigh), Some(800 * MIB));
    // Each can give back 40 MiB of files and 5 MiB of slab.
    let nearest = Limit { kind: LimitKind::CgroupMax, bytes: 1000 * MIB, room: 145 * MIB };
    for path in ["/pods", "/pods/a", "/pods/a/one", "/pods/a/two"] {
        assert_eq!(sample(&reading, path).figures.limit(), Some(nearest), "{path}");
    }
}

#[test]
fn free_swap_is_room_as_far_as_a_cgroup_may_use_it() {
    let system = unified();
    system.write(
        "proc/meminfo",
        "MemTotal: 1000000 kB\nMemFree: 500000 kB\nSwapTotal: 204800 kB\nSwapFree: 102400 kB\n",
    );
    v2(&system, "/free", 400 * MIB);
    v2(&system, "/bound", 400 * MIB);
    v2(&system, "/bound/below", 400 * MIB);
    for path in ["free", "bound/below"] {
        system.write(&format!("sys/fs/cgroup/{path}/memory.max"), (500 * MIB).to_string());
    }
    system.write("sys/fs/cgroup/bound/memory.swap.max", (30 * MIB).to_string());
    system.write("sys/fs/cgroup/bound/memory.swap.current", (10 * MIB).to_string());
    let reading = read(&mut source(&system));
    let room = |path| sample(&reading, path).figures.limit().unwrap().room / MIB;
    assert_eq!(room("/free"), 100 + 45 + 100);
    assert_eq!(room("/bound/below"), 100 + 45 + 20);
    assert_eq!(sample(&reading, "/bound").figures.memory.get(Kind::Swap), Some(10 * MIB));
}

#[test]
fn on_v1_memory_and_swap_may_have_one_limit() {
    let system = hybrid();
    system.write(
        "proc/meminfo",
        "MemTotal: 1000000 kB\nMemFree: 500000 kB\nSwapTotal: 204800 kB\nSwapFree: 102400 kB\n",
    );
    v1(&system, "/web", 100 * MIB, "209715200");
    let web = |name: &str, bytes: u64| {
        system.write(&format!("sys/fs/cgroup/memory/web/{name}"), bytes.to_string());
    };
    web("memory.memsw.limit_in_bytes", 220 * MIB);
    web("memory.memsw.usage_in_bytes", 150 * MIB);
    assert_eq!(read(&mut source(&system)).samples[0].figures.limit().unwrap().room, (70 + 30) * MIB);
}

#[test]
fn what_is_below_a_leaf_without_memory_of_its_own_makes_it_no_parent() {
    let system = unified();
    v2(&system, "/user.slice", 100 * MIB);
    system.write("sys/fs/cgroup/user.slice/app.slice/cgroup.procs", "");
    assert_eq!(leaves(&read(&mut source(&system))), ["/user.slice"]);
}

#[test]
fn patterns_choose_and_depth_is_bounded() {
    let system = unified();
    for path in ["/a.slice", "/a.slice/b.service", "/a.slice/session-1.scope", "/c", "/c/d", "/c/d/e"] {
        v2(&system, path, MIB);
    }
    let glob = |pattern: &str| Glob::new(pattern).unwrap();
    let with = |config: CgroupsConfig| {
        let mut source = CgroupSource::new(&system.roots(), &config).unwrap();
        let reading = read(&mut source);
        let owned = |paths: Vec<&str>| paths.into_iter().map(str::to_string).collect::<Vec<_>>();
        (owned(paths(&reading)), owned(leaves(&reading)))
    };
    let (all, judged) = with(CgroupsConfig { exclude: vec![glob("*/session-*.scope")], ..config() });
    assert_eq!(all, ["/a.slice", "/a.slice/b.service", "/c", "/c/d", "/c/d/e"]);
    assert_eq!(judged, ["/a.slice/b.service", "/c/d/e"]);
    let (_, judged) = with(CgroupsConfig { exclude: vec![glob("/a.slice/*")], ..config() });
    assert_eq!(judged, ["/c/d/e"], "what has others below it stays their sum");
    let (all, _) = with(CgroupsConfig { include: vec![glob("/c/*")], ..config() });
    assert_eq!(all, ["/c/d", "/c/d/e"]);
    let (all, judged) = with(CgroupsConfig { max_depth: 2, ..config() });
    assert_eq!(all, ["/a.slice", "/a.slice/b.service", "/a.slice/session-1.scope", "/c", "/c/d"]);
    assert_eq!(judged.last().unwrap(), "/c/d", "it stands for what is below it");
}

#[test]
fn what_is_malformed_counts_and_hides_no_other() {
    let system = unified();
    for path in ["/bad", "/good", "/odd"] {
        v2(&system, path, MIB);
    }
    system.write("sys/fs/cgroup/bad/memory.stat", "anon lots\n");
    system.write("sys/fs/cgroup/odd/memory.max", "\u{fffd}\n");
    let reading = read(&mut source(&system));
    assert_eq!(paths(&reading), ["/good", "/odd"]);
    assert_eq!(reading.errors, [(ReadErrorReason::Malformed, 2)].into());
    assert_eq!(reading.unread_cgroups, ["/bad"], "it is there: nobody's life ends");
}

#[test]
fn names_that_look_alike_do_not_come_twice() {
    let system = unified();
    for name in ["a\u{fffd}", "x", "y"] {
        v2(&system, &format!("/{name}"), MIB);
    }
    let dir = system.path("sys/fs/cgroup");
    for (from, to) in [("x", b"a\xff"), ("y", b"a\xfe")] {
        std::fs::rename(dir.join(from), dir.join(OsStr::from_bytes(to))).unwrap();
    }
    let reading = read(&mut source(&system));
    assert_eq!(paths(&reading), ["/a\u{fffd}"]);
    assert_eq!(reading.errors, [(ReadErrorReason::Malformed, 2)].into());
    assert_eq!(reading.unread_cgroups, [""], "where they are");
}

#[test]
fn paths_are_bounded_and_what_is_longer_counts() {
    let system = unified();
    let name = "n".repeat(MAX_PATH_BYTES / 4 - 1);
    let longest = format!("/{name}").repeat(4);
    for end in 1..=4 {
        v2(&system, &longest[..MAX_PATH_BYTES / 4 * end], MIB);
    }
    v2(&system, "/leaf", MIB);
    v2(&system, &format!("{longest}/x"), MIB);
    v2(&system, &format!("{longest}/x/y"), MIB);
    let reading = read(&mut source(&system));
    assert_eq!(paths(&reading).iter().map(|path| path.len()).max(), Some(MAX_PATH_BYTES));
    assert_eq!(leaves(&reading), ["/leaf"], "something is below the longest");
    assert_eq!(reading.errors, [(ReadErrorReason::Io, 1)].into());
    assert_eq!(reading.unread_cgroups, [format!("{longest}/x")]);
}

#[test]
fn limits_that_cannot_be_read_stay_as_they_were() {
    let system = unified();
    v2(&system, "/web", 100 * MIB);
    system.write("sys/fs/cgroup/web/memory.max", (300 * MIB).to_string());
    let mut source = source(&system);
    read(&mut source);
    system.write("sys/fs/cgroup/web/memory.events", "garbage\n");
    let readings: Vec<_> = (0..11).map(|_| read(&mut source)).collect();
    for reading in &readings {
        assert_eq!(sample(reading, "/web").figures.limit().map(|limit| limit.bytes), Some(300 * MIB));
    }
    let errors = |reading: &Reading| reading.errors.values().sum::<u64>();
    assert_eq!(
        readings.iter().map(errors).sum::<u64>(),
        5,
        "at the 2nd to the 4th look, and at two of eight"
    );
}

#[test]
fn who_cannot_be_looked_at_just_now_stays_who_it_was() {
    let pod = Pod::new();
    let id = Pod::path("a");
    v2(&pod.system, &id, MIB);
    // It has no name, so that the directories are listed again whenever they change.
    v2(&pod.system, &Pod::path("0"), MIB);
    v2(&pod.system, "/web.service", MIB);
    pod.log("a");
    pod.system.write("sys/fs/cgroup/web.service/cgroup.procs", "7\n");
    pod.system.write("proc/7/comm", "nginx\n");
    pod.system.show_as(&std::process::id().to_string());
    let mut source = source(&pod.system);
    let who = |reading: &Reading| {
        let web = sample(reading, "/web.service").identity.name.to_string();
        (web, pod.container(reading, "a"))
    };
    let known = ("nginx".to_string(), Some("web".to_string()));
    assert_eq!(who(&read(&mut source)), known);
    for name in ["proc/7/comm", "var/log/containers", "var/log/pods"] {
        pod.system.tangle(name);
    }
    for _ in 0..9 {
        assert_eq!(who(&read(&mut source)), known);
    }
    for name in ["proc/7/comm", "var/log/containers", "var/log/pods"] {
        std::fs::remove_file(pod.system.path(name)).unwrap();
    }
    pod.system.write("proc/7/comm", "caddy\n");
    let readings: Vec<_> = (0..64).map(|_| who(&read(&mut source))).collect();
    assert_eq!(readings.last(), Some(&("caddy".to_string(), None)), "and what is gone is gone");
}

#[test]
fn who_is_not_seen_for_want_of_a_read_is_remembered() {
    let (system, container) = (unified(), format!("/docker/{}", "ee3fc605".repeat(8)));
    for path in ["/docker", &container] {
        v2(&system, path, MIB);
    }
    system.write(&format!("sys/fs/cgroup{container}/cgroup.procs"), "7\n");
    system.write("proc/7/comm", "nginx\n");
    system.write("proc/7/cmdline", "nginx\0-g\0");
    system.write("bin/nginx", "");
    system.link("bin/nginx", "proc/7/exe");
    system.show_as(&std::process::id().to_string());
    let mut source = source(&system);
    let known = sample(&read(&mut source), &container).identity.clone();
    assert!(known.executable.is_some() && known.fingerprint.is_some());
    ["proc/7/cmdline", "proc/7/exe"].into_iter().for_each(|name| system.tangle(name));
    assert!(Arc::ptr_eq(&sample(&read(&mut source), &container).identity, &known), "all that could be told");

    let stat = std::fs::read(system.path("sys/fs/cgroup/docker/memory.stat")).unwrap();
    system.tangle("proc/7/comm");
    for unread in ["/docker", &container] {
        let stat_of = format!("sys/fs/cgroup{unread}/memory.stat");
        system.write(&stat_of, "anon lots\n");
        assert_eq!(read(&mut source).unread_cgroups, [unread]);
        system.write(&stat_of, &stat);
        assert!(Arc::ptr_eq(&sample(&read(&mut source), &container).identity, &known), "{unread}");
    }
    system.remove(&format!("sys/fs/cgroup{container}"));
    read(&mut source);
    v2(&system, &container, MIB);
    assert_eq!(sample(&read(&mut source), &container).identity.fingerprint, None, "and who is gone is not");
}

#[test]
fn more_directories_than_there_is_room_for_are_counted_and_none_of_them_ends() {
    let system = unified();
    v2(&system, "/system.slice", MIB);
    (0..7).for_each(|number| v2(&system, &format!("/system.slice/{number}"), MIB));
    let mut source = source(&system);
    assert_eq!(read(&mut source).samples.len(), 8);
    source.most_listed = 6;
    let reading = read(&mut source);
    assert_eq!((reading.samples.len(), reading.dropped[&Scope::Cgroup]), (6, 2));
    assert_eq!(reading.unread_cgroups, ["/system.slice"], "and so is all below it");
}

#[test]
fn what_is_noted_of_a_pass_is_bounded_however_many_cgroups_there_are() {
    let system = unified();
    for slice in ["/a", "/b"] {
        v2(&system, slice, MIB);
        (0..10).for_each(|number| v2(&system, &format!("{slice}/{number}"), MIB));
    }
    let mut source = source(&system);
    source.most_listed = 16;
    let reading = read(&mut source);
    // Two, and the first fourteen below them.
    assert_eq!((reading.samples.len(), reading.dropped[&Scope::Cgroup]), (16, 6));
    assert!(
        matches!(&reading.unread_cgroups[..], [slice] if slice == "/a" || slice == "/b"),
        "the second that was listed"
    );

    source.most_listed = MAX_LISTED;
    let root = source.hierarchy.open().unwrap();
    let (mut reading, above) = (Reading::default(), Above { limits: Arc::default(), swap_left: 0 });
    let mut walk = walk(&mut source, &mut reading, "");
    walk.seen = MAX_CGROUPS - 4;
    assert_eq!(walk.children(&root, &above, 1), Ok(true));
    // One and three of the ten below it; then seven of those, and the other.
    assert_eq!((reading.samples.len(), reading.dropped[&Scope::Cgroup]), (4, 8));
    let noted: Vec<_> = reading.unread_cgroups.iter().map(String::len).collect();
    assert_eq!(noted, [2, 0], "the one and the root of all");
}

#[test]
fn who_has_others_below_it_is_no_leaf_whoever_these_are() {
    let system = unified();
    v2(&system, "/system.slice/web.service", MIB);
    let mut source = source(&system);
    let slice = source.hierarchy.open().unwrap().child(c"system.slice").unwrap();
    let mut reading = Reading::default();
    let mut walk = walk(&mut source, &mut reading, "/system.slice");
    walk.names_left = 0;
    let above = Above { limits: Arc::default(), swap_left: 0 };
    assert_eq!(walk.children(&slice, &above, 2), Ok(true));
    assert_eq!(reading.dropped[&Scope::Cgroup], 1);
}

#[test]
fn links_lead_nowhere() {
    let system = unified();
    v2(&system, "/web", MIB);
    system.link("sys/fs/cgroup", "sys/fs/cgroup/web/loop");
    system.link("sys/fs/cgroup/web", "sys/fs/cgroup/again");
    let reading = read(&mut source(&system));
    assert_eq!(paths(&reading), ["/web"]);
    assert!(reading.errors.is_empty());
}

#[test]
fn files_that_a_kernel_lacks_are_absent_and_what_vanishes_is_no_error() {
    let system = unified();
    v2(&system, "/bare", MIB);
    for name in ["memory.current", "memory.max", "memory.high", "memory.swap.max", "cgroup.procs"] {
        system.remove(&format!("sys/fs/cgroup/bare/{name}"));
    }
    let mut source = source(&system);
    let reading = read(&mut source);
    let figures = reading.samples[0].figures.cgroup.as_ref().unwrap();
    assert_eq!((figures.usage, figures.peak, figures.limits.len()), (None, None, 0));
    assert!(reading.errors.is_empty());
    system.remove("sys/fs/cgroup/bare");
    assert!(read(&mut source).samples.is_empty());
}

#[test]
fn a_cgroup_made_anew_under_its_old_path_is_another() {
    let system = unified();
    v2(&system, "/web", MIB);
    let mut source = source(&system);
    let first = read(&mut source).samples[0].entity.clone();
    assert_eq!(read(&mut source).samples[0].entity, first);
    system.rename("sys/fs/cgroup/web", "sys/fs/cgroup/old");
    v2(&system, "/web", MIB);
    let entities: Vec<_> = read(&mut source).samples.into_iter().map(|sample| sample.entity).collect();
    let EntityId::Cgroup(first) = first else { panic!("{first:?}") };
    assert!(matches!(&entities[0], EntityId::Cgroup(old) if old.inode == first.inode));
    assert!(matches!(&entities[1], EntityId::Cgroup(new) if new.inode != first.inode));
}

#[test]
fn limits_that_change_are_noticed() {
    let system = unified();
    v2(&system, "/web", 100 * MIB);
    let mut source = source(&system);
    (0..10).for_each(|_| drop(read(&mut source)));
    system.write("sys/fs/cgroup/web/memory.max", (300 * MIB).to_string());
    let noticed = (0..4).map(|_| read(&mut source).samples[0].figures.limit().is_some()).collect::<Vec<_>>();
    assert!(noticed[3], "{noticed:?}");
}

#[test]
fn kubelets_directories_name_pods_and_containers() {
    let (uid, id) = ("29349498-197c-4919-b13f-9a928e7d001b", "ee3fc605".repeat(8));
    let system = unified();
    let pod = format!(
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice",
        uid.replace('-', "_")
    );
    let container = format!("{pod}/cri-containerd-{id}.scope");
    let pause = format!("{pod}/cri-containerd-{}.scope", "0b5a7c11".repeat(8));
    for path in ["/kubepods.slice", "/kubepods.slice/kubepods-burstable.slice", &pod, &container, &pause] {
        v2(&system, path, MIB);
    }
    let mut source = source(&system);
    let nameless = sample(&read(&mut source), &container).identity.tenant().clone();
    let expected = Tenant {
        container_id: Some(id.clone()),
        pod_uid: Some(uid.to_string()),
        qos: Some("burstable"),
        unit: Some(format!("cri-containerd-{id}.scope")),
        ..Tenant::default()
    };
    assert_eq!(nameless, expected);

    system.create_dir(&format!("var/log/pods/shop_cart-5d78_{uid}/server"));
    system.write(&format!("var/log/containers/cart-5d78_shop_server-{id}.log"), "");
    // Names are looked up at the 1st, 2nd, 4th and 8th sighting.
    (0..7).for_each(|_| drop(read(&mut source)));
    let reading = read(&mut source);
    let named = &sample(&reading, &container).identity;
    assert_eq!(
        (named.tenant().namespace.as_deref(), named.tenant().pod.as_deref()),
        (Some("shop"), Some("cart-5d78"))
    );
    assert_eq!((named.tenant().container.as_deref(), &*named.name), (Some("server"), "server"));
    assert_eq!(sample(&reading, &pod).identity.tenant().container, None, "a pod is no container");
    let pause = sample(&reading, &pause).identity.tenant();
    assert_eq!(
        (pause.pod.as_deref(), pause.container.as_deref()),
        (Some("cart-5d78"), None),
        "it has no log"
    );
}

/// Containers of one pod: their cgroups, and links to their logs where they have one.
struct Pod {
    system: FakeSystem,
}

impl Pod {
    const UID: &str = "29349498-197c-4919-b13f-9a928e7d001b";

    fn new() -> Pod {
        let system = unified();
        system.create_dir(&format!("var/log/pods/shop_web-0_{}", Pod::UID));
        system.create_dir("var/log/containers");
        v2(&system, "/kubepods", MIB);
        v2(&system, &format!("/kubepods/pod{}", Pod::UID), MIB);
        Pod { system }
    }

    fn path(digit: &str) -> String {
        format!("/kubepods/pod{}/{}", Pod::UID, digit.repeat(64))
    }

    fn log(&self, digit: &str) {
        self.system.write(&format!("var/log/containers/web-0_shop_web-{}.log", digit.repeat(64)), "");
    }

    /// Sets the time at which a name was last added: the clock of a file system may be too slow for a test.
    fn touch(&self, second: u64) {
        let time = std::time::UNIX_EPOCH + Duration::from_secs(second);
        let dir = std::fs::File::open(self.system.path("var/log/containers")).unwrap();
        dir.set_modified(time).unwrap();
    }

    fn container(&self, reading: &Reading, digit: &str) -> Option<String> {
        sample(reading, &Pod::path(digit)).identity.tenant().container.clone()
    }
}

#[test]
fn a_container_that_was_never_asked_for_has_its_name_at_once() {
    let pod = Pod::new();
    v2(&pod.system, &Pod::path("0"), MIB);
    let mut source = source(&pod.system);
    for (sightings, digit) in [(1, "a"), (1, "b"), (3, "c")] {
        (0..sightings).for_each(|_| drop(read(&mut source)));
        v2(&pod.system, &Pod::path(digit), MIB);
        pod.log(digit);
        assert_eq!(pod.container(&read(&mut source), digit).as_deref(), Some("web"), "{digit}");
    }
}

#[test]
fn who_has_no_name_is_looked_for_again_when_there_are_others() {
    let pod = Pod::new();
    for digit in ["0", "a"] {
        v2(&pod.system, &Pod::path(digit), MIB);
    }
    pod.touch(1);
    let mut source = source(&pod.system);
    read(&mut source);
    pod.log("a");
    pod.touch(1);
    assert_eq!(pod.container(&read(&mut source), "a"), None, "nothing seems to have changed");
    pod.touch(2);
    // Names are looked up at the 4th sighting again.
    read(&mut source);
    let reading = read(&mut source);
    assert_eq!(pod.container(&reading, "a").as_deref(), Some("web"));
    assert_eq!(pod.container(&reading, "0"), None);
}

#[test]
fn a_container_sees_itself_where_it_sees_no_host() {
    let system = unified();
    v2(&system, "", 100 * MIB);
    system.write("sys/fs/cgroup/memory.max", (200 * MIB).to_string());
    let reading = read(&mut source(&system));
    assert_eq!((paths(&reading), leaves(&reading)), (vec!["/"], vec!["/"]));
}

#[test]
fn a_container_whose_limit_cannot_be_read_is_no_host() {
    let system = unified();
    v2(&system, "", 100 * MIB);
    v2(&system, "/worker", 50 * MIB);
    system.write("sys/fs/cgroup/memory.max", (200 * MIB).to_string());
    let mut source = source(&system);
    let limit = |reading: &Reading| sample(reading, "/").figures.limit().map(|limit| limit.bytes);
    assert_eq!(limit(&read(&mut source)), Some(200 * MIB));
    system.tangle("sys/fs/cgroup/memory.max");
    let reading = read(&mut source);
    assert_eq!(limit(&reading), Some(200 * MIB));
    assert_eq!(reading.errors, [(ReadErrorReason::Io, 1)].into());

    let root = source.hierarchy.open().unwrap();
    assert_eq!((root.has(c"memory.max"), root.has(c"release_agent")), (Ok(true), Ok(false)));
    let too_long = std::ffi::CString::new([b'x'; 300]).unwrap();
    assert_eq!(root.has(&too_long), Err(Errno::NAMETOOLONG), "it may be there or not");
}

#[test]
fn a_container_of_v1_sees_itself_and_the_limit_above_it() {
    let system = hybrid();
    system.remove("sys/fs/cgroup/memory/release_agent");
    let point = system.path("sys/fs/cgroup/memory");
    let mountinfo = format!("35 31 0:32 / {} ro - cgroup cgroup rw,memory\n", point.display());
    system.write("proc/self/mountinfo", mountinfo);
    v1(&system, "", 100 * MIB, "314572800");
    v1(&system, "/worker", 50 * MIB, "9223372036854771712");
    let mut all = source(&system);
    let reading = read(&mut all);
    assert_eq!((paths(&reading), leaves(&reading)), (vec!["/", "/worker"], vec!["/worker"]));
    let nearest = |reading: &Reading, path| {
        let figures = sample(reading, path).figures.cgroup.clone().unwrap();
        figures
            .limits
            .iter()
            .map(|limit| (limit.owner.to_string(), limit.limit.bytes / MIB))
            .collect::<Vec<_>>()
    };
    assert_eq!(nearest(&reading, "/worker"), [("/".to_string(), 300)]);

    let stat = format!("total_cache 0\ntotal_rss {}\nhierarchical_memory_limit {}\n", 100 * MIB, 200 * MIB);
    system.write("sys/fs/cgroup/memory/memory.stat", stat);
    let reading = read(&mut all);
    for path in ["/", "/worker"] {
        assert_eq!(nearest(&reading, path), [("/".to_string(), 200)], "{path}");
    }
    assert_eq!(
        sample(&reading, "/").figures.limit().map(|limit| limit.room),
        Some(50 * MIB),
        "150 MiB are in use"
    );
}

#[test]
fn who_vanishes_once_listed_makes_its_parent_no_leaf() {
    let system = unified();
    let mut source = source(&system);
    let root = source.hierarchy.open().unwrap();
    let mut reading = Reading::default();
    let mut walk = walk(&mut source, &mut reading, "/gone");
    let above = Above { limits: Arc::default(), swap_left: 0 };
    assert!(walk.child(&root, &c"gone".to_owned(), &above, 1));
    v2(&system, "/gone", MIB);
    let gone = root.child(c"gone").unwrap();
    system.remove("sys/fs/cgroup/gone");
    assert_eq!(walk.look(&gone, &above, 1), Err(Unread::Vanished), "even once it is open");
    assert!(reading.errors.is_empty() && reading.unread_cgroups.is_empty());
}

#[test]
fn a_system_without_the_controller_is_told_what_to_type() {
    let system = FakeSystem::new();
    let error = CgroupSource::new(&system.roots(), &config()).err().unwrap().to_string();
    assert!(error.contains("/sys: No such file") && error.contains("--path.sysfs"), "{error}");
    system.write("sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
    let error = CgroupSource::new(&system.roots(), &config()).err().unwrap().to_string();
    assert!(error.contains("no cgroup with a memory controller below"), "{error}");
    assert!(error.ends_with("or use --no-source.cgroup"), "{error}");
}

#[test]
fn a_controller_that_is_gone_is_a_failure_of_the_source() {
    let system = unified();
    v2(&system, "/web", MIB);
    let mut source = source(&system);
    system.remove("sys/fs/cgroup");
    let error = source.read(&mut Reading::default()).unwrap_err().to_string();
    assert!(error.contains("/sys/fs/cgroup: No such file"), "{error}");
}

#[test]
fn a_hierarchy_that_is_mounted_elsewhere_is_found() {
    let system = FakeSystem::new();
    let point = system.path("sys/elsewhere");
    let mountinfo = format!("35 31 0:32 /lxc/me {} rw - cgroup cgroup rw,memory\n", point.display());
    system.write("proc/self/mountinfo", mountinfo);
    system.write("sys/elsewhere/memory.stat", "cache 0\nrss 5\n");
    system.write("sys/elsewhere/worker/memory.stat", "cache 0\nrss 4\n");
    let reading = read(&mut source(&system));
    assert_eq!(paths(&reading), ["/lxc/me", "/lxc/me/worker"], "as processes say it");
}
