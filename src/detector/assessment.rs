//! The verdict: facts in types, wording in one `Display`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate::Gate;
use crate::entity::Scope;
use crate::resources::Unit;
use crate::sample::Kind;

/// What the detector thinks of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// 0 to 100; `None` until there is enough history.
    pub score: Option<f64>,
    /// A score above it is a suspicion; infinite for what is never to be suspected.
    pub threshold: f64,
    /// The shape of what was seen.
    pub reason: Reason,
    /// On what the score rests.
    pub standing: Standing,
    /// Robust slope of the floor over the window that carries the evidence, bytes a second.
    pub growth_bytes_per_second: Option<f64>,
    /// Seconds until the nearest limit at that slope; `None` without a trend.
    pub time_to_limit_seconds: Option<f64>,
    /// The soonest and the latest that the same evidence allows for, seconds: in about nine cases of ten the limit is
    /// hit in between. `None` without a time, and where nothing bounds it.
    pub time_to_limit_range_seconds: Option<[f64; 2]>,
    /// Length in seconds of the window that carries the evidence.
    pub window_seconds: Option<f64>,
    /// Bytes by which each kind changed over that window.
    pub growth_by_kind: Vec<KindGrowth>,
    /// What the score rests on.
    pub evidence: Option<Evidence>,
}

/// Nothing is known, and nothing suspected.
impl Default for Assessment {
    fn default() -> Assessment {
        Assessment {
            score: None,
            threshold: f64::INFINITY,
            reason: Reason::default(),
            standing: Standing::default(),
            growth_bytes_per_second: None,
            time_to_limit_seconds: None,
            time_to_limit_range_seconds: None,
            window_seconds: None,
            growth_by_kind: Vec::new(),
            evidence: None,
        }
    }
}

impl Assessment {
    /// Whether the score is above the threshold. An absent score is no suspicion.
    pub fn is_suspect(&self) -> bool {
        self.score.is_some_and(|score| score > self.threshold)
    }

    /// Whether it is one that a detector can have made. To be asked of what was read back, before anything else is.
    pub fn is_sound(&self) -> bool {
        self.score.is_none_or(|score| (0.0..=100.0).contains(&score)) && !self.threshold.is_nan()
    }

    /// The status that goes with it.
    pub fn status(&self) -> Status {
        if self.is_suspect() { Status::Suspect } else { Status::Clean }
    }

    /// The same finding by another threshold. What is called a leak exactly while it is suspect grows otherwise.
    #[must_use]
    pub fn judged_by(&self, threshold: f64) -> Assessment {
        let mut judged = Assessment { threshold, ..self.clone() };
        judged.reason = match judged.reason {
            _ if judged.is_suspect() => Reason::Leaking,
            Reason::Leaking => Reason::Growing,
            other => other,
        };
        judged
    }

    /// The same finding with the `score` of what is wider and grows by this, where it is not suspect and that is higher.
    #[must_use]
    pub fn with_wider(&self, score: f64) -> Assessment {
        if self.is_suspect() || self.score.is_some_and(|own| own >= score) {
            return self.clone();
        }
        let taken_over = Assessment { score: Some(score), standing: Standing::Wider, ..self.clone() };
        taken_over.judged_by(self.threshold)
    }

    /// The kind that grew most of those in which a leak of this scope may live.
    pub fn dominant_kind(&self, scope: Scope) -> Option<Kind> {
        let is_scored = |growth: &&KindGrowth| growth.bytes > 0 && growth.kind.is_scored(scope);
        let grown = self.growth_by_kind.iter().filter(is_scored);
        grown.max_by_key(|growth| growth.bytes).map(|growth| growth.kind)
    }

    /// One sentence for a person: what was seen of memory, and why that is or is not a leak.
    pub fn sentence(&self) -> impl fmt::Display + '_ {
        self.sentence_in(Unit::Bytes)
    }

    /// The same of what was counted in another unit.
    pub fn sentence_in(&self, unit: Unit) -> impl fmt::Display + '_ {
        super::sentence::Sentence { found: self, unit }
    }
}

/// The two states of anything that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Score absent, or not above the threshold.
    Clean,
    /// Score above the threshold.
    Suspect,
}

impl Status {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Clean => "clean",
            Status::Suspect => "suspect",
        }
    }
}

