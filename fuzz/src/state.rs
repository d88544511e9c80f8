//! A state that is damaged, or made up by somebody who knows the checksums.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use memleak_exporter::config::SamplerConfig;
use memleak_exporter::entity::{EntityId, Identity, Resource};
use memleak_exporter::resources::{Count, Resources};
use memleak_exporter::sample::{Figures, Kind, Memory, Sample};
use memleak_exporter::state::{self, Restored};
use memleak_exporter::watch::{Record, Terms, Watchlist, When};

/// Samples after what was read back.
const TICKS: u32 = 40;

/// Once as a whole file, and once as what is inside one whose header is right.
pub fn state(bytes: &[u8]) {
    let config = SamplerConfig { max_entities: 100, ..SamplerConfig::every_minute() };
    for file in [bytes.to_vec(), with_header(bytes)] {
        match state::decode(&file, &config, Some("boot"), Duration::MAX) {
            Ok(restored) => goes_on(restored, &config),
            Err(flaw) => assert!(!flaw.to_string().is_empty()),
        }
    }
}

/// A file whose contents are `records`.
fn with_header(records: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::none());
    let packed = encoder.write_all(records).and_then(|()| encoder.finish());
    let packed = packed.expect("memory takes everything");
    let mut file = b"MEMLEAK\n\x01\0\0\0".to_vec();
    file.extend((packed.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(&packed).to_le_bytes());
    file.extend(crc32fast::hash(&file).to_le_bytes());
    file.extend(packed);
    file
}

/// What is believed can be watched, judged, ended and written again.
fn goes_on(Restored { mut watchlist, origin, .. }: Restored, config: &SamplerConfig) {
    let entities: Vec<EntityId> = watchlist
        .records()
        .filter_map(|record| match record {
            Record::Life { entity, .. } => Some(entity.into_owned()),
            _ => None,
        })
        .collect();
    for tick in 1..=TICKS {
        let time = origin.time + 100.0 * f64::from(tick * tick);
        entities.iter().for_each(|entity| see(&mut watchlist, entity, time, tick));
        let gone: HashSet<&EntityId> = entities.iter().filter(|_| tick == TICKS / 2).take(1).collect();
        watchlist.retire(|entity| gone.contains(entity));
        watchlist.forget_lineages(time);
    }
    watchlist.retire(|_| true);
    let file = state::encode(&watchlist, &origin);
    let again = state::decode(&file, config, Some("boot"), Duration::MAX);
    assert!(again.is_ok(), "what was written can't be read: {:?}", again.err());
}

fn see(watchlist: &mut Watchlist, entity: &EntityId, time: f64, tick: u32) {
    let count = Count { used: 10 * tick, limit: Some(1024), is_new: true };
    let memory = Memory::default().with(Kind::Anon, Some(u64::from(tick) << 20));
    let sample = Sample {
        entity: entity.clone(),
        identity: Arc::new(Identity { name: "x".into(), ..Identity::default() }),
        figures: Arc::new(Figures {
            memory,
            resources: Resources::default().with(Resource::Fds, Some(count)),
            ..Figures::default()
        }),
        cpu_seconds: Some(f64::from(tick)),
        is_told_again: false,
    };
    let when = When { time, uptime: None };
    if let Some(verdict) = watchlist.observe(when, &sample, Terms { threshold: 60.0, limit: None }) {
        let score = verdict.assessment.score;
        assert!(score.is_none_or(|score| (0.0..=100.0).contains(&score)), "{score:?}");
        let _ = verdict.assessment.sentence().to_string();
        let _ = verdict.history.floors(86_400.0);
    }
    let _ = watchlist.observe_resource(when, &sample, Resource::Fds, 60.0);
}
