use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::config::RootsConfig;
use crate::entity::Resource;
use crate::source::ReadErrorReason;
use crate::source::fixture::{FakeSystem, live_roots};

const KIB: u64 = 1024;

fn read(source: &mut ProcessSource) -> Reading {
    let mut reading = Reading::default();
    source.read(&mut reading).unwrap();
    reading
}

fn read_once(system: &FakeSystem) -> Reading {
    read(&mut ProcessSource::new(&system.roots()))
}

fn threads(sample: &Sample) -> Option<u32> {
    sample.count(Resource::Threads).map(|count| count.used)
}

fn pids(reading: &Reading) -> Vec<u32> {
    let pid = |sample: &Sample| match sample.entity {
        EntityId::Process { pid, .. } => pid,
        _ => panic!("{sample:?}"),
    };
    reading.samples.iter().map(pid).collect()
}

#[test]
fn an_ordinary_process_is_read_in_full() {
    let system = FakeSystem::new();
    system.write("etc/passwd", "www-data:x:33:33::/:\n");
    system.process(7).comm(b"nginx").start_time(50_000).uid(33).write();
    let reading = read_once(&system);
    let [sample] = &reading.samples[..] else { panic!("{:?}", reading.samples) };
    assert_eq!(sample.entity, EntityId::Process { pid: 7, start_time: 50_000 });
    let memory = Memory::default()
        .with(Kind::Anon, Some(1000 * KIB))
        .with(Kind::File, Some(2000 * KIB))
        .with(Kind::Shmem, Some(300 * KIB))
        .with(Kind::Swap, Some(40 * KIB));
    assert_eq!(sample.figures.memory, memory);
    assert_eq!(sample.identity.name.as_ref(), "nginx");
    assert_eq!(sample.identity.user.as_deref(), Some("www-data"));
    assert_eq!(sample.identity.cgroup.as_deref(), Some("/system.slice/app.service"));
    assert_eq!((sample.figures.limit(), threads(sample), sample.cpu_seconds), (None, Some(3), Some(3.25)));
    let start = sample.figures.start.unwrap();
    assert_eq!(
        (start.unix_seconds, start.age(reading.uptime.unwrap())),
        (1_700_000_500.0, Duration::from_millis(500_500))
    );
    assert!(reading.errors.is_empty() && reading.host.is_none());
}

#[test]
fn names_may_contain_anything() {
    let names: [&[u8]; 6] = [b"a \"b\"", b"back\\slash", b"two\nlines", b"a) R (b", b"\xff\xfe", b""];
    let system = FakeSystem::new();
    for (pid, name) in (1..).zip(names) {
        system.process(pid).comm(name).write();
    }
    let reading = read_once(&system);
    let seen: Vec<_> = reading.samples.iter().map(|sample| sample.identity.name.to_string()).collect();
    assert_eq!(seen, names.map(|name| String::from_utf8_lossy(name).into_owned()));
    assert!(reading.samples.iter().all(|sample| sample.figures.memory.get(Kind::Anon) == Some(1000 * KIB)));
}

#[test]
fn names_are_cut_and_known_again() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    system.process(7).comm(&[b'x'; 5000]).cgroup(&format!("0::/{}\n", "\u{20ac}".repeat(2000))).write();
    let first = read(&mut source).samples.remove(0);
    assert_eq!((first.identity.name.len(), first.identity.cgroup.as_ref().unwrap().len()), (1024, 1024));
    assert!(Arc::ptr_eq(&first.identity, &read(&mut source).samples[0].identity));
}

#[test]
fn who_has_no_memory_is_skipped_silently() {
    let system = FakeSystem::new();
    system.process(1).write();
    system.process(2).kernel_thread().write();
    system.process(3).state('Z').write();
    system.process(4).without_memory().write();
    let reading = read_once(&system);
    assert_eq!(pids(&reading), [1]);
    assert!(reading.errors.is_empty());
}

#[test]
fn garbage_counts_and_harms_nobody_else() {
    let system = FakeSystem::new();
    (1..=6).for_each(|pid| system.process(pid).write());
    system.write("proc/2/stat", b"\xff\x00garbage");
    system.write("proc/3/status", "garbage");
    system.write("proc/4/stat", "");
    system.write("proc/5/limits", "garbage");
    let reading = read_once(&system);
    assert_eq!(pids(&reading), [1, 5, 6]);
    assert_eq!(reading.errors, BTreeMap::from([(ReadErrorReason::Malformed, 4)]));
}

