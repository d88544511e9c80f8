//! A host on which something leaks: the snapshot that is asked about.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use memleak_exporter::config::{SamplerConfig, SelectionConfig};
use memleak_exporter::entity::{EntityId, Identity, Resource, Tenant};
use memleak_exporter::resources::{Count, Resources};
use memleak_exporter::rules::LiveRules;
use memleak_exporter::sample::{CgroupFigures, Figures, HostMemory, Kind, Memory, Sample, Start};
use memleak_exporter::sampler::{Moment, Sampler};
use memleak_exporter::snapshot::Snapshot;
use memleak_exporter::source::{Reading, Source, SourceError};

const MIB: u64 = 1 << 20;

/// Long enough for every kind of verdict, at a sample a minute.
const HOURS: u32 = 40;

/// What was seen last on such a host. It never grows stale.
pub(crate) static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let config = SamplerConfig::every_minute();
    let interval = config.interval;
    let selection = SelectionConfig { top: None, max_series: None };
    let rules = LiveRules::new(None).expect("without a file, nothing is wrong with it");
    let mut sampler = Sampler::new(config, selection, Arc::new(rules), vec![Box::new(Host { minutes: 0 })]);
    let start = Moment { instant: Instant::now(), boottime: Duration::ZERO, unix_seconds: 1.8e9 };
    let mut last = sampler.tick(start);
    for minute in 1..HOURS * 60 {
        last = sampler.tick(start.after(interval * minute));
    }
    assert!(last.suspects().count() >= 2, "nothing is suspected");
    Snapshot { taken: start.instant, interval: Duration::from_secs(1 << 30), ..last }
});

struct Host {
    minutes: u64,
}

impl Source for Host {
    fn name(&self) -> &'static str {
        "process"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let leaked = self.minutes * MIB / 10;
        let total = 16 << 30;
        reading.host = Some(HostMemory { total, available: (8 << 30) - leaked, ..HostMemory::default() });
        reading.uptime = Some(Duration::from_secs(1000 + self.minutes * 60));
        reading.samples = vec![
            sample(EntityId::Host, Identity::default(), figures((4 << 30) + leaked)),
            sample(EntityId::HostUnaccounted, Identity::default(), figures(100 * MIB)),
            cgroup("/system.slice/web.service", 1, 100 * MIB + leaked),
            cgroup("/system.slice/db \"x\".service", 2, 200 * MIB),
            process(7, "web", 100 * MIB + leaked, self.minutes),
            process(8, "db\n\\", 200 * MIB, 0),
            process(9, "größe", 3 * MIB + self.minutes % 7 * MIB, 0),
        ];
        self.minutes += 1;
        Ok(())
    }
}

fn process(pid: u32, name: &str, anon: u64, descriptors: u64) -> Sample {
    let identity = Identity {
        name: name.into(),
        cgroup: Some("/system.slice/web.service".into()),
        user: Some("www".into()),
        ..Identity::default()
    };
    let count = Count { used: 10 + descriptors as u32, limit: Some(1 << 20), is_new: true };
    let threads = Count { used: 3, limit: None, is_new: true };
    let resources =
        Resources::default().with(Resource::Fds, Some(count)).with(Resource::Threads, Some(threads));
    let start = Start { unix_seconds: 1.7e9, after_boot: Duration::from_secs(10) };
    let known = Figures { start: Some(start), resources, ..figures(anon) };
    sample(EntityId::Process { pid, start_time: u64::from(pid) }, identity, known)
}

fn cgroup(path: &str, inode: u64, anon: u64) -> Sample {
    let tenant = Tenant { unit: Some("web.service".to_string()), ..Tenant::default() };
    let identity = Identity { cgroup: Some(path.into()), tenant: Some(tenant.into()), ..Identity::default() };
    let cgroup = CgroupFigures {
        is_leaf: true,
        usage: Some(anon),
        peak: None,
        limits: Arc::new([]),
        oom_events: Some(0),
        oom_kills: None,
        pressure: None,
    };
    let known = Figures { cgroup: Some(cgroup.into()), ..figures(anon) };
    sample(EntityId::cgroup(path.into(), inode), identity, known)
}

fn figures(anon: u64) -> Figures {
    let memory = Memory::default().with(Kind::Anon, Some(anon)).with(Kind::File, Some(MIB));
    Figures { memory, ..Figures::default() }
}

fn sample(entity: EntityId, identity: Identity, figures: Figures) -> Sample {
    Sample {
        entity,
        identity: Arc::new(identity),
        figures: Arc::new(figures),
        cpu_seconds: None,
        is_told_again: false,
    }
}
