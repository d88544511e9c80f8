//! Ticks over scripted sources, with time moved by hand.

use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::config::SelectionConfig;
use crate::detector::{Reason, Status};
use crate::entity::Identity;
use crate::exposition::{self, Format, Sources};
use crate::sample::{Figures, Kind, Limit, LimitKind, Memory, Start};
use crate::source::SourceError;

mod cgroups;
mod resources;
mod time;

const MIB: u64 = 1 << 20;

/// What the next reading is to be, shared with the source that gives it.
type Script = Arc<Mutex<Next>>;

#[derive(Default)]
struct Next {
    samples: Vec<Sample>,
    host: Option<HostMemory>,
    unread: HashSet<u32>,
    unread_cgroups: Vec<String>,
    fails: bool,
}

struct Scripted {
    name: &'static str,
    script: Script,
}

impl Source for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let next = self.script.lock().unwrap();
        if next.fails {
            let source = std::io::ErrorKind::PermissionDenied.into();
            return Err(SourceError::Read { path: "/proc".into(), source });
        }
        reading.samples.extend(next.samples.iter().cloned());
        reading.host = next.host;
        reading.uptime = Some(Duration::from_secs(100));
        reading.unread = next.unread.clone();
        reading.unread_cgroups = next.unread_cgroups.clone();
        for _ in &next.unread {
            reading.count_error(ReadErrorReason::Io);
        }
        Ok(())
    }
}

/// A sampler over one scripted source of each kind.
struct Bench {
    sampler: Sampler,
    now: Moment,
    interval: Duration,
    process: Script,
    cgroup: Script,
    host: Script,
    /// The configuration file, and where the rules in it are.
    file: tempfile::NamedTempFile,
    rules: Arc<LiveRules>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut SamplerConfig)) -> Bench {
        let mut config = SamplerConfig::every_minute();
        change(&mut config);
        let [process, cgroup, host] = [(); 3].map(|()| Script::default());
        let source = |name, script: &Script| {
            Box::new(Scripted { name, script: Arc::clone(script) }) as Box<dyn Source>
        };
        let sources = vec![source("host", &host), source("cgroup", &cgroup), source("process", &process)];
        let interval = config.interval;
        let selection = SelectionConfig { top: None, max_series: None };
        let now = Moment { instant: Instant::now(), boottime: Duration::from_secs(100), unix_seconds: 1.8e9 };
        let file = tempfile::NamedTempFile::new().unwrap();
        let rules = Arc::new(LiveRules::new(Some(file.path())).unwrap());
        let sampler = Sampler::new(config, selection, Arc::clone(&rules), sources);
        Bench { sampler, now, interval, process, cgroup, host, file, rules }
    }

    /// Goes by the rules in `text` from now on.
    fn configure(&mut self, text: &str) {
        std::fs::write(self.file.path(), text).unwrap();
        self.rules.reload().unwrap();
    }

    /// One tick with these processes running.
    fn tick(&mut self, processes: Vec<Sample>) -> Snapshot {
        self.process.lock().unwrap().samples = processes;
        let snapshot = self.sampler.tick(self.now);
        self.now = self.now.after(self.interval);
        snapshot
    }

    /// Ticks for so many hours with one process of so many MiB, given the hour.
    fn run(&mut self, pid: u32, hours: u64, mebibytes: impl Fn(f64) -> f64) -> Snapshot {
        let ticks = hours * 3600 / self.interval.as_secs();
        let mut last = None;
        for tick in 0..=ticks {
            let hour = (tick * self.interval.as_secs()) as f64 / 3600.0;
            last = Some(self.tick(vec![process(pid, "web", (mebibytes(hour) * MIB as f64) as u64)]));
        }
        last.unwrap()
    }
}

fn process(pid: u32, name: &str, anon: u64) -> Sample {
    Sample {
        entity: EntityId::Process { pid, start_time: u64::from(pid) },
        identity: Arc::new(Identity { name: Arc::from(name), ..Identity::default() }),
        figures: Arc::new(Figures {
            memory: Memory::default().with(Kind::Anon, Some(anon)),
            start: Some(Start { unix_seconds: 1.7e9, after_boot: Duration::ZERO }),
            ..Figures::default()
        }),
        cpu_seconds: None,
        is_told_again: false,
    }
}

