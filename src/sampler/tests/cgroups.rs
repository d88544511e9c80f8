//! Cgroups beside the processes in them: whose limit counts, whose leak it is, and who tells of it.

use super::*;
use crate::entity::Executable;
use crate::sample::{CgroupFigures, CgroupLimit};

const POD: &str = "/pods/a";
const ONE: &str = "/pods/a/one";
const TWO: &str = "/pods/a/two";

/// A cgroup with so many bytes of one kind, and these limits on the way to the root.
fn cgroup(path: &str, kind: Kind, bytes: u64, limits: &[CgroupLimit]) -> Sample {
    let figures = CgroupFigures {
        is_leaf: path != POD,
        usage: Some(bytes),
        limits: limits.into(),
        ..CgroupFigures::default()
    };
    let identity = Identity { cgroup: Some(Arc::from(path)), ..Identity::default() };
    Sample {
        entity: EntityId::cgroup(Arc::from(path), path.len() as u64),
        identity: Arc::new(identity),
        figures: Arc::new(Figures {
            memory: Memory::default().with(Kind::Anon, Some(MIB)).with(kind, Some(bytes)),
            limit: limits.iter().map(|shared| shared.limit).min_by_key(|limit| limit.room).map(Box::new),
            cgroup: Some(Arc::new(figures)),
            ..Figures::default()
        }),
        ..process(0, "", 0)
    }
}

/// memory.max of `owner`, of which so many bytes are used.
fn limit(owner: &str, bytes: u64, used: u64) -> CgroupLimit {
    let limit = Limit { kind: LimitKind::CgroupMax, bytes, room: bytes.saturating_sub(used) };
    CgroupLimit { owner: Arc::from(owner), limit }
}

/// A process in the cgroup that the kernel calls `path`.
fn inside(path: &str, pid: u32, name: &str, anon: u64) -> Sample {
    let identity = Identity { name: name.into(), cgroup: Some(Arc::from(path)), ..Identity::default() };
    Sample { identity: Arc::new(identity), ..process(pid, name, anon) }
}

impl Bench {
    /// Ticks for so many hours with these cgroups and processes, given the hour.
    fn run_with(&mut self, hours: u64, seen: impl Fn(f64) -> (Vec<Sample>, Vec<Sample>)) -> Snapshot {
        let ticks = hours * 3600 / self.interval.as_secs();
        let mut last = None;
        for tick in 0..=ticks {
            let (cgroups, processes) = seen((tick * self.interval.as_secs()) as f64 / 3600.0);
            self.cgroup.lock().unwrap().samples = cgroups;
            last = Some(self.tick(processes));
        }
        last.unwrap()
    }
}

fn leak(hour: f64) -> u64 {
    ((100.0 + 5.0 * hour) * MIB as f64) as u64
}

fn named<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Entity {
    let found = snapshot.entities.iter().find(|entity| entity.display_name() == name);
    found.unwrap_or_else(|| panic!("{name} is not there"))
}

#[test]
fn a_leak_in_a_container_is_one_finding_and_counts_down_to_the_containers_limit() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run_with(40, |hour| {
        let limits = [limit(ONE, 1000 * MIB, leak(hour))];
        (
            vec![cgroup(ONE, Kind::Anon, leak(hour), &limits)],
            vec![inside(ONE, 7, "server", leak(hour)), inside(ONE, 8, "sidecar", 50 * MIB)],
        )
    });
    let (container, server) = (named(&snapshot, ONE), named(&snapshot, "server"));
    for entity in [container, server, named(&snapshot, "server[7]")] {
        assert!(entity.assessment.is_suspect(), "{entity:?}");
        assert_eq!(entity.limit.map(|limit| limit.kind), Some(LimitKind::CgroupMax), "{entity:?}");
        // 700 MiB at 5 MiB an hour.
        let left = entity.assessment.time_to_limit_seconds.unwrap() / 3600.0;
        assert!((130.0..150.0).contains(&left), "{} {left} h", entity.display_name());
    }
    let explained = container.explained_by.as_ref().unwrap();
    assert_eq!((explained.scope, &*explained.entity), (Scope::Group, "server"));
    let findings: Vec<_> = snapshot.findings().map(Entity::display_name).collect();
    assert_eq!(findings, ["server"]);
    assert_eq!(named(&snapshot, "server[7]").within.as_deref(), Some(ONE));
}