#[test]
fn who_vanishes_is_no_error() {
    let system = FakeSystem::new();
    (1..=4).for_each(|pid| system.process(pid).write());
    system.remove("proc/2/status");
    system.remove("proc/3/stat");
    let reading = read_once(&system);
    assert_eq!(pids(&reading), [1, 4]);
    assert!(reading.errors.is_empty());
}

#[test]
fn what_is_too_large_or_no_directory_counts_as_io() {
    let system = FakeSystem::new();
    (1..=2).for_each(|pid| system.process(pid).write());
    system.write("proc/2/status", vec![b'x'; 2 << 20]);
    system.write("proc/3", "a file");
    let reading = read_once(&system);
    assert_eq!(pids(&reading), [1]);
    assert_eq!(reading.errors, BTreeMap::from([(ReadErrorReason::Io, 2)]));
}

#[test]
fn what_fails_for_a_while_keeps_what_was_known() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    system.process(7).write();
    system.write("bin/app", "");
    system.link("bin/app", "proc/7/exe");
    let before = read(&mut source).samples.remove(0);
    for name in ["status", "cgroup"] {
        system.remove(&format!("proc/7/{name}"));
        system.create_dir(&format!("proc/7/{name}"));
    }
    system.tangle("proc/7/exe");
    let failing = read(&mut source);
    assert!(failing.samples.is_empty() && failing.unread.contains(&7));
    assert_eq!(failing.errors, BTreeMap::from([(ReadErrorReason::Io, 1)]));
    system.remove("proc/7/status");
    system.process(7).cgroup("").write_status();
    let after = read(&mut source);
    assert_eq!(after.samples[0].identity, before.identity);
    assert_eq!(after.errors, BTreeMap::from([(ReadErrorReason::Io, 1)]), "its cgroup");
}

#[test]
fn old_kernels_split_resident_memory_in_statm() {
    let system = FakeSystem::new();
    system.process(1).old_kernel().write();
    system.write("proc/1/statm", "9000 500 400 1 0 100 0\n");
    let page = page_size() as u64;
    let reading = read_once(&system);
    let memory = Memory::default()
        .with(Kind::Anon, Some(100 * page))
        .with(Kind::File, Some(400 * page))
        .with(Kind::Swap, Some(40 * KIB));
    assert_eq!(reading.samples[0].figures.memory, memory);
}

#[test]
fn the_limit_that_leaves_less_room_counts() {
    let system = FakeSystem::new();
    // The fixture has VmSize 10000 kB and VmData 5000 kB.
    let limits = [("unlimited", "20480000"), ("6144000", "20480000"), ("6144000", "unlimited"), ("1", "1")];
    for (pid, (data, address_space)) in (1..).zip(limits) {
        system.process(pid).limits(data, address_space).write();
    }
    let seen: Vec<_> =
        read_once(&system).samples.iter().map(|sample| sample.figures.limit().unwrap()).collect();
    let data = Limit { kind: LimitKind::Data, bytes: 6000 * KIB, room: 1000 * KIB };
    assert_eq!(seen[0], Limit { kind: LimitKind::AddressSpace, bytes: 20_000 * KIB, room: 10_000 * KIB });
    assert_eq!((seen[1], seen[2]), (data, data));
    assert_eq!(seen[3].room, 0);
}

#[test]
fn exec_renames_and_keeps_the_life() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    system.process(7).comm(b"sh").write();
    let before = read(&mut source).samples.remove(0);
    system.process(7).comm(b"server").write();
    let after = read(&mut source).samples.remove(0);
    assert_eq!(before.entity, after.entity);
    assert_eq!((before.identity.name.as_ref(), after.identity.name.as_ref()), ("sh", "server"));
}

#[test]
fn a_reused_pid_is_another_life() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    system.process(7).start_time(100).cgroup("0::/first\n").write();
    let first = read(&mut source).samples.remove(0);
    system.process(7).start_time(200).cgroup("0::/second\n").write();
    let second = read(&mut source).samples.remove(0);
    assert_ne!(first.entity, second.entity);
    assert_eq!(second.identity.cgroup.as_deref(), Some("/second"));
}