fn host(used: u64) -> (Vec<Sample>, Option<HostMemory>) {
    let memory = Memory::default().with(Kind::Anon, Some(used));
    let figures = Arc::new(Figures { memory, ..Figures::default() });
    let sample = Sample { entity: EntityId::Host, figures, ..process(0, "", 0) };
    let total = 65_536 * MIB;
    let figures = HostMemory { total, available: total - used, ..HostMemory::default() };
    (vec![sample], Some(figures))
}

fn find(snapshot: &Snapshot, scope: Scope) -> Vec<&Entity> {
    snapshot.entities.iter().filter(|entity| entity.scope() == scope).collect()
}

#[test]
fn a_leak_makes_its_process_and_its_group_suspect() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    let (group, process) = (find(&snapshot, Scope::Group)[0], find(&snapshot, Scope::Process)[0]);
    for entity in [group, process] {
        assert!(entity.assessment.is_suspect(), "{entity:?}");
        assert_eq!(entity.assessment.dominant_kind(entity.scope()), Some(Kind::Anon));
    }
    let growth = group.assessment.growth_bytes_per_second.unwrap() * 3600.0 / MIB as f64;
    assert!((growth - 5.0).abs() < 0.2, "{growth} MiB/h");
    assert_eq!((group.display_name(), process.display_name()), ("web".to_string(), "web[7]".to_string()));
    assert_eq!(snapshot.highest_score(), process.assessment.score);
}

#[test]
fn a_snapshot_carries_the_history_of_its_time() {
    let mut bench = Bench::new(|_| {});
    let old = bench.run(7, 2, |hour| 100.0 + 5.0 * hour);
    let blocks = |snapshot: &Snapshot, scope| {
        let history = find(snapshot, scope)[0].history.clone().unwrap();
        history.floors(f64::INFINITY).unwrap().blocks
    };
    let before = blocks(&old, Scope::Process);
    assert_eq!(blocks(&old, Scope::Group), before, "a group speaks through its worst member");
    assert_eq!(find(&old, Scope::Group)[0].worst_member.as_deref(), Some(&find(&old, Scope::Process)[0].id));
    let new = bench.run(7, 3, |hour| 110.0 + 5.0 * hour);
    assert_eq!(blocks(&old, Scope::Process), before);
    assert_ne!(blocks(&new, Scope::Process), before);
}

#[test]
fn a_time_lapse_counts_seconds_as_more() {
    let mut bench = Bench::new(|config| config.time_lapse = 60);
    bench.interval = Duration::from_secs(1);
    bench.sampler.watchlist =
        Watchlist::new(&SamplerConfig { interval: bench.interval, ..bench.sampler.config.clone() });
    let ticks = 40 * 60;
    let mut suspect = false;
    for tick in 0..ticks {
        let snapshot = bench.tick(vec![process(7, "web", 100 * MIB + tick * MIB / 12)]);
        suspect |= snapshot.suspects().next().is_some();
        assert_eq!(snapshot.time_lapse, 60);
    }
    assert!(suspect);
}

#[test]
fn who_dies_is_gone_and_a_reused_pid_is_somebody_else() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    assert_eq!(find(&snapshot, Scope::Process).len(), 1);
    let mut other = process(7, "other", MIB);
    other.entity = EntityId::Process { pid: 7, start_time: 99 };
    let snapshot = bench.tick(vec![other]);
    let processes = find(&snapshot, Scope::Process);
    assert_eq!((processes.len(), processes[0].assessment.score), (1, None));
    assert_eq!(bench.tick(Vec::new()).entities.len(), 0);
    assert!(bench.sampler.watchlist.is_empty());
}

#[test]
fn a_program_that_comes_back_inherits_suspicion() {
    let mut bench = Bench::new(|_| {});
    bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    let again = bench.run(8, 3, |hour| 100.0 + 5.0 * hour);
    let score = find(&again, Scope::Process)[0].assessment.score.unwrap();
    let mut fresh = Bench::new(|_| {});
    let first = fresh.run(8, 3, |hour| 100.0 + 5.0 * hour);
    let first = find(&first, Scope::Process)[0].assessment.score.unwrap();
    assert!(score > first + 20.0, "{score} after a suspect life, {first} without");
}

