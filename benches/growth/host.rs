//! A made-up host: a source that hands out samples of processes of known shapes, made in memory, and a sampler over it
//! whose time is moved by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memleak_exporter::config::{SamplerConfig, SelectionConfig};
use memleak_exporter::entity::{EntityId, Identity, Resource};
use memleak_exporter::resources::{Count, Resources};
use memleak_exporter::rules::{LiveRules, RulesError};
use memleak_exporter::sample::{Figures, HostMemory, Kind, Memory, Sample, Start};
use memleak_exporter::sampler::{Moment, Sampler};
use memleak_exporter::snapshot::{Published, Snapshot};
use memleak_exporter::source::{Reading, Source, SourceError};
use memleak_exporter::watch::Watchlist;

const MIB: f64 = 1_048_576.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 24.0 * HOUR;

/// Seconds since the epoch at the first sample.
const BEGAN: f64 = 1.8e9;

/// How long a process lives that is soon gone, seconds.
const SOON: u64 = 300;

/// Programs, each of which is a group.
const PROGRAMS: u64 = 200;

/// How many processes there are, and what shares of them do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Population {
    /// All of them.
    pub(crate) processes: usize,
    /// Share whose memory goes up and down by a fifth.
    pub(crate) restless: f64,
    /// Share that goes somewhere: slow leaks, saw teeth of two hours, steps, daily peaks.
    pub(crate) drifting: f64,
    /// Share that lives for five minutes and is another process then; half of these have a place of their own each time.
    pub(crate) passing: f64,
}

impl Population {
    /// Processes of which 85 % do nothing, 8 % are restless, 2 % drift and 5 % pass: one in a hundred pids is new each minute.
    pub(crate) const USUAL: Population =
        Population { processes: 10_000, restless: 0.08, drifting: 0.02, passing: 0.05 };

    /// As many that do nothing.
    #[allow(dead_code, reason = "not every program that makes up a host has a use for it")]
    pub(crate) const IDLE: Population =
        Population { restless: 0.0, drifting: 0.0, passing: 0.0, ..Population::USUAL };
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Idle,
    Restless,
    Leaking,
    Sawtooth,
    Stepping,
    Daily,
    Passing,
}

/// What runs in one place of the host.
#[derive(Debug)]
struct Process {
    pid: u32,
    shape: Shape,
    /// Bytes that it begins with.
    base: f64,
    began: Duration,
    identity: Arc<Identity>,
    /// What was seen of it when it was last read.
    told: Option<Sample>,
}

/// The host, which is a tick older with each reading.
#[derive(Debug)]
struct Host {
    interval: Duration,
    ticks: u32,
    processes: Vec<Process>,
    last_pid: u32,
}

impl Host {
    fn new(population: Population, interval: Duration) -> Host {
        let processes = (0..population.processes).map(|place| Process::new(place as u32 + 1, population));
        let last_pid = population.processes as u32;
        Host { interval, ticks: 0, processes: processes.collect(), last_pid }
    }

    /// Replaces processes that are soon gone, each at its own time.
    fn pass(&mut self, now: Duration) {
        let lives = (SOON / self.interval.as_secs().max(1)).max(1);
        for (place, process) in self.processes.iter_mut().enumerate() {
            let is_over = (u64::from(self.ticks) + place as u64).is_multiple_of(lives);
            if is_over && matches!(process.shape, Shape::Passing) {
                self.last_pid += 1;
                process.pid = self.last_pid;
                process.began = now;
                process.identity = identity(process.pid, place.is_multiple_of(2));
                process.told = None;
            }
        }
    }
}

impl Source for Host {
    fn name(&self) -> &'static str {
        "process"
    }

    fn read(&mut self, reading: &mut Reading) -> Result<(), SourceError> {
        let now = self.interval * self.ticks;
        self.pass(now);
        reading.samples.reserve(self.processes.len() + 1);
        reading.samples.push(machine());
        let ticks = self.ticks;
        reading.samples.extend(self.processes.iter_mut().map(|process| process.look(now, ticks)));
        let total = 1 << 38;
        reading.uptime = Some(now);
        reading.host = Some(HostMemory { total, available: total / 2, ..HostMemory::default() });
        self.ticks += 1;
        Ok(())
    }
}

impl Process {
    fn new(pid: u32, Population { restless, drifting, passing, .. }: Population) -> Process {
        let part = dice(u64::from(pid), 0);
        let drifts = [Shape::Leaking, Shape::Sawtooth, Shape::Stepping, Shape::Daily];
        let shape = match part {
            part if part < passing => Shape::Passing,
            part if part < passing + drifting => drifts[pid as usize % drifts.len()],
            part if part < passing + drifting + restless => Shape::Restless,
            _ => Shape::Idle,
        };
        let base = MIB * (2.0 + 198.0 * dice(u64::from(pid), 1));
        Process { pid, shape, base, began: Duration::ZERO, identity: identity(pid, false), told: None }
    }

    /// As the exporter's own source does it: what has not changed is told again, and read anew now and then.
    fn look(&mut self, now: Duration, tick: u32) -> Sample {
        let age = now.saturating_sub(self.began).as_secs_f64();
        let is_same =
            |told: &&Sample| told.figures.memory.get(Kind::Anon) == Some(self.bytes(age, tick) as u64);
        if let Some(told) = self.told.as_ref().filter(is_same)
            && !(tick + self.pid).is_multiple_of(Resource::Fds.every())
        {
            return Sample { cpu_seconds: None, is_told_again: true, ..told.clone() };
        }
        self.told.insert(self.sample(now, tick)).clone()
    }