#[test]
fn identities_are_shared_between_sightings_and_forgotten_with_the_process() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    system.process(7).write();
    let first = read(&mut source).samples.remove(0);
    let second = read(&mut source).samples.remove(0);
    assert!(Arc::ptr_eq(&first.identity, &second.identity));
    system.remove("proc/7");
    assert!(read(&mut source).samples.is_empty());
    assert_eq!(source.roll.iter().count(), 0);
}

#[test]
fn files_that_nothing_works_without_fail_the_source() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    system.remove("proc/uptime");
    let error = source.read(&mut Reading::default()).unwrap_err().to_string();
    assert!(error.contains("/proc/uptime: No such file"), "{error}");
}

#[test]
fn a_long_reading_rests_in_between_and_misses_nobody() {
    let system = FakeSystem::new();
    let processes = 2 * SLICE + 1;
    (1..=processes as u32).for_each(|pid| system.process(pid).write());
    let mut source = ProcessSource::new(&system.roots()).at_each(Duration::from_secs(1));
    assert_eq!(read(&mut source).samples.len(), processes);
    let again = Instant::now();
    assert_eq!(read(&mut source).samples.len(), processes);
    assert!(again.elapsed() >= 2 * Duration::from_millis(32), "{:?}", again.elapsed());
}

#[test]
fn this_process_is_seen_live_and_twice_the_same() {
    let mut source = ProcessSource::new(&live_roots());
    let own = |reading: Reading| {
        let is_own = |sample: &Sample| matches!(sample.entity, EntityId::Process { pid, .. } if pid == std::process::id());
        reading.samples.into_iter().find(is_own).unwrap()
    };
    let ballast = vec![1_u8; 8 << 20];
    let first = own(read(&mut source));
    let second = own(read(&mut source));
    drop(ballast);
    assert_eq!(first.entity, second.entity);
    assert!(first.figures.memory.get(Kind::Anon).unwrap() > 4 << 20);
    assert!(first.identity.executable.is_some() && first.identity.user.is_some());
    assert!(threads(&first) >= Some(1));
}

#[test]
fn other_users_processes_are_read_without_privileges_to_them() {
    let roots = RootsConfig { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() };
    let reading = read(&mut ProcessSource::new(&Roots::open(&roots).unwrap()));
    assert!(pids(&reading).len() > 1);
    assert_eq!(reading.errors.get(&ReadErrorReason::Malformed), None);
}

#[test]
fn an_idle_process_is_told_again_until_it_is_read_anew() {
    let mut source = ProcessSource::new(&live_roots());
    let first = |reading: Reading| {
        let is_first = |sample: &Sample| matches!(sample.entity, EntityId::Process { pid: 1, .. });
        reading.samples.into_iter().find(is_first).unwrap()
    };
    let seen: Vec<Sample> = (0..2 * kept::READ_EVERY).map(|_| first(read(&mut source))).collect();
    let told_again = seen.iter().filter(|sample| sample.is_told_again).count();
    // What the first process does meanwhile is not ours to say; but that it is read anew is.
    assert!(told_again <= 2 * (kept::READ_EVERY as usize - 1), "{told_again}");
    for pair in seen.windows(2) {
        assert_eq!(pair[0].entity, pair[1].entity);
        assert_eq!(pair[1].is_told_again, Arc::ptr_eq(&pair[0].figures, &pair[1].figures));
        assert!(pair[1].is_told_again || pair[1].cpu_seconds.is_some());
    }
}

/// In which pass from now on a process, of which one file has just been changed, is told to be another.
fn passes_until(source: &mut ProcessSource, is_other: impl Fn(&Sample) -> bool) -> u64 {
    (1..=4 * kept::READ_EVERY).find(|_| is_other(&read(source).samples[0])).unwrap()
}

#[test]
fn a_change_of_memory_is_seen_at_once_of_work_soon_and_of_all_else_in_the_end() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    source.reader.most = Room::new(true);
    system.write("proc/7/statm", "100 50 20 1 0 30 0\n");
    system.process(7).uid(1).write();
    (0..10).for_each(|_| drop(read(&mut source)));
    let is_uid = |uid: &'static str| move |sample: &Sample| sample.identity.user.as_deref() == Some(uid);

    system.process(7).uid(2).write();
    system.write("proc/7/statm", "101 51 20 1 0 31 0\n");
    assert_eq!(passes_until(&mut source, is_uid("2")), 1);

    system.process(7).uid(3).comm(b"renamed").write();
    let soon = passes_until(&mut source, is_uid("3"));
    assert!(soon <= kept::STAT_EVERY, "{soon}");

    system.process(7).uid(4).comm(b"renamed").write();
    let late = passes_until(&mut source, is_uid("4"));
    assert!(late <= kept::READ_EVERY, "{late}");

    (0..=2 * kept::STILL).for_each(|_| drop(read(&mut source)));
    system.process(7).uid(5).comm(b"renamed").write();
    system.write("proc/7/statm", "102 52 20 1 0 32 0\n");
    assert!(passes_until(&mut source, is_uid("5")) <= 2, "one tick later at the most");
}