/// What one worker gives back another takes, so that only together they are seen to leak from early on.
#[test]
fn workers_whose_leak_shows_in_their_container_alone_are_one_finding_in_the_name_of_their_group() {
    let mut bench = Bench::new(|_| {});
    let mut told = Vec::new();
    for hour in 0..60_u32 {
        let snapshot = bench.run_with(1, |part| {
            let hour = f64::from(hour) + part;
            let moved = ((6.0 * (hour * std::f64::consts::TAU / 4.0).sin()) * MIB as f64) as i64;
            let [one, two] = [moved, -moved].map(|moved| (leak(hour) / 2).saturating_add_signed(moved));
            let limits = [limit(ONE, 4000 * MIB, leak(hour))];
            let workers = vec![inside(ONE, 7, "worker", one), inside(ONE, 8, "worker", two)];
            (vec![cgroup(ONE, Kind::Anon, leak(hour), &limits)], workers)
        });
        told.extend(snapshot.findings().map(Entity::display_name));
    }
    told.dedup();
    assert_eq!(told, ["worker"]);
}

#[test]
fn memory_that_no_process_maps_is_the_cgroups_own() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run_with(40, |hour| {
        // Which source tells of the host makes no difference.
        let (host, _) = host(1000 * MIB + leak(hour));
        (vec![cgroup(ONE, Kind::Shmem, leak(hour), &[])], host)
    });
    let container = named(&snapshot, ONE);
    assert!(container.assessment.is_suspect() && container.explained_by.is_none());
    assert_eq!(container.assessment.dominant_kind(container.scope()), Some(Kind::Shmem));
    let host = named(&snapshot, "host");
    let explained = host.explained_by.as_ref().unwrap();
    assert_eq!((explained.scope, &*explained.entity), (Scope::Cgroup, ONE));
    assert_eq!(snapshot.findings().map(Entity::display_name).collect::<Vec<_>>(), [ONE]);
}

#[test]
fn page_cache_that_fills_a_cgroup_is_no_leak() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run_with(40, |hour| (vec![cgroup(ONE, Kind::File, leak(hour), &[])], Vec::new()));
    let container = named(&snapshot, ONE);
    assert!(!container.assessment.is_suspect());
    assert!(container.assessment.score.is_some_and(|score| score < 10.0), "{:?}", container.assessment);
    assert_eq!(container.assessment.time_to_limit_seconds, None);
}

#[test]
fn those_who_share_a_limit_hit_it_together() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run_with(40, |hour| {
        let both = 2 * leak(hour);
        let shared = limit(POD, 2000 * MIB, both);
        let of_one = [limit(ONE, 5000 * MIB, leak(hour)), shared.clone()];
        (
            vec![
                cgroup(POD, Kind::Anon, both, std::slice::from_ref(&shared)),
                cgroup(ONE, Kind::Anon, leak(hour), &of_one),
                cgroup(TWO, Kind::Anon, leak(hour), std::slice::from_ref(&shared)),
            ],
            vec![inside(ONE, 7, "one", leak(hour)), inside(TWO, 8, "two", leak(hour))],
        )
    });
    // 1400 MiB at 10 MiB an hour.
    for name in [ONE, TWO, "one", "two", "one[7]"] {
        let left = named(&snapshot, name).assessment.time_to_limit_seconds.unwrap() / 3600.0;
        assert!((130.0..150.0).contains(&left), "{name} {left} h");
    }
    let pod = named(&snapshot, POD);
    assert!(!pod.is_judged() && pod.assessment.score.is_none() && pod.limit.is_some(), "{pod:?}");
    assert!(!pod.assessment.is_suspect());
}

