//! history -> [`Assessment`]: pure arithmetic, no clock, no I/O; it cannot fail.
//!
//! Two ways of looking at block floors, of which the more certain one counts:
//! - slow (`trend`, `season`): a long and steady rise that warm-up, load, steps and collections don't explain, on any of
//!   several windows; trees (`forest`) weigh what all of them show (`clues`) with the age of the life and its forebears;
//! - urgent (`urgency`): growth that will hit a limit soon, called on less.
//!
//! Both are smoothed, so that evidence must last: hysteresis lives in the score and not in the status. Every statistic
//! reads block floors; nothing is computed from raw samples, and nothing is looked at again before a block closes.

mod activity;
mod assessment;
mod climb;
mod clues;
mod forest;
mod gate;
mod lasting;
mod life;
mod lineage;
mod onset;
mod reach;
mod rest;
mod rise;
mod scores;
mod season;
mod sentence;
mod shapes;
mod signs;
mod slope;
mod stats;
mod suspicion;
mod trend;
mod urgency;
mod verdict;
mod window;

#[cfg(test)]
mod tests;

pub use assessment::{Assessment, Channel, Evidence, KindGrowth, Reason, Standing, Status};
pub use clues::{CLUES, Clues};
pub use gate::{Gate, Test};
pub use lineage::{Lineage, levelled_off};
pub use rest::{Due, Rest};
pub use signs::{SIGNS, Signs};

use serde::{Deserialize, Serialize};

use crate::entity::Executable;
use crate::history::{BLOCKS, Closed, HOUR, HOURLY, History, Number, width};

use lasting::{BLOCKS_AN_EVALUATION, Lasting};
use life::{Life, WholeLife};
use lineage::{Ending, Probation};
use onset::Onset;
use rise::Rise;
use scores::Scores;
use season::SeasonEvidence;
use suspicion::Suspicion;
use trend::TrendChannel;
use urgency::UrgencyChannel;
use verdict::Details;

/// Slow evidence fades from memory with this time constant, seconds.
const FADING: f64 = 4.0 * HOUR;

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
    /// CPU seconds that it has used since its start, where that is known.
    pub cpu_seconds: Option<f64>,
    /// How many entities are watched beside it whose memory changes at all: each of them is a chance to be wrong.
    pub crowd: usize,
}

/// The state of the verdict on one life. About 0.3 KiB while nothing grows. What the history tells anew is not written
/// down with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Detector {
    #[serde(skip)]
    trend: TrendChannel,
    #[serde(skip)]
    season: Option<SeasonEvidence>,
    /// Log-odds of what the slow channel found; `None` where it found nothing.
    #[serde(skip)]
    weighed: Option<Number>,
    #[serde(skip)]
    urgency: UrgencyChannel,
    #[serde(skip)]
    details: Details,
    #[serde(skip, default = "Closed::all")]
    closed: Closed,
    lasting: Lasting,
    /// Whether any window was full enough to be judged.
    judged: bool,
    scores: Scores,
    /// Strongest slow evidence, fading.
    seen: f64,
    suspicion: Option<Suspicion>,
    probation: Option<Probation>,
}

impl Detector {
    /// The verdict on a new life of `lineage`.
    pub fn new(lineage: &Lineage, executable: Option<Executable>) -> Detector {
        Detector {
            trend: TrendChannel::default(),
            season: None,
            weighed: None,
            urgency: UrgencyChannel::default(),
            details: Details::default(),
            closed: Closed::default(),
            lasting: Lasting::default(),
            judged: false,
            scores: lineage.inherited(executable),
            seen: 0.0,
            suspicion: None,
            probation: lineage.probation(executable),
        }
    }

    /// Takes note that blocks of `history` were `closed`, and gives a new verdict when one falls due.
    pub fn update(&mut self, history: &History, closed: Closed, around: Circumstances) -> Option<Assessment> {
        self.closed.merge(closed);
        let step = self.lasting.due(history.latest(), history.ladder().finest(), around.cpu_seconds)?;
        Some(self.evaluate(history, step, around))
    }

