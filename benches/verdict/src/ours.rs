//! The project's own detector, fed as the sampler feeds it.

use memleak_exporter::backtest::{Replay, Row};
use memleak_exporter::detector::{Assessment, Clues, Signs};
use memleak_exporter::entity::Executable;

use crate::method::{Method, Reading};
use crate::trace::{Point, Trace};

/// A score above it is a suspicion: the exporter's own default.
pub const THRESHOLD: f64 = 60.0;

/// Series begin within this day, seconds since the epoch; each at another time of the day, as programs do: the blocks of
/// the history are whole hours of the clock, and what begins with one is judged by other floors than what begins within.
const DAY: (f64, f64) = (1_699_920_000.0, 86_400.0);

/// Share of the day from one series to the next, after the golden ratio: as many as there are spread evenly.
const APART: f64 = 0.618_033_988_749_895;

/// The leak score.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ours {
    /// Whether it is told how much CPU time was used.
    pub with_activity: bool,
    /// As one of how many entities whose memory rises it judges; 0 is alone.
    pub crowd: usize,
}

impl Method for Ours {
    fn name(&self) -> &str {
        "memleak-exporter"
    }

    fn statistic(&self, trace: &Trace) -> Vec<Reading> {
        self.watch(trace).0
    }
}

impl Ours {
    /// The readings, and whether memory rose at all within the last week of the trace.
    pub fn watch(&self, trace: &Trace) -> (Vec<Reading>, bool) {
        let mut readings = Vec::new();
        let replay = self.replay(trace, |time, found| {
            if let Some(value) = found.score {
                readings.push(Reading { time, value, time_to_limit: found.time_to_limit_seconds });
            }
        });
        (readings, replay.is_interesting())
    }

    /// All of `trace`; `tell` hears every verdict and its time, seconds of the trace.
    pub fn replay(&self, trace: &Trace, mut tell: impl FnMut(f64, &Assessment)) -> Replay {
        self.replay_row_by_row(trace, |replay, row, time| {
            if let Some(found) = replay.push(row) {
                tell(time, found);
            }
        })
    }

    /// The same; `tell` hears what verdicts go by where nothing is urgent, and when, once in each `often` seconds in which
    /// there is any such thing.
    pub fn clues(&self, trace: &Trace, often: f64, mut tell: impl FnMut(f64, &Clues)) {
        let mut slot = f64::NEG_INFINITY;
        self.replay_row_by_row(trace, |replay, row, time| {
            let now = (time / often).floor();
            if replay.push(row).is_some()
                && now > slot
                && let Some(clues) = replay.clues(&row)
            {
                slot = now;
                tell(time, &clues);
            }
        });
    }

    /// The same of growth on the way to a limit that is near: a row for each window that shows any, once in each `often`
    /// seconds, and whenever the time that is left has halved or doubled.
    pub fn signs(&self, trace: &Trace, often: f64, mut tell: impl FnMut(f64, &Signs)) {
        let mut latest = None;
        self.replay_row_by_row(trace, |replay, row, time| {
            if replay.push(row).is_none() {
                return;
            }
            let left = replay.latest().and_then(|found| found.time_to_limit_seconds);
            let slot = ((time / often).floor(), left.map(|left| left.max(1.0).log2().floor()));
            if latest != Some(slot) {
                let signs = replay.signs(&row);
                signs.iter().for_each(|signs| tell(time, signs));
                if !signs.is_empty() {
                    latest = Some(slot);
                }
            }
        });
    }

    fn replay_row_by_row(&self, trace: &Trace, mut push: impl FnMut(&mut Replay, Row, f64)) -> Replay {
        let mut replay = Replay::new(trace.interval, THRESHOLD).among(self.crowd);
        for (number, life) in trace.points.chunk_by(|a, b| a.life == b.life).enumerate() {
            let up_for = if number == 0 { trace.up_for } else { 0.0 };
            let began = life.first().map(|point| point.time - up_for);
            for point in life {
                push(&mut replay, self.row(trace, point, began), point.time);
            }
        }
        replay
    }

    fn row(&self, trace: &Trace, point: &Point, began: Option<f64>) -> Row {
        let begin = DAY.0 + DAY.1 * (f64::from(trace.number) * APART).fract();
        Row {
            time: begin + point.time,
            bytes: point.bytes,
            limit_bytes: trace.limit,
            start_time: began.map(|born| begin + born),
            cpu_seconds: point.cpu_seconds.filter(|_| self.with_activity),
            executable: Some(Executable { device: Some(1), inode: u64::from(point.build), modified: 0 }),
        }
    }
}