#[test]
fn a_cgroup_that_could_not_be_read_keeps_its_history_and_one_that_is_gone_does_not() {
    let mut bench = Bench::new(|_| {});
    let leaves =
        |_: f64| (vec![cgroup(ONE, Kind::Anon, MIB, &[]), cgroup(TWO, Kind::Anon, MIB, &[])], Vec::new());
    bench.run_with(1, leaves);
    let watched = |bench: &Bench| bench.sampler.watchlist.len();
    assert_eq!(watched(&bench), 2);
    bench.cgroup.lock().unwrap().unread_cgroups = vec![POD.to_string()];
    bench.run_with(0, |_| (Vec::new(), Vec::new()));
    assert_eq!(watched(&bench), 2, "what is below a directory that can't be read is not gone");
    bench.cgroup.lock().unwrap().unread_cgroups = vec!["/pods/a/o".to_string(), TWO.to_string()];
    bench.run_with(0, |_| (Vec::new(), Vec::new()));
    assert_eq!(watched(&bench), 1);
    bench.cgroup.lock().unwrap().fails = true;
    bench.cgroup.lock().unwrap().unread_cgroups.clear();
    bench.run_with(0, |_| (Vec::new(), Vec::new()));
    assert_eq!(watched(&bench), 1, "a source that fails proves nothing");
    bench.sampler.sources.retain(|source| source.name() != "cgroup");
    bench.run_with(0, |_| (Vec::new(), Vec::new()));
    assert_eq!(watched(&bench), 0, "nothing will ever be seen again of a source that is turned off");
}

#[test]
fn a_container_that_is_made_anew_under_another_id_inherits() {
    let id = |digit: &str| format!("/docker/{}", digit.repeat(64));
    let run = |bench: &mut Bench, path: &str, hours: u64| {
        bench.run_with(hours, |hour| (vec![cgroup(path, Kind::Anon, leak(hour), &[])], Vec::new()))
    };
    let mut bench = Bench::new(|_| {});
    assert!(named(&run(&mut bench, &id("a"), 40), &id("a")).assessment.is_suspect());
    let inherited = run(&mut bench, &id("b"), 2);
    assert!(named(&inherited, &id("b")).assessment.is_suspect());
    let mut fresh = Bench::new(|_| {});
    assert!(!named(&run(&mut fresh, &id("b"), 2), &id("b")).assessment.is_suspect());
}

#[test]
fn a_process_is_in_the_nearest_cgroup_that_is_watched() {
    let id = "4f2a".repeat(16);
    let paths =
        ["/system.slice", "/system.slice/web.service", &format!("/docker/{id}"), "/a/same", "/b/same"];
    let samples: Vec<_> = paths
        .iter()
        .map(|path| {
            let sample = cgroup(path, Kind::Anon, MIB, &[]);
            let place = Place::usual(Arc::clone(&sample.identity));
            (sample, place)
        })
        .collect();
    let cgroups = Cgroups::of(&samples);
    let holding = |path: &str| cgroups.holding(path).map(|path| path.to_string());
    for (path, expected) in [
        ("/system.slice/web.service", Some("/system.slice/web.service")),
        ("/system.slice/web.service/worker", Some("/system.slice/web.service")),
        ("/system.slice/other.service", Some("/system.slice")),
        ("/system.slicer", None),
        ("/", None),
        ("", None),
        // As they look from inside a cgroup namespace.
        ("/../../system.slice/web.service", Some("/system.slice/web.service")),
        (&format!("/../{id}"), Some(&*format!("/docker/{id}"))),
        ("/../same", None),
        ("/..", None),
        ("/..named/a", None),
    ] {
        assert_eq!(holding(path).as_deref(), expected, "{path}");
    }
}

#[test]
fn a_container_that_sees_itself_alone_holds_no_process_of_the_host() {
    let sample = cgroup("/", Kind::Anon, MIB, &[]);
    let place = Place::usual(Arc::clone(&sample.identity));
    let samples = [(sample, place)];
    for path in ["/..", "/../..", "/../system.slice"] {
        assert_eq!(Cgroups::of(&samples).holding(path), None, "{path}");
    }
}

/// Three containers below one limit that is a little further away than the host's, which they share with nobody here.
#[test]
fn a_limit_that_all_share_counts_although_another_one_leaves_less_room() {
    const MANY: u32 = 3;
    let mut bench = Bench::new(|_| {});
    let path = |number| format!("/pods/a/{number}");
    let name = |number| format!("p{number}");
    let everyone = Arc::clone(&bench.host);
    let snapshot = bench.run_with(40, |hour| {
        let shared = [limit(POD, 2001 * MIB, 3 * leak(hour))];
        let total = 2000 * MIB;
        let figures = HostMemory { total, available: total - 3 * leak(hour), ..HostMemory::default() };
        everyone.lock().unwrap().host = Some(figures);
        let cgroups = (0..MANY).map(|number| cgroup(&path(number), Kind::Anon, leak(hour), &shared));
        let processes = (0..MANY).map(|number| inside(&path(number), number + 1, &name(number), leak(hour)));
        (cgroups.collect(), processes.collect())
    });
    // 1101 MiB at 15 MiB an hour.
    for entity in [path(2), name(2), format!("{}[3]", name(2))] {
        let entity = named(&snapshot, &entity);
        let left = entity.assessment.time_to_limit_seconds.unwrap() / 3600.0;
        assert!((70.0..77.0).contains(&left), "{} {left} h", entity.display_name());
        assert_eq!(entity.limit.map(|limit| limit.kind), Some(LimitKind::CgroupMax));
    }
}

