//! The project's own detector, fed as the sampler feeds it.

use memleak_exporter::detector::{Assessment, Circumstances, Detector, Lineage};
use memleak_exporter::entity::Executable;
use memleak_exporter::history::History;
use memleak_exporter::sample::{Kind, Memory};

use crate::method::{Method, Reading};
use crate::trace::{Point, Trace};

/// A score above it is a suspicion: the exporter's own default.
pub const THRESHOLD: f64 = 60.0;

/// The leak score.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ours;

impl Method for Ours {
    fn name(&self) -> &str {
        "memleak-exporter"
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        let mut replay: Option<Replay> = None;
        let mut lineage = Lineage::default();
        let mut readings = Vec::new();
        for point in &trace.points {
            let life = match replay.take() {
                Some(life) if life.number == point.life => replay.insert(life),
                earlier => {
                    if let Some(life) = earlier {
                        life.detector.retire(&life.history, &mut lineage, life.executable);
                    }
                    replay.insert(Replay::new(point, trace.interval, &lineage))
                }
            };
            let Some(found) = life.push(point, trace.limit, &lineage) else { continue };
            if let Some(score) = found.score {
                let time_to_limit = found.time_to_limit_seconds;
                readings.push(Reading { time: point.time, value: score, time_to_limit });
            }
        }
        readings
    }
}

/// One life, as it is watched.
struct Replay {
    number: u32,
    executable: Option<Executable>,
    history: History,
    detector: Detector,
}

impl Replay {
    fn new(first: &Point, interval: f64, lineage: &Lineage) -> Replay {
        let executable = Some(Executable { device: 1, inode: u64::from(first.build), modified: 0 });
        Replay {
            number: first.life,
            executable,
            history: History::new(first.time, interval),
            detector: Detector::new(lineage, executable),
        }
    }

    fn push(&mut self, point: &Point, limit: Option<u64>, lineage: &Lineage) -> Option<Assessment> {
        let memory = Memory::default().with(Kind::Anon, Some(point.bytes));
        let closed = self.history.push(point.time, point.bytes, &memory);
        let around = Circumstances {
            threshold: THRESHOLD,
            room: limit.map(|limit| limit.saturating_sub(point.bytes)),
            lineage,
            executable: self.executable,
            age: None,
        };
        self.detector.update(&self.history, closed, around)
    }
}