#[test]
fn a_source_that_fails_hides_no_other_and_forgets_nobody() {
    let mut bench = Bench::new(|_| {});
    bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    let (samples, figures) = host(1000 * MIB);
    *bench.host.lock().unwrap() = Next { samples, host: figures, ..Next::default() };
    bench.process.lock().unwrap().fails = true;
    let snapshot = bench.tick(Vec::new());
    assert_eq!(find(&snapshot, Scope::Process).len(), 0, "what was not read now is not shown");
    assert_eq!(find(&snapshot, Scope::Host).len(), 1);
    assert_eq!(snapshot.sources.iter().map(|source| source.success).collect::<Vec<_>>(), [true, true, false]);
    bench.process.lock().unwrap().fails = false;
    let snapshot = bench.tick(vec![process(7, "web", 301 * MIB)]);
    assert!(find(&snapshot, Scope::Process)[0].assessment.is_suspect(), "its history has survived");
}

#[test]
fn a_process_that_could_not_be_read_once_keeps_its_history() {
    let mut bench = Bench::new(|_| {});
    bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    bench.process.lock().unwrap().unread = HashSet::from([7]);
    let snapshot = bench.tick(Vec::new());
    assert_eq!(snapshot.entities.len(), 0);
    assert_eq!(snapshot.sources[2].errors, BTreeMap::from([(ReadErrorReason::Io, 1)]));
    let snapshot = bench.tick(vec![process(7, "web", 301 * MIB)]);
    assert!(find(&snapshot, Scope::Process)[0].assessment.is_suspect());
}

#[test]
fn the_host_is_explained_by_the_group_that_leaks_and_by_nothing_else() {
    for (leak, explained) in [(5.0, true), (0.0, false)] {
        let mut bench = Bench::new(|_| {});
        let mut snapshot = None;
        for minute in 0..40 * 60 {
            let hour = f64::from(minute) / 60.0;
            let (samples, figures) = host(((1000.0 + 5.0 * hour + 0.7 * hour) * MIB as f64) as u64);
            *bench.host.lock().unwrap() = Next { samples, host: figures, ..Next::default() };
            snapshot = Some(bench.tick(vec![process(7, "web", ((100.0 + leak * hour) * MIB as f64) as u64)]));
        }
        let snapshot = snapshot.unwrap();
        let host = find(&snapshot, Scope::Host)[0];
        assert!(host.assessment.is_suspect());
        let by = host.explained_by.as_ref().map(|by| (by.scope, by.entity.as_str()));
        assert_eq!(by, explained.then_some((Scope::Group, "web")));
    }
}

/// Shared memory that no process maps and memory of the kernel belong to no process, and are found all the same.
#[test]
fn the_host_is_suspect_for_what_no_process_holds_and_says_which_kind_it_is() {
    let kinds = [Kind::Shmem, Kind::Slab, Kind::KernelStack, Kind::Pagetables, Kind::Percpu, Kind::Vmalloc];
    for kind in kinds.into_iter().chain([Kind::Hugetlb]) {
        let mut bench = Bench::new(|_| {});
        let mut snapshot = None;
        for minute in 0..40 * 60 {
            let leaked = ((50.0 + 5.0 * f64::from(minute) / 60.0) * MIB as f64) as u64;
            let (mut samples, figures) = host(1000 * MIB);
            Arc::make_mut(&mut samples[0].figures).memory.set(kind, leaked);
            *bench.host.lock().unwrap() = Next { samples, host: figures, ..Next::default() };
            snapshot = Some(bench.tick(vec![process(7, "web", 100 * MIB)]));
        }
        let snapshot = snapshot.unwrap();
        let suspects: Vec<_> = snapshot.suspects().map(Entity::display_name).collect();
        assert_eq!(suspects, ["host"], "{kind:?}");
        let metrics = exposition::render(Some(&snapshot), &Sources::ALL, snapshot.taken, Format::Text);
        let name = kind.as_str();
        let info = format!(
            "memleak_suspect_info{{scope=\"host\",entity=\"host\",reason=\"leaking\",kind=\"{name}\","
        );
        assert!(metrics.contains(&info), "{info}: {metrics}");
        assert!(metrics.contains("\nmemleak_host_growth_explained 0\n"), "{name}");
    }
}

#[test]
fn small_and_young_processes_count_for_their_group_and_are_not_tracked() {
    let mut bench = Bench::new(|config| {
        config.min_bytes = 10 * MIB;
        config.min_age = Duration::from_secs(50);
    });
    let mut young = process(3, "web", 20 * MIB);
    Arc::make_mut(&mut young.figures).start =
        Some(Start { unix_seconds: 1.8e9, after_boot: Duration::from_secs(51) });
    let snapshot = bench.tick(vec![process(1, "web", 20 * MIB), process(2, "web", MIB), young]);
    assert_eq!(find(&snapshot, Scope::Process).len(), 1);
    let group = find(&snapshot, Scope::Group)[0];
    assert_eq!((group.processes, group.memory().total()), (Some(3), 41 * MIB));
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut bench = Bench::new(|config| config.max_entities = 2);
    let snapshot = bench.tick((1..=5).map(|pid| process(pid, "web", MIB)).collect());
    assert_eq!(find(&snapshot, Scope::Process).len(), 2);
    assert_eq!(snapshot.dropped, BTreeMap::from([(Scope::Process, 3)]));
    assert_eq!(find(&snapshot, Scope::Group)[0].processes, Some(5));
}