/// On what a score rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// On evidence that is there now.
    #[default]
    Present,
    /// On evidence that raised a suspicion, which nothing has answered yet: memory was not given back, and the floor
    /// has not been flat for as long as the window that raised it.
    Held,
    /// On an earlier life of the same program, which this one has yet to outlive.
    Inherited,
    /// On the verdict on what it is a part of, its cgroup or the host, which grows by nothing else.
    Wider,
}

/// The shape of what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Too little history to say anything.
    #[default]
    InsufficientData,
    /// Young, and growing as things do that have just started.
    WarmingUp,
    /// The floor does not rise.
    Steady,
    /// The floor rises and falls.
    Fluctuating,
    /// The floor rises ever more slowly.
    Saturating,
    /// The floor rises; not yet for long enough to be called a leak.
    Growing,
    /// The floor rises steadily, for long, and nothing is given back.
    Leaking,
}

impl Reason {
    /// The word in metrics and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::InsufficientData => "insufficient_data",
            Reason::WarmingUp => "warming_up",
            Reason::Steady => "steady",
            Reason::Fluctuating => "fluctuating",
            Reason::Saturating => "saturating",
            Reason::Growing => "growing",
            Reason::Leaking => "leaking",
        }
    }
}

/// How much one kind of memory changed over the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindGrowth {
    /// The kind.
    pub kind: Kind,
    /// Bytes; negative where it shrank.
    pub bytes: i64,
}

/// What a score rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which way of looking found it.
    pub channel: Channel,
    /// Rise of the floor over the window, bytes.
    pub grown_bytes: f64,
    /// Floor at the end of the window, bytes.
    pub floor_bytes: f64,
    /// Seconds since the growth began, as far as the window shows.
    pub growing_for_seconds: f64,
    /// When this growth began in the whole of what is remembered, seconds since the epoch. What has grown since the
    /// first sample, or for more than ten days, may be older; null where nothing grows.
    pub onset_time: Option<f64>,
    /// Seconds since then.
    pub since_onset_seconds: Option<f64>,
    /// Every test of the evidence, each between 0 (speaks against a leak) and 1 (does not).
    pub gates: Vec<Gate>,
}

/// A way of looking at the floors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A long, steady rise that nothing else explains.
    Trend,
    /// The same hour of the day, day against day.
    Season,
    /// Growth that is about to hit a limit.
    Urgency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_cache_is_not_what_grew_however_much_there_is_of_it() {
        let growth = |kind, bytes| KindGrowth { kind, bytes };
        let growth_by_kind = vec![growth(Kind::Anon, 5), growth(Kind::File, 99), growth(Kind::Shmem, 7)];
        let found = Assessment { growth_by_kind, ..Assessment::default() };
        assert_eq!(found.dominant_kind(Scope::Process), Some(Kind::Anon));
        assert_eq!(found.dominant_kind(Scope::Cgroup), Some(Kind::Shmem));
        assert_eq!(Assessment::default().dominant_kind(Scope::Host), None);
    }

    #[test]
    fn the_score_of_what_is_wider_counts_where_it_is_higher() {
        let clean = Assessment { score: Some(40.0), reason: Reason::Growing, ..Assessment::default() }
            .judged_by(60.0);
        let taken_over = clean.with_wider(70.0);
        assert_eq!((taken_over.score, taken_over.status()), (Some(70.0), Status::Suspect));
        assert_eq!((taken_over.reason, taken_over.standing), (Reason::Leaking, Standing::Wider));
        assert_eq!(clean.with_wider(30.0), clean);
        let excused = clean.judged_by(f64::INFINITY).with_wider(70.0);
        assert_eq!((excused.reason, excused.status()), (Reason::Growing, Status::Clean));
    }

    #[test]
    fn status_and_reason_follow_the_threshold() {
        let leak = Assessment { score: Some(70.0), ..Assessment::default() }.judged_by(60.0);
        assert_eq!((leak.status(), leak.reason), (Status::Suspect, Reason::Leaking));
        for threshold in [70.0, 80.0, f64::INFINITY] {
            let excused = leak.judged_by(threshold);
            assert_eq!((excused.status(), excused.reason), (Status::Clean, Reason::Growing), "{threshold}");
            assert_eq!(excused.judged_by(60.0), leak);
        }
        let unknown = Assessment::default().judged_by(0.0);
        assert_eq!((unknown.status(), unknown.reason), (Status::Clean, Reason::InsufficientData));
    }
}
