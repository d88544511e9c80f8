//! The only loop: tick -> read -> assess -> publish. It has its own thread, so that no request waits for it nor it for
//! any request.
//!
//! Exporters usually read when they are scraped. A leak score needs an evenly spaced history that does not depend on
//! who scrapes, so this one has a timer; the time of the last sample is a metric.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::config::{SamplerConfig, SelectionConfig};
use crate::entity::{EntityId, Resource, Scope};
use crate::group::{Grouper, Place};
use crate::maps::FastSet;
use crate::rollup::{self, Groups};
use crate::rules::LiveRules;
use crate::sample::{HostMemory, Sample};
use crate::selection::Selection;
use crate::snapshot::{Entity, Published, Snapshot, SourceReport};
use crate::source::{ReadErrorReason, Reading, Source, is_at_or_below};
use crate::state::{Keeper, Resumed};
use crate::watch::{Terms, Verdict, Watchlist, When};

mod budget;
mod cgroups;
mod clock;
mod heirs;
mod judged;
mod schedule;
mod terms;

use budget::Budget;
use cgroups::Cgroups;
use clock::HistoryClock;
use judged::Judged;
use schedule::Schedule;
use terms::Totals;

pub use clock::Moment;

/// Reads all sources and judges what they saw.
pub struct Sampler {
    config: SamplerConfig,
    sources: Vec<Box<dyn Source>>,
    rules: Arc<LiveRules>,
    grouper: Grouper,
    watchlist: Watchlist,
    selection: Selection,
    budget: Budget,
    /// Errors by source since the start.
    errors: BTreeMap<&'static str, BTreeMap<ReadErrorReason, u64>>,
    /// Sources whose failure has been logged and that have not recovered.
    failing: HashSet<&'static str>,
    clock: HistoryClock,
    /// The latest tick, and the history's time then.
    latest: Option<(Moment, f64)>,
    keeper: Option<Keeper>,
    ticks_skipped: u64,
}

impl Sampler {
    /// A sampler that has seen nothing yet. It follows `rules` as they change, from the next tick on.
    pub fn new(
        config: SamplerConfig,
        selection: SelectionConfig,
        rules: Arc<LiveRules>,
        mut sources: Vec<Box<dyn Source>>,
    ) -> Sampler {
        let grouper = Grouper::new(rules.current());
        sources.iter_mut().for_each(|source| source.want(grouper.rules().wants()));
        Sampler {
            rules,
            grouper,
            watchlist: Watchlist::new(&config),
            selection: Selection::new(selection),
            budget: Budget::new(config.interval, config.max_cpu),
            clock: HistoryClock::new(config.time_lapse),
            config,
            sources,
            errors: BTreeMap::new(),
            failing: HashSet::new(),
            latest: None,
            keeper: None,
            ticks_skipped: 0,
        }
    }

    /// A sampler that goes on where the state of `keeper` ended, as of `now`, and lets it keep what is remembered from then on.
    #[must_use]
    pub fn keeping(mut self, mut keeper: Keeper, now: Moment) -> Sampler {
        if let Some(Resumed { watchlist, time }) = keeper.resume(&self.config, now) {
            self.clock = HistoryClock::continuing(self.config.time_lapse, now, time);
            self.watchlist = watchlist;
        }
        self.keeper = Some(keeper);
        self
    }