/// Status, reason and threshold of all entities of a scope.
fn verdicts(snapshot: &Snapshot, scope: Scope) -> Vec<(Status, Reason, f64)> {
    let verdict = |entity: &&Entity| {
        let assessment = &entity.assessment;
        (assessment.status(), assessment.reason, assessment.threshold)
    };
    find(snapshot, scope).iter().map(verdict).collect()
}

#[test]
fn a_reload_renames_groups_and_forgets_nothing() {
    let mut bench = Bench::new(|_| {});
    bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    bench.configure("process_names: [{ name: shop, comm: [web] }]");
    let snapshot = bench.tick(vec![process(7, "web", 301 * MIB), process(8, "db", MIB)]);
    let groups = find(&snapshot, Scope::Group);
    assert_eq!(groups.iter().map(|group| group.display_name()).collect::<Vec<_>>(), ["shop"]);
    assert!(groups[0].assessment.is_suspect(), "its history has survived");
    let processes = find(&snapshot, Scope::Process);
    let group = |index: usize| processes[index].identity.group.as_deref();
    assert_eq!((processes.len(), group(0), group(1)), (2, Some("shop"), None));
    assert!(snapshot.reload.unwrap().successful);

    std::fs::write(bench.file.path(), "nonsense: 1").unwrap();
    bench.rules.reload().unwrap_err();
    let snapshot = bench.tick(vec![process(7, "web", 301 * MIB)]);
    assert_eq!(find(&snapshot, Scope::Group)[0].display_name(), "shop");
    assert!(!snapshot.reload.unwrap().successful);
}

#[test]
fn who_is_excluded_is_not_watched() {
    let mut bench = Bench::new(|_| {});
    bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    bench.configure("exclude: [{ match: { name: we* } }]");
    let snapshot = bench.tick(vec![process(7, "web", 301 * MIB), process(8, "db", MIB)]);
    let names: Vec<_> = snapshot.entities.iter().map(Entity::display_name).collect();
    assert_eq!(names, ["db", "db[8]"]);
    assert_eq!(bench.sampler.watchlist.len(), 1, "nor remembered");
    bench.configure("exclude: [{ match: { scope: group, group: db } }]");
    let snapshot = bench.tick(vec![process(8, "db", MIB)]);
    assert_eq!(snapshot.entities.iter().map(Entity::display_name).collect::<Vec<_>>(), ["db[8]"]);
}

#[test]
fn an_override_changes_status_reason_and_metric_alike() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    let score = snapshot.highest_score().unwrap();
    let suspect = (Status::Suspect, Reason::Leaking);
    let clean = (Status::Clean, Reason::Growing);
    let never = f64::INFINITY;
    for (change, group, process) in [
        ("match: { group: other }, ignore: true", (suspect, 60.0), (suspect, 60.0)),
        ("match: { group: web }, ignore: true", (clean, never), (clean, never)),
        ("match: { name: web }, ignore: true", (clean, never), (clean, never)),
        ("match: { scope: group }, ignore: true", (clean, never), (suspect, 60.0)),
        ("match: { group: web }, threshold: 99.999", (clean, 99.999), (clean, 99.999)),
        ("match: { scope: group }, threshold: 99.999", (clean, 99.999), (suspect, 60.0)),
        ("match: { group: web }, expected_max_bytes: 8GiB", (clean, never), (clean, never)),
        ("match: { group: web }, expected_max_bytes: 200MiB", (suspect, 60.0), (suspect, 60.0)),
        ("match: { cgroup: /a/* }, ignore: true", (suspect, 60.0), (suspect, 60.0)),
    ] {
        bench.configure(&format!("overrides: [{{ {change} }}]"));
        let snapshot = bench.tick(vec![self::process(7, "web", 301 * MIB)]);
        for (scope, ((status, reason), threshold)) in [(Scope::Group, group), (Scope::Process, process)] {
            assert_eq!(verdicts(&snapshot, scope), [(status, reason, threshold)], "{change}: {scope}");
        }
        let shown = find(&snapshot, Scope::Process)[0].assessment.score.unwrap();
        assert!((shown - score).abs() < 5.0, "{change}: the score is still told, {shown}");
        assert_eq!(snapshot.highest_score().is_none(), process.1 == never && group.1 == never, "{change}");
        assert_eq!(snapshot.suspects().count(), snapshot.suspects().filter(|entity| entity.exported).count());
    }
}

