//! From findings to an assessment: which evidence leads, what it is called, and how far it reaches.

use crate::history::{BLOCKS, History, RUNGS, width};

use super::Circumstances;
use super::assessment::{Assessment, Channel, Evidence, KindGrowth, Reason};
use super::rise::Rise;
use super::season::SeasonEvidence;
use super::stats::trend;
use super::trend::{TrendEvidence, YOUNG};
use super::urgency::UrgencyChannel;
use super::window::Window;

/// Slow evidence that deserves to be called growth.
const GROWTH: f64 = 0.2;

/// Everything that was found out about one life.
pub(super) struct Findings<'a> {
    pub(super) score: Option<f64>,
    /// Whether the urgent score is the higher one.
    pub(super) is_urgent: bool,
    pub(super) trend: Option<(f64, &'a TrendEvidence)>,
    pub(super) season: Option<&'a SeasonEvidence>,
    pub(super) urgency: &'a UrgencyChannel,
    pub(super) history: &'a History,
    pub(super) around: &'a Circumstances<'a>,
}

/// The evidence that says most.
struct Lead<'a> {
    channel: Channel,
    rise: &'a Rise,
}

pub(super) fn assess(found: Findings) -> Assessment {
    let lead = found.lead();
    let rise = lead.as_ref().map(|lead| lead.rise);
    let reason = found.reason(rise);
    // What is expected to end is not extrapolated.
    let going_on = rise.filter(|_| matches!(reason, Reason::Growing | Reason::Leaking));
    Assessment {
        score: found.score,
        threshold: found.around.threshold,
        reason,
        growth_bytes_per_second: rise.map(|rise| rise.slope).or_else(|| plain_slope(found.history)),
        time_to_limit_seconds: going_on
            .zip(found.around.room)
            .and_then(|(rise, room)| rise.time_to_limit(room)),
        window_seconds: rise.map(|rise| rise.window),
        growth_by_kind: rise.map_or_else(Vec::new, |rise| growth_by_kind(found.history, rise.window)),
        evidence: lead.map(|Lead { channel, rise }| Evidence {
            channel,
            grown_bytes: rise.grown,
            floor_bytes: rise.floor,
            growing_for_seconds: rise.growing_for,
            gates: rise.gates.clone(),
        }),
    }
}

impl Findings<'_> {
    fn lead(&self) -> Option<Lead<'_>> {
        let lead = |channel, rise| Lead { channel, rise };
        let urgency = self.urgency.strongest().map(|urgency| lead(Channel::Urgency, &urgency.rise));
        let trend = self.trend.filter(|(evidence, _)| *evidence > 0.0);
        let season =
            self.season.filter(|season| season.evidence > trend.map_or(0.0, |(evidence, _)| evidence));
        let slow = match (season, trend) {
            (Some(season), _) => Some(lead(Channel::Season, &season.rise)),
            (None, trend) => trend.map(|(_, trend)| lead(Channel::Trend, &trend.rise)),
        };
        if self.is_urgent { urgency.or(slow) } else { slow.or(urgency) }
    }

    fn reason(&self, lead: Option<&Rise>) -> Reason {
        let Some(score) = self.score else {
            return Reason::InsufficientData;
        };
        if score > self.around.threshold {
            return Reason::Leaking;
        }
        let urgency = self.urgency.strongest();
        let is_young = self.around.age.unwrap_or_else(|| self.history.age()) < YOUNG.0;
        if urgency.is_some_and(|urgency| urgency.known_warm_up) {
            return Reason::WarmingUp;
        }
        let slow = self
            .trend
            .map_or(0.0, |(evidence, _)| evidence)
            .max(self.season.map_or(0.0, |season| season.evidence));
        if slow > GROWTH || urgency.is_some_and(|urgency| urgency.shape > 0.0) {
            return Reason::Growing;
        }
        match lead.and_then(Rise::weakest_gate) {
            Some("slowing" | "life") if is_young => Reason::WarmingUp,
            Some("slowing" | "life") => Reason::Saturating,
            Some("novelty" | "give_back" | "retained") => Reason::Fluctuating,
            _ => Reason::Steady,
        }
    }
}

/// Robust slope of the longest window that is nearly full, bytes a second.
fn plain_slope(history: &History) -> Option<f64> {
    let full = |rung: usize| Window::of(history, rung, BLOCKS).filter(|window| window.known() >= BLOCKS - 6);
    let rung =
        (history.ladder().finest()..RUNGS).rev().find_map(|rung| full(rung).map(|window| (rung, window)));
    rung.and_then(|(rung, window)| Some(trend(&window.floors)?.slope / width(rung)))
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