    /// Ticks and publishes until `stop` hears something or its sender is gone.
    pub fn run(mut self, published: &Published, stop: &Receiver<()>) {
        let mut schedule = Schedule::new(Instant::now());
        loop {
            let snapshot = self.tick(Moment::now());
            self.budget.settle();
            let interval = self.budget.interval();
            published.publish(Arc::new(Snapshot { interval, taken: Instant::now(), ..snapshot }));
            self.keep(interval);
            self.ticks_skipped += schedule.advance(Instant::now(), interval);
            match stop.recv_timeout(schedule.wait(Instant::now())) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.close(),
            }
        }
    }

    /// What is remembered as of the latest tick.
    pub fn watchlist(&self) -> &Watchlist {
        &self.watchlist
    }

    /// Lets the keeper have what is remembered as of the latest tick; the next one comes after `interval`.
    fn keep(&mut self, interval: Duration) {
        if let (Some(keeper), Some((now, time))) = (&mut self.keeper, self.latest) {
            keeper.keep(&self.watchlist, &self.config, now, time, interval);
        }
    }

    /// Ends. What is remembered is written a last time.
    fn close(self) {
        if let (Some(keeper), Some((now, time))) = (self.keeper, self.latest) {
            keeper.close(&self.watchlist, &self.config, now, time);
        }
    }

    /// Reads everything once and judges it, as of `now`.
    pub fn tick(&mut self, now: Moment) -> Snapshot {
        let time = self.clock.at(now);
        self.latest = Some((now, time));
        self.follow_rules();
        let Pass { samples, host, uptime, reports, unread_cgroups, mut dropped } = self.read();
        let samples = self.place(samples, &reports);
        self.retire(&samples, &reports, &unread_cgroups);
        let mut entities = self.judge(When { time, uptime }, &samples, host);
        self.inquire(&entities);
        self.watchlist.forget_lineages(time);
        rollup::explain(&mut entities, self.config.threshold);
        rollup::explain_mappings(&mut entities);
        for (scope, count) in self.watchlist.take_dropped() {
            *dropped.entry(scope).or_default() += count;
        }
        let unexported = self.selection.mark(&mut entities, now.instant);
        Snapshot {
            taken: now.instant,
            taken_unix_seconds: now.unix_seconds,
            interval: self.budget.interval(),
            time_lapse: self.config.time_lapse,
            threshold: self.config.threshold,
            host,
            entities,
            dropped,
            unexported,
            folded: self.grouper.folded(),
            reload: self.rules.status(),
            state: self.keeper.as_ref().map(|keeper| *keeper.status()),
            sources: reports.into_iter().map(|(report, _)| report).collect(),
            ticks_skipped: self.ticks_skipped,
        }
    }

    /// Goes by the rules that are in force now. Histories know nothing of groups, so that they stay.
    fn follow_rules(&mut self) {
        let rules = self.rules.current();
        if !Arc::ptr_eq(&rules, self.grouper.rules()) {
            let wants = rules.wants();
            self.sources.iter_mut().for_each(|source| source.want(wants));
            self.grouper = Grouper::new(rules);
        }
    }

    /// Reads every source; one that fails hides no other.
    fn read(&mut self) -> Pass {
        let mut pass = Pass::default();
        for source in &mut self.sources {
            let (name, began, mut reading) = (source.name(), Instant::now(), Reading::default());
            let result = source.read(&mut reading);
            match &result {
                Ok(()) if self.failing.remove(name) => tracing::info!(source = name, "source has recovered"),
                Ok(()) => tracing::debug!(source = name, samples = reading.samples.len(), "source was read"),
                Err(error) if self.failing.insert(name) => {
                    tracing::error!(source = name, %error, "source failed")
                }
                Err(error) => tracing::debug!(source = name, %error, "source failed again"),
            }
            let errors = self.errors.entry(name).or_default();
            for (reason, count) in reading.errors {
                *errors.entry(reason).or_default() += count;
            }
            let report = SourceReport {
                name,
                success: result.is_ok(),
                duration: began.elapsed(),
                errors: errors.clone(),
                hidden: reading.hidden,
            };
            pass.reports.push((report, reading.unread));
            pass.unread_cgroups.append(&mut reading.unread_cgroups);
            pass.dropped.append(&mut reading.dropped);
            if result.is_ok() {
                pass.samples.push(reading.samples);
                pass.host = reading.host.or(pass.host);
                pass.uptime = reading.uptime.or(pass.uptime);
            }
        }
        pass
    }

    /// Gives each entity its place, and leaves out those that are not to be watched.
    fn place(&mut self, samples: Vec<Vec<Sample>>, reports: &[Report]) -> Vec<(Sample, Place)> {
        let mut placed = Vec::with_capacity(samples.iter().map(Vec::len).sum());
        placed.extend(samples.into_iter().flatten().filter_map(|mut sample| {
            let place = self.grouper.place(&sample)?;
            sample.identity = Arc::clone(&place.identity);
            Some((sample, place))
        }));
        let is_read = succeeded(reports, "process");
        self.grouper.end_pass(
            |entity| matches!(entity, EntityId::Process { pid, .. } if !is_read || is_unread(reports, *pid)),
        );
        placed
    }

    /// Ends the lives that were not seen, and gives their places to others. Where a source failed, or could not read a
    /// process, absence proves nothing.
    fn retire(&mut self, samples: &[(Sample, Place)], reports: &[Report], unread_cgroups: &[String]) {
        // What has become a sum of others is no longer what was judged.
        let sums = samples.iter().filter(|(sample, _)| judged::is_sum(sample));
        let sums: FastSet<&EntityId> = sums.map(|(sample, _)| &sample.entity).collect();
        let grouper = &self.grouper;
        let is_seen = |entity: &EntityId| grouper.knows(entity) && !sums.contains(entity);
        let unread_cgroups: HashSet<&str> = unread_cgroups.iter().map(String::as_str).collect();
        let [host, cgroup, process] = ["host", "cgroup", "process"].map(|name| succeeded(reports, name));
        self.watchlist.retire(|entity| match entity {
            EntityId::Process { pid, .. } => process && !is_unread(reports, *pid) && !is_seen(entity),
            // Looked at less often than its process, with which it ends.
            &EntityId::ProcessResource { pid, start_time, .. } => {
                process && !is_unread(reports, pid) && !is_seen(&EntityId::Process { pid, start_time })
            }
            EntityId::Cgroup(id) => cgroup && !is_seen(entity) && !is_at_or_below(&id.path, &unread_cgroups),
            EntityId::Host | EntityId::HostUnaccounted | EntityId::Group(_) => host && !is_seen(entity),
        });
        self.watchlist.make_room(is_seen);
    }

    /// First each for itself, then what shares a limit or a suspicion with others, then groups.
    fn judge(&mut self, when: When, samples: &[(Sample, Place)], host: Option<HostMemory>) -> Vec<Entity> {
        let everyone = host.map(|host| host.as_limit());
        let totals = Totals::of(samples);
        let mut cgroups = Cgroups::of(samples);
        let mut entities = Vec::new();
        let mut seen = Vec::with_capacity(samples.len());
        for (sample, place) in samples {
            let within = cgroups.around(sample);
            let limits = [sample.figures.limit(), within.and_then(|path| cgroups.nearest(path)), everyone];
            let terms = totals.terms(sample, place, self.config.threshold, limits);
            let verdict = self.verdict(when, sample, terms);
            if verdict.is_some() {
                self.judge_resources(when, sample, place, &mut entities);
            }
            seen.push(Judged { sample, within, limit: terms.limit, verdict });
        }
        seen.iter().for_each(|one| cgroups.note(one));
        seen.iter_mut().for_each(|one| cgroups.share(one));
        heirs::hand_down(&mut seen);
        let mut groups = Groups::default();
        for one in &seen {
            if let Some(name) = &one.sample.identity.group {
                groups.add(name, &one.sample.figures.memory, one.as_member());
            }
        }
        let rules = self.grouper.rules();
        let groups: Vec<Entity> = groups.into_entities().map(|group| terms::of_group(group, rules)).collect();
        // A snapshot is kept until the next one, so that it has no room for more.
        entities.reserve_exact(seen.len() + groups.len());
        entities.extend(seen.into_iter().filter_map(Judged::into_entity));
        entities.extend(groups);
        entities
    }

    /// The verdict on what is watched, for its own sake.
    fn verdict(&mut self, when: When, sample: &Sample, terms: Terms) -> Option<Verdict> {
        let is_watched = self.is_wanted(when, sample) || self.watchlist.contains(&sample.entity);
        (is_watched && !judged::is_sum(sample)).then(|| self.watchlist.observe(when, sample, terms)).flatten()
    }

    /// What a process holds besides memory, as far as that has a history.
    fn judge_resources(&mut self, when: When, sample: &Sample, place: &Place, entities: &mut Vec<Entity>) {
        let Some(threshold) = place.resource_threshold(self.config.threshold) else { return };
        for resource in Resource::ALL {
            if let Some((id, verdict)) = self.watchlist.observe_resource(when, sample, resource, threshold) {
                entities.push(judged::resource_entity(id, sample, resource, verdict));
            }
        }
    }

    /// Lets sources tell more about whose descriptors are suspected.
    fn inquire(&mut self, entities: &[Entity]) {
        let suspects = entities.iter().filter(|entity| entity.assessment.is_suspect());
        let pids = suspects.filter_map(|entity| match entity.id {
            EntityId::ProcessResource { pid, resource: Resource::Fds, .. } => Some(pid),
            _ => None,
        });
        let pids = pids.collect();
        self.sources.iter_mut().for_each(|source| source.suspect_descriptors(&pids));
    }

    /// Whether it is large and old enough to be watched. Whoever is, stays watched: the floor must not be hidden.
    fn is_wanted(&self, when: When, sample: &Sample) -> bool {
        let figures = &sample.figures;
        sample.entity.scope() != Scope::Process
            || (figures.memory.scored(Scope::Process).unwrap_or(0) >= self.config.min_bytes
                && figures
                    .start
                    .zip(when.uptime)
                    .is_none_or(|(start, up)| start.age(up) >= self.config.min_age))
    }
}

/// What all sources saw in one tick.
#[derive(Default)]
struct Pass {
    /// Those of each source.
    samples: Vec<Vec<Sample>>,
    host: Option<HostMemory>,
    uptime: Option<Duration>,
    /// How each source did, and the pids that it saw and could not read.
    reports: Vec<(SourceReport, HashSet<u32>)>,
    /// Paths of cgroups that were not read; what is below them was not seen either.
    unread_cgroups: Vec<String>,
    /// Entities that were not looked at.
    dropped: BTreeMap<Scope, u64>,
}

/// How a source did, and the processes that it could not read.
type Report = (SourceReport, HashSet<u32>);

/// Whether absence of what a source tells proves anything. Of one that is turned off there was something only before a restart.
fn succeeded(reports: &[Report], name: &str) -> bool {
    reports.iter().all(|(report, _)| report.name != name || report.success)
}

fn is_unread(reports: &[Report], pid: u32) -> bool {
    reports.iter().any(|(_, unread)| unread.contains(&pid))
}

#[cfg(test)]
mod tests;