/// Two processes of one program in a cgroup that has others below it.
#[test]
fn processes_in_a_cgroup_that_is_not_judged_share_its_limit_as_well() {
    let mut bench = Bench::new(|_| {});
    let snapshot = bench.run_with(40, |hour| {
        let shared = [limit(POD, 2000 * MIB, 2 * leak(hour))];
        let processes = [7, 8].map(|pid| inside(POD, pid, "web", leak(hour)));
        (vec![cgroup(POD, Kind::Anon, 2 * leak(hour), &shared)], processes.to_vec())
    });
    for name in ["web", "web[7]", "web[8]"] {
        let left = named(&snapshot, name).assessment.time_to_limit_seconds.unwrap() / 3600.0;
        assert!((130.0..150.0).contains(&left), "{name} {left} h");
    }
}

#[test]
fn what_was_a_sum_of_others_meanwhile_begins_anew() {
    let mut bench = Bench::new(|_| {});
    let leaf = |hour: f64| (vec![cgroup(ONE, Kind::Anon, leak(hour), &[])], Vec::new());
    assert!(named(&bench.run_with(40, leaf), ONE).assessment.is_suspect());
    let sum = bench.run_with(1, |_| {
        let mut sum = cgroup(ONE, Kind::Anon, 10 * MIB, &[]);
        let figures = CgroupFigures { is_leaf: false, ..CgroupFigures::default() };
        Arc::make_mut(&mut sum.figures).cgroup = Some(Arc::new(figures));
        (vec![sum], Vec::new())
    });
    assert!(!named(&sum, ONE).is_judged());
    let again = bench.run_with(0, |_| (vec![cgroup(ONE, Kind::Anon, 10 * MIB, &[])], Vec::new()));
    assert!(!named(&again, ONE).assessment.is_suspect(), "{again:?}");
}

/// A container without a name in which a program with these arguments runs.
fn nameless(id: char, arguments: u64, bytes: u64) -> Sample {
    let path = format!("/docker/{}", id.to_string().repeat(64));
    let sample = cgroup(&path, Kind::Anon, bytes, &[]);
    let identity = Identity {
        name: "python3".into(),
        fingerprint: Some(arguments),
        executable: Some(Executable { device: None, inode: 10, modified: 5 }),
        ..Identity::clone(&sample.identity)
    };
    Sample { identity: Arc::new(identity), ..sample }
}

#[test]
fn a_container_inherits_from_the_same_program_alone() {
    let mut bench = Bench::new(|_| {});
    bench.run_with(40, |hour| (vec![nameless('a', 1, leak(hour)), nameless('b', 2, MIB)], Vec::new()));
    let snapshot = bench.run_with(2, |_| {
        (
            vec![nameless('c', 1, 100 * MIB), nameless('d', 2, 100 * MIB), nameless('e', 3, 100 * MIB)],
            Vec::new(),
        )
    });
    let suspects: Vec<_> = snapshot.suspects().map(|entity| entity.identity.fingerprint).collect();
    assert_eq!(suspects, [Some(1)]);
}

#[test]
fn a_name_that_comes_late_inherits_as_well() {
    let mut bench = Bench::new(|_| {});
    bench.run_with(40, |hour| (vec![nameless('a', 1, leak(hour))], Vec::new()));
    bench.run_with(0, |_| {
        let mut starting = nameless('c', 9, MIB);
        starting.identity =
            Arc::new(Identity { name: "runc:[2:INIT]".into(), ..Identity::clone(&starting.identity) });
        (vec![starting], Vec::new())
    });
    let snapshot = bench.run_with(2, |_| (vec![nameless('c', 1, 100 * MIB)], Vec::new()));
    assert_eq!(snapshot.suspects().count(), 1);
}
