//! A small host on which some leak and some do not, for tests of what is remembered.

use std::ops::Range;
use std::sync::Arc;

use super::{Terms, Watchlist, When};
use crate::config::SamplerConfig;
use crate::entity::{EntityId, Executable, Identity, Resource};
use crate::resources::{Count, Resources};
use crate::sample::{Figures, Kind, Memory, Sample};

const EXECUTABLE: Option<Executable> =
    Some(Executable { device: Some(8), inode: 42, modified: 1_700_000_000 });

/// A sample a minute, and so many places.
pub(crate) fn config(max_entities: usize) -> SamplerConfig {
    SamplerConfig { max_entities, ..SamplerConfig::every_minute() }
}

/// A process whose memory and descriptors are what `bytes` and `fds` say.
pub(crate) fn sample(pid: u32, bytes: f64, fds: u32) -> Sample {
    let count = Count { used: fds, limit: Some(65_536), is_new: true };
    let resources = Resources::default().with(Resource::Fds, Some(count));
    let memory = Memory::default().with(Kind::Anon, Some(bytes as u64)).with(Kind::Swap, Some(0));
    let identity = Identity { name: "worker".into(), executable: EXECUTABLE, ..Identity::default() };
    Sample {
        entity: EntityId::Process { pid, start_time: 1 },
        identity: Arc::new(identity),
        figures: Arc::new(Figures { memory, resources, ..Figures::default() }),
        cpu_seconds: None,
        is_told_again: false,
    }
}

/// What `minutes` of a host do to a watchlist on which some processes are idle, one leaks memory, one leaks descriptors,
/// one saws and one is young again every hour.
pub(crate) fn live(watchlist: &mut Watchlist, minutes: Range<u32>) -> Vec<(EntityId, Option<f64>)> {
    let mut scores = Vec::new();
    for minute in minutes {
        let (hour, short) = (f64::from(minute) / 60.0, 100 + minute / 60);
        let samples = [
            sample(1, 50e6, 10),
            sample(2, 100e6 + 4e6 * hour, 10),
            sample(3, 50e6, 10 + minute / 2),
            sample(4, 80e6 + 30e6 * (hour / 0.7).fract(), 10),
            sample(short, 20e6 + 1e6 * hour, 10),
        ];
        let time = 1.7e9 + 60.0 * f64::from(minute);
        scores = see(watchlist, time, &samples);
    }
    scores
}

/// What comes of `samples` at `time`, before which everybody else has ended: the scores.
pub(crate) fn see(watchlist: &mut Watchlist, time: f64, samples: &[Sample]) -> Vec<(EntityId, Option<f64>)> {
    let when = When { time, uptime: None };
    watchlist.retire(|entity| match *entity {
        EntityId::ProcessResource { pid, start_time, .. } => {
            !samples.iter().any(|sample| sample.entity == EntityId::Process { pid, start_time })
        }
        _ => !samples.iter().any(|sample| sample.entity == *entity),
    });
    let mut scores = Vec::new();
    for sample in samples {
        let terms = Terms { threshold: 60.0, limit: None };
        let verdict = watchlist.observe(when, sample, terms);
        scores.extend(verdict.map(|verdict| (sample.entity.clone(), verdict.assessment.score)));
        let verdict = watchlist.observe_resource(when, sample, Resource::Fds, 60.0);
        scores.extend(verdict.map(|(entity, verdict)| (entity, verdict.assessment.score)));
    }
    scores
}
