//! From findings to an assessment: which evidence leads, what it is called, and how far it reaches.

use crate::history::{Closed, HOUR, History};

use super::Circumstances;
use super::assessment::{Assessment, Channel, Evidence, KindGrowth, Reason, Standing};
use super::gate::Test;
use super::onset::Onset;
use super::reach::Reach;
use super::rise::Rise;
use super::slope::PlainSlope;
use super::urgency::Urgency;

/// Younger than this, seconds, growth that levels off is a part of the start.
const YOUNG: f64 = 12.0 * HOUR;

/// Slow evidence that deserves to be called growth.
const GROWTH: f64 = 0.2;

/// What is looked for when it is told, and held until a block closes that can make a difference.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Details {
    plain_slope: PlainSlope,
    pub(super) onset: Onset,
    pub(super) reach: Reach,
}

impl Details {
    /// Forgets what may be another by what was `closed`.
    pub(super) fn update(&mut self, closed: Closed) {
        self.plain_slope.update(closed);
        self.onset.update(closed);
        self.reach.update(closed);
    }
}

/// Everything that was found out about one life.
pub(super) struct Findings<'a> {
    pub(super) score: Option<f64>,
    pub(super) standing: Standing,
    pub(super) lead: Option<(Channel, &'a Rise)>,
    /// 0 to 1.
    pub(super) slow_evidence: f64,
    pub(super) urgency: Option<&'a Urgency>,
    pub(super) details: &'a mut Details,
    pub(super) history: &'a History,
    pub(super) around: &'a Circumstances<'a>,
}

pub(super) fn assess(found: Findings) -> Assessment {
    let rise = found.lead.map(|(_, rise)| rise);
    let reason = found.reason(rise);
    let grows = matches!(reason, Reason::Growing | Reason::Leaking);
    // What is expected to end is not extrapolated, nor what has paused.
    let going_on = found.lead.zip(found.around.room).filter(|_| grows && found.standing == Standing::Present);
    let left = going_on.and_then(|((_, rise), room)| rise.time_to_limit(room));
    let Details { plain_slope, onset, reach } = found.details;
    let range =
        going_on.zip(left).and_then(|((lead, room), left)| reach.range(found.history, lead, room, left));
    // What is inherited began in an earlier life.
    let own = grows && found.standing != Standing::Inherited;
    let onset = if own { onset.of(found.history) } else { None };
    Assessment {
        score: found.score,
        threshold: found.around.threshold,
        reason,
        standing: found.standing,
        growth_bytes_per_second: rise
            .map(|rise| rise.slope)
            .or_else(|| plain_slope.bytes_per_second(found.history)),
        time_to_limit_seconds: left,
        time_to_limit_range_seconds: range,
        window_seconds: rise.map(|rise| rise.window),
        growth_by_kind: rise.map_or_else(Vec::new, |rise| growth_by_kind(found.history, rise.window)),
        evidence: found.lead.map(|(channel, rise)| Evidence {
            channel,
            grown_bytes: rise.grown,
            floor_bytes: rise.floor,
            growing_for_seconds: rise.growing_for,
            onset_time: onset,
            since_onset_seconds: onset.map(|onset| found.history.latest() - onset),
            gates: rise.gates.iter().collect(),
        }),
    }
}

impl Findings<'_> {
    fn reason(&self, lead: Option<&Rise>) -> Reason {
        let Some(score) = self.score else {
            return Reason::InsufficientData;
        };
        if score > self.around.threshold {
            return Reason::Leaking;
        }
        let urgency = self.urgency;
        let is_young = self.around.age.unwrap_or_else(|| self.history.age()) < YOUNG;
        if urgency.is_some_and(|urgency| urgency.known_warm_up) {
            return Reason::WarmingUp;
        }
        if self.slow_evidence > GROWTH || urgency.is_some_and(|urgency| urgency.shape > 0.0) {
            return Reason::Growing;
        }
        match lead.and_then(Rise::weakest_gate) {
            Some(Test::Slowing | Test::Life) if is_young => Reason::WarmingUp,
            Some(Test::Slowing | Test::Life) => Reason::Saturating,
            Some(Test::Novelty | Test::GiveBack | Test::Retained) => Reason::Fluctuating,
            _ => Reason::Steady,
        }
    }
}

/// Bytes by which each kind changed over the last `window` seconds, or as much of them as is remembered.
fn growth_by_kind(history: &History, window: f64) -> Vec<KindGrowth> {
    let composition = history.composition();
    let (Some(oldest), Some(newest)) = (composition.oldest(), composition.newest()) else {
        return Vec::new();
    };
    let since = (history.latest() - window).max(oldest);
    let (Some(before), Some(after)) = (composition.at(since), composition.at(newest)) else {
        return Vec::new();
    };
    before
        .into_iter()
        .zip(after)
        .map(|((kind, before), (_, after))| KindGrowth { kind, bytes: (after - before) as i64 })
        .collect()
}