#[test]
fn what_a_group_is_expected_to_take_is_the_sum_of_its_processes() {
    let mut bench = Bench::new(|_| {});
    bench.run(7, 40, |hour| 100.0 + 5.0 * hour);
    let change = "match: { group: web }, expected_max_bytes: 400MiB, limit_bytes: 500MiB";
    bench.configure(&format!("overrides: [{{ {change} }}]"));
    let alone = bench.tick(vec![process(7, "web", 301 * MIB)]);
    assert_eq!(alone.suspects().count(), 0);
    let together = bench.tick(vec![process(7, "web", 301 * MIB), process(8, "web", 100 * MIB)]);
    assert_eq!(together.suspects().count(), 2, "the group and the one that leaks");
    let limit = Limit { kind: LimitKind::Configured, bytes: 500 * MIB, room: 99 * MIB };
    for entity in together.suspects() {
        assert_eq!(entity.limit, Some(limit));
    }
    let group = find(&together, Scope::Group)[0];
    let left = group.assessment.time_to_limit_seconds.unwrap() / 3600.0;
    assert!((left - 99.0 / 5.0).abs() < 1.0, "{left} hours");
}

#[test]
fn groups_are_bounded() {
    let mut bench = Bench::new(|config| config.max_entities = 2000);
    bench.configure(
        "process_names: [{ name: 'g{{.PID}}', comm: [web] }, { name: '{{.Username}}', comm: [nobody] }]",
    );
    let mut everyone: Vec<Sample> = (1..=1010).map(|pid| process(pid, "web", MIB)).collect();
    everyone.push(process(2000, "nobody", MIB));
    let snapshot = bench.tick(everyone);
    let groups = find(&snapshot, Scope::Group);
    assert_eq!((groups.len(), snapshot.folded), (1001, 11));
    let other = groups.iter().find(|group| group.display_name() == "other").unwrap();
    assert_eq!(other.processes, Some(11));

    // Whoever has a group keeps it while it can't be read, and is not pushed out by those who come first then.
    let read = || (1..=1010).rev().map(|pid| process(pid, "web", MIB));
    let members = |snapshot: &Snapshot| {
        let groups = find(snapshot, Scope::Group).into_iter();
        groups.map(|group| group.display_name()).filter(|name| name != "other").collect::<HashSet<_>>()
    };
    let before = members(&snapshot);
    bench.process.lock().unwrap().fails = true;
    bench.tick(Vec::new());
    bench.process.lock().unwrap().fails = false;
    assert_eq!(members(&bench.tick(read().collect())), before);
    bench.process.lock().unwrap().unread = (1..=10).collect();
    bench.tick(read().filter(|one| !matches!(one.entity, EntityId::Process { pid: ..=10, .. })).collect());
    bench.process.lock().unwrap().unread.clear();
    assert_eq!(members(&bench.tick(read().collect())), before);
    bench.tick(Vec::new());
    let snapshot = bench.tick(vec![process(3000, "web", MIB)]);
    assert_eq!((find(&snapshot, Scope::Group)[0].display_name().as_str(), snapshot.folded), ("g3000", 0));

    let long = "ü".repeat(200);
    bench.configure(&format!("process_names: [{{ name: '{long}', comm: [web] }}]"));
    let snapshot = bench.tick(vec![process(3000, "web", MIB)]);
    assert_eq!(find(&snapshot, Scope::Group)[0].display_name(), "ü".repeat(128));
}

#[test]
fn what_is_below_an_unread_cgroup_is_unread_as_well() {
    let unread = |path, these: &[&str]| is_at_or_below(path, &these.iter().copied().collect());
    for path in ["/a", "/a/b", "/a/b/c"] {
        assert!(unread(path, &["/x", "/a"]), "{path}");
    }
    for path in ["/ab", "/b/a", "/"] {
        assert!(!unread(path, &["/x", "/a"]), "{path}");
    }
    assert!(unread("/", &[""]) && unread("/a/b", &[""]), "the root of a container is all there is");
}
