//! history -> [`Assessment`]: pure arithmetic, no clock, no I/O; it cannot fail.
//!
//! Two ways of looking at block floors, of which the more certain one counts:
//! - slow (`trend`, `season`): a long and steady rise that warm-up, load, steps and collections don't explain;
//! - urgent (`urgency`): growth that will hit a limit soon, called on less.
//!
//! Both are smoothed, so that evidence must last: hysteresis lives in the score and not in the status. Every statistic
//! reads block floors; nothing is computed from raw samples, and nothing is looked at again before a block closes.

mod assessment;
mod lineage;
mod rise;
mod season;
mod sentence;
mod shapes;
mod stats;
mod trend;
mod urgency;
mod verdict;
mod window;

#[cfg(test)]
mod tests;

pub use assessment::{Assessment, Channel, Evidence, Gate, KindGrowth, Reason, Status};
pub use lineage::Lineage;

use crate::entity::Executable;
use crate::history::{Closed, HOUR, HOURLY, History, width};

use lineage::{Ending, Score};
use season::SeasonEvidence;
use stats::ramp;
use trend::TrendChannel;
use urgency::UrgencyChannel;

/// An evaluation falls due after so many blocks of the finest rung.
const BLOCKS_AN_EVALUATION: f64 = 4.0;

/// Evidence counts for at most so many periods at once: a gap tells nothing.
const MOST_PERIODS: i64 = 4;

/// Most that the slow channel may say of a young life.
const YOUNG_CAP: f64 = 0.45;

/// Time constants of the slow score, rising and falling, seconds. Evidence must hold for hours.
const SLOW: (f64, f64) = (4.0 * HOUR, 6.0 * HOUR);

/// Time constants of the urgent score, as shares of twenty blocks of the rung that leads, and their bounds in seconds.
const URGENT: (f64, f64) = (0.03, 0.35);
const URGENT_MOST: (f64, f64) = (2.0 * HOUR, 4.0 * HOUR);

/// What the shape must add to the log-odds for growth to count for the lineage.
const GROWTH: f64 = 0.3;

/// What stands around an entity and bears on its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// A score above it is a suspicion; infinite for what is never to be suspected.
    pub threshold: f64,
    /// Bytes that may still be taken before the nearest limit.
    pub room: Option<u64>,
    /// Its program's earlier lives.
    pub lineage: &'a Lineage,
    /// What is running.
    pub executable: Option<Executable>,
    /// Seconds since its start, where that is known; it may have been watched for less.
    pub age: Option<f64>,
}

/// The state of the verdict on one life. About 0.3 KiB while nothing grows.
#[derive(Clone, Debug)]
pub struct Detector {
    trend: TrendChannel,
    season: Option<SeasonEvidence>,
    urgency: UrgencyChannel,
    closed: Closed,
    /// Number of the evaluation period that the last sample fell into.
    period: Option<i64>,
    /// Whether any window was full enough to be judged.
    judged: bool,
    slow_score: f64,
    urgent_score: f64,
    /// Strongest slow evidence, fading.
    seen: f64,
    /// When growth by shape was last seen and how long it had gone on, seconds.
    grew: Option<(f64, f64)>,
    called_at_age: Option<f64>,
}

impl Detector {
    /// The verdict on a new life of `lineage`.
    pub fn new(lineage: &Lineage, executable: Option<Executable>) -> Detector {
        let inherited = lineage.inherited(executable);
        Detector {
            trend: TrendChannel::default(),
            season: None,
            urgency: UrgencyChannel::default(),
            closed: Closed::default(),
            period: None,
            judged: false,
            slow_score: inherited.slow,
            urgent_score: inherited.urgent,
            seen: 0.0,
            grew: None,
            called_at_age: None,
        }
    }