    fn sample(&self, now: Duration, tick: u32) -> Sample {
        let age = now.saturating_sub(self.began);
        let anon = self.bytes(age.as_secs_f64(), tick) as u64;
        let memory = Memory::default()
            .with(Kind::Anon, Some(anon))
            .with(Kind::File, Some(2 << 20))
            .with(Kind::Shmem, Some(0))
            .with(Kind::Swap, Some(0));
        let entity = EntityId::Process { pid: self.pid, start_time: u64::from(self.pid) };
        let start = Start { unix_seconds: BEGAN + self.began.as_secs_f64(), after_boot: self.began };
        let resources = self.resources(age, tick);
        let figures = Figures { memory, start: Some(start), resources, ..Figures::default() };
        let cpu_seconds = Some(0.01 * age.as_secs_f64());
        Sample { cpu_seconds, ..sample(entity, Arc::clone(&self.identity), figures) }
    }

    fn bytes(&self, age: f64, tick: u32) -> f64 {
        self.base
            * match self.shape {
                Shape::Idle => 1.0,
                Shape::Passing => 1.0 + age / (4.0 * SOON as f64),
                Shape::Restless => 1.0 + 0.2 * dice(u64::from(self.pid), u64::from(tick) + 2),
                Shape::Leaking => 1.0 + 0.1 * age / DAY,
                Shape::Sawtooth => 1.0 + 0.3 * (age / (2.0 * HOUR)).fract(),
                Shape::Stepping => 1.0 + 0.02 * ((age / (6.0 * HOUR)).floor() % 5.0),
                Shape::Daily => 1.0 + 0.2 * (std::f64::consts::TAU * age / DAY).sin().abs(),
            }
    }

    /// Descriptors, threads and mappings, of which hardly anybody leaks any.
    fn resources(&self, age: Duration, tick: u32) -> Resources {
        let leaked = if self.pid.is_multiple_of(1000) { (age.as_secs() / 600) as u32 } else { 0 };
        Resource::ALL.into_iter().fold(Resources::default(), |resources, resource| {
            let limit = (resource == Resource::Fds).then_some(1024);
            let used = 20 + if resource == Resource::Fds { leaked } else { 0 };
            let is_new = (tick + self.pid).is_multiple_of(resource.every());
            resources.with(resource, Some(Count { used, limit, is_new }))
        })
    }
}

fn machine() -> Sample {
    let memory = Memory::default().with(Kind::Anon, Some(1 << 36));
    sample(EntityId::Host, Arc::default(), Figures { memory, ..Figures::default() })
}

fn sample(entity: EntityId, identity: Arc<Identity>, figures: Figures) -> Sample {
    Sample { entity, identity, figures: Arc::new(figures), cpu_seconds: None, is_told_again: false }
}

/// Names of a process; with a `place` of its own, it has no earlier lives.
fn identity(pid: u32, has_own_place: bool) -> Arc<Identity> {
    let program = mixed(u64::from(pid)) % PROGRAMS;
    let unit = if has_own_place { format!("run-{pid}") } else { format!("app-{program}") };
    Arc::new(Identity {
        name: Arc::from(format!("app-{program}")),
        cgroup: Some(Arc::from(format!("/system.slice/{unit}.service"))),
        user: Some(Arc::from("app")),
        ..Identity::default()
    })
}

/// The same number from 0 to 1 for the same two.
fn dice(of: u64, throw: u64) -> f64 {
    mixed(of.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(throw)) as f64 / u64::MAX as f64
}

/// Steele and others, Fast splittable pseudorandom number generators: the mixing of SplitMix64.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The exporter's own sampler over such a host.
pub(crate) struct Simulation {
    sampler: Sampler,
    now: Moment,
    interval: Duration,
    /// Keeps the latest snapshot until the next one is there.
    published: Published,
}

/// Everything is watched, with room for so many.
pub(crate) fn config(interval: Duration, max_entities: usize) -> SamplerConfig {
    SamplerConfig { interval, max_entities, ..SamplerConfig::every_minute() }
}

impl Simulation {
    /// With the defaults of the command line, as far as they cost anything; of all entities `max_entities` are remembered.
    ///
    /// # Errors
    /// Never: there is no configuration file.
    pub(crate) fn new(
        population: Population,
        interval: Duration,
        max_entities: usize,
    ) -> Result<Simulation, RulesError> {
        let config = config(interval, max_entities);
        let selection = SelectionConfig { top: Some(50), max_series: Some(20_000) };
        let host = Box::new(Host::new(population, interval));
        let sampler = Sampler::new(config, selection, Arc::new(LiveRules::new(None)?), vec![host]);
        let now = Moment { instant: Instant::now(), boottime: Duration::ZERO, unix_seconds: BEGAN };
        Ok(Simulation { sampler, now, interval, published: Published::default() })
    }

    /// One tick, an interval after the one before.
    pub(crate) fn tick(&mut self) -> Arc<Snapshot> {
        let latest = Arc::new(self.sampler.tick(self.now));
        self.now = self.now.after(self.interval);
        self.published.publish(Arc::clone(&latest));
        latest
    }

    /// What is remembered by now.
    #[allow(dead_code, reason = "not every program that makes up a host has a use for it")]
    pub(crate) fn watchlist(&self) -> &Watchlist {
        self.sampler.watchlist()
    }
}