#[test]
fn what_is_told_again_is_no_news_and_keeps_what_was_read() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    source.reader.most = Room::new(true);
    system.write("proc/7/statm", "100 50 20 1 0 30 0\n");
    system.process(7).write();
    let samples: Vec<Sample> = (0..200).map(|_| read(&mut source).samples.remove(0)).collect();
    let told_again = samples.iter().filter(|sample| sample.is_told_again).count();
    assert!(told_again > 180, "{told_again}");
    for pair in samples.windows(2).filter(|pair| pair[1].is_told_again) {
        assert!(Arc::ptr_eq(&pair[0].figures, &pair[1].figures) && pair[1].cpu_seconds.is_none());
        let is_new = |resource| pair[1].count(resource).is_some_and(|count| count.is_new);
        assert_eq!([Resource::Fds, Resource::Threads, Resource::Maps].map(is_new), [false, true, false]);
    }
}

#[test]
fn an_idle_process_is_read_as_a_whole_once_in_so_many_looks() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    source.reader.most = Room::new(true);
    system.write("proc/7/statm", "100 50 20 1 0 30 0\n");
    system.process(7).write();
    (0..200).for_each(|_| drop(read(&mut source)));
    let read_anew = |_: &u64| !read(&mut source).samples[0].is_told_again;
    assert_eq!((0..4 * kept::READ_EVERY).filter(read_anew).count(), 2);
}

/// One look at a process that holds so many KiB of its own.
fn see(system: &FakeSystem, source: &mut ProcessSource, kibibytes: u64) -> Sample {
    system.write("proc/7/statm", format!("100 {kibibytes} 20 1 0 30 0\n"));
    system.process(7).anon(kibibytes).write();
    let sample = read(source).samples.remove(0);
    assert_eq!(sample.figures.memory.get(Kind::Anon), Some(kibibytes * KIB));
    assert_eq!(threads(&sample), Some(3));
    sample
}

#[test]
fn all_that_is_read_of_a_restless_process_stays_open_until_it_is_calm() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    source.reader.most = Room::new(true);
    let is_restless =
        |source: &ProcessSource| matches!(source.roll.iter().next().unwrap().kept, Some(Kept::Restless(_)));
    (0..40).for_each(|_| drop(see(&system, &mut source, 1)));
    for looks in 1..=2 * RESTLESS {
        let sample = see(&system, &mut source, 1 + u64::from(looks));
        assert!(!sample.is_told_again && sample.cpu_seconds.is_some());
        assert_eq!(is_restless(&source), looks >= RESTLESS, "{looks}");
    }
    let bytes = 1 + u64::from(2 * RESTLESS);
    for looks in 1..=CALM {
        assert!(!see(&system, &mut source, bytes).is_told_again);
        assert_eq!(is_restless(&source), looks < CALM, "{looks}");
    }
    let told_again = (0..32).filter(|_| see(&system, &mut source, bytes).is_told_again).count();
    assert!(told_again >= 28, "{told_again}");
}

#[test]
fn a_restless_process_may_be_renamed_and_have_other_details() {
    let system = FakeSystem::new();
    let mut source = ProcessSource::new(&system.roots());
    source.reader.most = Room::new(true);
    (0..40).for_each(|looks| drop(see(&system, &mut source, looks)));
    system.process(7).comm(b"renamed").cgroup("0::/other\n").write();
    let sample = read(&mut source).samples.remove(0);
    assert_eq!((&*sample.identity.name, sample.identity.cgroup.as_deref()), ("renamed", Some("/other")));
    system.process(7).state('Z').write();
    assert!(read(&mut source).samples.is_empty());
    assert_eq!(see(&system, &mut source, 5).entity, sample.entity);
}