    /// The verdict now, on what was found in `history` and counts for `step` seconds.
    fn evaluate(&mut self, history: &History, step: f64, around: Circumstances) -> Assessment {
        self.look(history, &around);
        self.lasting.stand(history.floor(), around.room);
        self.score(history, step, &around);
        self.suspect(history, step, around.threshold);
        let mut details = self.details;
        let assessment = verdict::assess(verdict::Findings {
            score: (self.judged || self.probation.is_some()).then(|| self.value()),
            standing: self.standing(),
            lead: self.lead(),
            slow_evidence: self.slow_evidence(),
            urgency: self.urgency.strongest(),
            details: &mut details,
            history,
            around: &around,
        });
        self.details = details;
        assessment
    }

    /// Whether it is one that samples can have made. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        self.lasting.is_sound()
            && self.scores.is_sound()
            && scores::is_share(self.seen)
            && self.suspicion.as_ref().is_none_or(Suspicion::is_sound)
            && self.probation.is_none_or(Probation::is_sound)
    }

    /// Whether there was ever enough history to judge: a life too short for that says nothing about its lineage.
    pub fn has_judged(&self) -> bool {
        self.judged
    }

    /// Whether at `now` its memory has risen at all within a week: then it is one of those that may be called by mistake.
    pub fn is_interesting(&self, now: f64) -> bool {
        self.lasting.is_interesting(now)
    }

    /// The end of this life, for its lineage.
    pub fn retire(&self, history: &History, lineage: &mut Lineage, executable: Option<Executable>) {
        let recent = (4.0 * BLOCKS_AN_EVALUATION * width(history.ladder().finest())).max(history.age() / 6.0);
        let grown = self
            .lasting
            .grew
            .filter(|(seen, _)| history.latest() - seen.get() <= recent)
            .map(|(_, duration)| duration);
        let ending = Ending {
            suspicion: self.seen,
            scores: self.scores,
            grown,
            standing: self.suspicion.as_ref().map_or(0.0, |suspicion| suspicion.score),
            top: self.lasting.top.map(f64::from),
            at_limit: self.lasting.at_limit,
            called_at_age: self.lasting.called_at_age.map(f64::from),
        };
        lineage.record(history, ending, executable);
    }

    /// Brings all evidence up to date whose blocks have closed.
    fn look(&mut self, history: &History, around: &Circumstances) {
        let closed = std::mem::take(&mut self.closed);
        self.details.update(closed);
        let (slow, life) = (self.slow_evidence(), WholeLife::new(history));
        let Lasting { activity, rose, .. } = &mut self.lasting;
        let is_closed = |rung| closed.contains(rung);
        let look = self.urgency.update(history, (activity, &life), (slow, around), is_closed);
        self.judged |= look.judged;
        if look.rising {
            *rose = Some(history.latest().into());
            activity.follow(history.ladder().finest());
        }
        self.judged |= self.trend.update(history, activity, &life, is_closed);
        if closed.contains(HOURLY) {
            self.season = season::judge(history, life.get());
        }
        if let Some(growth) = self.urgency.strongest().filter(|urgent| f64::from(urgent.shape) > GROWTH) {
            self.lasting.grew = Some((history.latest().into(), growth.rise.growing_for));
        }
        if TrendChannel::looks_at(closed) {
            let rises = self.rises().next().is_some();
            let life = rises.then(|| (life.get(), self.details.onset.of(history)));
            let clues = life.and_then(|life| self.clues_beside(life, history, around));
            self.weighed = clues.map(|clues| forest::SLOW.log_odds(clues.values()).into());
        }
    }

    /// What the slow channel goes by; `None` where it has nothing to say.
    pub(crate) fn clues(&self, history: &History, around: &Circumstances) -> Option<Clues> {
        self.rises().next()?;
        self.clues_beside((Life::of(history), Onset::default().of(history)), history, around)
    }

    fn clues_beside(
        &self,
        life: (Life, Option<f64>),
        history: &History,
        around: &Circumstances,
    ) -> Option<Clues> {
        let channels = (&self.trend, self.season.as_ref(), &self.urgency);
        Clues::of(history, self.slow_evidence(), channels, life, &self.lasting, around)
    }

    /// What the urgent channel goes by.
    pub(crate) fn signs(&self, history: &History, around: &Circumstances) -> Vec<Signs> {
        self.urgency.signs(history, self.slow_evidence(), around)
    }

    /// Moves both scores towards the evidence.
    fn score(&mut self, history: &History, step: f64, around: &Circumstances) {
        self.seen = (self.seen * (-step / FADING).exp()).max(self.slow_evidence());
        let weighed = self.weighed.map_or(f64::NEG_INFINITY, Number::get);
        self.scores.follow_slow(weighed, step, around.crowd);
        let (odds, width) = match self.urgency.strongest() {
            Some(urgent) => (f64::from(urgent.odds), urgent.rise.window / BLOCKS as f64),
            None => (f64::NEG_INFINITY, width(history.ladder().finest())),
        };
        self.scores.follow_urgent(odds, width, step, around.crowd);
    }

    /// Raises, holds and drops suspicion.
    fn suspect(&mut self, history: &History, step: f64, threshold: f64) {
        let own = self.own_score();
        if 100.0 * own > threshold
            && let Some((channel, rise)) = self.lead()
        {
            let renewed = Suspicion::raised(own, channel, rise, history);
            match &mut self.suspicion {
                Some(suspicion) => suspicion.confirm(renewed),
                none => *none = Some(renewed),
            }
            self.lasting.called_at_age.get_or_insert(history.age().into());
        } else if let Some(suspicion) = &mut self.suspicion {
            suspicion.wait(step, history);
            if suspicion.score <= own {
                self.suspicion = None;
            }
        }
        if let Some(probation) = &mut self.probation {
            probation.serve(history.age(), step, own);
            if probation.score <= own {
                self.probation = None;
            }
        }
    }

    /// What is said of this life for its own sake now, 0 to 1.
    fn own_score(&self) -> f64 {
        self.scores.highest()
    }

    /// What is said of this life, 0 to 1.
    fn held_score(&self) -> f64 {
        let held = self.suspicion.as_ref().map_or(0.0, |suspicion| suspicion.score);
        self.own_score().max(held)
    }

    /// On what the score rests, with the evidence for it.
    fn standing(&self) -> Standing {
        match (&self.suspicion, self.probation) {
            (_, Some(probation)) if probation.score > self.held_score() => Standing::Inherited,
            (Some(suspicion), _) if suspicion.is_held => Standing::Held,
            _ => Standing::Present,
        }
    }

    /// The evidence that says most; that of a suspicion which is held, while there is no more of its own.
    fn lead(&self) -> Option<(Channel, &Rise)> {
        if let Some(suspicion) = self.suspicion.as_ref().filter(|suspicion| suspicion.is_held) {
            return Some((suspicion.channel, &suspicion.rise));
        }
        let urgency = self.urgency.strongest().map(|urgency| (Channel::Urgency, &urgency.rise));
        let trend = self.trend.strongest().filter(|(evidence, _)| *evidence > 0.0);
        let season = self
            .season
            .as_ref()
            .filter(|season| season.evidence > trend.map_or(0.0, |(evidence, _)| evidence));
        let slow = match (season, trend) {
            (Some(season), _) => Some((Channel::Season, &season.rise)),
            (None, Some((_, trend))) => Some((Channel::Trend, &trend.rise)),
            // What some gate closes may be a leak by all that is known.
            (None, None) => self.weighed.filter(|odds| odds.get() > 0.0).and_then(|_| self.rising()),
        };
        if self.scores.urgent > self.scores.slow { urgency.or(slow) } else { slow.or(urgency) }
    }

    /// What rises on each time scale, the longest last, and over days, however that may be explained.
    fn rises(&self) -> impl Iterator<Item = (Channel, &Rise)> {
        let trend = self.trend.each().flatten().map(|held| (Channel::Trend, &held.rise));
        let season = self.season.iter().map(|season| (Channel::Season, &season.rise));
        trend.chain(season).filter(|(_, rise)| clues::is_rise(rise))
    }

    /// The longest of those that are full enough for every gate to be asked.
    fn rising(&self) -> Option<(Channel, &Rise)> {
        let is_full = |rise: &Rise| rise.gates.iter().all(|gate| gate.value.is_finite());
        self.rises().filter(|(_, rise)| is_full(rise)).last()
    }

    fn slow_evidence(&self) -> f64 {
        let trend = self.trend.strongest().map_or(0.0, |(evidence, _)| evidence);
        self.season.as_ref().map_or(0.0, |season| season.evidence).max(trend)
    }

    /// 0 to 100, in hundredths: more digits would claim what nobody knows.
    fn value(&self) -> f64 {
        let inherited = self.probation.map_or(0.0, |probation| probation.score);
        (1e4 * self.held_score().max(inherited)).round() / 100.0
    }
}