    /// Takes note that blocks of `history` were `closed`, and gives a new verdict when one falls due.
    pub fn update(&mut self, history: &History, closed: Closed, around: Circumstances) -> Option<Assessment> {
        self.closed.merge(closed);
        let (now, step) = (history.latest(), BLOCKS_AN_EVALUATION * width(history.ladder().finest()));
        let period = (now / step).floor() as i64;
        let last = self.period.replace(period).filter(|last| *last < period)?;
        self.look(history, &around);
        self.score(history, step * (period - last).min(MOST_PERIODS) as f64, &around);
        let score = self.judged.then(|| self.value());
        Some(verdict::assess(verdict::Findings {
            score,
            is_urgent: self.urgent_score > self.slow_score,
            trend: self.trend.strongest(),
            season: self.season.as_ref(),
            urgency: &self.urgency,
            history,
            around: &around,
        }))
    }

    /// Whether there was ever enough history to judge: a life too short for that says nothing about its lineage.
    pub fn has_judged(&self) -> bool {
        self.judged
    }

    /// The end of this life, for its lineage.
    pub fn retire(&self, history: &History, lineage: &mut Lineage, executable: Option<Executable>) {
        let recent = (4.0 * BLOCKS_AN_EVALUATION * width(history.ladder().finest())).max(history.age() / 6.0);
        let grown =
            self.grew.filter(|(seen, _)| history.latest() - seen <= recent).map(|(_, duration)| duration);
        let score = Score { slow: self.slow_score, urgent: self.urgent_score };
        let ending = Ending { suspicion: self.seen, score, grown, called_at_age: self.called_at_age };
        lineage.record(history, ending, executable);
    }

    /// Brings all evidence up to date whose blocks have closed.
    fn look(&mut self, history: &History, around: &Circumstances) {
        let closed = std::mem::take(&mut self.closed);
        self.judged |=
            self.urgency.update(history, around.lineage, around.room, |rung| closed.contains(rung));
        self.judged |= self.trend.update(history, |rung| closed.contains(rung));
        if closed.contains(HOURLY) {
            self.season = season::judge(history);
        }
    }

    /// Moves both scores towards the evidence.
    fn score(&mut self, history: &History, step: f64, around: &Circumstances) {
        let evidence = self.slow_evidence();
        let growing = self.grew.is_some();
        let suspicion = around.lineage.suspicion(around.executable, history.age(), growing);
        let cap = YOUNG_CAP + (1.0 - YOUNG_CAP) * ramp(history.age(), trend::YOUNG).max(suspicion);
        self.seen = (self.seen * (-step / SLOW.0).exp()).max(evidence);
        self.slow_score = smooth(self.slow_score, evidence.min(cap), step, SLOW);
        let (odds, width) = match self.urgency.strongest() {
            Some(urgent) => (urgent.odds, urgent.width),
            None => (f64::NEG_INFINITY, width(history.ladder().finest())),
        };
        let constants = (
            (URGENT.0 * 20.0 * width).max(step).min(URGENT_MOST.0),
            (URGENT.1 * 20.0 * width).max(4.0 * step).min(URGENT_MOST.1),
        );
        self.urgent_score = smooth(self.urgent_score, 1.0 / (1.0 + (-odds).exp()), step, constants);
        if let Some(growth) = self.urgency.strongest().filter(|urgent| urgent.shape > GROWTH) {
            self.grew = Some((history.latest(), growth.rise.growing_for));
        }
        if self.called_at_age.is_none() && self.value() > around.threshold {
            self.called_at_age = Some(history.age());
        }
    }

    fn slow_evidence(&self) -> f64 {
        let trend = self.trend.strongest().map_or(0.0, |(evidence, _)| evidence);
        self.season.as_ref().map_or(0.0, |season| season.evidence).max(trend)
    }

    /// The more certain channel counts, 0 to 100, in hundredths: more digits would claim what nobody knows.
    fn value(&self) -> f64 {
        (1e4 * self.slow_score.max(self.urgent_score)).round() / 100.0
    }
}

/// Moves `old` towards `new` as `step` seconds do at the time constant for that direction.
fn smooth(old: f64, new: f64, step: f64, (up, down): (f64, f64)) -> f64 {
    old + (1.0 - (-step / if new > old { up } else { down }).exp()) * (new - old)
}
